/* num: moments and pairs on data that hurts naive sums, exact integers, counts, bins. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "num/bins.h"
#include "num/dist.h"
#include "num/exact.h"
#include "num/kern.h"

/* ---- helpers ---- */

static bool near(double got, double want, double relative)
{
	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got);
	return got == want || fabs(got - want) <= relative * fabs(want);
}

#define assert_near(got, want, relative)                                                  \
	do {                                                                              \
		double g_ = (got), w_ = (want);                                           \
		if (!near(g_, w_, relative))                                              \
			fail_msg("%s is %.17g, want %.17g", #got, g_, w_);                \
	} while (0)

static struct moments moments_of(const double *x, size_t n)
{
	struct moments m;

	moments_init(&m);
	for (size_t i = 0; i < n; i += BLOCK)
		moments_add(&m, x + i, n - i < BLOCK ? n - i : BLOCK);
	return m;
}

static struct stats stats_of(const double *x, size_t n)
{
	struct moments m = moments_of(x, n);
	struct stats s;

	moments_stats(&m, &s);
	return s;
}

static struct pairsum pairs_of(const double *a, const double *b, size_t n)
{
	struct pairsum p;

	pair_init(&p);
	for (size_t i = 0; i < n; i += BLOCK)
		pair_add(&p, a + i, b + i, i, n - i < BLOCK ? n - i : BLOCK);
	return p;
}

static struct diff diff_of(const double *a, const double *b, size_t n)
{
	struct pairsum p = pairs_of(a, b, n);
	struct diff d;

	pair_diff(&p, &d);
	return d;
}

static uint64_t rng = 88172645463325252u;

static uint64_t next_random(void) /* xorshift64, Marsaglia 2003 */
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static double uniform(void) /* [-1, 1) */
{
	return (double)(int64_t)next_random() * 0x1p-63;
}

enum { N = 100000 };

static double *reals(size_t n)
{
	return xcalloc(n, sizeof(double));
}

/* ---- moments ---- */

static void ramp(void **state)
{
	double *x = reals(N), n = N;
	struct stats s;
	(void)state;

	for (size_t i = 0; i < N; i++)
		x[i] = (double)i;
	s = stats_of(x, N);
	assert_int_equal(s.count, N);
	assert_int_equal(s.zero, 1);
	assert_near(s.min, 0, 0);
	assert_near(s.max, n - 1, 0);
	assert_near(s.absmax, n - 1, 0);
	assert_near(s.mean, (n - 1) / 2, 0);
	assert_near(s.std, sqrt((n * n - 1) / 12), 1e-14);
	assert_near(s.rms, sqrt((n - 1) * (2 * n - 1) / 6), 1e-14);
	assert_near(s.l1, n * (n - 1) / 2, 0);
	assert_near(s.l2, sqrt(n * (n - 1) * (2 * n - 1) / 6), 1e-14);
	assert_true(fabs(s.skewness) < 1e-14);
	assert_near(s.kurtosis, -1.2 * (n * n + 1) / (n * n - 1), 1e-13);
	free(x);
}

/* Seven values 2^-22 apart around 10^9: the mean is 2 * 10^15 times the standard deviation. */
static void mean_far_above_std(void **state)
{
	size_t n = 7 * 10000;
	double *x = reals(n);
	struct stats s;
	(void)state;

	for (size_t i = 0; i < n; i++)
		x[i] = 1e9 + ((double)(i % 7) - 3) * 0x1p-22;
	s = stats_of(x, n);
	assert_near(s.mean, 1e9, 0);
	assert_near(s.std, 2 * 0x1p-22, 1e-13);
	assert_near(s.kurtosis, -1.25, 1e-12);
	assert_true(fabs(s.skewness) < 1e-12);
	x[5] = 1e9 + 0x1p-20; /* no longer symmetric, and the mean no double */
	s = stats_of(x, n);
	assert_near(s.mean, 1e9, 1e-15);
	assert_near(s.std, 0x1p-22 * sqrt((4.0 * (double)n - 4 + 16) / (double)n - pow(2.0 / (double)n, 2)), 1e-12);
	free(x);
}

/* What cancels is 10^9 times and more what remains. */
static void mean_far_below_std(void **state)
{
	double *x = reals(N);
	struct stats s;
	(void)state;

	for (size_t i = 0; i < N / 2; i++) {
		x[i] = uniform();
		x[N - 1 - i] = -x[i];
	}
	x[N / 2] = -x[N / 2 - 1] + 0x1p-20;
	s = stats_of(x, N);
	assert_near(s.mean, (x[N / 2] + x[N / 2 - 1]) / N, 1e-12);
	/* and across blocks: 10^16, many small, -10^16 */
	for (size_t i = 0; i < N; i++)
		x[i] = 0.1;
	x[0] = 1e16;
	x[N - 1] = -1e16;
	s = stats_of(x, N);
	assert_near(s.mean, 0.1 * (N - 2) / N, 1e-12);
	free(x);
}

/* One of 10^30 among ones: a distribution of two points. */
static void outlier(void **state)
{
	static const size_t at[] = {0, 17, N / 2, N - 1};
	double *x = reals(N), n = N, p = 1 / n, q = 1 - p;
	(void)state;

	for (size_t k = 0; k < COUNT(at); k++) {
		struct stats s;

		for (size_t i = 0; i < N; i++)
			x[i] = 1;
		x[at[k]] = 1e30;
		s = stats_of(x, N);
		assert_near(s.mean, 1e30 / n, 1e-14);
		assert_near(s.std, 1e30 * sqrt(p * q), 1e-12);
		assert_near(s.skewness, (1 - 2 * p) / sqrt(p * q), 1e-12);
		assert_near(s.kurtosis, (1 - 6 * p * q) / (p * q), 1e-12);
		assert_near(s.l1, 1e30, 1e-14);
	}
	free(x);
}

/* The same numbers times a power of two: everything scales, nothing is lost at either end of the range. */
static void ends_of_the_range(void **state)
{
	static const int powers[] = {-1060, -1000, -700, -200, 150, 200, 700, 1000, 1010};
	double *x = reals(N), *y = reals(N);
	struct stats s, t;
	(void)state;

	for (size_t i = 0; i < N; i++)
		x[i] = (double)((int64_t)(next_random() >> 50) - 5000); /* integers: subnormals hold them, too */
	s = stats_of(x, N);
	for (size_t k = 0; k < COUNT(powers); k++) {
		int e = powers[k];

		for (size_t i = 0; i < N; i++)
			y[i] = ldexp(x[i], e);
		t = stats_of(y, N);
		assert_near(t.min, ldexp(s.min, e), 0);
		assert_near(t.mean, ldexp(s.mean, e), e < -1000 ? 1e-4 : 1e-14); /* a subnormal has few digits */
		assert_near(t.std, ldexp(s.std, e), e < -1000 ? 1e-4 : 1e-14);
		assert_near(t.rms, ldexp(s.rms, e), e < -1000 ? 1e-4 : 1e-14);
		assert_near(t.skewness, s.skewness, 1e-12);
		assert_near(t.kurtosis, s.kurtosis, 1e-12);
		assert_near(t.l1, e < 1000 ? ldexp(s.l1, e) : NAN, 1e-14); /* 2^28 above the mean */
	}
	free(x);
	free(y);
}

/* Blocks of very different size, in every order: the large ones say what comes out. */
static void mixed_scales(void **state)
{
	static const double sizes[] = {1e300, 1, 1e-300, 0};
	static double x[4 * BLOCK];
	(void)state;

	for (unsigned order = 0; order < 24; order++) {
		unsigned left = 15, rest = order;
		struct stats s;

		for (unsigned place = 0; place < 4; place++) {
			unsigned pick = rest % (4 - place), which = 0;

			rest /= 4 - place;
			while (!(left >> which & 1) || pick--)
				which++;
			left &= ~(1u << which);
			for (size_t i = 0; i < BLOCK; i++)
				x[place * BLOCK + i] = i % 2 ? sizes[which] : 3 * sizes[which];
		}
		s = stats_of(x, 4 * BLOCK);
		assert_near(s.mean, 0.5e300, 1e-14);
		assert_near(s.std, sqrt(5.0 / 4 - 1.0 / 4) * 1e300, 1e-14);
		assert_near(s.l1, 2.0 * BLOCK * 1e300, 1e-13);
		assert_int_equal(s.zero, BLOCK);
	}
}

static void beyond_a_double(void **state)
{
	double x[1000];
	struct stats s;
	(void)state;

	for (size_t i = 0; i < COUNT(x); i++)
		x[i] = i % 2 ? DBL_MAX : -DBL_MAX;
	s = stats_of(x, COUNT(x));
	assert_near(s.mean, 0, 0);
	assert_near(s.std, DBL_MAX, 1e-15);
	assert_near(s.rms, DBL_MAX, 1e-15);
	assert_near(s.l1, NAN, 0);
	assert_near(s.l2, NAN, 0);
	assert_near(s.kurtosis, -2, 1e-14);
}

static void not_numbers(void **state)
{
	double x[5000], finite[5000];
	size_t k = 0;
	struct stats s, t;
	(void)state;

	for (size_t i = 0; i < COUNT(x); i++) {
		x[i] = i % 10 == 3 ? NAN : i % 10 == 5 ? INFINITY : i % 100 == 7 ? -INFINITY : uniform();
		if (isfinite(x[i]))
			finite[k++] = x[i];
	}
	s = stats_of(x, COUNT(x));
	t = stats_of(finite, k);
	assert_int_equal(s.count, 5000);
	assert_int_equal(s.nan, 500);
	assert_int_equal(s.inf, 550);
	assert_near(s.mean, t.mean, 1e-13);
	assert_near(s.std, t.std, 1e-14);
	assert_near(s.min, t.min, 0);
	assert_near(s.kurtosis, t.kurtosis, 1e-13);
}

static void nothing_is_undefined(void **state)
{
	double x[2] = {NAN, -INFINITY};
	struct stats s = stats_of(x, 0);
	(void)state;

	for (int turn = 0; turn < 2; turn++) {
		assert_true(isnan(s.min) && isnan(s.max) && isnan(s.absmax) && isnan(s.mean) && isnan(s.std));
		assert_true(isnan(s.rms) && isnan(s.l1) && isnan(s.l2) && isnan(s.skewness) && isnan(s.kurtosis));
		s = stats_of(x, 2);
	}
	assert_int_equal(s.nan, 1);
	assert_int_equal(s.inf, 1);
}

static void constants(void **state)
{
	static const double values[] = {0.1, -7e-310, 1e308, 3, 0, -0.0};
	double *x = reals(N);
	(void)state;

	for (size_t k = 0; k < COUNT(values); k++) {
		struct stats s;

		for (size_t i = 0; i < N; i++)
			x[i] = values[k];
		s = stats_of(x, N - 3);
		assert_near(s.mean, values[k], 0);
		assert_near(s.std, 0, 0);
		assert_near(s.skewness, NAN, 0);
		assert_near(s.kurtosis, NAN, 0);
		assert_false(signbit(s.min + s.mean) && values[k] == 0);
	}
	free(x);
}

/* Against long double sums, for every length up to a few rows of lanes and some beyond a block. */
static void any_length(void **state)
{
	double x[BLOCK + 40];
	(void)state;

	for (size_t i = 0; i < COUNT(x); i++)
		x[i] = uniform() + 0.25;
	for (size_t n = 2; n <= COUNT(x); n += n < 70 ? 1 : 67) {
		long double sum = 0, m2 = 0, m3 = 0, m4 = 0, l1 = 0;
		struct stats s = stats_of(x, n);

		for (size_t i = 0; i < n; i++) {
			sum += x[i];
			l1 += fabs(x[i]);
		}
		for (size_t i = 0; i < n; i++) {
			long double d = x[i] - sum / n;

			m2 += d * d;
			m3 += d * d * d;
			m4 += d * d * d * d;
		}
		assert_near(s.mean, (double)(sum / n), 1e-13);
		assert_near(s.l1, (double)l1, 1e-14);
		assert_near(s.std, sqrt((double)(m2 / n)), 1e-13);
		assert_true(fabs(s.skewness - (double)(m3 / n / powl(m2 / n, 1.5L))) < 1e-13);
		assert_near(s.kurtosis + 3, (double)(m4 * n / (m2 * m2)), 1e-13);
	}
}

static void merging(void **state)
{
	double x[3 * BLOCK];
	struct moments all, left, right, empty;
	struct stats s, t;
	(void)state;

	for (size_t i = 0; i < COUNT(x); i++)
		x[i] = i == 5000 ? NAN : uniform();
	all = moments_of(x, COUNT(x));
	left = moments_of(x, BLOCK);
	right = moments_of(x + BLOCK, 2 * BLOCK);
	moments_init(&empty);
	moments_merge(&left, &empty);
	moments_merge(&empty, &left);
	assert_memory_equal(&empty, &left, sizeof(left));
	moments_merge(&left, &right);
	moments_stats(&all, &s);
	moments_stats(&left, &t);
	assert_near(t.mean, s.mean, 1e-14);
	assert_near(t.std, s.std, 1e-14);
	assert_near(t.kurtosis, s.kurtosis, 1e-13);
	assert_int_equal(t.nan, 1);
}

/* ---- pairs ---- */

static void what_changed_means(void **state)
{
	static const struct {
		double a, b;
		unsigned changed, flips, nan_mismatch, n;
	} rows[] = {
		{1, 1, 0, 0, 0, 1},
		{1, 2, 1, 0, 0, 1},
		{0.0, -0.0, 0, 0, 0, 1},
		{NAN, NAN, 0, 0, 0, 0},
		{NAN, 1, 1, 0, 1, 0},
		{1, NAN, 1, 0, 1, 0},
		{INFINITY, INFINITY, 0, 0, 0, 0},
		{INFINITY, -INFINITY, 1, 0, 0, 0},
		{INFINITY, 1, 1, 0, 0, 0},
		{INFINITY, NAN, 1, 0, 1, 0},
		{1, -1, 1, 1, 0, 1},
		{-1e-200, 1e-200, 1, 1, 0, 1}, /* their product underflows */
		{-0.0, 1, 1, 0, 0, 1},
		{0, -1, 1, 0, 0, 1},
		{-5e-324, 5e-324, 1, 1, 0, 1},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t n = 1; n <= 20; n += 19) { /* alone, and in a row of lanes */
			double a[20] = {0}, b[20] = {0};
			struct pairsum p;

			a[n - 1] = rows[i].a;
			b[n - 1] = rows[i].b;
			p = pairs_of(a, b, n);
			assert_int_equal(p.count, n);
			assert_int_equal(p.changed, rows[i].changed);
			assert_int_equal(p.sign_flips, rows[i].flips);
			assert_int_equal(p.nan_mismatch, rows[i].nan_mismatch);
			assert_int_equal(p.n, n - 1 + rows[i].n);
		}
}

static void known_differences(void **state)
{
	double *a = reals(N), *b = reals(N);
	struct diff d;
	(void)state;

	for (size_t i = 0; i < N; i++) {
		a[i] = 3;
		b[i] = i % 4 == 1 ? 7 : 3;
	}
	b[N - 4] = -3;
	d = diff_of(a, b, N);
	assert_int_equal(d.count, N);
	assert_int_equal(d.changed, N / 4 + 1);
	assert_near(d.changed_fraction, (N / 4 + 1.0) / N, 0);
	assert_int_equal(d.sign_flips, 1);
	assert_near(d.max_abs_diff, 6, 0);
	assert_int_equal(d.max_abs_index, N - 4);
	assert_near(d.mean_diff, 1 - 6.0 / N, 1e-15);
	assert_near(d.mean_abs_diff, 1 + 6.0 / N, 1e-15);
	assert_near(d.l2_diff, sqrt(16.0 * N / 4 + 36), 1e-15);
	assert_near(d.rmse, sqrt(4 + 36.0 / N), 1e-15);
	assert_near(d.rel_l2, sqrt((4.0 * N + 36) / (9.0 * N)), 1e-15);
	assert_near(d.snr_db, 10 * log10(9.0 * N / (4.0 * N + 36)), 1e-14);
	assert_near(d.cosine, (9.0 * N * 3 / 4 - 18 + 21.0 * N / 4) / sqrt(9.0 * N) /
				      sqrt(9.0 * N * 3 / 4 + 49.0 * N / 4), 1e-14);
	assert_true(isnan(d.p50_abs_diff) && isnan(d.p99_abs_diff));
	free(a);
	free(b);
}

static void first_of_the_largest(void **state)
{
	static double a[3 * BLOCK], b[3 * BLOCK];
	struct diff d;
	(void)state;

	d = diff_of(a, b, COUNT(a));
	assert_int_equal(d.max_abs_index, 0);
	b[5000] = -2;
	b[5001] = b[9000] = 2;
	d = diff_of(a, b, COUNT(a));
	assert_int_equal(d.max_abs_index, 5000);
	a[4990] = NAN; /* the block goes another way: the answer is the same */
	d = diff_of(a, b, COUNT(a));
	assert_int_equal(d.max_abs_index, 5000);
	assert_near(d.max_abs_diff, 2, 0);
}

static void undefined_differences(void **state)
{
	double a[4] = {0, 0, NAN, INFINITY}, b[4] = {0, 0, NAN, INFINITY};
	struct diff d = diff_of(a, b, 0);
	(void)state;

	assert_true(isnan(d.changed_fraction) && isnan(d.rel_l2) && isnan(d.cosine) && isnan(d.mean_diff));
	assert_true(d.max_abs_index == UINT64_MAX);
	d = diff_of(a + 2, b + 2, 2);
	assert_near(d.changed_fraction, 0, 0);
	assert_true(isnan(d.max_abs_diff) && isnan(d.rmse) && d.max_abs_index == UINT64_MAX);
	d = diff_of(a, b, 4); /* zeros on both sides */
	assert_near(d.max_abs_diff, 0, 0);
	assert_near(d.rmse, 0, 0);
	assert_true(isnan(d.rel_l2) && isnan(d.cosine) && isnan(d.snr_db));
	b[0] = 1; /* from nothing to something */
	d = diff_of(a, b, 4);
	assert_true(isnan(d.rel_l2) && isnan(d.cosine) && isnan(d.snr_db));
	d = diff_of(b, a, 4);
	assert_near(d.rel_l2, 1, 0);
	assert_near(d.snr_db, 0, 0);
	assert_true(isnan(d.cosine));
}

static void equal_pairs(void **state)
{
	double x[777];
	struct diff d;
	(void)state;

	for (size_t i = 0; i < COUNT(x); i++)
		x[i] = uniform();
	d = diff_of(x, x, COUNT(x));
	assert_int_equal(d.changed, 0);
	assert_near(d.rel_l2, 0, 0);
	assert_near(d.cosine, 1, 0);
	assert_near(d.snr_db, NAN, 0);
	assert_near(d.mean_diff, 0, 0);
}

/* Each of A, B and B - A may be as large or as small as a double gets, whatever the others are. */
static void ranges_of_pairs(void **state)
{
	static const double sizes[] = {4e-320, 1e-300, 1e-170, 1, 1e170, 1e300};
	(void)state;

	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t k = 0; k < COUNT(sizes); k++) {
			double a[40], b[40], big = fmax(sizes[i], sizes[k]), ratio = sizes[k] / sizes[i];
			struct diff d;

			for (size_t j = 0; j < COUNT(a); j++) {
				a[j] = sizes[i];
				b[j] = -sizes[k];
			}
			d = diff_of(a, b, COUNT(a));
			assert_int_equal(d.sign_flips, 40);
			assert_near(d.rmse, sizes[i] + sizes[k], 1e-4 * (big < 1e-310) + 1e-14);
			assert_near(d.rel_l2, isfinite(1 + ratio) ? 1 + ratio : NAN, 1e-14);
			assert_near(d.cosine, -1, 1e-14);
			if (isfinite(ratio))
				assert_true(fabs(d.snr_db + 20 * log10(1 + ratio)) <= 1e-12 * fabs(d.snr_db) + 1e-13);
			/* nearly all equal: only one element differs, by little */
			for (size_t j = 0; j < COUNT(a); j++)
				b[j] = a[j];
			a[3] = 0;
			b[3] = sizes[k];
			d = diff_of(a, b, COUNT(a));
			assert_near(d.l2_diff, sizes[k], 1e-14);
			assert_near(d.max_abs_diff, sizes[k], 0);
			assert_near(d.rel_l2, isfinite(ratio) ? ratio / sqrt(39) : NAN, ratio < 1e-307 ? 1 : 1e-13);
		}
}

