#include "tui/sheet.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { WRAP_FIRST = 64 };

/* ---- shapes ---- */

/* The product of sizes from dimension lo to hi: elements of a run, or its step where hi is the rank. */
static uint64_t product(const struct tensor *t, unsigned lo, unsigned hi)
{
	uint64_t n = 1;

	for (unsigned d = lo; d < hi; d++)
		n *= t->shape[d]; /* divides the count, which fits */
	return n;
}

static bool is_stepped(const struct arrangement *a, unsigned d)
{
	return (d < a->row_lo || d >= a->row_hi) && (d < a->column_lo || d >= a->column_hi);
}

static void make_matrix(struct sheet *sh)
{
	const struct arrangement *a = &sh->a;
	const struct tensor *t = sh->t;
	struct matrix *m = &sh->m;

	*m = (struct matrix){.end = t->count};
	if (a->wrapped) {
		m->columns = u64_min(sh->wrap, t->count);
		m->rows = u64_ceil_div(t->count, m->columns);
		m->row_step = m->columns;
		m->column_step = 1;
		return;
	}
	m->rows = product(t, a->row_lo, a->row_hi);
	m->columns = product(t, a->column_lo, a->column_hi);
	m->row_step = product(t, a->row_hi, t->rank);
	m->column_step = product(t, a->column_hi, t->rank);
	for (unsigned d = 0; d < t->rank; d++)
		if (is_stepped(a, d))
			m->base += sh->index[d] * product(t, d + 1, t->rank);
}

/* Dimensions longer than 1; the others do not matter. */
static unsigned long_dims(const struct tensor *t, unsigned dims[RANK_MAX])
{
	unsigned n = 0;

	for (unsigned d = 0; d < t->rank; d++)
		if (t->shape[d] > 1)
			dims[n++] = d;
	return n;
}

static double squareness(const struct tensor *t, const struct arrangement *a)
{
	double rows = (double)product(t, a->row_lo, a->row_hi);
	double columns = (double)product(t, a->column_lo, a->column_hi);

	return fabs(log(rows) - log(columns));
}

static size_t put(struct arrangement *out, size_t n, unsigned row_lo, unsigned row_hi, unsigned column_lo,
		  unsigned column_hi)
{
	if (n < ARRANGEMENTS_MAX)
		out[n++] = (struct arrangement){row_lo, row_hi, column_lo, column_hi, false};
	return n;
}

size_t sheet_arrangements(const struct sheet *sh, struct arrangement out[ARRANGEMENTS_MAX])
{
	unsigned dims[RANK_MAX], n_dims = long_dims(sh->t, dims), rank = sh->t->rank;
	size_t n = 0, best = 0;

	if (n_dims < 2) { /* a vector, or a scalar */
		out[n++] = (struct arrangement){.wrapped = true};
		n = put(out, n, 0, 0, 0, rank);
		return put(out, n, 0, rank, rank, rank);
	}
	for (unsigned k = 1; k < n_dims; k++) /* all of it, cut in two before each dimension */
		n = put(out, n, 0, dims[k], dims[k], rank);
	for (size_t i = 1; i < n; i++)
		if (squareness(sh->t, &out[i]) < squareness(sh->t, &out[best]))
			best = i;
	if (best) {
		struct arrangement first = out[best];

		memmove(&out[1], &out[0], best * sizeof(*out));
		out[0] = first;
	}
	for (unsigned i = 0; i < n_dims; i++) /* two of them, and the others stepped through */
		for (unsigned k = 0; k < n_dims; k++)
			if (i != k && (n_dims > 2 || i > k))
				n = put(out, n, dims[i], dims[i] + 1, dims[k], dims[k] + 1);
	return n;
}

uint64_t sheet_number(const struct sheet *sh, uint64_t row, uint64_t column)
{
	uint64_t at = sh->m.base + row * sh->m.row_step + column * sh->m.column_step;

	return row < sh->m.rows && column < sh->m.columns && at < sh->m.end ? at : UINT64_MAX;
}

