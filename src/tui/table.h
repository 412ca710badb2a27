/* The values of a tensor in a table; of a pair A, B and B - A side by side, or one of them. */
#ifndef TUI_TABLE_H
#define TUI_TABLE_H

struct screen;
void table_open(struct screen *); /* of the tensor that is selected; from the table itself: closes it */

#endif
