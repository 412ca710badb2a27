#include "tui/hist.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/patch.h"
#include "base/err.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "tui/axis.h"
#include "tui/browse.h"
#include "tui/cells.h"
#include "tui/menu.h"
#include "tui/plot.h"
#include "tui/report.h"

/*
 * Two plots, of the values and of the differences, each with an axis and a cursor of its own; one of them has the keys.
 * A column of the screen is a bin. Whenever a range changes the workers count anew, both plots in one pass, and what
 * they have so far is drawn; a plot whose range is what it was keeps its columns meanwhile.
 */
enum { VALUES, DIFFERENCES, PLOTS };
enum { PANE_ROWS = 3, GUTTER = 8, BOTH_FROM = 14 /* lines, for both plots */ };

struct plot {
	struct census_range whole, range;
	struct census_range counted; /* the range of what is drawn */
	bool complete;               /* all of it was counted */
	double at, mark;             /* the cursor; the other end of a range, or NAN */
	struct area area;            /* the columns; below them are the ruler and the quantiles */
};

struct hist {
	size_t row;
	bool known; /* the ranges */
	bool log_axis;
	struct plot plot[PLOTS];
	int focus;
	struct census *census;
	struct census_range asked[PLOTS];
	struct bins bins[PLANE_COUNT];
	struct area body, pane;
};

static struct hist *state(struct view *v)
{
	return v->state;
}

static const struct row *row_of(struct view *v)
{
	return &v->screen->s->rows[state(v)->row];
}

static struct plot *focused(struct view *v)
{
	return &state(v)->plot[state(v)->focus];
}

/* ---- what there is ---- */

static const struct stats *stats_of(const struct row *r, int side)
{
	const struct stats *st = r->t[side] && r->result && !r->result->error ? &r->result->stats[side] : NULL;

	return st && !isnan(st->min) ? st : NULL;
}

static bool differs(const struct row *r)
{
	return r->result && !r->result->error && status_compared(r->status) && r->result->diff.max_abs_diff > 0;
}

static bool shows(const struct hist *h, int plot)
{
	return h->plot[plot].area.h > 0;
}

/* Why there is nothing to draw; NULL: there is, or it is still to come. */
static const char *why_not(const struct row *r)
{
	for (int side = A; side <= B; side++)
		if (r->t[side] && r->t[side]->trouble && !(r->t[!side] && !r->t[!side]->trouble))
			return r->t[side]->trouble;
	if (r->result && r->result->error)
		return r->result->error;
	if (r->result && !stats_of(r, A) && !stats_of(r, B))
		return "no finite values";
	return NULL;
}

/* ---- axes ---- */

/* Where a logarithmic axis turns into a linear one around 0: well below what is typical, so that this shows. */
static double knee_of(double typical, double most)
{
	double knee = typical > 0 ? typical / 10 : most / 1000;

	knee = fmin(fmax(knee, most * 1e-9), most / 10);
	return knee > 0 ? pow(10, floor(log10(knee))) : 0;
}

static double typical(const struct row *r, int plot)
{
	double x = 0;

	if (plot == DIFFERENCES)
		return r->result->diff.p50_abs_diff > 0 ? r->result->diff.p50_abs_diff : r->result->diff.p99_abs_diff;
	for (int side = A; side <= B; side++)
		if (stats_of(r, side))
			x = fmax(x, stats_of(r, side)->std);
	return x;
}

static void set_axis(struct hist *h, const struct row *r, int plot)
{
	struct plot *p = &h->plot[plot];
	double most = fmax(fabs(p->whole.lo), fabs(p->whole.hi));

	p->whole.knee = h->log_axis ? knee_of(typical(r, plot), most) : 0;
	p->range.knee = p->whole.knee;
}

static void set_whole(struct plot *p, double lo, double hi)
{
	axis_widen(&lo, &hi);
	p->whole = (struct census_range){.lo = lo, .hi = hi, .n = 1};
	p->range = p->whole;
	p->at = lo <= 0 && hi >= 0 ? 0 : lo + (hi - lo) / 2;
	p->mark = NAN;
}

