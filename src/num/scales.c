/* Quantisers: quantize_row_*_ref of ggml-quants.c in ggml-org/ggml. */
#include "num/scales.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/decode.h"
#include "num/le.h"
#include "num/scale.h"

static bool in(enum dtype type, const enum dtype *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == type)
			return true;
	return false;
}

/* Those whose scale is made of a largest magnitude, or of a range. Others take the sign of the largest element. */
static bool is_positive(enum dtype type)
{
	static const enum dtype list[] = {DT_Q4_1, DT_Q5_1, DT_Q8_0, DT_Q8_1, DT_Q2_K, DT_Q4_K, DT_Q5_K, DT_TQ1_0,
					  DT_TQ2_0, DT_Q1_0, DT_IQ2_XXS, DT_IQ2_XS, DT_IQ2_S, DT_IQ3_XXS, DT_IQ3_S,
					  DT_IQ1_S};

	return in(type, list, COUNT(list));
}

bool scales_may_repeat(enum dtype type)
{
	static const enum dtype list[] = {DT_TQ1_0, DT_TQ2_0, DT_Q1_0, DT_Q2_0, DT_MXFP4, DT_NVFP4};

	return in(type, list, COUNT(list));
}

/* Types of which num/scale.h does not tell the groups have the scale of the block in front. */
static unsigned scales_of(enum dtype type, const uint8_t *block, struct block_scale out[SCALES_MAX])
{
	static const enum dtype front[] = {DT_IQ2_XXS, DT_IQ2_XS, DT_IQ2_S, DT_IQ3_XXS, DT_IQ3_S, DT_IQ1_S};
	unsigned n = block_scales(type, block, out);

	if (n || !in(type, front, COUNT(front)))
		return n;
	out[0] = (struct block_scale){.times = 1};
	decode(DT_F16, &out[0].unit, block, 1);
	out[0].scale = out[0].unit;
	return 1;
}

static bool all_same(const uint16_t *codes, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (codes[i] != codes[0])
			return false;
	return true;
}

/* Q8_0: the largest magnitude becomes 127, and none more. TQ2_0: of the four codes of two bits, three are used. */
static bool is_odd(enum dtype type, const uint16_t *codes, size_t n)
{
	int most = 0;

	for (size_t i = 0; i < n; i++) {
		int code = abs(block_code(type, codes[i]));

		most = code > most ? code : most;
	}
	return type == DT_Q8_0 ? most != 127 : most > 2;
}

/* Five digits of base 3, q of 243, are stored as the least b with q = b * 243 / 256; of four, the fifth is 0. */
static bool is_digits(uint8_t b, bool four)
{
	unsigned q = b * 243u / 256;

	return (q * 256 + 242) / 243 == b && (!four || q % 3 == 0);
}

/* Bytes that no quantiser writes, whatever the values are. TQ1_0: digits. NVFP4: scales with a sign, or NaN. Q8_K: the
 * sums of 16 codes each, which stand behind the codes. */
static bool is_impossible(enum dtype type, const uint8_t *block)
{
	enum { TQ1_DIGITS = 52, TQ1_FIVES = 48, NVFP4_SCALES = 4, Q8_K_CODES = 4, Q8_K_SUMS = 260, SUMMED = 16 };
	bool bad = false;

	for (unsigned i = 0; type == DT_TQ1_0 && i < TQ1_DIGITS; i++)
		bad = bad || !is_digits(block[i], i >= TQ1_FIVES);
	for (unsigned i = 0; type == DT_NVFP4 && i < NVFP4_SCALES; i++)
		bad = bad || block[i] >= 0x7f;
	for (unsigned i = 0; type == DT_Q8_K && i < 256 / SUMMED; i++) {
		int sum = (int16_t)le16(block + Q8_K_SUMS + 2 * i);

		for (unsigned k = 0; k < SUMMED; k++)
			sum -= (int8_t)block[Q8_K_CODES + SUMMED * i + k];
		bad = bad || sum;
	}
	return bad;
}

static void see_codes(struct scales *s, enum dtype type, const uint8_t *block, bool zero)
{
	enum { MOST = 256 };
	uint16_t codes[MOST];
	unsigned n = dtypes[type].items;
	bool asked = type == DT_Q8_0 || type == DT_TQ2_0;

	if (!dtypes[type].code_bits || n > MOST || (!zero && !asked))
		return;
	decode_codes(type, codes, block, n);
	if (zero)
		s->hidden += !all_same(codes, n);
	else
		s->odd += is_odd(type, codes, n);
}

static void see_block(struct scales *s, enum dtype type, const uint8_t *block)
{
	struct block_scale g[SCALES_MAX];
	unsigned n = scales_of(type, block, g);
	bool real = true, zero = true;

	if (!n)
		return;
	for (unsigned i = 0; i < n; i++) {
		real = real && isfinite(g[i].unit) && isfinite(g[i].min_unit);
		zero = zero && g[i].scale == 0;
	}
	if (!s->blocks++)
		s->first = g[0].unit;
	s->vary = s->vary || g[0].unit != s->first;
	real = real && !(type == DT_MXFP4 && block[0] == 255); /* E8M0's NaN */
	s->unreal += !real;
	s->odd += is_impossible(type, block);
	if (!real)
		return;
	s->negative += is_positive(type) && (g[0].unit < 0 || (n > 1 && g[0].min_unit < 0));
	s->zero += zero;
	see_codes(s, type, block, zero);
}

void scales_see(struct scales *s, enum dtype type, const uint8_t *blocks, size_t n)
{
	if (dtypes[type].kind != KIND_BLOCK)
		return;
	for (size_t i = 0; i < n; i++)
		see_block(s, type, blocks + i * dtypes[type].bytes);
}
