/*
 * What the scales of a tensor in blocks are like, and whether its codes are such as the quantiser of the type makes:
 * what weigh audit asks, and no statistics of the values tell. A quantiser takes the scale from the largest element of
 * a block, so that of some types it is never negative, and some codes are always or never there.
 */
#ifndef NUM_SCALES_H
#define NUM_SCALES_H

#include "model/dtype.h"

struct scales {
	uint64_t blocks;   /* looked at; 0 where the type has no scales, or their layout is not known here */
	uint64_t unreal;   /* with a scale, or a least value, that is infinite or NaN */
	uint64_t negative; /* with a scale below 0, of types whose quantiser makes none */
	uint64_t zero;     /* with scales that are all 0 */
	uint64_t hidden;   /* of these, with codes that are not all the same: they mean nothing */
	uint64_t odd;      /* with codes, sums or scales that the quantiser does not make */
	bool vary;         /* two blocks have different scales */
	double first;      /* the first block's */
};

/* Adds n blocks, packed and little-endian. A zeroed struct is one to begin with. */
void scales_see(struct scales *, enum dtype, const uint8_t *blocks, size_t n);

/* Whether blocks of the type with one scale for all are nothing strange: it has few scales to choose from, or three
 * values only. */
bool scales_may_repeat(enum dtype);

#endif
