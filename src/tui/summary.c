#include "tui/summary.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "analysis/datum.h"
#include "analysis/provenance.h"
#include "analysis/select.h"
#include "analysis/verdict.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "tui/cells.h"
#include "tui/plot.h"
#include "tui/text.h"

enum { STRONGEST = 10, GROUPS = 8, GROUPS_MOST = 1000, BAR = 12, FACT_CUT = 200, AGAIN_MS = 400, TABLE_MOST = 110 };

struct state {
	struct text text; /* first: text.h */
	unsigned long news; /* what it was made from */
	int width;
	struct timespec made;
};

/* ---- one model ---- */

struct type_count {
	const char *name;
	size_t tensors;
	uint64_t parameters;
};

enum { TYPES_MOST = 16 };

/* Types in the order of their first tensor; what is beyond the table is counted as "other". Returns how many. */
static size_t count_types(const struct model *m, struct type_count types[TYPES_MOST])
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_tensors; i++) {
		size_t k = 0;

		while (k < n && !str_eq(str_of(types[k].name), str_of(m->tensors[i].type_name)))
			k++;
		if (k == TYPES_MOST)
			types[--k].name = "other";
		else if (k == n)
			types[n++] = (struct type_count){.name = m->tensors[i].type_name};
		types[k].tensors++;
		if (!u64_add(types[k].parameters, m->tensors[i].count, &types[k].parameters))
			types[k].parameters = UINT64_MAX;
	}
	return n;
}

static void add_types(struct text *t, struct screen *sc, const struct type_count *types, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		struct buf b = {0};

		buf_puts(&b, "   ");
		utf8_display(&b, str_of(types[k].name), sc->ascii);
		buf_printf(&b, ": %zu tensor%s, ", types[k].tensors, types[k].tensors == 1 ? "" : "s");
		fmt_short(&b, types[k].parameters);
		buf_puts(&b, types[k].parameters == 1 ? " parameter" : " parameters");
		text_add(t, ROLE_DIM, buf_view(&b));
		buf_free(&b);
	}
}

/* Its path, what it is, and, if there are several types, a line for each of them. */
static void add_model(struct state *st, struct screen *sc, int side)
{
	const struct model *m = &sc->s->m[side];
	struct type_count types[TYPES_MOST];
	size_t n = count_types(m, types);
	struct text *t = &st->text;
	struct buf b = {0};

	if (sc->s->n_models > 1)
		buf_puts(&b, side == A ? "A  " : "B  ");
	utf8_display(&b, str_of(m->path), sc->ascii);
	text_add(t, side == A ? ROLE_A : ROLE_B, buf_view(&b));
	buf_clear(&b);
	buf_printf(&b, "%s%s", m->format, m->variant && *m->variant ? " " : "");
	utf8_display(&b, str_of(m->variant ? m->variant : ""), sc->ascii); /* PyTorch's has a version out of the file */
	buf_puts(&b, ", ");
	fmt_bytes(&b, m->bytes);
	if (m->files > 1)
		buf_printf(&b, " in %u files", m->files);
	buf_printf(&b, ", %zu tensor%s, ", m->n_tensors, m->n_tensors == 1 ? "" : "s");
	fmt_short(&b, model_parameters(m));
	buf_puts(&b, model_parameters(m) == 1 ? " parameter" : " parameters");
	if (n == 1) {
		buf_puts(&b, " of ");
		utf8_display(&b, str_of(types[0].name), sc->ascii);
	}
	text_wrap(t, ROLE_TEXT, buf_view(&b), (size_t)st->width, 3);
	buf_free(&b);
	if (n > 1)
		add_types(t, sc, types, n);
}

/* ---- provenance ---- */

static const struct meta_value *told(const struct meta_row *r, int side)
{
	const struct meta_value *v = r->v[side];

	return v && !(v->kind == META_TEXT && v->u.text.n == 0) ? v : NULL;
}

/* The first entry of a side that tells a fact. */
static const struct meta_value *fact_of(const struct meta_row *rows, size_t n, enum fact fact, int side)
{
	for (size_t i = 0; i < n; i++)
		if (told(&rows[i], side) && fact_of_key(rows[i].key) == fact)
			return told(&rows[i], side);
	return NULL;
}

