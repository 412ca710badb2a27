/* The list of columns to choose from. */
#ifndef TUI_CHOOSER_H
#define TUI_CHOOSER_H

#include "tui/columns.h"

void chooser_open(struct screen *, const struct columns *now);

#endif
