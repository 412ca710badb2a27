/*
 * PyTorch's tensors in the graph of a pickle: calls of torch._utils._rebuild_tensor_v2 and its kin, whose first
 * argument is a storage. Where a storage's bytes are is the container's affair (format/torch.c): it fills the table.
 * Sources: pytorch/pytorch, torch/_utils.py, torch/storage.py, torch/_tensor.py.
 */
#ifndef FORMAT_TORCH_TENSOR_H
#define FORMAT_TORCH_TENSOR_H

#include "base/map.h"
#include "format/pickle_tree.h"

struct storage_type {
	const char *name;  /* FloatStorage */
	enum dtype type;   /* DT_OPAQUE: elements of a type that is not decoded */
	unsigned size;     /* bytes of an element */
};

struct storage {
	struct str key;
	const struct storage_type *type;
	uint64_t numel;      /* of its own type; bytes for UntypedStorage */
	struct span span;
	const char *trouble; /* why its bytes cannot be had; NULL: span is valid */
	size_t first;        /* the first tensor that lies in it, counted from 1 */
	bool listed;         /* that one's layout is in torch.layouts */
};

struct torch {
	struct model *m;
	struct pickle *p; /* the one that is walked */
	bool big;         /* elements are big-endian */
	struct map keys;  /* of storages */
	struct storage *storages;
	size_t n, cap;
	struct map layouts; /* of tensors that lie in a storage that others lie in, too */
	unsigned depth;     /* of streams inside streams */
	unsigned parts;     /* of tensors inside tensors */

	/* Finds the bytes of a storage that is met for the first time: sets span or trouble. */
	void (*find)(struct torch *, struct storage *);
	void *arg;
};

void torch_free(struct torch *);

/* The storage that a persistent id names, added if it is new, and the elements before its view of it; NULL: the id is
 * none of a storage, and the sentence says why. */
struct storage *torch_storage(struct torch *, const struct pk *id, uint64_t *before, struct err *);

/* Adds one whose bytes are known; the one that is there, if the key is. */
struct storage *torch_add_storage(struct torch *, struct storage);
const struct storage_type *torch_storage_type(const struct pk *class); /* torch.FloatStorage ...; NULL: not known */

/* What of a storage a tensor shows. */
struct torch_view {
	uint64_t offset; /* elements */
	unsigned rank;
	uint64_t shape[RANK_MAX], stride[RANK_MAX];
	uint64_t count, extent; /* filled in: elements, and from the first to past the last one used */
};

/* Adds a tensor of the storage's type; one that is not sound is broken. */
void torch_add_view(struct torch *, struct str name, struct torch_view *, struct storage *);

/* For struct tree, with the torch as its arg. */
enum leaf torch_leaf(struct tree *, struct pk **, struct str name, struct err *);

/* ---- torch_tar.c, torch.c ---- */

bool torch_tar_looks(struct bytes head);
enum rc torch_tar_read(struct model *, uint32_t member, struct err *);

/* A stream of torch.save as it was before version 1.6, which begins at offset `at` of p->member and ends at `end` at
 * the latest: reads its object into p and fills the table of storages. *after gets the offset past it. */
enum rc torch_legacy(struct torch *, struct pickle *p, uint64_t at, uint64_t end, uint64_t *after, struct err *);

#endif
