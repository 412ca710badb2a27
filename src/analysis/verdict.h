/* In plain words, what changed between two models. */
#ifndef ANALYSIS_VERDICT_H
#define ANALYSIS_VERDICT_H

#include "analysis/tree.h"
#include "base/buf.h"

/* The pairs that stand on one rung in one direction. */
struct conversions {
	size_t n;
	unsigned roundings;  /* of casts: those that fit all of them */
	const char *types[4]; /* they were made into these, each once */
	size_t n_types;
	bool more_types;      /* than there is room for */
};

struct summary {
	struct rollup all;
	struct conversions casts[2], quantised[2]; /* [0]: of A, in B; [1]: of B, in A */
	size_t meta_changed, meta_added, meta_removed;
	size_t strongest; /* the row whose rel_l2 is the largest among the changed; SIZE_MAX: none */
};

/* Whether no pair is changed but for its type: what a conversion moved most is then what stands out. */
bool summary_converted(const struct summary *);

/* Of all rows given, which must have their results. */
void summarise(struct summary *, const struct session *, const size_t *rows, size_t n);

/* Appends one sentence: "12 of 148 tensors changed, the largest relative change 0.31 in layers.11.mlp". Never "same"
 * while a tensor could not be compared. */
void verdict(struct buf *, const struct session *, const struct summary *);

/* The exit status of a comparison: 0 no difference, 1 differences, 2 trouble. */
int summary_status(const struct session *, const struct summary *);

#endif
