#include "tui/plot.h"

#include <math.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"

static const char *const lying[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char *const standing[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const plain[] = {" ", ".", ".", ".", ":", ":", ":", "#", "#"};

/* Which side a shaded cell belongs to shows without colours, too. */
static const char *const shades[2][2] = {{"░", "▒"}, {"a", "b"}};

void plot_bar(struct buf *b, double fraction, int width, bool ascii)
{
	int eighths;

	if (!(fraction > 0))
		return;
	eighths = (int)(8 * width * (fraction < 1 ? fraction : 1) + 0.5);
	if (eighths == 0)
		eighths = 1;
	for (; eighths >= 8; eighths -= 8)
		buf_puts(b, ascii ? "#" : lying[8]);
	if (eighths)
		buf_puts(b, ascii ? (eighths >= 4 ? "#" : "-") : lying[eighths]);
}

int plot_columns(int width)
{
	static const int divisors[] = {72, 36, 24, 18, 12, 8};

	for (size_t i = 0; i < COUNT(divisors); i++)
		if (divisors[i] <= width)
			return divisors[i];
	return 0;
}

static double column_count(const struct bins *b, int column, int columns)
{
	unsigned per = b->n / (unsigned)columns;
	double sum = 0;

	for (unsigned i = 0; i < per; i++)
		sum += (double)b->counts[(unsigned)column * per + i];
	return sum;
}

int plot_level(double count, double most, int rows, bool log_scale)
{
	if (!(count > 0))
		return 0;
	return (int)fmax(1, 8 * rows * (log_scale ? log1p(count) / log1p(most) : count / most) + 0.5);
}

static int part_of(int level, int row)
{
	int left = level - 8 * row;

	return left < 0 ? 0 : left > 8 ? 8 : left;
}

/* One cell of two overlaid columns: the part both reach is solid; above it, half a cell or more of one is shaded. Less
 * than that is a corner, A's at the left, B's at the right; in ASCII the side's letter where the column begins. */
static void draw_both(int y, int x, int a, int b, bool base, bool ascii)
{
	static const char *const corners[] = {"▖", "▗"};
	int least = a < b ? a : b, most = a < b ? b : a, side = a > b ? 0 : 1;
	const char *s;

	if (least > 0 || most == 0) {
		term_puts(y, x, 1, ROLE_TEXT, ascii ? plain[least] : standing[least]);
		return;
	}
	if (most >= 4 || (ascii && base))
		s = shades[ascii][side];
	else
		s = ascii ? plain[most] : corners[side];
	term_puts(y, x, 1, side ? ROLE_B : ROLE_A, s);
}

void plot_counts(struct area at, const double *a, const double *b, enum role role, bool log_scale, bool ascii)
{
	double most = plot_most(a, b, at.w);

	for (int i = 0; i < at.w; i++) {
		int la = plot_level(a[i], most, at.h, log_scale), lb = b ? plot_level(b[i], most, at.h, log_scale) : 0;

		for (int r = 0; r < at.h; r++) {
			int y = at.y + at.h - 1 - r, pa = part_of(la, r), pb = part_of(lb, r);

			if (b)
				draw_both(y, at.x + i, pa, pb, r == 0, ascii);
			else
				term_puts(y, at.x + i, 1, role, ascii ? plain[pa] : standing[pa]);
		}
	}
}

double plot_most(const double *a, const double *b, int columns)
{
	double most = 0;

	for (int i = 0; i < columns; i++)
		most = fmax(most, b ? fmax(a[i], b[i]) : a[i]);
	return most;
}

static void draw_axis(int y, int x, int columns, const struct bins *b, const char *label)
{
	struct buf lo = {0}, hi = {0};
	int n, wide = (int)utf8_width(str_of(label)), middle = (columns - wide) / 2;

	fmt_real(&lo, b->lo);
	fmt_real(&hi, b->hi);
	n = (int)hi.n;
	term_put(y, x, columns, ROLE_DIM, buf_view(&lo));
	term_put(y, x + columns - n, n, ROLE_DIM, buf_view(&hi));
	if (middle > (int)lo.n && middle + wide < columns - n)
		term_puts(y, x + middle, wide, ROLE_HEADER, label);
	buf_free(&lo);
	buf_free(&hi);
}

void plot_hist(struct area at, const char *label, const struct bins *a, const struct bins *b, enum role role,
	       bool log_scale, bool ascii)
{
	double count[2][PLOT_BINS];
	int columns = plot_columns(at.w), rows = at.h - 1;

	if (columns == 0 || rows < 1 || !a->counts || a->n != PLOT_BINS)
		return;
	for (int i = 0; i < columns; i++) {
		count[A][i] = column_count(a, i, columns);
		count[B][i] = b ? column_count(b, i, columns) : 0;
	}
	plot_counts((struct area){at.y, at.x, columns, rows}, count[A], b ? count[B] : NULL, role, log_scale, ascii);
	draw_axis(at.y + rows, at.x, columns, a, label);
}

int plot_legend(int y, int x, int width, bool ascii)
{
	int start = x, end = x + width;

	x += term_puts(y, x, end - x, ROLE_TEXT, ascii ? "#" : "█");
	x += term_puts(y, x, end - x, ROLE_DIM, " both  ");
	x += term_puts(y, x, end - x, ROLE_A, shades[ascii][0]);
	x += term_puts(y, x, end - x, ROLE_DIM, " A  ");
	x += term_puts(y, x, end - x, ROLE_B, shades[ascii][1]);
	x += term_puts(y, x, end - x, ROLE_DIM, " B");
	return x - start;
}

const char *plot_shade(int level, bool ascii)
{
	static const char *const dense[] = {"░", "▒", "▓", "█"};
	static const char *const marks[] = {":", "-", "+", "*", "o", "%", "#", "@"};
	size_t n = ascii ? COUNT(marks) : COUNT(dense), i;

	if (level == 0)
		return ascii ? "0" : "·";
	i = (size_t)(level - 1) * n / (SIZE_LEVELS - 1);
	return ascii ? marks[i] : dense[i];
}

const char *plot_signed(int level, bool ascii)
{
	static const char *const above[2][4] = {{"░", "▒", "▓", "█"}, {"+", "x", "%", "#"}};
	static const char *const below[4] = {"-", "=", "o", "O"};
	int k = level - SIGNED_ZERO, i;

	if (k == 0)
		return " ";
	i = ((k < 0 ? -k : k) - 1) * 4 / SIGNED_ZERO;
	return k < 0 ? below[i] : above[ascii][i];
}

void plot_cell(int y, int x, int width, enum scale scale, int level, bool ascii)
{
	bool number = level != ramp_levels(scale);
	const char *mark = !number ? "?" : scale == SCALE_SIZE ? plot_shade(level, ascii) : plot_signed(level, ascii);
	struct buf b = {0};

	for (int i = 0; i < width; i++)
		buf_puts(&b, mark);
	if (term_has_scales())
		term_shade(y, x, width, scale, level, buf_view(&b));
	else
		term_put(y, x, width, !number ? ROLE_PROBLEM : scale == SCALE_SIZE ? ROLE_TEXT :
				level < SIGNED_ZERO ? ROLE_A : ROLE_B, buf_view(&b));
	buf_free(&b);
}
