#include "batch/batch.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "batch/html.h"
#include "batch/progress.h"

const struct command commands[] = {
	{"summary", "A [B]", "what it is; of two, what changed", 1, 2, false, false, false, false, cmd_summary},
	{"list", "A [PATTERN...]", "tensors: name, type, shape, size and place",
	 1, 1, true, false, false, false, cmd_list},
	{"stats", "A [PATTERN...]", "statistics of each tensor", 1, 1, true, false, false, false, cmd_stats},
	{"diff", "A B [PATTERN...]", "status and differences of each pair", 2, 2, true, false, false, false, cmd_diff},
	{"hist", "A [B] [PATTERN...]", "histograms; of two, and of B - A", 1, 2, true, true, false, false, cmd_hist},
	{"show", "A NAME[SLICE]...", "values, with a slice: 'h.0.weight[0:4,:8]'",
	 1, 1, true, false, false, false, cmd_show},
	{"meta", "A [B]", "metadata; of two, what changed of it", 1, 2, false, false, false, false, cmd_meta},
	{"audit", "A [B]", "findings about the file; with B, what is new in B",
	 1, 2, false, false, false, true, cmd_audit},
	{"export", "A NAME...", "a tensor to .npy: -o FILE, or standard output",
	 1, 1, true, false, true, false, cmd_export},
	{"formats", "", "formats and tensor types that this build reads",
	 0, 0, false, false, false, false, cmd_formats},
	{NULL, NULL, NULL, 0, 0, false, false, false, false, NULL},
};

const struct command *command_summary(void)
{
	return &commands[0];
}

/* ---- beginning ---- */

static void report(const struct batch *to, const char *path, struct str tensor, const char *message)
{
	struct buf b = {0};

	buf_puts(&b, "weigh: ");
	if (path) {
		utf8_display(&b, str_of(path), to->st.ascii);
		buf_puts(&b, ": ");
	}
	utf8_display(&b, str_of(message), to->st.ascii);
	if (tensor.n) {
		buf_puts(&b, " (tensor '");
		utf8_display(&b, tensor, to->st.ascii);
		buf_puts(&b, "')");
	}
	buf_putc(&b, '\n');
	fputs(b.p, stderr);
	if (html_begun()) /* a page that is kept says what is missing in it */
		out_str(buf_view(&b));
	buf_free(&b);
}

/* With html a page begins, under the command as its title. */
static void begin_page(const struct batch *b)
{
	struct buf title = {0};

	buf_printf(&title, "weigh %s", b->command);
	for (unsigned i = 0; i < b->o->n_paths; i++) {
		buf_putc(&title, ' ');
		utf8_display(&title, str_of(b->o->path[i]), b->st.ascii);
	}
	out_begin(&b->st, title.p);
	buf_free(&title);
}

bool batch_begin(struct batch *b, struct session *s, const struct opts *o, const char *command)
{
	struct err e;

	*b = (struct batch){.s = s, .o = o, .command = command, .st = style_of(o)};
	if (filter_init(&b->filter, o, &e) != RC_OK) {
		report(b, NULL, STR(""), e.msg);
		return false;
	}
	b->filtered = b->filter.n_include || b->filter.n_exclude;
	b->n_rows = select_rows(s, &b->filter, &b->rows);
	if (b->filter.n_include && b->n_rows == 0) {
		report(b, o->path[0], STR(""), "no tensor has a name that matches");
		batch_end(b, 2);
		return false;
	}
	begin_page(b);
	return true;
}

int batch_fail(struct batch *b, const char *fmt, ...)
{
	struct err e;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.msg, sizeof(e.msg), fmt, ap);
	va_end(ap);
	progress_erase(b->progress);
	report(b, NULL, STR(""), e.msg);
	return batch_end(b, 2);
}

/* ---- results ---- */

static unsigned wanted_by(const struct field *f)
{
	static const unsigned wants[] = {
		[FIELD_STATS] = WANT_STATS,
		[FIELD_DIST] = WANT_DIST,
		[FIELD_DIFF] = WANT_STATS,
		[FIELD_DIFF_DIST] = WANT_DIST,
	};

	return f && f->group != FIELD_HEADER ? wants[f->group] : 0;
}

void batch_scan(struct batch *b, unsigned want)
{
	b->want = want | (b->o->sort ? wanted_by(field_by_key(str_of(b->o->sort))) : 0);
	if (!b->want)
		return;
	b->progress = progress_new(b->o);
	b->scan = scan_new(b->s, b->progress ? progress_wake : NULL, b->progress);
	for (size_t i = 0; i < b->n_rows; i++)
		scan_ask(b->scan, b->rows[i], b->want, PRIO_BATCH, b->o->bins);
}

void batch_wait(struct batch *b, size_t row)
{
	if (b->progress)
		progress_wait(b->progress, b->scan, b->s->rows, row);
	else if (b->scan)
		scan_wait(b->scan, row);
}

void batch_wait_all(struct batch *b)
{
	for (size_t i = 0; i < b->n_rows; i++)
		batch_wait(b, b->rows[i]);
	progress_erase(b->progress);
}

