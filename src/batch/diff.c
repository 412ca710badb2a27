#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "batch/batch.h"
#include "batch/progress.h"

/* ---- for people ---- */

static const struct column columns[] = {
	{.key = "status", .title = "", .left = true},
	{.key = "name", .title = "name", .left = true, .shrink = true},
	{.key = "via", .title = "found by", .left = true, .quiet = true},
	{.key = "type", .title = "type", .left = true, .expendable = 6},
	{.key = "how", .title = "how", .left = true, .quiet = true, .expendable = 9},
	{.key = "shape", .title = "shape", .left = true, .expendable = 8},
	{.key = "changed_fraction", .title = "changed", .quiet = true, .expendable = 2},
	{.key = "rel_l2", .title = "rel_l2", .quiet = true},
	{.key = "max_abs_diff", .title = "max|d|", .quiet = true, .expendable = 1},
	{.key = "cosine", .title = "cosine", .quiet = true, .expendable = 7},
	{.key = "p50_abs_diff", .title = "p50|d|", .quiet = true, .expendable = 10},
	{.key = "p99_abs_diff", .title = "p99|d|", .quiet = true, .expendable = 9},
	{.key = "nan_mismatch", .title = "nan!", .quiet = true, .expendable = 5},
};

/* "F16", or "F16→F32" of a pair whose sides differ. */
static void two_cells(struct buf *b, const struct field *f, const struct row *r, bool ascii)
{
	struct cell c = field_get(f, r, A);
	struct buf other = {0};

	cell_show(b, &c, ascii);
	if (!r->t[A] || !r->t[B])
		return;
	c = field_get(f, r, B);
	cell_show(&other, &c, ascii);
	if (!str_eq(buf_view(b), buf_view(&other))) {
		buf_puts(b, ascii ? "->" : "→");
		buf_str(b, buf_view(&other));
	}
	buf_free(&other);
}

/* f: the fields of the columns */
static void put_row(struct table *t, const struct row *r, bool ascii, const struct field *const *f)
{
	struct cell cells[COUNT(columns)];
	struct buf status = {0}, name = {0}, type = {0}, shape = {0};
	char mark[2] = {statuses[r->status].mark, '\0'};

	buf_printf(&status, "%s %s", ascii ? mark : statuses[r->status].utf8_mark, statuses[r->status].name);
	pair_name(&name, r, ascii);
	two_cells(&type, f[3], r, ascii);
	two_cells(&shape, f[5], r, ascii);
	cells[0] = cell_text(buf_view(&status));
	cells[1] = cell_text(buf_view(&name));
	cells[2] = row_renamed(r) ? field_get(f[2], r, A) : (struct cell){.kind = CELL_NONE};
	cells[3] = cell_text(buf_view(&type));
	cells[4] = field_get(f[4], r, A);
	cells[5] = cell_text(buf_view(&shape));
	for (size_t i = 6; i < COUNT(columns); i++)
		cells[i] = field_get(f[i], r, A);
	table_row(t, cells, status_hue(r->status));
	buf_free(&status);
	buf_free(&name);
	buf_free(&type);
	buf_free(&shape);
}

/* The verdict, after the table. */
static void put_verdict(const struct batch *b, const struct summary *sum)
{
	struct buf text = {0};

	verdict(&text, b->s, sum);
	if (b->n_rows)
		out_puts("\n");
	out_wrapped(&b->st, HUE_HEAD, buf_view(&text));
	buf_free(&text);
}

/* ---- for programs: every field ---- */

enum { SIDES_MAX = 128 };

struct layout {
	struct column columns[SIDES_MAX];
	const struct field *field[SIDES_MAX];
	int side[SIDES_MAX]; /* for header and stats fields */
	size_t n;
	struct buf keys; /* "a_mean" and so on */
	size_t key_at[SIDES_MAX];
};

static void add(struct layout *l, const char *prefix, const char *key, const struct field *f, int side)
{
	l->field[l->n] = f;
	l->side[l->n] = side;
	l->key_at[l->n++] = l->keys.n;
	buf_printf(&l->keys, "%s%s", prefix, key);
	buf_add(&l->keys, "", 1);
}

static void add_side(struct layout *l, int side)
{
	const char *prefix = side == A ? "a_" : "b_";

	for (const struct field *f = fields; f->key; f++)
		if (f->group == FIELD_STATS || f->group == FIELD_DIST)
			add(l, prefix, f->key, f, side);
}

