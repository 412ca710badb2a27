/*
 * What stands in a zip file beside its entries. bytes/zip.c has found the entries by the directory at the end; here the
 * file is walked from its front: local header, data, perhaps a data descriptor, and so on up to the directory (PKWARE
 * APPNOTE 6.3.10, section 4.3). What is none of that belongs to nobody.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "analysis/audit_check.h"
#include "bytes/cur.h"

enum { LOCAL_SIZE = 30, END_SIZE = 22 };

static bool is_entry(const struct source *s, uint32_t i)
{
	return s->members[i].file != i && s->members[i].kind != MEMBER_PIECES;
}

/* ---- checksums of stored entries ---- */

struct crcs {
	const struct source *s;
	bool *wrong;
};

static void crc_one(void *arg, size_t i)
{
	struct crcs *x = arg;
	const struct member *m = &x->s->members[i];

	if (is_entry(x->s, (uint32_t)i) && m->kind == MEMBER_MAPPED)
		x->wrong[i] = (uint32_t)crc32_z(0, m->data.p, m->data.n) != m->crc;
}

void check_zip_sums(struct auditor *a)
{
	struct crcs x = {&a->m->source, xcalloc(a->m->source.n, sizeof(*x.wrong))};

	spread(a->s, x.s->n, crc_one, &x);
	for (uint32_t i = 0; i < x.s->n; i++)
		if (x.wrong[i])
			found_at(found(a, STR(""), "the entry %s has another CRC-32 than the directory says",
				       said(a, x.s->members[i].name)), i, 0, x.s->members[i].size);
	free(x.wrong);
}

/* ---- between the entries ---- */

static bool is_mark(struct bytes b, uint64_t at, const char *mark)
{
	return at + 4 <= b.n && memcmp(b.p + at, mark, 4) == 0;
}

/* Where the data of the entry begins whose local header stands at `at`. */
static uint64_t data_of(struct bytes b, uint64_t at)
{
	if (at + LOCAL_SIZE > b.n)
		return b.n;
	return at + LOCAL_SIZE + load_uint(b.p + at + 26, 2, false) + load_uint(b.p + at + 28, 2, false);
}

/* Whether bytes [from, to) can be a data descriptor: CRC-32 and two sizes of 4 or 8 bytes, with or without a mark. */
static bool is_descriptor(struct bytes b, uint64_t from, uint64_t to)
{
	uint64_t n = to - from;

	return is_mark(b, from, "PK\7\10") ? n == 16 || n == 24 : n == 12 || n == 20;
}

/* The first local header or directory entry from `at` on, at most at `end`. */
static uint64_t next_header(struct bytes b, uint64_t at, uint64_t end)
{
	while (at < end && !is_mark(b, at, "PK\3\4") && !is_mark(b, at, "PK\1\2"))
		at++;
	return at;
}

static void gap_at(struct auditor *a, uint32_t file, const char *where, uint64_t from, uint64_t to)
{
	if (to > from)
		found_at(found(a, STR(""), "%" PRIu64 " bytes %s belong to none (from byte %" PRIu64 " on)", to - from,
			       where, from), file, from, to - from);
}

static int by_offset(const void *pa, const void *pb)
{
	const struct member *a = *(const struct member *const *)pa, *b = *(const struct member *const *)pb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->file_offset > b->file_offset) - (a->file_offset < b->file_offset);
}

/* Bytes in the zip file. A reader may have inflated the entry since; its packed bytes are still known. */
static uint64_t packed_size(const struct member *m)
{
	return m->packed.p ? m->packed.n : m->data.n;
}

/* From the end of one entry to the beginning of the next one's data: folders, which are no members, may stand there. */
static void look_between(struct auditor *a, uint32_t file, struct bytes b, uint64_t at, uint64_t data)
{
	uint64_t from = at;

	while (at < data) {
		uint64_t header = next_header(b, at, data);

		if (header > at && !(from != 0 && is_descriptor(b, at, header)))
			gap_at(a, file,
			       from ? "between entries of the zip file" : "before the first entry of the zip file", at,
			       header);
		if (header >= data || is_mark(b, header, "PK\1\2"))
			break;
		at = data_of(b, header);
	}
}

/* The directory, and behind it the comment of the end record. */
static void look_behind(struct auditor *a, uint32_t file, struct bytes b, uint64_t at)
{
	uint64_t header = next_header(b, at, b.n), comment;

	if (header > at && header < b.n && !is_descriptor(b, at, header))
		gap_at(a, file, "before the zip file's directory", at, header);
	for (uint64_t end = b.n - END_SIZE; end > header; end--)
		if (is_mark(b, end, "PK\5\6") && load_uint(b.p + end + 20, 2, false) == b.n - end - END_SIZE) {
			comment = b.n - end - END_SIZE;
			if (comment)
				gap_at(a, file, "of comment behind the zip file's directory", b.n - comment, b.n);
			return;
		}
}

static void look_into(struct auditor *a, uint32_t file, const struct member **entries, size_t n)
{
	struct bytes b = a->m->source.members[file].data;
	uint64_t at = 0;

	for (size_t i = 0; i < n; i++) {
		look_between(a, file, b, at, entries[i]->file_offset);
		at = entries[i]->file_offset + packed_size(entries[i]);
	}
	look_behind(a, file, b, at);
}

void check_zip_gap(struct auditor *a)
{
	const struct source *s = &a->m->source;
	const struct member **entries = xcalloc(s->n, sizeof(*entries));
	size_t n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		if (is_entry(s, i))
			entries[n++] = &s->members[i];
	if (n)
		qsort(entries, n, sizeof(*entries), by_offset);
	for (size_t i = 0, k; i < n; i += k) { /* k entries of one file */
		const struct member *file = &s->members[entries[i]->file];

		for (k = 1; i + k < n && entries[i + k]->file == entries[i]->file;)
			k++;
		if (file->kind == MEMBER_MAPPED && file->data.n >= END_SIZE)
			look_into(a, entries[i]->file, entries + i, k);
	}
	free(entries);
}

/* A zip file may begin anywhere: what ends in a sound end record is one, whatever its front is. */
void check_two_formats(struct auditor *a)
{
	const struct source *s = &a->m->source;

	for (uint32_t i = 0; i < s->n; i++) {
		struct bytes b = s->members[i].data;
		bool zip = s->members[i].kind != MEMBER_MAPPED || s->members[i].file != i || b.n < END_SIZE ||
			   is_mark(b, 0, "PK\3\4");

		for (uint64_t end = b.n - END_SIZE; !zip && end > 0 && b.n - end <= END_SIZE + UINT16_MAX; end--)
			if (is_mark(b, end, "PK\5\6") &&
			    load_uint(b.p + end + 20, 2, false) == b.n - end - END_SIZE &&
			    load_uint(b.p + end + 12, 4, false) + load_uint(b.p + end + 16, 4, false) <= end) {
				found_at(found(a, STR(""), "%s ends as a zip file does", said(a, s->members[i].name)),
					 i, end, b.n - end);
				break;
			}
	}
}
