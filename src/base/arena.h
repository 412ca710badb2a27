/*
 * An arena: memory with one lifetime. Nothing in it is freed singly, so early returns are safe.
 * A zeroed struct arena is an empty one.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/util.h"

struct arena {
	struct arena_block *blocks;
	size_t used;  /* bytes taken from the newest block */
	size_t total; /* bytes of all blocks */
};

void *arena_alloc(struct arena *a, size_t n, size_t size); /* zeroed; checks n * size; dies with the arena */
#define arena_new(a, type, n) ((type *)arena_alloc((a), (n), sizeof(type)))

/* So many bytes, at most some MiB, will be asked for in small pieces: they come from one block, untouched till then. */
void arena_expect(struct arena *a, size_t bytes);

struct str arena_str(struct arena *a, struct str s);  /* a copy; a NUL follows it */
const char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3), nonnull(2)));
void arena_free(struct arena *a); /* all of it; the arena is empty again */

#endif
