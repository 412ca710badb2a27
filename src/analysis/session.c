#include "analysis/session.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/align.h"
#include "analysis/audit.h"
#include "analysis/tree.h"
#include "base/map.h"
#include "base/pool.h"
#include "bytes/spool.h"
#include "format/format.h"
#include "format/h5scan.h"
#include "format/packs.h"
#include "model/pack.h"
#include "num/decode.h"

const struct status_info statuses[ST_COUNT] = {
	[ST_PENDING] = {"pending", ' ', "…", "not compared yet"},
	[ST_IDENTICAL] = {"identical", '=', "=", "same type, shape and bytes"},
	[ST_EQUAL] = {"equal", ':', "≈", "the same values in another encoding, or within tolerance"},
	[ST_CAST] = {"cast", '>', "→", "one side is the other rounded to its type"},
	[ST_QUANTISED] = {"quantised", '#', "#", "one side is within half a step of what the other's blocks hold"},
	[ST_CHANGED] = {"changed", '~', "~", "same shape, other values"},
	[ST_UNDECODED] = {"undecoded", '?', "?", "a type that cannot be decoded, or a tensor that cannot be read"},
	[ST_RESHAPED] = {"reshaped", '!', "!", "other shape"},
	[ST_ADDED] = {"added", '+', "+", "only in B"},
	[ST_REMOVED] = {"removed", '-', "-", "only in A"},
	[ST_SINGLE] = {"", ' ', " ", "nothing to compare with"},
};

const char *const vias[] = {
	[VIA_NONE] = NULL,
	[VIA_NAME] = "name",
	[VIA_PREFIX] = "prefix",
	[VIA_CONTENT] = "content",
	[VIA_SIMILAR] = "similar",
};

int status_by_name(struct str name)
{
	for (int i = ST_IDENTICAL; i < ST_SINGLE; i++)
		if (str_eq(name, str_of(statuses[i].name)))
			return i;
	return -1;
}

bool status_compared(enum status s)
{
	return s == ST_IDENTICAL || s == ST_EQUAL || s == ST_CAST || s == ST_QUANTISED || s == ST_CHANGED;
}

bool status_differs(enum status s)
{
	return s == ST_CAST || s == ST_QUANTISED || s == ST_CHANGED || s == ST_RESHAPED || s == ST_ADDED ||
	       s == ST_REMOVED;
}

static unsigned without_ones(const struct tensor *t, uint64_t out[RANK_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->rank; i++)
		if (t->shape[i] != 1)
			out[n++] = t->shape[i];
	return n;
}

bool same_shape(const struct session *s, const struct tensor *a, const struct tensor *b)
{
	uint64_t da[RANK_MAX], db[RANK_MAX];
	unsigned n;

	if (a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof(*a->shape)) == 0)
		return true;
	if (!s->m[A].squeezed && !s->m[B].squeezed)
		return false;
	n = without_ones(a, da);
	return n == without_ones(b, db) && memcmp(da, db, n * sizeof(*da)) == 0;
}

void pair_name(struct buf *b, const struct row *r, bool ascii)
{
	buf_str(b, r->name);
	if (!row_renamed(r))
		return;
	buf_puts(b, ascii ? " -> " : " → ");
	buf_str(b, r->t[B]->name);
}

enum rc session_read(struct model *m, const struct opts *o, const char *path, const struct unpacking *unpacking,
		     struct err *e)
{
	bool look = o->cmd && o->cmd->findings;

	if ((look ? model_inspect : model_open)(m, path, o->format, unpacking, e) != RC_OK)
		return err_prefix(e, "%s", path);
	model_finish(m, decode_can);
	if (o->raw)
		model_unpack(m);
	else
		packs_recognise(m);
	return RC_OK;
}

enum rc session_open(struct session *s, const struct opts *o, struct err *e)
{
	*s = (struct session){.opts = o};
	for (unsigned i = 0; i < o->n_paths; i++) {
		if (session_read(&s->m[i], o, o->path[i], &o->unpacking, e) != RC_OK) {
			session_close(s);
			return RC_FAIL;
		}
		s->n_models++;
	}
	align(s);
	s->tree = tree_build(s);
	return RC_OK;
}

