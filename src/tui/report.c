#include "tui/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fmt.h"
#include "base/outfile.h"
#include "base/utf8.h"
#include "tui/cells.h"
#include "tui/command.h"
#include "tui/text.h"

/*
 * Rows come one by one. For json and csv they are written as they come; for people they wait, cut into cells, until it
 * is known how wide the columns are.
 */
struct report {
	enum report_format format;
	bool ascii;
	struct report_column *columns;
	size_t n_columns, n_rows;
	struct buf out;
	struct buf cells; /* for people: each ended by a NUL */
	int *widths;
};

bool report_for_people(const struct report *r)
{
	return r->format == REPORT_TEXT || r->format == REPORT_MARKDOWN;
}

/* ---- values ---- */

static void json_value(struct buf *out, const struct cell *c)
{
	switch (c->kind) {
	case CELL_NONE: buf_puts(out, "null"); break;
	case CELL_TEXT: escape_json(out, c->u.text); break;
	case CELL_COUNT:
	case CELL_BYTES: fmt_count(out, c->u.count); break;
	case CELL_BOOL: buf_puts(out, c->u.count ? "true" : "false"); break;
	case CELL_REAL:
	case CELL_FRACTION: fmt_exact(out, c->u.real); break;
	case CELL_SHAPE:
		buf_putc(out, '[');
		for (unsigned i = 0; i < c->u.shape.rank; i++)
			buf_printf(out, "%s%llu", i ? "," : "", (unsigned long long)c->u.shape.dims[i]);
		buf_putc(out, ']');
		break;
	}
}

static void csv_text(struct buf *out, struct str s)
{
	struct buf harmless = {0};

	utf8_display(&harmless, s, false);
	escape_csv(out, buf_view(&harmless));
	buf_free(&harmless);
}

static void csv_value(struct buf *out, const struct cell *c)
{
	if (c->kind == CELL_TEXT)
		csv_text(out, c->u.text);
	else if (c->kind == CELL_SHAPE)
		fmt_shape_ascii(out, c->u.shape.dims, c->u.shape.rank);
	else if (c->kind != CELL_NONE)
		json_value(out, c);
}

/* ---- rows ---- */

void report_columns(struct report *r, const struct report_column *columns, size_t n)
{
	r->columns = xcalloc(n, sizeof(*columns));
	r->widths = xcalloc(n, sizeof(*r->widths));
	r->n_columns = n;
	memcpy(r->columns, columns, n * sizeof(*columns));
	for (size_t i = 0; i < n; i++) {
		r->widths[i] = (int)utf8_width(str_of(columns[i].title));
		if (r->format == REPORT_CSV)
			buf_printf(&r->out, "%s%s", i ? "," : "", columns[i].key);
	}
	buf_puts(&r->out, r->format == REPORT_CSV ? "\n" : r->format == REPORT_JSON ? "[" : "");
}

static void keep_cell(struct report *r, size_t column, const struct cell *c)
{
	size_t from = r->cells.n;
	struct buf text = {0};
	int w;

	cell_text(&text, c, r->ascii);
	if (r->format == REPORT_MARKDOWN)
		escape_markdown(&r->cells, buf_view(&text));
	else
		buf_str(&r->cells, buf_view(&text));
	buf_free(&text);
	w = (int)utf8_width((struct str){r->cells.p + from, r->cells.n - from});
	if (w > r->widths[column])
		r->widths[column] = w;
	buf_putc(&r->cells, '\0');
}

void report_row(struct report *r, const struct cell *cells)
{
	if (r->format == REPORT_JSON)
		buf_puts(&r->out, r->n_rows ? ",\n {" : "\n {");
	for (size_t i = 0; i < r->n_columns; i++) {
		if (r->format == REPORT_JSON) {
			buf_printf(&r->out, "%s\"%s\":", i ? "," : "", r->columns[i].key);
			json_value(&r->out, &cells[i]);
		} else if (r->format == REPORT_CSV) {
			buf_puts(&r->out, i ? "," : "");
			csv_value(&r->out, &cells[i]);
		} else {
			keep_cell(r, i, &cells[i]);
		}
	}
	buf_puts(&r->out, r->format == REPORT_JSON ? "}" : r->format == REPORT_CSV ? "\n" : "");
	r->n_rows++;
}

/* One line for people: padded in text, between bars in markdown. */
static void put_cell(struct report *r, size_t i, const char *z)
{
	bool markdown = r->format == REPORT_MARKDOWN;
	size_t width = utf8_width(str_of(z)), room = (size_t)r->widths[i], gap = room > width ? room - width : 0;

	buf_puts(&r->out, markdown ? (i ? " | " : "| ") : i ? "  " : "");
	if (!r->columns[i].left)
		buf_repeat(&r->out, ' ', gap);
	buf_puts(&r->out, z);
	if (r->columns[i].left && (markdown || i + 1 < r->n_columns))
		buf_repeat(&r->out, ' ', gap);
	if (i + 1 == r->n_columns)
		buf_puts(&r->out, markdown ? " |\n" : "\n");
}

