/* Bytes to words: packed little-endian, at any alignment. */
#ifndef NUM_LE_H
#define NUM_LE_H

#include <stdint.h>
#include <string.h>

static inline uint16_t le16(const uint8_t *p)
{
	uint16_t x;

	memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap16(x);
#endif
	return x;
}

static inline uint32_t le32(const uint8_t *p)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap32(x);
#endif
	return x;
}

static inline uint64_t le64(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	return x;
}

static inline float float_of(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static inline uint32_t bits_of(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static inline float le_f32(const uint8_t *p)
{
	return float_of(le32(p));
}

static inline double le_f64(const uint8_t *p)
{
	uint64_t bits = le64(p);
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static inline float le_bf16(const uint8_t *p)
{
	return float_of((uint32_t)le16(p) << 16);
}

/* binary16, without a branch. Normal numbers get a new exponent bias (127 - 15 = 112); a subnormal m * 2^-24 is
 * read as the fraction of a number in [2^-14, 2^-13), from which 2^-14 is taken away; infinities and NaN get the
 * top exponent. */
static inline float f16_of(uint16_t h)
{
	uint32_t rest = h & 0x7fffu, sign = (h & 0x8000u) << 16, tiny = 0u - (uint32_t)(rest < 0x400);
	uint32_t normal = (rest << 13) + (112u << 23) + (rest >= 0x7c00 ? 112u << 23 : 0);
	uint32_t small = bits_of(float_of((rest << 13) | 113u << 23) - 0x1p-14f);

	return float_of((small & tiny) | (normal & ~tiny) | sign);
}

static inline float le_f16(const uint8_t *p)
{
	return f16_of(le16(p));
}

#endif
