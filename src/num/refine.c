#include "num/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
	STEP_BITS = 15,
	STEPS = 1 << STEP_BITS,
	BIN_BITS = 20, /* of a key: those of a bin of num/dist.c */
	MAP_BITS = 15, /* of these the lower ones: what tells whether to look closer */
	GATHER_MOST = 1 << 15,
	TARGETS_MAX = 2 * Q_COUNT
};

/* An order statistic: the element with that rank among the `count` whose keys begin with these bits. */
struct target {
	uint64_t prefix, rank, count;
	unsigned bits;     /* of the prefix; all that a key has: it is the element itself */
	unsigned first;    /* the first target with the same prefix: what is counted there serves both */
	uint64_t *counts;  /* by the next STEP_BITS bits, made when one is found */
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
	uint64_t left;            /* elements that may be one of the targets */
	bool gathers;             /* they are few: their keys are kept, not counted */
	uint64_t *found;
	size_t n_found, cap_found;
	uint64_t bins[(1 << MAP_BITS) / 64]; /* a bit for those with a target: of most elements all that is looked at */
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
	uint64_t first = t->prefix >> longer << shorter;

	for (uint64_t i = 0; i < (uint64_t)1 << shorter; i++) {
		uint64_t bin = (first + i) % (1 << MAP_BITS);

		r->bins[bin / 64] |= (uint64_t)1 << bin % 64;
	}
}

/* What the next pass looks for, and whether it gathers or counts that. */
static void plan(struct refine *r)
{
	memset(r->bins, 0, sizeof(r->bins));
	r->left = 0;
	for (unsigned i = 0; i < r->n_targets; i++) {
		struct target *t = &r->targets[i];
		unsigned first = 0;

		while (r->targets[first].bits != t->bits || r->targets[first].prefix != t->prefix)
			first++;
		t->first = first;
		if (first != i || is_known(r, t))
			continue;
		r->left += t->count;
		mark_bins(r, t);
	}
	r->gathers = r->left <= GATHER_MOST;
}

static unsigned add_target(struct refine *r, const struct dist *d, uint64_t k)
{
	struct target *t = &r->targets[r->n_targets];
	struct dist_place place;

	dist_locate(d, k, &place);
	t->rank = place.rank;
	t->count = place.count;
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
	for (size_t i = 0; i < n; i++) {
		double at = p[i] * (double)(total - 1);
		uint64_t k = u64_min((uint64_t)at, total - 1);

		r->wanted[i].share = at - (double)k;
		r->wanted[i].low = add_target(r, d, k);
		r->wanted[i].high = add_target(r, d, u64_min(k + 1, total - 1));
	}
	plan(r);
	return r;
}

struct refine *refine_like(const struct refine *r)
{
	struct refine *like = xmalloc(sizeof(*like));

	*like = *r;
	for (size_t i = 0; i < like->n_targets; i++)
		like->targets[i].counts = NULL;
	like->found = NULL;
	like->n_found = like->cap_found = 0;
	return like;
}

static void forget(struct refine *r)
{
	for (size_t i = 0; i < r->n_targets; i++) {
		free(r->targets[i].counts);
		r->targets[i].counts = NULL;
	}
	free(r->found);
	r->found = NULL;
	r->n_found = r->cap_found = 0;
}

void refine_free(struct refine *r)
{
	if (!r)
		return;
	forget(r);
	free(r);
}

/* Never more than were counted before: a file may change meanwhile. */
static void gather(struct refine *r, const uint64_t *keys, size_t n)
{
	n = (size_t)u64_min(n, r->left - r->n_found);
	if (n > r->cap_found - r->n_found) {
		r->cap_found = r->n_found + n > 2 * r->cap_found ? r->n_found + n : 2 * r->cap_found;
		r->found = xrealloc(r->found, r->cap_found, sizeof(*r->found));
	}
	if (n)
		memcpy(r->found + r->n_found, keys, n * sizeof(*keys));
	r->n_found += n;
}

static void count(const struct refine *r, struct target *t, uint64_t key)
{
	unsigned bits = step_bits(r, t), rest = r->key_bits - t->bits;

	if (!t->counts)
		t->counts = xcalloc(STEPS, sizeof(*t->counts));
	t->counts[key >> (rest - bits) & ((1u << bits) - 1)]++;
}

static void look_closer(struct refine *r, uint64_t key)
{
	for (unsigned i = 0; i < r->n_targets; i++) {
		struct target *t = &r->targets[i];

		if (t->first != i || is_known(r, t) || key >> (r->key_bits - t->bits) != t->prefix)
			continue;
		if (r->gathers)
			gather(r, &key, 1);
		else
			count(r, t, key);
		return; /* no prefix begins with another */
	}
}

void refine_add(struct refine *r, const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t key = key_of(r, x[i]), bin = (key >> (r->key_bits - BIN_BITS)) % (1 << MAP_BITS);

		if (r->bins[bin / 64] >> bin % 64 & 1)
			look_closer(r, key); /* which is in no bin if x is not finite */
	}
}

void refine_merge(struct refine *r, const struct refine *more)
{
	gather(r, more->found, more->n_found);
	for (size_t i = 0; i < r->n_targets; i++) {
		if (!more->targets[i].counts)
			continue;
		if (!r->targets[i].counts)
			r->targets[i].counts = xcalloc(STEPS, sizeof(uint64_t));
		for (size_t k = 0; k < STEPS; k++)
			r->targets[i].counts[k] += more->targets[i].counts[k];
	}
}

static void end_search(const struct refine *r, struct target *t, uint64_t key)
{
	t->prefix = key;
	t->bits = r->key_bits;
}

/* Which of the counted parts of its bin an order statistic stands in. */
static void narrow(const struct refine *r, struct target *t, const uint64_t *counts)
{
	unsigned bits = step_bits(r, t);
	uint64_t next = 0;

	if (!counts) { /* the elements are there no more */
		end_search(r, t, t->prefix << (r->key_bits - t->bits));
		return;
	}
	while (next + 1 < (uint64_t)1 << bits && t->rank >= counts[next])
		t->rank -= counts[next++];
	t->count = counts[next];
	t->prefix = t->prefix << bits | next;
	t->bits += bits;
}

static int by_key(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

/* Which of the gathered keys it is; they are sorted. */
static void pick(const struct refine *r, struct target *t)
{
	uint64_t key = t->prefix << (r->key_bits - t->bits);
	size_t i = 0;

	while (i < r->n_found && r->found[i] < key)
		i++;
	end_search(r, t, i + t->rank < r->n_found ? r->found[i + t->rank] : key);
}

bool refine_next(struct refine *r)
{
	if (r->n_found)
		qsort(r->found, r->n_found, sizeof(*r->found), by_key);
	for (size_t i = 0; i < r->n_targets; i++) {
		struct target *t = &r->targets[i];

		if (is_known(r, t))
			continue;
		if (r->gathers)
			pick(r, t);
		else
			narrow(r, t, r->targets[t->first].counts);
	}
	forget(r);
	plan(r);
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
