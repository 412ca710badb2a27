#include "tui/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/opening.h"
#include "base/utf8.h"
#include "tui/command.h"
#include "tui/heat.h"
#include "tui/help.h"
#include "tui/hex.h"
#include "tui/hist.h"
#include "tui/jobs.h"
#include "tui/map.h"
#include "tui/meta.h"
#include "tui/report.h"
#include "tui/summary.h"
#include "tui/table.h"

/* ---- the stack ---- */

struct view *view_push(struct screen *sc, const struct view_ops *ops)
{
	struct view *v = xcalloc(1, sizeof(*v));

	v->ops = ops;
	v->screen = sc;
	v->state = xcalloc(1, ops->state_size);
	v->below = sc->view;
	sc->view = v;
	return v;
}

void view_pop(struct screen *sc)
{
	struct view *v = sc->view;

	if (!v)
		return;
	sc->view = v->below;
	if (v->ops->close)
		v->ops->close(v);
	needle_clear(&v->needle);
	free(v->state);
	free(v);
	if (!sc->view)
		sc->quit = true;
}

void screen_message(struct screen *sc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sc->message, sizeof(sc->message), fmt, ap);
	va_end(ap);
	sc->bad = false;
}

void screen_trouble(struct screen *sc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sc->message, sizeof(sc->message), fmt, ap);
	va_end(ap);
	sc->bad = true;
}

void screen_wake(void *unused)
{
	(void)unused;
	term_wake();
}

size_t view_tensor(struct view *v)
{
	return v->ops->tensor ? v->ops->tensor(v) : SIZE_MAX;
}

bool row_lost(const struct screen *sc, const struct row *r)
{
	for (int side = A; side <= B; side++)
		if (r->t[side] && sc->file_news[side] == SOURCE_SHRANK &&
		    tensor_lost(&sc->s->m[side], r->t[side]))
			return true;
	return false;
}

/* ---- moving ---- */

static void keep_in_sight(struct view *v)
{
	size_t n = v->ops->rows(v), h = v->list.h > 0 ? (size_t)v->list.h : 1;

	if (v->cursor >= n)
		v->cursor = n ? n - 1 : 0;
	if (v->top + h > n) /* no blank lines below while there are rows above */
		v->top = n > h ? n - h : 0;
	if (v->cursor < v->top)
		v->top = v->cursor;
	if (v->cursor >= v->top + h)
		v->top = v->cursor - h + 1;
}

void view_move(struct view *v, size_t row)
{
	v->cursor = row;
	keep_in_sight(v);
}

void view_center(struct view *v, size_t row)
{
	size_t h = v->list.h > 0 ? (size_t)v->list.h : 1;

	if (row < v->top || row >= v->top + h)
		v->top = row > h / 2 ? row - h / 2 : 0;
	view_move(v, row);
}

static void move_by(struct view *v, long rows)
{
	size_t n = v->ops->rows(v);

	if (v->ops->pager)
		v->cursor = v->top;
	if (rows < 0)
		view_move(v, v->cursor > (size_t)-rows ? v->cursor - (size_t)-rows : 0);
	else
		view_move(v, n - v->cursor > (size_t)rows ? v->cursor + (size_t)rows : n ? n - 1 : 0);
	if (v->ops->pager) {
		v->top = v->cursor;
		keep_in_sight(v);
		v->cursor = v->top;
	}
}

/* A page moves what is seen, too, so that the cursor keeps its line. */
static void page_by(struct view *v, long rows)
{
	size_t n = v->ops->rows(v), h = v->list.h > 0 ? (size_t)v->list.h : 1;

	if (v->ops->pager) {
		move_by(v, rows);
		return;
	}
	if (rows < 0)
		v->top = v->top > (size_t)-rows ? v->top - (size_t)-rows : 0;
	else if (n > h)
		v->top = v->top + (size_t)rows < n - h ? v->top + (size_t)rows : n - h;
	move_by(v, rows);
}

/* ---- searching ---- */

