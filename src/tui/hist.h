/* The histogram of a tensor, or of a pair over the same bins and of B - A below, over the whole screen. */
#ifndef TUI_HIST_H
#define TUI_HIST_H

struct screen;
void hist_open(struct screen *); /* of the tensor selected in the view on top */

#endif