static void find_ranges(struct view *v)
{
	struct hist *h = state(v);
	const struct row *r = row_of(v);
	const struct stats *a = stats_of(r, A), *b = stats_of(r, B);
	double most = differs(r) ? r->result->diff.max_abs_diff : 0;

	if (h->known || why_not(r) || (!a && !b))
		return;
	a = a ? a : b;
	b = b ? b : a;
	set_whole(&h->plot[VALUES], fmin(a->min, b->min), fmax(a->max, b->max));
	set_whole(&h->plot[DIFFERENCES], -most, most);
	for (int i = 0; i < PLOTS; i++)
		set_axis(h, r, i);
	h->known = true;
}

static unsigned cursor_column(const struct plot *p)
{
	return axis_column(&p->range, p->at);
}

static void put_cursor(struct plot *p, unsigned column)
{
	p->at = axis_value(&p->range, column + 0.5);
}

/* ---- layout ---- */

static int below_plot(const struct row *r, int plot)
{
	return plot == DIFFERENCES ? 2 : 1 + (r->t[A] != NULL) + (r->t[B] != NULL);
}

static void layout(struct view *v, struct area body)
{
	struct hist *h = state(v);
	const struct row *r = row_of(v);
	struct area plots = {body.y, body.x + GUTTER, body.w - GUTTER - 1, body.h - PANE_ROWS};
	bool two = differs(r), both = two && plots.h >= BOTH_FROM;
	int rows = plots.h - (both ? below_plot(r, VALUES) + below_plot(r, DIFFERENCES) : 0);

	h->body = body;
	h->pane = (struct area){body.y + plots.h, body.x, body.w, PANE_ROWS};
	h->focus = two ? h->focus : VALUES;
	for (int i = 0; i < PLOTS; i++) {
		struct area a = plots;

		if (both)
			a.h = i == VALUES ? rows * 3 / 5 : rows - rows * 3 / 5;
		else
			a.h = i == h->focus ? rows - below_plot(r, i) : 0;
		h->plot[i].area = a;
		h->plot[i].range.n = h->plot[i].whole.n = (unsigned)a.w;
		plots.y += both ? a.h + below_plot(r, i) : 0;
	}
	v->list = focused(v)->area;
	v->list.h++; /* the ruler, where the cursor stands */
}

static size_t rows(struct view *v)
{
	return (size_t)v->list.h;
}

/* ---- counting ---- */

static bool same_range(const struct census_range *a, const struct census_range *b)
{
	return a->lo == b->lo && a->hi == b->hi && a->knee == b->knee && a->n == b->n;
}

static void count(struct view *v)
{
	struct hist *h = state(v);

	if (!h->known)
		return;
	if (h->census && same_range(&h->asked[VALUES], &h->plot[VALUES].range) &&
	    same_range(&h->asked[DIFFERENCES], &h->plot[DIFFERENCES].range))
		return;
	census_drop(h->census);
	for (int i = 0; i < PLOTS; i++)
		h->asked[i] = h->plot[i].range;
	h->census = census_start(v->screen->s, h->row, &h->asked[VALUES], &h->asked[DIFFERENCES], screen_wake, NULL);
	census_wait(h->census, 5);
}

static void take_in(struct hist *h)
{
	bool done = h->census && census_done(h->census);

	for (int i = 0; h->census && i < PLOTS; i++) {
		struct plot *p = &h->plot[i];

		if (p->complete && same_range(&p->counted, &h->asked[i]))
			continue;
		for (int plane = 0; plane < PLANE_COUNT; plane++)
			if ((plane == PLANE_D) == (i == DIFFERENCES))
				census_look(h->census, plane, &h->bins[plane]);
		p->counted = h->asked[i];
		p->complete = done;
	}
}

static void update(struct view *v)
{
	struct hist *h = state(v);
	const struct row *r = row_of(v);

	if (!why_not(r) && (!r->result || !(r->result->have & WANT_DIST)))
		scan_ask(v->screen->scan, h->row, WANT_DIST | WANT_BINS, PRIO_SELECTED, PLOT_BINS);
	find_ranges(v);
	layout(v, h->body); /* with the ranges it is known whether there are differences */
	count(v);
	take_in(h);
	v->top = 0;
	v->cursor = (size_t)focused(v)->area.h;
	v->column = h->known ? (int)cursor_column(focused(v)) : 0;
}

