/*
 * Computing rows on the pool. Requests return at once; results are handed over on the caller's own thread, so a row's
 * result can be read without a lock. A row is read in chunks of CHUNK elements, and what is asked for of a pair is done
 * in one pass over its bytes (histograms take a second, since their bins span both sides, and exact quantiles of wide
 * types one to four).
 */
#ifndef ANALYSIS_SCAN_H
#define ANALYSIS_SCAN_H

#include "analysis/session.h"

enum {
	WANT_STATS = 1, /* moments of each side and, for a comparable pair, the differences and the final status */
	WANT_DIST = 2,  /* quantiles, distinct, entropy, p50_abs_diff, p99_abs_diff (implies WANT_STATS) */
	WANT_BINS = 4,  /* histograms of A and B over the same bins, and of B - A (implies WANT_STATS) */
	WANT_EQUAL = 8  /* only whether anything differs: stops at the first difference, fills nothing but the status */
};

enum { CHUNK = 1 << 18 };

/* Whose turn it is: the pool takes a higher one first. */
enum { PRIO_BACKGROUND, PRIO_BATCH, PRIO_VISIBLE, PRIO_SELECTED };

struct scan;

/* `wake` (may be NULL) is called on a worker when a result is ready to be taken. */
struct scan *scan_new(struct session *, void (*wake)(void *), void *arg);

/* Asks for a row (an index into session.rows); what is there already or under way is not computed again. A row asked
 * for again with a higher priority moves up. Histograms get `bins` bins. */
void scan_ask(struct scan *, size_t row, unsigned want, int priority, unsigned bins);

/* Hands over one finished row: sets its result and status and returns true with its index; false: none is ready. */
bool scan_take(struct scan *, size_t *row);

/* Waits until the row has everything that was asked for of it, handing over others meanwhile. */
void scan_wait(struct scan *, size_t row);

/* Bytes read and bytes asked for so far; equal when nothing is under way. */
void scan_progress(struct scan *, uint64_t *done, uint64_t *total);

/* What it is at. */
struct scan_work {
	uint64_t done, total;   /* bytes, as scan_progress has them */
	double seconds;         /* that anything was under way */
	size_t at_work, waiting; /* rows */
	enum io io;             /* how bytes are come by; IO_AUTO: both ways are still being timed */
	double speed[2];        /* bytes a second of one worker, by mapping and by copying; 0: not timed */
};
void scan_work(struct scan *, struct scan_work *);

struct scan_job {
	size_t row;
	unsigned want;
	int priority;
	bool begun;
	uint64_t done, total; /* bytes */
};

/* The rows under way: those that were begun first, then those whose turn comes first. Returns how many, at most `most`.
 */
size_t scan_jobs(struct scan *, struct scan_job *, size_t most);

/* Whether all that was asked for was handed over. The last bytes are read a moment before that. */
bool scan_idle(struct scan *);

void scan_free(struct scan *); /* cancels what is under way; results stay with their rows */

#endif
