/*
 * Caffe's trained nets: BVLC/caffe, src/caffe/proto/caffe.proto; for half-precision blobs NVIDIA's fork of it, as
 * opencv/opencv, modules/dnn/src/caffe/opencv-caffe.proto has its fields. Three generations of layers are read: V0 (in
 * a wrapper of V1), V1 and today's.
 *
 * A layer's blobs have numbers, not names, in Caffe (net.params['conv1'][0]), and so here: conv1.0, conv1.1. Of a
 * convolution they are the kernels [out, in / group, height, width] and the bias; of a BatchNorm the mean, the variance
 * and a factor by which both are to be divided. Gradients, where a snapshot kept them, are conv1.0.diff.
 */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/proto.h"
#include "format/values.h"

enum { NAMED = 20 };

/* Where the three kinds of layers have their fields. */
static const struct generation {
	const char *name;
	uint32_t in_net; /* the field of the net, or for V0 of a V1 layer */
	uint32_t layer_name, blobs;
} v2 = {"", 100, 1, 7}, v1 = {"V1 layers", 2, 4, 6}, v0 = {"V0 layers", 1, 1, 50};

struct reader {
	struct model *m;
	struct values v;
	size_t layers, problems;
	const struct generation *generation; /* of the last layer */
};

/* ---- blobs ---- */

enum { DATA = 5, DIFF = 6, SHAPE = 7, DOUBLE_DATA = 8, DOUBLE_DIFF = 9, RAW_TYPE = 10, RAW_DATA = 12 };

static const struct raw_type {
	const char *name;
	enum dtype type;
} raw_types[] = {{"DOUBLE", DT_F64}, {"FLOAT", DT_F32}, {"FLOAT16", DT_F16}, {"INT", DT_I32}, {"UINT", DT_U32}};

struct shape {
	uint64_t dims[RANK_MAX];
	unsigned rank;
	bool known, negative, bad;
};

static void take_dim(struct shape *s, uint64_t x)
{
	if (s->rank < RANK_MAX)
		s->dims[s->rank] = x;
	if (s->rank <= RANK_MAX)
		s->rank++;
	s->negative |= x > INT64_MAX;
}

static void take_shape(struct shape *s, struct bytes message)
{
	struct proto p = proto_of(message);

	s->known = true;
	while (proto_next(&p)) {
		struct cur c = cur_of(p.bytes);

		if (p.field != 1)
			continue;
		if (p.wire == WIRE_VARINT)
			take_dim(s, p.number);
		while (p.wire == WIRE_BYTES && cur_left(&c) && !c.bad)
			take_dim(s, proto_varint(&c));
		s->bad |= c.bad;
	}
	s->bad |= p.bad;
}

/* Old files have four dimensions in fields of their own; what is not there is 0. */
static struct shape shape_of(struct bytes blob)
{
	struct proto p = proto_of(blob);
	struct shape s = {0};
	uint64_t old[4] = {0};
	bool legacy = false;

	while (proto_next(&p)) {
		if (p.field == SHAPE && p.wire == WIRE_BYTES)
			take_shape(&s, p.bytes);
		if (p.field < 1 || p.field > 4 || p.wire != WIRE_VARINT)
			continue;
		old[p.field - 1] = p.number;
		legacy = true;
	}
	s.bad |= p.bad;
	if (s.known || !legacy)
		return s;
	s.known = true;
	for (size_t i = 0; i < COUNT(old); i++)
		take_dim(&s, old[i]);
	return s;
}

/* The numbers of a blob: their type and where they stand; 0 when there are none. */
static enum rc numbers_of(struct reader *r, struct bytes blob, bool diff, enum dtype *type, struct span *out,
			  uint64_t *count, struct err *e)
{
	struct proto raw, kind = {0};
	uint64_t size;

	*type = DT_F32;
	if (values_of(&r->v, blob, diff ? DIFF : DATA, WIRE_32, 4, out, count, e) != RC_OK)
		return RC_FAIL;
	if (*count)
		return RC_OK;
	if (values_of(&r->v, blob, diff ? DOUBLE_DIFF : DOUBLE_DATA, WIRE_64, 8, out, count, e) != RC_OK)
		return RC_FAIL;
	if (*count) {
		*type = DT_F64;
		return RC_OK;
	}
	if (diff || !proto_find(blob, RAW_DATA, WIRE_BYTES, &raw))
		return RC_OK;
	proto_find(blob, RAW_TYPE, WIRE_VARINT, &kind);
	if (kind.number >= COUNT(raw_types))
		return err_set(e, "its raw data is of the unknown type %" PRIu64, kind.number);
	*type = raw_types[kind.number].type;
	size = dtypes[*type].bytes;
	if (raw.bytes.n % size)
		return err_set(e, "its %zu bytes of raw data are not whole numbers of type %s", raw.bytes.n,
			       raw_types[kind.number].name);
	*out = values_span(&r->v, raw.bytes);
	*count = raw.bytes.n / size;
	return RC_OK;
}

