/*
 * Core ML: apple/coremltools, mlmodel/format/Model.proto. A model is one message with a description and, as one of
 * forty kinds, what it is: read are neural networks (coreml_nn.c), ML Programs (coreml_mil.c), linear models, scalers,
 * and pipelines of these. A package (.mlpackage) is a directory whose Manifest.json says where that message stands; the
 * weights of an ML Program lie in files below it.
 */
#include "format/coreml.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "format/format.h"
#include "format/json_text.h"
#include "format/notes.h"

enum { PARTS_MAX = 10000, PORTS_MAX = 256, LABEL_MAX = 200 };

/* ---- what the parts share ---- */

uint64_t coreml_at(const struct coreml *c, struct bytes message)
{
	return values_span(&c->v, message).offset;
}

void coreml_complain(struct coreml *c, struct bytes message, const char *what)
{
	if (c->problems++ < COREML_NAMED)
		model_problem(c->m, STR(""), "%s is cut off, or not sound (byte %" PRIu64 ")", what,
			      coreml_at(c, message));
}

struct str coreml_name(struct coreml *c, struct str prefix, struct str name, struct str part)
{
	int n = (int)u64_min(name.n, limits.name), k = (int)u64_min(part.n, limits.name);

	return str_of(arena_printf(&c->m->arena, "%.*s%.*s%s%.*s", (int)prefix.n, prefix.p, n, name.p,
				   n && k ? "." : "", k, part.p));
}

struct tensor *coreml_tensor(struct coreml *c, struct str name, struct err *e)
{
	struct tensor *t;

	if (model_room(c->m, e) != RC_OK)
		return NULL;
	t = model_add_tensor(c->m);
	t->name = name;
	t->type_name = dtypes[DT_OPAQUE].name;
	return t;
}

enum rc coreml_push(struct coreml *c, enum coreml_kind kind, struct bytes message, unsigned depth, struct str name,
		    struct err *e)
{
	struct coreml_part part = {kind, message, STR(""), depth};

	if (depth > limits.nesting) {
		if (c->problems++ < COREML_NAMED)
			model_problem(c->m, STR(""), "nested too deep: not looked into (byte %" PRIu64
				      "; --limit nesting=N allows more)", coreml_at(c, message));
		return RC_OK;
	}
	if (c->n_parts == PARTS_MAX)
		return err_set(e, "holds more than %d models, networks and blocks", PARTS_MAX);
	if (name.n > COREML_PREFIX_MAX)
		name.n = COREML_PREFIX_MAX;
	if (name.n)
		part.prefix = str_of(arena_printf(&c->m->arena, "%.*s.", (int)name.n, name.p));
	if (c->n_parts == c->cap_parts) {
		c->cap_parts = c->cap_parts ? 2 * c->cap_parts : 16;
		c->parts = xrealloc(c->parts, c->cap_parts, sizeof(*c->parts));
	}
	c->parts[c->n_parts++] = part;
	return RC_OK;
}

/* ---- kinds of models ---- */

enum what { NOTHING, NETWORK, PROGRAM, PIPELINE, PIPELINE_IN, LINEAR, SCALER, OTHER };

