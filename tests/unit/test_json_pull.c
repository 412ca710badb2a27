/* Strict JSON: what it takes and what it refuses is held against jansson's strict parser. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "format/json_pull.h"

static struct bytes bytes_of(const char *z)
{
	return (struct bytes){(const uint8_t *)z, strlen(z)};
}

/* Whether the text is one sound value. It is copied to a block of its own length, so that a sanitizer sees a read beyond. */
static bool sound(struct bytes text)
{
	struct arena a = {0};
	uint8_t *copy = malloc(text.n ? text.n : 1);
	struct pull in;
	bool ok;

	if (text.n)
		memcpy(copy, text.p, text.n);
	in = pull_of((struct bytes){copy, text.n}, 0, "it", &a);
	ok = pull_skip(&in) && pull_end(&in);
	assert_int_equal(ok, !in.bad);
	arena_free(&a);
	free(copy);
	return ok;
}

static bool sound_to_jansson(struct bytes text)
{
	json_t *v = json_loadb((const char *)text.p, text.n, JSON_DECODE_ANY, NULL);

	json_decref(v);
	return v != NULL;
}

static void test_takes(void **state)
{
	static const char *const good[] = {"{}", "[]", " [ ] ", "0", "-0", "1.5e+3", "\"\"", "true", "false", "null", "[[[]]]",
		"{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":\"e\"}", "\"\\ud83d\\ude00\"", "\"\xc3\xa9\"", "[1,\t2\r\n]"};
	static const char *const bad[] = {"", " ", "{", "[", "{]", "[}", "[1,]", "{\"a\":1,}", "{,}", "[,]", "{\"a\"}", "{\"a\":}",
		"{1:2}", "01", "-", "1.", ".5", "1e", "+1", "nul", "True", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
		"\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\u0000\"", "\"\xff\"", "\"\xc0\x80\"", "\"\n\"", "1 2", "{} x",
		"[1 2]", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "'a'", "[1]]"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!sound(bytes_of(good[i])))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (sound(bytes_of(bad[i])))
			fail_msg("taken: %s", bad[i]);
}

/* A random step of a multiplicative generator (Knuth, MMIX). */
static uint32_t random_step(uint64_t *x)
{
	*x = *x * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*x >> 33);
}

static void test_as_jansson(void **state)
{
	static const char seed[] = "{\"a\":[1,-2.5e3,\"x\\n\\u00e9\\ud83d\\ude00\",true,null],\"b\":{\"\":[]},\"c\":[{},{\"d\":\"\xc3\xa9\"}]}";
	static const char spice[] = "{}[]:,\"\\u0123456789eE+-.tfn \t\n\x01\x7f\x80\xc3\xed\xf0\xff";
	uint64_t x = 1;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		uint8_t text[sizeof(seed)];
		size_t n = sizeof(seed) - 1;

		memcpy(text, seed, sizeof(seed));
		for (uint32_t k = random_step(&x) % 4 + 1; k > 0; k--)
			text[random_step(&x) % n] = (uint8_t)spice[random_step(&x) % (sizeof(spice) - 1)];
		if (random_step(&x) % 8 == 0)
			n = random_step(&x) % n;
		if (sound((struct bytes){text, n}) != sound_to_jansson((struct bytes){text, n}))
			fail_msg("not as jansson: %.*s", (int)n, (const char *)text);
	}
}

static void test_values(void **state)
{
	struct arena a = {0};
	struct pull in = pull_of(bytes_of("{\"\\u0061\\n\\ud83d\\ude00\": \"plain\", \"n\":[0, 18446744073709551615,"
					  "18446744073709551616], \"f\": 1.0}"), 0, "it", &a);
	struct str s;
	uint64_t n;

	(void)state;
	assert_false(pull_array(&in));
	assert_true(pull_object(&in));
	assert_true(pull_member(&in, &s));
	assert_true(str_eq(s, STR("a\n\xf0\x9f\x98\x80")));
	assert_false(pull_u64(&in, &n));
	assert_true(pull_string(&in, &s));
	assert_true(str_eq(s, STR("plain")));
	assert_true(pull_member(&in, &s) && pull_array(&in));
	assert_true(pull_item(&in) && pull_u64(&in, &n) && n == 0);
	assert_true(pull_item(&in) && pull_u64(&in, &n) && n == UINT64_MAX);
	assert_true(pull_item(&in));
	assert_false(pull_u64(&in, &n));
	assert_true(pull_skip(&in));
	assert_false(pull_item(&in));
	assert_true(pull_member(&in, &s));
	assert_false(pull_u64(&in, &n));
	assert_true(pull_skip(&in));
	assert_false(pull_member(&in, &s));
	assert_true(pull_end(&in));
	arena_free(&a);
}

/* What Python's json takes beyond that: settings of Python's libraries are read as they read them. */
static void test_python(void **state)
{
	static const struct {
		const char *text;
		bool takes;
	} all[] = {
		{"[NaN, Infinity, -Infinity, -1]", true}, {"\"\\u0000\"", true}, {"\"\\ud800\"", true}, {"\"\\udc00x\"", true},
		{"-NaN", false}, {"nan", false}, {"-Inf", false}, {"-", false}, {"-I", false}, {"{\"a\":1,}", false}, {"01", false},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct pull in = pull_of(bytes_of(all[i].text), 0, "it", &a);

		in.python = true;
		assert_int_equal(pull_skip(&in) && pull_end(&in), all[i].takes);
		assert_false(sound(bytes_of(all[i].text)));
	}
	arena_free(&a);
}

static void test_depth_and_place(void **state)
{
	char deep[2 * 257];
	struct arena a = {0};
	struct pull in = pull_of(bytes_of("{\"a\":1,\n \"b\" 2}"), 8, "the header", &a);
	struct str s;

	(void)state;
	memset(deep, '[', 256);
	memset(deep + 256, ']', 256);
	assert_true(sound((struct bytes){(const uint8_t *)deep, 512}));
	memset(deep, '[', 257);
	memset(deep + 257, ']', 257);
	assert_false(sound((struct bytes){(const uint8_t *)deep, 514}));
	assert_true(pull_object(&in) && pull_member(&in, &s) && pull_skip(&in));
	assert_false(pull_member(&in, &s));
	assert_string_equal(in.why.msg, "the header is not sound JSON: a colon was expected (byte 21)");
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes),
		cmocka_unit_test(test_as_jansson),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_python),
		cmocka_unit_test(test_depth_and_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
