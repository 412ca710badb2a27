#include "tui/meta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/datum.h"
#include "analysis/provenance.h"
#include "base/err.h"
#include "base/map.h"
#include "base/utf8.h"
#include "tui/cells.h"
#include "tui/text.h"

/*
 * A tree of entries, by the components of their keys, with the provenance before it: what of them tells where the model
 * comes from, under names that do not depend on the format. Arrays and JSON get their parts when they are opened.
 */
enum {
	VALUE_CUT = 4000, VALUE_MOST = 1 << 20, /* bytes of a value that a line may need, that anyone reads */
	DEPTH_MAX = 16, FACT_MOST = 6,         /* groups in each other; entries for one fact */
	PANE_ROWS = 3, TYPED_FROM = 100,       /* the pane's lines; columns from which on there is one for types */
	FACT_WIDTH = 14, TYPE_WIDTH = 12, OPEN_MOST = 300,      /* entries that all lie open at first */
	PROVENANCE = 1,                        /* the item of that group, the first one after the root */
};

struct item {
	struct str label;
	struct str key[2];        /* of an entry or a group all of it; of a fact those of the entries that tell it */
	int parent, child, last, sibling;
	unsigned depth;
	struct datum v[2];
	enum status status;       /* of a group the worst below it */
	bool group, fact, note;   /* fact: a line of the provenance; note: no value, the label says something */
	bool open, made;          /* made: its parts are there */
	size_t entries, differ;   /* below a group */
};

struct state {
	struct item *items;
	size_t n, cap;
	int *order;   /* all but the root, from the first line to the last */
	size_t n_order;
	size_t *list; /* those that show: places in the order */
	size_t n_list;
	bool only_differing;
	size_t n_rows, n_differ;
	struct meta_row *rows;
	struct arena arena;
	struct area pane;
};

static struct state *state(struct view *v)
{
	return v->state;
}

/* ---- making the tree ---- */

static int add_item(struct state *st, int parent, struct str label) /* may move the items */
{
	int i = (int)st->n;
	struct item *it;

	if (st->n == st->cap) {
		st->cap = st->cap ? 2 * st->cap : 64;
		st->items = xrealloc(st->items, st->cap, sizeof(*st->items));
	}
	it = &st->items[st->n++];
	*it = (struct item){.label = label, .parent = parent, .child = -1, .last = -1, .sibling = -1,
			    .status = ST_SINGLE};
	if (parent >= 0) {
		struct item *p = &st->items[parent];

		it->depth = parent ? p->depth + 1 : 0;
		*(p->last >= 0 ? &st->items[p->last].sibling : &p->child) = i;
		p->last = i;
	}
	return i;
}

static int add_group(struct state *st, int parent, struct str label)
{
	int i = add_item(st, parent, label);

	st->items[i].group = st->items[i].made = true;
	return i;
}

static bool item_opens(const struct item *it)
{
	return it->group || datum_opens(&it->v[A]) || datum_opens(&it->v[B]);
}

static enum status status_of(const struct screen *sc, const struct item *it)
{
	bool a = datum_there(&it->v[A]), b = datum_there(&it->v[B]);

	if (sc->s->n_models < 2 || (!a && !b))
		return ST_SINGLE;
	if (!a || !b)
		return a ? ST_REMOVED : ST_ADDED;
	return datum_equal(&it->v[A], &it->v[B]) ? ST_IDENTICAL : ST_CHANGED;
}

static bool is_separator(char c)
{
	return c == '.' || c == '/';
}

/* Where the first component ends; the last one has no end: 0. */
static size_t component(struct str s)
{
	size_t n = 1;

	while (n < s.n && !is_separator(s.p[n]))
		n++;
	return n + 1 < s.n ? n : 0;
}

/* The group that a key lies in, made where there is none; its last components go to *label. */
static int group_of(struct state *st, struct map *groups, int root, struct str key, struct str *label)
{
	size_t at = 0, n;
	int group = root;

	for (unsigned depth = 0; depth < DEPTH_MAX && (n = component((struct str){key.p + at, key.n - at})); depth++) {
		struct str path = {key.p, at + n};
		uint32_t known = map_get(groups, path);

		if (known == MAP_NONE) {
			known = (uint32_t)add_group(st, group, (struct str){key.p + at, n});
			st->items[known].key[A] = path;
			map_add(groups, path, known);
		}
		group = (int)known;
		at += n + 1;
	}
	*label = (struct str){key.p + at, key.n - at};
	return group;
}