static bool busy(struct view *v)
{
	struct hist *h = state(v);
	const struct row *r = row_of(v);

	if (why_not(r))
		return false;
	return !r->result || !(r->result->have & WANT_DIST) || (h->census && !census_done(h->census));
}

/* ---- drawing ---- */

static uint64_t total(const struct bins *b)
{
	uint64_t n = b->below + b->above;

	for (unsigned i = 0; i < b->n; i++)
		n += b->counts[i];
	return n;
}

static uint64_t count_of(const struct bins *b, unsigned from, unsigned end)
{
	uint64_t n = 0;

	for (unsigned i = from; i < end && i < b->n; i++)
		n += b->counts[i];
	return n;
}

static const struct bins *bins_at(struct view *v, int plot, int side)
{
	const struct hist *h = state(v);

	if (plot == DIFFERENCES)
		return side == A ? &h->bins[PLANE_D] : NULL;
	return stats_of(row_of(v), side) ? &h->bins[side] : NULL;
}

static double *counts_of(const struct bins *b, int columns)
{
	double *x = xcalloc((size_t)columns + 1, sizeof(*x));

	for (int i = 0; i < columns; i++)
		x[i] = (double)b->counts[i];
	return x;
}

/* Numbers beside the columns, each in the line that a column of so many ends in. */
static void put_count(struct area a, double count, double most, bool log_scale, int *above)
{
	int row = (plot_level(count, most, a.h, log_scale) - 1) / 8, y = a.y + a.h - 1 - row;
	struct buf b = {0};

	if (y <= *above) /* from the top down */
		return;
	fmt_short(&b, (uint64_t)count);
	term_put(y, a.x - 1 - (int)b.n, (int)b.n, ROLE_DIM, buf_view(&b));
	buf_free(&b);
	*above = y;
}

static void draw_scale(struct area a, double most, bool log_scale)
{
	int above = a.y - 1;

	if (most <= 0)
		return;
	put_count(a, most, most, log_scale, &above);
	if (log_scale)
		for (int power = (int)floor(log10(most)); power >= 0; power--)
			put_count(a, round(pow(10, power)), most, true, &above);
	else if (a.h >= 5 && most >= 4)
		put_count(a, floor(most / 2), most, false, &above);
}

/* A line through the column, above what stands there. */
static void draw_line(struct area a, unsigned column, int level, const char *s, enum role role)
{
	for (int row = (level + 7) / 8; row < a.h; row++)
		term_puts(a.y + a.h - 1 - row, a.x + (int)column, 1, role, s);
}

static void draw_cursor(struct view *v, const struct plot *p, const double *a, const double *b, double most)
{
	bool ascii = v->screen->ascii;
	unsigned at = cursor_column(p), mark = isnan(p->mark) ? at : axis_column(&p->range, p->mark);
	int y = p->area.y + p->area.h;

	for (int i = 0; i < 2; i++) {
		unsigned column = i ? at : mark;
		double c = b ? fmax(a[column], b[column]) : a[column];

		draw_line(p->area, column, plot_level(c, most, p->area.h, v->screen->log_scale), ascii ? "|" : "│",
			  i ? ROLE_DIM : ROLE_HEADER);
		term_puts(y, p->area.x + (int)column, 1, ROLE_CURSOR, ascii ? "^" : "▲");
	}
}

static void draw_columns(struct view *v, int plot)
{
	struct hist *h = state(v);
	const struct plot *p = &h->plot[plot];
	const struct bins *ba = bins_at(v, plot, A), *bb = bins_at(v, plot, B), *first = ba ? ba : bb;
	enum role role = plot == DIFFERENCES ? ROLE_D : ba ? ROLE_A : ROLE_B;
	double *a, *b, most;

	if (!first || !first->counts || (int)first->n != p->area.w) /* of another width of the screen */
		return;
	a = counts_of(first, p->area.w);
	b = ba && bb ? counts_of(bb, p->area.w) : NULL;
	most = plot_most(a, b, p->area.w);
	plot_counts(p->area, a, b, role, v->screen->log_scale, v->screen->ascii);
	draw_scale(p->area, most, v->screen->log_scale);
	if (plot == h->focus)
		draw_cursor(v, p, a, b, most);
	free(a);
	free(b);
}

