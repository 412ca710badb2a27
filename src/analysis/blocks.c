#include "analysis/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"

/*
 * Names are looked at number by number, from the left. At each step those with the same text before the number are a
 * candidate; it becomes a stack if its parts are shared between numbers, else its names go on to their next number
 * ("resnet50.layer1": 50 is the only number after "resnet"). So the outermost number that repeats something is the
 * layer. What remains is outside of all blocks.
 *
 * Everything is decided by counting distinct parts and numbers in sorted arrays: n log n, and no cell is stored that
 * has no tensor.
 */
enum {
	NUMBERS_MAX = 16, /* numbers of a name that are looked at */
	FOLD_LEAST = 4,   /* a number inside a part is folded when it takes that many values in one layer */
	INNER_MOST = 128, /* columns, beyond which two numbers are not put together */
};

struct entry {
	size_t name;
	struct str prefix, part;
	uint64_t number, inner;
	bool has_inner, folded;
	size_t column, row;
};

/* A name by the text before one of its slashes: "conv2d" of "conv2d/kernel". Others of that text follow in a chain. */
struct stem {
	size_t name, next; /* next: index + 1 in stems; 0: none */
};

struct finder {
	struct arena *arena; /* of the result */
	const struct str *names;
	size_t *from;        /* by name: where to look for its next number */
	bool *settled;       /* by name: it is in a stack */
	size_t *left, n_left; /* the names that are not, in order */
	struct map stem_ids;
	struct stem *stems;
	struct block_grid *grids;
	size_t n_grids, cap_grids;
};

/* ---- numbers in names ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_separator(char c)
{
	return c == '.' || c == '/' || c == '_' || c == ':' || c == '-';
}

/* The next number of s at or after `from`; false: none. A run of more than nine digits is not a number of anything. */
static bool next_number(struct str s, size_t from, size_t *at, size_t *end, uint64_t *number)
{
	for (size_t i = from; i < s.n; i = *end) {
		for (; i < s.n && !is_digit(s.p[i]); i++)
			;
		*at = i;
		*number = 0;
		for (; i < s.n && is_digit(s.p[i]); i++)
			if (i - *at < 10)
				*number = 10 * *number + (uint64_t)(s.p[i] - '0');
		*end = i;
		if (*at < i && i - *at < 10)
			return true;
	}
	return false;
}

static struct str sub(struct str s, size_t at, size_t end)
{
	return (struct str){s.p + at, end - at};
}

/* ---- counting ---- */

/* What a set of names comes to when they are laid out by part and (outer, inner) number. */
struct probe {
	struct str part;
	uint64_t outer, inner;
};

struct survey {
	size_t probes, parts, columns, outer;
	size_t shared; /* probes whose part stands in several columns */
	size_t most;   /* inner numbers under one outer number */
};

static int cmp_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int cmp_by_column(const void *pa, const void *pb)
{
	const struct probe *a = pa, *b = pb;
	int c = cmp_u64(a->outer, b->outer);

	return c ? c : cmp_u64(a->inner, b->inner);
}

static int cmp_by_part(const void *pa, const void *pb)
{
	const struct probe *a = pa, *b = pb;
	int c = str_cmp(a->part, b->part);

	return c ? c : cmp_by_column(pa, pb);
}

static void count_columns(struct survey *s, const struct probe *p, size_t n)
{
	size_t here = 0;

	for (size_t i = 0; i < n; i++) {
		bool new_outer = i == 0 || p[i].outer != p[i - 1].outer;
		bool new_column = new_outer || p[i].inner != p[i - 1].inner;

		here = new_outer ? 0 : here;
		here += new_column;
		s->outer += new_outer;
		s->columns += new_column;
		s->most = here > s->most ? here : s->most;
	}
}

static void count_parts(struct survey *s, const struct probe *p, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		bool several = false;

		for (end = i + 1; end < n && str_eq(p[end].part, p[i].part); end++)
			several |= cmp_by_column(&p[end], &p[i]) != 0;
		s->parts++;
		s->shared += several ? end - i : 0;
	}
}

