#include "tui/heat.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analysis/patch.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "tui/cells.h"
#include "tui/menu.h"
#include "tui/plot.h"
#include "tui/sheet.h"

/*
 * What is in sight is one patch, computed by the workers: when the sheet, the zoom or the place changes, the old one is
 * let go and another one is asked for. All planes and all reductions come with it, so that changing them costs nothing.
 *
 * Far out a cell takes several elements; nearer, an element takes several columns and lines of the screen, in the end
 * enough for its digits.
 */
enum reduction { PEAK, MEAN, RMS, REDUCTIONS };

static const struct choice reductions[REDUCTIONS] = {
	{"peak", "of each cell the element of the largest magnitude, with its sign"},
	{"mean", "of each cell the mean"},
	{"rms", "of each cell the root of the mean square"},
};

/* What an element takes when cells are single elements: columns, and half lines. */
static const struct size {
	int w, h;
} sizes[] = {{1, 1}, {2, 2}, {4, 4}, {12, 2}};
enum { DIGITS = 3 }; /* the last of them, with room for digits */

enum { PANE_ROWS = 4, DECADES = 3 };

struct heat {
	struct patch_view pv; /* first */
	int size;                     /* above 0 only while cells are single elements */
	uint64_t per_row, per_column; /* elements of a cell */
	bool fitted;                  /* all is in sight, and shall be when the screen changes its size */
	double most[PLANE_COUNT][REDUCTIONS]; /* the largest magnitudes seen: the ends of the scale */
};

static struct heat *state(struct view *v)
{
	return v->state;
}

static int reduction(const struct view *v)
{
	return v->screen->reduction;
}

static enum scale scale_of(const struct view *v)
{
	return reduction(v) == RMS ? SCALE_SIZE : SCALE_SIGNED;
}

/* ---- geometry ---- */

/* Two cells share a line where there are colours for both. */
static bool halves(const struct view *v)
{
	return term_has_scales() && !v->screen->ascii && ((struct heat *)v->state)->size == 0;
}

static int cell_width(const struct heat *h)
{
	return sizes[h->size].w;
}

/* In half lines. */
static int cell_height(const struct view *v, int size)
{
	bool half = term_has_scales() && !v->screen->ascii;

	return size == 0 && !half ? 2 : sizes[size].h;
}

static unsigned cells_across(struct view *v)
{
	return (unsigned)(v->list.w / cell_width(state(v)));
}

static unsigned cells_down(struct view *v)
{
	return (unsigned)(2 * v->list.h / cell_height(v, state(v)->size));
}

/* The cell that the cursor is in. */
static uint64_t cursor_y(const struct heat *h)
{
	return (h->pv.sheet.row - h->pv.top) / h->per_row;
}

static uint64_t cursor_x(const struct heat *h)
{
	return (h->pv.sheet.column - h->pv.left) / h->per_column;
}

/* A vector becomes lines of a round length, about as wide as high. */
static void wrap(struct view *v)
{
	struct heat *h = state(v);
	uint64_t columns = 8;

	while (columns * columns * (uint64_t)v->list.h < h->pv.sheet.t->count * (uint64_t)v->list.w / 2)
		columns *= 2;
	sheet_wrap(&h->pv.sheet, columns);
}

/* All of it in sight: as large as there is room for, or as many elements to a cell as it takes. */
static void fit(struct view *v)
{
	struct heat *h = state(v);
	const struct matrix *m = &h->pv.sheet.m;
	uint64_t w = (uint64_t)v->list.w, height = 2 * (uint64_t)v->list.h;

	wrap(v);
	h->pv.top = h->pv.left = 0;
	h->per_row = h->per_column = 1;
	for (h->size = DIGITS; h->size > 0; h->size--)
		if (m->columns <= w / (uint64_t)sizes[h->size].w && m->rows <= height / (uint64_t)sizes[h->size].h)
			break;
	if (h->size == 0) {
		h->per_row = u64_max(u64_ceil_div(m->rows, height / (uint64_t)cell_height(v, 0)), 1);
		h->per_column = u64_max(u64_ceil_div(m->columns, w), 1);
	}
	h->fitted = true;
}

