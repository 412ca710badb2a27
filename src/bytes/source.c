#include "bytes/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "bytes/member.h"
#include "bytes/stream.h"

struct mapping {
	struct mapping *next;
	void *p;
	size_t n;
	uint32_t member;
	int fd;             /* of the same file, for source_copy; -1: not kept */
	const char *beside; /* as of source_map */
	struct guard *guard; /* NULL: there were too many */
	bool named;         /* it had a name when it was opened: it is no temporary file */
	struct timespec modified;
};

/*
 * What the handler of SIGBUS needs to know, at a fixed place: nothing of it is ever freed, and all of it may be read at
 * any moment. n is 0 while the place is unused.
 */
enum { GUARDS = 4096 };
static struct guard {
	atomic_uintptr_t start;
	atomic_size_t n;
	atomic_size_t lost; /* from this byte on; SIZE_MAX: all is there */
} guards[GUARDS];
static pthread_mutex_t guards_lock = PTHREAD_MUTEX_INITIALIZER;

static struct guard *guard_new(const void *p, size_t n)
{
	struct guard *g = guards;

	pthread_mutex_lock(&guards_lock);
	while (g < guards + GUARDS && g->n)
		g++;
	if (g == guards + GUARDS) {
		g = NULL;
	} else {
		g->start = (uintptr_t)p;
		g->lost = SIZE_MAX;
		g->n = n; /* the last: from now on it counts */
	}
	pthread_mutex_unlock(&guards_lock);
	return g;
}

static void note_lost(struct guard *g, size_t from)
{
	size_t before = g->lost;

	while (from < before && !atomic_compare_exchange_weak(&g->lost, &before, from))
		;
}

static atomic_bool outlives;

void source_outlive(void)
{
	outlives = true;
}

/* Pages beyond a file's end are lost all at once: with the first one that is touched go all behind it. */
bool source_recover(void *address)
{
	const int flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE;
	uintptr_t at = (uintptr_t)address, page = (uintptr_t)sysconf(_SC_PAGESIZE);

	for (struct guard *g = guards; outlives && g < guards + GUARDS; g++) {
		uintptr_t start = g->start;
		size_t n = g->n, from;

		if (n == 0 || at < start || at - start >= n)
			continue;
		from = (at - start) / page * page;
		/* cppcheck-suppress[leakReturnValNotUsed,invalidFunctionArg] ; at a fixed place, and of no file */
		if (mmap((void *)(start + from), n - from, PROT_READ, flags, -1, 0) == MAP_FAILED)
			return false;
		note_lost(g, from);
		return true;
	}
	return false;
}

/* Of a model in thousands of files not every one stays open: the others are mapped all the same. */
enum { FILES_KEPT = 128 };

uint32_t source_add(struct source *s, struct member m)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 4;
		s->members = xrealloc(s->members, s->cap, sizeof(*s->members));
	}
	m.name = arena_str(&s->arena, m.name);
	s->members[s->n] = m;
	return (uint32_t)s->n++;
}

enum rc source_map_into(struct source *s, uint32_t member, int fd, uint64_t size, struct err *e)
{
	struct mapping *map;
	struct stat st;
	void *p;

	if (size > PTRDIFF_MAX)
		return err_set(e, "%" PRIu64 " bytes do not fit into this machine's address space", size);
	p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_set(e, "cannot be mapped: %s", strerror(errno));
	s->members[member].data = (struct bytes){p, (size_t)size};
	s->members[member].size = size;
	map = arena_new(&s->arena, struct mapping, 1);
	*map = (struct mapping){.next = s->mappings, .p = p, .n = (size_t)size, .member = member, .fd = -1};
	map->guard = guard_new(p, (size_t)size);
	if (fstat(fd, &st) == 0) {
		map->named = st.st_nlink > 0;
		map->modified = st.st_mtim;
	}
	if (s->kept < FILES_KEPT && (map->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) >= 0)
		s->kept++;
	s->mappings = map;
	return RC_OK;
}

