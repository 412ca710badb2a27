/* The help screen, made from the table of keys. */
#ifndef TUI_HELP_H
#define TUI_HELP_H

struct screen;
void help_open(struct screen *);

#endif