static void layout(struct view *v, struct area body)
{
	patch_view_layout(v, body, PANE_ROWS);
}

static void scroll(struct view *v)
{
	struct heat *h = state(v);
	const struct matrix *m = &h->pv.sheet.m;

	h->pv.top = sheet_scroll(h->pv.top, h->pv.sheet.row, h->per_row, cells_down(v), m->rows, 4);
	h->pv.left = sheet_scroll(h->pv.left, h->pv.sheet.column, h->per_column, cells_across(v), m->columns, 4);
}

/* ---- what is known ---- */

static double value_of(const struct patch_cell *c, int reduction)
{
	if (!c || c->n == 0)
		return NAN;
	return reduction == PEAK ? c->peak : reduction == MEAN ? c->sum / (double)c->n : sqrt(c->sumsq / (double)c->n);
}

static const struct patch_cell *cell(struct view *v, int plane, unsigned y, unsigned x)
{
	bool exact;

	return patch_cell(state(v)->pv.patch, plane, y, x, &exact);
}

static void see(struct view *v)
{
	struct heat *h = state(v);

	for (unsigned y = 0; y < h->pv.ask.height; y++)
		for (unsigned x = 0; x < h->pv.ask.width; x++)
			for (int plane = 0; plane < PLANE_COUNT; plane++) {
				const struct patch_cell *c = cell(v, plane, y, x);

				for (int r = 0; c && r < REDUCTIONS; r++)
					h->most[plane][r] = fmax(h->most[plane][r], fabs(value_of(c, r)));
			}
}

/* From -1 to 1; logarithmic over DECADES on both sides of 0. */
static int level_of(const struct view *v, double x)
{
	const struct heat *h = v->state;
	double most = h->most[h->pv.sheet.plane][reduction(v)], t = most > 0 ? x / most : 0;

	if (v->screen->log_scale)
		t = copysign(log1p(fabs(t) * pow(10, DECADES)) / log1p(pow(10, DECADES)), t);
	if (x != 0 && t == 0)
		t = x < 0 ? -1e-9 : 1e-9;
	return ramp_level(scale_of(v), t);
}

/* -1: not known, or nothing there. */
static int level_at(struct view *v, unsigned y, unsigned x)
{
	const struct patch_cell *c = cell(v, state(v)->pv.sheet.plane, y, x);

	if (!c || c->n + c->bad == 0)
		return -1;
	return c->bad ? ramp_levels(scale_of(v)) : level_of(v, value_of(c, reduction(v)));
}

/* ---- asking ---- */

static void forget_scale(struct heat *h)
{
	memset(h->most, 0, sizeof(h->most));
}

static void ask(struct view *v)
{
	struct heat *h = state(v);
	const struct matrix *m = &h->pv.sheet.m;
	struct patch_ask a = {
		.m = *m, .sides = h->pv.sheet.sides, .row = h->pv.top, .column = h->pv.left,
		.per_row = h->per_row, .per_column = h->per_column,
		.height = (unsigned)u64_min(cells_down(v), u64_ceil_div(m->rows - h->pv.top, h->per_row)),
		.width = (unsigned)u64_min(cells_across(v), u64_ceil_div(m->columns - h->pv.left, h->per_column)),
	};

	if (memcmp(&a.m, &h->pv.ask.m, sizeof(a.m)) != 0 || a.sides != h->pv.ask.sides)
		forget_scale(h);
	patch_view_ask(&h->pv, &a);
}

static void update(struct view *v)
{
	struct heat *h = state(v);

	if (h->fitted)
		fit(v);
	hunt_update(&h->pv.hunt, &h->pv.sheet, v->screen);
	layout(v, h->pv.body); /* wrapping may have changed the gutter */
	scroll(v);
	ask(v);
	see(v);
	v->cursor = (size_t)cursor_y(h) * (size_t)cell_height(v, h->size) / 2;
	v->column = (int)cursor_x(h) * cell_width(h);
}

static size_t heat_rows(struct view *v)
{
	return v->list.h > 0 ? (size_t)v->list.h : 1;
}

/* ---- drawing ---- */

