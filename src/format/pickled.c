/*
 * Pickles as they come: what scikit-learn, joblib and plain pickle.dump write.
 *
 * joblib (0.10 and later) puts a NumpyArrayWrapper into the pickle and, after the BUILD that completes it, the bytes of
 * the array: for objects a pickle of its own, else (with numpy_array_alignment_bytes in the wrapper) one byte that says
 * how many bytes of padding follow, and then the elements. Older ones name files beside it. The whole may be packed:
 * as a zlib stream, as one behind "ZF" and its length in 19 hexadecimal digits (until 0.9), or by gzip, xz ... (which
 * bytes/archive.c undoes). Sources: joblib/joblib, joblib/numpy_pickle.py, numpy_pickle_compat.py and
 * numpy_pickle_utils.py.
 */
#include "format/pickled.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/format.h"
#include "format/ndarray.h"
#include "format/shards.h"
#include "format/torch_tensor.h"

enum {
	NESTED_MAX = 4,  /* pickles in pickles */
	SIDE_FILES = 10000,
	PICKLES_MAX = 100000, /* one after the other */
	LOOKED_AT = 24,  /* opcodes that a probe looks at: joblib's first array comes later */
	ZF_HEAD = 21     /* "ZF" and the length */
};

/* ---- arrays that follow in the stream ---- */

struct inner { /* a pickle inside the stream: its graph lives as long as the outer one's */
	struct inner *next;
	struct pickle p;
};

struct reading {
	struct pickled *what;
	struct inner *inner;
};

static enum rc read_inner(struct pickle *p, struct pk *x, struct cur *c, struct err *e)
{
	struct reading *r = p->arg;
	struct inner *in;

	if (p->depth >= NESTED_MAX)
		return err_set(e, "pickles stand in pickles more than %d deep (byte %" PRIu64 ")", NESTED_MAX,
			       cur_at(c));
	in = xcalloc(1, sizeof(*in));
	in->p = (struct pickle){.m = p->m, .member = p->member, .built = p->built, .arg = r, .depth = p->depth + 1};
	in->next = r->inner;
	r->inner = in;
	if (pickle_read(&in->p, cur_at(c), e) != RC_OK)
		return RC_FAIL;
	cur_take(c, in->p.end - cur_at(c));
	x->u.object->nested = in->p.root;
	return RC_OK;
}

static enum rc array_follows(struct pickle *p, struct pk *x, struct cur *c, struct err *e)
{
	struct reading *r = p->arg;
	struct npy_header h = {0};
	uint64_t bytes, at;
	bool aligned, fits;

	if (!ndarray_wrapper(p, x, &h, &aligned, e)) {
		npy_header_free(&h);
		return RC_OK;
	}
	r->what->joblib = true;
	bytes = h.itemsize;
	fits = true;
	for (unsigned i = 0; i < h.rank; i++)
		fits = fits && u64_mul(bytes, h.shape[i], &bytes);
	npy_header_free(&h);
	if (e->msg[0])
		return err_prefix(e, "an array of joblib's at byte %" PRIu64, x->at);
	if (h.objects)
		return read_inner(p, x, c, e);
	if (aligned)
		cur_take(c, cur_u8(c));
	at = cur_at(c);
	if (!fits || c->bad || bytes > cur_left(c))
		return err_set(e, "an array of joblib's at byte %" PRIu64 " takes more bytes than follow it", x->at);
	x->u.object->array = (struct span){p->member, at, bytes};
	cur_take(c, bytes);
	return RC_OK;
}

/* ---- arrays in files beside it ---- */

static enum rc open_side(struct model *m, const struct pickled *what, struct str name, uint32_t *member, struct err *e)
{
	*member = member_by_base(&m->source, name);
	if (*member != MEMBER_NONE)
		return RC_OK;
	if (m->files > SIDE_FILES)
		return err_set(e, "more than %d files are named", SIDE_FILES);
	if (source_open_beside(&m->source, what->beside, name, member, e) != RC_OK)
		return RC_FAIL;
	m->files++;
	m->bytes += m->source.members[*member].size;
	return RC_OK;
}

