/*
 * Every kernel table gives the bits of the plain one, on random and on extreme data, for every length up to some
 * rows of lanes and around a block. And the plain one does what its header says, element by element: lanes, then
 * pairs of lanes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "num/kern.h"

enum { LANES = 16, KINDS = 8 };

static uint64_t rng, seed;

static uint64_t next_random(void) /* xorshift64, Marsaglia 2003 */
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static double uniform(void)
{
	return (double)(int64_t)next_random() * 0x1p-63;
}

static double any_bits(void)
{
	uint64_t bits = next_random();
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static double element(unsigned kind)
{
	static const double special[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 5e-324, -DBL_MIN / 2, DBL_MAX,
					 -DBL_MAX, 1};

	switch (kind) {
	case 0: return uniform();
	case 1: return (double)(float)uniform();
	case 2: return 1e9 + uniform();
	case 3: return any_bits();
	case 4: return special[next_random() % COUNT(special)];
	case 5: return next_random() % 50 ? uniform() : special[next_random() % COUNT(special)];
	case 6: return ldexp(uniform(), -1040);
	default: return next_random() % 3 ? 0.0 : -0.0;
	}
}

static void fill(double *x, size_t n, unsigned kind)
{
	for (size_t i = 0; i < n; i++)
		x[i] = element(kind);
}

static size_t length(size_t turn)
{
	static const size_t more[] = {127, 128, 1000, 1023, 1024, 1025, BLOCK - 17, BLOCK - 1, BLOCK};

	return turn < 70 ? turn : more[turn - 70];
}

enum { TURNS = 79 };

/* Bits: nothing in these structs is ever NaN. Up to the last member: what pads the end is nobody's business. */
static void check(const char *what, const void *got, const void *want, size_t size, const char *name, size_t n,
		  unsigned kind)
{
	if (memcmp(got, want, size) != 0)
		fail_msg("%s of %s differ from the plain ones: %zu elements of kind %u, seed %llu", what, name, n,
			 kind, (unsigned long long)seed);
}

#define END_OF(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

static void same_bits(const struct kern *k)
{
	static double a[BLOCK + 1], b[BLOCK + 1];

	for (unsigned kind = 0; kind < KINDS; kind++)
		for (size_t turn = 0; turn < TURNS; turn++) {
			size_t n = length(turn), shift = turn % 2; /* also at an odd address */
			struct moments m, want_m;
			struct pairsum p, want_p;

			fill(a, BLOCK + 1, kind);
			fill(b, BLOCK + 1, kind);
			for (size_t i = 0; i < BLOCK; i += 1 + next_random() % 5)
				b[i] = a[i];
			memset(&m, 0, sizeof(m));
			memset(&want_m, 0, sizeof(want_m));
			memset(&p, 0, sizeof(p));
			memset(&want_p, 0, sizeof(want_p));
			k->moments(&m, a + shift, n);
			kern_ref.moments(&want_m, a + shift, n);
			check("moments", &m, &want_m, END_OF(struct moments, scale), k->name, n, kind);
			k->pair(&p, a + shift, b + shift, turn, n);
			kern_ref.pair(&want_p, a + shift, b + shift, turn, n);
			check("pairs", &p, &want_p, END_OF(struct pairsum, scale_d), k->name, n, kind);
		}
}

static void all_tables_agree(void **state)
{
	(void)state;

	for (size_t i = 0; kerns[i]; i++)
		if (kerns[i]->usable())
			same_bits(kerns[i]);
		else
			print_message("# %s: not on this processor, not tested\n", kerns[i]->name);
}

/* The order of additions that num/moments.h lays down. */
static double by_lanes(const double *x, size_t n)
{
	double lane[LANES] = {0};

	for (size_t i = 0; i < n; i++)
		lane[i % LANES] += x[i];
	for (size_t half = LANES / 2; half; half /= 2)
		for (size_t l = 0; l < half; l++)
			lane[l] += lane[l + half];
	return lane[0];
}

static void plain_table_keeps_its_word(void **state)
{
	static double x[BLOCK], y[BLOCK], terms[BLOCK];
	(void)state;

	for (size_t turn = 1; turn < TURNS; turn++) {
		size_t n = length(turn), zeros = 0, changed = 0;
		double min = INFINITY, max = -INFINITY, most = -1;
		struct moments m;
		struct pairsum p;

		fill(x, n, 0);
		fill(y, n, 0);
		x[n / 2] = 0;
		y[n / 3] = x[n / 3];
		kern_ref.moments(&m, x, n);
		kern_ref.pair(&p, x, y, 7, n);
		for (size_t i = 0; i < n; i++) {
			zeros += x[i] == 0;
			changed += x[i] != y[i];
			min = fmin(min, x[i]);
			max = fmax(max, x[i]);
			most = fmax(most, fabs(y[i] - x[i]));
			terms[i] = x[i] * x[i];
		}
		assert_true(m.count == n && m.zero == zeros && m.min == min && m.max == max && m.scale == 0);
		assert_true(m.sumsq.hi == by_lanes(terms, n) && m.sumsq.lo == 0);
		assert_true(p.aa.hi == m.sumsq.hi && p.count == n && p.n == n);
		assert_true(p.changed == changed && p.max_abs == most);
		for (size_t i = 0; i < n; i++)
			terms[i] = fabs(x[i]);
		assert_true(m.l1.hi == by_lanes(terms, n));
		for (size_t i = 0; i < n; i++)
			terms[i] = x[i] * y[i];
		assert_true(p.ab.hi == by_lanes(terms, n));
	}
}

static void picking(void **state)
{
	(void)state;

	assert_true(kern == &kern_ref);
	assert_false(kern_pick("no such table"));
	assert_true(kern == &kern_ref);
	assert_true(kern_pick(NULL));
	assert_true(kern->usable());
	assert_true(kern_pick(kern_ref.name));
	assert_true(kern == &kern_ref);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(picking),
		cmocka_unit_test(all_tables_agree),
		cmocka_unit_test(plain_table_keeps_its_word),
	};
	const char *want = getenv("SEED");

	seed = want ? strtoull(want, NULL, 10) : (uint64_t)time(NULL);
	rng = seed ? seed : 1;
	print_message("# SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
