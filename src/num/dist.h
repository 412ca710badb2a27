/*
 * The distribution: counts from which quantiles, distinct and entropy come. Types of at most 16 bits are counted by
 * their stored code, exactly; wider ones by the sign, the exponent and the upper 8 bits of the fraction of their
 * value (bins 0.39 % wide, so that a quantile, taken inside its bin, is within 0.4 % of the value). Counts are
 * integers: merging them in any order gives the same. Memory is bounded: 512 KiB for codes; pages of 2 KiB for each
 * sign and binary exponent that occurs.
 */
#ifndef NUM_DIST_H
#define NUM_DIST_H

#include "model/dtype.h"
#include "num/stats.h"

struct dist;

struct dist *dist_new(enum dtype);      /* counts elements of this type */
struct dist *dist_new_values(void);     /* counts plain values: |B - A| */

/* n elements: raw is their packed bytes, values their decoded doubles (magnitudes for complex types). */
void dist_add(struct dist *, const uint8_t *raw, const double *values, size_t n);
/* The same of values that are floats: of every type that has a decoder to float. */
void dist_add_floats(struct dist *, const uint8_t *raw, const float *values, size_t n);

/* |b - a| of n finite floats; n times 0. */
void dist_add_distances(struct dist *, const float *a, const float *b, size_t n);
void dist_add_zeros(struct dist *, uint64_t n);
void dist_merge(struct dist *, const struct dist *); /* adds the counts */
void dist_clear(struct dist *);                      /* back to no element, memory kept */

/* The quantile at p (0 to 1) of the finite elements, within [min, max], their extremes or bounds; NAN when there is
 * none. */
double dist_quantile(const struct dist *, double p, double min, double max);

/* How many finite elements were counted in bins; 0 where they were counted by their codes, exactly. */
uint64_t dist_values(const struct dist *);

/* The bin of the k-th smallest of them, from 0: a value within it, how many of the upper bits of a double its values
 * share with that (0: it is zero), how many elements share them, and its rank among these. */
struct dist_place {
	double within;
	unsigned bits;
	uint64_t count, rank;
};
void dist_locate(const struct dist *, uint64_t k, struct dist_place *);

/* Low bits that are 0 in all of them, as doubles: 29 in those that are floats. */
unsigned dist_spare_bits(const struct dist *);

/* Fills q, distinct and entropy of stats whose min and max are set. */
void dist_stats(const struct dist *, struct stats *);
void dist_free(struct dist *); /* NULL is fine */

#endif
