/*
 * From the graph of a pickle to a model's tensors and metadata. Dicts, lists, tuples and the attributes of objects are
 * walked, and the way to a tensor is its name: "model.layers.0.weight", "estimators_.3.tree_.threshold". Numbers,
 * texts and the like become metadata under the same names. Modules of torch.nn get the names that their own
 * state_dict() would give: _parameters, _buffers and _modules are left out.
 */
#ifndef FORMAT_PICKLE_TREE_H
#define FORMAT_PICKLE_TREE_H

#include "format/pickle.h"

struct tree {
	struct pickle *p;
	struct spool *spool; /* of arrays that do not stand in the file as they are: begun as needed; see tree_end */

	/* Asked about each node first. A leaf of the format's own is added to the model and gives LEAF_TAKEN;
	 * LEAF_INSTEAD puts another node in its place (a parameter: its tensor); LEAF_FAIL ends all. NULL: there are
	 * none. */
	enum leaf (*leaf)(struct tree *, struct pk **, struct str name, struct err *);
	void *arg;           /* for leaf */
	const char *only;    /* the name of a tensor or array that is the whole of the pickle */
	bool no_meta;        /* metadata is not wanted */

	/* Private. */
	struct buf path;
	struct tree_frame *frames;
	size_t n, cap;
	uint64_t names;      /* bytes of all names so far */
	size_t metas;
	uint64_t metas_left; /* not kept */
	const char *stopped; /* why not all was walked; NULL: it was */
};

enum leaf { LEAF_NOT, LEAF_TAKEN, LEAF_INSTEAD, LEAF_FAIL };

/* Walks from the root of t->p; names begin with the prefix and a dot, unless it is empty. What is too deep or too much
 * becomes a problem of the model. */
enum rc tree_walk(struct tree *, struct str prefix, struct err *);

/* Ends the spool and frees what walking took. Due after all walks, whatever came of them. */
enum rc tree_end(struct tree *, struct err *);

/* Adds one node as metadata, if it is something that can be shown in a line. */
void tree_meta(struct tree *, struct str key, struct pk *);

#endif
