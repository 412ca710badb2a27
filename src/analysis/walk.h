/*
 * One step of a tensor, or of two side by side: from packed bytes to sums, counts and histograms. Types that a kernel
 * table decodes to float go through num/floats.h, all others through doubles.
 */
#ifndef ANALYSIS_WALK_H
#define ANALYSIS_WALK_H

#include "analysis/session.h"
#include "num/dist.h"
#include "num/floats.h"
#include "num/ladder.h"
#include "num/refine.h"

/* What a pass over the bytes is for: sums, counts and differences; then, where asked for, exact quantiles (until they
 * are known), and last the histograms, whose bins span what was found before. */
enum pass { PASS_SUMS, PASS_REFINE, PASS_BINS };

struct walk {
	enum dtype type[2];
	double atol, rtol; /* both 0: no tolerance asked for */
	enum pass pass;
	bool equal_only;   /* sums of what is the same on both sides are not wanted */
};

/* What one worker counts of one task; counts can be added up in any order. */
struct tally {
	struct dist *dist[2], *dist_d; /* NULL: not asked for */
	struct dist *dist_both;        /* of steps whose bytes are the same: it belongs to either side */
	struct refine *refine[2], *refine_d; /* NULL: known already */
	struct bins bins[2], bins_d;
};

/* What a part of a task comes to; parts are merged in their order. */
struct part {
	struct moments moments[2];
	struct pairsum sum;
	struct ladder ladder;
	bool other_bytes, beyond; /* some bytes differ; some values differ by more than the tolerance */
};

struct bench; /* where a worker decodes to: some hundred KiB, for any number of tasks */
struct bench *bench_new(void);
void bench_free(struct bench *); /* NULL is fine */
uint8_t *bench_room(struct bench *, int side); /* for the packed bytes of RUN elements of any type */

/* The next n <= RUN elements (whole blocks) of one side, whose packed bytes are raw. */
void walk_one(const struct walk *, struct tally *, struct bench *, struct moments *, int side, const uint8_t *raw,
	      size_t n);

/* The same of both sides, from element `first` on. */
void walk_two(const struct walk *, struct tally *, struct bench *, struct part *, const uint8_t *a, const uint8_t *b,
	      uint64_t first, size_t n);

/* Bytes of n elements. */
size_t walk_bytes(enum dtype, size_t n);

#endif
