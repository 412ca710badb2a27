#include "model/model.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "model/pack.h"

/* One more slot at the end of a growing array, zeroed. */
static void *grow(void *items, size_t *n, size_t *cap, size_t size)
{
	if (*n == *cap) {
		*cap = *cap ? 2 * *cap : 16;
		items = xrealloc(items, *cap, size);
	}
	memset((char *)items + *n * size, 0, size);
	(*n)++;
	return items;
}

void model_expect(struct model *m, size_t n)
{
	if (n <= m->cap_tensors - m->n_tensors || n > SIZE_MAX / 2 / sizeof(*m->tensors) - m->n_tensors)
		return;
	m->cap_tensors = m->n_tensors + n;
	m->tensors = xrealloc(m->tensors, m->cap_tensors, sizeof(*m->tensors));
}

enum rc model_room(const struct model *m, struct err *e)
{
	return m->n_tensors < limits.tensors ? RC_OK : limits_passed(&limits.tensors, e);
}

struct tensor *model_add_tensor(struct model *m)
{
	struct tensor *t;

	m->tensors = grow(m->tensors, &m->n_tensors, &m->cap_tensors, sizeof(*m->tensors));
	t = &m->tensors[m->n_tensors - 1];
	t->type_name = dtypes[DT_OPAQUE].name; /* one that is broken may get no other */
	return t;
}

enum rc tensor_set_shape(struct model *m, struct tensor *t, enum dtype type, const uint64_t *shape, unsigned rank,
			 struct err *e)
{
	uint64_t count = 1, nonzero = 1, *copy;

	t->type = type;
	if (type != DT_OPAQUE || !t->type_name)
		t->type_name = dtypes[type].name;
	if (rank > limits.rank)
		return limits_passed(&limits.rank, e);
	for (unsigned i = 0; i < rank; i++) {
		if (!u64_mul(nonzero, shape[i] ? shape[i] : 1, &nonzero))
			return err_set(e, "the product of its shape overflows");
		count = shape[i] ? count : 0;
	}
	copy = arena_new(&m->arena, uint64_t, rank);
	if (rank)
		memcpy(copy, shape, rank * sizeof(*shape));
	t->rank = rank;
	t->shape = copy;
	t->count = count ? nonzero : 0;
	return RC_OK;
}

enum rc dtype_bytes(enum dtype type, uint64_t count, uint64_t *bytes, struct err *e)
{
	const struct dtype_info *d = &dtypes[type];

	if (!d->items)
		return err_set(e, "the size of type %s is not known", d->name);
	if (count % d->items)
		return err_set(e, "%" PRIu64 " elements of type %s are not whole blocks of %u", count, d->name,
			       d->items);
	if (!u64_mul(count / d->items, d->bytes, bytes))
		return err_set(e, "%" PRIu64 " elements of type %s are too many", count, d->name);
	return RC_OK;
}

static const char *message(struct model *m, const char *fmt, va_list ap)
{
	char text[sizeof(((struct err *)0)->msg)];

	vsnprintf(text, sizeof(text), fmt, ap);
	return arena_str(&m->arena, str_of(text)).p;
}

static void add_problem(struct model *m, struct str tensor, const char *text)
{
	m->problems = grow(m->problems, &m->n_problems, &m->cap_problems, sizeof(*m->problems));
	m->problems[m->n_problems - 1] = (struct problem){tensor, text};
}

void tensor_broken(struct model *m, struct tensor *t, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = message(m, fmt, ap);
	va_end(ap);
	t->trouble = text;
	t->broken = true;
	add_problem(m, t->name, text);
}

void model_problem(struct model *m, struct str tensor, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_problem(m, tensor, message(m, fmt, ap));
	va_end(ap);
}

void model_note(struct model *m, struct str tensor, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = message(m, fmt, ap);
	va_end(ap);
	m->notes = grow(m->notes, &m->n_notes, &m->cap_notes, sizeof(*m->notes));
	m->notes[m->n_notes - 1] = (struct problem){tensor, text};
}

void model_claim(struct model *m, struct span span)
{
	m->own = grow(m->own, &m->n_own, &m->cap_own, sizeof(*m->own));
	m->own[m->n_own - 1] = span;
}

bool tensor_lost(const struct model *m, const struct tensor *t)
{
	for (unsigned k = 0; t->pack && k < t->pack->n_parts; k++)
		if (source_lost(&m->source, t->pack->parts[k].data))
			return true;
	return source_lost(&m->source, t->data);
}

struct meta_value *model_add_meta(struct model *m, struct str key)
{
	if (m->n_meta >= limits.metadata) {
		m->more_meta++;
		m->spare = (struct meta){0};
		return &m->spare.value;
	}
	m->meta = grow(m->meta, &m->n_meta, &m->cap_meta, sizeof(*m->meta));
	m->meta[m->n_meta - 1].key = arena_str(&m->arena, key);
	return &m->meta[m->n_meta - 1].value;
}

void meta_set_text(struct model *m, struct meta_value *v, struct str text)
{
	v->kind = META_TEXT;
	v->u.text = arena_str(&m->arena, text);
}

bool model_call_fits(const struct model *m, enum call_risk risk)
{
	return m->n_calls < (risk == CALL_DANGEROUS ? 2 : 1) * (size_t)CALLS_MAX;
}

