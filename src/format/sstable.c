#include "format/sstable.h"

#include <inttypes.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/snappy.h"
#include "format/proto.h"

#define MAGIC 0xDB4775248B80FB57u

enum {
	TRAILER = 5, /* after a block: its kind and a checksum over both */
	PLAIN = 0, SNAPPY = 1,
};

uint32_t sstable_mask(uint32_t crc)
{
	return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

bool sstable_looks(struct bytes tail)
{
	return tail.n >= SSTABLE_FOOTER && load_uint(tail.p + tail.n - 8, 8, false) == MAGIC;
}

/* ---- blocks ---- */

/* A compressed block is replaced by what it unpacks to. */
static enum rc unpack(struct sstable *t, struct bytes *block, uint64_t at, struct err *e)
{
	uint8_t *out;
	uint64_t n;

	if (!snappy_size(*block, &n))
		return err_set(e, "the block at byte %" PRIu64 " is compressed with Snappy, and broken", at);
	if (n > SSTABLE_UNPACKED_MAX - t->unpacked)
		return err_set(e, "its blocks unpack to more than %" PRIu64 " bytes: refused", SSTABLE_UNPACKED_MAX);
	t->unpacked += n;
	out = arena_new(t->arena, uint8_t, (size_t)n);
	if (!snappy_unpack(*block, out, (size_t)n))
		return err_set(e, "the block at byte %" PRIu64 " is compressed with Snappy, and broken", at);
	*block = (struct bytes){out, (size_t)n};
	return RC_OK;
}

/* |entries|offsets of restarts, u32 each|how many of these, u32| then the trailer. What the restarts are for (to
 * search by halving) is not needed here: only their place. */
static enum rc block_open(struct sstable *t, struct sstable_block *b, uint64_t at, uint64_t size, struct err *e)
{
	uint64_t room = t->file.n - SSTABLE_FOOTER, restarts;
	struct bytes content;
	const uint8_t *p;

	if (at > room || size > room - at || room - at - size < TRAILER)
		return err_set(e, "a block of %" PRIu64 " bytes from byte %" PRIu64 " on leaves the file", size, at);
	p = t->file.p + at;
	if (sstable_mask(crc32c(0, p, (size_t)size + 1)) != (uint32_t)load_uint(p + size + 1, 4, false) &&
	    t->damaged++ == 0)
		t->damaged_at = at;
	content = (struct bytes){p, (size_t)size};
	if (p[size] != PLAIN && p[size] != SNAPPY)
		return err_set(e, "the block at byte %" PRIu64 " is of an unknown kind: not read", at);
	if (p[size] == SNAPPY && unpack(t, &content, at, e) != RC_OK)
		return RC_FAIL;
	if (content.n < 4)
		return err_set(e, "the block at byte %" PRIu64 " has no list of restarts", at);
	restarts = load_uint(content.p + content.n - 4, 4, false);
	if (restarts > (content.n - 4) / 4)
		return err_set(e, "%" PRIu64 " restarts do not fit in the block of %zu bytes at byte %" PRIu64,
			       restarts, content.n, at);
	b->c = cur_of((struct bytes){content.p, content.n - 4 - 4 * (size_t)restarts});
	b->at = at;
	buf_clear(&b->key);
	return RC_OK;
}

/* |bytes shared with the key before|bytes of the key that follow|bytes of the value| then these. */
static enum rc block_next(struct sstable_block *b, struct bytes *value, struct err *e)
{
	uint64_t at = b->at + cur_at(&b->c);
	uint64_t shared = proto_varint(&b->c), own = proto_varint(&b->c), length = proto_varint(&b->c);
	const uint8_t *key = cur_take(&b->c, own);

	*value = (struct bytes){cur_take(&b->c, length), (size_t)length};
	if (b->c.bad)
		return err_set(e, "an entry leaves its block (byte %" PRIu64 ")", at);
	if (shared > b->key.n)
		return err_set(e, "an entry shares %" PRIu64 " bytes with a key of %zu (byte %" PRIu64 ")", shared,
			       b->key.n, at);
	if (own > SSTABLE_KEY_MAX || shared + own > SSTABLE_KEY_MAX)
		return err_set(e, "a key of more than %d bytes (byte %" PRIu64 ")", SSTABLE_KEY_MAX, at);
	b->key.n = (size_t)shared;
	buf_add(&b->key, (const char *)key, (size_t)own);
	return RC_OK;
}

/* Two numbers that say where a block is. */
static enum rc handle(struct sstable *t, struct cur *c, uint64_t at, struct sstable_block *b, struct err *e)
{
	uint64_t offset = proto_varint(c), size = proto_varint(c);

	if (c->bad)
		return err_set(e, "the place of a block is not sound (byte %" PRIu64 ")", at);
	/* they are written one after the other; one that is named a thousand times would be read as often */
	if (b == &t->data && offset < t->data_end)
		return err_set(e, "a block at byte %" PRIu64 " begins before the end of the one before it", offset);
	if (block_open(t, b, offset, size, e) != RC_OK)
		return RC_FAIL;
	t->data_end = b == &t->data ? offset + size : 0;
	return RC_OK;
}

/* ---- the table ---- */

enum rc sstable_open(struct sstable *t, struct bytes file, struct arena *a, struct err *e)
{
	struct cur c;

	*t = (struct sstable){.file = file, .arena = a};
	if (!sstable_looks(file))
		return err_set(e, "does not end as a table of keys does (byte %zu)", file.n);
	c = cur_of((struct bytes){file.p + file.n - SSTABLE_FOOTER, SSTABLE_FOOTER - 8});
	proto_varint(&c); /* a second index, of what is not used in these files */
	proto_varint(&c);
	return handle(t, &c, file.n - SSTABLE_FOOTER, &t->index, e);
}

/* The next block, as the index names it; *more is false when there is none. */
static enum rc next_block(struct sstable *t, bool *more, struct err *e)
{
	struct bytes place;
	struct cur c;
	uint64_t at = t->index.at + cur_at(&t->index.c);

	*more = cur_left(&t->index.c) > 0;
	if (!*more)
		return RC_OK;
	if (block_next(&t->index, &place, e) != RC_OK)
		return RC_FAIL;
	c = cur_of(place);
	return handle(t, &c, at, &t->data, e);
}

enum rc sstable_next(struct sstable *t, bool *more, struct str *key, struct bytes *value, struct err *e)
{
	uint64_t at;

	*more = true;
	while (!cur_left(&t->data.c))
		if (next_block(t, more, e) != RC_OK || !*more)
			return *more ? RC_FAIL : RC_OK;
	at = t->data.at + cur_at(&t->data.c);
	if (block_next(&t->data, value, e) != RC_OK)
		return RC_FAIL;
	*key = buf_view(&t->data.key);
	if (t->entries++ && str_cmp(*key, buf_view(&t->last)) <= 0)
		return err_set(e, "the keys do not ascend (byte %" PRIu64 ")", at);
	buf_clear(&t->last);
	buf_str(&t->last, *key);
	return RC_OK;
}

void sstable_close(struct sstable *t)
{
	buf_free(&t->index.key);
	buf_free(&t->data.key);
	buf_free(&t->last);
}
