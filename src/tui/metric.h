/* What the layer map can show of a tensor or a pair: one number each, and how it becomes a level of a scale. */
#ifndef TUI_METRIC_H
#define TUI_METRIC_H

#include "analysis/session.h"
#include "tui/ramp.h"

struct metric {
	const char *key, *about;
	bool pair;      /* of two models, else of one */
	unsigned want;  /* WANT_ bits of analysis/scan.h that it needs */
	bool falling;   /* small values are the strong ones */
	bool linear;    /* it may be below 0, or is a logarithm already: no logarithmic scale */
	double (*get)(const struct row *); /* NAN: undefined, or not computed */
};

extern const struct metric metrics[]; /* ended by a NULL key */
int metric_first(bool pair);          /* the index of the one that is shown first */

/* Whether what the metric needs was computed, or never will be. */
bool metric_ready(const struct metric *, const struct row *);

/* Larger is stronger. */
double metric_strength(const struct metric *, double value);

/* The scale that the values seen so far span. */
struct span_of {
	double lo, hi;   /* of the values; lo is 0 unless the metric is linear */
	double least;    /* above 0: where a logarithmic scale begins */
	size_t n;
};
void span_add(struct span_of *, const struct metric *, double x); /* begin with a zeroed one */
int span_level(const struct span_of *, const struct metric *, double x, bool log_scale);

#endif
