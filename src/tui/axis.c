#include "tui/axis.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

enum { MARK_EVERY = 12 /* columns, at least */, LABEL = 24 };

void axis_widen(double *lo, double *hi)
{
	struct bins b;

	bins_init(&b, *lo, *hi, 1);
	*lo = b.lo;
	*hi = b.hi;
	bins_free(&b);
}

/* ---- places ---- */

static double to_line(const struct census_range *r, double value)
{
	return r->knee > 0 ? asinh(value / r->knee) : value;
}

static double from_line(const struct census_range *r, double at)
{
	return r->knee > 0 ? r->knee * sinh(at) : at;
}

double axis_place(const struct census_range *r, double value)
{
	double from = to_line(r, r->lo), to = to_line(r, r->hi);

	return (to_line(r, value) - from) / (to - from) * r->n;
}

double axis_value(const struct census_range *r, double place)
{
	double from = to_line(r, r->lo), to = to_line(r, r->hi);

	return from_line(r, from + (to - from) * (place / r->n));
}

unsigned axis_column(const struct census_range *r, double value)
{
	double at = axis_place(r, value);

	return at >= r->n ? r->n - 1 : at > 0 ? (unsigned)at : 0;
}

/* ---- zooming ---- */

/* Moves a stretch of the line into the whole. */
static bool set_line(struct census_range *r, const struct census_range *whole, double from, double to)
{
	double least = to_line(r, whole->lo), most = to_line(r, whole->hi), lo, hi;

	if (from < least) {
		to = fmin(most, to + (least - from));
		from = least;
	}
	if (to > most) {
		from = fmax(least, from - (to - most));
		to = most;
	}
	lo = from <= least ? whole->lo : from_line(r, from);
	hi = to >= most ? whole->hi : from_line(r, to);
	if (!((hi - lo) / r->n > 4 * DBL_EPSILON * fmax(fabs(lo), fabs(hi)) && (hi - lo) / r->n > DBL_MIN))
		return false;
	r->lo = lo;
	r->hi = hi;
	return true;
}

bool axis_zoom(struct census_range *r, const struct census_range *whole, double factor, double value)
{
	double from = to_line(r, r->lo), to = to_line(r, r->hi), at = to_line(r, value);

	return set_line(r, whole, at - (at - from) / factor, at + (to - at) / factor);
}

bool axis_set(struct census_range *r, const struct census_range *whole, double lo, double hi)
{
	return set_line(r, whole, to_line(r, fmax(lo, whole->lo)), to_line(r, fmin(hi, whole->hi)));
}

void axis_shift(struct census_range *r, const struct census_range *whole, int columns)
{
	double from = to_line(r, r->lo), to = to_line(r, r->hi), by = (to - from) / r->n * columns;

	set_line(r, whole, from + by, to + by);
}

bool axis_is_whole(const struct census_range *r, const struct census_range *whole)
{
	return r->lo == whole->lo && r->hi == whole->hi;
}

/* ---- numbers ---- */

static int magnitude(double x)
{
	return x == 0 ? 0 : (int)floor(log10(fabs(x)));
}

/* So many digits that numbers `step` apart differ, and that 10 is not 1e+01. */
static void put_number(struct buf *b, const struct census_range *r, double value, double step)
{
	int digits = magnitude(fmax(fabs(r->lo), fabs(r->hi))) - magnitude(step) + 1;
	int whole = magnitude(value) + 1;

	digits = digits < whole && whole <= 5 ? whole : digits;
	if (fabs(value) < step / 1000)
		buf_putc(b, '0');
	else
		buf_printf(b, "%.*g", digits < 1 ? 1 : digits > 17 ? 17 : digits, value);
}

void axis_text(const struct census_range *r, struct buf *b, double value)
{
	double place = axis_place(r, value), width = axis_value(r, place + 0.5) - axis_value(r, place - 0.5);

	if (r->knee > 0 && fabs(value) > width / 2) /* columns grow with the value: so do what its digits stand for */
		buf_printf(b, "%.*g", magnitude(value) - magnitude(width) + 2, value);
	else
		put_number(b, r, value, width / 10);
}

/* ---- the ruler ---- */

struct ruler {
	const struct census_range *r;
	int y, x;
	char *taken; /* by column */
	bool ascii;
};

