/*
 * Bytes that stand in no file as they are needed: numbers that a reader made from text, an entry that must be inflated
 * to be looked into. They go front to back into an unlinked temporary file ($TMPDIR), which becomes a member of the
 * source, mapped like the rest; as much as base/limits.h allows.
 */
#ifndef BYTES_SPOOL_H
#define BYTES_SPOOL_H

#include "bytes/source.h"

struct spool;
struct stream;

/* Where temporary files go: $TMPDIR, or /tmp. */
const char *spool_directory(void);

/* Begins one. Its member is in the source at once, so that spans can name it, but has no bytes before spool_end. */
enum rc spool_begin(struct spool **out, struct source *, struct str name, struct err *);
uint32_t spool_member(const struct spool *);
uint64_t spool_at(const struct spool *); /* bytes so far: where the next ones will stand */
enum rc spool_put(struct spool *, const void *p, size_t n, struct err *);
enum rc spool_f32(struct spool *, float x, struct err *); /* little-endian */

/*
 * For a program of its own that fills it. There, spool_adopt makes a spool of the file that it finds open, which is
 * empty and becomes no member; spool_room gives n more bytes, zeros, mapped for writing; they begin at *at, on a page.
 * Here, spool_descriptor is what the program gets; spool_filled(size) then tells what it made of it, before spool_end.
 */
struct spool *spool_adopt(int fd, uint64_t limit);
uint64_t spool_limit(const struct spool *); /* bytes that it may come to */
int spool_descriptor(const struct spool *);
enum rc spool_room(struct spool *, uint64_t n, void **p, uint64_t *at, struct err *);
void spool_room_end(struct spool *, void *p, uint64_t n);
enum rc spool_flush(struct spool *, struct err *); /* what was put is in the file then */
enum rc spool_filled(struct spool *, uint64_t size, struct err *);

/* Maps it. The spool is freed, whatever comes of it. */
enum rc spool_end(struct spool *, struct err *);
void spool_drop(struct spool *); /* gives up: the member stays empty; NULL is fine */

/* The next n bytes of a stream (n > 0), in an unlinked temporary file of their own, mapped: for one that will look at
 * them in another order. The caller unmaps them. */
enum rc spool_map(struct stream *, uint64_t n, struct bytes *out, struct err *);

/* Inflates a deflated member once and for all: it is mapped from then on. Does nothing for one that is. */
enum rc source_unpack(struct source *, uint32_t member, struct err *);

/* Inflates the zlib stream (RFC 1950), or the member of a gzip file, that begins at `offset` of a mapped member into a
 * new one of that name, which is `out`; *packed gets the bytes it took. On failure the new one holds what came out
 * before, if anything did. */
enum rc source_inflate(struct source *, uint32_t member, uint64_t offset, uint32_t *out, uint64_t *packed,
		       struct err *);

/* The first n inflated bytes (or fewer) of a zlib stream; 0: it is none. */
size_t zlib_head(struct bytes stream, uint8_t *out, size_t n);

/* The same of a file that is compressed as a whole: gzip, xz ...; 0: it is not, or is damaged there. */
size_t packed_head(struct bytes packed, uint8_t *out, size_t n);

#endif
