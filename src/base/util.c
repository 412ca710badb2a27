#include "base/util.h"

#include <string.h>

struct str str_of(const char *z)
{
	return (struct str){z ? z : "", z ? strlen(z) : 0};
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes a run of digits from the front of *s, leading zeros dropped. */
static struct str take_number(struct str *s)
{
	struct str d;

	while (s->n > 1 && s->p[0] == '0' && is_digit(s->p[1])) {
		s->p++;
		s->n--;
	}
	d = (struct str){s->p, 0};
	while (s->n && is_digit(s->p[0])) {
		s->p++;
		s->n--;
		d.n++;
	}
	return d;
}

int str_cmp_natural(struct str a, struct str b)
{
	struct str wa = a, wb = b;

	while (a.n && b.n) {
		if (is_digit(a.p[0]) && is_digit(b.p[0])) {
			struct str da = take_number(&a), db = take_number(&b);
			int c = da.n != db.n ? (da.n > db.n) - (da.n < db.n) : str_cmp(da, db);

			if (c)
				return c;
			continue;
		}
		if (a.p[0] != b.p[0])
			return (unsigned char)a.p[0] < (unsigned char)b.p[0] ? -1 : 1;
		a.p++, a.n--;
		b.p++, b.n--;
	}
	if (a.n != b.n)
		return a.n ? 1 : -1;
	return str_cmp(wa, wb); /* 07 and 7: the same number, still two names */
}