static void put_label(int y, enum role role, const char *label)
{
	int n = (int)utf8_width(str_of(label));

	term_puts(y, GUTTER - 1 - n, n, role, label);
}

/* Half of the differences, and all but one in a hundred, are no larger than that. */
static void draw_difference_quantiles(struct view *v, int y)
{
	const struct plot *p = &state(v)->plot[DIFFERENCES];
	double half = row_of(v)->result->diff.p50_abs_diff, most = row_of(v)->result->diff.p99_abs_diff;
	double q[Q_COUNT] = {-most, NAN, -half, NAN, half, NAN, most};

	put_label(y, ROLE_D, v->screen->ascii ? "|B - A|" : "|B − A|");
	axis_quantiles(&p->range, y, p->area.x, q, ROLE_D, v->screen->ascii);
}

static void draw_plot(struct view *v, int plot)
{
	struct hist *h = state(v);
	const struct plot *p = &h->plot[plot];
	int y = p->area.y + p->area.h;
	bool two = v->screen->s->n_models > 1;
	const char *d = v->screen->ascii ? "B - A" : "B − A";

	axis_ruler(&p->range, y, p->area.x, v->screen->ascii);
	put_label(y++, plot == h->focus ? ROLE_GROUP : ROLE_DIM, plot == DIFFERENCES ? d : two ? "values" : "value");
	draw_columns(v, plot);
	if (plot == DIFFERENCES) {
		draw_difference_quantiles(v, y);
		return;
	}
	for (int side = A; side <= B; side++) {
		const struct stats *st = stats_of(row_of(v), side);

		if (!row_of(v)->t[side])
			continue;
		put_label(y, side == A ? ROLE_A : ROLE_B, !two ? "" : side == A ? "A" : "B");
		if (st)
			axis_quantiles(&p->range, y, p->area.x, st->q, side == A ? ROLE_A : ROLE_B, v->screen->ascii);
		y++;
	}
}

static void draw_header(struct view *v, struct area a)
{
	struct hist *h = state(v);
	const struct row *r = row_of(v);
	int x = h->body.x + 1, end = h->body.x + h->body.w - 1, key = 41;

	term_fill(a.y, h->body.x, h->body.w, ROLE_TEXT);
	x += term_puts(a.y, x, end - x, ROLE_GROUP, "histogram") + 3;
	if (stats_of(r, A) && stats_of(r, B))
		x += plot_legend(a.y, x, end - x, v->screen->ascii) + 3;
	if (h->known && end - x >= key)
		axis_quantiles_key(a.y, end - key, key, v->screen->ascii);
}

static void draw_row(struct view *v, size_t row, struct area a)
{
	(void)v, (void)row, (void)a; /* columns are drawn, not rows: draw_rest */
}

/* ---- the pane ---- */

/* "A 1,234 (0.12 %)"; returns where it ended. */
static int put_share(struct area a, int x, enum role role, const char *label, uint64_t n, uint64_t of, bool count)
{
	struct buf b = {0};

	x += term_puts(a.y, x, a.x + a.w - x, role, label);
	if (count) {
		fmt_grouped(&b, n);
		buf_puts(&b, " (");
	}
	fmt_percent(&b, of ? (double)n / (double)of : 0);
	buf_puts(&b, count ? ")" : "");
	x += term_put(a.y, x, a.x + a.w - x, ROLE_TEXT, buf_view(&b)) + 3;
	buf_free(&b);
	return x;
}

/* The same of each side that is drawn: of columns [from, end), with all below the first where `up_to` is set. */
static int put_shares(struct view *v, struct area a, int x, unsigned from, unsigned end, bool up_to)
{
	struct hist *h = state(v);
	bool two = v->screen->s->n_models > 1;
	static const char *const names[] = {"A ", "B "};

	for (int side = A; side <= B; side++) {
		const struct bins *b = bins_at(v, h->focus, side);
		uint64_t n = b && b->counts ? count_of(b, from, end) : 0;

		if (!b || !b->counts)
			continue;
		x = put_share(a, x, h->focus == DIFFERENCES ? ROLE_D : side == A ? ROLE_A : ROLE_B,
			      h->focus == DIFFERENCES || !two ? "" : names[side], n + (up_to ? b->below : 0), total(b),
			      !up_to);
	}
	return x;
}