static struct survey survey(struct probe *p, size_t n)
{
	struct survey s = {.probes = n};

	qsort(p, n, sizeof(*p), cmp_by_column);
	count_columns(&s, p, n);
	qsort(p, n, sizeof(*p), cmp_by_part);
	count_parts(&s, p, n);
	return s;
}

/* How much of the rectangle of parts by columns is there. */
static double density(const struct survey *s)
{
	return (double)s->probes / ((double)s->parts * (double)s->columns);
}

/* ---- grouping by what stands before a number ---- */

struct member {
	size_t group;
	size_t at, end;  /* the number in the text that was grouped */
	uint64_t number;
};

/*
 * Groups texts by what stands before their next number at or after from[i] (NULL: 0). member[i].group is SIZE_MAX
 * where there is none. Returns the number of groups; they are numbered in order.
 */
static size_t group_by_prefix(struct member *member, const struct str *texts, const size_t *from, size_t n)
{
	struct map ids = {0};
	size_t n_groups = 0;

	for (size_t i = 0; i < n; i++) {
		struct member *m = &member[i];
		uint32_t id;

		m->group = SIZE_MAX;
		if (!next_number(texts[i], from ? from[i] : 0, &m->at, &m->end, &m->number))
			continue;
		id = map_add(&ids, sub(texts[i], 0, m->at), (uint32_t)n_groups);
		m->group = id == MAP_NONE ? n_groups++ : id;
	}
	map_free(&ids);
	return n_groups;
}

/* The members of each group, in order: of[first[g] .. first[g + 1]). Both are the caller's to free. */
static void list_groups(const struct member *member, size_t n, size_t n_groups, size_t **first, size_t **of)
{
	size_t *at = xcalloc(n_groups + 2, sizeof(*at));

	*of = xcalloc(n, sizeof(**of));
	for (size_t i = 0; i < n; i++)
		if (member[i].group != SIZE_MAX)
			at[member[i].group + 2]++;
	for (size_t g = 2; g < n_groups + 2; g++)
		at[g] += at[g - 1];
	for (size_t i = 0; i < n; i++)
		if (member[i].group != SIZE_MAX)
			(*of)[at[member[i].group + 1]++] = i;
	*first = at;
}

/* ---- a stack: its inner numbers ---- */

struct stack {
	struct finder *f;
	struct entry *e;
	size_t n;
};

/* Groups the entries by what stands before the `skip`th next number of their parts. */
struct inner {
	struct str *parts;
	size_t *from;
	struct member *member;
	size_t *first, *of, n_groups;
};

static void inner_open(struct inner *in, const struct stack *st)
{
	*in = (struct inner){0};
	in->parts = xcalloc(st->n, sizeof(*in->parts));
	in->from = xcalloc(st->n, sizeof(*in->from));
	in->member = xcalloc(st->n, sizeof(*in->member));
	for (size_t i = 0; i < st->n; i++)
		in->parts[i] = st->e[i].part;
}

static void inner_group(struct inner *in, const struct stack *st)
{
	free(in->first);
	free(in->of);
	in->n_groups = group_by_prefix(in->member, in->parts, in->from, st->n);
	list_groups(in->member, st->n, in->n_groups, &in->first, &in->of);
}

static void inner_close(struct inner *in)
{
	free(in->parts);
	free(in->from);
	free(in->member);
	free(in->first);
	free(in->of);
}

static struct survey inner_survey(const struct inner *in, const struct stack *st, size_t group)
{
	size_t first = in->first[group], n = in->first[group + 1] - first;
	struct probe *p = xcalloc(n, sizeof(*p));
	struct survey s;

	for (size_t i = 0; i < n; i++) {
		size_t k = in->of[first + i];

		/* numbers have at most nine digits */
		p[i] = (struct probe){sub(in->parts[k], in->member[k].end, in->parts[k].n),
				      st->e[k].number << 32 | st->e[k].inner, in->member[k].number};
	}
	s = survey(p, n);
	free(p);
	return s;
}

