/*
 * TensorFlow Lite: one flatbuffer (format/flatbuf.h) that begins with a reference to its Model and TFL3. The tables and
 * the numbers of their fields are those of tensorflow/compiler/mlir/lite/schema/schema.fbs. Tensors that have no buffer
 * are computed when the net runs, and are left out. Data lie in place, in the flatbuffer or, in files of more than 2
 * GiB, after it.
 */
#include "format/tflite.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/utf8.h"
#include "format/flatbuf.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/texts.h"
#include "model/pack.h"

enum { /* fields */
	MODEL_VERSION = 0, MODEL_CODES, MODEL_SUBGRAPHS, MODEL_DESCRIPTION, MODEL_BUFFERS, MODEL_METADATA = 6,
	MODEL_SIGNATURES,
	CODE_OLD = 0, CODE_CUSTOM = 1, CODE_BUILTIN = 3,
	GRAPH_TENSORS = 0, GRAPH_INPUTS, GRAPH_OUTPUTS, GRAPH_OPERATORS, GRAPH_NAME,
	OPERATOR_CODE = 0,
	TENSOR_SHAPE = 0, TENSOR_TYPE, TENSOR_BUFFER, TENSOR_NAME, TENSOR_QUANTIZATION, TENSOR_SPARSITY = 6,
	TENSOR_EXTERNAL = 10,
	QUANTIZATION_SCALE = 2, QUANTIZATION_ZERO, QUANTIZATION_DETAILS, QUANTIZATION_DIMENSION = 6,
	BUFFER_DATA = 0, BUFFER_OFFSET, BUFFER_SIZE,
	METADATA_NAME = 0, METADATA_BUFFER,
	SIGNATURE_KEY = 2
};

enum {
	OLD_CODES = 127, /* numbers from here on stand in CODE_BUILTIN */
	GRAPHS_TOLD = 64 /* subgraphs whose inputs and outputs go into the metadata */
};

struct reader {
	struct model *m;
	uint32_t member;
	struct flatbuf f;
	struct fb_vector buffers, subgraphs;
	struct map names;
	uint64_t name_bytes; /* copied so far: many tensors may point at one long name */
	uint64_t numbers;    /* likewise */
};

static const struct {
	const char *word;
	enum dtype type;
} types[] = { /* TensorType */
	{"float32", DT_F32},    {"float16", DT_F16},  {"int32", DT_I32},      {"uint8", DT_U8},
	{"int64", DT_I64},      {"string", DT_OPAQUE}, {"bool", DT_BOOL},     {"int16", DT_I16},
	{"complex64", DT_C64},  {"int8", DT_I8},      {"float64", DT_F64},    {"complex128", DT_C128},
	{"uint64", DT_U64},     {"resource", DT_OPAQUE}, {"variant", DT_OPAQUE}, {"uint32", DT_U32},
	{"uint16", DT_U16},     {"int4", DT_OPAQUE},  {"bfloat16", DT_BF16},  {"int2", DT_OPAQUE},
	{"uint4", DT_OPAQUE},   {"float8_e4m3fn", DT_F8_E4M3}, {"float8_e5m2", DT_F8_E5M2},
};
enum { TYPE_STRING = 5 };

static enum rc unsound(const struct reader *r, struct err *e)
{
	return err_set(e, "the flatbuffer is not sound: %s (byte %" PRIu64 ")", r->f.what, r->f.at);
}

/* ---- tensors ---- */

/* Where a buffer's bytes are; of an empty one, length is 0. */
static bool buffer_span(struct reader *r, uint64_t number, struct span *out)
{
	struct fb_table b;
	struct fb_vector data;
	uint64_t offset;

	*out = (struct span){r->member, 0, 0};
	if (!fb_item(&r->f, &r->buffers, number, &b))
		return number < r->buffers.n && !r->f.bad;
	offset = fb_uint(&r->f, &b, BUFFER_OFFSET, 8, 0);
	if (offset > 1)
		*out = (struct span){r->member, offset, fb_uint(&r->f, &b, BUFFER_SIZE, 8, 0)};
	else if (fb_vector(&r->f, &b, BUFFER_DATA, 1, &data))
		*out = (struct span){r->member, data.at, data.n};
	return !r->f.bad;
}