static void difference_beyond_a_double(void **state)
{
	double a[3] = {-1.5e308, 0, 1}, b[3] = {1.5e308, 0, 1};
	struct diff d = diff_of(a, b, 3);
	(void)state;

	assert_near(d.max_abs_diff, NAN, 0);
	assert_int_equal(d.max_abs_index, 0);
	assert_near(d.mean_diff, 1e308, 1e-15);
	assert_near(d.rel_l2, 2, 1e-15);
	assert_near(d.cosine, -1, 1e-15);
	assert_near(d.l2_diff, NAN, 0);
	assert_near(d.rmse, 1.7320508075688772e308, 1e-15);
}

/* The mean of differences that cancel to 10^-12 of their size. */
static void cancelling_differences(void **state)
{
	double *a = reals(N), *b = reals(N);
	struct diff d;
	(void)state;

	for (size_t i = 0; i < N / 2; i++) {
		double x = (double)(float)uniform();

		b[i] = x;
		b[N - 1 - i] = -x;
	}
	b[7] += 0x1p-30;
	d = diff_of(a, b, N);
	assert_near(d.mean_diff, 0x1p-30 / N, 1e-9);
	free(a);
	free(b);
}

static void same_bytes_shortcut(void **state)
{
	static double a[2 * BLOCK], b[2 * BLOCK];
	struct pairsum slow, fast;
	struct moments m;
	struct diff d, e;
	(void)state;

	for (size_t i = 0; i < COUNT(a); i++) {
		a[i] = i == 10 ? NAN : i == 11 ? INFINITY : 1e200 * uniform();
		b[i] = i < BLOCK ? a[i] : 1e200 * uniform();
	}
	slow = pairs_of(a, b, COUNT(a));
	pair_init(&fast);
	m = moments_of(a, BLOCK);
	pair_add_same(&fast, &m);
	pair_add(&fast, a + BLOCK, b + BLOCK, BLOCK, BLOCK);
	pair_diff(&slow, &d);
	pair_diff(&fast, &e);
	assert_int_equal(fast.count, slow.count);
	assert_int_equal(fast.changed, slow.changed);
	assert_int_equal(fast.n, slow.n);
	assert_int_equal(e.max_abs_index, d.max_abs_index);
	assert_near(e.rel_l2, d.rel_l2, 1e-14);
	assert_near(e.cosine, d.cosine, 1e-12);
	assert_near(e.mean_diff, d.mean_diff, 1e-14);
}

