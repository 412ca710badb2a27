/* Whether all values that a tensor holds in a wide type are those of a narrower one: they were cast, most likely. */
#ifndef NUM_NARROW_H
#define NUM_NARROW_H

#include "model/dtype.h"

struct narrow {
	uint64_t used;              /* elements that are neither 0 nor infinite nor NaN */
	bool no_bf16, no_f16, no_f32; /* some are none of that type */
	bool bf16_full, f16_full, f32_full; /* some need its last bit: fewer would not do */
	bool fraction;              /* some are no whole numbers: those fit many types */
};

/* Adds n elements of F32 or F64 (4 or 8 bytes each), little-endian. A zeroed struct is one to begin with. */
void narrow_see(struct narrow *, unsigned bytes, const uint8_t *raw, size_t n);

/* The narrowest type that holds all of them and is needed for it; DT_OPAQUE: none, or too few to tell. */
enum dtype narrow_type(const struct narrow *, unsigned bytes);

#endif
