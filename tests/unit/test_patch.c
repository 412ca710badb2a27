/* analysis/patch, census and peek: what the screen sees of a tensor, against loops over all of it; and num/scale. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "analysis/census.h"
#include "analysis/patch.h"
#include "analysis/peek.h"
#include "base/err.h"
#include "base/pool.h"
#include "num/decode.h"
#include "num/feed.h"
#include "num/scale.h"

struct fixture {
	struct session s;
	struct row row;
	struct tensor t[2];
	struct member member[2];
	uint8_t *raw[2];
	double *x[2]; /* what the elements are, in row-major order */
	uint64_t shape[3];
};

static const struct opts no_opts;
static uint32_t seed;

static uint32_t next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static double tame(enum dtype type, double x)
{
	return type == DT_I64 ? (double)(int64_t)(1000 * x) : (double)(float)x;
}

static void put(uint8_t *p, enum dtype type, double x)
{
	float f = (float)x;
	int64_t i = (int64_t)x;

	if (type == DT_F32)
		memcpy(p, &f, 4);
	else
		memcpy(p, &i, 8);
}

static void deflate_member(struct member *m)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)m->data.p, .avail_in = (uInt)m->data.n};
	uint8_t *out = malloc(m->data.n + 1000);

	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)m->data.n + 1000;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	m->kind = MEMBER_DEFLATED;
	m->packed = (struct bytes){out, z.total_out};
	m->crc = (uint32_t)crc32(0, m->data.p, (uInt)m->data.n);
	m->data = (struct bytes){NULL, 0};
}

static void make_side(struct fixture *f, int side, enum dtype type, bool packed, bool fortran)
{
	uint64_t n = f->shape[0] * f->shape[1] * f->shape[2], bytes = n / dtypes[type].items * dtypes[type].bytes;

	f->raw[side] = calloc(1, bytes + 3);
	f->x[side] = calloc(n, sizeof(double));
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = !fortran ? i : i / (f->shape[1] * f->shape[2]) + i / f->shape[2] % f->shape[1] * f->shape[0] +
			      i % f->shape[2] * f->shape[0] * f->shape[1];

		if (dtypes[type].items > 1)
			continue;
		f->x[side][i] = tame(type, (double)next_random() / 0x1000000 - 0.5);
		if (type == DT_F32 && next_random() % 997 == 0)
			f->x[side][i] = next_random() & 1 ? NAN : INFINITY;
		put(f->raw[side] + 3 + at * dtypes[type].bytes, type, f->x[side][i]);
	}
	if (dtypes[type].items > 1) {
		for (uint64_t i = 0; i < bytes; i++)
			f->raw[side][3 + i] = (uint8_t)next_random();
		for (uint64_t i = 1; i < bytes; i += dtypes[type].bytes)
			f->raw[side][3 + i] = 0x2e; /* a scale that is finite */
		decode(type, f->x[side], f->raw[side] + 3, n);
	}
	f->member[side] = (struct member){.name = STR("m"), .data = {f->raw[side], bytes + 3}, .size = bytes + 3};
	if (packed)
		deflate_member(&f->member[side]);
	f->s.m[side].source.members = &f->member[side];
	f->s.m[side].source.n = f->s.m[side].source.cap = 1;
	f->t[side] = (struct tensor){
		.name = STR("t"), .type = type, .type_name = dtypes[type].name, .rank = 3, .shape = f->shape, .count = n,
		.data = {0, 3, bytes}, .fortran = fortran,
	};
	f->row.t[side] = &f->t[side];
}

static void open_pair(struct fixture *f, enum dtype type, uint64_t a, uint64_t b, uint64_t c, bool packed, bool fortran)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->shape, (uint64_t[]){a, b, c}, sizeof(f->shape));
	make_side(f, A, type, packed, false);
	make_side(f, B, type, packed, fortran);
	f->s.opts = &no_opts;
	f->s.n_models = 2;
	f->s.rows = &f->row;
	f->s.n_rows = 1;
	f->s.pool = pool_new(3);
}

static void close_pair(struct fixture *f)
{
	pool_free(f->s.pool);
	for (int side = A; side <= B; side++) {
		free(f->raw[side]);
		free(f->x[side]);
		free((void *)(uintptr_t)f->member[side].packed.p);
	}
}

static double value_at(const struct fixture *f, int plane, uint64_t i)
{
	return plane == PLANE_D ? f->x[B][i] - f->x[A][i] : f->x[plane][i];
}