static void given_differences(void **state)
{
	double a[3000], b[3000], d[3000];
	bool same[3000];
	struct pairsum p, q;
	struct diff x, y;
	(void)state;

	for (size_t i = 0; i < COUNT(a); i++) {
		a[i] = uniform();
		b[i] = i % 3 ? a[i] : uniform();
		d[i] = b[i] - a[i];
		same[i] = a[i] == b[i];
	}
	same[1] = false; /* as if the doubles hid it */
	d[1] = 0x1p-10;
	p = pairs_of(a, b, COUNT(a));
	pair_init(&q);
	pair_add_given(&q, a, b, d, same, 0, COUNT(a));
	pair_diff(&p, &x);
	pair_diff(&q, &y);
	assert_int_equal(y.changed, x.changed + 1);
	assert_int_equal(y.max_abs_index, x.max_abs_index);
	assert_near(y.mean_diff, x.mean_diff + 0x1p-10 / 3000, 1e-12);
	assert_near(y.cosine, x.cosine, 1e-14);
}

static void complex_pairs(void **state)
{
	/* 3+4i -> 0, 1 -> i, NaN on both sides, inf, 1 -> 1 */
	double a[] = {3, 4, 1, 0, NAN, 0, INFINITY, 0, 1, 0}, b[] = {0, 0, 0, 1, NAN, 0, 0, INFINITY, 1, -0.0};
	struct pairsum p;
	struct diff d;
	(void)state;

	pair_init(&p);
	pair_add_complex(&p, a, b, 100, 5);
	pair_diff(&p, &d);
	assert_int_equal(d.count, 5);
	assert_int_equal(d.changed, 3);
	assert_int_equal(d.nan_mismatch, 0);
	assert_int_equal(d.sign_flips, 0);
	assert_int_equal(p.n, 3);
	assert_near(d.max_abs_diff, 5, 0);
	assert_int_equal(d.max_abs_index, 100);
	assert_near(d.mean_diff, (5 + sqrt(2)) / 3, 1e-15);
	assert_near(d.mean_abs_diff, (5 + sqrt(2)) / 3, 1e-15);
	assert_near(d.l2_diff, sqrt(27), 1e-15);
	assert_near(d.rel_l2, 1, 1e-15);
	assert_near(d.cosine, 1 / (sqrt(27) * sqrt(2)), 1e-15); /* re(a * conj(b)): 0 + 0 + 1 */
}

