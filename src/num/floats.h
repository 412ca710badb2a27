/*
 * Moments and differences of float32 values, at the speed of memory. Every element type whose values a float holds
 * exactly comes this way (16-bit floats, all narrower types, ggml's blocks); what does not (64-bit types, 32-bit
 * integers, complex numbers) goes through doubles, num/moments.h and num/pair.h.
 *
 * A run is at most RUN elements, given in blocks of BLOCK (only the last one may be shorter). Powers are summed in
 * double, in LANES lanes (element i of a block goes to lane i mod LANES), about a pivot: 0 where the mean of the first
 * block is small beside its standard deviation, else that mean. The sum itself is exact: 256 floats of a lane whose
 * exponents lie within 21 of each other add up in a double without rounding, and a block where they do not is summed
 * with compensation. A run that the pivot does not fit (its mean drifts), or that holds NaN or infinities, is given
 * back: the caller takes the careful way, block by block in double. Which way a run goes depends on its values alone,
 * so every kernel table comes to the same bits.
 */
#ifndef NUM_FLOATS_H
#define NUM_FLOATS_H

#include "model/dtype.h"
#include "num/block.h"

enum { RUN = 16 * BLOCK };

/* What one pass over the bits of n floats tells; keys order as the floats do (see float_key). */
struct float_scan {
	uint32_t top;    /* the largest magnitude, shifted left by one */
	uint32_t low;    /* the smallest magnitude that is not 0, likewise, less 1; UINT32_MAX: all are 0 */
	int32_t min, max; /* keys */
	uint32_t zero;
};

struct float_lanes {
	double s[LANES], l1[LANES], p2[LANES], p3[LANES], p4[LANES];
};

struct float_diff_lanes {
	double max[LANES], abs_d[LANES], dd[LANES], ab[LANES]; /* max: of |d| */
	int64_t changed[LANES], flips[LANES];
};

/* The loops of a kernel table. They set the lanes, from rows of LANES elements; the rest of a block is floats.c's. */
struct float_loops {
	void (*scan)(struct float_scan *, const float *x, size_t n);
	void (*powers)(struct float_lanes *, const float *x, size_t rows, double pivot);
	void (*diffs)(struct float_diff_lanes *, const float *a, const float *b, size_t rows);
};

/*
 * 16-bit floats (bfloat16, IEEE half) can be worked on as they are, without a pass that writes them down as floats.
 * What comes out is the same to the bit as of the loops above, about a pivot of 0: the codes order as their floats do,
 * and products of two or four such floats are exact in double, so that where a processor has a fused multiply-add, it
 * rounds as a product and a sum do.
 */
enum half { HALF_BF16, HALF_F16, HALVES };

struct half_scan { /* as struct float_scan, of codes */
	uint16_t top, low; /* of the lower 15 bits; low less 1, UINT16_MAX: all are 0 */
	int16_t min, max;
	uint16_t zero;
};

/* n <= BLOCK codes, little-endian, anywhere in memory. */
struct half_loops {
	void (*scan)(struct half_scan *, const uint8_t *x, size_t n);
	void (*compare)(uint16_t *changed, uint16_t *flips, const uint8_t *a, const uint8_t *b, size_t n);
	void (*powers[HALVES])(struct float_lanes *, const uint8_t *x, size_t rows);
	/* all but changed and flips, which it does not set */
	void (*diffs[HALVES])(struct float_diff_lanes *, const uint8_t *a, const uint8_t *b, size_t rows);
};

/* The bits of a float as an integer that orders as the floats do, -0 below +0; it is its own inverse. */
static inline int32_t float_key(int32_t bits)
{
	/* cppcheck-suppress shiftTooManyBitsSigned ; the sign fills in, with gcc and clang */
	return bits ^ (bits >> 31 & INT32_MAX);
}

struct float_run { /* zeroed before its first block */
	struct dd sum;
	double pivot, l1, p2, p3, p4;
	uint64_t n, zero;
	float min, max;
	bool not_finite;
};

void float_run_add(struct float_run *, const float *x, size_t n);

/* The same from the packed bytes of 16-bit floats; false, and nothing done, where the kernel table or the run has no
 * such way for this block: then it is the floats' turn. */
bool half_run_add(struct float_run *, enum dtype, const uint8_t *raw, size_t n);

/* Sets the moments and returns true, or false: the careful way. */
bool float_run_end(const struct float_run *, struct moments *);

struct float_pair_run { /* zeroed before its first block; both sides are finite */
	uint64_t n, changed, sign_flips, max_at;
	double max_abs, abs_d, dd, ab;
};

void float_pair_add(struct float_pair_run *, const float *a, const float *b, size_t n);

/* The runs and the pair at once, likewise; when it returns true, a run may turn out not to be finite. */
bool half_pair_add(struct float_run r[2], struct float_pair_run *, enum dtype, const uint8_t *a, const uint8_t *b,
		   size_t n);

/* With the moments of both sides of the run, which begins at element `first`. */
void float_pair_end(const struct float_pair_run *, const struct moments *a, const struct moments *b, uint64_t first,
		    struct pairsum *);

#endif
