/*
 * The plain types, and the table of all. Formulas: the safetensors reference's dtypes, the OCP FP8 and MX
 * specifications.
 */
#include "num/decode.h"

#include <math.h>
#include <pthread.h>

#include "num/decoder.h"

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

/* An element of a complex type is two numbers, one after the other. The inner loop is one that compilers make vectors
 * of: its length is known. */
#define PLAIN(name, load, size, numbers)                                             \
	static void name(double *restrict out, const uint8_t *in, size_t n)          \
	{                                                                            \
		enum { STEP = 16 };                                                  \
		size_t left = (numbers) * n;                                         \
	                                                                             \
		for (; left >= STEP; left -= STEP, in += STEP * (size), out += STEP) \
			for (size_t i = 0; i < STEP; i++)                            \
				out[i] = (double)load(in + (size) * i);              \
		for (size_t i = 0; i < left; i++)                                    \
			out[i] = (double)load(in + (size) * i);                      \
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

static void small_tables(void)
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

static inline void get_by_code(double *restrict out, const uint8_t *in, size_t n, const double *table)
{
	for (size_t i = 0; i < n; i++)
		out[i] = table[in[i]];
}

/* Two to a byte, the even element in the low nibble (the order of torch's float4_e2m1fn_x2). */
static inline void get_by_nibble(double *restrict out, const uint8_t *in, size_t n, const double *table)
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

static inline void get_by_code6(double *restrict out, const uint8_t *in, size_t n, const double *table)
{
	for (size_t i = 0; i < n; i++)
		out[i] = table[code6(in, i)];
}

#define BY_TABLE(name, get, table)                                          \
	static void name(double *restrict out, const uint8_t *in, size_t n) \
	{                                                                   \
		get(out, in, n, table);                                     \
	}

BY_TABLE(get_e4m3, get_by_code, e4m3)
BY_TABLE(get_e5m2, get_by_code, e5m2)
BY_TABLE(get_e4m3fnuz, get_by_code, e4m3fnuz)
BY_TABLE(get_e5m2fnuz, get_by_code, e5m2fnuz)
BY_TABLE(get_e8m0, get_by_code, e8m0)
BY_TABLE(get_e2m3, get_by_code6, e2m3)
BY_TABLE(get_e3m2, get_by_code6, e3m2)
BY_TABLE(get_e2m1, get_by_nibble, e2m1)

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

/* ---- the table ---- */

#define DECODER(...) &(const struct decoder){__VA_ARGS__}

static const struct decoder *const decoders[DT_COUNT] = {
	[DT_BOOL] = DECODER(get_bool, codes_8),
	[DT_U8] = DECODER(get_u8, codes_8),
	[DT_I8] = DECODER(get_i8, codes_8),
	[DT_U16] = DECODER(get_u16, codes_16),
	[DT_I16] = DECODER(get_i16, codes_16),
	[DT_U32] = DECODER(get_u32, NULL),
	[DT_I32] = DECODER(get_i32, NULL),
	[DT_U64] = DECODER(get_u64, NULL),
	[DT_I64] = DECODER(get_i64, NULL),
	[DT_F16] = DECODER(get_f16, codes_16),
	[DT_BF16] = DECODER(get_bf16, codes_16),
	[DT_F32] = DECODER(get_f32, NULL),
	[DT_F64] = DECODER(get_f64, NULL),
	[DT_C32] = DECODER(get_c32, NULL),
	[DT_C64] = DECODER(get_c64, NULL),
	[DT_C128] = DECODER(get_c128, NULL),
	[DT_F8_E4M3] = DECODER(get_e4m3, codes_8),
	[DT_F8_E5M2] = DECODER(get_e5m2, codes_8),
	[DT_F8_E4M3FNUZ] = DECODER(get_e4m3fnuz, codes_8),
	[DT_F8_E5M2FNUZ] = DECODER(get_e5m2fnuz, codes_8),
	[DT_F8_E8M0] = DECODER(get_e8m0, codes_8),
	[DT_F6_E2M3] = DECODER(get_e2m3, codes_6),
	[DT_F6_E3M2] = DECODER(get_e3m2, codes_6),
	[DT_F4] = DECODER(get_e2m1, codes_4),
	[DT_Q4_0] = &decode_q4_0,
	[DT_Q4_1] = &decode_q4_1,
	[DT_Q5_0] = &decode_q5_0,
	[DT_Q5_1] = &decode_q5_1,
	[DT_Q8_0] = &decode_q8_0,
	[DT_Q8_1] = &decode_q8_1,
	[DT_Q2_K] = &decode_q2_k,
	[DT_Q3_K] = &decode_q3_k,
	[DT_Q4_K] = &decode_q4_k,
	[DT_Q5_K] = &decode_q5_k,
	[DT_Q6_K] = &decode_q6_k,
	[DT_Q8_K] = &decode_q8_k,
	[DT_IQ2_XXS] = &decode_iq2_xxs,
	[DT_IQ2_XS] = &decode_iq2_xs,
	[DT_IQ3_XXS] = &decode_iq3_xxs,
	[DT_IQ1_S] = &decode_iq1_s,
	[DT_IQ4_NL] = &decode_iq4_nl,
	[DT_IQ3_S] = &decode_iq3_s,
	[DT_IQ2_S] = &decode_iq2_s,
	[DT_IQ4_XS] = &decode_iq4_xs,
	[DT_IQ1_M] = &decode_iq1_m,
	[DT_TQ1_0] = &decode_tq1_0,
	[DT_TQ2_0] = &decode_tq2_0,
	[DT_MXFP4] = &decode_mxfp4,
	[DT_NVFP4] = &decode_nvfp4,
	[DT_Q1_0] = &decode_q1_0,
	[DT_Q2_0] = &decode_q2_0,
};

bool decode_can(enum dtype t)
{
	return (unsigned)t < DT_COUNT && decoders[t];
}

unsigned decode_width(enum dtype t)
{
	return dtypes[t].kind == KIND_COMPLEX ? 2 : 1;
}

static void make_tables(void)
{
	small_tables();
	decode_block_tables();
	decode_iq_tables();
}

static const struct decoder *decoder_of(enum dtype t)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_tables);
	return decoders[t];
}

void decode(enum dtype t, double *out, const uint8_t *in, size_t n)
{
	decoder_of(t)->values(out, in, n);
}

void decode_codes(enum dtype t, uint16_t *out, const uint8_t *in, size_t n)
{
	decoder_of(t)->codes(out, in, n);
}