/* ---- exact integers ---- */

static void put(uint8_t *raw, uint64_t x)
{
	for (size_t i = 0; i < 8; i++)
		raw[i] = (uint8_t)(x >> 8 * i);
}

static void exact_one(enum dtype ta, uint64_t a, double da, enum dtype tb, uint64_t b, double db, double want,
		      bool equal)
{
	uint8_t ra[8], rb[8];
	double d;
	bool same;

	put(ra, a);
	put(rb, b);
	exact_diff(&d, &same, ta, ra, &da, tb, rb, &db, 1);
	assert_near(d, want, 0);
	assert_int_equal(same, equal);
}

static void exact_integers(void **state)
{
	uint64_t big = (uint64_t)1 << 53, min = (uint64_t)1 << 63, max = UINT64_MAX;
	(void)state;

	assert_true(exact_needed(DT_I64, DT_I64) && exact_needed(DT_U64, DT_F16) && exact_needed(DT_F64, DT_I64));
	assert_false(exact_needed(DT_I32, DT_F64) || exact_needed(DT_U64, DT_C128));
	exact_one(DT_I64, big, 0x1p53, DT_I64, big + 1, 0x1p53, 1, false);
	exact_one(DT_I64, big + 1, 0, DT_I64, big, 0, -1, false);
	exact_one(DT_I64, 0 - big, 0, DT_I64, 0 - big - 1, 0, -1, false);
	exact_one(DT_I64, 0 - big - 1, 0, DT_I64, 0 - big, 0, 1, false);
	exact_one(DT_I64, 77, 0, DT_U64, 77, 0, 0, true);
	exact_one(DT_I64, max, -1, DT_U64, max, 0x1p64, 0x1p64, false); /* -1 and 2^64 - 1 */
	exact_one(DT_U64, max, 0, DT_I64, max, 0, -0x1p64, false);
	exact_one(DT_I64, min, 0, DT_U64, max, 0, 0x1.8p64, false);
	exact_one(DT_U64, max, 0, DT_I64, min, 0, -0x1.8p64, false);
	exact_one(DT_U64, max, 0, DT_U64, max - 1, 0, -1, false);
	/* 2^64 + 2^12 + 1 lies just above the middle of two doubles */
	exact_one(DT_I64, 0 - (((uint64_t)1 << 11) + 2), 0, DT_U64, max, 0, 0x1.0000000000001p64, false);
	exact_one(DT_I64, 0 - (((uint64_t)1 << 11) + 1), 0, DT_U64, max, 0, 0x1p64, false); /* the middle: to even */
}

