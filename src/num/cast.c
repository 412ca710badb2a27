#include "num/cast.h"

#include <float.h>
#include <math.h>
#include <string.h>

const char *const rounding_names[ROUND_COUNT] = {
	[ROUND_EVEN] = "nearest even",
	[ROUND_AWAY] = "nearest, ties away from zero",
	[ROUND_ZERO] = "toward zero",
	[ROUND_TWICE] = "nearest even by way of F32",
};

enum {
	EVEN = 1 << ROUND_EVEN, AWAY = 1 << ROUND_AWAY, ZERO = 1 << ROUND_ZERO, TWICE = 1 << ROUND_TWICE,
	ALL = EVEN | AWAY | ZERO
};

/* The numbers of a type: multiples of 2^(e - fraction) in the binade of 2^e, or of `unit` below `normal`; up to `most`.
 * Those of an integer type are the multiples of 1. */
struct target {
	double ulp;         /* 2^-fraction: the distance of numbers in [1, 2) */
	double normal;      /* the smallest normal number; above most for integers, so that all are of one unit */
	double unit;        /* the distance of numbers below normal */
	double most, least; /* the largest magnitudes of positive and of negative numbers */
	bool inf;
};

#define FLOAT(ulp_of_1, min_normal, max, has_inf)                                                   \
	{.ulp = (ulp_of_1), .normal = (min_normal), .unit = (min_normal) * (ulp_of_1), .most = (max),        \
	 .least = (max), .inf = (has_inf)}
#define INTEGER(max, min) {.normal = INFINITY, .unit = 1, .most = (max), .least = (min)}

static const struct target targets[DT_COUNT] = {
	[DT_F64] = FLOAT(0x1p-52, 0x1p-1022, DBL_MAX, true),
	[DT_F32] = FLOAT(0x1p-23, 0x1p-126, FLT_MAX, true),
	[DT_F16] = FLOAT(0x1p-10, 0x1p-14, 65504, true),
	[DT_BF16] = FLOAT(0x1p-7, 0x1p-126, 0x1.fep127, true),
	[DT_F8_E4M3] = FLOAT(0x1p-3, 0x1p-6, 448, false),
	[DT_F8_E5M2] = FLOAT(0x1p-2, 0x1p-14, 57344, true),
	[DT_F8_E4M3FNUZ] = FLOAT(0x1p-3, 0x1p-7, 240, false),
	[DT_F8_E5M2FNUZ] = FLOAT(0x1p-2, 0x1p-15, 57344, false),
	[DT_F8_E8M0] = FLOAT(1, 0x1p-127, 0x1p127, false),
	[DT_F6_E2M3] = FLOAT(0x1p-3, 1, 7.5, false),
	[DT_F6_E3M2] = FLOAT(0x1p-2, 0x1p-2, 28, false),
	[DT_F4] = FLOAT(0x1p-1, 1, 6, false),
	[DT_U8] = INTEGER(UINT8_MAX, 0),
	[DT_I8] = INTEGER(INT8_MAX, 0x1p7),
	[DT_U16] = INTEGER(UINT16_MAX, 0),
	[DT_I16] = INTEGER(INT16_MAX, 0x1p15),
	[DT_U32] = INTEGER(UINT32_MAX, 0),
	[DT_I32] = INTEGER(INT32_MAX, 0x1p31),
	[DT_U64] = INTEGER(0x1p64, 0), /* as its largest number decodes */
	[DT_I64] = INTEGER(0x1p63, 0x1p63),
};

static bool is_wide(enum dtype t)
{
	return t == DT_I64 || t == DT_U64;
}

/* Whether F32 is a step on the way: of numbers that it does not hold, to a type that it holds. */
static bool by_way_of_f32(enum dtype from, enum dtype to)
{
	bool wider = from == DT_F64 || from == DT_I32 || from == DT_U32 || is_wide(from);

	return wider && dtypes[to].kind == KIND_FLOAT && to != DT_F32 && to != DT_F64;
}

