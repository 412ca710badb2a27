#include "base/err.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void (*die_hook)(void);

/* Messages quote names that a stranger chose: no control character gets through to a terminal. */
static void make_harmless(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

enum rc(err_set)(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	make_harmless(e->msg);
	return RC_FAIL;
}

enum rc(err_prefix)(struct err *e, const char *fmt, ...)
{
	char prefix[sizeof(e->msg) / 2], old[sizeof(e->msg)];
	va_list ap;

	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	if (snprintf(e->msg, sizeof(e->msg), "%s: %s", prefix, old) < 0)
		e->msg[0] = '\0';
	make_harmless(e->msg);
	return RC_FAIL;
}

_Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	if (die_hook)
		die_hook();
	fputs("weigh: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

/*
 * A big object stands in big pages: a page fault each 4 KiB takes longer than what is done with them. These need whole
 * pages of their own, so the object begins with one and has the rest of its last one for itself, untouched. The kernel
 * need not follow, and whether it does is nothing to the program.
 */
enum { BIG = 1 << 20, BIG_PAGE = 2 << 20 };

static void *want_big_pages(void *p, size_t size)
{
#ifdef MADV_HUGEPAGE
	enum { PAGE = 4096 };
	uintptr_t first = ((uintptr_t)p + PAGE - 1) & ~(uintptr_t)(PAGE - 1), last = (uintptr_t)p + size;

	madvise((void *)first, (last - first) & ~(uintptr_t)(PAGE - 1), MADV_HUGEPAGE);
#else
	(void)size;
#endif
	return p;
}

static void *alloc_big(size_t size)
{
	void *p = NULL;

	if (size > PTRDIFF_MAX - BIG_PAGE)
		return NULL;
	size = (size + BIG_PAGE - 1) & ~(size_t)(BIG_PAGE - 1);
	if (posix_memalign(&p, BIG_PAGE, size) != 0)
		return NULL;
	return want_big_pages(p, size);
}

void *xmalloc(size_t size)
{
	void *p = size < BIG ? malloc(size ? size : 1) : alloc_big(size);

	if (!p)
		die("out of memory (%zu bytes wanted)", size);
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	size_t bytes;
	void *p = NULL;

	if (!__builtin_mul_overflow(n, size, &bytes))
		p = bytes < BIG ? calloc(bytes ? bytes : 1, 1) : alloc_big(bytes);
	if (!p)
		die("out of memory (%zu times %zu bytes wanted)", n, size);
	return bytes < BIG ? p : memset(p, 0, bytes);
}

void *xrealloc(void *old, size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		die("out of memory (%zu times %zu bytes wanted)", n, size);
	p = !old && bytes >= BIG ? alloc_big(bytes) : realloc(old, bytes ? bytes : 1);
	if (!p)
		die("out of memory (%zu bytes wanted)", bytes);
	return bytes < BIG ? p : want_big_pages(p, bytes);
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}
