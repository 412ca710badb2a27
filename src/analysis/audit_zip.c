/*
 * What stands in a zip file beside its entries. bytes/zip.c has found the entries by the directory at the end; here the
 * file is walked from its front: local header, data, perhaps a data descriptor, and so on up to the directory (PKWARE
 * APPNOTE 6.3.10, section 4.3). What is none of that belongs to nobody.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/audit_check.h"
#include "bytes/cur.h"
#include "bytes/inflate.h"
#include "bytes/signature.h"

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
		if (x.wrong[i] && !source_lost(x.s, (struct span){i, 0, x.s->members[i].size}))
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

/* Bytes in the zip file. A reader may have inflated the entry since; its packed bytes are still known. */
static uint64_t packed_size(const struct member *m)
{
	return m->packed.p ? m->packed.n : m->data.n;
}

/* Whether bytes [from, to) are the entry's data descriptor: its CRC-32 and two sizes of 4 or 8 bytes, with or without a
 * mark. NULL: that of a folder, which holds nothing, but may hold it deflated. */
static bool is_descriptor(struct bytes b, uint64_t from, uint64_t to, const struct member *m)
{
	unsigned nothing = !m && to - from > 2 && memcmp(b.p + from, "\3\0", 2) == 0 ? 2 : 0;
	unsigned mark = is_mark(b, from + nothing, "PK\7\10") ? 4 : 0;
	unsigned wide = to - from == nothing + mark + 20 ? 8 : 4;
	const uint8_t *p = b.p + from + nothing + mark;

	return to - from == nothing + mark + 4 + 2 * wide && load_uint(p, 4, false) == (m ? m->crc : 0) &&
	       load_uint(p + 4, wide, false) == (m ? packed_size(m) : nothing) &&
	       load_uint(p + 4 + wide, wide, false) == (m ? m->size : 0);
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
	struct bytes all = a->m->source.members[file].data;
	struct finding *f;

	if (to <= from)
		return;
	f = found(a, STR(""), "%" PRIu64 " bytes %s belong to none (from byte %" PRIu64 " on)", to - from, where,
		  from);
	found_at(f, file, from, to - from);
	found_bytes(a, f, where, (struct bytes){all.p + from, (size_t)(to - from)});
}

static int by_offset(const void *pa, const void *pb)
{
	const struct member *a = *(const struct member *const *)pa, *b = *(const struct member *const *)pb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->file_offset > b->file_offset) - (a->file_offset < b->file_offset);
}

/* Bytes behind the end of a deflate stream, in the entry all the same. What is broken, or inflates to more than is
 * said, is told of when it is read. */
struct tails {
	const struct source *s;
	uint64_t *left; /* an entry */
};

static void tail_one(void *arg, size_t i)
{
	enum { STEP = 64 * 1024, AT_ONCE = 1 << 30 };
	struct tails *x = arg;
	struct bytes in = x->s->members[i].packed;
	z_stream z = {0};
	uint8_t *out;
	int rc = Z_OK;

	if (!is_entry(x->s, (uint32_t)i) || !in.p)
		return;
	inflate_begin(&z, -MAX_WBITS);
	out = xmalloc(STEP);
	while (rc == Z_OK && z.total_out <= x->s->members[i].size) {
		if (!z.avail_in) {
			z.next_in = (Bytef *)(uintptr_t)(in.p + z.total_in);
			z.avail_in = (uInt)u64_min(in.n - z.total_in, AT_ONCE);
		}
		z.next_out = out;
		z.avail_out = STEP;
		rc = inflate_step(&z, Z_NO_FLUSH);
	}
	if (rc == Z_STREAM_END)
		x->left[i] = in.n - z.total_in;
	inflateEnd(&z);
	free(out);
}

static void look_inside(struct auditor *a)
{
	const struct source *s = &a->m->source;
	struct tails x = {s, xcalloc(s->n, sizeof(*x.left))};

	spread(a->s, s->n, tail_one, &x);
	for (uint32_t i = 0; i < s->n; i++)
		if (x.left[i])
			found_at(found(a, STR(""), "%" PRIu64 " bytes of the entry %s stand behind the end of what is "
				       "deflated", x.left[i], said(a, s->members[i].name)), s->members[i].file,
				 s->members[i].file_offset + s->members[i].packed.n - x.left[i], x.left[i]);
	free(x.left);
}

