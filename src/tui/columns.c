#include "tui/columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "tui/cells.h"
#include "tui/plot.h"

enum { NAME_MIN = 22, NAME_GOOD = 34, NAME_WHOLE = 58, BAR = 8, RANKS = 15 };

/* In the order in which they stand. */
static const struct column table[] = {
	{"type", NULL, 9, true, A, {1, 3}},
	{"shape", NULL, 15, true, A, {2, 4}},
	{"parameters", NULL, 8, false, A, {3, 11}},
	{"bytes", NULL, 8, false, A, {6, 0}},
	{"bar", "change", BAR, true, A, {0, 2}},
	{"rel_l2", NULL, 10, false, A, {0, 1}},
	{"max_abs_diff", NULL, 10, false, A, {0, 5}},
	{"changed_fraction", NULL, 7, false, A, {0, 6}},
	{"cosine", NULL, 9, false, A, {0, 9}},
	{"rmse", NULL, 10, false, A, {0, 12}},
	{"mean", NULL, 10, false, A, {5, 0}},
	{"std", NULL, 10, false, A, {4, 0}},
	{"min", NULL, 10, false, A, {7, 0}},
	{"max", NULL, 10, false, A, {8, 0}},
	{"l2", NULL, 10, false, A, {9, 0}},
	{"zero", NULL, 10, false, A, {10, 0}},
	{"mean", "mean A", 10, false, A, {0, 10}},
	{"mean", "mean B", 10, false, B, {0, 10}},
	{"std", "std A", 10, false, A, {0, 7}},
	{"std", "std B", 10, false, B, {0, 7}},
	{"absmax", "absmax A", 10, false, A, {0, 13}},
	{"absmax", "absmax B", 10, false, B, {0, 13}},
	{"snr_db", NULL, 9, false, A, {0, 14}},
	{"sign_flips", NULL, 10, false, A, {0, 15}},
};

/* ---- one column ---- */

enum { FIELDS_MOST = 80, WIDTH = 10 };

/* "std A": made once for every field and side. */
static const char *sided_title(const struct field *f, int side)
{
	static char titles[FIELDS_MOST][2][24];
	char *title = titles[(f - fields) % FIELDS_MOST][side];

	snprintf(title, sizeof(titles[0][0]), "%s %c", f->title, side == A ? 'A' : 'B');
	return title;
}

/* As the table has it, or as wide as numbers are. */
static struct column column_of(const struct field *f, int side, bool sided)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (strcmp(table[i].key, f->key) == 0 && table[i].side == side && (table[i].title != NULL) == sided)
			return table[i];
	return (struct column){f->key, sided ? sided_title(f, side) : NULL, WIDTH, f->kind == CELL_TEXT, side, {0, 0}};
}

static bool of_a_side(const struct field *f)
{
	return f->group == FIELD_STATS || f->group == FIELD_DIST;
}

static const struct column *bar(void)
{
	const struct column *c = table;

	while (strcmp(c->key, "bar") != 0) /* it is there */
		c++;
	return c;
}

static bool fits(const struct field *f, bool pair)
{
	bool of_pair = f->group == FIELD_DIFF || f->group == FIELD_DIFF_DIST || strcmp(f->key, "how") == 0 ||
		       strcmp(f->key, "beyond") == 0 || strcmp(f->key, "via") == 0 || strcmp(f->key, "retyped") == 0 ||
		       strcmp(f->key, "status") == 0;

	return strcmp(f->key, "name") != 0 && (pair || !of_pair);
}

enum rc column_parse(struct column *c, struct str word, bool pair, struct err *e)
{
	const char *colon = memchr(word.p, ':', word.n);
	struct str key = {word.p, colon ? (size_t)(colon - word.p) : word.n};
	bool sided = pair && key.n > 2 && key.p[1] == '.' && (key.p[0] == 'a' || key.p[0] == 'b');
	const struct field *f = field_by_key(sided ? (struct str){key.p + 2, key.n - 2} : key);

	if (pair && str_eq(key, STR("bar")))
		*c = *bar();
	else if (!f || !fits(f, pair) || (sided && !of_a_side(f)))
		return err_set(e, "no column '%.*s'", (int)word.n, word.p);
	else
		*c = column_of(f, sided && key.p[0] == 'b' ? B : A, sided);
	if (colon) {
		char *end;
		long width = strtol(colon + 1, &end, 10);

		if (end != word.p + word.n || width < WIDTH_LEAST || width > WIDTH_MOST)
			return err_set(e, "the width of '%.*s' is not one from %d to %d", (int)word.n, word.p,
				       WIDTH_LEAST, WIDTH_MOST);
		c->width = (int)width;
	}
	return RC_OK;
}

