#include "num/floats.h"

#include <string.h>

#include "num/dd.h"
#include "num/kern.h"

/* ---- one side ---- */

static float float_of_key(int32_t key)
{
	int32_t bits = float_key(key);
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* Whether every lane adds up without rounding: 24 bits of a float, 8 for 256 of them, 21 between their exponents. */
static bool adds_exactly(const struct float_scan *s)
{
	uint32_t top = s->top >> 24, low = (s->low + 1) >> 24;

	return s->low == UINT32_MAX || (top ? top : 1) - (low ? low : 1) <= 21;
}

static struct dd careful_sum(const float *x, size_t n)
{
	double s = 0, c = 0;

	for (size_t i = 0; i < n; i++) {
		struct dd t = dd_sum(s, x[i]);

		s = t.hi;
		c += t.lo;
	}
	return dd_sum(s, c);
}

/* The last, shorter row, with the operations that kernels do on whole ones. */
static void add_rest(struct float_lanes *v, const float *x, size_t n, double pivot)
{
	for (size_t l = 0; l < n; l++) {
		double y = x[l], c = y - pivot, c2 = c * c;

		v->s[l] += y;
		v->l1[l] += fabs(y);
		v->p2[l] += c2;
		v->p3[l] += c2 * c;
		v->p4[l] += c2 * c2;
	}
}

static void add_lanes(struct float_run *r, const struct float_lanes *v, struct dd sum)
{
	r->sum = dd_add(r->sum, sum);
	r->l1 += lanes_add(v->l1);
	r->p2 += lanes_add(v->p2);
	r->p3 += lanes_add(v->p3);
	r->p4 += lanes_add(v->p4);
}

static void add_powers(struct float_run *r, const float *x, size_t n, const struct float_scan *scan)
{
	size_t rows = n / LANES;
	struct float_lanes v;

	kern->floats->powers(&v, x, rows, r->pivot);
	add_rest(&v, x + rows * LANES, n % LANES, r->pivot);
	add_lanes(r, &v, adds_exactly(scan) ? lanes_add_exactly(v.s) : careful_sum(x, n));
}

/* n times the square of the distance from the pivot to the mean, and the sum of squares about the mean. */
static void spread(const struct float_run *r, double *between, double *within)
{
	double n = (double)r->n, off = dd_add(r->sum, dd_neg(dd_product(n, r->pivot))).hi / n;

	*between = n * off * off;
	*within = r->p2 - *between;
}

/* Whether the mean lies within `most` standard deviations of the pivot: so powers about the one lose few of the bits of
 * those about the other. */
static bool pivot_fits(const struct float_run *r, double most)
{
	double between, within;

	spread(r, &between, &within);
	return between <= most * most * within || between == 0;
}

static void first_block(struct float_run *r, const float *x, size_t n, const struct float_scan *scan)
{
	r->n = n;
	add_powers(r, x, n, scan);
	if (pivot_fits(r, 0.25))
		return;
	*r = (struct float_run){
		.pivot = (float)(r->sum.hi / (double)n), .n = n, .zero = r->zero, .min = r->min, .max = r->max,
	};
	add_powers(r, x, n, scan);
}

/* Takes over what the scan of a block found; false: not all of it is finite. */
static bool add_scan(struct float_run *r, const struct float_scan *scan)
{
	float min = float_of_key(scan->min), max = float_of_key(scan->max);

	if (scan->top >= 0xff000000u) {
		r->not_finite = true;
		return false;
	}
	r->zero += scan->zero;
	r->min = r->n == 0 || min < r->min ? min : r->min;
	r->max = r->n == 0 || max > r->max ? max : r->max;
	return true;
}

void float_run_add(struct float_run *r, const float *x, size_t n)
{
	struct float_scan scan;

	if (r->not_finite || !n)
		return;
	kern->floats->scan(&scan, x, n);
	if (!add_scan(r, &scan))
		return;
	if (r->n == 0) {
		first_block(r, x, n, &scan);
		return;
	}
	r->n += n;
	add_powers(r, x, n, &scan);
}

/* Sums of powers about the pivot become those about the mean. */
static void central(const struct float_run *r, struct moments *m)
{
	double n = (double)r->n, p = r->pivot, p2 = r->p2, p3 = r->p3, p4 = r->p4;
	struct dd rest = dd_add(r->sum, dd_neg(dd_product(n, p))); /* of x - pivot */
	double off = rest.hi / n, sum = rest.hi;

	m->m2 = dd_sum(p2, -sum * off);
	if (m->m2.hi < 0)
		m->m2 = (struct dd){0, 0};
	m->m3 = dd_sum(p3, off * (2 * sum * off - 3 * p2));
	m->m4 = dd_sum(p4, off * (6 * off * p2 - 4 * p3 - 3 * sum * off * off));
	/* x = (x - p) + p: the squares add up to p2 + 2 p (sum of x - p) + n p p */
	m->sumsq = dd_add_double(dd_mul(dd_add(rest, r->sum), (struct dd){p, 0}), p2);
}

bool float_run_end(const struct float_run *r, struct moments *m)
{
	moments_init(m);
	m->count = r->n;
	if (r->n == 0)
		return !r->not_finite;
	if (r->not_finite || !pivot_fits(r, 2))
		return false;
	m->zero = r->zero;
	m->min = r->min;
	m->max = r->max;
	m->sum = r->sum;
	m->l1 = (struct dd){r->l1, 0};
	central(r, m);
	return true;
}

/* ---- pairs ---- */

static void diff_rest(struct float_diff_lanes *v, const float *a, const float *b, size_t n)
{
	for (size_t l = 0; l < n; l++) {
		double x = a[l], y = b[l], d = fabs(y - x);

		v->max[l] = d > v->max[l] ? d : v->max[l];
		v->changed[l] += d != 0;
		v->flips[l] += x * y < 0;
		v->abs_d[l] += d;
		v->dd[l] += d * d;
		v->ab[l] += x * y;
	}
}

static inline double distance(const float *a, const float *b, size_t i)
{
	return fabs((double)b[i] - (double)a[i]);
}

/* The first element whose distance is d; there is one. By rows, of which a compiler makes vectors. */
static size_t first_at(const float *a, const float *b, size_t n, double d)
{
	size_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		int hit = 0;

		for (size_t l = 0; l < LANES; l++)
			hit |= distance(a, b, i + l) == d;
		if (hit)
			break;
	}
	while (distance(a, b, i) != d)
		i++;
	return i;
}

