/* Layouts: ggml-common.h and dequantize_row_* of ggml-quants.c in ggml-org/ggml, as in num/decode.c. */
#include "num/scale.h"

#include <math.h>
#include <string.h>

#include "num/decode.h"

static double half_at(const uint8_t *p)
{
	double x;

	decode(DT_F16, &x, p, 1);
	return x;
}

/* One scale for the whole block, in front of it. */
static unsigned scale_front(const uint8_t *b, struct block_scale *out, int zero, bool table)
{
	out[0] = (struct block_scale){.scale = half_at(b), .zero = zero, .table = table};
	return 1;
}

static unsigned scale_q4_0(const uint8_t *b, struct block_scale *out)
{
	return scale_front(b, out, 8, false);
}

static unsigned scale_q5_0(const uint8_t *b, struct block_scale *out)
{
	return scale_front(b, out, 16, false);
}

static unsigned scale_q2_0(const uint8_t *b, struct block_scale *out)
{
	return scale_front(b, out, 1, false);
}

/* A bit: -d or d */
static unsigned scale_q1_0(const uint8_t *b, struct block_scale *out)
{
	out[0] = (struct block_scale){.scale = 2 * half_at(b), .min = half_at(b)};
	return 1;
}

static unsigned scale_tq2_0(const uint8_t *b, struct block_scale *out)
{
	return scale_front(b + 64, out, 1, false);
}

static unsigned scale_q8_0(const uint8_t *b, struct block_scale *out)
{
	return scale_front(b, out, 0, false);
}

static unsigned scale_iq4_nl(const uint8_t *b, struct block_scale *out)
{
	return scale_front(b, out, 0, true);
}

/* |scale f16|least value f16|: what is added is the negative of our minimum */
static unsigned scale_and_least(const uint8_t *b, struct block_scale *out)
{
	out[0] = (struct block_scale){.scale = half_at(b), .min = -half_at(b + 2)};
	return 1;
}

static unsigned scale_q2_k(const uint8_t *b, struct block_scale *out)
{
	double d = half_at(b + 80), dmin = half_at(b + 82);

	for (unsigned g = 0; g < 16; g++)
		out[g] = (struct block_scale){.scale = d * (b[g] & 15), .min = dmin * (b[g] >> 4)};
	return 16;
}

/* 6 bits each: the low four in the nibbles of 8 bytes, the high two in 4 bytes after them. */
static unsigned scale_q3_k(const uint8_t *b, struct block_scale *out)
{
	const uint8_t *s = b + 96;
	double d = half_at(b + 108);

	for (unsigned g = 0; g < 16; g++) {
		int sc = (s[g % 8] >> 4 * (g / 8) & 15) | (s[8 + g % 4] >> 2 * (g / 4) & 3) << 4;

		out[g] = (struct block_scale){.scale = d * (sc - 32), .zero = 4};
	}
	return 16;
}

/* Q4_K and Q5_K; the packing of the 12 bytes is drawn in num/decode.c. */
static unsigned scale_q4_k(const uint8_t *b, struct block_scale *out)
{
	const uint8_t *s = b + 4;
	double d = half_at(b), dmin = half_at(b + 2);

	for (unsigned g = 0; g < 8; g++) {
		int sc = g < 4 ? s[g] & 63 : (s[g + 4] & 15) | (s[g - 4] >> 6) << 4;
		int mn = g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | (s[g] >> 6) << 4;

		out[g] = (struct block_scale){.scale = d * sc, .min = dmin * mn};
	}
	return 8;
}

static unsigned scale_q6_k(const uint8_t *b, struct block_scale *out)
{
	double d = half_at(b + 208);

	for (unsigned g = 0; g < 16; g++)
		out[g] = (struct block_scale){.scale = d * (int8_t)b[192 + g], .zero = 32};
	return 16;
}

static unsigned scale_q8_k(const uint8_t *b, struct block_scale *out)
{
	double d;

	decode(DT_F32, &d, b, 1);
	out[0] = (struct block_scale){.scale = d};
	return 1;
}

/* A power of two; the table holds doubled values. */
static unsigned scale_mxfp4(const uint8_t *b, struct block_scale *out)
{
	out[0] = (struct block_scale){.scale = ldexp(1, b[0] - 128), .table = true};
	return 1;
}

static unsigned (*const readers[DT_COUNT])(const uint8_t *, struct block_scale *) = {
	[DT_Q4_0] = scale_q4_0, [DT_Q4_1] = scale_and_least, [DT_Q5_0] = scale_q5_0, [DT_Q5_1] = scale_and_least,
	[DT_Q8_0] = scale_q8_0, [DT_Q2_K] = scale_q2_k,      [DT_Q3_K] = scale_q3_k, [DT_Q4_K] = scale_q4_k,
	[DT_Q5_K] = scale_q4_k, [DT_Q6_K] = scale_q6_k,      [DT_Q8_K] = scale_q8_k, [DT_IQ4_NL] = scale_iq4_nl,
	[DT_MXFP4] = scale_mxfp4, [DT_Q1_0] = scale_q1_0,   [DT_Q2_0] = scale_q2_0, [DT_TQ2_0] = scale_tq2_0,
};

unsigned block_scales(enum dtype type, const uint8_t *block, struct block_scale out[SCALES_MAX])
{
	return readers[type] ? readers[type](block, out) : 0;
}

int block_code(enum dtype type, uint16_t code)
{
	return dtypes[type].kind == KIND_BLOCK && dtypes[type].code_bits == 8 ? (int8_t)(uint8_t)code : code;
}
