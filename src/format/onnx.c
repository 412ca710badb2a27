/*
 * ONNX: onnx/onnx, onnx/onnx.proto3 (the messages), docs/ExternalData.md and onnx/checker.cc (what is allowed). Read
 * are the initialisers and the tensors in attributes (constants) of the graph, of the graphs in its nodes (If, Loop,
 * Scan) and of functions; for ai.onnx.ml, whose operators keep fitted parameters in lists of numbers, these too.
 *
 * Names: an initialiser has its own; a constant that of its node's output; another attribute's tensor that of the node,
 * and the attribute's. In an inner graph they are the same where no other tensor has them, for exporters keep names
 * unique; else the path of nodes and attributes stands before them: If_3.then_branch.weight. In a function it is always
 * the function's name: pkg.torch::gelu.const_2.
 */
#include "format/onnx.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/map.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/proto.h"
#include "format/values.h"
#include "model/pack.h"

enum {
	GRAPHS_MAX = 10000,
	PREFIX_MAX = 512, /* bytes before a name in an inner graph */
	LABEL_MAX = 200,
	DOMAINS_MAX = 100,
	PORTS_MAX = 256,  /* inputs, and outputs, that the metadata names */
	NAMED = 20        /* findings of one kind told one by one */
};

enum data_field { FLOAT_DATA = 4, INT32_DATA = 5, STRING_DATA = 6, INT64_DATA = 7, RAW_DATA = 9, DOUBLE_DATA = 10,
		  UINT64_DATA = 11 };

/* Element types by their number; the field that holds them if raw_data does not, how one of its numbers stands there,
 * and how many bytes of an element (or of several, where they are smaller) it gives. */
static const struct elements {
	const char *name;
	enum dtype type;
	unsigned bits;
	enum data_field field;
	enum wire wire;
	unsigned size;
} elements[] = {
	[1] = {"FLOAT", DT_F32, 32, FLOAT_DATA, WIRE_32, 4},
	[2] = {"UINT8", DT_U8, 8, INT32_DATA, WIRE_VARINT, 1},
	[3] = {"INT8", DT_I8, 8, INT32_DATA, WIRE_VARINT, 1},
	[4] = {"UINT16", DT_U16, 16, INT32_DATA, WIRE_VARINT, 2},
	[5] = {"INT16", DT_I16, 16, INT32_DATA, WIRE_VARINT, 2},
	[6] = {"INT32", DT_I32, 32, INT32_DATA, WIRE_VARINT, 4},
	[7] = {"INT64", DT_I64, 64, INT64_DATA, WIRE_VARINT, 8},
	[8] = {"STRING", DT_OPAQUE, 0, STRING_DATA, WIRE_BYTES, 0},
	[9] = {"BOOL", DT_BOOL, 8, INT32_DATA, WIRE_VARINT, 1},
	[10] = {"FLOAT16", DT_F16, 16, INT32_DATA, WIRE_VARINT, 2},
	[11] = {"DOUBLE", DT_F64, 64, DOUBLE_DATA, WIRE_64, 8},
	[12] = {"UINT32", DT_U32, 32, UINT64_DATA, WIRE_VARINT, 4},
	[13] = {"UINT64", DT_U64, 64, UINT64_DATA, WIRE_VARINT, 8},
	[14] = {"COMPLEX64", DT_C64, 64, FLOAT_DATA, WIRE_32, 4},
	[15] = {"COMPLEX128", DT_C128, 128, DOUBLE_DATA, WIRE_64, 8},
	[16] = {"BFLOAT16", DT_BF16, 16, INT32_DATA, WIRE_VARINT, 2},
	[17] = {"FLOAT8E4M3FN", DT_F8_E4M3, 8, INT32_DATA, WIRE_VARINT, 1},
	[18] = {"FLOAT8E4M3FNUZ", DT_F8_E4M3FNUZ, 8, INT32_DATA, WIRE_VARINT, 1},
	[19] = {"FLOAT8E5M2", DT_F8_E5M2, 8, INT32_DATA, WIRE_VARINT, 1},
	[20] = {"FLOAT8E5M2FNUZ", DT_F8_E5M2FNUZ, 8, INT32_DATA, WIRE_VARINT, 1},
	[21] = {"UINT4", DT_OPAQUE, 4, INT32_DATA, WIRE_VARINT, 1},
	[22] = {"INT4", DT_OPAQUE, 4, INT32_DATA, WIRE_VARINT, 1},
	[23] = {"FLOAT4E2M1", DT_F4, 4, INT32_DATA, WIRE_VARINT, 1},
	[24] = {"FLOAT8E8M0", DT_F8_E8M0, 8, INT32_DATA, WIRE_VARINT, 1},
	[25] = {"UINT2", DT_OPAQUE, 2, INT32_DATA, WIRE_VARINT, 1},
	[26] = {"INT2", DT_OPAQUE, 2, INT32_DATA, WIRE_VARINT, 1},
};

