#include "num/block.h"

#include "num/dd.h"

/* ---- adding up the lanes: always in the same pairs ---- */

double lanes_add(const double v[LANES])
{
	double t[LANES / 2];

	for (size_t i = 0; i < LANES / 2; i++)
		t[i] = v[i] + v[i + LANES / 2];
	for (size_t half = LANES / 4; half; half /= 2)
		for (size_t i = 0; i < half; i++)
			t[i] += t[i + half];
	return t[0];
}

static struct dd lanes_add_dd(const double s[LANES], const double c[LANES])
{
	struct dd t[LANES];

	for (size_t i = 0; i < LANES; i++)
		t[i] = dd_sum(s[i], c[i]);
	for (size_t half = LANES / 2; half; half /= 2)
		for (size_t i = 0; i < half; i++)
			t[i] = dd_add(t[i], t[i + half]);
	return t[0];
}

struct dd lanes_add_exactly(const double s[LANES])
{
	static const double nothing[LANES];

	return lanes_add_dd(s, nothing);
}

static struct dd lanes_sum(const double v[LANES])
{
	return (struct dd){lanes_add(v), 0};
}

static double lanes_min(const double v[LANES])
{
	double m = v[0];

	for (size_t i = 1; i < LANES; i++)
		m = v[i] < m ? v[i] : m;
	return m;
}

double lanes_max(const double v[LANES])
{
	double m = v[0];

	for (size_t i = 1; i < LANES; i++)
		m = v[i] > m ? v[i] : m;
	return m;
}

/* ---- moments ---- */

static size_t keep_finite(struct moments *m, double *out, const double *x, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		m->nan += isnan(x[i]) != 0;
		m->inf += isinf(x[i]) != 0;
		if (isfinite(x[i]))
			out[k++] = x[i];
	}
	return k;
}

/* From powers about the pivot, which is the mean but for its rounding, to powers about the mean. */
static void central(struct moments *m, const struct power_lanes *p, double pivot, size_t n)
{
	struct dd rest = dd_add(m->sum, dd_neg(dd_product((double)n, pivot)));
	double off = rest.hi / (double)n, sum = (double)n * off;
	double p2 = lanes_add(p->p2), p3 = lanes_add(p->p3), p4 = lanes_add(p->p4);

	m->m2 = dd_sum(p2, -sum * off);
	if (m->m2.hi < 0)
		m->m2 = (struct dd){0, 0};
	m->m3 = dd_sum(p3, off * (2 * sum * off - 3 * p2));
	m->m4 = dd_sum(p4, off * (6 * off * p2 - 4 * p3 - 3 * sum * off * off));
}

void block_moments(struct moments *m, const struct block_loops *loops, const double *x, size_t n)
{
	double kept[BLOCK], pivot;
	struct moment_lanes v;
	struct power_lanes p;

	moments_init(m);
	m->count = n;
	loops->moments(&v, x, n);
	if (lanes_add(v.bad) != 0) { /* or NaN */
		n = keep_finite(m, kept, x, n);
		x = kept;
		loops->moments(&v, x, n);
	}
	if (!n)
		return;
	m->min = lanes_min(v.min);
	m->max = lanes_max(v.max);
	m->zero = (uint64_t)lanes_add(v.zero);
	m->scale = scale_for(fmax(fabs(m->min), fabs(m->max)));
	if (m->scale) {
		for (size_t i = 0; i < n; i++)
			kept[i] = ldexp(x[i], -m->scale);
		x = kept;
		loops->moments(&v, x, n);
	}
	m->sum = lanes_add_dd(v.s, v.c);
	m->l1 = lanes_sum(v.l1);
	m->sumsq = lanes_sum(v.sumsq);
	pivot = dd_div_count(m->sum, n).hi;
	loops->powers(&p, x, pivot, n);
	central(m, &p, pivot, n);
}

/* ---- pairs of finite values of common size: the fast loops say all ---- */

static void take_sums(struct pairsum *p, const struct pair_lanes *v)
{
	p->d = lanes_add_dd(v->s, v->c);
	p->abs_d = lanes_sum(v->abs_d);
	p->dd = lanes_sum(v->dd);
	p->aa = lanes_sum(v->aa);
	p->bb = lanes_sum(v->bb);
	p->ab = lanes_sum(v->ab);
}

static size_t first_at(const double *a, const double *b, double d)
{
	size_t i = 0;

	while (fabs(b[i] - a[i]) != d)
		i++;
	return i;
}

/* ---- all other pairs: gathered in short runs (stacks are small in places), scaled, then summed ---- */

enum { RUN = 1024 };

struct run {
	double a[RUN], b[RUN], d[RUN]; /* elements finite on both sides: n * width of a and b, n of d */
	uint16_t at[RUN];              /* which element of the run it was */
	size_t n;
	unsigned width;                /* 2 for complex numbers */
};

