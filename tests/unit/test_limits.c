/* base/limits: what --limit takes, and what follows for the bytes that may be unpacked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "bytes/member.h"
#include "model/model.h"

static void numbers(void **state)
{
	static const char *const wrong[] = {"", "K", "-1", "+1", " 1", "1 ", "1k", "1KB", "1.5M", "0x10", "1K1",
					    "18446744073709551616",
					    "16777216T"};
	uint64_t n = 7;

	(void)state;
	assert_true(limits_number("0", &n) && n == 0);
	assert_true(limits_number("18446744073709551615", &n) && n == UINT64_MAX);
	assert_true(limits_number("3K", &n) && n == 3072);
	assert_true(limits_number("16777215T", &n) && n == (uint64_t)16777215 << 40);
	n = 7;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(limits_number(wrong[i], &n));
	assert_int_equal(n, 7);
}

/* Each can be set, but for 0 and what is more than can be; the rows belong to the members. */
static void every_limit(void **state)
{
	const struct limits usual = limits;
	struct err e;
	char arg[64];

	(void)state;
	for (const struct limit_info *i = limit_infos; i->name; i++) {
		assert_true(i->usual > 0 && i->usual <= i->most);
		assert_int_equal(*i->value, i->usual);
		snprintf(arg, sizeof(arg), "%s=3", i->name);
		assert_int_equal(limits_set(arg, &e), RC_OK);
		assert_int_equal(*i->value, 3);
		assert_int_equal(limits_passed(i->value, &e), RC_FAIL);
		assert_non_null(strstr(e.msg, "more than 3 "));
		snprintf(arg, sizeof(arg), "--limit %s=N", i->name);
		assert_non_null(strstr(e.msg, arg));
		snprintf(arg, sizeof(arg), "%s=0", i->name);
		assert_int_equal(limits_set(arg, &e), RC_FAIL);
		snprintf(arg, sizeof(arg), "%sx=3", i->name);
		assert_int_equal(limits_set(arg, &e), RC_FAIL);
		*i->value = i->usual;
	}
	assert_int_equal(limits_set("rank=65", &e), RC_FAIL);
	assert_memory_equal(&limits, &usual, sizeof(limits));
}

static void what_unpacks(void **state)
{
	const struct limits usual = limits;
	const uint64_t gib = (uint64_t)1 << 30;

	(void)state;
	assert_int_equal(unpack_limit(0), gib);
	assert_int_equal(unpack_limit(gib / 1000), gib);
	assert_int_equal(unpack_limit(2 * gib / 1000), 2 * gib / 1000 * 1000);
	assert_int_equal(unpack_limit(gib), 64 * gib);
	assert_int_equal(unpack_limit(UINT64_MAX), 64 * gib);
	limits.inflated = 1000;
	assert_int_equal(unpack_limit(5), 1000);
	limits.inflated = 200 * gib;
	limits.ratio = UINT64_MAX;
	assert_int_equal(unpack_limit(1), 200 * gib);
	limits = usual;
	assert_int_equal(limits_names(1), 16 + limits.names);
	assert_int_equal(limits_names(UINT64_MAX / 16), UINT64_MAX);
	assert_int_equal(limits_names(UINT64_MAX), UINT64_MAX);
}

/* What is beyond the limit of metadata is counted and reported; of tensors there is no room. */
static void a_full_model(void **state)
{
	const struct limits usual = limits;
	struct model m = {0};
	struct err e;

	(void)state;
	limits.metadata = limits.tensors = 2;
	for (int i = 0; i < 5; i++)
		model_add_meta(&m, STR("key"))->kind = META_BOOL;
	assert_int_equal(m.n_meta, 2);
	assert_int_equal(m.more_meta, 3);
	model_add_tensor(&m);
	assert_int_equal(model_room(&m, &e), RC_OK);
	model_add_tensor(&m);
	assert_int_equal(model_room(&m, &e), RC_FAIL);
	m.n_tensors = 0;
	model_finish(&m, NULL);
	assert_int_equal(m.n_problems, 1);
	assert_non_null(strstr(m.problems[0].message, "more than 2 entries of metadata: 3 are left out"));
	model_close(&m);
	limits = usual;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(every_limit),
		cmocka_unit_test(what_unpacks),
		cmocka_unit_test(a_full_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
