/* base/pool: merges in order whatever the threads do, cancels, takes the urgent first. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/pool.h"

struct counted {
	struct job job;
	uint64_t next; /* the part that must be merged next */
	bool in_order, is_done;
	uint64_t sum;
	unsigned at_once, most_at_once;
	pthread_mutex_t lock;
};

static void run(struct job *j, uint64_t part, void *out, unsigned worker)
{
	struct counted *c = (struct counted *)j;
	(void)worker;

	pthread_mutex_lock(&c->lock);
	if (++c->at_once > c->most_at_once)
		c->most_at_once = c->at_once;
	pthread_mutex_unlock(&c->lock);
	for (uint64_t i = 0; i < part % 7; i++)
		sched_yield();
	*(uint64_t *)out += part * part; /* += : the pool hands over zeroed memory */
	pthread_mutex_lock(&c->lock);
	c->at_once--;
	pthread_mutex_unlock(&c->lock);
}

static void merge(struct job *j, uint64_t part, void *out)
{
	struct counted *c = (struct counted *)j;

	c->in_order = c->in_order && part == c->next;
	c->next = part + 1;
	c->sum += *(uint64_t *)out;
}

static void done(struct job *j)
{
	((struct counted *)j)->is_done = true;
}

static struct counted fresh(uint64_t parts, bool serial)
{
	return (struct counted){
		.job = {.parts = parts, .part_size = sizeof(uint64_t), .serial = serial, .run = run, .merge = merge, .done = done},
		.in_order = true,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
}

static void merges_in_order(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= 16; threads *= 4) {
		struct pool *p = pool_new(threads);
		struct counted c = fresh(1000, false), s = fresh(200, true);

		pool_add(p, &c.job);
		pool_add(p, &s.job);
		pool_wait(p);
		assert_true(c.is_done && c.in_order && c.next == 1000);
		assert_true(c.sum == 332833500); /* the sum of the squares below 1000 */
		assert_true(s.is_done && s.in_order && s.next == 200);
		assert_int_equal(s.most_at_once, 1);
		pool_free(p);
	}
}

static void cancel_ends_soon(void **state)
{
	struct pool *p = pool_new(2);
	struct counted c = fresh(UINT64_MAX, false);
	(void)state;

	pool_add(p, &c.job);
	pool_cancel(p, &c.job);
	pool_wait(p);
	assert_true(c.is_done && c.in_order);
	pool_free(p);
}

static void free_cancels_what_is_left(void **state)
{
	struct pool *p = pool_new(3);
	struct counted c[4];
	(void)state;

	for (size_t i = 0; i < COUNT(c); i++) {
		c[i] = fresh(UINT64_MAX, i % 2);
		pool_add(p, &c[i].job);
	}
	pool_free(p);
	for (size_t i = 0; i < COUNT(c); i++)
		assert_true(c[i].is_done);
}

struct ordered {
	struct job job;
	unsigned *clock, finished_at;
};

static void run_nothing(struct job *j, uint64_t part, void *out, unsigned worker)
{
	(void)j, (void)part, (void)out, (void)worker;
}

static void stamp(struct job *j)
{
	struct ordered *o = (struct ordered *)j;

	o->finished_at = (*o->clock)++;
}

struct gate {
	struct job job;
	pthread_mutex_t *lock;
};

static void wait_for_gate(struct job *j, uint64_t part, void *out, unsigned worker)
{
	struct gate *g = (struct gate *)j;
	(void)part, (void)out, (void)worker;

	pthread_mutex_lock(g->lock);
	pthread_mutex_unlock(g->lock);
}

static void ignore(struct job *j)
{
	(void)j;
}

/* One thread, held at a gate while three jobs queue up: the urgent one, raised or added, goes first. */
static void urgent_first(void **state)
{
	struct pool *p = pool_new(1);
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct gate gate = {{.parts = 1, .run = wait_for_gate, .done = ignore}, &lock};
	unsigned clock = 0;
	struct ordered o[3];
	(void)state;

	pthread_mutex_lock(&lock);
	pool_add(p, &gate.job);
	for (size_t i = 0; i < COUNT(o); i++) {
		o[i] = (struct ordered){.job = {.parts = 1, .run = run_nothing, .done = stamp}, .clock = &clock};
		o[i].job.priority = i == 1 ? 2 : 0;
		pool_add(p, &o[i].job);
	}
	pool_priority(p, &o[2].job, 3);
	pthread_mutex_unlock(&lock);
	pool_wait(p);
	assert_int_equal(o[2].finished_at, 0);
	assert_int_equal(o[1].finished_at, 1);
	assert_int_equal(o[0].finished_at, 2);
	pool_free(p);
	pthread_mutex_destroy(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges_in_order),
		cmocka_unit_test(cancel_ends_soon),
		cmocka_unit_test(free_cancels_what_is_left),
		cmocka_unit_test(urgent_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