void column_word(struct buf *b, const struct column *c, bool width)
{
	bool sided = c->title && strcmp(c->key, "bar") != 0;

	buf_printf(b, "%s%s", !sided ? "" : c->side == A ? "a." : "b.", c->key);
	if (width)
		buf_printf(b, ":%d", c->width);
}

bool column_same(const struct column *a, const struct column *b)
{
	return strcmp(a->key, b->key) == 0 && a->side == b->side && !a->title == !b->title;
}

size_t columns_offered(struct column *out, size_t most, bool pair)
{
	size_t n = 0;

	if (pair && n < most)
		out[n++] = *bar();
	for (const struct field *f = fields; f->key; f++) {
		if (!fits(f, pair))
			continue;
		for (int side = A; side <= (pair && of_a_side(f) ? B : A); side++)
			if (n < most)
				out[n++] = column_of(f, side, pair && of_a_side(f));
	}
	return n;
}

/* ---- which there is room for ---- */

static bool is(const char *key, const struct field *f)
{
	return f && strcmp(key, f->key) == 0;
}

/* Columns that rank r adds; a column that is sorted by is there already. */
static int width_of_rank(unsigned r, bool pair, const struct field *sort)
{
	int w = 0;

	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].rank[pair] == r && !is(table[i].key, sort))
			w += table[i].width + 1;
	return w;
}

/* The width of the columns of the field that is sorted by, which are there however short room is. */
static int width_of_sorted(struct columns *cs, bool pair, const struct field *sort)
{
	int w = 0;

	if (!sort || is("name", sort) || is("status", sort)) /* these stand before all columns */
		return 0;
	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].rank[pair] && is(table[i].key, sort))
			w += table[i].width + 1;
	if (w == 0) {
		cs->extra = (struct column){sort->key, NULL, 10, sort->kind == CELL_TEXT, A, {0, 0}};
		w = cs->extra.width + 1;
	}
	return w;
}

/* What names are left before a column of rank r takes it: in a list without groups they stand in full. */
static int spare_for_names(unsigned r, bool whole)
{
	if (r <= 2)
		return 0;
	return whole ? NAME_WHOLE - NAME_MIN : r > 5 ? NAME_GOOD - NAME_MIN : 0;
}

/* The user's: from the left as many as fit. One that is sorted by comes last unless it is among them. */
static void fit_chosen(struct columns *cs, int left, const struct field *sort, const struct chosen *chosen)
{
	bool shown = !sort || is("name", sort) || is("status", sort);

	for (size_t i = 0; i < chosen->n; i++)
		shown = shown || is(chosen->c[i].key, sort);
	if (!shown)
		cs->extra = column_of(sort, A, false);
	left -= NAME_MIN + (shown ? 0 : cs->extra.width + 1);
	for (size_t i = 0; i < chosen->n && chosen->c[i].width + 1 <= left; i++) {
		cs->c[cs->n++] = &chosen->c[i];
		left -= chosen->c[i].width + 1;
	}
	if (!shown && cs->n < COLUMNS_MAX)
		cs->c[cs->n++] = &cs->extra;
	cs->name = left + NAME_MIN;
}

/* The blank before the column, and another one where its title leaves room: one cell is hard to hit. */
size_t columns_border(const struct columns *cs, int x)
{
	int at = cs->name;

	for (size_t i = 0; i < cs->n; i++) {
		const struct column *c = cs->c[i];
		bool room = !c->left && (int)utf8_width(str_of(column_title(c))) + 2 < c->width;

		if (x == at || (room && x == at + 1))
			return i;
		at += 1 + c->width;
	}
	return cs->n;
}

int columns_at(const struct columns *cs, int x)
{
	int at = cs->name;

	if (x < at)
		return -1;
	for (size_t i = 0; i < cs->n; i++) {
		at += 1 + cs->c[i]->width;
		if (x < at)
			return (int)i;
	}
	return (int)cs->n - 1;
}

void columns_widen(const struct columns *cs, struct chosen *chosen, size_t column, int by)
{
	int width;

	if (!chosen->on)
		columns_now(cs, chosen);
	if (column >= chosen->n)
		return;
	width = chosen->c[column].width;
	by = by > cs->name - NAME_MIN ? cs->name - NAME_MIN : by;
	by = width + by < WIDTH_LEAST ? WIDTH_LEAST - width : width + by > WIDTH_MOST ? WIDTH_MOST - width : by;
	chosen->c[column].width += by;
}

