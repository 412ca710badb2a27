#include "format/json_pull.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

struct pull pull_of(struct bytes text, uint64_t base, const char *what, struct arena *a)
{
	if (!text.p) /* no text at all: an address to count from */
		text.p = (const uint8_t *)"";
	return (struct pull){.p = text.p, .end = text.p + text.n, .start = text.p, .base = base, .what = what,
			     .arena = a};
}

uint64_t pull_at(const struct pull *r)
{
	return r->base + (uint64_t)(r->p - r->start);
}

/* The trouble is at r->p. */
static bool unsound(struct pull *r, const char *why)
{
	if (!r->bad)
		err_set(&r->why, "%s is not sound JSON: %s (byte %" PRIu64 ")", r->what, why, pull_at(r));
	r->bad = true;
	return false;
}

/* The next character that is not white space; 0 at the end of the text, or after trouble. */
static int peek(struct pull *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
		r->p++;
	return r->p < r->end && !r->bad ? *r->p : 0;
}

static bool take(struct pull *r, char c)
{
	if (peek(r) != c)
		return false;
	r->p++;
	return true;
}

static bool open(struct pull *r, char bracket)
{
	if (!take(r, bracket))
		return false;
	r->opened = true;
	return true;
}

bool pull_object(struct pull *r)
{
	return open(r, '{');
}

bool pull_array(struct pull *r)
{
	return open(r, '[');
}

/* Steps to the next thing between the brackets that the last open bracket began; false behind the last one. */
static bool next(struct pull *r, char bracket, const char *expected)
{
	bool first = r->opened;

	r->opened = false;
	if (take(r, bracket))
		return false;
	return first ? !r->bad : take(r, ',') || unsound(r, expected);
}

bool pull_item(struct pull *r)
{
	return next(r, ']', "a comma or ] was expected");
}

bool pull_member(struct pull *r, struct str *key)
{
	if (!next(r, '}', "a comma or } was expected"))
		return false;
	if (!pull_string(r, key))
		return unsound(r, "a key was expected");
	return take(r, ':') || unsound(r, "a colon was expected");
}

/* ---- strings ---- */

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits after \u; -1 when they are not there. */
static int32_t hex4(const uint8_t *p, const uint8_t *end)
{
	int32_t x = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(p[i]);

		if (d < 0)
			return -1;
		x = x << 4 | d;
	}
	return x;
}

static char *put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* A \u escape, or the two of a surrogate pair, of which r->p stands on the first backslash. Returns where out ends
 * then, or NULL. It never takes more room than the escape did. */
