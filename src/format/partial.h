/* The end of readers that convert what they read into a spool, and may stop in the middle of it. */
#ifndef FORMAT_PARTIAL_H
#define FORMAT_PARTIAL_H

#include "bytes/spool.h"
#include "model/model.h"

/* Ends the spool (NULL: there is none), and says what the reader returns: where rc is RC_FAIL and there are tensors all
 * the same, the sentence becomes a problem of the model. */
enum rc partial_end(struct model *, struct spool *, enum rc rc, struct err *);

#endif
