/* Conditions over rows: what passes, what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/query.h"
#include "analysis/scan.h"

static const uint64_t shape[] = {64, 3, 7};

struct pair {
	struct tensor t[2];
	struct result result;
	struct row row;
};

/* A pair that differs, its second side of another type and with a NaN. */
static void make(struct pair *p)
{
	*p = (struct pair){0};
	for (int side = A; side <= B; side++) {
		p->t[side] = (struct tensor){.name = STR("layers.3.attn.q_proj.weight"), .type_name = side ? "BF16" : "F32",
					     .rank = 3, .shape = shape, .count = 1344, .data.length = side ? 2688 : 5376};
		p->result.stats[side].std = side + 1;
	}
	p->result.have = WANT_STATS;
	p->result.stats[B].nan = 5;
	p->result.diff.rel_l2 = 0.25;
	p->result.diff.changed_fraction = 0.5;
	p->result.diff.cosine = __builtin_nan("");
	p->row = (struct row){.t = {&p->t[A], &p->t[B]}, .name = p->t[A].name, .status = ST_CHANGED, .retyped = true,
			      .result = &p->result};
}

static bool passes(const char *text, const struct row *r)
{
	struct query *q;
	struct err e;
	bool yes;

	if (query_parse(&q, text, &e) != RC_OK)
		fail_msg("%s: %s", text, e.msg);
	yes = query_names(q, r) && query_values(q, r);
	query_free(q);
	return yes;
}

static void test_passes(void **unused)
{
	static const char *const yes[] = {
		"", "  ", "attn", "attn q_proj", "layers.*", "/layers\\.[0-9]\\./", "/LAYERS/i", "!bias", "\"q_proj\"",
		"name:*weight", "name!=*bias", "rel_l2>0.01", "rel_l2>=0.25", "rel_l2<=25%", "rel_l2=0.25", "rel_l2!=1",
		"!rel_l2>0.5", "nan>0", "b.nan>0", "a.nan=0", "B.nan:5", "nan!=5", "type:bf16", "type:F32", "type:f*",
		"type:q4*,bf16", "a.type:f32", "b.type!=f32", "shape:64", "shape:7", "shape:64x3x7", "shape:64x*x7",
		"shape:64,3,7", "shape:64×3×7", "shape!=63", "parameters>1K", "bytes>2.5K", "bytes>5KiB", "params<2k",
		"status:changed", "status:added,changed", "status!=equal", "retyped:yes", "retyped!=no", "chg%>49%",
		"attn rel_l2>0.01 !status:added", "std>1.5", "/q_proj weight|k|q_proj/",
	}, *const no[] = {
		"mlp", "layer_", "attn mlp", "!attn", "*attn", "rel_l2>0.5", "!rel_l2>0.01", "a.nan>0", "b.type:f32", "type:q*",
		"!type:bf16", "shape:63", "shape:64x3", "shape:*", "parameters>2K", "bytes>6K", "status:added",
		"!status:changed", "retyped:no", "cosine<2", "!cosine<2", "cosine!=1", "p99>0", "kernel:0", "name!=*weight",
		"\"rel_l2>0.01\"", "rel_l2>0.01 bias",
	};
	struct pair p;
	(void)unused;

	make(&p);
	for (size_t i = 0; i < COUNT(yes); i++)
		if (!passes(yes[i], &p.row))
			fail_msg("'%s' does not pass", yes[i]);
	for (size_t i = 0; i < COUNT(no); i++)
		if (passes(no[i], &p.row))
			fail_msg("'%s' passes", no[i]);
}

/* What is not computed passes neither a condition nor its opposite; what the header tells does. */
static void test_pending(void **unused)
{
	struct pair p;
	(void)unused;

	make(&p);
	p.row.status = ST_PENDING;
	p.row.result = NULL;
	assert_false(passes("rel_l2>0.01", &p.row));
	assert_false(passes("!rel_l2>0.01", &p.row));
	assert_false(passes("status:changed", &p.row));
	assert_false(passes("!status:changed", &p.row));
	assert_false(passes("status!=changed", &p.row));
	assert_true(passes("type:bf16 shape:64 attn", &p.row));
}

static void test_one_side(void **unused)
{
	struct pair p;
	(void)unused;

	make(&p);
	p.row.t[A] = NULL;
	p.row.status = ST_ADDED;
	p.row.retyped = false;
	assert_true(passes("std>1.5", &p.row));
	assert_true(passes("b.std>1.5", &p.row));
	assert_false(passes("a.std>1.5", &p.row));
	assert_false(passes("!a.std>1.5", &p.row));
	assert_false(passes("rel_l2>0", &p.row));
	assert_true(passes("status:added", &p.row));
}

static void test_refused(void **unused)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{"rel_12>0.01", "rel_12>0.01: there is no field 'rel_12'"},
		{"rel_l2>", "rel_l2>: a value is missing"},
		{"rel_l2>much", "rel_l2>much: 'much' is not a number"},
		{"rel_l2>nan", "rel_l2>nan: 'nan' is not a number"},
		{"nan>0x", "nan>0x: '0x' is not a number"},
		{"type>3", "type>3: type is no number, only : and != compare it"},
		{"shape:4x", "shape:4x: not a shape, such as 4096 or 64x*x3"},
		{"shape:", "shape:: a value is missing"},
		{"status:chnaged", "no status is called 'chnaged'"},
		{"retyped:maybe", "retyped:maybe: yes or no is expected"},
		{"attn !", "nothing stands behind !"},
	};
	(void)unused;

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct query *q;
		struct err e;

		if (query_parse(&q, bad[i].text, &e) == RC_OK)
			fail_msg("'%s' is accepted", bad[i].text);
		assert_string_equal(e.msg, bad[i].message);
	}
}

static void test_needs(void **unused)
{
	struct query *q;
	struct err e;
	(void)unused;

	assert_int_equal(query_parse(&q, "attn type:f32 shape:3", &e), RC_OK);
	assert_false(query_waits(q));
	assert_int_equal(query_wants(q), 0);
	query_free(q);
	assert_int_equal(query_parse(&q, "attn std>1", &e), RC_OK);
	assert_true(query_waits(q));
	assert_int_equal(query_wants(q), 0);
	query_free(q);
	assert_int_equal(query_parse(&q, "p99>1", &e), RC_OK);
	assert_int_equal(query_wants(q), WANT_DIST);
	query_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passes),  cmocka_unit_test(test_pending), cmocka_unit_test(test_one_side),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
