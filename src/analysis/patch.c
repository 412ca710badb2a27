#include "analysis/patch.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/errand.h"
#include "analysis/scan.h"
#include "base/err.h"
#include "num/decode.h"
#include "num/exact.h"
#include "num/feed.h"

/*
 * The axis with the larger step is the outer one: walking it, and along each of its lines the inner one, elements come
 * in the order in which they are stored. So a stream serves as well as a mapping; it is only walked in one piece.
 *
 * The job's parts are tiles of cells, each of which one worker fills. A cell is written before its state says so and
 * never after, so the screen's thread reads it without a lock. Before the tiles comes a coarse pass, which looks at a
 * few runs of every cell and leaves its results beside the exact ones.
 */
enum {
	RUN = 4096,            /* elements that are decoded at once; a multiple of every block */
	FAR = 64,              /* elements further apart than this are decoded block by block */
	TILE = 1 << 19,        /* elements of a tile, about */
	COARSE_FROM = 1 << 22, /* elements, from which on there is a coarse pass */
	COARSE_LINES = 2, COARSE_RUN = 48, /* what it looks at: outer lines of a cell, neighbours in each */
};

enum state { STATE_NONE, STATE_COARSE, STATE_EXACT };

/* A decoded stretch of one side. */
struct window {
	struct feed *feed;
	uint64_t first, next; /* next: where a stream goes on */
	size_t n;
	double x[2 * RUN];
	uint8_t raw[16 * RUN]; /* of plain types */
};

/* The largest so far: a heap whose root is the one to go when a larger one comes. */
struct tops {
	struct patch_top *heap;
	size_t n;
};

/* What a worker reads with: a run of elements of both sides, picked from the windows. */
struct reader {
	struct window side[2];
	struct tops tops;
	double x[2][2 * RUN], d[RUN];
	uint8_t raw[2][16 * RUN];
	bool same[RUN];
};

struct patch {
	struct errand errand; /* first */
	struct session *s;
	const struct row *r;
	struct patch_ask ask;

	bool outer_rows;          /* rows are the outer axis */
	bool streamed, single;    /* read front to back; cells are single elements */
	uint64_t tile_outer, tile_inner, tiles_inner; /* cells of a tile; tiles along the inner axis */
	uint64_t coarse_parts;    /* of the job's parts, the first ones */

	struct patch_cell *cells[PLANE_COUNT], *coarse[PLANE_COUNT];
	struct element *elements[2];
	atomic_uchar *states;
	struct reader **readers;  /* one a worker */
	struct tops tops;         /* of all workers, in order */
	atomic_size_t parts_done;

	pthread_mutex_t lock; /* of the error */
	char *error;
};

/* NULL: that side was not asked for, and is not read. */
static const struct tensor *tensor_of(const struct patch *p, int side)
{
	return p->ask.sides >> side & 1 ? p->r->t[side] : NULL;
}

static size_t cells_of(const struct patch_ask *a)
{
	return (size_t)a->height * a->width;
}

/* ---- reading ---- */

static bool is_plain(enum dtype type)
{
	return dtypes[type].items == 1 && dtypes[type].bytes <= 16;
}

static bool fill(struct patch *p, struct window *w, int side, uint64_t first, uint64_t n, struct err *e)
{
	const struct tensor *t = p->r->t[side];
	const uint8_t *raw;

	n = u64_min(n, t->count - first);
	raw = feed_get(w->feed, first, (size_t)n, e);
	if (!raw)
		return false;
	decode(t->type, w->x, raw, (size_t)n);
	if (is_plain(t->type))
		memcpy(w->raw, raw, (size_t)n * dtypes[t->type].bytes);
	w->first = first;
	w->n = (size_t)n;
	w->next = first + n;
	return true;
}

/* Makes the window hold element `at`, and what follows it where `step` says that it is wanted, too. */
static bool hold(struct patch *p, struct window *w, int side, uint64_t at, uint64_t step, struct err *e)
{
	const struct tensor *t = p->r->t[side];
	uint64_t items = dtypes[t->type].items;

	if (w->n && at >= w->first && at - w->first < w->n)
		return true;
	if (!w->feed && feed_open(&w->feed, &p->s->m[side], t, FEED_LOGICAL, e) != RC_OK)
		return false;
	if (!p->streamed)
		return fill(p, w, side, at - at % items, step < FAR ? RUN : items, e);
	while (w->next <= at && !p->errand.job.cancel)
		if (!fill(p, w, side, w->next, RUN, e))
			return false;
	return !p->errand.job.cancel;
}

