#include "tui/map.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/blocks.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "tui/browse.h"
#include "analysis/scan.h"
#include "tui/cells.h"
#include "tui/menu.h"
#include "tui/metric.h"
#include "tui/plot.h"

/*
 * Lines: for each stack its head (the numbers of the layers) and its parts; then the tensors outside of all blocks,
 * some to a line. The list's cursor is the line, `at` the cell in it. Where a stack has more layers than there is room
 * for, neighbours share a cell, which shows the strongest of them: what changed is always in sight, sideways.
 */
enum line_kind { LINE_HEAD, LINE_PART, LINE_GAP, LINE_REST_HEAD, LINE_REST };

struct line {
	enum line_kind kind;
	size_t grid, first; /* first: the part; of LINE_REST the first tensor */
};

/* How the columns of a grid are drawn. */
struct look {
	int width;   /* of a cell, in columns of the screen */
	size_t fold; /* layers in a cell */
	size_t n;    /* cells */
	size_t left; /* the first one in sight */
};

enum { PANE_ROWS = 4, REST_CELL = 2, ENTRY_MOST = 44, ZOOM_LEAST = -20 };
static const int widths[] = {1, 2, 3, 4, 6, 8, 11, 16};
enum { FITTED = 6, NUMBERED = 11, NUMBER = 7 }; /* the widest that comes unasked; what is that wide has numbers */

struct map {
	struct blocks *blocks;
	struct str *names;
	size_t *rows, n; /* of the session, by name */
	struct str about; /* what part of the model it is; empty: all */

	struct line *lines;
	size_t n_lines;
	struct look *looks; /* by grid */
	int label;          /* columns of the parts' names */
	int entry;          /* columns of a tensor outside of the blocks */
	size_t per_line;
	int made_for;       /* the width of the list that this is for */
	int zoom;           /* steps from what fits */
	size_t at;

	struct span_of span;
	unsigned long span_news; /* screen.news when it was taken, and of which metric */
	const struct metric *span_metric;
	struct area pane;
	struct choice choices[16];
	size_t n_choices;
};

static struct map *state(struct view *v)
{
	return v->state;
}

static const struct metric *metric(const struct view *v)
{
	return &metrics[v->screen->metric];
}

/* ---- what a cell holds ---- */

enum rank { RANK_NONE, RANK_SAME, RANK_PENDING, RANK_MARK, RANK_VALUE };

struct content {
	size_t row;      /* the strongest, by rank and then by value */
	size_t n;        /* tensors */
	enum rank rank;
	double value;    /* NAN: none */
};

static bool is_broken(const struct row *r)
{
	return (r->result && r->result->error) || (r->t[A] && r->t[A]->trouble) || (r->t[B] && r->t[B]->trouble);
}

static enum rank rank_of(const struct view *v, const struct row *r, double value)
{
	const struct metric *m = metric(v);

	switch (r->status) {
	case ST_SINGLE:
		if (is_broken(r))
			return RANK_MARK;
		return isfinite(value) ? RANK_VALUE : metric_ready(m, r) ? RANK_SAME : RANK_PENDING;
	case ST_CHANGED:
	case ST_CAST:
	case ST_QUANTISED:
		return RANK_VALUE;
	case ST_PENDING:
		return RANK_PENDING;
	case ST_IDENTICAL:
	case ST_EQUAL:
		return RANK_SAME;
	default:
		return RANK_MARK;
	}
}

static void add_content(const struct view *v, struct content *c, size_t row)
{
	const struct metric *m = metric(v);
	const struct row *r = &v->screen->s->rows[row];
	double value = m->get(r);
	enum rank rank = rank_of(v, r, value);
	bool stronger = rank > c->rank;

	if (rank == c->rank && rank == RANK_VALUE && isfinite(value))
		stronger = !isfinite(c->value) || metric_strength(m, value) > metric_strength(m, c->value);
	if (stronger) {
		c->row = row;
		c->rank = rank;
		c->value = value;
	}
	c->n++;
}

static size_t cells_in(struct view *v, const struct line *l)
{
	struct map *m = state(v);

	if (l->kind == LINE_PART)
		return m->looks[l->grid].n;
	if (l->kind == LINE_REST)
		return (size_t)u64_min(m->per_line, m->blocks->n_rest - l->first);
	return 0;
}

/* Calls f with every row of a cell of a line. */
static void for_rows(struct view *v, const struct line *l, size_t at, void (*f)(struct view *, size_t row, void *arg),
		     void *arg)
{
	struct map *m = state(v);
	const struct block_grid *g;
	size_t fold, end;

	if (at >= cells_in(v, l))
		return;
	if (l->kind == LINE_REST) {
		f(v, m->rows[m->blocks->rest[l->first + at]], arg);
		return;
	}
	g = &m->blocks->grids[l->grid];
	fold = m->looks[l->grid].fold;
	end = g->parts[l->first].first + g->parts[l->first].n;
	for (size_t i = block_cell_from(g, l->first, at * fold); i < end && g->cells[i].column < (at + 1) * fold; i++)
		for (size_t k = 0; k < g->cells[i].n; k++)
			f(v, m->rows[g->names[g->cells[i].first + k]], arg);
}

