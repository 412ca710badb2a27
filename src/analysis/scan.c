#include "analysis/scan.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analysis/walk.h"
#include "base/err.h"
#include "base/pool.h"
#include "num/feed.h"
#include "num/unpack.h"

/*
 * How a row is read. Two tensors of one shape are walked side by side, in step, and each step is first compared as
 * bytes; otherwise (one side only, other shapes, a side that cannot be decoded) each side is walked alone, A's chunks
 * first. Two tensors of a type that cannot be decoded are only compared as bytes.
 */
enum way { WALK_SIDES, WALK_PAIR, WALK_BYTES };

enum { BYTE_CHUNK = 4 << 20 };

struct lane { /* what one worker holds of one task: no lock is needed to count */
	struct feed *feed[2];
	struct tally tally;
};

struct task {
	struct job job; /* first: the pool hands it back */
	struct scan *scan;
	size_t row;
	unsigned want, n_bins;
	enum way way;
	struct walk walk;
	uint64_t parts_a; /* WALK_SIDES: that many parts are A's, the rest B's */
	uint64_t bytes, bytes_left, bytes_all; /* of one pass; of all that are foreseen: what is left, what there was */
	struct lane *lanes; /* one a worker, made when the first part runs */
	struct result *result;
	bool failed, differs, other_bytes, beyond; /* other_bytes: any step's bytes differ; beyond: the tolerance */
	struct ladder ladder;
	struct refine *refine[2], *refine_d; /* what is still to be known exactly; NULL: nothing */
	struct task *next;
};

/*
 * How the bytes of files are come by. Touching a page of a mapping for the first time costs next to nothing on one
 * machine and more than a copy by read(2) on another: unless the user said which, a few parts go either way, and the
 * faster way it is from then on. What is computed is the same.
 */
enum { BY_MAPPING, BY_COPY, TRIED = 3, WORTH_TIMING = 128 << 10 };

struct ways {
	bool settled;
	int way;            /* once settled */
	unsigned tried[2];
	double least[2];    /* seconds a byte */
};

struct scan {
	struct session *s;
	struct ways ways;
	bool too_big; /* the models take more than half of the memory there is: what was read makes room again */
	void (*wake)(void *);
	void *wake_arg;
	pthread_mutex_t lock;
	pthread_cond_t ready;
	struct task **active;  /* by row: the newest task, or NULL */
	unsigned *pending;     /* by row: tasks whose result has not been handed over */
	struct task *finished; /* oldest first */
	struct task **finished_end;
	struct bench **benches; /* one a worker */
	uint64_t done, total;
	size_t unfinished; /* tasks the pool has not given back */
	double spent, since; /* seconds that there were any, before; and when there last were none */
};

static const struct tensor *side_of(const struct task *t, int side)
{
	return t->scan->s->rows[t->row].t[side];
}

static bool readable(const struct tensor *t)
{
	return t && !t->trouble;
}

/* ---- one part, on a worker ---- */

static void fail(struct task *t, int side, const struct err *e)
{
	struct scan *sc = t->scan;

	pthread_mutex_lock(&sc->lock);
	if (!t->result->error) {
		size_t n = strlen(e->msg) + 8;

		t->result->error = xmalloc(n);
		/* with two models the sentence says whose tensor it was */
		snprintf(t->result->error, n, "%s%s", sc->s->n_models < 2 ? "" : side == A ? "A: " : "B: ", e->msg);
	}
	t->failed = true;
	t->job.cancel = true;
	pthread_mutex_unlock(&sc->lock);
}

static enum feed_order order_of(const struct task *t)
{
	const struct tensor *a = side_of(t, A), *b = side_of(t, B);

	/* Row by row, so that the first of equal maxima is the same whatever the order in the files. */
	return t->way == WALK_PAIR && (a->fortran || b->fortran) ? FEED_LOGICAL : FEED_STORED;
}

static void lane_bins(struct task *t, struct lane *l)
{
	const struct result *r = t->result;
	const struct stats *a = &r->stats[A], *b = &r->stats[B];
	double lo = fmin(a->min, b->min), hi = fmax(a->max, b->max); /* of which one may be NAN: fmin takes the other */

	if (l->tally.bins[A].counts)
		return;
	if (isnan(lo) || isnan(hi))
		lo = hi = 0;
	bins_init(&l->tally.bins[A], lo, hi, t->n_bins);
	bins_init(&l->tally.bins[B], lo, hi, t->n_bins);
	hi = isnan(r->diff.max_abs_diff) ? 0 : r->diff.max_abs_diff;
	bins_init(&l->tally.bins_d, -hi, hi, t->n_bins);
}

