/* num/refine: exact quantiles against sorting. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "num/refine.h"

enum { N = 5000, MANY = 200000 };

static uint64_t state_of_random = 1;

static uint32_t random_bits(void) /* Knuth's MMIX generator */
{
	state_of_random = state_of_random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state_of_random >> 32);
}

static double element(int kind)
{
	double u = random_bits() * 0x1p-32 - 0.5;
	uint64_t bits = (uint64_t)random_bits() << 32 | random_bits();
	double x;

	switch (kind) {
	case 0: return u;
	case 1: return 1 + u * 1e-9;                                 /* all in one bin */
	case 2: return random_bits() % 3 ? 0.0 : random_bits() % 2 ? -0.0 : u;
	case 3: return (double)(random_bits() % 5) - 2;              /* few values */
	case 4: return u * 5e-308;                                   /* subnormal doubles, and a little more */
	case 5: return random_bits() % 50 ? u : random_bits() % 2 ? INFINITY : NAN;
	default:
		memcpy(&x, &bits, sizeof(x));
		return x;
	}
}

enum { KINDS = 7 };

static int by_value(const void *pa, const void *pb)
{
	double a = *(const double *)pa, b = *(const double *)pb;

	return (a > b) - (a < b);
}

/* Hyndman and Fan's type 7, from the nearer neighbour, as NumPy does it. */
static double sorted_quantile(const double *x, size_t n, double p)
{
	double at = p * (double)(n - 1), t;
	size_t k = (size_t)at;
	double a = x[k], b = x[k + 1 < n ? k + 1 : k];

	t = at - (double)k;
	if (t <= 0)
		return a;
	return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

/* Counts with dist, refines with two threads' worth of counters, and compares each quantile. Returns the passes. */
static unsigned passes_of(enum dtype type, const double *x, const float *f, size_t n)
{
	struct dist *d = f ? dist_new(type) : dist_new_values();
	struct refine *r;
	double *sorted = malloc(n * sizeof(*sorted));
	size_t finite = 0;
	unsigned passes = 0;
	bool more = true;

	if (f)
		dist_add_floats(d, NULL, f, n);
	else
		dist_add(d, NULL, x, n);
	for (size_t i = 0; i < n; i++)
		if (isfinite(x[i]))
			sorted[finite++] = x[i];
	qsort(sorted, finite, sizeof(*sorted), by_value);
	assert_int_equal(dist_values(d), finite);
	r = refine_new(d, quantile_at, Q_COUNT);
	dist_free(d);
	for (more = !refine_done(r); more; passes++) {
		struct refine *other = refine_like(r);

		refine_add(r, x, n / 3);
		refine_add(other, x + n / 3, n - n / 3);
		refine_merge(r, other);
		refine_free(other);
		more = refine_next(r);
	}
	for (size_t i = 0; i < Q_COUNT; i++)
		if (refine_quantile(r, i) != sorted_quantile(sorted, finite, quantile_at[i]))
			fail_msg("quantile %g of %zu elements: %.17g, sorted %.17g", quantile_at[i], finite,
				 refine_quantile(r, i), sorted_quantile(sorted, finite, quantile_at[i]));
	refine_free(r);
	free(sorted);
	return passes;
}

static void test_doubles(void **state)
{
	static double x[N];

	(void)state;
	for (int kind = 0; kind < KINDS; kind++)
		for (int turn = 0; turn < 20; turn++) {
			size_t n = turn ? 1 + random_bits() % N : 1;

			for (size_t i = 0; i < n; i++)
				x[i] = element(kind);
			x[0] = 0.25; /* one that is finite */
			assert_in_range(passes_of(DT_F64, x, NULL, n), 0, 4);
		}
}

static void test_floats_take_one_pass(void **state)
{
	static double x[N];
	static float f[N];

	(void)state;
	for (int kind = 0; kind < KINDS; kind++)
		for (int turn = 0; turn < 20; turn++) {
			for (size_t i = 0; i < N; i++) {
				uint32_t bits = random_bits();

				f[i] = (float)element(kind);
				if (kind == KINDS - 1)
					memcpy(&f[i], &bits, sizeof(bits));
				x[i] = f[i];
			}
			x[0] = f[0] = 0.25f;
			assert_in_range(passes_of(DT_F32, x, f, N), 0, 1);
		}
}

/* More in their bins than are gathered: these are counted first. */
static void test_crowded_bins(void **state)
{
	static double x[MANY];
	static float f[MANY];

	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		for (size_t i = 0; i < MANY; i++) {
			x[i] = element(kind);
			f[i] = (float)x[i];
		}
		x[0] = f[0] = 0.25f;
		assert_in_range(passes_of(DT_F64, x, NULL, MANY), 0, 4);
		for (size_t i = 0; i < MANY; i++)
			x[i] = f[i];
		assert_in_range(passes_of(DT_F32, x, f, MANY), 0, 1);
	}
}

static void test_codes_need_none(void **state)
{
	static const uint8_t raw[] = {0, 0x3c, 0, 0x40};
	static const double x[] = {1, 2};
	struct dist *d = dist_new(DT_F16);

	(void)state;
	assert_null(refine_new(d, quantile_at, Q_COUNT));
	dist_add(d, raw, x, 2);
	assert_null(refine_new(d, quantile_at, Q_COUNT));
	dist_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_floats_take_one_pass),
		cmocka_unit_test(test_crowded_bins),
		cmocka_unit_test(test_codes_need_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