static void take_row(struct view *v, size_t row, void *arg)
{
	add_content(v, arg, row);
}

static struct content content_of(struct view *v, const struct line *l, size_t at)
{
	struct content c = {.row = SIZE_MAX, .value = NAN};

	for_rows(v, l, at, take_row, &c);
	return c;
}

static void ask_row(struct view *v, size_t row, void *arg)
{
	const struct row *r = &v->screen->s->rows[row];
	(void)arg;

	if (!is_broken(r) && !metric_ready(metric(v), r))
		scan_ask(v->screen->scan, row, metric(v)->want, PRIO_VISIBLE, 0);
}

/* ---- the scale ---- */

/* Over all that was computed so far, in sight or not, so that scrolling changes no colour. */
static void update_span(struct view *v)
{
	struct map *m = state(v);

	if (m->span_metric == metric(v) && m->span_news == v->screen->news)
		return;
	m->span = (struct span_of){0};
	for (size_t i = 0; i < m->n; i++)
		span_add(&m->span, metric(v), metric(v)->get(&v->screen->s->rows[m->rows[i]]));
	m->span_metric = metric(v);
	m->span_news = v->screen->news;
}

/* ---- lines ---- */

static const struct line *line_at(struct view *v, size_t i)
{
	return &state(v)->lines[i];
}

static bool has_cells(const struct line *l)
{
	return l->kind == LINE_PART || l->kind == LINE_REST;
}

static const struct line *current(struct view *v)
{
	struct map *m = state(v);

	return v->cursor < m->n_lines && has_cells(&m->lines[v->cursor]) ? &m->lines[v->cursor] : NULL;
}

static int shown_width(struct str s, bool ascii)
{
	struct buf b = {0};
	int n;

	utf8_display(&b, s, ascii);
	n = (int)utf8_width(buf_view(&b));
	buf_free(&b);
	return n;
}

/* Names get what the longest of them needs, at most two fifths of the line, or what leaves every cell two columns. */
static void fit_labels(struct view *v, int width)
{
	struct map *m = state(v);
	int longest = 8, most;
	size_t columns = 0;

	for (size_t g = 0; g < m->blocks->n_grids; g++) {
		const struct block_grid *grid = &m->blocks->grids[g];

		columns = grid->n_columns > columns ? grid->n_columns : columns;
		for (size_t p = 0; p < grid->n_parts && longest < width; p++)
			longest = (int)u64_max((uint64_t)longest,
					       (uint64_t)shown_width(grid->parts[p].name, v->screen->ascii));
		longest = (int)u64_max((uint64_t)longest, (uint64_t)shown_width(grid->prefix, v->screen->ascii));
	}
	most = width * 2 / 5;
	if (2 * columns + (size_t)most + 3 < (size_t)width)
		most = width - 3 - 2 * (int)columns;
	m->label = longest < most ? longest : most;
	longest = 4;
	for (size_t i = 0; i < m->blocks->n_rest && longest < ENTRY_MOST; i++)
		longest = (int)u64_max((uint64_t)longest,
				       (uint64_t)shown_width(m->names[m->blocks->rest[i]], v->screen->ascii));
	longest = longest < ENTRY_MOST ? longest : ENTRY_MOST;
	m->entry = REST_CELL + 1 + longest + 2;
	m->per_line = width - 2 > m->entry ? (size_t)((width - 2) / m->entry) : 1;
}

/* As wide as there is room for; where the layers outnumber the columns, so many to a cell that all are in sight. A step
 * of zoom halves or doubles that number, and then goes on with the width. */
static void fit_columns(struct look *look, size_t n, int room, int zoom)
{
	int step = FITTED, last = (int)COUNT(widths) - 1;

	look->fold = room > 0 ? (size_t)u64_max(u64_ceil_div(n, (uint64_t)room), 1) : 1;
	while (step > 0 && (look->fold > 1 || (uint64_t)widths[step] * n > (uint64_t)room))
		step--;
	for (; zoom > 0 && look->fold > 1; zoom--)
		look->fold = (look->fold + 1) / 2;
	for (; zoom > 0 && step < last; zoom--)
		step++;
	for (; zoom < 0 && step > 0; zoom++)
		step--;
	for (; zoom < 0 && look->fold < n; zoom++)
		look->fold *= 2;
	look->fold = (size_t)u64_max(u64_min(look->fold, n), 1);
	look->width = widths[step];
	look->n = (size_t)u64_ceil_div(n, look->fold);
}

/* Stacks below each other have cells of one width, so that layer stands below layer; two columns are not too few. */
static void even_out(struct map *m)
{
	int least = INT_MAX;

	for (size_t g = 0; g < m->blocks->n_grids; g++)
		least = m->looks[g].width < least ? m->looks[g].width : least;
	least = least < 2 ? 2 : least;
	for (size_t g = 0; g < m->blocks->n_grids; g++)
		m->looks[g].width = m->looks[g].width > least ? least : m->looks[g].width;
}

