/*
 * summary: one screen on what a model is, or on what changed between two. Sections share the screen's lines; what does
 * not fit is counted ("... 40 more"). The other output formats give the same sections whole.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/provenance.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "batch/batch.h"

enum { BAR = 16, GROUPS_JSON = 64, STRONGEST_JSON = 20 };

/* ---- models ---- */

/* "BF16" or "BF16 x120, F32 x28", the largest share first */
static void put_types(struct buf *b, const struct model *m, bool ascii)
{
	struct type_count types[TYPES_MAX];
	size_t n = count_types(m, types);

	for (size_t i = 0; i < n && i < 4; i++) {
		buf_puts(b, i ? ", " : "");
		utf8_display(b, str_of(types[i].name), ascii);
		if (n > 1)
			buf_printf(b, ascii ? " x%zu" : " ×%zu", types[i].tensors);
	}
	if (n > 4)
		buf_puts(b, ascii ? ", ..." : ", …");
}

static const struct column model_columns[] = {
	{.key = "side", .title = "", .left = true, .quiet = true},
	{.key = "path", .title = "file", .left = true, .shrink = true},
	{.key = "format", .title = "format", .left = true, .shrink = true, .expendable = 1},
	{.key = "files", .title = "files", .quiet = true, .expendable = 4},
	{.key = "tensors", .title = "tensors"},
	{.key = "parameters", .title = "params"},
	{.key = "bytes", .title = "bytes", .expendable = 2},
	{.key = "types", .title = "types", .left = true, .shrink = true, .expendable = 3},
};

static void put_model(struct table *t, const struct batch *b, unsigned side)
{
	const struct model *m = &b->s->m[side];
	struct buf types = {0}, format = {0}, params = {0};

	put_types(&types, m, b->st.ascii);
	buf_puts(&format, m->format);
	if (m->variant && *m->variant)
		buf_printf(&format, ", %s", m->variant);
	fmt_short(&params, model_parameters(m));
	table_row(t, (struct cell[]){
		cell_text(b->s->n_models < 2 ? STR("") : side == A ? STR("A") : STR("B")),
		cell_text(str_of(m->path)),
		cell_text(buf_view(&format)),
		cell_count(m->files > 1 ? m->files : 0),
		cell_count(m->n_tensors),
		cell_text(buf_view(&params)),
		cell_bytes(m->bytes),
		cell_text(buf_view(&types)),
	}, HUE_NONE);
	buf_free(&types);
	buf_free(&format);
	buf_free(&params);
}

static void put_models(const struct batch *b)
{
	struct table *t = table_new(&b->st, model_columns, COUNT(model_columns));

	for (unsigned side = A; side < b->s->n_models; side++)
		put_model(t, b, side);
	table_end(t);
}

/* One metadata line, cut to the screen. */
static void put_meta_line(const struct batch *b, const struct meta_row *r)
{
	struct buf line = {0}, cut = {0};
	unsigned columns = b->st.columns ? b->st.columns : 80;

	buf_printf(&line, "%c ", statuses[r->status].mark);
	if (r->status == ST_SINGLE || r->status == ST_IDENTICAL)
		buf_clear(&line);
	utf8_display(&line, r->key, b->st.ascii);
	buf_puts(&line, " = ");
	meta_show(&line, r->v[r->v[A] ? A : B], b->st.ascii);
	if (r->status == ST_CHANGED) {
		buf_puts(&line, b->st.ascii ? " -> " : " → ");
		meta_show(&line, r->v[B], b->st.ascii);
	}
	utf8_ellipsis(&cut, buf_view(&line), columns, b->st.ascii);
	buf_putc(&cut, '\n');
	out_buf(&cut);
	buf_free(&cut);
	buf_free(&line);
}

static void put_more(const struct batch *b, size_t n, const char *what)
{
	struct buf line = {0};

	if (n == 0)
		return;
	buf_printf(&line, "%s %zu more %s\n", b->st.ascii ? "..." : "…", n, what);
	out_buf(&line);
	buf_free(&line);
}

static bool is_same(const struct meta_row *r)
{
	return r->status == ST_IDENTICAL || r->status == ST_SINGLE;
}

static bool tells_origin(const struct meta_row *r)
{
	return fact_of_key(r->key) != FACT_NONE;
}

/* What the section has: lines worth showing, and how many more entries there are. What is the same in two models is
 * worth a line only where it tells their origin, and is no loss otherwise. */
struct meta_plan {
	struct meta_row *rows;
	size_t n, lines, rest;
};

