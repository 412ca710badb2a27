/*
 * The rule is that of numpy.histogram: edges lo + i * w with w = (hi - lo) / n, the last one just hi. A bin is first
 * estimated by a multiplication and then corrected against the edges, so the counts follow from the edges alone.
 */
#include "num/bins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static double bins_width(const struct bins *b)
{
	double span = b->hi - b->lo;

	return isfinite(span) ? span / b->n : b->hi / b->n - b->lo / b->n;
}

void bins_init(struct bins *b, double lo, double hi, unsigned n)
{
	if (lo == hi) { /* by 1/2 as NumPy, or by so much that a double shows it */
		double half = fmax(0.5, fabs(lo) * 0x1p-20);

		lo = fmax(lo - half, -0x1.fffffffffffffp+1023);
		hi = fmin(hi + half, 0x1.fffffffffffffp+1023);
	}
	*b = (struct bins){.lo = lo, .hi = hi, .n = n ? n : 1};
	b->counts = xcalloc(b->n, sizeof(*b->counts));
}

static double edge(const struct bins *b, double w, unsigned i)
{
	return i == b->n ? b->hi : b->lo + i * w;
}

double bins_edge(const struct bins *b, unsigned i)
{
	return edge(b, bins_width(b), i);
}

void bins_add(struct bins *b, const double *x, size_t n)
{
	double w = bins_width(b), per = 1 / w, last = b->n - 1;

	for (size_t k = 0; k < n; k++) {
		double at;
		unsigned i;

		if (!(x[k] >= b->lo && x[k] <= b->hi)) {
			if (!isfinite(x[k]))
				b->left++;
			else if (x[k] < b->lo)
				b->below++;
			else
				b->above++;
			continue;
		}
		at = (x[k] - b->lo) * per;
		/* NaN or infinite where w underflowed or the span overflowed: the search then walks */
		i = at < last ? (unsigned)at : at >= last ? b->n - 1 : 0;
		while (i > 0 && x[k] < edge(b, w, i))
			i--;
		while (i < b->n - 1 && x[k] >= edge(b, w, i + 1))
			i++;
		b->counts[i]++;
	}
}

void bins_merge(struct bins *b, const struct bins *more)
{
	for (unsigned i = 0; i < b->n; i++)
		b->counts[i] += more->counts[i];
	b->below += more->below;
	b->above += more->above;
	b->left += more->left;
}

void bins_free(struct bins *b)
{
	free(b->counts);
	memset(b, 0, sizeof(*b));
}