static const struct elements *elements_of(uint64_t number)
{
	return number < COUNT(elements) && elements[number].name ? &elements[number] : NULL;
}

/* A graph, or a function, still to be looked into. */
struct graph {
	struct bytes message;
	struct str prefix; /* of the names in it */
	bool always;       /* not only where it is needed */
	bool function;
	unsigned depth;
};

struct reader {
	struct model *m;
	struct values v;
	struct graph *graphs; /* first in, first out: what is nested needs no recursion */
	size_t n_graphs, cap_graphs;
	size_t nodes, problems;
	struct map names;     /* of tensors */
	struct map files;     /* of external data: location to member, or FILE_BROKEN */
	struct map domains;   /* of operators beyond ONNX's own */
	uint64_t domain_nodes[DOMAINS_MAX];
	struct str domain_names[DOMAINS_MAX];
	uint32_t n_domains;
};

#define FILE_BROKEN (MAP_NONE - 1)

static struct str cut(struct str s, size_t most)
{
	return (struct str){s.p, s.n < most ? s.n : most};
}

/* The name of a tensor in a graph: its own, or with the graph's prefix. */
static struct str name_in(struct reader *r, const struct graph *g, struct str name)
{
	struct str own = arena_str(&r->m->arena, cut(name, (size_t)limits.name));

	if (g->always || (g->prefix.n && map_get(&r->names, own) != MAP_NONE))
		own = str_of(arena_printf(&r->m->arena, "%.*s%.*s", (int)g->prefix.n, g->prefix.p, (int)own.n, own.p));
	map_add(&r->names, own, 0);
	return own;
}

/* Where a message stands in the file; for sentences. */
static uint64_t at_byte(const struct reader *r, struct bytes message)
{
	return values_span(&r->v, message).offset;
}

static void complain(struct reader *r, struct bytes message, const char *what)
{
	if (r->problems++ < NAMED)
		model_problem(r->m, STR(""), "%s is cut off, or not sound (byte %" PRIu64 ")", what,
			      at_byte(r, message));
}

/* ---- a tensor ---- */

struct external {
	struct str location, offset, length;
};

struct tensor_proto {
	struct bytes message;
	uint64_t dims[RANK_MAX];
	unsigned rank;       /* more than RANK_MAX: not all are kept */
	bool negative;
	uint64_t type;
	struct str name;
	struct bytes raw;
	unsigned fields;     /* a bit for each field with data in it */
	bool external, segment, bad;
	struct external ext;
};

static void take_dim(struct tensor_proto *t, uint64_t x)
{
	if (t->rank < RANK_MAX)
		t->dims[t->rank] = x;
	if (t->rank <= RANK_MAX)
		t->rank++;
	t->negative |= x > INT64_MAX;
}

static void take_dims(struct tensor_proto *t, const struct proto *p)
{
	struct cur c = cur_of(p->bytes);

	if (p->wire == WIRE_VARINT)
		take_dim(t, p->number);
	while (p->wire == WIRE_BYTES && cur_left(&c) && !c.bad)
		take_dim(t, proto_varint(&c));
	t->bad |= c.bad;
}

static void take_external(struct tensor_proto *t, struct bytes entry)
{
	struct proto key, value;

	if (!proto_find(entry, 1, WIRE_BYTES, &key) || !proto_find(entry, 2, WIRE_BYTES, &value))
		return;
	if (str_eq(proto_text(&key), STR("location")))
		t->ext.location = proto_text(&value);
	else if (str_eq(proto_text(&key), STR("offset")))
		t->ext.offset = proto_text(&value);
	else if (str_eq(proto_text(&key), STR("length")))
		t->ext.length = proto_text(&value);
}

static struct tensor_proto tensor_of(struct bytes message)
{
	struct tensor_proto t = {.message = message, .name = STR("")};
	struct proto p = proto_of(message);

	while (proto_next(&p)) {
		switch (p.field) {
		case 1:
			take_dims(&t, &p);
			break;
		case 2:
			t.type = p.number;
			break;
		case 3:
			t.segment = true;
			break;
		case 8:
			t.name = proto_text(&p);
			break;
		case RAW_DATA:
			t.raw = p.bytes;
			t.fields |= p.bytes.n ? 1u << RAW_DATA : 0;
			break;
		case FLOAT_DATA:
		case INT32_DATA:
		case STRING_DATA:
		case INT64_DATA:
		case DOUBLE_DATA:
		case UINT64_DATA:
			/* an empty packed field is as good as none */
			t.fields |= p.wire != WIRE_BYTES || p.bytes.n || p.field == STRING_DATA ? 1u << p.field : 0;
			break;
		case 13:
			take_external(&t, p.bytes);
			break;
		case 14:
			t.external = p.number == 1;
			break;
		default:
			break;
		}
	}
	t.bad |= p.bad;
	return t;
}

