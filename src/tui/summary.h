/* What the model is, or what changed between two, in plain words. */
#ifndef TUI_SUMMARY_H
#define TUI_SUMMARY_H

struct screen;
void summary_open(struct screen *);

#endif
