/* Values of analysis/field.h as the screen shows them, and the looks of a status. */
#ifndef TUI_CELLS_H
#define TUI_CELLS_H

#include "analysis/field.h"
#include "tui/view.h"

/* Appends a cell in at most about ten columns (texts and shapes: as long as they are); harmless. */
void cell_text(struct buf *, const struct cell *, bool ascii);

/* "F32", or "F32→BF16" where the two sides differ. */
void type_text(struct buf *out, const char *a, const char *b, bool ascii);
void shape_text(struct buf *, const struct row *, bool ascii);

const char *status_mark(enum status, bool ascii);
enum role status_role(enum status);

/* The line at the head of a pane about a tensor or a pair: its name; status, type and shape. */
void row_title(struct screen *, const struct row *, struct area);

#endif