static size_t item_at(struct view *v, size_t row)
{
	return v->ops->item_at ? v->ops->item_at(v, row) : row;
}

bool view_seek(struct view *v, int direction, bool here, bool (*test)(struct view *, size_t item))
{
	size_t rows = v->ops->rows(v), n = v->ops->items ? v->ops->items(v) : rows, at;

	if (rows == 0 || n == 0)
		return false;
	at = item_at(v, v->cursor);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 || !here)
			at = direction > 0 ? (at + 1) % n : (at + n - 1) % n;
		if (test(v, at)) {
			view_center(v, v->ops->reveal ? v->ops->reveal(v, at) : at);
			return true;
		}
	}
	return false;
}

static bool item_matches(struct view *v, size_t item)
{
	return v->ops->find(v, item, &v->needle);
}

/* The search follows what is typed, always from where it began. */
static void search_typed(struct screen *sc)
{
	struct view *v = sc->view;

	if (v->ops->unreveal)
		v->ops->unreveal(v);
	v->cursor = v->from_cursor;
	v->top = v->from_top;
	needle_set(&v->needle, sc->prompt.text);
	if (v->needle.n && !view_seek(v, 1, true, item_matches))
		screen_trouble(sc, "not found");
}

static void search_done(struct view *v, const char *text)
{
	size_t from = v->cursor;

	if (!*text) { /* as in less: the last one again */
		if (!v->needle.n)
			return;
		if (view_seek(v, 1, false, item_matches))
			return;
		v->cursor = from;
	}
	if (v->needle.n && !item_matches(v, item_at(v, v->cursor)))
		screen_trouble(v->screen, "%s: not found", v->needle.text);
}

static void search_again(struct view *v, int direction)
{
	size_t before = v->cursor;

	if (!v->needle.n)
		screen_message(v->screen, "nothing was searched for yet: / searches");
	else if (!view_seek(v, direction, false, item_matches))
		screen_trouble(v->screen, "%s: not found", v->needle.text);
	else if (v->cursor == before)
		screen_message(v->screen, "this is the only match");
	else if (direction > 0 ? v->cursor < before : v->cursor > before)
		screen_message(v->screen, direction > 0 ? "the search went on at the top" :
				"the search went on at the bottom");
}

/* ---- the prompt ---- */

void screen_prompt(struct screen *sc, const char *label, const char *text, void (*done)(struct view *, const char *))
{
	sc->prompt = (struct prompt){.on = true, .label = label, .done = done};
	snprintf(sc->prompt.text, sizeof(sc->prompt.text), "%s", text);
	sc->prompt.n = strlen(sc->prompt.text);
}

static void search_begin(struct view *v)
{
	if (!v->ops->find) {
		screen_message(v->screen, "there is nothing to search here");
		return;
	}
	v->from_cursor = v->cursor;
	v->from_top = v->top;
	screen_prompt(v->screen, "/", "", search_done);
	v->screen->prompt.search = true;
}

static void search_cancel(struct view *v)
{
	if (v->ops->unreveal)
		v->ops->unreveal(v);
	needle_clear(&v->needle);
	v->top = v->from_top;
	view_move(v, v->from_cursor);
}

static void prompt_add(struct prompt *p, int key)
{
	uint32_t c = (uint32_t)key;
	char mb[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1)
		mb[0] = (char)c;
	for (size_t i = n; n > 1 && i-- > 0; c >>= 6)
		mb[i] = (char)(i ? 0x80 | (c & 0x3f) : (0xf00u >> n & 0xff) | c);
	if (p->n + n >= sizeof(p->text))
		return;
	memcpy(p->text + p->n, mb, n);
	p->n += n;
	p->text[p->n] = '\0';
}

static void prompt_erase(struct prompt *p)
{
	while (p->n && (p->text[p->n - 1] & 0xc0) == 0x80)
		p->n--;
	if (p->n)
		p->n--;
	p->text[p->n] = '\0';
}

static void prompt_erase_word(struct prompt *p)
{
	while (p->n && p->text[p->n - 1] == ' ')
		p->n--;
	while (p->n && p->text[p->n - 1] != ' ')
		p->n--;
	p->text[p->n] = '\0';
}