static void expect_cell(const struct fixture *f, const struct patch_ask *a, struct patch *p, unsigned y, unsigned x)
{
	for (int plane = 0; plane < PLANE_COUNT; plane++) {
		uint64_t n = 0, bad = 0;
		double peak = NAN, sum = 0, sumsq = 0;
		bool exact;
		const struct patch_cell *c = patch_cell(p, plane, y, x, &exact);

		for (uint64_t r = a->row + y * a->per_row; r < a->row + (y + 1) * a->per_row && r < a->m.rows; r++)
			for (uint64_t k = a->column + x * a->per_column;
			     k < a->column + (x + 1) * a->per_column && k < a->m.columns; k++) {
				uint64_t i = a->m.base + r * a->m.row_step + k * a->m.column_step;
				double v = i < a->m.end ? value_at(f, plane, i) : 0;

				if (i >= a->m.end)
					continue;
				bad += !isfinite(v);
				n += isfinite(v);
				if (isfinite(v) && !(fabs(v) <= fabs(peak)))
					peak = v;
				sum += isfinite(v) ? v : 0;
				sumsq += isfinite(v) ? v * v : 0;
			}
		assert_non_null(c);
		assert_true(exact);
		assert_int_equal(c->n, n);
		assert_int_equal(c->bad, bad);
		assert_true(n == 0 || fabs(c->peak) == fabs(peak));
		if (n)
			assert_true(c->peak == value_at(f, plane, a->m.base + c->peak_row * a->m.row_step +
							c->peak_column * a->m.column_step));
		assert_true(fabs(c->sum - sum) <= 1e-9 * (1 + fabs(sum) + sumsq));
		assert_true(fabs(c->sumsq - sumsq) <= 1e-9 * (1 + sumsq));
	}
}

static void expect_patch(struct fixture *f, const struct patch_ask *a)
{
	struct patch *p = patch_start(&f->s, 0, a, NULL, NULL);

	while (!patch_done(p))
		patch_wait(p, 500);
	assert_null(patch_error(p));
	for (unsigned y = 0; y < a->height; y++)
		for (unsigned x = 0; x < a->width; x++)
			expect_cell(f, a, p, y, x);
	patch_drop(p);
}

enum { A3 = 24, B3 = 32, C3 = 64 };

/* All ways to lay a tensor of three dimensions out, from all of it in a few cells to a window of single elements. */
static void expect_all(struct fixture *f)
{
	const uint64_t n = A3 * B3 * C3;
	const struct matrix matrices[] = {
		{A3, B3 * C3, 0, B3 * C3, 1, n},          /* all of it, cut once */
		{A3 * B3, C3, 0, C3, 1, n},
		{B3, C3, 5 * B3 * C3, C3, 1, n},          /* a slice */
		{C3, B3, 7 * B3 * C3, 1, C3, n},          /* turned */
		{A3, B3, 11, B3 * C3, C3, n},             /* neither is the last dimension */
		{n / 100 + 1, 100, 0, 100, 1, n},         /* wrapped: the last row is not full */
		{n, 1, 0, 1, 1, n},
	};

	for (size_t i = 0; i < COUNT(matrices); i++) {
		struct matrix m = matrices[i];
		struct patch_ask whole = {.m = m, .sides = 3, .per_row = (m.rows + 8) / 9, .per_column = (m.columns + 6) / 7,
					  .height = 9, .width = 7};
		struct patch_ask part = {.m = m, .sides = 3, .row = m.rows / 3, .column = m.columns / 2, .per_row = 3,
					 .per_column = 2, .height = 40, .width = 30};
		struct patch_ask single = {.m = m, .sides = 3, .row = m.rows / 2, .column = m.columns / 3, .per_row = 1,
					   .per_column = 1, .height = 12, .width = 20};

		expect_patch(f, &whole);
		expect_patch(f, &part);
		expect_patch(f, &single);
	}
}

static void reductions(void **state)
{
	struct fixture f;
	(void)state;

	open_pair(&f, DT_F32, A3, B3, C3, false, false);
	expect_all(&f);
	close_pair(&f);
	open_pair(&f, DT_F32, A3, B3, C3, false, true);
	expect_all(&f);
	close_pair(&f);
	open_pair(&f, DT_F32, A3, B3, C3, true, true);
	expect_all(&f);
	close_pair(&f);
	open_pair(&f, DT_I64, A3, B3, C3, false, false);
	expect_all(&f);
	close_pair(&f);
	open_pair(&f, DT_Q8_0, A3, B3, C3, false, false);
	expect_all(&f);
	close_pair(&f);
	open_pair(&f, DT_Q8_0, A3, B3, C3, true, false);
	expect_all(&f);
	close_pair(&f);
}

