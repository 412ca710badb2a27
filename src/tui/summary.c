#include "tui/summary.h"

#include <stdlib.h>

#include "analysis/select.h"
#include "analysis/verdict.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "tui/cells.h"
#include "tui/text.h"

enum { STRONGEST = 20 };

struct state {
	struct text text; /* first: text.h */
	unsigned long news; /* what it was made from */
	int width;
};

/* ---- one model ---- */

static void add_model(struct state *st, struct screen *sc, int side)
{
	const struct model *m = &sc->s->m[side];
	struct text *t = &st->text;
	struct buf b = {0};

	if (sc->s->n_models > 1)
		buf_puts(&b, side == A ? "A  " : "B  ");
	utf8_display(&b, str_of(m->path), sc->ascii);
	text_add(t, side == A ? ROLE_A : ROLE_B, buf_view(&b));
	buf_clear(&b);
	buf_printf(&b, "   %s%s%s, ", m->format, m->variant && *m->variant ? " " : "", m->variant ? m->variant : "");
	fmt_bytes(&b, m->bytes);
	if (m->files > 1)
		buf_printf(&b, " in %u files", m->files);
	buf_printf(&b, ", %zu tensor%s, ", m->n_tensors, m->n_tensors == 1 ? "" : "s");
	fmt_short(&b, model_parameters(m));
	buf_puts(&b, " parameters");
	text_wrap(t, ROLE_TEXT, buf_view(&b), (size_t)st->width, 0);
	buf_free(&b);
}

struct type_count {
	const char *name;
	size_t tensors;
	uint64_t parameters;
};

/* Types in the order of their first tensor; what is beyond the table is counted as "other". */
static void add_types(struct text *t, struct screen *sc, int side)
{
	const struct model *m = &sc->s->m[side];
	struct type_count types[16] = {{0}};
	size_t n = 0;

	for (size_t i = 0; i < m->n_tensors; i++) {
		size_t k = 0;

		while (k < n && !str_eq(str_of(types[k].name), str_of(m->tensors[i].type_name)))
			k++;
		if (k == COUNT(types))
			types[--k].name = "other";
		else if (k == n)
			types[n++].name = m->tensors[i].type_name;
		types[k].tensors++;
		if (!u64_add(types[k].parameters, m->tensors[i].count, &types[k].parameters))
			types[k].parameters = UINT64_MAX;
	}
	for (size_t k = 0; k < n; k++) {
		struct buf b = {0};

		buf_puts(&b, "   ");
		utf8_display(&b, str_of(types[k].name), sc->ascii);
		buf_printf(&b, ": %zu tensor%s, ", types[k].tensors, types[k].tensors == 1 ? "" : "s");
		fmt_short(&b, types[k].parameters);
		buf_puts(&b, " parameters");
		text_add(t, ROLE_DIM, buf_view(&b));
		buf_free(&b);
	}
}

/* Problems, or notes: what each is about and what it says, under a heading if there are any. */
static void add_findings(struct state *st, struct screen *sc, bool notes)
{
	bool any = false;

	for (unsigned side = 0; side < sc->s->n_models; side++) {
		const struct model *m = &sc->s->m[side];
		const struct problem *p = notes ? m->notes : m->problems;

		for (size_t i = 0; i < (notes ? m->n_notes : m->n_problems); i++) {
			struct buf b = {0};

			if (!any)
				text_add(&st->text, ROLE_HEADER, notes ? STR("Notes") : STR("Problems"));
			any = true;
			if (sc->s->n_models > 1)
				buf_puts(&b, side == A ? "A: " : "B: ");
			if (p[i].tensor.n) {
				utf8_display(&b, p[i].tensor, sc->ascii);
				buf_puts(&b, ": ");
			}
			utf8_display(&b, str_of(p[i].message), sc->ascii);
			text_wrap(&st->text, notes ? ROLE_DIM : ROLE_PROBLEM, buf_view(&b), (size_t)st->width, 3);
			buf_free(&b);
		}
	}
	if (any)
		text_add(&st->text, ROLE_TEXT, STR(""));
}

/* ---- two ---- */

static void add_counts(struct text *t, struct screen *sc, const struct rollup *u)
{
	text_add(t, ROLE_HEADER, STR("Tensors"));
	for (int i = ST_PENDING; i < ST_SINGLE; i++)
		if (u->by_status[i])
			text_printf(t, status_role((enum status)i), "%8zu %s %s", u->by_status[i],
				    status_mark((enum status)i, sc->ascii), statuses[i].name);
	if (u->retyped)
		text_printf(t, ROLE_DIM, "%8zu   of another type than in A", u->retyped);
	text_add(t, ROLE_TEXT, STR(""));
}

