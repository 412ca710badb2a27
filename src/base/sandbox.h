/*
 * What the process gives up when it knows what it was asked for. Weight files come from strangers: should one of them
 * get the better of a reader or a kernel, there is no network then, no other process to look into, and no file to write
 * but those that were named before; once the models are open, none to read but theirs, and no program to start.
 *
 * Linux: Landlock for files (base/landlock.h), a filter of system calls for the rest (base/seccomp.h); either holds
 * without the other where the kernel has only one. OpenBSD: unveil and pledge. Elsewhere nothing is given up.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_use {
	SANDBOX_READ,      /* a file, or a directory with all below it */
	SANDBOX_OUTPUT,    /* a file to be written: files may come and go in its directory; or such a directory */
	SANDBOX_TEMPORARY, /* a directory for files without a name */
	SANDBOX_RUN        /* a program that may be started, under the same rules */
};

/* MAY_MAKE: files may be made, renamed and removed in the directory. */
enum { MAY_READ = 1, MAY_WRITE = 2, MAY_MAKE = 4, MAY_RUN = 8 };

/* A zeroed one allows nothing but what every program needs of the system: libraries, locales, /dev/null. */
struct sandbox {
	struct sandbox_path {
		char *path; /* owned */
		unsigned may;
	} *paths;
	size_t n;
	bool run; /* one of them is a program: without it there are no calls to start any */
};

/* Symbolic links are resolved now. What is not there is passed over. */
void sandbox_allow(struct sandbox *, const char *path, enum sandbox_use);

/* Gives up everything else, for good, and before there are threads. Frees the list. Called again, only what both calls
 * allow is left; more than twice is no use on OpenBSD. What the system does not have, or refuses, is left out:
 * sandbox_about tells. Too few file descriptors to enter it are the end of the program. */
void sandbox_enter(struct sandbox *);

/* What holds, in words ("off" before sandbox_enter): a static string. */
const char *sandbox_about(void);

/* For a message about a file that could not be made there: where the user's own rights would do, that it was the
 * sandbox that refused; else "". */
const char *sandbox_hint(const char *directory);

#endif
