/* Strict JSON from files: no key twice, valid UTF-8. */
#ifndef FORMAT_JSON_TEXT_H
#define FORMAT_JSON_TEXT_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

/* Parses an object. Offsets in the sentence count from the file's start, where the text stands at `base`; what names
 * the text there. The tree dies with the arena; NULL on failure. For the thread that opens files only. */
json_t *json_parse(struct arena *, struct bytes text, uint64_t base, const char *what, struct err *);

struct str json_str(const json_t *); /* of a string */
bool json_u64(const json_t *, uint64_t *out); /* a whole number that is not negative; written 1.0 or 1e3 it is none */

#endif