static void add_line(struct map *m, enum line_kind kind, size_t grid, size_t first)
{
	m->lines[m->n_lines++] = (struct line){kind, grid, first};
}

static void make_lines(struct view *v, int width)
{
	struct map *m = state(v);
	const struct blocks *b = m->blocks;
	size_t most = b->n_rest + 2;

	fit_labels(v, width);
	for (size_t g = 0; g < b->n_grids; g++) {
		fit_columns(&m->looks[g], b->grids[g].n_columns, width - m->label - 3, m->zoom);
		most += b->grids[g].n_parts + 2;
	}
	even_out(m);
	free(m->lines);
	m->lines = xcalloc(most, sizeof(*m->lines));
	m->n_lines = 0;
	for (size_t g = 0; g < b->n_grids; g++) {
		if (g)
			add_line(m, LINE_GAP, 0, 0);
		add_line(m, LINE_HEAD, g, 0);
		for (size_t p = 0; p < b->grids[g].n_parts; p++)
			add_line(m, LINE_PART, g, p);
	}
	if (b->n_rest) {
		if (b->n_grids)
			add_line(m, LINE_GAP, 0, 0);
		add_line(m, LINE_REST_HEAD, 0, 0);
		for (size_t i = 0; i < b->n_rest; i += m->per_line)
			add_line(m, LINE_REST, 0, i);
	}
	m->made_for = width;
}

/* Where a row of the session stands; false: not here. */
static bool find_row(struct view *v, size_t row, size_t *line, size_t *at)
{
	struct map *m = state(v);

	for (size_t i = 0; i < m->n_lines; i++) {
		const struct line *l = &m->lines[i];
		const struct block_grid *g = l->kind == LINE_PART ? &m->blocks->grids[l->grid] : NULL;

		*line = i;
		for (size_t k = 0; l->kind == LINE_REST && k < cells_in(v, l); k++)
			if (m->rows[m->blocks->rest[l->first + (*at = k)]] == row)
				return true;
		for (size_t c = 0; g && c < g->parts[l->first].n; c++) {
			const struct block_cell *cell = &g->cells[g->parts[l->first].first + c];

			*at = cell->column / m->looks[l->grid].fold;
			for (size_t k = 0; k < cell->n; k++)
				if (m->rows[g->names[cell->first + k]] == row)
					return true;
		}
	}
	return false;
}

static size_t tensor(struct view *v)
{
	const struct line *l = current(v);

	return l ? content_of(v, l, state(v)->at).row : SIZE_MAX;
}

/* A head is no place for the cursor: the nearest line with cells is. */
static void settle(struct view *v)
{
	struct map *m = state(v);
	size_t i = v->cursor < m->n_lines ? v->cursor : m->n_lines ? m->n_lines - 1 : 0, down = i, n;

	while (down < m->n_lines && !has_cells(&m->lines[down]))
		down++;
	while (i > 0 && !has_cells(&m->lines[i]))
		i--;
	v->cursor = down < m->n_lines ? down : i;
	n = current(v) ? cells_in(v, current(v)) : 0;
	m->at = m->at < n ? m->at : n ? n - 1 : 0;
}

/* Lays the lines out anew, with the cursor on the same tensor. */
static void relayout(struct view *v, int width)
{
	struct map *m = state(v);
	size_t row = m->n_lines ? tensor(v) : SIZE_MAX, line, at;

	make_lines(v, width);
	if (row != SIZE_MAX && find_row(v, row, &line, &at)) {
		v->cursor = line;
		m->at = at;
	}
	settle(v);
}

static size_t map_rows(struct view *v)
{
	return state(v)->n_lines;
}

static void layout(struct view *v, struct area body)
{
	struct map *m = state(v);

	v->list = body;
	v->list.h -= PANE_ROWS;
	m->pane = (struct area){body.y + v->list.h, body.x, body.w, PANE_ROWS};
	if (m->made_for != body.w)
		relayout(v, body.w);
}

/* Puts the cell in sight, if need be with some of what comes before and after it. */
static void scroll(struct view *v, struct look *look)
{
	struct map *m = state(v);
	size_t room = (size_t)((v->list.w - m->label - 3) / look->width);

	room = room ? room : 1;
	if (look->left + room > look->n)
		look->left = look->n > room ? look->n - room : 0;
	if (m->at < look->left)
		look->left = m->at;
	if (m->at >= look->left + room)
		look->left = m->at - room + 1;
}

static void update(struct view *v)
{
	struct map *m = state(v);
	const struct line *l;

	settle(v);
	update_span(v);
	l = current(v);
	if (l && l->kind == LINE_PART) {
		struct look *look = &m->looks[l->grid];

		scroll(v, look);
		v->column = m->label + 3 + (int)(m->at - look->left) * look->width;
	} else {
		v->column = 2 + (int)m->at * m->entry;
	}
}

/* ---- drawing ---- */

static enum role mark_role(const struct row *r)
{
	return is_broken(r) ? ROLE_PROBLEM : r->status == ST_SINGLE ? ROLE_DIM : status_role(r->status);
}

