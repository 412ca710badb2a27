/*
 * An errand: a job on the pool for a view, which may lose interest at any moment and must never wait for it. The last
 * of the two to let go, the view or the pool, frees it.
 */
#ifndef ANALYSIS_ERRAND_H
#define ANALYSIS_ERRAND_H

#include <pthread.h>

#include "base/pool.h"

struct errand {
	struct job job;   /* first: the pool hands it back. parts, run, serial are the caller's to set */
	void (*end)(struct errand *);  /* on a worker, after the last part: closes what it worked with; NULL */
	void (*free)(struct errand *); /* frees it and all that it has */

	struct pool *pool; /* from here on its own */
	void (*wake)(void *);
	void *wake_arg;
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool finished, dropped;
};

/* Adds it to the pool. `wake` (may be NULL) is called on a worker when it is done and whenever errand_wake is. */
void errand_start(struct errand *, struct pool *, void (*wake)(void *), void *arg);
void errand_wake(struct errand *);              /* on a worker: there is something to look at */
bool errand_done(struct errand *);
void errand_wait(struct errand *, unsigned ms); /* until it is done, but no longer than that: under a second */
void errand_drop(struct errand *);              /* lets go of it; it wakes nobody any more. NULL is fine */

#endif
