/*
 * The kernels behind num: one table chosen once, at start. Plain C is always there and is the specification; a faster
 * table must give the same bits (tests/kern holds it to that).
 */
#ifndef NUM_KERN_H
#define NUM_KERN_H

#include "model/dtype.h"
#include "num/pair.h"

struct kern {
	const char *name;
	bool (*usable)(void); /* whether this processor can run it */

	/* One block, n <= BLOCK, into a fresh accumulator. moments_add and pair_add merge what these return. */
	void (*moments)(struct moments *, const double *x, size_t n);
	void (*pair)(struct pairsum *, const double *a, const double *b, uint64_t first, size_t n);

	const struct float_loops *floats; /* num/floats.h */
	const struct half_loops *halves;  /* likewise; NULL: by way of floats */

	/* By type: n elements (whole blocks) of packed little-endian bytes to floats, exactly. NULL: see
	 * kern_floats. */
	void (*to_float[DT_COUNT])(float *, const uint8_t *, size_t n);
};

/* A table for another processor, or one that the compiler cannot make. */
static inline bool kern_never(void)
{
	return false;
}
#define KERN_NONE(label) {.name = (label), .usable = kern_never}

extern const struct kern kern_ref, kern_avx2, kern_avx512, kern_neon;
extern const struct kern *const kerns[]; /* NULL-terminated, the widest last */
extern const struct kern *kern;          /* the one in use; kern_ref until kern_pick was called */

/* Whether a float holds every value of a type: 16-bit and narrower ones, and ggml's blocks, which are made of
 * floats. */
bool kern_holds(enum dtype);

/* At most BLOCK elements of such a type as floats, by the table's own decoder or by way of decode(). */
void kern_floats(float *out, enum dtype, const uint8_t *in, size_t n);

/* Chooses by name, or the best usable one for NULL. False: no such table, or not on this processor. */
bool kern_pick(const char *name);

#endif
