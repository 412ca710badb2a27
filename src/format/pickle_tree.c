#include "format/pickle_tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "format/digest.h"
#include "format/ndarray.h"
#include "format/pickle_calls.h"

enum {
	INSTEADS = 16,              /* of one node, one after the other */
	METAS_MAX = 4096,
	SHOWN = 32,                 /* items of an array in the metadata */
	TABLE = 64,                 /* a dict of more than that and nothing but values is shown as one */
	TEXT_MAX = 16 * 1024        /* of a text in the metadata */
};

enum frame_kind {
	FR_SEQ,     /* items by their number */
	FR_DICT,    /* values by their keys */
	FR_STATE,   /* likewise, but they are the attributes of an object */
	FR_NAMED,   /* arguments of a constructor, by their names */
	FR_OBJECTS, /* items of an array, by their index in each dimension */
	FR_LEAVE    /* all of a container was walked */
};

struct tree_frame {
	enum frame_kind kind;
	bool module;  /* FR_STATE: of a torch.nn.Module, or of a class of TorchScript */
	unsigned depth;
	struct pk *x; /* what is walked; the object, for FR_LEAVE */
	uint32_t at;
	size_t path;  /* bytes of the name so far */
	const uint64_t *shape; /* FR_OBJECTS */
	const char *const *names; /* FR_NAMED: as many as there are arguments */
	unsigned rank;
};

static void push(struct tree *t, struct tree_frame f)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 32;
		t->frames = xrealloc(t->frames, t->cap, sizeof(*t->frames));
	}
	t->frames[t->n++] = f;
}

/* ---- metadata ---- */

static bool is_scalar(struct tree *t, const struct pk *x)
{
	struct pk value;

	switch ((enum pk_kind)x->kind) {
	case PK_NONE: case PK_BOOL: case PK_INT: case PK_BIG: case PK_REAL: case PK_TEXT: case PK_BYTES: case PK_GLOBAL:
		return true;
	case PK_OBJECT:
		return ndarray_scalar(t->p, x, &value);
	default:
		return false;
	}
}

static bool all_scalars(struct tree *t, const struct pk *x)
{
	for (uint32_t i = 0; i < x->u.seq.n; i++, t->p->work++)
		if (!is_scalar(t, x->u.seq.items[i]))
			return false;
	return true;
}

#define OFTEN "it refers to the same things too often"

static void stop(struct tree *t, const char *why)
{
	if (!t->stopped)
		t->stopped = why;
}

/* Names and texts are copied, and may be the same bytes of the pickle again and again. */
static void count_names(struct tree *t, size_t n)
{
	t->names += n;
	if (t->names > limits_names(t->p->end))
		stop(t, "its names and texts come to too many bytes (--limit names=N allows more)");
}

static void set_text(struct tree *t, struct meta_value *v, struct str s, const char *type)
{
	v->type = type;
	count_names(t, u64_min(s.n, TEXT_MAX));
	if (t->stopped)
		s = STR("...");
	else if (s.n > TEXT_MAX)
		s = str_of(arena_printf(&t->p->m->arena, "%.*s... (%zu bytes)", TEXT_MAX, s.p, s.n));
	meta_set_text(t->p->m, v, s);
}

static void set_bytes(struct tree *t, struct meta_value *v, const struct pk *x)
{
	struct str s = x->u.text;

	if (s.n <= TEXT_MAX && utf8_valid(s) && !memchr(s.p, '\0', s.n))
		set_text(t, v, s, "bytes");
	else
		set_text(t, v, str_of(arena_printf(&t->p->m->arena, "%zu bytes", s.n)), "bytes");
}