/* Large enough for the coarse pass; and a tile for each part of a row. */
static void large(void **state)
{
	struct fixture f;
	const uint64_t n = UINT64_C(3) * 700 * 2100;
	(void)state;

	open_pair(&f, DT_F32, 3, 700, 2100, false, false);
	expect_patch(&f, &(struct patch_ask){.m = {2100, 2100, 0, 2100, 1, n}, .sides = 3, .per_row = 100, .per_column = 150,
					     .height = 21, .width = 14});
	expect_patch(&f, &(struct patch_ask){.m = {1, n, 0, n, 1, n}, .sides = 3, .per_row = 1, .per_column = n / 50 + 1,
					     .height = 1, .width = 50});
	close_pair(&f);
}

static double *sorted_by;

static int cmp_magnitude(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;
	double x = fabs(sorted_by[a]), y = fabs(sorted_by[b]);

	return x != y ? (x < y ? 1 : -1) : a < b ? -1 : a > b;
}

static void tops(void **state)
{
	enum { MOST = 300 };
	struct fixture f;
	const uint64_t n = A3 * B3 * C3;
	const struct patch_top *got;
	uint64_t *order = calloc(n, sizeof(*order)), finite = 0;
	struct patch *p;
	size_t n_got;
	(void)state;

	open_pair(&f, DT_F32, A3, B3, C3, false, false);
	sorted_by = calloc(n, sizeof(*sorted_by));
	for (uint64_t i = 0; i < n; i++) {
		if (i % 50 == 0)
			f.x[B][i] = f.x[A][i] + 0.75; /* equal ones: the first go first */
		put(f.raw[B] + 3 + 4 * i, DT_F32, f.x[B][i]);
		f.x[B][i] = (double)(float)f.x[B][i];
		sorted_by[i] = value_at(&f, PLANE_D, i);
		if (isfinite(sorted_by[i]) && sorted_by[i] != 0)
			order[finite++] = i;
	}
	qsort(order, finite, sizeof(*order), cmp_magnitude);
	p = patch_start(&f.s, 0, &(struct patch_ask){.m = {A3 * B3, C3, 0, C3, 1, n}, .sides = 3, .per_row = 12,
						     .per_column = 1, .height = 64, .width = 64, .top = MOST,
						     .top_of = PLANE_D}, NULL, NULL);
	while (!patch_done(p))
		patch_wait(p, 500);
	got = patch_tops(p, &n_got);
	assert_int_equal(n_got, MOST);
	for (size_t i = 0; i < MOST; i++)
		assert_int_equal(got[i].row * C3 + got[i].column, order[i]);
	patch_drop(p);
	close_pair(&f);
	free(order);
	free(sorted_by);
}

/* A 64-bit integer is kept to its last bit, and so is the difference of two. */
static void elements(void **state)
{
	struct fixture f;
	struct patch *p;
	int64_t a = INT64_MAX - 1, b = INT64_MAX;
	bool exact;
	(void)state;

	open_pair(&f, DT_I64, A3, B3, C3, false, false);
	memcpy(f.raw[A] + 3 + 8 * 70, &a, 8);
	memcpy(f.raw[B] + 3 + 8 * 70, &b, 8);
	p = patch_start(&f.s, 0, &(struct patch_ask){.m = {A3 * B3, C3, 0, C3, 1, A3 * B3 * C3}, .sides = 3, .per_row = 1,
						     .per_column = 1, .height = 3, .width = 10}, NULL, NULL);
	while (!patch_done(p))
		patch_wait(p, 500);
	assert_true(patch_element(p, A, 1, 6)->whole == (uint64_t)a);
	assert_true(patch_element(p, B, 1, 6)->whole == (uint64_t)b);
	assert_true(patch_cell(p, PLANE_D, 1, 6, &exact)->peak == 1);
	assert_null(patch_element(p, A, 3, 0));
	assert_null(patch_element(p, A, 0, 10));
	patch_drop(p);
	close_pair(&f);
}