/* Decimal digits and nothing else. */
static bool take_number(struct str s, uint64_t *out)
{
	uint64_t x = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9' || !u64_mul(x, 10, &x) || !u64_add(x, (uint64_t)(s.p[i] - '0'), &x))
			return false;
	*out = x;
	return s.n > 0;
}

/* The member that a location names; opened once, and its failure told once. */
static uint32_t external_file(struct reader *r, struct str location)
{
	uint32_t member = map_get(&r->files, location);
	struct err e;

	if (member != MAP_NONE)
		return member;
	if (r->files.used >= limits.files)
		return FILE_BROKEN;
	if (source_open_below(&r->m->source, r->v.member, location, &member, &e) == RC_OK) {
		r->m->files++;
		r->m->bytes += r->m->source.members[member].size;
		model_claim(r->m, (struct span){member, 0, 0});
	} else {
		model_problem(r->m, STR(""), "external data '%.*s' %s", (int)cut(location, LABEL_MAX).n, location.p,
			      e.msg);
		member = FILE_BROKEN;
	}
	map_add(&r->files, location, member);
	return member;
}

/* need: bytes that type and shape ask for; UINT64_MAX: not known. */
static void place_external(struct reader *r, struct tensor *t, const struct tensor_proto *tp, uint64_t need)
{
	const struct external *x = &tp->ext;
	uint64_t offset = 0, length = need, size;
	uint32_t member;

	if (!x->location.p) {
		tensor_broken(r->m, t, "its data is external, but nothing says where");
		return;
	}
	if ((x->offset.p && !take_number(x->offset, &offset)) || (x->length.p && !take_number(x->length, &length))) {
		tensor_broken(r->m, t, "the offset or the length of its external data is not a number");
		return;
	}
	member = external_file(r, x->location);
	if (member == FILE_BROKEN) {
		t->trouble = "its external data cannot be opened";
		t->broken = true;
		return;
	}
	size = r->m->source.members[member].size;
	if (length == UINT64_MAX) /* of a type that is not known: all that is left */
		length = size - u64_min(offset, size);
	t->data = (struct span){member, offset, length};
	if (need != UINT64_MAX && length != need)
		tensor_broken(r->m, t, "its type and shape take %" PRIu64 " bytes, its external data has %" PRIu64,
			      need, length);
	else if (offset > size || length > size - offset)
		tensor_broken(r->m, t, "its %" PRIu64 " bytes from byte %" PRIu64 " of %.*s on leave that file of %"
			      PRIu64 " bytes", length, offset, (int)cut(x->location, LABEL_MAX).n, x->location.p, size);
}

static bool one_bit(unsigned x)
{
	return x && !(x & (x - 1));
}

static void place_typed(struct reader *r, struct tensor *t, const struct tensor_proto *tp, const struct elements *el,
			uint64_t need)
{
	uint64_t count;
	struct err why;

	if (values_of(&r->v, tp->message, el->field, el->wire, el->size, &t->data, &count, &why) != RC_OK)
		tensor_broken(r->m, t, "%s (message at byte %" PRIu64 ")", why.msg, at_byte(r, tp->message));
	else if (t->data.length != need)
		tensor_broken(r->m, t, "its shape asks for %" PRIu64 " numbers, and %" PRIu64 " are there (message at "
			      "byte %" PRIu64 ")", need / el->size, count, at_byte(r, tp->message));
}

/* Where the data lies, and whether it is what type and shape ask for. */
static void place(struct reader *r, struct tensor *t, const struct tensor_proto *tp, const struct elements *el)
{
	uint64_t need = UINT64_MAX, bits;

	t->data = values_span(&r->v, tp->message);
	if (el && el->bits) {
		if (!u64_mul(t->count, el->bits, &bits)) {
			tensor_broken(r->m, t, "the bytes of its shape overflow");
			return;
		}
		need = u64_ceil_div(bits, 8);
	}
	if (tp->external)
		place_external(r, t, tp, need);
	else if (!tp->fields && need == 0)
		t->data.length = 0;
	else if (!one_bit(tp->fields))
		tensor_broken(r->m, t, tp->fields ? "its data stands in several fields (message at byte %" PRIu64 ")"
						  : "it has no data (message at byte %" PRIu64 ")", t->data.offset);
	else if (!el || !el->bits) /* what its bytes mean is not known */
		t->data = tp->fields == 1u << RAW_DATA ? values_span(&r->v, tp->raw) : t->data;
	else if (tp->fields == 1u << el->field)
		place_typed(r, t, tp, el, need);
	else if (tp->fields != 1u << RAW_DATA)
		tensor_broken(r->m, t, "its data is not in the field for %s (message at byte %" PRIu64 ")", el->name,
			      t->data.offset);
	else if ((t->data = values_span(&r->v, tp->raw)).length != need)
		tensor_broken(r->m, t, "its type and shape take %" PRIu64 " bytes, its raw_data has %" PRIu64
			      " (byte %" PRIu64 ")", need, t->data.length, t->data.offset);
}

