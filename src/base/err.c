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

enum rc err_set(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	make_harmless(e->msg);
	return RC_FAIL;
}

enum rc err_prefix(struct err *e, const char *fmt, ...)
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

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		die("out of memory (%zu bytes wanted)", size);
	return p;
}

/* Asks for big pages behind a big object, which is about to be written from end to end: a page fault each 4 KiB takes
 * longer than what is done with them. The kernel need not, and whether it does is nothing to the program. */
static void *in_big_pages(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
	enum { BIG = 4 << 20, PAGE = 4096 };
	uintptr_t first = ((uintptr_t)p + PAGE - 1) & ~(uintptr_t)(PAGE - 1), last = (uintptr_t)p + bytes;

	if (bytes >= BIG)
		madvise((void *)first, (last - first) & ~(uintptr_t)(PAGE - 1), MADV_HUGEPAGE);
#else
	(void)bytes;
#endif
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		die("out of memory (%zu times %zu bytes wanted)", n, size);
	return in_big_pages(p, n * size);
}

void *xrealloc(void *old, size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		die("out of memory (%zu times %zu bytes wanted)", n, size);
	p = realloc(old, bytes ? bytes : 1);
	if (!p)
		die("out of memory (%zu bytes wanted)", bytes);
	return in_big_pages(p, bytes);
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}
