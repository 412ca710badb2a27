/*
 * A cursor over untrusted bytes. It knows how many are left and keeps a sticky flag, so that a parser reads straight
 * down and checks once a record: after the first read past the end every read gives zero and `bad` is set.
 * Integers are put together from bytes, never cast from a pointer.
 */
#ifndef BYTES_CUR_H
#define BYTES_CUR_H

#include <string.h>

#include "base/util.h"

struct cur {
	const uint8_t *p, *end, *start;
	bool bad;
	bool big; /* integers are big-endian */
};

/* Of no bytes there need be no pointer: C knows no sum of NULL and 0. */
static inline struct cur cur_of(struct bytes b)
{
	static const uint8_t nothing;
	const uint8_t *p = b.p ? b.p : &nothing;

	return (struct cur){.p = p, .end = p + b.n, .start = p};
}

static inline uint64_t cur_left(const struct cur *c)
{
	return (uint64_t)(c->end - c->p);
}

static inline uint64_t cur_at(const struct cur *c) /* offset from the start */
{
	return (uint64_t)(c->p - c->start);
}

static inline const uint8_t *cur_take(struct cur *c, uint64_t n)
{
	if (c->bad || n > cur_left(c)) {
		c->bad = true;
		return NULL;
	}
	return (c->p += n) - n;
}

static inline uint64_t load_uint(const uint8_t *p, size_t n, bool big)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n; i++)
		x |= (uint64_t)p[i] << 8 * (big ? n - 1 - i : i);
	return x;
}

static inline uint64_t cur_uint(struct cur *c, size_t n)
{
	const uint8_t *p = cur_take(c, n);

	return p ? load_uint(p, n, c->big) : 0;
}

static inline uint8_t cur_u8(struct cur *c)
{
	return (uint8_t)cur_uint(c, 1);
}

static inline uint16_t cur_u16(struct cur *c)
{
	return (uint16_t)cur_uint(c, 2);
}

static inline uint32_t cur_u32(struct cur *c)
{
	return (uint32_t)cur_uint(c, 4);
}

static inline uint64_t cur_u64(struct cur *c)
{
	return cur_uint(c, 8);
}

/* The float (size 4) or double (size 8) that has these bits. */
static inline double real_of_bits(uint64_t bits, size_t size)
{
	uint32_t low = (uint32_t)bits;
	double d;
	float f;

	if (size == 4) {
		memcpy(&f, &low, sizeof(f));
		return (double)f;
	}
	memcpy(&d, &bits, sizeof(d));
	return d;
}

#endif