/* "licence        mit", or "mit → apache-2.0" where the models do not agree. */
static void add_fact(struct state *st, struct screen *sc, const char *name, const struct datum v[2])
{
	bool told_twice = datum_there(&v[A]) && datum_there(&v[B]);
	bool same = sc->s->n_models < 2 || (told_twice && datum_equal(&v[A], &v[B]));
	struct buf b = {0}, cut = {0};

	buf_printf(&b, "   %-15s", name);
	if (datum_there(&v[A]))
		datum_text(&v[A], &b, FACT_CUT, sc->ascii);
	else
		buf_puts(&b, "missing");
	if (!same) {
		buf_puts(&b, sc->ascii ? " -> " : " → ");
		if (datum_there(&v[B]))
			datum_text(&v[B], &b, FACT_CUT, sc->ascii);
		else
			buf_puts(&b, "missing");
	}
	utf8_ellipsis(&cut, buf_view(&b), (size_t)st->width, sc->ascii);
	text_add(&st->text, same ? ROLE_TEXT : ROLE_CHANGED, buf_view(&cut));
	buf_free(&b);
	buf_free(&cut);
}

/* What is told, and in a line of its own what is not. */
static void add_provenance(struct state *st, struct screen *sc)
{
	size_t n;
	struct meta_row *rows = session_meta(sc->s, &n);
	struct buf missing = {0};

	text_add(&st->text, ROLE_HEADER, STR("Provenance"));
	for (int fact = 0; fact < FACT_COUNT; fact++) {
		struct datum v[2] = {{.meta = NULL}, {.meta = NULL}};

		for (int side = A; side <= B; side++)
			v[side].meta = fact_of(rows, n, (enum fact)fact, side);
		if (datum_there(&v[A]) || datum_there(&v[B]))
			add_fact(st, sc, fact_infos[fact].name, v);
		else if (fact_infos[fact].expected)
			buf_printf(&missing, "%s%s", missing.n ? ", " : "missing: ", fact_infos[fact].name);
	}
	if (missing.n)
		text_wrap(&st->text, ROLE_DIM, buf_view(&missing), (size_t)st->width, 3);
	text_add(&st->text, ROLE_TEXT, STR(""));
	buf_free(&missing);
	free(rows);
}

/* ---- groups ---- */

/* Columns that stand too far from the names would not be read with them. */
static int table_width(const struct state *st)
{
	return st->width < TABLE_MOST ? st->width : TABLE_MOST;
}

struct part {
	struct str name;
	size_t tensors, differ, place;
	uint64_t parameters;
	double rel_l2, weight; /* weight: rel_l2, or 0; of one model the parameters */
};

static int by_weight(const void *pa, const void *pb)
{
	const struct part *a = pa, *b = pb;

	if (a->weight != b->weight)
		return a->weight < b->weight ? 1 : -1;
	return (a->place > b->place) - (a->place < b->place);
}

static int by_place(const void *pa, const void *pb)
{
	const struct part *a = pa, *b = pb;

	return (a->place > b->place) - (a->place < b->place);
}

static struct part part_of(const struct session *s, const size_t *rows, size_t n, struct str name, size_t place)
{
	struct rollup u;
	struct part p = {.name = name, .place = place};

	rollup_rows(&u, s, rows, n);
	p.tensors = n;
	for (int i = 0; i < ST_COUNT; i++)
		p.differ += status_differs((enum status)i) ? u.by_status[i] : 0;
	p.parameters = u64_max(u.parameters[A], u.parameters[B]);
	p.rel_l2 = u.diff.rel_l2;
	p.weight = s->n_models < 2 ? (double)p.parameters : isfinite(p.rel_l2) ? p.rel_l2 : 0;
	return p;
}

static size_t parts_of(const struct session *s, const size_t *rows, struct part **out)
{
	unsigned depth = name_depth(s, rows, s->n_rows, GROUPS);
	size_t n = 0, start = 0;

	*out = xcalloc(GROUPS_MOST, sizeof(**out));
	for (size_t i = 0; i < s->n_rows && n < GROUPS_MOST; i++) {
		struct str name = name_prefix(s->rows[i].name, depth);

		if (i + 1 < s->n_rows && str_eq(name, name_prefix(s->rows[i + 1].name, depth)))
			continue;
		(*out)[n] = part_of(s, rows + start, i + 1 - start, name, n);
		start = i + 1;
		n++;
	}
	return start == s->n_rows && n > 1 && n < s->n_rows ? n : 0; /* else too many, or each its own */
}

