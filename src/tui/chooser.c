#include "tui/chooser.h"

#include <string.h>

/*
 * The chosen ones come first, in their order, then the others, in that of the fields. Every change is at once one of
 * the settings, so that the tree shows it when this view is closed.
 */
enum { OFFERED_MAX = 160 };

struct chooser {
	struct column c[OFFERED_MAX];
	size_t n, n_chosen;
};

static struct chosen *choice(struct view *v)
{
	return &v->screen->settings.columns[v->screen->s->n_models > 1];
}

static size_t rows(struct view *v)
{
	return ((struct chooser *)v->state)->n;
}

static void fill(struct view *v)
{
	struct chooser *ch = v->state;
	const struct chosen *chosen = choice(v);
	struct column all[OFFERED_MAX];
	size_t n = columns_offered(all, OFFERED_MAX, v->screen->s->n_models > 1);

	ch->n = ch->n_chosen = chosen->n;
	memcpy(ch->c, chosen->c, chosen->n * sizeof(*ch->c));
	for (size_t i = 0; i < n; i++) {
		bool shown = false;

		for (size_t k = 0; k < chosen->n; k++)
			shown = shown || column_same(&all[i], &chosen->c[k]);
		if (!shown && ch->n < OFFERED_MAX)
			ch->c[ch->n++] = all[i];
	}
}

static void draw_row(struct view *v, size_t row, struct area a)
{
	const struct chooser *ch = v->state;
	const struct column *c = &ch->c[row];
	const struct field *f = field_by_key(str_of(c->key));
	struct pen p = pen_at(v, a, row == v->cursor, ROLE_CURSOR);
	bool shown = row < ch->n_chosen;
	struct buf word = {0}, width = {0};

	column_word(&word, c, false);
	buf_printf(&width, "%d", c->width);
	pen_skip(&p, 1);
	pen_puts(&p, 2, false, ROLE_SAME, !shown ? "" : p.ascii ? "*" : "•");
	pen_put(&p, 20, false, shown ? ROLE_GROUP : ROLE_TEXT, buf_view(&word));
	pen_puts(&p, 4, true, ROLE_DIM, shown ? buf_view(&width).p : "");
	pen_skip(&p, 2);
	pen_puts(&p, a.w - 30, false, ROLE_TEXT, f ? f->about : "rel_l2 as a bar, the largest of all being full");
	buf_free(&word);
	buf_free(&width);
}

static bool find(struct view *v, size_t item, const struct needle *nd)
{
	const struct chooser *ch = v->state;
	struct buf word = {0};
	size_t at, n;
	bool hit;

	column_word(&word, &ch->c[item], false);
	hit = needle_find(nd, buf_view(&word), 0, &at, &n);
	buf_free(&word);
	return hit;
}

/* The column stays under the cursor. */
static void toggle(struct view *v)
{
	struct chooser *ch = v->state;
	struct chosen *chosen = choice(v);
	struct column c = ch->c[v->cursor];
	size_t at = v->cursor;

	if (at < chosen->n) {
		chosen->n--;
		memmove(&chosen->c[at], &chosen->c[at + 1], (chosen->n - at) * sizeof(c));
	} else if (chosen->n == COLUMNS_MAX - 1) {
		screen_trouble(v->screen, "there is no room for more columns");
		return;
	} else {
		chosen->c[chosen->n++] = c;
	}
	chosen->on = true;
	fill(v);
	for (size_t i = 0; i < ch->n; i++)
		if (column_same(&ch->c[i], &c))
			view_center(v, i);
}

static void move(struct view *v, int by)
{
	struct chosen *chosen = choice(v);
	size_t at = v->cursor, to = at + (size_t)by;
	struct column c;

	if (at >= chosen->n || to >= chosen->n)
		return;
	c = chosen->c[at];
	chosen->c[at] = chosen->c[to];
	chosen->c[to] = c;
	fill(v);
	view_move(v, to);
}

static void widen(struct view *v, int by)
{
	struct chosen *chosen = choice(v);
	struct column *c = v->cursor < chosen->n ? &chosen->c[v->cursor] : NULL;

	if (!c)
		screen_message(v->screen, "this column is not shown: Space shows it");
	else if (c->width + by >= WIDTH_LEAST && c->width + by <= WIDTH_MOST)
		c->width += by;
	fill(v);
}

static bool act(struct view *v, enum act act)
{
	switch (act) {
	case ACT_OPEN:
	case ACT_TOGGLE: toggle(v); return true;
	case ACT_WIDER: widen(v, 1); return true;
	case ACT_NARROWER: widen(v, -1); return true;
	case ACT_EARLIER: move(v, -1); return true;
	case ACT_LATER: move(v, 1); return true;
	case ACT_RESET:
		choice(v)->on = false;
		view_pop(v->screen);
		return true;
	default: return false;
	}
}

static void mode(struct view *v, struct buf *b)
{
	(void)v;
	buf_puts(b, "   Space shows, < > move, + - widen, :save keeps it");
}

static const struct view_ops chooser_view = {
	.title = "columns",
	.where = WHERE_ALL | WHERE_CHOOSER,
	.state_size = sizeof(struct chooser),
	.rows = rows,
	.draw_row = draw_row,
	.find = find,
	.mode = mode,
	.act = act,
};

void chooser_open(struct screen *sc, const struct columns *now)
{
	struct view *v = view_push(sc, &chooser_view);

	if (!choice(v)->on)
		columns_now(now, choice(v));
	fill(v);
}
