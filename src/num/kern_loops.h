/*
 * What a table of kernels consists of, once for all processors: the float loops of num/floats.h here, the decoders to
 * float and the double loops in the two headers included below. Each kern_NAME.c defines
 *
 *	VECTOR      doubles in a vector: 8, 4 or 2
 *	GROUP       vectors worked on side by side: as many as there are registers for
 *	V_MAX(a, b) the larger of two vectors of doubles that hold no NaN: one instruction, or v_larger
 *	V_WIDEN(x)  a vector of doubles from the floats at x, where the compiler makes many instructions of it
 *
 * and, to have the loops over 16-bit floats, what kern_halves.h asks for, and includes this file; its own flags
 * (Makefile) say which instructions the compiler may use. Vectors are those of gcc and clang. Additions and
 * multiplications are never reordered, nor contracted where that would change a bit, and lanes are the same whatever
 * the width, so all tables give the same bits.
 */
#ifndef NUM_KERN_LOOPS_H
#define NUM_KERN_LOOPS_H

#include <string.h>

#include "num/floats.h"
#include "num/kern.h"
#include "num/kern_decode.h"
#include "num/kern_doubles.h"

typedef double vec __attribute__((vector_size(8 * VECTOR)));
typedef int64_t ivec __attribute__((vector_size(8 * VECTOR)));
typedef float fvec __attribute__((vector_size(4 * VECTOR), aligned(4), may_alias));

#ifndef V_COUNT
#define V_COUNT(n, test) ((n) - (ivec)(test)) /* true is -1 */
#endif
#ifndef V_WIDEN
#define V_WIDEN(x) __builtin_convertvector(*(const fvec *)(x), vec)
#endif

static inline vec magnitude(vec x)
{
	return (vec)((ivec)x & INT64_MAX);
}

static inline vec v_larger(vec a, vec b)
{
	ivec m = a > b;

	return (vec)(((ivec)a & m) | ((ivec)b & ~m));
}

static inline void v_store(double *p, vec v)
{
	memcpy(p, &v, sizeof(v));
}

/* Integers only: a compiler makes vectors of this by itself. */
static void scan(struct float_scan *out, const float *x, size_t n)
{
	uint32_t top = 0, low = UINT32_MAX, zero = 0;
	int32_t min = INT32_MAX, max = INT32_MIN;

	for (size_t i = 0; i < n; i++) {
		uint32_t bits, twice;
		int32_t key;

		memcpy(&bits, &x[i], sizeof(bits));
		twice = bits << 1;
		key = float_key((int32_t)bits);
		top = twice > top ? twice : top;
		low = twice - 1 < low ? twice - 1 : low;
		zero += twice == 0;
		min = key < min ? key : min;
		max = key > max ? key : max;
	}
	*out = (struct float_scan){top, low, min, max, zero};
}

/* Lanes [at, at + GROUP * VECTOR) of all rows. A pivot of 0 is known when this is compiled, and changes no bit. */
static inline __attribute__((always_inline)) void powers_of(struct float_lanes *v, const float *x, size_t rows,
							    double pivot, size_t at)
{
	vec s[GROUP], l1[GROUP], p2[GROUP], p3[GROUP], p4[GROUP];

	for (size_t g = 0; g < GROUP; g++)
		s[g] = l1[g] = p2[g] = p3[g] = p4[g] = (vec){0};
	x += at;
	for (size_t i = 0; i < rows; i++, x += LANES)
		for (size_t g = 0; g < GROUP; g++) {
			vec y = V_WIDEN(x + g * VECTOR), c = pivot == 0 ? y : y - pivot, c2 = c * c;

			s[g] += y;
			l1[g] += magnitude(y);
			p2[g] += c2;
			p3[g] += c2 * c;
			p4[g] += c2 * c2;
		}
	for (size_t g = 0; g < GROUP; g++) {
		v_store(v->s + at + g * VECTOR, s[g]);
		v_store(v->l1 + at + g * VECTOR, l1[g]);
		v_store(v->p2 + at + g * VECTOR, p2[g]);
		v_store(v->p3 + at + g * VECTOR, p3[g]);
		v_store(v->p4 + at + g * VECTOR, p4[g]);
	}
}

static void powers(struct float_lanes *v, const float *x, size_t rows, double pivot)
{
	if (pivot == 0)
		for (size_t at = 0; at < LANES; at += GROUP * VECTOR)
			powers_of(v, x, rows, 0, at);
	else
		for (size_t at = 0; at < LANES; at += GROUP * VECTOR)
			powers_of(v, x, rows, pivot, at);
}

static inline void diffs_of(struct float_diff_lanes *v, const float *a, const float *b, size_t rows, size_t at)
{
	vec max[GROUP], abs_d[GROUP], dd[GROUP], ab[GROUP];
	ivec changed[GROUP], flips[GROUP];

	for (size_t g = 0; g < GROUP; g++) {
		max[g] = abs_d[g] = dd[g] = ab[g] = (vec){0};
		changed[g] = flips[g] = (ivec){0};
	}
	a += at;
	b += at;
	for (size_t i = 0; i < rows; i++, a += LANES, b += LANES)
		for (size_t g = 0; g < GROUP; g++) {
			vec x = V_WIDEN(a + g * VECTOR), y = V_WIDEN(b + g * VECTOR);
			vec d = magnitude(y - x), xy = x * y;

			max[g] = V_MAX(d, max[g]);
			abs_d[g] += d;
			dd[g] += d * d;
			ab[g] += xy;
			changed[g] = V_COUNT(changed[g], d != 0);
			flips[g] = V_COUNT(flips[g], xy < 0); /* no product of two floats underflows in a double */
		}
	for (size_t g = 0; g < GROUP; g++) {
		v_store(v->max + at + g * VECTOR, max[g]);
		memcpy(v->changed + at + g * VECTOR, &changed[g], sizeof(changed[g]));
		memcpy(v->flips + at + g * VECTOR, &flips[g], sizeof(flips[g]));
		v_store(v->abs_d + at + g * VECTOR, abs_d[g]);
		v_store(v->dd + at + g * VECTOR, dd[g]);
		v_store(v->ab + at + g * VECTOR, ab[g]);
	}
}

static void diffs(struct float_diff_lanes *v, const float *a, const float *b, size_t rows)
{
	for (size_t at = 0; at < LANES; at += GROUP * VECTOR)
		diffs_of(v, a, b, rows, at);
}

static const struct float_loops float_loops = {scan, powers, diffs};

#ifdef V_F16
#include "num/kern_halves.h"
#define HALVES_OF_TABLE &half_loops
#else
#define HALVES_OF_TABLE NULL
#endif

#define KERN(label, can_run)                                                                      \
	{                                                                                         \
		.name = (label), .usable = (can_run), .moments = moments, .pair = pair,           \
		.floats = &float_loops, .halves = HALVES_OF_TABLE, .to_float = TO_FLOAT,          \
	}

#endif
