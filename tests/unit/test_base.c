/* base: names, text made harmless, numbers for people, patterns, the hash map. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fmt.h"
#include "base/map.h"
#include "base/match.h"
#include "base/snappy.h"
#include "base/utf8.h"

#define FORMATS(call, want)                                       \
	do {                                                      \
		struct buf b = {0};                               \
		call;                                             \
		assert_string_equal(b.p ? b.p : "", want);        \
		buf_free(&b);                                     \
	} while (0)

static void natural_order(void **state)
{
	static const char *const in_order[] = {"a", "a.2", "a.2.b", "a.9", "a.10", "a.010", "a.11", "b"};
	(void)state;

	for (size_t i = 0; i < COUNT(in_order); i++)
		for (size_t j = 0; j < COUNT(in_order); j++) {
			int c = str_cmp_natural(str_of(in_order[i]), str_of(in_order[j]));

			/* 10 and 010 are one number: any order will do, as long as they are not one name */
			if (i == j)
				assert_int_equal(c, 0);
			else if (strcmp(in_order[i], "a.10") == 0 && strcmp(in_order[j], "a.010") == 0)
				assert_int_not_equal(c, 0);
			else if (strcmp(in_order[j], "a.10") == 0 && strcmp(in_order[i], "a.010") == 0)
				assert_int_not_equal(c, 0);
			else
				assert_int_equal(c < 0, i < j);
		}
}

static void text_made_harmless(void **state)
{
	(void)state;
	FORMATS(utf8_display(&b, str_of("a\x1b[31mb\n"), false), "a\\x1b[31mb\\n");
	FORMATS(utf8_display(&b, str_of("\xff\xc0\x80"), false), "\\xff\\xc0\\x80"); /* never UTF-8; an overlong NUL */
	FORMATS(utf8_display(&b, str_of("\xe2\x80\xae" "evil"), false), "\\u202eevil");
	/* drawn as nothing, or as a blank: Hangul fillers, variation selectors, a joiner, tags */
	FORMATS(utf8_display(&b, str_of("a\xe1\x85\x9f" "\xe3\x85\xa4\xef\xbe\xa0"), false), "a\\u115f\\u3164\\uffa0");
	FORMATS(utf8_display(&b, str_of("\xef\xb8\x8f\xcd\x8f\xf3\xa0\x84\x80"), false), "\\ufe0f\\u034f\\U000e0100");
	FORMATS(utf8_display(&b, str_of("\xf3\xa0\xbf\xbf\xf3\xa1\x80\x80"), false), "\\U000e0fff\\U000e1000");
	FORMATS(utf8_json(&b, str_of("[\"\xe2\x80\xae" "e\xc2\x9b\x7f\xf3\xa0\x81\x81\xc3\xa9\"]\n")),
		"[\"\\u202ee\\u009b\\u007f\\udb40\\udc41\xc3\xa9\"]\n");
	FORMATS(utf8_display(&b, str_of("\xc2\x9b" "31m"), false), "\\u009b31m"); /* CSI as one C1 character */
	FORMATS(utf8_display(&b, str_of("\xed\xa0\x80"), false), "\\xed\\xa0\\x80"); /* a surrogate */
	FORMATS(utf8_display(&b, str_of("größe"), false), "größe");
	FORMATS(utf8_display(&b, str_of("größe"), true), "gr\\u00f6\\u00dfe");
	FORMATS(utf8_display(&b, ((struct str){"a\0b", 3}), false), "a\\x00b");
	/* marks: on a letter up to four; none on nothing, on a blank or on an escape; what is harmless stays so */
	FORMATS(utf8_display(&b, str_of("e\xcc\x81t\xcc\x81\xcc\x82\xcc\x83\xcc\x84"), false), "e\xcc\x81t\xcc\x81\xcc\x82\xcc\x83\xcc\x84");
	FORMATS(utf8_display(&b, str_of("o\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x82."), false),
		"o\xcc\x81\xcc\x81\xcc\x81\xcc\x81\\u0301\\u0302.");
	FORMATS(utf8_display(&b, str_of("\xcc\xb6" "a \xcc\xb6\n\xcc\xb6"), false), "\\u0336a \\u0336\\n\\u0336");
	FORMATS(utf8_display(&b, str_of("層\xcc\x81\\u0336"), false), "層\xcc\x81\\u0336");
	FORMATS(utf8_repair(&b, str_of("a\xff" "b")), "a\xef\xbf\xbd" "b");
	assert_false(utf8_valid(str_of("\xf4\x90\x80\x80"))); /* beyond U+10FFFF */
	assert_true(utf8_valid(str_of("\xf4\x8f\xbf\xbf")));
}