/* "3/model/conv" of one of several subgraphs. Names need not be there, nor differ: then the tensor's number is
 * added. */
static enum rc set_name(struct reader *r, struct tensor *t, const struct fb_table *table, uint64_t graph, uint64_t i,
			struct err *e)
{
	struct str own = fb_text(&r->f, table, TENSOR_NAME), name;
	struct buf b = {0};

	if (own.n > limits.name)
		return limits_passed(&limits.name, e);
	if ((r->name_bytes += own.n) > r->f.b.n)
		return err_set(e, "the names of its tensors are longer than the file");
	if (r->subgraphs.n > 1)
		buf_printf(&b, "%" PRIu64 "/", graph);
	if (own.n)
		buf_str(&b, own);
	else
		buf_printf(&b, "tensor_%" PRIu64, i);
	if (map_get(&r->names, buf_view(&b)) != MAP_NONE)
		buf_printf(&b, "#%" PRIu64, i);
	name = arena_str(&r->m->arena, buf_view(&b));
	buf_free(&b);
	map_add(&r->names, name, 0);
	t->name = name;
	return RC_OK;
}

static enum rc read_shape(struct reader *r, struct tensor *t, const struct fb_table *table, enum dtype type,
			  struct err *e)
{
	uint64_t dims[RANK_MAX];
	struct fb_vector v;

	fb_vector(&r->f, table, TENSOR_SHAPE, 4, &v);
	if (v.n > limits.rank)
		return limits_passed(&limits.rank, e);
	for (uint64_t k = 0; k < v.n; k++) {
		dims[k] = fb_number(&r->f, &v, k, 4);
		if (dims[k] > INT32_MAX)
			return err_set(e, "dimension %" PRIu64 " of its shape is negative", k);
	}
	return tensor_set_shape(r->m, t, type, dims, (unsigned)v.n, e);
}

/* How codes become values: (code - zero point) * scale, one of each or one for each slice along a dimension. Floats may
 * have them, too, as a trace of where they come from. */
static void quantise(struct reader *r, struct tensor *t, const struct fb_table *table)
{
	struct affine how = {.form = AFFINE_ZERO};
	struct arena scratch = {0};
	struct fb_vector scale, zero;
	struct fb_table q;
	uint64_t dimension;
	struct err e;
	float *a, *b;

	if (!fb_child(&r->f, table, TENSOR_QUANTIZATION, &q))
		return;
	if (fb_uint(&r->f, &q, QUANTIZATION_DETAILS, 1, 0)) {
		t->note = "quantised in a way of its own; the codes are shown";
		return;
	}
	fb_vector(&r->f, &q, QUANTIZATION_SCALE, 4, &scale);
	fb_vector(&r->f, &q, QUANTIZATION_ZERO, 8, &zero);
	dimension = fb_uint(&r->f, &q, QUANTIZATION_DIMENSION, 4, 0);
	if (!scale.n || t->trouble || dtypes[t->type].kind == KIND_FLOAT)
		return;
	if (t->rank == 1 && scale.n == t->count)
		dimension = 0; /* a bias, for which the first converters wrote the dimension of the weights' channels */
	r->numbers += 2 * scale.n; /* many tensors may point at one long list */
	if (r->numbers > r->f.b.n || (scale.n > 1 && dimension >= t->rank) || (zero.n > 1 && zero.n != scale.n)) {
		model_problem(r->m, t->name, "its %" PRIu64 " scales and %" PRIu64 " zero points do not fit: its codes "
			      "are shown", scale.n, zero.n);
		return;
	}
	a = arena_new(&scratch, float, (size_t)scale.n);
	b = arena_new(&scratch, float, (size_t)scale.n);
	for (uint64_t i = 0; i < scale.n; i++) {
		uint32_t bits = (uint32_t)fb_number(&r->f, &scale, i, 4);

		memcpy(&a[i], &bits, sizeof(bits));
		b[i] = (float)(int64_t)fb_number(&r->f, &zero, zero.n > 1 ? i : 0, 8);
	}
	how.a = a;
	how.b = zero.n ? b : NULL;
	how.n = scale.n;
	how.axis = scale.n > 1 ? (unsigned)dimension : 0;
	if (scale.n == 1)
		t->note = arena_printf(&r->m->arena, "scale %.9g, zero point %.9g", (double)a[0], (double)b[0]);
	if (pack_affine(r->m, t, &how, &e) != RC_OK)
		model_problem(r->m, t->name, "%s: its codes are shown", e.msg);
	arena_free(&scratch);
}

