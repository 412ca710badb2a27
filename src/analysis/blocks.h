/*
 * Blocks: the repeated parts of a model, found from the names of its tensors alone. A name is read as a prefix, a
 * number and a part: "model.layers." 3 ".mlp.up.weight". Names with one prefix are a stack when enough of their parts
 * occur under several numbers; a stack is shown as a grid of parts (rows, in the order of the names) by numbers
 * (columns). A model may have several, the encoder's and the decoder's.
 *
 * Two numbers that belong together ("layer2.0.", "layers.1.blocks.0.") make one column, 2.0. A number inside a part
 * under which the same parts are repeated ("experts.17.w1") is folded: the part is "experts.*.w1", and a cell of it
 * holds all of them.
 */
#ifndef ANALYSIS_BLOCKS_H
#define ANALYSIS_BLOCKS_H

#include "base/arena.h"

struct block_column {
	uint64_t number, inner;
	bool has_inner; /* a column without one stands behind those of its number that have one */
};

struct block_cell {
	size_t column;
	size_t first, n; /* names[first .. first + n) of the grid; 1 of them unless the part is folded */
};

struct block_part {
	struct str name;      /* "mlp.up.weight"; what was folded is a * */
	bool folded;
	size_t first, n;      /* cells[first .. first + n) of the grid, by column */
};

struct block_grid {
	struct str prefix;    /* "model.layers", without what separates it from the number */
	bool inner;           /* whether any column has an inner number */
	struct block_column *columns;
	struct block_part *parts;
	struct block_cell *cells;
	size_t *names;        /* indices into the names given to blocks_find, by cell */
	size_t n_columns, n_parts, n_cells, n_names;
};

struct blocks {
	struct arena arena;
	struct block_grid *grids; /* in the order of their first names */
	size_t n_grids;
	size_t *rest;             /* names outside of all blocks, in order */
	size_t n_rest;
};

/* Takes time and memory in proportion to the names, whatever they are. The names must outlive the result. */
struct blocks *blocks_find(const struct str *names, size_t n);
void blocks_free(struct blocks *); /* NULL is fine */

/* The cell of a part in a column; NULL: no tensor there. */
const struct block_cell *block_cell_at(const struct block_grid *, size_t part, size_t column);

/* The first of a part's cells that stands in this column or behind it: an index into cells, at most the part's end. */
size_t block_cell_from(const struct block_grid *, size_t part, size_t column);

#endif
