/*
 * What is compressed as a whole, and archives: unpacked by libarchive, behind decompress.c, once, into a temporary file
 * without a name.
 *
 * libarchive's readers are named one by one: its "all" would bring in filters that start other programs, and mtree,
 * whose entries are files elsewhere on this machine.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "bytes/decompress.h"
#include "bytes/member.h"
#include "bytes/signature.h"

enum {
	HEAD = 64 * 1024,       /* bytes of an entry that tell what it is */
	LISTED = 8,             /* weight files that a sentence names */
	SEARCHES = 4            /* times the limit: what may be gone through for files that an index names */
};

struct unpack {
	struct archive *a;
	struct decompress *outer; /* what it is compressed in; or NULL */
	const char *path, *entry; /* entry: the one wanted, or NULL */
	enum entry_kind (*look)(struct bytes, const char *);
	uint64_t limit, total;    /* bytes that may come out, and that did */
	uint64_t packed;          /* that the archive has */
	uint8_t *head;
	size_t head_n;

	struct source *source;
	uint32_t archive, member;
	size_t found, entries;    /* found: of the best kind so far */
	enum entry_kind kind;
	size_t depth;             /* of an index: directories that it is in */
	struct buf names;
	bool again;               /* its strays are known already */
};

bool archive_looks(struct bytes head)
{
	static const struct {
		unsigned at;
		struct str magic;
	} magics[] = {
		{0, {"PK\3\4", 4}},    {0, {"7z\xbc\xaf\x27\x1c", 6}}, {0, {"Rar!\x1a\7", 6}},
		{257, {"ustar", 5}},   {0, {"070701", 6}},             {0, {"070707", 6}},
	};

	for (size_t i = 0; i < COUNT(magics); i++)
		if (head.n >= magics[i].at + magics[i].magic.n &&
		    memcmp(head.p + magics[i].at, magics[i].magic.p, magics[i].magic.n) == 0)
			return true;
	return decompress_looks(head);
}

static void support_formats(struct archive *a)
{
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
	const char *outer = u->outer ? decompress_why(u->outer) : "";
	const char *why = *outer ? outer : archive_error_string(u->a);

	return err_set(e, "cannot be unpacked: %s", why ? why : "damaged, or cut short");
}

static enum rc count(struct unpack *u, size_t n, struct err *e)
{
	uint64_t in = u->outer ? decompress_taken(u->outer) : (uint64_t)archive_filter_bytes(u->a, -1);

