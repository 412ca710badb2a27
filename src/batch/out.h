/*
 * Standard output for batch: how it may look, and one table writer behind every command, whatever the output format.
 *
 * When the reader of a pipe has had enough (EPIPE), output stops quietly and the status stays what it was by then: a
 * `weigh A B | head -1` ends as `weigh A B` would. Any other write error is trouble.
 */
#ifndef BATCH_OUT_H
#define BATCH_OUT_H

#include "analysis/field.h"
#include "base/buf.h"

struct style {
	enum output output;
	bool color, ascii;
	unsigned columns; /* 0: unknown, do not cut (a pipe) */
	unsigned lines;   /* of the terminal; 24 where there is none */
};

/* Whether the format is for people to read: rounded numbers, bars, a sentence after the table. */
static inline bool is_prose(enum output o)
{
	return o == OUT_TEXT || o == OUT_HTML;
}

/* Decides by the options, the environment (COLUMNS, NO_COLOR, TERM) and standard output. */
struct style style_of(const struct opts *);

enum hue {
	HUE_NONE, HUE_HEAD, HUE_QUIET, HUE_EQUAL, HUE_CONVERTED, HUE_CHANGED, HUE_ADDED, HUE_REMOVED, HUE_WARN,
	HUE_COUNT
};
enum hue status_hue(enum status);

/* Appends text in a colour, if there are colours. */
void paint(struct buf *, const struct style *, enum hue, struct str);

/* Appends a bar of at most `columns` for a fraction of 0 to 1: eighth blocks, or #. Never empty unless it is 0. */
void bar(struct buf *, const struct style *, double fraction, unsigned columns);

/* Before the first output: with html, begins the page. */
void out_begin(const struct style *, const char *title);

void out_str(struct str);
void out_puts(const char *);
void out_buf(struct buf *); /* writes it and clears it */
size_t out_wrapped(const struct style *, enum hue, struct str); /* broken at blanks to fit; returns the lines used */
void out_raw(struct str);   /* past what html makes of text: for batch/html.c, and files of bytes */
bool out_lost(void);        /* whether writing has failed, so that going on is of no use */

/* Flushes. Returns the status to exit with: the one given, or 2 when not everything could be written. */
int out_end(int status);

struct column {
	const char *key, *title;
	bool left;        /* text: aligned to the left */
	bool shrink;      /* may be cut in the middle to fit */
	bool quiet;       /* left out when no row has anything but nothing, 0 or - */
	unsigned expendable; /* 0: always there; the highest is dropped first where the columns do not fit */
};

struct table;

/* The columns must live until table_end. */
struct table *table_new(const struct style *, const struct column *, size_t n_columns);

void table_expect(struct table *, size_t rows); /* before the first row: how many follow, or nearly */

/* One cell a column, copied. The hue is that of the first column. Text and html wait for table_end, when it is known
 * which columns say something; other formats are written at once. JSON gives an object a row, by the columns' keys (see
 * json.h for the frame). */
void table_row(struct table *, const struct cell *cells, enum hue);
void table_end(struct table *); /* writes what waits, frees the table */

static inline struct cell cell_text(struct str s)
{
	return (struct cell){.kind = CELL_TEXT, .u.text = s};
}

static inline struct cell cell_count(uint64_t n)
{
	return (struct cell){.kind = CELL_COUNT, .u.count = n};
}

static inline struct cell cell_bytes(uint64_t n)
{
	return (struct cell){.kind = CELL_BYTES, .u.count = n};
}

static inline struct cell cell_bool(bool yes)
{
	return (struct cell){.kind = CELL_BOOL, .u.count = yes};
}

#endif
