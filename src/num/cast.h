/*
 * Whether numbers were rounded to a narrower type, proven element by element: y is what some conversion made of x.
 *
 * The rules, as weigh(1) gives them. -0 is 0. NaN must stay NaN, whatever its payload or sign. An infinity stays one;
 * in a type without infinities it becomes NaN or the largest number. A number beyond the type's range becomes infinite,
 * NaN (where there is no infinity) or the largest one, and one tensor does not mix these. Numbers below the smallest
 * normal one may all be flushed to 0.
 */
#ifndef NUM_CAST_H
#define NUM_CAST_H

#include "model/dtype.h"

enum rounding {
	ROUND_EVEN,  /* to nearest, ties to even: IEEE 754's default */
	ROUND_AWAY,  /* to nearest, ties away from zero */
	ROUND_ZERO,  /* toward zero: truncation */
	ROUND_TWICE, /* to nearest even in F32, then again in the narrower type */
	ROUND_COUNT
};

extern const char *const rounding_names[ROUND_COUNT]; /* "nearest even" */

/* What became of numbers that the type cannot hold. */
enum { OVER_INFINITE = 1, OVER_NAN = 2, OVER_LARGEST = 4 };

struct castsum {
	unsigned modes;         /* bits 1 << enum rounding: those that all elements agree with so far */
	unsigned flushed_modes; /* those that need flushing to 0 to agree */
	unsigned over, infinite; /* OVER_ bits: what became of numbers beyond the range; of infinities */
	uint64_t n_over, n_flushed;
	bool kept;              /* a number below the smallest normal one was not flushed */
};

/* For conversions from a type to another; modes is 0 at once where rounding to it is not defined (blocks, bool). Of
 * complex types the parts are looked at: give their type. */
void cast_init(struct castsum *, enum dtype from, enum dtype to);

/* The next n elements; nothing is done once modes is 0. 64-bit integers beyond 2^53, which a double does not hold, are
 * taken as proof of nothing but rounding to F64. */
void cast_add(struct castsum *, enum dtype from, enum dtype to, const double *x, const double *y, size_t n);
void cast_merge(struct castsum *, const struct castsum *); /* in any order */

/* The modes that hold in the end: 0 where overflow or subnormals were treated in more than one way. */
unsigned cast_modes(const struct castsum *);

#endif