/* Elements start, start + step, ... of one side, n <= RUN of them. */
static bool pick(struct patch *p, struct reader *rd, int side, uint64_t start, uint64_t step, size_t n, struct err *e)
{
	const struct tensor *t = p->r->t[side];
	struct window *w = &rd->side[side];
	unsigned width = decode_width(t->type);
	size_t bytes = is_plain(t->type) ? dtypes[t->type].bytes : 0;

	for (size_t i = 0; i < n;) {
		uint64_t at = start + i * step;
		size_t from, k = 1;

		if (!hold(p, w, side, at, step, e))
			return false;
		from = (size_t)(at - w->first);
		if (step == 1)
			k = (size_t)u64_min(n - i, w->n - from);
		memcpy(&rd->x[side][width * i], &w->x[width * from], k * width * sizeof(double));
		if (bytes)
			memcpy(&rd->raw[side][bytes * i], &w->raw[bytes * from], k * bytes);
		i += k;
	}
	return true;
}

static double magnitude(const double *x, unsigned width, size_t i)
{
	return width == 1 ? x[i] : hypot(x[2 * i], x[2 * i + 1]);
}

static void subtract(struct patch *p, struct reader *rd, size_t n)
{
	enum dtype ta = p->r->t[A]->type, tb = p->r->t[B]->type;
	unsigned wa = decode_width(ta), wb = decode_width(tb);

	if (exact_needed(ta, tb)) {
		exact_diff(rd->d, rd->same, ta, rd->raw[A], rd->x[A], tb, rd->raw[B], rd->x[B], n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		double re = rd->x[B][wb * i] - rd->x[A][wa * i];
		double im = (wb == 2 ? rd->x[B][2 * i + 1] : 0) - (wa == 2 ? rd->x[A][2 * i + 1] : 0);

		rd->d[i] = wa == 1 && wb == 1 ? re : hypot(re, im);
	}
}

/* ---- cells ---- */

static void add(struct patch_cell *c, double x, uint64_t row, uint64_t column)
{
	if (!isfinite(x)) {
		c->bad++;
		return;
	}
	if (c->n == 0 || fabs(x) > fabs(c->peak)) {
		c->peak = x;
		c->peak_row = row;
		c->peak_column = column;
	}
	c->n++;
	c->sum += x;
	c->sumsq += x * x;
}

/* Whether a is before b in the list: larger, or as large and before it in the matrix. */
static bool before(const struct patch_top *a, const struct patch_top *b)
{
	double x = fabs(a->x), y = fabs(b->x);

	if (x != y)
		return x > y;
	return a->row != b->row ? a->row < b->row : a->column < b->column;
}

static int cmp_top(const void *a, const void *b)
{
	return before(a, b) ? -1 : before(b, a);
}

static void sift_up(struct patch_top *heap, size_t i)
{
	for (; i > 0 && before(&heap[(i - 1) / 2], &heap[i]); i = (i - 1) / 2) {
		struct patch_top t = heap[i];

		heap[i] = heap[(i - 1) / 2];
		heap[(i - 1) / 2] = t;
	}
}

static void sift_down(struct patch_top *heap, size_t n)
{
	size_t i = 0, child;

	while ((child = 2 * i + 1) < n) {
		struct patch_top t = heap[i];

		if (child + 1 < n && before(&heap[child], &heap[child + 1]))
			child++;
		if (!before(&heap[i], &heap[child]))
			return;
		heap[i] = heap[child];
		heap[child] = t;
		i = child;
	}
}

static void keep_top(struct tops *tops, size_t most, struct patch_top x)
{
	if (!tops->heap)
		tops->heap = xcalloc(most, sizeof(*tops->heap));
	if (tops->n < most) {
		tops->heap[tops->n] = x;
		sift_up(tops->heap, tops->n++);
	} else if (before(&x, &tops->heap[0])) {
		tops->heap[0] = x;
		sift_down(tops->heap, tops->n);
	}
}

struct place { /* of a run: its first element, and how it goes on */
	uint64_t row, column;
	bool along_columns; /* the next element is in the next column */
};

static void add_run(struct patch *p, struct patch_cell *const planes[PLANE_COUNT], size_t cell, const struct reader *rd,
		    size_t from, size_t n, struct place at)
{
	for (int plane = 0; plane < PLANE_COUNT; plane++) {
		const double *x = plane == PLANE_D ? rd->d : rd->x[plane];
		const struct tensor *t = plane == PLANE_D ? NULL : tensor_of(p, plane);
		unsigned width = t ? decode_width(t->type) : 1;

		for (size_t i = 0; planes[plane] && i < n; i++)
			add(&planes[plane][cell], magnitude(x, width, from + i), at.row + (at.along_columns ? 0 : i),
			    at.column + (at.along_columns ? i : 0));
	}
}

static void look_for_tops(struct patch *p, struct reader *rd, size_t from, size_t n, struct place at)
{
	int plane = p->ask.top_of;
	const double *x = plane == PLANE_D ? rd->d : rd->x[plane];
	unsigned width = plane == PLANE_D ? 1 : decode_width(p->r->t[plane]->type);
	struct tops *tops = &rd->tops;
	double least = tops->n < p->ask.top ? 0 : fabs(tops->heap[0].x);

	for (size_t i = 0; i < n; i++) {
		double y = magnitude(x, width, from + i);

		if (!isfinite(y) || fabs(y) < least || y == 0)
			continue;
		keep_top(tops, p->ask.top, (struct patch_top){y, at.row + (at.along_columns ? 0 : i),
							      at.column + (at.along_columns ? i : 0)});
		least = tops->n < p->ask.top ? 0 : fabs(tops->heap[0].x);
	}
}

static void keep_element(struct patch *p, size_t cell, const struct reader *rd, size_t i)
{
	for (int side = A; side <= B; side++) {
		const struct tensor *t = tensor_of(p, side);
		unsigned width = t ? decode_width(t->type) : 0;
		struct element *el = t ? &p->elements[side][cell] : NULL;

		if (!el)
			continue;
		el->x[0] = rd->x[side][width * i];
		el->x[1] = width == 2 ? rd->x[side][2 * i + 1] : 0;
		for (unsigned k = 0; element_is_whole(t->type) && k < 8; k++)
			el->whole |= (uint64_t)rd->raw[side][8 * i + k] << 8 * k;
	}
}

/* Along the axes: how many elements, how far apart, how many to a cell, and the first one looked at. */
struct axis {
	uint64_t length, step, per, first;
	unsigned cells;
};

static void axes(const struct patch *p, struct axis *outer, struct axis *inner)
{
	const struct patch_ask *a = &p->ask;
	struct axis rows = {a->m.rows, a->m.row_step, a->per_row, a->row, a->height};
	struct axis columns = {a->m.columns, a->m.column_step, a->per_column, a->column, a->width};

	*outer = p->outer_rows ? rows : columns;
	*inner = p->outer_rows ? columns : rows;
}

static size_t cell_at(const struct patch *p, uint64_t outer, uint64_t inner)
{
	return (size_t)(p->outer_rows ? outer * p->ask.width + inner : inner * p->ask.width + outer);
}

static void fail(struct patch *p, const struct err *e)
{
	pthread_mutex_lock(&p->lock);
	if (!p->error && !p->errand.job.cancel)
		p->error = xstrdup(e->msg);
	p->errand.job.cancel = true;
	pthread_mutex_unlock(&p->lock);
}

/* Where an axis' cell begins, in elements; never beyond its end. */
static uint64_t cell_start(const struct axis *a, uint64_t cell)
{
	uint64_t at;

	return u64_mul(cell, a->per, &at) && u64_add(at, a->first, &at) ? u64_min(at, a->length) : a->length;
}

/* Adds elements [from, to) of one outer line to the cells that they lie in. */
static bool read_line(struct patch *p, struct reader *rd, struct patch_cell *const planes[PLANE_COUNT], uint64_t line,
		      uint64_t outer_cell, uint64_t from, uint64_t to)
{
	struct axis outer, inner;
	struct err e;

	axes(p, &outer, &inner);
	while (from < to) {
		uint64_t start = p->ask.m.base + line * outer.step + from * inner.step;
		size_t n = (size_t)u64_min(RUN, to - from), done = 0;

		if (start >= p->ask.m.end)
			return true;
		n = (size_t)u64_min(n, (p->ask.m.end - start - 1) / inner.step + 1);
		for (int side = A; side <= B; side++)
			if (tensor_of(p, side) && !pick(p, rd, side, start, inner.step, n, &e)) {
				fail(p, &e);
				return false;
			}
		if (planes[PLANE_D])
			subtract(p, rd, n);
		while (done < n) {
			uint64_t at = from + done, cell = (at - inner.first) / inner.per;
			size_t k = (size_t)u64_min(n - done, cell_start(&inner, cell + 1) - at);
			struct place place = {p->outer_rows ? line : at, p->outer_rows ? at : line, p->outer_rows};

			add_run(p, planes, cell_at(p, outer_cell, cell), rd, done, k, place);
			if (p->ask.top && planes == p->cells)
				look_for_tops(p, rd, done, k, place);
			if (p->single)
				keep_element(p, cell_at(p, outer_cell, cell), rd, done);
			done += k;
		}
		from += n;
		if (p->errand.job.cancel)
			return false;
	}
	return true;
}

/* ---- parts ---- */

static struct reader *reader_of(struct patch *p, unsigned worker)
{
	struct reader **rd = &p->readers[p->streamed ? 0 : worker];

	if (!*rd)
		*rd = xcalloc(1, sizeof(**rd));
	return *rd;
}

/* The last coarse lines may come in when the first tiles are done: a state never goes back. */
static void set_state(struct patch *p, uint64_t outer, uint64_t inner, enum state st)
{
	atomic_uchar *at = &p->states[cell_at(p, outer, inner)];
	unsigned char none = STATE_NONE;

	if (st == STATE_COARSE)
		atomic_compare_exchange_strong(at, &none, (unsigned char)st);
	else
		atomic_store_explicit(at, (unsigned char)st, memory_order_release);
}

/* One outer line of cells, coarsely. */
static void run_coarse(struct patch *p, struct reader *rd, uint64_t outer_cell)
{
	struct axis outer, inner;
	uint64_t first, end;

	axes(p, &outer, &inner);
	first = cell_start(&outer, outer_cell);
	end = cell_start(&outer, outer_cell + 1);
	for (uint64_t k = 0; k < COARSE_LINES && k < end - first; k++) {
		uint64_t line = first + (end - first) * (2 * k + 1) / (2 * u64_min(COARSE_LINES, end - first));

		for (uint64_t c = 0; c < inner.cells; c++) {
			uint64_t from = cell_start(&inner, c);
			uint64_t to = u64_min(cell_start(&inner, c + 1), from + COARSE_RUN);

			if (!read_line(p, rd, p->coarse, line, outer_cell, from, to))
				return;
		}
	}
	for (uint64_t c = 0; c < inner.cells; c++)
		set_state(p, outer_cell, c, STATE_COARSE);
}

static void run_tile(struct patch *p, struct reader *rd, uint64_t tile)
{
	struct axis outer, inner;
	uint64_t o, o_end, i, i_end;

	axes(p, &outer, &inner);
	o = tile / p->tiles_inner * p->tile_outer;
	o_end = u64_min(o + p->tile_outer, outer.cells);
	i = tile % p->tiles_inner * p->tile_inner;
	i_end = u64_min(i + p->tile_inner, inner.cells);
	for (; o < o_end; o++) {
		for (uint64_t line = cell_start(&outer, o); line < cell_start(&outer, o + 1); line++)
			if (!read_line(p, rd, p->cells, line, o, cell_start(&inner, i), cell_start(&inner, i_end)))
				return;
		for (uint64_t c = i; c < i_end; c++)
			set_state(p, o, c, STATE_EXACT);
	}
}

static void run(struct job *job, uint64_t part, void *out, unsigned worker)
{
	struct patch *p = (struct patch *)job;
	struct reader *rd = reader_of(p, worker);
	(void)out;

	if (part < p->coarse_parts)
		run_coarse(p, rd, part);
	else
		run_tile(p, rd, part - p->coarse_parts);
	p->parts_done++;
	errand_wake(&p->errand);
}

static void patch_free(struct errand *e)
{
	struct patch *p = (struct patch *)e;

	for (int plane = 0; plane < PLANE_COUNT; plane++) {
		free(p->cells[plane]);
		free(p->coarse[plane]);
	}
	free(p->tops.heap);
	free(p->elements[A]);
	free(p->elements[B]);
	free(p->states);
	free(p->error);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void gather(struct patch *p, struct reader *rd)
{
	for (size_t i = 0; i < rd->tops.n; i++)
		keep_top(&p->tops, p->ask.top, rd->tops.heap[i]);
	free(rd->tops.heap);
	for (int side = A; side <= B; side++)
		feed_close(rd->side[side].feed);
	free(rd);
}

static void end(struct errand *e)
{
	struct patch *p = (struct patch *)e;

	for (unsigned i = 0; i < pool_threads(p->s->pool); i++)
		if (p->readers[i])
			gather(p, p->readers[i]);
	free(p->readers);
	if (p->tops.n)
		qsort(p->tops.heap, p->tops.n, sizeof(*p->tops.heap), cmp_top);
}

/* ---- starting ---- */

static struct patch_cell *new_cells(const struct patch_ask *a)
{
	struct patch_cell *c = xcalloc(cells_of(a), sizeof(*c));

	for (size_t i = 0; i < cells_of(a); i++)
		c[i].peak = NAN;
	return c;
}

/* Elements along an axis that the cells take. */
static double reach(const struct axis *a)
{
	return (double)(cell_start(a, a->cells) - cell_start(a, 0));
}

/* Tiles take about as many elements as keep a worker busy for some milliseconds, and whole cells. */
static void plan(struct patch *p)
{
	struct axis outer, inner;
	double line, cell;

	p->outer_rows = p->ask.m.row_step >= p->ask.m.column_step;
	axes(p, &outer, &inner);
	line = (double)outer.per * reach(&inner);
	cell = (double)outer.per * (double)inner.per;
	p->tile_outer = line >= TILE || line <= 0 ? 1 : (uint64_t)(TILE / line);
	p->tile_outer = u64_max(u64_min(p->tile_outer, outer.cells), 1);
	p->tile_inner = p->streamed || line < 2.0 * TILE ? inner.cells : (uint64_t)fmax(1, TILE / cell);
	p->tile_inner = u64_max(u64_min(p->tile_inner, inner.cells), 1);
	p->tiles_inner = u64_max(u64_ceil_div(inner.cells, p->tile_inner), 1);
	if (!p->streamed && reach(&outer) * reach(&inner) >= COARSE_FROM)
		p->coarse_parts = outer.cells;
	p->errand.job.parts = p->coarse_parts + u64_max(u64_ceil_div(outer.cells, p->tile_outer), 1) * p->tiles_inner;
	p->errand.job.serial = p->streamed;
}

struct patch *patch_start(struct session *s, size_t row, const struct patch_ask *ask, void (*wake)(void *), void *arg)
{
	struct patch *p = xcalloc(1, sizeof(*p));

	p->s = s;
	p->r = &s->rows[row];
	p->ask = *ask;
	p->single = ask->per_row == 1 && ask->per_column == 1;
	pthread_mutex_init(&p->lock, NULL);
	for (int side = A; side <= B; side++)
		p->streamed |= tensor_of(p, side) && !feed_random(&s->m[side], tensor_of(p, side));
	plan(p);
	for (int plane = 0; plane < PLANE_COUNT; plane++) {
		if (plane == PLANE_D ? ask->sides != (1 << A | 1 << B) : !tensor_of(p, plane))
			continue;
		p->cells[plane] = new_cells(ask);
		if (p->coarse_parts)
			p->coarse[plane] = new_cells(ask);
	}
	for (int side = A; side <= B; side++)
		if (p->single && tensor_of(p, side))
			p->elements[side] = xcalloc(cells_of(ask), sizeof(*p->elements[side]));
	p->states = xcalloc(cells_of(ask), sizeof(*p->states));
	p->readers = xcalloc(pool_threads(s->pool), sizeof(struct reader *));
	p->errand.job.priority = PRIO_SELECTED;
	p->errand.job.run = run;
	p->errand.end = end;
	p->errand.free = patch_free;
	errand_start(&p->errand, s->pool, wake, arg);
	return p;
}

void patch_drop(struct patch *p)
{
	errand_drop(p ? &p->errand : NULL);
}

/* ---- what is known ---- */

const struct patch_cell *patch_cell(const struct patch *p, int plane, unsigned y, unsigned x, bool *exact)
{
	size_t i = (size_t)y * p->ask.width + x;
	unsigned char st = STATE_NONE;

	if (y < p->ask.height && x < p->ask.width)
		st = atomic_load_explicit(&p->states[i], memory_order_acquire);
	*exact = st == STATE_EXACT;
	if (st == STATE_NONE || !p->cells[plane])
		return NULL;
	return st == STATE_EXACT ? &p->cells[plane][i] : &p->coarse[plane][i];
}

const struct element *patch_element(const struct patch *p, int side, unsigned y, unsigned x)
{
	bool exact;
	const struct patch_cell *c = patch_cell(p, side, y, x, &exact);

	if (!c || !exact || c->n + c->bad == 0 || !p->elements[side])
		return NULL;
	return &p->elements[side][(size_t)y * p->ask.width + x];
}

const struct patch_top *patch_tops(struct patch *p, size_t *n)
{
	bool there = patch_done(p);

	*n = there ? p->tops.n : 0;
	return there ? p->tops.heap : NULL;
}

void patch_wait(struct patch *p, unsigned ms)
{
	errand_wait(&p->errand, ms);
}

bool patch_done(struct patch *p)
{
	return errand_done(&p->errand);
}

double patch_progress(struct patch *p)
{
	return (double)p->parts_done / (double)p->errand.job.parts;
}

const char *patch_error(struct patch *p)
{
	const char *error;

	pthread_mutex_lock(&p->lock);
	error = p->error;
	pthread_mutex_unlock(&p->lock);
	return error;
}