static void check_data(struct reader *r, struct tensor *t)
{
	uint64_t need, size = r->m->source.members[r->member].size;
	struct err e;

	if (t->data.offset > size || t->data.length > size - t->data.offset)
		tensor_broken(r->m, t, "its %" PRIu64 " bytes from byte %" PRIu64 " on leave the file of %" PRIu64
			      " bytes", t->data.length, t->data.offset, size);
	else if (t->type == DT_OPAQUE)
		return;
	else if (dtype_bytes(t->type, t->count, &need, &e) != RC_OK)
		tensor_broken(r->m, t, "%s", e.msg);
	else if (need != t->data.length)
		tensor_broken(r->m, t, "its type and shape take %" PRIu64 " bytes, its buffer has %" PRIu64, need,
			      t->data.length);
}

static const char *type_word(struct reader *r, uint64_t number)
{
	return number < COUNT(types) ? types[number].word : arena_printf(&r->m->arena, "type %" PRIu64, number);
}

/* What it would be, had it data. */
static void add_absent(struct reader *r, struct tensor *t, const struct fb_table *table)
{
	struct err e;

	t->type_name = type_word(r, fb_uint(&r->f, table, TENSOR_TYPE, 1, 0));
	if (read_shape(r, t, table, DT_OPAQUE, &e) != RC_OK)
		tensor_broken(r->m, t, "%s", e.msg);
}

static void add_tensor(struct reader *r, struct tensor *t, const struct fb_table *table)
{
	uint64_t number = fb_uint(&r->f, table, TENSOR_TYPE, 1, 0);
	enum dtype type = number < COUNT(types) ? types[number].type : DT_OPAQUE;
	struct fb_table sparse;
	struct err e;

	t->type_name = type_word(r, number);
	if (fb_child(&r->f, table, TENSOR_SPARSITY, &sparse)) {
		t->trouble = "sparse, not decoded";
		t->type_name = arena_printf(&r->m->arena, "sparse %s", t->type_name);
		type = DT_OPAQUE;
	} else if (type == DT_OPAQUE) {
		t->trouble = number == TYPE_STRING ? "text, not numbers" :
						     arena_printf(&r->m->arena, "not decoded: %s", t->type_name);
	}
	if (read_shape(r, t, table, type, &e) != RC_OK)
		tensor_broken(r->m, t, "%s", e.msg);
	else
		check_data(r, t);
	quantise(r, t, table);
}

/* A tensor with data, or with its data in another file. */
static enum rc take_tensor(struct reader *r, const struct fb_vector *tensors, uint64_t graph, uint64_t i, struct err *e)
{
	struct fb_table table;
	struct span data;
	struct tensor *t;
	uint64_t buffer, external;
	bool sound;

