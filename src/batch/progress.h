/* The progress bar of batch, on standard error: only on a terminal unless asked for, gone at the end. */
#ifndef BATCH_PROGRESS_H
#define BATCH_PROGRESS_H

#include "analysis/scan.h"

struct progress;

struct progress *progress_new(const struct opts *); /* NULL when there is to be none */
void progress_wake(void *progress);                 /* for scan_new: may be called on any thread */

/* For struct unpacking: draws what has been unpacked so far, every now and then. */
void progress_unpacked(void *progress, uint64_t out, uint64_t in, uint64_t of);

/* Waits until the row is there, drawing. */
void progress_wait(struct progress *, struct scan *, const struct row *rows, size_t row);
void progress_erase(struct progress *); /* before anything else is printed; NULL is fine */
void progress_free(struct progress *);  /* erases first; NULL is fine */

#endif