static void add_part(struct state *st, struct screen *sc, const struct part *p, double most)
{
	bool pair = sc->s->n_models > 1;
	int room = table_width(st) - 3 - 10 - 10 - BAR - 4;
	struct buf b = {0}, name = {0}, cell = {0};

	utf8_display(&name, p->name, sc->ascii);
	buf_puts(&b, "   ");
	utf8_ellipsis_name(&b, buf_view(&name), (size_t)room, sc->ascii);
	buf_repeat(&b, ' ', (size_t)room + 3 - utf8_width(buf_view(&b)));
	if (pair)
		buf_printf(&cell, "%zu/%zu", p->differ, p->tensors);
	else
		buf_printf(&cell, "%zu", p->tensors);
	buf_repeat(&b, ' ', cell.n < 10 ? 10 - cell.n : 1);
	buf_str(&b, buf_view(&cell));
	buf_clear(&cell);
	if (pair)
		fmt_real(&cell, p->rel_l2);
	else
		fmt_short(&cell, p->parameters);
	buf_repeat(&b, ' ', cell.n < 10 ? 10 - cell.n : 1);
	buf_str(&b, buf_view(&cell));
	buf_puts(&b, "  ");
	plot_bar(&b, most > 0 ? p->weight / most : 0, BAR, sc->ascii);
	text_add(&st->text, p->differ ? ROLE_CHANGED : ROLE_TEXT, buf_view(&b));
	buf_free(&b);
	buf_free(&name);
	buf_free(&cell);
}