/* What stands in a cell: a shade, or a mark where there is no number. */
static const char *glyph_of(struct view *v, const struct content *c, int *level)
{
	const struct row *r = c->row == SIZE_MAX ? NULL : &v->screen->s->rows[c->row];
	bool ascii = v->screen->ascii;

	*level = -1;
	if (!r)
		return " ";
	/* a pair that changed where nothing is finite has a metric of 0, and must not look as if nothing had */
	if (c->rank == RANK_VALUE && isfinite(c->value) && (c->value != 0 || r->status == ST_SINGLE)) {
		*level = span_level(&state(v)->span, metric(v), c->value, v->screen->log_scale);
		return plot_shade(*level, ascii);
	}
	if (c->rank == RANK_PENDING)
		return ascii ? "." : "…";
	if (r->status == ST_SINGLE)
		return c->rank == RANK_MARK ? "!" : "-";
	return status_mark(r->status, ascii);
}

/* At the right of a wide cell, on its colour: with points below each other, or as many digits as there is room for. */
static void draw_value(int y, int x, int width, double value, int level)
{
	char text[32], padded[64];
	int n = fabs(value) >= 0.01 ? snprintf(text, sizeof(text), "%.3f", value) : NUMBER + 1;

	for (int digits = 3; digits > 0 && n > NUMBER; digits--)
		n = snprintf(text, sizeof(text), "%.*g", digits, value);
	snprintf(padded, sizeof(padded), " %*s ", width - 2, text);
	term_tint(y, x, width, SCALE_SIZE, level, str_of(padded));
}

static void draw_cell(struct view *v, const struct content *c, int y, int x, int width, bool selected)
{
	struct buf b = {0};
	int level;
	const char *glyph = glyph_of(v, c, &level);

	if (level < 0)
		buf_repeat(&b, ' ', (size_t)(width - 1) / 2);
	for (int i = 0; i < (level < 0 ? 1 : width); i++)
		buf_puts(&b, glyph);
	if (level >= 0)
		term_shade(y, x, width, SCALE_SIZE, level, buf_view(&b));
	if (level >= 0 && width >= NUMBERED)
		draw_value(y, x + width - NUMBER - 2, NUMBER + 2, c->value, level);
	if (level < 0)
		term_put(y, x, width, c->row == SIZE_MAX ? ROLE_TEXT : c->rank == RANK_PENDING ? ROLE_DIM :
				mark_role(&v->screen->s->rows[c->row]), buf_view(&b));
	buf_free(&b);
	if (selected && width == 1)
		term_puts(y, x, 1, ROLE_CURSOR, level < 0 && c->row != SIZE_MAX ? glyph : "@");
	if (selected && width > 1) {
		term_puts(y, x, 1, ROLE_CURSOR, "[");
		term_puts(y, x + width - 1, 1, ROLE_CURSOR, "]");
	}
}

static void draw_label(struct view *v, struct area a, struct str name, enum role role)
{
	struct map *m = state(v);
	struct pen p = pen_at(v, a, false, ROLE_CURSOR);
	struct buf b = {0};

	utf8_display(&b, name, v->screen->ascii);
	pen_skip(&p, 2);
	pen_put(&p, m->label, false, role, buf_view(&b));
	buf_free(&b);
}

static void column_label(struct buf *b, const struct block_grid *g, size_t column, bool whole)
{
	const struct block_column *c = &g->columns[column];

	fmt_count(b, c->number);
	if (whole && c->has_inner) {
		buf_putc(b, '.');
		fmt_count(b, c->inner);
	}
}

/* The cell of the cursor, where it is in that grid; SIZE_MAX: elsewhere. */
static size_t cell_here(struct view *v, size_t grid)
{
	const struct line *l = current(v);

	return l && l->kind == LINE_PART && l->grid == grid ? state(v)->at : SIZE_MAX;
}

/* Numbers above the cells, as many as there is room for; of two numbers, the first where it begins. The cursor's own is
 * always there, and in full. */
static void draw_numbers(struct view *v, size_t grid, int y, int x, int end)
{
	const struct block_grid *g = &state(v)->blocks->grids[grid];
	const struct look *look = &state(v)->looks[grid];
	size_t every = 1, here = cell_here(v, grid);
	int free_from = x, here_at = INT_MAX, here_end = INT_MAX;
	struct buf b = {0};

	if (here != SIZE_MAX && here >= look->left) {
		column_label(&b, g, here * look->fold, true);
		here_at = x + (int)(here - look->left) * look->width;
		here_at = here_at + (int)b.n > end ? end - (int)b.n : here_at;
		here_end = here_at + (int)b.n;
		term_put(y, here_at, end - here_at, ROLE_RESTING, buf_view(&b));
	}
	buf_clear(&b);
	column_label(&b, g, g->n_columns - 1, false);
	while (!g->inner && every * (size_t)look->width < b.n + 1)
		every = every == 1 ? 2 : every == 2 ? 5 : 2 * every;
	for (size_t i = look->left; i < look->n; i++) {
		size_t column = i * look->fold;
		int at = x + (int)(i - look->left) * look->width;

		if (at >= end)
			break;
		if (!g->inner && i % every)
			continue;
		if (g->inner && i > look->left &&
		    g->columns[column].number == g->columns[column - look->fold].number)
			continue;
		buf_clear(&b);
		column_label(&b, g, column, false);
		if (at < free_from || at + (int)b.n > end || (at + (int)b.n >= here_at && at <= here_end))
			continue;
		term_put(y, at, end - at, ROLE_HEADER, buf_view(&b));
		free_from = at + (int)b.n + 1;
	}
	buf_free(&b);
}