static void set_scalar(struct tree *t, struct meta_value *v, struct pk *x)
{
	struct pk value;
	struct str s;

	if (x->kind == PK_OBJECT && ndarray_scalar(t->p, x, &value))
		x = &value;
	switch ((enum pk_kind)x->kind) {
	case PK_BOOL: *v = (struct meta_value){.kind = META_BOOL, .type = "bool", .u.boolean = x->u.boolean}; break;
	case PK_INT: *v = (struct meta_value){.kind = META_INT, .type = "int", .u.sint = x->u.integer}; break;
	case PK_REAL: *v = (struct meta_value){.kind = META_REAL, .type = "float", .u.real = x->u.real}; break;
	case PK_TEXT:
	case PK_BYTES:
		if (pk_text(t->p, x, &s))
			set_text(t, v, s, "str");
		else
			set_bytes(t, v, x);
		break;
	case PK_GLOBAL:
		s = str_of(arena_printf(&t->p->m->arena, "%.*s.%.*s", (int)u64_min(x->u.global.module.n, TEXT_MAX / 2),
					x->u.global.module.p, (int)u64_min(x->u.global.name.n, TEXT_MAX / 2),
					x->u.global.name.p));
		set_text(t, v, s, "class");
		break;
	case PK_BIG: set_text(t, v, STR("(a large integer)"), "int"); break;
	default: set_text(t, v, STR("None"), "None");
	}
}

/* A str of Python 2 counts as the text that it is in Python 3. */
static void digest_node(struct tree *t, struct digest *d, struct pk *x)
{
	uint64_t bits = 0;
	struct str s;

	if (pk_text(t->p, x, &s)) {
		digest_u64(d, PK_TEXT);
		digest_add(d, s);
		t->p->work += s.n / 16; /* it may stand there a million times */
		return;
	}
	digest_u64(d, x->kind);
	switch ((enum pk_kind)x->kind) {
	case PK_BYTES: case PK_BIG:
		digest_add(d, x->u.text);
		t->p->work += x->u.text.n / 16;
		break;
	case PK_BOOL: digest_u64(d, x->u.boolean); break;
	case PK_INT: digest_u64(d, (uint64_t)x->u.integer); break;
	case PK_REAL:
		memcpy(&bits, &x->u.real, sizeof(bits));
		digest_u64(d, bits);
		break;
	case PK_GLOBAL:
		digest_add(d, x->u.global.module);
		digest_add(d, x->u.global.name);
		break;
	default: break;
	}
}

/* A list of values, or a dict of them: then its items are "key: value". */
static void set_array(struct tree *t, struct meta_value *v, const struct pk *x)
{
	uint32_t step = x->kind == PK_DICT ? 2 : 1, n = x->u.seq.n / step, shown = n < SHOWN ? n : SHOWN;
	struct digest d = {0};
	struct pk value;
	struct str key;

	*v = (struct meta_value){.kind = META_ARRAY, .type = x->kind == PK_DICT ? "dict" : "list"};
	v->u.array.count = n;
	v->u.array.shown = shown;
	v->u.array.items = arena_new(&t->p->m->arena, struct meta_value, shown);
	for (uint32_t i = 0; i < shown; i++) {
		struct buf b = {0};

		if (step == 1) {
			set_scalar(t, &v->u.array.items[i], x->u.seq.items[i]);
			continue;
		}
		if (pk_text(t->p, x->u.seq.items[2 * i], &key))
			buf_add(&b, key.p, u64_min(key.n, 80));
		else
			pk_show(&b, x->u.seq.items[2 * i], 80);
		buf_puts(&b, ": ");
		pk_show(&b, x->u.seq.items[2 * i + 1], 80);
		set_text(t, &v->u.array.items[i], buf_view(&b), "str");
		buf_free(&b);
	}
	for (uint32_t i = 0; i < x->u.seq.n && !pk_tired(t->p); i++) {
		struct pk *item = x->u.seq.items[i];

		digest_node(t, &d, ndarray_scalar(t->p, item, &value) ? &value : item);
	}
	if (pk_tired(t->p))
		stop(t, OFTEN);
	digest_end(&d, v->u.array.digest);
}