static void exact_with_floats(void **state)
{
	uint64_t big = (uint64_t)1 << 53, max = UINT64_MAX;
	(void)state;

	exact_one(DT_I64, big + 1, 0x1p53, DT_F64, 0, 0x1p53, -1, false);
	exact_one(DT_F64, 0, 0x1p53, DT_I64, big + 1, 0x1p53, 1, false);
	exact_one(DT_I64, big + 2, 0, DT_F64, 0, 0x1p53 + 2, 0, true);
	exact_one(DT_I64, 3, 3, DT_F64, 0, 3, 0, true);
	exact_one(DT_I64, 3, 3, DT_F64, 0, 3.5, 0.5, false);
	exact_one(DT_I64, 0, 0, DT_F64, 0, -0.0, 0, true);
	exact_one(DT_U64, max, 0x1p64, DT_F64, 0, 0x1p64, 1, false);
	exact_one(DT_F64, 0, 0x1p64, DT_U64, max, 0x1p64, -1, false);
	exact_one(DT_I64, 0 - (big + 1), 0, DT_F64, 0, -0x1p53, 1, false);
	exact_one(DT_I64, 1, 1, DT_F64, 0, DBL_MAX, DBL_MAX, false);
	exact_one(DT_I64, 1, 1, DT_F64, 0, INFINITY, INFINITY, false);
	exact_one(DT_F64, 0, INFINITY, DT_I64, 1, 1, -INFINITY, false);
	exact_one(DT_I64, 1, 1, DT_F64, 0, NAN, NAN, false);
	/* three parts must be rounded once: -(2^53 + 1) + 2^-60 is nearer to -2^53 */
	exact_one(DT_I64, big + 1, 0, DT_F64, 0, 0x1p-60, -0x1p53, false);
	exact_one(DT_I64, big + 1, 0, DT_F64, 0, -0x1p-60, -0x1p53 - 2, false);
}