static void prompt_key(struct screen *sc, int key)
{
	struct prompt *p = &sc->prompt;

	if (key == K_ENTER) {
		p->on = false;
		p->done(sc->view, p->text);
		return;
	}
	if (key == K_ESC || key == 7 || (key == K_BACKSPACE && p->n == 0)) { /* ^G, too */
		p->on = false;
		if (p->search)
			search_cancel(sc->view);
		return;
	}
	if (key == K_TAB) {
		if (p->complete)
			p->complete(sc, p);
	} else if (key == K_BACKSPACE) {
		prompt_erase(p);
	} else if (key == 21) { /* ^U */
		p->n = 0;
		p->text[0] = '\0';
	} else if (key == 23) { /* ^W */
		prompt_erase_word(p);
	} else if (key >= 0x20 && key < K_UP && key != 0x7f) {
		prompt_add(p, key);
	} else {
		return;
	}
	if (p->search)
		search_typed(sc);
}

/* ---- keys ---- */

void screen_letter(struct screen *sc, enum act act, void (*done)(struct view *, enum act, int))
{
	sc->letter_of = act;
	sc->letter = done;
}

void screen_ask(struct screen *sc, void (*yes)(struct view *), const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sc->question, sizeof(sc->question), fmt, ap);
	va_end(ap);
	sc->yes = yes;
}

static void answer_key(struct screen *sc, int key)
{
	sc->question[0] = '\0';
	if (key == 'y' || key == 'Y')
		sc->yes(sc->view);
	else
		screen_message(sc, "no");
}

static void letter_key(struct screen *sc, int key)
{
	enum act act = sc->letter_of;

	sc->letter_of = ACT_NONE;
	if (key != K_ESC)
		sc->letter(sc->view, act, key);
}

static void escape(struct view *v)
{
	if (v->needle.n)
		needle_clear(&v->needle);
	else if (v->below)
		view_pop(v->screen);
}

static struct str behind(struct str s, size_t at)
{
	return (struct str){s.p + at, s.n - at};
}

/* A name is copied as it is, unless something in it would steer the program that it is pasted into: a shell runs what
 * comes before the end of a line, and takes an escape sequence for the end of what is pasted. */
static void make_pastable(struct buf *b)
{
	struct buf shown = {0};
	uint32_t cp = 0;
	size_t n = 1;

	for (struct str s = buf_view(b); s.n && n; s = behind(s, n)) {
		n = utf8_next(s, &cp);
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			n = 0;
	}
	if (n)
		return;
	utf8_display(&shown, buf_view(b), false);
	buf_free(b);
	*b = shown;
}

/* Y: by the terminal itself, so that it works over ssh, too. */
static void copy(struct view *v)
{
	struct buf b = {0};
	size_t row = view_tensor(v);

	if (v->ops->copy)
		v->ops->copy(v, &b);
	else if (row != SIZE_MAX)
		buf_str(&b, v->screen->s->rows[row].name);
	else if (v->ops->rows(v))
		term_line(&b, v->list.y + (int)(v->cursor - v->top), v->list.x, v->list.w);
	make_pastable(&b);
	if (b.n == 0)
		screen_message(v->screen, "there is nothing to copy here");
	else if (!term_copy(buf_view(&b)))
		screen_trouble(v->screen, "this terminal has no way to copy");
	else
		screen_message(v->screen, "copied: %.400s", b.p);
	buf_free(&b);
}

/* Zeros stand in the place of what a file lost; they are not passed off as values. */
static void open_values(struct view *v, enum act act)
{
	struct screen *sc = v->screen;
	size_t row = view_tensor(v);

	if (row != SIZE_MAX && row_lost(sc, &sc->s->rows[row]))
		screen_trouble(sc, "its values are lost: the file shrank while it was open");
	else if (act == ACT_HEAT)
		heat_open(sc);
	else if (act == ACT_HISTOGRAM)
		hist_open(sc);
	else if (act == ACT_VALUES)
		table_open(sc);
	else
		hex_open(sc);
}

