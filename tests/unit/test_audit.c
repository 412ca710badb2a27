/* The measures behind weigh audit: the robust z-score, and what stands in the lowest bits of fractions. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/lowbits.h"
#include "num/robust.h"

static void assert_near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want))))
		fail_msg("got %.17g, want %.17g", got, want);
}

static void test_median(void **state)
{
	double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, one[] = {-7};
	(void)state;

	assert_near(robust_median(odd, 3), 3);
	assert_near(robust_median(even, 4), 2.5);
	assert_near(robust_median(one, 1), -7);
	assert_true(isnan(robust_median(one, 0)));
}

/* The example of Iglewicz and Hoaglin's formula, worked by hand: median 3, |x - 3| = 2 1 0 1 97, MAD 1. */
static void test_z(void **state)
{
	const double x[] = {1, 2, 3, 4, 100};
	double z[5];
	(void)state;

	robust_z(z, x, 5);
	assert_near(z[0], -2 * 0.6745);
	assert_near(z[2], 0);
	assert_near(z[4], 97 * 0.6745);
	assert_near(x[4], 100);
}

/* More than half are the same: the mean of |x - median| is 10 / 5 = 2. */
static void test_z_same(void **state)
{
	const double x[] = {1, 1, 1, 1, 11}, same[] = {2, 2, 2};
	double z[5];
	(void)state;

	robust_z(z, x, 5);
	assert_near(z[0], 0);
	assert_near(z[4], 10 / (1.2533 * 2));
	robust_z(z, same, 3);
	assert_near(z[0], 0);
	robust_z(z, same, 0);
}

static uint64_t seed = 1;

static uint64_t draw(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed;
}

/* Floats with random signs, exponents near 1 and fractions of `high` random bits at the top and `low` ones below. */
static void fill(uint8_t *out, size_t n, unsigned high, unsigned low)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t x = (uint32_t)(120 + draw() % 8) << 23, f = (uint32_t)draw() & 0x7fffff;

		x |= f & (0x7fffffu << (23 - high)) & 0x7fffff;
		x |= (uint32_t)draw() & ((1u << low) - 1);
		for (int k = 0; k < 4; k++)
			out[4 * i + k] = (uint8_t)(x >> 8 * k);
	}
}

static struct lowbits measure(const uint8_t *raw, size_t n)
{
	struct lowbits b = {0};

	lowbits_window(&b, 4, raw, 5, n);
	return b;
}

static void test_lowbits(void **state)
{
	static uint8_t raw[4 * LOWBITS_WINDOW];
	size_t n = LOWBITS_WINDOW;
	struct lowbits b;
	(void)state;

	fill(raw, n, 7, 8); /* from BF16, a byte hidden in each */
	b = measure(raw, n);
	assert_int_equal(b.windows, 1);
	assert_int_equal(b.first, 5);
	assert_int_equal(b.low, 8);
	assert_int_equal(b.gap, 8);
	assert_true(b.entropy > 0.99 && b.entropy <= 1);
	fill(raw, n, 7, 1);
	assert_int_equal(measure(raw, n).low, 1);
	assert_int_equal(measure(raw, LOWBITS_LEAST - 1).windows, 0); /* too few to tell */

	fill(raw, n, 7, 0);
	assert_int_equal(measure(raw, n).windows, 0); /* rounded, and nothing below */
	fill(raw, n, 23, 0);
	assert_int_equal(measure(raw, n).windows, 0); /* full precision */
	fill(raw, n, 0, 6);
	assert_int_equal(measure(raw, n).windows, 0); /* powers of two and a little noise */
	fill(raw, n, 14, 7);
	assert_int_equal(measure(raw, n).windows, 0); /* two zero bits are no gap */
	fill(raw, n, 7, 8);
	for (size_t i = 0; i < n; i++)
		raw[4 * i] = 1; /* the same in all: not random */
	assert_int_equal(measure(raw, n).windows, 0);
	memset(raw, 0, sizeof(raw));
	assert_int_equal(measure(raw, n).windows, 0);
}

static void test_lowbits_f64(void **state)
{
	static uint8_t raw[8 * LOWBITS_WINDOW];
	struct lowbits b = {0};
	(void)state;

	for (size_t i = 0; i < LOWBITS_WINDOW; i++) { /* doubles made of floats, five bits in each */
		float f = (float)((double)(draw() >> 11) * 0x1p-53 + 0.5);
		double d = (double)f;
		uint64_t x;

		memcpy(&x, &d, 8);
		x |= draw() & 31;
		for (int k = 0; k < 8; k++)
			raw[8 * i + k] = (uint8_t)(x >> 8 * k);
	}
	lowbits_window(&b, 8, raw, 0, LOWBITS_WINDOW);
	assert_int_equal(b.windows, 1);
	assert_int_equal(b.low, 5);
	assert_int_equal(b.gap, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_median),  cmocka_unit_test(test_z),           cmocka_unit_test(test_z_same),
		cmocka_unit_test(test_lowbits), cmocka_unit_test(test_lowbits_f64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