/* A model's directory, as it was named and, where that is a link, as it is. */
static void allow_model(struct sandbox *box, const char *path)
{
	char *real = realpath(path, NULL), *copy = xstrdup(path);
	struct stat st;
	bool is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

	sandbox_allow(box, is_dir ? path : dirname(copy), SANDBOX_READ);
	if (real && !is_dir)
		sandbox_allow(box, dirname(real), SANDBOX_READ);
	free(copy);
	free(real);
}

static bool is_deflated(const struct source *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->members[i].kind == MEMBER_DEFLATED)
			return true;
	return false;
}

void session_needs(const struct session *s, const struct opts *o, struct sandbox *box)
{
	if (s->n_models < o->n_paths) {
		h5_needs(box);
		sandbox_allow(box, "/", SANDBOX_READ);
		sandbox_allow(box, spool_directory(), SANDBOX_TEMPORARY);
		return;
	}
	for (unsigned i = 0; i < s->n_models; i++) {
		if (strcmp(o->path[i], "-") != 0)
			allow_model(box, o->path[i]);
		/* an array that is to be turned is inflated first (num/feed.c), and a packed pickle beside it */
		if (is_deflated(&s->m[i].source) || (o->cmd && o->cmd->findings && audit_looks_beside(&s->m[i])))
			sandbox_allow(box, spool_directory(), SANDBOX_TEMPORARY);
	}
}

void session_start(struct session *s)
{
	if (s->n_models)
		s->pool = pool_new(s->opts->threads);
}

void result_free(struct result *r)
{
	if (!r)
		return;
	for (int side = A; side <= B; side++)
		bins_free(&r->bins[side]);
	bins_free(&r->bins_d);
	free(r->how);
	free(r->error);
	free(r);
}

static void free_rows(struct session *s)
{
	for (size_t i = 0; i < s->n_rows; i++)
		result_free(s->rows[i].result);
	free(s->rows);
	tree_free(s->tree);
	s->n_rows = 0;
}

void session_add(struct session *s, const struct model *m)
{
	s->m[s->n_models++] = *m;
	free_rows(s);
	align(s);
	s->tree = tree_build(s);
}

void session_swap(struct session *s)
{
	struct model a = s->m[A];

	s->m[A] = s->m[B];
	s->m[B] = a;
	free_rows(s);
	align(s);
	s->tree = tree_build(s);
}

void session_close(struct session *s)
{
	pool_free(s->pool);
	free_rows(s);
	for (unsigned i = 0; i < s->n_models; i++)
		model_close(&s->m[i]);
	*s = (struct session){0};
}

static enum status meta_status(const struct session *s, const struct meta_row *r)
{
	if (s->n_models < 2)
		return ST_SINGLE;
	if (!r->v[A] || !r->v[B])
		return r->v[A] ? ST_REMOVED : ST_ADDED;
	return meta_equal(r->v[A], r->v[B]) ? ST_IDENTICAL : ST_CHANGED;
}

struct meta_row *session_meta(const struct session *s, size_t *n)
{
	const struct model *a = &s->m[A], *b = &s->m[B];
	struct meta_row *rows = xcalloc(a->n_meta + b->n_meta, sizeof(*rows));
	uint32_t *next = xcalloc(a->n_meta, sizeof(*next)); /* a key that stands there again: its next row */
	struct map keys = {0};                              /* the row of a key that B's next one goes to */

	for (size_t i = a->n_meta; i-- > 0;) {
		next[i] = map_get(&keys, a->meta[i].key);
		map_set(&keys, a->meta[i].key, (uint32_t)i);
		rows[i] = (struct meta_row){a->meta[i].key, {&a->meta[i].value, NULL}, ST_REMOVED};
	}
	*n = a->n_meta;
	for (size_t i = 0; i < b->n_meta; i++) {
		uint32_t at = map_get(&keys, b->meta[i].key);

		if (at != MAP_NONE) {
			rows[at].v[B] = &b->meta[i].value;
			map_set(&keys, b->meta[i].key, next[at]);
		} else {
			rows[(*n)++] = (struct meta_row){b->meta[i].key, {NULL, &b->meta[i].value}, ST_ADDED};
		}
	}
	map_free(&keys);
	free(next);
	for (size_t i = 0; i < *n; i++)
		rows[i].status = meta_status(s, &rows[i]);
	return rows;
}
