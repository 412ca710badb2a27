/* The tree of one model, or of two aligned: groups that fold and roll up, columns that widen, details beside it. */
#ifndef TUI_BROWSE_H
#define TUI_BROWSE_H

#include "tui/view.h"

/* Opens it as the first view. Fails for a pattern of the command line that is broken. */
enum rc browse_open(struct screen *, struct err *);

/* What the user set and opened, for the view of a session whose rows were made anew; freed by browse_restore. */
struct kept *browse_keep(struct view *);
void browse_restore(struct view *, struct kept *);

/* A result arrived for a row: what it is part of must be summed up again. */
void browse_news(struct view *, size_t row);

/* Asks for the details of what is selected, now: the keys have come to rest. False: they are there, or not wanted. */
bool browse_ask_details(struct view *);
bool browse_wants_details(struct view *);

/* Puts the cursor on a row of the session, whose groups it opens. False: a filter hides it. */
bool browse_go(struct view *, size_t row);

/* For the lists of fields and options. */
void browse_sort(struct view *, const struct field *, bool reverse); /* NULL: the order of the tree */
const struct field *browse_sorted_by(struct view *, bool *reverse);
const char *browse_shown(struct view *);    /* which statuses, in a word */
void browse_cycle_shown(struct view *);
void browse_cycle_pane(struct view *);
const char *browse_pane_name(struct view *);

extern const struct view_ops browse_view;

#endif
