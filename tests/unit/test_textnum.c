/* format/textnum: numbers in text, against strtof(3) and by hand. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/textnum.h"

static struct textnum over(const char *z)
{
	return textnum_of((struct bytes){(const uint8_t *)z, strlen(z)});
}

/* The only number of a text, from memory that ends right behind it. */
static enum textnum_rc parse(const char *z, float *x)
{
	size_t n = strlen(z);
	uint8_t *p = malloc(n ? n : 1);
	struct textnum t;
	enum textnum_rc rc;

	memcpy(p, z, n);
	t = textnum_of((struct bytes){p, n});
	rc = textnum_f32(&t, x);
	if (rc == TEXTNUM_OK)
		assert_true(t.p == t.end);
	free(p);
	return rc;
}

static void same_as_strtof(const char *z)
{
	float got, want = strtof(z, NULL);

	if (parse(z, &got) != TEXTNUM_OK || memcmp(&got, &want, sizeof(got)) != 0)
		fail_msg("%s: got %a, want %a", z, (double)got, (double)want);
}

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static void decimals(void **state)
{
	static const char *const hard[] = {
		"0", "-0", "+0.0", ".5", "5.", "-.25e1", "1e0", "1E+2", "00012.500", "1e-45", "7e-46", "7.1e-46",
		"3.4028235e38", "3.4028236e38", "1e39", "-1e999", "1e-999", "1.17549435e-38", "1.17549421e-38",
		"16777217", "16777217.0000000000000001", "33554434.9999", "8388608.5", "8388609.5", "0.1", "-0.30000001",
		"18446744073709551615", "18446744073709551616", "9007199254740993", "123456789012345678901234567890",
		"0.000000000000000000000000000000000000000000001401298464324817",
		"1.00000017881393432617187499", "1.00000017881393432617187500", "1.00000017881393432617187501",
	};
	(void)state;

	for (size_t i = 0; i < COUNT(hard); i++)
		same_as_strtof(hard[i]);
}

/* Floats and the points half way between two of them, as text of several lengths. */
static void many_decimals(void **state)
{
	char z[80];
	(void)state;

	for (int i = 0; i < 400000; i++) {
		uint64_t r = next_random();
		uint32_t bits = (uint32_t)(r >> 32), up = bits + 1;
		double x;
		float f, g;

		memcpy(&f, &bits, sizeof(f));
		memcpy(&g, &up, sizeof(g));
		if (!isfinite(f) || !isfinite(g))
			continue;
		x = r & 1 ? (double)f : ((double)f + (double)g) / 2;
		snprintf(z, sizeof(z), "%.*g", (int)(r >> 1 & 15) + 6, x);
		same_as_strtof(z);
		snprintf(z, sizeof(z), "%" PRId64 "e%d", (int64_t)(r >> (r & 31)), (int)(r >> 8 & 63) - 32);
		same_as_strtof(z);
	}
}

static void words(void **state)
{
	static const char *const none[] = {"", " ", "-", "+", ".", "-.", "e5", "1e", "1e+", "1.5x", "0x10", "1,5", "1.2.3",
					   "--1", "1e5.0", "nanx", "na", "infinit", "1_000", ("\xc2\xa0" "1"), "1-2"};
	static const char *const infinite[] = {"inf", "-INF", "+Infinity", "-infinity"};
	float x;
	(void)state;

	for (size_t i = 0; i < COUNT(none); i++)
		assert_int_equal(parse(none[i], &x), i < 2 ? TEXTNUM_END : TEXTNUM_BAD);
	for (size_t i = 0; i < COUNT(infinite); i++) {
		assert_int_equal(parse(infinite[i], &x), TEXTNUM_OK);
		assert_true(isinf(x) && (x < 0) == (infinite[i][0] == '-'));
	}
	assert_int_equal(parse("-NaN", &x), TEXTNUM_OK);
	assert_true(isnan(x));
}

static void long_ones(void **state)
{
	char z[1100];
	float x;
	(void)state;

	memset(z, '1', sizeof(z));
	z[1024] = '\0';
	assert_int_equal(parse(z, &x), TEXTNUM_OK);
	assert_true(isinf(x));
	z[1024] = '1';
	z[1025] = '\0';
	assert_int_equal(parse(z, &x), TEXTNUM_BAD);
	memset(z, '0', 1000); /* nothing but zeros is quick, however long */
	strcpy(z + 1000, ".5");
	assert_int_equal(parse(z, &x), TEXTNUM_OK);
	assert_true(x == 0.5f);
}

static void scanning(void **state)
{
	struct textnum t = over(" 1\t2e0\r\n-3\n\n x4 5"), line;
	struct str word;
	float x;
	(void)state;

	assert_true(textnum_line(&t, &line));
	assert_int_equal(textnum_f32(&line, &x), TEXTNUM_OK);
	assert_int_equal(textnum_f32(&line, &x), TEXTNUM_OK);
	assert_true(x == 2);
	assert_int_equal(textnum_f32(&line, &x), TEXTNUM_END);
	assert_true(textnum_line(&t, &line) && textnum_f32(&line, &x) == TEXTNUM_OK && x == -3);
	assert_true(textnum_line(&t, &line) && textnum_f32(&line, &x) == TEXTNUM_END);
	assert_int_equal(textnum_f32(&t, &x), TEXTNUM_BAD);
	assert_int_equal(textnum_at(&t), 13);
	assert_true(textnum_word(&t, &word) && str_eq(word, STR("x4")));
	assert_int_equal(textnum_f32(&t, &x), TEXTNUM_OK);
	assert_false(textnum_line(&t, &line));
	assert_false(textnum_word(&t, &word));
}

static void integers(void **state)
{
	static const struct {
		const char *text;
		int64_t x;
	} good[] = {{"0", 0}, {"-0", 0}, {"+17", 17}, {"-128", -128}, {"0009", 9}, {"9223372036854775807", INT64_MAX},
		    {"-9223372036854775808", INT64_MIN}};
	static const char *const bad[] = {"-", "+", "1.0", "1e3", "x", "12x", "9223372036854775808",
					  "-9223372036854775809", "99999999999999999999999"};
	int64_t x;
	(void)state;

	for (size_t i = 0; i < COUNT(good); i++) {
		struct textnum t = over(good[i].text);

		assert_int_equal(textnum_i64(&t, &x), TEXTNUM_OK);
		assert_true(x == good[i].x && t.p == t.end);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct textnum t = over(bad[i]);

		assert_int_equal(textnum_i64(&t, &x), TEXTNUM_BAD);
		assert_true(t.p == t.start);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimals), cmocka_unit_test(many_decimals), cmocka_unit_test(words),
		cmocka_unit_test(long_ones), cmocka_unit_test(scanning),     cmocka_unit_test(integers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
