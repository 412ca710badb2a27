/* One look at all values of every tensor of a model, for what weigh audit asks and the statistics do not tell. */
#ifndef ANALYSIS_SURVEY_H
#define ANALYSIS_SURVEY_H

#include "analysis/session.h"
#include "num/lowbits.h"
#include "num/narrow.h"
#include "num/scales.h"

struct survey {
	const char *error;      /* NULL, or why its values could not be read; in the arena given */
	bool read;
	struct stats st;        /* without the distribution */
	uint64_t denormal;      /* elements too small for a full fraction; F32, F64, BF16 */
	/* Of matrices and what has more dimensions: places along the slowest and the fastest dimension, as the data is
	 * stored, at which all is zero; and the first of them. Not counted (0) where a dimension is longer than
	 * SURVEY_SIDE_MAX. */
	uint64_t dead_rows, dead_columns, first_row, first_column;
	struct lowbits low;     /* F32, F64 */
	struct narrow narrow;   /* likewise */
	struct scales scales;   /* of types in blocks */
	uint64_t untrue;        /* BOOL: bytes that are neither 0 nor 1 */
};

enum { SURVEY_SIDE_MAX = 1 << 24 };

/* Runs on the session's pool and waits for it. The caller frees the surveys, m->n_tensors of them, with free(). */
struct survey *survey_model(struct session *, const struct model *, struct arena *);

/* Runs fn(arg, i) for each i < n on the pool, several at a time, and waits. */
void spread(struct session *, size_t n, void (*fn)(void *arg, size_t i), void *arg);

#endif
