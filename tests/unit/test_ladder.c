/* num/cast, num/grid, num/ladder: rounding against a search among all numbers of a type, cells against the values that
 * blocks of the same scales hold. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/decode.h"
#include "num/grid.h"
#include "num/ladder.h"

enum {
	EVEN = 1 << ROUND_EVEN, AWAY = 1 << ROUND_AWAY, ZERO = 1 << ROUND_ZERO, TWICE = 1 << ROUND_TWICE,
	ALL = EVEN | AWAY | ZERO
};

static unsigned modes_of(enum dtype from, enum dtype to, const double *x, const double *y, size_t n)
{
	struct castsum s;

	cast_init(&s, from, to);
	cast_add(&s, from, to, x, y, n);
	return cast_modes(&s);
}

/* One element alone, and at every eighth place among 64 that are exact. */
static unsigned modes(enum dtype from, enum dtype to, double x, double y)
{
	unsigned alone = modes_of(from, to, &x, &y, 1);

	for (size_t at = 0; at < 64; at += 8) {
		double xs[64], ys[64];

		for (size_t i = 0; i < 64; i++)
			xs[i] = ys[i] = i == at ? 0 : 1;
		xs[at] = x;
		ys[at] = y;
		assert_int_equal(modes_of(from, to, xs, ys, 64), alone);
	}
	return alone;
}

#define assert_modes(from, to, x, y, want)                                                                       \
	do {                                                                                                     \
		unsigned got_ = modes(from, to, x, y);                                                           \
		if (got_ != (unsigned)(want))                                                                    \
			fail_msg("%s to %s: %.17g to %.17g: modes %u, want %u", dtypes[from].name,               \
				 dtypes[to].name, (double)(x), (double)(y), got_, (unsigned)(want));             \
	} while (0)

/* The positive numbers of a type by their codes, which ascend with them. */
static size_t numbers(enum dtype t, double *v)
{
	size_t n = 0, codes = (size_t)1 << dtypes[t].code_bits;
	uint8_t raw[16];

	for (size_t code = 0; code < codes; code++) {
		double x[8];

		memset(raw, 0, sizeof(raw));
		raw[0] = (uint8_t)code;
		raw[1] = (uint8_t)(code >> 8);
		decode(t, x, raw, dtypes[t].items);
		if (!isfinite(x[0]) || signbit(x[0]))
			break;
		v[n++] = x[0];
	}
	return n;
}

static const enum dtype floats[] = {
	DT_F16, DT_BF16, DT_F8_E4M3, DT_F8_E5M2, DT_F8_E4M3FNUZ, DT_F8_E5M2FNUZ, DT_F8_E8M0, DT_F6_E2M3, DT_F6_E3M2, DT_F4,
};

/* Between two neighbours: their middle, and a little beside it. */
static void between(enum dtype t, const double *v, size_t n, size_t i, double sign)
{
	double lo = v[i], hi = v[i + 1], mid = (lo + hi) / 2, less = nextafter(mid, lo), more = nextafter(mid, hi);
	bool may_flush = lo == 0;

	assert_modes(DT_F32, t, sign * mid, sign * hi, AWAY | (i % 2 ? EVEN : 0));
	assert_modes(DT_F32, t, sign * mid, sign * lo, may_flush ? ALL : ZERO | (i % 2 ? 0 : EVEN));
	assert_modes(DT_F32, t, sign * less, sign * lo, ALL);
	assert_modes(DT_F32, t, sign * less, sign * hi, 0);
	assert_modes(DT_F32, t, sign * more, sign * hi, EVEN | AWAY);
	assert_modes(DT_F32, t, sign * more, sign * lo, may_flush ? ALL : ZERO);
	if (i + 2 < n)
		assert_modes(DT_F32, t, sign * more, sign * v[i + 2], 0);
	if (i > 1)
		assert_modes(DT_F32, t, sign * less, sign * v[i - 1], 0);
	assert_modes(DT_F32, t, sign * mid, -sign * hi, 0);
}

