#include "tui/browse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/query.h"
#include "analysis/select.h"
#include "analysis/tree.h"
#include "base/map.h"
#include "base/utf8.h"
#include "tui/cells.h"
#include "tui/chooser.h"
#include "tui/columns.h"
#include "tui/command.h"
#include "tui/detail.h"
#include "tui/menu.h"
#include "tui/plot.h"
#include "tui/report.h"

/*
 * The list shows nodes of the tree or, when it is flat, rows; either may be sorted by a field, the tree within its
 * groups. A search goes over what passes the filter, folded away or not. What a group comes to is summed up when it is
 * drawn or sorted, and again only after a result below it arrived.
 */

/* What a group's row shows. */
struct group {
	bool fresh;
	struct rollup u;
	const char *type[2]; /* that of all its tensors on a side; NULL: none, or several */
	bool typed;
};

struct shown { /* a choice of statuses */
	const char *name;
	unsigned mask; /* 0: all */
};

enum {
	CONVERSIONS = 1u << ST_CAST | 1u << ST_QUANTISED,
	CHANGES = CONVERSIONS | 1u << ST_CHANGED | 1u << ST_RESHAPED | 1u << ST_ADDED | 1u << ST_REMOVED |
		  MASK_RENAMED,
};

static const struct shown choices[] = {
	{"all", 0},
	{"differing", CHANGES},
	{"changed", 1u << ST_CHANGED | 1u << ST_RESHAPED},
	{"converted", CONVERSIONS},
	{"on one side", 1u << ST_ADDED | 1u << ST_REMOVED},
	{"problems", 1u << ST_UNDECODED},
};

/* Places that were left by a jump, and that Back leads to. */
struct trail {
	size_t node[64];
	size_t n, at; /* at == n: not on the way back */
};

enum { MARKS = 26 };

struct browse {
	const struct node *nodes;
	int *leaf_of;          /* by row: its node */
	struct group **groups; /* by node; NULL until it was drawn */
	bool *open;            /* by node */
	bool *visible;         /* by node: all around it is open, and something in it passes */
	size_t *order, *rank;  /* the tree sorted: its nodes in pre-order, and where each of them stands there */
	bool unordered;        /* that must be made again */
	bool *named;           /* by row: its name passes the filters */
	size_t *passing;       /* by row: rows before it that pass; n_rows + 1 of them */

	size_t *list;          /* what shows: nodes, or rows when sorted */
	size_t n_list;
	bool stale;            /* the list must be made again */
	struct timespec listed; /* when that was done, and how many seconds it took */
	double cost;

	const struct field *sort; /* NULL: the order of the tree */
	bool reverse, flat;

	struct filter given; /* by the command line */
	struct query *typed; /* by &; NULL: all pass */
	char typed_text[256];
	unsigned choice;

	int revealed[64]; /* groups that a search opened while it is being typed */
	size_t n_revealed;

	struct trail trail;
	size_t marks[MARKS]; /* nodes; 0: none */

	struct columns columns;
	size_t dragged; /* the column whose border the mouse has; SIZE_MAX: none */
	int dragged_x;
	struct area details;
	enum pane pane; /* as laid out now */
	bool focus;     /* the details have the keys */
	int scroll;
	size_t detail_row; /* the row whose details were asked for; SIZE_MAX: none */
	size_t detailed;   /* the node whose details were drawn; 0: none */

	size_t by_status[ST_COUNT]; /* all rows, counted when all was compared; */
	bool counted;               /* a result that comes later has no other status */
};

static struct browse *state(struct view *v)
{
	return v->state;
}

/* ---- which rows ---- */

static bool is_problem(const struct row *r)
{
	return r->status == ST_UNDECODED || (r->result && r->result->error) || (r->t[A] && r->t[A]->trouble) ||
	       (r->t[B] && r->t[B]->trouble);
}

static bool passes(const struct browse *b, const struct row *r)
{
	unsigned mask = choices[b->choice].mask;

	if (!filter_status(&b->given, r) || !query_values(b->typed, r))
		return false;
	if (mask & 1u << ST_UNDECODED)
		return is_problem(r);
	return mask == 0 || (mask >> r->status & 1) || ((mask & MASK_RENAMED) && row_renamed(r));
}

/* Whether what passes depends on results, so that news may change the list. */
static bool by_result(const struct browse *b)
{
	return b->choice != 0 || b->given.status_mask != 0 || query_waits(b->typed);
}

/* Patterns cost more than all the rest: names are matched only when the filter changes. */
static void match_names(struct view *v)
{
	struct browse *b = state(v);
	const struct session *s = v->screen->s;

	for (size_t i = 0; i < s->n_rows; i++)
		b->named[i] = filter_name(&b->given, &s->rows[i]) && query_names(b->typed, &s->rows[i]);
}

static void count_passing(struct view *v)
{
	struct browse *b = state(v);
	const struct session *s = v->screen->s;

	for (size_t i = 0; i < s->n_rows; i++)
		b->passing[i + 1] = b->passing[i] + (b->named[i] && passes(b, &s->rows[i]));
}

static size_t passing_below(const struct browse *b, const struct node *node)
{
	return b->passing[node->row_end] - b->passing[node->row_first];
}

/* ---- groups ---- */

static void note_types(const struct session *s, const struct node *node, struct group *g)
{
	for (int side = A; side <= B; side++) {
		const char *type = NULL;
		bool several = false;

		for (size_t i = node->row_first; i < node->row_end && !several; i++) {
			const struct tensor *t = s->rows[i].t[side];

			if (t && type && strcmp(type, t->type_name) != 0)
				several = true;
			else if (t)
				type = t->type_name;
		}
		g->type[side] = several ? NULL : type;
		if (several) { /* "mixed", whatever the other side is */
			g->type[A] = g->type[B] = NULL;
			break;
		}
	}
	g->typed = true;
}

static struct group *group_of(struct view *v, const struct node *node)
{
	struct browse *b = state(v);
	struct group **g = &b->groups[node - b->nodes];

	if (!*g)
		*g = xcalloc(1, sizeof(**g));
	if (!(*g)->typed)
		note_types(v->screen->s, node, *g);
	if (!(*g)->fresh)
		rollup_node(&(*g)->u, v->screen->s, node);
	(*g)->fresh = true;
	return *g;
}