/* A mark where the value lies, its number at the right of it, where there is room for both. */
static void put_mark(struct ruler *ru, double value, struct str number)
{
	double at = axis_place(ru->r, value);
	int n = (int)ru->r->n, column = (int)(at + 0.5), width = 1 + (int)number.n;

	if (!(at > -0.5 && at < n) || column + width > n)
		return;
	for (int i = column ? column - 1 : 0; i < column + width + (column + width < n); i++)
		if (ru->taken[i])
			return;
	memset(ru->taken + column, 1, (size_t)width);
	term_puts(ru->y, ru->x + column, 1, ROLE_DIM, ru->ascii ? "|" : "╵");
	term_put(ru->y, ru->x + column + 1, width - 1, ROLE_HEADER, number);
}

/* Steps of 1, 2 or 5 times a power of ten. */
static double step_of(const struct census_range *r)
{
	double least = (r->hi - r->lo) / r->n * MARK_EVERY, step = pow(10, floor(log10(least)));

	return least <= step ? step : least <= 2 * step ? 2 * step : least <= 5 * step ? 5 * step : 10 * step;
}

static void linear_marks(struct ruler *ru)
{
	const struct census_range *r = ru->r;
	double step = step_of(r), first = ceil(r->lo / step);

	for (int i = 0; i <= (int)r->n / MARK_EVERY + 1 && (first + i) * step <= r->hi; i++) {
		struct buf b = {0};

		put_number(&b, r, (first + i) * step, step);
		put_mark(ru, (first + i) * step, buf_view(&b));
		buf_free(&b);
	}
}

/* 0, and powers of ten: the larger ones first, as the outer ones are those that one looks for. */
static void log_marks(struct ruler *ru)
{
	int most = magnitude(fmax(fabs(ru->r->lo), fabs(ru->r->hi))), least = magnitude(ru->r->knee);
	char text[LABEL];

	put_mark(ru, 0, STR("0"));
	for (int p = most; p >= least && p > most - 40; p--)
		for (int sign = -1; sign <= 1; sign += 2) {
			int n = snprintf(text, sizeof(text), "%.0e", sign * pow(10, p));

			if (p >= -3 && p <= 3)
				n = snprintf(text, sizeof(text), "%g", sign * pow(10, p));
			put_mark(ru, sign * pow(10, p), (struct str){text, (size_t)n});
		}
}

static bool any_mark(const struct ruler *ru)
{
	return memchr(ru->taken, 1, ru->r->n) != NULL;
}

void axis_ruler(const struct census_range *r, int y, int x, bool ascii)
{
	struct ruler ru = {r, y, x, xcalloc(r->n, 1), ascii};

	if (r->knee > 0)
		log_marks(&ru);
	if (!any_mark(&ru)) /* or, on a logarithmic axis, a stretch without a power of ten */
		linear_marks(&ru);
	free(ru.taken);
}

/* ---- quantiles ---- */

enum { THIN, THICK, BOX, MEDIAN, MARKS };

static const char *mark(int which, bool ascii)
{
	static const char *const marks[2][MARKS] = {{"─", "━", "▆", "◆"}, {"-", "=", "#", "M"}};

	return marks[ascii][which];
}

void axis_quantiles(const struct census_range *r, int y, int x, const double q[Q_COUNT], enum role role, bool ascii)
{
	static const struct {
		int lo, hi, which;
	} stretches[] = {
		{Q_P01, Q_P99, THIN}, {Q_P05, Q_P95, THICK}, {Q_P25, Q_P75, BOX}, {Q_MEDIAN, Q_MEDIAN, MEDIAN},
	};

	for (size_t i = 0; i < COUNT(stretches); i++) {
		double lo = q[stretches[i].lo], hi = q[stretches[i].hi];

		if (!(lo <= r->hi && hi >= r->lo)) /* out of sight, or not known */
			continue;
		for (unsigned k = axis_column(r, lo); k <= axis_column(r, hi); k++)
			term_puts(y, x + (int)k, 1, stretches[i].which == MEDIAN ? ROLE_GROUP : role,
				  mark(stretches[i].which, ascii));
	}
}

int axis_quantiles_key(int y, int x, int width, bool ascii)
{
	static const char *const words[MARKS] = {" 1-99 %  ", " 5-95 %  ", " 25-75 %  ", " median"};
	int start = x, end = x + width;

	for (int i = 0; i < MARKS; i++) {
		x += term_puts(y, x, end - x, i == MEDIAN ? ROLE_GROUP : ROLE_TEXT, mark(i, ascii));
		x += term_puts(y, x, end - x, ROLE_DIM, words[i]);
	}
	return x - start;
}
