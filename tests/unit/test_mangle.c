/*
 * Small sound files, $FIXTURES/mangle/NAME/ each, cut off at every byte and with every byte changed: each is read, or
 * refused with a sentence; nothing crashes, and under sanitizers nothing is read where there is nothing. What else
 * stands in the directory stays as it is.
 * timeout: 120
 */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/format.h"
#include "model/checksum.h"
#include "num/decode.h"
#include "num/feed.h"

enum {
	ELEMENTS = 100000,
	TRIED = 1500, /* bytes of a file; of longer ones, that many evenly spaced */
	FORKED = 200  /* where each takes a process of its own */
};

static struct {
	unsigned opened, refused;
} count;

static void join(char path[PATH_MAX], const char *dir, const char *name)
{
	assert_true(strlen(dir) + strlen(name) + 2 < PATH_MAX);
	strcpy(path, dir);
	strcat(path, "/");
	strcat(path, name);
}

static void read_tensor(const struct model *m, const struct tensor *t)
{
	struct feed *f;
	struct err e;

	if (!t->trouble && t->count && t->count <= ELEMENTS) {
		assert_int_equal(feed_open(&f, m, t, FEED_LOGICAL, &e), RC_OK);
		if (!feed_get(f, 0, (size_t)t->count, &e))
			assert_true(strlen(e.msg) > 0);
		feed_close(f);
	}
	if (tensor_check_sum(m, t, &e) != RC_OK)
		assert_true(strlen(e.msg) > 0);
}

static void try_file(const char *path)
{
	struct model m;
	struct err e = {""};

	if (model_open(&m, path, NULL, NULL, &e) != RC_OK) {
		assert_true(strlen(e.msg) > 0);
		count.refused++;
		return;
	}
	model_finish(&m, decode_can);
	for (size_t i = 0; i < m.n_tensors; i++)
		read_tensor(&m, &m.tensors[i]);
	model_close(&m);
	count.opened++;
}

static void put(const char *path, const uint8_t *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
}

/* In place: a file that is written anew each time costs the disk a hundred times as much. */
static void mangle_file(const char *path, uint8_t *p, size_t n, size_t most)
{
	size_t step = n > most ? n / most : 1;
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	for (size_t i = 0; i < n; i += step) {
		const uint8_t was = p[i], others[] = {0, 0xff, (uint8_t)(was ^ 0x80), (uint8_t)(was + 1), (uint8_t)(was - 1)};

		for (size_t k = 0; k < COUNT(others); k++) {
			assert_int_equal(pwrite(fd, &others[k], 1, (off_t)i), 1);
			try_file(path);
		}
		assert_int_equal(pwrite(fd, &was, 1, (off_t)i), 1);
	}
	for (size_t i = (n - 1) / step + 1; i-- > 0;) {
		assert_int_equal(ftruncate(fd, (off_t)(i * step)), 0);
		try_file(path);
	}
	assert_int_equal(pwrite(fd, p, n, 0), n);
	close(fd);
}

static uint8_t *read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = malloc(1 << 16);

	assert_non_null(f);
	*n = fread(p, 1, 1 << 16, f);
	fclose(f);
	return p;
}

/* Calls do_file for each file in the directory. */
static void each_file(const char *dir, void (*do_file)(const char *dir, const char *name))
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			do_file(dir, entry->d_name);
	closedir(d);
}

static void copy_file(const char *dir, const char *name)
{
	char path[PATH_MAX];
	uint8_t *p;
	size_t n;

	join(path, dir, name);
	p = read_file(path, &n);
	join(path, "m", name);
	put(path, p, n);
	free(p);
}

static void one_file(const char *dir, const char *name)
{
	char path[PATH_MAX];
	uint8_t *p;
	size_t n;

	join(path, dir, name);
	p = read_file(path, &n);
	mangle_file(path, p, n, memcmp(p, "\x89HDF", 4) == 0 ? FORKED : TRIED);
	free(p);
}

static void remove_file(const char *dir, const char *name)
{
	char path[PATH_MAX];

	join(path, dir, name);
	unlink(path);
}

static void one_fixture(const char *dir, const char *name)
{
	char path[PATH_MAX];

	join(path, dir, name);
	mkdir("m", 0777);
	each_file(path, copy_file);
	each_file("m", one_file);
	each_file("m", remove_file);
	rmdir("m");
}

static void mangled(void **state)
{
	const char *fixtures = getenv("FIXTURES");
	char path[PATH_MAX];
	struct stat st;
	(void)state;

	join(path, fixtures ? fixtures : ".", "mangle");
	if (stat(path, &st) != 0)
		skip();
	each_file(path, one_fixture);
	assert_true(count.opened > 100);
	assert_true(count.refused > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(mangled)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
