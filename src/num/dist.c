#include "num/dist.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "num/decode.h"
#include "num/kern.h"

/*
 * Values go to pages: one page for each sign and binary exponent, 256 bins in it by the upper 8 bits of the
 * fraction. So a bin is the upper 20 bits of a double; subnormal doubles get exponents of their own below the
 * others, so that their bins are as narrow. Zero is counted apart. Floats go straight to the same pages.
 */
enum {
	PAGE = 256,
	FRACTION_BITS = 52,
	SUBNORMAL_SHIFT = 54, /* a subnormal times 2^54 is normal, with a biased exponent of 3 to 54 */
	EXPONENTS = 2047 + SUBNORMAL_SHIFT
};

struct dist {
	enum dtype type;
	uint64_t *codes; /* 1 << code_bits counts, or NULL */
	bool values;     /* counted by value: block types (beside the codes) and all without codes */
	uint64_t n;      /* elements whose codes were counted */
	uint64_t zeros;
	uint64_t *pages[2][EXPONENTS]; /* [1]: negative values */
	uint64_t *float_pages[512];    /* the same pages by the upper 9 bits of a float; NULL: not there yet */
};

static size_t code_count(const struct dist *d)
{
	return (size_t)1 << dtypes[d->type].code_bits;
}

struct dist *dist_new(enum dtype t)
{
	struct dist *d = xcalloc(1, sizeof(*d));

	d->type = t;
	d->values = !dtypes[t].code_bits || dtypes[t].kind == KIND_BLOCK;
	if (dtypes[t].code_bits)
		d->codes = xcalloc(code_count(d), sizeof(*d->codes));
	return d;
}

struct dist *dist_new_values(void)
{
	return dist_new(DT_F64);
}

static uint64_t *page_at(struct dist *d, bool negative, unsigned exponent)
{
	uint64_t **page = &d->pages[negative][exponent];

	if (!*page)
		*page = xcalloc(PAGE, sizeof(**page));
	return *page;
}

static void add_values(struct dist *d, const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;
		unsigned exponent;

		memcpy(&bits, &x[i], sizeof(bits));
		exponent = bits >> FRACTION_BITS & 2047;
		if (exponent == 2047)
			continue;
		if (exponent == 0) {
			double y = x[i] * 0x1p54;

			if (y == 0) {
				d->zeros++;
				continue;
			}
			memcpy(&bits, &y, sizeof(bits));
			exponent = bits >> FRACTION_BITS & 2047;
		} else {
			exponent += SUBNORMAL_SHIFT;
		}
		page_at(d, bits >> 63, exponent)[bits >> (FRACTION_BITS - 8) & (PAGE - 1)]++;
	}
}

/* Floats below the normal ones have fewer bits than a bin wants, and what is not finite is not counted. */
static bool all_plain(const float *x, size_t n)
{
	uint32_t odd = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, &x[i], sizeof(bits));
		bits <<= 1;
		odd |= (bits - 1 < 0x00ffffff) | (bits >= 0xff000000);
	}
	return !odd;
}

/* A float's exponent as that of a page; what has exponent 0 is 0, for then all is plain. */
static uint64_t *float_page(struct dist *d, uint32_t top)
{
	enum { REBIAS = 1023 - 127 + SUBNORMAL_SHIFT };

	d->float_pages[top] = top & 255 ? page_at(d, top >> 8, (top & 255) + REBIAS) : &d->zeros;
	return d->float_pages[top];
}

static void add_plain_floats(struct dist *d, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;
		uint64_t *page;

		memcpy(&bits, &x[i], sizeof(bits));
		page = d->float_pages[bits >> 23];
		if (!page)
			page = float_page(d, bits >> 23);
		page[bits >> 15 & (PAGE - 1)]++;
	}
}

static void add_floats(struct dist *d, const float *x, size_t n)
{
	enum { STEP = 1024 };
	double wide[STEP];

	for (size_t k; n; n -= k, x += k) {
		k = n < STEP ? n : STEP;
		if (all_plain(x, k)) {
			add_plain_floats(d, x, k);
			continue;
		}
		for (size_t i = 0; i < k; i++)
			wide[i] = x[i];
		add_values(d, wide, k);
	}
}

static void add_codes(struct dist *d, const uint8_t *raw, size_t n)
{
	enum { STEP = 256 }; /* a multiple of every block */
	uint16_t code[STEP];

	d->n += n;
	for (size_t k; n; n -= k) {
		k = n < STEP ? n : STEP;
		decode_codes(d->type, code, raw, k);
		raw += k / dtypes[d->type].items * dtypes[d->type].bytes;
		for (size_t i = 0; i < k; i++)
			d->codes[code[i]]++;
	}
}

void dist_add(struct dist *d, const uint8_t *raw, const double *values, size_t n)
{
	if (d->values)
		add_values(d, values, n);
	if (d->codes)
		add_codes(d, raw, n);
}

void dist_add_floats(struct dist *d, const uint8_t *raw, const float *values, size_t n)
{
	if (d->values)
		add_floats(d, values, n);
	if (d->codes)
		add_codes(d, raw, n);
}