	if (!fb_item(&r->f, tensors, i, &table))
		return unsound(r, e);
	buffer = fb_uint(&r->f, &table, TENSOR_BUFFER, 4, 0);
	external = fb_uint(&r->f, &table, TENSOR_EXTERNAL, 4, 0);
	sound = buffer_span(r, buffer, &data);
	if (r->f.bad)
		return unsound(r, e);
	if (sound && !data.length && !external)
		return RC_OK;
	if (model_room(r->m, e) != RC_OK)
		return RC_FAIL;
	t = model_add_tensor(r->m);
	if (set_name(r, t, &table, graph, i, e) != RC_OK)
		return RC_FAIL;
	t->data = data;
	if (sound && (data.length || !external)) {
		add_tensor(r, t, &table);
	} else {
		add_absent(r, t, &table);
		if (!sound)
			tensor_broken(r->m, t, "its buffer is number %" PRIu64 " of %" PRIu64, buffer, r->buffers.n);
		else if (!t->broken)
			t->trouble = "its data is in another file, which is not read";
		t->broken = true; /* nothing of it can be compared */
	}
	return r->f.bad ? unsound(r, e) : RC_OK;
}

/* ---- metadata ---- */

/* The operators of all subgraphs, by their kind: "3 CONV_2D"; custom ones on their own, too. */
static void note_operators(struct reader *r, struct fb_table *model)
{
	struct texts all = {.m = r->m}, custom = {.m = r->m};
	struct arena scratch = {0};
	struct fb_vector codes, operators;
	struct fb_table code, graph, operator;
	uint64_t *counts;

	fb_vector(&r->f, model, MODEL_CODES, 4, &codes);
	counts = arena_new(&scratch, uint64_t, (size_t)codes.n);
	for (uint64_t g = 0; g < r->subgraphs.n && fb_item(&r->f, &r->subgraphs, g, &graph); g++) {
		fb_vector(&r->f, &graph, GRAPH_OPERATORS, 4, &operators);
		for (uint64_t i = 0; i < operators.n && fb_item(&r->f, &operators, i, &operator); i++) {
			uint64_t k = fb_uint(&r->f, &operator, OPERATOR_CODE, 4, 0);

			if (k < codes.n)
				counts[k]++;
		}
	}
	for (uint64_t i = 0; i < codes.n && fb_item(&r->f, &codes, i, &code); i++) {
		uint64_t old = fb_uint(&r->f, &code, CODE_OLD, 1, 0), k = fb_uint(&r->f, &code, CODE_BUILTIN, 4, 0);
		struct str own = fb_text(&r->f, &code, CODE_CUSTOM);
		const char *name;
		struct buf b = {0};

		k = old < OLD_CODES && k < old ? old : k;
		name = tflite_operator(k);
		own.n = u64_min(own.n, limits.name);
		buf_printf(&b, "%" PRIu64 " ", counts[i]);
		if (k == TFLITE_CUSTOM && own.n)
			buf_str(&b, own);
		else if (name)
			buf_puts(&b, name);
		else
			buf_printf(&b, "operator %" PRIu64, k);
		texts_add(&all, buf_view(&b));
		if (k == TFLITE_CUSTOM)
			texts_add(&custom, own);
		buf_free(&b);
	}
	texts_end(&all, STR("operators"));
	texts_end(&custom, STR("custom_operators"));
	arena_free(&scratch);
}

