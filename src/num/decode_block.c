/* ggml's blocks of 32, 64 and 128 elements, each with a scale of its own. A number before | counts bytes. */
#include "num/decoder.h"

uint8_t bit_bytes[256][8];

void decode_block_tables(void)
{
	for (unsigned byte = 0; byte < 256; byte++)
		for (unsigned j = 0; j < 8; j++)
			bit_bytes[byte][j] = byte >> j & 1 ? 0xff : 0;
}

/* ---- 4 bits: the two nibbles of a byte are 16 elements apart, the low ones are elements 0 to 15 ---- */

/* Q4_0: |d f16|n0 n16|n1 n17|...|n15 n31| = 18 bytes */
static inline void q4_0_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_nibbles(q, b + 2, 16);
}

static inline void q4_0_block(double *restrict out, const uint8_t *restrict b)
{
	uint8_t q[32];

	q4_0_unpack(q, b);
	scale(out, q, 32, le_f16(b), 8);
}

BLOCK_TYPE(q4_0, 32, 18);

/* Q4_1: |d f16|m f16|nibbles as those of Q4_0| = 20 bytes */
static inline void q4_1_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_nibbles(q, b + 4, 16);
}

static inline void q4_1_block(double *restrict out, const uint8_t *restrict b)
{
	uint8_t q[32];

	q4_1_unpack(q, b);
	scale_add(out, q, 32, le_f16(b), le_f16(b + 2));
}

BLOCK_TYPE(q4_1, 32, 20);

/* ---- 5 bits: nibbles, and the fifth bits apart, that of element e being bit e of 32 ---- */

static inline void unpack_fives(uint8_t *restrict q, const uint8_t *restrict fifth, const uint8_t *restrict nibbles)
{
	unpack_nibbles(q, nibbles, 16);
	for (size_t k = 0; k < 4; k++)
		for (size_t j = 0; j < 8; j++)
			q[8 * k + j] |= bit_bytes[fifth[k]][j] & 16;
}

/* Q5_0: |d f16|32 bits|16 bytes of nibbles| = 22 bytes */
static inline void q5_0_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_fives(q, b + 2, b + 6);
}

static inline void q5_0_block(double *restrict out, const uint8_t *restrict b)
{
	uint8_t q[32];

	q5_0_unpack(q, b);
	scale(out, q, 32, le_f16(b), 16);
}

BLOCK_TYPE(q5_0, 32, 22);

/* Q5_1: |d f16|m f16|32 bits|16 bytes of nibbles| = 24 bytes */
static inline void q5_1_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_fives(q, b + 4, b + 8);
}

static inline void q5_1_block(double *restrict out, const uint8_t *restrict b)
{
	uint8_t q[32];

	q5_1_unpack(q, b);
	scale_add(out, q, 32, le_f16(b), le_f16(b + 2));
}

BLOCK_TYPE(q5_1, 32, 24);

/* ---- 8 bits ---- */

/* Q8_0: |d f16|32 x i8| = 34 bytes */
static inline void q8_0_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	memcpy(q, b + 2, 32);
}

static inline void q8_0_block(double *restrict out, const uint8_t *restrict b)
{
	scale_signed(out, (const int8_t *)b + 2, 32, le_f16(b));
}

BLOCK_TYPE(q8_0, 32, 34);

/* Q8_1: |d f16|d times the sum of the codes, f16|32 x i8| = 36 bytes */
static inline void q8_1_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	memcpy(q, b + 4, 32);
}

static inline void q8_1_block(double *restrict out, const uint8_t *restrict b)
{
	scale_signed(out, (const int8_t *)b + 4, 32, le_f16(b));
}

BLOCK_TYPE(q8_1, 32, 36);

/* ---- 4 bits that stand for other numbers ---- */

const int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/* E2M1 times two, so that they are whole: the scales that go with them are halved. */
static const int8_t fp4_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/* IQ4_NL: |d f16|nibbles as those of Q4_0| = 18 bytes */
#define iq4_nl_unpack q4_0_unpack

