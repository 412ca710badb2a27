/* Sums over the elements of two equally long runs, to be merged in order as in num/moments.h. */
#ifndef NUM_PAIR_H
#define NUM_PAIR_H

#include "num/moments.h"

struct pairsum {
	uint64_t count, changed, sign_flips, nan_mismatch;
	uint64_t n;              /* elements finite in both */
	double max_abs;          /* of d; -1 when n is 0 */
	uint64_t max_abs_index;  /* the first element that reaches it; of no meaning while max_abs is 0 */
	struct dd d, abs_d;      /* sums of d and |d| */
	struct dd dd, aa, bb, ab; /* sums of d*d, a*a, b*b, a*b */
	int scale_a, scale_b, scale_d; /* in these sums a, b and d are divided by 2^scale_a and so on first */
};

void pair_init(struct pairsum *);

/* The next n <= BLOCK elements, which stand at index `first` and on. -0 equals +0 and NaN equals NaN. */
void pair_add(struct pairsum *, const double *a, const double *b, uint64_t first, size_t n);

/* The same where d and the equality of each element are given: 64-bit integers, whose doubles hide a difference. */
void pair_add_given(struct pairsum *, const double *a, const double *b, const double *d, const bool *same,
		    uint64_t first, size_t n);

/* The next n elements are complex: a and b hold n real and imaginary parts in turns. d is the magnitude |B - A|,
 * a*b the real part of a times conj(b); sign_flips counts nothing. */
void pair_add_complex(struct pairsum *, const double *a, const double *b, uint64_t first, size_t n);

/* The next part holds the same bytes on both sides: a's moments say all there is to say. */
void pair_add_same(struct pairsum *, const struct moments *a);

void pair_merge(struct pairsum *, const struct pairsum *next);
/* Where nothing differs max_abs_index is 0. */
void pair_diff(const struct pairsum *, struct diff *); /* sets all but p50_abs_diff and p99_abs_diff (NAN) */

#endif