/* "serving_default_x:0 float32 [1,16]" */
static void note_ends(struct reader *r, const struct fb_table *graph, unsigned slot, uint64_t number, const char *what)
{
	struct texts list = {.m = r->m};
	struct fb_vector tensors, ends, shape;
	struct fb_table t;

	fb_vector(&r->f, graph, GRAPH_TENSORS, 4, &tensors);
	fb_vector(&r->f, graph, slot, 4, &ends);
	for (uint64_t i = 0; i < u64_min(ends.n, TEXTS_KEPT); i++) {
		struct buf b = {0};
		uint64_t type;
		struct str name;

		if (!fb_item(&r->f, &tensors, fb_number(&r->f, &ends, i, 4), &t))
			continue;
		type = fb_uint(&r->f, &t, TENSOR_TYPE, 1, 0);
		name = fb_text(&r->f, &t, TENSOR_NAME);
		fb_vector(&r->f, &t, TENSOR_SHAPE, 4, &shape);
		buf_add(&b, name.p, u64_min(name.n, limits.name));
		buf_printf(&b, " %s [", type < COUNT(types) ? types[type].word : "?");
		for (uint64_t k = 0; k < shape.n && k < RANK_MAX; k++)
			buf_printf(&b, "%s%" PRId32, k ? "," : "", (int32_t)fb_number(&r->f, &shape, k, 4));
		buf_puts(&b, "]");
		texts_add(&list, buf_view(&b));
		buf_free(&b);
	}
	if (r->subgraphs.n > 1)
		texts_end(&list, str_of(arena_printf(&r->m->arena, "%" PRIu64 ".%s", number, what)));
	else
		texts_end(&list, str_of(what));
}

/* The metadata that TensorFlow Lite's model makers add, a flatbuffer of its own (metadata_schema.fbs,
 * ModelMetadata). */
static void note_model_metadata(struct reader *r, struct bytes b)
{
	static const struct {
		unsigned slot;
		const char *key;
	} fields[] = {{0, "metadata.name"}, {1, "metadata.description"}, {2, "metadata.version"},
		      {4, "metadata.author"}, {5, "metadata.license"}, {7, "metadata.min_parser_version"}};
	struct flatbuf f = flatbuf_of(b);
	struct fb_table root;

	fb_root(&f, &root);
	for (size_t i = 0; i < COUNT(fields); i++) {
		struct str text = fb_text(&f, &root, fields[i].slot);

		if (text.n)
			note_text(r->m, str_of(fields[i].key), "str", text);
	}
	if (f.bad)
		model_problem(r->m, STR(""), "its TFLITE_METADATA is not sound: %s (byte %" PRIu64 " of it)", f.what,
			      f.at);
}

/* What the converter says of itself (conversion_metadata.fbs): 0 environment { 0 tensorflow_version }. */
static void note_conversion(struct reader *r, struct bytes b)
{
	struct flatbuf f = flatbuf_of(b);
	struct fb_table root, environment;
	struct str version;

	fb_root(&f, &root);
	fb_child(&f, &root, 0, &environment);
	version = fb_text(&f, &environment, 0);
	if (!f.bad && version.n && version.n < 64)
		note_text(r->m, STR("tensorflow_version"), "str", version);
}

/* Text, in buffers that are filled up with zeros, is shown; of anything else the size. */
static void note_metadata(struct reader *r, struct fb_table *model)
{
	struct fb_vector list;
	struct fb_table one;

	fb_vector(&r->f, model, MODEL_METADATA, 4, &list);
	for (uint64_t i = 0; i < list.n && fb_item(&r->f, &list, i, &one); i++) {
		struct str name = fb_text(&r->f, &one, METADATA_NAME), text;
		struct bytes b;
		struct span span;

		name.n = u64_min(name.n, limits.name);
		if (!buffer_span(r, fb_uint(&r->f, &one, METADATA_BUFFER, 4, 0), &span) ||
		    !source_slice(&r->m->source, span, &b)) {
			model_problem(r->m, STR(""), "its metadata %.*s is not there", (int)name.n, name.p);
			continue;
		}
		if (str_eq(name, STR("TFLITE_METADATA")))
			note_model_metadata(r, b);
		else if (str_eq(name, STR("CONVERSION_METADATA")))
			note_conversion(r, b);
		text = (struct str){(const char *)b.p, b.n};
		while (text.n && text.p[text.n - 1] == '\0')
			text.n--;
		if (text.n <= limits.name && !memchr(text.p, '\0', text.n) && utf8_valid(text))
			note_text(r->m, name, "str", text);
		else
			meta_blob(r->m, name, b);
	}
}

