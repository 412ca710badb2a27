/* CRC-32C (Castagnoli): the reflected polynomial 0x82F63B78 of RFC 3720, appendix B.4. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "base/util.h"

/* Of n more bytes after those that gave crc; 0 to begin with. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