static void plan_meta(struct meta_plan *p, const struct batch *b, size_t most)
{
	size_t wanted = 0, silent = 0;

	p->rows = session_meta(b->s, &p->n);
	for (size_t i = 0; i < p->n; i++) {
		wanted += !is_same(&p->rows[i]) || tells_origin(&p->rows[i]);
		silent += p->rows[i].status == ST_SINGLE && !tells_origin(&p->rows[i]);
	}
	p->lines = wanted < most ? wanted : most;
	p->rest = wanted - p->lines + silent;
}

static size_t meta_cost(const struct meta_plan *p) /* in lines, with the blank before it */
{
	return p->lines + p->rest > 0 ? 1 + p->lines + (p->rest > 0) : 0;
}

/* What differs first, then where the model comes from. */
static void put_metadata(const struct batch *b, const struct meta_plan *p)
{
	size_t used = 0;

	if (meta_cost(p))
		out_puts("\n");
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < p->n; i++) {
			if (is_same(&p->rows[i]) != (pass == 1) || (pass == 1 && !tells_origin(&p->rows[i])))
				continue;
			if (used++ < p->lines)
				put_meta_line(b, &p->rows[i]);
		}
	put_more(b, p->rest, "in the metadata: see weigh meta");
}

/* ---- groups ---- */

/* How much of a bar a group gets: its relative change, or its share of the parameters. */
static double weight_of(const struct group *g, bool compares)
{
	double w = compares ? g->roll.diff.rel_l2 : (double)g->roll.parameters[A];

	return isnan(w) ? (compares && g->roll.sum.changed ? HUGE_VAL : 0) : w;
}

struct ranked {
	double weight;
	size_t place;
};

static int by_weight(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;

	if (a->weight != b->weight)
		return a->weight < b->weight ? 1 : -1;
	return (a->place > b->place) - (a->place < b->place);
}

static int by_place(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;

	return (a->place > b->place) - (a->place < b->place);
}

/* The `most` weightiest of n, in their old order: *order is cut to them. Returns how many. */
static size_t keep_weightiest(struct ranked *r, size_t n, size_t most)
{
	qsort(r, n, sizeof(*r), by_weight);
	n = n < most ? n : most;
	qsort(r, n, sizeof(*r), by_place);
	return n;
}

static const struct column group_columns_one[] = {
	{.key = "group", .title = "group", .left = true, .shrink = true},
	{.key = "tensors", .title = "tensors"},
	{.key = "parameters", .title = "params"},
	{.key = "bytes", .title = "bytes"},
	{.key = "share", .title = "share of parameters", .left = true, .expendable = 1},
};

static const struct column group_columns_two[] = {
	{.key = "group", .title = "group", .left = true, .shrink = true},
	{.key = "tensors", .title = "tensors"},
	{.key = "converted", .title = "converted", .quiet = true},
	{.key = "changed", .title = "changed", .quiet = true},
	{.key = "other", .title = "other", .quiet = true},
	{.key = "rel_l2", .title = "rel_l2"},
	{.key = "bar", .title = "", .left = true, .expendable = 1},
};

static void put_group(struct table *t, const struct batch *b, const struct group *g, double max)
{
	bool compares = b->s->n_models == 2;
	struct buf bars = {0}, params = {0};
	const struct rollup *u = &g->roll;
	double w = weight_of(g, compares);
	struct cell count, rel = {.kind = CELL_NONE};

	bar(&bars, &b->st, max > 0 ? w / max : 0, BAR);
	fmt_short(&params, u->parameters[A]);
	count = cell_count(u64_max(u->tensors[A], u->tensors[B]));
	if (isfinite(u->diff.rel_l2))
		rel = (struct cell){.kind = CELL_REAL, .u.real = u->diff.rel_l2};
	if (compares)
		table_row(t, (struct cell[]){
			cell_text(g->name), count, cell_count(u->by_status[ST_CAST] + u->by_status[ST_QUANTISED]),
			cell_count(u->by_status[ST_CHANGED]),
			cell_count(u->by_status[ST_UNDECODED] + u->by_status[ST_RESHAPED] + u->by_status[ST_ADDED] +
				   u->by_status[ST_REMOVED]),
			rel, cell_text(buf_view(&bars)),
		}, HUE_NONE);
	else
		table_row(t, (struct cell[]){cell_text(g->name), count, cell_text(buf_view(&params)),
					     cell_bytes(u->bytes[A]), cell_text(buf_view(&bars))}, HUE_NONE);
	buf_free(&bars);
	buf_free(&params);
}