static void add_metadata(struct text *t, const struct summary *sum)
{
	if (!sum->meta_changed && !sum->meta_added && !sum->meta_removed)
		return;
	text_add(t, ROLE_HEADER, STR("Metadata"));
	text_printf(t, ROLE_TEXT, "   %zu changed, %zu added, %zu removed (m shows them)", sum->meta_changed,
		    sum->meta_added, sum->meta_removed);
	text_add(t, ROLE_TEXT, STR(""));
}

static void add_strongest(struct state *st, struct screen *sc, bool converted)
{
	const struct field *rel = field_by_key(STR("rel_l2"));
	size_t *rows = xcalloc(sc->s->n_rows, sizeof(*rows)), n = 0;

	for (size_t i = 0; i < sc->s->n_rows; i++)
		if (sc->s->rows[i].status == ST_CHANGED && sc->s->rows[i].result)
			rows[n++] = i;
	for (size_t i = 0; converted && i < sc->s->n_rows; i++)
		if ((sc->s->rows[i].status == ST_CAST || sc->s->rows[i].status == ST_QUANTISED))
			rows[n++] = i;
	sort_rows(sc->s, rows, n, rel, true);
	if (n)
		text_add(&st->text, ROLE_HEADER, converted ? STR("Moved most by the conversion (rel_l2)")
							   : STR("Changed most (rel_l2)"));
	for (size_t i = 0; i < n && i < STRONGEST; i++) {
		struct cell c = field_get(rel, &sc->s->rows[rows[i]], A);
		struct buf value = {0}, b = {0};

		cell_text(&value, &c, sc->ascii);
		buf_repeat(&b, ' ', 12 - value.n % 12);
		buf_str(&b, buf_view(&value));
		buf_puts(&b, "  ");
		utf8_display(&b, sc->s->rows[rows[i]].name, sc->ascii);
		text_add(&st->text, ROLE_TEXT, buf_view(&b));
		buf_free(&value);
		buf_free(&b);
	}
	free(rows);
}

static void add_comparison(struct state *st, struct screen *sc)
{
	const struct session *s = sc->s;
	size_t *all = xcalloc(s->n_rows, sizeof(*all));
	struct summary sum;
	struct buf b = {0};

	for (size_t i = 0; i < s->n_rows; i++)
		all[i] = i;
	summarise(&sum, s, all, s->n_rows);
	if (sc->n_ready == s->n_rows)
		verdict(&b, s, &sum);
	else
		buf_printf(&b, "%zu of %zu compared so far", sc->n_ready, s->n_rows);
	text_wrap(&st->text, ROLE_GROUP, buf_view(&b), (size_t)st->width, 0);
	text_add(&st->text, ROLE_TEXT, STR(""));
	add_counts(&st->text, sc, &sum.all);
	add_metadata(&st->text, &sum);
	add_findings(st, sc, false);
	add_findings(st, sc, true);
	add_strongest(st, sc, summary_converted(&sum));
	buf_free(&b);
	free(all);
}

static void make(struct view *v, int width)
{
	struct state *st = v->state;
	struct screen *sc = v->screen;

	st->news = sc->news;
	st->width = width;
	text_clear(&st->text);
	for (unsigned side = 0; side < sc->s->n_models; side++) {
		add_model(st, sc, (int)side);
		add_types(&st->text, sc, (int)side);
		text_add(&st->text, ROLE_TEXT, STR(""));
	}
	if (sc->s->n_models > 1) {
		add_comparison(st, sc);
		return;
	}
	add_findings(st, sc, false);
	add_findings(st, sc, true);
}

/* Made again when there are results, or another width, since. */
static void update(struct view *v)
{
	struct state *st = v->state;

	if (st->news != v->screen->news || st->width != v->list.w - 2)
		make(v, v->list.w - 2);
}

static const struct view_ops summary_view = {
	.title = "summary",
	.where = WHERE_ALL,
	.pager = true,
	.state_size = sizeof(struct state),
	.rows = text_rows,
	.update = update,
	.draw_row = text_draw_row,
	.find = text_find,
	.close = text_close,
};

void summary_open(struct screen *sc)
{
	int w, h;

	if (sc->view->ops == &summary_view)
		return;
	term_size(&w, &h);
	make(view_push(sc, &summary_view), w - 2);
}
