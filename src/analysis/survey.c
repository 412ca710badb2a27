#include "analysis/survey.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "num/decode.h"
#include "num/feed.h"
#include "num/moments.h"

/* ---- the pool ---- */

struct spreading {
	struct job job;
	void (*fn)(void *, size_t);
	void *arg;
};

static void run_part(struct job *job, uint64_t part, void *out, unsigned worker)
{
	struct spreading *sp = (struct spreading *)job;
	(void)out, (void)worker;

	sp->fn(sp->arg, (size_t)part);
}

static void over(struct job *job)
{
	(void)job;
}

void spread(struct session *s, size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
	struct spreading sp = {.job = {.parts = n, .run = run_part, .done = over}, .fn = fn, .arg = arg};

	if (!n)
		return;
	pool_add(s->pool, &sp.job);
	pool_wait(s->pool);
}

/* ---- a tensor ---- */

/* Where all is zero: a byte for each row and column, set when something is not. Rows are what stands together. */
struct sides {
	uint64_t rows, columns; /* 0: not looked at */
	uint64_t row_length;
	uint8_t *in_row, *in_column;
};

static struct sides sides_of(const struct tensor *t)
{
	struct sides x = {0};

	if (t->rank < 2 || !t->count)
		return x;
	x.rows = t->shape[t->fortran ? t->rank - 1 : 0];
	x.columns = t->shape[t->fortran ? 0 : t->rank - 1];
	if (x.rows < 2 || x.columns < 2 || x.rows > SURVEY_SIDE_MAX || x.columns > SURVEY_SIDE_MAX)
		return (struct sides){0};
	x.row_length = t->count / x.rows;
	x.in_row = xcalloc((size_t)x.rows, 1);
	x.in_column = xcalloc((size_t)x.columns, 1);
	return x;
}

static void see_sides(struct sides *x, uint64_t at, const double *v, size_t n)
{
	uint64_t column = x->rows ? at % x->columns : 0;

	for (size_t i = 0; x->rows && i < n;) {
		size_t k = (size_t)u64_min(n - i, x->columns - column);
		uint8_t any = 0;

		for (size_t j = 0; j < k; j++) {
			uint8_t is = v[i + j] != 0;

			x->in_column[column + j] |= is;
			any |= is;
		}
		x->in_row[(at + i) / x->row_length] |= any;
		i += k;
		column = 0;
	}
}

static uint64_t dead(const uint8_t *in, uint64_t n, uint64_t *first)
{
	uint64_t count = 0;

	for (uint64_t i = n; i-- > 0;)
		if (!in[i]) {
			count++;
			*first = i;
		}
	return count;
}

/* Below this a type has no full fraction; 0: not asked of it. A half is that small too often to tell anything. */
static double least_normal(const struct tensor *t)
{
	if (t->pack)
		return 0;
	return t->type == DT_F64 ? DBL_MIN : t->type == DT_F32 || t->type == DT_BF16 ? FLT_MIN : 0;
}

enum { STEP = LOWBITS_WINDOW };

struct bench {
	double v[STEP * 2];
	double x[STEP];
};

/* Complex numbers count by their magnitude, as in the statistics. */
static const double *values(struct bench *b, enum dtype type, const uint8_t *raw, size_t n)
{
	decode(type, b->v, raw, n);
	if (decode_width(type) == 1)
		return b->v;
	for (size_t i = 0; i < n; i++)
		b->x[i] = hypot(b->v[2 * i], b->v[2 * i + 1]);
	return b->x;
}

/* What the values do not tell: scales, codes that stand for nothing. */
static void see_stored(struct survey *sv, const struct tensor *t, const uint8_t *raw, size_t n)
{
	if (!t->pack)
		scales_see(&sv->scales, t->type, raw, n / dtypes[t->type].items);
	for (size_t i = 0; t->type == DT_BOOL && i < n; i++)
		sv->untrue += raw[i] > 1;
}

static enum rc survey_values(struct survey *sv, const struct model *m, const struct tensor *t, struct sides *sides,
			     struct err *e)
{
	struct bench *b = xmalloc(sizeof(*b));
	double least = least_normal(t);
	bool fractions = !t->pack && (t->type == DT_F32 || t->type == DT_F64);
	struct moments sum;
	struct feed *f = NULL;
	enum rc rc = feed_open(&f, m, t, FEED_STORED, e);

	moments_init(&sum);
	for (uint64_t at = 0; rc == RC_OK && at < t->count; at += STEP) {
		size_t n = (size_t)u64_min(STEP, t->count - at);
		const uint8_t *raw = feed_get(f, at, n, e);
		const double *v;

		if (!raw) {
			rc = RC_FAIL;
			break;
		}
		v = values(b, t->type, raw, n);
		for (size_t i = 0; i < n; i += BLOCK)
			moments_add(&sum, v + i, (size_t)u64_min(BLOCK, n - i));
		for (size_t i = 0; least > 0 && i < n; i++)
			sv->denormal += v[i] != 0 && fabs(v[i]) < least;
		see_sides(sides, at, v, n);
		if (fractions) {
			lowbits_window(&sv->low, dtypes[t->type].bytes, raw, at, n);
			narrow_see(&sv->narrow, dtypes[t->type].bytes, raw, n);
		}
		see_stored(sv, t, raw, n);
	}
	moments_stats(&sum, &sv->st);
	feed_close(f);
	free(b);
	return rc;
}

struct surveying {
	const struct model *m;
	struct survey *surveys;
	char **why;
};

static void survey_one(void *arg, size_t i)
{
	struct surveying *x = arg;
	const struct tensor *t = &x->m->tensors[i];
	struct survey *sv = &x->surveys[i];
	struct sides sides;
	struct err e;

	if (t->trouble)
		return;
	sides = sides_of(t);
	sv->read = survey_values(sv, x->m, t, &sides, &e) == RC_OK;
	if (!sv->read)
		x->why[i] = xstrdup(e.msg);
	if (tensor_lost(x->m, t)) {
		free(x->why[i]);
		x->why[i] = xstrdup("the file shrank while it was open");
		*sv = (struct survey){0};
	} else if (sides.rows) {
		sv->dead_rows = dead(sides.in_row, sides.rows, &sv->first_row);
		sv->dead_columns = dead(sides.in_column, sides.columns, &sv->first_column);
	}
	free(sides.in_row);
	free(sides.in_column);
}

struct survey *survey_model(struct session *s, const struct model *m, struct arena *a)
{
	struct surveying x = {.m = m};

	x.surveys = xcalloc(m->n_tensors, sizeof(*x.surveys));
	x.why = xcalloc(m->n_tensors, sizeof(*x.why));
	spread(s, m->n_tensors, survey_one, &x);
	for (size_t i = 0; i < m->n_tensors; i++)
		if (x.why[i]) {
			x.surveys[i].error = arena_printf(a, "%s", x.why[i]);
			free(x.why[i]);
		}
	free(x.why);
	return x.surveys;
}