/* ---- distribution ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double numpy_quantile(const double *sorted, size_t n, double p)
{
	double at = p * (double)(n - 1), t;
	size_t k = (size_t)at;

	t = at - (double)k;
	return k + 1 < n ? sorted[k] + (sorted[k + 1] - sorted[k]) * t : sorted[k];
}

static void counted_codes(void **state)
{
	uint8_t raw[2 * 4097];
	double x[4097];
	struct stats s = {.min = -2000, .max = 2096};
	struct dist *d = dist_new(DT_I16), *half = dist_new(DT_I16);
	(void)state;

	for (int i = 0; i < 4097; i++) { /* each once, but for -1, of which there is one more in place of 7 */
		int v = i == 2007 ? -1 : i - 2000;

		x[i] = v;
		raw[2 * i] = (uint8_t)v;
		raw[2 * i + 1] = (uint8_t)(v >> 8);
	}
	dist_add(d, raw, x, 1000);
	dist_add(half, raw + 2000, x + 1000, 3097);
	dist_merge(d, half);
	dist_stats(d, &s);
	qsort(x, 4097, sizeof(*x), ascending);
	for (size_t i = 0; i < Q_COUNT; i++)
		assert_near(s.q[i], numpy_quantile(x, 4097, quantile_at[i]), 1e-15);
	assert_near(s.distinct, 4096, 0);
	assert_near(s.entropy, 4095 * log2(4097) / 4097 + 2 * log2(4097 / 2.0) / 4097, 1e-13);
	dist_clear(d);
	dist_stats(d, &s);
	assert_true(isnan(s.q[0]) && isnan(s.entropy) && s.distinct == 0);
	dist_free(d);
	dist_free(half);
	dist_free(NULL);
}

