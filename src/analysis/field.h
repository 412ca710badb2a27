/*
 * The columns: one table gives the key that scripts and --sort use, the heading, and how to get the value from a row.
 * Batch tables, JSON, sorting and the screen's columns are all made from it.
 */
#ifndef ANALYSIS_FIELD_H
#define ANALYSIS_FIELD_H

#include "analysis/session.h"
#include "base/buf.h"

enum cell_kind {
	CELL_NONE,    /* undefined: null, - */
	CELL_TEXT,    /* text from a file: make it harmless before it is printed */
	CELL_COUNT,   /* an integer */
	CELL_BYTES,   /* an integer, bytes */
	CELL_REAL,
	CELL_FRACTION, /* a real, shown in percent */
	CELL_SHAPE,
	CELL_BOOL
};

struct cell {
	enum cell_kind kind;
	union {
		struct str text;
		uint64_t count; /* COUNT, BYTES, BOOL */
		double real;
		struct {
			const uint64_t *dims;
			unsigned rank;
		} shape;
	} u;
};

enum field_group { FIELD_HEADER, FIELD_STATS, FIELD_DIST, FIELD_DIFF, FIELD_DIFF_DIST };

struct field {
	const char *key;   /* as in interface.md: rel_l2 */
	const char *title; /* a short heading; the key where it is short enough */
	const char *about; /* one line, its definition: for the manual and the help */
	enum field_group group;
	enum cell_kind kind; /* of its cells when they are defined */
	void (*get)(const struct field *, const struct row *, int side, struct cell *out); /* side: A or B */
	size_t offset;     /* for the getters of stats and diffs */
};

extern const struct field fields[]; /* ended by a NULL key */
const struct field *field_by_key(struct str key); /* NULL: none */

/* The cell of a row. side matters for header and stats fields of a pair: A, or B where there is no A. */
struct cell field_get(const struct field *, const struct row *, int side);
void cell_show(struct buf *, const struct cell *, bool ascii); /* appends it as people read it; harmless */
int cell_cmp(const struct cell *, const struct cell *); /* undefined ones last; text naturally; reals by value */

#endif
