#include "num/lowbits.h"

#include <math.h>

#include "num/le.h"

/* Of random bits, the entropy in LOWBITS_LEAST elements is above 0.99; a text or a program in them has less. */
static const double RANDOM = 0.9;

enum { FRACTION_MAX = 52 };

static double entropy(double p)
{
	return p <= 0 || p >= 1 ? 0 : -p * log2(p) - (1 - p) * log2(1 - p);
}

/* The fraction of a normal number; 0 for all that do not count. */
static inline uint64_t fraction_at(const uint8_t *raw, unsigned bytes, size_t i, bool *counts)
{
	unsigned width = bytes == 8 ? 52 : 23;
	uint64_t x = bytes == 8 ? le64(raw + 8 * i) : le32(raw + 4 * i), top = bytes == 8 ? 0x7ff : 0xff;
	uint64_t exponent = x >> width & top;

	*counts = exponent != 0 && exponent != top;
	return *counts ? x & (((uint64_t)1 << width) - 1) : 0;
}

/* Bits from `from` on that are all 0 (or, if not `still`, all 1) in the bits that any fraction has. */
static unsigned run_of(uint64_t any, unsigned width, unsigned from, bool still)
{
	unsigned k = from;

	while (k < width && (any >> k & 1) == !still)
		k++;
	return k - from;
}

void lowbits_window(struct lowbits *b, unsigned bytes, const uint8_t *raw, uint64_t first, size_t n)
{
	unsigned width = bytes == 8 ? 52 : 23, low, gap;
	uint64_t any = 0, ones[FRACTION_MAX] = {0}, used = 0;
	double sum = 0;
	bool counts;

	for (size_t i = 0; i < n; i++) {
		any |= fraction_at(raw, bytes, i, &counts);
		used += counts;
	}
	low = run_of(any, width, 0, false);
	gap = run_of(any, width, low, true);
	/* above the gap there must be a fraction that is in use: 1.0 and a little noise is another thing */
	if (used < LOWBITS_LEAST || !low || gap < LOWBITS_GAP || low + gap >= width)
		return;
	for (size_t i = 0; i < n; i++) {
		uint64_t f = fraction_at(raw, bytes, i, &counts);

		for (unsigned k = 0; k < low; k++)
			ones[k] += f >> k & 1;
	}
	for (unsigned k = 0; k < low; k++)
		sum += entropy((double)ones[k] / (double)used);
	if (sum / low < RANDOM || b->windows++)
		return;
	b->first = first;
	b->low = low;
	b->gap = gap;
	b->entropy = sum / low;
}
