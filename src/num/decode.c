/*
 * Layouts and formulas: the safetensors reference's dtypes, the OCP FP8 and MX specifications, and the block
 * formats of ggml (ggml-common.h, dequantize_row_* of ggml-quants.c), whose float32 operations are done in the same
 * order.
 */
#include "num/decode.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

/* ---- bytes to words; packed little-endian, at any alignment ---- */

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
static inline float le_f16(const uint8_t *p)
{
	uint32_t h = le16(p), rest = h & 0x7fff, sign = (h & 0x8000) << 16;
	uint32_t normal = (rest << 13) + (112u << 23) + (rest >= 0x7c00 ? 112u << 23 : 0);
	uint32_t small = bits_of(float_of((rest << 13) | 113u << 23) - 0x1p-14f);

	return float_of((rest < 0x400 ? small : normal) | sign);
}

static inline uint8_t u8_at(const uint8_t *p)
{
	return *p;
}

static inline int8_t i8_at(const uint8_t *p)
{
	return (int8_t)*p;
}

static inline int truth_of(const uint8_t *p)
{
	return *p != 0;
}

/* ---- plain types ---- */

/* An element of a complex type is two numbers, one after the other. */
#define PLAIN(name, load, size, numbers)                                                \
	static void name(const double *table, double *out, const uint8_t *in, size_t n) \
	{                                                                               \
		(void)table;                                                            \
		for (size_t i = 0; i < (numbers) * n; i++)                              \
			out[i] = (double)load(in + (size) * i);                         \
	}

PLAIN(get_bool, truth_of, 1, 1)
PLAIN(get_u8, u8_at, 1, 1)
PLAIN(get_i8, i8_at, 1, 1)
PLAIN(get_u16, le16, 2, 1)
PLAIN(get_i16, (int16_t)le16, 2, 1)
PLAIN(get_u32, le32, 4, 1)
PLAIN(get_i32, (int32_t)le32, 4, 1)
PLAIN(get_u64, le64, 8, 1)
PLAIN(get_i64, (int64_t)le64, 8, 1)
PLAIN(get_f16, le_f16, 2, 1)
PLAIN(get_bf16, le_bf16, 2, 1)
PLAIN(get_f32, le_f32, 4, 1)
PLAIN(get_f64, le_f64, 8, 1)
PLAIN(get_c32, le_f16, 2, 2)
PLAIN(get_c64, le_f32, 4, 2)
PLAIN(get_c128, le_f64, 8, 2)

/* ---- floats of 8 bits and less: by table ---- */

enum specials {
	NO_SPECIALS,   /* every code is a number: F6, F4 */
	IEEE_SPECIALS, /* the top exponent: infinities and NaN */
	TOP_IS_NAN,    /* only all ones is NaN, in both signs; no infinity */
	MINUS_0_IS_NAN /* the one NaN is where -0 would be */
};

struct small_float {
	unsigned exponent_bits, fraction_bits;
	int bias;
	enum specials specials;
};

/* (-1)^s * 2^(e - bias) * 1.m, or for e = 0 (-1)^s * 2^(1 - bias) * 0.m */
static double small_value(const struct small_float *t, unsigned code)
{
	unsigned top = (1u << t->exponent_bits) - 1, ones = (1u << t->fraction_bits) - 1;
	unsigned m = code & ones, e = (code >> t->fraction_bits) & top;
	bool minus = code >> (t->exponent_bits + t->fraction_bits) & 1;
	double x = ldexp(e ? m + ones + 1.0 : m, (e ? (int)e : 1) - t->bias - (int)t->fraction_bits);

	if (t->specials == IEEE_SPECIALS && e == top)
		x = m ? NAN : INFINITY;
	if ((t->specials == TOP_IS_NAN && e == top && m == ones) ||
	    (t->specials == MINUS_0_IS_NAN && minus && !e && !m))
		x = NAN;
	return minus ? -x : x;
}

static double e4m3[256], e5m2[256], e4m3fnuz[256], e5m2fnuz[256], e8m0[256], e2m3[64], e3m2[64], e2m1[16];

static void make_tables(void)
{
	static const struct {
		struct small_float type;
		double *table;
		unsigned codes;
	} rows[] = {
		{{4, 3, 7, TOP_IS_NAN}, e4m3, 256},
		{{5, 2, 15, IEEE_SPECIALS}, e5m2, 256},
		{{4, 3, 8, MINUS_0_IS_NAN}, e4m3fnuz, 256},
		{{5, 2, 16, MINUS_0_IS_NAN}, e5m2fnuz, 256},
		{{2, 3, 1, NO_SPECIALS}, e2m3, 64},
		{{3, 2, 3, NO_SPECIALS}, e3m2, 64},
		{{2, 1, 1, NO_SPECIALS}, e2m1, 16},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (unsigned code = 0; code < rows[i].codes; code++)
			rows[i].table[code] = small_value(&rows[i].type, code);
	for (int code = 0; code < 256; code++) /* a scale: no sign, no zero */
		e8m0[code] = code == 255 ? NAN : ldexp(1, code - 127);
}

static void get_by_code(const double *table, double *out, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = table[in[i]];
}

/* Two to a byte, the even element in the low nibble (the order of torch's float4_e2m1fn_x2). */
static void get_by_nibble(const double *table, double *out, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i += 2) {
		out[i] = table[in[i / 2] & 15];
		out[i + 1] = table[in[i / 2] >> 4];
	}
}

