/* A look at stored bytes, as the file has them: read on the pool, since a deflated entry must be inflated up to there.
 * */
#ifndef ANALYSIS_PEEK_H
#define ANALYSIS_PEEK_H

#include "analysis/session.h"

struct peek_ask {
	uint64_t offset[2]; /* in the span of each side's tensor */
	size_t n[2];        /* bytes; 0: not that side */
};

struct peek;

/* Starts it for the tensors of a row. Fewer bytes come where the span ends. `wake` is called on a worker when it is
 * done. */
struct peek *peek_start(struct session *, size_t row, const struct peek_ask *, void (*wake)(void *), void *arg);

bool peek_done(struct peek *);
void peek_wait(struct peek *, unsigned ms); /* until it is done, but no longer than that */

/* Once it is done: the bytes, or NULL and why they could not be read; NULL and NULL: not asked for. */
const uint8_t *peek_bytes(struct peek *, int side, size_t *n, const char **error);

void peek_drop(struct peek *); /* without waiting; NULL is fine */

#endif