/* A row that stands for a group, so that every field can be had of it as of a tensor. */
struct stand_in {
	struct row row;
	struct tensor t[2];
	struct result result;
};

/* What the group comes to as one pair: the worst of its tensors decides. */
static enum status worst(const struct rollup *u)
{
	const size_t *n = u->by_status;
	size_t all = 0;

	for (int i = 0; i < ST_COUNT; i++)
		all += n[i];
	if (n[ST_SINGLE])
		return ST_SINGLE;
	if (n[ST_ADDED] == all || n[ST_REMOVED] == all)
		return n[ST_ADDED] ? ST_ADDED : ST_REMOVED;
	if (n[ST_CHANGED] || n[ST_RESHAPED] || n[ST_ADDED] || n[ST_REMOVED])
		return ST_CHANGED;
	if (n[ST_PENDING])
		return ST_PENDING;
	if (n[ST_UNDECODED])
		return ST_UNDECODED;
	return n[ST_QUANTISED] ? ST_QUANTISED : n[ST_CAST] ? ST_CAST : n[ST_EQUAL] ? ST_EQUAL : ST_IDENTICAL;
}

static void stand_in(struct stand_in *f, const struct group *g)
{
	f->row = (struct row){.status = worst(&g->u)};
	for (int side = A; side <= B; side++) {
		f->t[side] = (struct tensor){.type_name = g->type[side] ? g->type[side] : "mixed",
					     .count = g->u.parameters[side], .data.length = g->u.bytes[side]};
		f->row.t[side] = g->u.tensors[side] ? &f->t[side] : NULL;
		f->result.stats[side] = g->u.stats[side];
	}
	f->result.diff = g->u.diff;
	f->result.have = WANT_STATS;
	f->result.error = f->result.how = NULL;
	f->result.relation = (struct relation){.rung = RUNG_NONE};
	f->row.result = g->u.computed ? &f->result : NULL;
}

static struct line line_of_group(const struct node *node, const struct group *g, const struct row *row)
{
	const size_t *n = g->u.by_status;
	size_t rows = node->row_end - node->row_first;

	return (struct line){
		.row = row,
		.type = {g->type[A], g->type[B]},
		.rows = rows,
		.only_in = n[ST_ADDED] == rows ? "added" : n[ST_REMOVED] == rows ? "removed" : NULL,
		.differ = n[ST_CAST] + n[ST_QUANTISED] + n[ST_CHANGED] + n[ST_RESHAPED] + n[ST_ADDED] + n[ST_REMOVED],
		.waiting = rows - g->u.computed,
	};
}

/* ---- the order of the tree ---- */

/* What a node is sorted by: a group by what its tensors come to. */
static struct cell cell_of(struct view *v, const struct node *node)
{
	const struct field *f = state(v)->sort;
	struct stand_in g;

	if (node->leaf)
		return field_get(f, &v->screen->s->rows[node->row_first], A);
	stand_in(&g, group_of(v, node));
	g.t[A].name = g.t[B].name = node->path;
	return field_get(f, &g.row, A);
}

/* The children of one group after the other, each sorted; what is on the stack is still to be visited. */
static void order_nodes(struct view *v)
{
	struct browse *b = state(v);
	size_t n_nodes = v->screen->s->tree->n, n = 0, waiting = 1;
	struct keyed *children = xcalloc(n_nodes, sizeof(*children));
	size_t *stack = xcalloc(n_nodes, sizeof(*stack));

	while (waiting) {
		size_t i = stack[--waiting], k = 0;

		b->rank[i] = n;
		b->order[n++] = i;
		for (int c = b->nodes[i].child; c != NODE_NONE; c = b->nodes[c].sibling, k++)
			children[k] = (struct keyed){cell_of(v, &b->nodes[c]), (size_t)c, k, b->reverse};
		sort_keyed(children, k);
		while (k)
			stack[waiting++] = children[--k].at;
	}
	b->unordered = false;
	free(children);
	free(stack);
}

/* ---- the list ---- */

/* The node that stands at a place of the whole tree, folded away or not. */
static size_t node_of(const struct browse *b, size_t place)
{
	return b->sort ? b->order[place] : place;
}

static void list_tree(struct view *v)
{
	struct browse *b = state(v);
	const struct tree *t = v->screen->s->tree;

	b->n_list = 0;
	for (size_t place = 1; place < t->n; place++) {
		size_t i = node_of(b, place);
		int around = b->nodes[i].parent;

		b->visible[i] = (around == 0 || (b->visible[around] && b->open[around])) &&
				passing_below(b, &b->nodes[i]) > 0;
		if (b->visible[i])
			b->list[b->n_list++] = i;
	}
}

static void list_rows(struct view *v)
{
	struct browse *b = state(v);
	const struct session *s = v->screen->s;

	b->n_list = 0;
	for (size_t i = 0; i < s->n_rows; i++)
		if (b->passing[i + 1] > b->passing[i])
			b->list[b->n_list++] = i;
	if (b->sort)
		sort_rows(s, b->list, b->n_list, b->sort, b->reverse);
}

static const struct node *node_at(struct view *v, size_t at)
{
	struct browse *b = state(v);

	return &b->nodes[b->flat ? (size_t)b->leaf_of[b->list[at]] : b->list[at]];
}

/* The row that stands there, or SIZE_MAX for a group. */
static size_t row_at(struct view *v, size_t at)
{
	const struct node *node = at < state(v)->n_list ? node_at(v, at) : NULL;

	return node && node->leaf ? node->row_first : SIZE_MAX;
}

/* Where a node stands in the list, or the group that it is folded into; where it is filtered away, what comes before
 * it, or 0. */
static size_t place_of(struct view *v, size_t node)
{
	struct browse *b = state(v);
	size_t best = 0;

	for (size_t i = 0; i < b->n_list; i++) {
		const struct node *at = node_at(v, i);

		if (at == &b->nodes[node])
			return i;
		if (b->flat)
			continue;
		/* in pre-order the last one before it holds it, or stands above it */
		if (b->sort ? at->row_first <= b->nodes[node].row_first && b->nodes[node].row_end <= at->row_end :
			      at <= &b->nodes[node])
			best = i;
	}
	return best;
}

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + 1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

