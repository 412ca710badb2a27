/* Eight doubles in a vector: x86-64 servers since 2017, others since. The parts it needs came together. */
#include "num/kern.h"

#ifdef __AVX512DQ__
#include <immintrin.h>

#define VECTOR 8
#define GROUP  2
#define V_MAX(a, b) ((vec)_mm512_max_pd((__m512d)(a), (__m512d)(b)))
#define V_WIDEN(x)  ((vec)_mm512_cvtps_pd(_mm256_loadu_ps(x)))
#define V_FMA(a, b, c) ((vec)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#define V_16(p)     _mm_loadu_si128((const __m128i *)(const void *)(p))
#define V_BF16(p) \
	((vec)_mm512_cvtps_pd(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(V_16(p)), 16))))
#define V_F16(p)    ((vec)_mm512_cvtps_pd(_mm256_cvtph_ps(V_16(p))))
#include "num/kern_loops.h"

static bool usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

const struct kern kern_avx512 = KERN("avx512", usable);
#else
const struct kern kern_avx512 = KERN_NONE("avx512");
#endif