static void add_groups(struct state *st, struct screen *sc, const size_t *rows)
{
	struct part *parts;
	size_t n = parts_of(sc->s, rows, &parts), shown = n < GROUPS ? n : GROUPS;
	double most = 0;

	qsort(parts, n, sizeof(*parts), by_weight);
	most = n ? parts[0].weight : 0;
	qsort(parts, shown, sizeof(*parts), by_place);
	if (n)
		text_printf(&st->text, ROLE_HEADER, "%-*s%10s%10s", table_width(st) - 10 - 10 - BAR - 4, "Groups",
			    sc->s->n_models > 1 ? "differ" : "tensors", sc->s->n_models > 1 ? "rel_l2" : "params");
	for (size_t i = 0; i < shown; i++)
		add_part(st, sc, &parts[i], most);
	if (n > shown)
		text_printf(&st->text, ROLE_DIM, "   and %zu more", n - shown);
	if (n)
		text_add(&st->text, ROLE_TEXT, STR(""));
	free(parts);
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
	if (u->renamed)
		text_printf(t, ROLE_DIM, "%8zu   of another name than in A", u->renamed);
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

/* "   1.833  ██████  4.3.bias" */
static void add_ranked(struct state *st, struct screen *sc, const struct field *f, const struct row *r, double most)
{
	struct cell c = field_get(f, r, A);
	double v = c.kind == CELL_REAL ? c.u.real : c.kind == CELL_COUNT ? (double)c.u.count : 0;
	struct buf name = {0}, value = {0}, b = {0}, cut = {0};
	size_t start;

	cell_text(&value, &c, sc->ascii);
	buf_repeat(&b, ' ', 12 - value.n % 12);
	buf_str(&b, buf_view(&value));
	buf_puts(&b, "  ");
	start = b.n;
	plot_bar(&b, most > 0 ? v / most : 0, BAR, sc->ascii);
	buf_repeat(&b, ' ', BAR + 2 - utf8_width((struct str){b.p + start, b.n - start}));
	buf_clear(&value);
	pair_name(&name, r, sc->ascii);
	utf8_display(&value, buf_view(&name), sc->ascii);
	utf8_ellipsis_name(&cut, buf_view(&value), (size_t)st->width - 12 - 2 - BAR - 2, sc->ascii);
	buf_str(&b, buf_view(&cut));
	text_add(&st->text, ROLE_TEXT, buf_view(&b));
	buf_free(&name);
	buf_free(&value);
	buf_free(&b);
	buf_free(&cut);
}

/* Tensors with the value of a field, the largest first. */
static void add_first(struct state *st, struct screen *sc, const char *title, const struct field *f, size_t *rows,
		      size_t n)
{
	double most = 0;

	sort_rows(sc->s, rows, n, f, true);
	if (n)
		text_add(&st->text, ROLE_HEADER, str_of(title));
	for (size_t i = 0; i < n && i < STRONGEST; i++) {
		struct cell c = field_get(f, &sc->s->rows[rows[i]], A);

		if (i == 0)
			most = c.kind == CELL_REAL ? c.u.real : c.kind == CELL_COUNT ? (double)c.u.count : 0;
		add_ranked(st, sc, f, &sc->s->rows[rows[i]], most);
	}
	if (n > STRONGEST)
		text_printf(&st->text, ROLE_DIM, "   and %zu more", n - STRONGEST);
	if (n)
		text_add(&st->text, ROLE_TEXT, STR(""));
}

static void add_strongest(struct state *st, struct screen *sc, bool converted)
{
	size_t *rows = xcalloc(sc->s->n_rows, sizeof(*rows)), n = 0;

	for (size_t i = 0; i < sc->s->n_rows; i++)
		if (sc->s->rows[i].status == ST_CHANGED && sc->s->rows[i].result)
			rows[n++] = i;
	for (size_t i = 0; converted && i < sc->s->n_rows; i++)
		if ((sc->s->rows[i].status == ST_CAST || sc->s->rows[i].status == ST_QUANTISED))
			rows[n++] = i;
	add_first(st, sc, converted ? "Moved most by the conversion (rel_l2)" : "Changed most (rel_l2)",
		  field_by_key(STR("rel_l2")), rows, n);
	free(rows);
}

static void add_verdict(struct state *st, struct screen *sc, const struct summary *sum)
{
	struct buf b = {0};

	if (sc->n_ready == sc->s->n_rows)
		verdict(&b, sc->s, sum);
	else
		buf_printf(&b, "%zu of %zu compared so far", sc->n_ready, sc->s->n_rows);
	text_wrap(&st->text, ROLE_GROUP, buf_view(&b), (size_t)st->width, 0);
	text_add(&st->text, ROLE_TEXT, STR(""));
	buf_free(&b);
}

static void add_models(struct state *st, struct screen *sc)
{
	for (unsigned side = 0; side < sc->s->n_models; side++)
		add_model(st, sc, (int)side);
	text_add(&st->text, ROLE_TEXT, STR(""));
}

/* What changed first, and where; then the rest of what the two are. */
static void make_pair(struct state *st, struct screen *sc, size_t *all)
{
	struct summary sum;

	summarise(&sum, sc->s, all, sc->s->n_rows);
	add_verdict(st, sc, &sum);
	add_findings(st, sc, false);
	add_models(st, sc);
	add_counts(&st->text, sc, &sum.all);
	add_strongest(st, sc, summary_converted(&sum));
	add_groups(st, sc, all);
	add_metadata(&st->text, &sum);
	add_provenance(st, sc);
	add_findings(st, sc, true);
}

static void make_one(struct state *st, struct screen *sc, size_t *all)
{
	add_models(st, sc);
	add_findings(st, sc, false);
	add_findings(st, sc, true);
	add_provenance(st, sc);
	add_groups(st, sc, all);
	add_first(st, sc, "Largest (parameters)", field_by_key(STR("parameters")), all, sc->s->n_rows);
}

static void make(struct view *v, int width)
{
	struct state *st = v->state;
	struct screen *sc = v->screen;
	size_t *all = xcalloc(sc->s->n_rows, sizeof(*all));

	for (size_t i = 0; i < sc->s->n_rows; i++)
		all[i] = i;
	st->news = sc->news;
	st->width = width;
	clock_gettime(CLOCK_MONOTONIC, &st->made);
	text_clear(&st->text);
	(sc->s->n_models > 1 ? make_pair : make_one)(st, sc, all);
	free(all);
}

static long ms_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)(now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

/* Made again at another width, and when there are results since; but while they pour in not for each of them. */
static void update(struct view *v)
{
	struct state *st = v->state;
	bool last = v->screen->n_ready == v->screen->s->n_rows;

	if (st->width != v->list.w - 2 ||
	    (st->news != v->screen->news && (last || ms_since(&st->made) > AGAIN_MS)))
		make(v, v->list.w - 2);
}

static const struct view_ops summary_view = {
	TEXT_VIEW,
	.title = "summary",
	.state_size = sizeof(struct state),
	.update = update,
};

void summary_open(struct screen *sc)
{
	int w, h;

	if (sc->view->ops == &summary_view)
		return;
	term_size(&w, &h);
	make(view_push(sc, &summary_view), w - 2);
}
