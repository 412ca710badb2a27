/* The heat map: a tensor, or B - A, as a matrix of coloured cells, from all of it down to single values. */
#ifndef TUI_HEAT_H
#define TUI_HEAT_H

struct screen;
void heat_open(struct screen *); /* of the tensor that is selected; from the heat map itself: closes it */

#endif
