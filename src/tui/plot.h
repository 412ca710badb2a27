/* Bars and histograms in cells of text: eighth blocks, or plain ASCII. */
#ifndef TUI_PLOT_H
#define TUI_PLOT_H

#include "num/bins.h"
#include "tui/ramp.h"
#include "tui/view.h"

/* Bins that are asked for: a number with many divisors, so that columns are sums of whole bins. */
enum { PLOT_BINS = 72 };

/* Appends a bar of at most `width` cells; anything above 0 shows. */
void plot_bar(struct buf *, double fraction, int width, bool ascii);

/* Columns that a histogram takes where there is room for `width`. */
int plot_columns(int width);

/* Draws a histogram with its axis, and a label, below; with b, both over the same bins: what they share is solid, what
 * only one of them has is shaded. */
void plot_hist(struct area, const char *label, const struct bins *a, const struct bins *b, enum role, bool log_scale,
	       bool ascii);

/* Draws columns of counts, as many as the area is wide, of one side (b NULL) or of two overlaid; the largest count
 * takes the whole height, and what is not 0 shows. */
void plot_counts(struct area, const double *a, const double *b, enum role, bool log_scale, bool ascii);
double plot_most(const double *a, const double *b, int columns); /* that largest count; 0: there is none */
int plot_level(double count, double most, int rows, bool log_scale); /* the height of a column, in eighths of a row */

/* Draws the key to those shades, cut to width; returns the columns it took. */
int plot_legend(int y, int x, int width, bool ascii);

/* What stands for a level of a scale of sizes, in one column: denser is more; 0 is a mark of its own. */
const char *plot_shade(int level, bool ascii);

/* Likewise of a signed scale, whose sides have different marks, or for what is no number. */
const char *plot_signed(int level, bool ascii);

/* A cell of a scale, of either kind: its marks in its colour, or, where there are no scales of colour, in one that
 * tells the sides apart. */
void plot_cell(int y, int x, int width, enum scale, int level, bool ascii);

#endif
