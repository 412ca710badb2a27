/* A digest of many values, to tell whether two long arrays are the same without keeping them. */
#ifndef FORMAT_DIGEST_H
#define FORMAT_DIGEST_H

#include "base/util.h"

struct digest { /* a zeroed one is empty */
	uint8_t buf[1024];
	size_t n;
	uint64_t state[2];
};

void digest_add(struct digest *, struct str);
void digest_u64(struct digest *, uint64_t);
void digest_end(struct digest *, uint64_t out[2]);

#endif