/* The index along a run of dimensions, from the index in each. */
static uint64_t along(const struct tensor *t, const uint64_t *index, unsigned lo, unsigned hi)
{
	uint64_t at = 0;

	for (unsigned d = lo; d < hi; d++)
		at = at * t->shape[d] + index[d];
	return at;
}

static void unravel(const struct tensor *t, uint64_t number, uint64_t index[RANK_MAX])
{
	for (unsigned d = t->rank; d-- > 0;) {
		index[d] = number % t->shape[d];
		number /= t->shape[d];
	}
}

void sheet_go(struct sheet *sh, uint64_t number)
{
	uint64_t index[RANK_MAX];

	if (number >= sh->t->count)
		return;
	unravel(sh->t, number, index);
	memcpy(sh->index, index, sizeof(index));
	make_matrix(sh);
	if (sh->a.wrapped) {
		sh->row = number / sh->m.columns;
		sh->column = number % sh->m.columns;
	} else {
		sh->row = along(sh->t, index, sh->a.row_lo, sh->a.row_hi);
		sh->column = along(sh->t, index, sh->a.column_lo, sh->a.column_hi);
	}
}

void sheet_arrange(struct sheet *sh, const struct arrangement *a)
{
	uint64_t number = sheet_number(sh, sh->row, sh->column);

	sh->a = *a;
	sheet_go(sh, number == UINT64_MAX ? 0 : number);
}

void sheet_wrap(struct sheet *sh, uint64_t columns)
{
	if (!sh->a.wrapped || columns == sh->wrap || columns == 0)
		return;
	sh->wrap = columns;
	sheet_arrange(sh, &(struct arrangement){.wrapped = true});
}

static bool same_arrangement(const struct arrangement *a, const struct arrangement *b)
{
	return a->wrapped == b->wrapped && a->row_lo == b->row_lo && a->row_hi == b->row_hi &&
	       a->column_lo == b->column_lo && a->column_hi == b->column_hi;
}

void sheet_next_arrangement(struct sheet *sh)
{
	struct arrangement all[ARRANGEMENTS_MAX];
	size_t n = sheet_arrangements(sh, all), i = 0;

	while (i < n && !same_arrangement(&all[i], &sh->a))
		i++;
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): there always is one */
	sheet_arrange(sh, &all[(i + 1) % n]);
}

/* ---- slices: what is stepped through, the last dimension fastest ---- */

uint64_t sheet_slices(const struct sheet *sh)
{
	return sh->a.wrapped ? 1 : sh->t->count / (sh->m.rows * sh->m.columns);
}

uint64_t sheet_slice(const struct sheet *sh)
{
	uint64_t at = 0;

	for (unsigned d = 0; d < sh->t->rank && !sh->a.wrapped; d++)
		if (is_stepped(&sh->a, d))
			at = at * sh->t->shape[d] + sh->index[d];
	return at;
}

bool sheet_step(struct sheet *sh, int by)
{
	uint64_t n = sheet_slices(sh), at;

	if (n < 2)
		return false;
	at = (sheet_slice(sh) + (by > 0 ? 1 : n - 1)) % n;
	for (unsigned d = sh->t->rank; d-- > 0;)
		if (is_stepped(&sh->a, d)) {
			sh->index[d] = at % sh->t->shape[d];
			at /= sh->t->shape[d];
		}
	make_matrix(sh);
	return true;
}

/* ---- sides ---- */

static bool readable(const struct sheet *sh, const struct tensor *t)
{
	return t && t->count > 0 && (!t->trouble || (sh->raw && !t->broken && t->type != DT_OPAQUE));
}

bool sheet_has_plane(const struct sheet *sh, int plane)
{
	const struct row *r = &sh->s->rows[sh->row_of];

	return plane == PLANE_D ? sh->sides == (1 << A | 1 << B) : readable(sh, r->t[plane]);
}