static void common_act(struct view *v, enum act act)
{
	struct screen *sc = v->screen;
	long page = v->list.h > 1 ? v->list.h - 1 : 1, half = v->list.h > 3 ? v->list.h / 2 : 1;

	switch (act) {
	case ACT_DOWN: move_by(v, 1); break;
	case ACT_UP: move_by(v, -1); break;
	case ACT_PAGE_DOWN: page_by(v, page); break;
	case ACT_PAGE_UP: page_by(v, -page); break;
	case ACT_HALF_DOWN: page_by(v, half); break;
	case ACT_HALF_UP: page_by(v, -half); break;
	case ACT_TOP: view_move(v, 0); break;
	case ACT_BOTTOM: view_move(v, SIZE_MAX); break;
	case ACT_SEARCH: search_begin(v); break;
	case ACT_NEXT: search_again(v, 1); break;
	case ACT_PREVIOUS: search_again(v, -1); break;
	case ACT_CLOSE: view_pop(sc); break;
	case ACT_ESCAPE: escape(v); break;
	case ACT_QUIT: sc->quit = true; break;
	case ACT_HELP: help_open(sc); break;
	case ACT_SUMMARY: summary_open(sc); break;
	case ACT_META: meta_open(sc); break;
	case ACT_MAP: map_open(sc); break;
	case ACT_JOBS: jobs_open(sc); break;
	case ACT_HEAT:
	case ACT_HISTOGRAM:
	case ACT_VALUES:
	case ACT_BYTES: open_values(v, act); break;
	case ACT_COMMAND: command_prompt(sc); break;
	case ACT_WRITE: report_prompt(sc); break;
	case ACT_COPY: copy(v); break;
	case ACT_SWAP: sc->change = CHANGE_SWAP; break;
	case ACT_REDRAW: term_redraw(); break;
	default: break;
	}
}

void screen_act(struct screen *sc, enum act act)
{
	struct view *v = sc->view;

	if (!v->ops->act || !v->ops->act(v, act))
		common_act(v, act);
}

static bool too_small(void)
{
	int w, h;

	term_size(&w, &h);
	return w < MIN_COLUMNS || h < MIN_ROWS;
}

/* ---- the mouse ---- */

enum { WHEEL_ROWS = 3 };

/* The rows scroll, and the cursor stays where it is as long as it is in sight. */
static void scroll(struct view *v, int rows)
{
	size_t n = v->ops->rows(v), h = v->list.h > 0 ? (size_t)v->list.h : 1, last = n > h ? n - h : 0;

	if (v->ops->pager) {
		move_by(v, rows);
		return;
	}
	if (rows < 0)
		v->top = v->top > (size_t)-rows ? v->top - (size_t)-rows : 0;
	else
		v->top = v->top + (size_t)rows < last ? v->top + (size_t)rows : last;
	if (v->cursor < v->top)
		v->cursor = v->top;
	if (v->cursor >= v->top + h)
		v->cursor = v->top + h - 1;
	view_move(v, v->cursor);
}

static bool in_area(struct area a, struct mouse m)
{
	return m.x >= a.x && m.x < a.x + a.w && m.y >= a.y && m.y < a.y + a.h;
}

/* One step of the cursor; false: it stays where it was on the screen. */
static bool step(struct view *v, enum act act, long *line, int *column)
{
	long line_before = *line;
	int column_before = *column;

	screen_act(v->screen, act);
	if (v->ops->update)
		v->ops->update(v);
	*line = (long)(v->cursor - v->top) + v->list.y;
	*column = v->column + v->list.x;
	return *line != line_before || *column != column_before;
}

/* A view whose cursor goes sideways, too, is the only one that knows how wide its cells are: so the cursor walks to
 * where the mouse is, as by keys. Two cells may share a line: two steps without a move are the end. */
