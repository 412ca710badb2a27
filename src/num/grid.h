/*
 * What an element of a block type can hold. The block's stored scale (and minimum) fix a grid of values, evenly spaced
 * or by a table; the element's code picks one of them. Its cell is the interval of numbers that are within half a step
 * of that value, so a quantiser that takes the nearest code puts every number into its own cell.
 */
#ifndef NUM_GRID_H
#define NUM_GRID_H

#include "model/dtype.h"

/* Whether elements of the type have a grid of their own. Types that store several elements as one entry of a codebook
 * (IQ1, IQ2, IQ3) have none. */
bool grid_has(enum dtype);

/*
 * How many of n numbers x (whole blocks) lie outside the cells of the elements whose block is raw and whose decoded
 * values are y. A NaN is in the cell of a NaN; nothing else that is not finite is in any. Two allowances, both in
 * weigh(1):
 * - at either end of the grid a cell reaches a whole step outwards: quantisers fit the scale to the largest magnitude,
 *   and grids such as -8 to 7 have a code less on one side. It reaches further by what rounding a run's scale to a few
 *   bits can have moved the end;
 * - where the scale is stored rounded, but codes were chosen by the unrounded one, a cell is wider by what that
 *   rounding can move its ends.
 */
size_t grid_beyond(enum dtype, const uint8_t *raw, const double *y, const double *x, size_t n);

#endif
