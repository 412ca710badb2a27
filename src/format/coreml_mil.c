/*
 * Core ML's ML Programs: apple/coremltools, mlmodel/format/MIL.proto, and for the files of weights
 * mlmodel/src/MILBlob/Blob/StorageFormat.hpp and BlobDataType.hpp (version 2 of that storage). Every constant that is a
 * tensor of numbers is read: the value of a `const` operation has the name of its output, another attribute's or an
 * argument's that of the operation and its own (conv_3.quantized_data).
 */
#include <inttypes.h>
#include <string.h>

#include "format/coreml.h"
#include "format/proto.h"
#include "model/pack.h"

static const struct element {
	uint64_t program, blob; /* numbers in the program (DataType) and in a file of weights (BlobDataType) */
	const char *name;
	enum dtype type;
	unsigned bits;
} elements[] = {
	{1, 0, "bool", DT_BOOL, 8},      {10, 1, "fp16", DT_F16, 16},  {11, 2, "fp32", DT_F32, 32},
	{12, 0, "fp64", DT_F64, 64},     {13, 5, "bf16", DT_BF16, 16}, {21, 4, "int8", DT_I8, 8},
	{22, 6, "int16", DT_I16, 16},    {23, 14, "int32", DT_I32, 32}, {24, 0, "int64", DT_I64, 64},
	{25, 8, "int4", DT_OPAQUE, 4},   {31, 3, "uint8", DT_U8, 8},   {32, 7, "uint16", DT_U16, 16},
	{33, 15, "uint32", DT_U32, 32},  {34, 0, "uint64", DT_U64, 64}, {35, 11, "uint4", DT_OPAQUE, 4},
	{36, 10, "uint2", DT_OPAQUE, 2}, {37, 9, "uint1", DT_OPAQUE, 1}, {38, 13, "uint6", DT_OPAQUE, 6},
	{39, 12, "uint3", DT_OPAQUE, 3}, {40, 16, "fp8e4m3fn", DT_F8_E4M3, 8}, {41, 17, "fp8e5m2", DT_F8_E5M2, 8},
};

enum { STRING = 2, SENTINEL = 0xDEADBEEF, RECORD = 64 };

static const struct element *element_of(uint64_t program)
{
	for (size_t i = 0; i < COUNT(elements); i++)
		if (elements[i].program == program)
			return &elements[i];
	return NULL;
}

/* ---- a file of weights ---- */

static bool plain_file(struct str *name)
{
	static const struct str here = {"@model_path/", 12};

	if (name->n < here.n || memcmp(name->p, here.p, here.n) != 0)
		return false;
	name->p += here.n;
	name->n -= here.n;
	return true;
}

/* The file's member; opened once, and its failure told once. */
static uint32_t open_file(struct coreml *c, struct str name)
{
	uint32_t member = map_get(&c->files, name);
	struct str path = name;
	struct err e;

	if (member != MAP_NONE)
		return member;
	member = COREML_FILE_BROKEN;
	if (!plain_file(&path))
		err_set(&e, "is not below @model_path");
	else if (source_open_below(&c->m->source, c->v.member, path, &member, &e) == RC_OK) {
		c->m->files++;
		c->m->bytes += c->m->source.members[member].size;
		map_add(&c->files, name, member);
		model_claim(c->m, (struct span){member, 0, RECORD}); /* its header */
		return member;
	}
	model_problem(c->m, STR(""), "the file of weights %.*s %s", (int)(name.n < 200 ? name.n : 200), name.p, e.msg);
	map_add(&c->files, name, COREML_FILE_BROKEN);
	return COREML_FILE_BROKEN;
}

/* Where the record at `offset` puts its data. The fields after these may hold anything. */
static enum rc read_record(struct coreml *c, uint32_t member, uint64_t offset, const struct element *el,
			   struct span *out, struct err *e)
{
	struct bytes b;
	struct cur r;
	uint64_t type;