static void add_entries(struct view *v, int root)
{
	struct state *st = state(v);
	struct map groups = {0};

	for (size_t i = 0; i < st->n_rows; i++) {
		const struct meta_row *r = &st->rows[i];
		struct str label;
		int parent = group_of(st, &groups, root, r->key, &label), at = add_item(st, parent, label);
		struct item *it = &st->items[at];

		for (int side = A; side <= B; side++)
			it->v[side].meta = r->v[side];
		it->key[A] = r->key;
		it->status = r->status;
	}
	map_free(&groups);
}

/* A group with one entry adds a line and tells nothing: it becomes that entry, which leaves an empty group behind. */
static void fold_only_children(struct state *st)
{
	for (size_t i = st->n; i-- > PROVENANCE + 1;) {
		struct item *it = &st->items[i], *kid = it->child >= 0 ? &st->items[it->child] : NULL, group = *it;

		if (!it->group || !kid || kid->sibling >= 0)
			continue;
		*it = *kid;
		it->label = (struct str){group.label.p, (size_t)(kid->label.p + kid->label.n - group.label.p)};
		it->parent = group.parent;
		it->sibling = group.sibling;
		for (int k = it->child; k >= 0; k = st->items[k].sibling)
			st->items[k].parent = (int)i;
		*kid = (struct item){.parent = 0, .child = -1, .last = -1, .sibling = -1, .group = true};
	}
	for (size_t i = 1; i < st->n; i++) {
		struct item *it = &st->items[i];

		it->depth = it->parent ? st->items[it->parent].depth + 1 : 0;
	}
}

/* ---- provenance ---- */

static bool says_something(const struct meta_value *m)
{
	return m && !(m->kind == META_TEXT && m->u.text.n == 0);
}

/* A line of a fact; the first one has its name. */
static void add_fact(struct view *v, int group, enum fact fact, bool first, const struct meta_row *a,
		     const struct meta_row *b)
{
	struct state *st = state(v);
	int at = add_item(st, group, first ? str_of(fact_infos[fact].name) : STR(""));
	struct item *it = &st->items[at];

	it->fact = true;
	it->v[A].meta = a ? a->v[A] : NULL;
	it->v[B].meta = b ? b->v[B] : NULL;
	it->key[A] = a ? a->key : STR("");
	it->key[B] = b ? b->key : STR("");
	it->status = status_of(v->screen, it);
}

/* The entries that tell a fact; where each side has one of its own under another key, the two are one line. */
static void add_fact_lines(struct view *v, int group, enum fact fact, const struct meta_row *const *found, size_t n)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): n of them are set */
	if (n == 2 && !says_something(found[0]->v[B]) && !says_something(found[1]->v[A])) {
		add_fact(v, group, fact, true, found[0], found[1]);
		return;
	}
	for (size_t i = 0; i < n; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the same */
		add_fact(v, group, fact, i == 0, says_something(found[i]->v[A]) ? found[i] : NULL,
			 says_something(found[i]->v[B]) ? found[i] : NULL);
	if (n == 0 && fact_infos[fact].expected)
		add_fact(v, group, fact, true, NULL, NULL);
}

static void add_provenance(struct view *v)
{
	struct state *st = state(v);
	int group = add_group(st, 0, STR("provenance"));
	const struct meta_row *found[FACT_COUNT][FACT_MOST];
	size_t n[FACT_COUNT] = {0};

	for (size_t i = 0; i < st->n_rows; i++) {
		const struct meta_row *r = &st->rows[i];
		enum fact fact = fact_of_key(r->key);

		if (fact != FACT_NONE && n[fact] < FACT_MOST && (says_something(r->v[A]) || says_something(r->v[B])))
			found[fact][n[fact]++] = r;
	}
	for (int fact = 0; fact < FACT_COUNT; fact++)
		add_fact_lines(v, group, (enum fact)fact, found[fact], n[fact]);
}

/* ---- parts of arrays and of JSON ---- */

static void add_note(struct state *st, int parent, const char *text)
{
	int i = add_item(st, parent, str_of(text));

	st->items[i].note = st->items[i].made = true;
}