static void range_text(const struct census_range *r, struct buf *b, unsigned from, unsigned end)
{
	axis_text(r, b, axis_value(r, from));
	buf_puts(b, " to ");
	axis_text(r, b, axis_value(r, end));
}

/* What the column under the cursor holds, and then the marked range, or all up to the cursor. */
static void draw_counts(struct view *v, struct area a)
{
	const struct plot *p = focused(v);
	unsigned at = cursor_column(p), mark = isnan(p->mark) ? at : axis_column(&p->range, p->mark);
	unsigned from = at < mark ? at : mark, end = (at > mark ? at : mark) + 1;
	struct buf b = {0};
	int x = a.x + 1;

	if (!same_range(&p->counted, &p->range))
		return;
	range_text(&p->range, &b, at, at + 1);
	x += term_put(a.y, x, a.w, ROLE_TEXT, buf_view(&b)) + 3;
	put_shares(v, a, x, at, at + 1, false);
	a.y++;
	x = a.x + 1;
	buf_clear(&b);
	if (isnan(p->mark)) {
		buf_puts(&b, "up to there");
		x += term_put(a.y, x, a.w, ROLE_DIM, buf_view(&b)) + 3;
		put_shares(v, a, x, 0, end, true);
	} else {
		range_text(&p->range, &b, from, end);
		x += term_put(a.y, x, a.w, ROLE_HEADER, buf_view(&b)) + 3;
		put_shares(v, a, x, from, end, false);
	}
	buf_free(&b);
}

static void draw_rest(struct view *v)
{
	struct hist *h = state(v);
	struct area a = {h->pane.y + 1, h->pane.x, h->pane.w - 1, 1};
	const char *why = why_not(row_of(v));

	row_title(v->screen, row_of(v), h->pane);
	if (!why && h->census)
		why = census_error(h->census);
	if (why) {
		struct buf b = {0};

		utf8_display(&b, str_of(why), v->screen->ascii);
		term_put(a.y, a.x + 1, a.w - 1, ROLE_PROBLEM, buf_view(&b));
		buf_free(&b);
	} else if (h->known) {
		for (int i = 0; i < PLOTS; i++)
			if (shows(h, i))
				draw_plot(v, i);
		draw_counts(v, a);
	} else {
		term_puts(a.y, a.x + 1, a.w - 1, ROLE_DIM, "the ends of the axis are still to come");
	}
}

static void place(struct view *v, struct buf *b)
{
	struct hist *h = state(v);
	const struct plot *p = focused(v);

	if (h->census && !census_done(h->census))
		buf_printf(b, "so far %d %%   ", (int)(100 * census_progress(h->census)));
	if (h->known)
		buf_printf(b, "bin %u/%u", cursor_column(p) + 1, p->range.n);
}

/* How many elements of each side the zoomed axis leaves out. */
static void out_of_sight(struct view *v, struct buf *b)
{
	bool any = false;

	for (int side = A; side <= B; side++) {
		const struct bins *bins = bins_at(v, state(v)->focus, side);

		if (!bins || !bins->counts)
			continue;
		buf_puts(b, any ? ", " : "   ");
		if (v->screen->s->n_models > 1 && state(v)->focus == VALUES)
			buf_puts(b, side == A ? "A " : "B ");
		fmt_short(b, bins->below + bins->above);
		any = true;
	}
	buf_puts(b, any ? " out of sight" : "");
}

static void mode(struct view *v, struct buf *b)
{
	struct hist *h = state(v);
	const struct plot *p = focused(v);

	if (!h->known)
		return;
	if (!axis_is_whole(&p->range, &p->whole))
		out_of_sight(v, b);
	buf_puts(b, v->screen->log_scale && h->log_axis ? "   both axes log" : v->screen->log_scale ? "   log counts" :
		    h->log_axis ? "   log values" : "");
	for (int side = A; side <= B; side++) {
		const struct stats *st = stats_of(row_of(v), side);
		const char *label = v->screen->s->n_models < 2 ? "" : side == A ? "A: " : "B: ";

		if (st && st->nan + st->inf)
			buf_printf(b, "   %s%" PRIu64 " not finite", label, st->nan + st->inf);
	}
}

