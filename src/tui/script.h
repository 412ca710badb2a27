/*
 * The screen driven by a file (--keys): keys by name, text to type in double quotes (\" and \\ inside), comments from #
 * to the end of a line, and directives: @wait, @save FILE, @attrs FILE, @size COLUMNSxROWS, @mouse WHAT COLUMN,ROW.
 */
#ifndef TUI_SCRIPT_H
#define TUI_SCRIPT_H

#include "base/err.h"
#include "base/util.h"
#include "tui/term.h"

struct script {
	char *text, *p; /* owned; where it is */
	unsigned line;
	const char *path;
	char *typing; /* inside a quoted text, or in a word of several characters: what is left of it */
};

enum step { STEP_END, STEP_KEY, STEP_WAIT, STEP_SAVE, STEP_ATTRS, STEP_SIZE, STEP_MOUSE };

struct action {
	enum step step;
	int key;
	const char *file; /* valid until the next one */
	int columns, rows;
	struct mouse mouse;
};

enum rc script_open(struct script *, const char *path, struct err *);
enum rc script_next(struct script *, struct action *, struct err *);
void script_close(struct script *);

#endif
