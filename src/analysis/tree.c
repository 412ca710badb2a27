#include "analysis/tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"

/* A name made of dots alone must not become a tree as deep as it is long: what is beyond stays in the leaf's label. */
enum { DEPTH_MAX = 32, ROLL_DEPTH_MAX = 8 };

/* Among so many children a group is looked for one by one; those of a seed that has more are in a map. */
enum { FEW = 8 };

/* A node while the tree grows: children in the order in which the file names them. */
struct seed {
	struct str label, path;
	int parent, child, last, sibling;
	uint32_t children;
	size_t row; /* SIZE_MAX: a group */
};

struct grower {
	struct seed *seeds;
	size_t n, cap;
	struct map groups; /* path to seed, of the children of those that have more than FEW */
	struct step {      /* the groups of the name before: the next one shares most of them, as a rule */
		size_t end; /* of its path */
		uint32_t seed;
	} steps[DEPTH_MAX];
	unsigned n_steps;
	struct str before;
};

static bool is_separator(char c)
{
	return c == '.' || c == '/';
}

/* Bytes of the first component of s; at least 1 unless s is empty, so that "..x" makes progress. */
static size_t component(struct str s)
{
	size_t n = 0;

	while (n < s.n && (n == 0 || !is_separator(s.p[n])))
		n++;
	return n;
}

struct str name_prefix(struct str name, unsigned depth)
{
	size_t at = 0;

	for (unsigned d = 0; d < depth && at < name.n; d++) {
		at += at > 0; /* the separator before it */
		at += component((struct str){name.p + at, name.n - at});
	}
	return (struct str){name.p, at < name.n ? at : name.n};
}

unsigned name_depth(const struct session *s, const size_t *rows, size_t n, size_t most)
{
	unsigned best = 1;

	for (unsigned depth = 1; depth <= ROLL_DEPTH_MAX; depth++) {
		size_t groups = 0;

		for (size_t i = 0; i < n; i++)
			groups += i == 0 || !str_eq(name_prefix(s->rows[rows[i]].name, depth),
						    name_prefix(s->rows[rows[i - 1]].name, depth));
		if (groups > most || groups == n)
			break;
		best = depth;
	}
	return best;
}

/* A child was added to p. */
static void enlist(struct grower *g, const struct seed *p)
{
	int c = p->children == FEW + 1 ? p->child : p->children > FEW ? p->last : NODE_NONE;

	for (; c != NODE_NONE; c = g->seeds[c].sibling)
		if (g->seeds[c].row == SIZE_MAX)
			map_add(&g->groups, g->seeds[c].path, (uint32_t)c);
}

static int add_seed(struct grower *g, int parent, struct str label, struct str path, size_t row)
{
	struct seed *s;
	int i = (int)g->n;

	if (g->n == g->cap) {
		g->cap = g->cap ? 2 * g->cap : 256;
		g->seeds = xrealloc(g->seeds, g->cap, sizeof(*g->seeds));
	}
	s = &g->seeds[g->n++];
	*s = (struct seed){label, path, parent, NODE_NONE, NODE_NONE, NODE_NONE, 0, row};
	if (parent != NODE_NONE) {
		struct seed *p = &g->seeds[parent];

		*(p->last != NODE_NONE ? &g->seeds[p->last].sibling : &p->child) = i;
		p->last = i;
		p->children++;
		enlist(g, p);
	}
	return i;
}

static size_t common_prefix(struct str a, struct str b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.p[n] == b.p[n])
		n++;
	return n;
}

/* The group that has the path; it is made where there is none. */
static uint32_t group_of(struct grower *g, int parent, struct str label, struct str path)
{
	const struct seed *p = &g->seeds[parent];
	uint32_t group;

	if (p->children > FEW) {
		group = map_get(&g->groups, path);
		return group != MAP_NONE ? group : (uint32_t)add_seed(g, parent, label, path, SIZE_MAX);
	}
	for (int c = p->child; c != NODE_NONE; c = g->seeds[c].sibling)
		if (g->seeds[c].row == SIZE_MAX && str_eq(g->seeds[c].path, path))
			return (uint32_t)c;
	return (uint32_t)add_seed(g, parent, label, path, SIZE_MAX);
}

