#include "format/ndarray.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8, ITEM_MAX = 1 << 30 };

static bool from_numpy(const struct pk *x, const char *module, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "numpy.core.%s", module);
	if (pk_global_is(x, path, name))
		return true;
	snprintf(path, sizeof(path), "numpy._core.%s", module);
	return pk_global_is(x, path, name);
}

static const struct pk *callee_of(const struct pk *x)
{
	return pk_is(x, PK_OBJECT) ? x->u.object->callee : NULL;
}

static bool is_reconstruct(const struct pk *callee)
{
	return from_numpy(callee, "multiarray", "_reconstruct") ||
	       from_numpy(callee, "_internal", "_reconstruct"); /* of NumPy before 1.0 */
}

/* ---- dtype ---- */

struct place { /* where in a record we are */
	struct str prefix;
	uint64_t offset;
	unsigned depth;
};

static bool read_shape(const struct pk *x, uint64_t shape[RANK_MAX], unsigned *rank)
{
	*rank = 0;
	if (pk_is(x, PK_INT)) {
		*rank = 1;
		return pk_u64(x, shape);
	}
	if ((!pk_is(x, PK_TUPLE) && !pk_is(x, PK_LIST)) || pk_count(x) > RANK_MAX)
		return false;
	for (; *rank < pk_count(x); ++*rank)
		if (!pk_u64(pk_item(x, *rank), &shape[*rank]))
			return false;
	return true;
}

static enum rc add_dtype(struct pickle *p, const struct pk *x, struct npy_header *h, struct place at, uint64_t *size,
			 struct err *e);

/* An element that is a number, a text ... : its type stands in the arguments, its byte order in the state. */
static enum rc add_element(struct pickle *p, struct str code, const struct pk *state, struct npy_header *h,
			   struct place at, uint64_t *size, struct err *e)
{
	struct npy_field *f = npy_add_field(h);
	struct str order = STR("");
	const char *descr, *wrong;

	if (!f)
		return err_set(e, "a record has too many fields");
	if (pk_item(state, 1) && !pk_text(p, pk_item(state, 1), &order))
		return err_set(e, "the byte order of its dtype is no text");
	if (code.n > 64 || order.n > 1)
		return err_set(e, "its dtype names no type that NumPy has");
	descr = arena_printf(&p->m->arena, "%.*s%.*s", (int)order.n, order.p, (int)code.n, code.p);
	wrong = npy_element(h, f, str_of(descr));
	if (wrong)
		return err_set(e, "its dtype %s is not sound: %s", descr, wrong);
	f->name = at.prefix;
	f->offset = at.offset;
	*size = f->size;
	return RC_OK;
}

