#include "num/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
	STEP_BITS = 15,
	STEPS = 1 << STEP_BITS,
	TOP_BITS = 12, /* of a double: sign and exponent */
	BIN_BITS = 20, /* those of a bin of num/dist.c */
	BINS_SIZE = (1 << BIN_BITS) / 8,
	TARGETS_MAX = 2 * Q_COUNT
};

/* An order statistic: the element with that rank among those whose keys begin with these bits. */
struct target {
	uint64_t prefix, rank;
	unsigned bits;     /* of the prefix; all that a key has: it is the element itself */
	unsigned counted;  /* whose counts it looks at: the first target with the same prefix */
	uint64_t *counts;  /* by the next STEP_BITS bits; NULL: not of its own, or none are needed */
};

struct wanted {
	double share; /* between the two: 0 is the first of them */
	unsigned low, high;
};

struct refine {
	struct target targets[TARGETS_MAX];
	struct wanted wanted[Q_COUNT];
	size_t n_targets;
	unsigned spare, key_bits; /* low bits that no element has, and are left out of keys; what is left of 64 */
	uint16_t active[1 << TOP_BITS]; /* by the upper bits of a key: the targets that may want it, a bit each */
	/* A bit for each bin that holds a target: of most elements it is all that is looked at. What is not finite has
	 * none. refine_like shares it. */
	uint64_t *bins;
	bool borrowed;
};

/* The bits of a double as a number that orders as the doubles do; zeros of both signs are one. */
static uint64_t key_of(const struct refine *r, double x)
{
	uint64_t bits;

	x += 0.0; /* -0 becomes 0 */
	memcpy(&bits, &x, sizeof(bits));
	return (bits >> 63 ? ~bits : bits | (uint64_t)1 << 63) >> r->spare;
}

static double value_of(const struct refine *r, uint64_t key)
{
	uint64_t bits;
	double x;

	key <<= r->spare;
	bits = key >> 63 ? key & INT64_MAX : ~key >> r->spare << r->spare;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

static bool is_known(const struct refine *r, const struct target *t)
{
	return t->bits == r->key_bits;
}

static unsigned step_bits(const struct refine *r, const struct target *t)
{
	return r->key_bits - t->bits < STEP_BITS ? r->key_bits - t->bits : STEP_BITS;
}

/* Marks the bins of all keys that begin with a target's prefix: one, or all of an exponent. */
static void mark_bins(struct refine *r, const struct target *t)
{
	unsigned longer = t->bits > BIN_BITS ? t->bits - BIN_BITS : 0;
	unsigned shorter = t->bits < BIN_BITS ? BIN_BITS - t->bits : 0;
	uint64_t bin = t->prefix >> longer << shorter;

	for (uint64_t end = bin + ((uint64_t)1 << shorter); bin < end; bin++)
		r->bins[bin / 64] |= (uint64_t)1 << bin % 64;
}

/* Gives the targets that are still in a bin counters, one set for all in the same bin, and notes whose turn is
 * whose. */
static void arm(struct refine *r)
{
	memset(r->active, 0, sizeof(r->active));
	memset(r->bins, 0, BINS_SIZE);
	for (unsigned i = 0; i < r->n_targets; i++) {
		struct target *t = &r->targets[i];
		unsigned first = 0;

		free(t->counts);
		t->counts = NULL;
		if (is_known(r, t))
			continue;
		while (r->targets[first].bits != t->bits || r->targets[first].prefix != t->prefix)
			first++;
		t->counted = first;
		if (first != i)
			continue;
		t->counts = xcalloc(STEPS, sizeof(*t->counts));
		r->active[t->prefix >> (t->bits - TOP_BITS)] |= (uint16_t)(1u << i);
		mark_bins(r, t);
	}
}

static unsigned add_target(struct refine *r, const struct dist *d, uint64_t k)
{
	struct target *t = &r->targets[r->n_targets];
	struct dist_place place;

	dist_locate(d, k, &place);
	t->rank = place.rank;
	t->bits = place.bits ? place.bits : r->key_bits; /* zero is known as it is */
	t->prefix = key_of(r, place.within) >> (r->key_bits - t->bits);
	return (unsigned)r->n_targets++;
}

struct refine *refine_new(const struct dist *d, const double *p, size_t n)
{
	uint64_t total = dist_values(d);
	struct refine *r;

	if (!total || n > Q_COUNT)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->spare = dist_spare_bits(d);
	r->key_bits = 64 - r->spare;
	r->bins = xmalloc(BINS_SIZE);
	for (size_t i = 0; i < n; i++) {
		double at = p[i] * (double)(total - 1);
		uint64_t k = u64_min((uint64_t)at, total - 1);

		r->wanted[i].share = at - (double)k;
		r->wanted[i].low = add_target(r, d, k);
		r->wanted[i].high = add_target(r, d, u64_min(k + 1, total - 1));
	}
	arm(r);
	return r;
}

struct refine *refine_like(const struct refine *r)
{
	struct refine *like = xmalloc(sizeof(*like));

	*like = *r;
	like->borrowed = true;
	for (size_t i = 0; i < like->n_targets; i++)
		if (like->targets[i].counts)
			like->targets[i].counts = xcalloc(STEPS, sizeof(uint64_t));
	return like;
}

void refine_free(struct refine *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_targets; i++)
		free(r->targets[i].counts);
	if (!r->borrowed)
		free(r->bins);
	free(r);
}