/* An array of objects is listed as what it is, and what is in its pickle after it. */
static enum rc walk_objects(struct model *m, const struct pickled *outer, uint32_t member, uint64_t at, struct str name,
			    struct err *e)
{
	struct pickled inner = {.member = member, .beside = outer->beside, .at = at, .prefix = name, .only = "array",
				.depth = outer->depth + 1};

	if (outer->depth >= NESTED_MAX)
		return err_set(e, "pickles stand in pickles more than %d deep", NESTED_MAX);
	return pickled_read(m, &inner, e);
}

static enum rc add_side(struct model *m, const struct pickled *what, struct str file, struct str name, struct err *e)
{
	struct npy_array a = {.m = m, .name = name};
	struct bytes all;
	uint32_t member;
	uint64_t end;
	enum rc rc;

	if (open_side(m, what, file, &member, e) != RC_OK)
		return RC_FAIL;
	all = m->source.members[member].data;
	rc = npy_header_read(&a.h, &m->arena, all, e);
	if (rc == RC_OK) {
		a.member = member;
		a.at = a.h.data;
		a.size = all.n - a.at;
		rc = a.h.objects ? walk_objects(m, what, member, a.at, name, e) : npy_array_add(&a, &end, e);
		npy_header_free(&a.h);
	}
	return rc;
}

/* ZNDArrayWrapper: the side file is a ZF of the bytes alone, and the state of the array stands in the wrapper. */
static enum rc add_packed_side(struct tree *t, const struct pickled *what, struct pk *state, struct str file,
			       struct str name, struct err *e)
{
	struct model *m = t->p->m;
	struct pk *items[5], *args = pk_get(t->p, state, "state");
	/* cppcheck-suppress unreadVariable ; read by way of `all`, as the two names below are by way of `o` */
	struct pk data = {.kind = PK_BYTES}, all = {.kind = PK_TUPLE}, array = {.kind = PK_OBJECT};
	struct pk callee = {.kind = PK_GLOBAL}, none = {.kind = PK_TUPLE};
	struct pk_object o = {.callee = &callee, .args = &none, .state = &all};
	struct ndarray a;
	uint32_t member, inflated;
	uint64_t packed;
	enum nd kind;
	enum rc rc;

	if (open_side(m, what, file, &member, e) != RC_OK)
		return RC_FAIL;
	if (m->source.members[member].size < ZF_HEAD || pk_count(args) < 3 || pk_count(args) > 4)
		return err_set(e, "the side file of a packed array, or its state, is not sound");
	if (source_inflate(&m->source, member, ZF_HEAD, &inflated, &packed, e) != RC_OK)
		return RC_FAIL;
	for (size_t i = 0; i < pk_count(args); i++)
		items[i] = pk_item(args, i);
	items[pk_count(args)] = &data;
	all.u.seq = (struct pk_seq){items, (uint32_t)pk_count(args) + 1, 5};
	/* cppcheck-suppress unreadVariable */
	callee.u.global.module = STR("numpy.core.multiarray");
	/* cppcheck-suppress unreadVariable */
	callee.u.global.name = STR("_reconstruct");
	array.u.object = &o;
	kind = ndarray_of(t->p, &array, &a, e);
	a.in_span = true;
	a.span = (struct span){inflated, 0, m->source.members[inflated].size};
	rc = kind == ND_ARRAY ? ndarray_add(&a, t->p, name, &t->spool, e) : RC_FAIL;
	if (kind == ND_OBJECTS)
		rc = err_set(e, "a packed array of objects is not read");
	ndarray_free(&a);
	return rc;
}

static bool is_side_wrapper(const struct pk *class, const char *name)
{
	static const char *const modules[] = {
		"joblib.numpy_pickle", "joblib.numpy_pickle_compat", "sklearn.externals.joblib.numpy_pickle",
		"sklearn.externals.joblib.numpy_pickle_compat",
	};

	for (size_t i = 0; i < COUNT(modules); i++)
		if (pk_global_is(class, modules[i], name))
			return true;
	return false;
}

static enum leaf leaf(struct tree *t, struct pk **node, struct str name, struct err *e)
{
	const struct torch *tc = t->arg;
	const struct reading *r = tc->arg;
	const struct pk *class = pk_class(*node);
	bool packed = is_side_wrapper(class, "ZNDArrayWrapper");
	struct model *m = t->p->m;
	size_t before = m->n_tensors;
	struct str file = STR("");
	struct tensor *bad;
	struct err why;
	enum rc rc;