/* What a code of a type of 2 or 4 bits stands for. */
static float code_value(const struct elements *el, unsigned code)
{
	static const float e2m1[8] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
	unsigned n = 1u << el->bits;
	bool is_signed = el->name[0] == 'I';

	if (el->type == DT_F4)
		return code & 8 ? -e2m1[code & 7] : e2m1[code];
	return (float)code - (is_signed && code >= n / 2 ? (float)n : 0);
}

/* Types without a dtype: text is not decoded, and elements of 2 and 4 bits are codes that a table gives the values of.
 * So is a number of 4-bit floats that does not fill whole bytes. */
static void settle_type(struct reader *r, struct tensor *t, const struct elements *el)
{
	float book[16];
	struct err why;

	if (!el->bits)
		t->trouble = "text, not decoded";
	if (!el->bits || (el->type != DT_OPAQUE && t->count % dtypes[el->type].items == 0))
		return;
	for (unsigned code = 0; code < 1u << el->bits; code++)
		book[code] = code_value(el, code);
	t->type = DT_OPAQUE;
	t->type_name = el->name;
	if (pack_book(r->m, t, el->bits, book, NULL, &why) != RC_OK)
		tensor_broken(r->m, t, "%s", why.msg);
}

/* NULL: too many. */
static struct tensor *new_tensor(struct reader *r, struct str name, struct err *e)
{
	struct tensor *t;

	if (model_room(r->m, e) != RC_OK)
		return NULL;
	t = model_add_tensor(r->m);
	t->name = name;
	return t;
}

/* The shape; without one that makes sense the tensor is broken. */
static bool set_shape(struct reader *r, struct tensor *t, const struct tensor_proto *tp, enum dtype type)
{
	struct err why;

	if (tp->bad)
		tensor_broken(r->m, t, "its message is cut off, or not sound (byte %" PRIu64 ")",
			      at_byte(r, tp->message));
	else if (tp->negative)
		tensor_broken(r->m, t, "its shape has a negative dimension (message at byte %" PRIu64 ")",
			      at_byte(r, tp->message));
	else if (tensor_set_shape(r->m, t, type, tp->dims, tp->rank, &why) != RC_OK)
		tensor_broken(r->m, t, "%s", why.msg);
	return !t->broken;
}

static enum rc add_tensor(struct reader *r, struct str name, const struct tensor_proto *tp, struct err *e)
{
	const struct elements *el = elements_of(tp->type);
	struct tensor *t = new_tensor(r, name, e);

	if (!t)
		return RC_FAIL;
	t->type_name = el ? el->name : arena_printf(&r->m->arena, "type %" PRIu64, tp->type);
	if (!set_shape(r, t, tp, el ? el->type : DT_OPAQUE))
		return RC_OK;
	if (tp->segment)
		tensor_broken(r->m, t, "it is a segment of a tensor, which is not read (message at byte %" PRIu64 ")",
			      at_byte(r, tp->message));
	else if (!el)
		tensor_broken(r->m, t, "its element type %" PRIu64 " is not known (message at byte %" PRIu64 ")",
			      tp->type, at_byte(r, tp->message));
	if (!t->broken)
		place(r, t, tp, el);
	if (!t->broken)
		settle_type(r, t, el);
	return RC_OK;
}

/* Listed, with its dense shape. */
static enum rc add_sparse(struct reader *r, struct str name, struct bytes message, struct err *e)
{
	struct tensor_proto values = tensor_of(proto_message(message, 1)), dense = {.message = message};
	const struct elements *el = elements_of(values.type);
	struct proto p = proto_of(message);
	struct tensor *t;

	while (proto_next(&p))
		if (p.field == 3)
			take_dims(&dense, &p);
	dense.bad |= p.bad;
	t = new_tensor(r, name, e);
	if (!t)
		return RC_FAIL;
	t->type_name = arena_printf(&r->m->arena, "sparse %s", el ? el->name : "of an unknown type");
	t->data = values_span(&r->v, message);
	if (set_shape(r, t, &dense, DT_OPAQUE))
		t->trouble = "sparse, not decoded";
	return RC_OK;
}

/* ---- nodes ---- */

struct node {
	struct str name, op, domain, output; /* output: the first one */
	size_t number;
};

static struct node node_of(struct bytes message, size_t number)
{
	struct node n = {.name = STR(""), .op = STR(""), .domain = STR(""), .output = STR(""),
			 .number = number};
	struct proto p = proto_of(message);

	while (proto_next(&p)) {
		if (p.field == 2 && !n.output.n)
			n.output = proto_text(&p);
		else if (p.field == 3)
			n.name = proto_text(&p);
		else if (p.field == 4)
			n.op = proto_text(&p);
		else if (p.field == 7)
			n.domain = proto_text(&p);
	}
	return n;
}

/* What its tensors and graphs are called by: its name, or that of its output, or its operator and number. */
static struct str label(struct reader *r, const struct node *n)
{
	struct str s = n->name.n ? n->name : n->output;