static bool equal(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static double distance(const double *a, const double *b, unsigned width, double by)
{
	double d = by * b[0] - by * a[0];

	return width == 1 ? d : hypot(d, by * b[1] - by * a[1]);
}

static void gather(struct run *r, struct pairsum *p, const double *a, const double *b, const double *d,
		   const bool *same, size_t n)
{
	unsigned width = r->width;

	for (size_t i = 0; i < n; i++, a += width, b += width) {
		bool eq = true, nan_a = false, nan_b = false, finite = true;

		for (unsigned w = 0; w < width; w++) {
			eq = eq && equal(a[w], b[w]);
			nan_a = nan_a || isnan(a[w]);
			nan_b = nan_b || isnan(b[w]);
			finite = finite && isfinite(a[w]) && isfinite(b[w]);
			r->a[r->n * width + w] = a[w];
			r->b[r->n * width + w] = b[w];
		}
		p->changed += same ? !same[i] : !eq;
		p->nan_mismatch += nan_a != nan_b;
		p->sign_flips += finite && width == 1 && ((*a < 0 && *b > 0) || (*a > 0 && *b < 0));
		r->d[r->n] = d ? d[i] : distance(a, b, width, 1);
		r->at[r->n] = (uint16_t)i;
		r->n += finite;
	}
}

static double largest(const double *x, size_t n, size_t *at)
{
	double m = -1;

	for (size_t i = 0; i < n; i++)
		if (fabs(x[i]) > m) {
			m = fabs(x[i]);
			*at = i;
		}
	return m;
}

static int scale_down(double *x, size_t n)
{
	size_t at;
	int scale = scale_for(largest(x, n, &at));

	for (size_t i = 0; scale && i < n; i++)
		x[i] = ldexp(x[i], -scale);
	return scale;
}

static void sum_run(struct pairsum *p, const struct run *r)
{
	struct pair_lanes v = {.s = {0}};

	for (size_t i = 0; i < r->n; i++) {
		size_t l = i % LANES;
		struct dd s = dd_sum(v.s[l], r->d[i]);

		v.s[l] = s.hi;
		v.c[l] += s.lo;
		v.abs_d[l] += fabs(r->d[i]);
		v.dd[l] += r->d[i] * r->d[i];
	}
	for (size_t i = 0; i < r->n * r->width; i++) {
		v.aa[i % LANES] += r->a[i] * r->a[i];
		v.bb[i % LANES] += r->b[i] * r->b[i];
		v.ab[i % LANES] += r->a[i] * r->b[i];
	}
	take_sums(p, &v);
}

/* d and same may be NULL: they are then what a and b say. */
static void pair_run(struct pairsum *p, const double *a, const double *b, const double *d, const bool *same,
		     unsigned width, uint64_t first, size_t n)
{
	struct run r;
	size_t at = 0;
	int halved = 0;

	r.n = 0;
	r.width = width;
	gather(&r, p, a, b, d, same, n);
	p->count = n;
	p->n = r.n;
	p->max_abs = largest(r.d, r.n, &at);
	if (!r.n)
		return;
	p->max_abs_index = first + r.at[at];
	if (isinf(p->max_abs)) { /* finite values whose distance is beyond a double */
		halved = 1;
		for (size_t i = 0; i < r.n; i++)
			r.d[i] = distance(r.a + i * width, r.b + i * width, width, 0.5);
	}
	p->scale_a = scale_down(r.a, r.n * width);
	p->scale_b = scale_down(r.b, r.n * width);
	p->scale_d = scale_down(r.d, r.n) + halved;
	sum_run(p, &r);
}

static void pair_runs(struct pairsum *p, const double *a, const double *b, const double *d, const bool *same,
		      unsigned width, uint64_t first, size_t n)
{
	size_t step = RUN / width;

	pair_init(p);
	for (size_t i = 0; i < n; i += step) {
		struct pairsum q;

		pair_init(&q);
		pair_run(&q, a + i * width, b + i * width, d ? d + i : NULL, same ? same + i : NULL, width, first + i,
			 n - i < step ? n - i : step);
		pair_merge(p, &q);
	}
}

void block_pair_given(struct pairsum *p, const double *a, const double *b, const double *d, const bool *same,
		      uint64_t first, size_t n)
{
	pair_runs(p, a, b, d, same, 1, first, n);
}

void block_pair_complex(struct pairsum *p, const double *a, const double *b, uint64_t first, size_t n)
{
	pair_runs(p, a, b, NULL, NULL, 2, first, n);
}

void block_pair(struct pairsum *p, const struct block_loops *loops, const double *a, const double *b, uint64_t first,
		size_t n)
{
	struct pair_lanes v;
	double max_a, max_b, max_d;

	pair_init(p);
	if (!n)
		return;
	loops->pair(&v, a, b, n);
	max_a = lanes_max(v.max_a);
	max_b = lanes_max(v.max_b);
	max_d = lanes_max(v.max_d);
	if (lanes_add(v.bad) != 0 || isinf(max_d) || scale_for(max_a) || scale_for(max_b) || scale_for(max_d)) {
		pair_runs(p, a, b, NULL, NULL, 1, first, n);
		return;
	}
	p->count = p->n = n;
	p->changed = (uint64_t)lanes_add(v.changed);
	p->sign_flips = (uint64_t)lanes_add(v.flips);
	p->max_abs = max_d;
	p->max_abs_index = first + first_at(a, b, max_d);
	take_sums(p, &v);
}