static struct dist *new_dist(const struct tensor *t)
{
	return readable(t) ? dist_new(t->type) : NULL;
}

/* Of the rungs between equal and changed; left closed where whether anything differs is all that was asked. */
static void begin_ladder(const struct task *t, struct ladder *l)
{
	const struct tensor *a = side_of(t, A), *b = side_of(t, B);

	if (t->way == WALK_PAIR && !(t->want & WANT_EQUAL))
		ladder_init(l, a->type, b->type, a->count);
}

/* A hundred thousand tasks may wait: what they work with is made when they begin. With the lock held, or in done. */
static void begin(struct task *t)
{
	if (t->result)
		return;
	t->result = xcalloc(1, sizeof(*t->result));
	moments_init(&t->result->moments[A]);
	moments_init(&t->result->moments[B]);
	pair_init(&t->result->sum);
	begin_ladder(t, &t->ladder);
	t->lanes = xcalloc(pool_threads(t->scan->s->pool), sizeof(*t->lanes));
}

static struct refine *again(const struct refine *r)
{
	return r ? refine_like(r) : NULL;
}

/* What a worker counts with in this pass. */
static void furnish(struct task *t, struct tally *y)
{
	if (t->walk.pass == PASS_REFINE && !y->refine[A] && !y->refine[B] && !y->refine_d) {
		y->refine[A] = again(t->refine[A]);
		y->refine[B] = again(t->refine[B]);
		y->refine_d = again(t->refine_d);
	} else if (t->walk.pass == PASS_SUMS && (t->want & WANT_DIST) && !y->dist[A] && !y->dist[B]) {
		y->dist[A] = new_dist(side_of(t, A));
		y->dist[B] = new_dist(side_of(t, B));
		y->dist_d = t->way == WALK_PAIR ? dist_new_values() : NULL;
		if (t->way == WALK_PAIR && t->walk.type[A] == t->walk.type[B])
			y->dist_both = new_dist(side_of(t, A));
	}
}

/* The worker's own part of the task, made at its first part. */
static struct lane *lane_of(struct task *t, unsigned worker)
{
	struct scan *sc = t->scan;
	struct lane *l;

	pthread_mutex_lock(&sc->lock);
	begin(t);
	if (!t->lanes) /* a later pass */
		t->lanes = xcalloc(pool_threads(sc->s->pool), sizeof(*t->lanes));
	if (!sc->benches[worker])
		sc->benches[worker] = bench_new();
	pthread_mutex_unlock(&sc->lock);
	l = &t->lanes[t->job.serial ? 0 : worker]; /* a stream goes on where the worker before left it */
	if (t->walk.pass == PASS_BINS)
		lane_bins(t, l);
	else
		furnish(t, &l->tally);
	return l;
}

static const uint8_t *get(struct task *t, struct lane *l, int side, uint64_t first, size_t n, uint8_t *copy)
{
	struct session *s = t->scan->s;
	const uint8_t *raw = NULL;
	struct err e;

	if (l->feed[side] || feed_open(&l->feed[side], &s->m[side], side_of(t, side), order_of(t), &e) == RC_OK) {
		feed_copy(l->feed[side], copy);
		raw = feed_get(l->feed[side], first, n, &e);
	}
	if (!raw)
		fail(t, side, &e);
	return raw;
}

