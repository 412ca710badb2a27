#include "format/torch_tensor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/pack.h"

enum {
	EXPANDED_MAX = 1 << 20, /* a view that shows each element more often than that is not walked */
	PARTS_DEEP = 2
};

/* The types of storages, and (without their ending) of tensors: torch.float32. */
static const struct storage_type storage_types[] = {
	{"FloatStorage", DT_F32, 4},       {"DoubleStorage", DT_F64, 8},      {"HalfStorage", DT_F16, 2},
	{"BFloat16Storage", DT_BF16, 2},   {"LongStorage", DT_I64, 8},        {"IntStorage", DT_I32, 4},
	{"ShortStorage", DT_I16, 2},       {"CharStorage", DT_I8, 1},         {"ByteStorage", DT_U8, 1},
	{"BoolStorage", DT_BOOL, 1},       {"ComplexHalfStorage", DT_C32, 4}, {"ComplexFloatStorage", DT_C64, 8},
	{"ComplexDoubleStorage", DT_C128, 16}, {"QInt8Storage", DT_I8, 1},    {"QUInt8Storage", DT_U8, 1},
	{"QInt32Storage", DT_I32, 4},      {"QUInt4x2Storage", DT_OPAQUE, 1}, {"QUInt2x4Storage", DT_OPAQUE, 1},
	{"UntypedStorage", DT_U8, 1},
};

static const struct storage_type dtype_names[] = {
	{"float32", DT_F32, 4},     {"float", DT_F32, 4},       {"float64", DT_F64, 8},    {"double", DT_F64, 8},
	{"float16", DT_F16, 2},     {"half", DT_F16, 2},        {"bfloat16", DT_BF16, 2},  {"uint8", DT_U8, 1},
	{"int8", DT_I8, 1},         {"int16", DT_I16, 2},       {"short", DT_I16, 2},      {"int32", DT_I32, 4},
	{"int", DT_I32, 4},         {"int64", DT_I64, 8},       {"long", DT_I64, 8},       {"bool", DT_BOOL, 1},
	{"uint16", DT_U16, 2},      {"uint32", DT_U32, 4},      {"uint64", DT_U64, 8},     {"complex32", DT_C32, 4},
	{"complex64", DT_C64, 8},   {"complex128", DT_C128, 16}, {"qint8", DT_I8, 1},      {"quint8", DT_U8, 1},
	{"qint32", DT_I32, 4},      {"quint4x2", DT_OPAQUE, 1}, {"quint2x4", DT_OPAQUE, 1},
	{"float8_e4m3fn", DT_F8_E4M3, 1},         {"float8_e5m2", DT_F8_E5M2, 1},
	{"float8_e4m3fnuz", DT_F8_E4M3FNUZ, 1},   {"float8_e5m2fnuz", DT_F8_E5M2FNUZ, 1},
	{"float8_e8m0fnu", DT_F8_E8M0, 1},        {"float4_e2m1fn_x2", DT_F4, 1},
};

static const struct storage_type *find_type(const struct storage_type *t, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(name, str_of(t[i].name)))
			return &t[i];
	return NULL;
}

static bool in_torch(const struct pk *x)
{
	static const char *const modules[] = {"torch", "torch.cuda", "torch.storage", "torch.sparse"};

	for (size_t i = 0; i < COUNT(modules); i++)
		if (pk_global_is(x, modules[i], "*"))
			return true;
	return false;
}

const struct storage_type *torch_storage_type(const struct pk *class)
{
	return in_torch(class) ? find_type(storage_types, COUNT(storage_types), class->u.global.name) : NULL;
}

void torch_free(struct torch *tc)
{
	map_free(&tc->keys);
	map_free(&tc->layouts);
	free(tc->storages);
}

/* ---- storages ---- */

struct storage *torch_add_storage(struct torch *tc, struct storage s)
{
	uint32_t at = map_add(&tc->keys, s.key, (uint32_t)tc->n);

