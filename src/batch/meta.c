#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "batch/batch.h"

/* Only in a table: one value a cell. */
static struct cell value_cell(struct buf *b, const struct meta_value *v)
{
	if (!v)
		return (struct cell){.kind = CELL_NONE};
	buf_clear(b);
	if (v->kind == META_TEXT)
		return cell_text(v->u.text);
	meta_show(b, v, false);
	return cell_text(buf_view(b));
}

static const struct column one[] = {
	{.key = "key", .title = "key", .left = true}, {.key = "type", .title = "type", .left = true},
	{.key = "value", .title = "value", .left = true},
};

static const struct column two[] = {
	{.key = "status", .title = "status", .left = true}, {.key = "key", .title = "key", .left = true},
	{.key = "a", .title = "A", .left = true}, {.key = "b", .title = "B", .left = true},
};

static void put_table(struct batch *b, const struct meta_row *rows, size_t n)
{
	bool compares = b->s->n_models == 2;
	struct table *t = compares ? table_new(&b->st, two, COUNT(two)) : table_new(&b->st, one, COUNT(one));
	struct buf va = {0}, vb = {0};

	for (size_t i = 0; i < n; i++) {
		const struct meta_row *r = &rows[i];
		struct cell key = cell_text(r->key), a = value_cell(&va, r->v[A]), v = value_cell(&vb, r->v[B]);

		if (compares && r->status != ST_IDENTICAL)
			table_row(t, (struct cell[]){cell_text(str_of(statuses[r->status].name)), key, a, v}, HUE_NONE);
		else if (!compares)
			table_row(t, (struct cell[]){key, cell_text(str_of(r->v[A]->type)), a}, HUE_NONE);
	}
	table_end(t);
	buf_free(&va);
	buf_free(&vb);
}

/* "mark key = value", and "→ value" of a second one, cut to the screen where there is one. */
/* NOLINTNEXTLINE(misc-no-recursion): once: without a second value */
static void put_line(const struct batch *b, const char *mark, enum hue hue, struct str key, const struct meta_value *v,
		     const struct meta_value *now)
{
	struct buf line = {0}, cut = {0};

	buf_puts(&line, mark);
	utf8_display(&line, key, b->st.ascii);
	buf_puts(&line, " = ");
	meta_show(&line, v, b->st.ascii);
	if (now) {
		buf_puts(&line, b->st.ascii ? " -> " : " → ");
		meta_show(&line, now, b->st.ascii);
	}
	if (now && utf8_width(buf_view(&line)) > (b->st.columns ? b->st.columns : 80)) {
		/* too long for one line: both values, one above the other, are easy to compare */
		put_line(b, "~ - ", HUE_REMOVED, key, v, NULL);
		put_line(b, "~ + ", HUE_ADDED, key, now, NULL);
	} else {
		utf8_ellipsis(&cut, buf_view(&line), b->st.columns ? b->st.columns : SIZE_MAX, b->st.ascii);
		buf_clear(&line);
		paint(&line, &b->st, hue, buf_view(&cut));
		buf_putc(&line, '\n');
		out_buf(&line);
	}
	buf_free(&line);
	buf_free(&cut);
}

static void put_text(const struct batch *b, const struct meta_row *rows, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n && !out_lost(); i++) {
		const struct meta_row *r = &rows[i];

		any |= r->status != ST_IDENTICAL;
		if (r->status == ST_SINGLE)
			put_line(b, "", HUE_NONE, r->key, r->v[A], NULL);
		else if (r->status == ST_CHANGED)
			put_line(b, "~ ", HUE_CHANGED, r->key, r->v[A], r->v[B]);
		else if (r->status == ST_ADDED)
			put_line(b, "+ ", HUE_ADDED, r->key, r->v[B], NULL);
		else if (r->status == ST_REMOVED)
			put_line(b, "- ", HUE_REMOVED, r->key, r->v[A], NULL);
	}
	if (b->s->n_models == 2 && !any)
		out_puts(n ? "the metadata is the same\n" : "no metadata on either side\n");
	else if (!any)
		out_puts("no metadata\n");
}

int cmd_meta(struct session *s, const struct opts *o)
{
	struct batch b;
	size_t n;
	struct meta_row *rows;
	int status = 0;

	if (!batch_begin(&b, s, o, "meta"))
		return 2;
	rows = session_meta(s, &n);
	for (size_t i = 0; s->n_models == 2 && i < n; i++)
		status |= rows[i].status != ST_IDENTICAL;
	batch_account(&b);
	js_begin(&b.st, "meta");
	js_member(&b.st, s->n_models == 2 ? "a" : "model", js_model(&s->m[A]));
	if (s->n_models == 2) {
		js_member(&b.st, "b", js_model(&s->m[B]));
		js_differing_meta(&b, true);
	}
	if (b.st.output == OUT_TEXT)
		put_text(&b, rows, n);
	else if (b.st.output != OUT_JSON)
		put_table(&b, rows, n);
	batch_errors_json(&b);
	js_end(&b.st);
	free(rows);
	return batch_end(&b, status);
}
