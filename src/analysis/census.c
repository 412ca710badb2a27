#include "analysis/census.h"

#include <pthread.h>
#include <stdlib.h>

#include "analysis/errand.h"
#include "analysis/patch.h"
#include "analysis/scan.h"
#include "analysis/walk.h"
#include "base/err.h"
#include "num/feed.h"

/*
 * The second pass of a scan (analysis/scan.c), over other bins: counts can be added up in any order, so each worker
 * adds what it counted of a part to the sums as soon as it has it. Two tensors of one shape are walked side by side,
 * otherwise A's chunks come first.
 */
struct desk { /* what one worker counts with */
	struct feed *feed[2];
	struct tally tally;
	struct bench *bench;
};

struct census {
	struct errand errand; /* first */
	struct session *s;
	const struct row *r;
	struct walk walk;
	bool pair;
	uint64_t parts_a; /* unless it is a pair: so many parts are A's, the rest B's */
	struct desk *desks;

	pthread_mutex_t lock; /* of what follows */
	struct bins bins[PLANE_COUNT];
	uint64_t parts_done;
	char *error;
};

static struct bins *bins_of(struct tally *t, int plane)
{
	return plane == PLANE_D ? &t->bins_d : &t->bins[plane];
}

static bool readable(const struct tensor *t)
{
	return t && !t->trouble;
}

static uint64_t chunks_of(const struct tensor *t)
{
	return readable(t) ? u64_ceil_div(t->count, CHUNK) : 0;
}

/* ---- one part, on a worker ---- */

static void fail(struct census *c, const struct err *e)
{
	pthread_mutex_lock(&c->lock);
	if (!c->error && !c->errand.job.cancel)
		c->error = xstrdup(e->msg);
	c->errand.job.cancel = true;
	pthread_mutex_unlock(&c->lock);
}

static struct desk *desk_of(struct census *c, unsigned worker)
{
	struct desk *d = &c->desks[c->errand.job.serial ? 0 : worker]; /* a stream goes on where it was left */

	if (d->bench)
		return d;
	d->bench = bench_new();
	pthread_mutex_lock(&c->lock);
	for (int plane = 0; plane < PLANE_COUNT; plane++)
		bins_copy(bins_of(&d->tally, plane), &c->bins[plane]);
	pthread_mutex_unlock(&c->lock);
	for (int plane = 0; plane < PLANE_COUNT; plane++)
		bins_clear(bins_of(&d->tally, plane));
	return d;
}

static const uint8_t *get(struct census *c, struct desk *d, int side, uint64_t first, size_t n)
{
	const struct tensor *a = c->r->t[A], *b = c->r->t[B];
	bool reordered = c->pair && (a->fortran || b->fortran);
	const uint8_t *raw = NULL;
	struct err e;

	if (d->feed[side] || feed_open(&d->feed[side], &c->s->m[side], c->r->t[side],
				       reordered ? FEED_LOGICAL : FEED_STORED, &e) == RC_OK) {
		feed_copy(d->feed[side], c->s->opts->io == IO_READ ? bench_room(d->bench, side) : NULL);
		raw = feed_get(d->feed[side], first, n, &e);
	}
	if (!raw)
		fail(c, &e);
	return raw;
}

static void count_chunk(struct census *c, struct desk *d, uint64_t chunk, int side)
{
	uint64_t count = c->r->t[side]->count, first = chunk * CHUNK, end = u64_min(first + CHUNK, count);
	struct part unused = {.other_bytes = false};

	for (; first < end && !c->errand.job.cancel; first += RUN) {
		size_t n = (size_t)u64_min(RUN, end - first);
		const uint8_t *raw = get(c, d, side, first, n), *other = NULL;

		if (!raw || (c->pair && !(other = get(c, d, B, first, n))))
			return;
		if (c->pair)
			walk_two(&c->walk, &d->tally, d->bench, &unused, raw, other, first, n);
		else
			walk_one(&c->walk, &d->tally, d->bench, &unused.moments[side], side, raw, n);
	}
}

