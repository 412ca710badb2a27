/*
 * Flax: nested dictionaries of arrays in MessagePack, google/flax, flax/serialization.py. An array is an extension of
 * type 1 whose bytes are MessagePack again: shape, NumPy's name of the type, data. Names are the keys joined with a
 * slash, as flax.traverse_util.flatten_dict(sep="/") does and Hugging Face's index files have them. Data lie in
 * place; an array of more than 2^30 bytes is written in chunks, whose member is made of pieces.
 */
#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "format/format.h"
#include "format/index.h"
#include "format/msgpack.h"
#include "format/shards.h"
#include "format/texts.h"

enum {
	EXT_ARRAY = 1, EXT_COMPLEX = 2, EXT_SCALAR = 3,
	TEXT_MAX = 64 * 1024, /* bytes of a text that is kept as metadata */
	PROBED = 256,         /* items that a probe looks at */
};
/* not STR: cppcheck cannot expand one macro of ours in another */
static const char chunked[] = "__msgpack_chunked_array__";

struct reader {
	struct model *m;
	uint32_t member;
	struct cur c;
	struct buf path;
	uint64_t name_bytes;
	struct arena scratch;
};

static const struct {
	const char *word;
	enum dtype type;
} types[] = {
	{"float32", DT_F32},     {"float64", DT_F64},      {"float16", DT_F16},        {"bfloat16", DT_BF16},
	{"int8", DT_I8},         {"int16", DT_I16},        {"int32", DT_I32},          {"int64", DT_I64},
	{"uint8", DT_U8},        {"uint16", DT_U16},       {"uint32", DT_U32},         {"uint64", DT_U64},
	{"bool", DT_BOOL},       {"complex64", DT_C64},    {"complex128", DT_C128},    {"float8_e4m3fn", DT_F8_E4M3},
	{"float8_e5m2", DT_F8_E5M2}, {"float8_e4m3fnuz", DT_F8_E4M3FNUZ}, {"float8_e5m2fnuz", DT_F8_E5M2FNUZ},
};

static enum rc cut(const struct reader *r, struct err *e)
{
	return err_set(e, "the MessagePack item at byte %" PRIu64 " is cut off, or is none", cur_at(&r->c));
}

static struct str text_of(const struct mp_item *it)
{
	return (struct str){(const char *)it->bytes.p, it->bytes.n};
}

static bool is_text(const struct mp_item *it)
{
	return it->kind == MP_TEXT || it->kind == MP_BYTES;
}

/* ---- arrays ---- */

struct array {
	uint64_t shape[RANK_MAX];
	unsigned rank;
	struct str word;
	enum dtype type;
	struct span data;
};

static enum dtype type_of(struct str word)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (str_eq(word, str_of(types[i].word)))
			return types[i].type;
	return DT_OPAQUE;
}

/* The bytes of an extension: [[dimensions], "type", data], and nothing behind them. */
static enum rc read_array(const struct reader *r, struct bytes b, struct array *a, struct err *e)
{
	struct cur c = cur_of(b);
	struct mp_item it;

	*a = (struct array){0};
	if (!msgpack_next(&c, &it) || it.kind != MP_ARRAY || it.n != 3 || !msgpack_next(&c, &it) || it.kind != MP_ARRAY)
		return err_set(e, "its extension is no array: shape, type and data");
	if (it.n > limits.rank)
		return limits_passed(&limits.rank, e);
	for (uint64_t left = it.n; left--;) {
		if (!msgpack_next(&c, &it) || it.kind != MP_UINT)
			return err_set(e, "dimension %u of its shape is not a whole number", a->rank);
		a->shape[a->rank++] = it.number;
	}
	if (!msgpack_next(&c, &it) || !is_text(&it))
		return err_set(e, "its type is not named");
	a->word = text_of(&it);
	a->type = type_of(a->word);
	if (!msgpack_next(&c, &it) || it.kind != MP_BYTES || cur_left(&c))
		return err_set(e, "its data are not all of its extension");
	a->data = (struct span){r->member, (uint64_t)(it.bytes.p - r->c.start), it.bytes.n};
	return RC_OK;
}

static struct tensor *new_tensor(struct reader *r)
{
	struct tensor *t = model_add_tensor(r->m);

	t->name = arena_str(&r->m->arena, buf_view(&r->path));
	t->type_name = dtypes[DT_OPAQUE].name;
	t->data.member = r->member;
	return t;
}

static void set_type(struct reader *r, struct tensor *t, const struct array *a)
{
	struct err e;

	t->type_name = arena_str(&r->m->arena, a->word).p;
	if (tensor_set_shape(r->m, t, a->type, a->shape, a->rank, &e) != RC_OK)
		tensor_broken(r->m, t, "%s", e.msg);
	else if (a->type == DT_OPAQUE)
		t->trouble = arena_printf(&r->m->arena, "not decoded: %.*s", (int)a->word.n, a->word.p);
}

