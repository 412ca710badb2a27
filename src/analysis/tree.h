/*
 * The tree of names: components are what stands between dots or slashes; a chain of groups with one child each is
 * folded into one node ("base_model.model"). Built once from the rows, which it puts in its order.
 */
#ifndef ANALYSIS_TREE_H
#define ANALYSIS_TREE_H

#include "analysis/session.h"

enum { NODE_NONE = -1 };

struct node {
	struct str label; /* its own component(s): "layers.0" is shown below its parent's label */
	struct str path;  /* from the root on: "model.layers.0" */
	int parent, child, sibling; /* indices into tree.nodes, or NODE_NONE; child is the first one */
	unsigned depth;             /* of the root's children: 0 */
	size_t row_first, row_end;  /* the rows below it: [row_first, row_end), in session.rows */
	bool leaf;                  /* a row (row_first); a tensor with a group's name stands beside the group */
};

struct tree {
	struct node *nodes; /* nodes[0] is the root; children follow their parent: pre-order */
	size_t n;
};

struct tree *tree_build(struct session *); /* sorts session.rows */
void tree_free(struct tree *);

/* What a group of rows comes to. Sums run in the order of the rows, so they do not depend on who computed first. */
struct rollup {
	size_t tensors[2];      /* on each side */
	uint64_t parameters[2], bytes[2];
	size_t by_status[ST_COUNT], retyped, renamed;
	size_t computed;        /* rows with a result */
	struct moments moments[2];
	struct pairsum sum;
	struct stats stats[2];  /* of all its elements together, without the distribution */
	struct diff diff;       /* likewise; max_abs_index is meaningless here: UINT64_MAX */
};
void rollup_rows(struct rollup *, const struct session *, const size_t *rows, size_t n);
void rollup_node(struct rollup *, const struct session *, const struct node *);

/* The first `depth` components of a name. */
struct str name_prefix(struct str name, unsigned depth);

/* The deepest roll-up of rows, in the session's order, that has at most `most` groups, and fewer than there are rows;
 * else the least deep one, 1. */
unsigned name_depth(const struct session *, const size_t *rows, size_t n, size_t most);

#endif
