/* Small things that every layer needs. */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A build with AddressSanitizer or its like, which need more memory and rights than the program does. gcc defines
 * macros, clang has features. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

/* Bytes with a length: text from a file may hold NUL and need not be UTF-8. Never owns what it points to. */
struct str {
	const char *p;
	size_t n;
};

/* A readable run of memory, usually a part of a mapping. Never owns what it points to. */
struct bytes {
	const uint8_t *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

struct str str_of(const char *z); /* of a NUL-terminated string; NULL gives the empty one */
bool str_eq(struct str a, struct str b);
int str_cmp(struct str a, struct str b); /* by unsigned bytes, as memcmp and then length */

/* As str_cmp, but runs of digits compare by their number: layers.2 comes before layers.10. */
int str_cmp_natural(struct str a, struct str b);

/* Checked arithmetic: false, and *out untouched, when the result does not fit. */
static inline bool u64_mul(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

static inline bool u64_add(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

static inline uint64_t u64_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t u64_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t u64_ceil_div(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

#endif
