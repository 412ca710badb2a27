#include "batch/out.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "batch/html.h"
#include "batch/json.h"

/* ---- what may be drawn ---- */

static unsigned columns_of(const struct opts *o, const struct winsize *w)
{
	const char *env = getenv("COLUMNS");
	char *end;
	unsigned long n;

	if (o->columns)
		return o->columns;
	if (env && *env >= '1' && *env <= '9') {
		n = strtoul(env, &end, 10);
		if (*end == '\0' && n <= 10000)
			return (unsigned)n;
	}
	return w->ws_col;
}

static bool color_of(const struct opts *o)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (o->color != WHEN_AUTO)
		return o->color == WHEN_ALWAYS;
	return !(no && *no) && term && strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}

struct style style_of(const struct opts *o)
{
	struct style st = {.output = o->output, .ascii = o->ascii};
	struct winsize w = {0};

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0)
		w = (struct winsize){0};
	if (o->output != OUT_HTML) /* a page is as wide as its reader wants it */
		st.columns = columns_of(o, &w);
	st.lines = o->rows ? o->rows : w.ws_row ? w.ws_row : 24;
	st.color = o->output == OUT_TEXT && color_of(o);
	return st;
}

enum hue status_hue(enum status s)
{
	static const enum hue hues[ST_COUNT] = {
		[ST_IDENTICAL] = HUE_QUIET, [ST_EQUAL] = HUE_EQUAL, [ST_CHANGED] = HUE_CHANGED,
		[ST_UNDECODED] = HUE_WARN,  [ST_ADDED] = HUE_ADDED, [ST_REMOVED] = HUE_REMOVED,
		[ST_RESHAPED] = HUE_WARN,   [ST_CAST] = HUE_CONVERTED, [ST_QUANTISED] = HUE_CONVERTED,
	};

	return hues[s];
}

void paint(struct buf *b, const struct style *st, enum hue hue, struct str s)
{
	/* ECMA-48 SGR parameters */
	static const char *const codes[HUE_COUNT] = {
		[HUE_HEAD] = "1",     [HUE_QUIET] = "2",    [HUE_EQUAL] = "36", [HUE_CHANGED] = "33",
		[HUE_ADDED] = "32", [HUE_REMOVED] = "31", [HUE_WARN] = "35",
		[HUE_CONVERTED] = "34",
	};

	if (st->output == OUT_HTML && hue != HUE_NONE && s.n) {
		buf_printf(b, "%c%c", MARK_OPEN, (char)('a' + (int)hue));
		buf_str(b, s);
		buf_putc(b, MARK_CLOSE);
		return;
	}
	if (!st->color || !codes[hue] || s.n == 0) {
		buf_str(b, s);
		return;
	}
	buf_printf(b, "\x1b[%sm", codes[hue]);
	buf_str(b, s);
	buf_puts(b, "\x1b[m");
}

void bar(struct buf *b, const struct style *st, double fraction, unsigned columns)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	double f = fraction > 0 ? fmin(fraction, 1) : 0; /* NAN: none */
	unsigned n;

	if (st->ascii) {
		n = (unsigned)lround(f * columns);
		buf_repeat(b, '#', n == 0 && f > 0 ? 1 : n);
		return;
	}
	n = (unsigned)lround(f * columns * 8);
	if (n == 0 && f > 0)
		n = 1;
	for (unsigned i = 0; i < n / 8; i++)
		buf_puts(b, "█");
	buf_puts(b, eighths[n % 8]);
}

/* ---- writing ---- */

static int write_error; /* the errno of the first write that failed */

void out_begin(const struct style *st, const char *title)
{
	if (st->output == OUT_HTML)
		html_begin(title);
}

void out_str(struct str s)
{
	if (html_begun())
		html_text(s);
	else
		out_raw(s);
}

void out_raw(struct str s)
{
	if (!write_error && s.n && fwrite(s.p, 1, s.n, stdout) != s.n)
		write_error = errno;
}

void out_puts(const char *z)
{
	out_str(str_of(z));
}

void out_buf(struct buf *b)
{
	out_str(buf_view(b));
	buf_clear(b);
}

