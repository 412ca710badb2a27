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

#include "num/decode.h"
#include "num/floats.h"
#include "num/kern.h"

enum { KINDS = 8 };

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

/* ---- floats ---- */

static float float_element(unsigned kind)
{
	static const float special[] = {0.0f, -0.0f, 1e-45f, -FLT_MIN / 2, FLT_MAX, -FLT_MAX, 1, FLT_MIN};
	uint32_t bits = (uint32_t)next_random();
	float x;

	switch (kind) {
	case 0: return (float)uniform();
	case 1: return 1e4f + (float)uniform();
	case 2: return special[bits % COUNT(special)];
	case 3: return bits % 50 ? (float)uniform() : special[bits % COUNT(special)];
	case 4: return bits % 3 ? 0.0f : -0.0f;
	case 5: return 1 + (float)(bits % 2) * FLT_EPSILON;
	default: /* any finite one */
		if ((bits >> 23 & 255) == 255)
			bits ^= 1u << 23;
		memcpy(&x, &bits, sizeof(x));
		return x;
	}
}

enum { FLOAT_KINDS = 7 };

static void fill_floats(float *x, size_t n, unsigned kind)
{
	for (size_t i = 0; i < n; i++)
		x[i] = float_element(kind);
}

static void same_float_loops(const struct kern *k, const float *a, const float *b, size_t n, unsigned kind, double pivot)
{
	struct float_scan s, want_s;
	struct float_lanes v, want_v;
	struct float_diff_lanes d, want_d;

	k->floats->scan(&s, a, n);
	kern_ref.floats->scan(&want_s, a, n);
	check("scans", &s, &want_s, sizeof(s), k->name, n, kind);
	k->floats->powers(&v, a, n / LANES, pivot);
	kern_ref.floats->powers(&want_v, a, n / LANES, pivot);
	check("powers", &v, &want_v, sizeof(v), k->name, n, kind);
	k->floats->diffs(&d, a, b, n / LANES);
	kern_ref.floats->diffs(&want_d, a, b, n / LANES);
	check("differences", &d, &want_d, sizeof(d), k->name, n, kind);
}

static void same_floats(const struct kern *k)
{
	static float a[BLOCK + 1], b[BLOCK + 1];

	for (unsigned kind = 0; kind < FLOAT_KINDS; kind++)
		for (size_t turn = 0; turn < TURNS; turn++) {
			size_t n = length(turn), shift = turn % 2;

			fill_floats(a, BLOCK + 1, kind);
			fill_floats(b, BLOCK + 1, kind);
			for (size_t i = 0; i < BLOCK; i += 1 + next_random() % 5)
				b[i] = a[i];
			same_float_loops(k, a + shift, b + shift, n, kind, turn % 3 ? 0 : a[0]);
		}
}

/* Codes of 16-bit floats: like weights; with zeros of both signs, the smallest and the largest; anything finite; anything. */
static uint16_t half_element(enum dtype t, unsigned kind)
{
	uint16_t top = t == DT_BF16 ? 0x7f80 : 0x7c00, code = (uint16_t)next_random();
	const uint16_t special[] = {0, 0x8000, 1, 0x8001, (uint16_t)(top - 1), (uint16_t)((top - 1) | 0x8000)};

	if (kind == 0 || (kind == 1 && code % 9))
		return (uint16_t)((t == DT_BF16 ? 0x3c00 : 0x2400) + (code & 0x83ff));
	if (kind == 1)
		return special[code % COUNT(special)];
	if (kind == 2 && (code & top) == top)
		code ^= 0x4000;
	return code;
}

enum { HALF_KINDS = 4, RUN_BLOCKS = 3 };

/* A run of both sides, with the 16-bit loops where a table has them and they fit. Returns how many blocks went so. */
static unsigned half_run(const struct kern *k, enum dtype t, const uint8_t *a, const uint8_t *b, size_t last,
			 struct float_run r[2], struct float_pair_run *p)
{
	static float x[BLOCK], y[BLOCK];
	unsigned short_way = 0;

	kern = k;
	memset(r, 0, 2 * sizeof(*r));
	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < RUN_BLOCKS && !r[0].not_finite && !r[1].not_finite; i++) {
		size_t n = i + 1 < RUN_BLOCKS ? BLOCK : last;

		if (half_pair_add(r, p, t, a + 2 * BLOCK * i, b + 2 * BLOCK * i, n)) {
			short_way++;
			continue;
		}
		kern_floats(x, t, a + 2 * BLOCK * i, n);
		kern_floats(y, t, b + 2 * BLOCK * i, n);
		float_run_add(&r[0], x, n);
		float_run_add(&r[1], y, n);
		if (!r[0].not_finite && !r[1].not_finite)
			float_pair_add(p, x, y, n);
	}
	return short_way;
}