	if (at != MAP_NONE)
		return &tc->storages[at];
	if (tc->n == tc->cap) {
		tc->cap = tc->cap ? 2 * tc->cap : 64;
		tc->storages = xrealloc(tc->storages, tc->cap, sizeof(*tc->storages));
	}
	tc->storages[tc->n++] = s;
	return &tc->storages[tc->n - 1];
}

/* A key is a text, or (in old files) a number. */
static bool read_key(struct torch *tc, struct pk *x, struct str *key)
{
	int64_t n;

	if (pk_text(tc->p, x, key))
		return true;
	if (!pk_is(x, PK_INT) || !pk_int(x, &n))
		return false;
	*key = str_of(arena_printf(&tc->m->arena, "%" PRId64, n));
	return true;
}

struct storage *torch_storage(struct torch *tc, const struct pk *id, uint64_t *before, struct err *e)
{
	const struct pk *class = pk_item(id, 1), *view = pk_item(id, 5);
	struct storage s = {0}, *known;
	size_t n = tc->n;

	*before = 0;
	if (!pk_text_is(tc->p, pk_item(id, 0), "storage"))
		return err_set(e, "its persistent id names no storage"), NULL;
	s.type = torch_storage_type(class);
	if (!s.type)
		return err_set(e, "its storage is of a type that is not known"), NULL;
	if (!read_key(tc, pk_item(id, 2), &s.key) || !pk_u64(pk_item(id, 4), &s.numel))
		return err_set(e, "the persistent id of its storage is not sound"), NULL;
	if (pk_is(view, PK_TUPLE) && !pk_u64(pk_item(view, 1), before))
		return err_set(e, "the view of its storage is not sound"), NULL;
	known = torch_add_storage(tc, s);
	if (tc->n > n && tc->find) {
		known->key = arena_str(&tc->m->arena, known->key);
		tc->find(tc, known);
	} else if (known->type != s.type && known->type->size != s.type->size) {
		return err_set(e, "its storage %.*s is elsewhere one of another type", (int)s.key.n, s.key.p), NULL;
	}
	return known;
}

/* torch.storage._load_from_bytes(bytes): a whole stream stands in the bytes, and its object is a storage. */
static struct storage *load_from_bytes(struct torch *tc, const struct pk *x, struct err *e)
{
	struct bytes all = tc->m->source.members[tc->p->member].data;
	struct pickle p = {.m = tc->m, .member = tc->p->member};
	struct torch inner = {.m = tc->m, .depth = tc->depth + 1};
	struct storage s = {0}, *found = NULL;
	uint64_t at, after, before;
	struct pk_bytes b;
	uint32_t known;

	if (!pk_bytes(tc->p, pk_item(x->u.object->args, 0), &b) || b.code != PK_PLAIN)
		return err_set(e, "its storage stands in bytes that are written as text: not decoded"), NULL;
	at = (uint64_t)((const uint8_t *)b.raw.p - all.p);
	s.key = str_of(arena_printf(&tc->m->arena, "@%" PRIu64, at));
	known = map_get(&tc->keys, s.key);
	if (known != MAP_NONE)
		return &tc->storages[known];
	if (inner.depth > 2)
		return err_set(e, "streams stand in streams too deeply"), NULL;
	if (torch_legacy(&inner, &p, at, at + b.raw.n, &after, e) == RC_OK) {
		if (pk_is(p.root, PK_PERSISTENT))
			found = torch_storage(&inner, p.root->u.id, &before, e);
		else
			err_set(e, "the stream in its bytes holds no storage");
	}
	if (found) {
		s.type = found->type;
		s.numel = found->numel;
		s.span = found->span;
		s.trouble = found->trouble;
		tc->big = tc->big || inner.big;
		found = torch_add_storage(tc, s);
	}
	torch_free(&inner);
	pickle_free(&p);
	return found;
}