/* The scale, or every other shade of it, at the right of what ends at `from`. */
static void draw_legend(struct view *v, int y, int from, int end)
{
	struct heat *h = state(v);
	enum scale s = scale_of(v);
	double most = h->most[h->pv.sheet.plane][reduction(v)];
	int levels = ramp_levels(s), every, x;
	struct buf lo = {0}, hi = {0};

	fmt_real(&lo, s == SCALE_SIGNED ? -most : 0);
	fmt_real(&hi, most);
	if (v->screen->log_scale)
		buf_puts(&hi, "  log");
	every = from + (int)(lo.n + hi.n) + levels + 4 > end ? 2 : 1;
	x = end - 1 - (int)(lo.n + hi.n) - (levels + every - 1) / every - 2;
	if (x > from && most > 0) {
		x += term_put(y, x, (int)lo.n, ROLE_TEXT, buf_view(&lo)) + 1;
		for (int i = 0; i < levels; i += every)
			plot_cell(y, x++, 1, s, i, v->screen->ascii);
		term_put(y, x + 1, (int)hi.n, ROLE_TEXT, buf_view(&hi));
	}
	buf_free(&lo);
	buf_free(&hi);
}

/* Numbers of the columns, so far apart that they can be told from each other; the cursor's own is always there. */
static void draw_ruler(struct view *v)
{
	struct heat *h = state(v);
	int w = cell_width(h), y = v->list.y - 1, end = v->list.x + v->list.w, here_at, here_end;
	unsigned every = 1;
	char text[24];

	while (every * (unsigned)w < sheet_digits(h->pv.sheet.m.columns) + 3)
		every = every == 1 ? 2 : every == 2 ? 5 : 2 * every;
	term_fill(y, h->pv.body.x, h->pv.body.w, ROLE_TEXT);
	here_end = snprintf(text, sizeof(text), "%" PRIu64, h->pv.sheet.column);
	here_at = v->list.x + (int)cursor_x(h) * w;
	here_at = here_at + here_end > end ? end - here_end : here_at;
	here_end += here_at;
	term_puts(y, here_at, end - here_at, ROLE_RESTING, text);
	for (unsigned i = 0; i < h->pv.ask.width; i += every) {
		int x = v->list.x + (int)i * w;
		int n = snprintf(text, sizeof(text), "%" PRIu64, h->pv.left + i * h->per_column);

		if (x + n <= end && (x + n < here_at || x > here_end))
			term_puts(y, x, n, ROLE_HEADER, text);
	}
}

static void draw_header(struct view *v, struct area a)
{
	struct heat *h = state(v);
	struct pen p = pen_at(v, (struct area){a.y, h->pv.body.x, h->pv.body.w, 1}, false, ROLE_TEXT);
	const char *plane = sheet_plane_name(&h->pv.sheet, h->pv.sheet.plane, v->screen->ascii);

	pen_skip(&p, 1);
	pen_puts(&p, 8, false, ROLE_GROUP, "heat map");
	pen_skip(&p, 2);
	pen_puts(&p, (int)utf8_width(str_of(plane)), false, ROLE_HEADER, plane);
	pen_skip(&p, 2);
	if (h->per_row > 1 || h->per_column > 1)
		pen_puts(&p, 5, false, ROLE_HEADER, reductions[reduction(v)].name);
	draw_legend(v, a.y, p.x, h->pv.body.x + h->pv.body.w);
	draw_ruler(v);
}

static void draw_number(struct view *v, size_t line, int y)
{
	struct heat *h = state(v);
	uint64_t row = h->pv.top + line * 2 / (uint64_t)cell_height(v, h->size) * h->per_row;
	int w = h->pv.gutter - 1, tall = cell_height(v, h->size) / 2;
	char text[24];
	bool here = line == v->cursor;

	if (here)
		row = h->pv.sheet.row;
	if (row >= h->pv.sheet.m.rows || (!here && (tall > 1 ? line % (size_t)tall : line % 4)))
		return;
	snprintf(text, sizeof(text), "%*" PRIu64, w, row);
	term_puts(y, h->pv.body.x, w, here ? ROLE_RESTING : ROLE_HEADER, text);
}