static void every_neighbour(void **state)
{
	static double v[32768];
	(void)state;

	for (size_t k = 0; k < COUNT(floats); k++) {
		enum dtype t = floats[k];
		size_t n = numbers(t, v), step = n > 4096 ? 13 : 1; /* odd: of both parities, in all binades */

		assert_true(n >= 8);
		for (size_t i = 0; i + 1 < n; i += i < 2 || i + 20 > n ? 1 : step) {
			assert_modes(DT_F32, t, v[i], v[i], ALL);
			between(t, v, n, i, 1);
			if (t != DT_F8_E8M0) {
				assert_modes(DT_F32, t, -v[i], -v[i], ALL);
				between(t, v, n, i, -1);
			}
		}
	}
}

static void to_f32(void **state)
{
	static const double hard[] = {1, 1 + 0x1p-24, 1 + 0x1p-23, 1 - 0x1p-25, 0x1p-126, 0x1p-149, 0x1.8p-149,
				      0x1p-127 + 0x1p-150, 3.4028235677973366e38 - 0x1p76, 0.1, 1e-40, 123456789};
	(void)state;

	for (size_t i = 0; i < COUNT(hard); i++)
		for (int sign = -1; sign <= 1; sign += 2) {
			double x = sign * hard[i], near = (float)x;
			double up = nextafterf((float)near, INFINITY), down = nextafterf((float)near, -INFINITY);

			assert_true(modes(DT_F64, DT_F32, x, near) & EVEN);
			assert_int_equal(up != 0 && modes(DT_F64, DT_F32, x, up) & EVEN, 0); /* 0: flushed */
			assert_int_equal(down != 0 && modes(DT_F64, DT_F32, x, down) & EVEN, 0);
		}
	assert_modes(DT_F64, DT_F32, 1 + 0x1p-24, 1, EVEN | ZERO);
	assert_modes(DT_F64, DT_F32, 1 + 0x1p-24, 1 + 0x1p-23, AWAY);
	assert_modes(DT_F64, DT_F32, 1 + 0x1.8p-24, 1, ZERO);
}

/* A number just above a tie of BF16 falls on it in F32, and from there to even. */
static void by_way_of_f32(void **state)
{
	double x = 1 + 0x1p-8 + 0x1p-40;
	(void)state;

	assert_modes(DT_F64, DT_BF16, x, 1 + 0x1p-7, EVEN | AWAY);
	assert_modes(DT_F64, DT_BF16, x, 1, ZERO | TWICE);
	assert_modes(DT_F64, DT_BF16, 1 + 0x1p-9, 1, ALL | TWICE);
	assert_modes(DT_F64, DT_BF16, 1e300, INFINITY, EVEN | AWAY | ZERO | TWICE);
	assert_modes(DT_F64, DT_F32, x, (float)x, ALL); /* no step on the way */
}

static void out_of_range(void **state)
{
	(void)state;

	/* 65520 is half a step above the largest number, whose code is odd; 65536 a whole one */
	assert_modes(DT_F32, DT_F16, 65519, 65504, ALL);
	assert_modes(DT_F32, DT_F16, 65519, INFINITY, 0);
	assert_modes(DT_F32, DT_F16, 65520, INFINITY, EVEN | AWAY);
	assert_modes(DT_F32, DT_F16, -65536, -INFINITY, ALL);
	assert_modes(DT_F32, DT_F16, 65536, -INFINITY, 0);
	assert_modes(DT_F32, DT_F16, 1e9, 65504, ALL);
	assert_modes(DT_F32, DT_F16, 1e9, 65472, 0);
	assert_modes(DT_F32, DT_F16, 1e9, NAN, 0); /* there is an infinity */
	/* 448 has an even code: its tie with what would be 480 stays */
	assert_modes(DT_F32, DT_F8_E4M3, 464, 448, EVEN | ZERO);
	assert_modes(DT_F32, DT_F8_E4M3, 464, NAN, AWAY);
	assert_modes(DT_F32, DT_F8_E4M3, 465, NAN, EVEN | AWAY);
	assert_modes(DT_F32, DT_F8_E4M3, 480, NAN, ALL);
	assert_modes(DT_F32, DT_F8_E4M3, 463, NAN, 0);
	assert_modes(DT_F32, DT_F8_E4M3, -1000, -448, ALL);
	assert_modes(DT_F32, DT_F4, 100, 6, ALL);
	assert_modes(DT_F32, DT_F4, 100, NAN, 0 | ALL); /* no decoder gives that; the type has none */
	assert_modes(DT_F32, DT_F8_E8M0, 0, 0x1p-127, 0);
}

