/*
 * The double loops of num/block.h, in plain C: kern_loops.h includes it once for each table.
 */
#ifndef NUM_KERN_DOUBLES_H
#define NUM_KERN_DOUBLES_H

#include <math.h>
#include <string.h>

#include "num/block.h"

/*
 * Rows of LANES elements; a compiler makes vectors of them. The last, shorter row goes through the same
 * function. x - x is 0 for finite x, else NaN; s and c are Knuth's two-sum.
 */
static inline void moment_row(struct moment_lanes *v, const double *x, size_t k)
{
	for (size_t l = 0; l < k; l++) {
		double y = x[l], old = v->s[l], s = old + y, t = s - old;

		v->s[l] = s;
		v->c[l] += (old - (s - t)) + (y - t);
		v->l1[l] += fabs(y);
		v->sumsq[l] += y * y;
		v->bad[l] += y - y;
		v->zero[l] += y == 0 ? 1.0 : 0.0;
		v->min[l] = y < v->min[l] ? y : v->min[l];
		v->max[l] = y > v->max[l] ? y : v->max[l];
	}
}

static void moment_lanes(struct moment_lanes *out, const double *x, size_t n)
{
	struct moment_lanes v;

	memset(&v, 0, sizeof(v));
	for (size_t l = 0; l < LANES; l++) {
		v.min[l] = INFINITY;
		v.max[l] = -INFINITY;
	}
	for (; n >= LANES; n -= LANES, x += LANES)
		moment_row(&v, x, LANES);
	moment_row(&v, x, n);
	*out = v;
}

static inline void power_row(struct power_lanes *v, const double *x, double pivot, size_t k)
{
	for (size_t l = 0; l < k; l++) {
		double y = x[l] - pivot, y2 = y * y;

		v->p2[l] += y2;
		v->p3[l] += y2 * y;
		v->p4[l] += y2 * y2;
	}
}

static void power_lanes(struct power_lanes *out, const double *x, double pivot, size_t n)
{
	struct power_lanes v;

	memset(&v, 0, sizeof(v));
	for (; n >= LANES; n -= LANES, x += LANES)
		power_row(&v, x, pivot, LANES);
	power_row(&v, x, pivot, n);
	*out = v;
}

static inline double larger(double x, double y)
{
	return x > y ? x : y;
}

static inline void pair_row(struct pair_lanes *v, const double *a, const double *b, size_t k)
{
	for (size_t l = 0; l < k; l++) {
		double x = a[l], y = b[l], d = y - x, old = v->s[l], s = old + d, t = s - old;
		double low = x < y ? x : y, high = x < y ? y : x;

		v->s[l] = s;
		v->c[l] += (old - (s - t)) + (d - t);
		v->abs_d[l] += fabs(d);
		v->dd[l] += d * d;
		v->aa[l] += x * x;
		v->bb[l] += y * y;
		v->ab[l] += x * y;
		v->max_a[l] = larger(fabs(x), v->max_a[l]);
		v->max_b[l] = larger(fabs(y), v->max_b[l]);
		v->max_d[l] = larger(fabs(d), v->max_d[l]);
		v->bad[l] += (x - x) + (y - y);
		v->changed[l] += x != y ? 1.0 : 0.0;
		v->flips[l] += (low < 0 ? 1.0 : 0.0) * (high > 0 ? 1.0 : 0.0);
	}
}

static void pair_lanes(struct pair_lanes *out, const double *a, const double *b, size_t n)
{
	struct pair_lanes v;

	memset(&v, 0, sizeof(v));
	for (; n >= LANES; n -= LANES, a += LANES, b += LANES)
		pair_row(&v, a, b, LANES);
	pair_row(&v, a, b, n);
	*out = v;
}

static const struct block_loops double_loops = {moment_lanes, power_lanes, pair_lanes};

static void moments(struct moments *m, const double *x, size_t n)
{
	block_moments(m, &double_loops, x, n);
}

static void pair(struct pairsum *p, const double *a, const double *b, uint64_t first, size_t n)
{
	block_pair(p, &double_loops, a, b, first, n);
}

#endif
