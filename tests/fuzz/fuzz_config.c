/*
 * The file of settings: read, written, and read again. What is written is understood, and the same when it is written
 * once more.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/outfile.h"
#include "tui/config.h"
#include "tui/keys.c" /* instead of the library's: keys that one input binds are taken back for the next */

enum { WRITTEN_MOST = 1 << 16 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* The directory of directories of settings: where NAME/weigh/config is. */
static void stand_in(char *path)
{
	static const char ending[] = "/weigh/config";

	path[strlen(path) - (sizeof(ending) - 1)] = '\0';
	setenv("XDG_CONFIG_HOME", path, 1);
}

/* Reads what is there, writes it, and takes what was written into text. */
static size_t round_trip(const char *path, struct screen *sc, char *text)
{
	struct err e;
	FILE *f;
	size_t n;

	*sc = (struct screen){.pane = PANE_AUTO};
	n_bound = 0;
	config_read(sc);
	if (config_save(sc, &e) != RC_OK)
		return 0; /* too long for settings */
	f = fopen(path, "r");
	n = f ? fread(text, 1, WRITTEN_MOST, f) : 0;
	if (f)
		fclose(f);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct screen sc;
	struct fuzz_files files;
	char *once = malloc(WRITTEN_MOST), *twice = malloc(WRITTEN_MOST);

	if (fuzz_write(&files, p, n, "home/weigh/config") && files.n == 1) {
		char *path = strdup(files.path[0]);
		size_t n_once, n_twice;

		stand_in(files.path[0]);
		n_once = round_trip(path, &sc, once);
		n_twice = n_once ? round_trip(path, &sc, twice) : 0;
		if (n_twice != n_once || memcmp(once, twice, n_once) != 0) {
			fprintf(stderr, "written:\n%.*s\nand again:\n%.*s\n", (int)n_once, once, (int)n_twice, twice);
			abort();
		}
		strcpy(files.path[0], path);
		free(path);
	}
	fuzz_remove(&files);
	free(once);
	free(twice);
	return 0;
}
