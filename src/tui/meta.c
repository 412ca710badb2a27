#include "tui/meta.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "tui/cells.h"
#include "tui/text.h"

enum { VALUE_CUT = 400, VALUE_MOST = 1 << 20 }; /* bytes of a value that a line may need, that anyone reads */

struct state {
	struct meta_row *rows;
	size_t n;
};

static struct state *state(struct view *v)
{
	return v->state;
}

/* ---- values as text ---- */

static void value_text(struct buf *b, const struct meta_value *v, size_t most, bool ascii);

static void array_text(struct buf *b, const struct meta_value *v, size_t most, bool ascii)
{
	buf_putc(b, '[');
	for (uint64_t i = 0; i < v->u.array.shown && b->n < most; i++) {
		const struct meta_value *item = &v->u.array.items[i];

		buf_puts(b, i ? ", " : "");
		if (item->kind == META_ARRAY) /* arrays of arrays go no deeper here */
			buf_printf(b, "[%llu values]", (unsigned long long)item->u.array.count);
		else
			value_text(b, item, most, ascii);
	}
	if (v->u.array.count > v->u.array.shown)
		buf_puts(b, v->u.array.shown ? (ascii ? ", ..." : ", …") : (ascii ? "..." : "…"));
	buf_putc(b, ']');
	buf_printf(b, " %llu values", (unsigned long long)v->u.array.count);
}

static void value_text(struct buf *b, const struct meta_value *v, size_t most, bool ascii)
{
	struct str s;

	switch (v->kind) {
	case META_BOOL:
		buf_puts(b, v->u.boolean ? "true" : "false");
		break;
	case META_UINT:
		fmt_count(b, v->u.uint);
		break;
	case META_INT:
		buf_printf(b, "%lld", (long long)v->u.sint);
		break;
	case META_REAL:
		fmt_exact(b, v->u.real);
		break;
	case META_TEXT:
		s = v->u.text;
		s.n = s.n < most ? s.n : most;
		utf8_display(b, s, ascii);
		break;
	case META_ARRAY:
		array_text(b, v, most, ascii);
		break;
	}
}

/* ---- the list ---- */

static size_t rows(struct view *v)
{
	return state(v)->n;
}

struct widths {
	int key, value;
};

static struct widths widths_of(struct view *v, int w)
{
	bool pair = v->screen->s->n_models > 1;
	int key = w / 3 < 44 ? w / 3 : 44;

	return (struct widths){key, pair ? (w - key - 5) / 2 : w - key - 3};
}

static void draw_header(struct view *v, struct area a)
{
	struct pen p = pen_at(v, a, false, ROLE_TEXT);
	struct widths w = widths_of(v, a.w);
	bool pair = v->screen->s->n_models > 1;

	p.needle = NULL;
	pen_skip(&p, pair ? 3 : 1);
	pen_puts(&p, w.key, false, ROLE_HEADER, "key");
	pen_skip(&p, 1);
	pen_puts(&p, w.value, false, ROLE_HEADER, pair ? "A" : "value");
	pen_skip(&p, 1);
	if (pair)
		pen_puts(&p, w.value - 1, false, ROLE_HEADER, "B");
}

static void put_value(struct pen *p, int width, enum role role, const struct meta_value *value)
{
	struct buf b = {0};

	if (value)
		value_text(&b, value, VALUE_CUT, p->ascii);
	pen_put(p, width, false, role, buf_view(&b));
	buf_free(&b);
}

static void draw_row(struct view *v, size_t row, struct area a)
{
	const struct meta_row *r = &state(v)->rows[row];
	struct pen p = pen_at(v, a, row == v->cursor, ROLE_CURSOR);
	struct widths w = widths_of(v, a.w);
	struct buf key = {0};
	enum role role = r->status == ST_IDENTICAL ? ROLE_DIM : r->status == ST_SINGLE ? ROLE_TEXT :
			 status_role(r->status);

	pen_skip(&p, 1);
	if (v->screen->s->n_models > 1) {
		pen_puts(&p, 1, false, status_role(r->status), status_mark(r->status, p.ascii));
		pen_skip(&p, 1);
	}
	utf8_display(&key, r->key, p.ascii);
	pen_put(&p, w.key, false, ROLE_TEXT, buf_view(&key));
	pen_skip(&p, 1);
	put_value(&p, w.value, role, r->v[A]);
	pen_skip(&p, 1);
	if (v->screen->s->n_models > 1)
		put_value(&p, w.value - 1, role, r->v[B]);
	buf_free(&key);
}

