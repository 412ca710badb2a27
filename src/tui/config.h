/*
 * The user's settings, $XDG_CONFIG_HOME/weigh/config or ~/.config/weigh/config: lines of a setting's name and its
 * value, comments from # on. The same lines can be given as commands (:).
 */
#ifndef TUI_CONFIG_H
#define TUI_CONFIG_H

#include "tui/view.h"

struct setting {
	const char *name, *arg, *about;
	enum rc (*set)(struct screen *, const char *arg, struct err *);
	void (*show)(struct screen *, struct buf *lines); /* adds what it is now, unless as at the start */
	const char *(*word)(size_t i); /* for completion: the words it takes, NULL behind the last; NULL: no list */
};
extern const struct setting settings[]; /* ended by a NULL name */

/* Reads the file, if there is one. What is wrong in it is a message with its line; the rest holds. */
void config_read(struct screen *);

/* Writes what is set now: comments of the file stay, and lines that are not understood. Fails with a sentence. */
enum rc config_save(struct screen *, struct err *);

/* Where it is; false: there is no home directory. */
bool config_path(struct buf *);

#endif
