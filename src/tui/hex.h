/* The bytes of an element and of what stands around it, as the file has them; of quantised types the whole block, its
 * scales and codes. Of a pair both sides. */
#ifndef TUI_HEX_H
#define TUI_HEX_H

struct screen;
void hex_open(struct screen *); /* of the tensor that is selected; from this view itself: closes it */

#endif
