/*
 * Flatbuffers (google/flatbuffers, docs/source/internals.md), over untrusted bytes: TensorFlow Lite's files are of
 * them. Every jump is checked before anything is read there. The first one that leaves the buffer sets `bad`, and
 * from then on all that is asked for is absent, so that a reader goes straight down and checks once a record.
 * Nothing recurses: what a table points at is another table, as deep as the reader's code goes.
 */
#ifndef FORMAT_FLATBUF_H
#define FORMAT_FLATBUF_H

#include "base/util.h"

struct flatbuf {
	struct bytes b;
	uint64_t tables; /* visited: many places may point at one, so that few bytes can ask for much work */
	uint64_t end;    /* of all that was looked at */
	bool bad;
	uint64_t at;     /* what is not sound stands there, */
	const char *what; /* and is this */
};

struct fb_table {
	uint64_t at;      /* 0: no table, all of its fields are absent */
	uint64_t vtable;
	unsigned size, slots; /* bytes of the table; fields that its vtable knows */
};

struct fb_vector {
	uint64_t at, n; /* the first element; how many */
};

struct flatbuf flatbuf_of(struct bytes);
void fb_root(struct flatbuf *, struct fb_table *);

/* A number of 1 to 8 bytes, not extended; `otherwise` where it is absent. */
uint64_t fb_uint(struct flatbuf *, const struct fb_table *, unsigned slot, unsigned size, uint64_t otherwise);

/* False where they are absent, or bad. A table's elements are 4 bytes, for fb_item. */
bool fb_child(struct flatbuf *, const struct fb_table *, unsigned slot, struct fb_table *);
bool fb_vector(struct flatbuf *, const struct fb_table *, unsigned slot, unsigned size, struct fb_vector *);
bool fb_item(struct flatbuf *, const struct fb_vector *, uint64_t i, struct fb_table *);

/* A table of which nobody knows the fields: what may be a list in it counts as looked at. */
void fb_unknown(struct flatbuf *, const struct fb_table *);

/* Element i of a vector of numbers. */
uint64_t fb_number(const struct flatbuf *, const struct fb_vector *, uint64_t i, unsigned size);
struct str fb_text(struct flatbuf *, const struct fb_table *, unsigned slot); /* in place; empty where it is absent */

#endif
