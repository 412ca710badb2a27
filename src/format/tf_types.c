#include <inttypes.h>

#include "base/limits.h"
#include "format/proto.h"
#include "format/tf.h"

enum { REF = 100 }; /* what a *_REF type is above its own */

/* In the order of their numbers. INT4 and narrower take a byte an element in TensorFlow's memory, and nobody was seen
 * to write them: they are listed. */
static const struct {
	const char *word;
	enum dtype type;
} types[] = {
	{NULL, DT_OPAQUE},         {"float", DT_F32},         {"double", DT_F64},        {"int32", DT_I32},
	{"uint8", DT_U8},          {"int16", DT_I16},         {"int8", DT_I8},           {"string", DT_OPAQUE},
	{"complex64", DT_C64},     {"int64", DT_I64},         {"bool", DT_BOOL},         {"qint8", DT_I8},
	{"quint8", DT_U8},         {"qint32", DT_I32},        {"bfloat16", DT_BF16},     {"qint16", DT_I16},
	{"quint16", DT_U16},       {"uint16", DT_U16},        {"complex128", DT_C128},   {"half", DT_F16},
	{"resource", DT_OPAQUE},   {"variant", DT_OPAQUE},    {"uint32", DT_U32},        {"uint64", DT_U64},
	{"float8_e5m2", DT_F8_E5M2}, {"float8_e4m3fn", DT_F8_E4M3}, {"float8_e4m3fnuz", DT_F8_E4M3FNUZ},
	{"float8_e4m3b11fnuz", DT_OPAQUE}, {"float8_e5m2fnuz", DT_F8_E5M2FNUZ}, {"int4", DT_OPAQUE},
	{"uint4", DT_OPAQUE},      {"int2", DT_OPAQUE},       {"uint2", DT_OPAQUE},      {"float4_e2m1fn", DT_OPAQUE},
};

enum dtype tf_type(uint64_t number, const char **word)
{
	if (number > REF)
		number -= REF;
	*word = number < COUNT(types) ? types[number].word : NULL;
	return *word ? types[number].type : DT_OPAQUE;
}

/* A Dim: 1 size, 2 name. A size that is not there is 0. */
static bool read_dim(struct bytes message, int64_t *size)
{
	struct proto p = proto_of(message);

	*size = 0;
	while (proto_next(&p))
		if (p.field == 1 && p.wire == WIRE_VARINT)
			*size = (int64_t)p.number;
	return !p.bad;
}

enum rc tf_shape_read(struct bytes message, struct tf_shape *s, struct err *e)
{
	struct proto p = proto_of(message);
	int64_t size = 0;

	*s = (struct tf_shape){0};
	while (proto_next(&p)) {
		if (p.field == 3 && p.wire == WIRE_VARINT)
			s->unknown |= p.number != 0;
		if (p.field != 2 || p.wire != WIRE_BYTES)
			continue;
		if (s->rank == limits.rank)
			return limits_passed(&limits.rank, e);
		if (!read_dim(p.bytes, &size))
			return err_set(e, "dimension %u of its shape is broken", s->rank);
		s->unknown |= size < 0;
		s->dims[s->rank++] = size < 0 ? 0 : (uint64_t)size;
	}
	return p.bad ? err_set(e, "its shape is broken") : RC_OK;
}

enum rc tf_set_shape(struct model *m, struct tensor *t, uint64_t number, const struct tf_shape *s, struct err *e)
{
	const char *word;
	enum dtype type = tf_type(number, &word);

	t->type_name = word ? word : arena_printf(&m->arena, "type %" PRIu64, number);
	if (s->unknown)
		return err_set(e, "its shape is not known");
	if (tensor_set_shape(m, t, type, s->dims, s->rank, e) != RC_OK)
		return RC_FAIL;
	if (type == DT_OPAQUE)
		t->trouble = !word ? "a type that is not known here" :
			     number % REF == 7 ? "text, not numbers" : arena_printf(&m->arena, "not decoded: %s", word);
	return RC_OK;
}
