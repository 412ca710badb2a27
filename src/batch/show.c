/*
 * show: values in NumPy's manner. An array of more than ELIDE elements shows the first and last EDGE of every longer
 * dimension in text; JSON, CSV and TSV give all that the slice takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "batch/batch.h"
#include "batch/slice.h"
#include "batch/values.h"
#include "model/pack.h"

enum { ELIDE = 1000, EDGE = 3 };

struct shown {
	const struct model *m;
	const struct tensor *t;
	struct str brackets; /* what stood between them */
	struct slice slice;
	struct values *values;
};

/* A walk over the indices of a slice, the last dimension fastest. `at` counts shown positions, which an elided
 * dimension has 2 * EDGE of. */
struct walk {
	const struct shown *sh;
	unsigned dims[RANK_MAX], n_dims; /* those that are not dropped */
	uint64_t at[RANK_MAX], n[RANK_MAX];
	bool elided[RANK_MAX];
};

static void walk_start(struct walk *w, const struct shown *sh, bool may_elide)
{
	bool elide = may_elide && slice_count(&sh->slice) > ELIDE;

	*w = (struct walk){.sh = sh};
	for (unsigned d = 0; d < sh->slice.rank; d++) {
		const struct axis *a = &sh->slice.axis[d];

		if (a->dropped)
			continue;
		w->elided[w->n_dims] = elide && a->count > 2 * EDGE;
		w->n[w->n_dims] = w->elided[w->n_dims] ? 2 * EDGE : a->count;
		w->dims[w->n_dims++] = d;
	}
}

/* Goes to the next position; returns how many of the last dimensions have come to their end (n_dims: all is done). */
static unsigned walk_next(struct walk *w)
{
	unsigned ended = 0;

	for (unsigned k = w->n_dims; k-- > 0; ended++) {
		if (++w->at[k] < w->n[k])
			break;
		w->at[k] = 0;
	}
	return ended;
}

/* The index in the tensor. It cannot overflow: every index is inside a tensor whose count is a uint64_t. */
static uint64_t walk_index(const struct walk *w)
{
	const struct slice *s = &w->sh->slice;
	uint64_t index = 0, place[RANK_MAX] = {0};

	for (unsigned k = 0; k < w->n_dims; k++) {
		uint64_t count = s->axis[w->dims[k]].count;

		place[w->dims[k]] = w->elided[k] && w->at[k] >= EDGE ? count - 2 * EDGE + w->at[k] : w->at[k];
	}
	for (unsigned d = 0; d < s->rank; d++)
		index = index * w->sh->t->shape[d] +
			(uint64_t)(s->axis[d].start + s->axis[d].step * (int64_t)place[d]);
	return index;
}

/* ---- text ---- */

struct printed { /* the values as text, to be aligned */
	struct buf text;
	size_t *ends, n, cap, width;
};

static enum rc gather(struct printed *p, struct walk *w, struct err *e)
{
	do {
		size_t start = p->text.n;

		if (values_show(w->sh->values, walk_index(w), &p->text, false, e) != RC_OK)
			return RC_FAIL;
		if (p->n == p->cap) {
			p->cap = p->cap ? 2 * p->cap : 64;
			p->ends = xrealloc(p->ends, p->cap, sizeof(*p->ends));
		}
		p->ends[p->n++] = p->text.n;
		p->width = u64_max(p->width, p->text.n - start);
	} while (walk_next(w) < w->n_dims);
	return RC_OK;
}

/* Where an elided dimension jumps. Inside a line the dots stand alone; between lines, on a line of their own. */
static void put_dots(struct buf *b, const struct walk *w, unsigned ended, const char *dots)
{
	unsigned k = w->n_dims - 1 - ended;

	if (!w->elided[k] || w->at[k] != EDGE)
		return;
	if (ended == 0) {
		buf_printf(b, " %s", dots);
		return;
	}
	buf_repeat(b, ' ', k + 1);
	buf_printf(b, "%s\n", dots);
}