/* Makes the sheet show that plane; where the sides differ in shape, it becomes that side's. */
static void show_plane(struct sheet *sh, int plane)
{
	const struct row *r = &sh->s->rows[sh->row_of];
	bool both = readable(sh, r->t[A]) && readable(sh, r->t[B]) && same_shape(sh->s, r->t[A], r->t[B]);
	const struct tensor *t = both ? r->t[A] : r->t[plane == PLANE_B ? B : A];

	sh->plane = plane;
	sh->sides = both ? 1 << A | 1 << B : plane == PLANE_B ? 1 << B : 1 << A;
	if (t != sh->t) {
		struct arrangement all[ARRANGEMENTS_MAX];

		sh->t = t;
		memset(sh->index, 0, sizeof(sh->index));
		sheet_arrangements(sh, all);
		sh->a = all[0];
		sh->row = sh->column = 0;
		make_matrix(sh);
	}
}

void sheet_next_plane(struct sheet *sh)
{
	int plane = sh->plane;

	do
		plane = (plane + 1) % PLANE_COUNT;
	while (!sheet_has_plane(sh, plane));
	show_plane(sh, plane);
}

const char *sheet_plane_name(const struct sheet *sh, int plane, bool ascii)
{
	static const char *const names[PLANE_COUNT][2] = {{"A", "A"}, {"B", "B"}, {"B − A", "B - A"}};

	return sh->s->n_models < 2 ? "values" : names[plane][ascii];
}

bool sheet_of(struct sheet *sh, struct view *from, bool raw)
{
	struct session *s = from->screen->s;
	size_t row = view_tensor(from);
	const struct row *r;

	if (from->ops->sheet && (raw || !from->ops->sheet(from)->raw)) {
		*sh = *from->ops->sheet(from);
		return true;
	}
	if (row == SIZE_MAX) {
		screen_message(from->screen, "no tensor is selected here");
		return false;
	}
	r = &s->rows[row];
	*sh = (struct sheet){.s = s, .row_of = row, .raw = raw, .wrap = WRAP_FIRST};
	if (!readable(sh, r->t[A]) && !readable(sh, r->t[B])) {
		const struct tensor *t = r->t[A] ? r->t[A] : r->t[B];

		screen_message(from->screen, "%s", t->trouble ? t->trouble : "it has no elements");
		return false;
	}
	show_plane(sh, readable(sh, r->t[A]) ? PLANE_A : PLANE_B);
	if (sheet_has_plane(sh, PLANE_D))
		sh->plane = PLANE_D;
	return true;
}

/* ---- text ---- */

void sheet_index_text(const struct sheet *sh, struct buf *b, uint64_t number)
{
	uint64_t index[RANK_MAX];

	unravel(sh->t, number, index);
	buf_putc(b, '[');
	for (unsigned d = 0; d < sh->t->rank; d++)
		buf_printf(b, "%s%" PRIu64, d ? ", " : "", index[d]);
	buf_putc(b, ']');
}

void sheet_axis_text(const struct sheet *sh, struct buf *b, bool rows, bool ascii)
{
	const struct arrangement *a = &sh->a;
	unsigned lo = rows ? a->row_lo : a->column_lo, hi = rows ? a->row_hi : a->column_hi;

	if (a->wrapped || lo == hi) {
		buf_printf(b, "%" PRIu64, rows ? sh->m.rows : sh->m.columns);
		return;
	}
	buf_puts(b, hi - lo > 1 ? "dims " : "dim ");
	for (unsigned d = lo; d < hi; d++)
		buf_printf(b, "%s%u", d == lo ? "" : ascii ? "x" : "×", d);
	buf_printf(b, " (%" PRIu64 ")", rows ? sh->m.rows : sh->m.columns);
}