	if (!s.n)
		s = str_of(arena_printf(&r->m->arena, "%.*s_%zu", (int)cut(n->op, LABEL_MAX).n, n->op.p, n->number));
	return s;
}

static bool is_onnx(struct str domain)
{
	return domain.n == 0 || str_eq(domain, STR("ai.onnx"));
}

static void count_domain(struct reader *r, struct str domain)
{
	uint32_t i;

	if (is_onnx(domain))
		return;
	i = map_get(&r->domains, domain);
	if (i == MAP_NONE && r->n_domains == DOMAINS_MAX)
		return;
	if (i == MAP_NONE) {
		i = r->n_domains++;
		r->domain_names[i] = domain;
		map_add(&r->domains, domain, i);
	}
	r->domain_nodes[i]++;
}

static enum rc push_graph(struct reader *r, struct graph g, struct err *e)
{
	if (g.depth > limits.nesting) {
		if (r->problems++ < NAMED)
			model_problem(r->m, STR(""), "graphs are nested too deep: not looked into (byte %" PRIu64
				      "; --limit nesting=N allows more)", at_byte(r, g.message));
		return RC_OK;
	}
	if (r->n_graphs == GRAPHS_MAX)
		return err_set(e, "holds more than %d graphs", GRAPHS_MAX);
	if (r->n_graphs == r->cap_graphs) {
		r->cap_graphs = r->cap_graphs ? 2 * r->cap_graphs : 16;
		r->graphs = xrealloc(r->graphs, r->cap_graphs, sizeof(*r->graphs));
	}
	r->graphs[r->n_graphs++] = g;
	return RC_OK;
}

/* An attribute, before one looks at what it holds. */
struct attribute {
	struct bytes message;
	struct str name;
	unsigned fields;  /* a bit for each of the fields 2 to 11, 22 and 23 */
	unsigned repeats; /* of tensors and graphs so far */
};

static struct attribute attribute_of(struct reader *r, struct bytes message)
{
	struct attribute a = {.message = message, .name = STR("")};
	struct proto p = proto_of(message);

	while (proto_next(&p)) {
		if (p.field == 1)
			a.name = proto_text(&p);
		if (p.field < 32)
			a.fields |= 1u << p.field;
	}
	if (p.bad)
		complain(r, message, "an attribute");
	return a;
}

/* NODE.ATTRIBUTE, and .2 for the third of a list; for a Constant its output. */
static struct str value_name(struct reader *r, const struct graph *in, const struct node *n, struct attribute *a,
			     bool list)
{
	struct str node = cut(label(r, n), (size_t)limits.name), name = cut(a->name, LABEL_MAX);
	struct arena *arena = &r->m->arena;
	const char *text;

	if (is_onnx(n->domain) && str_eq(n->op, STR("Constant")) && n->output.n)
		return name_in(r, in, n->output);
	text = arena_printf(arena, "%.*s.%.*s", (int)node.n, node.p, (int)name.n, name.p);
	return name_in(r, in, str_of(list ? arena_printf(arena, "%s.%u", text, a->repeats++) : text));
}

static enum rc add_graph(struct reader *r, const struct graph *in, const struct node *n, struct attribute *a,
			 struct bytes message, bool list, struct err *e)
{
	struct str node = cut(label(r, n), LABEL_MAX), name = cut(a->name, LABEL_MAX), prefix;

	if (list)
		prefix = str_of(arena_printf(&r->m->arena, "%.*s%.*s.%.*s.%u.", (int)in->prefix.n, in->prefix.p,
					     (int)node.n, node.p, (int)name.n, name.p, a->repeats++));
	else
		prefix = str_of(arena_printf(&r->m->arena, "%.*s%.*s.%.*s.", (int)in->prefix.n, in->prefix.p,
					     (int)node.n, node.p, (int)name.n, name.p));
	return push_graph(r, (struct graph){message, cut(prefix, PREFIX_MAX), in->always, false, in->depth + 1}, e);
}

/* A number, or a list of numbers, of an attribute as a tensor. */
static enum rc add_numbers(struct reader *r, const struct graph *in, const struct node *n, struct attribute *a,
			   uint32_t field, struct err *e)
{
	bool floats = field == 2 || field == 7;
	struct tensor_proto tp = {.message = a->message, .type = floats ? 1 : 7, .rank = field >= 7};
	struct tensor *t = new_tensor(r, value_name(r, in, n, a, false), e);
	uint64_t count;
	struct span at;
	struct err why;

	if (!t)
		return RC_FAIL;
	t->type_name = elements[tp.type].name;
	if (values_of(&r->v, a->message, field, floats ? WIRE_32 : WIRE_VARINT, floats ? 4 : 8, &at, &count, &why)) {
		tensor_broken(r->m, t, "%s (message at byte %" PRIu64 ")", why.msg, at_byte(r, a->message));
		return RC_OK;
	}
	tp.dims[0] = count;
	if (set_shape(r, t, &tp, elements[tp.type].type))
		t->data = at;
	return RC_OK;
}

