/* A file that is compressed as a whole, front to back. Of no concern to the layers above. */
#ifndef BYTES_DECOMPRESS_H
#define BYTES_DECOMPRESS_H

#include "base/buf.h"

struct archive;
struct decompress;

/* Whether a file that begins like that is compressed: gzip, bzip2, xz, lzip, zstd, lz4, lzma, compress. */
bool decompress_looks(struct bytes head);

/* The caller frees it with decompress_free; the bytes must outlive it. Nothing is read yet, and what is no such file
 * fails at the first step. */
struct decompress *decompress_new(struct bytes packed);
void decompress_free(struct decompress *); /* NULL is fine */

/* The next bytes, at *p until the next call: how many; 0: that was all, and the checksums are right; -1: it is damaged
 * or cut short, see decompress_why. How many may come is for the caller to limit. */
ptrdiff_t decompress_next(struct decompress *, const void **p);
const char *decompress_why(const struct decompress *);

/* Bytes of the file that were taken by now; at the end, those that its streams take: what follows belongs to none. */
uint64_t decompress_taken(const struct decompress *);
const char *decompress_name(const struct decompress *); /* of the kind: "gzip" */

/* What libarchive is to undo of a file that begins like that; archives' formats are another matter. */
void archive_support(struct archive *, struct bytes head);

#endif
