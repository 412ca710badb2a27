/*
 * The values of packed tensors (model/pack.h), as float32: the products and sums of the formula in the order it gives,
 * each rounded to float32, as the reference implementations do it in float32.
 */
#ifndef NUM_UNPACK_H
#define NUM_UNPACK_H

#include "model/pack.h"

struct unpack;

/* Checks that the parts hold what the pack says. One thread at a time; the tensor may have as many as there are
 * threads, since its parts are mapped. The caller frees *out with unpack_close. */
enum rc unpack_open(struct unpack **out, const struct model *, const struct tensor *, struct err *);

/* Elements [first, first + n) in stored order (see pack.swapped); any range inside the tensor, in any order. Fails when
 * an index among the parts points nowhere. */
enum rc unpack_get(struct unpack *, float *out, uint64_t first, size_t n, struct err *);
void unpack_close(struct unpack *); /* NULL is fine */

/* Of two packed tensors: whether the bytes that they are worked out of differ, in one of `shares` shares of them (so
 * that several threads can look). Where they differ the values may still be equal. */
bool unpack_other_bytes(const struct model *[2], const struct tensor *[2], uint64_t share, uint64_t shares);

#endif