/* Whether an attribute's numbers are the model's: a Constant's, or those of ai.onnx.ml's trees and linear models. */
static bool holds_numbers(const struct node *n, const struct attribute *a)
{
	if (is_onnx(n->domain) && str_eq(n->op, STR("Constant")))
		return str_eq(a->name, STR("value_float")) || str_eq(a->name, STR("value_int")) ||
		       str_eq(a->name, STR("value_floats")) || str_eq(a->name, STR("value_ints"));
	return str_eq(n->domain, STR("ai.onnx.ml")) && a->fields & (1u << 7 | 1u << 8);
}

static enum rc read_attribute(struct reader *r, const struct graph *in, const struct node *n, struct bytes message,
			      struct err *e)
{
	struct attribute a = attribute_of(r, message);
	struct proto p = proto_of(message);
	enum rc rc = RC_OK;

	while (rc == RC_OK && proto_next(&p)) {
		bool list = p.field == 10 || p.field == 11 || p.field == 23;

		if (p.wire != WIRE_BYTES)
			continue;
		if (p.field == 5 || p.field == 10) {
			struct tensor_proto tp = tensor_of(p.bytes);

			rc = add_tensor(r, value_name(r, in, n, &a, list), &tp, e);
		} else if (p.field == 6 || p.field == 11) {
			rc = add_graph(r, in, n, &a, p.bytes, list, e);
		} else if (p.field == 22 || p.field == 23) {
			rc = add_sparse(r, value_name(r, in, n, &a, list), p.bytes, e);
		}
	}
	if (rc != RC_OK || !holds_numbers(n, &a))
		return rc;
	for (uint32_t field = 2; field <= 8; field++)
		if (a.fields & 1u << field && field != 4 && field != 5 && field != 6)
			return add_numbers(r, in, n, &a, field, e);
	return RC_OK;
}

static enum rc read_node(struct reader *r, const struct graph *in, struct bytes message, struct err *e)
{
	struct node n = node_of(message, r->nodes++);
	struct proto p = proto_of(message);
	enum rc rc = RC_OK;

	count_domain(r, n.domain);
	while (rc == RC_OK && proto_next(&p))
		if (p.field == 5 && p.wire == WIRE_BYTES)
			rc = read_attribute(r, in, &n, p.bytes, e);
	if (rc == RC_OK && p.bad)
		complain(r, message, "a node");
	return rc;
}

/* ---- graphs ---- */

static enum rc read_initializer(struct reader *r, const struct graph *g, struct bytes message, size_t i, struct err *e)
{
	struct tensor_proto tp = tensor_of(message);
	struct str name = tp.name.n ? tp.name : str_of(arena_printf(&r->m->arena, "initializer.%zu", i));

	return add_tensor(r, name_in(r, g, name), &tp, e);
}

/* A sparse tensor has the name of its values. */
static enum rc read_sparse(struct reader *r, const struct graph *g, struct bytes message, size_t i, struct err *e)
{
	struct proto p;
	struct str name = str_of(arena_printf(&r->m->arena, "sparse_initializer.%zu", i));

	if (proto_find(proto_message(message, 1), 8, WIRE_BYTES, &p) && p.bytes.n)
		name = proto_text(&p);
	return add_sparse(r, name_in(r, g, name), message, e);
}

static enum rc read_initializers(struct reader *r, const struct graph *g, struct err *e)
{
	struct proto p = proto_of(g->message);
	enum rc rc = RC_OK;
	size_t i = 0;

	while (rc == RC_OK && proto_next(&p)) {
		if (p.field == 5 && p.wire == WIRE_BYTES)
			rc = read_initializer(r, g, p.bytes, i++, e);
		else if (p.field == 15 && p.wire == WIRE_BYTES)
			rc = read_sparse(r, g, p.bytes, i++, e);
	}
	return rc;
}

/* Of a GraphProto the initialisers, which are its weights, and then the nodes; a FunctionProto has only these, in
 * another field. */
static enum rc read_graph(struct reader *r, struct graph g, struct err *e)
{
	struct proto p = proto_of(g.message);
	enum rc rc = g.function ? RC_OK : read_initializers(r, &g, e);

	while (rc == RC_OK && proto_next(&p))
		if (p.field == (g.function ? 7 : 1) && p.wire == WIRE_BYTES)
			rc = read_node(r, &g, p.bytes, e);
	if (rc == RC_OK && p.bad)
		complain(r, g.message, g.function ? "a function" : "a graph");
	return rc;
}

static enum rc push_function(struct reader *r, struct bytes message, struct err *e)
{
	struct proto name = {0}, domain = {0};
	struct str prefix;

	proto_find(message, 1, WIRE_BYTES, &name);
	proto_find(message, 10, WIRE_BYTES, &domain);
	prefix = str_of(arena_printf(&r->m->arena, "%.*s::%.*s.", (int)cut(proto_text(&domain), LABEL_MAX).n,
				     proto_text(&domain).p, (int)cut(proto_text(&name), LABEL_MAX).n,
				     proto_text(&name).p));
	return push_graph(r, (struct graph){message, prefix, true, true, 1}, e);
}

