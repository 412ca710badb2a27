/* The screen: browse one model, or compare two. */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include "analysis/session.h"

/* Takes the terminal until the user quits, or runs the script of opts.keys_file without one. A signal that asked for
 * the end ends the program, the terminal restored. */
enum rc tui_run(struct session *, const struct opts *, struct err *);

/* What it will read and write: with one model any other and temporary files, the settings, files in the working
 * directory and below, and those that a script of keys names. */
void tui_needs(const struct opts *, struct sandbox *);

#endif