void sheet_text(const struct sheet *sh, struct buf *b, bool ascii)
{
	if (sh->t->count == 1) {
		buf_puts(b, "a single value");
		return;
	}
	if (sh->a.wrapped) {
		buf_printf(b, "a vector of %" PRIu64 ", wrapped at %" PRIu64, sh->t->count, sh->m.columns);
		return;
	}
	buf_puts(b, "rows: ");
	sheet_axis_text(sh, b, true, ascii);
	buf_puts(b, "  columns: ");
	sheet_axis_text(sh, b, false, ascii);
	if (sheet_slices(sh) < 2)
		return;
	buf_puts(b, "  at");
	for (unsigned d = 0; d < sh->t->rank; d++)
		if (is_stepped(&sh->a, d) && sh->t->shape[d] > 1)
			buf_printf(b, " dim %u: %" PRIu64, d, sh->index[d]);
}

/* Takes digits and blanks; false at anything else or beyond 64 bits. */
static bool take_number(const char **p, uint64_t *out)
{
	uint64_t n = 0;

	while (**p == ' ')
		++*p;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; ++*p)
		if (!u64_mul(n, 10, &n) || !u64_add(n, (uint64_t)(**p - '0'), &n))
			return false;
	while (**p == ' ')
		++*p;
	*out = n;
	return true;
}

bool sheet_go_to_text(struct sheet *sh, struct screen *sc, const char *text)
{
	uint64_t index[RANK_MAX], number = 0;
	const char *p = text + (*text == '[');
	unsigned n = 0;

	while (n < RANK_MAX && take_number(&p, &index[n])) {
		n++;
		if (*p != ',')
			break;
		p++;
	}
	p += *p == ']';
	if (n == 0 || *p || (n != 1 && n != sh->t->rank)) {
		screen_trouble(sc, "an index such as %s, or a number is wanted", sh->t->rank == 2 ? "12,5" : "1,2,3");
		return false;
	}
	for (unsigned d = 0; d < n; d++) {
		uint64_t size = n == 1 ? sh->t->count : sh->t->shape[d];

		if (index[d] >= size) {
			screen_trouble(sc, "%" PRIu64 " is beyond the last one, %" PRIu64, index[d], size - 1);
			return false;
		}
		number = number * size + index[d];
	}
	sheet_go(sh, number);
	return true;
}

/* ---- windows ---- */

uint64_t sheet_scroll(uint64_t first, uint64_t at, uint64_t per, uint64_t cells, uint64_t length, uint64_t share)
{
	uint64_t reach = per * u64_max(cells, 1), step = per * u64_max(cells / share, 1);

	if (reach >= length)
		return 0;
	if (at + step < first || at >= first + reach + step) /* a jump: to the middle */
		first = at > reach / 2 ? at - reach / 2 : 0;
	else if (at < first)
		first = at > step - per ? at - (step - per) : 0;
	else if (at - first >= reach)
		first = at - reach + u64_min(step, reach);
	first -= first % per;
	if (at - first >= reach) /* what was rounded off */
		first += per;
	return u64_min(first, u64_ceil_div(length - reach, per) * per);
}

uint64_t sheet_moved(uint64_t at, long cells, uint64_t per, uint64_t length)
{
	uint64_t step = per * (uint64_t)(cells < 0 ? -cells : cells);

	at -= at % per;
	if (cells < 0)
		return at > step ? at - step : 0;
	return length - at > step ? at + step : length - 1;
}

unsigned sheet_digits(uint64_t n)
{
	unsigned k = 1;

	for (; n >= 10; n /= 10)
		k++;
	return k;
}

static bool same_ask(const struct patch_ask *a, const struct patch_ask *b)
{
	return memcmp(&a->m, &b->m, sizeof(a->m)) == 0 && a->sides == b->sides && a->row == b->row &&
	       a->column == b->column && a->per_row == b->per_row && a->per_column == b->per_column &&
	       a->height == b->height && a->width == b->width;
}

/* ---- the largest ---- */

enum { HUNTED = 1000, BANDS = 64 };

