/* Reads a span front to back, inflating where its member is deflated. Nothing of a tensor's size is held. */
#ifndef BYTES_STREAM_H
#define BYTES_STREAM_H

#include "bytes/source.h"

struct stream;

/* The caller frees *out with stream_close. The source must outlive it. One thread at a time. */
enum rc stream_open(struct stream **out, const struct source *, struct span, struct err *);

/* Reads exactly n bytes, or fails: a broken deflate stream, a wrong CRC-32 (seen when an entry is read to its end). */
enum rc stream_read(struct stream *, void *out, size_t n, struct err *);
void stream_close(struct stream *); /* NULL is fine */

#endif
