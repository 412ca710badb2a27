/*
 * 64-bit integers as sign and magnitude, so that any two differ by less than 2^65. Plain C: there is no 128-bit
 * integer on 32-bit machines.
 */
#include "num/exact.h"

#include <math.h>

#include "bytes/cur.h"
#include "num/dd.h"

struct wide {
	bool negative;
	uint64_t magnitude;
};

static bool is_wide(enum dtype t)
{
	return t == DT_I64 || t == DT_U64;
}

bool exact_needed(enum dtype a, enum dtype b)
{
	/* complex values go their own way, as doubles */
	return (is_wide(a) || is_wide(b)) && dtypes[a].kind != KIND_COMPLEX && dtypes[b].kind != KIND_COMPLEX;
}

static struct wide wide_load(enum dtype t, const uint8_t *raw)
{
	uint64_t x = load_uint(raw, 8, false);
	bool negative = t == DT_I64 && x >> 63;

	return (struct wide){negative, negative ? 0 - x : x};
}

static double wide_diff(struct wide a, struct wide b)
{
	uint64_t m;

	if (a.negative == b.negative) {
		bool negative = b.magnitude < a.magnitude;

		m = negative ? a.magnitude - b.magnitude : b.magnitude - a.magnitude;
		return negative != b.negative && m ? -(double)m : (double)m;
	}
	m = a.magnitude + b.magnitude;
	if (m >= b.magnitude)
		return b.negative ? -(double)m : (double)m;
	/* 65 bits: halve, and let the lowest bit stick for the rounding */
	m = (m >> 1) | (m & 1) | (uint64_t)1 << 63;
	return b.negative ? -2 * (double)m : 2 * (double)m;
}

/* The exact sum of a and b, rounded to odd: truncated, and the last bit set when anything was cut off. */
static double sum_to_odd(double a, double b)
{
	struct dd s = dd_sum(a, b);
	union {
		double d;
		uint64_t u;
	} v = {s.hi};

	if (s.lo != 0 && !(v.u & 1))
		v.d = nextafter(s.hi, s.lo > 0 ? INFINITY : -INFINITY);
	return v.d;
}

/* x - w rounded once: the sum of three doubles after Boldo and Melquiond (2008), by an intermediate rounding to
 * odd. */
static double real_minus_wide(double x, struct wide w, bool *same)
{
	double hi = (double)w.magnitude, lo;
	struct dd s;

	if (!isfinite(x)) {
		*same = false;
		return x;
	}
	/* hi may be 2^64, which no uint64_t holds */
	lo = hi >= 0x1p64 ? -(double)(0 - w.magnitude)
			  : (w.magnitude >= (uint64_t)hi ? (double)(w.magnitude - (uint64_t)hi)
							 : -(double)((uint64_t)hi - w.magnitude));
	if (w.negative) {
		hi = -hi;
		lo = -lo;
	}
	*same = lo == 0 && x == hi;
	s = dd_sum(x, -hi);
	if (!isfinite(s.lo)) /* x is so large that the rest does not matter */
		return s.hi;
	return s.hi + sum_to_odd(s.lo, -lo);
}

void exact_diff(double *d, bool *same, enum dtype a_type, const uint8_t *a_raw, const double *a, enum dtype b_type,
		const uint8_t *b_raw, const double *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct wide wa = {false, 0}, wb = {false, 0};

		if (is_wide(a_type))
			wa = wide_load(a_type, a_raw + 8 * i);
		if (is_wide(b_type))
			wb = wide_load(b_type, b_raw + 8 * i);
		if (is_wide(a_type) && is_wide(b_type)) {
			d[i] = wide_diff(wa, wb);
			same[i] = wa.magnitude == wb.magnitude && wa.negative == wb.negative;
		} else if (is_wide(a_type)) {
			d[i] = real_minus_wide(b[i], wa, &same[i]);
		} else {
			d[i] = -real_minus_wide(a[i], wb, &same[i]);
		}
	}
}