/* Makes the list again, with the cursor on the same thing, on the same line of the screen. */
static void relist(struct view *v)
{
	struct browse *b = state(v);
	size_t node = b->n_list && v->cursor < b->n_list ? (size_t)(node_at(v, v->cursor) - b->nodes) : 0;
	size_t line = v->cursor - v->top;
	bool at_top = b->sort && b->flat &&
		      v->cursor == 0; /* whoever looks at the strongest wants to see the next one, too */
	struct timespec start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	count_passing(v);
	if (b->sort && !b->flat && b->unordered)
		order_nodes(v);
	(b->flat ? list_rows : list_tree)(v);
	b->stale = false;
	v->cursor = at_top ? 0 : place_of(v, node);
	v->top = v->cursor > line ? v->cursor - line : 0;
	view_move(v, v->cursor);
	b->cost = seconds_since(&start);
	clock_gettime(CLOCK_MONOTONIC, &b->listed);
}

static size_t browse_rows(struct view *v)
{
	return state(v)->n_list;
}

/* ---- folding ---- */

static void open_all(struct view *v, bool open)
{
	memset(state(v)->open, open, v->screen->s->tree->n * sizeof(bool));
	relist(v);
}

/* Opens whole levels as long as all of it fits on the screen, so that a small net lies open and a large one folded. */
static void open_some(struct view *v, size_t room)
{
	struct browse *b = state(v);
	const struct tree *t = v->screen->s->tree;

	for (unsigned depth = 0; depth < 32; depth++) {
		size_t lines = 0, deeper = 0;

		for (size_t i = 1; i < t->n; i++) {
			lines += b->nodes[i].depth <= depth + 1;
			deeper += b->nodes[i].depth == depth + 1;
		}
		if (deeper == 0 || lines > room)
			return;
		for (size_t i = 1; i < t->n; i++)
			if (b->nodes[i].depth == depth)
				b->open[i] = true;
	}
}

static void set_open(struct view *v, size_t node, bool open)
{
	state(v)->open[node] = open;
	relist(v);
}

static size_t go_to(struct view *v, size_t node)
{
	size_t at = place_of(v, node);

	view_center(v, at);
	return at;
}

/* h: closes an open group, or goes to the one around. */
static void back(struct view *v)
{
	struct browse *b = state(v);
	const struct node *node;
	size_t i;

	if (b->flat) {
		browse_sort(v, NULL, false);
		return;
	}
	if (!b->n_list)
		return;
	node = node_at(v, v->cursor);
	i = (size_t)(node - b->nodes);
	if (!node->leaf && b->open[i])
		set_open(v, i, false);
	else if (node->parent > 0)
		go_to(v, (size_t)node->parent);
}

static void open_row(struct view *v, bool toggle)
{
	struct browse *b = state(v);
	const struct node *node;
	size_t i;

	if (!b->n_list)
		return;
	node = node_at(v, v->cursor);
	i = (size_t)(node - b->nodes);
	if (!node->leaf) {
		set_open(v, i, toggle ? !b->open[i] : true);
	} else if (!toggle) {
		if (b->pane == PANE_OFF)
			v->screen->pane = PANE_AUTO;
		b->focus = true;
	}
}

/* ---- searching ---- */

static size_t items(struct view *v)
{
	return state(v)->flat ? state(v)->n_list : v->screen->s->tree->n;
}

static size_t item_at(struct view *v, size_t row)
{
	const struct browse *b = state(v);

	return b->flat ? row : b->sort ? b->rank[b->list[row]] : b->list[row];
}

static const struct node *node_of_item(struct view *v, size_t item)
{
	const struct browse *b = state(v);

	return &b->nodes[b->flat ? (size_t)b->leaf_of[b->list[item]] : node_of(b, item)];
}

static void unreveal(struct view *v)
{
	struct browse *b = state(v);

	if (b->n_revealed == 0)
		return;
	while (b->n_revealed)
		b->open[b->revealed[--b->n_revealed]] = false;
	relist(v);
}

/* Opens the groups around a node; where it stands then. */
static size_t reveal_node(struct view *v, size_t node)
{
	struct browse *b = state(v);
	bool opened = false, typing = v->screen->prompt.on;

	if (b->flat)
		return place_of(v, node);
	for (int i = b->nodes[node].parent; i > 0; i = b->nodes[i].parent) {
		if (b->open[i])
			continue;
		opened = b->open[i] = true;
		if (typing && b->n_revealed < COUNT(b->revealed))
			b->revealed[b->n_revealed++] = i;
	}
	if (opened)
		relist(v);
	return place_of(v, node);
}

static size_t reveal(struct view *v, size_t item)
{
	return state(v)->flat ? item : reveal_node(v, (size_t)(node_of_item(v, item) - state(v)->nodes));
}

/* ---- places ---- */

static size_t here(struct view *v)
{
	struct browse *b = state(v);

	return b->n_list ? (size_t)(node_at(v, v->cursor) - b->nodes) : 0;
}

/* Before a jump: Back leads to where the cursor is. */
static void leave(struct view *v)
{
	struct trail *t = &state(v)->trail;

	t->n = t->at;
	if (t->n && t->node[t->n - 1] == here(v))
		return;
	if (t->n == COUNT(t->node) - 1) { /* one is kept free for where Back sets out from */
		memmove(t->node, t->node + 1, (t->n - 1) * sizeof(*t->node));
		t->n--;
	}
	t->node[t->n++] = here(v);
	t->at = t->n;
}

static bool visit(struct view *v, size_t node)
{
	if (node && passing_below(state(v), &state(v)->nodes[node]) == 0) {
		screen_trouble(v->screen, "what is there does not pass the filter");
		return false;
	}
	view_center(v, reveal_node(v, node));
	return true;
}