static void plant(struct grower *g, struct str name, size_t row)
{
	int parent = 0;
	size_t at = 0, same = common_prefix(name, g->before);
	unsigned depth = 0;

	for (; depth < DEPTH_MAX; depth++) {
		struct str rest = {name.p + at, name.n - at};
		size_t n = component(rest);
		struct step *s = &g->steps[depth];

		if (n + 1 >= rest.n) /* the last one; a separator at the end belongs to it */
			break;
		if (depth >= g->n_steps || s->end != at + n || s->end > same) {
			struct str path = {name.p, at + n};

			g->n_steps = depth; /* what is deeper was below another group */
			*s = (struct step){path.n, group_of(g, parent, (struct str){rest.p, n}, path)};
		}
		g->n_steps = depth < g->n_steps ? g->n_steps : depth + 1;
		parent = (int)s->seed;
		at += n + 1;
	}
	g->n_steps = depth;
	g->before = name;
	add_seed(g, parent, (struct str){name.p + at, name.n - at}, name, row);
}

/* A label's stem and number: "encoderblock_10" is "encoderblock_" and 10. */
struct numbered {
	struct str label;
	size_t stem; /* bytes before the digits at the end */
	size_t place;
	int seed;
};

static int cmp_by_number(const void *pa, const void *pb)
{
	const struct numbered *a = pa, *b = pb;
	int c = str_cmp((struct str){a->label.p, a->stem}, (struct str){b->label.p, b->stem});

	if (c == 0)
		c = str_cmp_natural(a->label, b->label);
	return c ? c : (a->place > b->place) - (a->place < b->place);
}

static int cmp_by_place(const void *pa, const void *pb)
{
	const struct numbered *a = pa, *b = pb;
	int c = str_cmp((struct str){a->label.p, a->stem}, (struct str){b->label.p, b->stem});

	return c ? c : (a->place > b->place) - (a->place < b->place);
}

/* Siblings with the same stem and a number go by their number, in the places that they held together; all others
 * stay where the file has them. Files name layers 0, 1, 10, 11, 2; people do not. */
static void sort_numbered(struct grower *g, int *kids, size_t n)
{
	struct numbered *by_number = xcalloc(n, sizeof(*by_number)), *by_place = xcalloc(n, sizeof(*by_place));
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		struct str label = g->seeds[kids[i]].label;
		size_t stem = label.n;

		while (stem && label.p[stem - 1] >= '0' && label.p[stem - 1] <= '9')
			stem--;
		if (stem < label.n)
			by_number[k++] = (struct numbered){label, stem, i, kids[i]};
	}
	memcpy(by_place, by_number, k * sizeof(*by_place));
	qsort(by_number, k, sizeof(*by_number), cmp_by_number);
	qsort(by_place, k, sizeof(*by_place), cmp_by_place);
	for (size_t i = 0; i < k; i++)
		kids[by_place[i].place] = by_number[i].seed;
	free(by_number);
	free(by_place);
}

static void sort_children(struct grower *g, int parent)
{
	size_t n = 0, i = 0;
	int *kids;

	for (int c = g->seeds[parent].child; c != NODE_NONE; c = g->seeds[c].sibling)
		n++;
	if (n < 2)
		return;
	kids = xcalloc(n, sizeof(*kids));
	for (int c = g->seeds[parent].child; c != NODE_NONE; c = g->seeds[c].sibling)
		kids[i++] = c;
	sort_numbered(g, kids, n);
	g->seeds[parent].child = kids[0];
	for (i = 0; i < n; i++)
		g->seeds[kids[i]].sibling = i + 1 < n ? kids[i + 1] : NODE_NONE;
	free(kids);
}

struct harvest {
	struct tree *tree;
	const struct grower *g;
	const struct row *old;
	struct row *rows;
	size_t n_rows;
};

