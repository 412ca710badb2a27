/*
 * A value of metadata, or one inside of it: an item of an array, or a part of JSON that a text holds. JSON is read when
 * it is opened, one level at a time; until then it is a stretch of text.
 */
#ifndef ANALYSIS_DATUM_H
#define ANALYSIS_DATUM_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/model.h"

struct datum { /* zeroed: not there */
	const struct meta_value *meta; /* or: */
	struct bytes json;             /* one value, without white space around it */
};

enum { DATUM_PARTS_MAX = 10000 };

struct datum_part {
	struct str label; /* of an object's member its key, else empty: an item, by its place */
	struct datum d;
};

struct datum_parts {
	struct datum_part *part;
	size_t n;
	uint64_t more; /* beyond them: too many to show, or not kept by the reader */
	bool items;    /* of an array */
};

static inline bool datum_there(const struct datum *d)
{
	return d->meta || d->json.p;
}

/* Whether it looks as if it had parts. Of a text that only its brackets make look like JSON, opening tells. */
bool datum_opens(const struct datum *);

/* Its parts, in the arena. False with a sentence: the text is no sound JSON. */
bool datum_open(const struct datum *, struct arena *, struct datum_parts *, struct err *);

/* Whether two are the same; JSON by its text, white space aside. */
bool datum_equal(const struct datum *, const struct datum *);

/* Appends its type: the format's own word, with the number of items of an array; of JSON object, array, string, ... */
void datum_type(const struct datum *, struct buf *);

/* A boolean or a number, no text and no array: a float as the shortest decimal that is the same float. */
void meta_number(struct buf *, const struct meta_value *);

/* Appends it as harmless text in one line, of about `most` bytes: of what is longer both ends. */
void datum_text(const struct datum *, struct buf *, size_t most, bool ascii);

#endif