static void specials(void **state)
{
	double minus_nan = copysign(NAN, -1);
	(void)state;

	assert_modes(DT_F32, DT_F16, NAN, minus_nan, ALL);
	assert_modes(DT_F32, DT_F16, NAN, 0, 0);
	assert_modes(DT_F32, DT_F16, 0, NAN, 0);
	assert_modes(DT_F32, DT_I8, NAN, 0, 0);
	assert_modes(DT_F32, DT_F16, 0.0, -0.0, ALL);
	assert_modes(DT_F32, DT_F16, -1e-30, 0.0, ALL);
	assert_modes(DT_F32, DT_F16, -1e-30, -0.0, ALL);
	assert_modes(DT_F32, DT_F16, INFINITY, INFINITY, ALL);
	assert_modes(DT_F32, DT_F16, INFINITY, -INFINITY, 0);
	assert_modes(DT_F32, DT_F16, INFINITY, NAN, 0);
	assert_modes(DT_F32, DT_F8_E4M3, INFINITY, NAN, ALL);
	assert_modes(DT_F32, DT_F8_E4M3, INFINITY, 448, ALL);
	assert_modes(DT_F32, DT_F8_E4M3, -INFINITY, 448, 0);
}

static unsigned two(enum dtype to, double x0, double y0, double x1, double y1)
{
	double x[2] = {x0, x1}, y[2] = {y0, y1};

	return modes_of(DT_F32, to, x, y, 2);
}

/* What no single conversion does. */
static void one_way(void **state)
{
	double tiny = 0x1p-20; /* a subnormal number of F16 */
	struct castsum s, other;
	(void)state;

	assert_int_equal(two(DT_F16, 1e9, INFINITY, 2e9, INFINITY), ALL);
	assert_int_equal(two(DT_F16, 1e9, INFINITY, 2e9, 65504), 0);
	assert_int_equal(two(DT_F8_E4M3, 464, 448, 1000, NAN), EVEN | ZERO);
	assert_int_equal(two(DT_F8_E4M3, INFINITY, NAN, 1000, 448), ALL);
	assert_int_equal(two(DT_F8_E4M3, INFINITY, NAN, INFINITY, 448), 0);
	assert_int_equal(two(DT_F16, tiny, 0, 3 * tiny, 0), ALL);
	assert_int_equal(two(DT_F16, tiny, 0, 3 * tiny, 3 * tiny), 0);
	assert_int_equal(two(DT_F16, 0x1.8p-25, 0, 3 * tiny, 3 * tiny), ZERO);
	cast_init(&s, DT_F32, DT_F16);
	cast_init(&other, DT_F32, DT_F16);
	cast_add(&s, DT_F32, DT_F16, (double[]){1e9}, (double[]){INFINITY}, 1);
	cast_add(&other, DT_F32, DT_F16, (double[]){2e9}, (double[]){65504}, 1);
	cast_merge(&s, &other);
	assert_int_equal(cast_modes(&s), 0);
	assert_int_equal(s.n_over, 2);
}