/* Two cells a line. */
static void draw_halves(struct view *v, size_t line, int y)
{
	struct heat *h = state(v);
	uint64_t row = cursor_y(h), column = cursor_x(h);

	for (unsigned x = 0; x < h->pv.ask.width; x++)
		term_halves(y, v->list.x + (int)x, scale_of(v), level_at(v, 2 * (unsigned)line, x),
			    level_at(v, 2 * (unsigned)line + 1, x));
	if (row / 2 == line) /* the cursor: white, the other half of the place black */
		term_puts(y, v->list.x + (int)column, 1, ROLE_TEXT, row % 2 ? "▄" : "▀");
}

static void draw_digits(struct view *v, unsigned y, unsigned x, int sy, int sx, int level)
{
	struct heat *h = state(v);
	const struct patch_cell *c = cell(v, h->pv.sheet.plane, y, x);
	struct buf b = {0};

	buf_putc(&b, ' ');
	if (c->n)
		fmt_real(&b, c->peak);
	else
		buf_puts(&b, "nan");
	while (b.n < (size_t)cell_width(h))
		buf_putc(&b, ' ');
	term_tint(sy, sx, cell_width(h), scale_of(v), level, buf_view(&b));
	buf_free(&b);
}

static void draw_cells(struct view *v, size_t line, int y)
{
	struct heat *h = state(v);
	int w = cell_width(h), tall = cell_height(v, h->size) / 2;
	unsigned cy = (unsigned)line / (unsigned)tall;
	uint64_t row = cursor_y(h), column = cursor_x(h);

	for (unsigned x = 0; x < h->pv.ask.width; x++) {
		int level = level_at(v, cy, x), sx = v->list.x + (int)x * w;

		if (level < 0)
			continue;
		if (h->size == DIGITS)
			draw_digits(v, cy, x, y, sx, level);
		else
			plot_cell(y, sx, w, scale_of(v), level, v->screen->ascii);
	}
	if (row != cy)
		return;
	term_puts(y, v->list.x + (int)column * w, 1, ROLE_CURSOR, w == 1 ? "@" : "[");
	if (w > 1)
		term_puts(y, v->list.x + (int)column * w + w - 1, 1, ROLE_CURSOR, "]");
}

static void draw_row(struct view *v, size_t line, struct area a)
{
	draw_number(v, line, a.y);
	if (!state(v)->pv.patch)
		return;
	if (halves(v))
		draw_halves(v, line, a.y);
	else
		draw_cells(v, line, a.y);
}

/* ---- the pane ---- */

/* Which elements the cell under the cursor has. */
static void place_text(struct view *v, struct buf *b)
{
	struct heat *h = state(v);
	const struct sheet *sh = &h->pv.sheet;
	uint64_t row = h->pv.top + (sh->row - h->pv.top) / h->per_row * h->per_row;
	uint64_t column = h->pv.left + (sh->column - h->pv.left) / h->per_column * h->per_column;
	uint64_t row_end = u64_min(row + h->per_row, sh->m.rows) - 1;
	uint64_t column_end = u64_min(column + h->per_column, sh->m.columns) - 1;

	if (row == row_end && column == column_end) {
		uint64_t number = sheet_number(sh, sh->row, sh->column);

		if (number == UINT64_MAX) {
			buf_puts(b, "beyond the end");
			return;
		}
		sheet_index_text(sh, b, number);
		if (sh->t->rank != 1)
			buf_printf(b, "  element %" PRIu64, number);
		return;
	}
	buf_printf(b, "row%s %" PRIu64, row == row_end ? "" : "s", row);
	if (row != row_end)
		buf_printf(b, " to %" PRIu64, row_end);
	buf_printf(b, "  column%s %" PRIu64, column == column_end ? "" : "s", column);
	if (column != column_end)
		buf_printf(b, " to %" PRIu64, column_end);
}

