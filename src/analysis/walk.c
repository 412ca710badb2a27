#include "analysis/walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "num/decode.h"
#include "num/exact.h"
#include "num/kern.h"

struct bench {
	float f[2][BLOCK];
	double x[2][2 * BLOCK]; /* for two parts of a complex number, or one real */
	double d[BLOCK], magnitude[BLOCK];
	bool same[BLOCK];
	uint8_t *room[2]; /* made when asked for */
};

struct bench *bench_new(void)
{
	return xcalloc(1, sizeof(struct bench));
}

void bench_free(struct bench *w)
{
	if (!w)
		return;
	free(w->room[A]);
	free(w->room[B]);
	free(w);
}

uint8_t *bench_room(struct bench *w, int side)
{
	enum { WIDEST = 16 };

	if (!w->room[side])
		w->room[side] = xmalloc(RUN * WIDEST);
	return w->room[side];
}

size_t walk_bytes(enum dtype type, size_t n)
{
	return n / dtypes[type].items * dtypes[type].bytes;
}

static size_t block_at(size_t at, size_t n)
{
	return n - at < BLOCK ? n - at : BLOCK;
}

/* ---- through doubles ---- */

/* Magnitudes of n complex numbers; hypot neither overflows nor loses small parts. */
static const double *reals_of(struct bench *w, enum dtype type, const double *x, size_t n)
{
	if (decode_width(type) == 1)
		return x;
	for (size_t i = 0; i < n; i++)
		w->magnitude[i] = hypot(x[2 * i], x[2 * i + 1]);
	return w->magnitude;
}

static void double_moments(struct bench *w, struct moments *m, enum dtype type, const uint8_t *raw, size_t n)
{
	for (size_t at = 0; at < n; at += BLOCK) {
		size_t k = block_at(at, n);

		decode(type, w->x[A], raw + walk_bytes(type, at), k);
		moments_add(m, reals_of(w, type, w->x[A], k), k);
	}
}

/* A later pass over one side. */
static void add_again(const struct walk *wk, struct tally *t, int side, const double *x, size_t n)
{
	if (wk->pass == PASS_BINS)
		bins_add(&t->bins[side], x, n);
	else if (t->refine[side])
		refine_add(t->refine[side], x, n);
}

static void double_one(const struct walk *wk, struct tally *t, struct bench *w, struct moments *m, int side,
		       const uint8_t *raw, size_t n)
{
	enum dtype type = wk->type[side];

	for (size_t at = 0; at < n; at += BLOCK) {
		size_t k = block_at(at, n);
		const uint8_t *in = raw + walk_bytes(type, at);
		const double *x;

		decode(type, w->x[side], in, k);
		x = reals_of(w, type, w->x[side], k);
		if (wk->pass) {
			add_again(wk, t, side, x, k);
			continue;
		}
		moments_add(m, x, k);
		if (t->dist[side])
			dist_add(t->dist[side], in, x, k);
	}
}

/* |b - a| <= atol + rtol * |a|; what is equal (NaN and NaN, or infinities of one sign) is within any tolerance. */
static bool beyond_tolerance(const struct walk *wk, const double *a, const double *d, const bool *same, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!same[i] && !(isfinite(d[i]) && fabs(d[i]) <= wk->atol + wk->rtol * fabs(a[i])))
			return true;
	return false;
}

/* d = B - A and whether the values are equal, element by element; for complex numbers d is |B - A|. */
static void differences(const struct walk *wk, struct bench *w, const uint8_t *raw_a, const uint8_t *raw_b, size_t n)
{
	unsigned width = decode_width(wk->type[A]);
	const double *a = w->x[A], *b = w->x[B];

	if (exact_needed(wk->type[A], wk->type[B])) {
		exact_diff(w->d, w->same, wk->type[A], raw_a, a, wk->type[B], raw_b, b, n);
		return;
	}
	if (decode_width(wk->type[B]) > width)
		width = decode_width(wk->type[B]);
	for (size_t i = 0; i < n; i++) {
		bool same = true;

		for (unsigned k = 0; k < width; k++) {
			double p = a[width * i + k], q = b[width * i + k];

			same = same && (p == q || (isnan(p) && isnan(q)));
		}
		w->same[i] = same;
		w->d[i] = width == 1 ? b[i] - a[i] : hypot(b[2 * i] - a[2 * i], b[2 * i + 1] - a[2 * i + 1]);
	}
}

