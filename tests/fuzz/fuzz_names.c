/*
 * Names of tensors and what is done with them: a pattern in the first line, a slice in the second, then a name a line.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/blocks.h"
#include "base/match.h"
#include "base/utf8.h"
#include "batch/slice.h"

enum { NAMES = 2000 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static struct str line(struct str *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct str out = {rest->p, end ? (size_t)(end - rest->p) : rest->n};

	rest->p += out.n + (end != NULL);
	rest->n -= out.n + (end != NULL);
	return out;
}

static void look_at(struct str s)
{
	struct buf b = {0}, c = {0};

	utf8_repair(&b, s);
	if (!utf8_valid(buf_view(&b)))
		abort();
	utf8_display(&c, s, false);
	if (!utf8_valid(buf_view(&c)))
		abort();
	buf_clear(&b);
	utf8_ellipsis(&b, buf_view(&c), 20, false);
	if (utf8_width(buf_view(&b)) > 20)
		abort();
	buf_free(&b);
	buf_free(&c);
}

/* Two patterns of the system's own have exponential time in some places; what we add to them has none. */
static void match(const char *pattern, const struct str *names, size_t n)
{
	struct match *m;
	struct err e;

	if (pattern[0] == '/' || match_compile(&m, pattern, &e) != RC_OK)
		return;
	for (size_t i = 0; i < n && i < 50; i++)
		match_test(m, names[i]);
	match_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint64_t shape[] = {3, 400, 5};
	struct str rest = {(const char *)p, n}, pattern = line(&rest), text = line(&rest);
	struct str *names = calloc(NAMES, sizeof(*names));
	char *word = calloc(61, 1);
	struct blocks *blocks;
	struct slice s;
	struct err e;
	size_t k = 0;

	if (pattern.n)
		memcpy(word, pattern.p, pattern.n < 60 ? pattern.n : 60);
	while (rest.n && k < NAMES)
		names[k++] = line(&rest);
	for (size_t i = 0; i < k; i++) {
		look_at(names[i]);
		if (i && (str_cmp_natural(names[i], names[i - 1]) < 0) != (str_cmp_natural(names[i - 1], names[i]) > 0))
			abort();
	}
	match(word, names, k);
	for (unsigned rank = 0; rank <= 3; rank++)
		if (slice_parse(&s, text, shape, rank, &e) == RC_OK && slice_count(&s) > 6000)
			abort();
	blocks = blocks_find(names, k);
	blocks_free(blocks);
	free(word);
	free(names);
	return 0;
}