static struct storage *storage_of(struct torch *tc, const struct pk *x, uint64_t *before, struct err *e)
{
	*before = 0;
	if (pk_is(x, PK_PERSISTENT))
		return torch_storage(tc, x->u.id, before, e);
	if (pk_is(x, PK_OBJECT) && pk_global_is(x->u.object->callee, "torch.storage", "_load_from_bytes"))
		return load_from_bytes(tc, x, e);
	/* TypedStorage wraps an untyped one */
	if (pk_is(x, PK_OBJECT) && pk_is(pk_item(x->u.object->args, 0), PK_PERSISTENT))
		return torch_storage(tc, pk_item(x->u.object->args, 0)->u.id, before, e);
	err_set(e, "it has no storage");
	return NULL;
}

/* ---- tensors ---- */

static enum rc read_numbers(const struct pk *x, const char *what, uint64_t *out, unsigned *n, struct err *e)
{
	if (pk_is(x, PK_OBJECT)) /* torch.Size */
		x = pk_item(x->u.object->args, 0);
	if (!pk_is(x, PK_TUPLE) && !pk_is(x, PK_LIST))
		return err_set(e, "its %s is no tuple of numbers", what);
	if (pk_count(x) > limits.rank)
		return limits_passed(&limits.rank, e);
	for (*n = 0; *n < pk_count(x); ++*n)
		if (!pk_u64(pk_item(x, *n), &out[*n]))
			return err_set(e, "its %s holds something other than whole numbers from 0 on", what);
	return RC_OK;
}

/* Sets count and extent. */
static enum rc measure(struct torch_view *v, struct err *e)
{
	uint64_t last = 0, far, nonzero = 1;

	v->count = 1;
	for (unsigned i = 0; i < v->rank; i++) {
		uint64_t dim = v->shape[i];

		if (!u64_mul(nonzero, dim ? dim : 1, &nonzero))
			return err_set(e, "the product of its shape overflows");
		v->count = dim ? v->count : 0;
		if (dim && (!u64_mul(dim - 1, v->stride[i], &far) || !u64_add(last, far, &last)))
			return err_set(e, "its stride overflows");
	}
	v->count = v->count ? nonzero : 0;
	if (v->count && !u64_add(last, 1, &v->extent))
		return err_set(e, "its stride overflows");
	return RC_OK;
}

static enum rc read_view(struct torch_view *v, const struct pk *offset, const struct pk *shape, const struct pk *stride,
			 struct err *e)
{
	unsigned strides;

	if (!pk_u64(offset, &v->offset))
		return err_set(e, "its offset in the storage is no whole number from 0 on");
	if (read_numbers(shape, "shape", v->shape, &v->rank, e) != RC_OK ||
	    read_numbers(stride, "stride", v->stride, &strides, e) != RC_OK)
		return RC_FAIL;
	if (strides != v->rank)
		return err_set(e, "its shape has %u dimensions, its stride %u", v->rank, strides);
	return measure(v, e);
}

/* Whether the elements stand side by side: row by row, or (fortran) column by column. */
static bool is_packed(const struct torch_view *v, bool fortran)
{
	uint64_t step = 1;

	for (unsigned k = 0; k < v->rank; k++) {
		unsigned i = fortran ? k : v->rank - 1 - k;

		if (v->shape[i] != 1 && v->stride[i] != step)
			return false;
		step *= v->shape[i]; /* does not overflow: the product of the shape does not */
	}
	return true;
}

static void place(struct model *m, struct tensor *t, const struct torch_view *v, const struct storage *s, unsigned size)
{
	uint64_t *strides;

	t->data = (struct span){s->span.member, s->span.offset + v->offset * size, v->extent * size};
	if (!v->count || is_packed(v, false))
		return;
	if (is_packed(v, true)) {
		t->fortran = true;
		return;
	}
	strides = arena_new(&m->arena, uint64_t, v->rank);
	memcpy(strides, v->stride, v->rank * sizeof(*strides));
	t->strides = strides;
	if (v->count / EXPANDED_MAX > v->extent)
		t->trouble = arena_printf(&m->arena, "not decoded: an expanded view of %" PRIu64 " elements of which %"
					  PRIu64 " are stored", v->count, v->extent);
}