/* Returns the lines used. A group a tensor is no roll-up: then there is nothing to say here. */
static size_t put_groups(const struct batch *b, size_t lines)
{
	bool compares = b->s->n_models == 2;
	unsigned depth = b->o->group ? b->o->group : name_depth(b->s, b->rows, b->n_rows, lines);
	struct group *groups;
	size_t n = groups_of(b->s, b->rows, b->n_rows, depth, &groups), kept;
	struct ranked *order = xcalloc(n, sizeof(*order));
	double max = 0;
	struct table *t;

	for (size_t i = 0; i < n; i++) {
		order[i] = (struct ranked){weight_of(&groups[i], compares), i};
		if (isfinite(order[i].weight))
			max = fmax(max, order[i].weight);
	}
	kept = keep_weightiest(order, n, lines);
	/* nothing to show where all groups are alike, or a group is a tensor */
	if (n > 1 && n < b->n_rows && (max > 0 || b->o->group)) {
		out_puts("\n");
		t = compares ? table_new(&b->st, group_columns_two, COUNT(group_columns_two))
			     : table_new(&b->st, group_columns_one, COUNT(group_columns_one));
		for (size_t i = 0; i < kept; i++)
			put_group(t, b, &groups[order[i].place], max);
		table_end(t);
		put_more(b, n - kept, "groups");
	} else {
		kept = 0;
	}
	free(order);
	free(groups);
	return kept;
}

/* ---- the tensors that stand out ---- */

static double row_weight(const struct batch *b, const struct row *r, bool converted)
{
	if (b->s->n_models < 2)
		return (double)r->t[A]->count;
	if (!has_diff(r) || !(converted ? status_differs(r->status) : r->status == ST_CHANGED))
		return -1;
	return isfinite(r->result->diff.rel_l2) ? r->result->diff.rel_l2 : HUGE_VAL; /* from nothing to something */
}

/* The rows of the greatest weight, the greatest first; those below 0 are left out. The caller frees *out. */
static size_t weightiest_rows(const struct batch *b, size_t most, bool converted, struct ranked **out)
{
	size_t n = 0;

	*out = xcalloc(b->n_rows, sizeof(**out));
	for (size_t i = 0; i < b->n_rows; i++) {
		double w = row_weight(b, &b->s->rows[b->rows[i]], converted);

		if (w >= 0)
			(*out)[n++] = (struct ranked){w, b->rows[i]};
	}
	qsort(*out, n, sizeof(**out), by_weight);
	return n < most ? n : most;
}

static const struct column strong_columns[] = {
	{.key = "name", .title = "changed most", .left = true, .shrink = true},
	{.key = "shape", .title = "shape", .left = true, .expendable = 4},
	{.key = "changed", .title = "changed", .expendable = 3},
	{.key = "max_abs_diff", .title = "max|d|", .expendable = 2},
	{.key = "rel_l2", .title = "rel_l2"},
	{.key = "bar", .title = "", .left = true, .expendable = 1},
};

static const struct column big_columns[] = {
	{.key = "name", .title = "largest", .left = true, .shrink = true},
	{.key = "type", .title = "type", .left = true, .expendable = 1},
	{.key = "shape", .title = "shape", .left = true},
	{.key = "parameters", .title = "params"},
	{.key = "bytes", .title = "bytes", .expendable = 2},
};

static struct cell value(const struct row *r, const char *key)
{
	return field_get(field_by_key(str_of(key)), r, A);
}

static const struct column moved_columns[] = {
	{.key = "name", .title = "moved most", .left = true, .shrink = true},
	{.key = "shape", .title = "shape", .left = true, .expendable = 4},
	{.key = "how", .title = "how", .left = true, .expendable = 3},
	{.key = "max_abs_diff", .title = "max|d|", .expendable = 2},
	{.key = "rel_l2", .title = "rel_l2"},
	{.key = "bar", .title = "", .left = true, .expendable = 1},
};

static void put_strong(struct table *t, const struct batch *b, const struct row *r, double weight, double max,
		       bool converted)
{
	struct buf bars = {0}, name = {0};

	bar(&bars, &b->st, max > 0 ? weight / max : 0, BAR);
	pair_name(&name, r, b->st.ascii);
	table_row(t, (struct cell[]){
		cell_text(buf_view(&name)), value(r, "shape"), value(r, converted ? "how" : "changed_fraction"),
		value(r, "max_abs_diff"),
		value(r, "rel_l2"), cell_text(buf_view(&bars)),
	}, HUE_NONE);
	buf_free(&bars);
	buf_free(&name);
}

