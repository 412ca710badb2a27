/*
 * ggml's IQ types, blocks of 256 elements. Most store 8 or 4 elements together, as the index of a grid's entry, with
 * signs or an offset beside it; so an element has no code of its own.
 */
#include "num/decode_iq.h"

#include "num/decoder.h"

struct iq_grids iq_grids;

/* 7 stored signs, and an eighth that makes the number of minus signs even. */
static uint8_t even_signs[128];

static void expand(uint8_t *out, const uint16_t *codes, size_t entries, unsigned bits, const uint8_t *numbers)
{
	unsigned n = bits == 2 ? 8 : 4, mask = (1u << bits) - 1;

	for (size_t i = 0; i < entries; i++)
		for (unsigned j = 0; j < n; j++)
			*out++ = numbers[codes[i] >> bits * j & mask];
}

void decode_iq_tables(void)
{
	static const uint8_t iq2[4] = {8, 25, 43}, iq1[4] = {0, 8, 16};
	static const uint8_t iq3xxs[8] = {4, 12, 20, 28, 36, 44, 52, 62}, iq3s[8] = {1, 3, 5, 7, 9, 11, 13, 15};

	expand(iq_grids.iq2xxs[0], iq2xxs_codes, IQ2XXS_SIZE, 2, iq2);
	expand(iq_grids.iq2xs[0], iq2xs_codes, IQ2XS_SIZE, 2, iq2);
	expand(iq_grids.iq2s[0], iq2s_codes, IQ2S_SIZE, 2, iq2);
	expand(iq_grids.iq3xxs[0], iq3xxs_codes, IQ3XXS_SIZE, 3, iq3xxs);
	expand(iq_grids.iq3s[0], iq3s_codes, IQ3S_SIZE, 3, iq3s);
	expand(iq_grids.iq1s[0], iq1s_codes, IQ1S_SIZE, 2, iq1);
	for (unsigned i = 0; i < 128; i++)
		even_signs[i] = (uint8_t)(i | (unsigned)__builtin_parity(i) << 7);
}

/* ---- eight elements at a time ---- */

