#include "format/msgpack.h"

#include <string.h>

/* An integer of n bytes, sign-extended. */
static void take_int(struct cur *c, struct mp_item *it, size_t n)
{
	uint64_t x = cur_uint(c, n);

	it->kind = MP_UINT;
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): n is 1, 2, 4 or 8 */
	if (n < 8 && x >> (8 * n - 1))
		x |= UINT64_MAX << 8 * n;
	if (x >> 63)
		it->kind = MP_INT;
	it->number = x;
}

static void take_bytes(struct cur *c, struct mp_item *it, enum mp_kind kind, uint64_t n)
{
	it->kind = kind;
	it->n = n;
	it->bytes = (struct bytes){cur_take(c, n), (size_t)n};
}

static void take_ext(struct cur *c, struct mp_item *it, uint64_t n)
{
	it->ext = (int8_t)cur_u8(c); /* NOLINT(bugprone-signed-char-misuse,cert-str34-c): it has a sign */
	take_bytes(c, it, MP_EXT, n);
}

static void take_list(struct cur *c, struct mp_item *it, enum mp_kind kind, uint64_t n)
{
	it->kind = kind;
	it->n = n;
	if (n > cur_left(c) / (kind == MP_MAP ? 2 : 1))
		c->bad = true;
}

/* The first bytes from 0xc0 to 0xdf, but for the fixed-size ones in between: what follows has its length in
 * 1 << k bytes, or is of 1 << k bytes. */
static void take_long(struct cur *c, struct mp_item *it, unsigned first)
{
	if (first == 0xc0)
		it->kind = MP_NIL;
	else if (first == 0xc2 || first == 0xc3)
		it->kind = MP_BOOL, it->number = first == 0xc3;
	else if (first >= 0xc4 && first <= 0xc6)
		take_bytes(c, it, MP_BYTES, cur_uint(c, (size_t)1 << (first - 0xc4)));
	else if (first >= 0xc7 && first <= 0xc9)
		take_ext(c, it, cur_uint(c, (size_t)1 << (first - 0xc7)));
	else if (first == 0xca || first == 0xcb)
		it->kind = MP_REAL, it->real = real_of_bits(cur_uint(c, first == 0xca ? 4 : 8), first == 0xca ? 4 : 8);
	else if (first >= 0xcc && first <= 0xcf)
		it->kind = MP_UINT, it->number = cur_uint(c, (size_t)1 << (first - 0xcc));
	else if (first >= 0xd0 && first <= 0xd3)
		take_int(c, it, (size_t)1 << (first - 0xd0));
	else if (first >= 0xd4 && first <= 0xd8)
		take_ext(c, it, (uint64_t)1 << (first - 0xd4));
	else if (first >= 0xd9 && first <= 0xdb)
		take_bytes(c, it, MP_TEXT, cur_uint(c, (size_t)1 << (first - 0xd9)));
	else if (first == 0xdc || first == 0xdd)
		take_list(c, it, MP_ARRAY, cur_uint(c, first == 0xdc ? 2 : 4));
	else if (first == 0xde || first == 0xdf)
		take_list(c, it, MP_MAP, cur_uint(c, first == 0xde ? 2 : 4));
	else
		c->bad = true; /* 0xc1 is never used */
}

bool msgpack_next(struct cur *c, struct mp_item *it)
{
	unsigned first;

	*it = (struct mp_item){0};
	if (c->bad || !cur_left(c))
		return false;
	c->big = true;
	first = cur_u8(c);
	if (first < 0x80)
		it->kind = MP_UINT, it->number = first;
	else if (first < 0x90)
		take_list(c, it, MP_MAP, first & 15);
	else if (first < 0xa0)
		take_list(c, it, MP_ARRAY, first & 15);
	else if (first < 0xc0)
		take_bytes(c, it, MP_TEXT, first & 31);
	else if (first >= 0xe0)
		it->kind = MP_INT, it->number = UINT64_MAX << 8 | first;
	else
		take_long(c, it, first);
	return !c->bad;
}