/* From the end of one entry to the beginning of the next one's data: folders, which are no members, may stand there.
 * NULL: there is none in front. */
static void look_between(struct auditor *a, uint32_t file, struct bytes b, uint64_t at, const struct member *before,
			 uint64_t data)
{
	uint64_t from = at;

	while (at < data) {
		uint64_t header = next_header(b, at, data);

		if (header > at && !(at != 0 && is_descriptor(b, at, header, at == from ? before : NULL)))
			gap_at(a, file,
			       from ? "between entries of the zip file" : "before the first entry of the zip file", at,
			       header);
		if (header >= data || is_mark(b, header, "PK\1\2"))
			break;
		at = data_of(b, header);
	}
}

/* Each entry may have a comment in the directory, of up to 64 KiB, which no reader of models looks at. */
static void look_at_comments(struct auditor *a, uint32_t file, struct bytes b, uint64_t at)
{
	enum { ENTRY_SIZE = 46 };

	while (is_mark(b, at, "PK\1\2") && b.n - at >= ENTRY_SIZE) {
		const uint8_t *lengths = b.p + at + 28; /* of the name, of extra fields, of the comment */
		uint64_t from = at + ENTRY_SIZE + load_uint(lengths, 2, false) + load_uint(lengths + 2, 2, false);
		uint64_t to = from + load_uint(lengths + 4, 2, false);

		if (to > b.n)
			return;
		gap_at(a, file, "of comment of an entry in the zip file's directory", from, to);
		at = to;
	}
}

/* The directory, and behind it the comment of the end record. */
static void look_behind(struct auditor *a, uint32_t file, struct bytes b, uint64_t at, const struct member *last)
{
	uint64_t header = next_header(b, at, b.n), comment;

	if (header > at && header < b.n && !is_descriptor(b, at, header, last))
		gap_at(a, file, "before the zip file's directory", at, header);
	look_at_comments(a, file, b, header);
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
		look_between(a, file, b, at, i ? entries[i - 1] : NULL, entries[i]->file_offset);
		at = entries[i]->file_offset + packed_size(entries[i]);
	}
	look_behind(a, file, b, at, n ? entries[n - 1] : NULL);
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
	look_inside(a);
}

/* ---- extra fields ---- */

/* Fields whose bytes mean something (APPNOTE 4.6.1 and Info-ZIP's): sizes, times, owners, names. */
static bool is_known_field(unsigned id)
{
	static const uint16_t known[] = {0x0001, 0x000a, 0x5455, 0x5855, 0x7855, 0x7875, 0x7075, 0x6375, 0xcafe};

	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i] == id)
			return true;
	return false;
}

static bool is_filled(const uint8_t *p, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (p[i] != p[0])
			return false;
	return true;
}

/* The local headers' extra fields align data by filling: PyTorch's FB with Z, Android's with zeros, behind two bytes
 * that say to what. Whatever reads an archive passes by what else stands there. */
static void look_at_extra(struct auditor *a, uint32_t i, struct cur c)
{
	while (!c.bad && cur_left(&c) >= 4) { /* one may claim more than there is */
		unsigned id = cur_u16(&c), n = cur_u16(&c);
		const uint8_t *p = cur_take(&c, n);
		unsigned head = id == 0xd935 && n >= 2 ? 2 : 0;

		if (p && !is_known_field(id) && !is_filled(p + head, n - head))
			found_at(found(a, STR(""), "%u bytes of an extra field (%04x) of the entry %s are no filling",
				       n, id, said(a, a->m->source.members[i].name)), i, 0, 0);
	}
}

void check_zip_extra(struct auditor *a)
{
	const struct source *s = &a->m->source;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct member *m = &s->members[i];
		struct bytes file = s->members[m->file].data;
		uint64_t extra, name;

		/* the header is in front of the data, but where it begins is known by its own lengths only */
		if (!is_entry(s, i) || s->members[m->file].kind != MEMBER_MAPPED || m->file_offset > file.n)
			continue;
		name = m->name.n;
		for (extra = 0; extra <= UINT16_MAX && LOCAL_SIZE + name + extra <= m->file_offset; extra++) {
			uint64_t at = m->file_offset - LOCAL_SIZE - name - extra;

			if (is_mark(file, at, "PK\3\4") && data_of(file, at) == m->file_offset)
				break;
		}
		if (extra && extra <= UINT16_MAX && LOCAL_SIZE + name + extra <= m->file_offset)
			look_at_extra(a, i, cur_of((struct bytes){file.p + m->file_offset - extra, (size_t)extra}));
	}
}

