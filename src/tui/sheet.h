/*
 * A tensor as a matrix: which of its dimensions are the rows and which the columns, where in the others one stands, and
 * the element under the cursor. The heat map, the values and the bytes share it, so that one can go from one to the
 * other.
 */
#ifndef TUI_SHEET_H
#define TUI_SHEET_H

#include "analysis/patch.h"
#include "tui/menu.h"
#include "tui/view.h"

/* Rows are the dimensions [row_lo, row_hi) run together, columns [column_lo, column_hi); what is in neither is stepped
 * through. A vector is wrapped into lines, or is one row or one column. */
struct arrangement {
	unsigned row_lo, row_hi, column_lo, column_hi;
	bool wrapped;
};

enum { ARRANGEMENTS_MAX = 48, CHOICES_MAX = ARRANGEMENTS_MAX + 8 };

struct sheet {
	struct session *s;
	size_t row_of;            /* the session's row */
	const struct tensor *t;   /* whose shape it is */
	bool raw;                 /* its values need not be known */
	unsigned sides;           /* bits 1 << A, 1 << B: tensors that have this matrix */
	int plane;                /* what shows: PLANE_A, PLANE_B, PLANE_D */
	struct arrangement a;
	uint64_t index[RANK_MAX]; /* of the dimensions that are stepped through */
	struct matrix m;
	uint64_t row, column;     /* the cursor, in elements of the matrix */
	uint64_t wrap;            /* columns of a wrapped vector */
};

/* Of the row of the session that is selected in the view, or as the view's own sheet is. False with a message: there
 * is none, or it cannot be read, or it is empty. raw: of bytes it is enough that they are there. */
bool sheet_of(struct sheet *, struct view *from, bool raw);

bool sheet_has_plane(const struct sheet *, int plane);
void sheet_next_plane(struct sheet *); /* A, B, B - A */
const char *sheet_plane_name(const struct sheet *, int plane, bool ascii);

/* The ways to lay it out, the one that comes nearest to a square first. */
size_t sheet_arrangements(const struct sheet *, struct arrangement out[ARRANGEMENTS_MAX]);
void sheet_arrange(struct sheet *, const struct arrangement *); /* the cursor stays on its element */
void sheet_next_arrangement(struct sheet *);
void sheet_wrap(struct sheet *, uint64_t columns); /* of a wrapped vector; else nothing */

uint64_t sheet_slices(const struct sheet *); /* how many there are to step through */
uint64_t sheet_slice(const struct sheet *);  /* which one this is */
bool sheet_step(struct sheet *, int by);     /* false: there is only one */

/* The element under the cursor, or at a place of the matrix, by its row-major number; SIZE_MAX beyond the end. */
uint64_t sheet_number(const struct sheet *, uint64_t row, uint64_t column);
void sheet_go(struct sheet *, uint64_t number);  /* the cursor to that element, in whichever slice it is */

/* "12,5" or a row-major number. False with a message when there is no such element. */
bool sheet_go_to_text(struct sheet *, struct screen *, const char *text);

void sheet_index_text(const struct sheet *, struct buf *, uint64_t number);  /* [12, 5] */
void sheet_axis_text(const struct sheet *, struct buf *, bool rows, bool ascii); /* dims 1x2x3 (108) */
void sheet_text(const struct sheet *, struct buf *, bool ascii);      /* how it is laid out, in a line */

/* The first element in sight, of a window of cells that take `per` elements each, so that `at` is: the window moves by
 * a part of itself, 1/share, when it has to, or to the middle of what is further away. */
uint64_t sheet_scroll(uint64_t first, uint64_t at, uint64_t per, uint64_t cells, uint64_t length, uint64_t share);
uint64_t sheet_moved(uint64_t at, long cells, uint64_t per, uint64_t length); /* from a cell to another one */

unsigned sheet_digits(uint64_t n); /* columns that a row's number takes */

/* The largest magnitudes of a plane, one after the other: found by the workers when they are first asked for. */
struct hunt {
	struct patch *patch;
	struct matrix m;
	int plane;
	size_t rank;  /* the one that the cursor was put on */
	int wanted;   /* where to go when they are known: 1, -1; 2 to the first one; 0 nowhere */
};
void hunt_ask(struct hunt *, const struct sheet *, int plane, int wanted);
void hunt_update(struct hunt *, struct sheet *, struct screen *); /* moves the cursor when it can */
bool hunt_busy(const struct hunt *);
void hunt_close(struct hunt *);

/* ---- views of a patch: the heat map and the values; their states begin with one ---- */

struct patch_view {
	struct sheet sheet; /* first: what other views open from */
	struct patch *patch; /* of what is in sight; NULL until it was first drawn */
	struct patch_ask ask;
	struct hunt hunt;
	uint64_t top, left;  /* the first element in sight */
	struct area body, pane;
	int gutter;
	struct choice choices[CHOICES_MAX];
	char texts[ARRANGEMENTS_MAX][2][80];
	struct arrangement arrangements[ARRANGEMENTS_MAX];
};

/* Asks for a patch, unless it is the one that is there: the old one is let go. */
void patch_view_ask(struct patch_view *, const struct patch_ask *);

/* Lays the pane out below, and the list at the right of the rows' numbers and below the columns' ones. */
void patch_view_layout(struct view *, struct area body, int pane_rows);

/* The choices from the first-th on: the ways to lay the matrix out. Returns how many there are. */
size_t patch_view_arrangements(struct patch_view *, size_t first, bool ascii);

/* What the pane says of the whole: why values cannot be read, or NULL; and, in its last line, how the matrix lies. */
const char *patch_view_error(const struct patch_view *);
void patch_view_draw_sheet(struct view *, int y);

/* Appends how far the reading is, while it is. */
void patch_view_reading(struct view *, struct buf *);
void patch_view_slice(const struct patch_view *, struct buf *); /* and which slice this is, if there are several */

/* The keys that mean the same in all of them: moving by cells of so many elements, the largest ones (of `plane`),
 * slices, the prompt for an element. False: another key. */
struct steps {
	uint64_t per_row, per_column;
	long page; /* cells */
	int plane;
};
bool patch_view_act(struct view *, enum act, const struct steps *);

bool patch_view_busy(struct view *);
void patch_view_close(struct view *);

/* For view_ops of views whose states begin with a sheet. */
size_t sheet_tensor(struct view *);
const struct sheet *sheet_here(struct view *);

#endif
