/*
 * Between decode.c, which has the plain types and the table, and the files that decode ggml's blocks. Layouts and
 * formulas are those of ggml-org/ggml: ggml-common.h and dequantize_row_* of ggml-quants.c, whose float32 operations
 * are done in the same order.
 *
 * A block is decoded in two steps. First its codes are unpacked to one byte each: bits are moved many at a time
 * there. Then groups of them are scaled in float and widened to double. Both are loops that compilers make vectors
 * of.
 */
#ifndef NUM_DECODER_H
#define NUM_DECODER_H

#include "base/util.h"
#include "num/le.h"

/* How a type is decoded; n elements are whole blocks. */
struct decoder {
	void (*values)(double *out, const uint8_t *in, size_t n);
	void (*codes)(uint16_t *out, const uint8_t *in, size_t n); /* NULL: elements have no codes of their own */
};

/* decode_block.c */
extern const struct decoder decode_q4_0, decode_q4_1, decode_q5_0, decode_q5_1, decode_q8_0, decode_q8_1;
extern const struct decoder decode_iq4_nl, decode_mxfp4, decode_nvfp4, decode_q1_0, decode_q2_0;
/* decode_k.c */
extern const struct decoder decode_q2_k, decode_q3_k, decode_q4_k, decode_q5_k, decode_q6_k, decode_q8_k;
extern const struct decoder decode_tq1_0, decode_tq2_0;
/* decode_iq.c */
extern const struct decoder decode_iq2_xxs, decode_iq2_xs, decode_iq2_s, decode_iq3_xxs, decode_iq3_s;
extern const struct decoder decode_iq1_s, decode_iq1_m, decode_iq4_xs;

/* Tables that are made once, before the first decoder runs. */
void decode_block_tables(void);
void decode_iq_tables(void);

extern uint8_t bit_bytes[256][8];   /* the bits of a byte, lowest first, as bytes: 0xff for 1 */
extern const int8_t iq4_values[16]; /* the numbers that the codes of IQ4_NL and IQ4_XS stand for */

/* From NAME_unpack (the codes of a block) and NAME_block (its values): struct decoder decode_NAME. */
#define BLOCK_TYPE(name, items, bytes)                                       \
	static void name##_values(double *out, const uint8_t *in, size_t n)  \
	{                                                                    \
		for (; n; n -= (items), in += (bytes), out += (items))       \
			name##_block(out, in);                               \
	}                                                                    \
	static void name##_codes(uint16_t *out, const uint8_t *in, size_t n) \
	{                                                                    \
		uint8_t q[items];                                            \
	                                                                     \
		for (; n; n -= (items), in += (bytes), out += (items)) {     \
			name##_unpack(q, in);                                \
			for (size_t i = 0; i < (items); i++)                 \
				out[i] = q[i];                               \
		}                                                            \
	}                                                                    \
	const struct decoder decode_##name = {name##_values, name##_codes}

/* ---- codes of n elements to values; n is a constant where these are called ---- */

/* d * (q - zero) */
static inline void scale(double *restrict out, const uint8_t *restrict q, size_t n, float d, int zero)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (double)(d * (float)(q[i] - zero));
}

/* d * q, where the codes are signed */
static inline void scale_signed(double *restrict out, const int8_t *restrict q, size_t n, float d)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (double)(d * (float)q[i]);
}

/* d * q + m */
static inline void scale_add(double *restrict out, const uint8_t *restrict q, size_t n, float d, float m)
{
	for (size_t i = 0; i < n; i++) {
		float x = d * (float)q[i];

		out[i] = (double)(x + m);
	}
}

/* ---- unpacking ---- */

/* Number i of those packed from the lowest bits up. */
static inline unsigned pair_at(const uint8_t *p, size_t i)
{
	return (unsigned)p[i / 4] >> 2 * (i % 4) & 3;
}

static inline unsigned nibble_at(const uint8_t *p, size_t i)
{
	return (unsigned)p[i / 2] >> 4 * (i % 2) & 15;
}

/* 2 * n codes of 4 bits: the low nibbles are elements 0 to n - 1, the high ones n to 2n - 1. */
static inline void unpack_nibbles(uint8_t *restrict q, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		q[i] = in[i] & 15;
		q[n + i] = in[i] >> 4;
	}
}

#endif