static struct str layout_of(struct torch *tc, const struct tensor *t, const struct storage *s)
{
	struct buf b = {0};
	struct str key;

	buf_printf(&b, "%zu %" PRIu64 " %d %d", (size_t)(s - tc->storages), t->data.offset, (int)t->type, t->fortran);
	for (unsigned i = 0; i < t->rank; i++)
		buf_printf(&b, " %" PRIu64 "/%" PRIu64, t->shape[i], t->strides ? t->strides[i] : 0);
	key = arena_str(&tc->p->arena, buf_view(&b));
	buf_free(&b);
	return key;
}

/* Says when a tensor is another one over again, or lies in the same storage. */
static void note_sharing(struct torch *tc, size_t index, struct storage *s)
{
	struct tensor *t = &tc->m->tensors[index];
	uint32_t same;

	if (!t->count || tc->parts)
		return;
	if (!s->first) {
		s->first = index + 1;
		return;
	}
	if (!s->listed)
		map_add(&tc->layouts, layout_of(tc, &tc->m->tensors[s->first - 1], s), (uint32_t)s->first - 1);
	s->listed = true;
	same = map_add(&tc->layouts, layout_of(tc, t, s), (uint32_t)index);
	if (same != MAP_NONE) {
		t->tied = tc->m->tensors[same].name;
		return;
	}
	t->note = arena_printf(&tc->m->arena, "in the storage of %.200s", tc->m->tensors[s->first - 1].name.p);
}

static struct tensor *new_tensor(struct torch *tc, struct str name, const char *type)
{
	struct tensor *t = model_add_tensor(tc->m);

	t->name = arena_str(&tc->m->arena, name);
	t->type_name = type;
	return t;
}

static void broken(struct torch *tc, struct str name, const struct err *why)
{
	tensor_broken(tc->m, new_tensor(tc, name, dtypes[DT_OPAQUE].name), "%s", why->msg);
}

/* Likewise; what is known of its type and shape is shown all the same. */
static void broken_view(struct torch *tc, struct str name, const struct storage_type *type, const struct torch_view *v,
			const struct err *why)
{
	struct tensor *t;
	struct err ignored;

	broken(tc, name, why);
	t = &tc->m->tensors[tc->m->n_tensors - 1];
	if (type && v->count && type->type != DT_F4)
		tensor_set_shape(tc->m, t, type->type, v->shape, v->rank, &ignored);
}

/* Whether the elements that a view uses lie in its storage. */
static enum rc check_bounds(const struct torch_view *v, const struct storage *s, unsigned size, struct err *e)
{
	uint64_t bytes, there, last = UINT64_MAX;

	if (!u64_mul(s->numel, s->type->size, &bytes))
		return err_set(e, "its storage of %" PRIu64 " elements is too large", s->numel);
	there = bytes / size;
	if (!u64_add(v->offset, v->extent, &last) || last > there)
		return err_set(e, "its last element would be number %" PRIu64 " of its storage %.*s, which has %"
			       PRIu64, last, (int)s->key.n, s->key.p, there);
	return RC_OK;
}

/* Two elements of float4_e2m1fn_x2 make one byte, which torch counts as one element. */
static enum rc unfold_pairs(struct torch_view *v, struct err *e)
{
	if (!v->rank || !is_packed(v, false) || !u64_mul(v->shape[v->rank - 1], 2, &v->shape[v->rank - 1]))
		return err_set(e, "a view of float4 pairs that is not contiguous is not decoded");
	v->stride[v->rank - 1] = 1;
	for (unsigned i = v->rank - 1; i-- > 0;)
		v->stride[i] = v->stride[i + 1] * v->shape[i + 1]; /* packed again */
	return RC_OK;
}

