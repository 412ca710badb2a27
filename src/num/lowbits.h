/*
 * Whether something else may stand in the lowest bits of a tensor's fractions. Numbers that were rounded to a narrower
 * type, or computed in one, have zeros there: in F32 made of BF16, the lower 16 of 23 bits. When the very lowest are
 * used all the same and the next above are not, no rounding explains it. Numbers in full precision have no such gap,
 * and nothing can be told of them.
 *
 * Counted in windows of LOWBITS_WINDOW elements, so that a part of a tensor is not diluted by the rest.
 */
#ifndef NUM_LOWBITS_H
#define NUM_LOWBITS_H

#include "base/util.h"

enum {
	LOWBITS_WINDOW = 16384,
	LOWBITS_LEAST = 1024, /* elements, neither zero nor infinite nor NaN, for a window to count */
	LOWBITS_GAP = 3       /* bits that are zero above those in use */
};

struct lowbits {
	uint64_t windows;      /* that look so */
	uint64_t first;        /* the element at which the first of them begins */
	unsigned low, gap;     /* in it: lowest bits in use; zero bits above them */
	double entropy;        /* of these low bits, on average: 1 for random ones */
};

/* The next window: n <= LOWBITS_WINDOW elements, little-endian, from element `first` on; bytes: 4 or 8, of an element
 * (F32, F64). A zeroed struct is one to begin with. */
void lowbits_window(struct lowbits *, unsigned bytes, const uint8_t *raw, uint64_t first, size_t n);

#endif
