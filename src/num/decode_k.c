/* ggml's blocks of 256 elements in groups: the K types and the ternary ones. */
#include "num/decoder.h"

/* ---- pairs of bits: the four of a byte are 32 elements apart, each half of 128 elements has 32 bytes ---- */

static inline void unpack_pairs(uint8_t *restrict q, const uint8_t *restrict in)
{
	for (size_t half = 0; half < 2; half++, q += 128, in += 32)
		for (size_t i = 0; i < 32; i++) {
			q[i] = in[i] & 3;
			q[32 + i] = in[i] >> 2 & 3;
			q[64 + i] = in[i] >> 4 & 3;
			q[96 + i] = in[i] >> 6;
		}
}

/* Q2_K: |16 bytes of scales|64 bytes of pairs|d f16|dmin f16| = 84 bytes, 16 groups of 16 elements. Of a group's byte
 * the low nibble is its scale, in units of d, and the high one what is taken away, in units of dmin. */
static inline void q2_k_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_pairs(q, b + 16);
}

static inline void q2_k_block(double *restrict out, const uint8_t *restrict b)
{
	float d = le_f16(b + 80), dmin = le_f16(b + 82);
	uint8_t q[256];

	q2_k_unpack(q, b);
	for (size_t g = 0; g < 16; g++)
		scale_add(out + 16 * g, q + 16 * g, 16, d * (float)(b[g] & 15), -(dmin * (float)(b[g] >> 4)));
}

BLOCK_TYPE(q2_k, 256, 84);

/* Q3_K: |32 bytes of third bits|64 bytes of pairs|12 bytes of scales|d f16| = 110 bytes, 16 groups of 16 elements.
 * The third bit of element e is bit e / 32 of byte e % 32. */
static inline void q3_k_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_pairs(q, b + 32);
	for (size_t k = 0; k < 8; k++)
		for (size_t i = 0; i < 32; i++)
			q[32 * k + i] |= (uint8_t)((b[i] >> k & 1) << 2);
}

/* 6 bits, less 32. The low 4 are the nibbles of bytes 0 to 7 (groups 0 to 7: low), the high 2 the pairs of bytes 8 to
 * 11 (groups 0 to 3: lowest). */
static inline int q3_scale(const uint8_t *s, size_t group)
{
	unsigned low = s[group % 8] >> 4 * (group / 8) & 15, high = s[8 + group % 4] >> 2 * (group / 4) & 3;

	return (int)(low | high << 4) - 32;
}

static inline void q3_k_block(double *restrict out, const uint8_t *restrict b)
{
	float d = le_f16(b + 108);
	uint8_t q[256];

	q3_k_unpack(q, b);
	for (size_t g = 0; g < 16; g++)
		scale(out + 16 * g, q + 16 * g, 16, d * (float)q3_scale(b + 96, g), 4);
}

BLOCK_TYPE(q3_k, 256, 110);

/* ---- 4 and 5 bits: groups 2j and 2j + 1, of 32 elements, share 32 bytes; the even one has the low nibbles ---- */

static inline void unpack_groups(uint8_t *restrict q, const uint8_t *restrict in)
{
	for (size_t j = 0; j < 4; j++)
		unpack_nibbles(q + 64 * j, in + 32 * j, 32);
}

/*
 * 8 groups, each with a 6-bit scale and a 6-bit minimum, in 12 bytes. Those of groups 0 to 3 are the low 6 bits of
 * bytes 0 to 3 and 4 to 7; of those of groups 4 to 7 the low 4 bits are in bytes 8 to 11 (scale: low nibble, minimum:
 * high) and the high 2 on top of bytes 0 to 7.
 */
static inline void k4_scales(const uint8_t *s, size_t group, uint8_t *scale, uint8_t *min)
{
	if (group < 4) {
		*scale = s[group] & 63;
		*min = s[group + 4] & 63;
	} else {
		*scale = (uint8_t)((s[group + 4] & 15) | (s[group - 4] >> 6) << 4);
		*min = (uint8_t)((s[group + 4] >> 4) | (s[group] >> 6) << 4);
	}
}

/* |d f16|dmin f16|12 bytes of scales|... begin both types; the codes are unpacked. */
static inline void k4_values(double *restrict out, const uint8_t *restrict b, const uint8_t *restrict q)
{
	float d = le_f16(b), dmin = le_f16(b + 2);

	for (size_t g = 0; g < 8; g++) {
		uint8_t sc, min;

		k4_scales(b + 4, g, &sc, &min);
		scale_add(out + 32 * g, q + 32 * g, 32, d * (float)sc, -(dmin * (float)min));
	}
}

/* Q4_K: ...|128 bytes of nibbles| = 144 bytes */
static inline void q4_k_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_groups(q, b + 16);
}

