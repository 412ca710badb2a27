#include "tui/detail.h"

#include <math.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "model/pack.h"
#include "tui/cells.h"
#include "tui/plot.h"

enum { LABEL = 9, VALUE = 10, GAP = 2 };

/* In the order in which they matter when there is not room for all. */
static const char *const stat_keys[] = {
	"mean", "std",  "min", "max", "zero", "median", "p01",      "p99",      "absmax", "nan",    "inf",
	"rms",  "p05",  "p25", "p75", "p95",  "l1",     "l2",       "skewness", "kurtosis", "distinct", "entropy",
};
static const char *const diff_keys[] = {
	"rel_l2",     "max_abs_diff",  "changed",      "changed_fraction", "cosine",        "rmse",    "mean_diff",
	"sign_flips", "mean_abs_diff", "p50_abs_diff", "p99_abs_diff",     "max_abs_index", "l2_diff", "snr_db",
	"nan_mismatch",
};

/* ---- tables ---- */

static bool two_sides(const struct detail *d)
{
	return d->screen->s->n_models > 1;
}

/* Whether everything below a group was computed. */
static bool group_is_whole(const struct rollup *u)
{
	size_t rows = 0;

	for (int st = 0; st < ST_COUNT; st++)
		rows += u->by_status[st];
	return u->computed == rows;
}

/* Whether a value is still to come: asked for, and nothing keeps it from being computed. */
static bool is_pending(const struct detail *d, const struct field *f, int side)
{
	const struct row *r = d->row;
	bool dist = f->group == FIELD_DIST || f->group == FIELD_DIFF_DIST;

	if (d->u)
		return !group_is_whole(d->u);
	if (r->result && r->result->error)
		return false;
	if (f->group == FIELD_DIFF || f->group == FIELD_DIFF_DIST) {
		if (r->status == ST_PENDING)
			return true;
		return dist && r->result && !(r->result->have & WANT_DIST) && r->t[A] && r->t[B];
	}
	if (!r->t[side] || r->t[side]->trouble)
		return false;
	return !r->result || (dist && !(r->result->have & WANT_DIST));
}

static void draw_value(const struct detail *d, int y, int x, const struct field *f, int side)
{
	struct cell c = {.kind = CELL_NONE};
	struct buf b = {0};
	enum role role = ROLE_TEXT;
	bool ascii = d->screen->ascii, of_side = f->group == FIELD_STATS || f->group == FIELD_DIST;

	if (!of_side || d->row->t[side])
		c = field_get(f, d->row, side);
	if (c.kind == CELL_NONE && is_pending(d, f, side))
		buf_puts(&b, ascii ? "..." : "…");
	else
		cell_text(&b, &c, ascii);
	if (c.kind == CELL_NONE || (d->u && !group_is_whole(d->u)))
		role = ROLE_DIM;
	x += VALUE - (int)utf8_width(buf_view(&b));
	term_put(y, x, VALUE, role, buf_view(&b));
	buf_free(&b);
}

/* Of a group there is no distribution, and no index of anything. */
static bool shown_here(const struct detail *d, const struct field *f)
{
	return !d->u || (f->group != FIELD_DIST && f->group != FIELD_DIFF_DIST && strcmp(f->key, "max_abs_index") != 0);
}

static int stats_width(const struct detail *d)
{
	return LABEL + (two_sides(d) ? 2 : 1) * (VALUE + 1) - 1;
}

static void draw_heads(const struct detail *d, int y, int x)
{
	if (!two_sides(d)) {
		term_puts(y, x, LABEL, ROLE_HEADER, "values");
		return;
	}
	term_puts(y, x + LABEL + VALUE - 1, 1, ROLE_A, "A");
	term_puts(y, x + LABEL + 2 * VALUE, 1, ROLE_B, "B");
}

static int count_fields(const struct detail *d, const char *const *keys, size_t n_keys)
{
	int n = 0;

	for (size_t i = 0; i < n_keys; i++)
		n += shown_here(d, field_by_key(str_of(keys[i])));
	return n;
}

static void draw_fields(const struct detail *d, struct area a, const char *const *keys, size_t n_keys, bool sides)
{
	int line = -d->scroll;

	for (size_t i = 0; i < n_keys; i++) {
		const struct field *f = field_by_key(str_of(keys[i]));
		int y = a.y + line;

		if (!shown_here(d, f))
			continue;
		if (line++ < 0 || y >= a.y + a.h)
			continue;
		term_puts(y, a.x, LABEL - 1, ROLE_DIM, f->title);
		draw_value(d, y, a.x + LABEL - !sides, f, A);
		if (sides && two_sides(d))
			draw_value(d, y, a.x + LABEL + VALUE + 1, f, B);
	}
}

