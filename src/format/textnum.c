#include "format/textnum.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	NUMBER_MAX = 1024, /* characters of a number: "%f" of the largest double has 309 digits before its point */
	SHOWN = 24
};

struct textnum textnum_of(struct bytes b)
{
	const char *p = (const char *)b.p;

	return (struct textnum){p, p + b.n, p};
}

uint64_t textnum_at(const struct textnum *t)
{
	return (uint64_t)(t->p - t->start);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_space(struct textnum *t)
{
	while (t->p < t->end && is_space(*t->p))
		t->p++;
}

bool textnum_line(struct textnum *t, struct textnum *line)
{
	const char *stop;

	if (t->p == t->end)
		return false;
	stop = memchr(t->p, '\n', (size_t)(t->end - t->p));
	*line = (struct textnum){t->p, stop ? stop : t->end, t->start};
	t->p = stop ? stop + 1 : t->end;
	return true;
}

bool textnum_word(struct textnum *t, struct str *word)
{
	skip_space(t);
	word->p = t->p;
	while (t->p < t->end && !is_space(*t->p))
		t->p++;
	word->n = (size_t)(t->p - word->p);
	return word->n > 0;
}

struct str textnum_shown(struct str word)
{
	return (struct str){word.p, word.n < SHOWN ? word.n : SHOWN};
}

/* ---- floats ---- */

/* A decimal as mantissa * 10^exponent. */
struct decimal {
	uint64_t mantissa;
	int exponent;
	bool negative, exact; /* exact: mantissa and exponent are all of it */
};

static const char *take_digits(const char *p, const char *end, struct decimal *d, int place)
{
	for (; p < end && is_digit(*p); p++) {
		if (d->mantissa > (UINT64_MAX - 9) / 10)
			d->exact = false;
		d->mantissa = d->mantissa * 10 + (uint64_t)(*p - '0');
		d->exponent += place;
	}
	return p;
}

static const char *take_exponent(const char *p, const char *end, struct decimal *d)
{
	bool negative = p < end && *p == '-';
	const char *first = p += p < end && (*p == '-' || *p == '+');
	int x = 0;

	for (; p < end && is_digit(*p); p++)
		x = x < 100000 ? x * 10 + (*p - '0') : x;
	d->exponent += negative ? -x : x;
	return p > first ? p : NULL;
}

/* Past the number at p; NULL when it is none. */
static const char *take_decimal(const char *p, const char *end, struct decimal *d)
{
	const char *first, *point;

	*d = (struct decimal){.exact = true};
	if (p < end && (*p == '-' || *p == '+'))
		d->negative = *p++ == '-';
	first = p;
	p = point = take_digits(p, end, d, 0);
	if (p < end && *p == '.')
		p = take_digits(p + 1, end, d, -1);
	if (p - first - (p > point) < 1)
		return NULL;
	if (p < end && (*p == 'e' || *p == 'E'))
		p = take_exponent(p + 1, end, d);
	return p;
}

/*
 * The quick way: mantissa and power of ten are exact doubles, so that their product or quotient is the number rounded
 * once (Clinger 1990); rounding that to a float is rounding the number itself, unless the double lies exactly between
 * two floats. False: take the slow way.
 */
static bool quick(const struct decimal *d, float *x)
{
	static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
				      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	const int most = (int)COUNT(tens) - 1;
	uint64_t bits;
	double r;

	if (FLT_EVAL_METHOD != 0 || !d->exact || d->mantissa >> DBL_MANT_DIG || d->exponent < -most ||
	    d->exponent > most)
		return false;
	r = (double)d->mantissa;
	r = d->exponent < 0 ? r / tens[-d->exponent] : r * tens[d->exponent];
	memcpy(&bits, &r, sizeof(bits));
	if ((bits & 0x1fffffff) == 0x10000000 || (d->mantissa && r < 2 * (double)FLT_MIN) || r > (double)FLT_MAX)
		return false;
	*x = (float)(d->negative ? -r : r);
	return true;
}

static bool special(struct str word, float *x)
{
	bool negative = word.n && word.p[0] == '-';

	if (word.n && (word.p[0] == '-' || word.p[0] == '+')) {
		word.p++;
		word.n--;
	}
	if (word.n == 3 && strncasecmp(word.p, "nan", 3) == 0)
		*x = NAN;
	else if ((word.n == 3 && strncasecmp(word.p, "inf", 3) == 0) ||
		 (word.n == 8 && strncasecmp(word.p, "infinity", 8) == 0))
		*x = INFINITY;
	else
		return false;
	*x = negative ? -*x : *x;
	return true;
}

static bool slow(struct str word, float *x)
{
	char z[NUMBER_MAX + 1];

	if (word.n > NUMBER_MAX)
		return false;
	memcpy(z, word.p, word.n);
	z[word.n] = '\0';
	*x = strtof(z, NULL);
	return true;
}

enum textnum_rc textnum_f32(struct textnum *t, float *x)
{
	const char *p, *first;
	struct decimal d;
	struct str word;

	skip_space(t);
	if (t->p == t->end)
		return TEXTNUM_END;
	first = t->p;
	p = take_decimal(first, t->end, &d);
	if (p && (p == t->end || is_space(*p))) {
		t->p = p;
		if (quick(&d, x) || slow((struct str){first, (size_t)(p - first)}, x))
			return TEXTNUM_OK;
	} else if (textnum_word(t, &word) && special(word, x)) {
		return TEXTNUM_OK;
	}
	t->p = first;
	return TEXTNUM_BAD;
}

/* ---- integers ---- */

enum textnum_rc textnum_i64(struct textnum *t, int64_t *x)
{
	struct str word;
	size_t i;

	if (!textnum_word(t, &word))
		return TEXTNUM_END;
	t->p = word.p;
	i = word.p[0] == '-' || word.p[0] == '+';
	if (i == word.n)
		return TEXTNUM_BAD;
	*x = 0;
	for (; i < word.n; i++) {
		if (!is_digit(word.p[i]) || __builtin_mul_overflow(*x, 10, x) ||
		    __builtin_sub_overflow(*x, word.p[i] - '0', x)) /* downwards, where one more number fits */
			return TEXTNUM_BAD;
	}
	if (word.p[0] != '-' && __builtin_mul_overflow(*x, -1, x))
		return TEXTNUM_BAD;
	t->p = word.p + word.n;
	return TEXTNUM_OK;
}