static bool found_in(const struct meta_value *value, const struct needle *nd, bool ascii)
{
	struct buf b = {0};
	size_t at, n;
	bool hit;

	if (!value)
		return false;
	value_text(&b, value, VALUE_CUT, ascii);
	hit = needle_find(nd, buf_view(&b), 0, &at, &n);
	buf_free(&b);
	return hit;
}

static bool find(struct view *v, size_t item, const struct needle *nd)
{
	const struct meta_row *r = &state(v)->rows[item];
	size_t at, n;

	return needle_find(nd, r->key, 0, &at, &n) || found_in(r->v[A], nd, v->screen->ascii) ||
	       found_in(r->v[B], nd, v->screen->ascii);
}

/* Text keeps its lines here. */
static void add_value(struct text *t, const struct meta_value *value, size_t columns, bool ascii)
{
	struct str s = value->kind == META_TEXT ? value->u.text : STR("");
	struct buf b = {0};

	s.n = s.n < VALUE_MOST ? s.n : VALUE_MOST;
	do {
		const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;
		size_t n = end ? (size_t)(end - s.p) : s.n;

		buf_clear(&b);
		if (value->kind == META_TEXT)
			utf8_display(&b, (struct str){s.p, n}, ascii);
		else
			value_text(&b, value, VALUE_MOST, ascii);
		text_wrap(t, ROLE_TEXT, buf_view(&b), columns, 3);
		n += end != NULL;
		s = (struct str){s.p + n, s.n - n};
	} while (s.n);
	buf_free(&b);
}

/* The whole of a value, wrapped. */
static void open_value(struct view *v)
{
	struct screen *sc = v->screen;
	const struct meta_row *r;
	struct text *t;
	int w, h;

	if (state(v)->n == 0)
		return;
	r = &state(v)->rows[v->cursor];
	t = view_push(sc, &text_view)->state;
	term_size(&w, &h);
	for (unsigned side = 0; side < sc->s->n_models; side++) {
		struct buf b = {0};

		if (sc->s->n_models > 1)
			buf_puts(&b, side == A ? "A  " : "B  ");
		utf8_display(&b, r->key, sc->ascii);
		if (r->v[side])
			buf_printf(&b, "  (%s)", r->v[side]->type);
		text_add(t, side == A ? ROLE_A : ROLE_B, buf_view(&b));
		if (r->v[side])
			add_value(t, r->v[side], (size_t)w - 2, sc->ascii);
		else
			text_add(t, ROLE_DIM, STR("   not there"));
		text_add(t, ROLE_TEXT, STR(""));
		buf_free(&b);
	}
}

static bool act(struct view *v, enum act act)
{
	if (act != ACT_OPEN)
		return false;
	open_value(v);
	return true;
}

static void draw_rest(struct view *v)
{
	if (state(v)->n == 0)
		term_puts(v->list.y, 1, v->list.w - 1, ROLE_DIM, "no metadata");
}

static void mode(struct view *v, struct buf *b)
{
	size_t differ = 0;

	for (size_t i = 0; i < state(v)->n; i++)
		differ += state(v)->rows[i].status != ST_IDENTICAL;
	if (v->screen->s->n_models > 1)
		buf_printf(b, "   %zu differ", differ);
}

static void close(struct view *v)
{
	free(state(v)->rows);
}

static const struct view_ops meta_view = {
	.title = "metadata",
	.where = WHERE_ALL,
	.state_size = sizeof(struct state),
	.rows = rows,
	.draw_header = draw_header,
	.draw_row = draw_row,
	.draw_rest = draw_rest,
	.mode = mode,
	.find = find,
	.act = act,
	.close = close,
};

void meta_open(struct screen *sc)
{
	struct view *v;

	if (sc->view->ops == &meta_view)
		return;
	v = view_push(sc, &meta_view);
	state(v)->rows = session_meta(sc->s, &state(v)->n);
}
