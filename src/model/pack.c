#include "model/pack.h"

#include <inttypes.h>
#include <string.h>

#include "bytes/spool.h"

struct pack_part part_of(const struct tensor *t, const char *role)
{
	return (struct pack_part){role, t->name, t->type, t->type_name, t->rank, t->shape, t->data};
}

enum rc tensor_pack(struct model *m, struct tensor *t, const struct pack *p, struct err *e)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < p->n_parts; i++) {
		const struct span *s = &p->parts[i].data;

		if (!u64_add(bytes, s->length, &bytes))
			return err_set(e, "its parts are too large");
		if (s->member < m->source.n && source_unpack(&m->source, s->member, e) != RC_OK)
			return RC_FAIL;
	}
	t->type = DT_F32;
	t->data = p->parts[0].data;
	t->data.length = bytes;
	t->stride = t->record = 0;
	t->big_endian = false;
	t->fortran = p->swapped;
	t->pack = p;
	return RC_OK;
}

void model_unpack(struct model *m)
{
	for (size_t i = 0; i < m->n_tensors; i++) {
		struct tensor *t = &m->tensors[i];
		const struct pack_part *codes = t->pack ? t->pack->parts : NULL;
		uint64_t count = 1;

		for (unsigned k = 0; codes && k < codes->rank; k++)
			count *= codes->shape[k]; /* of a tensor that was checked */
		if (!codes || count != t->count)
			continue;
		t->type = codes->type;
		t->type_name = codes->type_name;
		t->rank = codes->rank;
		t->shape = codes->shape;
		t->data = codes->data;
		t->fortran = false;
		t->pack = NULL;
		if (t->type == DT_OPAQUE)
			t->trouble = arena_printf(&m->arena, "not decoded: %s", t->type_name);
	}
}

/* ---- affine codes ---- */

static enum rc check_affine(const struct tensor *t, const struct affine *how, struct err *e)
{
	enum dtype_kind kind = dtypes[t->type].kind;

	if (kind == KIND_OPAQUE || kind == KIND_COMPLEX || kind == KIND_BLOCK)
		return err_set(e, "codes of type %s have no scale of their own", t->type_name);
	if (dtypes[t->type].items != 1 || t->big_endian || t->fortran || t->stride ||
	    t->strides)
		return err_set(e, "codes with a scale must stand one after the other, little-endian");
	if (how->n != 1 && (how->axis >= t->rank || how->n != t->shape[how->axis]))
		return err_set(e, "%" PRIu64 " scales do not fit dimension %u of its shape", how->n, how->axis);
	return RC_OK;
}

/*
 * The codes as matrices whose rows or columns are the slices. Slices of the last dimension are columns; else a row is
 * one slice's run of elements, and what stands before the axis counts matrices.
 */
static void lay_out(struct pack *p, const struct tensor *t, const struct affine *how)
{
	uint64_t inner = 1;

	for (unsigned i = how->axis + 1; i < t->rank; i++)
		inner *= t->shape[i];
	p->rows = p->cols = p->block_rows = p->block_cols = 1;
	if (!t->count)
		return;
	if (how->n == 1) {
		p->cols = p->block_cols = t->count;
	} else if (inner == 1) {
		p->rows = p->block_rows = t->count / how->n;
		p->cols = how->n;
	} else {
		p->rows = how->n;
		p->cols = p->block_cols = inner;
	}
}

static struct pack_array numbers(struct model *m, const struct pack *p, const float *x, uint64_t n)
{
	float *copy = arena_new(&m->arena, float, n);

	if (n)
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): only AFFINE_ZERO goes without `b` */
		memcpy(copy, x, (size_t)n * sizeof(*x));
	return (struct pack_array){
		.kind = ARRAY_NUMBERS, .numbers = copy, .shared = true,
		.rows = u64_ceil_div(p->rows, p->block_rows), .cols = u64_ceil_div(p->cols, p->block_cols),
	};
}

static const char *affine_about(struct model *m, const struct tensor *t, const struct affine *how)
{
	const char *form = how->form == AFFINE_RANGE ? "a range" : how->form == AFFINE_OFFSET ? "a scale and an offset"
			   : how->b ? "a scale and a zero point" : "a scale";

	if (how->n == 1)
		return arena_printf(&m->arena, "%s with %s", t->type_name, form);
	return arena_printf(&m->arena, "%s with %s for each slice of dimension %u", t->type_name, form, how->axis);
}

enum rc pack_affine(struct model *m, struct tensor *t, const struct affine *how, struct err *e)
{
	struct pack_part *parts;
	struct pack *p;

	if (check_affine(t, how, e) != RC_OK)
		return RC_FAIL;
	p = arena_new(&m->arena, struct pack, 1);
	parts = arena_new(&m->arena, struct pack_part, how->n_parts + 1);
	parts[0] = part_of(t, "codes");
	if (how->n_parts)
		memcpy(parts + 1, how->parts, how->n_parts * sizeof(*parts));
	p->parts = parts;
	p->n_parts = how->n_parts + 1;
	lay_out(p, t, how);
	p->codes = (struct pack_array){
		.kind = ARRAY_PLAIN, .part = parts, .type = t->type, .rows = p->rows, .cols = p->cols,
	};
	p->scale = numbers(m, p, how->a, how->n);
	if (how->b && how->form == AFFINE_ZERO)
		p->zero = numbers(m, p, how->b, how->n);
	else if (how->form != AFFINE_ZERO)
		p->bias = numbers(m, p, how->b, how->n);
	p->steps = how->form == AFFINE_RANGE ? how->steps : 0;
	p->about = affine_about(m, t, how);
	t->type_name = arena_printf(&m->arena, "%s/%s", t->type_name, how->n == 1 ? "tensor" : "slice");
	return tensor_pack(m, t, p, e);
}

/* ---- codes with a table ---- */

enum rc pack_book(struct model *m, struct tensor *t, unsigned bits, const float *book, const struct pack_part *table,
		  struct err *e)
{
	static const float one = 1;
	struct pack *p = arena_new(&m->arena, struct pack, 1);
	struct pack_part *parts = arena_new(&m->arena, struct pack_part, 2);
	float *copy = arena_new(&m->arena, float, 1u << bits);
	uint64_t all;

	if (!u64_mul(t->count, bits, &all) || u64_ceil_div(all, 8) != t->data.length)
		return err_set(e, "%" PRIu64 " codes of %u bits do not fit %" PRIu64 " bytes", t->count, bits,
			       t->data.length);
	memcpy(copy, book, (size_t)(1u << bits) * sizeof(*book));
	parts[0] = part_of(t, "codes");
	if (table)
		parts[1] = *table;
	p->parts = parts;
	p->n_parts = table ? 2 : 1;
	p->rows = p->block_rows = 1;
	p->cols = p->block_cols = t->count ? t->count : 1;
	p->codes = (struct pack_array){
		.kind = ARRAY_BITS, .part = parts, .bits = bits, .pitch = t->data.length, .rows = 1, .cols = p->cols,
		.book = copy,
	};
	p->scale = numbers(m, p, &one, 1);
	p->about = arena_printf(&m->arena, "%s, %u bits", t->type_name, bits);
	return tensor_pack(m, t, p, e);
}
