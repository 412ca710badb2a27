/*
 * Strict JSON, read once from front to back with no tree in between: the caller asks for what it expects, and what is
 * expected is all that is kept. A header of 100,000 tensors is so read in a fraction of the time that building its tree
 * takes. RFC 8259, with valid UTF-8 and no NUL in strings; whether a key may come twice is for the caller to say.
 *
 * A reader asks downwards: pull_object, then pull_member until it is false, and after each member for its value. Each
 * function returns false where the text holds something else, and takes nothing then, or where it is not sound JSON;
 * then `bad` is set, `why` says why and where, and every later call is false, too. So a caller may read straight on,
 * and ask once at the end.
 */
#ifndef FORMAT_JSON_PULL_H
#define FORMAT_JSON_PULL_H

#include "base/arena.h"
#include "base/err.h"

struct pull {
	const uint8_t *p, *end, *start;
	uint64_t base;      /* where the text starts in its file: messages count from the file's start */
	const char *what;   /* what they call the text: "the safetensors header" */
	struct arena *arena; /* holds strings with escapes */
	bool python; /* as Python's json reads it: with NaN, Infinity, and \u for half a character or NUL */
	bool bad;
	struct err why;
	bool opened;        /* an object or array was opened, and nothing in it was read yet */
};

struct pull pull_of(struct bytes text, uint64_t base, const char *what, struct arena *);

bool pull_object(struct pull *);
bool pull_member(struct pull *, struct str *key); /* the next one's key; false behind the last, which closes it */
bool pull_array(struct pull *);
bool pull_item(struct pull *);                    /* whether one follows; false behind the last, which closes it */

/* A string: it points into the text, or into the arena where it was written with escapes. */
bool pull_string(struct pull *, struct str *);
bool pull_u64(struct pull *, uint64_t *);         /* a whole number from 0 to 2^64 - 1, written 1.0 or 1e3 it is none */
bool pull_skip(struct pull *);                    /* any value, whatever is in it, nested as deep as limits.nesting */
bool pull_end(struct pull *);                     /* that nothing but white space follows */

uint64_t pull_at(const struct pull *);            /* where it stands, from the file's start */

#endif
