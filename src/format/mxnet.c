/*
 * MXNet's parameters: a list of arrays, then their names. apache/mxnet, src/ndarray/ndarray.cc (NDArray::Save, Load and
 * LegacyLoad).
 *
 *	u64:0x112 u64:0 u64:n arrays[n] u64:n { u64:length name }[n]
 *
 *	array   u32:magic i32:storage [shape of what is stored,] shape, i32:device i32:number i32:type
 *	        [{ i32:type shape } of each index,] data [, indices]; brackets: only of sparse arrays
 *	shape   u32:rank i64:dims[rank], before MXNet 1.0 u32:dims[rank]
 *
 * The magic tells the age: without one the first word is the rank. An array without a shape ends there.
 */
#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "bytes/cur.h"
#include "format/format.h"

enum {
	LIST = 0x112,
};

#define MAGIC_V1 0xF993FAC8u /* dims of 64 bits */
#define MAGIC_V2 0xF993FAC9u /* storage types */
#define MAGIC_V3 0xF993FACAu /* rank 0 is a scalar, -1 no array */

static const enum dtype types[] = {DT_F32, DT_F64, DT_F16,  DT_U8,  DT_I32, DT_I8, DT_I64,
				   DT_BOOL, DT_I16, DT_U16, DT_U32, DT_U64, DT_BF16};
static const char *const storages[] = {"dense", "row-sparse", "CSR"}; /* as many indices as their number */

struct reader {
	struct model *m;
	uint32_t member;
	struct cur c;
	struct err *e;
	unsigned version; /* of the newest array: 0 to 3 */
};

struct shape {
	uint32_t rank;
	bool none;
	uint64_t d[RANK_MAX];
};

static int probe(const struct probe *p)
{
	return p->head.n >= 24 && load_uint(p->head.p, 8, false) == LIST && load_uint(p->head.p + 8, 8, false) == 0 ? 64
														    : 0;
}

/* ---- arrays ---- */

static enum rc shape(struct reader *r, unsigned version, uint32_t rank, struct shape *s)
{
	uint64_t at = cur_at(&r->c);

	s->none = version < 3 ? rank == 0 : rank == UINT32_MAX;
	s->rank = s->none ? 0 : rank;
	if (s->rank > limits.rank)
		return limits_passed(&limits.rank, r->e);
	for (uint32_t i = 0; i < s->rank; i++) {
		s->d[i] = version ? cur_u64(&r->c) : cur_u32(&r->c);
		if (s->d[i] > INT64_MAX)
			return err_set(r->e, "a negative dimension (byte %" PRIu64 ")", at);
	}
	return r->c.bad ? err_set(r->e, "the file ends inside a shape (byte %" PRIu64 ")", at) : RC_OK;
}

static enum rc shape_v2(struct reader *r, unsigned version, struct shape *s)
{
	return shape(r, version, cur_u32(&r->c), s);
}

static enum dtype type_of(uint32_t id)
{
	return id < COUNT(types) ? types[id] : DT_OPAQUE;
}

/* Bytes of an array of that shape and type. */
static enum rc bytes_of(struct reader *r, const struct shape *s, uint32_t id, uint64_t *bytes)
{
	uint64_t n = 1;

	if (type_of(id) == DT_OPAQUE)
		return err_set(r->e, "an array of unknown type %" PRIu32 " (before byte %" PRIu64 ")", id,
			       cur_at(&r->c));
	for (uint32_t i = 0; i < s->rank; i++)
		if (!u64_mul(n, s->d[i], &n))
			return err_set(r->e, "the product of a shape overflows (before byte %" PRIu64 ")",
				       cur_at(&r->c));
	return dtype_bytes(type_of(id), n, bytes, r->e);
}

/* Of a sparse array: what the indices take, whose types and shapes are given. */
static enum rc index_bytes(struct reader *r, unsigned version, uint32_t n, uint64_t *bytes)
{
	struct shape s;
	uint64_t more;

	*bytes = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t id = cur_u32(&r->c);

		if (shape_v2(r, version, &s) != RC_OK || bytes_of(r, &s, id, &more) != RC_OK)
			return RC_FAIL;
		if (!u64_add(*bytes, more, bytes))
			return err_set(r->e, "the indices of an array overflow (byte %" PRIu64 ")", cur_at(&r->c));
	}
	return RC_OK;
}

static enum rc add(struct reader *r, const struct shape *s, uint32_t id, const char *sparse, uint64_t bytes)
{
	struct tensor *t = model_add_tensor(r->m);
	uint64_t left = cur_left(&r->c);

	t->name = str_of(arena_printf(&r->m->arena, "%zu", r->m->n_tensors - 1));
	t->data = (struct span){r->member, cur_at(&r->c), u64_min(bytes, left)};
	if (sparse)
		t->type_name = arena_printf(&r->m->arena, "%s %s", sparse, dtypes[type_of(id)].name);
	if (tensor_set_shape(r->m, t, sparse ? DT_OPAQUE : type_of(id), s->d, s->rank, r->e) != RC_OK) {
		tensor_broken(r->m, t, "%s", r->e->msg);
		return RC_FAIL;
	}
	if (sparse)
		t->trouble = arena_printf(&r->m->arena, "not decoded: a %s array", sparse);
	if (!cur_take(&r->c, bytes)) {
		tensor_broken(r->m, t, "its %" PRIu64 " bytes from byte %" PRIu64
			      " on leave the file, which ends at byte %" PRIu64, bytes, t->data.offset,
			      t->data.offset + left);
		return err_set(r->e, "the file ends inside an array");
	}
	return RC_OK;
}

