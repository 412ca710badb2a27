/* Single values of a tensor by their index: a window of decoded elements that follows what is asked for. */
#ifndef BATCH_VALUES_H
#define BATCH_VALUES_H

#include "base/buf.h"
#include "model/model.h"

struct values;

enum rc values_open(struct values **out, const struct model *, const struct tensor *, struct err *);

/* Appends element i (row-major) with the digits that tell it from its neighbours in its type. JSON gets numbers, true
 * and false, and strings for NaN and infinities; complex numbers become pairs. Going backwards in a tensor that can
 * only be streamed starts over. */
enum rc values_show(struct values *, uint64_t i, struct buf *, bool json, struct err *);
void values_close(struct values *); /* NULL is fine */

#endif