static void draw_head(struct view *v, const struct line *l, struct area a)
{
	struct map *m = state(v);
	const struct block_grid *g = &m->blocks->grids[l->grid];
	const struct look *look = &m->looks[l->grid];
	struct buf b = {0};

	buf_str(&b, g->prefix.n ? g->prefix : STR("blocks"));
	if (look->fold > 1)
		buf_printf(&b, ", %zu a cell", look->fold);
	draw_label(v, a, buf_view(&b), ROLE_GROUP);
	draw_numbers(v, l->grid, a.y, a.x + m->label + 3, a.x + a.w);
	if (look->left > 0)
		term_puts(a.y, a.x + m->label + 2, 1, ROLE_DIM, "<");
	buf_free(&b);
}

static void draw_part(struct view *v, const struct line *l, struct area a, bool selected)
{
	struct map *m = state(v);
	const struct look *look = &m->looks[l->grid];
	int x = a.x + m->label + 3;

	draw_label(v, a, m->blocks->grids[l->grid].parts[l->first].name, selected ? ROLE_RESTING : ROLE_TEXT);
	for (size_t i = look->left; i < look->n && x + look->width <= a.x + a.w; i++, x += look->width) {
		struct content c = content_of(v, l, i);

		if (c.row != SIZE_MAX)
			for_rows(v, l, i, ask_row, NULL);
		draw_cell(v, &c, a.y, x, look->width, selected && i == m->at);
	}
}

static void draw_rest_line(struct view *v, const struct line *l, struct area a, bool selected)
{
	struct map *m = state(v);
	struct pen p = pen_at(v, a, false, ROLE_CURSOR);

	for (size_t i = 0; i < cells_in(v, l); i++) {
		struct content c = content_of(v, l, i);
		struct buf b = {0};
		bool here = selected && i == m->at;

		for_rows(v, l, i, ask_row, NULL);
		utf8_display(&b, m->names[m->blocks->rest[l->first + i]], v->screen->ascii);
		p.x = a.x + 2 + (int)i * m->entry + REST_CELL + 1;
		pen_put(&p, m->entry - REST_CELL - 3, false, here ? ROLE_RESTING : ROLE_TEXT, buf_view(&b));
		draw_cell(v, &c, a.y, a.x + 2 + (int)i * m->entry, REST_CELL, here);
		buf_free(&b);
	}
}

static void draw_row(struct view *v, size_t row, struct area a)
{
	const struct line *l = line_at(v, row);
	bool selected = row == v->cursor;

	switch (l->kind) {
	case LINE_HEAD: draw_head(v, l, a); break;
	case LINE_PART: draw_part(v, l, a, selected); break;
	case LINE_GAP: break;
	case LINE_REST_HEAD:
		term_puts(a.y, a.x + 2, a.w - 2, ROLE_GROUP, state(v)->blocks->n_grids ? "outside of the blocks" :
				"no block is repeated");
		break;
	case LINE_REST: draw_rest_line(v, l, a, selected); break;
	}
}

/* ---- the legend ---- */

static void value_text(struct buf *b, const struct metric *m, double x)
{
	if (strcmp(m->key, "changed") == 0 || strcmp(m->key, "sparsity") == 0)
		fmt_percent(b, x);
	else
		fmt_real(b, x);
}

/* At the right: the ends of the scale and the shades between them. */
static int draw_legend(struct view *v, int y, int end)
{
	struct map *m = state(v);
	const struct metric *mt = metric(v);
	bool log_scale = v->screen->log_scale && !mt->linear;
	int shades = v->list.w >= 100 ? SIZE_LEVELS - 1 : 10, x;
	struct buf lo = {0}, hi = {0};

	if (m->span.n == 0)
		return end;
	value_text(&lo, mt, mt->falling ? m->span.hi : log_scale ? m->span.least : m->span.lo);
	value_text(&hi, mt, mt->falling ? m->span.lo : m->span.hi);
	if (log_scale)
		buf_puts(&hi, "  log");
	x = end - 1 - (int)(lo.n + hi.n) - shades - 2;
	end = x;
	x += term_put(y, x, (int)lo.n, ROLE_TEXT, buf_view(&lo)) + 1;
	for (int i = 0; i < shades; i++) {
		int level = 1 + i * (SIZE_LEVELS - 1) / shades;

		term_shade(y, x++, 1, SCALE_SIZE, level, str_of(plot_shade(level, v->screen->ascii)));
	}
	term_put(y, x + 1, (int)hi.n, ROLE_TEXT, buf_view(&hi));
	buf_free(&lo);
	buf_free(&hi);
	return end;
}