/* Whether the number is a component of its own: "layer2.0.conv1", but not "block2_conv1" or "linear1". */
static bool is_component(struct str s, const struct member *m)
{
	bool before = m->at == 0 || s.p[m->at - 1] == '.' || s.p[m->at - 1] == '/';

	return before && (m->end == s.n || s.p[m->end] == '.' || s.p[m->end] == '/');
}

/* Parts of the stack that are not in the group. */
static size_t parts_beside(const struct inner *in, const struct stack *st, size_t group)
{
	struct map seen = {0};
	size_t n = 0;

	for (size_t i = 0; i < st->n; i++)
		if (in->member[i].group != group)
			n += map_add(&seen, in->parts[i], 0) == MAP_NONE;
	map_free(&seen);
	return n;
}

/* "layer2.0.conv1": the second number belongs to the first when nearly all of the stack lies below it, and what does
 * repeats itself. */
static bool belongs_together(const struct inner *in, const struct stack *st, size_t group)
{
	struct survey s = inner_survey(in, st, group);
	size_t one = in->of[in->first[group]];

	return s.most >= 2 && s.columns <= INNER_MOST && density(&s) >= 0.6 && 2 * s.probes >= st->n &&
	       (s.most > 3 || is_component(in->parts[one], &in->member[one])) &&
	       2 * parts_beside(in, st, group) <= s.parts;
}

static void put_together(struct stack *st)
{
	struct inner in;
	size_t largest = 0;

	inner_open(&in, st);
	inner_group(&in, st);
	for (size_t g = 0; g < in.n_groups; g++)
		if (in.first[g + 1] - in.first[g] > in.first[largest + 1] - in.first[largest])
			largest = g;
	if (in.n_groups && belongs_together(&in, st, largest))
		for (size_t i = in.first[largest]; i < in.first[largest + 1]; i++) {
			struct entry *e = &st->e[in.of[i]];
			const struct member *m = &in.member[in.of[i]];

			e->inner = m->number;
			e->has_inner = true;
			e->part = sub(e->part, m->end, e->part.n);
		}
	inner_close(&in);
}

static void fold_group(struct stack *st, const struct inner *in, size_t group)
{
	for (size_t i = in->first[group]; i < in->first[group + 1]; i++) {
		struct entry *e = &st->e[in->of[i]];
		const struct member *m = &in->member[in->of[i]];

		e->part = str_of(arena_printf(st->f->arena, "%.*s*%.*s", (int)m->at, e->part.p,
					      (int)(e->part.n - m->end), e->part.p + m->end));
		e->folded = true;
	}
}

/* "experts.17.w1": the first number of a part under which enough repeats itself becomes a *. */
static void fold(struct stack *st)
{
	struct inner in;

	inner_open(&in, st);
	for (int round = 0; round < NUMBERS_MAX; round++) {
		inner_group(&in, st);
		if (in.n_groups == 0)
			break;
		for (size_t g = 0; g < in.n_groups; g++) {
			struct survey s = inner_survey(&in, st, g);

			if (s.most >= FOLD_LEAST && density(&s) >= 0.75)
				fold_group(st, &in, g);
		}
		for (size_t i = 0; i < st->n; i++)
			if (in.member[i].group != SIZE_MAX) /* what is folded is done with */
				in.from[i] = st->e[i].folded ? in.parts[i].n : in.member[i].end;
	}
	inner_close(&in);
}

/* ---- a stack: its grid ---- */

static int cmp_entry_column(const void *pa, const void *pb)
{
	const struct entry *a = *(struct entry *const *)pa, *b = *(struct entry *const *)pb;
	int c = cmp_u64(a->number, b->number);

	if (c == 0)
		c = (int)b->has_inner - (int)a->has_inner;
	return c ? c : cmp_u64(a->inner, b->inner);
}

static int cmp_entry_cell(const void *pa, const void *pb)
{
	const struct entry *a = *(struct entry *const *)pa, *b = *(struct entry *const *)pb;
	int c = cmp_u64(a->row, b->row);

	if (c == 0)
		c = cmp_u64(a->column, b->column);
	return c ? c : cmp_u64(a->name, b->name);
}