void hunt_ask(struct hunt *h, const struct sheet *sh, int plane, int wanted)
{
	h->wanted = wanted;
	if (h->patch && h->plane == plane && memcmp(&h->m, &sh->m, sizeof(h->m)) == 0)
		return;
	patch_drop(h->patch);
	h->plane = plane;
	h->m = sh->m;
	h->rank = SIZE_MAX;
	h->patch = patch_start(sh->s, sh->row_of, &(struct patch_ask){
		.m = sh->m, .sides = sh->sides, .top = HUNTED, .top_of = plane,
		.per_row = u64_ceil_div(sh->m.rows, BANDS), .per_column = u64_ceil_div(sh->m.columns, BANDS),
		.height = BANDS, .width = BANDS,
	}, screen_wake, NULL);
	patch_wait(h->patch, 5);
}

void hunt_update(struct hunt *h, struct sheet *sh, struct screen *sc)
{
	const struct patch_top *tops;
	size_t n;

	if (!h->wanted || !h->patch || !patch_done(h->patch))
		return;
	tops = patch_tops(h->patch, &n);
	if (n == 0) {
		screen_message(sc, "there is nothing but zeros");
	} else if (h->wanted == 2 || h->rank == SIZE_MAX) {
		h->rank = h->wanted == -1 ? n - 1 : 0;
	} else if (h->wanted > 0) {
		h->rank = (h->rank + 1) % n;
	} else {
		h->rank = (h->rank + n - 1) % n;
	}
	h->wanted = 0;
	if (n == 0)
		return;
	sh->row = tops[h->rank].row;
	sh->column = tops[h->rank].column;
	screen_message(sc, "number %zu of the largest, %.4g", h->rank + 1, tops[h->rank].x);
}

bool hunt_busy(const struct hunt *h)
{
	return h->wanted && h->patch && !patch_done(h->patch);
}

void hunt_close(struct hunt *h)
{
	patch_drop(h->patch);
	h->patch = NULL;
}

/* ---- views of a patch ---- */

static struct patch_view *patch_view(struct view *v)
{
	return v->state;
}

void patch_view_ask(struct patch_view *pv, const struct patch_ask *a)
{
	if (pv->patch && same_ask(a, &pv->ask))
		return;
	patch_drop(pv->patch);
	pv->ask = *a;
	pv->patch = patch_start(pv->sheet.s, pv->sheet.row_of, a, screen_wake, NULL);
	patch_wait(pv->patch, 5); /* most are done before anybody sees that they were not */
}

void patch_view_layout(struct view *v, struct area body, int pane_rows)
{
	struct patch_view *pv = patch_view(v);

	pv->body = body;
	pv->pane = (struct area){body.y + body.h - pane_rows, body.x, body.w, pane_rows};
	pv->gutter = (int)sheet_digits(pv->sheet.m.rows - 1) + 2;
	v->list = (struct area){body.y + 1, body.x + pv->gutter, body.w - pv->gutter, body.h - 1 - pane_rows};
}

size_t patch_view_arrangements(struct patch_view *pv, size_t first, bool ascii)
{
	struct sheet other = pv->sheet;
	size_t n = sheet_arrangements(&pv->sheet, pv->arrangements);

	for (size_t i = 0; i < n; i++) {
		struct buf b = {0};

		sheet_arrange(&other, &pv->arrangements[i]);
		snprintf(pv->texts[i][0], sizeof(pv->texts[i][0]), "%" PRIu64 " x %" PRIu64, other.m.rows,
			 other.m.columns);
		sheet_text(&other, &b, ascii);
		snprintf(pv->texts[i][1], sizeof(pv->texts[i][1]), "%s", b.p);
		pv->choices[first + i] = (struct choice){pv->texts[i][0], pv->texts[i][1]};
		buf_free(&b);
	}
	return n;
}

const char *patch_view_error(const struct patch_view *pv)
{
	return pv->patch ? patch_error(pv->patch) : NULL;
}

