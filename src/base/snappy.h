/*
 * Snappy, the raw format without frames (google/snappy, format_description.txt): blocks of LevelDB's tables may be
 * compressed with it.
 */
#ifndef BASE_SNAPPY_H
#define BASE_SNAPPY_H

#include "base/util.h"

/* How many bytes it unpacks to, as it says itself; false: that is not said, or more than so many packed bytes can
 * unpack to. So whoever allocates *n does not do it on a header's word alone. */
bool snappy_size(struct bytes packed, uint64_t *n);

/* Unpacks into n bytes, which is what snappy_size said. False: the stream is broken, and what is in out is not
 * sound. */
bool snappy_unpack(struct bytes packed, uint8_t *out, size_t n);

#endif
