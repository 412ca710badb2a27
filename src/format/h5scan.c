#include "format/h5scan.h"

#ifndef HAVE_HDF5

const char *h5_version(void)
{
	return NULL;
}

void h5_needs(struct sandbox *box)
{
	(void)box;
}

enum rc h5_scan(const struct source *s, struct span file, struct spool *sp, struct buf *records, struct err *e)
{
	(void)s;
	(void)file;
	(void)sp;
	(void)records;
	return err_set(e, "this build cannot read HDF5 (it was configured without libhdf5)");
}

#else

#include <H5public.h> /* for its version: nothing here is linked with it */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include "base/version.h"

#define QUOTED(x) #x
#define WORD(x) QUOTED(x)

const char *h5_version(void)
{
	return WORD(H5_VERS_MAJOR) "." WORD(H5_VERS_MINOR) "." WORD(H5_VERS_RELEASE);
}

/* ---- the other program ---- */

/* The file that this program was started from; false where the system does not say. */
static bool own_path(char *path, size_t size)
{
#if defined(__linux__)
	ssize_t n = readlink("/proc/self/exe", path, size - 1);

	if (n <= 0 || (size_t)n >= size - 1)
		return false;
	path[n] = '\0';
	return path[0] == '/';
#elif defined(__APPLE__)
	uint32_t n = (uint32_t)size;

	return _NSGetExecutablePath(path, &n) == 0 && path[0] == '/';
#else
	(void)path;
	(void)size;
	return false;
#endif
}

/* Beside this program, where it is before anything is installed; else where it is installed to. What PATH or the
 * environment say is nothing to go by. */
static enum rc find_program(struct buf *path, struct err *e)
{
	static const char installed[] = HELPER_DIR "/" H5_PROGRAM;
	char own[PATH_MAX];

	if (own_path(own, sizeof(own))) {
		buf_printf(path, "%.*s/" H5_PROGRAM, (int)(strrchr(own, '/') - own), own);
		if (access(path->p, X_OK) == 0)
			return RC_OK;
	}
	if (access(installed, X_OK) != 0)
		return err_set(e, "HDF5 is read by the program " H5_PROGRAM ", which is not there (looked for: %s%s%s)",
			       path->n ? path->p : "", path->n ? ", " : "", installed);
	buf_clear(path);
	buf_puts(path, installed);
	return RC_OK;
}

void h5_needs(struct sandbox *box)
{
	struct buf path = {0};
	struct err e;

	if (find_program(&path, &e) == RC_OK)
		sandbox_allow(box, path.p, SANDBOX_RUN);
	buf_free(&path);
}

/* Between fork and exec, where other threads may have held any lock: only calls that are safe there. Nothing of this
 * program's own is to be touched: not the terminal, not what it would print, no other file. */
static _Noreturn void become(const char *path, char *const argv[], const int fds[H5_FD_END])
{
	int high[H5_FD_END];

	for (int i = 0; i < H5_FD_END; i++) /* out of the way of one another */
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, H5_FD_END);
	for (int i = 0; i < H5_FD_END; i++)
		if (high[i] < 0 || dup2(high[i], i) < 0)
			_exit(H5_NO_START);
#ifdef SYS_close_range /* ours are closed on exec; these are others', which this program was started with */
	syscall(SYS_close_range, (unsigned)H5_FD_END, ~0U, 0U);
#endif
	execv(path, argv);
	_exit(H5_NO_START);
}

/* Starts it with the file, the spool and the pipe's end. */
static pid_t start(const char *path, int file, uint64_t offset, uint64_t length, int spool, uint64_t most, int pipe)
{
	char name[] = H5_PROGRAM, version[] = WEIGH_VERSION, from[24], n[24], limit[24];
	char *const argv[] = {name, version, from, n, limit, NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), why;
	pid_t pid = -1;

	snprintf(from, sizeof(from), "%" PRIu64, offset);
	snprintf(n, sizeof(n), "%" PRIu64, length);
	snprintf(limit, sizeof(limit), "%" PRIu64, most);
	if (null >= 0)
		pid = fork();
	if (pid == 0) {
		int fds[H5_FD_END] = {null, null, null, file, spool, pipe};

#ifdef SANITIZED /* which has something to say */
		if (fcntl(STDERR_FILENO, F_GETFD) >= 0)
			fds[STDERR_FILENO] = STDERR_FILENO;
#endif
		become(path, argv, fds);
	}
	why = errno;
	if (null >= 0)
		close(null);
	errno = why;
	return pid;
}

static enum rc collect(int pipe, uint64_t most, struct buf *records, struct err *e)
{
	enum { STEP = 64 * 1024 };
	char *buf = xmalloc(STEP);
	enum rc rc = RC_OK;
	ssize_t n;

	while (rc == RC_OK && (n = read(pipe, buf, STEP)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_set(e, "cannot be read: %s", strerror(errno));
		else if (records->n + (size_t)n > most)
			rc = err_set(e, "libhdf5 finds more in it than it can hold: refused");
		else
			buf_add(records, buf, (size_t)n);
	}
	free(buf);
	return rc;
}

static enum rc wait_for(pid_t pid, const char *path, struct err *e)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return RC_OK; /* somebody else waited; what is missing at the end of the records tells */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return err_set(e, "libhdf5 does not come to an end with it: the file is damaged, or made to do that");
	if (WIFSIGNALED(status))
		return err_set(e, "libhdf5 crashed on it (%s): the file is damaged, or made to do that",
			       strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) == H5_NO_START)
		return err_set(e, "%s, which reads HDF5, does not start; is libhdf5 there?", path);
	if (WEXITSTATUS(status) == H5_OTHER_VERSION)
		return err_set(e, "%s, which reads HDF5, is not of this version (" WEIGH_VERSION ")", path);
	if (WEXITSTATUS(status))
		return err_set(e, "the process that reads it with libhdf5 gave up (status %d)", WEXITSTATUS(status));
	return RC_OK;
}

static enum rc run(const char *path, int file, uint64_t offset, uint64_t length, struct spool *sp, struct buf *records,
		   struct err *e)
{
	uint64_t most = 2 * H5_NAMES_MAX + 2 * H5_ATTRIBUTES_MAX + 16 * length;
	int ends[2];
	pid_t pid;
	enum rc rc, ended;
	struct err why;

	if (pipe(ends) != 0)
		return err_set(e, "no pipe can be made: %s", strerror(errno));
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	pid = start(path, file, offset, length, spool_descriptor(sp), spool_limit(sp), ends[1]);
	if (pid < 0)
		err_set(e, "no process can be made to read it: %s", strerror(errno));
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return RC_FAIL;
	}
	rc = collect(ends[0], most, records, e);
	close(ends[0]); /* one that still writes ends then */
	ended = wait_for(pid, path, &why);
	if (rc == RC_OK && ended != RC_OK)
		rc = err_set(e, "%s", why.msg);
	return rc;
}

enum rc h5_scan(const struct source *s, struct span file, struct spool *sp, struct buf *records, struct err *e)
{
	struct buf path = {0};
	uint64_t offset;
	enum rc rc = find_program(&path, e);
	int fd;

	if (rc == RC_OK) {
		fd = source_descriptor(s, file, &offset, e);
		rc = fd < 0 ? RC_FAIL : run(path.p, fd, offset, file.length, sp, records, e);
		if (fd >= 0)
			close(fd);
	}
	buf_free(&path);
	return rc;
}

#endif
