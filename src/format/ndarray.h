/*
 * NumPy's arrays in the graph of a pickle: as numpy.core.multiarray._reconstruct and a state (protocols 0 to 4),
 * numpy.core.numeric._frombuffer (protocol 5), or joblib's NumpyArrayWrapper, whose bytes follow in the stream.
 * Sources: numpy/numpy, numpy/_core/numeric.py, numpy/_core/src/multiarray (array_reduce, array_setstate,
 * arraydescr_reduce); joblib/joblib, joblib/numpy_pickle.py.
 */
#ifndef FORMAT_NDARRAY_H
#define FORMAT_NDARRAY_H

#include "format/npy_header.h"
#include "format/pickle.h"

struct ndarray {
	struct npy_header h;     /* ndarray_free */
	struct pk_bytes bytes;   /* its data; or */
	struct span span;        /* its data, when in_span; or */
	const struct pk *items;  /* of an array of objects: the list of them, in C order */
	bool in_span;
	const uint64_t *axes;    /* rank of them, or NULL: the array is the one of h, transposed so (_frombuffer) */
	const char *note;        /* something to know about it, or NULL */
};

/* What a node is. ND_BROKEN: an array, but not a sound one; the sentence says why. */
enum nd { ND_NONE, ND_ARRAY, ND_OBJECTS, ND_BROKEN };
enum nd ndarray_of(struct pickle *, struct pk *, struct ndarray *, struct err *);
void ndarray_free(struct ndarray *);

/* Adds the tensors of an ND_ARRAY. Bytes that do not stand in the file as they are go to *spool, which is begun when
 * the first ones come; the caller ends it. RC_FAIL: the spool cannot be written. */
enum rc ndarray_add(struct ndarray *, struct pickle *, struct str name, struct spool **spool, struct err *);

/* The value of a NumPy scalar (numpy.core.multiarray.scalar), if it is a number: filled in *out as a pickled one. */
bool ndarray_scalar(struct pickle *, const struct pk *, struct pk *out);

/* joblib's wrapper: what the array's header says, and whether an alignment byte stands before its bytes. False: the
 * node is none. */
bool ndarray_wrapper(struct pickle *, struct pk *, struct npy_header *, bool *aligned, struct err *);

#endif
