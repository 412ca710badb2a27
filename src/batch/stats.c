#include <stdlib.h>

#include "batch/batch.h"
#include "batch/progress.h"

/* What fits a screen; all the rest is in JSON, CSV and TSV. */
static const struct {
	const char *key;
	unsigned expendable;
	bool quiet;
} shown_fields[] = {
	{"name", 0, false},   {"type", 9, false}, {"shape", 8, false}, {"mean", 0, false},   {"std", 0, false},
	{"min", 1, false},    {"max", 1, false},  {"absmax", 7, false}, {"median", 6, false}, {"p01", 12, false},
	{"p99", 12, false},   {"zero", 5, true},  {"nan", 2, true},    {"inf", 2, true},     {"skewness", 14, false},
	{"kurtosis", 13, false}, {"distinct", 15, true}, {"entropy", 11, true},
};

enum { FIELDS_MAX = 64 };

struct layout {
	const struct field *field[FIELDS_MAX];
	struct column columns[FIELDS_MAX];
	size_t n;
};

static void add(struct layout *l, const struct field *f, unsigned expendable, bool quiet)
{
	bool left = f->kind == CELL_TEXT || f->kind == CELL_SHAPE;

	l->field[l->n] = f;
	l->columns[l->n] = (struct column){
		.key = f->key,
		.title = f->title,
		.left = left,
		.shrink = l->n == 0,
		.quiet = quiet,
		.expendable = expendable,
	};
	l->n++;
}

static bool machine(enum output o)
{
	return o == OUT_CSV || o == OUT_TSV;
}

static void lay_out(struct layout *l, enum output output)
{
	static const char *const heads[] = {"name", "type", "shape", "bytes", "offset"};

	l->n = 0;
	if (!machine(output)) {
		for (size_t i = 0; i < COUNT(shown_fields); i++)
			add(l, field_by_key(str_of(shown_fields[i].key)), shown_fields[i].expendable,
			    shown_fields[i].quiet);
		return;
	}
	for (size_t i = 0; i < COUNT(heads); i++)
		add(l, field_by_key(str_of(heads[i])), 0, false);
	for (const struct field *f = fields; f->key; f++)
		if (f->group == FIELD_STATS || f->group == FIELD_DIST)
			add(l, f, 0, false);
}

static void put_row(struct table *t, const struct layout *l, const struct row *r)
{
	struct cell cells[FIELDS_MAX];

	for (size_t i = 0; i < l->n; i++)
		cells[i] = field_get(l->field[i], r, A);
	table_row(t, cells, r->t[A]->trouble || (r->result && r->result->error) ? HUE_WARN : HUE_NONE);
}

static void put_json(const struct batch *b, const struct row *r)
{
	json_t *o = js_tensor(&b->s->m[A], r->t[A]);

	js_put(o, "stats", js_stats(r, A));
	js_item(&b->st, o);
}

static void print_rows(struct batch *b, const size_t *rows, size_t n)
{
	struct layout l;
	struct table *t;

	lay_out(&l, b->st.output);
	t = table_new(&b->st, l.columns, l.n);
	table_expect(t, n);
	js_open_array(&b->st, "tensors");
	for (size_t i = 0; i < n && !out_lost(); i++) {
		const struct row *r = &b->s->rows[rows[i]];

		batch_wait(b, rows[i]);
		if (b->st.output == OUT_JSON || b->st.output == OUT_JSONL)
			put_json(b, r);
		else
			put_row(t, &l, r);
	}
	progress_erase(b->progress);
	js_close_array(&b->st);
	table_end(t);
}

int cmd_stats(struct session *s, const struct opts *o)
{
	struct batch b;
	size_t *rows, n;

	if (!batch_begin(&b, s, o, "stats"))
		return 2;
	if (o->top && !o->sort && !o->group && !o->reverse) /* no more is read than is shown */
		b.n_rows = (size_t)u64_min(b.n_rows, o->top);
	batch_scan(&b, o->group ? WANT_STATS : WANT_DIST);
	js_begin(&b.st, "stats");
	js_member(&b.st, "model", js_model(&s->m[A]));
	n = batch_shown(&b, &rows);
	if (o->group) {
		batch_wait_all(&b);
		print_groups(&b, b.rows, b.n_rows);
	} else {
		print_rows(&b, rows, n);
	}
	free(rows);
	batch_account(&b);
	batch_errors_json(&b);
	js_end(&b.st);
	return batch_end(&b, 0);
}
