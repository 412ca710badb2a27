/*
 * TensorFlow's graphs: a frozen GraphDef (.pb), whose weights are the constants among its nodes, and a SavedModel
 * (saved_model.pb), whose weights are a checkpoint in the directory variables beside it. tensorflow/core/framework/
 * {graph,function,node_def,attr_value,tensor}.proto, core/protobuf/{saved_model,meta_graph}.proto.
 *
 * A constant's values stand in place, as bytes or as packed floats; packed integers go to a spool. It may give fewer
 * values than it has elements: the last one is repeated, in a member made of pieces, and never written out.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/map.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/shards.h"
#include "format/texts.h"
#include "format/tf.h"
#include "format/values.h"

enum {
	SMALL = 16,           /* elements: beside variables, constants of no more are counted, not listed */
	OPS_TOLD = TEXTS_KEPT
};

struct repeated { /* a constant that waits for the spool to be mapped */
	size_t tensor;
	struct span values; /* all that are given; empty: zeros */
	uint64_t item, count;
};

struct op {
	struct str name;
	uint64_t nodes;
};

struct reader {
	struct model *m;
	uint32_t member;
	struct values v;
	bool large_only;     /* constants of more than SMALL elements */
	uint64_t nodes, functions, small, name_bytes;
	struct map op_index;
	struct op *ops;
	size_t n_ops, cap_ops;
	struct repeated *repeated;
	size_t n_repeated, cap_repeated;
	struct span zeros;
};

/* ---- constants ---- */

struct constant { /* TensorProto */
	struct bytes message, content;
	uint64_t type;
	struct tf_shape shape;
};

/* Where the values of a type stand when they are not bytes; complex numbers are two each. */
static const struct {
	uint8_t type, field, size, parts;
	enum wire wire;
} fields[] = {
	{1, 5, 4, 1, WIRE_32},       {2, 6, 8, 1, WIRE_64},       {3, 7, 4, 1, WIRE_VARINT},
	{4, 7, 1, 1, WIRE_VARINT},   {5, 7, 2, 1, WIRE_VARINT},   {6, 7, 1, 1, WIRE_VARINT},
	{8, 9, 4, 2, WIRE_32},       {9, 10, 8, 1, WIRE_VARINT},  {10, 11, 1, 1, WIRE_VARINT},
	{11, 7, 1, 1, WIRE_VARINT},  {12, 7, 1, 1, WIRE_VARINT},  {13, 7, 4, 1, WIRE_VARINT},
	{14, 13, 2, 1, WIRE_VARINT}, {15, 7, 2, 1, WIRE_VARINT},  {16, 7, 2, 1, WIRE_VARINT},
	{17, 7, 2, 1, WIRE_VARINT},  {18, 12, 8, 2, WIRE_64},     {19, 13, 2, 1, WIRE_VARINT},
	{22, 16, 4, 1, WIRE_VARINT}, {23, 17, 8, 1, WIRE_VARINT},
};
enum { FLOAT8_FIELD = 18 };

static enum rc read_constant(struct bytes message, struct constant *c, struct err *e)
{
	struct proto p = proto_of(message);

	*c = (struct constant){.message = message};
	while (proto_next(&p)) {
		if (p.field == 1 && p.wire == WIRE_VARINT)
			c->type = p.number;
		else if (p.field == 2 && p.wire == WIRE_BYTES && tf_shape_read(p.bytes, &c->shape, e) != RC_OK)
			return RC_FAIL;
		else if ((p.field == 4 || p.field == FLOAT8_FIELD) && p.wire == WIRE_BYTES && p.bytes.n)
			c->content = p.bytes;
	}
	return p.bad ? err_set(e, "its value is broken") : RC_OK;
}

static enum rc zeros(struct reader *r, struct span *out, struct err *e)
{
	static const uint8_t none[16];
	struct spool *sp;

	if (!r->zeros.length) {
		if (values_spool(&r->v, &sp, e) != RC_OK)
			return RC_FAIL;
		r->zeros = (struct span){spool_member(sp), spool_at(sp), sizeof(none)};
		if (spool_put(sp, none, sizeof(none), e) != RC_OK)
			return RC_FAIL;
	}
	*out = r->zeros;
	return RC_OK;
}