static void go_back(struct view *v)
{
	struct trail *t = &state(v)->trail;

	if (t->at == t->n) {
		if (t->at && t->node[t->at - 1] == here(v)) /* nothing was jumped from here yet */
			t->at--;
		t->node[t->at] = here(v);
		t->n = t->at + 1;
	}
	if (t->at == 0)
		screen_message(v->screen, "there is no place to go back to");
	else
		visit(v, t->node[--t->at]);
}

static void go_on(struct view *v)
{
	struct trail *t = &state(v)->trail;

	if (t->at + 1 >= t->n)
		screen_message(v->screen, "this is the last place");
	else
		visit(v, t->node[++t->at]);
}

/* The key behind the one that marks a place, or goes to one. */
static void letter(struct view *v, enum act act, int key)
{
	struct browse *b = state(v);
	size_t *mark = key >= 'a' && key <= 'z' ? &b->marks[key - 'a'] : NULL;

	if (act == ACT_TO_MARK && key == '\'')
		go_back(v);
	else if (!mark)
		screen_message(v->screen, "marks have the letters a to z");
	else if (act == ACT_MARK)
		*mark = *mark == here(v) ? 0 : here(v);
	else if (!*mark)
		screen_message(v->screen, "there is no mark %c", key);
	else {
		leave(v);
		visit(v, *mark);
	}
}

/* 0, or the letter of the mark of a node. */
static char mark_of(const struct browse *b, size_t node)
{
	for (int i = 0; i < MARKS; i++)
		if (b->marks[i] == node)
			return (char)('a' + i);
	return 0;
}

bool browse_go(struct view *v, size_t row)
{
	struct browse *b = state(v);

	if (b->passing[row + 1] == b->passing[row])
		return false;
	leave(v);
	return visit(v, (size_t)b->leaf_of[row]);
}

static size_t browse_tensor(struct view *v)
{
	return row_at(v, v->cursor);
}

/* A node is found when the match reaches into its own part of the name: not every tensor of a group that matches. */
static bool find(struct view *v, size_t item, const struct needle *nd)
{
	struct browse *b = state(v);
	const struct node *node = node_of_item(v, item);
	size_t above, from = 0, at, n;

	if (node == b->nodes) /* the root */
		return false;
	if (passing_below(b, node) == 0)
		return false;
	above = b->flat ? 0 : node->path.n - node->label.n;
	if (!nd->is_regex && above > nd->n)
		from = above - nd->n;
	while (needle_find(nd, node->path, from, &at, &n)) {
		if (at + n > above)
			return true;
		from = at + 1;
	}
	return false;
}

static bool differs(struct view *v, size_t item)
{
	struct browse *b = state(v);
	const struct node *node = node_of_item(v, item);

	return node->leaf && passing_below(b, node) > 0 && row_differs(&v->screen->s->rows[node->row_first]);
}

static void next_change(struct view *v, int direction)
{
	size_t before = v->cursor;

	if (!view_seek(v, direction, false, differs))
		screen_message(v->screen, v->screen->n_ready < v->screen->s->n_rows ? "no difference found so far" :
			       "nothing differs here");
	else if (direction > 0 ? v->cursor < before : v->cursor > before)
		screen_message(v->screen, direction > 0 ? "went on at the top" : "went on at the bottom");
}

/* ---- filter and order ---- */

/* Only types can be converted. */
static bool any_retyped(const struct session *s)
{
	for (size_t i = 0; i < s->n_rows; i++)
		if (s->rows[i].retyped)
			return true;
	return false;
}

static void filter_done(struct view *v, const char *text)
{
	struct browse *b = state(v);
	struct query *q;
	struct err e;

	if (query_parse(&q, text, &e) != RC_OK) {
		screen_trouble(v->screen, "%s", e.msg);
		return;
	}
	query_free(b->typed);
	b->typed = q;
	snprintf(b->typed_text, sizeof(b->typed_text), "%s", text);
	screen_want(v->screen, query_wants(q));
	match_names(v);
	relist(v);
}

/* Without a field: back to the tree as it is. */
void browse_sort(struct view *v, const struct field *f, bool reverse)
{
	struct browse *b = state(v);
	size_t node = here(v);

	if (!f)
		b->flat = false;
	else if (!b->sort)
		b->flat = true; /* the strongest of all first: that is what one sorts for */
	b->sort = f;
	b->reverse = reverse;
	b->n_list = 0;
	b->unordered = true;
	relist(v);
	if (f)
		view_move(v, 0);
	else
		view_center(v, reveal_node(v, node));
}

/* t: all tensors in one list, or in their groups. */
static void turn_flat(struct view *v)
{
	struct browse *b = state(v);
	size_t node = here(v);

	b->flat = !b->flat;
	b->n_list = 0;
	relist(v);
	view_center(v, reveal_node(v, node));
}

const struct field *browse_sorted_by(struct view *v, bool *reverse)
{
	*reverse = state(v)->reverse;
	return state(v)->sort;
}

const char *browse_shown(struct view *v)
{
	return choices[state(v)->choice].name;
}

void browse_cycle_shown(struct view *v)
{
	struct browse *b = state(v);

	do
		b->choice = (b->choice + 1) % (unsigned)COUNT(choices);
	while (choices[b->choice].mask == CONVERSIONS && !any_retyped(v->screen->s));
	relist(v);
}

/* ---- layout ---- */

static enum pane resolve(const struct screen *sc, struct area body)
{
	if (sc->pane != PANE_AUTO)
		return sc->pane == PANE_RIGHT && body.w < 100 ? PANE_BELOW : sc->pane;
	return body.w >= 120 ? PANE_RIGHT : PANE_BELOW;
}

void browse_cycle_pane(struct view *v)
{
	struct screen *sc = v->screen;
	int w, h;
	static const enum pane next[] = {[PANE_OFF] = PANE_BELOW, [PANE_BELOW] = PANE_RIGHT, [PANE_RIGHT] = PANE_OFF};

	term_size(&w, &h);
	sc->pane = next[resolve(sc, (struct area){0, 0, w, h})];
	if (sc->pane == PANE_RIGHT && w < 100)
		sc->pane = PANE_OFF;
}

const char *browse_pane_name(struct view *v)
{
	static const char *const names[] = {[PANE_OFF] = "off", [PANE_BELOW] = "below", [PANE_RIGHT] = "at the right"};
	int w, h;

	term_size(&w, &h);
	return names[resolve(v->screen, (struct area){0, 0, w, h})];
}