static void text_cut_to_fit(void **state)
{
	(void)state;
	FORMATS(utf8_ellipsis(&b, str_of("layers.11.attn"), 9, false), "laye…attn");
	FORMATS(utf8_ellipsis(&b, str_of("layers.11.attn"), 9, true), "laye~attn");
	FORMATS(utf8_ellipsis(&b, str_of("short"), 5, false), "short");
	FORMATS(utf8_ellipsis(&b, str_of("abc"), 1, false), "…");
	FORMATS(utf8_ellipsis(&b, str_of("abc"), 0, false), "");
	/* a wide character that does not fit whole goes, with the marks on it; marks stay with their letters */
	FORMATS(buf_str(&b, utf8_end(str_of("ab層c"), 2)), "c");
	FORMATS(buf_str(&b, utf8_end(str_of("ab層\xcc\x81" "c"), 2)), "c");
	FORMATS(buf_str(&b, utf8_end(str_of("ab層\xcc\x81" "c"), 3)), "層\xcc\x81" "c");
	FORMATS(buf_str(&b, utf8_end(str_of("abc"), 5)), "abc");
	FORMATS(buf_str(&b, utf8_end(str_of("e\xcc\x81o\xcc\x81"), 1)), "o\xcc\x81");
	FORMATS(utf8_ellipsis(&b, str_of("層層層"), 4, false), "…層");
}

static void numbers_for_people(void **state)
{
	(void)state;
	FORMATS(fmt_grouped(&b, 1234567), "1,234,567");
	FORMATS(fmt_grouped(&b, 999), "999");
	FORMATS(fmt_short(&b, 999), "999");
	FORMATS(fmt_short(&b, 1000), "1.00 K");
	FORMATS(fmt_short(&b, 999999), "1.00 M");
	FORMATS(fmt_short(&b, 7241732096), "7.24 G");
	FORMATS(fmt_bytes(&b, 1536), "1.50 KiB");
	FORMATS(fmt_bytes(&b, UINT64_MAX), "16.0 EiB");
	FORMATS(fmt_percent(&b, 0), "0 %");
	FORMATS(fmt_percent(&b, 1e-9), "<0.1 %");
	FORMATS(fmt_percent(&b, 1 - 1e-9), ">99.9 %");
	FORMATS(fmt_percent(&b, 1), "100 %");
	FORMATS(fmt_real(&b, NAN), "-");
}

static void exact_numbers_read_back(void **state)
{
	static const double hard[] = {0.1, 1.0 / 3, 5e-324, DBL_MAX, -2.5, 1e22, 123456789012345678.0, 0.30000000000000004};
	(void)state;

	for (size_t i = 0; i < COUNT(hard); i++) {
		struct buf b = {0};

		fmt_exact(&b, hard[i]);
		assert_true(strtod(b.p, NULL) == hard[i]);
		buf_free(&b);
	}
	FORMATS(fmt_exact(&b, 0.1), "0.1");
}

static bool matches(const char *pattern, const char *name)
{
	struct match *m;
	struct err e;
	bool hit;

	assert_int_equal(match_compile(&m, pattern, &e), RC_OK);
	hit = match_test(m, str_of(name));
	match_free(m);
	return hit;
}

static void patterns(void **state)
{
	struct match *m;
	struct err e;
	(void)state;

	assert_true(matches("*.weight", "h.0.attn.weight"));
	assert_false(matches("*.weight", "h.0.attn.bias"));
	assert_true(matches("h.1", "h.1"));
	assert_true(matches("h.1", "h.1.attn"));
	assert_false(matches("h.1", "h.10.attn"));
	assert_true(matches("/^h\\.[01]\\./", "h.1.attn"));
	assert_false(matches("/ATTN/", "h.1.attn"));
	assert_true(matches("/ATTN/i", "h.1.attn"));
	assert_true(matches("h.[0-3].*", "h.2.x"));
	assert_int_equal(match_compile(&m, "/(/", &e), RC_FAIL);
	assert_non_null(strstr(e.msg, "regular expression"));
}

static void map_of_many(void **state)
{
	struct map m = {0};
	struct arena a = {0};
	(void)state;

	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(map_add(&m, str_of(arena_printf(&a, "k%u", i)), i), MAP_NONE);
	for (uint32_t i = 0; i < 5000; i++) {
		struct str key = str_of(arena_printf(&a, "k%u", i));

		assert_int_equal(map_get(&m, key), i);
		assert_int_equal(map_add(&m, key, 7), i);
	}
	assert_int_equal(map_get(&m, STR("k5000")), MAP_NONE);
	assert_int_equal(map_add(&m, STR(""), 1), MAP_NONE);
	assert_int_equal(map_get(&m, STR("")), 1);
	map_set(&m, STR("k1"), 99);
	assert_int_equal(map_get(&m, STR("k1")), 99);
	map_free(&m);
	arena_free(&a);
}