enum rc source_room(const struct source *s, uint64_t n, struct err *e)
{
	return n <= limits.members && s->n <= limits.members - n ? RC_OK : limits_passed(&limits.members, e);
}

enum rc source_map(struct source *s, int fd, uint64_t size, const char *name, const char *beside, uint32_t *member,
		   struct err *e)
{
	if (source_room(s, 1, e) != RC_OK)
		return RC_FAIL;
	*member = source_add(s, (struct member){.name = str_of(name)});
	s->members[*member].file = *member;
	if (source_map_into(s, *member, fd, size, e) != RC_OK) {
		s->n--;
		return RC_FAIL;
	}
	if (beside)
		s->mappings->beside = arena_str(&s->arena, str_of(beside)).p;
	return RC_OK;
}

/* ---- pipes ---- */

/* Reads what is there, and waits where nothing is: a pipe that was opened by name does not block. */
static ssize_t read_pipe(int fd, void *buf, size_t n)
{
	for (;;) {
		ssize_t k = read(fd, buf, n);

		if (k >= 0 || (errno != EINTR && errno != EAGAIN))
			return k;
		if (errno == EAGAIN)
			poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
	}
}

static enum rc copy_pipe(const struct source *s, int from, int to, uint64_t *size, struct err *e)
{
	enum { STEP = 256 * 1024 };
	uint64_t limit = unpack_limit(UINT64_MAX);
	uint8_t *buf = xmalloc(STEP);
	enum rc rc = RC_OK;
	ssize_t n;

	*size = 0;
	while (rc == RC_OK && (n = read_pipe(from, buf, STEP)) != 0) {
		if (n < 0)
			rc = err_set(e, "cannot be read: %s", strerror(errno));
		else if ((*size += (uint64_t)n) > limit)
			rc = err_set(e, "more than %" PRIu64 " bytes came through the pipe: refused "
				     "(--unpack allows more)", limit);
		else
			rc = spool_write(to, buf, (size_t)n, e);
		if (rc == RC_OK)
			rc = unpack_tell(s, *size, *size, 0, e);
	}
	free(buf);
	if (rc == RC_OK && *size == 0)
		return err_set(e, "nothing came through the pipe");
	return rc;
}

enum rc source_spool_pipe(struct source *s, int fd, const char *name, uint32_t *member, struct err *e)
{
	int temp = spool_open(e);
	uint64_t size;
	enum rc rc;

	if (temp < 0)
		return RC_FAIL;
	rc = copy_pipe(s, fd, temp, &size, e);
	if (rc == RC_OK)
		rc = source_map(s, temp, size, name, NULL, member, e);
	close(temp);
	return rc;
}

/* ---- opening ---- */