/* Let go of at any moment, by whoever waits for nothing. Sanitizers and leak checks look at this one. */
static void dropped(void **state)
{
	struct fixture f;
	const uint64_t n = UINT64_C(3) * 700 * 2100;
	(void)state;

	open_pair(&f, DT_F32, 3, 700, 2100, false, false);
	for (unsigned i = 0; i < 60; i++) {
		struct patch *p = patch_start(&f.s, 0, &(struct patch_ask){
			.m = {2100, 2100, 0, 2100, 1, n}, .sides = 3, .per_row = 30, .per_column = 30, .height = 70,
			.width = 70, .top = 10, .top_of = PLANE_B}, NULL, NULL);

		if (i % 3)
			patch_wait(p, i % 7);
		patch_drop(p);
	}
	close_pair(&f);
}

static void wrong_stream(void **state)
{
	struct census_range r = {.lo = -1, .hi = 1, .n = 9};
	struct census *c;
	struct fixture f;
	struct patch *p;
	(void)state;

	open_pair(&f, DT_F32, A3, B3, C3, true, false);
	f.member[B].packed.n /= 2;
	p = patch_start(&f.s, 0, &(struct patch_ask){.m = {A3 * B3, C3, 0, C3, 1, A3 * B3 * C3}, .sides = 3, .per_row = 10,
						     .per_column = 10, .height = 77, .width = 7}, NULL, NULL);
	while (!patch_done(p))
		patch_wait(p, 500);
	assert_non_null(patch_error(p));
	patch_drop(p);
	c = census_start(&f.s, 0, &r, &r, NULL, NULL);
	while (!census_done(c))
		census_wait(c, 500);
	assert_non_null(census_error(c));
	census_drop(c);
	close_pair(&f);
}

/* ---- census ---- */

static bool is_counted(const struct fixture *f, int plane, uint64_t i)
{
	return plane != PLANE_D || (isfinite(f->x[A][i]) && isfinite(f->x[B][i]));
}

static void expect_counts(const struct fixture *f, struct census *c, int plane)
{
	uint64_t n = f->shape[0] * f->shape[1] * f->shape[2];
	struct bins got = {.n = 0}, want = {.n = 0};

	census_look(c, plane, &got);
	bins_copy(&want, &got);
	bins_clear(&want);
	for (uint64_t i = 0; i < n; i++) {
		double x = value_at(f, plane, i);

		if (is_counted(f, plane, i))
			bins_add(&want, &x, 1);
	}
	assert_memory_equal(got.counts, want.counts, got.n * sizeof(*got.counts));
	assert_int_equal(got.below, want.below);
	assert_int_equal(got.above, want.above);
	assert_int_equal(got.left, want.left);
	bins_free(&got);
	bins_free(&want);
}

static void expect_census(struct fixture *f, double knee)
{
	struct census_range values = {.lo = -0.25, .hi = 0.4, .knee = knee, .n = 50}, d = {-0.5, 0.1, knee, 31};
	struct census *c = census_start(&f->s, 0, &values, &d, NULL, NULL);

	while (!census_done(c))
		census_wait(c, 500);
	assert_null(census_error(c));
	assert_true(census_progress(c) == 1);
	for (int plane = 0; plane < PLANE_COUNT; plane++)
		expect_counts(f, c, plane);
	census_drop(c);
}

/* Ranges that leave some out, of every way to store a tensor; and more elements than a part takes. */
static void counts(void **state)
{
	static const struct {
		enum dtype type;
		bool packed, fortran;
	} ways[] = {{DT_F32, false, false}, {DT_F32, false, true}, {DT_F32, true, true}, {DT_I64, false, false},
		    {DT_Q8_0, true, false}};
	struct fixture f;
	(void)state;

	for (size_t i = 0; i < COUNT(ways); i++) {
		open_pair(&f, ways[i].type, A3, B3, C3, ways[i].packed, ways[i].fortran);
		expect_census(&f, 0);
		expect_census(&f, 1e-3);
		close_pair(&f);
	}
	open_pair(&f, DT_F32, 3, 700, 500, false, false);
	expect_census(&f, 0);
	for (unsigned i = 0; i < 40; i++) { /* let go of at any moment */
		struct census_range r = {.lo = -1, .hi = 1, .n = 9};
		struct census *c = census_start(&f.s, 0, &r, &r, NULL, NULL);

		if (i % 3)
			census_wait(c, i % 5);
		census_drop(c);
	}
	close_pair(&f);
}