static void note_signatures(struct reader *r, struct fb_table *model)
{
	struct texts keys = {.m = r->m};
	struct fb_vector list;
	struct fb_table one;

	fb_vector(&r->f, model, MODEL_SIGNATURES, 4, &list);
	for (uint64_t i = 0; i < u64_min(list.n, TEXTS_KEPT) && fb_item(&r->f, &list, i, &one); i++)
		texts_add(&keys, fb_text(&r->f, &one, SIGNATURE_KEY));
	texts_end(&keys, STR("signatures"));
}

/* ---- the file ---- */

static enum rc read_subgraph(struct reader *r, uint64_t number, struct err *e)
{
	struct fb_vector tensors;
	struct fb_table graph;

	if (!fb_item(&r->f, &r->subgraphs, number, &graph))
		return unsound(r, e);
	fb_vector(&r->f, &graph, GRAPH_TENSORS, 4, &tensors);
	if (number < GRAPHS_TOLD) {
		note_ends(r, &graph, GRAPH_INPUTS, number, "inputs");
		note_ends(r, &graph, GRAPH_OUTPUTS, number, "outputs");
	}
	for (uint64_t i = 0; i < tensors.n; i++)
		if (take_tensor(r, &tensors, number, i, e) != RC_OK)
			return RC_FAIL;
	return r->f.bad ? unsound(r, e) : RC_OK;
}

static enum rc read_model(struct reader *r, struct err *e)
{
	struct fb_table model;
	struct str about;
	uint64_t version;

	fb_root(&r->f, &model);
	version = fb_uint(&r->f, &model, MODEL_VERSION, 4, 0);
	about = fb_text(&r->f, &model, MODEL_DESCRIPTION);
	fb_vector(&r->f, &model, MODEL_BUFFERS, 4, &r->buffers);
	fb_vector(&r->f, &model, MODEL_SUBGRAPHS, 4, &r->subgraphs);
	if (r->f.bad)
		return unsound(r, e);
	if (version != 3)
		return err_set(e, "is a TensorFlow Lite model of version %" PRIu64 "; only 3 is read", version);
	r->m->variant = "version 3";
	if (about.n)
		note_text(r->m, STR("description"), "str", about);
	note_metadata(r, &model);
	note_signatures(r, &model);
	note_operators(r, &model);
	for (uint64_t i = 0; i < r->subgraphs.n; i++)
		if (read_subgraph(r, i, e) != RC_OK)
			return RC_FAIL;
	return r->f.bad ? unsound(r, e) : RC_OK;
}

static enum rc read_tflite(struct model *m, uint32_t member, struct err *e)
{
	struct reader r = {.m = m, .member = member, .f = flatbuf_of(m->source.members[member].data)};
	enum rc rc;

	m->files = 1;
	m->bytes = m->source.members[member].size;
	rc = read_model(&r, e);
	if (rc == RC_OK)
		tflite_claim(m, member);
	if (rc != RC_OK && m->n_tensors) { /* what was found before that is shown */
		model_problem(m, STR(""), "%s", e->msg);
		rc = RC_OK;
	}
	map_free(&r.names);
	return rc;
}

static int probe(const struct probe *p)
{
	struct flatbuf f = flatbuf_of(p->head);
	struct fb_table root;

	if (p->head.n < 8 || memcmp(p->head.p + 4, "TFL3", 4) != 0)
		return 0;
	fb_root(&f, &root); /* the Model may stand at the end, beyond what is seen here */
	return root.at ? 64 : 40;
}

const struct format format_tflite = {
	.name = "tflite",
	.about = "TensorFlow Lite, the nets of phones and microcontrollers",
	.reads = "constants of all subgraphs, quantised ones by their values, operators, metadata; sparse and 4-bit "
		 "ones are listed",
	.files = "*.tflite *.lite",
	.probe = probe,
	.read = read_tflite,
};
