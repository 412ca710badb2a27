/* Four doubles in a vector: x86-64 processors since 2013. All that have fused multiply-add convert halves, too. */
#include "num/kern.h"

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include <immintrin.h>

#define VECTOR 4
#define GROUP  2
#define V_MAX(a, b) ((vec)_mm256_max_pd((__m256d)(a), (__m256d)(b)))
#define V_WIDEN(x)  ((vec)_mm256_cvtps_pd(_mm_loadu_ps(x)))
#define V_FMA(a, b, c) ((vec)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#define V_16(p)     _mm_loadl_epi64((const __m128i *)(const void *)(p))
#define V_BF16(p)   ((vec)_mm256_cvtps_pd(_mm_castsi128_ps(_mm_slli_epi32(_mm_cvtepu16_epi32(V_16(p)), 16))))
#define V_F16(p)    ((vec)_mm256_cvtps_pd(_mm_cvtph_ps(V_16(p))))
#include "num/kern_loops.h"

static bool usable(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const struct kern kern_avx2 = KERN("avx2", usable);
#else
const struct kern kern_avx2 = KERN_NONE("avx2");
#endif