/* ---- keys ---- */

/* Beyond an end what lies there is shifted into sight. */
static void move(struct view *v, int columns)
{
	struct plot *p = focused(v);
	int to = (int)cursor_column(p) + columns, n = (int)p->range.n, jump = n / 4 > 1 ? n / 4 : 1;

	if ((to < 0 && p->range.lo > p->whole.lo) || (to >= n && p->range.hi < p->whole.hi)) {
		double value = axis_value(&p->range, to + 0.5);

		axis_shift(&p->range, &p->whole, to < 0 ? to - jump : to - n + 1 + jump);
		p->at = value;
		to = (int)axis_column(&p->range, value);
	}
	put_cursor(p, (unsigned)(to < 0 ? 0 : to >= n ? n - 1 : to));
}

static void go_to_largest(struct view *v)
{
	struct hist *h = state(v);
	uint64_t most = 0;

	for (int side = A; side <= B; side++) {
		const struct bins *b = bins_at(v, h->focus, side);

		for (unsigned i = 0; b && b->counts && i < b->n && i < focused(v)->range.n; i++)
			if (b->counts[i] > most) {
				most = b->counts[i];
				put_cursor(focused(v), i);
			}
	}
}

static void look_at(struct view *v, double lo, double hi)
{
	struct plot *p = focused(v);

	if (!axis_set(&p->range, &p->whole, lo, hi))
		screen_message(v->screen, "numbers are not closer together than that");
	p->mark = NAN;
}

static void zoom(struct view *v, double factor)
{
	struct plot *p = focused(v);

	if (factor < 1 && axis_is_whole(&p->range, &p->whole))
		screen_message(v->screen, "all of it is in sight");
	else if (!axis_zoom(&p->range, &p->whole, factor, p->at))
		screen_message(v->screen, "numbers are not closer together than that");
}

/* From the mark to the cursor, both columns whole. */
static void open_marked(struct view *v)
{
	struct plot *p = focused(v);
	unsigned at = cursor_column(p), mark;

	if (isnan(p->mark)) {
		zoom(v, 2);
		return;
	}
	mark = axis_column(&p->range, p->mark);
	look_at(v, axis_value(&p->range, at < mark ? at : mark), axis_value(&p->range, (at > mark ? at : mark) + 1));
}

static void range_done(struct view *v, const char *text)
{
	struct plot *p = focused(v);
	double lo = p->whole.lo, hi = p->whole.hi;
	char *end = NULL;

	if (!state(v)->known)
		return;
	if (*text) {
		lo = strtod(text, &end);
		while (*end == ' ' || *end == ',')
			end++;
		hi = strtod(end, &end);
		if (*end || !(lo < hi) || hi < p->whole.lo || lo > p->whole.hi) {
			screen_trouble(v->screen, "a range such as -0.1,0.2 is wanted, that has some of the values");
			return;
		}
	}
	look_at(v, lo, hi);
	p->at = fmin(fmax(p->at, p->range.lo), p->range.hi);
}

static bool escape(struct view *v)
{
	struct plot *p = focused(v);

	if (!state(v)->known || (isnan(p->mark) && axis_is_whole(&p->range, &p->whole)))
		return false;
	if (isnan(p->mark))
		look_at(v, p->whole.lo, p->whole.hi);
	p->mark = NAN;
	return true;
}

static void set_log_axis(struct view *v, bool on)
{
	struct hist *h = state(v);

	h->log_axis = on;
	for (int i = 0; i < PLOTS; i++)
		set_axis(h, row_of(v), i);
}

static void focus(struct view *v, int plot)
{
	struct hist *h = state(v);

	if (plot == DIFFERENCES && !differs(row_of(v)))
		screen_message(v->screen, v->screen->s->n_models < 2 ? "there is one model only" :
			       "there are no differences to show");
	else
		h->focus = plot;
}

enum { LINEAR_COUNTS, LOG_COUNTS, LINEAR_AXIS, LOG_AXIS, CHOICES };

static const struct choice choices[CHOICES] = {
	[LINEAR_COUNTS] = {"linear counts", "columns as high as their counts"},
	[LOG_COUNTS] = {"log counts", "columns as high as the logarithms of their counts: tails show"},
	[LINEAR_AXIS] = {"linear values", "bins of equal width"},
	[LOG_AXIS] = {"log values", "bins that widen with the magnitude, on both sides of 0"},
};

