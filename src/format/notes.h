/* Metadata, entry by entry, and as a message's fields hold it. */
#ifndef FORMAT_NOTES_H
#define FORMAT_NOTES_H

#include "format/proto.h"
#include "model/model.h"

/* type: the format's own word; it is not copied. Keys and text are. */
void note_text(struct model *, struct str key, const char *type, struct str text);
void note_uint(struct model *, struct str key, const char *type, uint64_t x);
void note_int(struct model *, struct str key, const char *type, int64_t x);
void note_real(struct model *, struct str key, const char *type, double x);

/* The same of a header without types of its own: with ours. */
void fact_text(struct model *, const char *key, struct str);
void fact_uint(struct model *, const char *key, uint64_t);
void fact_int(struct model *, const char *key, int64_t);
void fact_f32(struct model *, const char *key, float);

struct word {
	uint64_t number;
	const char *word; /* NULL ends a list */
};

/* A field of a message that becomes an entry, if it is there: text (WIRE_BYTES), a float (WIRE_32), a double (WIRE_64),
 * or a number; with words, the word for it. */
struct note {
	uint32_t field;
	const char *key;
	enum wire wire;
	const struct word *words;
};

/* prefix: "" or "graph." */
void notes_of(struct model *, const char *prefix, struct bytes message, const struct note *, size_t n);

#endif
