/* Two doubles in a vector, with the instructions that every AArch64 processor has. */
#include "num/kern.h"

#if defined(__aarch64__) && defined(__ARM_NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include <arm_neon.h>

#define VECTOR 2
#define GROUP  4
#define V_MAX(a, b) ((vec)vmaxq_f64((float64x2_t)(a), (float64x2_t)(b)))
#include "num/kern_loops.h"

static bool usable(void)
{
	return true;
}

const struct kern kern_neon = KERN("neon", usable);
#else
const struct kern kern_neon = KERN_NONE("neon");
#endif