/* Emits a seed and what is below it, in pre-order. The depth is bounded by DEPTH_MAX. */
/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static int harvest(struct harvest *h, int seed, int parent, unsigned depth)
{
	const struct seed *s = &h->g->seeds[seed];
	struct str label = s->label;
	int i = (int)h->tree->n++, last = NODE_NONE;
	struct node *node = &h->tree->nodes[i];

	while (parent != NODE_NONE && s->row == SIZE_MAX && h->g->seeds[s->child].sibling == NODE_NONE) {
		s = &h->g->seeds[s->child]; /* an only child: "base_model" and "model" are one step */
		label.n = (size_t)(s->label.p + s->label.n - label.p);
		if (s->row != SIZE_MAX)
			break;
	}
	*node = (struct node){
		.label = label, .path = s->path, .parent = parent, .child = NODE_NONE, .sibling = NODE_NONE,
		.depth = depth, .row_first = h->n_rows, .row_end = h->n_rows, .leaf = s->row != SIZE_MAX,
	};
	if (node->leaf)
		h->rows[h->n_rows++] = h->old[s->row];
	for (int c = s->child; c != NODE_NONE; c = h->g->seeds[c].sibling) {
		int kid = harvest(h, c, i, parent == NODE_NONE ? 0 : depth + 1);

		*(last == NODE_NONE ? &node->child : &h->tree->nodes[last].sibling) = kid;
		last = kid;
	}
	node->row_end = h->n_rows;
	return i;
}

struct tree *tree_build(struct session *s)
{
	struct tree *t = xcalloc(1, sizeof(*t));
	struct grower g = {0};
	struct harvest h = {.tree = t, .g = &g, .old = s->rows};

	g.cap = 3 * s->n_rows + 1; /* seldom are there more than two groups a tensor */
	g.seeds = xrealloc(NULL, g.cap, sizeof(*g.seeds));
	add_seed(&g, NODE_NONE, STR(""), STR(""), SIZE_MAX);
	for (size_t i = 0; i < s->n_rows; i++)
		plant(&g, s->rows[i].name, i);
	for (size_t i = 0; i < g.n; i++)
		sort_children(&g, (int)i);
	t->nodes = xrealloc(NULL, g.n, sizeof(*t->nodes));
	h.rows = xrealloc(NULL, s->n_rows, sizeof(*h.rows));
	harvest(&h, 0, NODE_NONE, 0);
	free(s->rows);
	s->rows = h.rows;
	map_free(&g.groups);
	free(g.seeds);
	return t;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	free(t->nodes);
	free(t);
}

static void rollup_init(struct rollup *u)
{
	*u = (struct rollup){0};
	moments_init(&u->moments[A]);
	moments_init(&u->moments[B]);
	pair_init(&u->sum);
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return u64_add(a, b, &sum) ? sum : UINT64_MAX;
}

static void rollup_add(struct rollup *u, const struct row *r)
{
	u->by_status[r->status]++;
	u->retyped += r->retyped;
	u->renamed += row_renamed(r);
	for (int side = A; side <= B; side++) {
		const struct tensor *t = r->t[side];

		if (!t)
			continue;
		u->tensors[side]++;
		u->parameters[side] = add_saturating(u->parameters[side], t->count);
		u->bytes[side] = add_saturating(u->bytes[side], t->data.length);
		if (r->result)
			moments_merge(&u->moments[side], &r->result->moments[side]);
	}
	if (r->result) {
		pair_merge(&u->sum, &r->result->sum);
		u->computed++;
	}
}

static void rollup_finish(struct rollup *u)
{
	moments_stats(&u->moments[A], &u->stats[A]);
	moments_stats(&u->moments[B], &u->stats[B]);
	pair_diff(&u->sum, &u->diff);
	u->diff.max_abs_index = UINT64_MAX;
}

void rollup_rows(struct rollup *u, const struct session *s, const size_t *rows, size_t n)
{
	rollup_init(u);
	for (size_t i = 0; i < n; i++)
		rollup_add(u, &s->rows[rows[i]]);
	rollup_finish(u);
}

void rollup_node(struct rollup *u, const struct session *s, const struct node *node)
{
	rollup_init(u);
	for (size_t i = node->row_first; i < node->row_end; i++)
		rollup_add(u, &s->rows[i]);
	rollup_finish(u);
}