/* Statistics, and beside them the differences; they scroll together. Returns the columns they take. */
static int draw_tables(struct detail *d, struct area a)
{
	int x = a.x, w = stats_width(d), lines = count_fields(d, stat_keys, COUNT(stat_keys));
	struct area body = {a.y + 1, x, w, a.h - 1};

	if (d->scroll > lines - body.h)
		d->scroll = lines > body.h ? lines - body.h : 0;
	draw_heads(d, a.y, x);
	draw_fields(d, body, stat_keys, COUNT(stat_keys), true);
	x += w + GAP;
	if (two_sides(d) && a.x + a.w >= x + LABEL - 1 + VALUE) {
		body.x = x;
		term_puts(a.y, x, LABEL + VALUE, ROLE_HEADER, d->screen->ascii ? "B - A" : "B − A");
		draw_fields(d, body, diff_keys, COUNT(diff_keys), false);
		x += LABEL - 1 + VALUE + GAP;
	}
	return x - a.x;
}

/* ---- histograms ---- */

static const char *why_no_histogram(const struct detail *d)
{
	const struct row *r = d->row;

	for (int side = A; side <= B; side++)
		if (r->t[side] && r->t[side]->trouble)
			return r->t[side]->trouble;
	if (r->result && r->result->error)
		return r->result->error;
	if (!r->result || r->result->bins[A].n != PLOT_BINS)
		return d->screen->ascii ? "..." : "…";
	if (isnan(r->result->stats[r->t[A] ? A : B].min))
		return "no finite values";
	return NULL;
}

static void draw_note(const struct detail *d, struct area a, const char *text)
{
	struct buf shown = {0};
	struct str s;

	utf8_display(&shown, str_of(text), d->screen->ascii);
	s = buf_view(&shown);
	for (int y = a.y; s.n && y < a.y + a.h; y++) {
		size_t n = utf8_fit(s, (size_t)a.w, NULL);

		term_put(y, a.x, a.w, ROLE_DIM, s);
		s = (struct str){s.p + (n ? n : s.n), s.n - (n ? n : s.n)};
	}
	buf_free(&shown);
}

static bool overlaid(const struct row *r)
{
	return r->t[A] && r->t[B] && r->result && !isnan(r->result->stats[A].min) && !isnan(r->result->stats[B].min);
}

/* The values, and of a comparable pair the differences: side by side where there is room, else one below the other. */
static void draw_histograms(const struct detail *d, struct area a)
{
	const struct screen *sc = d->screen;
	const struct row *r = d->row;
	const char *why = why_no_histogram(d);
	struct area first = a, second = a;
	bool differs = status_compared(r->status) && status_differs(r->status), both;
	int side = r->t[A] ? A : B;

	if (a.w < 8 || a.h < 2)
		return;
	if (why) {
		draw_note(d, a, why);
		return;
	}
	if (differs && plot_columns(a.w / 2 - 1) >= 24) {
		first.w = a.w / 2 - 1;
		second.x += first.w + 2;
		second.w = first.w;
	} else if (differs && a.h >= 6) {
		first.h = (a.h + 1) / 2;
		second.y += first.h;
		second.h = a.h - first.h;
	} else {
		differs = false;
	}
	both = overlaid(r);
	if (side == A && isnan(r->result->stats[A].min))
		side = B;
	if (both)
		plot_hist(first, "A, B", &r->result->bins[A], &r->result->bins[B], ROLE_TEXT, sc->log_scale, sc->ascii);
	else
		plot_hist(first, !two_sides(d) ? "values" : side == A ? "A" : "B", &r->result->bins[side], NULL,
			  side == A ? ROLE_A : ROLE_B, sc->log_scale, sc->ascii);
	if (differs && r->result->diff.max_abs_diff > 0)
		plot_hist(second, sc->ascii ? "B - A" : "B − A", &r->result->bins_d, NULL, ROLE_D, sc->log_scale,
			  sc->ascii);
}

/* ---- groups ---- */

enum { COUNTS = 18 }; /* columns that they take */

static void draw_count(size_t n, const char *what, int *y, struct area a)
{
	struct buf b = {0};

	if (n == 0 || *y >= a.y + a.h)
		return;
	buf_printf(&b, "%6zu   %s", n, what);
	term_put((*y)++, a.x, a.w, ROLE_DIM, buf_view(&b));
	buf_free(&b);
}