bool columns_want_distribution(const struct columns *cs)
{
	for (size_t i = 0; i < cs->n; i++) {
		const struct field *f = field_by_key(str_of(cs->c[i]->key));

		if (f && (f->group == FIELD_DIST || f->group == FIELD_DIFF_DIST))
			return true;
	}
	return false;
}

void columns_now(const struct columns *cs, struct chosen *chosen)
{
	*chosen = (struct chosen){.on = true};
	for (size_t i = 0; i < cs->n; i++)
		if (cs->c[i] != &cs->extra)
			chosen->c[chosen->n++] = *cs->c[i];
}

/* Takes ranks in turn until one does not fit; those of one rank come together. */
void columns_fit(struct columns *cs, int width, bool pair, const struct field *sort, bool whole,
		 const struct chosen *chosen)
{
	unsigned r;
	int left;

	*cs = (struct columns){0};
	if (chosen->on) {
		fit_chosen(cs, width - (pair ? 2 : 0), sort, chosen);
		return;
	}
	left = width - NAME_MIN - (pair ? 2 : 0) - width_of_sorted(cs, pair, sort);
	for (r = 1; r <= RANKS; r++) {
		int w = width_of_rank(r, pair, sort);

		if (w > left - spare_for_names(r, whole))
			break;
		left -= w;
	}
	for (size_t i = 0; i < COUNT(table) && cs->n < COLUMNS_MAX - 1; i++) {
		unsigned own = table[i].rank[pair];

		if (own && (own < r || is(table[i].key, sort)))
			cs->c[cs->n++] = &table[i];
	}
	if (cs->extra.key)
		cs->c[cs->n++] = &cs->extra;
	cs->name = left + NAME_MIN;
}

const char *column_title(const struct column *c)
{
	const struct field *f;

	if (c->title)
		return c->title;
	f = field_by_key(str_of(c->key));
	return f ? f->title : c->key;
}

static void put_title(struct pen *p, int width, bool right, const char *title, bool sorted, bool reverse)
{
	struct buf b = {0};
	const char *mark = p->ascii ? (reverse ? "v" : "^") : (reverse ? "▼" : "▲");

	buf_printf(&b, "%s%s", title, sorted ? mark : "");
	pen_put(p, width, right, ROLE_HEADER, buf_view(&b));
	buf_free(&b);
}

void columns_draw_header(const struct columns *cs, struct pen *p, const struct field *sort, bool reverse)
{
	const char *by = sort ? sort->key : "";

	p->needle = NULL;
	put_title(p, cs->name, false, strcmp(by, "status") == 0 ? "status" : "name",
		  strcmp(by, "name") == 0 || strcmp(by, "status") == 0, reverse);
	for (size_t i = 0; i < cs->n; i++) {
		const struct column *c = cs->c[i];
		bool sorted = strcmp(by, c->key) == 0 && c->side == A;

		pen_skip(p, 1);
		put_title(p, c->width, !c->left, column_title(c), sorted, reverse);
	}
}

static void put_bar(struct pen *p, const struct screen *sc, const struct line *l)
{
	struct cell c = field_get(field_by_key(STR("rel_l2")), l->row, A);
	struct buf b = {0};
	double f = 0;

	if (c.kind == CELL_REAL && sc->strongest > 0)
		f = c.u.real / sc->strongest;
	if (sc->log_scale && f > 0) /* six powers of ten; what is less than a millionth of the largest is a sliver */
		f = fmax(1e-9, 1 + log10(f) / 6);
	plot_bar(&b, f, BAR, sc->ascii);
	pen_put(p, BAR, false, ROLE_BAR, buf_view(&b));
	buf_free(&b);
}

static void type_of(struct buf *b, const struct line *l, bool ascii)
{
	const struct row *r = l->row;

	if (!l->rows)
		type_text(b, r->t[A] ? r->t[A]->type_name : NULL, r->t[B] ? r->t[B]->type_name : NULL, ascii);
	else if (l->type[A] || l->type[B])
		type_text(b, l->type[A], l->type[B], ascii);
	else
		buf_puts(b, "mixed");
}