static void draw_header(struct view *v, struct area a)
{
	const struct metric *m = metric(v);
	struct pen p = pen_at(v, a, false, ROLE_TEXT);
	int end = draw_legend(v, a.y, a.x + a.w);

	p.end = end - 1;
	pen_skip(&p, 1);
	pen_puts(&p, 9, false, ROLE_GROUP, "layer map");
	pen_skip(&p, 2);
	pen_puts(&p, (int)strlen(m->key), false, ROLE_HEADER, m->key);
	pen_skip(&p, 2);
	if (p.x + (int)strlen(m->about) <= p.end)
		pen_puts(&p, (int)strlen(m->about), false, ROLE_DIM, m->about);
}

/* ---- the pane: the cell under the cursor ---- */

static void draw_metrics(struct view *v, const struct content *c, struct area a)
{
	const struct row *r = &v->screen->s->rows[c->row];
	int x = a.x + 1, y = a.y;

	for (const struct metric *m = metrics; m->key; m++) {
		struct buf b = {0};
		double value = m->get(r);
		int key = (int)strlen(m->key), need;

		if (m->pair != (v->screen->s->n_models > 1))
			continue;
		if (isfinite(value))
			value_text(&b, m, value);
		else
			buf_puts(&b, metric_ready(m, r) ? "-" : v->screen->ascii ? "..." : "…");
		need = key + 1 + (int)utf8_width(buf_view(&b));
		if (x + need > a.x + a.w) {
			x = a.x + 1;
			if (++y >= a.y + a.h)
				return;
		}
		term_puts(y, x, key, m == metric(v) ? ROLE_HEADER : ROLE_DIM, m->key);
		term_put(y, x + key + 1, a.w, m == metric(v) ? ROLE_GROUP : ROLE_TEXT, buf_view(&b));
		x += need + 3;
		buf_free(&b);
	}
}

static void draw_rest(struct view *v)
{
	struct map *m = state(v);
	const struct line *l = current(v);
	struct content c = {.row = SIZE_MAX};
	struct area a = m->pane;

	if (l)
		c = content_of(v, l, m->at);
	if (c.row == SIZE_MAX) {
		term_fill(a.y, a.x, a.w, ROLE_TITLE);
		term_puts(a.y, a.x + 1, a.w - 1, ROLE_TITLE, l ? "no tensor here" : "no tensors");
		return;
	}
	row_title(v->screen, &v->screen->s->rows[c.row], a);
	if (is_broken(&v->screen->s->rows[c.row])) {
		const struct row *r = &v->screen->s->rows[c.row];
		struct buf b = {0};

		utf8_display(&b, str_of(r->result && r->result->error ? r->result->error :
				r->t[A] && r->t[A]->trouble ? r->t[A]->trouble : r->t[B]->trouble), v->screen->ascii);
		term_put(a.y + 1, a.x + 1, a.w - 2, ROLE_PROBLEM, buf_view(&b));
		buf_free(&b);
	} else {
		draw_metrics(v, &c, (struct area){a.y + 1, a.x, a.w, 2});
	}
	if (c.n > 1) {
		struct buf b = {0};

		buf_printf(&b, "the strongest of %zu tensors in this cell", c.n);
		if (l->kind == LINE_PART && m->blocks->grids[l->grid].parts[l->first].folded)
			buf_puts(&b, "; Enter shows them all");
		term_put(a.y + 3, a.x + 1, a.w - 2, ROLE_DIM, buf_view(&b));
		buf_free(&b);
	}
}

/* "layers", "experts": the last part of what stands before the numbers. */
static void put_column_word(struct buf *b, const struct block_grid *g, bool ascii)
{
	struct str word = g->prefix;

	for (size_t i = word.n; i-- > 0;)
		if (word.p[i] == '.' || word.p[i] == '/') {
			word = (struct str){word.p + i + 1, word.n - i - 1};
			break;
		}
	utf8_display(b, word.n ? word : STR("block"), ascii);
	buf_putc(b, ' ');
}

static void place(struct view *v, struct buf *b)
{
	struct map *m = state(v);
	const struct line *l = current(v);

	if (!l)
		return;
	if (l->kind == LINE_REST) {
		buf_printf(b, "tensor %zu/%zu", l->first + m->at + 1, m->blocks->n_rest);
		return;
	}
	buf_printf(b, "part %zu/%zu  ", l->first + 1, m->blocks->grids[l->grid].n_parts);
	put_column_word(b, &m->blocks->grids[l->grid], v->screen->ascii);
	column_label(b, &m->blocks->grids[l->grid], m->at * m->looks[l->grid].fold, true);
	if (m->looks[l->grid].fold > 1) {
		size_t last = (m->at + 1) * m->looks[l->grid].fold, n = m->blocks->grids[l->grid].n_columns;

		buf_puts(b, " to ");
		column_label(b, &m->blocks->grids[l->grid], (last < n ? last : n) - 1, true);
	}
}

/* ---- moving ---- */