void tree_meta(struct tree *t, struct str key, struct pk *x)
{
	struct meta_value *v, made = {0};

	if (t->no_meta || x->kind == PK_NONE)
		return;
	if (t->metas >= METAS_MAX) {
		t->metas_left++;
		return;
	}
	t->metas++;
	if (x->kind == PK_LIST || x->kind == PK_TUPLE || x->kind == PK_SET || x->kind == PK_DICT)
		set_array(t, &made, x);
	else
		set_scalar(t, &made, x);
	v = model_add_meta(t->p->m, key.n ? key : STR("value"));
	*v = made;
	count_names(t, key.n);
}

/* ---- names ---- */

static struct str path_of(const struct tree *t)
{
	return buf_view(&t->path);
}

static void put_key(struct tree *t, struct pk *key)
{
	struct str s;
	int64_t n;

	if (t->path.n)
		buf_putc(&t->path, '.');
	if (pk_text(t->p, key, &s))
		buf_add(&t->path, s.p, u64_min(s.n, limits.name));
	else if (pk_is(key, PK_INT) && pk_int(key, &n))
		buf_printf(&t->path, "%" PRId64, n);
	else
		pk_show(&t->path, key, 80);
}

static void put_index(struct tree *t, uint64_t i)
{
	buf_printf(&t->path, "%s%" PRIu64, t->path.n ? "." : "", i);
}

/* Of item `at` of an array of objects: its index in each dimension. */
static void put_indices(struct tree *t, const struct tree_frame *f, uint64_t at)
{
	uint64_t index[RANK_MAX];

	for (unsigned i = f->rank; i-- > 0;) {
		index[i] = f->shape[i] ? at % f->shape[i] : 0;
		at = f->shape[i] ? at / f->shape[i] : 0;
	}
	for (unsigned i = 0; i < f->rank; i++)
		put_index(t, index[i]);
}

/* ---- walking ---- */

static bool is_module_part(const struct pk *key)
{
	static const char *const parts[] = {"_parameters", "_buffers", "_modules"};

	for (size_t i = 0; i < COUNT(parts); i++)
		if ((pk_is(key, PK_TEXT) || pk_is(key, PK_BYTES)) && str_eq(key->u.text, str_of(parts[i])))
			return true;
	return false;
}

static bool in_module(const struct pk *class, const char *module)
{
	size_t n = strlen(module);

	return class && class->u.global.module.n >= n && memcmp(class->u.global.module.p, module, n) == 0 &&
	       (class->u.global.module.n == n || class->u.global.module.p[n] == '.');
}

/* Generators of random numbers carry hundreds of integers that weigh nothing. */
static bool is_generator(const struct pk *class)
{
	return in_module(class, "numpy.random") || in_module(class, "random");
}

/* OrderedDict([[key, value], ...]), as Python 2 pickles it. */
static bool is_pair_list(const struct pk *x)
{
	const struct pk *pairs = pk_item(x->u.object->args, 0);

	if (!pk_global_is(x->u.object->callee, "collections", "OrderedDict") || !pk_is(pairs, PK_LIST))
		return false;
	for (size_t i = 0; i < pk_count(pairs); i++)
		if (pk_count(pk_item(pairs, i)) != 2)
			return false;
	return true;
}

static struct pk *dict_of_pairs(struct tree *t, const struct pk *pairs)
{
	size_t n = pk_count(pairs);
	struct pk *dict = arena_new(&t->p->arena, struct pk, 1);

	dict->kind = PK_DICT;
	dict->at = pairs->at;
	dict->u.seq.items = arena_new(&t->p->arena, struct pk *, 2 * n);
	dict->u.seq.n = dict->u.seq.cap = (uint32_t)(2 * n);
	t->p->work += 8 * n;
	for (size_t i = 0; i < 2 * n; i++)
		dict->u.seq.items[i] = pk_item(pk_item(pairs, i / 2), i % 2);
	return dict;
}

