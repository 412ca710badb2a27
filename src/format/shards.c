#include "format/shards.h"

#include <stdio.h>
#include <string.h>

#include "format/describe.h"

struct str base_name(struct str path)
{
	for (size_t i = path.n; i-- > 0;)
		if (path.p[i] == '/')
			return (struct str){path.p + i + 1, path.n - i - 1};
	return path;
}

/* Takes five or six digits from the end of *s. */
static bool take_digits(struct str *s, unsigned *value, unsigned *n)
{
	unsigned place = 1;

	*value = *n = 0;
	while (s->n && s->p[s->n - 1] >= '0' && s->p[s->n - 1] <= '9' && *n < 7) {
		*value += place * (unsigned)(s->p[--s->n] - '0');
		place *= 10;
		++*n;
	}
	return *n == 5 || *n == 6;
}

static bool take_text(struct str *s, struct str ending)
{
	if (s->n < ending.n || memcmp(s->p + s->n - ending.n, ending.p, ending.n) != 0)
		return false;
	s->n -= ending.n;
	return true;
}

bool shard_parse(struct str base, const char *ending, struct shard *sh)
{
	struct str s = base;
	unsigned digits;

	*sh = (struct shard){.ending = str_of(ending)};
	if (!take_text(&s, sh->ending) || !take_digits(&s, &sh->count, &digits) || !take_text(&s, STR("-of-")) ||
	    !take_digits(&s, &sh->number, &sh->digits))
		return false;
	sh->prefix = s;
	return digits == sh->digits && s.n && (s.p[s.n - 1] == '-' || s.p[s.n - 1] == '_') && sh->count >= 2 &&
	       sh->number >= 1 && sh->number <= sh->count;
}

uint32_t member_by_base(const struct source *s, struct str base)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->members[i].file == i && str_eq(base_name(s->members[i].name), base))
			return (uint32_t)i;
	return MEMBER_NONE;
}

enum rc shards_read(struct model *m, uint32_t member, const struct shard *sh,
		    enum rc (*read)(struct model *, uint32_t, unsigned, struct err *), struct err *e)
{
	enum { NAMED = 20 };
	unsigned failed = 0;
	struct err first = {""}, why;

	for (unsigned i = 1; i <= sh->count; i++) {
		struct str name = str_of(arena_printf(&m->arena, "%.*s%0*u-of-%0*u%s", (int)sh->prefix.n, sh->prefix.p,
						      (int)sh->digits, i, (int)sh->digits, sh->count, sh->ending.p));
		uint32_t at = i == sh->number ? member : MEMBER_NONE;

		if ((at != MEMBER_NONE || source_open_beside(&m->source, member, name, &at, &why) == RC_OK) &&
		    describe_pointer(m->source.members[at].data, &why) == RC_OK && read(m, at, i, &why) == RC_OK)
			continue;
		err_prefix(&why, "shard %.*s", (int)name.n, name.p);
		if (!failed)
			first = why;
		if (failed++ < NAMED)
			model_problem(m, STR(""), "%s", why.msg);
	}
	if (failed > NAMED)
		model_problem(m, STR(""), "%u of %u shards cannot be read", failed, sh->count);
	return failed < sh->count ? RC_OK : err_set(e, "%s", first.msg);
}