static void chosen(struct view *v, size_t i)
{
	if (i <= LOG_COUNTS)
		v->screen->log_scale = i == LOG_COUNTS;
	else
		set_log_axis(v, i == LOG_AXIS);
}

static void open_row(struct view *v, size_t row)
{
	struct hist *h = state(v);
	bool log_axis = h->log_axis;
	int focus = h->focus;

	census_drop(h->census);
	for (int plane = 0; plane < PLANE_COUNT; plane++)
		bins_free(&h->bins[plane]);
	*h = (struct hist){.row = row, .log_axis = log_axis, .focus = focus, .body = h->body};
}

/* The next tensor: of two models, the next that differs. The tree goes along. */
static void next_tensor(struct view *v, int direction)
{
	const struct session *s = v->screen->s;
	struct view *tree = v->below;
	size_t row = state(v)->row;

	for (size_t i = 1; i < s->n_rows; i++) {
		row = direction > 0 ? (row + 1) % s->n_rows : (row + s->n_rows - 1) % s->n_rows;
		if (s->n_models > 1 ? !row_differs(&s->rows[row]) : why_not(&s->rows[row]) != NULL)
			continue;
		open_row(v, row);
		if (tree && tree->ops == &browse_view)
			browse_go(tree, row);
		return;
	}
	screen_message(v->screen, s->n_models > 1 ? "no other tensor differs" : "there is no other tensor");
}

static bool act_on_plot(struct view *v, enum act act)
{
	struct plot *p = focused(v);
	int page = (int)p->range.n / 2;

	switch (act) {
	case ACT_LEFT: move(v, -1); return true;
	case ACT_RIGHT: move(v, 1); return true;
	case ACT_PAGE_DOWN: move(v, page); return true;
	case ACT_PAGE_UP: move(v, -page); return true;
	case ACT_HALF_DOWN: move(v, page / 2); return true;
	case ACT_HALF_UP: move(v, -page / 2); return true;
	case ACT_TOP:
	case ACT_FIRST: put_cursor(p, 0); return true;
	case ACT_BOTTOM:
	case ACT_LAST: put_cursor(p, p->range.n - 1); return true;
	case ACT_LARGEST: go_to_largest(v); return true;
	case ACT_ZOOM_IN: zoom(v, 2); return true;
	case ACT_ZOOM_OUT: zoom(v, 0.5); return true;
	case ACT_OPEN: open_marked(v); return true;
	case ACT_MARK_END: p->mark = isnan(p->mark) ? p->at : NAN; return true;
	case ACT_RANGE: screen_prompt(v->screen, "from,to: ", "", range_done); return true;
	case ACT_LOG_VALUES: set_log_axis(v, !state(v)->log_axis); return true;
	case ACT_CHOOSE: menu_choose(v->screen, choices, CHOICES, v->screen->log_scale, chosen); return true;
	default: return false;
	}
}

static bool act(struct view *v, enum act act)
{
	switch (act) {
	case ACT_NEXT_HISTOGRAM: next_tensor(v, 1); return true;
	case ACT_PREVIOUS_HISTOGRAM: next_tensor(v, -1); return true;
	case ACT_OTHER_PLOT: focus(v, !state(v)->focus); return true;
	case ACT_DOWN: focus(v, DIFFERENCES); return true;
	case ACT_UP: focus(v, VALUES); return true;
	case ACT_GRID_SCALE: v->screen->log_scale = !v->screen->log_scale; return true;
	case ACT_HISTOGRAM: view_pop(v->screen); return true;
	case ACT_ESCAPE: return escape(v);
	default: return state(v)->known && act_on_plot(v, act);
	}
}

/* ---- a report ---- */

static struct cell edge_cell(double x)
{
	return isfinite(x) ? (struct cell){.kind = CELL_REAL, .u.real = x} : (struct cell){.kind = CELL_NONE};
}

static struct cell count_cell(const uint64_t *n)
{
	return n ? (struct cell){.kind = CELL_COUNT, .u.count = *n} : (struct cell){.kind = CELL_NONE};
}