/* The way for a part of so many bytes, and whether it is to be timed. */
static int way_to_go(struct scan *sc, uint64_t bytes, bool *timed)
{
	struct ways *w = &sc->ways;
	int way;

	pthread_mutex_lock(&sc->lock);
	*timed = !w->settled && bytes >= WORTH_TIMING;
	way = w->settled ? w->way : *timed && w->tried[BY_COPY] < w->tried[BY_MAPPING] ? BY_COPY : BY_MAPPING;
	pthread_mutex_unlock(&sc->lock);
	return way;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* So many bytes took so long that way. */
static void way_took(struct scan *sc, int way, uint64_t bytes, double time)
{
	struct ways *w = &sc->ways;
	double each = time / (double)bytes;

	pthread_mutex_lock(&sc->lock);
	if (!w->settled) {
		if (!w->tried[way]++ || each < w->least[way])
			w->least[way] = each;
		w->settled = w->tried[BY_MAPPING] >= TRIED && w->tried[BY_COPY] >= TRIED;
		w->way = w->least[BY_COPY] < w->least[BY_MAPPING] ? BY_COPY : BY_MAPPING;
	}
	pthread_mutex_unlock(&sc->lock);
}

static uint64_t chunks_of(const struct tensor *t)
{
	return readable(t) ? u64_ceil_div(t->count, CHUNK) : 0;
}

static void walk_chunk(struct task *t, uint64_t chunk, int side, struct part *p, struct lane *l, struct bench *w,
		       bool copy)
{
	uint64_t count = side_of(t, side)->count;
	uint64_t first = chunk * CHUNK, end = u64_min(first + CHUNK, count);
	uint8_t *to[2] = {copy ? bench_room(w, A) : NULL, copy ? bench_room(w, B) : NULL};

	for (; first < end && !t->job.cancel; first += RUN) {
		size_t n = (size_t)u64_min(RUN, end - first);
		const uint8_t *ra, *rb;

		if (t->way == WALK_PAIR) {
			if (!(ra = get(t, l, A, first, n, to[A])) || !(rb = get(t, l, B, first, n, to[B])))
				return;
			walk_two(&t->walk, &l->tally, w, p, ra, rb, first, n);
		} else {
			if (!(ra = get(t, l, side, first, n, to[side])))
				return;
			walk_one(&t->walk, &l->tally, w, &p->moments[side], side, ra, n);
		}
	}
}

/* Where a chunk of one side stands, if it stands in one piece. */
static bool chunk_span(const struct task *t, int side, uint64_t chunk, struct span *span)
{
	const struct tensor *of = side_of(t, side);
	uint64_t first = chunk * CHUNK;

	if (of->pack || of->stride || of->strides || (of->fortran && order_of(t) == FEED_LOGICAL))
		return false;
	*span = of->data;
	span->offset += first / dtypes[of->type].items * dtypes[of->type].bytes;
	span->length = walk_bytes(of->type, (size_t)u64_min(CHUNK, of->count - first));
	return true;
}

/* Before a chunk is read in place; or after it was read in any way, when memory cannot hold what is yet to come. */
static void hint(const struct task *t, int side, uint64_t chunk, void (*give)(const struct source *, struct span))
{
	struct span span;

	for (int i = A; i <= B; i++)
		if ((t->way == WALK_PAIR || i == side) && chunk_span(t, i, chunk, &span))
			give(&t->scan->s->m[i].source, span);
}

static void run_walk(struct task *t, uint64_t chunk, int side, struct part *p, struct lane *l, struct bench *w)
{
	struct scan *sc = t->scan;
	const struct tensor *of = side_of(t, side);
	uint64_t bytes = walk_bytes(of->type, (size_t)u64_min(CHUNK, of->count - chunk * CHUNK));
	bool timed;
	int way = way_to_go(sc, bytes, &timed);
	double start = timed ? seconds() : 0;

	if (way == BY_MAPPING)
		hint(t, side, chunk, source_expect);
	walk_chunk(t, chunk, side, p, l, w, way == BY_COPY);
	if (timed)
		way_took(sc, way, bytes, seconds() - start);
	if (sc->too_big)
		hint(t, side, chunk, source_forget);
}

/* Both spans, raw, in the pieces that memory allows: mapped ones in place, streams through a buffer. */
static void run_bytes(struct task *t, uint64_t chunk, struct part *p)
{
	const struct session *s = t->scan->s;
	struct bytes raw[2];

	for (int side = A; side <= B; side++) {
		struct span span = side_of(t, side)->data;

		span.offset += chunk * BYTE_CHUNK;
		span.length = u64_min(BYTE_CHUNK, span.length - chunk * BYTE_CHUNK);
		if (!source_slice(&s->m[side].source, span, &raw[side])) {
			p->other_bytes = true; /* a stream of bytes without meaning: not known to be the same */
			return;
		}
	}
	p->other_bytes = raw[A].n != raw[B].n || memcmp(raw[A].p, raw[B].p, raw[A].n) != 0;
}

/* Two packed tensors were compared by their values; what they are worked out of may differ all the same. */
static bool other_parts(const struct task *t, uint64_t part)
{
	const struct session *s = t->scan->s;
	const struct model *m[2] = {&s->m[A], &s->m[B]};
	const struct tensor *of[2] = {side_of(t, A), side_of(t, B)};

	return t->way == WALK_PAIR && of[A]->pack && of[B]->pack && unpack_other_bytes(m, of, part, t->job.parts);
}

static void run(struct job *job, uint64_t part, void *out, unsigned worker)
{
	struct task *t = (struct task *)job;
	struct scan *sc = t->scan;
	struct part *p = out;
	struct lane *l = lane_of(t, worker);
	bool side_b = t->way == WALK_SIDES && part >= t->parts_a;
	uint64_t share;

	moments_init(&p->moments[A]);
	moments_init(&p->moments[B]);
	pair_init(&p->sum);
	begin_ladder(t, &p->ladder);
	if (t->way == WALK_BYTES)
		run_bytes(t, part, p);
	else if (readable(side_of(t, side_b ? B : A)))
		run_walk(t, side_b ? part - t->parts_a : part, side_b ? B : A, p, l, sc->benches[worker]);
	p->other_bytes |= other_parts(t, part);
	pthread_mutex_lock(&sc->lock);
	/* exact quantiles may take more passes than were foreseen */
	share = u64_min(t->bytes / job->parts, t->bytes_left);
	sc->done += share;
	t->bytes_left -= share;
	pthread_mutex_unlock(&sc->lock);
}

static bool differs(const struct task *t, const struct part *p)
{
	const struct opts *o = t->scan->s->opts;

	if (t->way == WALK_BYTES)
		return p->other_bytes;
	return o->atol > 0 || o->rtol > 0 ? p->beyond : p->sum.changed > 0;
}

static void merge(struct job *job, uint64_t part, void *out)
{
	struct task *t = (struct task *)job;
	struct part *p = out;
	(void)part;

	if (t->walk.pass)
		return;
	moments_merge(&t->result->moments[A], &p->moments[A]);
	moments_merge(&t->result->moments[B], &p->moments[B]);
	pair_merge(&t->result->sum, &p->sum);
	ladder_merge(&t->ladder, &p->ladder);
	t->other_bytes |= p->other_bytes;
	t->beyond |= p->beyond;
	t->differs |= differs(t, p);
	if ((t->want & WANT_EQUAL) && t->differs)
		job->cancel = true; /* one difference is all that was asked for */
}

/* ---- the end of a task ---- */

static void gather_bins(struct task *t)
{
	struct result *r = t->result;

	for (unsigned i = 0; t->lanes && i < pool_threads(t->scan->s->pool); i++) {
		struct lane *l = &t->lanes[i];

		if (!l->tally.bins[A].counts)
			continue;
		if (!r->bins[A].counts) {
			r->bins[A] = l->tally.bins[A];
			r->bins[B] = l->tally.bins[B];
			r->bins_d = l->tally.bins_d;
			l->tally.bins[A] = l->tally.bins[B] = l->tally.bins_d = (struct bins){0};
			continue;
		}
		bins_merge(&r->bins[A], &l->tally.bins[A]);
		bins_merge(&r->bins[B], &l->tally.bins[B]);
		bins_merge(&r->bins_d, &l->tally.bins_d);
	}
}

static struct dist *gather(struct task *t, size_t offset)
{
	struct dist *all = NULL;

	for (unsigned i = 0; t->lanes && i < pool_threads(t->scan->s->pool); i++) {
		struct dist *one = *(struct dist **)((char *)&t->lanes[i] + offset);

		if (!one)
			continue;
		if (all)
			dist_merge(all, one);
		else
			all = one;
	}
	return all;
}

/* Counts of one side, or of the differences, all workers' together, in one of theirs. */
static struct dist *gather_side(struct task *t, int side)
{
	struct dist *all =
		gather(t, side == A ? offsetof(struct lane, tally.dist[A]) : offsetof(struct lane, tally.dist[B]));

	for (unsigned i = 0; all && i < pool_threads(t->scan->s->pool); i++)
		if (t->lanes[i].tally.dist_both)
			dist_merge(all, t->lanes[i].tally.dist_both);
	return all;
}

static const double diff_quantile_at[] = {0.50, 0.99};

/* Tolerance comes first: a pair that is equal by it stands on no other rung. */
static void finish_ladder(struct task *t)
{
	struct buf words = {0};

	if (t->failed || !t->differs)
		return;
	ladder_end(&t->ladder, &t->result->relation);
	relation_words(&words, &t->result->relation);
	t->result->how = words.p;
}

static void finish_numbers(struct task *t)
{
	struct result *r = t->result;
	bool exact = t->scan->s->opts->exact;
	struct dist *d;

	for (int side = A; side <= B; side++) {
		moments_stats(&r->moments[side], &r->stats[side]);
		d = gather_side(t, side);
		if (d)
			dist_stats(d, &r->stats[side]);
		if (d && exact)
			t->refine[side] = refine_new(d, quantile_at, Q_COUNT);
	}
	pair_diff(&r->sum, &r->diff);
	d = gather(t, offsetof(struct lane, tally.dist_d));
	if (d && r->sum.n) {
		r->diff.p50_abs_diff = dist_quantile(d, diff_quantile_at[0], 0, r->diff.max_abs_diff);
		r->diff.p99_abs_diff = dist_quantile(d, diff_quantile_at[1], 0, r->diff.max_abs_diff);
		if (exact)
			t->refine_d = refine_new(d, diff_quantile_at, COUNT(diff_quantile_at));
	}
	finish_ladder(t);
}

/* After a pass for exact quantiles: what all workers counted. */
static void refine_all(struct task *t)
{
	for (unsigned i = 0; t->lanes && i < pool_threads(t->scan->s->pool); i++) {
		const struct tally *y = &t->lanes[i].tally;

		for (int side = A; side <= B; side++)
			if (y->refine[side])
				refine_merge(t->refine[side], y->refine[side]);
		if (y->refine_d)
			refine_merge(t->refine_d, y->refine_d);
	}
	for (int side = A; side <= B; side++)
		if (t->refine[side])
			refine_next(t->refine[side]);
	if (t->refine_d)
		refine_next(t->refine_d);
}

/* Takes over the quantiles that are known by now. */
static void take_exact(struct refine **of, double *q, size_t n)
{
	if (!*of || !refine_done(*of))
		return;
	for (size_t i = 0; i < n; i++)
		q[i] = refine_quantile(*of, i);
	refine_free(*of);
	*of = NULL;
}

static void finish_exact(struct task *t)
{
	struct result *r = t->result;
	double q[COUNT(diff_quantile_at)] = {r->diff.p50_abs_diff, r->diff.p99_abs_diff};

	for (int side = A; side <= B; side++)
		take_exact(&t->refine[side], r->stats[side].q, Q_COUNT);
	take_exact(&t->refine_d, q, COUNT(q));
	r->diff.p50_abs_diff = q[0];
	r->diff.p99_abs_diff = q[1];
}

static void lanes_free(struct task *t)
{
	for (unsigned i = 0; t->lanes && i < pool_threads(t->scan->s->pool); i++) {
		struct lane *l = &t->lanes[i];

		for (int side = A; side <= B; side++) {
			feed_close(l->feed[side]);
			dist_free(l->tally.dist[side]);
			refine_free(l->tally.refine[side]);
			bins_free(&l->tally.bins[side]);
		}
		dist_free(l->tally.dist_d);
		dist_free(l->tally.dist_both);
		refine_free(l->tally.refine_d);
		bins_free(&l->tally.bins_d);
	}
	free(t->lanes);
	t->lanes = NULL;
}

/* Whether there is another pass to be made, and which. */
static bool next_pass(struct task *t)
{
	if (t->failed || t->job.cancel || t->way == WALK_BYTES)
		return false;
	if (t->refine[A] || t->refine[B] || t->refine_d)
		t->walk.pass = PASS_REFINE;
	else if ((t->want & WANT_BINS) && t->walk.pass != PASS_BINS)
		t->walk.pass = PASS_BINS;
	else
		return false;
	return true;
}

static void finish_pass(struct task *t)
{
	if (t->walk.pass == PASS_BINS) {
		gather_bins(t);
		return;
	}
	if (t->walk.pass == PASS_REFINE)
		refine_all(t);
	else
		finish_numbers(t);
	finish_exact(t);
}

static void task_free(struct task *t)
{
	refine_free(t->refine[A]);
	refine_free(t->refine[B]);
	refine_free(t->refine_d);
	free(t);
}

/* Where a file became shorter meanwhile, zeros were read in the place of what it had. */
static void throw_away_lost(struct task *t)
{
	const struct session *s = t->scan->s;
	struct err e;

	for (int side = A; side <= B; side++) {
		const struct tensor *of = s->rows[t->row].t[side];

		if (of && tensor_lost(&s->m[side], of)) {
			err_set(&e, "the file shrank while it was open");
			fail(t, side, &e);
		}
	}
}

/* Runs on a worker. Whoever owns the session's thread takes the task from the finished list. */
static void done(struct job *job)
{
	struct task *t = (struct task *)job;
	struct scan *sc = t->scan;
	bool kept;

	begin(t); /* cancelled before its first part, it has nothing yet */
	throw_away_lost(t);
	if (t->way != WALK_BYTES)
		finish_pass(t);
	if (next_pass(t)) {
		lanes_free(t);
		pool_again(sc->s->pool, job); /* else all tensors would be half done at once, with all that they keep */
		return;
	}
	lanes_free(t);
	pthread_mutex_lock(&sc->lock);
	kept = t->failed || !job->cancel || (t->want & WANT_EQUAL && t->differs);
	sc->done += t->bytes_left;
	if (--sc->unfinished == 0)
		sc->spent += seconds() - sc->since;
	if (sc->active[t->row] == t)
		sc->active[t->row] = NULL;
	if (kept) {
		t->next = NULL;
		*sc->finished_end = t;
		sc->finished_end = &t->next;
	} else {
		sc->pending[t->row]--;
		result_free(t->result);
		task_free(t);
	}
	pthread_cond_broadcast(&sc->ready);
	/* with the lock held, so that scan_free cannot take the pipe away meanwhile */
	if (sc->wake)
		sc->wake(sc->wake_arg);
	pthread_mutex_unlock(&sc->lock);
}

/* Strides are given row by row whatever the file's order is, so what comes of them are the tensor's own bytes. */
static bool same_encoding(const struct tensor *a, const struct tensor *b)
{
	return strcmp(a->type_name, b->type_name) == 0 && a->big_endian == b->big_endian && a->fortran == b->fortran;
}

static enum status final_status(const struct task *t)
{
	const struct row *r = &t->scan->s->rows[t->row];

	if (r->status != ST_PENDING)
		return r->status;
	if (t->failed)
		return ST_UNDECODED;
	if (t->way == WALK_BYTES)
		return t->differs ? ST_UNDECODED : ST_IDENTICAL;
	if (t->way != WALK_PAIR)
		return ST_UNDECODED;
	if (!t->other_bytes && !t->differs && same_encoding(r->t[A], r->t[B]))
		return ST_IDENTICAL;
	if (!t->differs)
		return ST_EQUAL;
	return t->result->relation.rung == RUNG_CAST	    ? ST_CAST
	       : t->result->relation.rung == RUNG_QUANTISED ? ST_QUANTISED
							    : ST_CHANGED;
}

bool scan_take(struct scan *sc, size_t *row)
{
	struct task *t;
	struct row *r;

	pthread_mutex_lock(&sc->lock);
	t = sc->finished;
	if (t) {
		sc->finished = t->next;
		if (!sc->finished)
			sc->finished_end = &sc->finished;
		sc->pending[t->row]--;
	}
	pthread_mutex_unlock(&sc->lock);
	if (!t)
		return false;
	*row = t->row;
	r = &sc->s->rows[t->row];
	r->status = final_status(t);
	t->result->have = t->want;
	result_free(r->result);
	r->result = t->result;
	task_free(t);
	return true;
}

void scan_wait(struct scan *sc, size_t row)
{
	size_t got;

	for (;;) {
		while (scan_take(sc, &got))
			;
		pthread_mutex_lock(&sc->lock);
		if (!sc->pending[row]) {
			pthread_mutex_unlock(&sc->lock);
			return;
		}
		while (!sc->finished && sc->pending[row])
			pthread_cond_wait(&sc->ready, &sc->lock);
		pthread_mutex_unlock(&sc->lock);
	}
}

/* ---- asking ---- */

static bool serial(const struct session *s, const struct row *r)
{
	for (int side = A; side <= B; side++)
		if (readable(r->t[side]) && !feed_random(&s->m[side], r->t[side]))
			return true;
	return false;
}

static bool same_undecoded(const struct session *s, const struct row *r)
{
	const struct tensor *a = r->t[A], *b = r->t[B];

	return a && b && a->trouble && b->trouble && !a->broken && !b->broken && same_shape(s, a, b) &&
	       same_encoding(a, b) && a->data.length == b->data.length && !a->stride && !b->stride &&
	       !a->strides && !b->strides;
}

static void plan(struct task *t)
{
	const struct session *s = t->scan->s;
	const struct row *r = &s->rows[t->row];
	const struct tensor *a = r->t[A], *b = r->t[B];

	if (same_undecoded(s, r)) {
		t->way = WALK_BYTES;
		t->job.parts = u64_ceil_div(a->data.length, BYTE_CHUNK);
	} else if (readable(a) && readable(b) && same_shape(s, a, b)) {
		t->way = WALK_PAIR;
		t->job.parts = chunks_of(a);
	} else {
		t->way = WALK_SIDES;
		t->parts_a = chunks_of(a);
		t->job.parts = t->parts_a + chunks_of(b);
	}
	for (int side = A; side <= B; side++)
		if (r->t[side])
			t->walk.type[side] = r->t[side]->type;
	t->walk.atol = s->opts->atol;
	t->walk.rtol = s->opts->rtol;
	t->walk.equal_only = t->want == WANT_EQUAL;
	t->job.parts = u64_max(t->job.parts, 1);
	t->job.serial = t->way != WALK_BYTES && serial(s, r);
	for (int side = A; side <= B; side++)
		if (readable(r->t[side]) || t->way == WALK_BYTES)
			t->bytes += r->t[side]->data.length;
	t->bytes_all = t->bytes * (1u + !!(t->want & WANT_BINS) + (s->opts->exact && (t->want & WANT_DIST)));
	t->bytes_left = t->bytes_all;
}

static struct task *task_new(struct scan *sc, size_t row, unsigned want, int priority, unsigned bins)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->scan = sc;
	t->row = row;
	t->want = want;
	t->n_bins = bins ? bins : 1;
	t->job.part_size = sizeof(struct part);
	t->job.priority = priority;
	t->job.run = run;
	t->job.merge = merge;
	t->job.done = done;
	plan(t);
	return t;
}