static void put_array(struct buf *b, struct walk *w, const struct printed *p, const struct style *st)
{
	size_t limit = st->columns ? st->columns : 80, line = b->n, start = 0;
	const char *dots = st->ascii ? "..." : "…";
	unsigned ended = w->n_dims;

	for (size_t i = 0; i < p->n; i++) {
		bool first = i == 0 || ended > 0;

		if (first) {
			buf_repeat(b, ' ', w->n_dims - ended);
			buf_repeat(b, '[', ended);
		} else if (utf8_width((struct str){b->p + line, b->n - line}) + 1 + p->width + w->n_dims > limit) {
			buf_putc(b, '\n');
			line = b->n;
			buf_repeat(b, ' ', w->n_dims);
		} else
			buf_putc(b, ' ');
		buf_repeat(b, ' ', p->width - (p->ends[i] - start));
		buf_add(b, p->text.p + start, p->ends[i] - start);
		start = p->ends[i];
		ended = walk_next(w);
		buf_repeat(b, ']', ended);
		if (ended == w->n_dims)
			break;
		if (ended > 0) {
			buf_repeat(b, '\n', ended);
			line = b->n;
		}
		put_dots(b, w, ended, dots);
		if (ended > 0)
			line = b->n;
	}
	buf_putc(b, '\n');
}

static void put_heading(struct buf *b, const struct shown *sh, const struct style *st)
{
	struct cell shape = {.kind = CELL_SHAPE, .u.shape = {sh->t->shape, sh->t->rank}};
	struct buf name = {0};

	utf8_display(&name, sh->t->name, st->ascii);
	if (sh->brackets.n) {
		buf_putc(&name, '[');
		utf8_display(&name, sh->brackets, st->ascii);
		buf_putc(&name, ']');
	}
	paint(b, st, HUE_HEAD, buf_view(&name));
	buf_printf(b, "  %s%s ", sh->t->type_name, sh->brackets.n ? "  of" : " ");
	cell_show(b, &shape, st->ascii);
	buf_putc(b, '\n');
	buf_free(&name);
}

static enum rc show_text(const struct shown *sh, const struct style *st, struct err *e)
{
	struct printed p = {.n = 0};
	struct buf b = {0};
	struct walk w;
	enum rc rc = RC_OK;

	put_heading(&b, sh, st);
	walk_start(&w, sh, true);
	if (slice_count(&sh->slice) == 0) {
		buf_puts(&b, "[]\n");
	} else if ((rc = gather(&p, &w, e)) == RC_OK) {
		walk_start(&w, sh, true);
		put_array(&b, &w, &p, st);
	}
	if (rc == RC_OK) {
		out_puts(st->output == OUT_MARKDOWN ? "```\n" : "");
		out_buf(&b);
		out_puts(st->output == OUT_MARKDOWN ? "```\n" : "");
	}
	buf_free(&b);
	buf_free(&p.text);
	free(p.ends);
	return rc;
}

/* ---- for programs ---- */

/* Lines of the last dimension: a matrix becomes the table that it is. */
static enum rc show_lines(const struct shown *sh, const struct style *st, struct err *e)
{
	struct buf b = {0};
	struct walk w;
	unsigned ended = 0;
	enum rc rc = RC_OK;

	walk_start(&w, sh, false);
	if (slice_count(&sh->slice) == 0)
		return RC_OK;
	do {
		rc = values_show(sh->values, walk_index(&w), &b, false, e);
		ended = walk_next(&w);
		buf_putc(&b, ended || w.n_dims == 0 ? '\n' : st->output == OUT_TSV ? '\t' : ',');
		out_buf(&b);
	} while (rc == RC_OK && ended < w.n_dims && !out_lost());
	buf_free(&b);
	return rc;
}

/* An empty array: brackets down to the first dimension of length 0. */
static void put_empty(struct buf *b, const struct walk *w)
{
	buf_puts(b, w->n_dims && w->n[0] ? "[[]]" : "[]");
}

static enum rc put_nested(const struct shown *sh, struct err *e)
{
	struct buf b = {0};
	struct walk w;
	unsigned ended;
	enum rc rc = RC_OK;

	walk_start(&w, sh, false);
	ended = w.n_dims;
	if (slice_count(&sh->slice) == 0)
		put_empty(&b, &w);
	else
		do {
			buf_repeat(&b, '[', ended);
			rc = values_show(sh->values, walk_index(&w), &b, true, e);
			ended = walk_next(&w);
			buf_repeat(&b, ']', ended);
			buf_puts(&b, ended < w.n_dims ? "," : "");
			if (rc == RC_OK)
				out_buf(&b);
		} while (rc == RC_OK && ended < w.n_dims && !out_lost());
	out_buf(&b);
	buf_free(&b);
	return rc;
}