static void lay_out(struct layout *l)
{
	static const char *const heads[] = {"type", "shape"};

	*l = (struct layout){.n = 0};
	add(l, "", "status", field_by_key(STR("status")), A);
	add(l, "", "a", field_by_key(STR("name")), A);
	add(l, "", "b", field_by_key(STR("name")), B);
	add(l, "", "via", field_by_key(STR("via")), A);
	add(l, "", "retyped", field_by_key(STR("retyped")), A);
	for (size_t i = 0; i < COUNT(heads); i++) {
		add(l, "a_", heads[i], field_by_key(str_of(heads[i])), A);
		add(l, "b_", heads[i], field_by_key(str_of(heads[i])), B);
	}
	for (const struct field *f = fields; f->key; f++)
		if (f->group == FIELD_DIFF || f->group == FIELD_DIFF_DIST)
			add(l, "", f->key, f, A);
	add_side(l, A);
	add_side(l, B);
	add(l, "", "how", field_by_key(STR("how")), A);
	add(l, "", "beyond", field_by_key(STR("beyond")), A);
	for (size_t i = 0; i < l->n; i++)
		l->columns[i] = (struct column){.key = l->keys.p + l->key_at[i]};
}

/* A field falls back to B where there is no A; a column of A's must stay empty then. */
static bool is_sided(const struct field *f)
{
	return f->group == FIELD_STATS || f->group == FIELD_DIST || strcmp(f->key, "name") == 0 ||
	       strcmp(f->key, "type") == 0 || strcmp(f->key, "shape") == 0;
}

static void put_all(struct table *t, const struct layout *l, const struct row *r)
{
	struct cell cells[SIDES_MAX];

	for (size_t i = 0; i < l->n; i++) {
		cells[i] = (struct cell){.kind = CELL_NONE};
		if (r->t[l->side[i]] || !is_sided(l->field[i]))
			cells[i] = field_get(l->field[i], r, l->side[i]);
	}
	table_row(t, cells, HUE_NONE);
}

static void put_json(const struct batch *b, const struct row *r)
{
	json_t *o = js_pair(r);

	js_put(o, "diff", js_diff(r));
	js_put(o, "a_stats", js_stats(r, A));
	js_put(o, "b_stats", js_stats(r, B));
	js_item(&b->st, o);
}

static void print_rows(struct batch *b, const size_t *rows, size_t n)
{
	bool machine = b->st.output == OUT_CSV || b->st.output == OUT_TSV;
	const struct field *f[COUNT(columns)];
	struct layout l = {.n = 0};
	struct table *t;

	for (size_t i = 0; i < COUNT(columns); i++)
		f[i] = field_by_key(str_of(columns[i].key));
	if (machine)
		lay_out(&l);
	t = machine ? table_new(&b->st, l.columns, l.n) : table_new(&b->st, columns, COUNT(columns));
	table_expect(t, n);
	js_open_array(&b->st, "tensors");
	for (size_t i = 0; i < n && !out_lost(); i++) {
		const struct row *r = &b->s->rows[rows[i]];

		batch_wait(b, rows[i]);
		if (b->st.output == OUT_JSON || b->st.output == OUT_JSONL)
			put_json(b, r);
		else if (machine)
			put_all(t, &l, r);
		else
			put_row(t, r, b->st.ascii, f);
	}
	progress_erase(b->progress);
	js_close_array(&b->st);
	table_end(t);
	buf_free(&l.keys);
}

/* Once the reader is gone nothing more is computed: the status is that of what was. */
static int finish(struct batch *b, struct summary *sum)
{
	size_t n = 0;

	if (out_lost()) {
		while (n < b->n_rows && b->s->rows[b->rows[n]].status != ST_PENDING)
			n++;
		b->n_rows = n;
	} else {
		batch_wait_all(b);
	}
	return batch_compare(b, sum);
}

int cmd_diff(struct session *s, const struct opts *o)
{
	struct batch b;
	struct summary sum;
	size_t *rows, n;
	int status;

	if (!batch_begin(&b, s, o, "diff"))
		return 2;
	if (o->brief)
		return batch_brief(&b);
	batch_scan(&b, o->distribution ? WANT_DIST : WANT_STATS);
	js_begin(&b.st, "diff");
	js_member(&b.st, "a", js_model(&s->m[A]));
	js_member(&b.st, "b", js_model(&s->m[B]));
	if (o->group || b.st.output == OUT_JSON)
		batch_wait_all(&b);
	n = batch_shown(&b, &rows);
	if (b.st.output == OUT_JSON) {
		batch_compare(&b, &sum);
		js_member(&b.st, "summary", js_summary(&b, &sum));
	}
	if (o->group)
		print_groups(&b, b.rows, b.n_rows);
	else
		print_rows(&b, rows, n);
	free(rows);
	status = finish(&b, &sum);
	if (is_prose(b.st.output))
		put_verdict(&b, &sum);
	js_differing_meta(&b, false);
	batch_account(&b);
	batch_errors_json(&b);
	js_end(&b.st);
	return batch_end(&b, status);
}