static void to_integers(void **state)
{
	(void)state;

	assert_modes(DT_F32, DT_I8, 2.5, 2, EVEN | ZERO);
	assert_modes(DT_F32, DT_I8, 2.5, 3, AWAY);
	assert_modes(DT_F32, DT_I8, 3.5, 4, EVEN | AWAY);
	assert_modes(DT_F32, DT_I8, -2.7, -2, ZERO);
	assert_modes(DT_F32, DT_I8, -2.7, -3, EVEN | AWAY);
	assert_modes(DT_F32, DT_I8, 0.4, 0, ALL);
	assert_modes(DT_F32, DT_I8, 0.6, 0, ZERO);
	assert_modes(DT_F32, DT_I8, 300, 127, ALL);
	assert_modes(DT_F32, DT_I8, -300, -128, ALL);
	assert_modes(DT_F32, DT_I8, -300, -127, 0);
	assert_modes(DT_F32, DT_I8, 300, 44, 0); /* wrapped round */
	assert_modes(DT_F32, DT_U8, -3, 0, ALL);
	assert_modes(DT_F32, DT_U8, -3, 253, 0);
	assert_modes(DT_I32, DT_I16, 70000, 32767, ALL);
	assert_modes(DT_F64, DT_I32, 2147483646.5, 2147483646, EVEN | ZERO);
	assert_modes(DT_F32, DT_BOOL, 0.5, 1, 0);
	assert_modes(DT_F32, DT_Q8_0, 0.5, 0.5, 0);
	/* a double does not tell 2^53 from 2^53 + 1 */
	assert_modes(DT_I64, DT_F64, 0x1p53, 0x1p53, EVEN);
	assert_modes(DT_I64, DT_F32, 0x1p53, 0x1p53, 0);
	assert_modes(DT_I64, DT_F32, 16777217, 16777216, EVEN | ZERO);
	assert_modes(DT_F64, DT_I64, 1e15 + 0.25, 1e15, ALL);
	assert_modes(DT_F64, DT_I64, 1e16, 1e16, 0);
}

/* ---- cells ---- */

/* Where the codes of a block stand; all else is scales. The 16-bit floats among these get a sane value. */
static const struct {
	enum dtype type;
	size_t codes, end;
	int halves[3]; /* their offsets, ended by -1 */
	bool slips;    /* scales of few bits: the ends of the grid may be elsewhere */
} layouts[] = {
	{DT_Q4_0, 2, 18, {0, -1}, false}, {DT_Q4_1, 4, 20, {0, 2, -1}, false},
	{DT_Q5_0, 2, 22, {0, -1}, false}, {DT_Q5_1, 4, 24, {0, 2, -1}, false},
	{DT_Q8_0, 2, 34, {0, -1}, false}, {DT_Q8_1, 4, 36, {0, 2, -1}, false},
	{DT_Q2_K, 16, 80, {80, 82, -1}, true}, {DT_Q3_K, 0, 96, {108, -1}, true},
	{DT_Q4_K, 16, 144, {0, 2, -1}, true}, {DT_Q5_K, 16, 176, {0, 2, -1}, true},
	{DT_Q6_K, 0, 192, {208, -1}, true}, {DT_Q8_K, 4, 260, {-1}, false}, {DT_IQ4_NL, 2, 18, {0, -1}, false},
	{DT_IQ4_XS, 8, 136, {0, -1}, true}, {DT_TQ1_0, 0, 52, {52, -1}, false},
	{DT_TQ2_0, 0, 64, {64, -1}, false}, {DT_MXFP4, 1, 17, {-1}, false}, {DT_NVFP4, 4, 36, {-1}, true},
	{DT_Q1_0, 2, 18, {0, -1}, false}, {DT_Q2_0, 2, 18, {0, -1}, false},
};

static uint32_t seed = 12345;

static uint8_t any_byte(void)
{
	seed = seed * 1664525 + 1013904223;
	return (uint8_t)(seed >> 24);
}

/* Numbers of F16 between 2^-8 and 2^-5, of either sign; a plain one of F32 in the one type that has it. */
static void set_scales(size_t k, uint8_t *block)
{
	for (size_t i = 0; i < dtypes[layouts[k].type].bytes; i++)
		block[i] = any_byte();
	for (size_t i = 0; layouts[k].halves[i] >= 0; i++)
		block[layouts[k].halves[i] + 1] = (uint8_t)(0x1c + any_byte() % 12 + (any_byte() & 0x80));
	if (layouts[k].type == DT_Q8_K)
		block[3] = 0x3c, block[2] &= 0x7f;
	if (layouts[k].type == DT_MXFP4)
		block[0] = (uint8_t)(120 + any_byte() % 8);
	for (size_t i = 0; layouts[k].type == DT_NVFP4 && i < 4; i++)
		block[i] %= 127;
}

static int by_value(const void *pa, const void *pb)
{
	double a = *(const double *)pa, b = *(const double *)pb;

	return (a > b) - (a < b);
}

enum { TRIES = 4096, ITEMS_MAX = 256, VALUES_MAX = 256 };

