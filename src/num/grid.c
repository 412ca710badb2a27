/* Codes need not be unpacked again: a decoded value and its scale tell its place on the grid. */
#include "num/grid.h"

#include <math.h>
#include <stdlib.h>

#include "num/scale.h"

/* How a quantiser's numbers came to be what is stored. */
enum storage {
	EXACT = 0,
	IN_F16 = 1,  /* the unit was rounded to F16; codes were chosen by the unrounded one */
	IN_F32 = 2,  /* likewise, to F32 */
	IN_FEW = 4   /* the scale was rounded to a few bits; codes were chosen by the rounded one, but the ends of the
		      * grid are not where they were meant to be */
};

struct grid {
	int least, most;      /* levels, where there is no table */
	const double *levels; /* ascending, n_levels of them; or NULL */
	unsigned n_levels;
	unsigned storage;
	bool known;
};

static const double iq4_levels[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
static const double fp4_levels[] = {-12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12}; /* doubled */

#define EVEN(from, to, how) {.least = (from), .most = (to), .storage = (how), .known = true}
#define TABLE(of, how)      {.levels = (of), .n_levels = sizeof(of) / sizeof((of)[0]), .storage = (how), .known = true}

static const struct grid grids[DT_COUNT] = {
	[DT_Q4_0] = EVEN(-8, 7, IN_F16),
	[DT_Q4_1] = EVEN(0, 15, IN_F16),
	[DT_Q5_0] = EVEN(-16, 15, IN_F16),
	[DT_Q5_1] = EVEN(0, 31, IN_F16),
	[DT_Q8_0] = EVEN(-128, 127, IN_F16),
	[DT_Q8_1] = EVEN(-128, 127, IN_F16),
	[DT_Q2_K] = EVEN(0, 3, IN_F16 | IN_FEW),
	[DT_Q3_K] = EVEN(-4, 3, IN_F16 | IN_FEW),
	[DT_Q4_K] = EVEN(0, 15, IN_F16 | IN_FEW),
	[DT_Q5_K] = EVEN(0, 31, IN_F16 | IN_FEW),
	[DT_Q6_K] = EVEN(-32, 31, IN_F16 | IN_FEW),
	[DT_Q8_K] = EVEN(-128, 127, IN_F32),
	[DT_IQ4_NL] = TABLE(iq4_levels, IN_F16),
	[DT_IQ4_XS] = TABLE(iq4_levels, IN_F16 | IN_FEW),
	[DT_TQ1_0] = EVEN(-1, 1, IN_F16),
	[DT_TQ2_0] = EVEN(-1, 2, IN_F16),
	[DT_MXFP4] = TABLE(fp4_levels, EXACT),
	[DT_NVFP4] = TABLE(fp4_levels, IN_FEW),
	[DT_Q1_0] = EVEN(0, 1, IN_F16),
	[DT_Q2_0] = EVEN(-1, 2, IN_F16),
};

bool grid_has(enum dtype t)
{
	return grids[t].known;
}

/* How far a number may have been before it was stored: half a unit in the last place, or of the smallest subnormal. */
static double doubt(const struct grid *g, double x)
{
	if (g->storage & IN_F16)
		return fmax(fabs(x) * 0x1p-11, 0x1p-25);
	return g->storage & IN_F32 ? fabs(x) * 0x1p-22 : 0; /* of the scale and of its inverse */
}

/* ---- cells, in levels: a value's place on the grid, and how far its cell reaches down and up ---- */

struct place {
	double level, reach[2];
	bool end[2];
};

static struct place even_place(const struct grid *g, double at)
{
	struct place p = {.level = rint(at)};

	p.end[0] = p.level <= g->least;
	p.end[1] = p.level >= g->most;
	p.reach[0] = p.end[0] ? 1 : 0.5;
	p.reach[1] = p.end[1] ? 1 : 0.5;
	return p;
}

static struct place table_place(const struct grid *g, double at)
{
	struct place p;
	unsigned i = 0, last = g->n_levels - 1;

	while (i < last && g->levels[i + 1] - at <= at - g->levels[i])
		i++;
	p.level = g->levels[i];
	p.end[0] = i == 0;
	p.end[1] = i == last;
	p.reach[0] = i > 0 ? (p.level - g->levels[i - 1]) / 2 : g->levels[1] - p.level;
	p.reach[1] = i < last ? (g->levels[i + 1] - p.level) / 2 : p.level - g->levels[last - 1];
	return p;
}

/* Where the scale is 0: any level may have been rounded away. */
static struct place lost_place(const struct grid *g)
{
	double least = g->levels ? g->levels[0] : g->least, most = g->levels ? g->levels[g->n_levels - 1] : g->most;

	return (struct place){.level = fmax(fabs(least), fabs(most)), .end = {true, true}};
}

static bool in_cell(const struct grid *g, const struct block_scale *s, double y, double x)
{
	double at = (y + s->min) / s->scale, size = fabs(s->scale), room;
	int up = (x > y) == (s->scale > 0);
	struct place p;

	if (!isfinite(x) || !isfinite(y))
		return isnan(x) && isnan(y);
	p = size == 0 ? lost_place(g) : g->levels ? table_place(g, at) : even_place(g, at);
	room = p.reach[up] * size + (fabs(p.level) + p.reach[up]) * abs(s->times) * doubt(g, s->unit) +
	       s->min_times * doubt(g, s->min_unit);
	if (p.end[up] && g->storage & IN_FEW)
		room += fabs(p.level) * fabs(s->unit) / 2 + fabs(s->min_unit) / 2;
	return fabs(x - y) <= room;
}

/* Half of the narrowest step, in levels: what is as near as that needs no closer look. */
static double sure_reach(const struct grid *g)
{
	double least = INFINITY;

	if (!g->levels)
		return 0.5;
	for (unsigned i = 1; i < g->n_levels; i++)
		least = fmin(least, g->levels[i] - g->levels[i - 1]);
	return least / 2;
}

/* Sixteen at a time, without a branch: a group is a multiple of that. */
static bool all_near(const double *y, const double *x, double near)
{
	unsigned far = 0;

	for (size_t i = 0; i < 16; i++)
		far |= !(fabs(x[i] - y[i]) <= near);
	return !far;
}

static size_t group_beyond(const struct grid *g, const struct block_scale *s, double near, const double *y,
			   const double *x, size_t n)
{
	size_t beyond = 0;

	for (size_t at = 0; at < n; at += 16) {
		if (all_near(y + at, x + at, near))
			continue;
		for (size_t i = at; i < at + 16; i++)
			beyond += !in_cell(g, s, y[i], x[i]);
	}
	return beyond;
}

size_t grid_beyond(enum dtype t, const uint8_t *raw, const double *y, const double *x, size_t n)
{
	const struct grid *g = &grids[t];
	double sure = sure_reach(g);
	size_t beyond = 0;

	for (; n; n -= dtypes[t].items, raw += dtypes[t].bytes) {
		struct block_scale s[SCALES_MAX];
		unsigned groups = block_scales(t, raw, s), each = dtypes[t].items / groups;

		for (unsigned i = 0; i < groups; i++, x += each, y += each)
			beyond += group_beyond(g, &s[i], sure * fabs(s[i].scale), y, x, each);
	}
	return beyond;
}