static char *unescape_u(struct pull *r, const uint8_t *end, char *out)
{
	int32_t c = hex4(r->p + 2, end), low;

	if (c < 0 || (c == 0 && !r->python))
		return NULL;
	r->p += 6;
	if (c >= 0xd800 && c <= 0xdfff) {
		low = c < 0xdc00 && end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u' ? hex4(r->p + 2, end) : -1;
		if (low < 0xdc00 || low > 0xdfff)
			return r->python ? put_utf8(out, (uint32_t)c) : NULL;
		r->p += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	return put_utf8(out, (uint32_t)c);
}

/* The text from r->p to end, which holds backslashes, without them. */
static bool unescape(struct pull *r, const uint8_t *end, struct str *s)
{
	static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	char *out = arena_alloc(r->arena, (size_t)(end - r->p) + 1, 1), *start = out;

	while (r->p < end) {
		const char *l = letters;

		if (*r->p != '\\') {
			*out++ = (char)*r->p++;
			continue;
		}
		if (r->p[1] == 'u') {
			out = unescape_u(r, end, out);
			if (!out)
				return unsound(r, "an escape that is no character");
			continue;
		}
		while (*l && *l != (char)r->p[1])
			l += 2;
		if (!*l)
			return unsound(r, "an unknown escape");
		*out++ = l[1];
		r->p += 2;
	}
	*s = (struct str){start, (size_t)(out - start)};
	return true;
}

bool pull_string(struct pull *r, struct str *s)
{
	const uint8_t *q;
	bool escapes = false, ascii = true;

	if (!take(r, '"'))
		return false;
	for (q = r->p; q < r->end && *q != '"'; q++) {
		if (*q < 0x20) {
			r->p = q;
			return unsound(r, "a control character in a string");
		}
		ascii &= *q < 0x80;
		if (*q == '\\') {
			escapes = true;
			if (++q == r->end)
				break;
		}
	}
	if (q == r->end)
		return unsound(r, "a string does not end");
	*s = (struct str){(const char *)r->p, (size_t)(q - r->p)};
	if (!ascii && !utf8_valid(*s))
		return unsound(r, "a string that is not UTF-8");
	if (escapes && !unescape(r, q, s))
		return false;
	r->p = q + 1;
	return true;
}

/* ---- numbers and the rest ---- */

static const uint8_t *digits(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

bool pull_u64(struct pull *r, uint64_t *out)
{
	int c = peek(r);
	const uint8_t *last = c == '0' ? r->p + 1 : digits(r->p, r->end);
	uint64_t x = 0;

	if (c < '0' || c > '9' || (last < r->end && (*last == '.' || (*last | 0x20) == 'e')))
		return false;
	for (const uint8_t *p = r->p; p < last; p++)
		if (!u64_mul(x, 10, &x) || !u64_add(x, *p - (uint64_t)'0', &x))
			return false;
	r->p = last;
	*out = x;
	return true;
}

/* One or more digits from r->p on. */
static bool some_digits(struct pull *r)
{
	const uint8_t *last = digits(r->p, r->end);

	if (last == r->p)
		return unsound(r, "a digit was expected");
	r->p = last;
	return true;
}

static bool skip_number(struct pull *r)
{
	if (*r->p == '-')
		r->p++;
	if (r->p < r->end && *r->p == '0')
		r->p++;
	else if (!some_digits(r))
		return false;
	if (r->p < r->end && *r->p == '.') {
		r->p++;
		if (!some_digits(r))
			return false;
	}
	if (r->p < r->end && (*r->p | 0x20) == 'e') {
		r->p++;
		if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
			r->p++;
		return some_digits(r);
	}
	return true;
}

static bool skip_word(struct pull *r)
{
	static const struct str words[] = {{"true", 4}, {"false", 5}, {"null", 4}, {"NaN", 3}, {"Infinity", 8}};

	for (size_t i = 0; i < (r->python ? COUNT(words) : 3); i++)
		if ((size_t)(r->end - r->p) >= words[i].n && memcmp(r->p, words[i].p, words[i].n) == 0) {
			r->p += words[i].n;
			return true;
		}
	return unsound(r, "a value was expected");
}

static bool skip_scalar(struct pull *r)
{
	struct str s;
	int c = peek(r);

	if (c == '"')
		return pull_string(r, &s);
	if (r->python && c == '-' && r->end - r->p > 1 && r->p[1] == 'I') {
		r->p++;
		return skip_word(r);
	}
	return c == '-' || (c >= '0' && c <= '9') ? skip_number(r) : skip_word(r);
}

bool pull_skip(struct pull *r)
{
	char within[NESTING_MAX]; /* the brackets that are open */
	size_t depth = 0;
	struct str key;

	do {
		int c = peek(r);

		if (c == '{' || c == '[') {
			if (depth == limits.nesting)
				return unsound(r, "it is nested too deep, --limit nesting=N allows more");
			within[depth++] = (char)c;
			open(r, (char)c);
		} else if (!skip_scalar(r)) {
			return false;
		}
		while (depth && !(within[depth - 1] == '{' ? pull_member(r, &key) : pull_item(r)))
			depth--;
	} while (depth && !r->bad);
	return !r->bad;
}

bool pull_end(struct pull *r)
{
	peek(r);
	return !r->bad && (r->p == r->end || unsound(r, "something follows its end"));
}
