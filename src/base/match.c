#include "base/match.h"

#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct match {
	bool is_regex;
	bool is_plain; /* no wildcard: a name or a group */
	regex_t re;
	char *text;
};

enum rc match_compile(struct match **out, const char *pattern, struct err *e)
{
	size_t n = strlen(pattern);
	struct match *m = xcalloc(1, sizeof(*m));
	int flags = REG_EXTENDED | REG_NOSUB, bad;

	m->text = xstrdup(pattern);
	if (n > 2 && pattern[0] == '/' && pattern[n - 1] == 'i' && pattern[n - 2] == '/') {
		flags |= REG_ICASE;
		n--;
	}
	if (n >= 2 && pattern[0] == '/' && pattern[n - 1] == '/') {
		m->text[n - 1] = '\0';
		bad = regcomp(&m->re, m->text + 1, flags);
		if (bad) {
			char why[128];

			regerror(bad, &m->re, why, sizeof(why));
			free(m->text);
			free(m);
			return err_set(e, "%s is not a regular expression: %s", pattern, why);
		}
		m->is_regex = true;
	} else {
		m->is_plain = !strpbrk(pattern, "*?[");
	}
	*out = m;
	return RC_OK;
}

bool match_test(const struct match *m, struct str name)
{
	char stack[256], *z = stack;
	size_t n = strlen(m->text);
	bool hit;

	if (m->is_plain)
		return name.n >= n && memcmp(name.p, m->text, n) == 0 &&
		       (name.n == n || name.p[n] == '.' || name.p[n] == '/');
	/* regexec and fnmatch want a NUL at the end; a name with a NUL inside matches by what stands before it. */
	if (name.n >= sizeof(stack))
		z = xmalloc(name.n + 1);
	memcpy(z, name.p, name.n);
	z[name.n] = '\0';
	hit = m->is_regex ? regexec(&m->re, z, 0, NULL, 0) == 0 : fnmatch(m->text, z, FNM_NOESCAPE) == 0;
	if (z != stack)
		free(z);
	return hit;
}

void match_free(struct match *m)
{
	if (!m)
		return;
	if (m->is_regex)
		regfree(&m->re);
	free(m->text);
	free(m);
}