static bool is_there(const struct row *r, unsigned want, unsigned bins)
{
	if (!r->result)
		return false;
	if ((want & WANT_BINS) && r->result->bins[A].n != bins)
		return false;
	return want == WANT_EQUAL || (r->result->have & want) == want;
}

void scan_ask(struct scan *sc, size_t row, unsigned want, int priority, unsigned bins)
{
	const struct result *have = sc->s->rows[row].result;
	struct task *t, *old;

	if (want & (WANT_DIST | WANT_BINS))
		want |= WANT_STATS;
	if (is_there(&sc->s->rows[row], want, bins))
		return;
	pthread_mutex_lock(&sc->lock);
	old = sc->active[row];
	if (old && (old->want & want) == want) {
		pool_priority(sc->s->pool, &old->job, priority);
		pthread_mutex_unlock(&sc->lock);
		return;
	}
	if (old) { /* the new task does the old one's work, too */
		want |= old->want;
		pool_cancel(sc->s->pool, &old->job);
	}
	if (have)
		want |= have->have;
	if (want & WANT_STATS)
		want &= ~(unsigned)WANT_EQUAL; /* or it would stop at the first difference */
	t = task_new(sc, row, want, priority, bins);
	sc->active[row] = t;
	sc->pending[row]++;
	if (sc->unfinished++ == 0)
		sc->since = seconds();
	sc->total += t->bytes_left;
	pthread_mutex_unlock(&sc->lock);
	pool_add(sc->s->pool, &t->job);
}

