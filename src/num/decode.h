/* From stored bytes to real values. Every decoder takes packed little-endian bytes at any alignment. */
#ifndef NUM_DECODE_H
#define NUM_DECODE_H

#include "model/dtype.h"

bool decode_can(enum dtype); /* whether this build can decode the type */

/* Doubles that one element decodes to: 2 (real, imaginary) for complex types, else 1. */
unsigned decode_width(enum dtype);

/* Decodes n elements (a multiple of the type's block) into n * decode_width doubles. Exact for every type but I64
 * and U64 beyond 2^53, which round to nearest (see num/exact.h). Block types follow the reference's float32
 * arithmetic. */
void decode(enum dtype, double *out, const uint8_t *in, size_t n);

/* The stored codes of n elements, without their scales; only where dtypes[].code_bits is not 0. */
void decode_codes(enum dtype, uint16_t *out, const uint8_t *in, size_t n);

#endif