static void count(struct refine *r, unsigned active, uint64_t key)
{
	for (unsigned i = 0; active; i++, active >>= 1) {
		struct target *t = &r->targets[i];
		unsigned bits = step_bits(r, t), rest = r->key_bits - t->bits;

		if ((active & 1) && key >> rest == t->prefix)
			t->counts[key >> (rest - bits) & ((1u << bits) - 1)]++;
	}
}

void refine_add(struct refine *r, const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t key = key_of(r, x[i]), bin = key >> (r->key_bits - BIN_BITS);

		if (r->bins[bin / 64] >> bin % 64 & 1)
			count(r, r->active[key >> (r->key_bits - TOP_BITS)], key);
	}
}

void refine_merge(struct refine *r, const struct refine *more)
{
	for (size_t i = 0; i < r->n_targets; i++)
		for (size_t k = 0; r->targets[i].counts && k < STEPS; k++)
			r->targets[i].counts[k] += more->targets[i].counts[k];
}

/* Which of the counted parts of its bin an order statistic stands in. */
static void narrow(const struct refine *r, struct target *t, const uint64_t *counts)
{
	unsigned bits = step_bits(r, t);
	uint64_t next = 0;

	while (next + 1 < (uint64_t)1 << bits && t->rank >= counts[next])
		t->rank -= counts[next++];
	t->prefix = t->prefix << bits | next;
	t->bits += bits;
}

bool refine_next(struct refine *r)
{
	for (size_t i = 0; i < r->n_targets; i++)
		if (!is_known(r, &r->targets[i]) && r->targets[i].counted != i)
			narrow(r, &r->targets[i], r->targets[r->targets[i].counted].counts);
	for (size_t i = 0; i < r->n_targets; i++)
		if (r->targets[i].counts)
			narrow(r, &r->targets[i], r->targets[i].counts);
	arm(r);
	return !refine_done(r);
}

bool refine_done(const struct refine *r)
{
	for (size_t i = 0; i < r->n_targets; i++)
		if (!is_known(r, &r->targets[i]))
			return false;
	return true;
}

double refine_quantile(const struct refine *r, size_t i)
{
	const struct wanted *w = &r->wanted[i];
	double a, b, x;

	if (!refine_done(r))
		return NAN;
	a = value_of(r, r->targets[w->low].prefix);
	b = value_of(r, r->targets[w->high].prefix);
	if (w->share <= 0)
		return a;
	x = w->share < 0.5 ? a + (b - a) * w->share : b - (b - a) * (1 - w->share);
	return isfinite(x) ? x : a * (1 - w->share) + b * w->share; /* b - a was beyond a double */
}
