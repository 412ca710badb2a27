/* One element of a tensor as text. */
#ifndef NUM_ELEMENT_H
#define NUM_ELEMENT_H

#include "base/buf.h"
#include "model/dtype.h"

struct element {
	double x[2];    /* its value; of a complex number both parts */
	uint64_t whole; /* of a 64-bit integer its bits, which a double cannot hold */
};

bool element_is_whole(enum dtype); /* I64 or U64 */

/* Appends it with the digits that tell it from its neighbours in its type. JSON gets numbers, true and false, and
 * strings for NaN and infinities; complex numbers become pairs. */
void element_text(struct buf *, enum dtype, const struct element *, bool json);

#endif
