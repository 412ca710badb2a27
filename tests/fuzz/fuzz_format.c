/*
 * One format, by the name in $FORMAT: a file is opened as it, and as the audit does, which looks for pickles in what is
 * refused, too; of what is found all names, metadata and values are looked at. The formats are those of the program's own
 * table.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "bytes/member.h"
#include "format/format.h"

static const struct format *format;
static char name[256];

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
	limits.inflated = 4 << 20;
	if (fuzz_write(&files, p, n, name) && model_inspect(&m, files.path[0], format->name, NULL, &e) == RC_OK) {
		fuzz_look(&m);
		model_close(&m);
	}
	fuzz_remove(&files);
	return 0;
}
