/* In plain words, what changed between two models. */
#ifndef ANALYSIS_VERDICT_H
#define ANALYSIS_VERDICT_H

#include "analysis/tree.h"
#include "base/buf.h"

struct summary {
	struct rollup all;
	size_t meta_changed, meta_added, meta_removed;
	size_t strongest; /* the row whose rel_l2 is the largest among the changed; SIZE_MAX: none */
};

/* Of all rows given, which must have their results. */
void summarise(struct summary *, const struct session *, const size_t *rows, size_t n);

/* Appends one sentence: "12 of 148 tensors changed, the largest relative change 0.31 in layers.11.mlp". Never "same"
 * while a tensor could not be compared. */
void verdict(struct buf *, const struct session *, const struct summary *);

/* The exit status of a comparison: 0 no difference, 1 differences, 2 trouble. */
int summary_status(const struct session *, const struct summary *);

#endif
