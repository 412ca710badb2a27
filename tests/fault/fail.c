/*
 * Preloaded before a program: the call number FAIL_AT (from 1) of the function FAIL_CALL fails, once, as it would
 * without memory, with a broken disk, or without room for a thread. FAIL_COUNT names a file that gets the number of
 * calls when the program ends.
 *
 * With FAIL_CALL=shrink it is the file FAIL_FILE that loses its second half when the thread number FAIL_AT is made.
 *
 * What is no failure, and must make no difference: of "short" calls, that read or write a file, one does less than it
 * was asked for, half, at least a byte; of "eintr" calls, the same and those that wait, one is interrupted by a signal.
 * With FAIL_AT=all every third of them is, so that what tries again gets on.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_ulong calls;
static unsigned long at;
static int every;
static char which[32];
static int count_fd = -1;

/* What dlsym allocates while it looks for the allocator itself. */
static char early[4096];
static size_t early_used;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);

__attribute__((constructor)) static void begin(void)
{
	const char *call = getenv("FAIL_CALL"), *n = getenv("FAIL_AT"), *count = getenv("FAIL_COUNT");

	if (strncmp(program_invocation_short_name, "weigh", 5) != 0)
		return; /* one that starts it: a shell, valgrind */
	at = n ? strtoul(n, NULL, 10) : 0;
	every = n && strcmp(n, "all") == 0;
	if (count)
		count_fd = open(count, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (call)
		snprintf(which, sizeof(which), "%s", call);
}

__attribute__((destructor)) static void end(void)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lu\n", calls);

	if (count_fd >= 0 && write(count_fd, text, (size_t)n) < 0)
		_exit(3);
}

static int fails(const char *name)
{
	unsigned long n;

	if (!which[0] || strcmp(which, name) != 0)
		return 0;
	n = ++calls;
	return every ? n % 3 == 1 : n == at;
}

/* Whether a call is interrupted before it did anything. */
static int interrupted(void)
{
	if (!fails("eintr"))
		return 0;
	errno = EINTR;
	return 1;
}

/* These do not look at all that they are given and die of it, in archive_read_open1, newterm and doupdate among others: what
 * they ask for themselves is not counted. */
static const char *const careless[] = {"libarchive", "liblzma", "libncurses", "libtinfo"};

static int no_memory(const void *caller)
{
	Dl_info from;

	if (strcmp(which, "malloc") != 0)
		return 0;
	if (dladdr(caller, &from) && from.dli_fname)
		for (size_t i = 0; i < sizeof(careless) / sizeof(careless[0]); i++)
			if (strstr(from.dli_fname, careless[i]))
				return 0;
	if (!fails("malloc"))
		return 0;
	errno = ENOMEM;
	return 1;
}

/* How many of n bytes a call may do. */
static size_t allowed(size_t n)
{
	return n > 1 && fails("short") ? n / 2 : n;
}

static void *find(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (!p)
		_exit(3);
	return p;
}

static void *from_early(size_t n)
{
	void *p = early + early_used;

	early_used += (n + 15) & ~(size_t)15;
	if (early_used > sizeof(early))
		_exit(3);
	return p;
}

void *malloc(size_t n)
{
	if (!real_malloc)
		real_malloc = (void *(*)(size_t))find("malloc");
	if (no_memory(__builtin_return_address(0)))
		return NULL;
	return real_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	static int looking;

	if (!real_calloc) {
		if (looking)
			return from_early(n * size);
		looking = 1;
		real_calloc = (void *(*)(size_t, size_t))find("calloc");
	}
	if (no_memory(__builtin_return_address(0)))
		return NULL;
	return real_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	if (!real_realloc)
		real_realloc = (void *(*)(void *, size_t))find("realloc");
	if (no_memory(__builtin_return_address(0)))
		return NULL;
	return real_realloc(p, n);
}

/* So that who calls it is seen. */
char *strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p;

	if (!real_malloc)
		real_malloc = (void *(*)(size_t))find("malloc");
	p = no_memory(__builtin_return_address(0)) ? NULL : real_malloc(n);
	return p ? memcpy(p, s, n) : NULL;
}

void free(void *p)
{
	if (!real_free)
		real_free = (void (*)(void *))find("free");
	if ((char *)p < early || (char *)p >= early + sizeof(early))
		real_free(p);
}

ssize_t read(int fd, void *p, size_t n)
{
	ssize_t (*real)(int, void *, size_t) = (ssize_t (*)(int, void *, size_t))find("read");

	if (fails("read")) {
		errno = EIO;
		return -1;
	}
	return interrupted() ? -1 : real(fd, p, allowed(n));
}

ssize_t pread(int fd, void *p, size_t n, off_t from)
{
	ssize_t (*real)(int, void *, size_t, off_t) = (ssize_t (*)(int, void *, size_t, off_t))find("pread");

	if (fails("read")) {
		errno = EIO;
		return -1;
	}
	return interrupted() ? -1 : real(fd, p, allowed(n), from);
}

ssize_t write(int fd, const void *p, size_t n)
{
	ssize_t (*real)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))find("write");

	if (fd > 2 && fails("write")) {
		errno = ENOSPC;
		return -1;
	}
	return interrupted() ? -1 : real(fd, p, allowed(n));
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int (*real)(struct pollfd *, nfds_t, int) = (int (*)(struct pollfd *, nfds_t, int))find("poll");

	return interrupted() ? -1 : real(fds, n, timeout);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	pid_t (*real)(pid_t, int *, int) = (pid_t (*)(pid_t, int *, int))find("waitpid");

	return interrupted() ? -1 : real(pid, status, options);
}

void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t from)
{
	void *(*real)(void *, size_t, int, int, int, off_t) =
		(void *(*)(void *, size_t, int, int, int, off_t))find("mmap");

	if (fails("mmap")) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return real(p, n, prot, flags, fd, from);
}

static void shrink(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st) != 0 || truncate(path, st.st_size / 2) != 0)
		_exit(3);
}

int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))find("pthread_create");

	if (fails("shrink"))
		shrink(getenv("FAIL_FILE"));
	return fails("thread") ? EAGAIN : real(t, a, f, arg);
}