/*
 * Four elements to three bytes. The order is our assumption, since safetensors does not fix it: bits are filled
 * from the lowest up,
 *   byte 0: 1100 0000   byte 1: 2222 1111   byte 2: 3333 3322   (the digit is the element a bit belongs to)
 */
static inline uint16_t code6(const uint8_t *in, size_t i)
{
	const uint8_t *p = in + 3 * (i / 4);
	uint32_t word = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;

	return word >> 6 * (i % 4) & 63;
}

static void get_by_code6(const double *table, double *out, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = table[code6(in, i)];
}

/* ---- blocks of ggml ---- */

/* Q8_0, 34 bytes: |scale f16|32 x i8| */
static void get_q8_0(const double *table, double *out, const uint8_t *in, size_t n)
{
	(void)table;
	for (; n; n -= 32, in += 34, out += 32) {
		float d = le_f16(in);

		for (size_t i = 0; i < 32; i++)
			out[i] = d * (float)i8_at(in + 2 + i);
	}
}

/* Q4_0, 18 bytes: |scale f16|n0 n16|n1 n17|...|n15 n31|. The two nibbles of a byte are 16 elements apart: the low
 * ones are elements 0 to 15, the high ones 16 to 31. */
static void get_q4_0(const double *table, double *out, const uint8_t *in, size_t n)
{
	(void)table;
	for (; n; n -= 32, in += 18, out += 32) {
		float d = le_f16(in);

		for (size_t i = 0; i < 16; i++) {
			out[i] = (float)((in[2 + i] & 15) - 8) * d;
			out[i + 16] = (float)((in[2 + i] >> 4) - 8) * d;
		}
	}
}

/*
 * Q4_K, 144 bytes: |d f16|dmin f16|12 bytes of scales|128 bytes of nibbles|, 8 groups of 32 elements, each with a
 * 6-bit scale and a 6-bit minimum. Those of groups 0 to 3 are the low 6 bits of bytes 0 to 3 and 4 to 7; of those
 * of groups 4 to 7 the low 4 bits are in bytes 8 to 11 (scale: low nibble, minimum: high) and the high 2 on top of
 * bytes 0 to 7.
 */
static void k4_scales(const uint8_t *s, size_t group, uint8_t *scale, uint8_t *min)
{
	if (group < 4) {
		*scale = s[group] & 63;
		*min = s[group + 4] & 63;
	} else {
		*scale = (uint8_t)((s[group + 4] & 15) | (s[group - 4] >> 6) << 4);
		*min = (uint8_t)((s[group + 4] >> 4) | (s[group] >> 6) << 4);
	}
}

/* Groups 2j and 2j + 1 share 32 bytes: the even one has the low nibbles. */
static void get_q4_k(const double *table, double *out, const uint8_t *in, size_t n)
{
	(void)table;
	for (; n; n -= 256, in += 144) {
		float d = le_f16(in), dmin = le_f16(in + 2);

		for (size_t group = 0; group < 8; group++, out += 32) {
			const uint8_t *q = in + 16 + 32 * (group / 2);
			unsigned shift = 4 * (group % 2);
			uint8_t scale, min;
			float ds, dm;

			k4_scales(in + 4, group, &scale, &min);
			ds = d * (float)scale;
			dm = dmin * (float)min;
			for (size_t i = 0; i < 32; i++) {
				float x = ds * (float)(q[i] >> shift & 15);

				out[i] = x - dm;
			}
		}
	}
}

/* Q6_K, 210 bytes: |128 bytes of low nibbles|64 bytes of high bit pairs|16 x i8 scales|d f16|. Each half of 128
 * elements has 64 and 32 bytes of these; element e of it, g = e / 32: nibble g / 2 of byte 32 * (g % 2) + e % 32,
 * pair g of byte e % 32. */
static inline unsigned q6_code(const uint8_t *block, size_t e)
{
	size_t half = e / 128, g = e % 128 / 32, l = e % 32;
	unsigned low = block[64 * half + 32 * (g % 2) + l] >> 4 * (g / 2) & 15;

	return low | (block[128 + 32 * half + l] >> 2 * g & 3u) << 4;
}