static void put_strongest(const struct batch *b, size_t lines, bool converted)
{
	bool compares = b->s->n_models == 2;
	struct ranked *order;
	size_t n = weightiest_rows(b, lines, converted, &order);
	struct table *t = !compares ? table_new(&b->st, big_columns, COUNT(big_columns))
				    : table_new(&b->st, converted ? moved_columns : strong_columns,
						COUNT(strong_columns));
	double max = 0;

	for (size_t i = 0; i < n; i++)
		if (isfinite(order[i].weight))
			max = fmax(max, order[i].weight);
	if (n)
		out_puts("\n");
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &b->s->rows[order[i].place];

		if (compares)
			put_strong(t, b, r, order[i].weight, max, converted);
		else
			table_row(t, (struct cell[]){cell_text(r->name), value(r, "type"), value(r, "shape"),
						     value(r, "parameters"), value(r, "bytes")}, HUE_NONE);
	}
	table_end(t);
	free(order);
}

/* ---- the whole ---- */

/* "31 changed, 3 identical; 2 of them retyped": all statuses that occur, with their marks. */
static size_t put_counts(const struct batch *b, const struct summary *sum)
{
	struct buf line = {0};
	const struct rollup *u = &sum->all;
	size_t used;

	for (int i = ST_IDENTICAL; i <= ST_REMOVED; i++) {
		char mark[2] = {statuses[i].mark, '\0'};

		if (u->by_status[i])
			buf_printf(&line, "%s%s %zu %s", line.n ? "   " : "",
				   b->st.ascii ? mark : statuses[i].utf8_mark, u->by_status[i], statuses[i].name);
	}
	if (u->retyped)
		buf_printf(&line, "   (%zu retyped)", u->retyped);
	if (u->renamed)
		buf_printf(&line, "   (%zu renamed)", u->renamed);
	used = out_wrapped(&b->st, HUE_NONE, buf_view(&line));
	buf_clear(&line);
	if (u->diff.changed) {
		fmt_percent(&line, u->diff.changed_fraction);
		buf_puts(&line, " of ");
		fmt_short(&line, u->diff.count);
		buf_puts(&line, " compared parameters differ; rel_l2 ");
		fmt_real(&line, u->diff.rel_l2);
		buf_puts(&line, ", cosine ");
		fmt_real(&line, u->diff.cosine);
		used += out_wrapped(&b->st, HUE_NONE, buf_view(&line));
	}
	buf_free(&line);
	return used;
}

/* Lines of the screen that are left, with one for the shell's prompt; other formats are not that short of them. */
static size_t lines_left(const struct batch *b, size_t used)
{
	size_t all = b->st.output == OUT_TEXT ? b->st.lines : 64;

	return all > used + 10 ? all - used - 1 : 9;
}

enum { SECTION = 2 }; /* lines of a section beside its rows: a blank and a heading */

/* What is worth knowing and nobody's fault, such as parts that were not put together. */
static void put_notes(const struct batch *b)
{
	enum { SHOWN = 4 };

	for (unsigned side = A; side < b->s->n_models; side++) {
		const struct model *m = &b->s->m[side];

		if (m->n_notes)
			out_puts("\n");
		for (size_t i = 0; i < m->n_notes && i < SHOWN; i++) {
			struct buf line = {0};

			buf_puts(&line, b->s->n_models < 2 ? "" : side == A ? "A: " : "B: ");
			utf8_display(&line, m->notes[i].tensor, b->st.ascii);
			buf_puts(&line, m->notes[i].tensor.n ? ": " : "");
			utf8_display(&line, str_of(m->notes[i].message), b->st.ascii);
			out_wrapped(&b->st, HUE_QUIET, buf_view(&line));
			buf_free(&line);
		}
		if (m->n_notes > SHOWN)
			put_more(b, m->n_notes - SHOWN, "notes: see -o json");
	}
}