void cast_init(struct castsum *s, enum dtype from, enum dtype to)
{
	*s = (struct castsum){0};
	if (targets[to].unit != 0 && from != DT_BOOL && from != to && dtypes[from].kind != KIND_COMPLEX)
		s->modes = ALL | (by_way_of_f32(from, to) ? TWICE : 0);
}

/* ---- one element ---- */

static uint64_t bits_of(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static double power_of_two_below(double x) /* x is positive, finite and normal */
{
	uint64_t bits = bits_of(x) & (uint64_t)0x7ff << 52;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* Bits of a double's fraction that a float type does not have. */
static unsigned dropped(const struct target *t)
{
	return (unsigned)(52 + ilogb(t->ulp));
}

/* Whether the last bit of its code is 0. */
static bool is_even(const struct target *t, double y)
{
	double twice = y / (2 * t->unit);

	return y >= t->normal ? !(bits_of(y) >> dropped(t) & 1) : twice == rint(twice);
}

/* Becoming infinite, NaN or the largest number, beyond which x is. */
static unsigned too_large(struct castsum *s, const struct target *t, double x, double limit, unsigned became)
{
	double step = t->normal > limit ? t->unit : power_of_two_below(limit) * t->ulp;
	double middle = limit + step / 2;
	bool tie = x == middle;
	unsigned modes = 0;

	if (x > middle || (tie && !is_even(t, limit)))
		modes |= EVEN;
	if (x >= middle)
		modes |= AWAY;
	if (x >= limit + step)
		modes |= ZERO;
	if (became == OVER_LARGEST && !(modes & EVEN)) /* not too large, but rounded as any other */
		return tie ? EVEN | ZERO : ALL;
	s->n_over++;
	s->over |= became;
	return became == OVER_LARGEST ? ALL : modes;
}

static unsigned of_infinity(struct castsum *s, const struct target *t, double x, double y)
{
	double limit = x > 0 ? t->most : -t->least;

	if (y == x)
		s->infinite |= OVER_INFINITE;
	else if (isnan(y) && !t->inf)
		s->infinite |= OVER_NAN;
	else if (y == limit)
		s->infinite |= OVER_LARGEST;
	else
		return 0;
	return ALL;
}

/* x and y are magnitudes of one sign within the range. */
static unsigned nearby(struct castsum *s, const struct target *t, double x, double y)
{
	bool normal = x >= t->normal;
	double binade = normal ? power_of_two_below(x) : 0, step = normal ? binade * t->ulp : t->unit;
	unsigned modes = 0;

	/* Sums of y and parts of a step are exact; x - y need not be. */
	if (y < binade)
		return 0; /* below it numbers are closer together: there is one between x and y */
	if (y - step / 2 < x && x < y + step / 2)
		modes = EVEN | AWAY;
	else if (x == y - step / 2)
		modes = AWAY | (is_even(t, y) ? EVEN : 0);
	else if (x == y + step / 2)
		modes = is_even(t, y) ? EVEN : 0;
	if (y < x && x < y + step)
		modes |= ZERO;
	if (y == 0 && !normal && t->normal < t->most && modes != ALL) {
		s->n_flushed++;
		s->flushed_modes |= ALL & ~modes;
		modes = ALL;
	}
	s->kept |= y != 0 && y < t->normal;
	return modes;
}

/* The modes by which x becomes y, which is a number of the type. */
static unsigned modes_of(struct castsum *s, const struct target *t, double x, double y)
{
	double limit = x < 0 ? t->least : t->most, size = fabs(x);

	if (isnan(x))
		return isnan(y) ? ALL : 0;
	if (isinf(x))
		return of_infinity(s, t, x, y);
	if (isnan(y))
		return t->inf || size <= limit ? 0 : too_large(s, t, size, limit, OVER_NAN);
	if (y != 0 && (x < 0) != (y < 0))
		return 0;
	if (isinf(y))
		return size <= limit ? 0 : too_large(s, t, size, limit, OVER_INFINITE);
	if (size > limit)
		return fabs(y) == limit ? too_large(s, t, size, limit, OVER_LARGEST) : 0;
	if (x == y) {
		s->kept |= x != 0 && size < t->normal && t->normal < t->most;
		return ALL;
	}
	return nearby(s, t, size, fabs(y));
}

/* The same, also with F32 on the way. */
static unsigned modes_wide(struct castsum *s, enum dtype from, enum dtype to, double x, double y)
{
	const struct target *t = &targets[to];
	struct castsum not_counted = *s;
	double between = x;

	if ((is_wide(from) && fabs(x) >= 0x1p53) || (is_wide(to) && fabs(y) >= 0x1p53))
		return from != DT_F64 && to == DT_F64 && x == y ? EVEN : 0; /* the decoder rounded so */
	if (by_way_of_f32(from, to))
		between = (double)(float)x;
	if (between == x || isnan(x)) {
		unsigned modes = modes_of(s, t, x, y);

		return modes | (modes & EVEN ? TWICE : 0);
	}
	return modes_of(s, t, x, y) | (modes_of(&not_counted, t, between, y) & EVEN ? TWICE : 0);
}

/* ---- many ---- */

enum { RUN = 64 };

/* The usual case, without a branch: normal numbers to a float, where rounding is a matter of the last bits of a
 * double's fraction. False: something is out of the normal range. */
static bool usual_run(const struct target *t, const double *x, const double *y, unsigned *modes)
{
	uint64_t least = bits_of(t->normal), span = bits_of(t->most) - least;
	uint64_t drop = dropped(t), half = (uint64_t)1 << (drop - 1), keep = ~(2 * half - 1);
	uint64_t not_even = 0, not_away = 0, not_zero = 0, outside = 0, a[RUN], b[RUN];

	memcpy(a, x, sizeof(a));
	memcpy(b, y, sizeof(b));
	for (size_t i = 0; i < RUN; i++) {
		uint64_t above = (a[i] & INT64_MAX) - least;

		not_even |= ((a[i] + (half - 1) + (a[i] >> drop & 1)) & keep) ^ b[i];
		not_away |= ((a[i] + half) & keep) ^ b[i];
		not_zero |= (a[i] & keep) ^ b[i];
		outside |= above | (span - above); /* the sign of either */
	}
	*modes = (not_even ? 0 : EVEN) | (not_away ? 0 : AWAY) | (not_zero ? 0 : ZERO);
	return !(outside >> 63);
}

void cast_add(struct castsum *s, enum dtype from, enum dtype to, const double *x, const double *y, size_t n)
{
	const struct target *t = &targets[to];
	bool wide = is_wide(from) || is_wide(to) || by_way_of_f32(from, to);
	bool fast = !wide && dtypes[to].kind == KIND_FLOAT && to != DT_F64;

	for (size_t at = 0; at < n && s->modes; at += RUN) {
		size_t end = n - at < RUN ? n : at + RUN;
		unsigned modes;

		if (fast && end == at + RUN && usual_run(t, x + at, y + at, &modes)) {
			s->modes &= modes;
			continue;
		}
		for (size_t i = at; i < end && s->modes; i++)
			s->modes &= wide ? modes_wide(s, from, to, x[i], y[i]) : modes_of(s, t, x[i], y[i]);
	}
}

void cast_merge(struct castsum *s, const struct castsum *other)
{
	s->modes &= other->modes;
	s->flushed_modes |= other->flushed_modes;
	s->over |= other->over;
	s->infinite |= other->infinite;
	s->n_over += other->n_over;
	s->n_flushed += other->n_flushed;
	s->kept |= other->kept;
}

static bool one_way(unsigned bits)
{
	return (bits & (bits - 1)) == 0;
}

unsigned cast_modes(const struct castsum *s)
{
	unsigned flushed = s->flushed_modes;

	if (!one_way(s->over) || !one_way(s->infinite))
		return 0;
	if (flushed & EVEN)
		flushed |= TWICE;
	return s->kept ? s->modes & ~flushed : s->modes;
}
