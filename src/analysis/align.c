#include "analysis/align.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"

/* Two tensors have the key of a map: it tells neither. */
static const uint32_t MANY = MAP_NONE - 1;

/* Beyond so many tensors without a partner, on one side, their content is not looked at, nor their names. */
enum { CONTENT_MOST = 1 << 14, SIMILAR_MOST = 1 << 18 };

enum { PARTS_MOST = 16 }; /* of a name that are looked at */

struct pairing {
	const struct session *s;
	uint32_t *mate[2]; /* by tensor: its partner's number on the other side, or MAP_NONE */
	enum via *via;     /* by A's tensor */
	uint32_t *left[2]; /* those without a partner, in their order; the next step is theirs */
	size_t n_left[2];
};

static const struct tensor *tensor_at(const struct pairing *p, int side, uint32_t i)
{
	return &p->s->m[side].tensors[i];
}

static void join(struct pairing *p, int side, uint32_t i, uint32_t j, enum via via)
{
	p->mate[side][i] = j;
	p->mate[!side][j] = i;
	p->via[side == A ? i : j] = via;
}

/* Gathers what is left; false: there is nothing to be paired any more. */
static bool gather_left(struct pairing *p)
{
	for (int side = A; side <= B; side++) {
		p->n_left[side] = 0;
		for (size_t i = 0; i < p->s->m[side].n_tensors; i++)
			if (p->mate[side][i] == MAP_NONE)
				p->left[side][p->n_left[side]++] = (uint32_t)i;
	}
	return p->n_left[A] > 0 && p->n_left[B] > 0;
}

static bool at_most(const struct pairing *p, size_t n)
{
	return p->n_left[A] <= n && p->n_left[B] <= n;
}

/* ---- exact names ---- */

/* Through a hash. Where a broken file has a name twice, the first pairs with the first, the second with the second. */
static void by_name(struct pairing *p)
{
	const struct model *a = &p->s->m[A], *b = &p->s->m[B];
	uint32_t *again = xcalloc(b->n_tensors, sizeof(*again)); /* the next tensor of B with the same name */
	struct map first = {0};

	map_reserve(&first, b->n_tensors);
	for (size_t i = b->n_tensors; i-- > 0;) {
		again[i] = map_get(&first, b->tensors[i].name);
		map_set(&first, b->tensors[i].name, (uint32_t)i);
	}
	for (size_t i = 0; i < a->n_tensors; i++) {
		uint32_t j = map_get(&first, a->tensors[i].name);

		if (j == MAP_NONE)
			continue;
		join(p, A, (uint32_t)i, j, VIA_NAME);
		map_set(&first, a->tensors[i].name, again[j]);
	}
	map_free(&first);
	free(again);
}

/* ---- one prefix ---- */

static bool is_separator(char c)
{
	return c == '.' || c == '/';
}

struct prefix {
	struct str text; /* with the separator behind it */
	int side;        /* whose names have it */
	size_t votes;
};

struct election {
	struct prefix *of;
	size_t n, cap;
};

static void names_left(const struct pairing *p, int side, struct map *names)
{
	map_reserve(names, p->n_left[side]);
	for (size_t i = 0; i < p->n_left[side]; i++)
		map_add(names, tensor_at(p, side, p->left[side][i])->name, p->left[side][i]);
}

