/* The layer map: the parts of a block by the layers, a cell a tensor, its colour and glyph one number of it. */
#ifndef TUI_MAP_H
#define TUI_MAP_H

struct screen;
void map_open(struct screen *); /* with the cursor on the tensor that is selected; from the map itself: closes it */

#endif
