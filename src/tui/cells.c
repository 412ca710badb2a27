#include "tui/cells.h"

#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"

void cell_text(struct buf *b, const struct cell *c, bool ascii)
{
	if (c->kind != CELL_COUNT)
		cell_show(b, c, ascii);
	else if (c->u.count < 10000000000)
		fmt_count(b, c->u.count);
	else
		fmt_short(b, c->u.count);
}

static const char *arrow(bool ascii)
{
	return ascii ? "->" : "→";
}

void type_text(struct buf *out, const char *a, const char *b, bool ascii)
{
	utf8_display(out, str_of(a ? a : b), ascii);
	if (a && b && strcmp(a, b) != 0) {
		buf_puts(out, arrow(ascii));
		utf8_display(out, str_of(b), ascii);
	}
}

void shape_text(struct buf *b, const struct row *r, bool ascii)
{
	void (*put)(struct buf *, const uint64_t *, unsigned) = ascii ? fmt_shape_ascii : fmt_shape;
	const struct tensor *a = r->t[A] ? r->t[A] : r->t[B], *t = r->t[B];

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a row has a tensor of A or of B */
	put(b, a->shape, a->rank);
	if (r->status == ST_RESHAPED && t) {
		buf_puts(b, arrow(ascii));
		put(b, t->shape, t->rank);
	}
}

const char *status_mark(enum status st, bool ascii)
{
	static char mark[2];

	mark[0] = statuses[st].mark;
	return ascii ? mark : statuses[st].utf8_mark;
}

enum role status_role(enum status st)
{
	static const enum role roles[ST_COUNT] = {
		[ST_PENDING] = ROLE_DIM,      [ST_IDENTICAL] = ROLE_SAME,    [ST_EQUAL] = ROLE_SAME,
		[ST_CHANGED] = ROLE_CHANGED,  [ST_UNDECODED] = ROLE_PROBLEM, [ST_RESHAPED] = ROLE_CHANGED,
		[ST_ADDED] = ROLE_ADDED,      [ST_REMOVED] = ROLE_REMOVED,   [ST_SINGLE] = ROLE_PROBLEM,
		[ST_CAST] = ROLE_CONVERTED,   [ST_QUANTISED] = ROLE_CONVERTED,
	};

	return roles[st];
}

void row_title(struct screen *sc, const struct row *r, struct area a)
{
	struct buf both = {0}, name = {0}, facts = {0};
	struct pen p = {.y = a.y, .x = a.x + 1, .end = a.x + a.w - 1, .ascii = sc->ascii};
	int width;

	term_fill(a.y, a.x, a.w, ROLE_TITLE);
	if (r->status != ST_SINGLE)
		buf_printf(&facts, "%s %s  ", status_mark(r->status, sc->ascii), statuses[r->status].name);
	if (row_renamed(r))
		buf_printf(&facts, "(found by %s)  ", vias[r->via]);
	type_text(&facts, r->t[A] ? r->t[A]->type_name : NULL, r->t[B] ? r->t[B]->type_name : NULL, sc->ascii);
	buf_puts(&facts, "  ");
	shape_text(&facts, r, sc->ascii);
	width = (int)utf8_width(buf_view(&facts));
	pair_name(&both, r, sc->ascii);
	utf8_display(&name, buf_view(&both), sc->ascii);
	pen_put(&p, a.w - 4 - width, false, ROLE_TITLE, buf_view(&name));
	pen_skip(&p, 2);
	pen_put(&p, width, false, ROLE_TITLE, buf_view(&facts));
	buf_free(&both);
	buf_free(&name);
	buf_free(&facts);
}