static void draw_counts(const struct detail *d, struct area a)
{
	int y = a.y;

	for (int st = ST_PENDING; st < ST_SINGLE && two_sides(d); st++) {
		struct buf b = {0};

		if (!d->u->by_status[st] || y >= a.y + a.h)
			continue;
		buf_printf(&b, "%6zu", d->u->by_status[st]);
		term_put(y, a.x, 6, ROLE_TEXT, buf_view(&b));
		term_puts(y, a.x + 7, 1, status_role((enum status)st), status_mark((enum status)st, d->screen->ascii));
		term_puts(y++, a.x + 9, a.w - 9, ROLE_DIM, statuses[st].name);
		buf_free(&b);
	}
	draw_count(d->u->retyped, "retyped", &y, a);
	draw_count(d->u->renamed, "renamed", &y, a);
}

/* ---- the head ---- */

static void size_text(struct buf *b, uint64_t parameters, uint64_t bytes)
{
	fmt_short(b, parameters);
	buf_puts(b, parameters == 1 ? " parameter, " : " parameters, ");
	fmt_bytes(b, bytes);
}

/* "F32 512×64, 32.8 K parameters, 128 KiB" of one side */
static void facts(const struct detail *d, struct buf *b, int side)
{
	const struct tensor *t = d->row->t[side];

	if (d->u) {
		buf_printf(b, "%zu tensor%s, ", d->u->tensors[side], d->u->tensors[side] == 1 ? "" : "s");
		size_text(b, d->u->parameters[side], d->u->bytes[side]);
	} else if (t) {
		type_text(b, t->type_name, NULL, d->screen->ascii);
		buf_putc(b, ' ');
		(d->screen->ascii ? fmt_shape_ascii : fmt_shape)(b, t->shape, t->rank);
		buf_puts(b, ", ");
		size_text(b, t->count, t->data.length);
	} else {
		buf_puts(b, "not there");
	}
}

/* Both sides in one: "F32→BF16 512×64, ..."; the size is A's. */
static void facts_of_both(const struct detail *d, struct buf *b)
{
	const struct row *r = d->row;
	const struct tensor *t = r->t[A] ? r->t[A] : r->t[B];

	if (d->u || !r->t[A] || !r->t[B]) {
		facts(d, b, r->t[A] ? A : B);
		return;
	}
	type_text(b, r->t[A]->type_name, r->t[B]->type_name, d->screen->ascii);
	buf_putc(b, ' ');
	shape_text(b, r, d->screen->ascii);
	buf_puts(b, ", ");
	size_text(b, t->count, t->data.length);
}

static void put_facts(const struct detail *d, int y, int x, int w, int side)
{
	struct buf b = {0}, cut = {0};

	if (w < 8)
		return;
	facts(d, &b, side);
	utf8_ellipsis(&cut, buf_view(&b), (size_t)w, d->screen->ascii);
	term_put(y, x, w, ROLE_DIM, buf_view(&cut));
	buf_free(&b);
	buf_free(&cut);
}

/* How a packed tensor is stored, on one line: "GPTQ, 4 bits, groups of 128: x.qweight, x.scales, ...". */
static void draw_parts(const struct detail *d, int y, int x, int w, int side)
{
	const struct pack *p = d->row->t[side]->pack;
	struct buf b = {0}, cut = {0};

	buf_printf(&b, "%s: ", p->about);
	for (unsigned i = 0; i < p->n_parts; i++) {
		buf_puts(&b, i ? ", " : "");
		utf8_display(&b, p->parts[i].name, d->screen->ascii);
	}
	utf8_ellipsis(&cut, buf_view(&b), (size_t)w, d->screen->ascii);
	term_put(y, x, w, ROLE_DIM, buf_view(&cut));
	buf_free(&b);
	buf_free(&cut);
}

static bool is_packed(const struct detail *d, int side)
{
	return !d->u && d->row->t[side] && d->row->t[side]->pack;
}

/* One line tells of both. */
static bool stored_alike(const struct row *r)
{
	const struct pack *a = r->t[A] ? r->t[A]->pack : NULL, *b = r->t[B] ? r->t[B]->pack : NULL;

	if (!a || !b || strcmp(a->about, b->about) != 0 || a->n_parts != b->n_parts)
		return false;
	for (unsigned i = 0; i < a->n_parts; i++)
		if (!str_eq(a->parts[i].name, b->parts[i].name))
			return false;
	return true;
}