static void text_two(const struct batch *b, const struct summary *sum)
{
	struct buf text = {0};
	struct meta_plan meta;
	size_t used, left, strong, groups;

	verdict(&text, b->s, sum);
	used = out_wrapped(&b->st, HUE_HEAD, buf_view(&text));
	buf_free(&text);
	out_puts("\n");
	put_models(b);
	out_puts("\n");
	used += 5 + put_counts(b, sum);
	left = lines_left(b, used);
	plan_meta(&meta, b, left > 16 ? 3 : 2);
	left -= u64_min(meta_cost(&meta), left - 4);
	/* The rest goes to the groups and the tensors by halves; one line is for "... more groups". */
	strong = left > 2 * SECTION + 5 ? u64_min((left - 2 * SECTION - 1) / 2, 10) : 2;
	groups = left > 2 * SECTION + strong + 2 ? left - 2 * SECTION - strong - 1 : 0;
	if (groups == 0 || put_groups(b, groups) == 0)
		strong = u64_min(left - SECTION, 10);
	put_strongest(b, strong, summary_converted(sum));
	put_metadata(b, &meta);
	put_notes(b);
	free(meta.rows);
}

static void put_troubles(const struct batch *b)
{
	const struct model *m = &b->s->m[A];
	size_t undecoded = 0;
	struct buf line = {0};

	for (size_t i = 0; i < m->n_tensors; i++)
		undecoded += m->tensors[i].trouble && !m->tensors[i].broken;
	if (undecoded)
		buf_printf(&line, "%zu %s of a type that is not decoded: listed, but without numbers\n", undecoded,
			   undecoded == 1 ? "tensor is" : "tensors are");
	if (m->n_problems)
		buf_printf(&line, "%zu %s with the file\n", m->n_problems, m->n_problems == 1 ? "problem" : "problems");
	if (line.n)
		out_puts("\n");
	out_buf(&line);
	buf_free(&line);
}

static void text_one(const struct batch *b)
{
	struct meta_plan meta;
	size_t left, groups;

	put_models(b);
	plan_meta(&meta, b, 4);
	put_metadata(b, &meta);
	left = lines_left(b, 2 + meta_cost(&meta) + 2 * SECTION + 3);
	groups = u64_min(left / 2 + 2, 10);
	groups = put_groups(b, groups);
	put_strongest(b, left > groups + 2 ? u64_min(left - groups, 10) : 2, false);
	put_troubles(b);
	put_notes(b);
	free(meta.rows);
}

/* For CSV and TSV, which know no sections: the groups. */
static void put_lines(struct batch *b)
{
	struct opts o = *b->o;
	const struct opts *old = b->o;

	o.group = o.group ? o.group : name_depth(b->s, b->rows, b->n_rows, GROUPS_JSON);
	b->o = &o;
	print_groups(b, b->rows, b->n_rows);
	b->o = old;
}

static void put_json(struct batch *b, const struct summary *sum)
{
	bool compares = b->s->n_models == 2;
	struct ranked *order;
	size_t most = b->o->top ? (size_t)b->o->top : STRONGEST_JSON;
	size_t n = weightiest_rows(b, most, summary_converted(sum), &order);

	js_begin(&b->st, "summary");
	js_member(&b->st, compares ? "a" : "model", js_model(&b->s->m[A]));
	if (compares) {
		js_member(&b->st, "b", js_model(&b->s->m[B]));
		js_member(&b->st, "summary", js_summary(b, sum));
	}
	put_lines(b);
	js_open_array(&b->st, "tensors");
	for (size_t i = 0; b->st.output == OUT_JSON && i < n; i++) {
		const struct row *r = &b->s->rows[order[i].place];
		json_t *o = compares ? js_pair(r) : js_tensor(&b->s->m[A], r->t[A]);

		if (compares)
			js_put(o, "diff", js_diff(r));
		js_item(&b->st, o);
	}
	js_close_array(&b->st);
	if (compares)
		js_differing_meta(b, false);
	batch_errors_json(b);
	js_end(&b->st);
	free(order);
}

int cmd_summary(struct session *s, const struct opts *o)
{
	bool compares = s->n_models == 2;
	struct summary sum = {.strongest = SIZE_MAX};
	struct batch b;
	int status = 0;

	if (!batch_begin(&b, s, o, "summary"))
		return 2;
	if (compares && o->brief)
		return batch_brief(&b);
	batch_scan(&b, !compares ? 0 : o->distribution ? WANT_DIST : WANT_STATS);
	batch_wait_all(&b);
	if (compares)
		status = batch_compare(&b, &sum);
	batch_account(&b);
	if (b.st.output == OUT_JSON || b.st.output == OUT_JSONL)
		put_json(&b, &sum);
	else if (b.st.output == OUT_CSV || b.st.output == OUT_TSV)
		put_lines(&b);
	else if (compares)
		text_two(&b, &sum);
	else
		text_one(&b);
	return batch_end(&b, status);
}
