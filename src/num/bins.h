/* A histogram over bins of equal width, exact: bin i holds lo + i*w <= x < lo + (i+1)*w, the last one also x = hi. */
#ifndef NUM_BINS_H
#define NUM_BINS_H

#include "base/util.h"

struct bins {
	double lo, hi;
	unsigned n;
	uint64_t *counts;            /* n of them, owned */
	uint64_t below, above, left; /* finite elements outside [lo, hi]; elements that are not finite */
};

void bins_init(struct bins *, double lo, double hi, unsigned n); /* lo <= hi; lo == hi is widened around the value */
void bins_add(struct bins *, const double *x, size_t n);
void bins_merge(struct bins *, const struct bins *); /* of the same lo, hi and n */
double bins_edge(const struct bins *, unsigned i);   /* 0 <= i <= n */
void bins_free(struct bins *);

#endif