static enum rc add_fd(struct source *s, int fd, const char *name, const char *beside, uint32_t *member, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set(e, "cannot be read: %s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set(e, "is a directory");
	if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		return source_spool_pipe(s, fd, name, member, e);
	if (!S_ISREG(st.st_mode))
		return err_set(e, "is a device, not a file");
	if (st.st_size <= 0)
		return err_set(e, "is empty");
	return source_map(s, fd, (uint64_t)st.st_size, name, beside, member, e);
}

static enum rc add_path(struct source *s, const char *path, uint32_t *member, struct err *e)
{
	/* A named pipe is not waited for, and a terminal does not become ours. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum rc rc;

	if (fd < 0)
		return err_set(e, "cannot be opened: %s", strerror(errno));
	rc = add_fd(s, fd, path, path, member, e);
	close(fd);
	return rc;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Where in ARCHIVE:ENTRY the entry begins: after the first colon with a file's name before it. NULL: nowhere. */
static const char *entry_part(struct source *s, const char *path, const char **archive)
{
	for (const char *colon = path; (colon = strchr(colon, ':')); colon++) {
		*archive = arena_str(&s->arena, (struct str){path, (size_t)(colon - path)}).p;
		if (colon[1] && is_file(*archive))
			return colon + 1;
	}
	return NULL;
}

static void unmap(struct mapping *map)
{
	if (map->guard)
		map->guard->n = 0;
	munmap(map->p, map->n);
	if (map->fd >= 0)
		close(map->fd);
}

enum rc source_open(struct source *s, const char *path, enum entry_kind (*look)(struct bytes, const char *),
		    uint32_t *member, struct err *e)
{
	const char *archive = NULL, *entry = NULL;
	struct bytes data;
	enum rc rc;

	if (strcmp(path, "-") == 0) {
		rc = add_fd(s, STDIN_FILENO, "-", NULL, member, e);
	} else {
		if (access(path, F_OK) != 0)
			entry = entry_part(s, path, &archive);
		rc = add_path(s, entry ? archive : path, member, e);
	}
	if (rc != RC_OK)
		return rc;
	data = s->members[*member].data;
	if (entry)
		return source_add_archive(s, *member, archive, entry, look, member, e);
	if (!look || look(data, path) != ENTRY_OTHER || !archive_looks(data))
		return RC_OK;
	return source_add_archive(s, *member, path, NULL, look, member, e);
}

/* ---- files beside a file ---- */

static const char *beside_of(const struct source *s, uint32_t member)
{
	for (const struct mapping *m = s->mappings; m; m = m->next)
		if (m->member == member)
			return m->beside;
	return NULL;
}

static bool plain_name(struct str name)
{
	return name.n && name.n <= NAME_MAX && !memchr(name.p, '/', name.n) && !memchr(name.p, '\\', name.n) &&
	       !memchr(name.p, '\0', name.n) && !str_eq(name, STR(".")) && !str_eq(name, STR(".."));
}

static bool below(const char *path, const char *dir, size_t n)
{
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || (n && dir[n - 1] == '/'));
}

/*
 * Whether a file that dir/name resolves to may be opened. Links that leave the directory are refused, but for the
 * layout of the Hugging Face cache: X/snapshots/REVISION/name is a link to X/blobs/HASH.
 */
static bool stays_inside(const char *dir, const char *target)
{
	const char *slash = strrchr(dir, '/');
	const char *suffix = "/snapshots";
	size_t n, k = strlen(suffix);

	if (below(target, dir, strlen(dir)))
		return true;
	n = slash ? (size_t)(slash - dir) : 0;
	if (n <= k || strncmp(dir + n - k, suffix, k) != 0)
		return false;
	return below(target, dir, n - k) && strncmp(target + (n - k), "/blobs/", 7) == 0;
}

static const char *dir_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return arena_str(a, (struct str){path, slash == path ? 1 : (size_t)(slash - path)}).p;
}

/* For the caller to free; NULL: there is no such file, and errno says why. */
static char *resolved(const char *path)
{
	char *real = realpath(path, NULL);

	if (!real && errno == ENOMEM)
		die("out of memory"); /* the file may well be there */
	return real;
}

static enum rc open_inside(const char *dir, const char *path, int *fd, struct err *e)
{
	char *real_dir = resolved(dir), *target = resolved(path);
	enum rc rc = RC_OK;

	if (!real_dir || !target)
		/* NOLINTNEXTLINE(bugprone-branch-clone): errno is of another call */
		rc = err_set(e, "cannot be opened: %s", strerror(errno));
	else if (!stays_inside(real_dir, target))
		rc = err_set(e, "is a link out of its directory: not followed");
	else if ((*fd = open(target, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)) < 0)
		rc = err_set(e, "cannot be opened: %s", strerror(errno));
	free(real_dir);
	free(target);
	return rc;
}

static enum rc open_in_directory(struct source *s, uint32_t beside, struct str name, uint32_t *member, struct err *e)
{
	const char *path = beside_of(s, beside), *dir;
	struct stat st;
	enum rc rc;
	int fd = -1;