static bool set_shape(struct reader *r, struct tensor *t, struct shape *s, enum dtype type, uint64_t count)
{
	struct err why;

	if (!s->known) {
		s->dims[0] = count;
		s->rank = 1;
	}
	if (s->bad)
		tensor_broken(r->m, t, "its message is cut off, or not sound");
	else if (s->negative)
		tensor_broken(r->m, t, "its shape has a negative dimension");
	else if (tensor_set_shape(r->m, t, type, s->dims, s->rank, &why) != RC_OK)
		tensor_broken(r->m, t, "%s", why.msg);
	return !t->broken;
}

static enum rc add_tensor(struct reader *r, struct str name, struct bytes blob, bool diff, struct err *e)
{
	struct shape s = shape_of(blob);
	enum dtype type;
	uint64_t count;
	struct span at;
	struct tensor *t;
	struct err why;
	enum rc rc = numbers_of(r, blob, diff, &type, &at, &count, &why);

	if (diff && rc == RC_OK && !count)
		return RC_OK;
	if (model_room(r->m, e) != RC_OK)
		return RC_FAIL;
	t = model_add_tensor(r->m);
	t->name = name;
	t->type_name = dtypes[DT_OPAQUE].name;
	t->data = values_span(&r->v, blob);
	if (rc != RC_OK) {
		tensor_broken(r->m, t, "%s (blob at byte %" PRIu64 ")", why.msg, t->data.offset);
	} else if (set_shape(r, t, &s, type, count)) {
		if (t->count != count)
			tensor_broken(r->m, t, "its shape asks for %" PRIu64 " numbers, and %" PRIu64
				      " are there (blob at byte %" PRIu64 ")", t->count, count, t->data.offset);
		else
			t->data = at;
	}
	return RC_OK;
}

/* ---- layers ---- */

/* NOLINTNEXTLINE(misc-no-recursion): once: a V0 layer in a V1 layer */
static enum rc read_layer(struct reader *r, const struct generation *g, struct bytes layer, struct err *e)
{
	struct proto p = proto_of(layer), name = {0};
	struct arena *a = &r->m->arena;
	enum rc rc = RC_OK;
	unsigned i = 0;
	struct str text;

	if (g == &v1 && proto_find(layer, v0.in_net, WIRE_BYTES, &name))
		return read_layer(r, &v0, name.bytes, e); /* once: in a V0 layer there is no other */
	proto_find(layer, g->layer_name, WIRE_BYTES, &name);
	text = proto_text(&name);
	text.n = u64_min(text.n, limits.name);
	while (rc == RC_OK && proto_next(&p)) {
		struct str blob;

		if (p.field != g->blobs || p.wire != WIRE_BYTES)
			continue;
		blob = str_of(arena_printf(a, "%.*s.%u", (int)text.n, text.p, i));
		rc = add_tensor(r, blob, p.bytes, false, e);
		if (rc == RC_OK)
			rc = add_tensor(r, str_of(arena_printf(a, "%.*s.%u.diff", (int)text.n, text.p, i)), p.bytes,
					true, e);
		i++;
	}
	if (p.bad && r->problems++ < NAMED)
		model_problem(r->m, text, "its layer is cut off, or not sound (byte %" PRIu64 ")",
			      values_span(&r->v, layer).offset + p.at);
	r->layers++;
	r->generation = g;
	return rc;
}

/* ---- the file ---- */

static enum rc check_top(struct bytes net, struct err *e)
{
	struct proto p = proto_of(net);
	bool layers = false;