/* n: of A and B, or of the differences; NULL: it has none. */
static void report_bin(struct view *v, struct report *r, int plot, double lower, double upper,
		       const uint64_t *const n[2])
{
	bool values = plot == VALUES;
	struct cell pair[] = {
		{.kind = CELL_TEXT, .u.text = values ? STR("values") : STR("differences")},
		edge_cell(lower), edge_cell(upper),
		count_cell(values ? n[A] : NULL), count_cell(values ? n[B] : NULL), count_cell(values ? NULL : n[A]),
	};

	report_row(r, v->screen->s->n_models > 1 ? pair : pair + 1); /* of one model: up to its count */
}

/* The bins as they are drawn; in front of them and behind, where a range was chosen, what lies outside. */
static void report_plot(struct view *v, struct report *r, int plot)
{
	const struct bins *b[2] = {bins_at(v, plot, A), bins_at(v, plot, B)};
	const struct bins *of = b[A] ? b[A] : b[B];
	bool below = false, above = false;

	if (!of)
		return;
	for (int side = A; side <= B; side++) {
		below = below || (b[side] && b[side]->below);
		above = above || (b[side] && b[side]->above);
	}
	if (below)
		report_bin(v, r, plot, NAN, bins_edge(of, 0),
			   (const uint64_t *const[]){b[A] ? &b[A]->below : NULL, b[B] ? &b[B]->below : NULL});
	for (unsigned i = 0; i < of->n; i++)
		report_bin(v, r, plot, bins_edge(of, i), bins_edge(of, i + 1),
			   (const uint64_t *const[]){b[A] ? &b[A]->counts[i] : NULL, b[B] ? &b[B]->counts[i] : NULL});
	if (above)
		report_bin(v, r, plot, bins_edge(of, of->n), NAN,
			   (const uint64_t *const[]){b[A] ? &b[A]->above : NULL, b[B] ? &b[B]->above : NULL});
}

static bool report(struct view *v, struct report *r)
{
	static const struct report_column pair[] = {
		{"of", "of", true}, {"lower", "from", false}, {"upper", "to", false},
		{"a", "A", false},  {"b", "B", false},        {"difference", "B - A", false},
	};
	static const struct report_column one[] = {
		{"lower", "from", false}, {"upper", "to", false}, {"count", "count", false},
	};
	bool two = v->screen->s->n_models > 1;

	if (!state(v)->known)
		return false;
	report_columns(r, two ? pair : one, two ? COUNT(pair) : COUNT(one));
	report_plot(v, r, VALUES);
	if (differs(row_of(v)))
		report_plot(v, r, DIFFERENCES);
	return true;
}

/* ---- opening and closing ---- */

static size_t tensor(struct view *v)
{
	return state(v)->row;
}

static void hist_close(struct view *v)
{
	census_drop(state(v)->census);
	for (int plane = 0; plane < PLANE_COUNT; plane++)
		bins_free(&state(v)->bins[plane]);
}

static const struct hint hints[] = {
	{ACT_GRID_SCALE, "log counts", false},
	{ACT_LOG_VALUES, "log values", false},
	{ACT_ZOOM_IN, "zoom", false},
	{ACT_RANGE, "range", false},
	{ACT_NEXT_HISTOGRAM, "next tensor", false},
	{ACT_NONE, NULL, false},
};

static const struct view_ops hist_view = {
	.hints = hints,
	.where = WHERE_ALL | WHERE_GRID | WHERE_TENSOR | WHERE_HISTOGRAM,
	.state_size = sizeof(struct hist),
	.rows = rows,
	.update = update,
	.layout = layout,
	.draw_header = draw_header,
	.draw_row = draw_row,
	.draw_rest = draw_rest,
	.place = place,
	.mode = mode,
	.tensor = tensor,
	.report = report,
	.busy = busy,
	.act = act,
	.close = hist_close,
};

void hist_open(struct screen *sc)
{
	size_t row = view_tensor(sc->view);

	if (row == SIZE_MAX) {
		screen_message(sc, "no tensor is selected here");
		return;
	}
	if (sc->view->ops->sheet) /* the views of a tensor take each other's place */
		view_pop(sc);
	if (sc->view->ops != &hist_view)
		view_push(sc, &hist_view);
	open_row(sc->view, row);
}