static void layout(struct view *v, struct area body)
{
	struct browse *b = state(v);
	bool pair = v->screen->s->n_models > 1;

	b->pane = resolve(v->screen, body);
	v->list = body;
	if (b->pane == PANE_RIGHT) {
		int w = body.w * 2 / 5;

		w = w < 52 ? 52 : w > 78 ? 78 : w;
		v->list.w = body.w - w - 1;
		b->details = (struct area){body.y - 1, v->list.w + 1, w, body.h + 1};
	} else if (b->pane == PANE_BELOW) {
		int h = body.h * 2 / 5 + 1;

		h = h < 6 ? 6 : h > 16 ? 16 : h;
		v->list.h = body.h - h;
		b->details = (struct area){body.y + v->list.h, 0, body.w, h};
	} else {
		b->focus = false;
	}
	columns_fit(&b->columns, v->list.w - 2, pair, b->sort, b->flat, &v->screen->settings.columns[pair]);
	if (columns_want_distribution(&b->columns))
		screen_want(v->screen, WANT_DIST);
}

/* While results pour in, a long list is put in order again only as often as that costs little of the time. */
static void update(struct view *v)
{
	struct browse *b = state(v);

	if (b->stale && (!screen_busy(v->screen) || seconds_since(&b->listed) > 20 * b->cost))
		relist(v);
}

/* What a place of the list shows; a group's is held by `f`. */
static struct line line_at(struct view *v, size_t at, struct stand_in *f)
{
	const struct node *node = node_at(v, at);
	struct group *g;

	if (node->leaf)
		return (struct line){.row = &v->screen->s->rows[node->row_first]};
	g = group_of(v, node);
	stand_in(f, g);
	return line_of_group(node, g, &f->row);
}

void browse_news(struct view *v, size_t row)
{
	struct browse *b = state(v);
	int i = b->leaf_of[row];

	for (i = b->nodes[i].parent; i != NODE_NONE; i = b->nodes[i].parent)
		if (b->groups[i])
			b->groups[i]->fresh = false;
	b->unordered = true;
	if (by_result(b) || b->sort)
		b->stale = true;
}

/* ---- drawing ---- */

static void draw_header(struct view *v, struct area a)
{
	struct browse *b = state(v);
	struct pen p = pen_at(v, a, false, ROLE_TEXT);

	pen_skip(&p, v->screen->s->n_models > 1 ? 3 : 1);
	columns_draw_header(&b->columns, &p, b->sort, b->reverse);
}

static void put_mark(struct pen *p, const struct screen *sc, const struct row *r, char mark)
{
	bool lost = row_lost(sc, r), error = lost || (r->result && r->result->error);
	enum status st = lost ? ST_UNDECODED : r->status;
	char text[2] = {mark, '\0'};

	if (sc->s->n_models > 1) {
		pen_puts(p, 1, false, status_role(st), status_mark(st, p->ascii));
		pen_puts(p, 1, false, ROLE_MATCH, text);
	} else if (mark) {
		p->x--;
		pen_puts(p, 1, false, ROLE_MATCH, text);
	} else if (error || (r->t[A] && r->t[A]->trouble)) {
		p->x--;
		pen_puts(p, 1, false, ROLE_PROBLEM, "?");
	}
}

static void put_name(struct view *v, struct pen *p, const struct node *node, const struct row *row)
{
	struct browse *b = state(v);
	const char *sign = "  ";
	struct buf name = {0}, shown = {0};
	int indent = (int)(2 * (node->depth < 16 ? node->depth : 16)), most = b->columns.name / 2;

	if (!b->flat) {
		if (!node->leaf && p->ascii)
			sign = b->open[node - b->nodes] ? "v " : "> ";
		else if (!node->leaf)
			sign = b->open[node - b->nodes] ? "▾ " : "▸ ";
		indent = indent < most ? indent : most;
		pen_skip(p, indent);
		pen_puts(p, 2, false, ROLE_DIM, sign);
		indent += 2;
	} else {
		indent = 0;
	}
	buf_str(&name, b->flat ? row->name : node->label);
	if (node->leaf && row_renamed(row)) {
		buf_puts(&name, p->ascii ? " -> " : " → ");
		buf_str(&name, row->t[B]->name);
	}
	utf8_display(&shown, buf_view(&name), p->ascii);
	pen_put(p, b->columns.name - indent, false, node->leaf ? ROLE_TEXT : ROLE_GROUP, buf_view(&shown));
	buf_free(&name);
	buf_free(&shown);
}

static void draw_row(struct view *v, size_t at, struct area a)
{
	struct browse *b = state(v);
	struct screen *sc = v->screen;
	const struct node *node = node_at(v, at);
	struct pen p = pen_at(v, a, at == v->cursor, b->focus ? ROLE_RESTING : ROLE_CURSOR);
	struct stand_in f;
	struct line line = line_at(v, at, &f);

	if (node->leaf && !line.row->result)
		scan_ask(sc->scan, node->row_first, WANT_STATS, PRIO_VISIBLE, 0);
	pen_skip(&p, 1);
	put_mark(&p, sc, line.row, mark_of(b, (size_t)(node - b->nodes)));
	put_name(v, &p, node, line.row);
	columns_draw(&b->columns, &p, sc, &line);
}

static void draw_rest(struct view *v)
{
	struct browse *b = state(v);
	const struct node *node = b->n_list ? node_at(v, v->cursor) : NULL;
	struct detail d = {.screen = v->screen, .focus = b->focus, .scroll = b->scroll};
	struct stand_in f;

	if (!node && v->screen->s->n_rows == 0)
		term_puts(v->list.y, v->list.x + 1, v->list.w - 1, ROLE_DIM, "no tensors");
	else if (!node)
		term_puts(v->list.y, v->list.x + 1, v->list.w - 1, ROLE_DIM,
			  by_result(b) && screen_busy(v->screen) ? "no tensor passes so far" : "no tensor passes");
	if (!node || b->pane == PANE_OFF) {
		b->detailed = 0;
		return;
	}
	if (v->screen->hasty && b->detailed) /* the same again costs nothing, all that moves does, on a slow line */
		node = &b->nodes[b->detailed];
	b->detailed = (size_t)(node - b->nodes);
	d.name = node->path;
	d.row = &v->screen->s->rows[node->row_first];
	if (!node->leaf) {
		struct group *g = group_of(v, node);

		stand_in(&f, g);
		d.row = &f.row;
		d.u = &g->u;
	}
	detail_draw(&d, b->details, b->pane == PANE_RIGHT);
	b->scroll = d.scroll;
}

