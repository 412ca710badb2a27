/* The metadata: key = value, of two models side by side with the differences marked. */
#ifndef TUI_META_H
#define TUI_META_H

struct screen;
void meta_open(struct screen *);

#endif
