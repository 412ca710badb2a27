/* What is being computed, how fast, with what, and what is left. */
#ifndef TUI_JOBS_H
#define TUI_JOBS_H

struct screen;
void jobs_open(struct screen *);

#endif