/* ---- a report ---- */

enum { REPORT_MOST = 2 * COLUMNS_MAX + 4 };

static struct report_column report_column(const char *side, const char *key, const char *title, bool left)
{
	struct report_column c = {.title = title, .left = left};

	snprintf(c.key, sizeof(c.key), "%s%s", side, key);
	return c;
}

/* Of a pair json and csv have the type and the shape of both sides, and all but the bar is as on the screen. */
static bool both_sides(struct view *v, const struct report *r, const struct column *c)
{
	return v->screen->s->n_models > 1 && !report_for_people(r) &&
	       (strcmp(c->key, "type") == 0 || strcmp(c->key, "shape") == 0);
}

static size_t columns_of_report(struct view *v, const struct report *r, struct report_column out[REPORT_MOST])
{
	struct columns *cs = &state(v)->columns;
	bool pair = v->screen->s->n_models > 1;
	size_t n = 0;

	out[n++] = report_column("", "name", "name", true);
	if (pair)
		out[n++] = report_column("", "status", "status", true);
	if (!report_for_people(r))
		out[n++] = report_column("", "tensors", "", false);
	for (size_t i = 0; i < cs->n; i++) {
		const struct column *c = cs->c[i];
		bool sided = pair && c->title && strcmp(c->key, "bar") != 0;

		if (strcmp(c->key, "bar") == 0)
			continue;
		if (both_sides(v, r, c))
			out[n++] = report_column("a_", c->key, "", true);
		out[n++] = report_column(both_sides(v, r, c) ? "b_" : !sided ? "" : c->side == A ? "a_" : "b_", c->key,
					 column_title(c), c->left);
	}
	return n;
}

static void report_line(struct view *v, struct report *r, size_t at)
{
	struct columns *cs = &state(v)->columns;
	struct cell cells[REPORT_MOST];
	const struct node *node = node_at(v, at);
	struct stand_in f;
	struct line l = line_at(v, at, &f);
	struct buf text[COLUMNS_MAX] = {{0}};
	size_t n = 0;

	cells[n++] = (struct cell){.kind = CELL_TEXT, .u.text = node->path};
	if (v->screen->s->n_models > 1)
		cells[n++] = (struct cell){.kind = CELL_TEXT, .u.text = str_of(statuses[l.row->status].name)};
	if (!report_for_people(r))
		cells[n++] = (struct cell){.kind = CELL_COUNT, .u.count = l.rows ? l.rows : 1};
	for (size_t i = 0; i < cs->n; i++) {
		const struct column *c = cs->c[i];

		if (strcmp(c->key, "bar") == 0)
			continue;
		if (report_for_people(r)) {
			column_text(&text[i], c, v->screen, &l);
			cells[n++] = (struct cell){.kind = CELL_TEXT, .u.text = buf_view(&text[i])};
			continue;
		}
		if (both_sides(v, r, c))
			cells[n++] = column_value(c, &l, A);
		cells[n++] = column_value(c, &l, both_sides(v, r, c) ? B : l.row->t[c->side] ? c->side : !c->side);
	}
	report_row(r, cells);
	for (size_t i = 0; i < cs->n; i++)
		buf_free(&text[i]);
}

static bool report(struct view *v, struct report *r)
{
	struct report_column columns[REPORT_MOST];

	report_columns(r, columns, columns_of_report(v, r, columns));
	for (size_t at = 0; at < state(v)->n_list; at++)
		report_line(v, r, at);
	return true;
}

static void copy(struct view *v, struct buf *out)
{
	if (state(v)->n_list)
		buf_str(out, node_at(v, v->cursor)->path);
}

enum { BESIDE_COUNTS = 20 }; /* columns for the hints */

/* "= 8 identical  ~ 97 changed", or without the words where room is short: what a user wants to know first. */
static void put_counts(struct browse *b, const struct screen *sc, struct buf *out)
{
	size_t before = out->n;
	int w, h;

	term_size(&w, &h);
	for (size_t i = 0; i < sc->s->n_rows && !b->counted; i++)
		b->by_status[sc->s->rows[i].status]++;
	b->counted = true;
	for (int words = 1; words >= 0; words--) {
		out->n = before;
		buf_puts(out, " ");
		for (int i = ST_IDENTICAL; i < ST_SINGLE; i++)
			if (b->by_status[i])
				buf_printf(out, "  %s %zu%s%s", status_mark((enum status)i, sc->ascii),
					   b->by_status[i], words ? " " : "", words ? statuses[i].name : "");
		if ((int)utf8_width(buf_view(out)) <= w - BESIDE_COUNTS)
			break;
	}
}

static void mode(struct view *v, struct buf *out)
{
	struct browse *b = state(v);
	size_t said = out->n;

	if (b->typed_text[0]) {
		buf_puts(out, "   filter ");
		utf8_display(out, str_of(b->typed_text), v->screen->ascii);
	}
	if (b->choice)
		buf_printf(out, "   only %s", choices[b->choice].name);
	if (b->sort)
		buf_printf(out, "   sorted by %s%s", b->sort->key, b->flat ? "" : " in groups");
	else if (b->flat)
		buf_puts(out, "   all in one list");
	if (v->screen->log_scale)
		buf_puts(out, "   log scale");
	if (out->n == said && v->screen->s->n_models > 1 && v->screen->n_ready == v->screen->s->n_rows)
		put_counts(b, v->screen, out);
}

/* ---- details ---- */

