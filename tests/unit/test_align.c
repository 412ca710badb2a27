/* analysis: which tensors are a pair, by their names and shapes alone; content has its tests with the command line. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/align.h"
#include "base/err.h"

struct fixture {
	struct session s;
	struct opts opts;
};

static void put(struct fixture *f, int side, const char *name, uint64_t n)
{
	struct model *m = &f->s.m[side];
	struct tensor *t = model_add_tensor(m);
	struct err e;

	t->name = arena_str(&m->arena, str_of(name));
	assert_int_equal(tensor_set_shape(m, t, DT_F32, &n, 1, &e), RC_OK);
}

static void fixture_align(struct fixture *f)
{
	f->s.opts = &f->opts;
	f->s.n_models = 2;
	align(&f->s);
}

/* Names end with NULL; all have one shape. */
static void fixture_open(struct fixture *f, const char *const *a, const char *const *b)
{
	memset(f, 0, sizeof(*f));
	for (; *a; a++)
		put(f, A, *a, 6);
	for (; *b; b++)
		put(f, B, *b, 6);
	fixture_align(f);
}

static void fixture_close(struct fixture *f)
{
	free(f->s.rows);
	model_close(&f->s.m[A]);
	model_close(&f->s.m[B]);
}

/* "1.0.w=1.w similar", "x.w removed", one a line. */
static void assert_rows(const struct fixture *f, const char *want)
{
	struct buf b = {0};

	for (size_t i = 0; i < f->s.n_rows; i++) {
		const struct row *r = &f->s.rows[i];

		buf_str(&b, r->name);
		if (r->t[A] && r->t[B]) {
			buf_putc(&b, '=');
			buf_str(&b, r->t[B]->name);
		}
		buf_printf(&b, " %s\n", r->t[A] && r->t[B] ? vias[r->via] : statuses[r->status].name);
	}
	assert_string_equal(b.p ? b.p : "", want);
	buf_free(&b);
}

static void expect(const char *const *a, const char *const *b, const char *want)
{
	struct fixture f;

	fixture_open(&f, a, b);
	assert_rows(&f, want);
	fixture_close(&f);
}

#define NAMES(...) (const char *const[]){__VA_ARGS__, NULL}

static void alike(void **state)
{
	(void)state;
	expect(NAMES("1.0.w", "z"), NAMES("z", "1.w"), "1.0.w=1.w similar\nz=z name\n");
	expect(NAMES("Conv_1/kernel"), NAMES("conv1.kernel"), "Conv_1/kernel=conv1.kernel similar\n");
	expect(NAMES("fc.w"), NAMES("w"), "fc.w=w similar\n");
	expect(NAMES("a.b.c.w"), NAMES("a.w"), "a.b.c.w=a.w similar\n");
	/* more than half, more than two, the last one, another number, another letter */
	expect(NAMES("a.b.w"), NAMES("w"), "a.b.w removed\nw added\n");
	expect(NAMES("a.b.c.d.e.f.w"), NAMES("a.b.c.w"), "a.b.c.d.e.f.w removed\na.b.c.w added\n");
	expect(NAMES("a.w.scale"), NAMES("a.w"), "a.w.scale removed\na.w added\n");
	expect(NAMES("h.3.w"), NAMES("h.4.w"), "h.3.w removed\nh.4.w added\n");
	expect(NAMES("q_proj.w"), NAMES("k_proj.w"), "q_proj.w removed\nk_proj.w added\n");
}

static void ambiguous(void **state)
{
	(void)state;
	expect(NAMES("1.0.w"), NAMES("1.w", "0.w"), "1.0.w removed\n1.w added\n0.w added\n");
	expect(NAMES("1.w", "0.w"), NAMES("1.0.w"), "1.w removed\n0.w removed\n1.0.w added\n");
	expect(NAMES("conv_1.w", "conv1.w"), NAMES("Conv1.w"), "conv_1.w removed\nconv1.w removed\nConv1.w added\n");
	/* two parts alike: leaving out either is the same pair */
	expect(NAMES("a.a.w"), NAMES("a.w"), "a.a.w=a.w similar\n");
	/* one part is better than two */
	expect(NAMES("a.b.c.w"), NAMES("a.b.w", "a.w"), "a.b.c.w=a.b.w similar\na.w added\n");
}

static void shapes(void **state)
{
	struct fixture f;
	(void)state;

	memset(&f, 0, sizeof(f));
	put(&f, A, "1.0.w", 6);
	put(&f, B, "1.w", 7);
	put(&f, B, "0.w", 6); /* the only one of its shape */
	fixture_align(&f);
	assert_rows(&f, "1.0.w=0.w similar\n1.w added\n");
	fixture_close(&f);
}

static void prefixes(void **state)
{
	(void)state;
	expect(NAMES("m.n.o.p.w", "m.n.o.p.b"), NAMES("w", "b"), "m.n.o.p.w=w prefix\nm.n.o.p.b=b prefix\n");
	expect(NAMES("w", "b", "z"), NAMES("m.w", "m.b", "z"), "w=m.w prefix\nb=m.b prefix\nz=z name\n");
	/* one tensor makes no prefix, and two that have as many votes are none */
	expect(NAMES("m.n.o.w"), NAMES("w"), "m.n.o.w removed\nw added\n");
	expect(NAMES("x.y.z.w", "x.y.z.b", "k.l.m.w", "k.l.m.b"), NAMES("w", "b"),
	       "x.y.z.w removed\nx.y.z.b removed\nk.l.m.w removed\nk.l.m.b removed\nw added\nb added\n");
}

static void turned_off(void **state)
{
	struct fixture f;
	(void)state;

	memset(&f, 0, sizeof(f));
	f.opts.no_renames = true;
	put(&f, A, "1.0.w", 6);
	put(&f, B, "1.w", 6);
	fixture_align(&f);
	assert_rows(&f, "1.0.w removed\n1.w added\n");
	fixture_close(&f);
}

/* A hundred thousand without a partner, of one shape: in seconds, not in squares. */
static void many(void **state)
{
	enum { MANY = 100000 };
	struct fixture f;
	clock_t start = clock();
	size_t paired = 0;
	char name[80];
	(void)state;

	memset(&f, 0, sizeof(f));
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "model.layers.%d.self_attn.q_proj.weight", i);
		put(&f, A, name, 6);
		snprintf(name, sizeof(name), "model.blocks.layers.%d.self_attn.q_proj.weight", MANY - 1 - i);
		put(&f, B, name, 6);
	}
	fixture_align(&f);
	for (size_t i = 0; i < f.s.n_rows; i++)
		paired += f.s.rows[i].via == VIA_SIMILAR;
	assert_int_equal(paired, MANY);
	assert_true((clock() - start) / CLOCKS_PER_SEC < 20);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alike),    cmocka_unit_test(ambiguous),  cmocka_unit_test(shapes),
		cmocka_unit_test(prefixes), cmocka_unit_test(turned_off), cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("align", tests, NULL, NULL);
}