/* The values that the elements of blocks with these scales hold, ascending, each once. */
static size_t grid_of(const double *tries, size_t items, size_t element, double *values)
{
	static double all[TRIES];
	size_t n = 0;

	for (size_t i = 0; i < TRIES; i++)
		all[i] = tries[i * items + element];
	qsort(all, TRIES, sizeof(*all), by_value);
	for (size_t i = 0; i < TRIES; i++)
		if (i == 0 || all[i] != values[n - 1]) {
			assert_true(n < VALUES_MAX);
			values[n++] = all[i];
		}
	return n;
}

/* Element e of a block holds values[at]: numbers just within its cell, and well outside. */
static void check_cell(size_t k, const uint8_t *raw, const double *y, size_t e, const double *values, size_t n, size_t at)
{
	enum dtype t = layouts[k].type;
	double x[ITEMS_MAX], down, up, far = layouts[k].slips ? 4 * (values[n - 1] - values[0]) : 0;

	up = at + 1 < n ? (values[at + 1] - values[at]) / 2 : values[at] - values[at - 1];
	down = at > 0 ? (values[at] - values[at - 1]) / 2 : values[1] - values[0];
	memcpy(x, y, dtypes[t].items * sizeof(*x));
	for (int side = 0; side < 2; side++) {
		x[e] = side ? y[e] + 0.999 * up : y[e] - 0.999 * down;
		if (grid_beyond(t, raw, y, x, dtypes[t].items) != 0)
			fail_msg("%s element %zu: %g is in the cell of %g", dtypes[t].name, e, x[e], y[e]);
		x[e] = side ? y[e] + 1.3 * up + (at + 1 < n ? 0 : far) : y[e] - 1.3 * down - (at > 0 ? 0 : far);
		if (grid_beyond(t, raw, y, x, dtypes[t].items) != 1)
			fail_msg("%s element %zu: %g is not in the cell of %g", dtypes[t].name, e, x[e], y[e]);
	}
}

static void check_grid(size_t k)
{
	static double tries[TRIES * ITEMS_MAX];
	enum dtype t = layouts[k].type;
	size_t items = dtypes[t].items;
	uint8_t raw[512];

	assert_true(grid_has(t));
	set_scales(k, raw);
	for (size_t i = 0; i < TRIES; i++) {
		for (size_t b = layouts[k].codes; b < layouts[k].end; b++)
			raw[b] = any_byte();
		decode(t, tries + i * items, raw, items);
	}
	for (size_t e = 0; e < items; e++) {
		double values[VALUES_MAX], *y = tries + (TRIES - 1) * items;
		size_t n = grid_of(tries, items, e, values), at = 0;

		while (values[at] != y[e])
			at++;
		if (n > 1) /* else the scale is 0 */
			check_cell(k, raw, y, e, values, n, at);
	}
}

static void cells(void **state)
{
	size_t known = 0;
	(void)state;

	for (size_t k = 0; k < COUNT(layouts); k++)
		for (int again = 0; again < 3 && decode_can(layouts[k].type); again++, known++)
			check_grid(k);
	assert_true(known >= 12);
	for (int t = 0; t < DT_COUNT; t++)
		if (grid_has((enum dtype)t))
			assert_int_equal(dtypes[t].kind, KIND_BLOCK);
}

static void cells_of_specials(void **state)
{
	uint8_t raw[34] = {0, 0x3c}; /* scale 1, codes 0 */
	double y[32] = {0}, x[32] = {0};
	(void)state;

	assert_int_equal(grid_beyond(DT_Q8_0, raw, y, x, 32), 0);
	x[0] = NAN;
	x[1] = INFINITY;
	x[2] = -0.0;
	assert_int_equal(grid_beyond(DT_Q8_0, raw, y, x, 32), 2);
	y[0] = NAN;
	assert_int_equal(grid_beyond(DT_Q8_0, raw, y, x, 32), 1);
	x[1] = 0.5;
	assert_int_equal(grid_beyond(DT_Q8_0, raw, y, x, 32), 0);
	x[1] = 0.501;
	assert_int_equal(grid_beyond(DT_Q8_0, raw, y, x, 32), 1);
	raw[1] = 0; /* scale 0: what is less than F16 holds of a scale, 128 times, may have been lost */
	x[1] = 128 * 0x1p-25;
	assert_int_equal(grid_beyond(DT_Q8_0, raw, y, x, 32), 0);
	x[1] = 0.001;
	assert_int_equal(grid_beyond(DT_Q8_0, raw, y, x, 32), 1);
}

