#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include "base/err.h"

enum { LEVELS = 4 }; /* priorities 0 to 3, one queue each */

struct queue {
	struct job *first, *last;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work; /* there may be a part to run */
	pthread_cond_t idle; /* a job is done */
	struct queue level[LEVELS];
	size_t active; /* jobs that are not done */
	bool stop;
	atomic_bool behind; /* see pool_give_way */
	unsigned n_threads;
	pthread_t *threads;
};

unsigned pool_cores(void)
{
#ifdef CPU_COUNT
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		return (unsigned)CPU_COUNT(&set);
#endif
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned)n : 1;
}

static unsigned level_of(int priority)
{
	return priority < 0 ? 0 : priority >= LEVELS ? LEVELS - 1 : (unsigned)priority;
}

/* Behind all others of its priority, or before them. */
static void enqueue(struct pool *p, struct job *j, bool first)
{
	struct queue *q = &p->level[level_of(j->priority)];

	j->prev = first ? NULL : q->last;
	j->next = first ? q->first : NULL;
	*(j->prev ? &j->prev->next : &q->first) = j;
	*(j->next ? &j->next->prev : &q->last) = j;
	j->queued = true;
}

static void dequeue(struct pool *p, struct job *j)
{
	struct queue *q = &p->level[level_of(j->priority)];

	if (!j->queued)
		return;
	*(j->prev ? &j->prev->next : &q->first) = j->next;
	*(j->next ? &j->next->prev : &q->last) = j->prev;
	j->next = j->prev = NULL;
	j->queued = false;
}

/* Results wait for their turn in a ring; nobody runs so far ahead that it would be full. */
static uint64_t window(const struct pool *p, const struct job *j)
{
	return u64_min(2 * (uint64_t)p->n_threads + 2, j->parts);
}

static bool has_part(const struct pool *p, const struct job *j)
{
	if (j->cancel)
		return j->running == 0 && !j->merging; /* to be finished */
	if (j->serial)
		return j->running == 0 && j->merged == j->given;
	return j->given - j->merged < window(p, j);
}

/* A job stays in its queue until its last part is given out. Those at the front that cannot go on now are as few as
 * the threads that hold them back. */
static struct job *pick(struct pool *p)
{
	for (unsigned l = LEVELS; l-- > 0;)
		for (struct job *j = p->level[l].first; j; j = j->next)
			if (has_part(p, j))
				return j;
	return NULL;
}

static unsigned char *slot(const struct pool *p, const struct job *j, uint64_t part)
{
	return j->parked + (part % window(p, j)) * j->part_size;
}

/* With the lock held: merges what is next in turn, unless another worker is at it. */
static void merge_ready(struct pool *p, struct job *j)
{
	if (j->merging)
		return;
	j->merging = true;
	while (j->merged < j->given && j->parked_full[j->merged % window(p, j)]) {
		uint64_t part = j->merged;

		if (j->merge) {
			pthread_mutex_unlock(&p->lock);
			j->merge(j, part, slot(p, j, part));
			pthread_mutex_lock(&p->lock);
		}
		if (j->part_size)
			memset(slot(p, j, part), 0, j->part_size);
		j->parked_full[part % window(p, j)] = 0;
		j->merged++;
		pthread_cond_broadcast(&p->work);
	}
	j->merging = false;
}

/* With the lock held, and given up meanwhile: the last one out calls done. */
static void finish_if_last(struct pool *p, struct job *j)
{
	if (j->running || j->merging || (j->merged < j->parts && !j->cancel))
		return;
	dequeue(p, j);
	free(j->parked);
	free(j->parked_full);
	j->parked = j->parked_full = NULL;
	pthread_mutex_unlock(&p->lock);
	j->done(j);
	pthread_mutex_lock(&p->lock);
	p->active--;
	pthread_cond_broadcast(&p->idle);
}

static void run_part(struct pool *p, struct job *j, unsigned worker)
{
	uint64_t part = j->given++;

	if (!j->parked_full) {
		j->parked = xcalloc(window(p, j), j->part_size);
		j->parked_full = xcalloc(window(p, j), 1);
	}
	if (j->given == j->parts)
		dequeue(p, j);
	j->running++;
	pthread_mutex_unlock(&p->lock);
	j->run(j, part, slot(p, j, part), worker);
	pthread_mutex_lock(&p->lock);
	j->running--;
	j->parked_full[part % window(p, j)] = 1;
	merge_ready(p, j);
}

