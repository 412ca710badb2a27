#include "num/moments.h"

#include "num/dd.h"
#include "num/kern.h"

void moments_init(struct moments *m)
{
	*m = (struct moments){.min = INFINITY, .max = -INFINITY};
}

void moments_add(struct moments *m, const double *x, size_t n)
{
	struct moments block;

	kern->moments(&block, x, n);
	moments_merge(m, &block);
}

static uint64_t numbers_in(const struct moments *m)
{
	return m->count - m->nan - m->inf;
}

static void rescale(struct moments *m, int scale)
{
	int down = m->scale - scale;

	m->sum = dd_ldexp(m->sum, down);
	m->l1 = dd_ldexp(m->l1, down);
	m->sumsq = dd_ldexp(m->sumsq, 2 * down);
	m->m2 = dd_ldexp(m->m2, 2 * down);
	m->m3 = dd_ldexp(m->m3, 3 * down);
	m->m4 = dd_ldexp(m->m4, 4 * down);
	m->scale = scale;
}

/* A larger scale means larger values: beside them, what the other side loses does not count. Zeros fit any scale. */
static void align(struct moments *a, struct moments *b)
{
	if (a->scale == b->scale)
		return;
	if (a->l1.hi == 0 || (b->l1.hi != 0 && a->scale < b->scale))
		rescale(a, b->scale);
	else
		rescale(b, a->scale);
}

static struct dd times(struct dd x, double by)
{
	return dd_mul(x, (struct dd){by, 0});
}

/* Powers about the common mean (Pebay 2008, equations 2.1 and 3.1 for two sets). */
static void merge_powers(struct moments *a, const struct moments *b)
{
	double na = (double)numbers_in(a), nb = (double)numbers_in(b), n = na + nb;
	double fa = na / n, fb = nb / n; /* the two shares */
	struct dd mean_a = dd_div_count(a->sum, numbers_in(a)), mean_b = dd_div_count(b->sum, numbers_in(b));
	double delta = dd_add(mean_b, dd_neg(mean_a)).hi, delta2 = delta * delta;
	double between = delta2 * na * fb; /* what the distance of the means adds to m2 */
	struct dd m3 = dd_add(times(b->m2, fa), dd_neg(times(a->m2, fb)));
	struct dd m4 = dd_add(times(b->m2, fa * fa), times(a->m2, fb * fb));
	struct dd m4_odd = dd_add(times(b->m3, fa), dd_neg(times(a->m3, fb)));

	m3 = dd_add_double(times(m3, 3 * delta), between * delta * (fa - fb));
	m4 = dd_add_double(times(m4, 6 * delta2), between * delta2 * (fa * fa - fa * fb + fb * fb));
	m4 = dd_add(m4, times(m4_odd, 4 * delta));
	a->m4 = dd_add(dd_add(a->m4, b->m4), m4);
	a->m3 = dd_add(dd_add(a->m3, b->m3), m3);
	a->m2 = dd_add_double(dd_add(a->m2, b->m2), between);
}

void moments_merge(struct moments *m, const struct moments *next)
{
	struct moments b = *next;

	if (numbers_in(&b) && numbers_in(m)) {
		align(m, &b);
		merge_powers(m, &b);
		m->sum = dd_add(m->sum, b.sum);
		m->l1 = dd_add(m->l1, b.l1);
		m->sumsq = dd_add(m->sumsq, b.sumsq);
	} else if (numbers_in(&b)) {
		m->sum = b.sum;
		m->l1 = b.l1;
		m->sumsq = b.sumsq;
		m->m2 = b.m2;
		m->m3 = b.m3;
		m->m4 = b.m4;
		m->scale = b.scale;
	}
	m->min = b.min < m->min ? b.min : m->min;
	m->max = b.max > m->max ? b.max : m->max;
	m->count += b.count;
	m->nan += b.nan;
	m->inf += b.inf;
	m->zero += b.zero;
}

/* Back to the values' own scale; NAN for what leaves the range of a double. */
static double unscaled(double x, int scale)
{
	x = ldexp(x, scale);
	return isfinite(x) ? x : NAN;
}

static void shape_stats(const struct moments *m, struct stats *s)
{
	struct dd n = {(double)numbers_in(m), 0}, m2 = m->m2, ratio;

	/* the mean of equal values is exact, but their m2 need not be exactly 0 */
	if (m->min == m->max) {
		s->std = 0;
		return;
	}
	s->std = unscaled(sqrt(fmax(m2.hi / n.hi, 0)), m->scale);
	if (!(m2.hi > 0))
		return;
	s->skewness = m->m3.hi / m2.hi * sqrt(n.hi / m2.hi);
	ratio = dd_mul(dd_div(m->m4, m2), dd_div(n, m2));
	s->kurtosis = dd_add_double(ratio, -3).hi;
}

void moments_stats(const struct moments *m, struct stats *s)
{
	uint64_t n = numbers_in(m);

	*s = (struct stats){
		.count = m->count, .nan = m->nan, .inf = m->inf, .zero = m->zero,
		.min = NAN, .max = NAN, .absmax = NAN, .mean = NAN, .std = NAN, .rms = NAN, .l1 = NAN, .l2 = NAN,
		.skewness = NAN, .kurtosis = NAN, .distinct = NAN, .entropy = NAN,
	};
	for (size_t i = 0; i < Q_COUNT; i++)
		s->q[i] = NAN;
	if (!n)
		return;
	s->min = m->min + 0.0; /* -0 becomes 0 */
	s->max = m->max + 0.0;
	s->absmax = fmax(fabs(m->min), fabs(m->max));
	s->mean = unscaled(dd_div_count(m->sum, n).hi, m->scale) + 0.0;
	s->rms = unscaled(sqrt(dd_div_count(m->sumsq, n).hi), m->scale);
	s->l1 = unscaled(m->l1.hi, m->scale);
	s->l2 = unscaled(sqrt(m->sumsq.hi), m->scale);
	shape_stats(m, s);
}