size_t out_wrapped(const struct style *st, enum hue hue, struct str s)
{
	size_t columns = st->columns ? st->columns : SIZE_MAX, used = 0;
	struct buf line = {0};

	while (s.n) {
		size_t n = utf8_fit(s, columns, NULL), cut = n;

		while (n < s.n && cut && s.p[cut] != ' ')
			cut--;
		if (cut == 0)
			cut = n ? n : s.n;
		paint(&line, st, hue, (struct str){s.p, cut});
		buf_putc(&line, '\n');
		s.p += cut;
		s.n -= cut;
		while (s.n && s.p[0] == ' ')
			s.p++, s.n--;
		used++;
	}
	out_buf(&line);
	buf_free(&line);
	return used;
}

bool out_lost(void)
{
	return write_error != 0;
}

int out_end(int status)
{
	html_end();
	if (!write_error && fflush(stdout) != 0)
		write_error = errno;
	if (!write_error || write_error == EPIPE)
		return status;
	fprintf(stderr, "weigh: standard output: %s\n", strerror(write_error));
	return 2;
}

/* ---- cells ---- */

/* For programs: whole counts, numbers that read back exactly, nothing for what is undefined. */
static void cell_exact(struct buf *b, const struct cell *c)
{
	switch (c->kind) {
	case CELL_NONE:
		break;
	case CELL_COUNT:
	case CELL_BYTES:
		fmt_count(b, c->u.count);
		break;
	case CELL_REAL:
	case CELL_FRACTION:
		if (!isnan(c->u.real))
			fmt_exact(b, c->u.real);
		break;
	case CELL_BOOL:
		buf_puts(b, c->u.count ? "true" : "false");
		break;
	case CELL_TEXT:
	case CELL_SHAPE:
		cell_show(b, c, c->kind == CELL_SHAPE);
		break;
	}
}

/* ---- tables ---- */

struct table {
	struct style st;
	const struct column *columns;
	size_t n_columns, n_rows;
	struct buf text;  /* all cells, one after the other */
	size_t *ends;     /* where each cell ends in text */
	size_t n_cells, cap_cells;
	enum hue *hues;
	size_t cap_rows;
	size_t *width;
	bool *said;       /* a cell that is not nothing, 0 or - */
	bool headed;
	struct buf line;
};

struct table *table_new(const struct style *st, const struct column *columns, size_t n_columns)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->st = *st;
	t->columns = columns;
	t->n_columns = n_columns;
	t->width = xcalloc(n_columns, sizeof(*t->width));
	t->said = xcalloc(n_columns, sizeof(*t->said));
	return t;
}

void table_expect(struct table *t, size_t rows)
{
	if (!is_prose(t->st.output) || t->n_rows || rows > SIZE_MAX / 2 / sizeof(*t->ends) / t->n_columns)
		return;
	t->cap_rows = rows;
	t->cap_cells = rows * t->n_columns;
	free(t->hues);
	free(t->ends);
	t->hues = xcalloc(t->cap_rows, sizeof(*t->hues));
	t->ends = xcalloc(t->cap_cells, sizeof(*t->ends));
}

static void keep_cell(struct table *t, size_t column, const struct cell *c)
{
	size_t start = t->text.n, width;
	struct str s;

	cell_show(&t->text, c, t->st.ascii);
	s = (struct str){buf_view(&t->text).p + start, t->text.n - start};
	width = utf8_width(s);
	if (width > t->width[column])
		t->width[column] = width;
	if (s.n && !str_eq(s, STR("-")) && !str_eq(s, STR("0")))
		t->said[column] = true;
	if (t->n_cells == t->cap_cells) {
		t->cap_cells = t->cap_cells ? 2 * t->cap_cells : 256;
		t->ends = xrealloc(t->ends, t->cap_cells, sizeof(*t->ends));
	}
	t->ends[t->n_cells++] = t->text.n;
}

static void keep_row(struct table *t, const struct cell *cells, enum hue hue)
{
	if (t->n_rows == t->cap_rows) {
		t->cap_rows = t->cap_rows ? 2 * t->cap_rows : 64;
		t->hues = xrealloc(t->hues, t->cap_rows, sizeof(*t->hues));
	}
	t->hues[t->n_rows] = hue;
	for (size_t i = 0; i < t->n_columns; i++)
		keep_cell(t, i, &cells[i]);
}