	u->total += n;
	if (u->total > u->limit)
		return unpack_too_much(u->limit, e);
	return unpack_tell(u->source, u->total, u64_min(in, u->packed), u->packed, e);
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

/* The head is read already; the rest follows. path: in the archive; NULL for a lone compressed file, whose neighbours
 * are those of the file itself. */
static enum rc spool_entry(struct unpack *u, const char *name, const char *path, struct err *e)
{
	const char *beside = path || strcmp(u->path, "-") == 0 ? NULL : u->path;
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
		rc = source_map(u->source, fd, size, name, beside, &u->member, e);
	close(fd);
	if (rc == RC_OK && path) {
		u->source->members[u->member].entry = arena_str(&u->source->arena, str_of(path)).p;
		u->source->members[u->member].archive = u->archive;
	}
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

/* An index goes before the files that it names; one that is not in as many directories, before another. */
static bool better(const struct unpack *u, enum entry_kind kind, size_t depth)
{
	if (kind != u->kind)
		return kind > u->kind;
	return kind == ENTRY_INDEX && depth < u->depth;
}

static size_t depth_of(const char *path)
{
	size_t n = 0;

	while (strncmp(path, "./", 2) == 0)
		path += 2;
	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* Whether the entry, whose head is read, is to be unpacked; else it was counted. */
static bool choose(struct unpack *u, const char *path, const char *name)
{
	enum entry_kind kind = u->entry ? ENTRY_MODEL : u->look((struct bytes){u->head, u->head_n}, name);
	size_t depth = kind == ENTRY_INDEX ? depth_of(path) : 0;

	if (kind == ENTRY_OTHER)
		return false;
	if (better(u, kind, depth)) {
		if (u->found) /* not to be taken for a file of the other's model */
			u->source->members[u->member].name = STR("");
		u->kind = kind;
		u->depth = depth;
		u->found = 0;
		buf_clear(&u->names);
	} else if (kind != u->kind || depth != u->depth) {
		return false;
	}
	if (u->found++ < LISTED)
		buf_printf(&u->names, "%s%s", u->names.n ? ", " : "", path);
	return u->found == 1;
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

/* Its head is read, and it is not what was asked for. */
static void pass_by(struct unpack *u, const char *path)
{
	struct bytes head = {u->head, u->head_n};
	struct stray stray = {.program = signature_program(head), .script = signature_script(head)};
	struct source *s = u->source;

	/* of a name nothing follows where something else is known: weights, too, are named .pth */
	if (!stray.program && !stray.script && (signature_of(head) || !signature_name(str_of(path))))
		return;
	if (u->again || s->n_strays == STRAYS_MAX)
		return;
	if (!s->strays)
		s->strays = arena_new(&s->arena, struct stray, STRAYS_MAX);
	stray.path = arena_str(&s->arena, str_of(path)).p;
	s->strays[s->n_strays++] = stray;
}

static enum rc take_entry(struct unpack *u, struct archive_entry *entry, struct err *e)
{
	bool raw = archive_format(u->a) == ARCHIVE_FORMAT_RAW;
	const char *path = archive_entry_pathname(entry), *name;
	bool other;

	if (raw && !u->outer && archive_filter_count(u->a) < 2)
		return err_set(e, "cannot be unpacked: damaged, or cut short");
	if (!path)
		path = "";
	if (archive_entry_filetype(entry) != AE_IFREG)
		return RC_OK;
	u->entries++;
	other = u->entry && !same_entry(path, u->entry);
	if (archive_entry_is_encrypted(entry))
		return other ? skip_entry(u, e) : err_set(e, "%s is encrypted", path);
	if (read_some(u, u->head, HEAD, &u->head_n, e) != RC_OK)
		return RC_FAIL;
	name = inner_name(u, path, raw);
	if (!other && choose(u, path, name))
		return spool_entry(u, name, raw ? NULL : path, e);
	if (raw)
		return RC_OK;
	pass_by(u, path);
	return skip_entry(u, e);
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
			       u->outer ? decompress_name(u->outer) : archive_filter_name(u->a, 0));
	return err_set(e, "is an archive (%s, %zu files) without a weight file that this build reads",
		       archive_format_name(u->a) ? archive_format_name(u->a) : "empty", u->entries);
}

static la_ssize_t feed(struct archive *a, void *arg, const void **p)
{
	struct unpack *u = arg;
	ptrdiff_t n = decompress_next(u->outer, p);

	if (n < 0)
		archive_set_error(a, EIO, "%s", decompress_why(u->outer));
	return n < 0 ? ARCHIVE_FATAL : n;
}

/* A tar file is read no further than to its end mark, and the checksum stands behind. */
static enum rc to_the_end(struct unpack *u, struct err *e)
{
	const void *p;
	ptrdiff_t n;

	while ((n = decompress_next(u->outer, &p)) > 0)
		if (count(u, (size_t)n, e) != RC_OK)
			return RC_FAIL;
	return n < 0 ? err_set(e, "cannot be unpacked: %s", decompress_why(u->outer)) : RC_OK;
}

static enum rc walk(struct unpack *u, struct bytes packed, struct err *e)
{
	struct archive_entry *entry;
	int k = u->outer ? archive_read_open(u->a, u, NULL, feed, NULL)
			 : archive_read_open_memory(u->a, packed.p, packed.n);

	if (k != ARCHIVE_OK)
		return trouble(u, e);
	while ((k = archive_read_next_header(u->a, &entry)) == ARCHIVE_OK || k == ARCHIVE_WARN || k == ARCHIVE_RETRY)
		if (k != ARCHIVE_RETRY && take_entry(u, entry, e) != RC_OK)
			return RC_FAIL;
	if (k != ARCHIVE_EOF)
		return trouble(u, e);
	if ((archive_format(u->a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR)
		u->source->tar_end = (uint64_t)archive_read_header_position(u->a);
	if (u->outer && to_the_end(u, e) != RC_OK)
		return RC_FAIL;
	return outcome(u, e);
}

enum rc source_add_archive(struct source *s, uint32_t archive, const char *path, const char *entry,
			   enum entry_kind (*look)(struct bytes, const char *), uint32_t *member, struct err *e)
{
	struct unpack u = {.path = path, .entry = entry, .look = look, .source = s, .archive = archive};
	struct bytes packed = s->members[archive].data;
	enum rc rc;

	u.again = s->gone_through > 0;
	u.packed = packed.n;
	u.limit = unpack_limit(packed.n);
	u.a = archive_read_new();
	if (!u.a)
		die("out of memory (libarchive)");
	u.head = xmalloc(HEAD);
	u.outer = decompress_looks(packed) ? decompress_new(packed) : NULL;
	archive_support(u.a, (struct bytes){0}); /* it may be compressed twice */
	support_formats(u.a);
	rc = walk(&u, packed, e);
	s->gone_through += u.total;
	archive_read_free(u.a);
	decompress_free(u.outer);
	free(u.head);
	buf_free(&u.names);
	*member = u.member;
	return rc;
}

/* ---- files beside one that was unpacked ---- */

static uint32_t unpacked_entry(const struct source *s, uint32_t archive, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->members[i].entry && s->members[i].archive == archive && same_entry(s->members[i].entry, path))
			return (uint32_t)i;
	return UINT32_MAX;
}

/* Each one is a search of the whole archive: an index cannot have it done without end. */
enum rc source_archive_beside(struct source *s, uint32_t beside, struct str name, uint32_t *member, struct err *e)
{
	const struct member *m = &s->members[beside], *archive = &s->members[m->archive];
	const char *slash = strrchr(m->entry, '/'), *base = strrchr(archive->name.p, '/'), *path;
	struct str wrapping = str_of(arena_printf(&s->arena, "%s:", base ? base + 1 : archive->name.p));

	/* a reader that made the name out of that of an entry in no directory */
	if (name.n > wrapping.n && memcmp(name.p, wrapping.p, wrapping.n) == 0)
		name = (struct str){name.p + wrapping.n, name.n - wrapping.n};
	path = arena_printf(&s->arena, "%.*s%.*s", slash ? (int)(slash + 1 - m->entry) : 0, m->entry, (int)name.n,
			    name.p);
	*member = unpacked_entry(s, m->archive, path);
	if (*member != UINT32_MAX)
		return RC_OK;
	if (s->gone_through / SEARCHES > unpack_limit(archive->data.n))
		return unpack_too_much(SEARCHES * unpack_limit(archive->data.n), e);
	return source_add_archive(s, m->archive, archive->name.p, path, NULL, member, e);
}