static void walk_to(struct view *v, struct mouse m)
{
	long line = (long)(v->cursor - v->top) + v->list.y;
	int column = v->column + v->list.x, idle = 0, width = 0;

	while (idle < 2 && line != m.y)
		idle = step(v, line < m.y ? ACT_DOWN : ACT_UP, &line, &column) ? 0 : idle + 1;
	for (int before = column; column > m.x && step(v, ACT_LEFT, &line, &column); before = column)
		width = before - column;
	if (width == 0 && column < m.x) { /* how wide a cell is, a step away from the right edge tells */
		int before = column;

		if (!step(v, ACT_LEFT, &line, &column))
			step(v, ACT_RIGHT, &line, &column);
		width = before > column ? before - column : column - before;
	}
	while (width && column + width <= m.x && step(v, ACT_RIGHT, &line, &column))
		;
}

void screen_mouse(struct screen *sc, struct mouse m)
{
	struct view *v = sc->view;
	size_t row = v->top + (size_t)(m.y - v->list.y);

	if (too_small() || sc->prompt.on || sc->question[0] || sc->letter_of != ACT_NONE)
		return;
	if (m.what != MOUSE_RELEASE && m.what != MOUSE_DRAG)
		sc->message[0] = '\0';
	if (v->ops->mouse && v->ops->mouse(v, m))
		return;
	if (m.what == MOUSE_WHEEL_UP || m.what == MOUSE_WHEEL_DOWN) {
		int rows = m.what == MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS;

		if (!(v->ops->where & WHERE_GRID))
			scroll(v, rows);
		for (int i = 0; (v->ops->where & WHERE_GRID) && i < WHEEL_ROWS; i++)
			screen_act(sc, rows < 0 ? ACT_UP : ACT_DOWN);
		return;
	}
	if ((m.what != MOUSE_PRESS && m.what != MOUSE_DOUBLE) || v->ops->pager || !in_area(v->list, m) ||
	    row >= v->ops->rows(v))
		return;
	if (v->ops->where & WHERE_GRID)
		walk_to(v, m);
	else
		view_move(v, row);
	if (m.what == MOUSE_DOUBLE)
		screen_act(sc, ACT_OPEN);
}

void screen_key(struct screen *sc, int key)
{
	struct view *v = sc->view;
	enum act act;
	int prefix = sc->prefix;

	if (key == K_MOUSE) {
		screen_mouse(sc, term_mouse());
		return;
	}
	sc->message[0] = '\0';
	sc->bad = false;
	if (sc->prompt.on) {
		prompt_key(sc, key);
		return;
	}
	if (sc->question[0]) {
		answer_key(sc, key);
		return;
	}
	if (sc->letter_of != ACT_NONE) {
		letter_key(sc, key);
		return;
	}
	sc->prefix = K_NONE;
	act = key_act(prefix, key, v->ops->where & ~(sc->s->n_models < 2 ? (unsigned)WHERE_PAIR : 0));
	if (too_small() && act != ACT_QUIT && act != ACT_CLOSE)
		return;
	if (act == ACT_PREFIX) {
		sc->prefix = key;
		return;
	}
	if (act == ACT_ESCAPE && sc->opening) {
		screen_stop_opening(sc);
		screen_message(sc, "%s: not opened", sc->added);
		return;
	}
	if (act == ACT_NONE) {
		if (key != K_OTHER && !(prefix != K_NONE && key == K_ESC))
			screen_message(sc, "that key does nothing here: ? helps");
		return;
	}
	screen_act(sc, act);
}

/* ---- drawing ---- */

struct pen pen_at(struct view *v, struct area a, bool selected, enum role over)
{
	term_fill(a.y, a.x, a.w, selected ? over : ROLE_TEXT);
	return (struct pen){.y = a.y, .x = a.x, .end = a.x + a.w, .selected = selected, .over = over,
			    .ascii = v->screen->ascii, .needle = v->needle.n ? &v->needle : NULL};
}

