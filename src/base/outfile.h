/*
 * A file that is written whole or not at all: beside its place, without a name where the file system can, and put there
 * only when everything is in it. What stood there before is there until then. A target that is not a regular file (a
 * pipe, /dev/null) is written to as it comes.
 */
#ifndef BASE_OUTFILE_H
#define BASE_OUTFILE_H

#include "base/err.h"
#include "base/util.h"

struct outfile;

/* Messages name no file: that is the caller's. The caller frees *out with outfile_close. */
enum rc outfile_open(struct outfile **out, const char *path, struct err *);
enum rc outfile_write(struct outfile *, const void *p, size_t n, struct err *);
enum rc outfile_commit(struct outfile *, struct err *); /* puts it in its place */
void outfile_close(struct outfile *); /* frees it; what was not committed is gone. NULL is fine */

#endif
