/* Pickles that hold arrays, read into a model: what the formats "pickle", "npy" and "paddle" share. */
#ifndef FORMAT_PICKLED_H
#define FORMAT_PICKLED_H

#include "format/pickle_tree.h"

/*
 * Reads the pickle at offset `at` of a mapped member and walks it; names begin with the prefix. joblib's arrays, which
 * follow their wrappers in the stream or stand in files beside member `beside`, and tensors of PyTorch are read, too.
 * *end gets the offset past it, *protocol the highest it announced; either may be NULL. `only` names an array that is
 * the whole.
 */
struct pickled {
	uint32_t member, beside;
	uint64_t at;
	struct str prefix;
	const char *only;
	bool pairs;     /* a pair of a text and an array stands for the array: Paddle's */
	unsigned depth; /* of pickles in files that pickles name */

	/* What was found. */
	uint64_t end;
	unsigned protocol;
	bool joblib;
};
enum rc pickled_read(struct model *, struct pickled *, struct err *);

/* Whether bytes begin as a pickle does, and how surely; 0: no. cut: they are only the beginning. */
int pickled_looks(struct bytes head, bool cut);

#endif