static inline void q4_k_block(double *restrict out, const uint8_t *restrict b)
{
	uint8_t q[256];

	q4_k_unpack(q, b);
	k4_values(out, b, q);
}

BLOCK_TYPE(q4_k, 256, 144);

/* Q5_K: ...|32 bytes of fifth bits|128 bytes of nibbles| = 176 bytes; bit g of byte i is that of element i of group g
 * */
static inline void q5_k_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_groups(q, b + 48);
	for (size_t g = 0; g < 8; g++)
		for (size_t i = 0; i < 32; i++)
			q[32 * g + i] |= (uint8_t)((b[16 + i] >> g & 1) << 4);
}

static inline void q5_k_block(double *restrict out, const uint8_t *restrict b)
{
	uint8_t q[256];

	q5_k_unpack(q, b);
	k4_values(out, b, q);
}

BLOCK_TYPE(q5_k, 256, 176);

/* ---- 6 and 8 bits ---- */

/* Q6_K: |128 bytes of nibbles|64 bytes of pairs|16 x i8 scales|d f16| = 210 bytes. Each half of 128 elements has 64
 * and 32 bytes of these: nibbles of elements 0 to 63 (low) and 64 to 127 (high), and pairs that are 32 elements
 * apart. */
static inline void q6_k_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	const uint8_t *low = b, *high = b + 128;

	for (size_t half = 0; half < 2; half++, q += 128, low += 64, high += 32)
		for (size_t i = 0; i < 32; i++) {
			q[i] = (uint8_t)((low[i] & 15) | (high[i] & 3) << 4);
			q[32 + i] = (uint8_t)((low[32 + i] & 15) | (high[i] >> 2 & 3) << 4);
			q[64 + i] = (uint8_t)(low[i] >> 4 | (high[i] >> 4 & 3) << 4);
			q[96 + i] = (uint8_t)(low[32 + i] >> 4 | (high[i] >> 6) << 4);
		}
}

static inline void q6_k_block(double *restrict out, const uint8_t *restrict b)
{
	const int8_t *scales = (const int8_t *)b + 192;
	float d = le_f16(b + 208);
	uint8_t q[256];

	q6_k_unpack(q, b);
	for (size_t g = 0; g < 16; g++)
		scale(out + 16 * g, q + 16 * g, 16, d * (float)scales[g], 32);
}

BLOCK_TYPE(q6_k, 256, 210);

/* Q8_K: |d f32|256 x i8|16 x i16, the sums of 16 codes each| = 292 bytes */
static inline void q8_k_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	memcpy(q, b + 4, 256);
}

static inline void q8_k_block(double *restrict out, const uint8_t *restrict b)
{
	scale_signed(out, (const int8_t *)b + 4, 256, le_f32(b));
}

BLOCK_TYPE(q8_k, 256, 292);

/* ---- ternary: -d, 0, d ---- */

/*
 * Several base-3 digits to a byte, the first one highest: the byte is the number 0.t0t1t2.. in base 3, rounded up,
 * times 256. Multiplied by 3^t and taken modulo 256 it begins with digit t, which one more multiplication by 3 lifts
 * out. Digits t of n bytes are neighbouring elements.
 */
static inline void unpack_digits(uint8_t *restrict q, const uint8_t *restrict in, size_t n, size_t digits)
{
	uint8_t power = 1;

	for (size_t t = 0; t < digits; t++, q += n, power = (uint8_t)(power * 3))
		for (size_t i = 0; i < n; i++) {
			uint8_t rest = (uint8_t)(in[i] * power);

			q[i] = (uint8_t)(rest * 3 >> 8);
		}
}

/* TQ1_0: |32 bytes of 5 digits|16 bytes of 5 digits|4 bytes of 4 digits|d f16| = 54 bytes */
static inline void tq1_0_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_digits(q, b, 32, 5);
	unpack_digits(q + 160, b + 32, 16, 5);
	unpack_digits(q + 240, b + 48, 4, 4);
}

static inline void tq1_0_block(double *restrict out, const uint8_t *restrict b)
{
	uint8_t q[256];

	tq1_0_unpack(q, b);
	scale(out, q, 256, le_f16(b + 52), 1);
}

BLOCK_TYPE(tq1_0, 256, 54);

/* TQ2_0: |64 bytes of pairs|d f16| = 66 bytes; code 3, which the quantiser does not make, is 2d */
static inline void tq2_0_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	unpack_pairs(q, b);
}

static inline void tq2_0_block(double *restrict out, const uint8_t *restrict b)
{
	uint8_t q[256];

	tq2_0_unpack(q, b);
	scale(out, q, 256, le_f16(b + 64), 1);
}

BLOCK_TYPE(tq2_0, 256, 66);