static void make_columns(struct block_grid *g, struct arena *arena, struct entry **by)
{
	qsort(by, g->n_names, sizeof(struct entry *), cmp_entry_column);
	g->columns = arena_new(arena, struct block_column, g->n_names);
	for (size_t i = 0; i < g->n_names; i++) {
		struct entry *e = by[i];

		if (i == 0 || cmp_entry_column(&by[i - 1], &by[i]) != 0)
			g->columns[g->n_columns++] = (struct block_column){e->number, e->inner, e->has_inner};
		g->inner |= e->has_inner;
		e->column = g->n_columns - 1;
	}
}

static struct str trimmed(struct str s)
{
	while (s.n && is_separator(s.p[0]))
		s = sub(s, 1, s.n);
	return s;
}

/* Rows in the order of the names; a part that a later layer adds comes behind the one that it follows there, or, where
 * it is that layer's first, at the end. */
static void make_rows(struct block_grid *g, struct arena *arena, struct entry *e, size_t n)
{
	struct map ids = {0};
	size_t *next = xcalloc(n + 1, sizeof(*next)); /* by id + 1: the id + 1 that follows it; next[0] is the first */
	size_t *last = xcalloc(g->n_columns, sizeof(*last)), *row = xcalloc(n, sizeof(*row));
	struct block_part *parts = xcalloc(n, sizeof(*parts));
	size_t at = 0, tail = 0;

	for (size_t i = 0; i < n; i++) {
		size_t *before = &last[e[i].column];
		uint32_t id = map_add(&ids, e[i].part, (uint32_t)g->n_parts);

		if (id == MAP_NONE) {
			size_t after = *before ? *before : tail;

			id = (uint32_t)g->n_parts++;
			parts[id] = (struct block_part){.name = trimmed(e[i].part), .folded = e[i].folded};
			next[id + 1] = next[after];
			next[after] = id + 1;
			tail = after == tail ? id + 1 : tail;
		}
		e[i].row = id;
		*before = id + 1;
	}
	g->parts = arena_new(arena, struct block_part, g->n_parts);
	for (size_t id = next[0]; id; id = next[id]) {
		row[id - 1] = at;
		g->parts[at++] = parts[id - 1];
	}
	for (size_t i = 0; i < n; i++)
		e[i].row = row[e[i].row];
	map_free(&ids);
	free(next);
	free(last);
	free(row);
	free(parts);
}

static void make_cells(struct block_grid *g, struct arena *arena, struct entry **by)
{
	qsort(by, g->n_names, sizeof(struct entry *), cmp_entry_cell);
	g->cells = arena_new(arena, struct block_cell, g->n_names);
	g->names = arena_new(arena, size_t, g->n_names);
	for (size_t i = 0; i < g->n_names; i++) {
		const struct entry *e = by[i];
		struct block_part *part = &g->parts[e->row];

		if (i == 0 || by[i - 1]->row != e->row || by[i - 1]->column != e->column) {
			if (part->n == 0)
				part->first = g->n_cells;
			part->n++;
			g->cells[g->n_cells++] = (struct block_cell){.column = e->column, .first = i};
		}
		g->cells[g->n_cells - 1].n++;
		g->names[i] = e->name;
	}
}

static struct block_grid *add_grid(struct finder *f)
{
	if (f->n_grids == f->cap_grids) {
		f->cap_grids = f->cap_grids ? 2 * f->cap_grids : 8;
		f->grids = xrealloc(f->grids, f->cap_grids, sizeof(*f->grids));
	}
	f->grids[f->n_grids] = (struct block_grid){0};
	return &f->grids[f->n_grids++];
}

static void make_grid(struct stack *st)
{
	struct block_grid *g = add_grid(st->f);
	struct entry **by = xcalloc(st->n, sizeof(*by));

	for (size_t i = 0; i < st->n; i++)
		by[i] = &st->e[i];
	g->n_names = st->n;
	g->prefix = st->e[0].prefix;
	while (g->prefix.n && is_separator(g->prefix.p[g->prefix.n - 1]))
		g->prefix.n--;
	make_columns(g, st->f->arena, by);
	make_rows(g, st->f->arena, st->e, st->n);
	make_cells(g, st->f->arena, by);
	free(by);
}