static void check_bytes(struct reader *r, struct tensor *t, uint64_t have)
{
	uint64_t need;
	struct err e;

	if (t->broken || t->type == DT_OPAQUE)
		return;
	if (dtype_bytes(t->type, t->count, &need, &e) != RC_OK)
		tensor_broken(r->m, t, "%s", e.msg);
	else if (need != have)
		tensor_broken(r->m, t, "its type and shape take %" PRIu64 " bytes, its data %" PRIu64, need, have);
}

static void take_array(struct reader *r, const struct mp_item *it)
{
	struct tensor *t = new_tensor(r);
	struct array a;
	struct err e;

	if (read_array(r, it->bytes, &a, &e) != RC_OK) {
		tensor_broken(r->m, t, "%s", e.msg);
		return;
	}
	set_type(r, t, &a);
	t->data = a.data;
	check_bytes(r, t, a.data.length);
}

/* ---- arrays in chunks: {flag: true, "shape": {"0": ...}, "chunks": {"0": array, ...}} ---- */

/* A key of digits: lists are written as maps. */
static bool index_key(struct cur *c, uint64_t n, uint64_t *out)
{
	struct mp_item it;

	if (!msgpack_next(c, &it) || !is_text(&it) || !it.n || it.n > 9)
		return false;
	*out = 0;
	for (size_t i = 0; i < it.bytes.n; i++) {
		if (it.bytes.p[i] < '0' || it.bytes.p[i] > '9')
			return false;
		*out = *out * 10 + (it.bytes.p[i] - '0');
	}
	return *out < n;
}

static enum rc chunk_shape(struct reader *r, uint64_t n, struct array *a, struct err *e)
{
	uint64_t seen = 0;

	if (n > limits.rank)
		return limits_passed(&limits.rank, e);
	for (uint64_t i = 0; i < n; i++) {
		struct mp_item it;
		uint64_t k;

		if (!index_key(&r->c, n, &k) || seen >> k & 1 || !msgpack_next(&r->c, &it) || it.kind != MP_UINT)
			return err_set(e, "its shape is not made of whole numbers 0 to %" PRIu64, n);
		seen |= (uint64_t)1 << k;
		a->shape[k] = it.number;
	}
	a->rank = (unsigned)n;
	return RC_OK;
}

static enum rc chunk_list(struct reader *r, uint64_t n, struct array *a, struct piece *pieces, struct err *e)
{
	for (uint64_t i = 0; i < n; i++) {
		struct mp_item it;
		struct array one;
		uint64_t k;

		if (!index_key(&r->c, n, &k) || pieces[k].times || !msgpack_next(&r->c, &it) || it.kind != MP_EXT ||
		    it.ext != EXT_ARRAY)
			return err_set(e, "its chunks are not arrays 0 to %" PRIu64, n);
		if (read_array(r, it.bytes, &one, e) != RC_OK)
			return err_prefix(e, "chunk %" PRIu64, k);
		if (a->word.p && !str_eq(a->word, one.word))
			return err_set(e, "its chunks are of different types");
		a->word = one.word;
		a->type = one.type;
		pieces[k] = (struct piece){one.data, 1};
		if (!u64_add(a->data.length, one.data.length, &a->data.length))
			return err_set(e, "its chunks are too long");
	}
	return RC_OK;
}

/* The pairs of such a map. What is wrong in it is wrong with the whole file: where the next item begins is not
 * known. */
static enum rc take_chunked(struct reader *r, uint64_t pairs, struct err *e)
{
	struct piece *pieces = NULL;
	struct array a = {.data = {r->member, 0, 0}};
	struct tensor *t = new_tensor(r);
	struct mp_item key, value;
	uint64_t n = 0;
	struct err why;

	for (; pairs; pairs--) {
		enum rc rc = RC_OK;

		t->broken = true; /* until it is whole */
		t->trouble = "its chunks are broken";
		if (!msgpack_next(&r->c, &key) || !msgpack_next(&r->c, &value))
			return cut(r, e);
		if (str_eq(text_of(&key), STR("shape")) && value.kind == MP_MAP && !a.rank) {
			rc = chunk_shape(r, value.n, &a, e);
		} else if (str_eq(text_of(&key), STR("chunks")) && value.kind == MP_MAP && !pieces) {
			n = value.n;
			pieces = arena_new(&r->scratch, struct piece, (size_t)n);
			rc = chunk_list(r, n, &a, pieces, e);
		} else if (value.kind == MP_MAP || value.kind == MP_ARRAY) {
			rc = err_set(e, "a map or a list that is neither its shape nor its chunks");
		}
		if (rc != RC_OK)
			return err_prefix(e, "%.*s, before byte %" PRIu64, (int)t->name.n, t->name.p, cur_at(&r->c));
	}
	t->broken = false;
	t->trouble = NULL;
	if (!pieces || !a.word.p) {
		tensor_broken(r->m, t, "it has no chunks");
		return RC_OK;
	}
	set_type(r, t, &a);
	t->data = pieces[0].span;
	if (n > 1) {
		if (source_add_pieces(&r->m->source, t->name, pieces, (size_t)n, &t->data.member, &why) != RC_OK)
			tensor_broken(r->m, t, "%s", why.msg);
		else
			t->data = (struct span){t->data.member, 0, a.data.length};
	}
	check_bytes(r, t, a.data.length);
	return RC_OK;
}