static bool same_part(const struct datum_parts *a, size_t i, const struct datum_parts *b, size_t k)
{
	return a->items && b->items ? i == k : str_eq(a->part[i].label, b->part[k].label);
}

/* A part of either side, or of both. */
static void add_part(struct view *v, int parent, const struct datum_parts p[2], size_t i, size_t k)
{
	struct state *st = state(v);
	const struct datum_part *a = i < p[A].n ? &p[A].part[i] : NULL, *b = k < p[B].n ? &p[B].part[k] : NULL;
	struct str label = a ? a->label : p[B].part[k].label;
	struct item *it;
	int at;

	if (a ? p[A].items : p[B].items)
		label = str_of(arena_printf(&st->arena, "[%zu]", a ? i : k));
	at = add_item(st, parent, label);
	it = &st->items[at];
	it->v[A] = a ? a->d : (struct datum){0};
	it->v[B] = b ? b->d : (struct datum){0};
	it->status = status_of(v->screen, it);
}

/* Members are aligned by their keys, items by their places; B's own come last. */
static void add_parts(struct view *v, int parent, const struct datum_parts p[2])
{
	struct map keys = {0};
	bool *taken = xcalloc(p[B].n + 1, sizeof(*taken));

	for (size_t k = 0; k < p[B].n && !p[B].items; k++)
		map_add(&keys, p[B].part[k].label, (uint32_t)k);
	for (size_t i = 0; i < p[A].n; i++) {
		size_t k = p[A].items ? i : map_get(&keys, p[A].part[i].label);

		if (k >= p[B].n || taken[k] || p[A].items != p[B].items || !same_part(&p[A], i, &p[B], k))
			k = SIZE_MAX;
		else
			taken[k] = true;
		add_part(v, parent, p, i, k);
	}
	for (size_t k = 0; k < p[B].n; k++)
		if (!taken[k])
			add_part(v, parent, p, SIZE_MAX, k);
	map_free(&keys);
	free(taken);
}

static void make_parts(struct view *v, int at)
{
	struct state *st = state(v);
	struct datum_parts p[2] = {{.n = 0}, {.n = 0}};
	struct err e;

	st->items[at].made = true;
	for (int side = A; side <= B; side++) {
		const struct datum *d = &st->items[at].v[side];

		if (datum_opens(d) && !datum_open(d, &st->arena, &p[side], &e))
			screen_trouble(v->screen, "%s", e.msg);
	}
	add_parts(v, at, p);
	for (int side = A; side <= B; side++)
		if (p[side].more)
			add_note(st, at, arena_printf(&st->arena, "%s%llu more in the file",
						      v->screen->s->n_models < 2 ? "" : side == A ? "A: " : "B: ",
						      (unsigned long long)p[side].more));
}

/* ---- the list ---- */

static bool differs(const struct item *it)
{
	return it->status == ST_CHANGED || it->status == ST_ADDED || it->status == ST_REMOVED;
}

/* Whether an item is shown when all above it is open. */
static bool passes(const struct state *st, const struct item *it)
{
	return !st->only_differing || (it->group ? it->differ > 0 : differs(it));
}

/* All items from the first line to the last, and those that show. */
static void relist(struct view *v)
{
	struct state *st = state(v);
	int here = v->cursor < st->n_list ? st->order[st->list[v->cursor]] : -1, hidden = -1;

	st->order = xrealloc(st->order, st->n + 1, sizeof(*st->order));
	st->list = xrealloc(st->list, st->n + 1, sizeof(*st->list));
	st->n_order = st->n_list = 0;
	for (int i = st->items[0].child; i >= 0;) {
		const struct item *it = &st->items[i];

		if (hidden < 0 && passes(st, it)) {
			if (i == here)
				v->cursor = st->n_list;
			st->list[st->n_list++] = st->n_order;
		}
		st->order[st->n_order++] = i;
		if (it->child >= 0) {
			if (hidden < 0 && (!it->open || !passes(st, it)))
				hidden = i;
			i = it->child;
			continue;
		}
		while (i > 0 && st->items[i].sibling < 0) {
			i = st->items[i].parent;
			hidden = hidden == i ? -1 : hidden;
		}
		i = i > 0 ? st->items[i].sibling : -1;
	}
	view_move(v, v->cursor);
}

