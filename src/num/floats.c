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

static void add_powers(struct float_run *r, const float *x, size_t n, const struct float_scan *scan)
{
	size_t rows = n / LANES;
	struct float_lanes v;

	kern->floats->powers(&v, x, rows, r->pivot);
	add_rest(&v, x + rows * LANES, n % LANES, r->pivot);
	r->sum = dd_add(r->sum, adds_exactly(scan) ? lanes_add_exactly(v.s) : careful_sum(x, n));
	r->l1 += lanes_add(v.l1);
	r->p2 += lanes_add(v.p2);
	r->p3 += lanes_add(v.p3);
	r->p4 += lanes_add(v.p4);
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

void float_run_add(struct float_run *r, const float *x, size_t n)
{
	struct float_scan scan;
	float min, max;

	if (r->not_finite || !n)
		return;
	kern->floats->scan(&scan, x, n);
	if (scan.top >= 0xff000000u) {
		r->not_finite = true;
		return;
	}
	min = float_of_key(scan.min);
	max = float_of_key(scan.max);
	r->zero += scan.zero;
	if (r->n == 0) {
		r->min = min;
		r->max = max;
		first_block(r, x, n, &scan);
		return;
	}
	r->min = min < r->min ? min : r->min;
	r->max = max > r->max ? max : r->max;
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
	p->abs_d += lanes_add(v.abs_d);
	p->dd += lanes_add(v.dd);
	p->ab += lanes_add(v.ab);
	p->n += n;
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