static void put_field(struct table *t, size_t column, struct str s)
{
	struct buf *b = &t->line;

	if (t->st.output == OUT_MARKDOWN) {
		buf_puts(b, column ? " " : "| ");
		escape_markdown(b, s);
		buf_puts(b, " |");
		return;
	}
	if (column)
		buf_putc(b, t->st.output == OUT_TSV ? '\t' : ',');
	if (t->st.output == OUT_TSV) /* a tab inside was made \t already */
		buf_str(b, s);
	else
		escape_csv(b, s);
}

static void end_line(struct table *t)
{
	buf_putc(&t->line, '\n');
	out_buf(&t->line);
}

static void head(struct table *t)
{
	bool markdown = t->st.output == OUT_MARKDOWN;

	t->headed = true;
	for (size_t i = 0; i < t->n_columns; i++)
		put_field(t, i, str_of(markdown ? t->columns[i].title : t->columns[i].key));
	end_line(t);
	if (!markdown)
		return;
	buf_putc(&t->line, '|');
	for (size_t i = 0; i < t->n_columns; i++)
		buf_puts(&t->line, t->columns[i].left ? "---|" : "--:|");
	end_line(t);
}

static void write_row(struct table *t, const struct cell *cells)
{
	struct buf one = {0};

	if (!t->headed)
		head(t);
	for (size_t i = 0; i < t->n_columns; i++) {
		if (t->st.output == OUT_MARKDOWN)
			cell_show(&one, &cells[i], t->st.ascii);
		else
			cell_exact(&one, &cells[i]);
		put_field(t, i, buf_view(&one));
		buf_clear(&one);
	}
	end_line(t);
	buf_free(&one);
}

static void js_row(struct table *t, const struct cell *cells)
{
	json_t *o = json_object();

	for (size_t i = 0; i < t->n_columns; i++)
		js_put_cell(o, t->columns[i].key, &cells[i]);
	js_item(&t->st, o);
}

void table_row(struct table *t, const struct cell *cells, enum hue hue)
{
	if (is_prose(t->st.output))
		keep_row(t, cells, hue);
	else if (t->st.output == OUT_JSON || t->st.output == OUT_JSONL)
		js_row(t, cells);
	else
		write_row(t, cells);
	t->n_rows++;
}

static const size_t GAP = 2; /* columns between two columns */

static size_t total_width(const struct table *t, const bool *shown, bool cut, size_t least)
{
	size_t sum = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		size_t w = t->width[i];

		if (cut && t->columns[i].shrink && w > least)
			w = least;
		if (shown[i])
			sum += w + (sum ? GAP : 0);
	}
	return sum;
}

/* Drops what is expendable until the rest fits with cut names, then gives the names what is left. */
static void fit(struct table *t, bool *shown)
{
	size_t least, shrinkable = 0, spare, total;

	for (size_t i = 0; i < t->n_columns; i++)
		shrinkable += shown[i] && t->columns[i].shrink;
	least = u64_max(12, t->st.columns / (shrinkable < 2 ? 3 : 3 * shrinkable));
	shrinkable = 0;
	for (;;) {
		size_t worst = t->n_columns;

		if (total_width(t, shown, true, least) <= t->st.columns)
			break;
		for (size_t i = 0; i < t->n_columns; i++)
			if (shown[i] && t->columns[i].expendable &&
			    (worst == t->n_columns || t->columns[i].expendable > t->columns[worst].expendable))
				worst = i;
		if (worst == t->n_columns)
			break;
		shown[worst] = false;
	}
	for (size_t i = 0; i < t->n_columns; i++)
		shrinkable += shown[i] && t->columns[i].shrink && t->width[i] > least;
	total = total_width(t, shown, true, least);
	spare = t->st.columns > total ? t->st.columns - total : 0;
	for (size_t i = 0; i < t->n_columns; i++) {
		size_t share;

		if (!shown[i] || !t->columns[i].shrink || t->width[i] <= least)
			continue;
		share = u64_min(t->width[i] - least, spare / shrinkable);
		spare -= share;
		shrinkable--;
		t->width[i] = least + share;
	}
}