/* What the groups come to: items follow what they lie in, so from the last one up. */
static void sum_up(struct state *st)
{
	for (size_t i = st->n; i-- > 1;) {
		const struct item *it = &st->items[i];
		struct item *p = &st->items[it->parent];
		bool line = !it->group && !it->note;

		p->entries += it->group ? it->entries : line;
		p->differ += it->group ? it->differ : line && differs(it);
	}
	for (size_t i = 1; i < st->n; i++)
		if (st->items[i].group)
			st->items[i].status = st->items[i].differ ? ST_CHANGED : ST_IDENTICAL;
}

static struct item *selected(struct view *v)
{
	struct state *st = state(v);

	return v->cursor < st->n_list ? &st->items[st->order[st->list[v->cursor]]] : NULL;
}

static int index_of(struct view *v, const struct item *it)
{
	return (int)(it - state(v)->items);
}

static void set_open(struct view *v, int at, bool open)
{
	struct state *st = state(v);

	if (open && !st->items[at].made)
		make_parts(v, at);
	st->items[at].open = open;
	relist(v);
}

static size_t rows(struct view *v)
{
	return state(v)->n_list;
}

/* ---- searching ---- */

static size_t items(struct view *v)
{
	return state(v)->n_order;
}

static size_t item_at(struct view *v, size_t row)
{
	return state(v)->list[row];
}

static size_t place_of(struct view *v, size_t item)
{
	const struct state *st = state(v);
	size_t best = 0;

	for (size_t i = 0; i < st->n_list && st->list[i] <= item; i++)
		best = i;
	return best;
}

static size_t reveal(struct view *v, size_t item)
{
	struct state *st = state(v);

	for (int i = st->items[st->order[item]].parent; i > 0; i = st->items[i].parent)
		st->items[i].open = true;
	relist(v);
	return place_of(v, item);
}

static bool found_in(const struct datum *d, const struct needle *nd, bool ascii)
{
	struct buf b = {0};
	size_t at, n;
	bool hit;

	if (!datum_there(d))
		return false;
	if (!d->meta) /* as it is written: an object may be long */
		return needle_find(nd, (struct str){(const char *)d->json.p, d->json.n}, 0, &at, &n);
	if (d->meta->kind == META_TEXT)
		return needle_find(nd, d->meta->u.text, 0, &at, &n);
	datum_text(d, &b, VALUE_CUT, ascii);
	hit = needle_find(nd, buf_view(&b), 0, &at, &n);
	buf_free(&b);
	return hit;
}

/* Whether a match reaches into the item's own part of the key: not every entry of a group that matches. */
static bool key_has(const struct item *it, const struct needle *nd)
{
	struct str key = it->key[A].n && !it->fact ? it->key[A] : it->label;
	size_t above = key.n - it->label.n, from = 0, at, n;

	while (needle_find(nd, key, from, &at, &n)) {
		if (at + n > above)
			return true;
		from = at + 1;
	}
	return false;
}

static bool find(struct view *v, size_t item, const struct needle *nd)
{
	const struct item *it = &state(v)->items[state(v)->order[item]];

	if (!passes(state(v), it))
		return false;
	return key_has(it, nd) || found_in(&it->v[A], nd, v->screen->ascii) ||
	       found_in(&it->v[B], nd, v->screen->ascii);
}

static bool entry_differs(struct view *v, size_t item)
{
	const struct item *it = &state(v)->items[state(v)->order[item]];

	return !it->group && !it->fact && differs(it);
}

static void next_change(struct view *v, int direction)
{
	size_t before = v->cursor;

	if (!view_seek(v, direction, false, entry_differs))
		screen_message(v->screen, "nothing differs here");
	else if (direction > 0 ? v->cursor < before : v->cursor > before)
		screen_message(v->screen, direction > 0 ? "went on at the top" : "went on at the bottom");
}

/* ---- drawing ---- */

struct widths {
	int key, type, value;
};

static struct widths widths_of(struct view *v, int w)
{
	bool pair = v->screen->s->n_models > 1;
	int type = w < TYPED_FROM ? 0 : w < 2 * TYPED_FROM ? TYPE_WIDTH + 1 : 2 * TYPE_WIDTH, key = w / 2;