static void quantiles_of_values(void **state)
{
	double *x = reals(N);
	struct dist *d = dist_new_values();
	struct stats s;
	(void)state;

	for (size_t i = 0; i < N; i++) /* both signs, many magnitudes, some zeros, subnormals, some not numbers */
		x[i] = i % 50 == 0 ? 0 : i % 50 == 1 ? uniform() * 1e-310 : pow(uniform(), 9) * 1e5;
	x[0] = NAN;
	x[50] = -INFINITY;
	dist_add(d, NULL, x, N);
	x[50] = x[0] = 0;
	qsort(x, N, sizeof(*x), ascending);
	for (size_t i = 0, zero = 0; i < N; i++) /* the two that do not count */
		if (x[i] == 0 && zero++ < 2)
			x[i] = -INFINITY;
	qsort(x, N, sizeof(*x), ascending);
	s.min = x[2];
	s.max = x[N - 1];
	dist_stats(d, &s);
	for (size_t i = 0; i < Q_COUNT; i++)
		assert_near(s.q[i], numpy_quantile(x + 2, N - 2, quantile_at[i]), 0.004);
	for (double p = 0; p <= 1; p += 1 / 64.0)
		assert_near(dist_quantile(d, p, s.min, s.max), numpy_quantile(x + 2, N - 2, p), 0.004);
	assert_true(isnan(s.distinct) && isnan(s.entropy));
	dist_free(d);
	free(x);
}

static void quantiles_of_few(void **state)
{
	double x[] = {1.2345, 1.2345, 1.2345}, y[] = {-DBL_MAX, DBL_MAX};
	struct dist *d = dist_new_values();
	(void)state;

	assert_true(isnan(dist_quantile(d, 0.5, NAN, NAN)));
	dist_add(d, NULL, x, 3);
	assert_near(dist_quantile(d, 0.5, 1.2345, 1.2345), 1.2345, 0);
	dist_clear(d);
	assert_true(isnan(dist_quantile(d, 0.5, 0, 1)));
	dist_add(d, NULL, x, 1); /* between bounds that are not its extremes, as |B - A| is */
	assert_near(dist_quantile(d, 0.5, 0, 1.2345), 1.2345, 0);
	assert_near(dist_quantile(d, 0, 0, 9), 1.2345, 0.004);
	dist_clear(d);
	dist_add(d, NULL, y, 2);
	assert_near(dist_quantile(d, 0.5, -DBL_MAX, DBL_MAX), 0, 0);
	assert_near(dist_quantile(d, 0, -DBL_MAX, DBL_MAX), -DBL_MAX, 0);
	assert_near(dist_quantile(d, 1, -DBL_MAX, DBL_MAX), DBL_MAX, 0);
	dist_free(d);
}

/* ---- bins ---- */