/* A match that begins or ends among the marks on a letter is shown as that of the letter: they share a cell. */
static void whole_letters(struct str shown, size_t *at, size_t *n)
{
	size_t end = *at + *n;

	while (*at > 0 && utf8_fit(behind(shown, *at), 0, NULL) > 0)
		do
			--*at;
		while (*at > 0 && (shown.p[*at] & 0xc0) == 0x80);
	end += utf8_fit(behind(shown, end), 0, NULL);
	*n = end - *at;
}

/* What the search found is marked on top of the text that stands there. */
static void mark_matches(struct pen *p, int x, struct str shown)
{
	size_t from = 0, at, n;

	while (p->needle && from < shown.n && needle_find(p->needle, shown, from, &at, &n) && n > 0) {
		int column;

		whole_letters(shown, &at, &n);
		column = x + (int)utf8_width((struct str){shown.p, at});
		term_put(p->y, column, p->end - column, ROLE_MATCH, (struct str){shown.p + at, n});
		from = at + n;
	}
}

void pen_put(struct pen *p, int width, bool right, enum role role, struct str s)
{
	struct buf b = {0};
	int used, x;

	if (width > p->end - p->x)
		width = p->end - p->x;
	if (width <= 0)
		return;
	utf8_ellipsis(&b, s, (size_t)width, p->ascii);
	used = (int)utf8_width(buf_view(&b));
	x = right ? p->x + width - used : p->x;
	term_put(p->y, x, p->end - x, p->selected ? p->over : role, buf_view(&b));
	mark_matches(p, x, buf_view(&b));
	buf_free(&b);
	p->x += width;
}

void pen_puts(struct pen *p, int width, bool right, enum role role, const char *s)
{
	pen_put(p, width, right, role, str_of(s));
}