static void add_diffs(struct float_pair_run *p, const struct float_diff_lanes *v, size_t n)
{
	p->abs_d += lanes_add(v->abs_d);
	p->dd += lanes_add(v->dd);
	p->ab += lanes_add(v->ab);
	p->n += n;
}

void float_pair_add(struct float_pair_run *p, const float *a, const float *b, size_t n)
{
	size_t rows = n / LANES, rest = rows * LANES;
	struct float_diff_lanes v;
	double max;

	kern->floats->diffs(&v, a, b, rows);
	diff_rest(&v, a + rest, b + rest, n % LANES);
	max = lanes_max(v.max);
	if (max > p->max_abs) {
		p->max_abs = max;
		p->max_at = p->n + first_at(a, b, n, max);
	}
	for (size_t l = 0; l < LANES; l++) {
		p->changed += (uint64_t)v.changed[l];
		p->sign_flips += (uint64_t)v.flips[l];
	}
	add_diffs(p, &v, n);
}

void float_pair_end(const struct float_pair_run *p, const struct moments *a, const struct moments *b, uint64_t first,
		    struct pairsum *out)
{
	pair_init(out);
	if (!p->n)
		return;
	out->count = out->n = p->n;
	out->changed = p->changed;
	out->sign_flips = p->sign_flips;
	out->max_abs = p->max_abs;
	out->max_abs_index = first + p->max_at;
	out->d = dd_add(b->sum, dd_neg(a->sum));
	out->abs_d = (struct dd){p->abs_d, 0};
	out->dd = (struct dd){p->dd, 0};
	out->ab = (struct dd){p->ab, 0};
	out->aa = a->sumsq;
	out->bb = b->sumsq;
}

