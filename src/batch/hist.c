#include <stdio.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "batch/batch.h"
#include "batch/progress.h"

/* ---- text ---- */

static uint64_t most(const struct bins *b)
{
	uint64_t max = 0;

	for (unsigned i = 0; i < b->n; i++)
		max = u64_max(max, b->counts[i]);
	return max;
}

/* A bar and its count, padded to `columns` + COUNT_WIDTH. */
enum { EDGE_WIDTH = 10, COUNT_WIDTH = 9, BAR_MAX = 60 };

static void put_bar(struct buf *line, const struct style *st, uint64_t n, uint64_t max, unsigned columns, enum hue hue)
{
	struct buf b = {0}, count = {0};
	size_t width;

	bar(&b, st, max ? (double)n / (double)max : 0, columns);
	width = utf8_width(buf_view(&b));
	paint(line, st, hue, buf_view(&b));
	buf_repeat(line, ' ', columns - u64_min(width, columns));
	fmt_short(&count, n);
	buf_repeat(line, ' ', count.n < COUNT_WIDTH ? COUNT_WIDTH - count.n : 1);
	buf_str(line, buf_view(&count));
	buf_free(&b);
	buf_free(&count);
}

static void put_edge(struct buf *line, double x)
{
	struct buf edge = {0};

	fmt_real(&edge, x);
	buf_repeat(line, ' ', edge.n < EDGE_WIDTH ? EDGE_WIDTH - edge.n : 0);
	buf_str(line, buf_view(&edge));
	buf_putc(line, ' ');
	buf_free(&edge);
}

/* Lines of lower edge, bar and count; the upper end stands alone below. b may be NULL. */
static void put_bins(const struct style *st, const struct bins *a, const struct bins *b, enum hue hue)
{
	unsigned sides = b ? 2 : 1, columns = st->columns ? st->columns : 80;
	unsigned taken = EDGE_WIDTH + 1 + sides * (COUNT_WIDTH + 1);
	unsigned width = columns > taken + 4 * sides ? (columns - taken) / sides : 4;
	uint64_t max = b ? u64_max(most(a), most(b)) : most(a);
	struct buf line = {0};

	width = width < BAR_MAX ? width : BAR_MAX;
	for (unsigned i = 0; i < a->n; i++) {
		put_edge(&line, bins_edge(a, i));
		put_bar(&line, st, a->counts[i], max, width, hue);
		if (b) {
			buf_puts(&line, "  ");
			put_bar(&line, st, b->counts[i], max, width, HUE_CHANGED);
		}
		buf_putc(&line, '\n');
		out_buf(&line);
	}
	put_edge(&line, bins_edge(a, a->n));
	line.p[line.n - 1] = '\n';
	out_buf(&line);
	buf_free(&line);
}

static void put_title(const struct style *st, const struct row *r, const char *what)
{
	struct buf both = {0}, name = {0}, line = {0};

	pair_name(&both, r, st->ascii);
	utf8_display(&name, buf_view(&both), st->ascii);
	paint(&line, st, HUE_HEAD, buf_view(&name));
	for (int side = A; side <= B; side++) {
		struct cell shape;

		if (!r->t[side] || (side == B && r->t[A] && !r->retyped && r->status != ST_RESHAPED))
			continue;
		shape = (struct cell){.kind = CELL_SHAPE, .u.shape = {r->t[side]->shape, r->t[side]->rank}};
		buf_printf(&line, "  %s ", r->t[side]->type_name);
		cell_show(&line, &shape, st->ascii);
	}
	if (row_renamed(r))
		buf_printf(&line, "  (found by %s)", vias[r->via]);
	buf_printf(&line, "%s\n", what);
	out_buf(&line);
	buf_free(&both);
	buf_free(&name);
	buf_free(&line);
}

static bool readable(const struct row *r, int side)
{
	return r->t[side] && !r->t[side]->trouble && r->result && !r->result->error && r->result->bins[side].counts;
}