static void push_container(struct tree *t, struct pk *x, enum frame_kind kind, unsigned depth, bool module)
{
	if (!x || x->open || !pk_count(x))
		return;
	x->open = true;
	push(t, (struct tree_frame){.kind = FR_LEAVE, .x = x, .path = t->path.n});
	push(t, (struct tree_frame){.kind = kind, .x = x, .path = t->path.n, .depth = depth, .module = module});
}

/* The state of an object: a dict of attributes, or (with __slots__) a pair of such; all else is walked by number. */
static void push_state(struct tree *t, struct pk *x, struct pk *state, unsigned depth)
{
	const struct pk *class = pk_class(x);
	bool script = in_module(class, "__torch__");

	if (pk_is(state, PK_DICT)) {
		push_container(t, state, FR_STATE, depth, script || pk_get(t->p, state, "_parameters"));
	} else if (pk_is(state, PK_TUPLE) && pk_count(state) == 2 && pk_is(pk_item(state, 1), PK_DICT)) {
		push_container(t, pk_item(state, 1), FR_STATE, depth, false);
		if (pk_is(pk_item(state, 0), PK_DICT))
			push_container(t, pk_item(state, 0), FR_STATE, depth, false);
	} else if (pk_is(state, PK_TUPLE) || pk_is(state, PK_LIST)) {
		push_container(t, state, FR_SEQ, depth, false);
	}
}

/* The arguments of constructors that tell of arrays. */
static const struct {
	const char *module, *name;
	unsigned n;
	const char *args[4];
} constructors[] = {
	{"sklearn.tree._tree", "Tree", 3, {"n_features", "n_classes", "n_outputs"}},
};

static void push_args(struct tree *t, struct pk *x, unsigned depth)
{
	struct pk_object *o = x->u.object;

	push_container(t, o->args, FR_SEQ, depth, false);
	for (size_t i = 0; i < COUNT(constructors); i++)
		if (pk_global_is(o->callee, constructors[i].module, constructors[i].name) &&
		    pk_count(o->args) == constructors[i].n && t->n && t->frames[t->n - 1].x == o->args) {
			t->frames[t->n - 1].kind = FR_NAMED;
			t->frames[t->n - 1].names = constructors[i].args;
		}
}

static void enter_object(struct tree *t, struct pk *x, unsigned depth)
{
	struct pk_object *o = x->u.object;
	const struct pk *class = pk_class(x);
	bool ordered = pk_global_is(class, "collections", "OrderedDict");

	if (x->open || is_generator(class))
		return;
	x->open = true;
	if (class && pk_is(o->state, PK_DICT) && !ordered) {
		size_t before = t->path.n;

		buf_puts(&t->path, before ? ".class" : "class");
		tree_meta(t, path_of(t), (struct pk *)(uintptr_t)class);
		t->path.n = before;
	}
	push(t, (struct tree_frame){.kind = FR_LEAVE, .x = x, .path = t->path.n});
	if (o->state && !ordered) /* that of an OrderedDict holds only the versions of modules */
		push_state(t, x, o->state, depth);
	push_container(t, o->list, FR_SEQ, depth, false);
	push_container(t, o->dict, FR_DICT, depth, false);
	if (is_pair_list(x))
		push_container(t, dict_of_pairs(t, pk_item(o->args, 0)), FR_DICT, depth, false);
	else if (!pk_rebuilt(x))
		push_args(t, x, depth);
}

static enum rc add_array(struct tree *t, struct ndarray *a, struct pk *x, unsigned depth, enum nd kind, struct err *e)
{
	struct model *m = t->p->m;
	uint64_t *shape;