static enum rc repeat(struct reader *r, const struct tensor *t, struct span values, uint64_t item, uint64_t count,
		      struct err *e)
{
	if (!count && zeros(r, &values, e) != RC_OK)
		return RC_FAIL;
	values.length = (count ? count : 1) * item;
	if (r->n_repeated == r->cap_repeated) {
		r->cap_repeated = r->cap_repeated ? 2 * r->cap_repeated : 16;
		r->repeated = xrealloc(r->repeated, r->cap_repeated, sizeof(*r->repeated));
	}
	r->repeated[r->n_repeated++] = (struct repeated){(size_t)(t - r->m->tensors), values, item, count ? count : 1};
	return RC_OK;
}

/* Values that are numbers of the message. */
static enum rc typed_values(struct reader *r, struct tensor *t, const struct constant *c, struct err *e)
{
	uint64_t type = c->type > 100 ? c->type - 100 : c->type, n, item = dtypes[t->type].bytes;
	size_t i = 0;

	while (i < COUNT(fields) && fields[i].type != type)
		i++;
	n = 0;
	t->data = (struct span){r->member, 0, 0};
	if (i < COUNT(fields) &&
	    values_of(&r->v, c->message, fields[i].field, fields[i].wire, fields[i].size, &t->data, &n, e) != RC_OK)
		return RC_FAIL;
	if (i < COUNT(fields)) {
		if (n % fields[i].parts)
			return err_set(e, "half of a complex number is missing");
		n /= fields[i].parts;
	}
	if (n > t->count)
		return err_set(e, "it has %" PRIu64 " values for %" PRIu64 " elements", n, t->count);
	return n < t->count ? repeat(r, t, t->data, item, n, e) : RC_OK;
}

static void set_values(struct reader *r, struct tensor *t, const struct constant *c)
{
	uint64_t need;
	struct err e;

	if (tf_set_shape(r->m, t, c->type, &c->shape, &e) != RC_OK) {
		tensor_broken(r->m, t, "%s", e.msg);
		return;
	}
	t->data = c->content.n ? values_span(&r->v, c->content) : values_span(&r->v, c->message);
	if (t->type == DT_OPAQUE)
		return;
	if (dtype_bytes(t->type, t->count, &need, &e) != RC_OK)
		/* NOLINTNEXTLINE(bugprone-branch-clone): the order of the questions matters */
		tensor_broken(r->m, t, "%s", e.msg);
	else if (c->content.n && c->content.n != need)
		tensor_broken(r->m, t, "its type and shape take %" PRIu64 " bytes, its content has %zu", need,
			      c->content.n);
	else if (!c->content.n && typed_values(r, t, c, &e) != RC_OK)
		tensor_broken(r->m, t, "%s", e.msg);
}

/* All values, and the last one as often as elements are left. */
static void unfold(struct reader *r)
{
	for (size_t i = 0; i < r->n_repeated; i++) {
		const struct repeated *x = &r->repeated[i];
		struct tensor *t = &r->m->tensors[x->tensor];
		struct span last = {x->values.member, x->values.offset + x->values.length - x->item, x->item};
		struct piece pieces[] = {{x->values, 1}, {last, t->count - x->count}};
		struct err e;

		if (source_add_pieces(&r->m->source, t->name, pieces, COUNT(pieces), &t->data.member, &e) != RC_OK) {
			t->data = (struct span){r->member, 0, 0};
			tensor_broken(r->m, t, "%s", e.msg);
		} else {
			t->data = (struct span){t->data.member, 0, t->count * x->item};
		}
	}
}

/* ---- nodes ---- */

struct node { /* NodeDef */
	struct str name, op;
	struct bytes value; /* of the attribute "value", a TensorProto */
};

/* An attribute: 1 key, 2 value { 8 tensor }. */
static void take_attribute(struct node *n, struct bytes message)
{
	struct proto key;

	if (proto_find(message, 1, WIRE_BYTES, &key) && str_eq(proto_text(&key), STR("value")))
		n->value = proto_message(proto_message(message, 2), 8);
}

static bool read_node(struct bytes message, struct node *n)
{
	struct proto p = proto_of(message);

	*n = (struct node){{"", 0}, {"", 0}, {NULL, 0}};
	while (proto_next(&p)) {
		if (p.field == 1 && p.wire == WIRE_BYTES)
			n->name = proto_text(&p);
		else if (p.field == 2 && p.wire == WIRE_BYTES)
			n->op = proto_text(&p);
		else if (p.field == 5 && p.wire == WIRE_BYTES)
			take_attribute(n, p.bytes);
	}
	return !p.bad;
}

