/* num/decode: every code of every small type against formulas written another way. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "num/decode.h"

static bool same(double x, double y) /* NaN is NaN; -0 is not +0 */
{
	return isnan(x) ? isnan(y) : x == y && signbit(x) == signbit(y);
}

#define assert_same(got, want)                                                    \
	do {                                                                      \
		double g_ = (got), w_ = (want);                                   \
		if (!same(g_, w_))                                                \
			fail_msg("%s is %.17g, want %.17g", #got, g_, w_);        \
	} while (0)

/* An IEEE number of 1 + e + f bits, digit by digit. */
static double ieee(unsigned code, int e, int f)
{
	int bias = (1 << (e - 1)) - 1, exponent = (int)(code >> f) & ((1 << e) - 1);
	double x = exponent ? 1 : 0, bit = 0.5;

	for (int i = f - 1; i >= 0; i--, bit /= 2)
		if (code >> i & 1)
			x += bit;
	if (exponent == (1 << e) - 1)
		x = x == 1 ? INFINITY : NAN;
	else
		x *= pow(2, (exponent ? exponent : 1) - bias);
	return code >> (e + f) & 1 ? -x : x;
}

static void sixteen_bits(void **state)
{
	enum { N = 65536 };
	static uint8_t raw[2 * N];
	static double f16[N], bf16[N], i16[N], u16[N], c32[N];
	static uint16_t codes[N];
	(void)state;

	for (unsigned i = 0; i < N; i++) {
		raw[2 * i] = (uint8_t)i;
		raw[2 * i + 1] = (uint8_t)(i >> 8);
	}
	decode(DT_F16, f16, raw, N);
	decode(DT_BF16, bf16, raw, N);
	decode(DT_I16, i16, raw, N);
	decode(DT_U16, u16, raw, N);
	decode(DT_C32, c32, raw, N / 2);
	decode_codes(DT_F16, codes, raw, N);
	for (unsigned i = 0; i < N; i++) {
		assert_same(f16[i], ieee(i, 5, 10));
		assert_same(c32[i], ieee(i, 5, 10));
		assert_same(bf16[i], ieee(i, 8, 7));
		assert_same(i16[i], i < 32768 ? (double)i : (double)i - 65536);
		assert_same(u16[i], i);
		assert_int_equal(codes[i], i);
	}
	assert_int_equal(decode_width(DT_C32), 2);
	assert_int_equal(decode_width(DT_F16), 1);
}

static void eight_bits(void **state)
{
	uint8_t raw[256];
	double x[256];
	(void)state;

	for (unsigned i = 0; i < 256; i++)
		raw[i] = (uint8_t)i;
	decode(DT_F8_E5M2, x, raw, 256);
	for (unsigned i = 0; i < 256; i++)
		assert_same(x[i], ieee(i, 5, 2));
	decode(DT_F8_E4M3, x, raw, 256);
	for (unsigned i = 0; i < 256; i++) /* the top exponent holds numbers, up to 448 */
		assert_same(x[i], (i & 127) == 127 ? NAN
				  : (i & 0x78) == 0x78 ? copysign(256 * (1 + (i & 7) / 8.0), i & 128 ? -1 : 1)
						       : ieee(i, 4, 3));
	decode(DT_F8_E5M2FNUZ, x, raw, 256);
	for (unsigned i = 0; i < 256; i++) /* half of E5M2, with numbers in the top exponent */
		assert_same(x[i], i == 128 ? NAN
				  : (i & 0x7c) == 0x7c ? copysign(32768 * (1 + (i & 3) / 4.0), i & 128 ? -1 : 1)
						       : ieee(i, 5, 2) / 2);
	decode(DT_F8_E4M3FNUZ, x, raw, 256);
	for (unsigned i = 0; i < 256; i++)
		assert_same(x[i], i == 128 ? NAN
				  : (i & 0x78) == 0x78 ? copysign(128 * (1 + (i & 7) / 8.0), i & 128 ? -1 : 1)
						       : ieee(i, 4, 3) / 2);
	decode(DT_F8_E8M0, x, raw, 256);
	for (unsigned i = 0; i < 256; i++)
		assert_same(x[i], i == 255 ? NAN : pow(2, (int)i - 127));
	decode(DT_I8, x, raw, 256);
	for (unsigned i = 0; i < 256; i++)
		assert_same(x[i], i < 128 ? (double)i : (double)i - 256);
	decode(DT_U8, x, raw, 256);
	for (unsigned i = 0; i < 256; i++)
		assert_same(x[i], i);
	decode(DT_BOOL, x, raw, 256);
	for (unsigned i = 0; i < 256; i++)
		assert_same(x[i], i != 0);
}

static void six_and_four_bits(void **state)
{
	/* elements 1, 2, 3, 62: 000001 | 000010 << 6 | 000011 << 12 | 111110 << 18 */
	static const uint8_t packed[3] = {0x81, 0x30, 0xf8};
	static const double e2m1[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
	uint8_t raw[8 * 3];
	uint16_t codes[64];
	double x[64];
	(void)state;

	decode_codes(DT_F6_E2M3, codes, packed, 4);
	assert_true(codes[0] == 1 && codes[1] == 2 && codes[2] == 3 && codes[3] == 62);
	decode(DT_F6_E2M3, x, packed, 4);
	assert_same(x[0], 0.125);
	assert_same(x[3], -7);
	decode(DT_F6_E3M2, x, packed, 4);
	assert_same(x[0], 0.0625);
	assert_same(x[2], 0.1875);
	assert_same(x[3], -24);
	for (unsigned i = 0; i < 16; i++)
		raw[i] = (uint8_t)(i | (15 - i) << 4);
	decode(DT_F4, x, raw, 32);
	decode_codes(DT_F4, codes, raw, 32);
	for (unsigned i = 0; i < 32; i++) {
		unsigned code = i % 2 ? 15 - i / 2 : i / 2;

		assert_int_equal(codes[i], code);
		assert_same(x[i], code & 8 ? -e2m1[code & 7] : e2m1[code]);
	}
}

static void wide_types(void **state)
{
	static const uint8_t raw[] = {0xff, 1, 2, 3, 4, 5, 6, 0x87, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f};
	double x[2];
	(void)state;

	decode(DT_U32, x, raw + 1, 1);
	assert_same(x[0], 0x04030201);
	decode(DT_I32, x, raw + 4, 1);
	assert_same(x[0], (double)(int32_t)0x87060504);
	decode(DT_U64, x, raw, 1);
	assert_same(x[0], (double)0x87060504030201ffu);
	decode(DT_I64, x, raw, 1);
	assert_same(x[0], -(double)(0 - 0x87060504030201ffu));
	decode(DT_F64, x, raw + 8, 1);
	assert_same(x[0], INFINITY);
	decode(DT_F32, x, raw + 1, 1);
	assert_same(x[0], 0x1.060402p-119);
	decode(DT_C64, x, raw + 8, 1);
	assert_true(x[0] == 0 && isnan(x[1]));
	decode(DT_C128, x, raw, 1);
	assert_same(x[1], INFINITY);
}

/* Scales 1.5 (0x3e00) and 0.5 (0x3800), and codes that tell their places. */
static void blocks_of_32(void **state)
{
	uint8_t raw[34] = {0x00, 0x3e};
	uint16_t codes[32];
	double x[32];
	(void)state;

	for (int i = 0; i < 32; i++)
		raw[2 + i] = (uint8_t)(i * 8 - 128);
	decode(DT_Q8_0, x, raw, 32);
	decode_codes(DT_Q8_0, codes, raw, 32);
	for (int i = 0; i < 32; i++) {
		assert_same(x[i], 1.5 * (i * 8 - 128) + 0.0);
		assert_int_equal(codes[i], (i * 8 + 128) % 256);
	}
	for (int i = 0; i < 16; i++)
		raw[2 + i] = (uint8_t)(i | (15 - i) << 4);
	decode(DT_Q4_0, x, raw, 32);
	decode_codes(DT_Q4_0, codes, raw, 32);
	for (int i = 0; i < 32; i++) {
		int code = i < 16 ? i : 31 - i;

		assert_same(x[i], 1.5 * (code - 8));
		assert_int_equal(codes[i], code);
	}
}

static void blocks_of_256(void **state)
{
	uint8_t k4[144] = {0x00, 0x3e, 0x00, 0x38}, k6[210] = {0};
	uint8_t scale[8] = {1, 2, 3, 63, 17, 34, 51, 60}, min[8] = {5, 0, 62, 7, 63, 16, 33, 50};
	uint16_t codes[256];
	double x[256];
	(void)state;

	for (int g = 0; g < 4; g++) { /* packing the 6-bit fields, the reverse of what decode does */
		k4[4 + g] = (uint8_t)(scale[g] | (scale[g + 4] >> 4) << 6);
		k4[8 + g] = (uint8_t)(min[g] | (min[g + 4] >> 4) << 6);
		k4[12 + g] = (uint8_t)((scale[g + 4] & 15) | (min[g + 4] & 15) << 4);
	}
	for (int e = 0; e < 256; e++)
		k4[16 + e / 64 * 32 + e % 32] |= (uint8_t)((e * 7 % 16) << (e / 32 % 2 ? 4 : 0));
	decode(DT_Q4_K, x, k4, 256);
	decode_codes(DT_Q4_K, codes, k4, 256);
	for (int e = 0; e < 256; e++) {
		assert_same(x[e], 1.5 * scale[e / 32] * (e * 7 % 16) - 0.5 * min[e / 32]);
		assert_int_equal(codes[e], e * 7 % 16);
	}
	k6[208] = 0;
	k6[209] = 0x3e;
	for (int e = 0; e < 256; e++) {
		int code = e * 11 % 64, half = e / 128, quarter = e % 128 / 32;

		k6[half * 64 + quarter % 2 * 32 + e % 32] |= (uint8_t)((code & 15) << (quarter < 2 ? 0 : 4));
		k6[128 + half * 32 + e % 32] |= (uint8_t)((code >> 4) << 2 * quarter);
		k6[192 + e / 16] = (uint8_t)(e / 16 * 5 - 40);
	}
	decode(DT_Q6_K, x, k6, 256);
	decode_codes(DT_Q6_K, codes, k6, 256);
	for (int e = 0; e < 256; e++) {
		double want = 1.5 * (e / 16 * 5 - 40) * (e * 11 % 64 - 32);

		assert_true(x[e] == want);
		assert_int_equal(codes[e], e * 11 % 64);
	}
}

/* The table of types and the table of decoders belong together: every type is named, has a size and is decoded, and
 * its decoder goes by that size. */
static void tables_agree(void **state)
{
	enum { BLOCKS = 3 };
	uint8_t raw[BLOCKS * 512];
	uint16_t codes[BLOCKS * 256 + 1], code[256];
	double all[BLOCKS * 256 + 1], one[256];
	(void)state;

	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i * 37 + i / 256 * 11);
	assert_false(decode_can(DT_OPAQUE));
	assert_false(decode_can(DT_COUNT));
	for (int t = DT_OPAQUE + 1; t < DT_COUNT; t++) {
		const struct dtype_info *d = &dtypes[t];
		unsigned n = d->items * decode_width((enum dtype)t);

		assert_non_null(d->name);
		assert_int_equal(dtype_by_name(str_of(d->name)), t);
		assert_int_not_equal(d->kind, KIND_OPAQUE);
		assert_true(d->items && d->bytes && d->bytes <= sizeof(raw) / BLOCKS && d->code_bits <= 16);
		assert_true(decode_can((enum dtype)t));
		all[BLOCKS * n] = 12345;
		decode((enum dtype)t, all, raw, BLOCKS * d->items);
		assert_true(all[BLOCKS * n] == 12345);
		for (unsigned b = 0; b < BLOCKS; b++) {
			decode((enum dtype)t, one, raw + b * d->bytes, d->items);
			for (unsigned i = 0; i < n; i++)
				assert_same(all[b * n + i], one[i]);
		}
		if (!d->code_bits)
			continue;
		codes[BLOCKS * n] = 54321;
		decode_codes((enum dtype)t, codes, raw, BLOCKS * d->items);
		assert_int_equal(codes[BLOCKS * n], 54321);
		for (unsigned b = 0; b < BLOCKS; b++) {
			decode_codes((enum dtype)t, code, raw + b * d->bytes, d->items);
			assert_memory_equal(codes + b * n, code, n * sizeof(*code));
			for (unsigned i = 0; i < n; i++)
				assert_true(code[i] >> (d->code_bits - 1) <= 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_bits),  cmocka_unit_test(eight_bits),    cmocka_unit_test(six_and_four_bits),
		cmocka_unit_test(wide_types),    cmocka_unit_test(blocks_of_32),  cmocka_unit_test(blocks_of_256),
		cmocka_unit_test(tables_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