/* NOTHING: there are no weights in it. */
static const struct type {
	uint32_t field;
	const char *name;
	enum what what;
} types[] = {
	{200, "pipelineClassifier", PIPELINE_IN}, {201, "pipelineRegressor", PIPELINE_IN}, {202, "pipeline", PIPELINE},
	{300, "glmRegressor", LINEAR}, {301, "supportVectorRegressor", OTHER}, {302, "treeEnsembleRegressor", OTHER},
	{303, "neuralNetworkRegressor", NETWORK}, {304, "bayesianProbitRegressor", OTHER},
	{400, "glmClassifier", LINEAR}, {401, "supportVectorClassifier", OTHER}, {402, "treeEnsembleClassifier", OTHER},
	{403, "neuralNetworkClassifier", NETWORK}, {404, "kNearestNeighborsClassifier", OTHER},
	{500, "neuralNetwork", NETWORK}, {501, "itemSimilarityRecommender", OTHER}, {502, "mlProgram", PROGRAM},
	{550, "customModel", OTHER}, {555, "customModel", OTHER}, {556, "linkedModel", OTHER},
	{560, "classConfidenceThresholding", NOTHING}, {600, "oneHotEncoder", NOTHING}, {601, "imputer", NOTHING},
	{602, "featureVectorizer", NOTHING}, {603, "dictVectorizer", NOTHING}, {604, "scaler", SCALER},
	{606, "categoricalMapping", NOTHING}, {607, "normalizer", NOTHING}, {609, "arrayFeatureExtractor", NOTHING},
	{610, "nonMaximumSuppression", NOTHING}, {900, "identity", NOTHING}, {2000, "textClassifier", OTHER},
	{2001, "wordTagger", OTHER}, {2002, "visionFeaturePrint", NOTHING},
	{2003, "soundAnalysisPreprocessing", NOTHING}, {2004, "gazetteer", OTHER}, {2005, "wordEmbedding", OTHER},
	{2006, "audioFeaturePrint", NOTHING}, {3000, "serializedModel", OTHER},
};

static const struct type *type_of(uint32_t field)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].field == field)
			return &types[i];
	return NULL;
}

/* A list of doubles as a vector. */
static enum rc add_doubles(struct coreml *c, struct str name, struct bytes message, uint32_t field, struct err *e)
{
	struct tensor *t;
	struct span at;
	uint64_t n;
	struct err why;
	enum rc rc = values_of(&c->v, message, field, WIRE_64, 8, &at, &n, &why);

	if (rc == RC_OK && !n)
		return RC_OK;
	t = coreml_tensor(c, name, e);
	if (!t)
		return RC_FAIL;
	if (rc == RC_OK)
		rc = tensor_set_shape(c->m, t, DT_F64, &n, 1, &why);
	t->data = rc == RC_OK ? at : values_span(&c->v, message);
	if (rc != RC_OK)
		tensor_broken(c->m, t, "%s (message at byte %" PRIu64 ")", why.msg, coreml_at(c, message));
	return RC_OK;
}

/* weights.0, weights.1, ... one for each class, and offset */
static enum rc read_linear(struct coreml *c, const struct coreml_part *in, struct bytes message, struct err *e)
{
	struct proto p = proto_of(message);
	enum rc rc = RC_OK;
	unsigned i = 0;

	while (rc == RC_OK && proto_next(&p))
		if (p.field == 1 && p.wire == WIRE_BYTES)
			rc = add_doubles(c, coreml_name(c, in->prefix, STR("weights"),
							str_of(arena_printf(&c->m->arena, "%u", i++))), p.bytes, 1, e);
	if (rc == RC_OK && p.bad)
		coreml_complain(c, message, "a linear model");
	return rc == RC_OK ? add_doubles(c, coreml_name(c, in->prefix, STR("offset"), STR("")), message, 2, e) : rc;
}

static enum rc read_scaler(struct coreml *c, const struct coreml_part *in, struct bytes message, struct err *e)
{
	if (add_doubles(c, coreml_name(c, in->prefix, STR("shiftValue"), STR("")), message, 1, e) != RC_OK)
		return RC_FAIL;
	return add_doubles(c, coreml_name(c, in->prefix, STR("scaleValue"), STR("")), message, 2, e);
}

/* Its models, by the names that it gives them, or their numbers. */
static enum rc push_pipeline(struct coreml *c, const struct coreml_part *in, struct bytes pipeline, struct err *e)
{
	struct proto p = proto_of(pipeline), names = proto_of(pipeline);
	enum rc rc = RC_OK;
	unsigned i = 0;

	while (rc == RC_OK && proto_next(&p)) {
		bool named;
		struct str name;

		if (p.field != 1 || p.wire != WIRE_BYTES)
			continue;
		while ((named = proto_next(&names)) && (names.field != 2 || names.wire != WIRE_BYTES))
			;
		name = str_of(arena_printf(&c->m->arena, "model%u", i++));
		if (named && names.bytes.n)
			name = proto_text(&names);
		rc = coreml_push(c, COREML_MODEL, p.bytes, in->depth + 1,
				 coreml_name(c, in->prefix, name, STR("")), e);
	}
	if (rc == RC_OK && p.bad)
		coreml_complain(c, pipeline, "a pipeline");
	return rc;
}