static void put_cell(struct table *t, size_t column, struct str s, enum hue hue, bool last)
{
	const struct column *c = &t->columns[column];
	size_t pad;
	struct buf cut = {0};

	if (utf8_width(s) > t->width[column]) {
		utf8_ellipsis(&cut, s, t->width[column], t->st.ascii);
		s = buf_view(&cut);
	}
	pad = t->width[column] - utf8_width(s);
	if (!c->left)
		buf_repeat(&t->line, ' ', pad);
	paint(&t->line, &t->st, hue, s);
	if (c->left && !last)
		buf_repeat(&t->line, ' ', pad);
	buf_free(&cut);
}

static void end_text_line(struct table *t)
{
	while (t->line.n && t->line.p[t->line.n - 1] == ' ') /* an empty last cell */
		t->line.p[--t->line.n] = '\0';
	end_line(t);
}

static void text_head(struct table *t, const bool *shown, size_t last)
{
	bool any = false;

	for (size_t i = 0; i < t->n_columns; i++) {
		if (!shown[i])
			continue;
		buf_repeat(&t->line, ' ', any ? GAP : 0);
		any = true;
		put_cell(t, i, str_of(t->columns[i].title), HUE_HEAD, i == last);
	}
	end_text_line(t);
}

static void text_rows(struct table *t, const bool *shown, size_t last)
{
	size_t start = 0;

	for (size_t row = 0; row < t->n_rows && !out_lost(); row++) {
		bool any = false;

		for (size_t i = 0; i < t->n_columns; i++) {
			size_t end = t->ends[row * t->n_columns + i];
			struct str s = {t->text.p + start, end - start};

			start = end;
			if (!shown[i])
				continue;
			buf_repeat(&t->line, ' ', any ? GAP : 0);
			any = true;
			put_cell(t, i, s, i == 0 ? t->hues[row] : HUE_NONE, i == last);
		}
		end_text_line(t);
	}
}

static void write_text(struct table *t)
{
	bool *shown = xcalloc(t->n_columns, sizeof(*shown));
	size_t last = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		size_t w = utf8_width(str_of(t->columns[i].title));

		shown[i] = t->said[i] || !t->columns[i].quiet;
		if (t->width[i] < w)
			t->width[i] = w;
	}
	if (t->st.columns)
		fit(t, shown);
	for (size_t i = 0; i < t->n_columns; i++)
		if (shown[i])
			last = i;
	text_head(t, shown, last);
	text_rows(t, shown, last);
	free(shown);
}

static void html_head(struct table *t, const bool *shown)
{
	html_table_open();
	html_row_open();
	for (size_t i = 0; i < t->n_columns; i++)
		if (shown[i])
			html_cell(str_of(t->columns[i].title), true, t->columns[i].left, HUE_NONE);
	html_row_close(true);
}

static void write_html(struct table *t)
{
	bool *shown = xcalloc(t->n_columns, sizeof(*shown));
	size_t start = 0;

	for (size_t i = 0; i < t->n_columns; i++)
		shown[i] = t->said[i] || !t->columns[i].quiet;
	html_head(t, shown);
	for (size_t row = 0; row < t->n_rows && !out_lost(); row++) {
		html_row_open();
		for (size_t i = 0; i < t->n_columns; i++) {
			size_t end = t->ends[row * t->n_columns + i];

			if (shown[i])
				html_cell((struct str){t->text.p + start, end - start}, false, t->columns[i].left,
					  i == 0 ? t->hues[row] : HUE_NONE);
			start = end;
		}
		html_row_close(false);
	}
	html_table_close();
	free(shown);
}

void table_end(struct table *t)
{
	bool lines = t->st.output == OUT_CSV || t->st.output == OUT_TSV || t->st.output == OUT_MARKDOWN;

	if (t->st.output == OUT_TEXT && t->n_rows)
		write_text(t);
	else if (t->st.output == OUT_HTML && t->n_rows)
		write_html(t);
	else if (lines && !t->headed)
		head(t);
	buf_free(&t->text);
	buf_free(&t->line);
	free(t->ends);
	free(t->hues);
	free(t->width);
	free(t->said);
	free(t);
}
