#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sandbox.h"

enum { BUFFER = 1 << 16 };

struct outfile {
	int fd;
	char *path;   /* where it goes; NULL: it is written in place */
	char *beside; /* its name until then; NULL: it has none yet */
	size_t held;
	uint8_t buffer[BUFFER];
};

/* "DIR/.weigh.END" beside a path. */
static char *name_beside(const char *path, const char *end)
{
	char *copy = xstrdup(path);
	struct buf b = {0};

	buf_printf(&b, "%s/.weigh.%s", dirname(copy), end);
	free(copy);
	return b.p;
}

/* Without a name nothing is left behind, however the program ends. It gets one by way of /proc. */
static int open_nameless(const char *path)
{
	int fd = -1;
#ifdef O_TMPFILE
	char *copy = xstrdup(path);

	if (access("/proc/self/fd", X_OK) == 0)
		fd = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	free(copy);
#else
	(void)path;
#endif
	return fd;
}

static mode_t mode_of_new_files(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/* A symbolic link stays one: what it points to is replaced. */
static char *resolve(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : xstrdup(path);
}

static enum rc refused(const char *path, struct err *e)
{
	const char *why = strerror(errno);
	char *copy = xstrdup(path);

	err_set(e, "cannot be made: %s%s", why, sandbox_hint(dirname(copy)));
	free(copy);
	return RC_FAIL;
}

static enum rc open_beside(struct outfile *o, mode_t mode, struct err *e)
{
	o->fd = open_nameless(o->path);
	if (o->fd < 0) {
		char *name = name_beside(o->path, "XXXXXX");

		o->fd = mkstemp(name);
		if (o->fd >= 0)
			o->beside = name;
		else
			free(name);
	}
	if (o->fd >= 0 && fchmod(o->fd, mode) == 0)
		return RC_OK;
	return refused(o->path, e);
}

enum rc outfile_open(struct outfile **out, const char *path, struct err *e)
{
	struct outfile *o = xcalloc(1, sizeof(*o));
	struct stat st;
	bool there = stat(path, &st) == 0;
	enum rc rc = RC_OK;

	*out = NULL;
	o->fd = -1;
	if (there && S_ISDIR(st.st_mode)) {
		rc = err_set(e, "is a directory");
	} else if (there && !S_ISREG(st.st_mode)) {
		o->fd = open(path, O_WRONLY | O_CLOEXEC);
		if (o->fd < 0)
			rc = err_set(e, "cannot be opened: %s", strerror(errno));
	} else if (there && access(path, W_OK) != 0) { /* it could be replaced, but was not meant to be */
		rc = err_set(e, "cannot be written to: %s", strerror(errno));
	} else {
		o->path = resolve(path);
		rc = open_beside(o, there ? st.st_mode & 0777 : mode_of_new_files(), e);
	}
	if (rc == RC_OK)
		*out = o;
	else
		outfile_close(o);
	return rc;
}

static enum rc flush(struct outfile *o, struct err *e)
{
	size_t at = 0;

	while (at < o->held) {
		ssize_t k = write(o->fd, o->buffer + at, o->held - at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_set(e, "cannot be written: %s", strerror(errno));
		at += (size_t)k;
	}
	o->held = 0;
	return RC_OK;
}

enum rc outfile_write(struct outfile *o, const void *p, size_t n, struct err *e)
{
	const uint8_t *from = p;

	while (n) {
		size_t k = (size_t)u64_min(n, BUFFER - o->held);

		memcpy(o->buffer + o->held, from, k);
		o->held += k;
		from += k;
		n -= k;
		if (o->held == BUFFER && flush(o, e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

/* A nameless file gets the name beside first, since none can be put over one that is there. */
static bool name_it(struct outfile *o)
{
	char from[40], end[40];
	int err = EEXIST;

	snprintf(from, sizeof(from), "/proc/self/fd/%d", o->fd);
	for (int tries = 0; tries < 100; tries++) {
		char *name;

		snprintf(end, sizeof(end), "%ld.%d", (long)getpid(), tries);
		name = name_beside(o->path, end);
		if (linkat(AT_FDCWD, from, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
			o->beside = name;
			return true;
		}
		err = errno;
		free(name);
		if (err != EEXIST)
			break;
	}
	errno = err;
	return false;
}

enum rc outfile_commit(struct outfile *o, struct err *e)
{
	int fd = o->fd;

	if (flush(o, e) != RC_OK)
		return RC_FAIL;
	if (o->path && !o->beside && !name_it(o))
		return err_set(e, "cannot be put in its place: %s", strerror(errno));
	o->fd = -1;
	if (close(fd) != 0)
		return err_set(e, "cannot be written: %s", strerror(errno));
	if (o->path && rename(o->beside, o->path) != 0)
		return err_set(e, "cannot be put in its place: %s", strerror(errno));
	free(o->beside);
	o->beside = NULL;
	return RC_OK;
}

void outfile_close(struct outfile *o)
{
	if (!o)
		return;
	if (o->fd >= 0)
		close(o->fd);
	if (o->beside)
		unlink(o->beside);
	free(o->beside);
	free(o->path);
	free(o);
}
