/*
 * One format, by the name in $FORMAT: a file is opened as it, and of what is found all names, metadata and values are
 * looked at. The formats are those of the program's own table.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "bytes/member.h"
#include "format/format.h"
#include "format/packs.h"
#include "model/checksum.h"
#include "num/decode.h"
#include "num/feed.h"

enum { ELEMENTS = 1 << 14, TENSORS = 200 };

static const struct format *format;
static char name[256];
static const struct unpacking unpacking = {.most = 4 << 20};

/* The file is called as the first of the format's globs says. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *want = getenv("FORMAT"), *glob;
	size_t n = 0;

	(void)argc, (void)argv;
	format = want ? format_by_name(want) : NULL;
	if (!format) {
		fprintf(stderr, "FORMAT=%s: no such format\n", want ? want : "");
		exit(2);
	}
	for (glob = format->files; *glob && *glob != ' ' && n < sizeof(name) - 8; glob++) {
		if (*glob == '*') /* as a number of five digits it is right where a shard's is wanted */
			n += (size_t)sprintf(name + n, "%s", n ? "00001" : "x");
		else
			name[n++] = *glob;
	}
	return 0;
}

static void read_values(const struct model *m, const struct tensor *t)
{
	uint64_t n = t->count < ELEMENTS ? t->count : ELEMENTS;
	struct feed *f;
	struct err e;

	if (t->trouble)
		return;
	n -= n % dtypes[t->type].items;
	if (!n || feed_open(&f, m, t, FEED_LOGICAL, &e) != RC_OK)
		return;
	feed_get(f, 0, (size_t)n, &e);
	feed_close(f);
	tensor_check_sum(m, t, &e);
}

static void read_model(struct model *m)
{
	struct buf b = {0};

	for (size_t i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];

		utf8_display(&b, t->name, i & 1);
		utf8_display(&b, (struct str){t->type_name, strlen(t->type_name)}, false); /* every one has a type */
		utf8_display(&b, t->tied, false);
		utf8_display(&b, t->alias, false);
		if (t->trouble)
			utf8_repair(&b, str_of(t->trouble));
		buf_clear(&b);
		if (i < TENSORS)
			read_values(m, t);
	}
	for (size_t i = 0; i < m->n_meta; i++)
		if (!meta_equal(&m->meta[i].value, &m->meta[i].value))
			abort();
	for (size_t i = 0; i < m->n_problems; i++)
		utf8_display(&b, str_of(m->problems[i].message), false);
	buf_free(&b);
}

/* Compressed as a whole: libarchive's (and a few bytes make liblzma ask for half a gigabyte, which it does not touch). */
static bool is_packed(struct bytes b)
{
	return archive_looks(b) && memcmp(b.p, "PK", 2) != 0 && !(b.n > 262 && memcmp(b.p + 257, "ustar", 5) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct fuzz_files files;
	struct model m;
	struct err e;

	if (is_packed((struct bytes){p, n}))
		return 0;
	if (fuzz_write(&files, p, n, name) && model_open(&m, files.path[0], format->name, &unpacking, &e) == RC_OK) {
		model_finish(&m, decode_can);
		packs_recognise(&m);
		read_model(&m);
		model_close(&m);
	}
	fuzz_remove(&files);
	return 0;
}
