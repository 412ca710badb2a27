/* Runs a fuzz entry over the files that are named: what a corpus holds is tried again by every `make check`. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

static int try_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p;
	long n;

	if (!f || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0) {
		perror(path);
		return 2;
	}
	rewind(f);
	p = malloc((size_t)n + !n); /* of that size: a byte too far is seen */
	if (!p || fread(p, 1, (size_t)n, f) != (size_t)n) {
		perror(path);
		return 2;
	}
	fclose(f);
	printf("%s\n", path); /* the last one is the one that it died of */
	fflush(stdout);
	LLVMFuzzerTestOneInput(p, (size_t)n);
	free(p);
	return 0;
}

int main(int argc, char **argv)
{
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		if (try_file(argv[i]))
			return 2;
	return argc > 1 ? 0 : 2;
}
