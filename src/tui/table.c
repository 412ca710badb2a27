#include "tui/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/patch.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "num/decode.h"
#include "tui/cells.h"
#include "tui/menu.h"
#include "tui/sheet.h"

/*
 * What is in sight is a patch whose cells are single elements. Numbers have four digits, or, zoomed in, all that tell
 * them from their neighbours; the pane gives the one under the cursor in full.
 */
enum { PANE_ROWS = 5, SHORT = 10 };

struct table {
	struct patch_view pv; /* first */
	bool all;           /* A, B and B - A; else sheet.plane */
	bool full;          /* all digits are wanted; and there is room for them */
	bool wide;
	int after[PLANE_COUNT]; /* columns from the points of what is in sight to the right; 0: not in line */
};

static struct table *state(struct view *v)
{
	return v->state;
}

/* ---- columns ---- */

/* Columns that the longest number of a type takes. */
static int digits_of(const struct tensor *t)
{
	static const struct {
		enum dtype type;
		int width;
	} widths[] = {
		{DT_BOOL, 5}, {DT_U8, 3}, {DT_I8, 4}, {DT_U16, 5}, {DT_I16, 6}, {DT_U32, 10}, {DT_I32, 11},
		{DT_U64, 20}, {DT_I64, 20},
		{DT_F16, 11}, {DT_BF16, 10}, {DT_F32, 15}, {DT_F64, 24}, {DT_C32, 23}, {DT_C64, 31},
		{DT_C128, 48},
	};

	for (size_t i = 0; i < COUNT(widths); i++)
		if (widths[i].type == t->type)
			return widths[i].width;
	return dtypes[t->type].kind == KIND_BLOCK ? 12 : SHORT;
}

static const struct tensor *tensor_of(const struct table *tb, int plane)
{
	const struct row *r = &tb->pv.sheet.s->rows[tb->pv.sheet.row_of];

	return plane == PLANE_D || !(tb->pv.sheet.sides >> plane & 1) ? NULL : r->t[plane];
}

static bool shows(const struct table *tb, int plane)
{
	return tb->all ? sheet_has_plane(&tb->pv.sheet, plane) : plane == tb->pv.sheet.plane;
}

/* With the blank before it. */
static int plane_width(const struct table *tb, int plane)
{
	const struct tensor *t = tensor_of(tb, plane);
	int n = t ? digits_of(t) : 24;

	if (!tb->wide && n > SHORT)
		n = t && decode_width(t->type) == 2 ? 2 * SHORT : SHORT;
	return (n > 5 ? n : 5) + 1;
}

static int group_width(const struct table *tb)
{
	int w = 0;

	for (int plane = 0; plane < PLANE_COUNT; plane++)
		w += shows(tb, plane) ? plane_width(tb, plane) : 0;
	return w + (tb->all ? 2 : 0);
}

static unsigned groups_across(struct view *v)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): a plane is always shown */
	int n = v->list.w / group_width(state(v));

	return n > 0 ? (unsigned)n : 1;
}

static void layout(struct view *v, struct area body)
{
	patch_view_layout(v, body, PANE_ROWS);
}

/* A vector goes on from line to line, a round number of elements in each. */
static void wrap(struct view *v)
{
	uint64_t n = 1;

	while (2 * n <= groups_across(v))
		n *= 2;
	if (n >= 8)
		n = groups_across(v) / 10 ? groups_across(v) / 10 * 10 : n;
	sheet_wrap(&state(v)->pv.sheet, n);
}

static void ask(struct view *v)
{
	struct table *tb = state(v);
	const struct matrix *m = &tb->pv.sheet.m;
	struct patch_ask a = {
		.m = *m, .sides = tb->pv.sheet.sides, .row = tb->pv.top, .column = tb->pv.left,
		.per_row = 1, .per_column = 1,
		.height = (unsigned)u64_min((uint64_t)v->list.h, m->rows - tb->pv.top),
		.width = (unsigned)u64_min(groups_across(v), m->columns - tb->pv.left),
	};

	patch_view_ask(&tb->pv, &a);
}

