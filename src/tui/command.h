/* Commands that are typed (:), and the completion of what one types. */
#ifndef TUI_COMMAND_H
#define TUI_COMMAND_H

#include "tui/view.h"

void command_prompt(struct screen *);

/* The i-th command, behind them the settings, which can be given as commands, too: for the help. arg may be empty;
 * false behind the last. */
struct command_info {
	const char *name, *arg, *about;
};
bool command_info(size_t i, struct command_info *);

/* The path that a user typed: "~/" is the home directory. */
void path_of_user(char *out, size_t size, const char *typed);

/* Completes the path that the whole prompt is: as far as there is one way, and then says which there are. */
void complete_path(struct screen *, struct prompt *);

/* The last word of the prompt, as the field of a filter's condition. */
void complete_field(struct screen *, struct prompt *);

#endif