bool browse_wants_details(struct view *v)
{
	size_t row = v->ops == &browse_view ? row_at(v, v->cursor) : SIZE_MAX;
	const struct row *r = row == SIZE_MAX ? NULL : &v->screen->s->rows[row];

	if (!r || state(v)->pane == PANE_OFF)
		return false;
	return !r->result || (r->result->have & (WANT_DIST | WANT_BINS)) != (WANT_DIST | WANT_BINS);
}

/* What was selected before gives way, so that the one that is looked at never waits for those that were passed by. */
bool browse_ask_details(struct view *v)
{
	struct browse *b = state(v);
	size_t row;

	if (!browse_wants_details(v)) /* which another view never does */
		return false;
	row = row_at(v, v->cursor);
	if (b->detail_row != SIZE_MAX && b->detail_row != row)
		scan_ask(v->screen->scan, b->detail_row, WANT_DIST | WANT_BINS, PRIO_BACKGROUND, PLOT_BINS);
	b->detail_row = row;
	scan_ask(v->screen->scan, row, WANT_DIST | WANT_BINS, PRIO_SELECTED, PLOT_BINS);
	return true;
}

/* ---- keys ---- */

static void reverse(struct view *v)
{
	struct browse *b = state(v);

	if (b->sort)
		browse_sort(v, b->sort, !b->reverse);
	else
		screen_message(v->screen, "this is the order of the file: s sorts");
}

/* Keys while the details have them; false: they mean what they always do. */
static bool act_in_details(struct view *v, enum act act)
{
	struct browse *b = state(v);

	switch (act) {
	case ACT_DOWN: b->scroll++; return true;
	case ACT_UP: b->scroll -= b->scroll > 0; return true;
	case ACT_PAGE_DOWN:
	case ACT_HALF_DOWN: b->scroll += 5; return true;
	case ACT_PAGE_UP:
	case ACT_HALF_UP: b->scroll = b->scroll > 5 ? b->scroll - 5 : 0; return true;
	case ACT_TOP: b->scroll = 0; return true;
	case ACT_BOTTOM: b->scroll = 100; return true;
	case ACT_BACK:
	case ACT_ESCAPE:
	case ACT_CLOSE: b->focus = false; return true;
	case ACT_OPEN: return true;
	default: return false;
	}
}

static bool escape(struct view *v)
{
	struct browse *b = state(v);

	if (v->needle.n || !(b->sort || b->flat))
		return false;
	browse_sort(v, NULL, false);
	return true;
}

static bool is_jump(enum act act)
{
	return act == ACT_TOP || act == ACT_BOTTOM || act == ACT_SEARCH || act == ACT_NEXT || act == ACT_PREVIOUS ||
	       act == ACT_NEXT_CHANGE || act == ACT_PREVIOUS_CHANGE;
}

static bool act(struct view *v, enum act act)
{
	struct browse *b = state(v);

	if (!v->screen->prompt.on)
		b->n_revealed = 0; /* what the last search opened stays open */
	if (b->focus && act_in_details(v, act))
		return true;
	if (is_jump(act))
		leave(v);
	switch (act) {
	case ACT_OPEN: open_row(v, false); return true;
	case ACT_FOLD: open_row(v, true); return true;
	case ACT_BACK: back(v); return true;
	case ACT_FOLD_ALL: open_all(v, false); return true;
	case ACT_UNFOLD_ALL: open_all(v, true); return true;
	case ACT_FILTER:
		screen_prompt(v->screen, "& ", b->typed_text, filter_done);
		v->screen->prompt.complete = complete_field;
		return true;
	case ACT_SORT: menu_sort(v->screen); return true;
	case ACT_REVERSE: reverse(v); return true;
	case ACT_ORDER: turn_flat(v); return true;
	case ACT_COLUMNS: chooser_open(v->screen, &b->columns); return true;
	case ACT_MARK:
	case ACT_TO_MARK: screen_letter(v->screen, act, letter); return true;
	case ACT_PAST: go_back(v); return true;
	case ACT_FUTURE: go_on(v); return true;
	case ACT_ESCAPE: return escape(v);
	case ACT_OPTIONS: menu_options(v->screen); return true;
	case ACT_PANE: b->focus = !b->focus && b->pane != PANE_OFF; return true;
	case ACT_LAYOUT: browse_cycle_pane(v); return true;
	case ACT_SCALE: v->screen->log_scale = !v->screen->log_scale; return true;
	case ACT_NEXT_CHANGE: next_change(v, 1); return true;
	case ACT_PREVIOUS_CHANGE: next_change(v, -1); return true;
	case ACT_SHOWN: browse_cycle_shown(v); return true;
	default: return false;
	}
}

/* ---- the mouse ---- */

static void drag(struct view *v, int x)
{
	struct browse *b = state(v);
	struct chosen *chosen = &v->screen->settings.columns[v->screen->s->n_models > 1];

	columns_widen(&b->columns, chosen, b->dragged, b->dragged_x - x);
	b->dragged_x = x;
}

/* In the line of the titles: a border is taken hold of, and a title sorts; once more, the other way. */
static void press_title(struct view *v, int x)
{
	struct browse *b = state(v);
	size_t border = columns_border(&b->columns, x);
	int at = columns_at(&b->columns, x);
	const struct field *f = field_by_key(str_of(at < 0 ? "name" : b->columns.c[at]->key));

	if (border < b->columns.n) {
		b->dragged = border;
		b->dragged_x = x;
		return;
	}
	if (at >= 0 && strcmp(b->columns.c[at]->key, "bar") == 0)
		f = field_by_key(STR("rel_l2"));
	if (f)
		browse_sort(v, f, b->sort == f ? !b->reverse : f->kind != CELL_TEXT);
}

static bool in_details(const struct browse *b, struct mouse m)
{
	return b->pane != PANE_OFF && m.x >= b->details.x && m.y >= b->details.y && m.y < b->details.y + b->details.h;
}

