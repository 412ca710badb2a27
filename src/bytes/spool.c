#include "bytes/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "bytes/decompress.h"
#include "bytes/inflate.h"
#include "bytes/member.h"
#include "bytes/stream.h"

enum { HELD = 64 * 1024 };
#define RATIO_FROM ((uint64_t)1 << 30) /* what comes to less may be packed as it likes */

struct spool {
	struct source *source;
	uint32_t member;
	int fd;
	uint64_t size; /* with what is held */
	uint64_t limit;
	size_t held;
	uint8_t buf[HELD];
};

/* ---- files without a name ---- */

const char *spool_directory(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}

int spool_open(struct err *e)
{
	const char *dir = spool_directory();
	char path[PATH_MAX];
	int fd;

#ifdef O_TMPFILE
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
#endif
	/* Not every file system has files without a name. */
	if (strlen(dir) > sizeof(path) - 16) {
		err_set(e, "the name of the directory for temporary files is too long");
		return -1;
	}
	snprintf(path, sizeof(path), "%s/weigh.XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0) {
		err_set(e, "no temporary file can be made in %s: %s", dir, strerror(errno));
		return -1;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	unlink(path);
	return fd;
}

enum rc spool_write(int fd, const void *bytes, size_t n, struct err *e)
{
	const uint8_t *p = bytes;

	while (n) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_set(e, "cannot be unpacked into a temporary file: %s", strerror(errno));
		p += k;
		n -= (size_t)k;
	}
	return RC_OK;
}

/* ---- how much, and how far ---- */

uint64_t unpack_limit(uint64_t packed)
{
	uint64_t most;

	if (!u64_mul(packed, limits.ratio, &most))
		most = UINT64_MAX;
	return u64_min(limits.inflated, u64_max(RATIO_FROM, most));
}

enum rc unpack_too_much(uint64_t limit, struct err *e)
{
	return err_set(e, "unpacks to more than %" PRIu64 " bytes: refused (--unpack allows more)", limit);
}

enum rc unpack_tell(const struct source *s, uint64_t out, uint64_t in, uint64_t of, struct err *e)
{
	const struct unpacking *u = s->unpacking;

	if (u && u->tell)
		u->tell(u->arg, out, in, of);
	return u && u->stop && u->stop(u->arg) ? err_set(e, "unpacking was stopped") : RC_OK;
}

/* ---- members made of them ---- */

enum rc spool_begin(struct spool **out, struct source *s, struct str name, struct err *e)
{
	struct spool *sp;
	int fd = spool_open(e);

	*out = NULL;
	if (fd < 0)
		return RC_FAIL;
	sp = xmalloc(sizeof(*sp));
	sp->source = s;
	sp->fd = fd;
	sp->size = sp->held = 0;
	sp->limit = unpack_limit(UINT64_MAX);
	sp->member = source_add(s, (struct member){.name = name});
	s->members[sp->member].file = sp->member;
	*out = sp;
	return RC_OK;
}

struct spool *spool_adopt(int fd, uint64_t limit)
{
	struct spool *sp = xcalloc(1, sizeof(*sp));

	sp->fd = fd;
	sp->limit = limit;
	return sp;
}

uint64_t spool_limit(const struct spool *sp)
{
	return sp->limit;
}

int spool_descriptor(const struct spool *sp)
{
	return sp->fd;
}

uint32_t spool_member(const struct spool *sp)
{
	return sp->member;
}

uint64_t spool_at(const struct spool *sp)
{
	return sp->size;
}

enum rc spool_flush(struct spool *sp, struct err *e)
{
	size_t n = sp->held;

	sp->held = 0;
	return spool_write(sp->fd, sp->buf, n, e);
}

enum rc spool_put(struct spool *sp, const void *p, size_t n, struct err *e)
{
	if (n > sp->limit - sp->size)
		return unpack_too_much(sp->limit, e);
	sp->size += n;
	if (n > HELD - sp->held && spool_flush(sp, e) != RC_OK)
		return RC_FAIL;
	if (n > HELD)
		return spool_write(sp->fd, p, n, e);
	if (n)
		memcpy(sp->buf + sp->held, p, n);
	sp->held += n;
	return RC_OK;
}

enum rc spool_f32(struct spool *sp, float x, struct err *e)
{
	uint32_t bits;
	uint8_t b[4];

