/* An axis of values, a bin to a column of the screen: where a value lies on it, its ruler, and zooming. */
#ifndef TUI_AXIS_H
#define TUI_AXIS_H

#include "analysis/census.h"
#include "tui/view.h"

/* Widens a range of a single value, as histograms do (num/bins.h). */
void axis_widen(double *lo, double *hi);

double axis_place(const struct census_range *, double value); /* in columns from the left, 0 to n; or it lies outside */
double axis_value(const struct census_range *, double place);
unsigned axis_column(const struct census_range *, double value); /* the nearest one there is */

/* Shows 1/factor of the range, with the value in the column where it was, inside `whole`. False: bins would be narrower
 * than numbers are apart. */
bool axis_zoom(struct census_range *, const struct census_range *whole, double factor, double value);
bool axis_set(struct census_range *, const struct census_range *whole, double lo, double hi); /* likewise */
void axis_shift(struct census_range *, const struct census_range *whole, int columns);
bool axis_is_whole(const struct census_range *, const struct census_range *whole);

/* Appends a value with the digits that tell neighbouring columns apart. */
void axis_text(const struct census_range *, struct buf *, double value);

/* Draws marks with their values, one line. */
void axis_ruler(const struct census_range *, int y, int x, bool ascii);

/* Draws where quantiles lie, one line: p01 to p99, in it p05 to p95, in it p25 to p75, and the median. */
void axis_quantiles(const struct census_range *, int y, int x, const double q[Q_COUNT], enum role, bool ascii);
int axis_quantiles_key(int y, int x, int width, bool ascii); /* what those marks mean; returns the columns it took */

#endif