static void count_op(struct reader *r, struct str name)
{
	uint32_t at = map_add(&r->op_index, name, (uint32_t)r->n_ops);

	r->nodes++;
	if (at != MAP_NONE) {
		r->ops[at].nodes++;
		return;
	}
	if (r->n_ops == r->cap_ops) {
		r->cap_ops = r->cap_ops ? 2 * r->cap_ops : 64;
		r->ops = xrealloc(r->ops, r->cap_ops, sizeof(*r->ops));
	}
	r->ops[r->n_ops++] = (struct op){name, 1};
}

static bool is_small(const struct constant *c)
{
	uint64_t n = 1;

	for (unsigned k = 0; k < c->shape.rank; k++)
		if (!u64_mul(n, c->shape.dims[k], &n))
			return false;
	return !c->shape.unknown && n <= SMALL;
}

static enum rc add_constant(struct reader *r, struct str function, const struct node *n, struct err *e)
{
	struct constant c;
	struct tensor *t;
	struct err why;
	enum rc rc = read_constant(n->value, &c, &why);

	if (rc == RC_OK && r->large_only && is_small(&c)) {
		r->small++;
		return RC_OK;
	}
	r->name_bytes += function.n + n->name.n;
	if (r->name_bytes > limits_names(r->m->source.members[r->member].size))
		return limits_passed(&limits.names, e);
	if (model_room(r->m, e) != RC_OK)
		return RC_FAIL;
	t = model_add_tensor(r->m);
	t->name = str_of(arena_printf(&r->m->arena, "%.*s%s%.*s", (int)function.n, function.p, function.n ? "/" : "",
				      (int)n->name.n, n->name.p));
	t->type_name = dtypes[DT_OPAQUE].name;
	t->data.member = r->member;
	if (!n->value.p)
		tensor_broken(r->m, t, "it is a constant without a value");
	else if (rc != RC_OK)
		tensor_broken(r->m, t, "%s", why.msg);
	else
		set_values(r, t, &c);
	return RC_OK;
}

static enum rc take_node(struct reader *r, struct str function, struct bytes message, struct err *e)
{
	struct node n;

	if (!read_node(message, &n))
		return err_set(e, "node %.*s is broken (byte %" PRIu64 ")", (int)n.name.n, n.name.p,
			       values_span(&r->v, message).offset);
	count_op(r, n.op);
	return str_eq(n.op, STR("Const")) ? add_constant(r, function, &n, e) : RC_OK;
}

/* FunctionDef: 1 signature { 1 name }, 3 node_def. */
static enum rc take_function(struct reader *r, struct bytes message, struct err *e)
{
	struct proto p = proto_of(message), name;
	struct str function = STR("");

	r->functions++;
	if (proto_find(proto_message(message, 1), 1, WIRE_BYTES, &name))
		function = proto_text(&name);
	while (proto_next(&p))
		if (p.field == 3 && p.wire == WIRE_BYTES && take_node(r, function, p.bytes, e) != RC_OK)
			return RC_FAIL;
	return p.bad ? err_set(e, "function %.*s is broken", (int)function.n, function.p) : RC_OK;
}

static enum rc take_library(struct reader *r, struct bytes message, struct err *e)
{
	struct proto p = proto_of(message);

	while (proto_next(&p))
		if (p.field == 1 && p.wire == WIRE_BYTES && take_function(r, p.bytes, e) != RC_OK)
			return RC_FAIL;
	return p.bad ? err_set(e, "the graph's library is broken") : RC_OK;
}

/* GraphDef: 1 node, 2 library, 4 versions { 1 producer, 2 min_consumer }. */
static enum rc take_graph(struct reader *r, struct bytes message, const char *prefix, struct err *e)
{
	static const struct note versions[] = {{1, "versions.producer", WIRE_VARINT, NULL},
					       {2, "versions.min_consumer", WIRE_VARINT, NULL}};
	struct proto p = proto_of(message);
	enum rc rc = RC_OK;

	notes_of(r->m, prefix, proto_message(message, 4), versions, COUNT(versions));
	while (rc == RC_OK && proto_next(&p)) {
		if (p.field == 1 && p.wire == WIRE_BYTES)
			rc = take_node(r, STR(""), p.bytes, e);
		else if (p.field == 2 && p.wire == WIRE_BYTES)
			rc = take_library(r, p.bytes, e);
	}
	if (rc == RC_OK && p.bad)
		rc = err_set(e, "the graph is broken after %" PRIu64 " bytes", p.at);
	return rc;
}

