#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[PATH_MAX - NAME_MAX];

static void remove_dir(void)
{
	rmdir(dir);
}

/* In memory where that can be: a disk is a hundred times slower. */
static void make_dir(void)
{
	const char *parents[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};

	for (size_t i = 0; i < sizeof(parents) / sizeof(*parents); i++)
		if (parents[i] && snprintf(dir, sizeof(dir), "%s/weigh-fuzz.XXXXXX", parents[i]) < (int)sizeof(dir) &&
		    mkdtemp(dir)) {
			atexit(remove_dir);
			return;
		}
	perror("no directory for the files");
	exit(2);
}

/* Letters, digits and a few signs; slashes only between names. */
static int sound_name(const char *name)
{
	if (!*name || strlen(name) > NAME_MAX || strstr(name, "..") || strstr(name, "//") || *name == '/')
		return 0;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") == strlen(name) &&
	       name[strlen(name) - 1] != '/';
}

static void make_parents(char *path)
{
	for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

static int put(struct fuzz_files *f, const char *name, const uint8_t *p, size_t n)
{
	char path[PATH_MAX];
	int fd, whole;

	if (!*dir)
		make_dir();
	if (f->n == FUZZ_FILES || !sound_name(name))
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return 0;
	make_parents(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return 0;
	whole = write(fd, p, n) == (ssize_t)n;
	close(fd);
	f->path[f->n++] = strdup(path);
	return whole;
}

static int put_several(struct fuzz_files *f, const uint8_t *p, const uint8_t *end)
{
	while (p < end) {
		const uint8_t *line_end = memchr(p, '\n', (size_t)(end - p));
		char line[NAME_MAX + 32], name[NAME_MAX + 32];
		unsigned long size;

		if (!line_end || line_end - p >= (ptrdiff_t)sizeof(line))
			return 0;
		memcpy(line, p, (size_t)(line_end - p));
		line[line_end - p] = '\0';
		p = line_end + 1;
		if (sscanf(line, "%286s %lu", name, &size) != 2)
			return 0;
		if (size > (unsigned long)(end - p)) /* what mutations cut off or put in is forgiven */
			size = (unsigned long)(end - p);
		if (!put(f, name, p, size))
			return 0;
		p += size;
	}
	return f->n > 0;
}

int fuzz_write(struct fuzz_files *f, const uint8_t *p, size_t n, const char *name)
{
	static const char first[] = "weigh-fuzz-files\n";
	size_t k = sizeof(first) - 1;

	memset(f, 0, sizeof(*f));
	if (n >= k && memcmp(p, first, k) == 0)
		return put_several(f, p + k, p + n);
	return put(f, name, p, n);
}

void fuzz_remove(struct fuzz_files *f)
{
	while (f->n) {
		char *path = f->path[--f->n], *slash;

		unlink(path);
		while ((slash = strrchr(path, '/')) && (size_t)(slash - path) > strlen(dir)) {
			*slash = '\0';
			rmdir(path);
		}
		free(path);
	}
}
