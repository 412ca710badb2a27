/*
 * Double-double arithmetic: 106 bits from pairs of doubles (Dekker 1971; Knuth, The Art of Computer Programming 2,
 * 4.2.2; Hida, Li and Bailey 2001). Only sums pass through here, a few operations a block, so speed does not matter:
 * fma() is exact whether or not the processor has the instruction.
 */
#ifndef NUM_DD_H
#define NUM_DD_H

#include <math.h>

#include "num/moments.h"

static inline struct dd dd_fast_sum(double a, double b) /* |a| >= |b| or a = 0 */
{
	double s = a + b;

	return (struct dd){s, b - (s - a)};
}

static inline struct dd dd_sum(double a, double b) /* a + b exactly */
{
	double s = a + b, t = s - a;

	return (struct dd){s, (a - (s - t)) + (b - t)};
}

static inline struct dd dd_product(double a, double b) /* a * b exactly, unless it underflows */
{
	double p = a * b;

	return (struct dd){p, fma(a, b, -p)};
}

static inline struct dd dd_add(struct dd a, struct dd b)
{
	struct dd s = dd_sum(a.hi, b.hi), t = dd_sum(a.lo, b.lo);

	s = dd_fast_sum(s.hi, s.lo + t.hi);
	return dd_fast_sum(s.hi, s.lo + t.lo);
}

static inline struct dd dd_add_double(struct dd a, double b)
{
	return dd_add(a, (struct dd){b, 0});
}

static inline struct dd dd_neg(struct dd a)
{
	return (struct dd){-a.hi, -a.lo};
}

static inline struct dd dd_mul(struct dd a, struct dd b)
{
	struct dd p = dd_product(a.hi, b.hi);

	return dd_fast_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline struct dd dd_div(struct dd a, struct dd b)
{
	double q = a.hi / b.hi;
	struct dd rest = dd_add(a, dd_neg(dd_mul(b, (struct dd){q, 0})));

	return dd_fast_sum(q, rest.hi / b.hi);
}

/* Counts stay far below 2^53: a double holds them. */
static inline struct dd dd_div_count(struct dd a, uint64_t n)
{
	return dd_div(a, (struct dd){(double)n, 0});
}

static inline struct dd dd_ldexp(struct dd a, int e)
{
	return e ? (struct dd){ldexp(a.hi, e), ldexp(a.lo, e)} : a;
}

/*
 * Values are divided by 2^scale so that fourth powers, and sums of 2^60 of them, stay in the range of a double. 0 for
 * all that a float can hold. Otherwise the largest comes to about 2^128: small ones beside it keep their bits, too.
 */
static inline int scale_for(double absmax)
{
	int e;

	frexp(absmax, &e);
	return absmax > 0 && (e > 160 || e < -160) ? e - 128 : 0;
}

#endif
