/*
 * A census: how many elements of a row's tensors, and of their differences, lie in each bin of ranges that one chooses.
 * It is counted on the pool, and what was counted so far can be looked at any time.
 */
#ifndef ANALYSIS_CENSUS_H
#define ANALYSIS_CENSUS_H

#include "analysis/session.h"

/* lo <= hi, n > 0 bins; knee 0: of equal width, else see num/bins.h. */
struct census_range {
	double lo, hi, knee;
	unsigned n;
};

struct census;

/* Starts it: A's and B's elements over one range, B - A (of a pair that has differences) over the other one. `wake` is
 * called on a worker when there is more to look at. */
struct census *census_start(struct session *, size_t row, const struct census_range *values,
			    const struct census_range *differences, void (*wake)(void *), void *arg);

/* Copies what was counted so far; *out is a histogram, or zeroed, and the caller's. plane: as in analysis/patch.h. */
void census_look(struct census *, int plane, struct bins *out);

bool census_done(struct census *);
void census_wait(struct census *, unsigned ms); /* until it is done, but no longer than that: under a second */
double census_progress(struct census *);        /* from 0 to 1 */
const char *census_error(struct census *);      /* NULL, or why values cannot be read; stays until census_drop */

/* Lets go of it, without waiting: what is under way ends soon, and wakes nobody. NULL is fine. */
void census_drop(struct census *);

#endif
