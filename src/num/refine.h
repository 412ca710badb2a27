/*
 * Exact quantiles of what was only counted in bins (num/dist.h): the bin that holds an order statistic is known. Where
 * all these bins together hold few elements, one more pass gathers them; else each pass tells 15 more bits: floats are
 * known after one pass in any case, doubles after three at most. Memory does not grow with the elements: 256 KiB, or
 * that for each order statistic in a crowded bin of its own, while a pass goes on; between passes next to nothing.
 */
#ifndef NUM_REFINE_H
#define NUM_REFINE_H

#include "num/dist.h"

struct refine;

/* For the quantiles at p[0], ..., p[n - 1] of the finite elements that were counted; NULL where counting them was exact
 * already, or there were none. It does not keep the dist. */
struct refine *refine_new(const struct dist *, const double *p, size_t n);
/* One that looks for the same, with nothing counted, for a thread; not to be used once the first one went on. */
struct refine *refine_like(const struct refine *);
void refine_free(struct refine *);                 /* NULL is fine */

/* One pass: every element, in any order; what is not finite is left out, as it was before. */
void refine_add(struct refine *, const double *x, size_t n);
void refine_merge(struct refine *, const struct refine *more);

/* After a pass: takes over what it told, and returns whether another one is needed. */
bool refine_next(struct refine *);
bool refine_done(const struct refine *);

/* The i-th quantile, as NumPy's method "linear" has it; NAN unless refine_done. */
double refine_quantile(const struct refine *, size_t i);

#endif