void dist_add_distances(struct dist *d, const float *a, const float *b, size_t n)
{
	enum { STEP = 1024 };
	float distance[STEP];

	for (size_t k; n; n -= k, a += k, b += k) {
		k = n < STEP ? n : STEP;
		for (size_t i = 0; i < k; i++) {
			double x = fabs((double)b[i] - (double)a[i]);
			uint64_t bits;

			/* cut to a float, not rounded: it stays in its bin */
			x = x < FLT_MAX ? x : FLT_MAX;
			memcpy(&bits, &x, sizeof(bits));
			bits &= ~(uint64_t)0 << 29;
			memcpy(&x, &bits, sizeof(x));
			distance[i] = (float)x;
		}
		add_floats(d, distance, k);
	}
}

void dist_add_zeros(struct dist *d, uint64_t n)
{
	d->zeros += n;
}

void dist_merge(struct dist *d, const struct dist *more)
{
	for (size_t i = 0; d->codes && i < code_count(d); i++)
		d->codes[i] += more->codes[i];
	for (unsigned negative = 0; negative < 2; negative++)
		for (unsigned e = 0; e < EXPONENTS; e++)
			for (unsigned i = 0; more->pages[negative][e] && i < PAGE; i++)
				page_at(d, negative, e)[i] += more->pages[negative][e][i];
	d->n += more->n;
	d->zeros += more->zeros;
}

void dist_clear(struct dist *d)
{
	if (d->codes)
		memset(d->codes, 0, code_count(d) * sizeof(*d->codes));
	for (unsigned negative = 0; negative < 2; negative++)
		for (unsigned e = 0; e < EXPONENTS; e++)
			if (d->pages[negative][e])
				memset(d->pages[negative][e], 0, PAGE * sizeof(uint64_t));
	d->n = d->zeros = 0;
}

void dist_free(struct dist *d)
{
	if (!d)
		return;
	for (unsigned negative = 0; negative < 2; negative++)
		for (unsigned e = 0; e < EXPONENTS; e++)
			free(d->pages[negative][e]);
	free(d->codes);
	free(d);
}

/* ---- where an order statistic is ---- */

/* The lower edge of bin i (up to PAGE) of an exponent's page. */
static double bin_edge(unsigned exponent, unsigned i)
{
	return ldexp(1 + i / 256.0, (int)exponent - SUBNORMAL_SHIFT - 1023);
}

uint64_t dist_values(const struct dist *d)
{
	uint64_t n = d->values ? d->zeros : 0;

	for (unsigned negative = 0; negative < 2 && d->values; negative++)
		for (unsigned e = 0; e < EXPONENTS; e++)
			for (unsigned i = 0; d->pages[negative][e] && i < PAGE; i++)
				n += d->pages[negative][e][i];
	return n;
}

unsigned dist_spare_bits(const struct dist *d)
{
	return kern_holds(d->type) ? 29 : 0;
}

/* Takes a bin's count off k, unless the k-th element is in it. */
static bool pass_over(uint64_t *k, uint64_t count)
{
	if (*k < count)
		return false;
	*k -= count;
	return true;
}

/* Among normal numbers of one sign, those of the largest magnitude first or last. */
static bool in_normal(const struct dist *d, bool negative, uint64_t *k, struct dist_place *out)
{
	enum { FIRST = SUBNORMAL_SHIFT + 1, ALL = (EXPONENTS - FIRST) * PAGE };

	for (unsigned at = 0; at < ALL; at++) {
		unsigned bin = negative ? ALL - 1 - at : at, e = FIRST + bin / PAGE;
		const uint64_t *page = d->pages[negative][e];

		if (!page) {
			at += PAGE - 1; /* bins go by whole pages */
			continue;
		}
		if (pass_over(k, page[bin % PAGE]))
			continue;
		out->within = bin_edge(e, bin % PAGE) * (negative ? -1 : 1);
		out->bits = 64 - FRACTION_BITS + 8;
		out->count = page[bin % PAGE];
		return true;
	}
	return false;
}

/* Subnormal doubles of one sign, all in one. */
static bool in_subnormal(const struct dist *d, bool negative, uint64_t *k, struct dist_place *out)
{
	uint64_t n = 0;

	for (unsigned e = 0; e <= SUBNORMAL_SHIFT; e++)
		for (unsigned i = 0; d->pages[negative][e] && i < PAGE; i++)
			n += d->pages[negative][e][i];
	if (pass_over(k, n))
		return false;
	out->within = negative ? -DBL_TRUE_MIN : DBL_TRUE_MIN;
	out->bits = 64 - FRACTION_BITS;
	out->count = n;
	return true;
}