void batch_sort(const struct batch *b, const struct session *s, size_t *rows, size_t n)
{
	const struct field *f = b->o->sort ? field_by_key(str_of(b->o->sort)) : NULL;

	if (f)
		sort_rows(s, rows, n, f, b->o->reverse);
	else if (b->o->reverse)
		for (size_t i = 0; i < n / 2; i++) {
			size_t row = rows[i];

			rows[i] = rows[n - 1 - i];
			rows[n - 1 - i] = row;
		}
}

size_t batch_shown(struct batch *b, size_t **shown)
{
	size_t n = 0;

	*shown = xcalloc(b->n_rows, sizeof(**shown));
	if (b->o->sort || b->filter.status_mask)
		batch_wait_all(b);
	for (size_t i = 0; i < b->n_rows; i++)
		if (filter_status(&b->filter, &b->s->rows[b->rows[i]]))
			(*shown)[n++] = b->rows[i];
	batch_sort(b, b->s, *shown, n);
	return b->o->top && b->o->top < n ? (size_t)b->o->top : n;
}

/* ---- what went wrong ---- */

static void add_mishap(struct batch *b, unsigned side, struct str tensor, const char *message)
{
	if (b->n_mishaps == b->cap_mishaps) {
		b->cap_mishaps = b->cap_mishaps ? 2 * b->cap_mishaps : 16;
		b->mishaps = xrealloc(b->mishaps, b->cap_mishaps, sizeof(*b->mishaps));
	}
	b->mishaps[b->n_mishaps++] = (struct mishap){b->o->path[side], tensor, message};
}

void batch_mishap(struct batch *b, int side, struct str tensor, const char *message)
{
	add_mishap(b, (unsigned)side, tensor, arena_printf(&b->arena, "%s", message));
}

/* A tensor that is broken is among its model's problems already. */
static void account_row(struct batch *b, const struct row *r)
{
	bool compares = b->s->n_models == 2;

	if (r->result && r->result->error) {
		const char *message = r->result->error;
		unsigned side = compares && strncmp(message, "B: ", 3) == 0 ? B : A;

		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a row has a tensor of A or of B */
		add_mishap(b, side, (r->t[side] ? r->t[side] : r->t[A])->name, compares ? message + 3 : message);
		return;
	}
	if (compares && r->status != ST_UNDECODED)
		return;
	for (unsigned side = A; side < b->s->n_models; side++)
		if (r->t[side] && r->t[side]->trouble && !r->t[side]->broken)
			add_mishap(b, side, r->t[side]->name, r->t[side]->trouble);
}

void batch_account(struct batch *b)
{
	for (unsigned side = A; side < b->s->n_models; side++)
		for (size_t i = 0; i < b->s->m[side].n_problems; i++)
			add_mishap(b, side, b->s->m[side].problems[i].tensor, b->s->m[side].problems[i].message);
	for (size_t i = 0; b->want && i < b->n_rows; i++)
		account_row(b, &b->s->rows[b->rows[i]]);
}

void batch_errors_json(struct batch *b)
{
	js_open_array(&b->st, "errors");
	for (size_t i = 0; b->st.output == OUT_JSON && i < b->n_mishaps; i++) {
		json_t *o = json_object();

		js_put_text(o, "path", str_of(b->mishaps[i].path));
		if (b->mishaps[i].tensor.n)
			js_put_text(o, "tensor", b->mishaps[i].tensor);
		else
			js_put(o, "tensor", json_null());
		js_put(o, "message", js_text(str_of(b->mishaps[i].message)));
		js_item(&b->st, o);
	}
	js_close_array(&b->st);
}

/* Messages that differ in their numbers only are of one kind. */
static bool same_kind(const char *a, const char *b)
{
	for (;;) {
		while (isdigit((unsigned char)*a))
			a++;
		while (isdigit((unsigned char)*b))
			b++;
		if (*a != *b)
			return false;
		if (*a == '\0')
			return true;
		a++, b++;
	}
}

/* The first few of each kind; then how many more there were. KINDS bounds the search: what comes later is one kind. */
static void print_mishaps(const struct batch *b)
{
	enum { KINDS = 32, EACH = 5 };
	struct {
		const struct mishap *first;
		size_t n;
	} kinds[KINDS] = {{0}};

	for (size_t i = 0; i < b->n_mishaps; i++) {
		const struct mishap *m = &b->mishaps[i];
		size_t k = 0;

		while (k < KINDS - 1 && kinds[k].first &&
		       !(kinds[k].first->path == m->path && same_kind(kinds[k].first->message, m->message)))
			k++;
		if (!kinds[k].first)
			kinds[k].first = m;
		if (kinds[k].n++ < EACH)
			report(b, m->path, m->tensor, m->message);
	}
	for (size_t k = 0; k < KINDS; k++)
		if (kinds[k].n > EACH) {
			struct buf more = {0};

			buf_printf(&more, "%s (and %zu more like it)", kinds[k].first->message, kinds[k].n - EACH);
			report(b, kinds[k].first->path, STR(""), more.p);
			buf_free(&more);
		}
}

