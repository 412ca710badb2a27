#include "tui/search.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void needle_clear(struct needle *nd)
{
	if (nd->is_regex)
		regfree(&nd->re);
	*nd = (struct needle){0};
}

void needle_set(struct needle *nd, const char *text)
{
	needle_clear(nd);
	snprintf(nd->text, sizeof(nd->text), "%s", text);
	nd->n = strlen(nd->text);
	nd->fold = true;
	for (size_t i = 0; i < nd->n; i++)
		if (isupper((unsigned char)nd->text[i]))
			nd->fold = false;
	if (strpbrk(nd->text, "[](){}*+?|^$\\"))
		nd->is_regex = regcomp(&nd->re, nd->text, REG_EXTENDED | (nd->fold ? REG_ICASE : 0)) == 0;
}

static bool same(const char *a, const char *b, size_t n, bool fold)
{
	if (!fold)
		return memcmp(a, b, n) == 0;
	for (size_t i = 0; i < n; i++)
		if (tolower((unsigned char)a[i]) != tolower((unsigned char)b[i]))
			return false;
	return true;
}

static bool find_regex(const struct needle *nd, struct str s, size_t from, size_t *at, size_t *n)
{
	char stack[512], *z = s.n < sizeof(stack) ? stack : xmalloc(s.n + 1);
	regmatch_t m;
	bool hit;

	if (s.n) /* which may stand nowhere */
		memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	hit = strlen(z) >= from && regexec(&nd->re, z + from, 1, &m, from ? REG_NOTBOL : 0) == 0;
	if (hit) {
		*at = from + (size_t)m.rm_so;
		*n = (size_t)(m.rm_eo - m.rm_so);
	}
	if (z != stack)
		free(z);
	return hit;
}

bool needle_find(const struct needle *nd, struct str s, size_t from, size_t *at, size_t *n)
{
	if (nd->n == 0)
		return false;
	if (nd->is_regex)
		return find_regex(nd, s, from, at, n);
	for (size_t i = from; i + nd->n <= s.n; i++)
		if (same(s.p + i, nd->text, nd->n, nd->fold)) {
			*at = i;
			*n = nd->n;
			return true;
		}
	return false;
}
