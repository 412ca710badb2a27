/* Checksums that a file keeps of a tensor's data. */
#ifndef MODEL_CHECKSUM_H
#define MODEL_CHECKSUM_H

#include "model/model.h"

/* Reads the whole of the tensor's data and compares; RC_OK too when the file keeps no checksum of it. Says what it
 * is and what it should be, or that the data cannot be read. */
enum rc tensor_check_sum(const struct model *, const struct tensor *, struct err *);

#endif