static inline uint64_t eight(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

/* Two entries of four elements. */
static inline uint64_t four_and_four(const uint8_t *p, const uint8_t *q)
{
	uint8_t both[8];

	memcpy(both, p, 4);
	memcpy(both + 4, q, 4);
	return eight(both);
}

/* Negates the bytes whose bits in `signs` are set: -x is ~x + 1, and no carry leaves a byte since none is 0. */
static inline void put_signed(int8_t *out, uint64_t bytes, uint8_t signs)
{
	uint64_t minus = eight(bit_bytes[signs]);

	bytes = (bytes ^ minus) + (minus & 0x0101010101010101);
	memcpy(out, &bytes, sizeof(bytes));
}

#define VALUES_ONLY(name, items, bytes)                                     \
	static void name##_values(double *out, const uint8_t *in, size_t n) \
	{                                                                   \
		for (; n; n -= (items), in += (bytes), out += (items))      \
			name##_block(out, in);                              \
	}                                                                   \
	const struct decoder decode_##name = {name##_values, NULL}

/* ---- about 2 bits ---- */

/* IQ2_XXS: |d f16|8 x {4 bytes of indices|u32}| = 66 bytes. Of the u32 of 32 elements the top 4 bits are the scale,
 * the rest the signs of 8 elements each, 7 bits from the lowest up. */
static inline void iq2_xxs_block(double *restrict out, const uint8_t *restrict b)
{
	float d = le_f16(b);

	b += 2;
	for (size_t g = 0; g < 8; g++, b += 8, out += 32) {
		uint32_t rest = le32(b + 4);
		int8_t v[32];

		for (size_t l = 0; l < 4; l++)
			put_signed(v + 8 * l, eight(iq_grids.iq2xxs[b[l]]), even_signs[rest >> 7 * l & 127]);
		scale_signed(out, v, 32, d * (0.5f + (float)(rest >> 28)) * 0.25f);
	}
}

VALUES_ONLY(iq2_xxs, 256, 66);

/* IQ2_XS: |d f16|32 x u16|8 bytes of scales| = 74 bytes. A u16 has the index of 8 elements in its low 9 bits, their
 * signs above; the nibbles of a byte of scales are those of 16 elements each, the low one first. */
static inline void iq2_xs_block(double *restrict out, const uint8_t *restrict b)
{
	float d = le_f16(b);

	for (size_t g = 0; g < 16; g++, out += 16) {
		float s = 0.5f + (float)nibble_at(b + 66, g);
		int8_t v[16];

		for (size_t l = 0; l < 2; l++) {
			uint16_t q = le16(b + 2 + 4 * g + 2 * l);

			put_signed(v + 8 * l, eight(iq_grids.iq2xs[q & 511]), even_signs[q >> 9]);
		}
		scale_signed(out, v, 16, d * s * 0.25f);
	}
}

VALUES_ONLY(iq2_xs, 256, 74);

/* IQ2_S: |d f16|32 low bytes of indices|32 bytes of signs|8 bytes of high pairs|8 bytes of scales| = 82 bytes; the
 * pairs of a byte are the top bits of 4 indices, the lowest first. */
static inline void iq2_s_block(double *restrict out, const uint8_t *restrict b)
{
	float d = le_f16(b);

	for (size_t g = 0; g < 16; g++, out += 16) {
		float s = 0.5f + (float)nibble_at(b + 74, g);
		int8_t v[16];

		for (size_t l = 0; l < 2; l++) {
			size_t k = 2 * g + l, index = b[2 + k] | pair_at(b + 66, k) << 8;

			put_signed(v + 8 * l, eight(iq_grids.iq2s[index]), b[34 + k]);
		}
		scale_signed(out, v, 16, d * s * 0.25f);
	}
}

VALUES_ONLY(iq2_s, 256, 82);

/* ---- about 3 bits ---- */

/* IQ3_XXS: |d f16|64 indices|8 x u32| = 98 bytes; the u32 as in IQ2_XXS. */
static inline void iq3_xxs_block(double *restrict out, const uint8_t *restrict b)
{
	float d = le_f16(b);

	for (size_t g = 0; g < 8; g++, out += 32) {
		const uint8_t *q = b + 2 + 8 * g;
		uint32_t rest = le32(b + 66 + 4 * g);
		int8_t v[32];

		for (size_t l = 0; l < 4; l++) {
			uint64_t x = four_and_four(iq_grids.iq3xxs[q[2 * l]], iq_grids.iq3xxs[q[2 * l + 1]]);

			put_signed(v + 8 * l, x, even_signs[rest >> 7 * l & 127]);
		}
		scale_signed(out, v, 32, d * (0.5f + (float)(rest >> 28)) * 0.5f);
	}
}

VALUES_ONLY(iq3_xxs, 256, 98);

/* IQ3_S: |d f16|64 low bytes of indices|8 bytes of their high bits|32 bytes of signs|4 bytes of scales| = 110 bytes;
 * a nibble of scales goes with 32 elements. */
static inline void iq3_s_block(double *restrict out, const uint8_t *restrict b)
{
	float d = le_f16(b);

	for (size_t g = 0; g < 8; g++, out += 32) {
		unsigned s = nibble_at(b + 106, g), high = b[66 + g];
		const uint8_t *q = b + 2 + 8 * g;
		int8_t v[32];

		for (size_t l = 0; l < 4; l++) {
			unsigned one = q[2 * l] | (high << (8 - 2 * l) & 256);
			unsigned two = q[2 * l + 1] | (high << (7 - 2 * l) & 256);

			put_signed(v + 8 * l, four_and_four(iq_grids.iq3s[one], iq_grids.iq3s[two]), b[74 + 4 * g + l]);
		}
		scale_signed(out, v, 32, d * (float)(1 + 2 * s));
	}
}

VALUES_ONLY(iq3_s, 256, 110);

/* ---- about 1 bit: an element of the grid, -1, 0 or 1, and 1/8 added or taken away ---- */

/* In eighths, 9 above their value. The bytes of the grid are even and at most 16. */
static inline void put_eighths(uint8_t *out, size_t index, bool minus)
{
	uint64_t x = eight(iq_grids.iq1s[index]) | (minus ? 0 : 0x0202020202020202);

	memcpy(out, &x, sizeof(x));
}

/* IQ1_S: |d f16|32 low bytes of indices|8 x u16| = 50 bytes. The u16 of 32 elements has the high 3 bits of 4 indices
 * from the lowest up, 3 bits of scale, and on top whether 1/8 is taken away. */
static inline void iq1_s_block(double *restrict out, const uint8_t *restrict b)
{
	float d = le_f16(b);

	for (size_t g = 0; g < 8; g++, out += 32) {
		unsigned rest = le16(b + 34 + 2 * g);
		uint8_t q[32];

		for (size_t l = 0; l < 4; l++)
			put_eighths(q + 8 * l, b[2 + 4 * g + l] | (rest >> 3 * l & 7) << 8, rest >> 15);
		scale(out, q, 32, d * (float)(2 * (rest >> 12 & 7) + 1) * 0.125f, 9);
	}
}

VALUES_ONLY(iq1_s, 256, 50);

/* IQ1_M: |32 low bytes of indices|16 bytes of nibbles|4 x u16| = 56 bytes. The nibble of 8 elements has the high 3
 * bits of their index, and on top whether 1/8 is taken away. A u16 has the scales of 4 groups of 16 elements, 3 bits
 * each from the lowest up, and on top 4 bits of d f16. */
static inline void iq1_m_block(double *restrict out, const uint8_t *restrict b)
{
	const uint8_t *s = b + 48;
	float d = f16_of((uint16_t)(s[1] >> 4 | (s[3] & 0xf0) | (s[5] & 0xf0) << 4 | (s[7] & 0xf0) << 8));

	for (size_t g = 0; g < 16; g++, out += 16) {
		unsigned sc = (unsigned)le16(s + 2 * (g / 4)) >> 3 * (g % 4) & 7, nibbles = b[32 + g];
		uint8_t q[16];

		put_eighths(q, b[2 * g] | (nibbles & 7) << 8, nibbles >> 3 & 1);
		put_eighths(q + 8, b[2 * g + 1] | (nibbles >> 4 & 7) << 8, nibbles >> 7);
		scale(out, q, 16, d * (float)(2 * sc + 1) * 0.125f, 9);
	}
}

VALUES_ONLY(iq1_m, 256, 56);

/* ---- 4 bits ---- */

/* IQ4_XS: |d f16|2 bytes of high pairs|4 bytes of low nibbles|128 bytes of nibbles| = 136 bytes. 8 groups of 32
 * elements: the scale of one is 6 bits, less 32, from the two before; its codes are 16 bytes as those of IQ4_NL. */
static inline void iq4_xs_unpack(uint8_t *restrict q, const uint8_t *restrict b)
{
	for (size_t g = 0; g < 8; g++)
		unpack_nibbles(q + 32 * g, b + 8 + 16 * g, 16);
}

static inline void iq4_xs_block(double *restrict out, const uint8_t *restrict b)
{
	float d = le_f16(b);

	for (size_t g = 0; g < 8; g++, out += 32) {
		unsigned sc = nibble_at(b + 4, g) | pair_at(b + 2, g) << 4;
		const uint8_t *nibbles = b + 8 + 16 * g;
		int8_t v[32];

		for (size_t i = 0; i < 16; i++) {
			v[i] = iq4_values[nibbles[i] & 15];
			v[16 + i] = iq4_values[nibbles[i] >> 4];
		}
		scale_signed(out, v, 32, d * (float)((int)sc - 32));
	}
}

BLOCK_TYPE(iq4_xs, 256, 136);
