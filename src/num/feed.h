/*
 * Feeds a tensor's elements, in order, as packed little-endian bytes: straight from the mapping where they stand so,
 * else through a buffer of its own (deflated entries, big-endian files, records, strides, Fortran order on demand).
 * Of a packed tensor it works out the values, F32. One thread at a time; mapped tensors may have as many feeds as
 * there are threads.
 */
#ifndef NUM_FEED_H
#define NUM_FEED_H

#include "model/model.h"

struct feed;

enum feed_order {
	FEED_STORED, /* as the file has them: all that statistics need; by strides, row-major */
	FEED_LOGICAL /* row-major by the tensor's shape: to compare with a tensor stored otherwise, and to print */
};

/* Fails for a tensor with trouble. A Fortran-ordered tensor that must be inflated and is asked for in logical order
 * goes to an unlinked temporary file first. The caller frees *out with feed_close. */
enum rc feed_open(struct feed **out, const struct model *, const struct tensor *, enum feed_order, struct err *);

/* Whether parts may be asked for in any order; else each call must begin where the one before ended. */
bool feed_random(const struct model *, const struct tensor *);

/* From the next call on, what stands in place is copied to `to` by read(2) all the same (see source_copy): it has room
 * for what one call asks for. NULL: no longer. */
void feed_copy(struct feed *, uint8_t *to);

/* The bytes of elements [first, first + n), both multiples of the block; valid until the next call. NULL on
 * failure. */
const uint8_t *feed_get(struct feed *, uint64_t first, size_t n, struct err *);
void feed_close(struct feed *); /* NULL is fine */

/* Where element `index` (row-major), or the block that it is in, begins: in bytes from the front of the tensor's
 * span. Not of a packed tensor, whose values stand nowhere. */
uint64_t feed_offset(const struct tensor *, uint64_t index);

#endif
