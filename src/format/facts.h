/* Metadata that a reader makes from a header without types of its own: notes (format/notes.h) with ours. */
#ifndef FORMAT_FACTS_H
#define FORMAT_FACTS_H

#include "model/model.h"

void fact_text(struct model *, const char *key, struct str);
void fact_uint(struct model *, const char *key, uint64_t);
void fact_int(struct model *, const char *key, int64_t);
void fact_f32(struct model *, const char *key, float);

#endif
