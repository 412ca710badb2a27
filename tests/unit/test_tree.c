/* analysis: the tree of names and its order, patterns and sorting over rows, without any file. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/select.h"
#include "analysis/tree.h"
#include "base/err.h"

struct fixture {
	struct session s;
	struct tensor tensors[16];
	struct opts opts;
};

static void fixture_open(struct fixture *f, const char *const *names, size_t n)
{
	memset(f, 0, sizeof(*f));
	f->s.opts = &f->opts;
	f->s.n_models = 1;
	f->s.rows = xcalloc(n, sizeof(*f->s.rows));
	f->s.n_rows = n;
	for (size_t i = 0; i < n; i++) {
		f->tensors[i].name = str_of(names[i]);
		f->tensors[i].type_name = "F32";
		f->tensors[i].count = 10 * (i + 1);
		f->s.rows[i].t[A] = &f->tensors[i];
		f->s.rows[i].name = f->tensors[i].name;
		f->s.rows[i].status = ST_SINGLE;
	}
	f->s.tree = tree_build(&f->s);
}

static void fixture_close(struct fixture *f)
{
	tree_free(f->s.tree);
	free(f->s.rows);
}

static void assert_rows(const struct fixture *f, const char *const *names, size_t n)
{
	assert_int_equal(f->s.n_rows, n);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(f->s.rows[i].name.p, names[i], strlen(names[i]) + 1);
}

/* The file's order stays, but numbered siblings go by number, also with a stem before the number, and what
 * belongs together comes together. */
static void rows_in_tree_order(void **state)
{
	static const char *const file[] = {"tok", "h.10.w", "h.2.w", "x/block_10/k", "x/block_9/k", "h.2.b", "norm", "h.1.w"};
	static const char *const tree[] = {"tok", "h.1.w", "h.2.w", "h.2.b", "h.10.w", "x/block_9/k", "x/block_10/k", "norm"};
	struct fixture f;
	(void)state;

	fixture_open(&f, file, COUNT(file));
	assert_rows(&f, tree, COUNT(tree));
	fixture_close(&f);
}

static void assert_label(const struct node *n, const char *label, unsigned depth)
{
	assert_int_equal(n->label.n, strlen(label));
	assert_memory_equal(n->label.p, label, n->label.n);
	assert_int_equal(n->depth, depth);
}

static void only_children_are_folded(void **state)
{
	static const char *const file[] = {"base.model.a.weight", "base.model.b.w", "base.model.b.bias", "top"};
	struct fixture f;
	const struct node *n;
	(void)state;

	fixture_open(&f, file, COUNT(file));
	n = f.s.tree->nodes;
	assert_int_equal(f.s.tree->n, 7);
	assert_label(&n[1], "base.model", 0);
	assert_label(&n[2], "a.weight", 1);
	assert_true(n[2].leaf);
	assert_label(&n[3], "b", 1);
	assert_label(&n[4], "w", 2);
	assert_label(&n[6], "top", 0);
	assert_int_equal(n[3].row_first, 1);
	assert_int_equal(n[3].row_end, 3);
	assert_int_equal(n[1].sibling, 6);
	assert_int_equal(n[4].parent, 3);
	fixture_close(&f);
}

/* Names that are nothing but separators, empty, or both a tensor and a group. */
static void odd_names(void **state)
{
	static char dots[4096];
	static const char *const file[] = {"", ".", "..", "a.", "a", "a.b", dots};
	struct fixture f;
	size_t leaves = 0;
	(void)state;

	memset(dots, '.', sizeof(dots) - 1);
	fixture_open(&f, file, COUNT(file));
	for (size_t i = 0; i < f.s.tree->n; i++) {
		leaves += f.s.tree->nodes[i].leaf;
		assert_in_range(f.s.tree->nodes[i].depth, 0, 40);
	}
	assert_int_equal(leaves, COUNT(file));
	assert_int_equal(f.s.n_rows, COUNT(file));
	fixture_close(&f);
}

static void prefixes(void **state)
{
	struct str p;
	(void)state;

	p = name_prefix(STR("h.0.attn/w"), 2);
	assert_true(str_eq(p, STR("h.0")));
	assert_true(str_eq(name_prefix(STR("h.0.attn/w"), 3), STR("h.0.attn")));
	assert_true(str_eq(name_prefix(STR("h.0"), 9), STR("h.0")));
	assert_true(str_eq(name_prefix(STR("h"), 0), STR("")));
}

static void sorting_is_stable_and_puts_undefined_last(void **state)
{
	static const char *const file[] = {"c", "a", "b"};
	struct fixture f;
	size_t rows[] = {0, 1, 2};
	(void)state;

	fixture_open(&f, file, COUNT(file));
	sort_rows(&f.s, rows, 3, field_by_key(STR("name")), false);
	assert_int_equal(rows[0], 1);
	assert_int_equal(rows[2], 0);
	sort_rows(&f.s, rows, 3, field_by_key(STR("parameters")), true);
	assert_int_equal(rows[0], 2);
	/* nothing is computed: every std is undefined, the order stays */
	sort_rows(&f.s, rows, 3, field_by_key(STR("std")), true);
	assert_int_equal(rows[0], 2);
	assert_int_equal(rows[2], 0);
	assert_null(field_by_key(STR("stdd")));
	fixture_close(&f);
}

static void filters(void **state)
{
	static const char *const file[] = {"h.0.w", "h.0.b", "h.1.w"};
	const char *include[] = {"h.0"}, *exclude[] = {"*.b"};
	struct fixture f;
	struct filter filter;
	struct err e;
	size_t *rows;
	(void)state;

	fixture_open(&f, file, COUNT(file));
	f.opts = (struct opts){.include = include, .n_include = 1, .exclude = exclude, .n_exclude = 1};
	assert_int_equal(filter_init(&filter, &f.opts, &e), RC_OK);
	assert_int_equal(select_rows(&f.s, &filter, &rows), 1);
	assert_int_equal(rows[0], 0);
	free(rows);
	filter_free(&filter);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_in_tree_order), cmocka_unit_test(only_children_are_folded),
		cmocka_unit_test(odd_names),          cmocka_unit_test(prefixes),
		cmocka_unit_test(sorting_is_stable_and_puts_undefined_last), cmocka_unit_test(filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