void patch_view_draw_sheet(struct view *v, int y)
{
	const struct patch_view *pv = patch_view(v);
	struct buf b = {0};

	sheet_text(&pv->sheet, &b, v->screen->ascii);
	term_put(y, pv->pane.x + 1, pv->pane.w - 2, ROLE_DIM, buf_view(&b));
	buf_free(&b);
}

void patch_view_reading(struct view *v, struct buf *b)
{
	struct patch_view *pv = patch_view(v);

	if (patch_view_busy(v))
		buf_printf(b, "reading %d %%   ",
			   (int)(100 * patch_progress(hunt_busy(&pv->hunt) ? pv->hunt.patch : pv->patch)));
}

void patch_view_slice(const struct patch_view *pv, struct buf *b)
{
	if (sheet_slices(&pv->sheet) > 1)
		buf_printf(b, "   slice %" PRIu64 "/%" PRIu64, sheet_slice(&pv->sheet) + 1, sheet_slices(&pv->sheet));
}

static void move(struct sheet *sh, const struct steps *st, long down, long across)
{
	sh->row = down ? sheet_moved(sh->row, down, st->per_row, sh->m.rows) : sh->row;
	sh->column = across ? sheet_moved(sh->column, across, st->per_column, sh->m.columns) : sh->column;
}

static void step(struct view *v, int by)
{
	if (!sheet_step(&patch_view(v)->sheet, by))
		screen_message(v->screen, "this is all of it: d chooses other dimensions");
}

static void go_to_done(struct view *v, const char *text)
{
	if (*text)
		sheet_go_to_text(&patch_view(v)->sheet, v->screen, text);
}

bool patch_view_act(struct view *v, enum act act, const struct steps *st)
{
	struct patch_view *pv = patch_view(v);
	struct sheet *sh = &pv->sheet;

	switch (act) {
	case ACT_DOWN: move(sh, st, 1, 0); return true;
	case ACT_UP: move(sh, st, -1, 0); return true;
	case ACT_LEFT: move(sh, st, 0, -1); return true;
	case ACT_RIGHT: move(sh, st, 0, 1); return true;
	case ACT_PAGE_DOWN: move(sh, st, st->page, 0); return true;
	case ACT_PAGE_UP: move(sh, st, -st->page, 0); return true;
	case ACT_HALF_DOWN: move(sh, st, st->page / 2 + 1, 0); return true;
	case ACT_HALF_UP: move(sh, st, -st->page / 2 - 1, 0); return true;
	case ACT_TOP: sh->row = 0; return true;
	case ACT_BOTTOM: sh->row = sh->m.rows - 1; return true;
	case ACT_FIRST: sh->column = 0; return true;
	case ACT_LAST: sh->column = sh->m.columns - 1; return true;
	case ACT_LARGEST: hunt_ask(&pv->hunt, sh, st->plane, 2); return true;
	case ACT_NEXT_LARGEST: hunt_ask(&pv->hunt, sh, st->plane, 1); return true;
	case ACT_PREVIOUS_LARGEST: hunt_ask(&pv->hunt, sh, st->plane, -1); return true;
	case ACT_NEXT_SLICE: step(v, 1); return true;
	case ACT_PREVIOUS_SLICE: step(v, -1); return true;
	case ACT_GO_TO: screen_prompt(v->screen, ":", "", go_to_done); return true;
	default: return false;
	}
}

bool patch_view_busy(struct view *v)
{
	struct patch_view *pv = patch_view(v);

	return (pv->patch && !patch_done(pv->patch)) || hunt_busy(&pv->hunt);
}

void patch_view_close(struct view *v)
{
	patch_drop(patch_view(v)->patch);
	hunt_close(&patch_view(v)->hunt);
}

size_t sheet_tensor(struct view *v)
{
	return ((struct sheet *)v->state)->row_of;
}

const struct sheet *sheet_here(struct view *v)
{
	return v->state;
}
