/*
 * One block of at most BLOCK elements, the parts that every kernel table shares. A kernel runs over its lanes in
 * its own way and takes these for what is rare (values that are not finite, or need a scale) and for what comes
 * after (adding up the lanes): so all tables end in the same bits.
 */
#ifndef NUM_BLOCK_H
#define NUM_BLOCK_H

#include "num/pair.h"

enum { LANES = 16 };

/* Sums of one lane each; c is what the additions to s rounded off. bad is not 0 once a value was not finite. */
struct moment_lanes {
	double bad[LANES], min[LANES], max[LANES], zero[LANES];
	double s[LANES], c[LANES], l1[LANES], sumsq[LANES];
};

struct power_lanes {
	double p2[LANES], p3[LANES], p4[LANES]; /* of x - pivot */
};

struct pair_lanes {
	double bad[LANES], changed[LANES], flips[LANES];
	double max_a[LANES], max_b[LANES], max_d[LANES]; /* magnitudes */
	double s[LANES], c[LANES], abs_d[LANES], dd[LANES], aa[LANES], bb[LANES], ab[LANES];
};

/* The loops of a kernel: element i goes to lane i mod LANES, lanes in order. They clear the lanes first. */
struct block_loops {
	void (*moments)(struct moment_lanes *, const double *x, size_t n);
	void (*powers)(struct power_lanes *, const double *x, double pivot, size_t n);
	void (*pair)(struct pair_lanes *, const double *a, const double *b, size_t n);
};

/* What the lanes come to, always in the same pairs; without rounding but for the last bits of 106. */
double lanes_add(const double v[LANES]);
struct dd lanes_add_exactly(const double s[LANES]);
double lanes_max(const double v[LANES]);

void block_moments(struct moments *, const struct block_loops *, const double *x, size_t n);
void block_pair(struct pairsum *, const struct block_loops *, const double *a, const double *b, uint64_t first,
		size_t n);

/* As pair_add_given and pair_add_complex, into a fresh sum; in plain C for every table. */
void block_pair_given(struct pairsum *, const double *a, const double *b, const double *d, const bool *same,
		      uint64_t first, size_t n);
void block_pair_complex(struct pairsum *, const double *a, const double *b, uint64_t first, size_t n);

#endif
