/*
 * Where the scales stand: ggml-org/ggml, ggml-common.h and dequantize_row_* of ggml-quants.c. Codes need not be unpacked
 * again: a decoded value and its scale tell its place on the grid.
 */
#include "num/grid.h"

#include <math.h>
#include <stdlib.h>

#include "bytes/cur.h"
#include "num/decode.h"

/*
 * Of a run of elements with common scales: y = scale * level - min; level is a whole number, or one of a table. The
 * doubts are how far what is stored may be from what codes were chosen by. Where a run's scale is rounded to a few bits,
 * codes were chosen by the rounded one, but the ends of the grid are not where they were meant to be:
 * the slips are by how much.
 */
struct scales {
	double scale, scale_doubt, scale_slip;
	double min, min_doubt, min_slip;
};

struct grid {
	unsigned run;         /* elements that share a scale */
	int least, most;      /* levels, where there is no table */
	const double *levels; /* ascending, n_levels of them; or NULL */
	unsigned n_levels;
	void (*scales)(struct scales *, const uint8_t *block, size_t run);
};

/* Rounding to nearest in F16 moves a number by at most 2^-11 of it, or half of the smallest subnormal. */
static double f16_doubt(double x)
{
	return fmax(fabs(x) * 0x1p-11, 0x1p-25);
}

static double f16_at(const uint8_t *p)
{
	double x;

	decode(DT_F16, &x, p, 1);
	return x;
}

static void set_scale(struct scales *s, double d)
{
	s->scale = d;
	s->scale_doubt = f16_doubt(d);
}

/* A whole number of d. */
static void set_multiple(struct scales *s, double d, int times)
{
	s->scale = d * times;
	s->scale_doubt = f16_doubt(d) * abs(times);
	s->scale_slip = fabs(d) / 2;
}

static void set_min(struct scales *s, double d, int times)
{
	s->min = d * times;
	s->min_doubt = f16_doubt(d) * abs(times);
	s->min_slip = fabs(d) / 2;
}

/* ---- where the scales of run number i are ---- */

static void scale_first(struct scales *s, const uint8_t *block, size_t i)
{
	(void)i;
	set_scale(s, f16_at(block));
}

static void scale_and_min(struct scales *s, const uint8_t *block, size_t i)
{
	(void)i;
	set_scale(s, f16_at(block));
	s->min = -f16_at(block + 2);
	s->min_doubt = f16_doubt(s->min);
}

static void scale_q8_k(struct scales *s, const uint8_t *block, size_t i)
{
	double d;
	(void)i;

	decode(DT_F32, &d, block, 1);
	s->scale = d;
	s->scale_doubt = fabs(d) * 0x1p-22; /* two roundings in F32 */
}

static void scale_tq1_0(struct scales *s, const uint8_t *block, size_t i)
{
	(void)i;
	set_scale(s, f16_at(block + 52));
}

static void scale_tq2_0(struct scales *s, const uint8_t *block, size_t i)
{
	(void)i;
	set_scale(s, f16_at(block + 64));
}

static void scale_q2_k(struct scales *s, const uint8_t *block, size_t i)
{
	set_multiple(s, f16_at(block + 80), block[i] & 15);
	set_min(s, f16_at(block + 82), block[i] >> 4);
}

/* 16 scales of 6 bits, less 32: the low 4 bits in the nibbles of 8 bytes, the high 2 in the pairs of the next 4. */
static void scale_q3_k(struct scales *s, const uint8_t *block, size_t i)
{
	const uint8_t *p = block + 96;
	int times = (p[i % 8] >> 4 * (i / 8) & 15) | (p[8 + i % 4] >> 2 * (i / 4) & 3) << 4;

	set_multiple(s, f16_at(block + 108), times - 32);
}

/* 8 scales and 8 minima of 6 bits. Those of runs 0 to 3 are the low bits of bytes 0 to 3 and 4 to 7, whose high two
 * belong to runs 4 to 7, as do the nibbles of bytes 8 to 11. */
static void scale_q4_k(struct scales *s, const uint8_t *block, size_t i)
{
	const uint8_t *p = block + 4;
	int scale = i < 4 ? p[i] & 63 : (p[i + 4] & 15) | p[i - 4] >> 6 << 4;
	int min = i < 4 ? p[i + 4] & 63 : p[i + 4] >> 4 | p[i] >> 6 << 4;

	set_multiple(s, f16_at(block), scale);
	set_min(s, f16_at(block + 2), min);
}

static void scale_q6_k(struct scales *s, const uint8_t *block, size_t i)
{
	set_multiple(s, f16_at(block + 208), (int8_t)block[192 + i]);
}

static void scale_iq4_xs(struct scales *s, const uint8_t *block, size_t i)
{
	unsigned high = block[2] | (unsigned)block[3] << 8;
	int times = (block[4 + i / 2] >> 4 * (i % 2) & 15) | (int)(high >> 2 * i & 3) << 4;

	set_multiple(s, f16_at(block), times - 32);
}

