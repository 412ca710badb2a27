/* What is searched for: text, or an extended regular expression where it has such signs. */
#ifndef TUI_SEARCH_H
#define TUI_SEARCH_H

#include <regex.h>

#include "base/util.h"

struct needle {
	char text[256];   /* "": nothing is searched for */
	size_t n;
	bool is_regex;    /* a dot alone does not make one: names are full of them */
	bool fold;        /* no capital in it: case does not matter */
	regex_t re;
};

/* An expression that is not whole yet ("layers[") is searched for as text. */
void needle_set(struct needle *, const char *text);
void needle_clear(struct needle *);

/* The first match in s at or after `from`: its place and length. */
bool needle_find(const struct needle *, struct str s, size_t from, size_t *at, size_t *n);

#endif