/* A complex number beside a real one: the real one gets an imaginary part of 0. */
static void widen(double *x, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		x[2 * i] = x[i];
		x[2 * i + 1] = 0;
	}
}

/* The way back: from here on the magnitudes stand in for complex numbers, and real ones for themselves. */
static void narrow(double *x, enum dtype type, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = decode_width(type) == 2 ? hypot(x[2 * i], x[2 * i + 1]) : x[2 * i];
}

static void count_differences(const struct walk *wk, struct tally *t, struct bench *w, size_t n)
{
	const double *a = w->x[A], *b = w->x[B];
	size_t k = 0;

	/* over elements finite in both, as every difference is */
	for (size_t i = 0; i < n; i++)
		if (isfinite(a[i]) && isfinite(b[i]))
			w->magnitude[k++] = wk->pass == PASS_BINS ? w->d[i] : fabs(w->d[i]);
	if (wk->pass == PASS_BINS)
		bins_add(&t->bins_d, w->magnitude, k);
	else if (wk->pass == PASS_REFINE && t->refine_d)
		refine_add(t->refine_d, w->magnitude, k);
	else if (wk->pass == PASS_SUMS)
		dist_add(t->dist_d, NULL, w->magnitude, k);
}

static void double_two_block(const struct walk *wk, struct tally *t, struct bench *w, struct part *p,
			     const uint8_t *ra, const uint8_t *rb, uint64_t first, size_t n)
{
	enum dtype ta = wk->type[A], tb = wk->type[B];
	bool complex = decode_width(ta) == 2 || decode_width(tb) == 2, tolerance = wk->atol > 0 || wk->rtol > 0;
	bool given = exact_needed(ta, tb);

	decode(ta, w->x[A], ra, n);
	decode(tb, w->x[B], rb, n);
	if (complex && decode_width(ta) == 1)
		widen(w->x[A], n);
	if (complex && decode_width(tb) == 1)
		widen(w->x[B], n);
	if (ladder_open(&p->ladder) && !wk->pass)
		ladder_add(&p->ladder, w->x[A], w->x[B], ra, rb, n);
	if (given || tolerance || complex || t->dist_d || wk->pass)
		differences(wk, w, ra, rb, n);
	if (!wk->pass && given)
		pair_add_given(&p->sum, w->x[A], w->x[B], w->d, w->same, first, n);
	else if (!wk->pass && complex)
		pair_add_complex(&p->sum, w->x[A], w->x[B], first, n);
	else if (!wk->pass)
		pair_add(&p->sum, w->x[A], w->x[B], first, n);
	for (int side = A; side <= B; side++) {
		if (complex)
			narrow(w->x[side], wk->type[side], n);
		if (wk->pass)
			add_again(wk, t, side, w->x[side], n);
		else
			moments_add(&p->moments[side], w->x[side], n);
		if (t->dist[side])
			dist_add(t->dist[side], side ? rb : ra, w->x[side], n);
	}
	if (tolerance && !wk->pass)
		p->beyond |= beyond_tolerance(wk, w->x[A], w->d, w->same, n);
	if (t->dist_d || wk->pass)
		count_differences(wk, t, w, n);
}

static void double_two(const struct walk *wk, struct tally *t, struct bench *w, struct part *p, const uint8_t *ra,
		       const uint8_t *rb, uint64_t first, size_t n)
{
	for (size_t at = 0; at < n; at += BLOCK)
		double_two_block(wk, t, w, p, ra + walk_bytes(wk->type[A], at), rb + walk_bytes(wk->type[B], at),
				 first + at, block_at(at, n));
}

/* ---- through floats ---- */

/* In place where they stand as this machine has floats. */
static const float *floats_of(struct bench *w, int side, enum dtype type, const uint8_t *raw, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (type == DT_F32 && (uintptr_t)raw % sizeof(float) == 0)
		return (const float *)(const void *)raw;
#endif
	kern_floats(w->f[side], type, raw, n);
	return w->f[side];
}

/* A run that its sums do not fit goes block by block, in double. */
static void end_run(struct bench *w, const struct float_run *r, struct moments *m, enum dtype type, const uint8_t *raw,
		    size_t n)
{
	if (float_run_end(r, m))
		return;
	moments_init(m);
	double_moments(w, m, type, raw, n);
}