static int draw_value(struct area a, int x, enum role role, const char *label, double value)
{
	struct buf b = {0};

	fmt_real(&b, value);
	if (x + (int)utf8_width(str_of(label)) + 1 + (int)b.n < a.x + a.w) {
		x += term_puts(a.y, x, a.w, role, label) + 1;
		x += term_put(a.y, x, a.w, ROLE_TEXT, buf_view(&b)) + 3;
	}
	buf_free(&b);
	return x;
}

/* The value of each plane; of cells with several elements their peaks, and of what shows the mean and the rms. */
static void draw_values(struct view *v, struct area a)
{
	struct heat *h = state(v);
	static const enum role roles[PLANE_COUNT] = {ROLE_A, ROLE_B, ROLE_D};
	unsigned y = (unsigned)cursor_y(h);
	unsigned x = (unsigned)cursor_x(h);
	const struct patch_cell *here = cell(v, h->pv.sheet.plane, y, x);
	bool several = h->per_row > 1 || h->per_column > 1;
	int at = a.x + 1;

	if (several)
		at += term_puts(a.y, at, a.w, ROLE_DIM, "peak") + 1;
	for (int plane = 0; plane < PLANE_COUNT; plane++) {
		const struct patch_cell *c = cell(v, plane, y, x);

		if (c)
			at = draw_value(a, at, roles[plane], v->screen->s->n_models < 2 ? several ? "" : "value" :
					sheet_plane_name(&h->pv.sheet, plane, v->screen->ascii), value_of(c, PEAK));
	}
	if (here && several) {
		at = draw_value(a, at, ROLE_DIM, "mean", value_of(here, MEAN));
		at = draw_value(a, at, ROLE_DIM, "rms", value_of(here, RMS));
	}
	if (here && here->bad)
		draw_value(a, at, ROLE_PROBLEM, "not finite", (double)here->bad);
}

static void draw_rest(struct view *v)
{
	struct heat *h = state(v);
	struct area a = h->pv.pane;
	struct buf b = {0};
	const char *error = patch_view_error(&h->pv);

	row_title(v->screen, &v->screen->s->rows[h->pv.sheet.row_of], a);
	a.y++;
	if (error) {
		utf8_display(&b, str_of(error), v->screen->ascii);
		term_put(a.y, a.x + 1, a.w - 2, ROLE_PROBLEM, buf_view(&b));
		buf_free(&b);
		return;
	}
	place_text(v, &b);
	term_put(a.y, a.x + 1, a.w - 2, ROLE_TEXT, buf_view(&b));
	draw_values(v, (struct area){a.y + 1, a.x, a.w, 1});
	patch_view_draw_sheet(v, a.y + 2);
	buf_free(&b);
}

static void place(struct view *v, struct buf *b)
{
	struct heat *h = state(v);

	patch_view_reading(v, b);
	buf_printf(b, "%" PRIu64 ",%" PRIu64, h->pv.sheet.row, h->pv.sheet.column);
	if (h->per_row > 1 || h->per_column > 1)
		buf_printf(b, "   a cell is %" PRIu64 "%s%" PRIu64, h->per_row, v->screen->ascii ? "x" : "×",
			   h->per_column);
	patch_view_slice(&h->pv, b);
}

/* ---- keys ---- */

static void zoom_in(struct view *v)
{
	struct heat *h = state(v);
	const struct patch_cell *c = NULL;

	if (h->pv.patch)
		c = cell(v, h->pv.sheet.plane, (unsigned)cursor_y(h), (unsigned)cursor_x(h));
	if (h->per_row == 1 && h->per_column == 1 && h->size == DIGITS) {
		screen_message(v->screen, "these are single values");
		return;
	}
	if (c && c->n) { /* towards what the cell shows */
		h->pv.sheet.row = c->peak_row;
		h->pv.sheet.column = c->peak_column;
	}
	h->fitted = false;
	if (h->per_row > 1 || h->per_column > 1) {
		h->per_row = u64_ceil_div(h->per_row, 2);
		h->per_column = u64_ceil_div(h->per_column, 2);
	} else {
		h->size++;
	}
}