	if (r->what->pairs && pk_is(*node, PK_TUPLE) && pk_count(*node) == 2 && pk_is(pk_item(*node, 0), PK_TEXT) &&
	    pk_is(pk_item(*node, 1), PK_OBJECT)) {
		*node = pk_item(*node, 1);
		return LEAF_INSTEAD;
	}
	if (!packed && !is_side_wrapper(class, "NDArrayWrapper"))
		return torch_leaf(t, node, name, e);
	r->what->joblib = true;
	name = arena_str(&m->arena, name);
	if (!pk_text(t->p, pk_get(t->p, (*node)->u.object->state, "filename"), &file))
		rc = err_set(&why, "the file of its array is not named");
	else if (packed)
		rc = add_packed_side(t, r->what, (*node)->u.object->state, file, name, &why);
	else
		rc = add_side(m, r->what, file, name, &why);
	if (rc == RC_OK)
		return LEAF_TAKEN;
	m->n_tensors = before;
	bad = model_add_tensor(m);
	bad->name = name;
	bad->type_name = dtypes[DT_OPAQUE].name;
	tensor_broken(m, bad, "its array in %.*s: %s", (int)u64_min(file.n, 200), file.p, why.msg);
	return LEAF_TAKEN;
}

static void no_storage(struct torch *tc, struct storage *s)
{
	(void)tc;
	s->trouble = "its storage is not in the pickle";
}

/* Who loads it without joblib takes the bytes of an array as opcodes, as far as they go. */
static void read_without(struct model *m, const struct pickled *what)
{
	struct pickle p = {.m = m, .member = what->member, .stray = true};
	struct err e;

	pickle_read(&p, what->at, &e);
	pickle_free(&p);
}

enum rc pickled_read(struct model *m, struct pickled *what, struct err *e)
{
	struct reading r = {.what = what};
	struct pickle p = {.m = m, .member = what->member, .built = array_follows, .arg = &r};
	struct torch tc = {.m = m, .p = &p, .find = no_storage, .arg = &r};
	struct tree t = {.p = &p, .leaf = leaf, .arg = &tc, .only = what->only};
	enum rc rc = pickle_read(&p, what->at, e);
	struct err why;

	what->end = p.end;
	what->protocol = p.protocol;
	if (what->joblib)
		read_without(m, what);
	if (rc == RC_OK) {
		rc = tree_walk(&t, what->prefix, e);
		if (tree_end(&t, rc == RC_OK ? e : &why) != RC_OK)
			rc = RC_FAIL;
	}
	while (r.inner) {
		struct inner *next = r.inner->next;

		pickle_free(&r.inner->p);
		free(r.inner);
		r.inner = next;
	}
	torch_free(&tc);
	pickle_free(&p);
	return rc;
}

/* ---- the format ---- */

int pickled_looks(struct bytes head, bool cut)
{
	bool whole;
	unsigned n;

	if (head.n >= 2 && head.p[0] == 0x80 && head.p[1] >= 2 && head.p[1] <= 5) {
		n = pickle_looks(head, cut, LOOKED_AT, &whole);
		return n >= 2 || whole ? (int)(16 + n) : 0;
	}
	/* protocols 0 and 1 have no header: all of it must be sound, as far as one sees */
	if (!head.n || !strchr("(c]}", head.p[0]))
		return 0;
	n = pickle_looks(head, cut, UINT32_MAX, &whole);
	return n >= 12 || (whole && n >= 2) ? 20 : 0;
}

static bool is_zf(struct bytes head)
{
	return head.n > ZF_HEAD + 2 && memcmp(head.p, "ZF0x", 4) == 0;
}

/* Where in a ZF the zlib stream begins: some have one more blank. */
static uint64_t zf_start(struct bytes head)
{
	return ZF_HEAD + (head.p[ZF_HEAD] == ' ');
}