static bool mouse(struct view *v, struct mouse m)
{
	struct browse *b = state(v);
	int names = v->list.x + (v->screen->s->n_models > 1 ? 3 : 1);

	if (m.what == MOUSE_DRAG || m.what == MOUSE_RELEASE) {
		if (b->dragged != SIZE_MAX && m.what == MOUSE_DRAG)
			drag(v, m.x);
		else
			b->dragged = SIZE_MAX;
		return true;
	}
	if (m.what == MOUSE_PRESS && m.y == v->list.y - 1 && m.x >= names && m.x < v->list.x + v->list.w) {
		press_title(v, m.x - names);
		return true;
	}
	if (in_details(b, m)) {
		if (m.what == MOUSE_PRESS)
			b->focus = true;
		else if (m.what == MOUSE_WHEEL_UP)
			b->scroll -= b->scroll > 0;
		else if (m.what == MOUSE_WHEEL_DOWN)
			b->scroll++;
		return true;
	}
	b->focus = false;
	if (m.what != MOUSE_DOUBLE || m.y < v->list.y || v->top + (size_t)(m.y - v->list.y) >= b->n_list)
		return false;
	view_move(v, v->top + (size_t)(m.y - v->list.y));
	screen_act(v->screen, row_at(v, v->cursor) == SIZE_MAX ? ACT_FOLD : ACT_OPEN);
	return true;
}

/* ---- opening and closing ---- */

static void browse_close(struct view *v)
{
	struct browse *b = state(v);

	for (size_t i = 0; i < v->screen->s->tree->n; i++)
		free(b->groups[i]);
	free(b->groups);
	free(b->leaf_of);
	free(b->open);
	free(b->named);
	free(b->passing);
	free(b->list);
	free(b->visible);
	free(b->order);
	free(b->rank);
	filter_free(&b->given);
	query_free(b->typed);
}

static const struct hint hints[] = {
	{ACT_SUMMARY, "summary", false},
	{ACT_MAP, "layer map", false},
	{ACT_HISTOGRAM, "histogram", false},
	{ACT_HEAT, "heat map", false},
	{ACT_VALUES, "values", false},
	{ACT_META, "metadata", false},
	{ACT_FILTER, "filter", false},
	{ACT_SORT, "sort", false},
	{ACT_OPTIONS, "options", false},
	{ACT_BYTES, "bytes", false},
	{ACT_JOBS, "jobs", false},
	{ACT_NONE, NULL, false},
};

const struct view_ops browse_view = {
	.hints = hints,
	.where = WHERE_ALL | WHERE_FOLDS | WHERE_TREE | WHERE_PAIR | WHERE_TENSOR,
	.state_size = sizeof(struct browse),
	.rows = browse_rows,
	.update = update,
	.layout = layout,
	.draw_header = draw_header,
	.draw_row = draw_row,
	.draw_rest = draw_rest,
	.mode = mode,
	.tensor = browse_tensor,
	.items = items,
	.item_at = item_at,
	.reveal = reveal,
	.unreveal = unreveal,
	.find = find,
	.mouse = mouse,
	.copy = copy,
	.report = report,
	.act = act,
	.close = browse_close,
};

/* ---- from one session to the next ---- */

/* What was set and folded, by names that outlive rows and nodes. */
struct kept {
	struct map open; /* groups' paths */
	struct str at;   /* the path under the cursor */
	const struct field *sort;
	bool reverse, flat;
	unsigned choice;
	char typed_text[sizeof(((struct browse *)0)->typed_text)];
};

struct kept *browse_keep(struct view *v)
{
	struct browse *b = state(v);
	struct kept *k = xcalloc(1, sizeof(*k));

	k->sort = b->sort;
	k->reverse = b->reverse;
	k->flat = b->flat;
	k->choice = b->choice;
	k->at = b->nodes[here(v)].path;
	memcpy(k->typed_text, b->typed_text, sizeof(k->typed_text));
	for (size_t i = 1; i < v->screen->s->tree->n; i++)
		if (!b->nodes[i].leaf && b->open[i])
			map_add(&k->open, b->nodes[i].path, 1);
	return k;
}

void browse_restore(struct view *v, struct kept *k)
{
	struct browse *b = state(v);
	size_t at = 0;

	for (size_t i = 1; i < v->screen->s->tree->n; i++) {
		if (!b->nodes[i].leaf)
			b->open[i] = map_get(&k->open, b->nodes[i].path) != MAP_NONE;
		if (str_eq(b->nodes[i].path, k->at) && (at == 0 || b->nodes[i].leaf))
			at = i;
	}
	b->sort = k->sort;
	b->reverse = k->reverse;
	b->flat = k->flat;
	b->choice = v->screen->s->n_models > 1 ? k->choice : 0;
	filter_done(v, k->typed_text);
	view_center(v, reveal_node(v, at));
	map_free(&k->open);
	free(k);
}

enum rc browse_open(struct screen *sc, struct err *e)
{
	const struct tree *t = sc->s->tree;
	struct filter given;
	struct browse *b;
	struct view *v;
	int w, h;

	if (filter_init(&given, sc->opts, e) != RC_OK)
		return RC_FAIL;
	v = view_push(sc, &browse_view);
	b = state(v);
	b->given = given;
	b->nodes = t->nodes;
	b->leaf_of = xcalloc(sc->s->n_rows, sizeof(*b->leaf_of));
	b->groups = xcalloc(t->n, sizeof(struct group *));
	b->open = xcalloc(t->n, sizeof(*b->open));
	b->named = xcalloc(sc->s->n_rows, sizeof(*b->named));
	b->passing = xcalloc(sc->s->n_rows + 1, sizeof(*b->passing));
	b->list = xcalloc(t->n, sizeof(*b->list));
	b->visible = xcalloc(t->n, sizeof(*b->visible));
	b->order = xcalloc(t->n, sizeof(*b->order));
	b->rank = xcalloc(t->n, sizeof(*b->rank));
	b->unordered = true;
	b->detail_row = b->dragged = SIZE_MAX;
	for (size_t i = 0; i < t->n; i++)
		if (t->nodes[i].leaf)
			b->leaf_of[t->nodes[i].row_first] = (int)i;
	term_size(&w, &h);
	layout(v, (struct area){2, 0, w, h - 3});
	open_some(v, v->list.h > 0 ? (size_t)v->list.h : 1);
	if (sc->opts->sort)
		b->sort = field_by_key(str_of(sc->opts->sort));
	b->flat = b->sort != NULL;
	b->reverse = sc->opts->reverse;
	match_names(v);
	relist(v);
	return RC_OK;
}
