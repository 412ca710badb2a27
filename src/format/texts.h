/* A list of texts as one entry of the metadata: the first ones are kept, all of them are told apart by a digest. */
#ifndef FORMAT_TEXTS_H
#define FORMAT_TEXTS_H

#include "format/digest.h"
#include "model/model.h"

enum { TEXTS_KEPT = 64 };

struct texts { /* zeroed but for the first */
	struct model *m;
	struct meta_value *items;
	uint64_t count;
	struct digest d;
};

void texts_add(struct texts *, struct str); /* the text is copied if it is kept */
void texts_end(struct texts *, struct str key); /* adds the entry, unless the list is empty */

/* Bytes of which nothing but their number and a digest is kept. */
void meta_blob(struct model *, struct str key, struct bytes);

#endif