static struct tensor *add_view(struct torch *tc, struct str name, struct torch_view *v, struct storage *s,
			       const struct storage_type *type, struct err *e)
{
	size_t index = tc->m->n_tensors;
	struct tensor *t;

	if (check_bounds(v, s, type->size, e) != RC_OK || (type->type == DT_F4 && unfold_pairs(v, e) != RC_OK))
		return NULL;
	t = new_tensor(tc, name, type->type == DT_OPAQUE ? type->name : dtypes[type->type].name);
	if (tensor_set_shape(tc->m, t, type->type, v->shape, v->rank, e) != RC_OK) {
		tc->m->n_tensors--;
		return NULL;
	}
	if (s->trouble) {
		tensor_broken(tc->m, t, "%s", s->trouble);
		return t;
	}
	place(tc->m, t, v, s, type->size);
	t->big_endian = tc->big && dtypes[t->type].items && dtypes[t->type].word > 1;
	note_sharing(tc, index, s);
	return &tc->m->tensors[index];
}

void torch_add_view(struct torch *tc, struct str name, struct torch_view *v, struct storage *s)
{
	struct err e;

	if (measure(v, &e) != RC_OK || !add_view(tc, name, v, s, s->type, &e))
		broken_view(tc, name, s->type, v, &e);
}

/* What stands where in the arguments of a rebuilding function; 0: nowhere (the storage is always first). */
struct rebuild {
	const char *name;
	unsigned dtype, metadata, qparams;
};

static const struct rebuild rebuilds[] = {
	{"_rebuild_tensor", 0, 0, 0},
	{"_rebuild_tensor_v2", 0, 6, 0},
	{"_rebuild_tensor_v3", 6, 7, 0},
	{"_rebuild_qtensor", 0, 0, 4},
};

static const struct rebuild *rebuild_of(const struct pk *callee)
{
	for (size_t i = 0; i < COUNT(rebuilds); i++)
		if (pk_global_is(callee, "torch._utils", rebuilds[i].name))
			return &rebuilds[i];
	return NULL;
}

/* A tensor may be the conjugate, or the negative, of what is stored. */
static bool is_set(struct torch *tc, const struct pk *metadata, const char *bit)
{
	const struct pk *x = pk_get(tc->p, metadata, bit);

	return pk_is(x, PK_BOOL) && x->u.boolean;
}

/* NOLINTNEXTLINE(misc-no-recursion): PARTS_DEEP, in add_part */
static void add_part(struct tree *tree, struct pk *x, struct str name, const char *part)
{
	struct torch *tc = tree->arg;
	struct str whole = str_of(arena_printf(&tc->m->arena, "%.*s.%s", (int)name.n, name.p, part));
	struct err e;

	if (!x || tc->parts >= PARTS_DEEP) /* the parts of a tensor have none, in an honest file */
		return;
	tc->parts++;
	if (torch_leaf(tree, &x, whole, &e) == LEAF_NOT)
		tree_meta(tree, whole, x);
	tc->parts--;
}

/* The numbers of a tensor that a quantised one refers to, as floats; NULL when it is not one number a channel. */
static float *numbers_of(struct torch *tc, const struct tensor *t, uint64_t n)
{
	unsigned size = dtypes[t->type].bytes;
	struct bytes raw;
	struct err ignored;
	float *out;

	if (t->trouble || t->strides || t->big_endian || t->count != n || t->rank > 1 ||
	    (t->type != DT_F32 && t->type != DT_F64 && t->type != DT_I32 && t->type != DT_I64) ||
	    source_unpack(&tc->m->source, t->data.member, &ignored) != RC_OK ||
	    !source_slice(&tc->m->source, t->data, &raw))
		return NULL;
	out = xcalloc((size_t)n, sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		uint64_t bits = load_uint(raw.p + i * size, size, false);
		uint32_t low = (uint32_t)bits;
		double wide;

		if (t->type == DT_F32) {
			memcpy(&out[i], &low, sizeof(low));
		} else if (t->type == DT_F64) {
			memcpy(&wide, &bits, sizeof(wide));
			out[i] = (float)wide;
		} else {
			out[i] = t->type == DT_I32 ? (float)(int32_t)low : (float)(int64_t)bits;
		}
	}
	return out;
}

