#include "analysis/errand.h"

#include <stddef.h>
#include <time.h>

/* The pool's last word. */
static void done(struct job *job)
{
	struct errand *e = (struct errand *)job;
	bool dropped;

	if (e->end)
		e->end(e);
	pthread_mutex_lock(&e->lock);
	e->finished = true;
	dropped = e->dropped;
	pthread_cond_broadcast(&e->over);
	if (!dropped && e->wake)
		e->wake(e->wake_arg);
	pthread_mutex_unlock(&e->lock);
	if (!dropped)
		return;
	pthread_cond_destroy(&e->over);
	pthread_mutex_destroy(&e->lock);
	e->free(e);
}

void errand_start(struct errand *e, struct pool *pool, void (*wake)(void *), void *arg)
{
	e->pool = pool;
	e->wake = wake;
	e->wake_arg = arg;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->over, NULL);
	e->job.done = done;
	pool_add(pool, &e->job);
}

void errand_wake(struct errand *e)
{
	pthread_mutex_lock(&e->lock);
	if (!e->dropped && e->wake)
		e->wake(e->wake_arg);
	pthread_mutex_unlock(&e->lock);
}

bool errand_done(struct errand *e)
{
	bool finished;

	pthread_mutex_lock(&e->lock);
	finished = e->finished;
	pthread_mutex_unlock(&e->lock);
	return finished;
}

void errand_wait(struct errand *e, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&e->lock);
	while (!e->finished && pthread_cond_timedwait(&e->over, &e->lock, &until) == 0)
		;
	pthread_mutex_unlock(&e->lock);
}

void errand_drop(struct errand *e)
{
	bool finished;

	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	finished = e->finished;
	e->dropped = true;
	if (!finished) /* with the lock held: done() waits for it before it frees anything */
		pool_cancel(e->pool, &e->job);
	pthread_mutex_unlock(&e->lock);
	if (!finished)
		return;
	pthread_cond_destroy(&e->over);
	pthread_mutex_destroy(&e->lock);
	e->free(e);
}
