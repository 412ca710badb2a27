/*
 * A patch: a matrix of a tensor, or of both of a pair, reduced to as many cells as a screen has. It is computed on the
 * pool, coarse first where the tensor is large; what is known can be drawn at any time. Memory goes with the cells, not
 * with the tensor.
 */
#ifndef ANALYSIS_PATCH_H
#define ANALYSIS_PATCH_H

#include "analysis/session.h"
#include "num/element.h"

/* Which elements: that of (row, column) has the row-major number base + row * row_step + column * column_step. What
 * would lie at `end` or beyond is not there (the last row of a vector that was wrapped). */
struct matrix {
	uint64_t rows, columns, base, row_step, column_step, end;
};

struct patch_ask {
	struct matrix m;
	unsigned sides;               /* bits 1 << A, 1 << B: tensors of the row that have this matrix */
	uint64_t row, column;         /* the first ones */
	uint64_t per_row, per_column; /* elements that a cell takes, downwards and sideways */
	unsigned height, width;       /* cells */
	unsigned top;                 /* how many of the largest elements of plane `top_of` to find; 0: none */
	int top_of;
};

enum { PLANE_A, PLANE_B, PLANE_D, PLANE_COUNT }; /* D is B - A, of complex numbers |B - A| */

/* What the elements of a cell come to; of complex numbers their magnitudes. */
struct patch_cell {
	double peak;        /* the one of the largest magnitude, with its sign; NAN: none is finite */
	uint64_t peak_row, peak_column; /* the first such one's place in the matrix */
	double sum, sumsq;  /* of the n finite ones */
	uint64_t n, bad;    /* bad: not finite */
};

/* One of the largest magnitudes of a plane. */
struct patch_top {
	double x;
	uint64_t row, column;
};

struct patch;

/* Starts it. `wake` is called on a worker whenever there is more to draw. */
struct patch *patch_start(struct session *, size_t row, const struct patch_ask *, void (*wake)(void *), void *arg);

/* What is known of a cell so far; NULL: nothing, or that plane is not there. *exact: all of its elements were seen. */
const struct patch_cell *patch_cell(const struct patch *, int plane, unsigned y, unsigned x, bool *exact);

/* Where cells are single elements, the element itself; NULL: not known, or not there. d is B - A. */
const struct element *patch_element(const struct patch *, int side, unsigned y, unsigned x);

/* The largest magnitudes, the largest first, and of equal ones the first in the order of the elements, once it is done;
 * 0 is none of them. */
const struct patch_top *patch_tops(struct patch *, size_t *n);

bool patch_done(struct patch *);
void patch_wait(struct patch *, unsigned ms); /* until it is done, but no longer than that: under a second */
double patch_progress(struct patch *); /* from 0 to 1 */
const char *patch_error(struct patch *); /* NULL, or why values cannot be read; stays until patch_drop */

/* Lets go of it, without waiting: what is under way ends soon, and wakes nobody. NULL is fine. */
void patch_drop(struct patch *);

#endif