	if (!source_slice(&c->m->source, (struct span){member, offset, RECORD}, &b))
		return err_set(e, "its record at byte %" PRIu64 " is not in the file of weights", offset);
	r = cur_of(b);
	if (cur_u32(&r) != SENTINEL)
		return err_set(e, "no record begins at byte %" PRIu64 " of the file of weights", offset);
	type = cur_u32(&r);
	out->member = member;
	out->length = cur_u64(&r);
	out->offset = cur_u64(&r);
	if (!el->blob || el->blob != type)
		return err_set(e, "it is of type %s, and its record (byte %" PRIu64 " of the file of weights) of type %"
			       PRIu64, el->name, offset, type);
	if (!source_slice(&c->m->source, *out, &b))
		return err_set(e, "its %" PRIu64 " bytes from byte %" PRIu64 " on leave the file of weights",
			       out->length, out->offset);
	model_claim(c->m, (struct span){member, offset, RECORD});
	return RC_OK;
}

/* ---- a constant ---- */

struct shape {
	uint64_t dims[RANK_MAX];
	unsigned rank;
	bool fixed, bad;
};

static struct shape shape_of(struct bytes tensor_type)
{
	struct proto p = proto_of(tensor_type), x;
	struct shape s = {.fixed = true};

	while (proto_next(&p)) {
		if (p.field != 3 || p.wire != WIRE_BYTES)
			continue;
		s.fixed &= !proto_find(p.bytes, 2, WIRE_BYTES, &x);
		x.number = 0;
		proto_find(proto_message(p.bytes, 1), 1, WIRE_VARINT, &x);
		if (s.rank < RANK_MAX)
			s.dims[s.rank] = x.number;
		if (s.rank <= RANK_MAX)
			s.rank++;
	}
	s.bad = p.bad;
	return s;
}

/* The numbers of an immediate value. floats and the like have a type of their own; bytes are of the program's. */
static enum rc read_immediate(struct coreml *c, struct bytes tensor, const struct element *el, enum dtype *type,
			      struct span *out, struct err *e)
{
	static const struct {
		uint32_t field;
		enum dtype type;
		enum wire wire;
		unsigned size;
	} lists[] = {
		{1, DT_F32, WIRE_32, 4}, {2, DT_I32, WIRE_VARINT, 4}, {3, DT_BOOL, WIRE_VARINT, 1},
		{5, DT_I64, WIRE_VARINT, 8}, {6, DT_F64, WIRE_64, 8},
	};
	struct proto list;
	uint64_t n;

	for (size_t i = 0; i < COUNT(lists); i++)
		if (proto_find(tensor, lists[i].field, WIRE_BYTES, &list)) {
			*type = lists[i].type;
			return values_of(&c->v, list.bytes, 1, lists[i].wire, lists[i].size, out, &n, e);
		}
	*type = el->type;
	*out = values_span(&c->v, proto_message(proto_message(tensor, 7), 1));
	return RC_OK;
}

static enum rc read_value(struct coreml *c, struct bytes value, const struct element *el, enum dtype *type,
			  struct span *out, struct err *e)
{
	struct proto blob, name, offset = {0};
	uint32_t member;

	if (!proto_find(value, 5, WIRE_BYTES, &blob))
		return read_immediate(c, proto_message(proto_message(value, 3), 1), el, type, out, e);
	*type = el->type;
	proto_find(blob.bytes, 2, WIRE_VARINT, &offset);
	if (!proto_find(blob.bytes, 1, WIRE_BYTES, &name))
		return err_set(e, "its file of weights has no name");
	member = open_file(c, proto_text(&name));
	if (member == COREML_FILE_BROKEN)
		return err_set(e, "its file of weights cannot be opened");
	return read_record(c, member, offset.number, el, out, e);
}

/* Bytes that `count` elements take; false on overflow. */
static bool bytes_for(enum dtype type, const struct element *el, uint64_t count, uint64_t *bytes)
{
	uint64_t bits = type == DT_OPAQUE ? el->bits : 8u * dtypes[type].bytes;

	if (!u64_mul(count, bits, &bits))
		return false;
	*bytes = u64_ceil_div(bits, 8);
	return true;
}

/* Elements of less than a byte, from a byte's lowest bit up. */
static enum rc pack_bits(struct coreml *c, struct tensor *t, const struct element *el, struct err *e)
{
	bool is_signed = el->name[0] == 'i';
	unsigned n = 1u << el->bits;
	float book[64];