struct start {
	struct pool *pool;
	unsigned worker;
};

/* Only Linux has priorities for single threads: elsewhere the whole process would stand back. Where one may not be
 * changed, it stays as it is. */
static void stand_behind(void)
{
#ifdef __linux__
	enum { BEHIND = 5 };

	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + BEHIND);
#endif
}

/* A thread that asks for short turns need not wait, when it wakes, until another's long one is over (Linux 6.12; what
 * came before takes no notice). The struct is the kernel's sched_attr, as far as its first version goes. */
static void go_first(void)
{
#if defined(__linux__) && defined(SYS_sched_setattr)
	struct {
		uint32_t size, policy; /* 0: the usual one */
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period; /* nanoseconds */
	} attr = {.size = sizeof(attr), .nice = getpriority(PRIO_PROCESS, 0), .runtime = 200000};

	if (sched_getscheduler(0) == SCHED_OTHER) /* a user's choice of another one holds */
		syscall(SYS_sched_setattr, 0, &attr, 0);
#endif
}

static void *work(void *arg)
{
	struct start s = *(struct start *)arg;
	struct pool *p = s.pool;
	bool behind = false;

	free(arg);
	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct job *j = pick(p);

		if (p->behind && !behind) {
			stand_behind();
			behind = true;
		}

		if (!j && p->stop)
			break;
		if (!j) {
			pthread_cond_wait(&p->work, &p->lock);
			continue;
		}
		if (!j->cancel)
			run_part(p, j, s.worker);
		finish_if_last(p, j);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct pool *pool_new(unsigned threads)
{
	struct pool *p = xcalloc(1, sizeof(*p));
	unsigned want = threads ? threads : pool_cores();

	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->idle, NULL);
	p->threads = xcalloc(want, sizeof(*p->threads));
	pthread_mutex_lock(&p->lock); /* the workers read n_threads: they wait until it stands */
	for (unsigned i = 0; i < want; i++) {
		struct start *s = xcalloc(1, sizeof(*s));

		*s = (struct start){p, i};
		if (pthread_create(&p->threads[i], NULL, work, s) != 0) {
			free(s);
			break; /* fewer threads are slower, not wrong */
		}
		p->n_threads++;
	}
	pthread_mutex_unlock(&p->lock);
	if (p->n_threads == 0)
		die("cannot start a thread");
	return p;
}

void pool_give_way(struct pool *p)
{
	p->behind = true;
	go_first();
}

unsigned pool_threads(const struct pool *p)
{
	return p->n_threads;
}

static void add(struct pool *p, struct job *j, bool first)
{
	pthread_mutex_lock(&p->lock);
	j->given = j->merged = 0;
	j->running = 0;
	j->merging = false;
	j->parked = j->parked_full = NULL;
	p->active++;
	enqueue(p, j, first);
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
}

void pool_add(struct pool *p, struct job *j)
{
	add(p, j, false);
}

void pool_again(struct pool *p, struct job *j)
{
	add(p, j, true);
}

void pool_priority(struct pool *p, struct job *j, int priority)
{
	pthread_mutex_lock(&p->lock);
	if (level_of(priority) != level_of(j->priority)) {
		bool queued = j->queued;

		dequeue(p, j);
		j->priority = priority;
		if (queued)
			enqueue(p, j, false);
	}
	pthread_mutex_unlock(&p->lock);
}

void pool_cancel(struct pool *p, struct job *j)
{
	pthread_mutex_lock(&p->lock);
	j->cancel = true; /* whoever runs its last part, or finds it in the queue, finishes it */
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
}

void pool_wait(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (p->active)
		pthread_cond_wait(&p->idle, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	for (unsigned l = 0; l < LEVELS; l++)
		for (struct job *j = p->level[l].first; j; j = j->next)
			j->cancel = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	pool_wait(p);
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->idle);
	free(p->threads);
	free(p);
}