static int by_nodes(const void *pa, const void *pb)
{
	const struct op *a = pa, *b = pb;

	return a->nodes != b->nodes ? (a->nodes < b->nodes ? 1 : -1) : str_cmp(a->name, b->name);
}

/* TensorFlow's operators that reach out of a graph: files, the network, Python. Saving and restoring, and tables from
 * the model's own assets, which every SavedModel does, are not among them. */
static bool reaches_out(struct str op)
{
	static const char *const ops[] = {
		"ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "PyFuncStateless", "EagerPyFunc", "ImmutableConst",
		"CreateSummaryFileWriter", "CreateSummaryDbWriter", "WriteSummary", "WriteRawProtoSummary",
		"ImportEvent", "DebugIdentity", "DebugIdentityV2", "DebugIdentityV3", "DebugNanCount",
		"DebugNumericSummary", "TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2",
		"FixedLengthRecordDataset", "FixedLengthRecordDatasetV2", "TextLineReader", "TextLineReaderV2",
		"TFRecordReader", "TFRecordReaderV2", "WholeFileReader", "WholeFileReaderV2",
		"FixedLengthRecordReader", "FixedLengthRecordReaderV2", "LMDBReader", "LMDBDataset", "SqlDataset",
		"CSVDataset", "CSVDatasetV2", "MatchingFilesDataset", "CacheDataset", "CacheDatasetV2", "SaveDataset",
		"SaveDatasetV2", "LoadDataset", "SnapshotDataset", "SnapshotDatasetV2", "DatasetToTFRecord",
		"DataServiceDataset", "DataServiceDatasetV2", "DataServiceDatasetV3", "DataServiceDatasetV4", "Load",
		"LoadLibrary", "RemoteCall", "RpcClient", "RpcServer", "Send", "_Send", "FileSystemSetConfiguration",
	};

	for (size_t i = 0; i < COUNT(ops); i++)
		if (str_eq(op, str_of(ops[i])))
			return true;
	return false;
}

static void note_counts(struct reader *r)
{
	struct texts list = {.m = r->m}, out = {.m = r->m};

	note_uint(r->m, STR("nodes"), "count", r->nodes);
	if (r->functions)
		note_uint(r->m, STR("functions"), "count", r->functions);
	if (r->small)
		note_uint(r->m, STR("constants.small"), "count", r->small);
	if (r->n_ops)
		qsort(r->ops, r->n_ops, sizeof(*r->ops), by_nodes);
	for (size_t i = 0; i < r->n_ops; i++) {
		struct str s = str_of(arena_printf(&r->m->arena, "%" PRIu64 " %.*s", r->ops[i].nodes,
						   (int)u64_min(r->ops[i].name.n, 200), r->ops[i].name.p));

		texts_add(&list, s);
		if (reaches_out(r->ops[i].name))
			texts_add(&out, s);
	}
	texts_end(&list, STR("operators"));
	texts_end(&out, STR("operators.outside")); /* of the list above only the most frequent ones are kept */
}

/* What follows the reading of one or more graphs, whatever came of that. A file that is broken further on shows what
 * stands before. */
static enum rc end(struct reader *r, enum rc rc, struct err *e)
{
	struct err why;
	enum rc ended;

	if (rc != RC_OK && r->m->n_tensors) {
		model_problem(r->m, STR(""), "%s", e->msg);
		rc = RC_OK;
	}
	ended = values_end(&r->v, rc, &why);
	if (rc == RC_OK && ended != RC_OK)
		rc = err_set(e, "%s", why.msg);
	if (rc == RC_OK) {
		unfold(r);
		note_counts(r);
	}
	map_free(&r->op_index);
	free(r->ops);
	free(r->repeated);
	return rc;
}

static enum rc read_graph(struct model *m, uint32_t member, struct err *e)
{
	struct reader r = {.m = m, .member = member, .v = {.m = m, .member = member}};

	m->files = 1;
	m->bytes = m->source.members[member].size;
	return end(&r, take_graph(&r, m->source.members[member].data, "", e), e);
}

/* ---- SavedModel ---- */