/* ---- values ---- */

/* Appends the value of a plane; false: not known yet, or nothing is there. */
static bool value_text(const struct table *tb, struct buf *b, int plane, unsigned y, unsigned x, bool exact)
{
	bool known;
	const struct patch_cell *c = tb->pv.patch ? patch_cell(tb->pv.patch, plane, y, x, &known) : NULL;
	const struct tensor *t = tensor_of(tb, plane);
	const struct element *e;

	if (!c || c->n + c->bad == 0)
		return false;
	if (plane == PLANE_D) {
		if (c->n)
			(exact ? fmt_exact : fmt_real)(b, c->peak);
		else
			buf_puts(b, "-");
		return true;
	}
	e = t ? patch_element(tb->pv.patch, plane, y, x) : NULL;
	if (e)
		element_text(b, t->type, e, false);
	return e != NULL;
}

/* What a column shows: all digits, or four of them; integers in full where they fit. */
static void cell_value(const struct table *tb, struct buf *b, int plane, unsigned y, unsigned x)
{
	const struct tensor *t = tensor_of(tb, plane);
	bool known = value_text(tb, b, plane, y, x, tb->wide), fits = (int)b->n < plane_width(tb, plane);
	const struct element *e = known && t ? patch_element(tb->pv.patch, plane, y, x) : NULL;

	if (!e || (fits && (tb->wide || dtypes[t->type].kind < KIND_FLOAT)))
		return;
	buf_clear(b);
	if (decode_width(t->type) == 2)
		buf_printf(b, "%.4g%+.4gj", e->x[0], e->x[1]);
	else if (isnan(e->x[0]))
		buf_puts(b, "nan");
	else
		fmt_real(b, e->x[0]);
}

/* What stands before the point of a number of four digits. */
static int before_point(struct str s)
{
	return (int)strcspn(s.p, ".e");
}

static bool has_digits(struct str s)
{
	return s.n && strcspn(s.p, "0123456789") < s.n;
}

/* Points stand below each other where all numbers in sight have the room for it. */
static void align(struct table *tb, int plane)
{
	const struct tensor *t = tensor_of(tb, plane);
	int before = 0, after = 0;
	struct buf b = {0};

	tb->after[plane] = 0;
	if (!shows(tb, plane) || tb->wide || (t && (dtypes[t->type].kind < KIND_FLOAT || decode_width(t->type) == 2)))
		return;
	for (unsigned y = 0; y < tb->pv.ask.height; y++)
		for (unsigned x = 0; x < tb->pv.ask.width; x++) {
			int n;

			buf_clear(&b);
			cell_value(tb, &b, plane, y, x);
			if (!has_digits(buf_view(&b)))
				continue;
			n = before_point(buf_view(&b));
			before = n > before ? n : before;
			after = (int)b.n - n > after ? (int)b.n - n : after;
		}
	if (before + after < plane_width(tb, plane))
		tb->after[plane] = after;
	buf_free(&b);
}

static double difference(const struct table *tb, unsigned y, unsigned x)
{
	bool known;
	const struct patch_cell *c = tb->pv.patch ? patch_cell(tb->pv.patch, PLANE_D, y, x, &known) : NULL;

	return c && c->n ? c->peak : NAN;
}

/* The level of a difference: against the largest of the tensor, once that is known. */
static int level_of(const struct table *tb, double d)
{
	const struct row *r = &tb->pv.sheet.s->rows[tb->pv.sheet.row_of];
	double most = r->result ? r->result->diff.max_abs_diff : NAN;

	if (!isfinite(d) || !(most > 0))
		return SIGNED_ZERO;
	return ramp_level(SCALE_SIGNED, d == 0 ? 0 : fabs(d / most) > 0 ? d / most : copysign(1e-9, d));
}

