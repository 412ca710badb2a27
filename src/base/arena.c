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

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes, align = alignof(max_align_t);
	struct arena_block *b = a->blocks;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX - 2 * BLOCK_MAX)
		die("out of memory (%zu times %zu bytes wanted)", n, size);
	bytes = (bytes + align - 1) & ~(align - 1);
	if (!b || bytes > b->size - a->used) {
		bool own = bytes > BLOCK_MIN / 4;
		size_t want = own ? bytes : block_size(a);

		b = xcalloc(1, sizeof(*b) + want);
		b->size = want;
		a->total += want;
		/* A big object gets a block of its own behind the newest, which may still have room. */
		if (own && a->blocks) {
			b->next = a->blocks->next;
			a->blocks->next = b;
			return b->data;
		}
		b->next = a->blocks;
		a->blocks = b;
		a->used = 0;
	}
	p = b->data + a->used;
	a->used += bytes;
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1, 1);

	if (s.n)
		memcpy(p, s.p, s.n);
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