	if (!path)
		return err_set(e, "cannot be found: the file that names it stands in no directory");
	dir = dir_of(&s->arena, path);
	path = strchr(path, '/') ? arena_printf(&s->arena, "%s/%.*s", strcmp(dir, "/") ? dir : "", (int)name.n, name.p)
				 : arena_str(&s->arena, name).p;
	if (open_inside(dir, path, &fd, e) != RC_OK)
		return RC_FAIL;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		rc = err_set(e, "is not a regular file");
	else
		rc = add_fd(s, fd, path, path, member, e);
	close(fd);
	return rc;
}

enum rc source_open_beside(struct source *s, uint32_t beside, struct str name, uint32_t *member, struct err *e)
{
	if (!plain_name(name))
		return err_set(e, "is not the name of a file in the same directory");
	if (s->members[beside].entry)
		return source_archive_beside(s, beside, name, member, e);
	return open_in_directory(s, beside, name, member, e);
}

static bool plain_path(struct str path)
{
	size_t from = 0;

	if (path.n >= PATH_MAX)
		return false;
	for (size_t i = 0; i <= path.n; i++)
		if (i == path.n || path.p[i] == '/') {
			if (!plain_name((struct str){path.p + from, i - from}))
				return false;
			from = i + 1;
		}
	return true;
}

enum rc source_open_below(struct source *s, uint32_t beside, struct str path, uint32_t *member, struct err *e)
{
	if (!plain_path(path))
		return err_set(e, "is not a plain path to a file in the same directory or below it");
	if (s->members[beside].entry)
		return source_archive_beside(s, beside, path, member, e);
	return open_in_directory(s, beside, path, member, e);
}

/* ---- reading ---- */

bool source_slice(const struct source *s, struct span span, struct bytes *out)
{
	const struct member *m;

	if (span.member >= s->n)
		return false;
	m = &s->members[span.member];
	if (m->kind != MEMBER_MAPPED || span.offset > m->data.n || span.length > m->data.n - span.offset)
		return false;
	/* a spool that nothing was put into has no bytes at all, and nothing is to be added to that */
	*out = (struct bytes){span.offset ? m->data.p + span.offset : m->data.p, (size_t)span.length};
	return true;
}

/* The mapping that a span's bytes stand in, and where in it; NULL: none, or its file is not at hand. */
static const struct mapping *mapping_of(const struct source *s, struct span span, uint64_t *offset)
{
	struct bytes b;

	if (!source_slice(s, span, &b) || !b.n)
		return NULL;
	for (const struct mapping *m = s->mappings; m; m = m->next) {
		const uint8_t *start = m->p;

		if (b.p >= start && b.p - start < (ptrdiff_t)m->n) {
			*offset = (uint64_t)(b.p - start);
			return m->fd >= 0 ? m : NULL;
		}
	}
	return NULL;
}

/* ---- files that change ---- */

/* Of what does not stand in a file as it is, any part may have been needed for it. */
bool source_lost(const struct source *s, struct span span)
{
	struct bytes b = {NULL, 0};
	bool plain = source_slice(s, span, &b);

	for (const struct mapping *m = s->mappings; m; m = m->next) {
		size_t lost = m->guard ? m->guard->lost : SIZE_MAX;
		const uint8_t *start = m->p;

		if (lost == SIZE_MAX)
			continue;
		if (!plain)
			return true;
		if (b.n && b.p >= start && b.p - start < (ptrdiff_t)m->n && (size_t)(b.p - start) + b.n > lost)
			return true;
	}
	return false;
}

static enum source_news watch(const struct mapping *m)
{
	struct stat st;

	if (m->fd < 0 || !m->named || fstat(m->fd, &st) != 0)
		return SOURCE_SAME;
	if (st.st_size >= 0 && (uint64_t)st.st_size < m->n) {
		if (m->guard)
			note_lost(m->guard, (size_t)st.st_size);
		return SOURCE_SHRANK;
	}
	if (st.st_nlink == 0)
		return SOURCE_GONE;
	return st.st_mtim.tv_sec == m->modified.tv_sec && st.st_mtim.tv_nsec == m->modified.tv_nsec ? SOURCE_SAME :
											       SOURCE_TOUCHED;
}

