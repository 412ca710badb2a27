/*
 * What is compressed as a whole, and archives: unpacked by libarchive, once, into a temporary file without a name.
 *
 * libarchive's readers are named one by one: its "all" would bring in filters that start other programs, and mtree,
 * whose entries are files elsewhere on this machine.
 */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "bytes/member.h"

enum {
	HEAD = 64 * 1024,       /* bytes of an entry that tell what it is */
	LISTED = 8,             /* weight files that a sentence names */
};

struct unpack {
	struct archive *a;
	const char *path, *entry; /* entry: the one wanted, or NULL */
	bool (*is_weights)(struct bytes, const char *);
	uint64_t limit, total;    /* bytes that may come out, and that did */
	uint64_t packed;          /* that the archive has */
	uint8_t *head;
	size_t head_n;

	struct source *source;
	uint32_t member;
	size_t found, entries;
	struct buf names;
};

bool archive_looks(struct bytes head)
{
	static const struct {
		unsigned at;
		struct str magic;
	} magics[] = {
		{0, {"\x1f\x8b", 2}},           {0, {"BZh", 3}},          {0, {"\xfd" "7zXZ\0", 6}},
		{0, {"\x28\xb5\x2f\xfd", 4}},   {0, {"\x04\x22\x4d\x18", 4}}, {0, {"LZIP", 4}},
		{0, {"\x5d\0\0", 3}},           {0, {"\x1f\x9d", 2}},     {0, {"PK\3\4", 4}},
		{0, {"7z\xbc\xaf\x27\x1c", 6}}, {0, {"Rar!\x1a\7", 6}},   {257, {"ustar", 5}},
		{0, {"070701", 6}},             {0, {"070707", 6}},
	};

	for (size_t i = 0; i < COUNT(magics); i++)
		if (head.n >= magics[i].at + magics[i].magic.n &&
		    memcmp(head.p + magics[i].at, magics[i].magic.p, magics[i].magic.n) == 0)
			return true;
	return false;
}

