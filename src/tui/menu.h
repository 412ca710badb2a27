/* Small lists to choose from: the field to sort by, the options. */
#ifndef TUI_MENU_H
#define TUI_MENU_H

struct screen;
void menu_sort(struct screen *);
void menu_options(struct screen *);

#endif
