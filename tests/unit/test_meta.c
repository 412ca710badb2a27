/* analysis/datum and provenance: JSON that is opened level by level, and keys that tell where a model comes from. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "analysis/datum.h"
#include "analysis/provenance.h"
#include "base/buf.h"

static struct meta_value text_of(const char *s)
{
	return (struct meta_value){.kind = META_TEXT, .type = "str", .u.text = str_of(s)};
}

static void expect_text(const struct datum *d, const char *want)
{
	struct buf b = {0};

	datum_text(d, &b, 1000, false);
	assert_string_equal(b.p ? b.p : "", want);
	buf_free(&b);
}

static void expect_type(const struct datum *d, const char *want)
{
	struct buf b = {0};

	datum_type(d, &b);
	assert_string_equal(b.p, want);
	buf_free(&b);
}

static void json(void **state)
{
	struct meta_value v = text_of(" {\"a\": [1, -2.5e3, [ ]], \"b\\\"\\u00e9\": {\"x\": \"y\\n\"}, \"c\": null, "
				      "\"d\": true}\n");
	struct datum d = {.meta = &v};
	struct datum_parts p, q;
	struct arena a = {0};
	struct err e;
	(void)state;

	assert_true(datum_opens(&d));
	expect_type(&d, "str, JSON");
	assert_true(datum_open(&d, &a, &p, &e));
	assert_int_equal(p.n, 4);
	assert_int_equal(p.more, 0);
	assert_false(p.items);
	assert_true(str_eq(p.part[0].label, STR("a")));
	assert_true(str_eq(p.part[1].label, STR("b\"\u00e9")));
	expect_text(&p.part[0].d, "[1, -2.5e3, [ ]]");
	expect_type(&p.part[0].d, "array");
	expect_text(&p.part[2].d, "null");
	assert_false(datum_opens(&p.part[2].d));
	expect_type(&p.part[3].d, "bool");
	assert_true(datum_open(&p.part[0].d, &a, &q, &e));
	assert_true(q.items && q.n == 3);
	expect_text(&q.part[1].d, "-2.5e3");
	expect_type(&q.part[1].d, "number");
	assert_false(datum_opens(&q.part[2].d)); /* there is nothing in it */
	assert_true(datum_open(&p.part[1].d, &a, &q, &e));
	assert_true(!q.items && q.n == 1);
	expect_text(&q.part[0].d, "y\\n");
	arena_free(&a);
}

static void not_json(void **state)
{
	static const char *const unsound[] = {
		"{\"a\": 1,}", "{\"a\" 1}", "[1 2]", "[1]]", "{}{}", "{\"a\": [1}}", "[nul]",
	};
	static const char *const plain[] = {"", "{", "}", "{}", "[ ]", "x{1}", "12", "\"[1]\""};
	struct arena a = {0};
	struct datum_parts p;
	struct err e;
	(void)state;

	for (size_t i = 0; i < COUNT(plain); i++) {
		struct meta_value v = text_of(plain[i]);

		assert_false(datum_opens(&(struct datum){.meta = &v}));
	}
	for (size_t i = 0; i < COUNT(unsound); i++) {
		struct meta_value v = text_of(unsound[i]);
		struct datum d = {.meta = &v};

		if (datum_opens(&d))
			assert_false(datum_open(&d, &a, &p, &e));
	}
	arena_free(&a);
}

/* More than anyone scrolls through is counted. */
static void many(void **state)
{
	struct meta_value v;
	struct buf b = {0};
	struct arena a = {0};
	struct datum_parts p;
	struct err e;
	(void)state;

	buf_puts(&b, "[0");
	for (int i = 1; i < DATUM_PARTS_MAX + 7; i++)
		buf_printf(&b, ",%d", i);
	buf_puts(&b, "]");
	v = text_of(b.p);
	assert_true(datum_open(&(struct datum){.meta = &v}, &a, &p, &e));
	assert_int_equal(p.n, DATUM_PARTS_MAX);
	assert_int_equal(p.more, 7);
	expect_text(&p.part[DATUM_PARTS_MAX - 1].d, "9999");
	arena_free(&a);
	buf_free(&b);
}

static bool same(const char *a, const char *b)
{
	struct bytes x = {(const uint8_t *)a, strlen(a)}, y = {(const uint8_t *)b, strlen(b)};

	return datum_equal(&(struct datum){.json = x}, &(struct datum){.json = y});
}

static void equal(void **state)
{
	(void)state;
	assert_true(same("{\"a\": [1, 2]}", "{ \"a\":[1,\n2] }"));
	assert_false(same("{\"a\": [1, 2]}", "{\"a\": [1, 3]}"));
	assert_false(same("\"a b\"", "\"ab\""));        /* in a string white space counts */
	assert_false(same("\"a\\\" b\"", "\"a\\\"b\"")); /* and an escaped quote does not end it */
	assert_true(same("[\"\\\\\", 1]", "[\"\\\\\",1]"));
	assert_false(same("[1]", "[1"));
}

/* Both ends of what is long, and no half characters. */
static void cut(void **state)
{
	struct meta_value v = text_of("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9");
	struct buf b = {0};
	(void)state;

	for (size_t most = 2; most < 20; most++) {
		buf_clear(&b);
		datum_text(&(struct datum){.meta = &v}, &b, most, false);
		assert_null(strstr(b.p, "\\x"));
		assert_non_null(strstr(b.p, "…"));
	}
	buf_free(&b);
}

static void facts(void **state)
{
	static const struct {
		const char *key;
		enum fact fact;
	} keys[] = {
		{"general.license", FACT_LICENCE},          {"license", FACT_LICENCE},
		{"general.license.link", FACT_LICENCE},     {"modelspec.author", FACT_AUTHOR},
		{"general.base_model.0.name", FACT_BASE},   {"general.base_model.0.author", FACT_BASE},
		{"ss_base_model_version", FACT_BASE},       {"general.datasets", FACT_DATA},
		{"general.dataset.0.license", FACT_DATA},   {"producer_name", FACT_PRODUCER},
		{"producer_version", FACT_PRODUCER},        {"producer", FACT_PRODUCER},
		{"keras_version", FACT_PRODUCER},           {"tensorflow_version", FACT_PRODUCER},
		{"userDefined.com.github.apple.coremltools.version", FACT_PRODUCER},
		{"format", FACT_PRODUCER},                  {"general.version", FACT_VERSION},
		{"version", FACT_VERSION},                  {"versionString", FACT_VERSION},
		{"model_version", FACT_VERSION},            {"general.name", FACT_NAME},
		{"shortDescription", FACT_DESCRIPTION},     {"date_saved", FACT_DATE},
		{"pytorch.version", FACT_NONE},             {"pytorch.format_version", FACT_NONE},
		{"ir_version", FACT_NONE},                  {"layers.0.name", FACT_NONE},
		{"network_format.input", FACT_NONE},        {"", FACT_NONE},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(keys); i++)
		if (fact_of_key(str_of(keys[i].key)) != keys[i].fact)
			fail_msg("%s tells %d", keys[i].key, (int)fact_of_key(str_of(keys[i].key)));
	for (int i = 0; i < FACT_COUNT; i++)
		assert_non_null(fact_infos[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json), cmocka_unit_test(not_json), cmocka_unit_test(many), cmocka_unit_test(equal),
		cmocka_unit_test(cut),  cmocka_unit_test(facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