static void support(struct archive *a)
{
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_lzip(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_filter_compress(a);
	archive_read_support_format_tar(a);
	archive_read_support_format_zip(a);
	archive_read_support_format_7zip(a);
	archive_read_support_format_cpio(a);
	archive_read_support_format_rar(a);
	archive_read_support_format_rar5(a);
	archive_read_support_format_raw(a);
}

static enum rc trouble(struct unpack *u, struct err *e)
{
	const char *why = archive_error_string(u->a);

	return err_set(e, "cannot be unpacked: %s", why ? why : "damaged, or cut short");
}

static enum rc count(struct unpack *u, size_t n, struct err *e)
{
	int64_t in = archive_filter_bytes(u->a, -1);

	u->total += n;
	if (u->total > u->limit)
		return unpack_too_much(u->limit, e);
	unpack_tell(u->source, u->total, in > 0 ? u64_min((uint64_t)in, u->packed) : 0, u->packed);
	return RC_OK;
}

/* Reads up to n bytes of the entry; *got is less only at its end. */
static enum rc read_some(struct unpack *u, uint8_t *out, size_t n, size_t *got, struct err *e)
{
	for (*got = 0; *got < n;) {
		la_ssize_t k = archive_read_data(u->a, out + *got, n - *got);

		if (k == ARCHIVE_RETRY)
			continue;
		if (k < 0)
			return trouble(u, e);
		if (k == 0)
			break;
		*got += (size_t)k;
	}
	return count(u, *got, e);
}

/* The head is read already; the rest follows. */
static enum rc spool_entry(struct unpack *u, const char *name, struct err *e)
{
	enum { STEP = 256 * 1024 };
	int fd = spool_open(e);
	uint64_t size = u->head_n;
	uint8_t *buf;
	size_t n = 1;
	enum rc rc;

	if (fd < 0)
		return RC_FAIL;
	buf = xmalloc(STEP);
	rc = spool_write(fd, u->head, u->head_n, e);
	while (rc == RC_OK && n) {
		rc = read_some(u, buf, STEP, &n, e);
		if (rc == RC_OK)
			rc = spool_write(fd, buf, n, e);
		size += n;
	}
	free(buf);
	if (rc == RC_OK && size == 0)
		rc = err_set(e, "%s is empty", name);
	if (rc == RC_OK)
		rc = source_map(u->source, fd, size, name, NULL, &u->member, e);
	close(fd);
	return rc;
}

static enum rc skip_entry(struct unpack *u, struct err *e)
{
	const void *p;
	size_t n;
	la_int64_t at;
	int k;

	while ((k = archive_read_data_block(u->a, &p, &n, &at)) == ARCHIVE_OK || k == ARCHIVE_RETRY)
		if (k == ARCHIVE_OK && count(u, n, e) != RC_OK)
			return RC_FAIL;
	return k == ARCHIVE_EOF ? RC_OK : trouble(u, e);
}

static bool same_entry(const char *name, const char *want)
{
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	while (strncmp(want, "./", 2) == 0)
		want += 2;
	return strcmp(name, want) == 0;
}

/* The name inside: a lone compressed file has none, so it is the file's own without its ending. */
static const char *inner_name(struct unpack *u, const char *path, bool raw)
{
	size_t n = strlen(u->path);
	const char *dot = strrchr(u->path, '.'), *slash = strrchr(u->path, '/');

	if (!raw)
		return arena_printf(&u->source->arena, "%s:%s", u->path, path);
	if (dot && (!slash || dot > slash + 1))
		n = (size_t)(dot - u->path);
	return arena_str(&u->source->arena, (struct str){u->path, n}).p;
}

static enum rc take_entry(struct unpack *u, struct archive_entry *entry, struct err *e)
{
	bool raw = archive_format(u->a) == ARCHIVE_FORMAT_RAW;
	const char *path = archive_entry_pathname(entry), *name;

	if (raw && archive_filter_count(u->a) < 2)
		return err_set(e, "cannot be unpacked: damaged, or cut short");
	if (!path)
		path = "";
	if (archive_entry_filetype(entry) != AE_IFREG)
		return RC_OK;
	u->entries++;
	if (u->entry && !same_entry(path, u->entry))
		return skip_entry(u, e);
	if (archive_entry_is_encrypted(entry))
		return err_set(e, "%s is encrypted", path);
	if (read_some(u, u->head, HEAD, &u->head_n, e) != RC_OK)
		return RC_FAIL;
	name = inner_name(u, path, raw);
	if (!u->entry && !u->is_weights((struct bytes){u->head, u->head_n}, name))
		return raw ? RC_OK : skip_entry(u, e);
	if (u->found++ < LISTED)
		buf_printf(&u->names, "%s%s", u->names.n ? ", " : "", path);
	return u->found == 1 ? spool_entry(u, name, e) : skip_entry(u, e);
}

static enum rc outcome(struct unpack *u, struct err *e)
{
	if (u->found == 1)
		return RC_OK;
	if (u->entry)
		return err_set(e, u->found ? "holds %s more than once" : "holds no file %s", u->entry);
	if (u->found)
		return err_set(e, "holds %zu weight files: %s%s; name one as ARCHIVE:ENTRY", u->found, u->names.p,
			       u->found > LISTED ? ", ..." : "");
	if (archive_format(u->a) == ARCHIVE_FORMAT_RAW)
		return err_set(e, "is compressed (%s), and what is in it is no weight file that this build reads",
			       archive_filter_name(u->a, 0));
	return err_set(e, "is an archive (%s, %zu files) without a weight file that this build reads",
		       archive_format_name(u->a) ? archive_format_name(u->a) : "empty", u->entries);
}

static enum rc walk(struct unpack *u, struct bytes packed, struct err *e)
{
	struct archive_entry *entry;
	int k;

	if (archive_read_open_memory(u->a, packed.p, packed.n) != ARCHIVE_OK)
		return trouble(u, e);
	while ((k = archive_read_next_header(u->a, &entry)) == ARCHIVE_OK || k == ARCHIVE_WARN || k == ARCHIVE_RETRY)
		if (k != ARCHIVE_RETRY && take_entry(u, entry, e) != RC_OK)
			return RC_FAIL;
	return k == ARCHIVE_EOF ? outcome(u, e) : trouble(u, e);
}

enum rc source_add_archive(struct source *s, struct bytes packed, const char *path, const char *entry,
			   bool (*is_weights)(struct bytes, const char *), uint32_t *member, struct err *e)
{
	struct unpack u = {.path = path, .entry = entry, .is_weights = is_weights, .source = s};
	enum rc rc;

	u.packed = packed.n;
	u.limit = unpack_limit(s, packed.n);
	u.a = archive_read_new();
	if (!u.a)
		die("out of memory (libarchive)");
	u.head = xmalloc(HEAD);
	support(u.a);
	rc = walk(&u, packed, e);
	archive_read_free(u.a);
	free(u.head);
	buf_free(&u.names);
	*member = u.member;
	return rc;
}