void pen_skip(struct pen *p, int width)
{
	p->x += width;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* The end of a model's path, as much of it as tells it from the other: releases may differ in the directory only. */
static const char *telling_name(const struct session *s, int side)
{
	const char *path = s->m[side].path, *other = s->m[side == A ? B : A].path, *p = base_name(path), *q;

	if (s->n_models < 2 || strcmp(path, other) == 0)
		return p;
	q = base_name(other);
	while (strcmp(p, q) == 0 && p > path && q > other) {
		for (p--; p > path && p[-1] != '/'; p--)
			;
		for (q--; q > other && q[-1] != '/'; q--)
			;
	}
	return p;
}

static int draw_name(struct screen *sc, int side, int x, int width)
{
	const struct model *m = &sc->s->m[side];
	struct buf shown = {0}, cut = {0};

	if (sc->s->n_models > 1)
		buf_puts(&shown, side == A ? "A " : "B ");
	utf8_display(&shown, str_of(telling_name(sc->s, side)), sc->ascii);
	if ((int)utf8_width(buf_view(&shown)) + 2 + (int)strlen(m->format) <= width)
		buf_printf(&shown, "  %s", m->format);
	utf8_ellipsis(&cut, buf_view(&shown), (size_t)(width > 0 ? width : 0), sc->ascii);
	x += term_put(0, x, width, ROLE_TITLE, buf_view(&cut));
	buf_free(&shown);
	buf_free(&cut);
	return x;
}

static void draw_title(struct screen *sc, int w)
{
	int x = 1, share;

	term_fill(0, 0, w, ROLE_TITLE);
	x += term_puts(0, x, w - x, ROLE_TITLE, "weigh") + 2;
	if (sc->view->ops->title)
		x += term_puts(0, x, w - x, ROLE_TITLE, sc->view->ops->title) + 2;
	share = (w - x - 1) / (int)sc->s->n_models - (sc->s->n_models > 1 ? 2 : 0);
	for (unsigned i = 0; i < sc->s->n_models; i++)
		x = draw_name(sc, (int)i, x, share) + 4;
}

static double fraction_done(struct screen *sc)
{
	uint64_t done, total;

	scan_progress(sc->scan, &done, &total);
	total += sc->unasked;
	return total ? (double)done / (double)total : 1;
}

bool screen_busy(struct screen *sc)
{
	return sc->next < sc->s->n_rows || !scan_idle(sc->scan);
}

void screen_stop_opening(struct screen *sc)
{
	opening_drop(sc->opening);
	sc->opening = NULL;
}

/* "opening b.gguf.xz  43 %  Esc stops" */
static int draw_opening(struct screen *sc, int y, int w)
{
	const char *slash = strrchr(sc->added, '/');
	uint64_t out, in, of;
	struct buf name = {0}, b = {0};
	int x;

	opening_progress(sc->opening, &out, &in, &of);
	utf8_display(&name, str_of(slash && slash[1] ? slash + 1 : sc->added), sc->ascii);
	buf_puts(&b, "opening ");
	utf8_ellipsis(&b, buf_view(&name), (size_t)w / 4, sc->ascii);
	if (of)
		buf_printf(&b, "  %d %%", (int)(100 * (double)in / (double)of));
	buf_puts(&b, "  Esc stops ");
	x = w - (int)utf8_width(buf_view(&b));
	term_put(y, x, w - x, ROLE_STATUS, buf_view(&b));
	buf_free(&name);
	buf_free(&b);
	return x;
}

/* At the right of the status line: how far the computing is. */
static int draw_progress(struct screen *sc, int y, int w)
{
	int full = (int)(12 * fraction_done(sc)), x;
	struct buf b = {0};

	buf_puts(&b, "computing ");
	for (int i = 0; i < 12; i++)
		buf_puts(&b, i < full ? (sc->ascii ? "#" : "━") : (sc->ascii ? "." : "─"));
	buf_printf(&b, " %3d %% ", (int)(100 * fraction_done(sc)));
	x = w - (int)utf8_width(buf_view(&b));
	term_put(y, x, w - x, ROLE_STATUS, buf_view(&b));
	buf_free(&b);
	return x;
}

/* "L layer map  ": the first of its keys. */
static void put_hint(struct buf *b, const struct hint *h)
{
	struct buf keys = {0};

	key_names(&keys, h->act);
	if (keys.n)
		buf_printf(b, "%.*s %s  ", (int)strcspn(keys.p, " "), keys.p, h->word);
	buf_free(&keys);
}

/* Or the keys that everyone needs, and, in the room that `used` columns of text leave, some of the view's. */
static int draw_hints(struct screen *sc, int y, int w, int used)
{
	const struct hint always[] = {{ACT_HELP, "help", false},
				      {ACT_CLOSE, sc->view->below ? "back" : "quit", false}};
	struct buf b = {0}, last = {0};
	int x;

	for (size_t i = 0; i < COUNT(always); i++)
		put_hint(&last, &always[i]);
	for (const struct hint *h = sc->view->ops->hints; h && h->word; h++) {
		size_t before = b.n;

		if (h->pair && sc->s->n_models < 2)
			continue;
		put_hint(&b, h);
		if (used + 4 + (int)(b.n + last.n) > w) {
			b.n = before;
			break;
		}
	}
	buf_str(&b, buf_view(&last));
	x = w - (int)b.n + 1;
	term_put(y, x, w - x, ROLE_STATUS, (struct str){b.p ? b.p : "", b.n ? b.n - 1 : 0});
	buf_free(&b);
	buf_free(&last);
	return x;
}

static int draw_prompt(struct screen *sc, int y, int w)
{
	struct prompt *p = &sc->prompt;
	struct buf b = {0}, note = {0};
	struct str s;
	int x = 1, room;

	utf8_display(&b, str_of(sc->message), sc->ascii);
	utf8_ellipsis(&note, buf_view(&b), (size_t)(w / 2), sc->ascii);
	room = w - 3 - (int)utf8_width(buf_view(&note));
	x += term_puts(y, x, w - x, ROLE_STATUS, p->label);
	buf_clear(&b);
	utf8_display(&b, str_of(p->text), sc->ascii);
	s = buf_view(&b);
	s = utf8_end(s, (size_t)(room > x ? room - x : 0)); /* it is where one types */
	x += term_put(y, x, w - x, ROLE_STATUS, s);
	term_put(y, room + 2, w - room - 2, ROLE_PROBLEM, buf_view(&note));
	buf_free(&b);
	buf_free(&note);
	return x;
}

/* What the status line says; its role. */
static enum role status_text(struct screen *sc, struct buf *b)
{
	struct view *v = sc->view;
	size_t n = v->ops->rows(v);

	if (sc->question[0]) {
		utf8_display(b, str_of(sc->question), sc->ascii);
		buf_puts(b, " (y/n)");
		return ROLE_PROBLEM;
	}
	if (sc->prefix != K_NONE) {
		buf_printf(b, "%c...", (char)sc->prefix);
	} else if (sc->letter_of != ACT_NONE) {
		buf_puts(b, sc->letter_of == ACT_MARK ? "mark: a to z" : "go to mark: a to z");
	} else if (sc->message[0]) {
		utf8_display(b, str_of(sc->message), sc->ascii);
	} else {
		if (v->ops->place)
			v->ops->place(v, b);
		else
			buf_printf(b, "%zu/%zu", n ? v->cursor + 1 : 0, n);
		if (v->ops->mode)
			v->ops->mode(v, b);
	}
	return sc->bad ? ROLE_PROBLEM : ROLE_STATUS;
}

static void draw_status(struct screen *sc, int y, int w)
{
	struct buf b = {0}, shown = {0};
	enum role role = status_text(sc, &b);
	int used = (int)utf8_width(buf_view(&b));
	int end = sc->opening ? draw_opening(sc, y, w) :
		  screen_busy(sc) ? draw_progress(sc, y, w) : draw_hints(sc, y, w, used);

	utf8_ellipsis(&shown, buf_view(&b), (size_t)(end > 3 ? end - 3 : 0), sc->ascii);
	term_put(y, 1, end - 2, role, buf_view(&shown));
	buf_free(&b);
	buf_free(&shown);
}

static void draw_too_small(int w, int h)
{
	char lines[2][40];
	int n = 1, room;

	room = snprintf(lines[0], sizeof(lines[0]), "weigh needs %d x %d, this is %d x %d", MIN_COLUMNS, MIN_ROWS, w,
			h);
	if (room > w && h > 1) {
		snprintf(lines[0], sizeof(lines[0]), "too small");
		snprintf(lines[1], sizeof(lines[1]), "needs %d x %d", MIN_COLUMNS, MIN_ROWS);
		n = 2;
	}
	for (int i = 0; i < n; i++) {
		room = w - (int)strlen(lines[i]);
		term_puts((h - n) / 2 + i, room > 0 ? room / 2 : 0, w, ROLE_TEXT, lines[i]);
	}
	term_flush(h - 1, 0);
}

static void draw_list(struct view *v)
{
	size_t n = v->ops->rows(v);

	for (int i = 0; i < v->list.h && v->top + (size_t)i < n; i++)
		v->ops->draw_row(v, v->top + (size_t)i, (struct area){v->list.y + i, v->list.x, v->list.w, 1});
}

void screen_draw(struct screen *sc)
{
	struct view *v = sc->view;
	int w, h, x;

	term_size(&w, &h);
	term_clear();
	if (too_small()) {
		draw_too_small(w, h);
		return;
	}
	v->list = (struct area){2, 0, w, h - 3};
	if (!v->ops->draw_header)
		v->list = (struct area){1, 0, w, h - 2};
	if (v->ops->layout)
		v->ops->layout(v, v->list);
	if (v->ops->update)
		v->ops->update(v);
	keep_in_sight(v);
	draw_title(sc, w);
	if (v->ops->draw_header)
		v->ops->draw_header(v, (struct area){1, v->list.x, v->list.w, 1});
	draw_list(v);
	if (v->ops->draw_rest)
		v->ops->draw_rest(v);
	term_fill(h - 1, 0, w, ROLE_STATUS);
	if (sc->prompt.on) {
		x = draw_prompt(sc, h - 1, w);
		term_flush(h - 1, x);
	} else {
		draw_status(sc, h - 1, w);
		term_flush(v->list.y + (int)(v->cursor - v->top), v->list.x + v->column);
	}
}