/* "float [-1,224,224,3]" */
static void put_type(struct buf *b, struct bytes info)
{
	struct proto p, q = proto_of(proto_message(info, 3));
	const char *word = NULL;
	unsigned n = 0;

	if (proto_find(info, 2, WIRE_VARINT, &p))
		tf_type(p.number, &word);
	buf_printf(b, " %s [", word ? word : "?");
	while (n <= limits.rank && proto_next(&q)) {
		int64_t size = 0;

		if (q.field == 3 && q.number)
			buf_puts(b, "?");
		if (q.field != 2 || q.wire != WIRE_BYTES)
			continue;
		if (proto_find(q.bytes, 1, WIRE_VARINT, &p))
			size = (int64_t)p.number;
		buf_printf(b, "%s%" PRId64, n++ ? "," : "", size);
	}
	buf_puts(b, "]");
}

/* A map of names to TensorInfo { 1 name, 2 dtype, 3 tensor_shape }. */
static void note_ends(struct reader *r, struct bytes signature, uint32_t field, struct str key)
{
	struct proto p = proto_of(signature), name;
	struct texts list = {.m = r->m};

	while (list.count < TEXTS_KEPT && proto_next(&p)) {
		struct buf b = {0};

		if (p.field != field || p.wire != WIRE_BYTES)
			continue;
		if (proto_find(p.bytes, 1, WIRE_BYTES, &name))
			buf_add(&b, proto_text(&name).p, (size_t)u64_min(name.bytes.n, 1000));
		put_type(&b, proto_message(p.bytes, 2));
		texts_add(&list, buf_view(&b));
		buf_free(&b);
	}
	texts_end(&list, key);
}

/* An entry of a map: 1 key, 2 SignatureDef { 1 inputs, 2 outputs }. */
static void note_signature(struct reader *r, const char *prefix, struct bytes entry)
{
	struct bytes signature = proto_message(entry, 2);
	struct proto name;
	const char *key;

	if (!proto_find(entry, 1, WIRE_BYTES, &name))
		return;
	key = arena_printf(&r->m->arena, "%ssignature.%.*s", prefix, (int)u64_min(name.bytes.n, 1000),
			   proto_text(&name).p);
	note_ends(r, signature, 1, str_of(arena_printf(&r->m->arena, "%s.inputs", key)));
	note_ends(r, signature, 2, str_of(arena_printf(&r->m->arena, "%s.outputs", key)));
}

/* MetaInfoDef: 4 tags, 5 tensorflow_version, 6 tensorflow_git_version. */
static void note_info(struct reader *r, const char *prefix, struct bytes info)
{
	static const struct note notes[] = {{5, "tensorflow_version", WIRE_BYTES, NULL},
					    {6, "tensorflow_git_version", WIRE_BYTES, NULL}};
	struct texts tags = {.m = r->m};
	struct proto p = proto_of(info);

	notes_of(r->m, prefix, info, notes, COUNT(notes));
	while (proto_next(&p))
		if (p.field == 4 && p.wire == WIRE_BYTES)
			texts_add(&tags, proto_text(&p));
	texts_end(&tags, str_of(arena_printf(&r->m->arena, "%stags", prefix)));
}

/* MetaGraphDef: 1 meta_info_def, 2 graph_def, 5 signature_def. */
static enum rc take_meta_graph(struct reader *r, struct bytes message, const char *prefix, struct err *e)
{
	struct proto p = proto_of(message);
	enum { SIGNATURES = 64 };
	unsigned signatures = 0;

	note_info(r, prefix, proto_message(message, 1));
	while (proto_next(&p)) {
		if (p.field == 5 && p.wire == WIRE_BYTES && signatures++ < SIGNATURES)
			note_signature(r, prefix, p.bytes);
		else if (p.field == 2 && p.wire == WIRE_BYTES && take_graph(r, p.bytes, prefix, e) != RC_OK)
			return RC_FAIL;
	}
	return p.bad ? err_set(e, "its graph is broken after %" PRIu64 " bytes", p.at) : RC_OK;
}

/* SavedModel: 1 saved_model_schema_version, 2 meta_graphs. */
static enum rc take_saved_model(struct reader *r, struct err *e)
{
	struct bytes all = r->m->source.members[r->member].data;
	struct proto p = proto_of(all);
	uint64_t graphs = 0, i = 0;
	enum rc rc = RC_OK;