static void get_q6_k(const double *table, double *out, const uint8_t *in, size_t n)
{
	(void)table;
	for (; n; n -= 256, in += 210, out += 256) {
		float d = le_f16(in + 208);

		for (size_t group = 0; group < 16; group++) {
			float ds = d * (float)i8_at(in + 192 + group);

			for (size_t e = 16 * group; e < 16 * group + 16; e++)
				out[e] = ds * (float)((int)q6_code(in, e) - 32);
		}
	}
}

/* ---- stored codes ---- */

static void codes_8(uint16_t *out, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = in[i];
}

static void codes_16(uint16_t *out, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = le16(in + 2 * i);
}

static void codes_6(uint16_t *out, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = code6(in, i);
}

static void codes_4(uint16_t *out, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = in[i / 2] >> 4 * (i % 2) & 15;
}

static void codes_q8_0(uint16_t *out, const uint8_t *in, size_t n)
{
	for (; n; n -= 32, in += 34, out += 32)
		codes_8(out, in + 2, 32);
}

static void codes_q4_0(uint16_t *out, const uint8_t *in, size_t n)
{
	for (; n; n -= 32, in += 18, out += 32)
		for (size_t i = 0; i < 32; i++)
			out[i] = in[2 + i % 16] >> 4 * (i / 16) & 15;
}

static void codes_q4_k(uint16_t *out, const uint8_t *in, size_t n)
{
	for (; n; n -= 256, in += 144, out += 256)
		for (size_t i = 0; i < 256; i++)
			out[i] = in[16 + 32 * (i / 64) + i % 32] >> 4 * (i / 32 % 2) & 15;
}

static void codes_q6_k(uint16_t *out, const uint8_t *in, size_t n)
{
	for (; n; n -= 256, in += 210, out += 256)
		for (size_t i = 0; i < 256; i++)
			out[i] = (uint16_t)q6_code(in, i);
}

/* ---- the table ---- */

static const struct decoder {
	void (*values)(const double *table, double *out, const uint8_t *in, size_t n);
	const double *table;
	void (*codes)(uint16_t *out, const uint8_t *in, size_t n);
} decoders[DT_COUNT] = {
	[DT_BOOL] = {get_bool, NULL, codes_8},
	[DT_U8] = {get_u8, NULL, codes_8},
	[DT_I8] = {get_i8, NULL, codes_8},
	[DT_U16] = {get_u16, NULL, codes_16},
	[DT_I16] = {get_i16, NULL, codes_16},
	[DT_U32] = {get_u32, NULL, NULL},
	[DT_I32] = {get_i32, NULL, NULL},
	[DT_U64] = {get_u64, NULL, NULL},
	[DT_I64] = {get_i64, NULL, NULL},
	[DT_F16] = {get_f16, NULL, codes_16},
	[DT_BF16] = {get_bf16, NULL, codes_16},
	[DT_F32] = {get_f32, NULL, NULL},
	[DT_F64] = {get_f64, NULL, NULL},
	[DT_C32] = {get_c32, NULL, NULL},
	[DT_C64] = {get_c64, NULL, NULL},
	[DT_C128] = {get_c128, NULL, NULL},
	[DT_F8_E4M3] = {get_by_code, e4m3, codes_8},
	[DT_F8_E5M2] = {get_by_code, e5m2, codes_8},
	[DT_F8_E4M3FNUZ] = {get_by_code, e4m3fnuz, codes_8},
	[DT_F8_E5M2FNUZ] = {get_by_code, e5m2fnuz, codes_8},
	[DT_F8_E8M0] = {get_by_code, e8m0, codes_8},
	[DT_F6_E2M3] = {get_by_code6, e2m3, codes_6},
	[DT_F6_E3M2] = {get_by_code6, e3m2, codes_6},
	[DT_F4] = {get_by_nibble, e2m1, codes_4},
	[DT_Q8_0] = {get_q8_0, NULL, codes_q8_0},
	[DT_Q4_0] = {get_q4_0, NULL, codes_q4_0},
	[DT_Q4_K] = {get_q4_k, NULL, codes_q4_k},
	[DT_Q6_K] = {get_q6_k, NULL, codes_q6_k},
};

bool decode_can(enum dtype t)
{
	return (unsigned)t < DT_COUNT && decoders[t].values;
}

unsigned decode_width(enum dtype t)
{
	return dtypes[t].kind == KIND_COMPLEX ? 2 : 1;
}

void decode(enum dtype t, double *out, const uint8_t *in, size_t n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (decoders[t].table)
		pthread_once(&once, make_tables);
	decoders[t].values(decoders[t].table, out, in, n);
}

void decode_codes(enum dtype t, uint16_t *out, const uint8_t *in, size_t n)
{
	decoders[t].codes(out, in, n);
}