	memcpy(&bits, &x, sizeof(bits));
	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(bits >> 8 * i);
	return spool_put(sp, b, sizeof(b), e);
}

/* The disk gives the bytes now or never: a page that it has no room for later would be a bus error. */
static enum rc lengthen(int fd, uint64_t from, uint64_t to, struct err *e)
{
#ifdef __APPLE__
	int why = ftruncate(fd, (off_t)to) == 0 ? 0 : errno;
	(void)from;
#else
	int why = posix_fallocate(fd, (off_t)from, (off_t)(to - from));
#endif
	return why ? err_set(e, "cannot be unpacked into a temporary file: %s", strerror(why)) : RC_OK;
}

enum rc spool_room(struct spool *sp, uint64_t n, void **p, uint64_t *at, struct err *e)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), from = u64_ceil_div(sp->size, page) * page;

	if (from > sp->limit || n > sp->limit - from || n > PTRDIFF_MAX)
		return unpack_too_much(sp->limit, e);
	if (spool_flush(sp, e) != RC_OK || lengthen(sp->fd, sp->size, from + n, e) != RC_OK)
		return RC_FAIL;
	*p = mmap(NULL, (size_t)n, PROT_READ | PROT_WRITE, MAP_SHARED, sp->fd, (off_t)from);
	if (*p == MAP_FAILED)
		return err_set(e, "%" PRIu64 " bytes of a temporary file cannot be mapped: %s", n, strerror(errno));
	if (lseek(sp->fd, (off_t)(from + n), SEEK_SET) < 0) /* where the next bytes are put */
		return err_set(e, "cannot be unpacked into a temporary file: %s", strerror(errno));
	*at = from;
	sp->size = from + n;
	return RC_OK;
}

void spool_room_end(struct spool *sp, void *p, uint64_t n)
{
	(void)sp;
	munmap(p, (size_t)n);
}

enum rc spool_filled(struct spool *sp, uint64_t size, struct err *e)
{
	struct stat st;

	if (fstat(sp->fd, &st) != 0 || st.st_size < 0 || (uint64_t)st.st_size < size)
		return err_set(e, "what was unpacked into a temporary file is not all there");
	sp->size = size;
	return RC_OK;
}

enum rc spool_end(struct spool *sp, struct err *e)
{
	enum rc rc = spool_flush(sp, e);

	if (rc == RC_OK && sp->size)
		rc = source_map_into(sp->source, sp->member, sp->fd, sp->size, e);
	spool_drop(sp);
	return rc;
}

void spool_drop(struct spool *sp)
{
	if (!sp)
		return;
	close(sp->fd);
	free(sp);
}

/* ---- entries that are to be looked into ---- */

/* s: whom to tell; or NULL. */
static enum rc copy_stream(const struct source *s, struct stream *in, uint64_t size, int fd, struct err *e)
{
	uint8_t *buf = xmalloc(HELD);
	enum rc rc = RC_OK;

	for (uint64_t at = 0; rc == RC_OK && at < size; at += HELD) {
		size_t n = (size_t)u64_min(HELD, size - at);

		rc = stream_read(in, buf, n, e);
		if (rc == RC_OK)
			rc = spool_write(fd, buf, n, e);
		if (rc == RC_OK && s)
			rc = unpack_tell(s, at + n, at + n, size, e);
	}
	free(buf);
	return rc;
}

enum rc spool_map(struct stream *in, uint64_t n, struct bytes *out, struct err *e)
{
	int fd = spool_open(e);
	enum rc rc;
	void *p;

	if (fd < 0)
		return RC_FAIL;
	rc = copy_stream(NULL, in, n, fd, e);
	if (rc == RC_OK && n > PTRDIFF_MAX)
		rc = err_set(e, "%" PRIu64 " bytes do not fit into this machine's address space", n);
	if (rc == RC_OK) {
		p = mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			rc = err_set(e, "%" PRIu64 " bytes of a temporary file cannot be mapped: %s", n,
				     strerror(errno));
		else
			*out = (struct bytes){p, (size_t)n};
	}
	close(fd);
	return rc;
}

enum rc source_unpack(struct source *s, uint32_t member, struct err *e)
{
	const struct member *m = &s->members[member];
	uint64_t size = m->size, limit = unpack_limit(m->kind == MEMBER_DEFLATED ? m->packed.n : size);
	struct stream *in;
	enum rc rc;
	int fd;