	while (proto_next(&p))
		graphs += p.field == 2 && p.wire == WIRE_BYTES;
	if (p.bad)
		err_set(e, "it is broken after %" PRIu64 " bytes", p.at);
	rc = p.bad ? RC_FAIL : RC_OK;
	p = proto_of(all);
	while (rc == RC_OK && proto_next(&p))
		if (p.field == 2 && p.wire == WIRE_BYTES) {
			const char *prefix = graphs > 1 ? arena_printf(&r->m->arena, "%" PRIu64 ".", i) : "";

			i++;
			rc = take_meta_graph(r, p.bytes, prefix, e);
		}
	return rc;
}

static enum rc read_saved_model(struct model *m, uint32_t member, struct err *e)
{
	struct reader r = {.m = m, .member = member, .v = {.m = m, .member = member}};
	uint32_t index;
	struct err why;

	m->files = 1;
	m->bytes = m->source.members[member].size;
	r.large_only = source_open_below(&m->source, member, STR("variables/variables.index"), &index, &why) == RC_OK;
	if (r.large_only && tf_bundle_read(m, index, &why) != RC_OK)
		model_problem(m, STR(""), "variables/variables.index: %s", why.msg);
	return end(&r, take_saved_model(&r, e), e);
}

/* ---- probes ---- */

static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9' && i) && c != '_' &&
		    !(c == '>' && i))
			return false;
	}
	return s.n > 0;
}

static bool is_path(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what has no bytes is of no length */
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '\x7f')
			return false;
	return s.n > 0;
}

/* The front of a message that may be cut off: the first field, which has to be bytes. */
static bool first_field(struct bytes b, uint32_t field, uint64_t size, struct bytes *inside, uint64_t *length)
{
	struct cur c = cur_of(b);
	uint64_t tag = proto_varint(&c);

	*length = proto_varint(&c);
	if (c.bad || tag != ((uint64_t)field << 3 | WIRE_BYTES) || *length > size - cur_at(&c))
		return false;
	*inside = (struct bytes){c.p, (size_t)u64_min(*length, cur_left(&c))};
	return true;
}

/* A node first, with its name first, and then its operator. */
static int probe_graph(const struct probe *p)
{
	struct bytes node, name, op;
	uint64_t n, own, k;

	if (!first_field(p->head, 1, p->size, &node, &n) || !first_field(node, 1, n, &name, &own) || name.n < own)
		return 0;
	n -= (uint64_t)(name.p - node.p) + own;
	node.n -= (size_t)(name.p - node.p) + name.n;
	node.p = name.p + name.n;
	if (!first_field(node, 2, n, &op, &k) || op.n < k)
		return 0;
	return is_path((struct str){(const char *)name.p, name.n}) && is_word((struct str){(const char *)op.p, op.n}) ?
		       44 : 0;
}

/* Version 1, then a graph that begins with its information or with itself. The version may be missing, as in the
 * modules of TensorFlow Hub, but only where the file is called as it must be. */
static int probe_saved_model(const struct probe *p)
{
	struct bytes rest, graph, inside;
	uint64_t n, k, version = 2;

	if (p->head.n < 4)
		return 0;
	if (p->head.p[0] != 0x08 && p->name && str_eq(base_name(str_of(p->name)), STR("saved_model.pb")))
		version = 0;
	else if (p->head.p[0] != 0x08 || p->head.p[1] != 1)
		return 0;
	rest = (struct bytes){p->head.p + version, p->head.n - version};
	if (!first_field(rest, 2, p->size - version, &graph, &n))
		return 0;
	if (first_field(graph, 1, n, &inside, &k)) { /* an ONNX file of its first version has a name there, as text */
		for (uint32_t field = 1; field <= 6; field++)
			if (first_field(inside, field, k, &rest, &n))
				return 44;
		return k ? 0 : 44;
	}
	return first_field(graph, 2, n, &inside, &k) && probe_graph(&(struct probe){.head = inside, .size = k}) ? 44
														: 0;
}

const struct format format_graphdef = {
	.name = "graphdef",
	.about = "TensorFlow's frozen graph, with its weights as constants",
	.reads = "constants of the graph and of its functions, in all encodings; text is listed",
	.files = "*.pb",
	.probe = probe_graph,
	.read = read_graph,
};

const struct format format_savedmodel = {
	.name = "savedmodel",
	.about = "TensorFlow's SavedModel, a directory",
	.reads = "variables, constants of more than 16 elements (all of them where there are no variables), signatures",
	.files = "saved_model.pb",
	.rank = RANK_INDEX,
	.probe = probe_saved_model,
	.read = read_saved_model,
};
