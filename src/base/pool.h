/*
 * One pool of threads. A job is cut into parts, numbered from 0; the workers run parts in any order and merge their
 * results in the order of the parts, so that 1 and 16 threads give the same digits. A job with a higher priority is
 * taken first, at the next part; among equals, the one that came first.
 *
 * A job owns its output until `done` was called: that is the last thing the pool does with it.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdatomic.h>

#include "base/util.h"

struct pool;

struct job {
	uint64_t parts;   /* at least 1 */
	size_t part_size; /* bytes of the result of one part */
	bool serial;      /* one part at a time, in order: a stream cannot be cut */
	int priority;     /* 0 to 3 */

	/* Runs on a worker: computes a part into out (part_size bytes, zeroed). worker counts from 0. */
	void (*run)(struct job *, uint64_t part, void *out, unsigned worker);
	/* Runs on a worker, one call at a time for a job, parts 0, 1, 2, ... NULL: nothing to merge. */
	void (*merge)(struct job *, uint64_t part, void *out);
	/* Runs once, on a worker, after the last merge, or as soon as no part runs after a cancel. May free the job. */
	void (*done)(struct job *);

	atomic_bool cancel; /* checked between parts; long parts may check it too */

	struct job *next, *prev; /* the rest is the pool's own */
	bool queued;
	uint64_t given, merged;
	unsigned running;
	bool merging;
	unsigned char *parked; /* results waiting for their turn: a ring of `window` slots */
	unsigned char *parked_full;
};

unsigned pool_cores(void);                  /* processors this process may use */
struct pool *pool_new(unsigned threads);    /* 0: as many as pool_cores */
void pool_give_way(struct pool *); /* from now on the calling thread goes first; call it before a job is added */
unsigned pool_threads(const struct pool *);
void pool_add(struct pool *, struct job *);
void pool_again(struct pool *, struct job *); /* one that is done and has more to do, before those that did not begin */
void pool_priority(struct pool *, struct job *, int priority); /* of a job that is not done yet */
void pool_cancel(struct pool *, struct job *); /* `done` is still called, soon, unless it is under way */
void pool_wait(struct pool *);  /* until every job is done */
void pool_free(struct pool *);  /* cancels what is left, waits for it, joins the threads; NULL is fine */

#endif