/* (base, shape): each field of the base gets the shape behind its own, where it has none. */
/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX, in add_dtype */
static enum rc add_subarray(struct pickle *p, const struct pk *sub, struct npy_header *h, struct place at,
			    uint64_t *size, struct err *e)
{
	uint64_t shape[RANK_MAX], items = 1;
	size_t first = h->n_fields;
	unsigned rank;

	if (add_dtype(p, pk_item(sub, 0), h, at, size, e) != RC_OK)
		return RC_FAIL;
	if (!read_shape(pk_item(sub, 1), shape, &rank))
		return err_set(e, "the shape of a field is not sound");
	for (unsigned i = 0; i < rank; i++)
		if (!u64_mul(items, shape[i], &items) || items > ITEM_MAX)
			return err_set(e, "a field is larger than 1 GiB");
	if (!u64_mul(*size, items, size) || *size > ITEM_MAX)
		return err_set(e, "a field is larger than 1 GiB");
	for (size_t i = first; i < h->n_fields; i++) {
		struct npy_field *f = &h->fields[i];

		if (h->n_fields > first + 1 || f->rank) {
			f->type = DT_OPAQUE;
			f->trouble = "an array of records inside a record, not decoded";
			continue;
		}
		memcpy(f->shape, shape, rank * sizeof(*shape));
		f->rank = rank;
		f->items = items;
	}
	return RC_OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
static enum rc add_record(struct pickle *p, const struct pk *state, struct npy_header *h, struct place at,
			  uint64_t *size, struct err *e)
{
	const struct pk *names = pk_item(state, 3), *fields = pk_item(state, 4);

	if (!pk_u64(pk_item(state, 5), size) || *size > ITEM_MAX)
		return err_set(e, "the size of its records is not sound");
	for (size_t i = 0; i < pk_count(names); i++) {
		struct place inner = {.depth = at.depth + 1};
		const struct pk *field;
		struct str name;
		uint64_t offset, bytes;

		if (!pk_text(p, pk_item(names, i), &name))
			return err_set(e, "the name of a field is no text");
		name = arena_str(&p->m->arena, name);
		field = pk_get(p, fields, name.p);
		if (!pk_u64(pk_item(field, 1), &offset) || offset > *size)
			return err_set(e, "field %s stands nowhere in its record", name.p);
		inner.offset = at.offset + offset;
		inner.prefix = at.prefix.n ? str_of(arena_printf(&p->m->arena, "%.*s.%.*s", (int)at.prefix.n,
								 at.prefix.p, (int)name.n, name.p)) : name;
		if (add_dtype(p, pk_item(field, 0), h, inner, &bytes, e) != RC_OK)
			return RC_FAIL;
		if (bytes > *size - offset)
			return err_set(e, "field %s leaves its record", name.p);
	}
	return RC_OK;
}

/* A REDUCE of numpy.dtype(code, align, copy) with state (version, order, subarray, names, fields, size ...). */
/* NOLINTNEXTLINE(misc-no-recursion): the same */
static enum rc add_dtype(struct pickle *p, const struct pk *x, struct npy_header *h, struct place at, uint64_t *size,
			 struct err *e)
{
	const struct pk *state;
	struct str code;

	p->work++;
	if (at.depth > DEPTH_MAX || pk_tired(p))
		return err_set(e, "its dtype is nested too deeply");
	if (!pk_global_is(callee_of(x), "numpy", "dtype") || !pk_text(p, pk_item(x->u.object->args, 0), &code))
		return err_set(e, "it has no dtype");
	state = x->u.object->state;
	if (pk_count(pk_item(state, 3)))
		return add_record(p, state, h, at, size, e);
	if (pk_is(pk_item(state, 2), PK_TUPLE))
		return add_subarray(p, pk_item(state, 2), h, (struct place){at.prefix, at.offset, at.depth + 1}, size,
				    e);
	return add_element(p, code, state, h, at, size, e);
}

static enum rc read_dtype(struct pickle *p, const struct pk *x, struct npy_header *h, struct err *e)
{
	return add_dtype(p, x, h, (struct place){.prefix = STR("")}, &h->itemsize, e);
}

static enum rc read_header(struct pickle *p, const struct pk *shape, const struct pk *dtype, bool fortran,
			   struct npy_header *h, struct err *e)
{
	h->fortran = fortran;
	if (!read_shape(shape, h->shape, &h->rank))
		return err_set(e, "its shape is not sound");
	return read_dtype(p, dtype, h, e);
}

/* ---- arrays ---- */

/* _reconstruct(class, (0,), b'b') with state (1, shape, dtype, is Fortran, data); a masked array adds its mask. */
static enum nd reconstructed(struct pickle *p, struct pk *x, struct ndarray *a, struct err *e)
{
	struct pk *state = x->u.object->state, *data;
	bool masked = pk_global_is(callee_of(x), "numpy.ma.core", "_mareconstruct");
	int64_t fortran = 0;
	size_t at = 1;

	/* before version 1 the state began with the shape */
	if (pk_count(state) == 4 && !masked)
		at = 0;
	data = pk_item(state, at + 3);
	if (!data)
		return err_set(e, "the array has no state"), ND_BROKEN;
	pk_int(pk_item(state, at + 2), &fortran);
	if (read_header(p, pk_item(state, at), pk_item(state, at + 1), fortran != 0, &a->h, e) != RC_OK)
		return ND_BROKEN;
	if (masked)
		a->note = "a masked array, shown without its mask";
	a->items = data;
	if (a->h.objects && pk_is(data, PK_LIST))
		return ND_OBJECTS;
	if (pk_bytes(p, data, &a->bytes))
		return ND_ARRAY;
	err_set(e, "the data of the array are no bytes");
	return ND_BROKEN;
}

/* _frombuffer(buffer, dtype, shape, order[, axes]): with order K, the array is that of C order, its axes moved. */
static enum nd from_buffer(struct pickle *p, struct pk *x, struct ndarray *a, struct err *e)
{
	const struct pk *args = x->u.object->args, *axes = pk_item(args, 4);
	uint64_t *order, seen = 0;
	struct str word;

	if (!pk_text(p, pk_item(args, 3), &word))
		word = STR("C");
	if (read_header(p, pk_item(args, 2), pk_item(args, 1), str_eq(word, STR("F")), &a->h, e) != RC_OK)
		return ND_BROKEN;
	if (!pk_bytes(p, pk_item(args, 0), &a->bytes)) {
		err_set(e, "the data of the array are no bytes");
		return ND_BROKEN;
	}
	if (!pk_is(axes, PK_TUPLE) || !str_eq(word, STR("K")))
		return ND_ARRAY;
	order = arena_new(&p->m->arena, uint64_t, RANK_MAX);
	for (unsigned i = 0; i < a->h.rank; i++) {
		if (!pk_u64(pk_item(axes, i), &order[i]) || order[i] >= a->h.rank || seen >> order[i] & 1) {
			err_set(e, "the order of its axes is not sound");
			return ND_BROKEN;
		}
		seen |= (uint64_t)1 << order[i];
	}
	a->axes = order;
	return ND_ARRAY;
}

bool ndarray_wrapper(struct pickle *p, struct pk *x, struct npy_header *h, bool *aligned, struct err *e)
{
	const struct pk *class = pk_class(x);
	struct pk *state;
	struct str order = STR("C");
	bool fortran;

	if (!pk_global_is(class, "joblib.numpy_pickle", "NumpyArrayWrapper") &&
	    !pk_global_is(class, "sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"))
		return false;
	state = x->u.object->state;
	pk_text(p, pk_get(p, state, "order"), &order);
	*aligned = pk_is(pk_get(p, state, "numpy_array_alignment_bytes"), PK_INT);
	*e = (struct err){""};
	fortran = str_eq(order, STR("F"));
	if (read_header(p, pk_get(p, state, "shape"), pk_get(p, state, "dtype"), fortran, h, e) == RC_OK)
		e->msg[0] = '\0';
	return true;
}

static enum nd wrapped(struct pickle *p, struct pk *x, struct ndarray *a, struct err *e)
{
	const struct pk_object *o = x->u.object;
	bool aligned;

	if (!ndarray_wrapper(p, x, &a->h, &aligned, e))
		return ND_NONE;
	if (e->msg[0])
		return ND_BROKEN;
	if (!o->nested) {
		a->span = o->array;
		a->in_span = true;
		return ND_ARRAY;
	}
	/* the nested pickle is that of the array itself */
	npy_header_free(&a->h);
	if (!is_reconstruct(callee_of(o->nested))) {
		err_set(e, "the pickle that follows it is of no array");
		return ND_BROKEN;
	}
	return reconstructed(p, o->nested, a, e);
}

enum nd ndarray_of(struct pickle *p, struct pk *x, struct ndarray *a, struct err *e)
{
	const struct pk *callee = callee_of(x);

	*a = (struct ndarray){0};
	if (!callee)
		return ND_NONE;
	if (is_reconstruct(callee) || pk_global_is(callee, "numpy.ma.core", "_mareconstruct"))
		return reconstructed(p, x, a, e);
	if (from_numpy(callee, "numeric", "_frombuffer"))
		return from_buffer(p, x, a, e);
	return wrapped(p, x, a, e);
}

void ndarray_free(struct ndarray *a)
{
	npy_header_free(&a->h);
}

/* ---- their tensors ---- */

static enum rc place_bytes(struct ndarray *a, struct pickle *p, struct npy_array *out, struct spool **spool,
			   struct err *bad, struct err *e)
{
	struct bytes all = p->m->source.members[p->member].data;

	if (a->in_span) {
		out->member = a->span.member;
		out->at = a->span.offset;
		out->size = a->span.length;
		return RC_OK;
	}
	if (a->bytes.code == PK_PLAIN) {
		out->member = p->member;
		out->at = a->bytes.raw.n ? (uint64_t)((const uint8_t *)a->bytes.raw.p - all.p) : 0;
		out->size = a->bytes.raw.n;
		return RC_OK;
	}
	if (!*spool && spool_begin(spool, &p->m->source, STR("arrays of the pickle"), e) != RC_OK)
		return RC_FAIL;
	out->member = spool_member(*spool);
	out->at = spool_at(*spool);
	return pk_bytes_spool(a->bytes, *spool, &out->size, bad);
}

/* The file has shape h; the array is that with its axes in another order, so each keeps the step it has there. */
static enum rc transpose(struct model *m, struct tensor *t, const struct ndarray *a, struct err *e)
{
	uint64_t step[RANK_MAX], shape[RANK_MAX], *strides;
	uint64_t n = 1;

	if (t->stride || t->rank != a->h.rank)
		return err_set(e, "records whose axes are in another order are not read");
	for (unsigned i = a->h.rank; i-- > 0; n *= u64_max(a->h.shape[i], 1))
		step[i] = n;
	strides = arena_new(&m->arena, uint64_t, a->h.rank);
	for (unsigned i = 0; i < a->h.rank; i++) {
		shape[i] = a->h.shape[a->axes[i]];
		strides[i] = step[a->axes[i]];
	}
	t->strides = t->count ? strides : NULL;
	return tensor_set_shape(m, t, t->type, shape, a->h.rank, e);
}

static void add_broken(struct model *m, size_t before, struct str name, const struct err *why)
{
	struct tensor *t;

	m->n_tensors = before;
	t = model_add_tensor(m);
	t->name = name;
	t->type_name = dtypes[DT_OPAQUE].name;
	tensor_broken(m, t, "%s", why->msg);
}

enum rc ndarray_add(struct ndarray *a, struct pickle *p, struct str name, struct spool **spool, struct err *e)
{
	struct npy_array array = {.m = p->m, .name = arena_str(&p->m->arena, name), .h = a->h};
	size_t before = p->m->n_tensors;
	struct err bad = {""};
	uint64_t end = 0;
	enum rc rc;

	if (place_bytes(a, p, &array, spool, &bad, e) != RC_OK && !bad.msg[0])
		return RC_FAIL;
	rc = bad.msg[0] ? RC_FAIL : npy_array_add(&array, &end, &bad);
	if (rc == RC_OK && a->axes)
		for (size_t i = before; rc == RC_OK && i < p->m->n_tensors; i++)
			rc = p->m->tensors[i].trouble ? RC_OK : transpose(p->m, &p->m->tensors[i], a, &bad);
	if (rc == RC_OK && end < array.at + array.size && !p->m->tensors[before].broken)
		rc = err_set(&bad, "its array takes %" PRIu64 " bytes, and %" PRIu64 " are there", end - array.at,
			     array.size);
	if (rc != RC_OK)
		add_broken(p->m, before, array.name, &bad);
	for (size_t i = before; i < p->m->n_tensors; i++)
		p->m->tensors[i].note = a->note;
	return RC_OK;
}

/* ---- scalars ---- */

bool ndarray_scalar(struct pickle *p, const struct pk *x, struct pk *out)
{
	struct npy_header h = {0};
	struct pk_bytes b;
	uint8_t raw[8] = {0};
	uint64_t bits, n = 0;
	struct err ignored;
	bool ok;

	if (!from_numpy(callee_of(x), "multiarray", "scalar"))
		return false;
	ok = read_dtype(p, pk_item(x->u.object->args, 0), &h, &ignored) == RC_OK && h.n_fields == 1 &&
	     h.fields[0].size <= sizeof(raw) && pk_bytes(p, pk_item(x->u.object->args, 1), &b);
	while (ok && n < h.fields[0].size && pk_bytes_next(&b, &raw[n]))
		n++;
	ok = ok && n == h.fields[0].size && n > 0;
	if (ok) {
		const struct dtype_info *type = &dtypes[h.fields[0].type];

		bits = load_uint(raw, (size_t)n, h.fields[0].big_endian);
		*out = (struct pk){.kind = PK_INT, .at = x->at};
		out->u.integer = (int64_t)bits;
		if (type->kind == KIND_INT && n < 8) /* with its sign */
			out->u.integer = (int64_t)(bits << (64 - 8 * n)) >> (64 - 8 * n);
		if (type->kind == KIND_BOOL) {
			out->kind = PK_BOOL;
			out->u.boolean = bits != 0;
		} else if (type->kind == KIND_FLOAT && n >= 4) {
			out->kind = PK_REAL;
			out->u.real = real_of_bits(bits, n);
		} else if (type->kind != KIND_INT && (type->kind != KIND_UINT || out->u.integer < 0)) {
			ok = false;
		}
	}
	npy_header_free(&h);
	return ok;
}