static enum rc push_training(struct reader *r, struct bytes message, unsigned i, struct err *e)
{
	static const char *const parts[] = {"initialization", "algorithm"};

	for (uint32_t k = 0; k < COUNT(parts); k++) {
		struct bytes graph = proto_message(message, k + 1);
		struct str prefix = str_of(arena_printf(&r->m->arena, "training.%u.%s.", i, parts[k]));

		if (graph.n && push_graph(r, (struct graph){graph, prefix, true, false, 1}, e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

/* A message that is there twice counts as the two together, as protocol buffers have it. */
static enum rc push_all(struct reader *r, struct bytes model, struct err *e)
{
	struct proto p = proto_of(model);
	unsigned training = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && proto_next(&p)) {
		if (p.wire != WIRE_BYTES)
			continue;
		if (p.field == 7)
			rc = push_graph(r, (struct graph){p.bytes, STR(""), false, false, 1}, e);
		else if (p.field == 20)
			rc = push_training(r, p.bytes, training++, e);
		else if (p.field == 25)
			rc = push_function(r, p.bytes, e);
	}
	return rc;
}

/* ---- metadata ---- */

static const struct note model_notes[] = {
	{1, "ir_version", WIRE_VARINT, NULL}, {2, "producer_name", WIRE_BYTES, NULL},
	{3, "producer_version", WIRE_BYTES, NULL}, {4, "domain", WIRE_BYTES, NULL},
	{5, "model_version", WIRE_VARINT, NULL}, {6, "doc_string", WIRE_BYTES, NULL},
};
static const struct note graph_notes[] = {{2, "name", WIRE_BYTES, NULL}, {10, "doc_string", WIRE_BYTES, NULL}};

static void note_pair(struct model *m, const char *prefix, struct bytes entry)
{
	struct proto key, value = {0};

	if (!proto_find(entry, 1, WIRE_BYTES, &key))
		return;
	proto_find(entry, 2, WIRE_BYTES, &value);
	note_text(m, str_of(arena_printf(&m->arena, "%s%.*s", prefix, (int)cut(proto_text(&key), (size_t)limits.name).n,
					 proto_text(&key).p)), "str", proto_text(&value));
}

static void note_opset(struct model *m, struct bytes entry)
{
	struct proto domain = {0}, version = {0};
	struct str name = STR("ai.onnx");

	if (proto_find(entry, 1, WIRE_BYTES, &domain) && domain.bytes.n)
		name = cut(proto_text(&domain), LABEL_MAX);
	proto_find(entry, 2, WIRE_VARINT, &version);
	note_int(m, str_of(arena_printf(&m->arena, "opset_import.%.*s", (int)name.n, name.p)), "int",
		 (int64_t)version.number);
}

/* FLOAT[1,3,height,224] */
static void show_type(struct buf *b, struct bytes tensor_type)
{
	struct proto p = proto_of(proto_message(tensor_type, 2)), x = {0};
	const struct elements *el;
	unsigned n = 0;

	proto_find(tensor_type, 1, WIRE_VARINT, &x);
	el = elements_of(x.number);
	buf_printf(b, "%s[", el ? el->name : "?");
	while (n < RANK_MAX && proto_next(&p)) {
		if (p.field != 1 || p.wire != WIRE_BYTES)
			continue;
		buf_puts(b, n++ ? "," : "");
		if (proto_find(p.bytes, 1, WIRE_VARINT, &x))
			buf_printf(b, "%" PRId64, (int64_t)x.number);
		else if (proto_find(p.bytes, 2, WIRE_BYTES, &x))
			buf_str(b, cut(proto_text(&x), LABEL_MAX));
		else
			buf_putc(b, '?');
	}
	buf_putc(b, ']');
}

/* What goes in and comes out. Up to version 3 the initialisers are inputs, too: they are left out. */
static void note_ports(struct reader *r, struct bytes graph, uint32_t field, const char *prefix)
{
	struct proto p = proto_of(graph), name;
	struct map known = {0};
	struct buf type = {0};
	unsigned n = 0;

	for (size_t i = 0; i < r->m->n_tensors; i++)
		map_add(&known, r->m->tensors[i].name, 0);
	while (n < PORTS_MAX && proto_next(&p)) {
		struct bytes tensor;

		if (p.field != field || p.wire != WIRE_BYTES || !proto_find(p.bytes, 1, WIRE_BYTES, &name) ||
		    map_get(&known, proto_text(&name)) != MAP_NONE)
			continue;
		buf_clear(&type);
		tensor = proto_message(proto_message(p.bytes, 2), 1);
		if (tensor.n)
			show_type(&type, tensor);
		note_text(r->m, str_of(arena_printf(&r->m->arena, "%s%.*s", prefix,
						    (int)cut(proto_text(&name), LABEL_MAX).n, proto_text(&name).p)),
			  "str", tensor.n ? buf_view(&type) : STR("not a tensor"));
		n++;
	}
	buf_free(&type);
	map_free(&known);
}

static void put_metadata(struct reader *r, struct bytes model)
{
	struct bytes graph = proto_message(model, 7);
	struct proto p = proto_of(model);
	struct model *m = r->m;

	notes_of(m, "", model, model_notes, COUNT(model_notes));
	while (proto_next(&p))
		if (p.field == 8 && p.wire == WIRE_BYTES)
			note_opset(m, p.bytes);
	p = proto_of(model);
	while (proto_next(&p))
		if (p.field == 14 && p.wire == WIRE_BYTES)
			note_pair(m, "metadata_props.", p.bytes);
	notes_of(m, "graph.", graph, graph_notes, COUNT(graph_notes));
	note_ports(r, graph, 11, "graph.input.");
	note_ports(r, graph, 12, "graph.output.");
	note_uint(m, STR("nodes"), "count", r->nodes);
	for (uint32_t i = 0; i < r->n_domains; i++) {
		struct str name = cut(r->domain_names[i], LABEL_MAX);

		note_uint(m, str_of(arena_printf(&m->arena, "operators.%.*s", (int)name.n, name.p)), "count",
			  r->domain_nodes[i]);
	}
}

/* ---- the file ---- */

static enum rc check_top(struct bytes model, struct err *e)
{
	struct proto p = proto_of(model);
	bool graph = false;

	while (proto_next(&p))
		graph |= p.field == 7 && p.wire == WIRE_BYTES;
	if (p.bad)
		return err_set(e, "the model is cut off, or not sound, in field %" PRIu32 " of its message (byte %"
			       PRIu64 " of %zu)", p.field, p.at, model.n);
	return graph ? RC_OK : err_set(e, "the ONNX model has no graph");
}

enum rc onnx_read(struct model *m, uint32_t member, struct bytes message, struct err *e)
{
	struct reader r = {.m = m, .v = {.m = m, .member = member}};
	enum rc rc = check_top(message, e);
	struct proto ir;

	if (rc == RC_OK)
		rc = push_all(&r, message, e);
	for (size_t i = 0; rc == RC_OK && i < r.n_graphs; i++) /* grows as it goes */
		rc = read_graph(&r, r.graphs[i], e);
	rc = values_end(&r.v, rc, e);
	if (rc == RC_OK) {
		put_metadata(&r, message);
		if (r.problems > NAMED)
			model_problem(m, STR(""), "%zu more messages are not sound", r.problems - NAMED);
		if (proto_find(message, 1, WIRE_VARINT, &ir))
			m->variant = arena_printf(&m->arena, "IR version %" PRIu64, ir.number);
	}
	free(r.graphs);
	map_free(&r.names);
	map_free(&r.files);
	map_free(&r.domains);
	return rc;
}

static enum rc read_onnx(struct model *m, uint32_t member, struct err *e)
{
	struct bytes all = m->source.members[member].data;

	m->files = 1;
	m->bytes = all.n;
	return onnx_read(m, member, all, e);
}

static bool top_fits(uint32_t field, enum wire wire)
{
	switch (field) {
	case 1:
	case 5:
		return wire == WIRE_VARINT;
	case 2:
	case 3:
	case 4:
	case 6:
	case 7:
	case 8:
	case 14:
	case 20:
	case 25:
	case 26:
		return wire == WIRE_BYTES;
	default: /* of a later version */
		return field > 26 && field < 100;
	}
}

static bool graph_fits(uint32_t field, enum wire wire)
{
	return wire == WIRE_BYTES && (field == 1 || field == 2 || field == 5 || (field >= 10 && field <= 16));
}

/* A version that is believable, and a graph that looks like one. */
static int probe(const struct probe *p)
{
	struct proto_top t = {.head = p->head, .tail = p->tail, .size = p->size};
	bool version = false, graph = false;

	while (proto_top_next(&t)) {
		if (!top_fits(t.p.field, t.p.wire))
			return 0;
		if (t.p.field == 1 && (t.p.number < 1 || t.p.number > 255))
			return 0;
		version |= t.p.field == 1;
		if (t.p.field == 7 && t.p.bytes.n) {
			if (!proto_looks(t.p.bytes, t.cut, 64, graph_fits))
				return 0;
			graph = true;
		}
	}
	if (t.bad || !graph)
		return 0;
	return t.short_of ? 16 : (version ? 40 : 24) + (t.whole ? 8 : 0);
}

const struct format format_onnx = {
	.name = "onnx",
	.about = "Open Neural Network Exchange: models as PyTorch, TensorFlow and scikit-learn export them",
	.reads = "initialisers and constants in every field, subgraphs, functions, external data in the model's "
		 "directory; sparse tensors and text are listed",
	.files = "*.onnx",
	.probe = probe,
	.read = read_onnx,
};