/* ---- odd compression ---- */

/* PyTorch stores tensors, and packs nothing but TorchScript's sources. */
static void look_at_stores(struct auditor *a)
{
	const struct source *s = &a->m->source;
	struct finding *f;
	uint64_t n = 0;

	for (uint32_t i = 0; strcmp(a->m->format, "pytorch") == 0 && i < s->n; i++)
		n += is_entry(s, i) && s->members[i].packed.n &&
		     memmem(s->members[i].name.p, s->members[i].name.n, "/data", 5);
	f = n ? found(a, STR(""), "%" PRIu64 " of its entries are deflated, which PyTorch does to no tensor", n) : NULL;
	if (f)
		f->key = STR("deflated");
}

void check_packing(struct auditor *a)
{
	enum { SMALL = 1024, LARGE = 1 << 20, RATIO = 500 };
	const struct source *s = &a->m->source;

	look_at_stores(a);
	for (uint32_t i = 0; i < s->n; i++) {
		const struct member *m = &s->members[i];

		if (!is_entry(s, i) || !m->packed.n)
			continue;
		if (m->size >= SMALL && m->packed.n > m->size)
			found_at(found(a, STR(""), "the entry %s is deflated and became longer: %zu bytes of %" PRIu64,
				       said(a, m->name), m->packed.n, m->size), i, 0, 0);
		if (m->size >= LARGE && m->size / m->packed.n >= RATIO)
			found_at(found(a, STR(""), "the entry %s inflates to %" PRIu64 " times its size",
				       said(a, m->name), m->size / m->packed.n), i, 0, 0);
	}
}

/* ---- two formats ---- */

/* What was unpacked in whole, from an archive or a compressed file: it begins like one. */
static bool is_archive(const struct source *s, uint32_t i)
{
	for (uint32_t k = 0; k < s->n; k++)
		if (s->members[k].entry && s->members[k].archive == i)
			return true;
	return false;
}

/* Of two releases the files have other names: that is no news. */
static void found_as(struct auditor *a, uint32_t i, uint64_t at, uint64_t n, const char *does, const char *what)
{
	struct finding *f = found(a, STR(""), "%s %s as %s does", said(a, a->m->source.members[i].name), does, what);

	found_at(f, i, at, n);
	if (f)
		f->key = str_of(arena_printf(&a->out->arena, "%s as %s", does, what));
}

/* No format that is read begins like a picture or a program; those that may begin anywhere (zip, HDF5) do not ask what
 * stands in front. */
static void look_at_front(struct auditor *a, uint32_t i)
{
	struct bytes b = a->m->source.members[i].data;
	const char *what = signature_of(b);
	bool packed = what && (is_mark(b, 0, "PK\3\4") || b.p[0] == 0x80 || b.p[0] == 0x1f || b.p[0] == 0xfd);

	if (what && !packed && !is_archive(&a->m->source, i))
		found_as(a, i, 0, 0, "begins", what);
}

/* A zip file may begin anywhere: what ends in a sound end record is one, whatever its front is. */
static void look_at_end(struct auditor *a, uint32_t i)
{
	struct bytes b = a->m->source.members[i].data;

	if (b.n < END_SIZE || is_mark(b, 0, "PK\3\4"))
		return;
	for (uint64_t end = b.n - END_SIZE; end > 0 && b.n - end <= END_SIZE + UINT16_MAX; end--)
		if (is_mark(b, end, "PK\5\6") && load_uint(b.p + end + 20, 2, false) == b.n - end - END_SIZE &&
		    load_uint(b.p + end + 12, 4, false) + load_uint(b.p + end + 16, 4, false) <= end) {
			found_as(a, i, end, b.n - end, "ends", "a zip file");
			return;
		}
}

void check_two_formats(struct auditor *a)
{
	const struct source *s = &a->m->source;
	struct finding *f;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->members[i].kind == MEMBER_MAPPED && s->members[i].file == i) {
			look_at_front(a, i);
			look_at_end(a, i);
		}
	f = a->m->disguised
		? found(a, STR(""), "%s is a pickle as well", said(a, s->members[a->m->calls[0].member].name))
		: NULL;
	if (f)
		f->key = STR("pickle");
}
