/* The columns of the tree: which of them there is room for, and how a cell of each is drawn. */
#ifndef TUI_COLUMNS_H
#define TUI_COLUMNS_H

#include "analysis/field.h"
#include "tui/view.h"

/* A column by its word: "bar", "type", "std:12", of a pair "a.std", "b.std". Fails with a sentence. */
enum rc column_parse(struct column *, struct str word, bool pair, struct err *);
void column_word(struct buf *, const struct column *, bool width); /* and back, with its width or not */
bool column_same(const struct column *, const struct column *);    /* but for the width */
size_t columns_offered(struct column *out, size_t most, bool pair); /* all there are; returns how many */

struct columns {
	const struct column *c[COLUMNS_MAX];
	size_t n;
	int name;            /* width of the names, which come first */
	struct column extra; /* for a field that is sorted by and has no column of its own */
};

/* What a row of the list shows: a pair's, or a group's with what stands for it. */
struct line {
	const struct row *row;
	const char *type[2]; /* of a group; NULL: mixed, or not on that side */
	size_t rows, differ, waiting; /* of a group: rows below it; 0 rows: not a group */
	const char *only_in;          /* of a group that is on one side only: "added" or "removed"; else NULL */
};

/* `chosen` must live as long. */
void columns_fit(struct columns *, int width, bool pair, const struct field *sort, bool whole_names,
		 const struct chosen *chosen);
/* The column whose left border, from the left of the names, is at x: its index; cs->n: there is none. Or the one that x
 * lies in; -1: the names. */
size_t columns_border(const struct columns *, int x);
int columns_at(const struct columns *, int x);
void columns_widen(const struct columns *, struct chosen *, size_t column, int by); /* the names give, or take */
bool columns_want_distribution(const struct columns *);
void columns_now(const struct columns *, struct chosen *); /* what there is becomes a choice */
const char *column_title(const struct column *);
/* The cell as it is drawn, and the value behind it: the type and the shape are those of a side. */
void column_text(struct buf *, const struct column *, const struct screen *, const struct line *);
struct cell column_value(const struct column *, const struct line *, int side);
void columns_draw_header(const struct columns *, struct pen *, const struct field *sort, bool reverse);
void columns_draw(const struct columns *, struct pen *, const struct screen *, const struct line *);

#endif
