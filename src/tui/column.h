/* What a column of the tree is. tui/columns.h says which there are and draws them. */
#ifndef TUI_COLUMN_H
#define TUI_COLUMN_H

#include <stdbool.h>
#include <stddef.h>

struct column {
	const char *key;   /* of a field; "bar" is the bar of relative change */
	const char *title; /* NULL: the field's */
	int width;
	bool left;         /* aligned */
	int side;
	unsigned rank[2];  /* with one model, with two: 1 is the last to go when room is short; 0 is never there */
};

enum { COLUMNS_MAX = 32, WIDTH_LEAST = 4, WIDTH_MOST = 60 };

/* The columns that the user chose, in their order; none: those of columns.c for which there is room. */
struct chosen {
	struct column c[COLUMNS_MAX];
	size_t n;
	bool on;
};

#endif