	for (unsigned code = 0; code < n; code++)
		book[code] = (float)code - (is_signed && code >= n / 2 ? (float)n : 0);
	return pack_book(c->m, t, el->bits, book, NULL, e);
}

static enum rc add_tensor(struct coreml *c, struct str name, struct bytes tensor_type, struct bytes value,
			  const struct element *el, struct err *e)
{
	struct tensor *t = coreml_tensor(c, name, e);
	struct shape s = shape_of(tensor_type);
	struct span at = {0};
	enum dtype type = DT_OPAQUE;
	uint64_t need = 0;
	struct err why;
	enum rc rc = RC_OK;

	if (!t)
		return RC_FAIL;
	t->data = values_span(&c->v, value);
	if (s.bad || !s.fixed)
		rc = err_set(&why, s.bad ? "its type is cut off, or not sound" : "its shape is not fixed");
	if (rc == RC_OK)
		rc = read_value(c, value, el, &type, &at, &why);
	t->type_name = el->name;
	if (rc == RC_OK)
		rc = tensor_set_shape(c->m, t, type, s.dims, s.rank, &why);
	if (rc == RC_OK && (!bytes_for(type, el, t->count, &need) || need != at.length))
		rc = err_set(&why, "its type and shape take %" PRIu64 " bytes, and %" PRIu64 " are there", need,
			     at.length);
	if (rc == RC_OK) {
		t->data = at;
		if (type == DT_OPAQUE)
			rc = pack_bits(c, t, el, &why);
	}
	if (rc != RC_OK)
		tensor_broken(c->m, t, "%s (message at byte %" PRIu64 ")", why.msg, coreml_at(c, value));
	return RC_OK;
}

/* Whether a Value is a tensor of numbers. Text and lists are parameters of operations; they are counted. */
static bool has_numbers(struct coreml *c, struct bytes value)
{
	struct bytes type = proto_message(proto_message(value, 2), 1);
	struct proto number;

	if (proto_find(type, 1, WIRE_VARINT, &number) && number.number != STRING)
		return true;
	c->text++;
	return false;
}

static enum rc add_value(struct coreml *c, struct str name, struct bytes value, struct err *e)
{
	struct bytes type = proto_message(proto_message(value, 2), 1);
	struct proto number = {0};
	const struct element *el;
	struct tensor *t;

	proto_find(type, 1, WIRE_VARINT, &number);
	el = element_of(number.number);
	if (el)
		return add_tensor(c, name, type, value, el, e);
	t = coreml_tensor(c, name, e);
	if (!t)
		return RC_FAIL;
	t->type_name = arena_printf(&c->m->arena, "type %" PRIu64, number.number);
	t->data = values_span(&c->v, value);
	tensor_broken(c->m, t, "its element type %" PRIu64 " is not known (message at byte %" PRIu64 ")", number.number,
		      coreml_at(c, value));
	return RC_OK;
}

/* ---- operations ---- */

/* An operation is called by its first output. */
static struct str output_of(struct bytes operation)
{
	struct proto p = proto_of(operation), name = {0};

	while (proto_next(&p))
		if (p.field == 3 && p.wire == WIRE_BYTES) {
			proto_find(p.bytes, 1, WIRE_BYTES, &name);
			break;
		}
	return proto_text(&name);
}

/* The bindings of an argument that are values, not names: OPERATION.x; of several OPERATION.x.0, OPERATION.x.1. */
static enum rc read_argument(struct coreml *c, struct str operation, struct str key, struct bytes argument,
			     struct err *e)
{
	struct proto p = proto_of(argument), value;
	enum rc rc = RC_OK;
	unsigned i = 0;

	while (rc == RC_OK && proto_next(&p)) {
		struct str name;

		if (p.field != 1 || p.wire != WIRE_BYTES)
			continue;
		i++;
		if (!proto_find(p.bytes, 2, WIRE_BYTES, &value) || !has_numbers(c, value.bytes))
			continue;
		name = coreml_name(c, STR(""), operation, key);
		if (i > 1 || cur_left(&p.c))
			name = coreml_name(c, STR(""), name, str_of(arena_printf(&c->m->arena, "%u", i - 1)));
		rc = add_value(c, name, value.bytes, e);
	}
	return rc;
}