static void update(struct view *v)
{
	struct table *tb = state(v);
	const struct sheet *sh = &tb->pv.sheet;

	hunt_update(&tb->pv.hunt, &tb->pv.sheet, v->screen);
	tb->wide = tb->full;
	if (group_width(tb) > v->list.w)
		tb->wide = false;
	wrap(v);
	layout(v, tb->pv.body);
	tb->pv.top = sheet_scroll(tb->pv.top, sh->row, 1, (uint64_t)v->list.h, sh->m.rows, UINT64_MAX);
	tb->pv.left = sheet_scroll(tb->pv.left, sh->column, 1, groups_across(v), sh->m.columns, UINT64_MAX);
	ask(v);
	v->top = 0;
	v->cursor = (size_t)(tb->pv.sheet.row - tb->pv.top);
	v->column = (int)(tb->pv.sheet.column - tb->pv.left) * group_width(tb);
	for (int plane = 0; plane < PLANE_COUNT && tb->pv.patch; plane++)
		align(tb, plane);
}

static size_t table_rows(struct view *v)
{
	return v->list.h > 0 ? (size_t)v->list.h : 1;
}

/* ---- drawing ---- */

static enum role plane_role(int plane)
{
	static const enum role roles[PLANE_COUNT] = {ROLE_A, ROLE_B, ROLE_D};

	return roles[plane];
}

static void put_right(int y, int x, int width, enum role role, struct str s)
{
	int n = (int)utf8_width(s);

	term_put(y, n < width ? x + width - n : x, width, role, s);
}

static void draw_ruler(struct view *v)
{
	struct table *tb = state(v);
	int y = v->list.y - 1, x = v->list.x;

	term_fill(y, tb->pv.body.x, tb->pv.body.w, ROLE_TEXT);
	for (unsigned i = 0; i < tb->pv.ask.width; i++) {
		bool here = tb->pv.left + i == tb->pv.sheet.column, first = true;
		struct buf b = {0};

		for (int plane = 0; plane < PLANE_COUNT; plane++) {
			if (!shows(tb, plane))
				continue;
			if (x + plane_width(tb, plane) > v->list.x + v->list.w)
				break;
			buf_clear(&b);
			if (first)
				buf_printf(&b, "%" PRIu64, tb->pv.left + i);
			if (first && tb->all)
				buf_putc(&b, ' ');
			if (tb->all)
				buf_puts(&b, sheet_plane_name(&tb->pv.sheet, plane, v->screen->ascii));
			put_right(y, x, plane_width(tb, plane),
				  here ? ROLE_RESTING : tb->all ? plane_role(plane) : ROLE_HEADER, buf_view(&b));
			first = false;
			x += plane_width(tb, plane);
		}
		x += tb->all ? 2 : 0;
		buf_free(&b);
	}
}

static void draw_header(struct view *v, struct area a)
{
	struct table *tb = state(v);
	struct pen p = pen_at(v, (struct area){a.y, tb->pv.body.x, tb->pv.body.w, 1}, false, ROLE_TEXT);

	pen_skip(&p, 1);
	pen_puts(&p, 6, false, ROLE_GROUP, "values");
	pen_skip(&p, 2);
	for (int plane = 0; plane < PLANE_COUNT && v->screen->s->n_models > 1; plane++)
		if (shows(tb, plane)) {
			const char *name = sheet_plane_name(&tb->pv.sheet, plane, v->screen->ascii);

			pen_puts(&p, (int)utf8_width(str_of(name)), false, plane_role(plane), name);
			pen_skip(&p, 2);
		}
	draw_ruler(v);
}

