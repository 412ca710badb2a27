/* --group: tensors rolled up to the first components of their names. */
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "batch/batch.h"

/* Lets the field table read a group as it reads a tensor; all of it lives in the group itself. */
static void pose_as_row(struct group *g, const struct session *s)
{
	g->result = (struct result){.have = WANT_STATS, .diff = g->roll.diff};
	g->row = (struct row){.name = g->name, .result = &g->result};
	g->row.status = s->n_models < 2 ? ST_SINGLE : ST_CHANGED; /* of these, differences are defined */
	for (unsigned side = A; side < s->n_models; side++) {
		g->result.stats[side] = g->roll.stats[side];
		g->t[side] = (struct tensor){
			.name = g->name,
			.type_name = "",
			.count = g->roll.parameters[side],
			.data.length = g->roll.bytes[side],
		};
		if (g->roll.tensors[side])
			g->row.t[side] = &g->t[side];
	}
}

size_t groups_of(const struct session *s, const size_t *rows, size_t n, unsigned depth, struct group **out)
{
	size_t n_groups = 0, start = 0;

	*out = NULL;
	for (size_t i = 0; i < n; i++) {
		struct str name = name_prefix(s->rows[rows[i]].name, depth);
		struct group *g;

		if (i + 1 < n && str_eq(name, name_prefix(s->rows[rows[i + 1]].name, depth)))
			continue;
		if ((n_groups & (n_groups - 1)) == 0) /* full: capacity goes by powers of two */
			*out = xrealloc(*out, n_groups ? 2 * n_groups : 1, sizeof(**out));
		g = &(*out)[n_groups++];
		g->name = name;
		rollup_rows(&g->roll, s, rows + start, i + 1 - start);
		start = i + 1;
	}
	for (size_t i = 0; i < n_groups; i++) /* now that they stay where they are */
		pose_as_row(&(*out)[i], s);
	return n_groups;
}

/* Sorted as rows are: by way of a session whose rows are the groups. Returns the order and how many of it to show. */
static size_t ordered(const struct batch *b, const struct group *groups, size_t n, size_t **order)
{
	struct session poser = {.opts = b->o, .n_models = b->s->n_models, .n_rows = n};

	poser.rows = xcalloc(n, sizeof(*poser.rows));
	*order = xcalloc(n, sizeof(**order));
	for (size_t i = 0; i < n; i++) {
		poser.rows[i] = groups[i].row;
		(*order)[i] = i;
	}
	batch_sort(b, &poser, *order, n);
	free(poser.rows);
	return b->o->top && b->o->top < n ? (size_t)b->o->top : n;
}

enum { COLUMNS_MAX = 40 };

/* The table's columns: fixed ones, the statuses, then fields. keys ended by NULL. */
struct layout {
	struct column columns[COLUMNS_MAX];
	const struct field *field[COLUMNS_MAX];
	int status[COLUMNS_MAX]; /* ST_PENDING: none */
	size_t n;
};

static struct column *add(struct layout *l, const char *key, const char *title)
{
	struct column *c = &l->columns[l->n++];

	*c = (struct column){.key = key, .title = title};
	return c;
}

static void lay_out(struct layout *l, bool compares, const char *const *keys)
{
	struct column *c = add(l, "group", "group");

	c->left = c->shrink = true;
	add(l, "tensors", "tensors");
	if (compares)
		for (int i = ST_IDENTICAL; i <= ST_REMOVED; i++) {
			l->status[l->n] = i;
			c = add(l, statuses[i].name, statuses[i].name);
			c->quiet = true;
			c->expendable = i == ST_IDENTICAL ? 12 : i == ST_EQUAL ? 11 : 10;
		}
	for (unsigned k = 0; keys[k]; k++) {
		const struct field *f = field_by_key(str_of(keys[k]));

		l->field[l->n] = f;
		c = add(l, f->key, f->title);
		c->expendable = k;
		c->quiet = f->kind == CELL_COUNT;
	}
}

void group_json(const struct batch *b, const struct group *g)
{
	json_t *o = json_object();
	bool compares = b->s->n_models == 2;

	js_put_text(o, "group", g->name);
	for (unsigned side = A; side <= (compares ? B : A); side++) {
		static const char *const keys[2][3] = {{"a_tensors", "a_parameters", "a_bytes"},
						       {"b_tensors", "b_parameters", "b_bytes"}};
		size_t skip = compares ? 0 : 2; /* "tensors" and so on, with one model */

		js_put(o, keys[side][0] + skip, js_u64(g->roll.tensors[side]));
		js_put(o, keys[side][1] + skip, js_u64(g->roll.parameters[side]));
		js_put(o, keys[side][2] + skip, js_u64(g->roll.bytes[side]));
	}
	for (int i = ST_IDENTICAL; compares && i <= ST_REMOVED; i++)
		js_put(o, statuses[i].name, js_u64(g->roll.by_status[i]));
	if (compares)
		js_put(o, "diff", b->want ? js_diff(&g->row) : json_null());
	else if (b->want)
		js_put(o, "stats", js_stats(&g->row, A));
	js_item(&b->st, o);
}

static enum hue group_hue(const struct group *g, bool compares)
{
	const size_t *n = g->roll.by_status;
	enum hue hue = HUE_NONE;

	for (int i = ST_IDENTICAL; compares && i <= ST_REMOVED; i++)
		if (n[i])
			hue = status_hue((enum status)i);
	return compares && n[ST_CHANGED] ? HUE_CHANGED : hue;
}

static void group_row(struct table *t, const struct layout *l, const struct group *g, bool compares)
{
	struct cell cells[COLUMNS_MAX];

	for (size_t i = 0; i < l->n; i++) {
		if (l->field[i])
			cells[i] = field_get(l->field[i], &g->row, A);
		else if (l->status[i])
			cells[i] = cell_count(g->roll.by_status[l->status[i]]);
		else
			cells[i] = i == 0 ? cell_text(g->name)
					  : cell_count(u64_max(g->roll.tensors[A], g->roll.tensors[B]));
	}
	table_row(t, cells, group_hue(g, compares));
}

void print_groups(struct batch *b, const size_t *rows, size_t n)
{
	static const char *const of_list[] = {"parameters", "bytes", NULL};
	static const char *const of_stats[] = {"std", "mean", "min", "max", "absmax", "nan", "inf", "parameters", NULL};
	static const char *const of_diff[] = {"rel_l2", "changed_fraction", "max_abs_diff", "cosine", "parameters",
					      NULL};
	bool compares = b->s->n_models == 2;
	struct layout l = {.n = 0};
	struct group *groups;
	size_t *order, n_groups = groups_of(b->s, rows, n, b->o->group, &groups);
	struct table *t;

	lay_out(&l, compares, compares ? of_diff : b->want ? of_stats : of_list);
	n = ordered(b, groups, n_groups, &order);
	t = table_new(&b->st, l.columns, l.n);
	js_open_array(&b->st, "groups");
	for (size_t i = 0; i < n; i++) {
		if (b->st.output == OUT_JSON || b->st.output == OUT_JSONL)
			group_json(b, &groups[order[i]]);
		else
			group_row(t, &l, &groups[order[i]], compares);
	}
	js_close_array(&b->st);
	table_end(t);
	free(order);
	free(groups);
}
