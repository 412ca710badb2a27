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

struct heights {
	int n;
	int level[2][PLOT_BINS]; /* in eighths of a cell */
};

static double column_count(const struct bins *b, int column, int columns)
{
	unsigned per = b->n / (unsigned)columns;
	double sum = 0;

	for (unsigned i = 0; i < per; i++)
		sum += (double)b->counts[(unsigned)column * per + i];
	return sum;
}

static void measure(struct heights *hs, const struct bins *const sides[2], int columns, int rows, bool log_scale)
{
	double count[2][PLOT_BINS] = {{0}}, most = 0;

	hs->n = columns;
	for (int s = 0; s < 2; s++)
		for (int i = 0; sides[s] && i < columns; i++) {
			count[s][i] = column_count(sides[s], i, columns);
			most = fmax(most, count[s][i]);
		}
	for (int s = 0; s < 2; s++)
		for (int i = 0; i < columns; i++) {
			double c = count[s][i], f = 0;

			if (c > 0)
				f = log_scale ? log1p(c) / log1p(most) : c / most;
			hs->level[s][i] = c > 0 ? (int)fmax(1, 8 * rows * f + 0.5) : 0;
		}
}

static int part_of(int level, int row)
{
	int left = level - 8 * row;

	return left < 0 ? 0 : left > 8 ? 8 : left;
}

/* One cell of two overlaid columns: the part both reach is solid; above it, half a cell or more of one is shaded. */
static void draw_both(int y, int x, int a, int b, bool ascii)
{
	int least = a < b ? a : b, most = a < b ? b : a;

	if (least > 0 || most == 0)
		term_puts(y, x, 1, ROLE_TEXT, ascii ? plain[least] : standing[least]);
	else if (most >= 4)
		term_puts(y, x, 1, a > b ? ROLE_A : ROLE_B, shades[ascii][a > b ? 0 : 1]);
	else
		term_puts(y, x, 1, a > b ? ROLE_A : ROLE_B, ascii ? plain[most] : standing[most]);
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
	const struct bins *const sides[2] = {a, b};
	struct heights hs;
	int columns = plot_columns(at.w), rows = at.h - 1;

	if (columns == 0 || rows < 1 || !a->counts || a->n != PLOT_BINS)
		return;
	measure(&hs, sides, columns, rows, log_scale);
	for (int r = 0; r < rows; r++)
		for (int i = 0; i < columns; i++) {
			int y = at.y + rows - 1 - r, pa = part_of(hs.level[0][i], r), pb = part_of(hs.level[1][i], r);

			if (b)
				draw_both(y, at.x + i, pa, pb, ascii);
			else
				term_puts(y, at.x + i, 1, role, ascii ? plain[pa] : standing[pa]);
		}
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