	if (pair)
		key = w / 3;
	key = key < 44 ? key : 44;
	w -= key + type;
	return (struct widths){key, type, pair ? (w - 5) / 2 : w - 3};
}

static void layout(struct view *v, struct area body)
{
	int h = PANE_ROWS + (v->screen->s->n_models > 1);

	v->list = body;
	v->list.h -= h;
	state(v)->pane = (struct area){body.y + v->list.h, body.x, body.w, h};
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
	if (w.type) {
		pen_puts(&p, w.type - 1, false, ROLE_HEADER, "type");
		pen_skip(&p, 1);
	}
	pen_puts(&p, w.value, false, ROLE_HEADER, pair ? "A" : "value");
	pen_skip(&p, 1);
	if (pair)
		pen_puts(&p, w.value - 1, false, ROLE_HEADER, "B");
}

/* The key's last components, or the name of a fact and the key that tells it. */
static void put_key(struct pen *p, int width, const struct item *it)
{
	int indent = (int)(2 * (it->depth < 12 ? it->depth : 12)), end = p->x + width;
	bool opens = item_opens(it);
	struct buf b = {0};
	struct str key = it->key[it->key[A].n ? A : B];

	pen_skip(p, indent < width / 2 ? indent : width / 2);
	pen_puts(p, 2, false, ROLE_DIM, !opens ? "  " : p->ascii ? it->open ? "v " : "> " : it->open ? "▾ " : "▸ ");
	utf8_display(&b, it->label, p->ascii);
	if (it->fact) {
		if (it->label.n)
			pen_put(p, FACT_WIDTH, false, ROLE_TEXT, buf_view(&b));
		else if (end - p->x >= 2 * FACT_WIDTH)
			pen_skip(p, FACT_WIDTH);
		buf_clear(&b);
		utf8_display(&b, key, p->ascii);
		if (!it->label.n || end - p->x >= FACT_WIDTH)
			pen_put(p, end - p->x, false, ROLE_DIM, buf_view(&b));
	} else {
		pen_put(p, end - p->x, false, it->group ? ROLE_GROUP : it->note ? ROLE_DIM : ROLE_TEXT, buf_view(&b));
	}
	pen_skip(p, end - p->x);
	buf_free(&b);
}

/* "u32", or "u32→u64" where the sides differ. */
static void type_of(struct buf *b, const struct item *it, bool ascii)
{
	struct buf other = {0};

	datum_type(&it->v[A], b);
	datum_type(&it->v[B], &other);
	if (other.n && b->n && !str_eq(buf_view(&other), buf_view(b)))
		buf_puts(b, ascii ? "->" : "→");
	if (other.n && !str_eq(buf_view(&other), buf_view(b)))
		buf_str(b, buf_view(&other));
	buf_free(&other);
}

