/*
 * The central directory of a zip file (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3). Entries are described, never
 * unpacked: stored ones become mapped members in place, deflated ones keep their packed bytes.
 *
 * The central directory is what counts; a local header must agree with it, and no two entries may share a byte, since
 * tools that trust the one or the other would see different files (and overlapping entries make bombs).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "bytes/cur.h"
#include "bytes/member.h"

enum {
	END_SIZE = 22,       /* end of central directory record, without its comment */
	LOCATOR_SIZE = 20,   /* zip64 end locator */
	END64_SIZE = 56,
	CENTRAL_SIZE = 46,   /* without name, extra field and comment */
	LOCAL_SIZE = 30,
	INFLATE_RATIO = 1032 /* deflate packs no better than that (zlib's technical note) */
};

struct directory {
	uint64_t at, size, entries;
};

struct entry {
	struct str name;
	unsigned flags, method;
	uint32_t crc;
	uint64_t packed, size, local; /* bytes stored, bytes inflated, offset of the local header */
	uint64_t end;                 /* past its packed bytes */
};

static struct cur cur_from(struct bytes file, uint64_t at)
{
	struct cur c = cur_of(file);

	cur_take(&c, at);
	return c;
}

/* The end record stands last, before a comment of at most 64 KiB that its last field measures. */
static bool find_end(struct bytes file, uint64_t *at)
{
	uint64_t lowest = file.n > END_SIZE + UINT16_MAX ? file.n - END_SIZE - UINT16_MAX : 0;

	if (file.n < END_SIZE)
		return false;
	for (uint64_t i = file.n - END_SIZE + 1; i-- > lowest;)
		if (memcmp(file.p + i, "PK\5\6", 4) == 0 &&
		    load_uint(file.p + i + 20, 2, false) == file.n - i - END_SIZE) {
			*at = i;
			return true;
		}
	return false;
}

/* The zip64 end record, where its locator stands right before the plain one. */
static enum rc read_end64(struct bytes file, uint64_t end, struct directory *d, struct err *e)
{
	struct cur c;
	uint64_t at;

	c = cur_from(file, end - LOCATOR_SIZE + 8);
	at = cur_u64(&c);
	c = cur_from(file, at);
	if (end - LOCATOR_SIZE < END64_SIZE || at > end - LOCATOR_SIZE - END64_SIZE || cur_u32(&c) != 0x06064b50)
		return err_set(e, "no zip64 end record where its locator points (byte %" PRIu64 ")", at);
	cur_take(&c, 8 + 2 + 2); /* its size, versions */
	if (cur_u64(&c) != 0) /* u32:its part u32:the directory's part */
		return err_set(e, "a zip file in several parts is not read");
	cur_u64(&c);
	d->entries = cur_u64(&c);
	d->size = cur_u64(&c);
	d->at = cur_u64(&c);
	return RC_OK;
}

static enum rc find_directory(struct bytes file, struct directory *d, struct err *e)
{
	unsigned disk, first_disk;
	uint64_t end;
	struct cur c;

	if (!find_end(file, &end))
		return err_set(e, "no end of the zip directory: the file is cut short, or no zip file");
	c = cur_from(file, end + 4);
	disk = cur_u16(&c);
	first_disk = cur_u16(&c);
	cur_u16(&c);
	d->entries = cur_u16(&c);
	d->size = cur_u32(&c);
	d->at = cur_u32(&c);
	if (end >= LOCATOR_SIZE && memcmp(file.p + end - LOCATOR_SIZE, "PK\6\7", 4) == 0 &&
	    (d->entries == UINT16_MAX || d->size == UINT32_MAX || d->at == UINT32_MAX)) {
		if (read_end64(file, end, d, e) != RC_OK)
			return RC_FAIL;
	} else if (disk || first_disk) {
		return err_set(e, "a zip file in several parts is not read");
	}
	if (d->at > end || d->size > end - d->at)
		return err_set(e, "the zip directory (%" PRIu64 " bytes at byte %" PRIu64 ") leaves the file", d->size,
			       d->at);
	if (d->entries > d->size / CENTRAL_SIZE)
		return err_set(e, "%" PRIu64 " zip entries do not fit in a directory of %" PRIu64 " bytes", d->entries,
			       d->size);
	return RC_OK;
}