/* ---- finding the stacks ---- */

/* Keras says a layer's name twice, "dense_2/dense_2/kernel:0": once is enough for its part. */
static struct str without_echo(struct str component, struct str part)
{
	size_t n = component.n;

	if (n && part.n > n + 1 && part.p[0] == '/' && memcmp(part.p + 1, component.p, n) == 0 && part.p[n + 1] == '/')
		return sub(part, n + 1, part.n);
	return part;
}

static struct entry entry_of(const struct finder *f, size_t name, const struct member *m)
{
	struct str s = f->names[name];
	size_t from = m->at;

	while (from && s.p[from - 1] != '/')
		from--;
	return (struct entry){
		.name = name, .prefix = sub(s, 0, m->at), .number = m->number,
		.part = without_echo(sub(s, from, m->end), sub(s, m->end, s.n)),
	};
}

static bool is_stack(const struct entry *e, size_t n)
{
	struct probe *p = xcalloc(n, sizeof(*p));
	struct survey s;

	for (size_t i = 0; i < n; i++)
		p[i] = (struct probe){e[i].part, e[i].number, 0};
	s = survey(p, n);
	free(p);
	return s.columns >= 2 && 2 * s.shared >= n && (n >= 4 || s.columns >= 3);
}

static void list_stems(struct finder *f, size_t n_names)
{
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < n_names; i++) {
		struct str s = f->names[i];
		unsigned seen = 0;

		for (size_t k = 0; k < s.n && seen < NUMBERS_MAX; k++) {
			uint32_t id;

			if (s.p[k] != '/' || k == 0)
				continue;
			if (n == cap) {
				cap = cap ? 2 * cap : 256;
				f->stems = xrealloc(f->stems, cap, sizeof(*f->stems));
			}
			id = map_get(&f->stem_ids, sub(s, 0, k));
			f->stems[n] = (struct stem){i, id == MAP_NONE ? 0 : (size_t)id + 1};
			map_set(&f->stem_ids, sub(s, 0, k), (uint32_t)n++);
			seen++;
		}
	}
}

static struct str last_component(struct str s)
{
	size_t from = s.n;

	while (from && s.p[from - 1] != '/')
		from--;
	return sub(s, from, s.n);
}

/* Keras numbers from the second one on: "conv2d", "conv2d_1", "conv2d_2". The first is number 0, where it has a part
 * that the others have. */
static void add_unnumbered(struct stack *st)
{
	struct finder *f = st->f;
	struct str prefix = st->e[0].prefix, stem = sub(prefix, 0, prefix.n ? prefix.n - 1 : 0);
	struct map parts = {0};
	uint32_t id = prefix.n > 1 && prefix.p[stem.n] == '_' ? map_get(&f->stem_ids, stem) : MAP_NONE;
	size_t numbered = st->n;
	bool has_zero = false;

	for (size_t i = 0; id != MAP_NONE && i < numbered; i++) {
		map_add(&parts, st->e[i].part, 0);
		has_zero |= st->e[i].number == 0;
	}
	for (size_t at = id == MAP_NONE || has_zero ? 0 : (size_t)id + 1; at; at = f->stems[at - 1].next) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): an id in the map is a place in the list */
		size_t name = f->stems[at - 1].name;
		struct str s = f->names[name];
		struct str part = without_echo(last_component(stem), sub(s, stem.n, s.n));

		if (f->settled[name] || map_get(&parts, part) == MAP_NONE)
			continue;
		st->e = xrealloc(st->e, st->n + 1, sizeof(*st->e));
		st->e[st->n++] = (struct entry){.name = name, .prefix = prefix, .part = part};
	}
	map_free(&parts);
}

static int cmp_entry_name(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	return cmp_u64(a->name, b->name);
}