void dist_locate(const struct dist *d, uint64_t k, struct dist_place *out)
{
	*out = (struct dist_place){.bits = 0};
	if (in_normal(d, true, &k, out) || in_subnormal(d, true, &k, out)) {
		out->rank = k;
		return;
	}
	if (!pass_over(&k, d->zeros))
		return;
	if (in_subnormal(d, false, &k, out)) {
		k += d->zeros; /* which begin with the same bits */
		out->count += d->zeros;
	} else {
		in_normal(d, false, &k, out);
	}
	out->rank = k;
}

/* ---- quantiles ---- */

/* A run of neighbours in ascending order: count elements in [lo, hi]; lo = hi where they are all one value. */
struct cell {
	double lo, hi;
	uint64_t count;
};

struct cells {
	struct cell *p;
	size_t n, cap;
	uint64_t total;
};

static void cells_add(struct cells *c, double lo, double hi, uint64_t count)
{
	if (!count)
		return;
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 256;
		c->p = xrealloc(c->p, c->cap, sizeof(*c->p));
	}
	c->p[c->n++] = (struct cell){lo, hi, count};
	c->total += count;
}

static int by_value(const void *pa, const void *pb)
{
	const struct cell *a = pa, *b = pb;

	return (a->lo > b->lo) - (a->lo < b->lo);
}

/* The value of a code: it stands in the lowest bits of a block of its own. */
static double code_value(enum dtype t, size_t code)
{
	uint8_t raw[4] = {(uint8_t)code, (uint8_t)(code >> 8)};
	double x[4];

	decode(t, x, raw, dtypes[t].items);
	return x[0];
}

static void cells_of_codes(struct cells *c, const struct dist *d)
{
	for (size_t code = 0; code < code_count(d); code++) {
		double x = d->codes[code] ? code_value(d->type, code) : NAN;

		if (isfinite(x))
			cells_add(c, x, x, d->codes[code]);
	}
	if (c->n)
		qsort(c->p, c->n, sizeof(*c->p), by_value);
}

static void cells_of_values(struct cells *c, const struct dist *d)
{
	for (unsigned e = EXPONENTS; e-- > 0;)
		for (unsigned i = PAGE; d->pages[1][e] && i-- > 0;)
			cells_add(c, -bin_edge(e, i + 1), -bin_edge(e, i), d->pages[1][e][i]);
	cells_add(c, 0, 0, d->zeros);
	for (unsigned e = 0; e < EXPONENTS; e++)
		for (unsigned i = 0; d->pages[0][e] && i < PAGE; i++)
			cells_add(c, bin_edge(e, i), bin_edge(e, i + 1), d->pages[0][e][i]);
}

static struct cells cells_of(const struct dist *d)
{
	struct cells c = {0};

	if (d->values)
		cells_of_values(&c, d);
	else
		cells_of_codes(&c, d);
	return c;
}

/* The k-th smallest element, from 0: as if those of a cell stood in the middles of equal shares of it. The first
 * and the last are known, unless min and max are mere bounds (0 for |B - A|). */
static double order_statistic(const struct cells *c, uint64_t k, double min, double max)
{
	uint64_t before = 0;
	size_t i = 0;
	double x, share;

	while (k - before >= c->p[i].count)
		before += c->p[i++].count;
	if (k == 0 && min >= c->p[i].lo)
		return min;
	if (k == c->total - 1 && max <= c->p[i].hi)
		return max;
	share = ((double)(k - before) + 0.5) / (double)c->p[i].count;
	x = c->p[i].lo + (c->p[i].hi - c->p[i].lo) * share;
	return fmin(fmax(x, min), max);
}

/* NumPy's method "linear": at p * (n - 1), between its two neighbours, from the nearer one. */
static double quantile(const struct cells *c, double p, double min, double max)
{
	double at, t, a, b, x;
	uint64_t k;

	if (!c->total)
		return NAN;
	at = p * (double)(c->total - 1);
	k = u64_min((uint64_t)at, c->total - 1);
	t = at - (double)k;
	a = order_statistic(c, k, min, max);
	if (t <= 0 || k == c->total - 1)
		return a;
	b = order_statistic(c, k + 1, min, max);
	x = t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
	return isfinite(x) ? x : a * (1 - t) + b * t; /* b - a was beyond a double */
}

double dist_quantile(const struct dist *d, double p, double min, double max)
{
	struct cells c = cells_of(d);
	double q = quantile(&c, p, min, max);

	free(c.p);
	return q;
}

static void count_codes(const struct dist *d, struct stats *s)
{
	double bits = 0, distinct = 0;

	for (size_t i = 0; i < code_count(d); i++) {
		double share = (double)d->codes[i] / (double)d->n;

		if (!d->codes[i])
			continue;
		distinct++;
		bits += share * log2((double)d->n / (double)d->codes[i]);
	}
	s->distinct = distinct;
	s->entropy = d->n ? bits : NAN;
}

void dist_stats(const struct dist *d, struct stats *s)
{
	struct cells c = cells_of(d);

	for (size_t i = 0; i < Q_COUNT; i++)
		s->q[i] = quantile(&c, quantile_at[i], s->min, s->max);
	free(c.p);
	s->distinct = s->entropy = NAN;
	if (d->codes)
		count_codes(d, s);
}