static void go_line(struct view *v, int direction)
{
	struct map *m = state(v);
	size_t i = v->cursor;

	while (direction > 0 ? i + 1 < m->n_lines : i > 0) {
		i = direction > 0 ? i + 1 : i - 1;
		if (has_cells(&m->lines[i])) {
			if (i < m->n_lines && direction < 0 && i <= 1)
				v->top = 0; /* with its head */
			view_move(v, i);
			return;
		}
	}
}

static void go_side(struct view *v, long cells)
{
	struct map *m = state(v);
	const struct line *l = current(v);
	size_t n = l ? cells_in(v, l) : 0;

	if (cells < 0)
		m->at = m->at > (size_t)-cells ? m->at - (size_t)-cells : 0;
	else
		m->at = n - m->at > (size_t)cells ? m->at + (size_t)cells : n ? n - 1 : 0;
}

/* The next cell in reading order for which the test holds, around the end. */
static bool seek(struct view *v, int direction, bool (*test)(const struct content *))
{
	struct map *m = state(v);
	size_t line = v->cursor, at = m->at;

	if (!current(v))
		return false;
	do {
		struct content c;

		if (direction > 0 && at + 1 < cells_in(v, &m->lines[line])) {
			at++;
		} else if (direction < 0 && at > 0) {
			at--;
		} else {
			do
				line = (line + (direction > 0 ? 1 : m->n_lines - 1)) % m->n_lines;
			while (!has_cells(&m->lines[line]));
			at = direction > 0 ? 0 : cells_in(v, &m->lines[line]) - 1;
		}
		c = content_of(v, &m->lines[line], at);
		if (test(&c)) {
			view_center(v, line);
			m->at = at;
			return true;
		}
	} while (line != v->cursor || at != m->at);
	return false;
}

static bool differs(const struct content *c)
{
	return c->rank >= RANK_MARK;
}

static void go_largest(struct view *v)
{
	struct map *m = state(v);
	double best = -INFINITY;
	size_t line = SIZE_MAX, at = 0;

	for (size_t i = 0; i < m->n_lines; i++)
		for (size_t k = 0; k < cells_in(v, &m->lines[i]); k++) {
			struct content c = content_of(v, &m->lines[i], k);

			if (!isfinite(c.value) || metric_strength(metric(v), c.value) <= best)
				continue;
			best = metric_strength(metric(v), c.value);
			line = i;
			at = k;
		}
	if (line == SIZE_MAX) {
		screen_message(v->screen, "nothing was computed yet");
		return;
	}
	view_center(v, line);
	m->at = at;
}

/* ---- keys ---- */

static void metric_chosen(struct view *v, size_t choice)
{
	size_t i = 0;

	for (int k = 0; metrics[k].key; k++)
		if (metrics[k].pair == (v->screen->s->n_models > 1) && i++ == choice)
			v->screen->metric = k;
}

static void choose_metric(struct view *v)
{
	struct map *m = state(v);
	size_t now = 0;

	m->n_choices = 0;
	for (int i = 0; metrics[i].key && m->n_choices < COUNT(m->choices); i++) {
		if (metrics[i].pair != (v->screen->s->n_models > 1))
			continue;
		if (i == v->screen->metric)
			now = m->n_choices;
		m->choices[m->n_choices++] = (struct choice){metrics[i].key, metrics[i].about};
	}
	menu_choose(v->screen, m->choices, m->n_choices, now, metric_chosen);
}

static void zoom(struct view *v, int by)
{
	struct map *m = state(v);

	m->zoom += by;
	if (m->zoom < ZOOM_LEAST || m->zoom > (int)COUNT(widths))
		m->zoom -= by;
	relayout(v, v->list.w);
}

/* Goes back to the tree, to that tensor. */
static void show_in_tree(struct view *v, size_t row)
{
	struct screen *sc = v->screen;

	while (sc->view->below)
		view_pop(sc);
	if (!browse_go(sc->view, row))
		screen_message(sc, "the filter hides that tensor");
}

static void push_map(struct screen *, const size_t *rows, size_t n, struct str about, size_t go_to);

/* All that a layer has of a folded part and its like: experts.*.w1, experts.*.w2, each in full. */
static void open_folded(struct view *v, const struct line *l, size_t column, size_t go_to)
{
	struct map *m = state(v);
	const struct block_grid *g = &m->blocks->grids[l->grid];
	struct str part = g->parts[l->first].name;
	size_t star = 0, n = 0, *rows = xcalloc(g->n_names, sizeof(*rows));

	while (part.p[star] != '*')
		star++;
	for (size_t p = 0; p < g->n_parts; p++) {
		const struct block_cell *c = block_cell_at(g, p, column);
		struct str name = g->parts[p].name;

		if (!c || !g->parts[p].folded || name.n <= star || memcmp(name.p, part.p, star + 1) != 0)
			continue;
		for (size_t k = 0; k < c->n; k++)
			rows[n++] = m->rows[g->names[c->first + k]];
	}
	push_map(v->screen, rows, n, g->prefix, go_to);
	free(rows);
}