static int probe(const struct probe *p)
{
	uint64_t at = is_zf(p->head) ? zf_start(p->head) : 0;
	struct bytes packed = {p->head.p + at, p->head.n - (size_t)at};
	uint8_t first[1024];
	size_t n;

	if (!at && (p->head.n < 2 || p->head.p[0] != 0x78))
		return pickled_looks(p->head, p->head.n < p->size);
	n = zlib_head(packed, first, sizeof(first));
	return pickled_looks((struct bytes){first, n}, true);
}

/* The one member to read: what is packed is inflated first. */
static enum rc unpacked(struct model *m, uint32_t *member, const char **how, struct err *e)
{
	struct bytes all = m->source.members[*member].data;
	uint64_t at, packed;
	uint32_t inflated;

	*how = "";
	if (!is_zf(all) && (all.n < 2 || all.p[0] != 0x78))
		return RC_OK;
	at = is_zf(all) ? zf_start(all) : 0;
	*how = at ? ", ZF" : ", zlib";
	if (source_inflate(&m->source, *member, at, &inflated, &packed, e) != RC_OK)
		return RC_FAIL;
	if (at && strtoull((const char *)all.p + 2, NULL, 16) != m->source.members[inflated].size)
		model_problem(m, STR(""), "it inflates to %" PRIu64 " bytes, not to as many as it says (byte 2)",
			      m->source.members[inflated].size);
	*member = inflated;
	if (at + packed < all.n)
		model_problem(m, STR(""), "%" PRIu64 " bytes follow the zlib stream (byte %" PRIu64 ")",
			      all.n - at - packed, at + packed);
	return RC_OK;
}

/* The version that estimators carry: of the first one, under a name that does not depend on where it stands. */
static void add_producer(struct model *m)
{
	static const struct str key = {"_sklearn_version", 16};

	for (size_t i = 0; i < m->n_meta; i++) {
		const struct meta *x = &m->meta[i];
		struct meta_value *v;

		if (x->value.kind != META_TEXT || x->key.n < key.n ||
		    memcmp(x->key.p + x->key.n - key.n, key.p, key.n) != 0)
			continue;
		v = model_add_meta(m, STR("producer"));
		v->type = "str";
		meta_set_text(m, v, str_of(arena_printf(&m->arena, "scikit-learn %.*s", (int)m->meta[i].value.u.text.n,
							m->meta[i].value.u.text.p)));
		return;
	}
}

/* pickle.dump may have been called several times on one file. */
static enum rc read_all(struct model *m, struct pickled *x, struct err *e)
{
	struct bytes all = m->source.members[x->member].data;

	for (unsigned n = 1; n <= PICKLES_MAX; n++) {
		struct bytes rest;

		if (n > 1)
			x->prefix = str_of(arena_printf(&m->arena, "%u", n));
		if (pickled_read(m, x, e) != RC_OK) {
			if (n == 1)
				return RC_FAIL;
			model_problem(m, STR(""), "pickle number %u: %s", n, e->msg);
			return RC_OK;
		}
		rest = (struct bytes){all.p + x->end, all.n - (size_t)x->end};
		x->at = x->end;
		if (!pickled_looks(rest, false))
			break;
	}
	if (x->end < all.n)
		model_problem(m, STR(""), "%" PRIu64 " bytes follow the pickle (byte %" PRIu64 ")", all.n - x->end,
			      x->end);
	return RC_OK;
}

static enum rc read_pickle(struct model *m, uint32_t member, struct err *e)
{
	struct pickled x = {.member = member, .beside = member, .only = "array", .prefix = STR("")};
	const char *how;

	m->files = 1;
	m->bytes = m->source.members[member].size;
	if (unpacked(m, &x.member, &how, e) != RC_OK || read_all(m, &x, e) != RC_OK)
		return RC_FAIL;
	add_producer(m);
	m->variant = arena_printf(&m->arena, "protocol %u%s%s", x.protocol, x.joblib ? ", joblib" : "", how);
	return RC_OK;
}

const struct format format_pickle = {
	.name = "pickle",
	.about = "Python's pickles of NumPy arrays: scikit-learn, joblib",
	.reads = "protocols 0 to 5, without running them; arrays by attribute path, inline and in side files; records "
		 "by column",
	.files = "*.pkl *.pickle *.joblib *.pkl.gz",
	.probe = probe,
	.read = read_pickle,
};