static void float_one(const struct walk *wk, struct tally *t, struct bench *w, struct moments *m, int side,
		      const uint8_t *raw, size_t n)
{
	enum dtype type = wk->type[side];
	struct float_run r = {0};
	struct moments run;

	for (size_t at = 0; at < n; at += BLOCK) {
		const uint8_t *in = raw + walk_bytes(type, at);
		size_t k = block_at(at, n);
		const float *x;

		if (!t->dist[side] && half_run_add(&r, type, in, k))
			continue;
		x = floats_of(w, side, type, in, k);
		float_run_add(&r, x, k);
		if (t->dist[side])
			dist_add_floats(t->dist[side], in, x, k);
	}
	end_run(w, &r, &run, type, raw, n);
	moments_merge(m, &run);
}

static void float_two(const struct walk *wk, struct tally *t, struct bench *w, struct part *p, const uint8_t *ra,
		      const uint8_t *rb, uint64_t first, size_t n)
{
	enum dtype type = wk->type[A];
	struct float_run r[2] = {{.n = 0}};
	struct float_pair_run pair = {.n = 0};
	struct moments run[2];
	struct pairsum sum;

	for (size_t at = 0; at < n; at += BLOCK) {
		size_t off = walk_bytes(type, at), k = block_at(at, n);

		if (!half_pair_add(r, &pair, type, ra + off, rb + off, k)) {
			const float *a = floats_of(w, A, type, ra + off, k), *b = floats_of(w, B, type, rb + off, k);

			float_run_add(&r[A], a, k);
			float_run_add(&r[B], b, k);
			if (!r[A].not_finite && !r[B].not_finite)
				float_pair_add(&pair, a, b, k);
		}
		if (r[A].not_finite || r[B].not_finite) {
			double_two(wk, t, w, p, ra, rb, first, n);
			return;
		}
	}
	end_run(w, &r[A], &run[A], type, ra, n);
	end_run(w, &r[B], &run[B], type, rb, n);
	float_pair_end(&pair, &run[A], &run[B], first, &sum);
	moments_merge(&p->moments[A], &run[A]);
	moments_merge(&p->moments[B], &run[B]);
	pair_merge(&p->sum, &sum);
	for (size_t at = 0; t->dist_d && at < n; at += BLOCK) {
		size_t off = walk_bytes(type, at), k = block_at(at, n);
		const float *a = floats_of(w, A, type, ra + off, k), *b = floats_of(w, B, type, rb + off, k);

		dist_add_floats(t->dist[A], ra + off, a, k);
		dist_add_floats(t->dist[B], rb + off, b, k);
		dist_add_distances(t->dist_d, a, b, k);
	}
}

/* ---- either ---- */

void walk_one(const struct walk *wk, struct tally *t, struct bench *w, struct moments *m, int side,
	      const uint8_t *raw, size_t n)
{
	if (kern_holds(wk->type[side]) && !wk->pass)
		float_one(wk, t, w, m, side, raw, n);
	else
		double_one(wk, t, w, m, side, raw, n);
}

/* The same bytes on both sides: one decoding serves both, and every finite difference is 0. */
static void walk_same(const struct walk *wk, struct tally *t, struct bench *w, struct part *p, const uint8_t *raw,
		      size_t n)
{
	struct tally both = {.dist = {t->dist_both, NULL}};
	struct moments m;

	moments_init(&m);
	walk_one(wk, &both, w, &m, A, raw, n);
	if (t->dist_d)
		dist_add_zeros(t->dist_d, m.count - m.nan - m.inf);
	moments_merge(&p->moments[A], &m);
	moments_merge(&p->moments[B], &m);
	pair_add_same(&p->sum, &m);
}

void walk_two(const struct walk *wk, struct tally *t, struct bench *w, struct part *p, const uint8_t *a,
	      const uint8_t *b, uint64_t first, size_t n)
{
	bool one_type = wk->type[A] == wk->type[B], tolerance = wk->atol > 0 || wk->rtol > 0;
	bool same = one_type && memcmp(a, b, walk_bytes(wk->type[A], n)) == 0;

	p->other_bytes |= !same;
	if (same && wk->equal_only)
		return;
	if (same && !wk->pass)
		walk_same(wk, t, w, p, a, n);
	else if (one_type && kern_holds(wk->type[A]) && !wk->pass && !tolerance)
		float_two(wk, t, w, p, a, b, first, n);
	else
		double_two(wk, t, w, p, a, b, first, n);
}