/* Sizes and offset that do not fit in 32 bits stand in the extra field 0x0001, in this order. */
static enum rc read_zip64(struct entry *en, struct bytes extra, struct err *e)
{
	struct cur c = cur_of(extra);
	uint64_t *wide[] = {&en->size, &en->packed, &en->local};

	while (cur_left(&c) >= 4) {
		unsigned id = cur_u16(&c), n = cur_u16(&c);
		const uint8_t *p = cur_take(&c, n);
		struct cur field;

		if (!p)
			break;
		if (id != 1)
			continue;
		field = cur_of((struct bytes){p, n});
		for (size_t i = 0; i < COUNT(wide); i++)
			if (*wide[i] == UINT32_MAX)
				*wide[i] = cur_u64(&field);
		if (field.bad)
			return err_set(e, "zip entry %.*s: its zip64 field is too short", (int)en->name.n, en->name.p);
		return RC_OK;
	}
	if (en->size == UINT32_MAX || en->packed == UINT32_MAX || en->local == UINT32_MAX)
		return err_set(e, "zip entry %.*s: its zip64 field is missing", (int)en->name.n, en->name.p);
	return RC_OK;
}

static enum rc read_central(struct cur *c, struct entry *en, struct err *e)
{
	uint64_t at = cur_at(c);
	unsigned name_len, extra_len, comment_len;
	struct bytes extra;

	if (cur_u32(c) != 0x02014b50)
		return err_set(e, "no zip directory entry at byte %" PRIu64, at);
	cur_take(c, 4); /* versions */
	en->flags = cur_u16(c);
	en->method = cur_u16(c);
	cur_take(c, 4); /* time and date */
	en->crc = cur_u32(c);
	en->packed = cur_u32(c);
	en->size = cur_u32(c);
	name_len = cur_u16(c);
	extra_len = cur_u16(c);
	comment_len = cur_u16(c);
	cur_take(c, 8); /* disk, attributes */
	en->local = cur_u32(c);
	en->name = (struct str){(const char *)cur_take(c, name_len), name_len};
	extra = (struct bytes){cur_take(c, extra_len), extra_len};
	cur_take(c, comment_len);
	if (c->bad)
		return err_set(e, "the zip directory ends inside its entry at byte %" PRIu64, at);
	return read_zip64(en, extra, e);
}

/* The local header must tell of the same entry. Sizes of 0 with flag bit 3 follow the data; ~0 stands for zip64. */
static enum rc check_local(struct bytes file, const struct directory *d, struct entry *en, uint64_t *data,
			   struct err *e)
{
	struct cur c = cur_from(file, en->local);
	unsigned flags, method, name_len, extra_len;
	uint64_t packed, size;
	const uint8_t *name;

	if (en->local >= d->at || cur_u32(&c) != 0x04034b50)
		return err_set(e, "zip entry %.*s: no local header at byte %" PRIu64, (int)en->name.n, en->name.p,
			       en->local);
	cur_u16(&c);
	flags = cur_u16(&c);
	method = cur_u16(&c);
	cur_take(&c, 4 + 4); /* time and date, CRC */
	packed = cur_u32(&c);
	size = cur_u32(&c);
	name_len = cur_u16(&c);
	extra_len = cur_u16(&c);
	name = cur_take(&c, name_len);
	cur_take(&c, extra_len);
	*data = cur_at(&c);
	if (c.bad || *data > d->at || en->packed > d->at - *data)
		return err_set(e, "zip entry %.*s: its %" PRIu64 " bytes leave the file or enter the zip directory",
			       (int)en->name.n, en->name.p, en->packed);
	if (!str_eq(en->name, (struct str){(const char *)name, name_len}) || method != en->method ||
	    (flags & 1) != (en->flags & 1) ||
	    (!(flags & 8) &&
	     ((packed != UINT32_MAX && packed != en->packed) || (size != UINT32_MAX && size != en->size))))
		return err_set(e, "zip entry %.*s: its local header (byte %" PRIu64 ") contradicts the zip directory",
			       (int)en->name.n, en->name.p, en->local);
	en->end = *data + en->packed;
	return RC_OK;
}