/* An entry of the map of attributes, which are values, or of that of inputs, which are arguments. */
static enum rc read_entry(struct coreml *c, struct str operation, bool constant, const struct proto *p, struct err *e)
{
	struct bytes value = proto_message(p->bytes, 2);
	struct proto key = {0};

	proto_find(p->bytes, 1, WIRE_BYTES, &key);
	if (p->field == 2)
		return read_argument(c, operation, proto_text(&key), value, e);
	if (str_eq(proto_text(&key), STR("name")) || !has_numbers(c, value))
		return RC_OK;
	if (constant && str_eq(proto_text(&key), STR("val")))
		return add_value(c, operation, value, e);
	return add_value(c, coreml_name(c, STR(""), operation, proto_text(&key)), value, e);
}

static enum rc read_operation(struct coreml *c, const struct coreml_part *in, struct bytes message, struct err *e)
{
	struct proto p = proto_of(message), type = {0};
	struct str name = coreml_name(c, in->prefix, output_of(message), STR(""));
	enum rc rc = RC_OK;
	unsigned block = 0;
	bool constant;

	proto_find(message, 1, WIRE_BYTES, &type);
	constant = str_eq(proto_text(&type), STR("const"));
	while (rc == RC_OK && proto_next(&p)) {
		if (p.wire == WIRE_BYTES && (p.field == 2 || p.field == 5))
			rc = read_entry(c, name, constant, &p, e);
		if (p.wire != WIRE_BYTES || p.field != 4)
			continue;
		rc = coreml_push(c, COREML_BLOCK, p.bytes, in->depth + 1,
				 coreml_name(c, STR(""), name, str_of(arena_printf(&c->m->arena, "%u", block++))), e);
	}
	if (rc == RC_OK && p.bad)
		coreml_complain(c, message, "an operation");
	return rc;
}

enum rc coreml_block(struct coreml *c, const struct coreml_part *in, struct err *e)
{
	struct proto p = proto_of(in->message);
	enum rc rc = RC_OK;

	while (rc == RC_OK && proto_next(&p))
		if (p.field == 3 && p.wire == WIRE_BYTES)
			rc = read_operation(c, in, p.bytes, e);
	if (rc == RC_OK && p.bad)
		coreml_complain(c, in->message, "a block");
	return rc;
}

/* ---- the program ---- */

static unsigned count_of(struct bytes message, uint32_t field)
{
	struct proto p = proto_of(message);
	unsigned n = 0;

	while (proto_next(&p))
		n += p.field == field && p.wire == WIRE_BYTES;
	return n;
}

/* The name under which the entry of a map is looked into: its key becomes a part of it only where there are several. */
static struct str entry_name(struct coreml *c, struct str name, struct bytes entry, bool only)
{
	struct proto key;

	return only || !proto_find(entry, 1, WIRE_BYTES, &key) ? name : coreml_name(c, STR(""), name, proto_text(&key));
}

static enum rc push_function(struct coreml *c, struct bytes function, struct str name, unsigned depth, struct err *e)
{
	bool only = count_of(function, 3) == 1;
	struct proto p = proto_of(function);
	enum rc rc = RC_OK;

	while (rc == RC_OK && proto_next(&p))
		if (p.field == 3 && p.wire == WIRE_BYTES)
			rc = coreml_push(c, COREML_BLOCK, proto_message(p.bytes, 2), depth + 1,
					 entry_name(c, name, p.bytes, only), e);
	if (rc == RC_OK && p.bad)
		coreml_complain(c, function, "a function");
	return rc;
}

enum rc coreml_program(struct coreml *c, struct bytes program, struct str name, unsigned depth, struct err *e)
{
	bool only = count_of(program, 2) == 1;
	struct proto p = proto_of(program);
	enum rc rc = RC_OK;

	while (rc == RC_OK && proto_next(&p))
		if (p.field == 2 && p.wire == WIRE_BYTES)
			rc = push_function(c, proto_message(p.bytes, 2), entry_name(c, name, p.bytes, only), depth, e);
	if (rc == RC_OK && p.bad)
		coreml_complain(c, program, "a program");
	return rc;
}