static void put_text(const struct style *st, const struct row *r)
{
	bool a = readable(r, A), b = readable(r, B);

	if (!a && !b) {
		put_title(st, r, "  cannot be read");
		return;
	}
	put_title(st, r, a && b ? "  A, then B" : r->status == ST_SINGLE ? "" : a ? "  A only" : "  B only");
	put_bins(st, &r->result->bins[a ? A : B], a && b ? &r->result->bins[B] : NULL, HUE_EQUAL);
	if (!a || !b || !has_diff(r))
		return;
	if (r->result->diff.changed == 0) {
		out_puts("B - A: 0 everywhere\n");
		return;
	}
	out_puts("B - A\n");
	put_bins(st, &r->result->bins_d, NULL, HUE_CHANGED);
}

/* ---- for programs ---- */

static void put_json(const struct batch *b, const struct row *r)
{
	bool compares = b->s->n_models == 2;
	json_t *o = compares ? js_pair(r) : js_tensor(&b->s->m[A], r->t[A]);

	js_put(o, compares ? "a_histogram" : "histogram",
		 readable(r, A) ? js_bins(&r->result->bins[A]) : json_null());
	if (compares) {
		js_put(o, "b_histogram", readable(r, B) ? js_bins(&r->result->bins[B]) : json_null());
		js_put(o, "diff_histogram", has_diff(r) ? js_bins(&r->result->bins_d) : json_null());
	}
	js_item(&b->st, o);
}

static const struct column columns[] = {
	{.key = "name", .title = "name", .left = true}, {.key = "of", .title = "of", .left = true},
	{.key = "lo", .title = "from"},                 {.key = "hi", .title = "to"},
	{.key = "count", .title = "count"},
};

static void put_rows(struct table *t, const struct row *r, const char *of, const struct bins *b)
{
	for (unsigned i = 0; i < b->n; i++)
		table_row(t, (struct cell[]){
			cell_text(r->name), cell_text(str_of(of)),
			{.kind = CELL_REAL, .u.real = bins_edge(b, i)},
			{.kind = CELL_REAL, .u.real = bins_edge(b, i + 1)},
			cell_count(b->counts[i]),
		}, HUE_NONE);
}

static void put_lines(struct table *t, const struct row *r)
{
	if (readable(r, A))
		put_rows(t, r, "A", &r->result->bins[A]);
	if (readable(r, B))
		put_rows(t, r, "B", &r->result->bins[B]);
	if (has_diff(r) && readable(r, A) && readable(r, B))
		put_rows(t, r, "B-A", &r->result->bins_d);
}

static void print_rows(struct batch *b, const size_t *rows, size_t n)
{
	struct table *t = table_new(&b->st, columns, COUNT(columns));

	js_open_array(&b->st, "tensors");
	for (size_t i = 0; i < n && !out_lost(); i++) {
		const struct row *r = &b->s->rows[rows[i]];

		batch_wait(b, rows[i]);
		progress_erase(b->progress);
		if (b->st.output == OUT_JSON || b->st.output == OUT_JSONL) {
			put_json(b, r);
		} else if (is_prose(b->st.output)) {
			out_puts(i ? "\n" : "");
			put_text(&b->st, r);
		} else {
			put_lines(t, r);
		}
	}
	js_close_array(&b->st);
	table_end(t);
}

int cmd_hist(struct session *s, const struct opts *o)
{
	struct batch b;
	struct summary sum;
	bool compares = s->n_models == 2;
	size_t *rows, n;
	int status = 0;

	if (!batch_begin(&b, s, o, "hist"))
		return 2;
	if (o->top && !o->sort && !o->reverse && !o->status_mask)
		b.n_rows = (size_t)u64_min(b.n_rows, o->top);
	batch_scan(&b, WANT_BINS);
	js_begin(&b.st, "hist");
	js_member(&b.st, compares ? "a" : "model", js_model(&s->m[A]));
	if (compares)
		js_member(&b.st, "b", js_model(&s->m[B]));
	n = batch_shown(&b, &rows);
	print_rows(&b, rows, n);
	free(rows);
	if (compares && !out_lost()) {
		batch_wait_all(&b);
		b.filtered = true; /* about the tensors only */
		status = batch_compare(&b, &sum);
	}
	batch_account(&b);
	batch_errors_json(&b);
	js_end(&b.st);
	return batch_end(&b, status);
}