	if (kind == ND_ARRAY)
		return ndarray_add(a, t->p, t->path.n ? path_of(t) : str_of(t->only), &t->spool, e);
	if (kind == ND_BROKEN) {
		struct tensor *bad = model_add_tensor(m);

		bad->name = t->path.n ? arena_str(&m->arena, path_of(t)) : str_of(t->only);
		bad->type_name = dtypes[DT_OPAQUE].name;
		tensor_broken(m, bad, "%s", e->msg);
		return RC_OK;
	}
	if (x->open || !pk_count(a->items))
		return RC_OK;
	x->open = true;
	shape = arena_new(&t->p->arena, uint64_t, a->h.rank);
	memcpy(shape, a->h.shape, a->h.rank * sizeof(*shape));
	push(t, (struct tree_frame){.kind = FR_LEAVE, .x = x, .path = t->path.n});
	push(t, (struct tree_frame){.kind = FR_OBJECTS, .x = (struct pk *)(uintptr_t)a->items, .path = t->path.n,
				    .depth = depth, .shape = shape, .rank = a->h.rank});
	return RC_OK;
}

static void enter_values(struct tree *t, struct pk *x, unsigned depth)
{
	bool dict = x->kind == PK_DICT;

	if (!pk_count(x))
		return;
	if ((!dict || pk_count(x) > TABLE) && all_scalars(t, x))
		tree_meta(t, path_of(t), x);
	else
		push_container(t, x, dict ? FR_DICT : FR_SEQ, depth, false);
}

/* Made by a call, and nothing was put into it afterwards. */
static bool is_bare(const struct pk *x)
{
	const struct pk_object *o = x->u.object;

	return !o->state && !o->list && !o->dict && !pk_rebuilt(x) && !is_pair_list(x);
}

/* What a known function makes of one argument is shown as that: a set of a list, a torch.Size of a tuple. */
static struct pk *sole_argument(const struct pk *x)
{
	const struct pk *callee = x->u.object->callee;

	if (!is_bare(x) || pk_count(x->u.object->args) != 1 || !pk_is(callee, PK_GLOBAL) ||
	    call_risk_of(callee->u.global.module, callee->u.global.name) != CALL_HARMLESS)
		return NULL;
	return pk_item(x->u.object->args, 0);
}

/* A call with nothing but values in it, as Python writes it. */
static void call_meta(struct tree *t, const struct pk *x)
{
	struct pk text = {.kind = PK_TEXT};
	struct buf b = {0};

	pk_show(&b, x, 200);
	text.u.text = buf_view(&b);
	tree_meta(t, path_of(t), &text);
	buf_free(&b);
}

/* A node that the path leads to. */
static enum rc enter(struct tree *t, struct pk *x, unsigned depth, struct err *e)
{
	size_t tensors = t->p->m->n_tensors;
	enum leaf leaf = LEAF_NOT;
	struct ndarray a;
	enum nd kind;
	enum rc rc = RC_OK;

	for (int i = 0; i < INSTEADS; i++) {
		struct pk *sole;

		if (t->leaf)
			leaf = t->leaf(t, &x, t->path.n ? path_of(t) : str_of(t->only), e);
		if (leaf == LEAF_NOT && x->kind == PK_OBJECT && !is_scalar(t, x) && (sole = sole_argument(x)))
			x = sole;
		else if (leaf != LEAF_INSTEAD)
			break;
	}
	if (leaf == LEAF_INSTEAD)
		leaf = LEAF_NOT;
	if (leaf == LEAF_FAIL)
		return RC_FAIL;
	if (leaf == LEAF_NOT) {
		if (x->kind == PK_OBJECT && (kind = ndarray_of(t->p, x, &a, e)) != ND_NONE) {
			rc = add_array(t, &a, x, depth, kind, e);
			ndarray_free(&a);
		} else if (is_scalar(t, x)) {
			tree_meta(t, path_of(t), x);
		} else if (depth > limits.nesting) {
			stop(t, "it is nested too deeply (--limit nesting=N allows more)");
		} else if (x->kind == PK_OBJECT && is_bare(x) && pk_count(x->u.object->args) &&
			   all_scalars(t, x->u.object->args)) {
			call_meta(t, x);
		} else if (x->kind == PK_OBJECT) {
			enter_object(t, x, depth + 1);
		} else if (x->kind != PK_PERSISTENT) {
			enter_values(t, x, depth + 1);
		}
	}
	for (size_t i = tensors; i < t->p->m->n_tensors; i++)
		count_names(t, t->p->m->tensors[i].name.n);
	if (t->p->m->n_tensors >= limits.tensors)
		stop(t, "it has too many tensors (--limit tensors=N allows more)");
	return rc;
}