/* knee 0: of equal width */
static void bins_by_edges(double knee)
{
	static const double ranges[][2] = {
		{0, 1}, {-1, 1}, {-0.1, 0.3}, {1e-310, 3e-310}, {0, 5e-324}, {-DBL_MAX, DBL_MAX},
		{1, 1 + 4 * DBL_EPSILON}, {1e300, 1e300}, {2, 2}, {0, 0}, {-DBL_MAX, -DBL_MAX}, {1e-3, 1e17},
	};

	for (size_t r = 0; r < COUNT(ranges); r++) {
		struct bins b, c = {.n = 0};
		uint64_t sum = 0;
		double lo, hi;

		if (knee > 0)
			bins_init_log(&b, ranges[r][0], ranges[r][1], 37, knee);
		else
			bins_init(&b, ranges[r][0], ranges[r][1], 37);
		bins_copy(&c, &b);
		lo = b.lo;
		hi = b.hi;
		assert_true(lo < hi && bins_edge(&b, 0) == lo && bins_edge(&b, 37) == hi);
		for (unsigned i = 0; i <= 37; i++) { /* each edge begins a bin, but for the last one */
			double e = bins_edge(&b, i), x[3] = {e, nextafter(e, INFINITY), nextafter(e, -INFINITY)};

			bins_add(&b, x, 3);
			for (unsigned k = 0; k < 3; k++) {
				unsigned at = 0;

				if (x[k] < lo || x[k] > hi)
					continue;
				for (unsigned j = 0; j < 37; j++)
					if (x[k] >= bins_edge(&b, j))
						at = j;
				c.counts[at]++;
			}
		}
		assert_memory_equal(b.counts, c.counts, 37 * sizeof(*b.counts));
		for (unsigned i = 0; i < 37; i++)
			sum += b.counts[i];
		assert_int_equal(sum + b.below + b.above + b.left, 3 * 38);
		bins_merge(&c, &b);
		assert_int_equal(c.counts[36], 2 * b.counts[36]);
		bins_free(&b);
		bins_free(&c);
	}
}

static void bins_follow_their_edges(void **state)
{
	(void)state;
	bins_by_edges(0);
	bins_by_edges(1e-3);
	bins_by_edges(1e9);
}

/* Edges of a logarithmic axis: the same factor from one to the next, far from 0; straight near it; mirrored. */
static void bins_widen(void **state)
{
	struct bins b;
	(void)state;

	bins_init_log(&b, -1000, 1000, 200, 1e-3);
	for (unsigned i = 1; i < 200; i++)
		assert_true(bins_edge(&b, i) > bins_edge(&b, i - 1));
	for (unsigned i = 0; i < 50; i++) {
		double factor = bins_edge(&b, 150) / bins_edge(&b, 149), here = bins_edge(&b, 150 + i + 1) / bins_edge(&b, 150 + i);

		assert_true(fabs(here / factor - 1) < 1e-6);
		assert_true(fabs(bins_edge(&b, i) / bins_edge(&b, 200 - i) + 1) < 1e-9);
	}
	assert_true(fabs(bins_edge(&b, 100)) < 1e-15);
	assert_true(fabs(bins_edge(&b, 102) / bins_edge(&b, 101) - 2) < 0.05);
	bins_free(&b);
}

static void bins_leave_out(void **state)
{
	double x[] = {NAN, INFINITY, -INFINITY, -2, 3, 0, 1, 0.5};
	struct bins b;
	(void)state;

	bins_init(&b, 0, 1, 2);
	bins_add(&b, x, COUNT(x));
	assert_int_equal(b.left, 3);
	assert_int_equal(b.below, 1);
	assert_int_equal(b.above, 1);
	assert_int_equal(b.counts[0], 1);
	assert_int_equal(b.counts[1], 2);
	bins_clear(&b);
	assert_int_equal(b.counts[0] + b.counts[1] + b.below + b.above + b.left, 0);
	bins_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ramp),
		cmocka_unit_test(mean_far_above_std),
		cmocka_unit_test(mean_far_below_std),
		cmocka_unit_test(outlier),
		cmocka_unit_test(ends_of_the_range),
		cmocka_unit_test(mixed_scales),
		cmocka_unit_test(beyond_a_double),
		cmocka_unit_test(not_numbers),
		cmocka_unit_test(nothing_is_undefined),
		cmocka_unit_test(constants),
		cmocka_unit_test(any_length),
		cmocka_unit_test(merging),
		cmocka_unit_test(what_changed_means),
		cmocka_unit_test(known_differences),
		cmocka_unit_test(first_of_the_largest),
		cmocka_unit_test(undefined_differences),
		cmocka_unit_test(equal_pairs),
		cmocka_unit_test(ranges_of_pairs),
		cmocka_unit_test(difference_beyond_a_double),
		cmocka_unit_test(cancelling_differences),
		cmocka_unit_test(same_bytes_shortcut),
		cmocka_unit_test(given_differences),
		cmocka_unit_test(complex_pairs),
		cmocka_unit_test(exact_integers),
		cmocka_unit_test(exact_with_floats),
		cmocka_unit_test(counted_codes),
		cmocka_unit_test(quantiles_of_values),
		cmocka_unit_test(quantiles_of_few),
		cmocka_unit_test(bins_follow_their_edges),
		cmocka_unit_test(bins_widen),
		cmocka_unit_test(bins_leave_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