int batch_end(struct batch *b, int status)
{
	progress_erase(b->progress);
	if (b->n_mishaps) {
		fflush(stdout); /* so that the account comes last where both go to one place */
		print_mishaps(b);
		status = 2;
	}
	scan_free(b->scan);
	progress_free(b->progress);
	filter_free(&b->filter);
	free(b->rows);
	free(b->mishaps);
	arena_free(&b->arena);
	*b = (struct batch){0};
	return status;
}

/* ---- comparing ---- */

static void forget_metadata(const struct batch *b, struct summary *sum)
{
	if (b->filtered)
		sum->meta_changed = sum->meta_added = sum->meta_removed = 0;
}

int batch_compare(struct batch *b, struct summary *sum)
{
	summarise(sum, b->s, b->rows, b->n_rows);
	forget_metadata(b, sum);
	return summary_status(b->s, sum);
}

/* The first difference in the order of the rows, so that it does not depend on who computed first; what the headers
 * tell comes before anything is read. Says which it is; false: there is none. */
static bool first_difference(struct batch *b, struct buf *what)
{
	struct session *s = b->s;
	struct summary sum;
	size_t i;

	for (i = 0; i < b->n_rows && !status_differs(s->rows[b->rows[i]].status); i++)
		;
	summarise(&sum, s, b->rows, 0);
	forget_metadata(b, &sum);
	if (i == b->n_rows && sum.meta_changed + sum.meta_added + sum.meta_removed) {
		buf_puts(what, "metadata changed");
		return true;
	}
	if (i == b->n_rows) {
		batch_scan(b, WANT_EQUAL);
		for (i = 0; i < b->n_rows; i++) {
			batch_wait(b, b->rows[i]);
			if (status_differs(s->rows[b->rows[i]].status))
				break;
		}
	}
	if (i == b->n_rows)
		return false;
	b->n_rows = i + 1; /* what lies behind was not waited for, and is not part of the account */
	utf8_display(what, s->rows[b->rows[i]].name, b->st.ascii);
	/* Of two types, whether all of it was rounded or quantised is not known after the first difference. */
	if (s->rows[b->rows[i]].retyped && s->rows[b->rows[i]].status == ST_CHANGED)
		buf_puts(what, " has other values");
	else
		buf_printf(what, " %s", statuses[s->rows[b->rows[i]].status].name);
	return true;
}

int batch_brief(struct batch *b)
{
	struct buf what = {0}, line = {0};
	bool differ = first_difference(b, &what);

	progress_erase(b->progress);
	batch_account(b);
	for (int side = A; side <= B; side++) {
		utf8_display(&line, str_of(b->o->path[side]), b->st.ascii);
		buf_puts(&line, side == A ? " and " : "");
	}
	if (differ)
		buf_printf(&line, " differ: %s", what.p);
	else
		buf_puts(&line, b->n_mishaps ? ": no difference found, but not all could be compared"
					     : ": no difference");
	if (b->st.output == OUT_JSON || b->st.output == OUT_JSONL) {
		b->st.output = OUT_JSON;
		js_begin(&b->st, b->command);
		js_member(&b->st, "differ", json_boolean(differ));
		js_member(&b->st, "verdict", js_text(buf_view(&line)));
		batch_errors_json(b);
		js_end(&b->st);
	} else {
		buf_putc(&line, '\n');
		out_buf(&line);
	}
	buf_free(&what);
	buf_free(&line);
	return batch_end(b, differ);
}

json_t *js_summary(const struct batch *b, const struct summary *sum)
{
	json_t *o = json_object();
	struct buf text = {0};
	const struct rollup *u = &sum->all;

	verdict(&text, b->s, sum);
	js_put(o, "verdict", js_text(buf_view(&text)));
	buf_free(&text);
	for (int i = ST_IDENTICAL; i <= ST_REMOVED; i++)
		js_put(o, statuses[i].name, js_u64(u->by_status[i]));
	js_put(o, "retyped", js_u64(u->retyped));
	js_put(o, "renamed", js_u64(u->renamed));
	js_put(o, "elements", js_u64(u->diff.count));
	js_put(o, "elements_changed", js_u64(u->diff.changed));
	js_put(o, "rel_l2", js_number(u->diff.rel_l2));
	js_put(o, "cosine", js_number(u->diff.cosine));
	return o;
}

void js_differing_meta(const struct batch *b, bool all)
{
	size_t n;
	struct meta_row *rows = session_meta(b->s, &n);

	js_open_array(&b->st, "metadata");
	for (size_t i = 0; i < n && b->st.output == OUT_JSON; i++) {
		json_t *o;

		if (!all && rows[i].status == ST_IDENTICAL)
			continue;
		o = json_object();
		js_put_text(o, "key", rows[i].key);
		js_put(o, "status", js_text(str_of(statuses[rows[i].status].name)));
		js_put(o, "a", rows[i].v[A] ? js_meta(rows[i].v[A]) : json_null());
		js_put(o, "b", rows[i].v[B] ? js_meta(rows[i].v[B]) : json_null());
		js_item(&b->st, o);
	}
	js_close_array(&b->st);
	free(rows);
}
