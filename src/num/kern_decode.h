/*
 * Decoders to float32 for the types that come in bulk, in plain loops of which a compiler makes vectors for whatever
 * processor a table is for. Formulas and layouts are those of num/decode.c, which has every type and is held against
 * these by tests/kern; only types whose values a float holds exactly are here.
 */
#ifndef NUM_KERN_DECODE_H
#define NUM_KERN_DECODE_H

#include <string.h>

#include "model/dtype.h"
#include "num/le.h"

static inline uint32_t load16(const uint8_t *p) /* to be shifted without a sign */
{
	return le16(p);
}

static void float_f32(float *restrict out, const uint8_t *restrict in, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (size_t i = 0; i < n; i++)
		out[i] = float_of(load16(in + 4 * i) | load16(in + 4 * i + 2) << 16);
#else
	memcpy(out, in, n * sizeof(*out));
#endif
}

static void float_bf16(float *restrict out, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = float_of(load16(in + 2 * i) << 16);
}

/*
 * A float of fewer bits under a float's: shifted so that its exponent field ends where a float's does, it is too small
 * by 2^(127 - bias), subnormals too; a multiplication by that is exact and puts both right. What has the top exponent
 * and is no number in the small type gets a float's top exponent.
 */
static inline float half(uint32_t h)
{
	uint32_t rest = (h & 0x7fff) << 13;
	uint32_t bits = bits_of(float_of(rest) * 0x1p112f) | (rest >= 0x0f800000 ? 0x7f800000 : 0);

	return float_of(bits | (h & 0x8000) << 16);
}

static void float_f16(float *restrict out, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = half(load16(in + 2 * i));
}

static void float_f8_e5m2(float *restrict out, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = half((uint32_t)in[i] << 8);
}

static void float_f8_e4m3(float *restrict out, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t x = in[i], rest = x & 0x7f;
		uint32_t bits = bits_of(float_of(rest << 20) * 0x1p120f) | (rest == 0x7f ? 0x7fc00000 : 0);

		out[i] = float_of(bits | (x & 0x80) << 24);
	}
}

static void float_i8(float *restrict out, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (float)(int8_t)in[i];
}

static void float_u8(float *restrict out, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (float)in[i];
}

static void float_q8_0(float *restrict out, const uint8_t *restrict in, size_t n)
{
	for (; n; n -= 32, in += 34, out += 32) {
		float d = half(load16(in));

		for (size_t i = 0; i < 32; i++)
			out[i] = d * (float)(int8_t)in[2 + i];
	}
}

static void float_q4_0(float *restrict out, const uint8_t *restrict in, size_t n)
{
	for (; n; n -= 32, in += 18, out += 32) {
		float d = half(load16(in));

		for (size_t i = 0; i < 16; i++)
			out[i] = (float)((in[2 + i] & 15) - 8) * d;
		for (size_t i = 0; i < 16; i++)
			out[16 + i] = (float)((in[2 + i] >> 4) - 8) * d;
	}
}

static inline void k4_scale(const uint8_t *s, size_t group, uint8_t *scale, uint8_t *min)
{
	*scale = (uint8_t)(group < 4 ? s[group] & 63 : ((s[group + 4] & 15) | (s[group - 4] >> 6) << 4));
	*min = (uint8_t)(group < 4 ? s[group + 4] & 63 : ((s[group + 4] >> 4) | (s[group] >> 6) << 4));
}

static void float_q4_k(float *restrict out, const uint8_t *restrict in, size_t n)
{
	for (; n; n -= 256, in += 144) {
		float d = half(load16(in)), dmin = half(load16(in + 2));

		for (size_t group = 0; group < 8; group += 2, out += 64) {
			const uint8_t *q = in + 16 + 16 * group;
			uint8_t scale[2], min[2];
			float ds[2], dm[2];

			for (size_t k = 0; k < 2; k++) {
				k4_scale(in + 4, group + k, &scale[k], &min[k]);
				ds[k] = d * (float)scale[k];
				dm[k] = dmin * (float)min[k];
			}
			for (size_t i = 0; i < 32; i++)
				out[i] = ds[0] * (float)(q[i] & 15) - dm[0];
			for (size_t i = 0; i < 32; i++)
				out[32 + i] = ds[1] * (float)(q[i] >> 4) - dm[1];
		}
	}
}

/* A quarter of a half: 32 elements, which two scales share. */
static inline void q6_quarter(float *restrict out, const uint8_t *restrict low, unsigned low_shift,
			      const uint8_t *restrict high, unsigned high_shift, const float ds[2])
{
	for (size_t k = 0; k < 2; k++, low += 16, high += 16, out += 16)
		for (size_t i = 0; i < 16; i++) {
			int code = (low[i] >> low_shift & 15) | (high[i] >> high_shift & 3) << 4;

			out[i] = ds[k] * (float)(code - 32);
		}
}

static void float_q6_k(float *restrict out, const uint8_t *restrict in, size_t n)
{
	for (; n; n -= 256, in += 210)
		for (size_t half_block = 0; half_block < 2; half_block++, out += 128) {
			const uint8_t *low = in + 64 * half_block, *high = in + 128 + 32 * half_block;
			float d = half(load16(in + 208)), ds[8];

			for (size_t k = 0; k < 8; k++)
				ds[k] = d * (float)(int8_t)in[192 + 8 * half_block + k];
			q6_quarter(out, low, 0, high, 0, ds);
			q6_quarter(out + 32, low + 32, 0, high, 2, ds + 2);
			q6_quarter(out + 64, low, 4, high, 4, ds + 4);
			q6_quarter(out + 96, low + 32, 4, high, 6, ds + 6);
		}
}

#define TO_FLOAT                                                                                         \
	{                                                                                                \
		[DT_F32] = float_f32, [DT_BF16] = float_bf16, [DT_F16] = float_f16, [DT_I8] = float_i8,   \
		[DT_U8] = float_u8, [DT_F8_E4M3] = float_f8_e4m3, [DT_F8_E5M2] = float_f8_e5m2,          \
		[DT_Q8_0] = float_q8_0, [DT_Q4_0] = float_q4_0, [DT_Q4_K] = float_q4_k,                  \
		[DT_Q6_K] = float_q6_k,                                                                  \
	}

#endif