static void scale_mxfp4(struct scales *s, const uint8_t *block, size_t i)
{
	(void)i;
	s->scale = ldexp(1, block[0] - 128); /* E8M0, halved: the levels are doubled */
}

/* An E4M3 number without a sign, halved likewise; 0x7f is 0. */
static void scale_nvfp4(struct scales *s, const uint8_t *block, size_t i)
{
	unsigned code = block[i] & 127u, e = code >> 3, m = code & 7;
	double unit = ldexp(1, (e ? (int)e : 1) - 11);

	s->scale = code == 127 ? 0 : unit * (e ? m + 8 : m);
	s->scale_slip = unit / 2;
}

/* ---- the table ---- */

static const double iq4_levels[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
static const double fp4_levels[] = {-12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12}; /* doubled */
static const double sign_levels[] = {-1, 1};

#define TABLE(of) .levels = (of), .n_levels = COUNT(of)

static const struct grid grids[DT_COUNT] = {
	[DT_Q4_0] = {.run = 32, .least = -8, .most = 7, .scales = scale_first},
	[DT_Q4_1] = {.run = 32, .least = 0, .most = 15, .scales = scale_and_min},
	[DT_Q5_0] = {.run = 32, .least = -16, .most = 15, .scales = scale_first},
	[DT_Q5_1] = {.run = 32, .least = 0, .most = 31, .scales = scale_and_min},
	[DT_Q8_0] = {.run = 32, .least = -128, .most = 127, .scales = scale_first},
	[DT_Q8_1] = {.run = 32, .least = -128, .most = 127, .scales = scale_first},
	[DT_Q2_K] = {.run = 16, .least = 0, .most = 3, .scales = scale_q2_k},
	[DT_Q3_K] = {.run = 16, .least = -4, .most = 3, .scales = scale_q3_k},
	[DT_Q4_K] = {.run = 32, .least = 0, .most = 15, .scales = scale_q4_k},
	[DT_Q5_K] = {.run = 32, .least = 0, .most = 31, .scales = scale_q4_k},
	[DT_Q6_K] = {.run = 16, .least = -32, .most = 31, .scales = scale_q6_k},
	[DT_Q8_K] = {.run = 256, .least = -128, .most = 127, .scales = scale_q8_k},
	[DT_IQ4_NL] = {.run = 32, TABLE(iq4_levels), .scales = scale_first},
	[DT_IQ4_XS] = {.run = 32, TABLE(iq4_levels), .scales = scale_iq4_xs},
	[DT_TQ1_0] = {.run = 256, .least = -1, .most = 1, .scales = scale_tq1_0},
	[DT_TQ2_0] = {.run = 256, .least = -1, .most = 2, .scales = scale_tq2_0},
	[DT_MXFP4] = {.run = 32, TABLE(fp4_levels), .scales = scale_mxfp4},
	[DT_NVFP4] = {.run = 16, TABLE(fp4_levels), .scales = scale_nvfp4},
	[DT_Q1_0] = {.run = 128, TABLE(sign_levels), .scales = scale_first},
	[DT_Q2_0] = {.run = 64, .least = -1, .most = 2, .scales = scale_first},
};

bool grid_has(enum dtype t)
{
	return grids[t].run != 0;
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

static bool in_cell(const struct grid *g, const struct scales *s, double y, double x)
{
	double at = (y + s->min) / s->scale, size = fabs(s->scale), room;
	int up = (x > y) == (s->scale > 0);
	struct place p;

	if (!isfinite(x) || !isfinite(y))
		return isnan(x) && isnan(y);
	p = size == 0 ? lost_place(g) : g->levels ? table_place(g, at) : even_place(g, at);
	room = p.reach[up] * size + (fabs(p.level) + p.reach[up]) * s->scale_doubt + s->min_doubt;
	if (p.end[up])
		room += fabs(p.level) * s->scale_slip + s->min_slip;
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

/* Sixteen at a time, without a branch: a run is a multiple of that. */
static bool all_near(const double *y, const double *x, double near)
{
	unsigned far = 0;

	for (size_t i = 0; i < 16; i++)
		far |= !(fabs(x[i] - y[i]) <= near);
	return !far;
}

static size_t run_beyond(const struct grid *g, const struct scales *s, double near, const double *y, const double *x)
{
	size_t beyond = 0;

	for (size_t at = 0; at < g->run; at += 16) {
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

	for (; n; n -= dtypes[t].items, raw += dtypes[t].bytes)
		for (size_t run = 0; run < dtypes[t].items / g->run; run++) {
			struct scales s = {0};

			g->scales(&s, raw, run);
			beyond += run_beyond(g, &s, sure * fabs(s.scale), y, x);
			x += g->run;
			y += g->run;
		}
	return beyond;
}
