/* The details of what is selected: statistics, differences, histograms; of a group, what it comes to. */
#ifndef TUI_DETAIL_H
#define TUI_DETAIL_H

#include "analysis/tree.h"
#include "tui/view.h"

struct detail {
	struct screen *screen;
	const struct row *row;   /* a pair's; for a group one that stands for it */
	const struct rollup *u;  /* of a group; NULL: a tensor */
	struct str name;
	bool focus;              /* the keys go here */
	int scroll;              /* lines of the tables that were scrolled away; kept in range by detail_draw */
};

void detail_draw(struct detail *, struct area, bool right);

#endif