static enum rc read_type(struct coreml *c, const struct coreml_part *in, const struct type *type, struct bytes message,
			 struct err *e)
{
	struct str name = {in->prefix.p, in->prefix.n ? in->prefix.n - 1 : 0}; /* without the dot */

	switch (type->what) {
	case NETWORK:
		return coreml_push(c, COREML_NETWORK, message, in->depth + 1, name, e);
	case PROGRAM:
		return coreml_program(c, message, name, in->depth, e);
	case PIPELINE_IN:
		return push_pipeline(c, in, proto_message(message, 1), e);
	case PIPELINE:
		return push_pipeline(c, in, message, e);
	case LINEAR:
		return read_linear(c, in, message, e);
	case SCALER:
		return read_scaler(c, in, message, e);
	case OTHER:
		model_problem(c->m, STR(""), "what is in its %s is not read (byte %" PRIu64 ")", type->name,
			      coreml_at(c, message));
		return RC_OK;
	default:
		return RC_OK;
	}
}

static enum rc read_model(struct coreml *c, const struct coreml_part *in, struct err *e)
{
	struct proto p = proto_of(in->message);
	enum rc rc = RC_OK;

	while (rc == RC_OK && proto_next(&p)) {
		const struct type *type = type_of(p.field);

		if (!type || p.wire != WIRE_BYTES)
			continue;
		if (!c->kind)
			c->kind = type->name;
		rc = read_type(c, in, type, p.bytes, e);
	}
	if (rc == RC_OK && p.bad)
		coreml_complain(c, in->message, "a model");
	return rc;
}

static enum rc read_parts(struct coreml *c, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < c->n_parts; i++) { /* grows as it goes */
		struct coreml_part part = c->parts[i];

		if (part.kind == COREML_MODEL)
			rc = read_model(c, &part, e);
		else
			rc = part.kind == COREML_NETWORK ? coreml_network(c, &part, e) : coreml_block(c, &part, e);
	}
	return rc;
}

/* ---- metadata ---- */

static const struct note model_notes[] = {{1, "specificationVersion", WIRE_VARINT, NULL}};
static const struct note origin_notes[] = {
	{1, "shortDescription", WIRE_BYTES, NULL}, {2, "versionString", WIRE_BYTES, NULL},
	{3, "author", WIRE_BYTES, NULL}, {4, "license", WIRE_BYTES, NULL},
};
static const struct word array_types[] = {
	{65568, "FLOAT32"}, {65600, "DOUBLE"}, {131104, "INT32"}, {131080, "INT8"}, {65552, "FLOAT16"}, {0, NULL},
};

static struct str label(struct str s)
{
	return (struct str){s.p, s.n < LABEL_MAX ? s.n : LABEL_MAX};
}

/* FLOAT32[1,43844,1] */
static void show_array(struct buf *b, struct bytes array)
{
	struct proto p = proto_of(array), type = {0};
	const struct word *w = array_types;
	unsigned n = 0;

	proto_find(array, 2, WIRE_VARINT, &type);
	while (w->word && w->number != type.number)
		w++;
	buf_printf(b, "%s[", w->word ? w->word : "?");
	while (proto_next(&p)) {
		struct cur c = cur_of(p.bytes);

		if (p.field != 1)
			continue;
		if (p.wire == WIRE_VARINT && n < RANK_MAX)
			buf_printf(b, "%s%" PRId64, n++ ? "," : "", (int64_t)p.number);
		while (p.wire == WIRE_BYTES && n < RANK_MAX && cur_left(&c) && !c.bad)
			buf_printf(b, "%s%" PRId64, n++ ? "," : "", (int64_t)proto_varint(&c));
	}
	buf_putc(b, ']');
}