/* Whether the map that the cursor stands in begins with the flag. Flax writes it first. */
static bool is_chunked(struct cur c)
{
	struct mp_item it;

	return msgpack_next(&c, &it) && it.kind == MP_TEXT && str_eq(text_of(&it), str_of(chunked));
}

/* ---- what is no array ---- */

static struct meta_value *new_meta(struct reader *r, enum meta_kind kind, const char *type)
{
	struct meta_value *v = model_add_meta(r->m, buf_view(&r->path));

	v->kind = kind;
	v->type = type;
	return v;
}

static void take_complex(struct reader *r, const struct mp_item *it)
{
	struct cur c = cur_of(it->bytes);
	struct mp_item list, re, im;

	if (!msgpack_next(&c, &list) || list.kind != MP_ARRAY || list.n != 2 || !msgpack_next(&c, &re) ||
	    !msgpack_next(&c, &im) || re.kind != MP_REAL || im.kind != MP_REAL) {
		model_problem(r->m, STR(""), "%s is no complex number", r->path.p);
		return;
	}
	meta_set_text(r->m, new_meta(r, META_TEXT, "complex"),
		      str_of(arena_printf(&r->m->arena, "%.17g%+.17gj", re.real, im.real)));
}

static void take_scalar(struct reader *r, const struct mp_item *it)
{
	switch (it->kind) {
	case MP_NIL:
		meta_set_text(r->m, new_meta(r, META_TEXT, "nil"), STR("nil"));
		break;
	case MP_BOOL:
		new_meta(r, META_BOOL, "bool")->u.boolean = it->number;
		break;
	case MP_UINT:
		new_meta(r, META_UINT, "uint")->u.uint = it->number;
		break;
	case MP_INT:
		new_meta(r, META_INT, "int")->u.sint = (int64_t)it->number;
		break;
	case MP_REAL:
		new_meta(r, META_REAL, "f64")->u.real = it->real;
		break;
	default:
		if (it->kind == MP_TEXT && it->n <= TEXT_MAX)
			meta_set_text(r->m, new_meta(r, META_TEXT, "str"), text_of(it));
		else
			meta_blob(r->m, buf_view(&r->path), it->bytes);
	}
}

static void take_ext(struct reader *r, const struct mp_item *it)
{
	if (it->ext == EXT_ARRAY || it->ext == EXT_SCALAR)
		take_array(r, it);
	else if (it->ext == EXT_COMPLEX)
		take_complex(r, it);
	else
		meta_blob(r->m, buf_view(&r->path), it->bytes);
}

/* ---- the tree ---- */

struct level {
	uint64_t left, next; /* items or pairs to come; the number of the next item */
	bool map;
	size_t path;         /* bytes of the path that leads here */
};

static enum rc push_key(struct reader *r, struct level *l, struct err *e)
{
	struct mp_item key = {.kind = MP_UINT, .number = l->next++};

	r->path.n = l->path;
	if (l->map && !msgpack_next(&r->c, &key))
		return cut(r, e);
	if (l->path)
		buf_putc(&r->path, '/');
	if (is_text(&key))
		buf_str(&r->path, text_of(&key));
	else if (key.kind == MP_UINT)
		buf_printf(&r->path, "%" PRIu64, key.number);
	else if (key.kind == MP_INT)
		buf_printf(&r->path, "%" PRId64, (int64_t)key.number);
	else
		return err_set(e, "a key that is neither text nor a number (before byte %" PRIu64 ")", cur_at(&r->c));
	r->name_bytes += r->path.n;
	if (r->path.n > limits.name)
		return limits_passed(&limits.name, e);
	if (r->name_bytes > limits_names((uint64_t)(r->c.end - r->c.start)))
		return limits_passed(&limits.names, e);
	return model_room(r->m, e);
}

static enum rc walk(struct reader *r, struct err *e)
{
	struct level levels[NESTING_MAX], *l = levels;
	struct mp_item it;

