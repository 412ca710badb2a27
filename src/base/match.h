/*
 * Patterns over tensor names. A GLOB is that of fnmatch(3) without special slashes or leading dots (`*` spans
 * dots and slashes); a pattern without * ? [ also matches a whole group: `layers.3` is layers.3 and all below it.
 * `/re/` is an extended regular expression, found anywhere in the name; `/re/i` ignores case.
 */
#ifndef BASE_MATCH_H
#define BASE_MATCH_H

#include "base/err.h"
#include "base/util.h"

struct match;

/* Compiles one pattern. The caller frees *out with match_free. Fails for a broken regular expression. */
enum rc match_compile(struct match **out, const char *pattern, struct err *e);
bool match_test(const struct match *m, struct str name); /* safe in several threads */
void match_free(struct match *m);

#endif
