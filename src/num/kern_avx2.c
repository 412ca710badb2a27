/* Four doubles in a vector: x86-64 processors since 2013. */
#include "num/kern.h"

#ifdef __AVX2__
#include <immintrin.h>

#define VECTOR 4
#define GROUP  2
#define V_MAX(a, b) ((vec)_mm256_max_pd((__m256d)(a), (__m256d)(b)))
#define V_WIDEN(x)  ((vec)_mm256_cvtps_pd(_mm_loadu_ps(x)))
#include "num/kern_loops.h"

static bool usable(void)
{
	return __builtin_cpu_supports("avx2");
}

const struct kern kern_avx2 = KERN("avx2", usable);
#else
const struct kern kern_avx2 = KERN_NONE("avx2");
#endif