static bool beyond_memory(const struct session *s)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;

	return s->m[A].bytes / 2 + s->m[B].bytes / 2 > memory / 4;
}

struct scan *scan_new(struct session *s, void (*wake)(void *), void *arg)
{
	struct scan *sc = xcalloc(1, sizeof(*sc));

	sc->s = s;
	source_outlive(); /* see throw_away_lost */
	sc->too_big = beyond_memory(s);
	sc->ways =
		(struct ways){.settled = s->opts->io != IO_AUTO, .way = s->opts->io == IO_READ ? BY_COPY : BY_MAPPING};
	sc->wake = wake;
	sc->wake_arg = arg;
	pthread_mutex_init(&sc->lock, NULL);
	pthread_cond_init(&sc->ready, NULL);
	sc->active = xcalloc(s->n_rows, sizeof(struct task *));
	sc->pending = xcalloc(s->n_rows, sizeof(*sc->pending));
	sc->benches = xcalloc(pool_threads(s->pool), sizeof(struct bench *));
	sc->finished_end = &sc->finished;
	return sc;
}

void scan_progress(struct scan *sc, uint64_t *bytes_done, uint64_t *total)
{
	pthread_mutex_lock(&sc->lock);
	*bytes_done = sc->done;
	*total = sc->total;
	pthread_mutex_unlock(&sc->lock);
}