	if (!msgpack_next(&r->c, &it) || it.kind != MP_MAP)
		return err_set(e, "does not begin with a MessagePack map");
	*l = (struct level){.left = it.n, .map = true};
	for (;;) {
		if (!l->left) {
			if (l == levels)
				return RC_OK;
			l--;
			continue;
		}
		l->left--;
		if (push_key(r, l, e) != RC_OK)
			return RC_FAIL;
		if (!msgpack_next(&r->c, &it))
			return cut(r, e);
		if (it.kind == MP_MAP && is_chunked(r->c)) {
			if (take_chunked(r, it.n, e) != RC_OK)
				return RC_FAIL;
		} else if (it.kind == MP_MAP || it.kind == MP_ARRAY) {
			if ((uint64_t)(l - levels) + 1 == limits.nesting)
				return limits_passed(&limits.nesting, e);
			*++l = (struct level){.left = it.n, .map = it.kind == MP_MAP, .path = r->path.n};
		} else if (it.kind == MP_EXT) {
			take_ext(r, &it);
		} else {
			take_scalar(r, &it);
		}
	}
}

/* ---- files ---- */

static enum rc read_file(struct model *m, uint32_t member, struct err *e)
{
	struct bytes all = m->source.members[member].data;
	struct reader r = {.m = m, .member = member, .c = cur_of(all)};
	size_t first = m->n_tensors;
	enum rc rc = walk(&r, e);

	if (rc == RC_OK && cur_left(&r.c))
		model_problem(m, STR(""), "%" PRIu64 " bytes follow what the file holds (from byte %" PRIu64 " on)",
			      cur_left(&r.c), cur_at(&r.c));
	if (rc != RC_OK && m->n_tensors > first) { /* what was found before that is shown */
		model_problem(m, STR(""), "%s", e->msg);
		rc = RC_OK;
	}
	if (rc == RC_OK) {
		m->files++;
		m->bytes += all.n;
	}
	buf_free(&r.path);
	arena_free(&r.scratch);
	return rc;
}

static enum rc read_shard(struct model *m, uint32_t member, unsigned number, struct err *e)
{
	(void)number;
	return read_file(m, member, e);
}

static enum rc read_index(struct model *m, uint32_t member, struct err *e)
{
	return index_read(m, member, read_file, e);
}

static enum rc read_flax(struct model *m, uint32_t member, struct err *e)
{
	struct shard sh;
	uint32_t index;

	if (!shard_parse(base_name(m->source.members[member].name), ".msgpack", &sh))
		return read_file(m, member, e);
	if (index_find(m, member, &sh, &index))
		return read_index(m, index, e);
	m->variant = arena_printf(&m->arena, "%u shards", sh.count);
	return shards_read(m, member, &sh, read_shard, e);
}

static bool named(const char *name)
{
	struct str base = base_name(str_of(name)), ending = STR(".msgpack"), old = STR("checkpoint");

	return (base.n > ending.n && memcmp(base.p + base.n - ending.n, ending.p, ending.n) == 0) ||
	       (base.n >= old.n && memcmp(base.p, old.p, old.n) == 0);
}

/* A map with text for its first key, items that are sound as far as can be seen, and an array among them. One that is
 * cut off began with its header all the same. */
static int probe(const struct probe *p)
{
	struct cur c = cur_of(p->head);
	struct mp_item it;
	bool sound = true, array = false;

	if (!msgpack_next(&c, &it) || it.kind != MP_MAP || !it.n || !msgpack_next(&c, &it) || it.kind != MP_TEXT ||
	    !it.n || !utf8_valid(text_of(&it)))
		return 0;
	for (unsigned i = 0; i < PROBED && sound && !array; i++) {
		sound = msgpack_next(&c, &it);
		array = it.kind == MP_EXT && (it.ext == EXT_ARRAY || it.ext == EXT_SCALAR) && it.n >= 5 &&
			(!it.bytes.p || it.bytes.p[0] == 0x93);
	}
	if (array)
		return 40;
	return (sound || p->head.n < p->size) && p->name && named(p->name) ? 8 : 0;
}

const struct format format_flax = {
	.name = "flax",
	.about = "Flax checkpoints in MessagePack, of JAX",
	.reads = "one file or shards, arrays in chunks, all of NumPy's numbers and bfloat16; other values as metadata",
	.files = "*.msgpack",
	.probe = probe,
	.read = read_flax,
};

static int probe_index(const struct probe *p)
{
	return index_probe(p, ".msgpack");
}

const struct format format_flax_index = {
	.name = "flax-index",
	.about = "the index of a Flax model in several files",
	.reads = "the whole model: all shards that stand beside it",
	.files = "*.msgpack.index.json",
	.rank = RANK_INDEX,
	.probe = probe_index,
	.read = read_index,
};
