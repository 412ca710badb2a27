/* Linux's Landlock: files by where they are. No library: three system calls. */
#ifndef BASE_LANDLOCK_H
#define BASE_LANDLOCK_H

#include "base/sandbox.h"

/* From now on only the paths may be opened, each for what it says, and nothing be listened on. Returns the version of
 * Landlock that holds; 0: none does; -1: none, for want of file descriptors to say what may be opened. */
int landlock_enter(const struct sandbox *);

#endif
