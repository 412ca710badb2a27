#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Blocks grow with the arena, so that few are made: a quarter more than there was, within these bounds. */
enum { BLOCK_MIN = 64 * 1024, BLOCK_MAX = 8 << 20 };

struct arena_block {
	struct arena_block *next;
	size_t size;
	alignas(max_align_t) unsigned char data[];
};

static size_t block_size(const struct arena *a)
{
	size_t size = a->total / 4;

	return size < BLOCK_MIN ? BLOCK_MIN : size > BLOCK_MAX ? BLOCK_MAX : size;
}

static struct arena_block *new_block(struct arena *a, size_t size)
{
	struct arena_block *b = xmalloc(sizeof(*b) + size);

	b->size = size;
	a->total += size;
	return b;
}

static void begin_block(struct arena *a, size_t size)
{
	struct arena_block *b = new_block(a, size);

	b->next = a->blocks;
	a->blocks = b;
	a->used = 0;
}

void arena_expect(struct arena *a, size_t bytes)
{
	if (bytes > block_size(a))
		begin_block(a, bytes < BLOCK_MAX ? bytes : BLOCK_MAX);
}

/* Not zeroed. align is a power of two. */
static void *take(struct arena *a, size_t bytes, size_t align)
{
	struct arena_block *b = a->blocks;
	size_t at = (a->used + align - 1) & ~(align - 1);

	if (!b || at > b->size || bytes > b->size - at) {
		/* A big object gets a block of its own behind the newest, which may still have room. */
		if (b && bytes > BLOCK_MIN / 4) {
			struct arena_block *own = new_block(a, bytes);

			own->next = b->next;
			b->next = own;
			return own->data;
		}
		begin_block(a, bytes > BLOCK_MIN / 4 ? bytes : block_size(a));
		at = 0;
	}
	a->used = at + bytes;
	return a->blocks->data + at;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX - 2 * BLOCK_MAX)
		die("out of memory (%zu times %zu bytes wanted)", n, size);
	return memset(take(a, bytes, alignof(max_align_t)), 0, bytes);
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p;

	if (s.n > PTRDIFF_MAX - 2 * BLOCK_MAX)
		die("out of memory (%zu bytes wanted)", s.n);
	p = take(a, s.n + 1, 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct str){p, s.n};
}

const char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1, 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)(n < 0 ? 0 : n) + 1, fmt, ap);
	va_end(ap);
	return p;
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	*a = (struct arena){0};
}
