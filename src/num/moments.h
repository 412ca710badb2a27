/*
 * Moments of real numbers, to be merged: what a part of a tensor leaves behind, whatever its size.
 *
 * Blocks of BLOCK elements are summed in 16 lanes (element i goes to lane i mod 16, lanes are added pairwise),
 * central powers are taken about the block's own mean, and blocks and parts are merged in order (Chan, Golub and
 * LeVeque 1979; Pebay 2008), the mean and the sums in double-double. So the result depends on the elements alone,
 * and a mean far above the standard deviation costs no digits.
 */
#ifndef NUM_MOMENTS_H
#define NUM_MOMENTS_H

#include "num/stats.h"

enum { BLOCK = 4096 };

struct dd { /* an unevaluated sum hi + lo, |lo| <= ulp(hi) / 2 */
	double hi, lo;
};

struct moments {
	uint64_t count, nan, inf, zero; /* count is all elements; the rest of this struct is over finite ones */
	double min, max;                /* +INFINITY and -INFINITY when there is none */
	struct dd sum, l1, sumsq;       /* of x, |x| and x*x; of x / 2^scale */
	struct dd m2, m3, m4;           /* sums of powers of x / 2^scale - mean */
	int scale;                      /* 0 unless |x| is so large or small that a fourth power leaves the range */
};

void moments_init(struct moments *);
void moments_add(struct moments *, const double *x, size_t n); /* the next n elements, n <= BLOCK */
void moments_merge(struct moments *, const struct moments *next);
void moments_stats(const struct moments *, struct stats *); /* sets all but the distribution, which it marks absent */

#endif