static void draw_cell(struct view *v, int plane, unsigned y, unsigned x, struct area a, bool selected)
{
	struct table *tb = state(v);
	struct buf b = {0};
	double d = difference(tb, y, x);
	bool changed = d != 0 && tb->pv.sheet.sides == (1 << A | 1 << B) && !tb->all;
	int room;

	cell_value(tb, &b, plane, y, x);
	if (b.n == 0) {
		if (sheet_number(&tb->pv.sheet, tb->pv.top + y, tb->pv.left + x) != UINT64_MAX)
			put_right(a.y, a.x, a.w, ROLE_DIM, v->screen->ascii ? STR("...") : STR("…"));
		return;
	}
	if (tb->after[plane] && has_digits(buf_view(&b)))
		buf_repeat(&b, ' ', (size_t)(tb->after[plane] - ((int)b.n - before_point(buf_view(&b)))));
	room = a.w - 1 - (int)b.n;
	if (selected) {
		term_fill(a.y, a.x + 1, a.w - 1, ROLE_CURSOR);
		put_right(a.y, a.x + 1, a.w - 1, ROLE_CURSOR, buf_view(&b));
	} else if (plane == PLANE_D && term_has_scales() && isfinite(d) && level_of(tb, d) != SIGNED_ZERO) {
		struct buf padded = {0};

		buf_repeat(&padded, ' ', (size_t)(room > 0 ? room : 0));
		buf_str(&padded, buf_view(&b));
		term_tint(a.y, a.x + 1, a.w - 1, SCALE_SIGNED, level_of(tb, d), buf_view(&padded));
		buf_free(&padded);
	} else {
		bool odd = strchr(b.p, 'n') && dtypes[tb->pv.sheet.t->type].kind != KIND_BOOL;
		enum role role = odd ? ROLE_PROBLEM : strspn(b.p, "0 ") == b.n ? ROLE_DIM :
				 changed && plane != PLANE_D ? ROLE_CHANGED : ROLE_TEXT;

		put_right(a.y, a.x, a.w, role, buf_view(&b));
	}
	buf_free(&b);
}

static void draw_row(struct view *v, size_t line, struct area a)
{
	struct table *tb = state(v);
	uint64_t row = tb->pv.top + line;
	bool here = row == tb->pv.sheet.row;
	char text[24];
	int x = a.x;

	if (row >= tb->pv.sheet.m.rows || !tb->pv.patch)
		return;
	snprintf(text, sizeof(text), "%*" PRIu64, tb->pv.gutter - 1, row);
	term_puts(a.y, tb->pv.body.x, tb->pv.gutter - 1, here ? ROLE_RESTING : ROLE_HEADER, text);
	for (unsigned i = 0; i < tb->pv.ask.width; i++) {
		for (int plane = 0; plane < PLANE_COUNT; plane++) {
			int w = plane_width(tb, plane);

			if (!shows(tb, plane))
				continue;
			if (x + w > a.x + a.w) /* rather none than one without its last digits */
				break;
			draw_cell(v, plane, (unsigned)line, i, (struct area){a.y, x, w, 1},
				  here && tb->pv.left + i == tb->pv.sheet.column);
			x += w;
		}
		x += tb->all ? 2 : 0;
	}
}

/* The values under the cursor in full, a line more when they do not fit in one. */
static void draw_values(struct view *v, struct area a)
{
	struct table *tb = state(v);
	unsigned y = (unsigned)(tb->pv.sheet.row - tb->pv.top), x = (unsigned)(tb->pv.sheet.column - tb->pv.left);
	int at = a.x + 1;

	for (int plane = 0; plane < PLANE_COUNT; plane++) {
		const char *name = v->screen->s->n_models < 2 ? "value" :
				sheet_plane_name(&tb->pv.sheet, plane, v->screen->ascii);
		struct buf b = {0};
		int need;

		if (!sheet_has_plane(&tb->pv.sheet, plane) || (plane != PLANE_D && !tensor_of(tb, plane)))
			continue;
		if (!value_text(tb, &b, plane, y, x, true))
			buf_puts(&b, v->screen->ascii ? "..." : "…");
		need = (int)utf8_width(str_of(name)) + 1 + (int)utf8_width(buf_view(&b));
		if (at > a.x + 1 && at + need > a.x + a.w) {
			at = a.x + 1;
			a.y++;
		}
		at += term_puts(a.y, at, a.w, plane_role(plane), name) + 1;
		at += term_put(a.y, at, a.w, ROLE_TEXT, buf_view(&b)) + 3;
		buf_free(&b);
	}
}