/* An empty slot: it has a name all the same. */
static enum rc add_none(struct reader *r)
{
	static const struct shape empty = {.rank = 1};

	return add(r, &empty, 0, NULL, 0);
}

static enum rc array(struct reader *r)
{
	uint32_t first = cur_u32(&r->c), storage = 0, id;
	unsigned version = first >= MAGIC_V1 && first <= MAGIC_V3 ? first - MAGIC_V1 + 1 : 0;
	uint64_t bytes, more = 0;
	struct shape stored, s;

	r->version = version > r->version ? version : r->version;
	if (version >= 2) {
		storage = cur_u32(&r->c);
		if (storage >= COUNT(storages))
			return err_set(r->e, "an array of unknown storage %" PRIu32 " (byte %" PRIu64 ")", storage,
				       cur_at(&r->c) - 4);
	}
	if (storage && shape_v2(r, version, &stored) != RC_OK)
		return RC_FAIL;
	if (version ? shape_v2(r, version, &s) != RC_OK : shape(r, 0, first, &s) != RC_OK)
		return RC_FAIL;
	if (s.none)
		return add_none(r);
	cur_take(&r->c, 8); /* the device */
	id = cur_u32(&r->c);
	if (r->c.bad)
		return err_set(r->e, "the file ends inside the description of an array");
	if (index_bytes(r, version, storage, &more) != RC_OK ||
	    bytes_of(r, storage ? &stored : &s, id, &bytes) != RC_OK)
		return RC_FAIL;
	if (!u64_add(bytes, more, &bytes))
		return err_set(r->e, "the bytes of an array overflow (byte %" PRIu64 ")", cur_at(&r->c));
	return add(r, &s, id, storage ? storages[storage] : NULL, bytes);
}

/* ---- names ---- */

static enum rc names(struct reader *r)
{
	uint64_t n = cur_u64(&r->c);

	if (r->c.bad || n > cur_left(&r->c) / 8)
		return err_set(r->e, "the names of the arrays do not fit in this file (byte %" PRIu64 ")",
			       cur_at(&r->c));
	if (n && n != r->m->n_tensors)
		return err_set(r->e, "%" PRIu64 " names for %zu arrays (byte %" PRIu64 ")", n, r->m->n_tensors,
			       cur_at(&r->c) - 8);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t bytes = cur_u64(&r->c);
		struct str name = {(const char *)cur_take(&r->c, bytes), (size_t)bytes};

		if (!r->c.bad && bytes > limits.name)
			return limits_passed(&limits.name, r->e);
		if (r->c.bad)
			return err_set(r->e, "the file ends inside name %" PRIu64 " of %" PRIu64, i + 1, n);
		r->m->tensors[i].name = arena_str(&r->m->arena, name);
	}
	if (cur_left(&r->c))
		model_problem(r->m, STR(""), "%" PRIu64 " bytes after the names belong to nothing (from byte %" PRIu64
			      " on)", cur_left(&r->c), cur_at(&r->c));
	return RC_OK;
}

static enum rc read_list(struct reader *r)
{
	uint64_t n;

	if (cur_u64(&r->c) != LIST)
		return err_set(r->e, "does not begin with 0x112, as lists of MXNet's arrays do");
	cur_u64(&r->c);
	n = cur_u64(&r->c);
	if (r->c.bad || n > cur_left(&r->c) / 4) /* no array is shorter */
		return err_set(r->e, "%" PRIu64 " arrays do not fit in this file (byte 16)", n);
	if (n > limits.tensors)
		return limits_passed(&limits.tensors, r->e);
	for (uint64_t i = 0; i < n; i++)
		if (array(r) != RC_OK)
			return err_prefix(r->e, "array %" PRIu64 " of %" PRIu64, i + 1, n);
	return names(r);
}

/* Where the list breaks off, the arrays before it are shown, by their numbers if the names are lost. */
static enum rc read_mxnet(struct model *m, uint32_t member, struct err *e)
{
	struct reader r = {.m = m, .member = member, .e = e, .c = cur_of(m->source.members[member].data)};
	enum rc rc = read_list(&r);

	m->files = 1;
	m->bytes = m->source.members[member].size;
	m->variant = arena_printf(&m->arena, "arrays of version %u", r.version);
	if (rc != RC_OK && !m->n_tensors)
		return rc;
	if (rc != RC_OK)
		model_problem(m, STR(""), "%s; what follows is not read", e->msg);
	return RC_OK;
}

const struct format format_mxnet = {
	.name = "mxnet",
	.about = "parameters of MXNet and Gluon",
	.reads = "arrays of versions 0 to 3, every element type; sparse ones are listed, not decoded",
	.files = "*.params",
	.probe = probe,
	.read = read_mxnet,
};