/* The test vector of the SipHash paper, appendix A: key 00..0f, input 00..0e. */
static void siphash_vector(void **state)
{
	const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	unsigned char in[15];
	(void)state;

	for (unsigned char i = 0; i < sizeof(in); i++)
		in[i] = i;
	assert_true(siphash(in, sizeof(in), key) == 0xa129ca6149be45e5);
}

static void errors_are_one_clean_line(void **state)
{
	struct err e;
	(void)state;

	assert_int_equal(err_set(&e, "tensor '%s' is bad", "a\n\x1b[2J"), RC_FAIL);
	assert_string_equal(e.msg, "tensor 'a??[2J' is bad");
	err_prefix(&e, "%s", "file");
	assert_string_equal(e.msg, "file: tensor 'a??[2J' is bad");
}

/* What google/snappy's own compressor made of some texts. */
static void snappy_vectors(void **state)
{
	static const char to64[] = "\x80\x01\xf0\x40\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13"
				   "\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x20\x21\x22\x23\x24\x25\x26\x27\x28\x29\x2a"
				   "\x2b\x2c\x2d\x2e\x2f\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x3a\x3b\x3c\x3d\x3e\x3f\x00\xfa"
				   "\x40\x00";
	static const struct {
		struct str packed;
		size_t n;
		const char *unit; /* repeated, then cut off after n */
	} vectors[] = {
		{{"\x00", 1}, 0, ""},
		{{"\x01\x00\x61", 3}, 1, "a"},
		{{"\x43\x14weigh \xee\x06\x00\x00.", 13}, 66, "weigh "}, /* the point follows */
		{{"\x78\x04\x61\x62\xfe\x02\x00\xd6\x02\x00", 10}, 120, "ab"},
		{{to64, sizeof(to64) - 1}, 128, NULL}, /* 0 to 63 */
	};
	(void)state;

	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct bytes in = {(const uint8_t *)vectors[i].packed.p, vectors[i].packed.n};
		uint8_t out[256];
		uint64_t n;

		assert_true(snappy_size(in, &n));
		assert_int_equal(n, vectors[i].n + (i == 2));
		assert_true(snappy_unpack(in, out, (size_t)n));
		for (size_t k = 0; k < vectors[i].n; k++)
			assert_int_equal(out[k], vectors[i].unit ? vectors[i].unit[k % strlen(vectors[i].unit)] : (char)(k & 63));
		for (size_t cut = 0; cut < in.n; cut++)
			assert_false(snappy_size((struct bytes){in.p, cut}, &n) &&
				     snappy_unpack((struct bytes){in.p, cut}, out, vectors[i].n + (i == 2)));
	}
}

static void snappy_broken(void **state)
{
	static const struct str broken[] = {
		{"\xff\xff\xff\xff\x7f\x00\x61", 7},     /* more than 32 bits */
		{"\xff\xff\xff\xff\x0f\x00\x61", 7},     /* more than it can unpack to */
		{"\x04\x01\x00", 3},                         /* a copy from 0 bytes back */
		{"\x06\x04\x61\x62\x01\x03", 6},          /* from before the beginning */
		{"\x03\x04\x61\x62\x01\x02", 6},          /* a copy beyond the end */
		{"\x08\xfc\xff\xff\xff\xff\x61", 7},     /* a literal of 2^32 bytes */
		{"\x03\x00\x61", 3},                         /* too few */
	};
	uint8_t out[256];
	uint64_t n;
	(void)state;

	for (size_t i = 0; i < COUNT(broken); i++) {
		struct bytes in = {(const uint8_t *)broken[i].p, broken[i].n};

		assert_false(snappy_size(in, &n) && snappy_unpack(in, out, (size_t)n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(natural_order),     cmocka_unit_test(text_made_harmless),
		cmocka_unit_test(snappy_vectors),    cmocka_unit_test(snappy_broken),
		cmocka_unit_test(text_cut_to_fit),   cmocka_unit_test(numbers_for_people),
		cmocka_unit_test(exact_numbers_read_back), cmocka_unit_test(patterns),
		cmocka_unit_test(map_of_many),       cmocka_unit_test(siphash_vector),
		cmocka_unit_test(errors_are_one_clean_line),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
