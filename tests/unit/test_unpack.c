/* num/unpack through num/feed: affine codes (model/pack.h), whatever the axis and wherever one begins to read. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "num/feed.h"
#include "num/unpack.h"

enum { D0 = 7, D1 = 11, D2 = 13, N = D0 * D1 * D2 };

static const uint64_t shape[3] = {D0, D1, D2};

struct fixture {
	struct model m;
	struct tensor t;
	struct member member;
	uint8_t raw[2 * N + 3];
	float a[N], b[N];
};

static void make(struct fixture *f, enum dtype type)
{
	size_t size = dtypes[type].bytes;

	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < sizeof(f->raw); i++)
		f->raw[i] = (uint8_t)(37 * i + i / 200);
	for (size_t i = 0; i < N; i++) {
		f->a[i] = 0.013f + (float)i / 1024;
		f->b[i] = (float)(i % 19) - 5;
	}
	f->member = (struct member){.name = STR("m"), .data = {f->raw, sizeof(f->raw)}, .size = sizeof(f->raw)};
	f->m.source.members = &f->member;
	f->m.source.n = f->m.source.cap = 1;
	f->t = (struct tensor){.name = STR("t"), .type = type, .type_name = dtypes[type].name, .rank = 3, .shape = shape,
			       .count = N, .data = {0, 3, N * size}};
}

static float code(const struct fixture *f, enum dtype type, size_t i)
{
	const uint8_t *p = f->raw + 3;

	return type == DT_I8 ? (int8_t)p[i] : type == DT_U8 ? p[i] : (float)(p[2 * i] | p[2 * i + 1] << 8);
}

static size_t slice_of(size_t i, unsigned axis)
{
	return axis == 0 ? i / (D1 * D2) : axis == 1 ? i / D2 % D1 : i % D2;
}

static float value(const struct fixture *f, enum dtype type, const struct affine *how, size_t i)
{
	size_t k = how->n == 1 ? 0 : slice_of(i, how->axis);
	float q = code(f, type, i), a = f->a[k], b = f->b[k], t;

	if (how->form == AFFINE_ZERO)
		return how->b ? (q - b) * a : q * a;
	if (how->form == AFFINE_OFFSET) {
		t = q * a;
		return t + b;
	}
	t = q / how->steps;
	q = b * (1 - t);
	return q + a * t;
}

static void check(enum dtype type, struct affine how)
{
	static const size_t starts[] = {0, 1, D2 - 1, D1 * D2, 500, N - 1};
	struct fixture f;
	struct feed *feed;
	struct err e;

	make(&f, type);
	how.a = f.a;
	if (how.b)
		how.b = f.b;
	assert_int_equal(pack_affine(&f.m, &f.t, &how, &e), RC_OK);
	assert_int_equal(f.t.type, DT_F32);
	assert_int_equal(f.t.data.length, N * dtypes[type].bytes);
	assert_true(feed_random(&f.m, &f.t));
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_LOGICAL, &e), RC_OK);
	for (size_t s = 0; s < COUNT(starts); s++) {
		const float *x = (const float *)(const void *)feed_get(feed, starts[s], N - starts[s], &e);

		assert_non_null(x);
		for (size_t i = starts[s]; i < N; i++) {
			float want = value(&f, type, &how, i);

			assert_memory_equal(&x[i - starts[s]], &want, sizeof(want));
		}
	}
	assert_null(feed_get(feed, 1, N, &e));
	feed_close(feed);
	arena_free(&f.m.arena);
}

static void test_forms(void **state)
{
	static const float some = 0;
	static const uint64_t n[] = {D0, D1, D2};
	(void)state;

	for (int form = AFFINE_ZERO; form <= AFFINE_RANGE; form++) {
		check(DT_U16, (struct affine){.form = form, .b = &some, .n = 1, .steps = 65535});
		for (unsigned axis = 0; axis < 3; axis++) {
			check(DT_I8, (struct affine){.form = form, .b = &some, .n = n[axis], .axis = axis, .steps = 255});
			check(DT_U8, (struct affine){.form = form, .b = &some, .n = n[axis], .axis = axis, .steps = 255});
		}
	}
	check(DT_I8, (struct affine){.form = AFFINE_ZERO, .n = D1, .axis = 1});
}

static void test_misfits(void **state)
{
	const float x[2] = {1, 2};
	struct fixture f;
	struct feed *feed;
	struct err e;
	(void)state;

	make(&f, DT_U8);
	assert_int_equal(pack_affine(&f.m, &f.t, &(struct affine){.a = x, .n = 2, .axis = 0}, &e), RC_FAIL);
	assert_int_equal(pack_affine(&f.m, &f.t, &(struct affine){.a = x, .n = 2, .axis = 3}, &e), RC_FAIL);
	f.t.type = DT_Q8_0;
	assert_int_equal(pack_affine(&f.m, &f.t, &(struct affine){.a = x, .n = 1}, &e), RC_FAIL);
	f.t.type = DT_U8;
	f.t.data.length = N - 1;
	assert_int_equal(pack_affine(&f.m, &f.t, &(struct affine){.a = x, .n = 1}, &e), RC_OK);
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_LOGICAL, &e), RC_FAIL);
	assert_string_equal(e.msg, "its codes take 1001 bytes and have 1000");
	arena_free(&f.m.arena);
}

/* Codes of which there are none. */
static void test_empty(void **state)
{
	static const uint64_t none[2] = {0, 5};
	struct fixture f;
	struct feed *feed;
	struct err e;
	(void)state;

	make(&f, DT_U8);
	f.t.rank = 2;
	f.t.shape = none;
	f.t.count = f.t.data.length = 0;
	assert_int_equal(pack_affine(&f.m, &f.t, &(struct affine){.a = f.a, .n = 0, .axis = 0}, &e), RC_OK);
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_LOGICAL, &e), RC_OK);
	assert_non_null(feed_get(feed, 0, 0, &e));
	feed_close(feed);
	arena_free(&f.m.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_misfits),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