static void run(struct job *job, uint64_t part, void *out, unsigned worker)
{
	struct census *c = (struct census *)job;
	bool side_b = !c->pair && part >= c->parts_a;
	struct desk *d = desk_of(c, worker);
	(void)out;

	if (readable(c->r->t[side_b ? B : A]))
		count_chunk(c, d, side_b ? part - c->parts_a : part, side_b ? B : A);
	pthread_mutex_lock(&c->lock);
	for (int plane = 0; plane < PLANE_COUNT; plane++) {
		bins_merge(&c->bins[plane], bins_of(&d->tally, plane));
		bins_clear(bins_of(&d->tally, plane));
	}
	c->parts_done++;
	pthread_mutex_unlock(&c->lock);
	errand_wake(&c->errand);
}

static void end(struct errand *e)
{
	struct census *c = (struct census *)e;

	for (unsigned i = 0; i < pool_threads(c->s->pool); i++) {
		struct desk *d = &c->desks[i];

		for (int side = A; side <= B; side++)
			feed_close(d->feed[side]);
		for (int plane = 0; plane < PLANE_COUNT; plane++)
			bins_free(bins_of(&d->tally, plane));
		bench_free(d->bench);
	}
	free(c->desks);
	c->desks = NULL;
}

static void census_free(struct errand *e)
{
	struct census *c = (struct census *)e;

	for (int plane = 0; plane < PLANE_COUNT; plane++)
		bins_free(&c->bins[plane]);
	pthread_mutex_destroy(&c->lock);
	free(c->error);
	free(c);
}

/* ---- on the session's thread ---- */

static void init_bins(struct bins *b, const struct census_range *r)
{
	if (r->knee > 0)
		bins_init_log(b, r->lo, r->hi, r->n, r->knee);
	else
		bins_init(b, r->lo, r->hi, r->n);
}

static void plan(struct census *c)
{
	const struct tensor *a = c->r->t[A], *b = c->r->t[B];
	bool serial = false;

	c->pair = readable(a) && readable(b) && same_shape(c->s, a, b);
	c->parts_a = chunks_of(a);
	c->errand.job.parts = u64_max(c->pair ? c->parts_a : c->parts_a + chunks_of(b), 1);
	c->walk.pass = PASS_BINS;
	for (int side = A; side <= B; side++) {
		const struct tensor *t = c->r->t[side];

		if (t)
			c->walk.type[side] = t->type;
		serial |= readable(t) && !feed_random(&c->s->m[side], t);
	}
	c->errand.job.serial = serial;
}

struct census *census_start(struct session *s, size_t row, const struct census_range *values,
			    const struct census_range *differences, void (*wake)(void *), void *arg)
{
	struct census *c = xcalloc(1, sizeof(*c));

	c->s = s;
	c->r = &s->rows[row];
	plan(c);
	for (int plane = 0; plane < PLANE_COUNT; plane++)
		init_bins(&c->bins[plane], plane == PLANE_D ? differences : values);
	c->desks = xcalloc(pool_threads(s->pool), sizeof(*c->desks));
	pthread_mutex_init(&c->lock, NULL);
	c->errand.job.priority = PRIO_SELECTED;
	c->errand.job.run = run;
	c->errand.end = end;
	c->errand.free = census_free;
	errand_start(&c->errand, s->pool, wake, arg);
	return c;
}

void census_look(struct census *c, int plane, struct bins *out)
{
	pthread_mutex_lock(&c->lock);
	bins_copy(out, &c->bins[plane]);
	pthread_mutex_unlock(&c->lock);
}

bool census_done(struct census *c)
{
	return errand_done(&c->errand);
}

void census_wait(struct census *c, unsigned ms)
{
	errand_wait(&c->errand, ms);
}

double census_progress(struct census *c)
{
	uint64_t n;

	pthread_mutex_lock(&c->lock);
	n = c->parts_done;
	pthread_mutex_unlock(&c->lock);
	return (double)n / (double)c->errand.job.parts;
}

const char *census_error(struct census *c)
{
	const char *error;

	pthread_mutex_lock(&c->lock);
	error = c->error;
	pthread_mutex_unlock(&c->lock);
	return error;
}

void census_drop(struct census *c)
{
	errand_drop(c ? &c->errand : NULL);
}
