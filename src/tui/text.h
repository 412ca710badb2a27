/* Text to read: lines with roles, scrolled and searched. The base of the help, the summary and long values. */
#ifndef TUI_TEXT_H
#define TUI_TEXT_H

#include "tui/view.h"

struct text_line {
	size_t at, n; /* in the text */
	enum role role;
};

struct text {
	struct buf b;
	struct text_line *lines;
	size_t n, cap;
};

/* The state of such a view begins with a struct text. */
void text_add(struct text *, enum role, struct str harmless);
void text_printf(struct text *, enum role, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void text_wrap(struct text *, enum role, struct str harmless, size_t columns, size_t indent); /* at blanks, if any */
/* Likewise; at the left of the first line, in the columns of the indent, stands a label. */
void text_entry(struct text *, enum role, struct str label, struct str harmless, size_t columns, size_t indent);
void text_clear(struct text *);

size_t text_rows(struct view *);
void text_draw_row(struct view *, size_t row, struct area);
bool text_find(struct view *, size_t item, const struct needle *);
void text_close(struct view *);

/* What all views of text have in common; what one has of its own follows it. */
#define TEXT_VIEW \
	.where = WHERE_ALL, .pager = true, .rows = text_rows, .draw_row = text_draw_row, .find = text_find, \
	.close = text_close

extern const struct view_ops text_view; /* a plain one: the state is a struct text */

#endif
