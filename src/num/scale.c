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

static struct block_scale scaled(double unit, int times, int zero, bool table)
{
	return (struct block_scale){.scale = unit * times, .zero = zero, .table = table, .unit = unit, .times = times};
}

static void set_min(struct block_scale *s, double unit, int times)
{
	s->min = unit * times;
	s->min_unit = unit;
	s->min_times = times;
}

/* One scale for the whole block, in front of it. */
static unsigned scale_front(const uint8_t *b, struct block_scale *out, int zero, bool table)
{
	out[0] = scaled(half_at(b), 1, zero, table);
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
	double d = half_at(b);

	out[0] = scaled(d, 2, 0, false);
	set_min(&out[0], d, 1);
	return 1;
}

static unsigned scale_tq1_0(const uint8_t *b, struct block_scale *out)
{
	return scale_front(b + 52, out, 1, false);
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
	scale_front(b, out, 0, false);
	set_min(&out[0], -half_at(b + 2), 1);
	return 1;
}

static unsigned scale_q2_k(const uint8_t *b, struct block_scale *out)
{
	double d = half_at(b + 80), dmin = half_at(b + 82);

	for (unsigned g = 0; g < 16; g++) {
		out[g] = scaled(d, b[g] & 15, 0, false);
		set_min(&out[g], dmin, b[g] >> 4);
	}
	return 16;
}

/* 6 bits each: the low four in the nibbles of 8 bytes, the high two in 4 bytes after them. */
static unsigned scale_q3_k(const uint8_t *b, struct block_scale *out)
{
	const uint8_t *s = b + 96;
	double d = half_at(b + 108);

	for (unsigned g = 0; g < 16; g++) {
		int sc = (s[g % 8] >> 4 * (g / 8) & 15) | (s[8 + g % 4] >> 2 * (g / 4) & 3) << 4;

		out[g] = scaled(d, sc - 32, 4, false);
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

		out[g] = scaled(d, sc, 0, false);
		set_min(&out[g], dmin, mn);
	}
	return 8;
}

static unsigned scale_q6_k(const uint8_t *b, struct block_scale *out)
{
	double d = half_at(b + 208);

	for (unsigned g = 0; g < 16; g++)
		out[g] = scaled(d, (int8_t)b[192 + g], 32, false);
	return 16;
}

static unsigned scale_q8_k(const uint8_t *b, struct block_scale *out)
{
	double d;

	decode(DT_F32, &d, b, 1);
	out[0] = scaled(d, 1, 0, false);
	return 1;
}

/* 6 bits each, less 32: the low four in the nibbles of 4 bytes, the high two in a 16-bit word before them. */
static unsigned scale_iq4_xs(const uint8_t *b, struct block_scale *out)
{
	double d = half_at(b);

	for (unsigned g = 0; g < 8; g++) {
		int low = b[4 + g / 2] >> 4 * (g % 2) & 15, high = b[2 + g / 4] >> 2 * (g % 4) & 3;

		out[g] = scaled(d, (low | high << 4) - 32, 0, true);
	}
	return 8;
}

/* A power of two; the table holds doubled values. */
static unsigned scale_mxfp4(const uint8_t *b, struct block_scale *out)
{
	out[0] = scaled(ldexp(1, b[0] - 128), 1, 0, true);
	return 1;
}

/* E4M3 without a sign, halved likewise; 0x7f is 0. */
static unsigned scale_nvfp4(const uint8_t *b, struct block_scale *out)
{
	for (unsigned g = 0; g < 4; g++) {
		int code = b[g] & 127, e = code >> 3, m = code & 7;

		out[g] = scaled(ldexp(1, (e ? e : 1) - 11), code == 127 ? 0 : e ? m + 8 : m, 0, true);
	}
	return 4;
}

static unsigned (*const readers[DT_COUNT])(const uint8_t *, struct block_scale *) = {
	[DT_Q4_0] = scale_q4_0, [DT_Q4_1] = scale_and_least, [DT_Q5_0] = scale_q5_0, [DT_Q5_1] = scale_and_least,
	[DT_Q8_0] = scale_q8_0, [DT_Q8_1] = scale_q8_0,      [DT_Q2_K] = scale_q2_k, [DT_Q3_K] = scale_q3_k,
	[DT_Q4_K] = scale_q4_k, [DT_Q5_K] = scale_q4_k,      [DT_Q6_K] = scale_q6_k, [DT_Q8_K] = scale_q8_k,
	[DT_IQ4_NL] = scale_iq4_nl, [DT_IQ4_XS] = scale_iq4_xs, [DT_MXFP4] = scale_mxfp4, [DT_NVFP4] = scale_nvfp4,
	[DT_Q1_0] = scale_q1_0, [DT_Q2_0] = scale_q2_0,      [DT_TQ1_0] = scale_tq1_0, [DT_TQ2_0] = scale_tq2_0,
};

unsigned block_scales(enum dtype type, const uint8_t *block, struct block_scale out[SCALES_MAX])
{
	return readers[type] ? readers[type](block, out) : 0;
}

int block_code(enum dtype type, uint16_t code)
{
	return dtypes[type].kind == KIND_BLOCK && dtypes[type].code_bits == 8 ? (int8_t)(uint8_t)code : code;
}