static inline void iq4_nl_block(double *restrict out, const uint8_t *restrict b)
{
	int8_t v[32];

	for (size_t i = 0; i < 16; i++) {
		v[i] = iq4_values[b[2 + i] & 15];
		v[16 + i] = iq4_values[b[2 + i] >> 4];
	}
	scale_signed(out, v, 32, le_f16(b));
}

BLOCK_TYPE(iq4_nl, 32, 18);

/* MXFP4: |e|nibbles as those of Q4_0| = 17 bytes; the scale is 2^(e - 127). 255, by OCP's specification NaN, is 2^128
 * here as in ggml. Half of it fits a float. */
static inline void mxfp4_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_nibbles(q, b + 1, 16);
}

static inline float half_of_e8m0(uint8_t e)
{
	return float_of(e < 2 ? 0x00200000u << e : (e - 1u) << 23); /* 2^(e - 128); for 0 and 1 a subnormal */
}

static inline void mxfp4_block(double *restrict out, const uint8_t *restrict b)
{
	int8_t v[32];

	for (size_t i = 0; i < 16; i++) {
		v[i] = fp4_doubled[b[1 + i] & 15];
		v[16 + i] = fp4_doubled[b[1 + i] >> 4];
	}
	scale_signed(out, v, 32, half_of_e8m0(b[0]));
}

BLOCK_TYPE(mxfp4, 32, 17);

/* NVFP4: |4 scales of 8 bits|4 x 8 bytes of nibbles| = 36 bytes, for 4 groups of 16 elements: of a group's bytes the
 * low nibbles are its elements 0 to 7. */
static inline void nvfp4_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	for (size_t group = 0; group < 4; group++)
		unpack_nibbles(q + 16 * group, b + 4 + 8 * group, 8);
}

/* Half of an E4M3 number, bias 7, whose sign is not looked at; 0x7f, in E4M3 NaN, is 0 here as in ggml. */
static inline float half_of_ue4m3(uint8_t code)
{
	unsigned e = code >> 3 & 15, m = code & 7;

	if (code == 0x7f)
		return 0;
	return e ? float_of((e + 127 - 7 - 1) << 23 | m << 20) : (float)m * 0x1p-10f;
}

static inline void nvfp4_block(double *restrict out, const uint8_t *restrict b)
{
	for (size_t group = 0; group < 4; group++, out += 16) {
		const uint8_t *nibbles = b + 4 + 8 * group;
		int8_t v[16];

		for (size_t i = 0; i < 8; i++) {
			v[i] = fp4_doubled[nibbles[i] & 15];
			v[8 + i] = fp4_doubled[nibbles[i] >> 4];
		}
		scale_signed(out, v, 16, half_of_ue4m3(b[group]));
	}
}

BLOCK_TYPE(nvfp4, 64, 36);

/* ---- 1 and 2 bits, the first element in the lowest ---- */

/* Q1_0: |d f16|128 bits| = 18 bytes; 1 is d, 0 is -d */
static inline void q1_0_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	for (size_t k = 0; k < 16; k++)
		for (size_t j = 0; j < 8; j++)
			q[8 * k + j] = bit_bytes[b[2 + k]][j] & 1;
}

static inline void q1_0_block(double *restrict out, const uint8_t *restrict b)
{
	float d = le_f16(b);
	uint8_t q[128];

	q1_0_unpack(q, b);
	for (size_t i = 0; i < 128; i++)
		out[i] = (double)(d * (float)(2 * q[i] - 1));
}

BLOCK_TYPE(q1_0, 128, 18);

/* Q2_0: |d f16|64 pairs of bits| = 18 bytes; -d, 0, d, 2d */
static inline void q2_0_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	for (size_t i = 0; i < 64; i++)
		q[i] = (uint8_t)pair_at(b + 2, i);
}

static inline void q2_0_block(double *restrict out, const uint8_t *restrict b)
{
	uint8_t q[64];

	q2_0_unpack(q, b);
	scale(out, q, 64, le_f16(b), 1);
}

BLOCK_TYPE(q2_0, 64, 18);