static void count_vote(struct election *e, struct map *known, struct str prefix, int side)
{
	uint32_t k = map_add(known, prefix, (uint32_t)e->n);

	if (k == MAP_NONE) {
		if (e->n == e->cap) {
			e->cap = e->cap ? 2 * e->cap : 16;
			e->of = xrealloc(e->of, e->cap, sizeof(*e->of));
		}
		k = (uint32_t)e->n++;
		e->of[k] = (struct prefix){prefix, side, 0};
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is in the map is in the list */
	e->of[k].votes++;
}

/* A name votes for each prefix, of its first few parts, without which the other side has it. */
static void vote(struct election *e, struct map *known, const struct map *names, struct str name, int side)
{
	unsigned parts = 0;

	for (size_t at = 1; at < name.n && parts < PARTS_MOST; at++) {
		if (!is_separator(name.p[at - 1]))
			continue;
		parts++;
		if (map_get(names, (struct str){name.p + at, name.n - at}) != MAP_NONE)
			count_vote(e, known, (struct str){name.p, at}, side);
	}
}

/* The one with the most votes. Both halves of a net ("encoder.", "decoder.") may have as many: then none. */
static const struct prefix *elected(const struct pairing *p, const struct election *e)
{
	size_t fewer = p->n_left[A] < p->n_left[B] ? p->n_left[A] : p->n_left[B];
	const struct prefix *best = NULL;
	bool tie = false;

	for (size_t i = 0; i < e->n; i++) {
		const struct prefix *one = &e->of[i];

		if (best && one->votes <= best->votes) {
			tie |= one->votes == best->votes;
			continue;
		}
		best = one;
		tie = false;
	}
	return best && !tie && best->votes >= 2 && 2 * best->votes >= fewer ? best : NULL;
}

/* "module.", "model.", "base_model.model.": a wrapper's name in front of all names of one side. It takes two tensors at
 * least and half of what is left of either side; the shapes need not be the same. */
static void by_prefix(struct pairing *p)
{
	struct map names[2] = {{0}};
	struct election e = {.n = 0};
	const struct prefix *best;

	for (int side = A; side <= B; side++)
		names_left(p, side, &names[side]);
	for (int side = A; side <= B; side++) {
		struct map known = {0};

		for (size_t i = 0; i < p->n_left[side]; i++)
			vote(&e, &known, &names[!side], tensor_at(p, side, p->left[side][i])->name, side);
		map_free(&known);
	}
	best = elected(p, &e);
	for (size_t i = 0; best && i < p->n_left[best->side]; i++) {
		uint32_t t = p->left[best->side][i], u;
		struct str name = tensor_at(p, best->side, t)->name;

		if (name.n <= best->text.n || memcmp(name.p, best->text.p, best->text.n) != 0)
			continue;
		u = map_get(&names[!best->side], (struct str){name.p + best->text.n, name.n - best->text.n});
		if (u != MAP_NONE && p->mate[!best->side][u] == MAP_NONE)
			join(p, best->side, t, u, VIA_PREFIX);
	}
	map_free(&names[A]);
	map_free(&names[B]);
	free(e.of);
}

/* ---- the same content ---- */

/* Bytes of a few places, spread evenly from the first byte to the last, tell tensors apart; of those that have them in
 * common, more are compared. Not all: what a tensor as a whole comes to is for the comparison itself to say. */
enum { PLACES_KEY = 3, WINDOW_KEY = 64, PLACES_MOST = 16, WINDOW_MOST = 256, LOOKED_AT = PLACES_MOST * WINDOW_MOST };

/* Whether the bytes can be looked at in place: inflating is too dear here. */
static bool has_places(const struct tensor *t)
{
	return !t->trouble && !t->pack && !t->stride && !t->strides && t->data.length > 0;
}

static bool read_place(const struct source *s, struct span span, uint8_t *out)
{
	struct bytes raw;
	struct err e;

	if (source_can_copy(s, span))
		return source_copy(s, span, out, &e) == RC_OK;
	if (!source_slice(s, span, &raw))
		return false;
	memcpy(out, raw.p, raw.n);
	return true;
}

/* Bytes of an element or a block. */
static size_t step_of(const struct tensor *t)
{
	return dtypes[t->type].bytes ? dtypes[t->type].bytes : 1;
}

/* out: room for places * window bytes. A tensor that is no longer than that is read whole. Returns how many bytes
 * there are; 0: they cannot be read. */
static size_t read_places(const struct pairing *p, int side, const struct tensor *t, unsigned places, size_t window,
			  uint8_t *out)
{
	const struct source *s = &p->s->m[side].source;
	uint64_t room = t->data.length - window;
	struct span span = t->data;

	if (span.length <= places * window)
		return read_place(s, span, out) ? (size_t)span.length : 0;
	for (unsigned i = 0; i < places; i++) {
		uint64_t at = i + 1 < places ? room / (places - 1) * i : room;

		span.offset = t->data.offset + at / step_of(t) * step_of(t);
		span.length = window;
		if (!read_place(s, span, out + i * window))
			return 0;
	}
	return places * window;
}

/* What is the same all over, as zeros are, and a single number tell nothing. */
static bool is_plain(const struct tensor *t, const uint8_t *raw, size_t n)
{
	size_t step = step_of(t) <= 16 ? step_of(t) : 1; /* of blocks, only those of one byte */

	return n <= step || memcmp(raw, raw + step, n - step) == 0;
}

/* Type, shape and size, and those bytes. */
static struct str content_key(struct buf *b, const struct tensor *t, const uint8_t *raw, size_t n)
{
	buf_clear(b);
	buf_printf(b, "%s %d %d", t->type_name, t->fortran, t->big_endian);
	buf_add(b, (const char *)&t->data.length, sizeof(t->data.length));
	buf_add(b, (const char *)t->shape, t->rank * sizeof(*t->shape));
	buf_add(b, (const char *)raw, n);
	return buf_view(b);
}

struct contents {
	struct map kinds;     /* types and shapes that there are */
	struct map of;        /* content, to the one tensor that has it */
	struct str *keys;     /* of each tensor left: its content; empty: it tells nothing */
	struct arena scratch;
};

static void find_kinds(struct contents *c, const struct pairing *p, int side)
{
	struct buf b = {0};

	for (size_t i = 0; i < p->n_left[side]; i++) {
		const struct tensor *t = tensor_at(p, side, p->left[side][i]);

		if (has_places(t))
			map_add(&c->kinds, arena_str(&c->scratch, content_key(&b, t, NULL, 0)), 0);
	}
	buf_free(&b);
}

static void add_unique(struct map *m, struct str key, uint32_t i)
{
	if (map_add(m, key, i) != MAP_NONE)
		map_set(m, key, MANY);
}

/* Only where the other side has something of the kind is anything read. */
static void find_contents(struct contents *c, const struct pairing *p, int side, const struct map *kinds)
{
	uint8_t raw[PLACES_KEY * WINDOW_KEY];
	struct buf b = {0};

	c->keys = xcalloc(p->n_left[side], sizeof(*c->keys));
	for (size_t i = 0; i < p->n_left[side]; i++) {
		const struct tensor *t = tensor_at(p, side, p->left[side][i]);
		size_t n;

		if (!has_places(t) || map_get(kinds, content_key(&b, t, NULL, 0)) == MAP_NONE)
			continue;
		n = read_places(p, side, t, PLACES_KEY, WINDOW_KEY, raw);
		if (n == 0 || is_plain(t, raw, n))
			continue;
		c->keys[i] = arena_str(&c->scratch, content_key(&b, t, raw, n));
		add_unique(&c->of, c->keys[i], p->left[side][i]);
	}
	buf_free(&b);
}

static void free_contents(struct contents *c)
{
	map_free(&c->kinds);
	map_free(&c->of);
	free(c->keys);
	arena_free(&c->scratch);
}

static bool same_content(const struct pairing *p, const struct tensor *a, const struct tensor *b)
{
	uint8_t raw[2][LOOKED_AT];
	size_t n = read_places(p, A, a, PLACES_MOST, WINDOW_MOST, raw[A]);

	return n && read_places(p, B, b, PLACES_MOST, WINDOW_MOST, raw[B]) == n && memcmp(raw[A], raw[B], n) == 0;
}

/* Type, shape and bytes that only one tensor on each side has. */
static void by_content(struct pairing *p)
{
	struct contents c[2] = {{.keys = NULL}};

	for (int side = A; side <= B; side++)
		find_kinds(&c[side], p, side);
	for (int side = A; side <= B; side++)
		find_contents(&c[side], p, side, &c[!side].kinds);
	for (size_t i = 0; i < p->n_left[A]; i++) {
		struct str key = c[A].keys[i];
		uint32_t t = p->left[A][i], u = MAP_NONE;

		if (key.n && map_get(&c[A].of, key) == t)
			u = map_get(&c[B].of, key);
		if (u != MAP_NONE && u != MANY && same_content(p, tensor_at(p, A, t), tensor_at(p, B, u)))
			join(p, A, t, u, VIA_CONTENT);
	}
	free_contents(&c[A]);
	free_contents(&c[B]);
}

/* ---- names that are alike ---- */

enum { NAME_MOST = 255, LEFT_OUT_MOST = 2 };

/* A name in small letters and without _ and -, cut at its dots and slashes. */
struct parts {
	char text[NAME_MOST + 1]; /* a dot behind each part */
	size_t at[PARTS_MOST + 1];
	unsigned n;
};

/* Longer names, and deeper ones, are not tried. */
static bool cut(struct parts *p, struct str name)
{
	size_t k = 0;

	p->n = 0;
	p->at[0] = 0;
	if (name.n >= NAME_MOST)
		return false;
	for (size_t i = 0; i <= name.n; i++) {
		char c = i < name.n ? name.p[i] : '.';

		if (c == '_' || c == '-')
			continue;
		p->text[k++] = is_separator(c) ? '.' : (char)tolower((unsigned char)c);
		if (!is_separator(c))
			continue;
		if (p->n == PARTS_MOST)
			return false;
		p->at[++p->n] = k;
	}
	return true;
}

/* One round: names that agree once so many parts of one were left out. */
struct trial {
	struct pairing *p;
	struct map whole[2];   /* names as cut */
	uint32_t *partner[2];  /* by tensor: the first one found, */
	uint8_t *n_partners[2]; /* and how many others there are, 2 for more */
	struct arena scratch;
};

static void find(struct trial *y, int side, uint32_t t, struct str key)
{
	uint32_t u = map_get(&y->whole[!side], key);

	if (u == MANY)
		y->n_partners[side][t] = 2;
	if (u == MAP_NONE || u == MANY || y->partner[side][t] == u)
		return;
	if (!same_shape(y->p->s, tensor_at(y->p, side, t), tensor_at(y->p, !side, u)))
		return;
	y->partner[side][t] = u;
	y->partner[!side][u] = t;
	y->n_partners[side][t] = (uint8_t)u64_min(y->n_partners[side][t] + 1, 2);
	y->n_partners[!side][u] = (uint8_t)u64_min(y->n_partners[!side][u] + 1, 2);
}

/* The name without parts i and j, which may be one; n: with all of them. */
static void find_without(struct trial *y, int side, uint32_t t, const struct parts *p, unsigned i, unsigned j)
{
	char text[NAME_MOST + 1];
	size_t k = 0;

	for (unsigned at = 0; at < p->n; at++) {
		size_t n = p->at[at + 1] - p->at[at];

		if (at == i || at == j)
			continue;
		memcpy(text + k, p->text + p->at[at], n);
		k += n;
	}
	find(y, side, t, (struct str){text, k});
}

/* The last part, which tells what a tensor is for, stays, and so does half of the name. */
static void find_partners(struct trial *y, int side, unsigned left_out)
{
	for (size_t k = 0; k < y->p->n_left[side]; k++) {
		uint32_t t = y->p->left[side][k];
		struct parts p;

		if (!cut(&p, tensor_at(y->p, side, t)->name) || 2 * left_out > p.n)
			continue;
		if (left_out == 0)
			find_without(y, side, t, &p, p.n, p.n);
		for (unsigned i = 0; left_out > 0 && i + 1 < p.n; i++) {
			if (left_out == 1)
				find_without(y, side, t, &p, i, i);
			for (unsigned j = i + 1; left_out == 2 && j + 1 < p.n; j++)
				find_without(y, side, t, &p, i, j);
		}
	}
}

static void begin_trial(struct trial *y, struct pairing *p)
{
	*y = (struct trial){.p = p};
	for (int side = A; side <= B; side++) {
		y->partner[side] = xcalloc(p->s->m[side].n_tensors, sizeof(*y->partner[side]));
		y->n_partners[side] = xcalloc(p->s->m[side].n_tensors, sizeof(*y->n_partners[side]));
		map_reserve(&y->whole[side], p->n_left[side]);
		for (size_t i = 0; i < p->n_left[side]; i++) {
			struct parts cuts;

			y->partner[side][p->left[side][i]] = MAP_NONE;
			if (cut(&cuts, tensor_at(p, side, p->left[side][i])->name))
				add_unique(&y->whole[side],
					   arena_str(&y->scratch, (struct str){cuts.text, cuts.at[cuts.n]}),
					   p->left[side][i]);
		}
	}
}

static void end_trial(struct trial *y)
{
	for (int side = A; side <= B; side++) {
		map_free(&y->whole[side]);
		free(y->partner[side]);
		free(y->n_partners[side]);
	}
	arena_free(&y->scratch);
}

/* "1.0.weight" and "1.weight", "Conv_1.bias" and "conv1.bias": the same shape, and but for some parts of one the same
 * name. Numbers are never taken for each other: layers.3 and layers.4 are two. Only tensors that have just each other
 * to choose are paired, and those that need the least left out, first. */
static void by_likeness(struct pairing *p)
{
	for (unsigned left_out = 0; left_out <= LEFT_OUT_MOST && gather_left(p); left_out++) {
		struct trial y;

		begin_trial(&y, p);
		find_partners(&y, A, left_out);
		if (left_out > 0)
			find_partners(&y, B, left_out);
		for (size_t i = 0; i < p->n_left[A]; i++) {
			uint32_t t = p->left[A][i], u = y.partner[A][t];

			if (y.n_partners[A][t] == 1 && y.n_partners[B][u] == 1)
				join(p, A, t, u, VIA_SIMILAR);
		}
		end_trial(&y);
	}
}

/* ---- rows ---- */

/* What the headers alone tell. A pair of one type that cannot be decoded may still turn out identical. */
static enum status header_status(const struct session *s, const struct row *r)
{
	const struct tensor *a = r->t[A], *b = r->t[B];

	if (s->n_models < 2)
		return ST_SINGLE;
	if (!a || !b)
		return a ? ST_REMOVED : ST_ADDED;
	if (a->broken || b->broken)
		return ST_UNDECODED;
	if (!same_shape(s, a, b))
		return ST_RESHAPED;
	if ((a->trouble || b->trouble) && r->retyped)
		return ST_UNDECODED;
	return ST_PENDING;
}

static void add_row(struct session *s, const struct tensor *a, const struct tensor *b, enum via via)
{
	struct row *r = &s->rows[s->n_rows++];

	*r = (struct row){.t = {a, b}, .name = a ? a->name : b->name, .via = via};
	r->retyped = a && b && strcmp(a->type_name, b->type_name) != 0;
	r->status = header_status(s, r);
}

static void make_rows(struct session *s, const struct pairing *p)
{
	const struct model *a = &s->m[A], *b = &s->m[B];

	s->rows = xrealloc(NULL, a->n_tensors + b->n_tensors, sizeof(*s->rows));
	for (size_t i = 0; i < a->n_tensors; i++) {
		uint32_t j = p->mate[A][i];

		add_row(s, &a->tensors[i], j == MAP_NONE ? NULL : &b->tensors[j], p->via[i]);
	}
	for (size_t i = 0; i < b->n_tensors; i++)
		if (p->mate[B][i] == MAP_NONE)
			add_row(s, NULL, &b->tensors[i], VIA_NONE);
}

/* With --brief one tensor of another name is difference enough. */
static void by_other_means(struct pairing *p)
{
	const struct opts *o = p->s->opts;

	if (o->no_renames || o->brief || !gather_left(p))
		return;
	by_prefix(p);
	if (gather_left(p) && at_most(p, CONTENT_MOST))
		by_content(p);
	if (gather_left(p) && at_most(p, SIMILAR_MOST))
		by_likeness(p);
}

void align(struct session *s)
{
	struct pairing p = {.s = s};

	for (int side = A; side <= B; side++) {
		p.mate[side] = xcalloc(s->m[side].n_tensors, sizeof(*p.mate[side]));
		p.left[side] = xcalloc(s->m[side].n_tensors, sizeof(*p.left[side]));
		for (size_t i = 0; i < s->m[side].n_tensors; i++)
			p.mate[side][i] = MAP_NONE;
	}
	p.via = xcalloc(s->m[A].n_tensors, sizeof(*p.via));
	by_name(&p);
	by_other_means(&p);
	make_rows(s, &p);
	for (int side = A; side <= B; side++) {
		free(p.mate[side]);
		free(p.left[side]);
	}
	free(p.via);
}