/* Puts the next child's key behind the path; NULL: there is none left, or it is not to be walked. */
static struct pk *next_child(struct tree *t, struct tree_frame *f)
{
	const struct pk_seq *s = &f->x->u.seq;
	struct pk *key;

	if (f->kind == FR_SEQ || f->kind == FR_NAMED || f->kind == FR_OBJECTS) {
		if (f->kind == FR_SEQ)
			put_index(t, f->at);
		else if (f->kind == FR_NAMED)
			buf_printf(&t->path, "%s%s", t->path.n ? "." : "", f->names[f->at]);
		else
			put_indices(t, f, f->at);
		return s->items[f->at++];
	}
	key = s->items[f->at];
	f->at += 2;
	if (f->kind == FR_STATE && f->module && is_module_part(key))
		return s->items[f->at - 1];
	if (f->kind == FR_STATE && f->module && pk_text_is(t->p, key, "training"))
		return NULL;
	put_key(t, key);
	return s->items[f->at - 1];
}

/* A tensor counts for many nodes: its values will be read. It takes some 60 bytes of a pickle, unless it stands there
 * once and is meant often. */
static enum rc walk_on(struct tree *t, struct err *e)
{
	enum { TENSOR = 256 };
	struct tree_frame *f = &t->frames[t->n - 1];
	size_t before = t->p->m->n_tensors;
	struct pk *child;
	enum rc rc;

	t->path.n = f->path;
	t->p->work++;
	if (f->kind == FR_LEAVE) {
		f->x->open = false;
		t->n--;
		return RC_OK;
	}
	if (f->at >= f->x->u.seq.n) {
		t->n--;
		return RC_OK;
	}
	child = next_child(t, f);
	if (!child)
		return RC_OK;
	if (t->path.n > limits.name) {
		stop(t, "a name is too long (--limit name=N allows more)");
		return RC_OK;
	}
	rc = enter(t, child, f->depth, e);
	t->p->work += TENSOR * (t->p->m->n_tensors - before);
	return rc;
}

enum rc tree_walk(struct tree *t, struct str prefix, struct err *e)
{
	enum rc rc;

	buf_clear(&t->path);
	buf_str(&t->path, prefix);
	rc = enter(t, t->p->root, 0, e);
	while (rc == RC_OK && t->n) {
		if (pk_tired(t->p))
			stop(t, OFTEN);
		if (t->stopped && t->frames[t->n - 1].kind != FR_LEAVE) {
			t->n--;
			continue;
		}
		rc = walk_on(t, e);
	}
	t->n = 0;
	if (t->stopped)
		model_problem(t->p->m, STR(""), "not all of the pickle is shown: %s (after %zu tensors)", t->stopped,
			      t->p->m->n_tensors);
	return rc;
}

enum rc tree_end(struct tree *t, struct err *e)
{
	enum rc rc = RC_OK;

	if (t->metas_left) {
		struct meta_value *v = model_add_meta(t->p->m, STR("(values not kept)"));

		*v = (struct meta_value){.kind = META_UINT, .type = "count", .u.uint = t->metas_left};
	}
	if (t->spool)
		rc = spool_end(t->spool, e);
	free(t->frames);
	buf_free(&t->path);
	return rc;
}
