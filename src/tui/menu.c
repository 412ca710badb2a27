#include "tui/menu.h"

#include <string.h>

#include "tui/browse.h"

/* ---- what a view offers ---- */

struct choose_menu {
	const struct choice *choices;
	size_t n;
	int name; /* columns */
	void (*chosen)(struct view *, size_t);
};

static size_t choose_rows(struct view *v)
{
	return ((struct choose_menu *)v->state)->n;
}

static void choose_draw_row(struct view *v, size_t row, struct area a)
{
	const struct choose_menu *m = v->state;
	struct pen p = pen_at(v, a, row == v->cursor, ROLE_CURSOR);

	pen_skip(&p, 1);
	pen_puts(&p, m->name, false, ROLE_GROUP, m->choices[row].name);
	pen_skip(&p, 2);
	pen_puts(&p, a.w - m->name - 4, false, ROLE_TEXT, m->choices[row].about);
}

static bool choose_find(struct view *v, size_t item, const struct needle *nd)
{
	size_t at, n;

	return needle_find(nd, str_of(((struct choose_menu *)v->state)->choices[item].name), 0, &at, &n);
}

static bool choose_act(struct view *v, enum act act)
{
	struct screen *sc = v->screen;
	void (*chosen)(struct view *, size_t) = ((struct choose_menu *)v->state)->chosen;
	size_t at = v->cursor;

	if (act != ACT_OPEN || at >= choose_rows(v))
		return false;
	view_pop(sc);
	chosen(sc->view, at);
	return true;
}

static const struct view_ops choose_view = {
	.title = "choose",
	.where = WHERE_ALL,
	.state_size = sizeof(struct choose_menu),
	.rows = choose_rows,
	.draw_row = choose_draw_row,
	.find = choose_find,
	.act = choose_act,
};

void menu_choose(struct screen *sc, const struct choice *choices, size_t n, size_t now,
		 void (*chosen)(struct view *, size_t))
{
	struct view *v = view_push(sc, &choose_view);
	struct choose_menu *m = v->state;

	*m = (struct choose_menu){.choices = choices, .n = n, .chosen = chosen};
	for (size_t i = 0; i < n; i++)
		m->name = (int)strlen(choices[i].name) > m->name ? (int)strlen(choices[i].name) : m->name;
	v->cursor = now;
}

/* ---- the field to sort by ---- */

struct sort_menu {
	const struct field *fields[64];
	size_t n;
};

static bool offered(const struct screen *sc, const struct field *f)
{
	bool of_pair = f->group == FIELD_DIFF || f->group == FIELD_DIFF_DIST || strcmp(f->key, "status") == 0 ||
		       strcmp(f->key, "retyped") == 0 || strcmp(f->key, "via") == 0;

	if (of_pair && sc->s->n_models < 2)
		return false;
	return strcmp(f->key, "count") != 0; /* parameters, again */
}

static size_t sort_rows_shown(struct view *v)
{
	return ((struct sort_menu *)v->state)->n;
}

static void sort_draw_row(struct view *v, size_t row, struct area a)
{
	const struct sort_menu *m = v->state;
	struct pen p = pen_at(v, a, row == v->cursor, ROLE_CURSOR);

	pen_skip(&p, 1);
	pen_puts(&p, 18, false, ROLE_GROUP, m->fields[row]->key);
	pen_skip(&p, 1);
	pen_puts(&p, a.w - 21, false, ROLE_TEXT, m->fields[row]->about);
}

static bool sort_find(struct view *v, size_t item, const struct needle *nd)
{
	size_t at, n;

	return needle_find(nd, str_of(((struct sort_menu *)v->state)->fields[item]->key), 0, &at, &n);
}

/* Numbers from the largest on, words from the first on: S turns it round. */
static bool sort_act(struct view *v, enum act act)
{
	struct screen *sc = v->screen;
	const struct sort_menu *m = v->state;
	const struct field *f;

	if (act != ACT_OPEN || v->cursor >= m->n)
		return false;
	f = m->fields[v->cursor];
	view_pop(sc);
	browse_sort(sc->view, f, f->kind != CELL_TEXT);
	return true;
}

static const struct view_ops sort_view = {
	.title = "sort by",
	.where = WHERE_ALL,
	.state_size = sizeof(struct sort_menu),
	.rows = sort_rows_shown,
	.draw_row = sort_draw_row,
	.find = sort_find,
	.act = sort_act,
};

void menu_sort(struct screen *sc)
{
	bool reverse;
	const struct field *now = browse_sorted_by(sc->view, &reverse);
	const char *first = now ? now->key : sc->s->n_models > 1 ? "rel_l2" : "parameters";
	struct view *v = view_push(sc, &sort_view);
	struct sort_menu *m = v->state;

	for (const struct field *f = fields; f->key && m->n < COUNT(m->fields); f++) {
		if (!offered(sc, f))
			continue;
		if (strcmp(f->key, first) == 0)
			v->cursor = m->n;
		m->fields[m->n++] = f;
	}
}

/* ---- options ---- */

static const char *pane_value(struct screen *sc)
{
	return browse_pane_name(sc->view->below);
}

static void pane_next(struct screen *sc)
{
	browse_cycle_pane(sc->view->below);
}

static const char *scale_value(struct screen *sc)
{
	return sc->log_scale ? "logarithmic" : "linear";
}

static void scale_next(struct screen *sc)
{
	sc->log_scale = !sc->log_scale;
}

static const char *shown_value(struct screen *sc)
{
	return browse_shown(sc->view->below);
}

static void shown_next(struct screen *sc)
{
	browse_cycle_shown(sc->view->below);
}

static const struct option {
	const char *name;
	const char *(*value)(struct screen *);
	void (*next)(struct screen *);
} options[] = {
	{"details", pane_value, pane_next},
	{"bars and histograms", scale_value, scale_next},
	{"tensors shown", shown_value, shown_next}, /* the last one: of pairs only */
};

static size_t options_rows(struct view *v)
{
	return COUNT(options) - (v->screen->s->n_models < 2);
}

static void options_draw_row(struct view *v, size_t row, struct area a)
{
	struct pen p = pen_at(v, a, row == v->cursor, ROLE_CURSOR);

	pen_skip(&p, 1);
	pen_puts(&p, 22, false, ROLE_GROUP, options[row].name);
	pen_skip(&p, 1);
	pen_puts(&p, a.w - 25, false, ROLE_TEXT, options[row].value(v->screen));
}

static bool options_act(struct view *v, enum act act)
{
	if (act != ACT_OPEN)
		return false;
	options[v->cursor].next(v->screen);
	return true;
}

static void options_mode(struct view *v, struct buf *b)
{
	(void)v;
	buf_puts(b, "   Enter changes");
}

static const struct view_ops options_view = {
	.title = "options",
	.where = WHERE_ALL,
	.rows = options_rows,
	.draw_row = options_draw_row,
	.mode = options_mode,
	.act = options_act,
};

void menu_options(struct screen *sc)
{
	view_push(sc, &options_view);
}
