/* Small lists to choose from: the field to sort by, the options, what a view offers. */
#ifndef TUI_MENU_H
#define TUI_MENU_H

#include <stddef.h>

struct screen;
struct view;

struct choice {
	const char *name, *about;
};

/* Opens a list with the cursor on choice `now`; `chosen` is called with the view below and what Enter was struck on.
 * The choices must live as long as that view. */
void menu_choose(struct screen *, const struct choice *, size_t n, size_t now,
		 void (*chosen)(struct view *, size_t));

void menu_sort(struct screen *);
void menu_options(struct screen *);

#endif
