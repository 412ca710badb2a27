/*
 * One page that needs nothing else: no scripts, nothing fetched. What commands print as text becomes preformatted text,
 * escaped; tables become tables. batch/out.c sends everything through here when the output format is html.
 */
#ifndef BATCH_HTML_H
#define BATCH_HTML_H

#include "base/buf.h"
#include "batch/out.h"

/* Inside a piece of text: MARK_OPEN, a letter ('a' + hue), the text, MARK_CLOSE. Text of a file never holds these. */
#define MARK_OPEN '\x01'
#define MARK_CLOSE '\x02'

void html_begin(const char *title);
bool html_begun(void);
void html_text(struct str); /* an empty line alone, as between two tables, is left out */
void html_end(void);

void html_table_open(void);
void html_row_open(void);
void html_cell(struct str text, bool head, bool left, enum hue);
void html_row_close(bool head);
void html_table_close(void);

#endif