	while (proto_next(&p))
		layers |= p.wire == WIRE_BYTES && (p.field == v1.in_net || p.field == v2.in_net);
	if (p.bad)
		return err_set(e, "the net is cut off, or not sound, in field %" PRIu32 " of its message (byte %" PRIu64
			       " of %zu)", p.field, p.at, net.n);
	return layers ? RC_OK : err_set(e, "the net has no layers");
}

static enum rc read_layers(struct reader *r, struct bytes net, struct err *e)
{
	struct proto p = proto_of(net);
	enum rc rc = RC_OK;

	while (rc == RC_OK && proto_next(&p))
		if (p.wire == WIRE_BYTES && (p.field == v1.in_net || p.field == v2.in_net))
			rc = read_layer(r, p.field == v1.in_net ? &v1 : &v2, p.bytes, e);
	return rc;
}

static enum rc read_caffe(struct model *m, uint32_t member, struct err *e)
{
	static const struct note notes[] = {{1, "name", WIRE_BYTES, NULL}};
	struct bytes net = m->source.members[member].data;
	struct reader r = {.m = m, .v = {.m = m, .member = member}};

	m->files = 1;
	m->bytes = net.n;
	if (check_top(net, e) != RC_OK)
		return RC_FAIL;
	notes_of(m, "", net, notes, COUNT(notes));
	if (values_end(&r.v, read_layers(&r, net, e), e) != RC_OK)
		return RC_FAIL;
	note_uint(m, STR("layers"), "count", r.layers);
	if (r.problems > NAMED)
		model_problem(m, STR(""), "%zu more layers are not sound", r.problems - NAMED);
	m->variant = r.generation->name;
	return RC_OK;
}

static bool top_fits(uint32_t field, enum wire wire)
{
	switch (field) {
	case 5:
	case 7:
		return wire == WIRE_VARINT;
	case 4:
		return wire == WIRE_VARINT || wire == WIRE_BYTES;
	case 1:
	case 2:
	case 3:
	case 6:
	case 8:
	case 100:
		return wire == WIRE_BYTES;
	default:
		return false;
	}
}

/* Parameters of a kind of layer have numbers from 100 on; the forks' go far beyond. */
static bool v2_fits(uint32_t field, enum wire wire)
{
	if (field == 5 || field == 11)
		return wire == WIRE_BYTES || wire == (field == 5 ? WIRE_32 : WIRE_VARINT);
	return wire == (field == 10 ? WIRE_VARINT : WIRE_BYTES) || field > 11;
}

static bool v1_fits(uint32_t field, enum wire wire)
{
	if (field == 7 || field == 8 || field == 35)
		return wire == WIRE_32 || wire == WIRE_BYTES;
	return wire == (field == 5 ? WIRE_VARINT : WIRE_BYTES) || field > 8;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ')
			return false;
	return utf8_valid(s);
}

/* Without a magic number: one name without control characters, and layers that look like some, with names of the same
 * kind. */
static int probe(const struct probe *p)
{
	struct proto_top t = {.head = p->head, .tail = p->tail, .size = p->size};
	unsigned names = 0, layers = 0;
	struct proto name;

	while (proto_top_next(&t)) {
		bool today = t.p.field == v2.in_net;

		if (!top_fits(t.p.field, t.p.wire))
			return 0;
		if (t.p.field == 1 && (names++ || !is_name(proto_text(&t.p))))
			return 0;
		if ((t.p.field != v1.in_net && !today) || !t.p.bytes.n)
			continue;
		if (!proto_looks(t.p.bytes, t.cut, 64, today ? v2_fits : v1_fits))
			return 0;
		if (proto_find(t.p.bytes, today ? 1 : 4, WIRE_BYTES, &name) && !is_name(proto_text(&name)))
			return 0;
		layers++;
	}
	if (t.bad || !layers)
		return 0;
	return t.short_of ? 12 : 24 + (names ? 4 : 0) + (layers > 1 ? 4 : 0) + (t.whole ? 8 : 0);
}

const struct format format_caffe = {
	.name = "caffe",
	.about = "a trained net of Caffe, its blobs named LAYER.0, LAYER.1",
	.reads = "layers of all three generations, floats, doubles and NVIDIA's half precision, gradients",
	.files = "*.caffemodel",
	.probe = probe,
	.read = read_caffe,
};
