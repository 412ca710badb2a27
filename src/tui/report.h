/* What a view shows, written to a file (w): a table as text, json, csv or markdown, or the lines of its text. */
#ifndef TUI_REPORT_H
#define TUI_REPORT_H

#include "tui/view.h"

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_CSV, REPORT_MARKDOWN };

struct report_column {
	char key[32];      /* in json and csv */
	const char *title; /* for people */
	bool left;         /* aligned */
};

struct report; /* a table that is being written */

bool report_for_people(const struct report *); /* text and markdown: numbers as the screen has them */
void report_columns(struct report *, const struct report_column *, size_t n); /* copied; before any row */
void report_row(struct report *, const struct cell *cells); /* one a column */

void report_prompt(struct screen *); /* asks for the file's name */
void report_to(struct screen *, const char *path); /* asks before it overwrites one */

#endif