/* In the place of a shape a group says how many of its tensors differ. */
static void shape_of(struct buf *b, const struct screen *sc, const struct line *l)
{
	if (!l->rows)
		shape_text(b, l->row, sc->ascii);
	else if (sc->s->n_models < 2 || (l->waiting && !l->differ))
		buf_printf(b, "%zu tensor%s", l->rows, l->rows == 1 ? "" : "s");
	else if (l->only_in)
		buf_printf(b, "%s%zu %s", l->rows == 1 ? "" : "all ", l->rows, l->only_in);
	else if (l->differ == l->rows)
		buf_printf(b, l->rows == 1 ? "%zu differs" : "all %zu differ", l->rows);
	else if (l->differ && l->rows < 10000)
		buf_printf(b, "%zu/%zu differ", l->differ, l->rows);
	else if (l->differ)
		buf_printf(b, "%zu differ", l->differ);
	else
		buf_printf(b, "0/%zu differ", l->rows);
}

/* Whether a value that is not there will come. */
static bool comes(const struct line *l, const struct field *f, int side)
{
	const struct row *r = l->row;

	if (f->group == FIELD_HEADER)
		return false;
	if (l->rows)
		return l->waiting > 0;
	if (f->group == FIELD_DIFF || f->group == FIELD_DIFF_DIST)
		return r->status == ST_PENDING;
	side = r->t[side] ? side : side == A ? B : A;
	if (f->group == FIELD_DIST && r->result && !r->result->error)
		return !(r->result->have & WANT_DIST);
	return !r->result && r->t[side] && !r->t[side]->trouble;
}

struct cell column_value(const struct column *c, const struct line *l, int side)
{
	bool other = c->title && !l->row->t[c->side]; /* "mean A" of what only B has */

	if (strcmp(c->key, "bar") == 0 || other || !l->row->t[side])
		return (struct cell){.kind = CELL_NONE};
	if (strcmp(c->key, "type") == 0 && l->rows)
		return l->type[side] ? (struct cell){.kind = CELL_TEXT, .u.text = str_of(l->type[side])} :
				       (struct cell){.kind = CELL_TEXT, .u.text = STR("mixed")};
	if (strcmp(c->key, "shape") == 0 && l->rows)
		return (struct cell){.kind = CELL_NONE};
	return field_get(field_by_key(str_of(c->key)), l->row, side);
}

/* A value that is not there and will not come is a dash. */
static void value_text(struct buf *b, const struct column *c, const struct cell *cell, bool coming, bool ascii)
{
	if (cell->kind == CELL_NONE)
		buf_puts(b, coming ? (ascii ? "..." : "…") : "-");
	else if (cell->kind == CELL_COUNT && c->width < 10)
		fmt_short(b, cell->u.count);
	else
		cell_text(b, cell, ascii);
}

/* Of a pair a value is A's, or that of the one side there is. */
static int side_of(const struct column *c, const struct line *l)
{
	return l->row->t[c->side] || c->title ? c->side : c->side == A ? B : A;
}

void column_text(struct buf *b, const struct column *c, const struct screen *sc, const struct line *l)
{
	const struct field *f = field_by_key(str_of(c->key));
	struct cell cell;

	if (strcmp(c->key, "type") == 0) {
		type_of(b, l, sc->ascii);
	} else if (strcmp(c->key, "shape") == 0) {
		shape_of(b, sc, l);
	} else {
		cell = column_value(c, l, side_of(c, l));
		value_text(b, c, &cell, l->row->t[side_of(c, l)] && f && comes(l, f, c->side), sc->ascii);
	}
}

static enum role role_of(const struct column *c, const struct line *l)
{
	const struct field *f = field_by_key(str_of(c->key));
	struct cell cell;

	if (strcmp(c->key, "type") == 0 || strcmp(c->key, "shape") == 0)
		return l->rows ? ROLE_DIM : ROLE_TEXT;
	cell = column_value(c, l, side_of(c, l));
	return cell.kind == CELL_NONE || (l->rows && l->waiting && f->group != FIELD_HEADER) ? ROLE_DIM : ROLE_TEXT;
}

void columns_draw(const struct columns *cs, struct pen *p, const struct screen *sc, const struct line *l)
{
	struct buf b = {0};

	p->needle = NULL; /* names are searched, not numbers */
	for (size_t i = 0; i < cs->n; i++) {
		const struct column *c = cs->c[i];

		pen_skip(p, 1);
		if (strcmp(c->key, "bar") == 0) {
			put_bar(p, sc, l);
			continue;
		}
		buf_clear(&b);
		column_text(&b, c, sc, l);
		pen_put(p, c->width, !c->left, role_of(c, l), buf_view(&b));
	}
	buf_free(&b);
}
