#include "num/ladder.h"

#include "base/fmt.h"
#include "num/grid.h"

static enum dtype part_of(enum dtype t)
{
	return t == DT_C32 ? DT_F16 : t == DT_C64 ? DT_F32 : t == DT_C128 ? DT_F64 : t;
}

void ladder_init(struct ladder *l, enum dtype a, enum dtype b, uint64_t count)
{
	bool complex = dtypes[a].kind == KIND_COMPLEX;

	*l = (struct ladder){.type = {a, b}, .count = count};
	if (a == b || complex != (dtypes[b].kind == KIND_COMPLEX))
		return;
	cast_init(&l->cast[0], part_of(a), part_of(b));
	cast_init(&l->cast[1], part_of(b), part_of(a));
	l->quantised[0] = grid_has(b);
	l->quantised[1] = grid_has(a);
}

bool ladder_open(const struct ladder *l)
{
	return l->cast[0].modes || l->cast[1].modes || l->quantised[0] || l->quantised[1];
}

static bool is_few(const struct ladder *l, uint64_t beyond)
{
	return (double)beyond <= RUNG_FEW * (double)l->count;
}

static void quantised_add(struct ladder *l, int way, enum dtype t, const uint8_t *raw, const double *held,
			  const double *x, size_t n)
{
	if (!l->quantised[way])
		return;
	l->beyond[way] += grid_beyond(t, raw, held, x, n);
	l->quantised[way] = is_few(l, l->beyond[way]);
}

void ladder_add(struct ladder *l, const double *a, const double *b, const uint8_t *raw_a, const uint8_t *raw_b,
		size_t n)
{
	enum dtype ta = part_of(l->type[0]), tb = part_of(l->type[1]);
	size_t parts = dtypes[l->type[0]].kind == KIND_COMPLEX ? 2 * n : n;

	cast_add(&l->cast[0], ta, tb, a, b, parts);
	cast_add(&l->cast[1], tb, ta, b, a, parts);
	quantised_add(l, 0, tb, raw_b, b, a, n);
	quantised_add(l, 1, ta, raw_a, a, b, n);
}

void ladder_merge(struct ladder *l, const struct ladder *other)
{
	for (int way = 0; way < 2; way++) {
		cast_merge(&l->cast[way], &other->cast[way]);
		l->beyond[way] += other->beyond[way];
		l->quantised[way] = l->quantised[way] && other->quantised[way] && is_few(l, l->beyond[way]);
	}
}

static bool is_cast(const struct castsum *s, struct relation *r)
{
	unsigned modes = cast_modes(s);
	int rounding = 0;

	if (!modes)
		return false;
	while (!(modes >> rounding & 1))
		rounding++;
	*r = (struct relation){
		.rung = RUNG_CAST, .roundings = modes, .rounding = (enum rounding)rounding,
		.over = s->over, .n_over = s->n_over,
	};
	if (s->flushed_modes >> rounding & 1)
		r->n_flushed = s->n_flushed;
	return true;
}

void ladder_end(const struct ladder *l, struct relation *r)
{
	*r = (struct relation){.rung = RUNG_NONE};
	for (int way = 0; way < 2; way++)
		if (is_cast(&l->cast[way], r)) {
			r->reverse = way == 1;
			return;
		}
	for (int way = 0; way < 2; way++)
		if (l->quantised[way]) {
			*r = (struct relation){.rung = RUNG_QUANTISED, .reverse = way == 1, .beyond = l->beyond[way]};
			r->share = l->count ? (double)r->beyond / (double)l->count : 0;
			return;
		}
}

static void counted(struct buf *b, uint64_t n, const char *what, const char *became)
{
	buf_puts(b, ", ");
	fmt_grouped(b, n);
	buf_puts(b, what);
	buf_puts(b, became);
}

static void cast_words(struct buf *b, const struct relation *r)
{
	static const char *const became[] = {
		[OVER_INFINITE] = "to infinity", [OVER_NAN] = "to NaN", [OVER_LARGEST] = "to the largest number",
	};

	buf_printf(b, "rounded %s%s", r->rounding == ROUND_ZERO ? "" : "to ", rounding_names[r->rounding]);
	if (r->n_over)
		counted(b, r->n_over, " out of range ", became[r->over]);
	if (r->n_flushed)
		counted(b, r->n_flushed, " flushed to 0", "");
}

void relation_words(struct buf *b, const struct relation *r)
{
	if (r->rung != RUNG_NONE && r->reverse)
		buf_puts(b, "A is B ");
	if (r->rung == RUNG_CAST) {
		cast_words(b, r);
	} else if (r->rung == RUNG_QUANTISED) {
		buf_puts(b, r->reverse ? "quantised, within half a step" : "within half a step");
		if (r->beyond) {
			buf_puts(b, " but for ");
			fmt_grouped(b, r->beyond);
			buf_puts(b, " (");
			fmt_percent(b, r->share);
			buf_puts(b, ")");
		}
	}
}