/* ---- the ladder ---- */

static void rungs(void **state)
{
	double a[3200], b[3200];
	uint8_t raw[3400];
	struct ladder l, second;
	struct relation r;
	struct buf words = {0};
	(void)state;

	for (size_t i = 0; i < 3200; i++) {
		if (i % 32 == 0)
			memcpy(raw + i / 32 * 34, "\0\x3c", 2);
		raw[i / 32 * 34 + 2 + i % 32] = (uint8_t)(i % 100);
	}
	decode(DT_Q8_0, b, raw, 3200);
	for (size_t i = 0; i < 3200; i++)
		a[i] = b[i] + (i % 3 - 1.0) / 3;
	ladder_init(&l, DT_F32, DT_Q8_0, 3200);
	ladder_init(&second, DT_F32, DT_Q8_0, 3200);
	a[7] += 2;
	ladder_add(&second, a + 1600, b + 1600, NULL, raw + 1700, 1600);
	ladder_add(&l, a, b, NULL, raw, 1600);
	ladder_merge(&l, &second);
	ladder_end(&l, &r);
	assert_int_equal(r.rung, RUNG_QUANTISED);
	assert_int_equal(r.beyond, 1);
	assert_false(r.reverse);
	relation_words(&words, &r);
	assert_string_equal(words.p, "within half a step but for 1 (<0.1 %)");
	buf_free(&words);
	for (size_t i = 0; i < 33; i++) /* of 3200: more than 1 % */
		a[90 * i] += 2;
	ladder_init(&l, DT_Q8_0, DT_F32, 3200);
	ladder_add(&l, b, a, raw, NULL, 3200);
	assert_false(ladder_open(&l));
	ladder_end(&l, &r);
	assert_int_equal(r.rung, RUNG_NONE);
	ladder_init(&l, DT_F32, DT_F32, 10);
	assert_false(ladder_open(&l));
	ladder_init(&l, DT_C64, DT_F32, 10);
	assert_false(ladder_open(&l));
}

static void both_directions(void **state)
{
	double fine[4] = {1 + 0x1p-20, 0.1, -3.3f, NAN}, coarse[4] = {1, 0, 0, NAN};
	struct ladder l;
	struct relation r;
	(void)state;

	coarse[1] = 0.09997558593750; /* the numbers of F16 nearest to 0.1 and -3.3 */
	coarse[2] = -3.30078125;
	ladder_init(&l, DT_F32, DT_F16, 4);
	ladder_add(&l, fine, coarse, NULL, NULL, 4);
	ladder_end(&l, &r);
	assert_true(r.rung == RUNG_CAST && !r.reverse && r.rounding == ROUND_EVEN);
	ladder_init(&l, DT_F16, DT_F32, 4);
	ladder_add(&l, coarse, fine, NULL, NULL, 4);
	ladder_end(&l, &r);
	assert_true(r.rung == RUNG_CAST && r.reverse && r.rounding == ROUND_EVEN);
	ladder_init(&l, DT_C64, DT_C32, 2); /* as two complex numbers */
	ladder_add(&l, fine, coarse, NULL, NULL, 2);
	ladder_end(&l, &r);
	assert_true(r.rung == RUNG_CAST && !r.reverse);
	coarse[2] = -3.302734375; /* the next one */
	ladder_init(&l, DT_C64, DT_C32, 2);
	ladder_add(&l, fine, coarse, NULL, NULL, 2);
	ladder_end(&l, &r);
	assert_int_equal(r.rung, RUNG_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_neighbour), cmocka_unit_test(to_f32),	     cmocka_unit_test(by_way_of_f32),
		cmocka_unit_test(out_of_range),	   cmocka_unit_test(specials),	     cmocka_unit_test(one_way),
		cmocka_unit_test(to_integers),	   cmocka_unit_test(cells),	     cmocka_unit_test(cells_of_specials),
		cmocka_unit_test(rungs),	   cmocka_unit_test(both_directions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