/* (scheme, scale, zero point): the scale is a number in the pickle. */
/* NOLINTNEXTLINE(misc-no-recursion): the same */
static enum rc pack_whole(struct tree *tree, struct str name, size_t index, const struct pk *q, struct err *e)
{
	struct torch *tc = tree->arg;
	const struct pk *scale = pk_item(q, 1);
	int64_t zero;
	float a, b;

	add_part(tree, pk_item(q, 1), name, "scale");
	add_part(tree, pk_item(q, 2), name, "zero_point");
	if (!pk_is(scale, PK_REAL) || !pk_int(pk_item(q, 2), &zero))
		return err_set(e, "its scale or its zero point is no number");
	a = (float)scale->u.real;
	b = (float)zero;
	return pack_affine(tc->m, &tc->m->tensors[index],
			   &(struct affine){.form = AFFINE_ZERO, .a = &a, .b = &b, .n = 1}, e);
}

/* (scheme, scales, zero points, axis): these are tensors, which become parts of the whole. */
/* NOLINTNEXTLINE(misc-no-recursion): the same */
static enum rc pack_channels(struct tree *tree, struct str name, size_t index, const struct pk *q, struct err *e)
{
	struct torch *tc = tree->arg;
	struct pack_part parts[2];
	const struct tensor *t;
	float *a = NULL, *b = NULL;
	uint64_t axis, n;
	enum rc rc = RC_FAIL;

	add_part(tree, pk_item(q, 1), name, "scales");
	add_part(tree, pk_item(q, 2), name, "zero_points");
	t = &tc->m->tensors[index];
	if (!pk_u64(pk_item(q, 3), &axis) || axis >= t->rank || tc->m->n_tensors != index + 3)
		return err_set(e, "its scales, zero points or axis are not sound");
	n = t->shape[axis];
	a = numbers_of(tc, t + 1, n);
	b = numbers_of(tc, t + 2, n);
	parts[0] = part_of(t + 1, "scales");
	parts[1] = part_of(t + 2, "zero points");
	if (a && b)
		rc = pack_affine(tc->m, &tc->m->tensors[index],
				 &(struct affine){.form = AFFINE_ZERO, .a = a, .b = b, .n = n, .axis = (unsigned)axis,
						  .parts = parts, .n_parts = COUNT(parts)}, e);
	else
		err_set(e, "its scales and zero points are not one for each of its %" PRIu64 " channels", n);
	free(a);
	free(b);
	if (rc == RC_OK)
		tc->m->n_tensors = index + 1;
	return rc;
}

