/* What valgrind is to find, one at a time: make memcheck makes sure that it does, and that no suppression hides it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile block;

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	volatile char *p = block = malloc(16);
	volatile size_t end = 16; /* a compiler that knew it would warn */

	if (!p)
		return 2;
	if (strcmp(what, "invalid") == 0)
		p[end] = 1;
	else if (strcmp(what, "uninitialised") == 0 && p[3])
		puts("by chance");
	else if (strcmp(what, "leak") == 0)
		block = NULL;
	p = NULL;
	free(block);
	return 0;
}