/* The name and the status on a line of its own kind, so that the pane needs no border. Returns where it ended. */
static int draw_head(const struct detail *d, struct area a)
{
	struct buf b = {0}, cut = {0}, name = {0};
	enum role role = d->focus ? ROLE_CURSOR : ROLE_TITLE;
	enum status st = d->row->status;
	int x = a.x + 1, room = a.w - 2 - (!d->u && two_sides(d) ? 13 : 0) - (row_renamed(d->row) ? 19 : 0);

	term_fill(a.y, a.x, a.w, role);
	if (!d->u)
		pair_name(&name, d->row, d->screen->ascii);
	else
		buf_str(&name, d->name.n ? d->name : STR("all tensors"));
	utf8_display(&b, buf_view(&name), d->screen->ascii);
	utf8_ellipsis_name(&cut, buf_view(&b), (size_t)(room > 0 ? room : 0), d->screen->ascii);
	x += term_put(a.y, x, room, role, buf_view(&cut)) + 2;
	buf_clear(&b);
	if (!d->u && two_sides(d) && st < ST_SINGLE)
		buf_puts(&b, st == ST_PENDING ? (d->screen->ascii ? "..." : "…") : statuses[st].name);
	if (b.n && d->row->result && d->row->result->how)
		buf_printf(&b, ": %s", d->row->result->how);
	if (row_renamed(d->row))
		buf_printf(&b, " (found by %s)", vias[d->row->via]);
	if (b.n)
		x += term_put(a.y, x, a.x + a.w - x, role, buf_view(&b)) + 2;
	buf_free(&b);
	buf_free(&cut);
	buf_free(&name);
	return x;
}

static void draw_below(struct detail *d, struct area a)
{
	struct area body = {a.y + 1, a.x + 1, a.w - 2, a.h - 1};
	struct buf b = {0};
	int x = draw_head(d, a), used;

	facts_of_both(d, &b);
	if ((int)utf8_width(buf_view(&b)) <= a.x + a.w - 1 - x)
		term_put(a.y, a.x + a.w - 1 - (int)utf8_width(buf_view(&b)), a.w, d->focus ? ROLE_CURSOR : ROLE_TITLE,
			 buf_view(&b));
	buf_free(&b);
	for (int side = A; side < (int)d->screen->s->n_models && body.h > 5; side++)
		if (is_packed(d, side) && !(side == B && stored_alike(d->row))) {
			draw_parts(d, body.y++, body.x, body.w, side);
			body.h--;
		}
	used = draw_tables(d, body) + 1;
	body.x += used;
	body.w -= used;
	if (d->u) {
		if (body.w >= COUNTS)
			draw_counts(d, body);
		return;
	}
	if (overlaid(d->row) && body.w >= 20 && !why_no_histogram(d) && body.h > 8) {
		plot_legend(body.y, body.x, body.w, d->screen->ascii);
		body.y++;
		body.h--;
	}
	draw_histograms(d, body);
}

static void draw_right(struct detail *d, struct area a)
{
	struct area rest = {a.y + 1, a.x + 1, a.w - 1, a.h - 1};
	int plots = d->u ? 0 : two_sides(d) ? rest.h * 2 / 5 : rest.h / 3;

	draw_head(d, a);
	for (int side = A; side < (int)d->screen->s->n_models; side++, rest.y++, rest.h--) {
		int x = rest.x;

		if (two_sides(d))
			x += term_puts(rest.y, x, 2, side == A ? ROLE_A : ROLE_B, side == A ? "A " : "B ");
		put_facts(d, rest.y, x, rest.x + rest.w - x, side);
		if (is_packed(d, side) && rest.h > 12) {
			draw_parts(d, ++rest.y, x, rest.x + rest.w - x, side);
			rest.h--;
		}
	}
	if (plots > 6) {
		struct area plot = {rest.y + 1, rest.x, rest.w, plots - 2};

		if (overlaid(d->row) && !why_no_histogram(d))
			plot_legend(rest.y, rest.x, rest.w, d->screen->ascii);
		draw_histograms(d, plot);
		rest.y += plots;
		rest.h -= plots;
	} else {
		rest.y++;
		rest.h--;
	}
	if (d->u) {
		struct area counts = {rest.y, rest.x - 2, rest.w, ST_COUNT + 1};
		int lines = (d->u->retyped > 0) + (d->u->renamed > 0);

		for (int st = ST_PENDING; two_sides(d) && st < ST_SINGLE; st++)
			lines += d->u->by_status[st] > 0;
		draw_counts(d, counts);
		rest.y += lines + (lines > 0);
		rest.h -= lines + (lines > 0);
	}
	draw_tables(d, rest);
}

void detail_draw(struct detail *d, struct area a, bool right)
{
	for (int i = 0; i < a.h; i++)
		term_fill(a.y + i, a.x, a.w, ROLE_TEXT);
	if (right)
		draw_right(d, a);
	else
		draw_below(d, a);
}