static void open_cell(struct view *v)
{
	struct map *m = state(v);
	const struct line *l = current(v);
	size_t row = tensor(v);
	const struct block_grid *g;

	if (row == SIZE_MAX) {
		screen_message(v->screen, "there is no tensor here");
		return;
	}
	g = &m->blocks->grids[l->grid];
	if (l->kind == LINE_PART && g->parts[l->first].folded) {
		size_t fold = m->looks[l->grid].fold, end = g->parts[l->first].first + g->parts[l->first].n;
		size_t i = block_cell_from(g, l->first, m->at * fold);

		for (; i < end && g->cells[i].column < (m->at + 1) * fold; i++)
			for (size_t k = 0; k < g->cells[i].n; k++)
				if (m->rows[g->names[g->cells[i].first + k]] == row) {
					open_folded(v, l, g->cells[i].column, row);
					return;
				}
	}
	show_in_tree(v, row);
}

static bool act(struct view *v, enum act act)
{
	switch (act) {
	case ACT_DOWN: go_line(v, 1); return true;
	case ACT_UP: go_line(v, -1); return true;
	case ACT_LEFT: go_side(v, -1); return true;
	case ACT_RIGHT: go_side(v, 1); return true;
	case ACT_FIRST: state(v)->at = 0; return true;
	case ACT_LAST: state(v)->at = SIZE_MAX; return true;
	case ACT_LARGEST: go_largest(v); return true;
	case ACT_CHOOSE: choose_metric(v); return true;
	case ACT_ZOOM_IN: zoom(v, 1); return true;
	case ACT_ZOOM_OUT: zoom(v, -1); return true;
	case ACT_OPEN: open_cell(v); return true;
	case ACT_MAP: view_pop(v->screen); return true;
	case ACT_GRID_SCALE:
		if (metric(v)->linear)
			screen_message(v->screen, "%s has no logarithmic scale", metric(v)->key);
		else
			v->screen->log_scale = !v->screen->log_scale;
		return true;
	case ACT_NEXT_CHANGE:
	case ACT_PREVIOUS_CHANGE:
		if (!seek(v, act == ACT_NEXT_CHANGE ? 1 : -1, differs))
			screen_message(v->screen, "nothing differs here, as far as is known");
		return true;
	default: return false;
	}
}

static bool find(struct view *v, size_t item, const struct needle *nd)
{
	struct map *m = state(v);
	const struct line *l = &m->lines[item];
	size_t at, n;

	if (l->kind == LINE_PART)
		return needle_find(nd, m->blocks->grids[l->grid].parts[l->first].name, 0, &at, &n);
	for (size_t i = 0; l->kind == LINE_REST && i < cells_in(v, l); i++)
		if (needle_find(nd, m->names[m->blocks->rest[l->first + i]], 0, &at, &n))
			return true;
	return false;
}

/* ---- opening and closing ---- */

static void map_close(struct view *v)
{
	struct map *m = state(v);

	blocks_free(m->blocks);
	free(m->names);
	free(m->rows);
	free(m->lines);
	free(m->looks);
}

static const struct hint hints[] = {
	{ACT_LARGEST, "strongest", false},
	{ACT_CHOOSE, "metric", false},
	{ACT_GRID_SCALE, "log scale", false},
	{ACT_OPEN, "open", false},
	{ACT_HEAT, "heat map", false},
	{ACT_HISTOGRAM, "histogram", false},
	{ACT_VALUES, "values", false},
	{ACT_NONE, NULL, false},
};

static const struct view_ops map_view = {
	.hints = hints,
	.where = WHERE_ALL | WHERE_GRID | WHERE_PAIR | WHERE_TENSOR,
	.state_size = sizeof(struct map),
	.rows = map_rows,
	.update = update,
	.layout = layout,
	.draw_header = draw_header,
	.draw_row = draw_row,
	.draw_rest = draw_rest,
	.place = place,
	.tensor = tensor,
	.find = find,
	.act = act,
	.close = map_close,
};

static void push_map(struct screen *sc, const size_t *rows, size_t n, struct str about, size_t go_to)
{
	struct view *v = view_push(sc, &map_view);
	struct map *m = state(v);
	size_t line, at;
	int w, h;

	m->n = n;
	m->about = about;
	m->rows = xcalloc(n, sizeof(*m->rows));
	m->names = xcalloc(n, sizeof(*m->names));
	for (size_t i = 0; i < n; i++) {
		m->rows[i] = rows ? rows[i] : i;
		m->names[i] = sc->s->rows[m->rows[i]].name;
	}
	m->blocks = blocks_find(m->names, n);
	m->looks = xcalloc(m->blocks->n_grids, sizeof(*m->looks));
	term_size(&w, &h);
	layout(v, (struct area){2, 0, w, h - 3});
	if (go_to != SIZE_MAX && find_row(v, go_to, &line, &at)) {
		m->at = at;
		view_center(v, line);
	}
	settle(v);
}

void map_open(struct screen *sc)
{
	bool pair = sc->s->n_models > 1;

	if (metrics[sc->metric].pair != pair)
		sc->metric = metric_first(pair);
	push_map(sc, NULL, sc->s->n_rows, STR(""), view_tensor(sc->view));
}
