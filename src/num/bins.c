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

void bins_init_log(struct bins *b, double lo, double hi, unsigned n, double knee)
{
	double from, step;

	bins_init(b, lo, hi, n);
	from = asinh(b->lo / knee);
	step = (asinh(b->hi / knee) - from) / b->n;
	b->edges = xcalloc((size_t)b->n + 1, sizeof(*b->edges));
	for (unsigned i = 0; i <= b->n; i++) /* rounding must not put them out of order */
		b->edges[i] = fmin(fmax(knee * sinh(from + i * step), i ? b->edges[i - 1] : b->lo), b->hi);
	b->edges[0] = b->lo;
	b->edges[b->n] = b->hi;
}

static double edge(const struct bins *b, double w, unsigned i)
{
	if (b->edges)
		return b->edges[i];
	return i == b->n ? b->hi : b->lo + i * w;
}

/* The last bin that begins at x or below, lo <= x <= hi. */
static unsigned bin_by_edges(const struct bins *b, double x)
{
	unsigned first = 0, n = b->n;

	while (n > 1) {
		unsigned half = n / 2;

		first = x >= b->edges[first + half] ? first + half : first;
		n -= half;
	}
	return first;
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
		if (b->edges) {
			b->counts[bin_by_edges(b, x[k])]++;
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

void bins_copy(struct bins *to, const struct bins *from)
{
	struct bins old = *to;

	*to = *from;
	to->counts = xcalloc(from->n ? from->n : 1, sizeof(*to->counts));
	if (from->counts)
		memcpy(to->counts, from->counts, from->n * sizeof(*to->counts));
	if (from->edges) {
		to->edges = xcalloc((size_t)from->n + 1, sizeof(*to->edges));
		memcpy(to->edges, from->edges, ((size_t)from->n + 1) * sizeof(*to->edges));
	}
	bins_free(&old);
}

void bins_clear(struct bins *b)
{
	memset(b->counts, 0, b->n * sizeof(*b->counts));
	b->below = b->above = b->left = 0;
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
	free(b->edges);
	memset(b, 0, sizeof(*b));
}