static enum rc show_json(const struct shown *sh, const struct style *st, struct err *e)
{
	json_t *o = js_tensor(sh->m, sh->t);
	enum rc rc;

	if (sh->brackets.n)
		js_put_text(o, "slice", sh->brackets);
	js_item_open(st, o, "values");
	rc = put_nested(sh, e);
	js_item_close(st);
	return rc;
}

/* ---- finding what was named ---- */

static const struct tensor *by_name(const struct session *s, struct str name)
{
	for (size_t i = 0; i < s->n_rows; i++)
		if (str_eq(s->rows[i].name, name))
			return s->rows[i].t[A];
	return NULL;
}

static enum rc show_one(struct batch *b, const struct tensor *t, struct str brackets, struct err *e)
{
	struct shown sh = {.m = &b->s->m[A], .t = t, .brackets = brackets};
	enum rc rc;

	if (slice_parse(&sh.slice, brackets, t->shape, t->rank, e) != RC_OK ||
	    values_open(&sh.values, sh.m, t, e) != RC_OK)
		return RC_FAIL;
	if (b->st.output == OUT_JSON || b->st.output == OUT_JSONL)
		rc = show_json(&sh, &b->st, e);
	else if (b->st.output == OUT_CSV || b->st.output == OUT_TSV)
		rc = show_lines(&sh, &b->st, e);
	else
		rc = show_text(&sh, &b->st, e);
	values_close(sh.values);
	return rc;
}

/* What to say of a name that is not there: it may be a part of a packed tensor. */
static enum rc not_there(const struct session *s, struct str name, struct err *e)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct tensor *t = s->rows[i].t[A];

		for (unsigned k = 0; t && t->pack && k < t->pack->n_parts; k++)
			if (str_eq(t->pack->parts[k].name, name))
				return err_set(e, "it is a part of %.*s, and --raw shows it by itself",
					       (int)u64_min(t->name.n, 200), t->name.p);
	}
	return err_set(e, "no such tensor");
}

/* A whole name first, since names may hold brackets; then name[slice]; then a pattern, sliced or not. */
static enum rc show_named(struct batch *b, const char *operand, struct err *e)
{
	struct str name = str_of(operand), brackets = STR("");
	const struct tensor *t = by_name(b->s, name);
	struct match *match;
	struct buf pattern = {0};
	bool any = false;
	enum rc rc = RC_OK;
	const char *open = strrchr(operand, '[');

	if (!t && open && operand[name.n - 1] == ']') {
		brackets = (struct str){open + 1, name.n - (size_t)(open + 1 - operand) - 1};
		name.n = (size_t)(open - operand);
		t = by_name(b->s, name);
	}
	if (t)
		return show_one(b, t, brackets, e);
	buf_str(&pattern, name);
	rc = match_compile(&match, pattern.p ? pattern.p : "", e);
	buf_free(&pattern);
	if (rc != RC_OK)
		return RC_FAIL;
	for (size_t i = 0; rc == RC_OK && i < b->n_rows && !out_lost(); i++) {
		t = b->s->rows[b->rows[i]].t[A];
		if (!match_test(match, t->name))
			continue;
		any = true;
		rc = show_one(b, t, brackets, e);
	}
	match_free(match);
	return rc == RC_OK && !any ? not_there(b->s, name, e) : rc;
}

int cmd_show(struct session *s, const struct opts *o)
{
	struct opts plain = *o; /* the operands are names here, not patterns */
	struct batch b;
	int status = 0;

	plain.n_patterns = 0;
	if (!batch_begin(&b, s, &plain, "show"))
		return 2;
	if (o->n_patterns == 0)
		return batch_fail(&b, "show needs the name of a tensor; `weigh list` prints them");
	js_begin(&b.st, "show");
	js_member(&b.st, "model", js_model(&s->m[A]));
	js_open_array(&b.st, "tensors");
	for (size_t i = 0; i < o->n_patterns; i++) {
		struct err e;

		if (show_named(&b, o->patterns[i], &e) != RC_OK)
			status |= 2, batch_mishap(&b, A, str_of(o->patterns[i]), e.msg);
	}
	js_close_array(&b.st);
	batch_account(&b);
	batch_errors_json(&b);
	js_end(&b.st);
	return batch_end(&b, status);
}