/* ---- what it is at ---- */

void scan_work(struct scan *sc, struct scan_work *out)
{
	const struct ways *w = &sc->ways;

	pthread_mutex_lock(&sc->lock);
	*out = (struct scan_work){.done = sc->done, .total = sc->total, .seconds = sc->spent};
	if (sc->unfinished)
		out->seconds += seconds() - sc->since;
	out->io = !w->settled ? IO_AUTO : w->way == BY_COPY ? IO_READ : IO_MMAP;
	for (int way = BY_MAPPING; way <= BY_COPY; way++)
		out->speed[way] = w->tried[way] && w->least[way] > 0 ? 1 / w->least[way] : 0;
	for (size_t i = 0; sc->unfinished && i < sc->s->n_rows; i++)
		if (sc->active[i])
			(*(sc->active[i]->result ? &out->at_work : &out->waiting))++;
	pthread_mutex_unlock(&sc->lock);
}

static struct scan_job job_of(const struct task *t)
{
	return (struct scan_job){.row = t->row, .want = t->want, .priority = t->job.priority, .begun = t->result,
				 .done = t->bytes_all - t->bytes_left, .total = t->bytes_all};
}

size_t scan_jobs(struct scan *sc, struct scan_job *out, size_t most)
{
	size_t n = 0;

	pthread_mutex_lock(&sc->lock);
	for (int turn = PRIO_SELECTED + 1; sc->unfinished && turn >= PRIO_BACKGROUND; turn--) /* first the begun ones */
		for (size_t i = 0; i < sc->s->n_rows && n < most; i++) {
			const struct task *t = sc->active[i];

			if (t && (turn > PRIO_SELECTED ? t->result != NULL : !t->result && t->job.priority == turn))
				out[n++] = job_of(t);
		}
	pthread_mutex_unlock(&sc->lock);
	return n;
}

bool scan_idle(struct scan *sc)
{
	bool idle;

	pthread_mutex_lock(&sc->lock);
	idle = sc->unfinished == 0 && !sc->finished;
	pthread_mutex_unlock(&sc->lock);
	return idle;
}

void scan_free(struct scan *sc)
{
	struct task *t;

	if (!sc)
		return;
	pthread_mutex_lock(&sc->lock);
	for (size_t i = 0; i < sc->s->n_rows; i++)
		if (sc->active[i])
			pool_cancel(sc->s->pool, &sc->active[i]->job);
	while (sc->unfinished)
		pthread_cond_wait(&sc->ready, &sc->lock);
	pthread_mutex_unlock(&sc->lock);
	while ((t = sc->finished)) {
		sc->finished = t->next;
		result_free(t->result);
		task_free(t);
	}
	for (unsigned i = 0; i < pool_threads(sc->s->pool); i++)
		bench_free(sc->benches[i]);
	pthread_mutex_destroy(&sc->lock);
	pthread_cond_destroy(&sc->ready);
	free(sc->benches);
	free(sc->active);
	free(sc->pending);
	free(sc);
}
