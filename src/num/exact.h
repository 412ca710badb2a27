/* Differences of 64-bit integers, which a double cannot hold: exact before the one rounding at the end. */
#ifndef NUM_EXACT_H
#define NUM_EXACT_H

#include "model/dtype.h"

/* Whether a pair of these types needs the functions below (one is I64 or U64 and values may exceed 2^53). */
bool exact_needed(enum dtype a, enum dtype b);

/* For n elements of packed little-endian bytes: d[i] = B - A rounded once, same[i] = the values are equal exactly
 * (an integer equals a float only if the float has just that value). a and b hold their decoded doubles. */
void exact_diff(double *d, bool *same, enum dtype a_type, const uint8_t *a_raw, const double *a, enum dtype b_type,
		const uint8_t *b_raw, const double *b, size_t n);

#endif