static void zoom_out(struct view *v)
{
	struct heat *h = state(v);
	const struct matrix *m = &h->pv.sheet.m;

	if (h->fitted) {
		screen_message(v->screen, "all of it is in sight");
		return;
	}
	if (h->size > 0) {
		h->size--;
	} else {
		h->per_row *= 2;
		h->per_column *= 2;
	}
	if (m->rows <= h->per_row * cells_down(v) && m->columns <= h->per_column * cells_across(v))
		h->fitted = true;
}

/* Keeps the cursor where it is on the screen. */
static void zoom(struct view *v, void (*by)(struct view *))
{
	struct heat *h = state(v);
	uint64_t down = cursor_y(h), across = cursor_x(h);
	uint64_t cells_y = cells_down(v), cells_x = cells_across(v);

	by(v);
	down = down * cells_down(v) / u64_max(cells_y, 1) * h->per_row;
	across = across * cells_across(v) / u64_max(cells_x, 1) * h->per_column;
	h->pv.top = h->pv.sheet.row > down ? h->pv.sheet.row - down : 0;
	h->pv.left = h->pv.sheet.column > across ? h->pv.sheet.column - across : 0;
}

static void chosen(struct view *v, size_t i)
{
	struct heat *h = state(v);

	if (i < REDUCTIONS) {
		v->screen->reduction = (int)i;
		return;
	}
	sheet_arrange(&h->pv.sheet, &h->pv.arrangements[i - REDUCTIONS]);
	h->fitted = true;
}

static void choose(struct view *v)
{
	struct heat *h = state(v);
	size_t n = patch_view_arrangements(&h->pv, REDUCTIONS, v->screen->ascii);

	memcpy(h->pv.choices, reductions, sizeof(reductions));
	menu_choose(v->screen, h->pv.choices, REDUCTIONS + n, (size_t)reduction(v), chosen);
}

static bool act(struct view *v, enum act act)
{
	struct heat *h = state(v);
	struct steps st = {h->per_row, h->per_column, (long)cells_down(v) * 3 / 4, h->pv.sheet.plane};

	st.page = st.page > 0 ? st.page : 1;
	switch (act) {
	case ACT_ZOOM_IN: zoom(v, zoom_in); return true;
	case ACT_ZOOM_OUT: zoom(v, zoom_out); return true;
	case ACT_GRID_SCALE: v->screen->log_scale = !v->screen->log_scale; return true;
	case ACT_REDUCE: v->screen->reduction = (reduction(v) + 1) % REDUCTIONS; return true;
	case ACT_CHOOSE: choose(v); return true;
	case ACT_PLANE: sheet_next_plane(&h->pv.sheet); return true;
	case ACT_ARRANGE: sheet_next_arrangement(&h->pv.sheet); h->fitted = true; return true;
	case ACT_HEAT: view_pop(v->screen); return true;
	default: return patch_view_act(v, act, &st);
	}
}

static const struct hint hints[] = {
	{ACT_ZOOM_IN, "zoom", false},
	{ACT_PLANE, "A, B, B-A", true},
	{ACT_REDUCE, "reduction", false},
	{ACT_NEXT_LARGEST, "next largest", false},
	{ACT_CHOOSE, "choose", false},
	{ACT_VALUES, "values", false},
	{ACT_HISTOGRAM, "histogram", false},
	{ACT_NONE, NULL, false},
};

static const struct view_ops heat_view = {
	.hints = hints,
	.where = WHERE_ALL | WHERE_GRID | WHERE_TENSOR | WHERE_MATRIX | WHERE_HEAT,
	.state_size = sizeof(struct heat),
	.rows = heat_rows,
	.update = update,
	.layout = layout,
	.draw_header = draw_header,
	.draw_row = draw_row,
	.draw_rest = draw_rest,
	.place = place,
	.tensor = sheet_tensor,
	.sheet = sheet_here,
	.busy = patch_view_busy,
	.act = act,
	.close = patch_view_close,
};

void heat_open(struct screen *sc)
{
	struct sheet sh;
	struct view *v;

	if (!sheet_of(&sh, sc->view, false))
		return;
	if (sc->view->ops->sheet)
		view_pop(sc);
	v = view_push(sc, &heat_view);
	state(v)->pv.sheet = sh;
	state(v)->fitted = true;
	state(v)->per_row = state(v)->per_column = 1;
}