int64_t model_add_call(struct model *m, const struct call *call)
{
	struct call *c;

	if (!model_call_fits(m, call->risk)) {
		m->more_calls++;
		return -1;
	}
	m->calls = grow(m->calls, &m->n_calls, &m->cap_calls, sizeof(*m->calls));
	c = &m->calls[m->n_calls - 1];
	*c = *call;
	c->module = arena_str(&m->arena, call->module);
	c->name = arena_str(&m->arena, call->name);
	return (int64_t)m->n_calls - 1;
}

/* Integers are equal by their number, whatever width or sign the file gave them. */
static bool as_integer(const struct meta_value *v, bool *negative, uint64_t *bits)
{
	*negative = v->kind == META_INT && v->u.sint < 0;
	*bits = v->kind == META_INT ? (uint64_t)v->u.sint : v->u.uint;
	return v->kind == META_INT || v->kind == META_UINT;
}

bool meta_equal(const struct meta_value *a, const struct meta_value *b)
{
	bool na, nb;
	uint64_t ia, ib;

	if (as_integer(a, &na, &ia) && as_integer(b, &nb, &ib))
		return na == nb && ia == ib;
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case META_BOOL:
		return a->u.boolean == b->u.boolean;
	case META_REAL:
		return a->u.real == b->u.real || (a->u.real != a->u.real && b->u.real != b->u.real);
	case META_TEXT:
		return str_eq(a->u.text, b->u.text);
	default:
		return a->u.array.count == b->u.array.count && strcmp(a->type, b->type) == 0 &&
		       memcmp(a->u.array.digest, b->u.array.digest, sizeof(a->u.array.digest)) == 0;
	}
}

/* Bytes from a tensor's first to past its last one; false when they cannot be told, or overflow. */
static bool extent(const struct tensor *t, uint64_t *bytes)
{
	struct err e;
	uint64_t gaps, last = 0;

	if (t->type == DT_OPAQUE)
		return false;
	for (unsigned k = 0; t->strides && t->count && k < t->rank; k++)
		if (!u64_mul(t->shape[k] - 1, t->strides[k], &gaps) || !u64_add(last, gaps, &last))
			return false;
	if (t->strides && t->count)
		return u64_add(last, 1, &last) && dtype_bytes(t->type, last, bytes, &e) == RC_OK;
	if (!t->stride || !t->count)
		return dtype_bytes(t->type, t->count, bytes, &e) == RC_OK;
	return t->record && t->count % t->record == 0 && u64_mul(t->count / t->record - 1, t->stride, &gaps) &&
	       dtype_bytes(t->type, t->record, bytes, &e) == RC_OK && u64_add(gaps, *bytes, bytes);
}

/* What is packed has no bytes of its own: its parts are looked at. */
static void check_parts(struct model *m, struct tensor *t)
{
	for (unsigned i = 0; i < t->pack->n_parts && !t->broken; i++) {
		const struct pack_part *p = &t->pack->parts[i];
		uint64_t size = p->data.member < m->source.n ? m->source.members[p->data.member].size : 0;

		if (p->data.offset > size || p->data.length > size - p->data.offset)
			tensor_broken(m, t,
				      "the %" PRIu64 " bytes of its %s from byte %" PRIu64
				      " on leave the file of %" PRIu64 " bytes",
				      p->data.length, p->role, p->data.offset, size);
	}
}

static void check_data(struct model *m, struct tensor *t)
{
	const struct member *in = t->data.member < m->source.n ? &m->source.members[t->data.member] : NULL;
	uint64_t need;

	if (t->pack) {
		check_parts(m, t);
		return;
	}
	if (!in || t->data.offset > in->size || t->data.length > in->size - t->data.offset)
		tensor_broken(m, t,
			      "its %" PRIu64 " bytes from byte %" PRIu64 " on leave the file of %" PRIu64 " bytes",
			      t->data.length, t->data.offset, in ? in->size : 0);
	else if (t->type != DT_OPAQUE && (!extent(t, &need) || need != t->data.length))
		tensor_broken(m, t, "its %" PRIu64 " bytes do not fit its type and shape", t->data.length);
}

void model_finish(struct model *m, bool (*can_decode)(enum dtype))
{
	struct map names = {0};

	if (m->more_meta)
		model_problem(m, STR(""), "more than %" PRIu64 " entries of metadata: %" PRIu64
			      " are left out (--limit metadata=N allows more)", limits.metadata, m->more_meta);
	map_reserve(&names, m->n_tensors);
	for (size_t i = 0; i < m->n_tensors; i++) {
		struct tensor *t = &m->tensors[i];

		if (map_add(&names, t->name, (uint32_t)i) != MAP_NONE)
			model_problem(m, t->name, "another tensor has the same name");
		if (!t->broken)
			check_data(m, t);
		if (t->trouble)
			continue;
		if (!can_decode(t->type))
			t->trouble = arena_printf(&m->arena, "not decoded: %s", t->type_name);
		else if (t->big_endian && !dtypes[t->type].swappable)
			t->trouble = arena_printf(&m->arena, "not decoded: big-endian %s", t->type_name);
	}
	map_free(&names);
}

uint64_t model_parameters(const struct model *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->n_tensors; i++)
		if (!u64_add(sum, m->tensors[i].count, &sum))
			return UINT64_MAX;
	return sum;
}

void model_close(struct model *m)
{
	source_close(&m->source);
	free(m->tensors);
	free(m->meta);
	free(m->problems);
	free(m->notes);
	free(m->calls);
	free(m->own);
	arena_free(&m->arena);
	*m = (struct model){0};
}