	if (m->kind == MEMBER_MAPPED)
		return RC_OK;
	if (size > limit)
		return unpack_too_much(limit, e);
	fd = spool_open(e);
	if (fd < 0)
		return RC_FAIL;
	rc = stream_open(&in, s, (struct span){member, 0, size}, e);
	if (rc == RC_OK) {
		rc = copy_stream(s, in, size, fd, e);
		stream_close(in);
	}
	if (rc == RC_OK && size)
		rc = source_map_into(s, member, fd, size, e);
	if (rc == RC_OK)
		s->members[member].kind = MEMBER_MAPPED;
	close(fd);
	return rc;
}

/* ---- zlib streams ---- */

static enum rc inflate_into(struct spool *sp, struct bytes in, uint64_t *packed, struct err *e)
{
	uint8_t *buf = xmalloc(HELD);
	struct bytes rest = in;
	z_stream z = {0};
	enum rc rc = RC_OK;
	int k = Z_OK;

	inflate_begin(&z, MAX_WBITS + 32); /* of either kind */
	while (rc == RC_OK && k == Z_OK) {
		if (!z.avail_in) {
			z.next_in = (Bytef *)(uintptr_t)rest.p;
			z.avail_in = (uInt)u64_min(rest.n, 1 << 30);
			rest.p += z.avail_in;
			rest.n -= z.avail_in;
		}
		z.next_out = buf;
		z.avail_out = HELD;
		k = inflate_step(&z, Z_NO_FLUSH);
		if (k == Z_OK || k == Z_STREAM_END)
			rc = spool_put(sp, buf, HELD - z.avail_out, e);
		if (rc == RC_OK)
			rc = unpack_tell(sp->source, sp->size, in.n - rest.n - z.avail_in, in.n, e);
	}
	if (rc == RC_OK && k != Z_STREAM_END)
		rc = err_set(e, "the zlib stream %s after %" PRIu64 " inflated bytes",
			     k == Z_BUF_ERROR ? "ends" : "is broken", sp->size);
	*packed = in.n - rest.n - z.avail_in;
	inflateEnd(&z);
	free(buf);
	return rc;
}

enum rc source_inflate(struct source *s, uint32_t member, uint64_t offset, uint32_t *out, uint64_t *packed,
		       struct err *e)
{
	struct bytes in = s->members[member].data;
	struct err ignored;
	struct spool *sp;

	if (spool_begin(&sp, s, s->members[member].name, e) != RC_OK)
		return RC_FAIL;
	*out = spool_member(sp);
	sp->limit = unpack_limit(in.n - offset);
	if (inflate_into(sp, (struct bytes){in.p + offset, (size_t)(in.n - offset)}, packed, e) != RC_OK) {
		spool_end(sp, &ignored);
		return RC_FAIL;
	}
	return spool_end(sp, e);
}

size_t zlib_head(struct bytes stream, uint8_t *out, size_t n)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)stream.p, .avail_in = (uInt)u64_min(stream.n, 1 << 20)};
	int k;

	if (stream.n < 2 || (stream.p[0] & 15) != 8 || ((unsigned)stream.p[0] << 8 | stream.p[1]) % 31)
		return 0;
	inflate_begin(&z, MAX_WBITS);
	z.next_out = out;
	z.avail_out = (uInt)n;
	do
		k = inflate_step(&z, Z_NO_FLUSH);
	while (k == Z_OK && z.avail_out && z.avail_in);
	inflateEnd(&z);
	return k == Z_OK || k == Z_STREAM_END || k == Z_BUF_ERROR ? n - z.avail_out : 0;
}

size_t packed_head(struct bytes packed, uint8_t *out, size_t n)
{
	struct decompress *d = decompress_looks(packed) ? decompress_new(packed) : NULL;
	ptrdiff_t k = d != NULL;
	size_t got = 0;

	while (k > 0 && got < n) {
		const void *p;

		k = decompress_next(d, &p);
		if (k > 0) {
			size_t some = (size_t)u64_min((uint64_t)k, n - got);

			memcpy(out + got, p, some);
			got += some;
		}
	}
	decompress_free(d);
	return got;
}