static void same_halves(const struct kern *k)
{
	static uint8_t raw[2][2 * BLOCK * RUN_BLOCKS + 1];
	const struct kern *before = kern;
	unsigned short_way = 0;

	for (unsigned kind = 0; kind < 2 * HALF_KINDS; kind++)
		for (size_t turn = 0; turn < 40; turn++) {
			enum dtype t = kind % 2 ? DT_F16 : DT_BF16;
			size_t last = turn % 4 ? BLOCK : 1 + next_random() % BLOCK, shift = turn % 2;
			struct float_run r[2], want_r[2];
			struct float_pair_run p, want_p;

			for (size_t i = 0; i + 1 < sizeof(raw[0]) / 2; i++)
				for (size_t side = 0; side < 2; side++) {
					uint16_t code = half_element(t, kind / 2);
					const uint8_t *other = raw[0] + shift + 2 * i;

					if (side && next_random() % 3 == 0)
						code = (uint16_t)(other[0] | other[1] << 8);
					raw[side][shift + 2 * i] = (uint8_t)code;
					raw[side][shift + 2 * i + 1] = (uint8_t)(code >> 8);
				}
			short_way += half_run(k, t, raw[0] + shift, raw[1] + shift, last, r, &p);
			half_run(&kern_ref, t, raw[0] + shift, raw[1] + shift, last, want_r, &want_p);
			for (size_t side = 0; side < 2; side++)
				check("16-bit runs", &r[side], &want_r[side], END_OF(struct float_run, not_finite),
				      k->name, last, kind);
			check("16-bit pairs", &p, &want_p, sizeof(p), k->name, last, kind);
		}
	assert_true(k->halves ? short_way > 40 : short_way == 0);
	kern = before;
}

/* Whatever the bytes: NaN is NaN, every other value has just the bits of the plain decoder's. */
static void same_decoders(const struct kern *k)
{
	enum { N = 2048 };
	static uint8_t raw[4 * N + 1];
	const struct kern *before = kern;
	static double want[N];
	static float got[N];

	kern = k;
	for (int t = 0; t < DT_COUNT; t++) {
		if (!kern_holds((enum dtype)t))
			continue;
		assert_true(decode_can((enum dtype)t));
		for (size_t turn = 0; turn < 200; turn++) {
			size_t n = (turn % (N / 256) + 1) * 256 - (dtypes[t].items == 1 ? turn % 7 : 0), shift = turn % 2;

			for (size_t i = 0; i < sizeof(raw); i++)
				raw[i] = (uint8_t)(turn % 5 ? next_random() : turn % 2 ? 0xff : 0);
			memset(got, 0x55, sizeof(got));
			kern_floats(got, (enum dtype)t, raw + shift, n);
			decode((enum dtype)t, want, raw + shift, n);
			for (size_t i = 0; i < n; i++)
				if (isnan(want[i]) ? !isnan(got[i])
						   : got[i] != want[i] || !signbit(got[i]) != !signbit(want[i]))
					fail_msg("%s: element %zu of %s is %.9g, want %.17g, seed %llu", k->name, i,
						 dtypes[t].name, got[i], want[i], (unsigned long long)seed);
		}
	}
	kern = before;
}

static void all_tables_agree(void **state)
{
	(void)state;

	for (size_t i = 0; kerns[i]; i++) {
		if (!kerns[i]->usable()) {
			print_message("# %s: not on this processor, not tested\n", kerns[i]->name);
			continue;
		}
		same_bits(kerns[i]);
		same_floats(kerns[i]);
		same_halves(kerns[i]);
		same_decoders(kerns[i]);
	}
}

static int32_t bits_of(float x)
{
	int32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
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

static void plain_float_loops_keep_their_word(void **state)
{
	static float a[BLOCK], b[BLOCK];
	static double terms[BLOCK];
	(void)state;

	for (size_t turn = 16; turn < TURNS; turn++) {
		size_t n = length(turn) / LANES * LANES;
		double pivot = turn % 2 ? 0.25 : 0;
		struct float_diff_lanes d;
		struct float_lanes v;
		struct float_scan s;
		int64_t changed = 0, flips = 0, got_changed = 0, got_flips = 0;
		uint32_t zero = 0;

		fill_floats(a, n, 3);
		fill_floats(b, n, 3);
		kern_ref.floats->scan(&s, a, n);
		kern_ref.floats->powers(&v, a, n / LANES, pivot);
		kern_ref.floats->diffs(&d, a, b, n / LANES);
		for (size_t i = 0; i < n; i++) {
			zero += a[i] == 0;
			changed += a[i] != b[i];
			flips += (a[i] < 0 && b[i] > 0) || (a[i] > 0 && b[i] < 0);
			assert_true(s.min <= float_key(bits_of(a[i])) && s.max >= float_key(bits_of(a[i])));
			assert_true(s.top >= (uint32_t)bits_of(a[i]) << 1);
		}
		assert_int_equal(s.zero, zero);
		for (size_t l = 0; l < LANES; l++) {
			got_changed += d.changed[l];
			got_flips += d.flips[l];
		}
		assert_true(got_changed == changed && got_flips == flips);
		for (size_t i = 0; i < n; i++)
			terms[i] = pow(a[i] - pivot, 2);
		assert_true(by_lanes(terms, n) == lanes_add(v.p2));
		for (size_t i = 0; i < n; i++)
			terms[i] = (a[i] - pivot) * (a[i] - pivot) * (a[i] - pivot);
		assert_true(by_lanes(terms, n) == lanes_add(v.p3));
		for (size_t i = 0; i < n; i++)
			terms[i] = (double)a[i] * b[i];
		assert_true(by_lanes(terms, n) == lanes_add(d.ab));
		for (size_t i = 0; i < n; i++)
			terms[i] = fabs((double)b[i] - a[i]);
		assert_true(by_lanes(terms, n) == lanes_add(d.abs_d));
	}
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
		cmocka_unit_test(plain_float_loops_keep_their_word),
	};
	const char *want = getenv("SEED");

	seed = want ? strtoull(want, NULL, 10) : (uint64_t)time(NULL);
	rng = seed ? seed : 1;
	print_message("# SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
