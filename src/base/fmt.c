#include "base/fmt.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void fmt_count(struct buf *b, uint64_t n)
{
	buf_printf(b, "%" PRIu64, n);
}

void fmt_grouped(struct buf *b, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf_putc(b, ',');
		buf_putc(b, digits[i]);
	}
}

/* x with three significant digits, x in [1, 1024) */
static void three_digits(struct buf *b, double x)
{
	buf_printf(b, "%.*f", x < 9.995 ? 2 : x < 99.95 ? 1 : 0, x);
}

static void scaled(struct buf *b, uint64_t n, double step, const char *const units[], size_t n_units)
{
	double x = (double)n;
	size_t u = 0;

	while (u + 1 < n_units && x >= step - 0.5 * (u != 0)) {
		x /= step;
		u++;
	}
	if (u == 0)
		buf_printf(b, "%" PRIu64, n);
	else
		three_digits(b, x);
	if (units[u][0])
		buf_printf(b, " %s", units[u]);
}

void fmt_short(struct buf *b, uint64_t n)
{
	static const char *const units[] = {"", "K", "M", "G", "T", "P", "E"};

	scaled(b, n, 1000, units, COUNT(units));
}

void fmt_bytes(struct buf *b, uint64_t n)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

	scaled(b, n, 1024, units, COUNT(units));
}

void fmt_real(struct buf *b, double x)
{
	if (isnan(x))
		buf_puts(b, "-");
	else if (x == 0)
		buf_puts(b, "0");
	else
		buf_printf(b, "%.4g", x);
}

void fmt_exact(struct buf *b, double x)
{
	char s[40];

	if (isnan(x)) {
		buf_puts(b, "-");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(s, sizeof(s), "%.*g", digits, x);
		if (strtod(s, NULL) == x)
			break;
	}
	buf_puts(b, s);
}

void fmt_float(struct buf *b, double x)
{
	char s[40];

	for (int digits = 6; digits <= 9; digits++) {
		snprintf(s, sizeof(s), "%.*g", digits, x);
		if (strtof(s, NULL) == (float)x)
			break;
	}
	buf_puts(b, s);
}

void fmt_percent(struct buf *b, double f)
{
	double p = 100 * f;

	if (isnan(f))
		buf_puts(b, "-");
	else if (f == 0 || f == 1)
		buf_printf(b, "%d %%", f == 1 ? 100 : 0);
	else if (p < 0.1)
		buf_puts(b, "<0.1 %");
	else if (p > 99.9)
		buf_puts(b, ">99.9 %");
	else
		buf_printf(b, "%.1f %%", p);
}

static void shape_with(struct buf *b, const uint64_t *shape, unsigned rank, const char *times)
{
	if (rank == 0)
		buf_puts(b, "scalar");
	for (unsigned i = 0; i < rank; i++)
		buf_printf(b, "%s%" PRIu64, i ? times : "", shape[i]);
}

void fmt_shape(struct buf *b, const uint64_t *shape, unsigned rank)
{
	shape_with(b, shape, rank, "×");
}

void fmt_shape_ascii(struct buf *b, const uint64_t *shape, unsigned rank)
{
	shape_with(b, shape, rank, "x");
}