/* One candidate: the names that are members of one group. */
static void consider(struct finder *f, const struct member *member, const size_t *of, size_t n)
{
	struct stack st = {.f = f, .n = n, .e = xcalloc(n, sizeof(*st.e))};

	for (size_t i = 0; i < n; i++)
		st.e[i] = entry_of(f, f->left[of[i]], &member[of[i]]);
	add_unnumbered(&st);
	if (is_stack(st.e, st.n)) {
		for (size_t i = 0; i < st.n; i++)
			f->settled[st.e[i].name] = true;
		qsort(st.e, st.n, sizeof(*st.e), cmp_entry_name);
		put_together(&st);
		fold(&st);
		make_grid(&st);
	}
	free(st.e);
}

/* One step: every candidate becomes a stack, or its names go on to their next number. */
static bool step(struct finder *f)
{
	struct member *member = xcalloc(f->n_left, sizeof(*member));
	struct str *texts = xcalloc(f->n_left, sizeof(*texts));
	size_t *from = xcalloc(f->n_left, sizeof(*from)), *first, *of, n_groups, kept = 0;

	for (size_t i = 0; i < f->n_left; i++) {
		texts[i] = f->names[f->left[i]];
		from[i] = f->from[f->left[i]];
	}
	n_groups = group_by_prefix(member, texts, from, f->n_left);
	list_groups(member, f->n_left, n_groups, &first, &of);
	for (size_t g = 0; g < n_groups; g++)
		consider(f, member, of + first[g], first[g + 1] - first[g]);
	for (size_t i = 0; i < f->n_left; i++) {
		f->from[f->left[i]] = member[i].group == SIZE_MAX ? texts[i].n : member[i].end;
		if (!f->settled[f->left[i]])
			f->left[kept++] = f->left[i];
	}
	f->n_left = kept;
	free(member);
	free(texts);
	free(from);
	free(first);
	free(of);
	return n_groups > 0;
}

static size_t first_name(const struct block_grid *g)
{
	size_t first = SIZE_MAX;

	for (size_t i = 0; i < g->n_names; i++)
		first = g->names[i] < first ? g->names[i] : first;
	return first;
}

static int cmp_grid(const void *pa, const void *pb)
{
	return cmp_u64(first_name(pa), first_name(pb));
}

struct blocks *blocks_find(const struct str *names, size_t n)
{
	struct blocks *b = xcalloc(1, sizeof(*b));
	struct finder f = {.arena = &b->arena, .names = names, .n_left = n};

	f.from = xcalloc(n, sizeof(*f.from));
	f.settled = xcalloc(n, sizeof(*f.settled));
	f.left = xcalloc(n, sizeof(*f.left));
	for (size_t i = 0; i < n; i++)
		f.left[i] = i;
	list_stems(&f, n);
	for (int i = 0; i < NUMBERS_MAX && step(&f); i++)
		;
	if (f.n_grids)
		qsort(f.grids, f.n_grids, sizeof(*f.grids), cmp_grid);
	b->grids = arena_new(&b->arena, struct block_grid, f.n_grids);
	b->n_grids = f.n_grids;
	if (f.n_grids)
		memcpy(b->grids, f.grids, f.n_grids * sizeof(*f.grids));
	b->rest = arena_new(&b->arena, size_t, f.n_left);
	b->n_rest = f.n_left;
	memcpy(b->rest, f.left, f.n_left * sizeof(*f.left));
	map_free(&f.stem_ids);
	free(f.stems);
	free(f.grids);
	free(f.from);
	free(f.settled);
	free(f.left);
	return b;
}

void blocks_free(struct blocks *b)
{
	if (!b)
		return;
	arena_free(&b->arena);
	free(b);
}

size_t block_cell_from(const struct block_grid *g, size_t part, size_t column)
{
	const struct block_part *p = &g->parts[part];
	size_t lo = p->first, hi = p->first + p->n;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (g->cells[middle].column < column)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

const struct block_cell *block_cell_at(const struct block_grid *g, size_t part, size_t column)
{
	const struct block_part *p = &g->parts[part];
	size_t i = block_cell_from(g, part, column);

	return i < p->first + p->n && g->cells[i].column == column ? &g->cells[i] : NULL;
}
