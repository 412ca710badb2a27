/* Darknet's description of a net (.cfg): which arrays its .weights file holds, in their order. */
#ifndef FORMAT_DARKNET_CFG_H
#define FORMAT_DARKNET_CFG_H

#include "base/arena.h"
#include "base/err.h"

struct cfg_array {
	const char *name; /* layers.0.weights */
	unsigned layer;
	unsigned rank;
	uint64_t shape[5], count;
};

struct cfg_option {
	struct str key, value; /* without any white space */
};

struct cfg {
	struct cfg_array *arrays;
	size_t n, cap;
	unsigned layers;
	struct cfg_option *net; /* the options of the first section */
	size_t n_net;
};

/*
 * Reads the text. transposed: connected layers are stored [inputs, outputs] (the weights' header tells). Names and
 * options live in the arena, the arrays until cfg_free. Fails for a layer that is not known, by name.
 */
enum rc cfg_read(struct cfg *, struct arena *, struct bytes text, bool transposed, struct err *);
void cfg_free(struct cfg *);

#endif