static void show_feature(struct buf *b, struct bytes type)
{
	static const struct {
		uint32_t field;
		const char *word;
	} plain[] = {{1, "int64"}, {2, "double"}, {3, "string"}, {6, "dictionary"}, {7, "sequence"}, {8, "state"}};
	struct proto p, width = {0}, height = {0};

	if (proto_find(type, 5, WIRE_BYTES, &p)) {
		show_array(b, p.bytes);
	} else if (proto_find(type, 4, WIRE_BYTES, &p)) {
		proto_find(p.bytes, 1, WIRE_VARINT, &width);
		proto_find(p.bytes, 2, WIRE_VARINT, &height);
		buf_printf(b, "image %" PRIu64 "x%" PRIu64, width.number, height.number);
	}
	for (size_t i = 0; i < COUNT(plain) && !b->n; i++)
		if (proto_find(type, plain[i].field, WIRE_BYTES, &p))
			buf_puts(b, plain[i].word);
}

static void note_ports(struct model *m, struct bytes description, uint32_t field, const char *prefix)
{
	struct proto p = proto_of(description);
	struct buf text = {0};
	unsigned n = 0;

	while (n < PORTS_MAX && proto_next(&p)) {
		struct proto name = {0};

		if (p.field != field || p.wire != WIRE_BYTES)
			continue;
		proto_find(p.bytes, 1, WIRE_BYTES, &name);
		buf_clear(&text);
		show_feature(&text, proto_message(p.bytes, 3));
		note_text(m, str_of(arena_printf(&m->arena, "%s%.*s", prefix, (int)label(proto_text(&name)).n,
						 proto_text(&name).p)), "str", buf_view(&text));
		n++;
	}
	buf_free(&text);
}

static void note_user_defined(struct model *m, struct bytes origin)
{
	struct proto p = proto_of(origin);

	while (proto_next(&p)) {
		struct proto key = {0}, value = {0};

		if (p.field != 100 || p.wire != WIRE_BYTES)
			continue;
		proto_find(p.bytes, 1, WIRE_BYTES, &key);
		proto_find(p.bytes, 2, WIRE_BYTES, &value);
		note_text(m, str_of(arena_printf(&m->arena, "userDefined.%.*s", (int)label(proto_text(&key)).n,
						 proto_text(&key).p)), "str", proto_text(&value));
	}
}

static void put_metadata(struct coreml *c, struct bytes model)
{
	struct bytes description = proto_message(model, 2), origin = proto_message(description, 100);
	struct model *m = c->m;

	notes_of(m, "", model, model_notes, COUNT(model_notes));
	note_text(m, STR("kind"), "field", str_of(c->kind));
	notes_of(m, "", origin, origin_notes, COUNT(origin_notes));
	note_user_defined(m, origin);
	note_ports(m, description, 1, "input.");
	note_ports(m, description, 10, "output.");
	if (c->text)
		note_uint(m, STR("constants.text"), "count", c->text);
}

/* ---- the model's file ---- */

static enum rc check_top(struct bytes model, struct err *e)
{
	struct proto p = proto_of(model);
	bool found = false;

	while (proto_next(&p))
		found |= p.wire == WIRE_BYTES && type_of(p.field) != NULL;
	if (p.bad)
		return err_set(e, "the model is cut off, or not sound, in field %" PRIu32 " of its message (byte %"
			       PRIu64 " of %zu)", p.field, p.at, model.n);
	return found ? RC_OK : err_set(e, "is a Core ML model of a kind that is not known");
}

static enum rc read_coreml(struct model *m, uint32_t member, struct err *e)
{
	struct bytes all = m->source.members[member].data;
	struct coreml c = {.m = m, .v = {.m = m, .member = member}};
	struct proto version = {0};
	enum rc rc = check_top(all, e);

	m->files++;
	m->bytes += all.n;
	if (rc == RC_OK)
		rc = coreml_push(&c, COREML_MODEL, all, 1, STR(""), e);
	if (rc == RC_OK)
		rc = read_parts(&c, e);
	rc = values_end(&c.v, rc, e);
	if (rc == RC_OK) {
		put_metadata(&c, all);
		if (c.problems > COREML_NAMED)
			model_problem(m, STR(""), "%zu more messages are not sound", c.problems - COREML_NAMED);
		proto_find(all, 1, WIRE_VARINT, &version);
		m->variant = arena_printf(&m->arena, "%s, specification %" PRIu64, c.kind, version.number);
	}
	free(c.parts);
	map_free(&c.files);
	return rc;
}