static void write_for_people(struct report *r)
{
	const char *z = buf_view(&r->cells).p;

	for (size_t i = 0; i < r->n_columns; i++)
		put_cell(r, i, r->columns[i].title);
	for (size_t i = 0; r->format == REPORT_MARKDOWN && i < r->n_columns; i++) {
		buf_puts(&r->out, i ? " | " : "| ");
		buf_repeat(&r->out, '-', (size_t)r->widths[i] - !r->columns[i].left);
		buf_puts(&r->out, r->columns[i].left ? "" : ":");
		buf_puts(&r->out, i + 1 == r->n_columns ? " |\n" : "");
	}
	for (size_t row = 0; row < r->n_rows; row++)
		for (size_t i = 0; i < r->n_columns; i++, z += strlen(z) + 1)
			put_cell(r, i, z);
}

/* ---- views without a table ---- */

/* All of a text; else the screen as it is. */
static void write_lines(struct view *v, struct report *r)
{
	const struct text *t = v->state;
	int w, h;

	term_size(&w, &h);
	if (v->ops->draw_row != text_draw_row) {
		for (int y = 0; y < h - 1; y++) {
			term_text(&r->out, y);
			buf_putc(&r->out, '\n');
		}
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		buf_add(&r->out, t->b.p + t->lines[i].at, t->lines[i].n);
		buf_putc(&r->out, '\n');
	}
}

/* ---- the file ---- */

static enum report_format format_of(const char *path)
{
	static const struct {
		const char *end;
		enum report_format format;
	} ends[] = {
		{".json", REPORT_JSON}, {".csv", REPORT_CSV}, {".md", REPORT_MARKDOWN}, {".markdown", REPORT_MARKDOWN},
	};
	size_t n = strlen(path);

	for (size_t i = 0; i < COUNT(ends); i++)
		if (n > strlen(ends[i].end) && strcasecmp(path + n - strlen(ends[i].end), ends[i].end) == 0)
			return ends[i].format;
	return REPORT_TEXT;
}

static enum rc make(struct view *v, struct report *r, struct err *e)
{
	if (v->ops->report && v->ops->busy && v->ops->busy(v))
		return err_set(e, "not all of it is counted yet: write it in a moment");
	if (v->ops->report && v->ops->report(v, r)) {
		if (report_for_people(r))
			write_for_people(r);
		else
			buf_puts(&r->out, r->format == REPORT_JSON ? "\n]\n" : "");
		return RC_OK;
	}
	if (r->format == REPORT_JSON || r->format == REPORT_CSV)
		return err_set(e, "what is shown here is no table: give the file a name that ends in .txt");
	write_lines(v, r);
	return RC_OK;
}

static enum rc write_out(const struct report *r, const char *path, struct err *e)
{
	struct outfile *out;
	enum rc rc = outfile_open(&out, path, e);

	if (rc == RC_OK)
		rc = outfile_write(out, buf_view(&r->out).p, r->out.n, e);
	if (rc == RC_OK)
		rc = outfile_commit(out, e);
	outfile_close(out);
	return rc == RC_OK ? RC_OK : err_prefix(e, "%s", path);
}

static void write_now(struct view *v)
{
	struct screen *sc = v->screen;
	struct report r = {.format = format_of(sc->written), .ascii = sc->ascii};
	struct err e;

	if (make(v, &r, &e) != RC_OK || write_out(&r, sc->written, &e) != RC_OK)
		screen_trouble(sc, "%s", e.msg);
	else if (r.n_rows)
		screen_message(sc, "%zu rows written to %s", r.n_rows, sc->written);
	else
		screen_message(sc, "written to %s", sc->written);
	free(r.columns);
	free(r.widths);
	buf_free(&r.cells);
	buf_free(&r.out);
}

void report_to(struct screen *sc, const char *path)
{
	if (!*path)
		return;
	path_of_user(sc->written, sizeof(sc->written), path);
	if (access(sc->written, F_OK) == 0)
		screen_ask(sc, write_now, "%s is there already: overwrite it?", sc->written);
	else
		write_now(sc->view);
}

static void prompt_done(struct view *v, const char *text)
{
	report_to(v->screen, text);
}

void report_prompt(struct screen *sc)
{
	screen_prompt(sc, "write to: ", sc->written, prompt_done);
	sc->prompt.complete = complete_path;
}