static void draw_rest(struct view *v)
{
	struct table *tb = state(v);
	struct area a = tb->pv.pane;
	struct buf b = {0};
	const char *error = patch_view_error(&tb->pv);
	uint64_t number = sheet_number(&tb->pv.sheet, tb->pv.sheet.row, tb->pv.sheet.column);

	row_title(v->screen, &v->screen->s->rows[tb->pv.sheet.row_of], a);
	a.y++;
	if (error) {
		utf8_display(&b, str_of(error), v->screen->ascii);
		term_put(a.y, a.x + 1, a.w - 2, ROLE_PROBLEM, buf_view(&b));
	} else if (number == UINT64_MAX) {
		term_puts(a.y, a.x + 1, a.w - 2, ROLE_DIM, "beyond the end");
	} else {
		sheet_index_text(&tb->pv.sheet, &b, number);
		if (tb->pv.sheet.t->rank != 1)
			buf_printf(&b, "  element %" PRIu64, number);
		term_put(a.y, a.x + 1, a.w - 2, ROLE_TEXT, buf_view(&b));
		draw_values(v, (struct area){a.y + 1, a.x, a.w, 2});
	}
	patch_view_draw_sheet(v, tb->pv.pane.y + PANE_ROWS - 1);
	buf_free(&b);
}

static void place(struct view *v, struct buf *b)
{
	struct table *tb = state(v);

	patch_view_reading(v, b);
	buf_printf(b, "%" PRIu64 ",%" PRIu64, tb->pv.sheet.row, tb->pv.sheet.column);
	patch_view_slice(&tb->pv, b);
}

/* ---- keys ---- */

/* A | B | B - A, then each alone. */
static void next_plane(struct view *v)
{
	struct table *tb = state(v);
	bool pair = sheet_has_plane(&tb->pv.sheet, PLANE_D);

	if (pair && tb->all) {
		tb->all = false;
		tb->pv.sheet.plane = PLANE_A;
	} else if (pair && tb->pv.sheet.plane == PLANE_D) {
		tb->all = true;
	} else {
		sheet_next_plane(&tb->pv.sheet);
	}
}

static void chosen(struct view *v, size_t i)
{
	sheet_arrange(&state(v)->pv.sheet, &state(v)->pv.arrangements[i]);
}

static void choose(struct view *v)
{
	struct table *tb = state(v);
	size_t n = patch_view_arrangements(&tb->pv, 0, v->screen->ascii);

	menu_choose(v->screen, tb->pv.choices, n, 0, chosen);
}

static bool act(struct view *v, enum act act)
{
	struct table *tb = state(v);
	struct steps st = {1, 1, v->list.h > 1 ? v->list.h - 1 : 1, tb->all ? PLANE_D : tb->pv.sheet.plane};

	switch (act) {
	case ACT_ZOOM_IN: tb->full = true; return true;
	case ACT_ZOOM_OUT: tb->full = false; return true;
	case ACT_CHOOSE: choose(v); return true;
	case ACT_PLANE: next_plane(v); return true;
	case ACT_ARRANGE: sheet_next_arrangement(&tb->pv.sheet); return true;
	case ACT_VALUES: view_pop(v->screen); return true;
	default: return patch_view_act(v, act, &st);
	}
}

static const struct hint hints[] = {
	{ACT_GO_TO, "go to", false},
	{ACT_NEXT_LARGEST, "next largest", false},
	{ACT_CHOOSE, "choose", false},
	{ACT_ARRANGE, "dimensions", false},
	{ACT_HEAT, "heat map", false},
	{ACT_BYTES, "bytes", false},
	{ACT_NONE, NULL, false},
};

static const struct view_ops table_view = {
	.hints = hints,
	.where = WHERE_ALL | WHERE_GRID | WHERE_TENSOR | WHERE_MATRIX,
	.state_size = sizeof(struct table),
	.rows = table_rows,
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

void table_open(struct screen *sc)
{
	struct sheet sh;
	struct view *v;

	if (!sheet_of(&sh, sc->view, false))
		return;
	if (sc->view->ops->sheet)
		view_pop(sc);
	v = view_push(sc, &table_view);
	state(v)->pv.sheet = sh;
	state(v)->all = sheet_has_plane(&sh, PLANE_D);
}
