#include "batch/slice.h"

#include <stdlib.h>
#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct str trim(struct str s)
{
	while (s.n && is_space(s.p[0]))
		s.p++, s.n--;
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Takes what stands before the separator (all, if there is none) from the front of *s; *more: there was one. */
static struct str take(struct str *s, char separator, bool *more)
{
	const char *at = s->n ? memchr(s->p, separator, s->n) : NULL;
	struct str head = {s->p, at ? (size_t)(at - s->p) : s->n};

	*more = at != NULL;
	s->p += head.n + (at != NULL);
	s->n -= head.n + (at != NULL);
	return trim(head);
}

/* A whole number with an optional sign, |n| <= INT64_MAX. */
static bool parse_int(struct str s, int64_t *out)
{
	bool minus = s.n && s.p[0] == '-';
	int64_t n = 0;
	size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');

	if (i == s.n)
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, s.p[i] - '0', &n))
			return false;
	}
	*out = minus ? -n : n;
	return true;
}

static enum rc wrong(struct str part, struct err *e)
{
	return err_set(e, "'%.*s' is not an index or a range such as 0:4", (int)u64_min(part.n, 60), part.p);
}

/* One end of a range, cut to [low, high] after a negative one was counted from the end. */
static int64_t clip(int64_t at, int64_t n, int64_t low, int64_t high)
{
	if (at < 0)
		at += n;
	return at < low ? low : at > high ? high : at;
}

/* Python's slice.indices: empty parts stand for the ends. */
static enum rc parse_range(struct axis *a, struct str part, int64_t n, struct err *e)
{
	struct str rest = part, word[3] = {{0}};
	bool more = true;
	int64_t low, high, stop;
	unsigned k = 0;

	for (; more && k < 3; k++)
		word[k] = take(&rest, ':', &more);
	a->step = 1;
	if (more || (word[2].n && !parse_int(word[2], &a->step)))
		return wrong(part, e);
	if (a->step == 0)
		return err_set(e, "the step of '%.*s' is 0", (int)u64_min(part.n, 60), part.p);
	low = a->step < 0 ? -1 : 0;
	high = a->step < 0 ? n - 1 : n;
	a->start = a->step < 0 ? high : low;
	stop = a->step < 0 ? low : high;
	if (word[0].n) {
		if (!parse_int(word[0], &a->start))
			return wrong(part, e);
		a->start = clip(a->start, n, low, high);
	}
	if (word[1].n) {
		if (!parse_int(word[1], &stop))
			return wrong(part, e);
		stop = clip(stop, n, low, high);
	}
	if (a->step > 0)
		a->count = stop > a->start ? (uint64_t)((stop - a->start - 1) / a->step) + 1 : 0;
	else
		a->count = stop < a->start ? (uint64_t)((a->start - stop - 1) / -a->step) + 1 : 0;
	return RC_OK;
}

static enum rc parse_index(struct axis *a, struct str part, int64_t n, struct err *e)
{
	if (!parse_int(part, &a->start))
		return wrong(part, e);
	if (a->start >= n || a->start < -n)
		return err_set(e, "index %lld is outside a dimension of %lld", (long long)a->start, (long long)n);
	if (a->start < 0)
		a->start += n;
	a->step = 1;
	a->count = 1;
	a->dropped = true;
	return RC_OK;
}

static size_t count_parts(struct str text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == ',';
	return n;
}

enum rc slice_parse(struct slice *s, struct str text, const uint64_t *shape, unsigned rank, struct err *e)
{
	struct str all = text;
	size_t parts = count_parts(text);
	bool more = text.n > 0, dotted = false;
	unsigned d = 0;

	*s = (struct slice){.rank = rank};
	for (unsigned i = 0; i < rank; i++) {
		if (shape[i] > INT64_MAX)
			return err_set(e, "a dimension of %llu is too long to be sliced", (unsigned long long)shape[i]);
		s->axis[i] = (struct axis){.step = 1, .count = shape[i]};
	}
	while (more) {
		struct str part = take(&text, ',', &more);

		if (str_eq(part, STR("...")) && !dotted) {
			dotted = true; /* stands for as many dimensions as the others leave */
			d += parts - 1 < rank ? rank - (unsigned)(parts - 1) : 0;
			continue;
		}
		if (d >= rank)
			return err_set(e, "[%.*s] has more dimensions than the tensor, which has %u",
				       (int)u64_min(all.n, 60), all.p, rank);
		if ((part.n && memchr(part.p, ':', part.n) ? parse_range : parse_index)(&s->axis[d], part,
											 (int64_t)shape[d], e) != RC_OK)
			return RC_FAIL;
		d++;
	}
	return RC_OK;
}

uint64_t slice_count(const struct slice *s)
{
	uint64_t n = 1;

	for (unsigned i = 0; i < s->rank; i++)
		if (s->axis[i].count == 0)
			return 0;
	for (unsigned i = 0; i < s->rank; i++)
		if (!u64_mul(n, s->axis[i].count, &n))
			return UINT64_MAX;
	return n;
}
