/* Slices as NumPy writes them: 0:4, ::2, -1, and ... for all dimensions between. */
#ifndef BATCH_SLICE_H
#define BATCH_SLICE_H

#include "base/err.h"
#include "base/util.h"
#include "model/model.h"

struct axis {
	int64_t start, step;
	uint64_t count; /* how many indices it takes: start, start + step, ... */
	bool dropped;   /* a single index: the result has no such dimension */
};

struct slice {
	unsigned rank; /* of the tensor */
	struct axis axis[RANK_MAX];
};

/* Parses what stands between the brackets; an empty text takes all. Ranges are cut at the shape as NumPy does; a
 * single index outside of it, a step of 0 and too many dimensions fail. */
enum rc slice_parse(struct slice *, struct str text, const uint64_t *shape, unsigned rank, struct err *);
uint64_t slice_count(const struct slice *); /* elements it takes; at most what the tensor has */

#endif
