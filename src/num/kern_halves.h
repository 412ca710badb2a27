/*
 * The loops over 16-bit floats of num/floats.h. kern_loops.h includes this for tables that define
 *
 *	V_BF16(p), V_F16(p)  a vector of doubles from the codes at p
 *	V_FMA(a, b, c)       a * b + c, rounded once
 */
#ifndef NUM_KERN_HALVES_H
#define NUM_KERN_HALVES_H

/* Integers only, as scan() does it; a compiler makes vectors of 16-bit lanes of this. */
static void half_scan(struct half_scan *out, const uint8_t *x, size_t n)
{
	uint16_t top = 0, low = UINT16_MAX, zero = 0;
	int16_t min = INT16_MAX, max = INT16_MIN;

	for (size_t i = 0; i < n; i++) {
		uint16_t code = le16(x + 2 * i), size = code & INT16_MAX, less = (uint16_t)(size - 1);
		int16_t key = (int16_t)(code ^ ((int16_t)code >> 15 & INT16_MAX));

		top = size > top ? size : top;
		low = less < low ? less : low;
		zero = (uint16_t)(zero + (size == 0));
		min = key < min ? key : min;
		max = key > max ? key : max;
	}
	*out = (struct half_scan){top, low, min, max, zero};
}

/* Of finite values: +0 and -0 are the same, and have no sign to flip. */
static void half_compare(uint16_t *changed, uint16_t *flips, const uint8_t *a, const uint8_t *b, size_t n)
{
	uint16_t other = 0, flipped = 0;

	for (size_t i = 0; i < n; i++) {
		uint16_t x = le16(a + 2 * i), y = le16(b + 2 * i);
		uint16_t zero_x = (x & INT16_MAX) == 0, zero_y = (y & INT16_MAX) == 0;

		other = (uint16_t)(other + ((x != y) & !(zero_x & zero_y)));
		flipped = (uint16_t)(flipped + (((x ^ y) >> 15) & !(zero_x | zero_y)));
	}
	*changed = other;
	*flips = flipped;
}

static inline __attribute__((always_inline)) vec v_half(enum half kind, const uint8_t *p)
{
	return kind == HALF_BF16 ? V_BF16(p) : V_F16(p);
}

static inline __attribute__((always_inline)) void half_powers_of(enum half kind, struct float_lanes *v,
								 const uint8_t *x, size_t rows, size_t at)
{
	vec s[GROUP], l1[GROUP], p2[GROUP], p3[GROUP], p4[GROUP];

	for (size_t g = 0; g < GROUP; g++)
		s[g] = l1[g] = p2[g] = p3[g] = p4[g] = (vec){0};
	x += 2 * at;
	for (size_t i = 0; i < rows; i++, x += 2 * LANES)
		for (size_t g = 0; g < GROUP; g++) {
			vec y = v_half(kind, x + 2 * g * VECTOR), y2 = y * y;

			s[g] += y;
			l1[g] += magnitude(y);
			p2[g] += y2;
			p3[g] = V_FMA(y2, y, p3[g]);
			p4[g] = V_FMA(y2, y2, p4[g]);
		}
	for (size_t g = 0; g < GROUP; g++) {
		v_store(v->s + at + g * VECTOR, s[g]);
		v_store(v->l1 + at + g * VECTOR, l1[g]);
		v_store(v->p2 + at + g * VECTOR, p2[g]);
		v_store(v->p3 + at + g * VECTOR, p3[g]);
		v_store(v->p4 + at + g * VECTOR, p4[g]);
	}
}

static inline __attribute__((always_inline)) void half_diffs_of(enum half kind, struct float_diff_lanes *v,
								const uint8_t *a, const uint8_t *b, size_t rows,
								size_t at)
{
	vec max[GROUP], abs_d[GROUP], dd[GROUP], ab[GROUP];

	for (size_t g = 0; g < GROUP; g++)
		max[g] = abs_d[g] = dd[g] = ab[g] = (vec){0};
	a += 2 * at;
	b += 2 * at;
	for (size_t i = 0; i < rows; i++, a += 2 * LANES, b += 2 * LANES)
		for (size_t g = 0; g < GROUP; g++) {
			vec x = v_half(kind, a + 2 * g * VECTOR), y = v_half(kind, b + 2 * g * VECTOR);
			vec d = magnitude(y - x);

			max[g] = V_MAX(d, max[g]);
			abs_d[g] += d;
			dd[g] += d * d; /* which need not be exact */
			ab[g] = V_FMA(x, y, ab[g]);
		}
	for (size_t g = 0; g < GROUP; g++) {
		v_store(v->max + at + g * VECTOR, max[g]);
		v_store(v->abs_d + at + g * VECTOR, abs_d[g]);
		v_store(v->dd + at + g * VECTOR, dd[g]);
		v_store(v->ab + at + g * VECTOR, ab[g]);
	}
}

#define HALF_LOOPS(kind, name)                                                                                     \
	static void name##_powers(struct float_lanes *v, const uint8_t *x, size_t rows)                            \
	{                                                                                                          \
		for (size_t at = 0; at < LANES; at += GROUP * VECTOR)                                              \
			half_powers_of(kind, v, x, rows, at);                                                      \
	}                                                                                                          \
	static void name##_diffs(struct float_diff_lanes *v, const uint8_t *a, const uint8_t *b, size_t rows)      \
	{                                                                                                          \
		for (size_t at = 0; at < LANES; at += GROUP * VECTOR)                                              \
			half_diffs_of(kind, v, a, b, rows, at);                                                    \
	}

HALF_LOOPS(HALF_BF16, bf16)
HALF_LOOPS(HALF_F16, f16)

static const struct half_loops half_loops = {
	half_scan, half_compare, {[HALF_BF16] = bf16_powers, [HALF_F16] = f16_powers},
	{[HALF_BF16] = bf16_diffs, [HALF_F16] = f16_diffs},
};

#endif