static bool description_fits(uint32_t field, enum wire wire)
{
	return wire == WIRE_BYTES && (field == 1 || (field >= 10 && field <= 14) || field == 20 || field == 21 ||
				      field == 50 || field == 100);
}

static bool top_fits(uint32_t field, enum wire wire)
{
	if (field == 1 || field == 10)
		return wire == WIRE_VARINT;
	return wire == WIRE_BYTES && (field == 2 || type_of(field));
}

/* A version that is believable, a description that looks like one, and a kind that there is. */
static int probe(const struct probe *p)
{
	struct proto_top t = {.head = p->head, .tail = p->tail, .size = p->size};
	bool version = false, description = false, kind = false;

	while (proto_top_next(&t)) {
		if (!top_fits(t.p.field, t.p.wire))
			return 0;
		if (t.p.field == 1 && (t.p.number < 1 || t.p.number > 255))
			return 0;
		if (t.p.field == 2 && t.p.bytes.n) {
			if (!proto_looks(t.p.bytes, t.cut, 64, description_fits))
				return 0;
			description = true;
		}
		version |= t.p.field == 1;
		kind |= t.p.field >= 200;
	}
	if (t.bad || !version || !kind)
		return 0;
	return t.short_of ? 16 : (description ? 40 : 24) + (t.whole ? 8 : 0);
}

const struct format format_coreml = {
	.name = "coreml",
	.about = "Apple's Core ML: a model as one file, and the weights of an ML Program beside it",
	.reads = "neural networks, quantised ones too, ML Programs, linear models and scalers, pipelines; no trees or "
		 "support vectors",
	.files = "*.mlmodel",
	.probe = probe,
	.read = read_coreml,
};

/* ---- a package ---- */

static bool contains(struct bytes b, struct str word)
{
	return b.n >= word.n && memmem(b.p, b.n, word.p, word.n) != NULL;
}

static int probe_package(const struct probe *p)
{
	if (!p->head.n || !strchr(" \t\r\n{", p->head.p[0]) || !p->head.p[0])
		return 0;
	if (!contains(p->head, STR("\"rootModelIdentifier\"")) || !contains(p->head, STR("\"itemInfoEntries\"")))
		return 0;
	return 64;
}

/* The path of the model below the directory that the manifest stands in. */
static enum rc model_path(struct arena *a, struct bytes text, struct str *path, struct err *e)
{
	struct arena scratch = {0};
	const json_t *root = json_parse(&scratch, text, 0, "the manifest", e), *id, *where;

	*path = STR("");
	if (root) {
		id = json_object_get(root, "rootModelIdentifier");
		where = json_object_get(root, "itemInfoEntries");
		where = json_is_string(id) ? json_object_get(where, json_string_value(id)) : NULL;
		where = json_object_get(where, "path");
		if (json_is_string(where))
			*path = str_of(arena_printf(a, "Data/%s", json_string_value(where)));
		else
			err_set(e, "the manifest does not say where the model is");
	}
	arena_free(&scratch);
	return path->n ? RC_OK : RC_FAIL;
}

static enum rc read_package(struct model *m, uint32_t member, struct err *e)
{
	struct bytes text = m->source.members[member].data;
	struct str path = STR("");
	uint32_t model;

	if (text.n > limits.text)
		return err_set(e, "a manifest of %zu bytes is too long", text.n);
	if (model_path(&m->arena, text, &path, e) != RC_OK)
		return RC_FAIL;
	if (source_open_below(&m->source, member, path, &model, e) != RC_OK)
		return err_prefix(e, "the package's model %.*s", (int)label(path).n, path.p);
	m->files = 1;
	m->bytes = text.n;
	return read_coreml(m, model, e);
}

const struct format format_coreml_package = {
	.name = "coreml-package",
	.about = "the manifest of a Core ML package (.mlpackage)",
	.reads = "the model that it names and its weights",
	.files = "Manifest.json",
	.rank = RANK_INDEX,
	.probe = probe_package,
	.read = read_package,
};
