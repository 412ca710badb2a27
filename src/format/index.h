/* The index of a model in several files: JSON whose weight_map says which file holds a tensor. Hugging Face's libraries
 * write it for safetensors and for PyTorch's files. */
#ifndef FORMAT_INDEX_H
#define FORMAT_INDEX_H

#include "format/format.h"
#include "format/shards.h"

/* Bits verified that a file is an index of files that end so (".safetensors"). */
int index_probe(const struct probe *, const char *ending);

/* Reads the index that is the member, and with `read` all files it names, which stand beside it; read adds a file's
 * tensors and counts it in m->files and m->bytes. What the index says that is not so becomes problems. */
enum rc index_read(struct model *, uint32_t member, enum rc (*read)(struct model *, uint32_t member, struct err *),
		   struct err *);

/* The index of the set that the member, a shard, belongs to, if it stands beside it and names this file. */
bool index_find(struct model *, uint32_t member, const struct shard *, uint32_t *index);

#endif