/* What cannot be put together (a view by strides, a scheme that is not known) stays what is stored: codes. */
/* NOLINTNEXTLINE(misc-no-recursion): the same */
static void add_qparams(struct tree *tree, struct str name, size_t index, const struct pk *q)
{
	struct torch *tc = tree->arg;
	const struct pk *scheme = pk_item(q, 0);
	struct err e;
	enum rc rc;

	if (tc->m->tensors[index].trouble)
		return;
	if (pk_global_is(scheme, "torch", "per_tensor_affine"))
		rc = pack_whole(tree, name, index, q, &e);
	else if (pk_global_is(scheme, "torch", "per_channel_affine"))
		rc = pack_channels(tree, name, index, q, &e);
	else
		rc = err_set(&e, "its scheme is not known");
	if (rc != RC_OK)
		tc->m->tensors[index].note = arena_printf(&tc->m->arena, "codes of a quantised tensor: %s", e.msg);
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
static enum leaf add_tensor(struct tree *tree, const struct rebuild *r, const struct pk *args, struct str name)
{
	struct torch *tc = tree->arg;
	const struct storage_type *type;
	const struct pk *metadata = r->metadata ? pk_item(args, r->metadata) : NULL, *dtype;
	size_t index = tc->m->n_tensors;
	struct torch_view v = {0};
	struct storage *s;
	struct tensor *t = NULL;
	uint64_t before;
	struct err e;

	s = storage_of(tc, pk_item(args, 0), &before, &e);
	type = s ? s->type : NULL;
	dtype = r->dtype ? pk_item(args, r->dtype) : NULL;
	if (s && dtype) {
		type = in_torch(dtype) ? find_type(dtype_names, COUNT(dtype_names), dtype->u.global.name) : NULL;
		if (!type)
			err_set(&e, "it is of a type that is not known");
	}
	if (type && read_view(&v, pk_item(args, 1), pk_item(args, 2), pk_item(args, 3), &e) == RC_OK) {
		if (u64_add(v.offset, before, &v.offset))
			t = add_view(tc, name, &v, s, type, &e);
		else
			err_set(&e, "its offset in the storage overflows");
	}
	if (!t) {
		broken_view(tc, name, type, &v, &e);
		return LEAF_TAKEN;
	}
	if (!t->trouble && (is_set(tc, metadata, "conj") || is_set(tc, metadata, "neg")))
		t->trouble = "not decoded: it is the conjugate or the negative of what is stored";
	if (r->qparams)
		add_qparams(tree, name, index, pk_item(args, r->qparams));
	return LEAF_TAKEN;
}

/* A storage by itself is a row of its elements. */
static enum leaf add_storage_alone(struct torch *tc, struct pk *x, struct str name)
{
	struct torch_view v = {.rank = 1, .stride = {1}};
	struct storage *s;
	uint64_t before;
	struct err e;

	s = storage_of(tc, x, &before, &e);
	if (s) {
		v.offset = before;
		v.count = v.extent = v.shape[0] = s->numel - u64_min(before, s->numel);
	}
	if (!s || !add_view(tc, name, &v, s, s->type, &e))
		broken(tc, name, &e);
	return LEAF_TAKEN;
}

/* A tensor of which only the kind and the shape are in the file, or which is made of several. */
static struct tensor *add_hollow(struct torch *tc, struct str name, const char *type, const struct pk *shape,
				 const char *why)
{
	struct tensor *t = new_tensor(tc, name, type);
	uint64_t dims[RANK_MAX];
	unsigned rank = 0;
	struct err e;

	if (read_numbers(shape, "shape", dims, &rank, &e) != RC_OK ||
	    tensor_set_shape(tc->m, t, DT_OPAQUE, dims, rank, &e) != RC_OK)
		tensor_broken(tc->m, t, "%s", e.msg);
	else
		t->trouble = why;
	return t;
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
static enum leaf add_sparse(struct tree *tree, const struct pk *args, struct str name)
{
	static const char *const coo[] = {"indices", "values"};
	static const char *const rows[] = {"crow_indices", "col_indices", "values"};
	static const char *const columns[] = {"ccol_indices", "row_indices", "values"};
	struct torch *tc = tree->arg;
	const struct pk *layout = pk_item(args, 0), *data = pk_item(args, 1);
	const char *const *parts = coo;
	size_t n = COUNT(coo);
	struct str word = STR("sparse");

	if (pk_is(layout, PK_OBJECT)) /* torch.serialization._get_layout(name) */
		pk_text(tc->p, pk_item(layout->u.object->args, 0), &word);
	if (memmem(word.p, word.n, "_csr", 4) || memmem(word.p, word.n, "_bsr", 4))
		parts = rows;
	else if (memmem(word.p, word.n, "_csc", 4) || memmem(word.p, word.n, "_bsc", 4))
		parts = columns;
	if (parts != coo)
		n = COUNT(rows);
	if (word.n > 6 && memcmp(word.p, "torch.", 6) == 0)
		word = (struct str){word.p + 6, word.n - 6};
	add_hollow(tc, name, arena_str(&tc->m->arena, word).p, pk_item(data, n),
		   "not decoded: a sparse tensor, whose parts are listed after it");
	for (size_t i = 0; i < n; i++)
		add_part(tree, pk_item(data, i), name, parts[i]);
	return LEAF_TAKEN;
}

/* func(*args), which _rebuild_from_type_v2(func, type, args, state) wraps. */
static struct pk *unwrapped(struct torch *tc, const struct pk *args, uint64_t at)
{
	struct pk *x = arena_new(&tc->p->arena, struct pk, 1);

	x->kind = PK_OBJECT;
	x->at = at;
	x->u.object = arena_new(&tc->p->arena, struct pk_object, 1);
	x->u.object->callee = pk_item(args, 0);
	x->u.object->args = pk_item(args, 2);
	return x->u.object->callee && x->u.object->args ? x : NULL;
}

/* What stands for another node, which is one of its arguments. */
static const struct {
	const char *module, *name;
} wrappers[] = {
	{"torch._utils", "_rebuild_parameter"},
	{"torch._utils", "_rebuild_parameter_with_state"},
	{"torch._utils", "_rebuild_device_tensor_from_numpy"},
	{"torch._utils", "_rebuild_device_tensor_from_cpu_tensor"},
	{"torch._utils", "_rebuild_xla_tensor"},
	{"torch._utils", "_rebuild_nested_tensor"},
	{"torch.nn.parameter", "Parameter"},
	{"torch.nn.parameter", "Buffer"},
	{"torch.autograd.variable", "Variable"},
	{"torch.jit._pickle", "*"},
};

/* NOLINTNEXTLINE(misc-no-recursion): the same */
enum leaf torch_leaf(struct tree *tree, struct pk **node, struct str name, struct err *e)
{
	struct torch *tc = tree->arg;
	struct pk *x = *node, *args, *instead = NULL;
	const struct pk *callee;
	const struct rebuild *r;
	(void)e;

	if (x->kind == PK_PERSISTENT)
		return pk_text_is(tc->p, pk_item(x->u.id, 0), "storage") ? add_storage_alone(tc, x, name) : LEAF_NOT;
	if (x->kind != PK_OBJECT)
		return LEAF_NOT;
	callee = x->u.object->callee;
	args = x->u.object->args;
	if (!pk_is(callee, PK_GLOBAL))
		return LEAF_NOT;
	if ((r = rebuild_of(callee)))
		return add_tensor(tree, r, args, name);
	if (pk_global_is(callee, "torch.storage", "_load_from_bytes"))
		return add_storage_alone(tc, x, name);
	if (pk_global_is(callee, "torch._utils", "_rebuild_sparse_tensor") ||
	    pk_global_is(callee, "torch._utils", "_rebuild_sparse_csr_tensor"))
		return add_sparse(tree, args, name);
	if (pk_global_is(callee, "torch._utils", "_rebuild_meta_tensor_no_storage") ||
	    pk_global_is(callee, "torch._utils", "_rebuild_wrapper_subclass")) {
		bool meta = pk_global_is(callee, "torch._utils", "_rebuild_meta_tensor_no_storage");

		add_hollow(tc, name, meta ? "meta" : "subclass", pk_item(args, meta ? 1 : 2),
			   "not decoded: the file has its shape, but no data of it");
		return LEAF_TAKEN;
	}
	if (pk_global_is(callee, "torch._tensor", "_rebuild_from_type_v2"))
		instead = unwrapped(tc, args, x->at);
	for (size_t i = 0; i < COUNT(wrappers); i++)
		if (pk_global_is(callee, wrappers[i].module, wrappers[i].name))
			instead = pk_item(args, 0);
	if (!instead)
		return LEAF_NOT;
	*node = instead;
	return LEAF_INSTEAD;
}