/* ---- 16-bit floats as they are ---- */

static bool half_of(enum dtype t, enum half *kind)
{
	*kind = t == DT_BF16 ? HALF_BF16 : HALF_F16;
	return t == DT_BF16 || t == DT_F16;
}

static bool half_fits(const struct float_run *r, size_t n)
{
	return kern->halves && r->n && r->pivot == 0 && n % LANES == 0;
}

static uint32_t float_bits(enum dtype t, uint16_t code)
{
	const uint8_t raw[2] = {(uint8_t)code, (uint8_t)(code >> 8)};
	uint32_t bits;
	float x;

	kern_floats(&x, t, raw, 1);
	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/* A key of codes is made as one of floats is; its own inverse, too. */
static int32_t widen_key(enum dtype t, int16_t key)
{
	return float_key((int32_t)float_bits(t, (uint16_t)(key ^ (key >> 15 & INT16_MAX))));
}

static void scan_halves(struct float_scan *out, enum dtype t, const uint8_t *raw, size_t n)
{
	struct half_scan s;

	kern->halves->scan(&s, raw, n);
	*out = (struct float_scan){
		.top = float_bits(t, s.top) << 1, .low = UINT32_MAX, .zero = s.zero,
		.min = widen_key(t, s.min), .max = widen_key(t, s.max),
	};
	if (s.low != UINT16_MAX)
		out->low = (float_bits(t, (uint16_t)(s.low + 1)) << 1) - 1;
}

/* The block's part of a run whose pivot is 0. */
static void half_powers(struct float_run *r, enum dtype t, enum half kind, const uint8_t *raw, size_t n)
{
	struct float_scan scan;
	struct float_lanes v;
	float x[BLOCK];

	scan_halves(&scan, t, raw, n);
	if (!add_scan(r, &scan))
		return;
	r->n += n;
	kern->halves->powers[kind](&v, raw, n / LANES);
	if (adds_exactly(&scan)) {
		add_lanes(r, &v, lanes_add_exactly(v.s));
		return;
	}
	kern_floats(x, t, raw, n);
	add_lanes(r, &v, careful_sum(x, n));
}

bool half_run_add(struct float_run *r, enum dtype t, const uint8_t *raw, size_t n)
{
	enum half kind;

	if (!half_of(t, &kind) || !half_fits(r, n))
		return false;
	if (!r->not_finite)
		half_powers(r, t, kind, raw, n);
	return true;
}

static size_t first_half_at(enum dtype t, const uint8_t *a, const uint8_t *b, size_t n, double d)
{
	float x[BLOCK], y[BLOCK];

	kern_floats(x, t, a, n);
	kern_floats(y, t, b, n);
	return first_at(x, y, n, d);
}

bool half_pair_add(struct float_run r[2], struct float_pair_run *p, enum dtype t, const uint8_t *a, const uint8_t *b,
		   size_t n)
{
	struct float_diff_lanes v;
	uint16_t changed, flips;
	enum half kind;
	double max;

	if (!half_of(t, &kind) || !half_fits(&r[0], n) || !half_fits(&r[1], n))
		return false;
	half_powers(&r[0], t, kind, a, n);
	half_powers(&r[1], t, kind, b, n);
	if (r[0].not_finite || r[1].not_finite)
		return true;
	kern->halves->compare(&changed, &flips, a, b, n);
	kern->halves->diffs[kind](&v, a, b, n / LANES);
	max = lanes_max(v.max);
	if (max > p->max_abs) {
		p->max_abs = max;
		p->max_at = p->n + first_half_at(t, a, b, n, max);
	}
	p->changed += changed;
	p->sign_flips += flips;
	add_diffs(p, &v, n);
	return true;
}