static void peeks(void **state)
{
	(void)state;
	for (int packed = 0; packed < 2; packed++) {
		struct fixture f;
		struct peek *p;
		const char *error;
		const uint8_t *got;
		size_t n;

		open_pair(&f, DT_F32, A3, B3, C3, packed, false);
		p = peek_start(&f.s, 0, &(struct peek_ask){{40000, 4 * A3 * B3 * C3 - 10}, {64, 64}}, NULL, NULL);
		while (!peek_done(p))
			peek_wait(p, 500);
		got = peek_bytes(p, A, &n, &error);
		assert_int_equal(n, 64);
		assert_memory_equal(got, f.raw[A] + 3 + 40000, 64);
		got = peek_bytes(p, B, &n, &error);
		assert_int_equal(n, 10); /* the span ends there */
		assert_memory_equal(got, f.raw[B] + 3 + 4 * A3 * B3 * C3 - 10, 10);
		peek_drop(p);
		peek_drop(peek_start(&f.s, 0, &(struct peek_ask){{0, 0}, {64, 0}}, NULL, NULL));
		close_pair(&f);
	}
}

static void offsets(void **state)
{
	const uint64_t shape[2] = {6, 64};
	struct tensor t = {.type = DT_F32, .rank = 2, .shape = shape, .count = 384};
	(void)state;

	assert_int_equal(feed_offset(&t, 70), 280);
	t.fortran = true;
	assert_int_equal(feed_offset(&t, 70), 4 * (6 * 6 + 1));
	t = (struct tensor){.type = DT_Q4_0, .rank = 2, .shape = shape, .count = 384};
	assert_int_equal(feed_offset(&t, 70), 2 * 18);
	t = (struct tensor){.type = DT_U8, .rank = 1, .shape = shape, .count = 6, .stride = 10, .record = 4};
	assert_int_equal(feed_offset(&t, 5), 11);
	t = (struct tensor){.type = DT_F32, .rank = 2, .shape = shape, .count = 384, .strides = (uint64_t[]){1, 6}};
	assert_int_equal(feed_offset(&t, 70), 4 * (1 + 6 * 6));
}

/* A block's values are what its scales make of its codes, for every type whose codes are numbers; float32 rounds. */
static void scales(void **state)
{
	unsigned tried = 0;
	(void)state;

	seed = 12345;
	for (int type = 0; type < DT_COUNT; type++) {
		struct block_scale s[SCALES_MAX];
		uint8_t block[512] = {0};
		uint16_t codes[256];
		double x[256];
		unsigned n;

		if (!decode_can((enum dtype)type) || dtypes[type].kind != KIND_BLOCK || !dtypes[type].code_bits)
			continue;
		for (int round = 0; round < 50; round++) {
			for (unsigned i = 0; i < dtypes[type].bytes; i++)
				block[i] = (uint8_t)next_random();
			if (type == DT_Q8_K)
				memcpy(block, &(float){0.01f}, 4);
			/* half floats that stand anywhere come out finite */
			for (unsigned at = 0; at + 1 < dtypes[type].bytes; at++)
				if (at == 0 || at == 2 || at == 52 || at == 64 || at == 80 || at == 82 || at == 108 || at == 208)
					block[at + 1] = (uint8_t)(0x20 | (block[at + 1] & 0x87));
			n = block_scales((enum dtype)type, block, s);
			if (n == 0 || s[0].table)
				break;
			decode((enum dtype)type, x, block, dtypes[type].items);
			decode_codes((enum dtype)type, codes, block, dtypes[type].items);
			for (unsigned i = 0; i < dtypes[type].items; i++) {
				const struct block_scale *g = &s[i / (dtypes[type].items / n)];
				double y = g->scale * (block_code((enum dtype)type, codes[i]) - g->zero) - g->min;

				if (!(fabs(y - x[i]) <= 1e-5 * (fabs(y) + fabs(g->min))))
					fail_msg("%s element %u: %g, decoded %g", dtypes[type].name, i, y, x[i]);
			}
			tried += round == 0;
		}
	}
	assert_true(tried >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reductions),
		cmocka_unit_test(large),
		cmocka_unit_test(tops),
		cmocka_unit_test(elements),
		cmocka_unit_test(dropped),
		cmocka_unit_test(wrong_stream),
		cmocka_unit_test(counts),
		cmocka_unit_test(peeks),
		cmocka_unit_test(offsets),
		cmocka_unit_test(scales),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
