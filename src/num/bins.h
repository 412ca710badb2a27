/*
 * A histogram, exact: bin i holds edge(i) <= x < edge(i + 1), the last one also x = hi. Bins are of equal width,
 * edge(i) = lo + i*w; or of equal width in asinh(x / knee), which beyond the knee on either side of 0 is nearly a
 * logarithm.
 */
#ifndef NUM_BINS_H
#define NUM_BINS_H

#include "base/util.h"

struct bins {
	double lo, hi;
	unsigned n;
	double *edges;               /* NULL: of equal width; else n + 1 of them, owned */
	uint64_t *counts;            /* n of them, owned */
	uint64_t below, above, left; /* finite elements outside [lo, hi]; elements that are not finite */
};

void bins_init(struct bins *, double lo, double hi, unsigned n); /* lo <= hi; lo == hi is widened around the value */
void bins_init_log(struct bins *, double lo, double hi, unsigned n, double knee); /* lo <= hi; knee > 0 */
void bins_add(struct bins *, const double *x, size_t n);
void bins_merge(struct bins *, const struct bins *); /* of the same edges */
void bins_copy(struct bins *to, const struct bins *from); /* what `to` was (zeroed or a histogram) is freed */
void bins_clear(struct bins *);                      /* back to no element */
double bins_edge(const struct bins *, unsigned i);   /* 0 <= i <= n */
void bins_free(struct bins *);

#endif