static enum rc check_kind(const struct entry *en, struct err *e)
{
	int n = (int)en->name.n;

	if (en->flags & 1)
		return err_set(e, "zip entry %.*s is encrypted", n, en->name.p);
	if (en->method != 0 && en->method != 8)
		return err_set(e, "zip entry %.*s is compressed by method %u; only deflate is read", n, en->name.p,
			       en->method);
	if (en->method == 0 && en->size != en->packed)
		return err_set(e, "zip entry %.*s is stored, yet has sizes %" PRIu64 " and %" PRIu64, n, en->name.p,
			       en->packed, en->size);
	if (en->method == 8 && en->size / INFLATE_RATIO > en->packed)
		return err_set(e, "zip entry %.*s: %" PRIu64 " bytes cannot inflate to %" PRIu64, n, en->name.p,
			       en->packed, en->size);
	return RC_OK;
}

static enum rc add_entry(struct source *s, uint32_t file, const struct directory *d, struct entry *en, struct err *e)
{
	struct bytes all = s->members[file].data, stored;
	struct member m;
	uint64_t data = 0;

	if (check_kind(en, e) != RC_OK || check_local(all, d, en, &data, e) != RC_OK)
		return RC_FAIL;
	if (en->size == 0 && en->name.n && en->name.p[en->name.n - 1] == '/')
		return RC_OK;
	stored = (struct bytes){all.p + data, (size_t)en->packed};
	m = (struct member){.name = en->name, .size = en->size, .file_offset = data, .file = file, .crc = en->crc};
	m.kind = en->method ? MEMBER_DEFLATED : MEMBER_MAPPED;
	*(en->method ? &m.packed : &m.data) = stored;
	source_add(s, m);
	return RC_OK;
}

static int by_place(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	return a->local != b->local ? (a->local > b->local) - (a->local < b->local)
				    : (a->end > b->end) - (a->end < b->end);
}

static enum rc check_apart(struct entry *entries, size_t n, struct err *e)
{
	struct map names = {0};
	enum rc rc = RC_OK;

	map_reserve(&names, n);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		if (map_add(&names, entries[i].name, 0) != MAP_NONE)
			rc = err_set(e, "two zip entries are named %.*s", (int)entries[i].name.n, entries[i].name.p);
	map_free(&names);
	if (rc != RC_OK)
		return rc;
	qsort(entries, n, sizeof(*entries), by_place);
	for (size_t i = 1; i < n; i++)
		if (entries[i].local < entries[i - 1].end)
			return err_set(e, "zip entries %.*s and %.*s overlap", (int)entries[i - 1].name.n,
				       entries[i - 1].name.p, (int)entries[i].name.n, entries[i].name.p);
	return RC_OK;
}

enum rc source_add_zip(struct source *s, uint32_t file, uint32_t *first, uint32_t *count, struct err *e)
{
	struct bytes all = s->members[file].data;
	struct directory d = {0};
	struct entry *entries;
	struct cur c;
	enum rc rc = RC_OK;

	*first = (uint32_t)s->n;
	*count = 0;
	if (find_directory(all, &d, e) != RC_OK)
		return RC_FAIL;
	if (source_room(s, d.entries, e) != RC_OK)
		return RC_FAIL;
	entries = xcalloc((size_t)d.entries, sizeof(*entries));
	c = cur_from((struct bytes){all.p, (size_t)(d.at + d.size)}, d.at);
	for (uint64_t i = 0; i < d.entries && rc == RC_OK; i++) {
		rc = read_central(&c, &entries[i], e);
		if (rc == RC_OK)
			rc = add_entry(s, file, &d, &entries[i], e);
	}
	if (rc == RC_OK)
		rc = check_apart(entries, (size_t)d.entries, e);
	free(entries);
	*count = (uint32_t)(s->n - *first);
	return rc;
}
