/* Models in several files: names like model-00002-of-00005.safetensors. */
#ifndef FORMAT_SHARDS_H
#define FORMAT_SHARDS_H

#include "model/model.h"

struct shard {
	struct str prefix, ending; /* "model-", ".safetensors" */
	unsigned number, count;    /* 2 of 5 */
	unsigned digits;           /* as written: 5 or 6 */
};

struct str base_name(struct str path); /* what follows the last slash */

/* Takes a file's base name apart; false when it is not a shard's (its number must be within 1 and count, at least
 * 2). */
bool shard_parse(struct str base, const char *ending, struct shard *);

/* Where files of one name are already open: the member, or MEMBER_NONE. */
#define MEMBER_NONE UINT32_MAX
uint32_t member_by_base(const struct source *, struct str base);

/*
 * Opens all shards of the set that member belongs to and hands each to read, with its number, in order. One that
 * cannot be opened or read becomes a problem; RC_FAIL when that is so for all, with the first one's sentence.
 */
enum rc shards_read(struct model *, uint32_t member, const struct shard *,
		    enum rc (*read)(struct model *, uint32_t member, unsigned number, struct err *), struct err *);

#endif
