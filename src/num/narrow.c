#include "num/narrow.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "num/le.h"

enum { LEAST = 256 }; /* elements that are needed to tell */

/* Bits of F32's fraction that F16 has no room for; more where it has no full fraction, all where it has none. */
static uint32_t beyond_f16(int exponent)
{
	if (exponent > 15 || exponent < -24)
		return UINT32_MAX;
	return ((uint32_t)1 << (exponent >= -14 ? 13 : -1 - exponent)) - 1;
}

static void see_f32(struct narrow *x, uint32_t bits)
{
	int exponent = (int)(bits >> 23 & 0xff) - 127;
	uint32_t fraction = bits & 0x7fffff, beyond = beyond_f16(exponent);
	unsigned below = exponent < 0 ? 23 : exponent < 23 ? 23 - (unsigned)exponent : 0; /* bits behind the point */

	if ((bits & 0x7fffffff) == 0 || exponent == 128)
		return;
	x->used++;
	x->no_bf16 = x->no_bf16 || bits & 0xffff;
	x->bf16_full = x->bf16_full || bits & 0x10000;
	x->no_f16 = x->no_f16 || beyond == UINT32_MAX || fraction & beyond;
	x->f16_full = x->f16_full || fraction & 0x2000;
	x->fraction = x->fraction || exponent < 0 || fraction & (((uint32_t)1 << below) - 1);
}

static void see_f64(struct narrow *x, double v)
{
	int exponent;
	double scaled;

	if (v == 0 || !isfinite(v))
		return;
	x->used++;
	scaled = frexp(v, &exponent) * (1 << 23); /* of F32's 24 bits all but the last are in front of the point */
	x->no_f32 = x->no_f32 || fabs(v) > FLT_MAX || (double)(float)v != v;
	x->f32_full = x->f32_full || scaled != floor(scaled);
	x->fraction = x->fraction || v != floor(v);
}

void narrow_see(struct narrow *x, unsigned bytes, const uint8_t *raw, size_t n)
{
	for (size_t i = 0; bytes == 4 && i < n && !(x->no_bf16 && x->no_f16); i++)
		see_f32(x, le32(raw + 4 * i));
	for (size_t i = 0; bytes == 8 && i < n && !x->no_f32; i++) {
		uint64_t bits = le64(raw + 8 * i);
		double v;

		memcpy(&v, &bits, sizeof(v));
		see_f64(x, v);
	}
}

enum dtype narrow_type(const struct narrow *x, unsigned bytes)
{
	if (x->used < LEAST || !x->fraction)
		return DT_OPAQUE;
	if (bytes == 8)
		return !x->no_f32 && x->f32_full ? DT_F32 : DT_OPAQUE;
	if (!x->no_bf16)
		return x->bf16_full ? DT_BF16 : DT_OPAQUE;
	return !x->no_f16 && x->f16_full ? DT_F16 : DT_OPAQUE;
}
