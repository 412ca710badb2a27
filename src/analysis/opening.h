/* A model that is opened on the pool, beside a session that goes on meanwhile. */
#ifndef ANALYSIS_OPENING_H
#define ANALYSIS_OPENING_H

#include "analysis/session.h"

struct opening;

/* Starts it, as the session's options say. `wake` is called on a worker when it is done. */
struct opening *opening_start(struct session *, const char *path, void (*wake)(void *), void *arg);

bool opening_done(struct opening *);
void opening_wait(struct opening *, unsigned ms); /* until it is done, but no longer than that: under a second */

/* How far unpacking is: bytes that came out, of how many packed ones how many went in; all 0: nothing is unpacked. */
void opening_progress(struct opening *, uint64_t *out, uint64_t *in, uint64_t *of);

/* Once it is done: what came of it. On failure the sentence begins with the model's name. */
enum rc opening_result(struct opening *, struct err *);

/* Once it is done, and well: makes the model the session's second one (see session_add) and frees the rest. */
void opening_take(struct opening *, struct session *);

/* Lets go of it, without waiting: what is being unpacked stops soon; what is being read is read first, and thrown
 * away. NULL is fine. */
void opening_drop(struct opening *);

#endif