/* Bytes that two texts begin with alike, whole characters. */
static size_t alike(struct str a, struct str b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.p[n] == b.p[n])
		n++;
	while (n > 0 && n < a.n && ((unsigned char)a.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* What is too long is cut where it tells least: of two that differ far from their beginnings, at the beginning. */
static void put_long(struct pen *p, int width, enum role role, struct str s, struct str other)
{
	size_t same = alike(s, other), before = (size_t)width / 3, from;
	struct buf b = {0};

	if (utf8_width(s) > (size_t)width && utf8_width((struct str){s.p, same}) + before > (size_t)width) {
		from = utf8_fit(s, utf8_width((struct str){s.p, same}) - before, NULL);
		buf_puts(&b, p->ascii ? "~" : "…");
		buf_add(&b, s.p + from, s.n - from);
		s = buf_view(&b);
		s.n = utf8_width(s) > (size_t)width ? utf8_fit(s, (size_t)width - 1, NULL) : s.n;
		p->x += term_put(p->y, p->x, width, p->selected ? p->over : role, s);
		if (s.n < b.n)
			term_puts(p->y, p->x, 1, p->selected ? p->over : role, p->ascii ? "~" : "…");
	} else {
		pen_put(p, width, false, role, s);
	}
	buf_free(&b);
}

static void put_value(struct pen *p, int width, enum role role, const struct item *it, int side)
{
	int end = p->x + width;
	struct buf b = {0}, other = {0};

	if (!datum_there(&it->v[side]) && it->fact && it->label.n) {
		role = ROLE_REMOVED;
		buf_puts(&b, "missing");
	}
	datum_text(&it->v[side], &b, VALUE_CUT, p->ascii);
	if (datum_there(&it->v[A]) && datum_there(&it->v[B]) && it->status != ST_IDENTICAL)
		datum_text(&it->v[side == A ? B : A], &other, VALUE_CUT, p->ascii);
	put_long(p, width, role, buf_view(&b), buf_view(&other));
	p->x = end;
	buf_free(&b);
	buf_free(&other);
}

static void count_missing(struct view *v, const struct item *group, struct buf *b)
{
	const struct state *st = state(v);
	size_t missing = 0;

	for (int i = group->child; i >= 0; i = st->items[i].sibling) {
		const struct item *it = &st->items[i];

		missing += it->label.n && (!datum_there(&it->v[A]) ||
					   (v->screen->s->n_models > 1 && !datum_there(&it->v[B])));
	}
	if (missing)
		buf_printf(b, "%zu missing", missing);
	else
		buf_puts(b, "nothing missing");
}

static void put_group(struct view *v, struct pen *p, int width, const struct item *it)
{
	struct buf b = {0};

	if (index_of(v, it) == PROVENANCE)
		count_missing(v, it, &b);
	else
		buf_printf(&b, "%zu entr%s", it->entries, it->entries == 1 ? "y" : "ies");
	if (v->screen->s->n_models > 1 && it->differ)
		buf_printf(&b, ", %zu differ%s", it->differ, it->differ == 1 ? "s" : "");
	pen_put(p, width, false, ROLE_DIM, buf_view(&b));
	buf_free(&b);
}

static void put_values(struct view *v, struct pen *p, const struct widths *w, const struct item *it)
{
	enum role role = it->status == ST_IDENTICAL ? ROLE_DIM : it->status == ST_SINGLE ? ROLE_TEXT :
			 status_role(it->status);

	put_value(p, w->value - (v->screen->s->n_models > 1), role, it, A);
	pen_skip(p, v->screen->s->n_models > 1 ? 2 : 1);
	if (v->screen->s->n_models > 1)
		put_value(p, w->value - 1, role, it, B);
}

static void draw_row(struct view *v, size_t row, struct area a)
{
	const struct state *st = state(v);
	const struct item *it = &st->items[st->order[st->list[row]]];
	struct pen p = pen_at(v, a, row == v->cursor, ROLE_CURSOR);
	struct widths w = widths_of(v, a.w);

	pen_skip(&p, 1);
	if (v->screen->s->n_models > 1) {
		bool marked = it->status != ST_SINGLE;

		pen_puts(&p, 1, false, status_role(it->status), marked ? status_mark(it->status, p.ascii) : " ");
		pen_skip(&p, 1);
	}
	put_key(&p, w.key, it);
	pen_skip(&p, 1);
	if (w.type) {
		struct buf type = {0};

		type_of(&type, it, p.ascii);
		pen_put(&p, w.type - 1, false, ROLE_DIM, buf_view(&type));
		pen_skip(&p, 1);
		buf_free(&type);
	}
	if (it->group)
		put_group(v, &p, a.w, it);
	else
		put_values(v, &p, &w, it);
}

/* ---- the pane ---- */

/* From the root on; of a fact the key that tells it. */
static void path_of(struct view *v, const struct item *it, struct buf *b)
{
	int above[DEPTH_MAX + 64];
	size_t n = 0;

	if (it->fact) {
		struct str a = it->key[A], other = it->key[B];

		utf8_display(b, a.n ? a : other, v->screen->ascii);
		if (a.n && other.n && !str_eq(a, other)) {
			buf_puts(b, " | ");
			utf8_display(b, other, v->screen->ascii);
		}
		return;
	}
	for (int i = index_of(v, it); i > 0 && n < COUNT(above); i = state(v)->items[i].parent)
		above[n++] = i;
	while (n-- > 0) {
		struct str label = state(v)->items[above[n]].label;

		buf_puts(b, b->n && label.n && label.p[0] != '[' ? "." : "");
		utf8_display(b, label, v->screen->ascii);
	}
}

static void draw_title(struct view *v, const struct item *it, struct area a)
{
	struct pen p = {.y = a.y, .x = a.x + 1, .end = a.x + a.w - 1, .ascii = v->screen->ascii};
	struct buf path = {0}, type = {0};
	int width;

	term_fill(a.y, a.x, a.w, ROLE_TITLE);
	path_of(v, it, &path);
	type_of(&type, it, v->screen->ascii);
	width = (int)utf8_width(buf_view(&type));
	pen_put(&p, a.w - 4 - width, false, ROLE_TITLE, buf_view(&path));
	pen_skip(&p, 2);
	pen_put(&p, width, false, ROLE_TITLE, buf_view(&type));
	buf_free(&path);
	buf_free(&type);
}

/* A value over `lines` lines, the last one cut. */
static void draw_value(struct view *v, const struct datum *d, struct area a, int lines)
{
	struct buf b = {0}, cut = {0};
	struct str s;

	datum_text(d, &b, (size_t)(a.w * (lines + 1)) * 4, v->screen->ascii);
	s = buf_view(&b);
	for (int y = a.y; y < a.y + lines && s.n; y++) {
		size_t n = y + 1 < a.y + lines ? utf8_fit(s, (size_t)a.w, NULL) : s.n;

		buf_clear(&cut);
		utf8_ellipsis(&cut, (struct str){s.p, n}, (size_t)a.w, v->screen->ascii);
		term_put(y, a.x, a.w, ROLE_TEXT, buf_view(&cut));
		s = (struct str){s.p + n, s.n - n};
	}
	buf_free(&b);
	buf_free(&cut);
}

static void draw_rest(struct view *v)
{
	const struct item *it = selected(v);
	struct area a = state(v)->pane;

	if (!it)
		return;
	draw_title(v, it, a);
	a = (struct area){a.y + 1, a.x + 1, a.w - 2, 1};
	if (it->group) {
		if (index_of(v, it) == PROVENANCE)
			term_puts(a.y, a.x, a.w, ROLE_DIM, "what the metadata tells of where the model comes from");
		return;
	}
	if (v->screen->s->n_models < 2) {
		draw_value(v, &it->v[A], a, PANE_ROWS - 1);
		return;
	}
	for (int side = A; side <= B; side++, a.y++) {
		term_puts(a.y, a.x, 1, side == A ? ROLE_A : ROLE_B, side == A ? "A" : "B");
		draw_value(v, &it->v[side], (struct area){a.y, a.x + 2, a.w - 2, 1}, 1);
	}
}

static void mode(struct view *v, struct buf *b)
{
	const struct state *st = state(v);

	if (st->n_rows == 0)
		buf_puts(b, "   no metadata");
	if (v->screen->s->n_models > 1 && st->n_rows)
		buf_printf(b, "   %zu of %zu entries differ", st->n_differ, st->n_rows);
	if (st->only_differing)
		buf_puts(b, "   only differing");
}

/* ---- the whole of a value ---- */

/* Text keeps its lines here. */
static void add_value(struct text *t, const struct datum *d, size_t columns, bool ascii)
{
	bool text = d->meta && d->meta->kind == META_TEXT;
	struct str s = text ? d->meta->u.text : STR("");
	struct buf b = {0};

	s.n = s.n < VALUE_MOST ? s.n : VALUE_MOST;
	do {
		const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;
		size_t n = end ? (size_t)(end - s.p) : s.n;

		buf_clear(&b);
		if (text)
			utf8_display(&b, (struct str){s.p, n}, ascii);
		else
			datum_text(d, &b, VALUE_MOST, ascii);
		text_wrap(t, ROLE_TEXT, buf_view(&b), columns, 3);
		n += end != NULL;
		s = (struct str){s.p + n, s.n - n};
	} while (s.n);
	buf_free(&b);
}

/* The whole of a value, wrapped. */
static void open_value(struct view *v, const struct item *it)
{
	struct screen *sc = v->screen;
	struct buf path = {0};
	struct text *t;
	int w, h;

	path_of(v, it, &path);
	t = view_push(sc, &text_view)->state;
	term_size(&w, &h);
	for (unsigned side = 0; side < sc->s->n_models; side++) {
		struct buf b = {0};

		if (sc->s->n_models > 1)
			buf_puts(&b, side == A ? "A  " : "B  ");
		buf_str(&b, buf_view(&path));
		if (datum_there(&it->v[side])) {
			buf_puts(&b, "  (");
			datum_type(&it->v[side], &b);
			buf_puts(&b, ")");
		}
		text_add(t, side == A ? ROLE_A : ROLE_B, buf_view(&b));
		if (datum_there(&it->v[side]))
			add_value(t, &it->v[side], (size_t)w - 2, sc->ascii);
		else
			text_add(t, ROLE_DIM, STR("   not there"));
		text_add(t, ROLE_TEXT, STR(""));
		buf_free(&b);
	}
	buf_free(&path);
}

/* ---- keys ---- */

static void open_row(struct view *v, bool toggle)
{
	const struct item *it = selected(v);

	if (!it || it->note)
		return;
	if (item_opens(it) && (toggle || !it->open))
		set_open(v, index_of(v, it), !it->open);
	else if (!toggle && !it->group && (datum_there(&it->v[A]) || datum_there(&it->v[B])))
		open_value(v, it);
}

static void back(struct view *v)
{
	const struct item *it = selected(v);

	if (!it)
		return;
	if (it->open)
		set_open(v, index_of(v, it), false);
	else
		for (size_t i = 0; it->parent > 0 && i < state(v)->n_list; i++)
			if (state(v)->order[state(v)->list[i]] == it->parent)
				view_center(v, i);
}

/* Arrays and JSON are closed with the rest, but opened only one by one. */
static void open_all(struct view *v, bool open)
{
	struct state *st = state(v);

	for (size_t i = 1; i < st->n; i++)
		st->items[i].open = open && st->items[i].group;
	relist(v);
}

static void cycle_shown(struct view *v)
{
	struct state *st = state(v);

	st->only_differing = !st->only_differing;
	relist(v);
	if (st->n_list == 0)
		screen_message(v->screen, "nothing differs: c shows all again");
}

static bool act(struct view *v, enum act act)
{
	switch (act) {
	case ACT_OPEN: open_row(v, false); return true;
	case ACT_FOLD: open_row(v, true); return true;
	case ACT_BACK: back(v); return true;
	case ACT_FOLD_ALL: open_all(v, false); return true;
	case ACT_UNFOLD_ALL: open_all(v, true); return true;
	case ACT_NEXT_CHANGE: next_change(v, 1); return true;
	case ACT_PREVIOUS_CHANGE: next_change(v, -1); return true;
	case ACT_SHOWN: cycle_shown(v); return true;
	case ACT_META: view_pop(v->screen); return true;
	default: return false;
	}
}

/* ---- opening and closing ---- */

static void meta_close(struct view *v)
{
	struct state *st = state(v);

	arena_free(&st->arena);
	free(st->rows);
	free(st->items);
	free(st->order);
	free(st->list);
}

static const struct hint hints[] = {
	{ACT_OPEN, "whole value", false},
	{ACT_UNFOLD_ALL, "open all", false},
	{ACT_FOLD_ALL, "close all", false},
	{ACT_SHOWN, "only what differs", true},
	{ACT_NONE, NULL, false},
};

static const struct view_ops meta_view = {
	.hints = hints,
	.title = "metadata",
	.where = WHERE_ALL | WHERE_FOLDS | WHERE_PAIR,
	.state_size = sizeof(struct state),
	.rows = rows,
	.layout = layout,
	.draw_header = draw_header,
	.draw_row = draw_row,
	.draw_rest = draw_rest,
	.mode = mode,
	.items = items,
	.item_at = item_at,
	.reveal = reveal,
	.find = find,
	.act = act,
	.close = meta_close,
};

void meta_open(struct screen *sc)
{
	struct state *st;
	struct view *v;
	int root;

	v = view_push(sc, &meta_view);
	st = state(v);
	st->rows = session_meta(sc->s, &st->n_rows);
	for (size_t i = 0; i < st->n_rows; i++)
		st->n_differ += st->rows[i].status != ST_IDENTICAL && st->rows[i].status != ST_SINGLE;
	root = add_group(st, -1, STR(""));
	add_provenance(v);
	add_entries(v, root);
	fold_only_children(st);
	sum_up(st);
	open_all(v, st->n_rows <= OPEN_MOST);
	st->items[PROVENANCE].open = true;
	relist(v);
}