enum source_news source_watch(const struct source *s, struct str *name)
{
	enum source_news worst = SOURCE_SAME;

	for (const struct mapping *m = s->mappings; m; m = m->next) {
		enum source_news news = watch(m);

		if (news <= worst)
			continue;
		worst = news;
		*name = s->members[m->member].name;
	}
	return worst;
}

bool source_can_copy(const struct source *s, struct span span)
{
	uint64_t offset;

	return mapping_of(s, span, &offset) != NULL;
}

enum rc source_copy(const struct source *s, struct span span, void *out, struct err *e)
{
	uint64_t at;
	const struct mapping *m = mapping_of(s, span, &at);
	uint8_t *p = out;

	if (!m)
		return err_set(e, "its bytes do not stand in a file");
	for (uint64_t left = span.length; left;) {
		ssize_t n = pread(m->fd, p, (size_t)u64_min(left, 1 << 30), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, "cannot be read (byte %" PRIu64 "): %s", at, strerror(errno));
		if (n == 0)
			return err_set(e, "the file shrank while it was open: it ends at byte %" PRIu64, at);
		p += n;
		at += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return RC_OK;
}

int source_descriptor(const struct source *s, struct span span, uint64_t *offset, struct err *e)
{
	const struct mapping *m = mapping_of(s, span, offset);
	struct bytes b;
	int fd;

	if (m) {
		fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			err_set(e, "cannot be opened again: %s", strerror(errno));
		return fd;
	}
	if (!source_slice(s, span, &b)) {
		err_set(e, "its bytes do not stand in a file");
		return -1;
	}
	*offset = 0;
	fd = spool_open(e);
	if (fd >= 0 && spool_write(fd, b.p, b.n, e) != RC_OK) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Pages are mapped with one call instead of a fault each: on a virtual machine a fault may cost more than what is done
 * with the page. A kernel that does not know the call maps them as they are touched. */
void source_expect(const struct source *s, struct span span)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), before;
	struct bytes b;

	if (!source_slice(s, span, &b) || !b.n)
		return;
	before = (uintptr_t)b.p % page;
#ifdef MADV_POPULATE_READ
	if (madvise((void *)(uintptr_t)(b.p - before), b.n + before, MADV_POPULATE_READ) == 0)
		return;
#endif
	madvise((void *)(uintptr_t)(b.p - before), b.n + before, MADV_WILLNEED);
}

void source_forget(const struct source *s, struct span span)
{
	uint64_t at, page = (uint64_t)sysconf(_SC_PAGESIZE), skip;
	const struct mapping *m = mapping_of(s, span, &at);

	skip = m ? (page - at % page) % page : 0;
	if (!m || span.length <= skip + page)
		return;
	/* what is mapped is not given up: first the mapping's own pages */
	madvise((uint8_t *)m->p + at + skip, (size_t)((span.length - skip) / page * page), MADV_DONTNEED);
	posix_fadvise(m->fd, (off_t)(at + skip), (off_t)((span.length - skip) / page * page), POSIX_FADV_DONTNEED);
}

enum rc source_head(struct source *s, uint32_t member, size_t n, struct bytes *out, struct err *e)
{
	struct span span = {member, 0, u64_min(n, s->members[member].size)};
	struct stream *stream;
	uint8_t *p;
	enum rc rc;

	if (source_slice(s, span, out))
		return RC_OK;
	p = arena_new(&s->arena, uint8_t, (size_t)span.length);
	*out = (struct bytes){p, (size_t)span.length};
	if (stream_open(&stream, s, span, e) != RC_OK)
		return RC_FAIL;
	rc = stream_read(stream, p, out->n, e);
	stream_close(stream);
	return rc;
}

void source_close(struct source *s)
{
	for (struct mapping *m = s->mappings; m; m = m->next)
		unmap(m);
	free(s->members);
	arena_free(&s->arena);
	*s = (struct source){0};
}
