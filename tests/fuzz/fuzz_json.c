/* JSON: read by asking (json_pull.h), and as a tree. What the tree's parser takes, the other one takes, too. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "format/json_pull.h"
#include "format/json_text.h"

enum { DEPTH = 100 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* Asks for one value of whatever kind it turns out to be; an array's or an object's first two, and skips the rest. */
static void ask(struct pull *p, int depth)
{
	struct str text;
	uint64_t x;

	if (depth < 20 && pull_object(p)) {
		for (int i = 0; pull_member(p, &text); i++)
			if (i < 2)
				ask(p, depth + 1);
			else
				pull_skip(p);
	} else if (depth < 20 && pull_array(p)) {
		for (int i = 0; pull_item(p); i++)
			if (i < 2)
				ask(p, depth + 1);
			else
				pull_skip(p);
	} else if (!pull_string(p, &text) && !pull_u64(p, &x)) {
		pull_skip(p);
	}
}

static int deepest(const uint8_t *p, size_t n)
{
	int depth = 0, most = 0;

	for (size_t i = 0; i < n; i++)
		if (p[i] == '{' || p[i] == '[')
			most += ++depth > most;
		else if (p[i] == '}' || p[i] == ']')
			depth--;
	return most;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = {0};
	struct bytes text = {p, n};
	struct pull asked = pull_of(text, 8, "the text", &a), skipped = pull_of(text, 8, "the text", &a);
	struct err e;
	bool sound, tree = json_parse(&a, text, 8, "the text", &e) != NULL;

	ask(&asked, 0);
	pull_end(&asked);
	pull_skip(&skipped);
	sound = pull_end(&skipped);
	if (tree && !sound && deepest(p, n) < DEPTH) {
		fprintf(stderr, "%s\n", skipped.why.msg);
		abort();
	}
	arena_free(&a);
	return 0;
}
