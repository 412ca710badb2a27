/*
 * One error idiom: a code for the program, a sentence for the person.
 *
 * A function that can fail takes a struct err and returns an enum rc; the failing line reads
 * `return err_set(e, "what was read, where, and what was expected")`. The sentence does not begin with the
 * program's or the file's name: whoever prints it adds them. Only main, batch and tui print.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

enum rc {
	RC_OK = 0,
	RC_FAIL = -1,
};

struct err {
	char msg[512];
};

/* Writes the sentence (cut at the buffer's end, control characters made harmless) and returns RC_FAIL. */
enum rc err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the sentence that is there and returns RC_FAIL. */
enum rc err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What always fails says so to compilers and analysers, too, which see one file at a time: without it they follow what
 * would happen if a reader that has just refused a file went on. */
static inline enum rc rc_fails(enum rc rc)
{
	(void)rc;
	return RC_FAIL;
}
#define err_set(...) rc_fails(err_set(__VA_ARGS__))
#define err_prefix(...) rc_fails(err_prefix(__VA_ARGS__))

/* Ends the program: out of memory for something small, or a thread that cannot be made. The hook, if set, runs
 * first, on whichever thread found it, and gives the terminal back. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern void (*die_hook)(void);

/* malloc, calloc, realloc and strdup that die instead of returning NULL; for sizes the program chose itself. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t n, size_t size);
char *xstrdup(const char *s);

#endif
