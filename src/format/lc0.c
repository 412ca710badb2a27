/*
 * Lc0's networks. LeelaChessZero/lc0: proto/net.proto says which fields there are, src/utils/weights_adapter.cc how a
 * layer is decoded, src/neural/network_legacy.cc and src/neural/onnx/converter.cc which shapes the layers have. Names
 * are the paths of the fields: residual.3.conv1.weights, encoder.0.mha.q_w, policy_heads.vanilla.ip2_pol_w.
 *
 * A layer is stored as min, max and a 16-bit number each (LINEAR16), or as F16, BF16 or F32, and without its shape,
 * which follows from the sizes of its neighbours: a matrix has as many rows as its bias has numbers, a kernel as many
 * outputs. The newest files may give the shape (dims).
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/onnx.h"
#include "format/proto.h"
#include "format/values.h"
#include "model/pack.h"

enum {
	MAGIC = 0x1c0,
	LAYERS_MAX = 50000,
	FIELDS_MAX = 48, /* of one message */
	INPUT_PLANES = 112,
	SQUARES = 64,
	KEY_MAX = 256   /* bytes of a head's name */
};

/* ---- the schema ---- */

/* How a layer's shape follows from its count. The last ones take their number of rows or columns from elsewhere. */
enum rule { VECTOR, KERNEL, MATRIX, COLS_SQUARES, COLS_EMBEDDING, ROWS_PROMOTIONS, ROWS_SQUARE_PAIRS, UNKNOWN };

enum kind {
	LAYER, NUMBER,
	CONV, SE_UNIT, RESIDUAL, SMOLGEN, MHA, FFN, ENCODER, POLICY_HEAD, POLICY_ENTRY, POLICY_HEADS, VALUE_HEAD,
	VALUE_ENTRY, VALUE_HEADS, WEIGHTS,
	KINDS
};

struct field {
	uint32_t number;
	enum kind kind;
	const char *name;
	enum rule rule;   /* of a layer */
	const char *rows; /* MATRIX, KERNEL: the layer beside it that has as many numbers as this one rows */
	bool repeated;
};

#define VEC(number, name) {number, LAYER, name, VECTOR, NULL, false}
#define MAT(number, name, rows) {number, LAYER, name, MATRIX, rows, false}
#define ODD(number, name, rule) {number, LAYER, name, rule, NULL, false}
#define ONE(number, kind, name) {number, kind, name, VECTOR, NULL, false}
#define MANY(number, kind, name) {number, kind, name, VECTOR, NULL, true}

/* bn_stddivs holds variances, whatever its name says. */
static const struct field conv_fields[] = {
	{1, LAYER, "weights", KERNEL, "biases", false}, VEC(2, "biases"), VEC(3, "bn_means"), VEC(4, "bn_stddivs"),
	VEC(5, "bn_gammas"), VEC(6, "bn_betas"),
};
static const struct field se_fields[] = {MAT(1, "w1", "b1"), VEC(2, "b1"), MAT(3, "w2", "b2"), VEC(4, "b2")};
static const struct field residual_fields[] = {ONE(1, CONV, "conv1"), ONE(2, CONV, "conv2"), ONE(3, SE_UNIT, "se")};
static const struct field smolgen_fields[] = {
	ODD(1, "compress", COLS_EMBEDDING), MAT(2, "dense1_w", "dense1_b"), VEC(3, "dense1_b"), VEC(4, "ln1_gammas"),
	VEC(5, "ln1_betas"), MAT(6, "dense2_w", "dense2_b"), VEC(7, "dense2_b"), VEC(8, "ln2_gammas"),
	VEC(9, "ln2_betas"),
};
static const struct field mha_fields[] = {
	MAT(1, "q_w", "q_b"), VEC(2, "q_b"), MAT(3, "k_w", "k_b"), VEC(4, "k_b"), MAT(5, "v_w", "v_b"), VEC(6, "v_b"),
	MAT(7, "dense_w", "dense_b"), VEC(8, "dense_b"), ONE(9, SMOLGEN, "smolgen"), ODD(10, "rpe_q", UNKNOWN),
	ODD(11, "rpe_k", UNKNOWN), ODD(12, "rpe_v", UNKNOWN),
};
static const struct field ffn_fields[] = {
	MAT(1, "dense1_w", "dense1_b"), VEC(2, "dense1_b"), MAT(3, "dense2_w", "dense2_b"), VEC(4, "dense2_b"),
};
static const struct field encoder_fields[] = {
	ONE(1, MHA, "mha"), VEC(2, "ln1_gammas"), VEC(3, "ln1_betas"), ONE(4, FFN, "ffn"), VEC(5, "ln2_gammas"),
	VEC(6, "ln2_betas"),
};
static const struct field policy_head_fields[] = {
	MAT(1, "ip_pol_w", "ip_pol_b"), VEC(2, "ip_pol_b"), MAT(3, "ip2_pol_w", "ip2_pol_b"), VEC(4, "ip2_pol_b"),
	MAT(5, "ip3_pol_w", "ip3_pol_b"), VEC(6, "ip3_pol_b"), ODD(7, "ip4_pol_w", ROWS_PROMOTIONS),
	MANY(8, ENCODER, "pol_encoder"), ONE(9, NUMBER, "pol_headcount"), ONE(10, CONV, "policy1"),
	ONE(11, CONV, "policy"),
};
static const struct field policy_entry_fields[] = {ONE(2, POLICY_HEAD, "")};
static const struct field policy_heads_fields[] = {
	MAT(1, "ip_pol_w", "ip_pol_b"), VEC(2, "ip_pol_b"), ONE(3, POLICY_HEAD, "vanilla"),
	ONE(4, POLICY_HEAD, "optimistic_st"), ONE(5, POLICY_HEAD, "soft"), ONE(6, POLICY_HEAD, "opponent"),
	MANY(7, POLICY_ENTRY, "policy_head_map"),
};
static const struct field value_head_fields[] = {
	MAT(1, "ip_val_w", "ip_val_b"), VEC(2, "ip_val_b"), MAT(3, "ip1_val_w", "ip1_val_b"), VEC(4, "ip1_val_b"),
	MAT(5, "ip2_val_w", "ip2_val_b"), VEC(6, "ip2_val_b"), MAT(7, "ip_val_err_w", "ip_val_err_b"),
	VEC(8, "ip_val_err_b"), MAT(9, "ip_val_cat_w", "ip_val_cat_b"), VEC(10, "ip_val_cat_b"),
	ONE(11, CONV, "value"),
};
static const struct field value_entry_fields[] = {ONE(2, VALUE_HEAD, "")};
static const struct field value_heads_fields[] = {
	ONE(1, VALUE_HEAD, "winner"), ONE(2, VALUE_HEAD, "q"), ONE(3, VALUE_HEAD, "st"),
	MANY(4, VALUE_ENTRY, "value_head_map"),
};
static const struct field weights_fields[] = {
	ONE(1, CONV, "input"), MANY(2, RESIDUAL, "residual"), ONE(3, CONV, "policy"), MAT(4, "ip_pol_w", "ip_pol_b"),
	VEC(5, "ip_pol_b"), ONE(6, CONV, "value"), MAT(7, "ip1_val_w", "ip1_val_b"), VEC(8, "ip1_val_b"),
	MAT(9, "ip2_val_w", "ip2_val_b"), VEC(10, "ip2_val_b"), ONE(11, CONV, "policy1"), ONE(12, CONV, "moves_left"),
	MAT(13, "ip1_mov_w", "ip1_mov_b"), VEC(14, "ip1_mov_b"), MAT(15, "ip2_mov_w", "ip2_mov_b"),
	VEC(16, "ip2_mov_b"), MAT(17, "ip2_pol_w", "ip2_pol_b"), VEC(18, "ip2_pol_b"),
	MAT(19, "ip3_pol_w", "ip3_pol_b"), VEC(20, "ip3_pol_b"), MANY(21, ENCODER, "pol_encoder"),
	ODD(22, "ip4_pol_w", ROWS_PROMOTIONS), ONE(24, NUMBER, "pol_headcount"), MAT(25, "ip_emb_w", "ip_emb_b"),
	VEC(26, "ip_emb_b"), MANY(27, ENCODER, "encoder"), ONE(28, NUMBER, "headcount"),
	MAT(29, "ip_val_w", "ip_val_b"), VEC(30, "ip_val_b"), MAT(31, "ip_mov_w", "ip_mov_b"), VEC(32, "ip_mov_b"),
	ODD(33, "ip_mult_gate", COLS_SQUARES), ODD(34, "ip_add_gate", COLS_SQUARES),
	ODD(35, "smolgen_w", ROWS_SQUARE_PAIRS), VEC(36, "smolgen_b"),
	MAT(37, "ip_emb_preproc_w", "ip_emb_preproc_b"), VEC(38, "ip_emb_preproc_b"), VEC(39, "ip_emb_ln_gammas"),
	VEC(40, "ip_emb_ln_betas"), ONE(41, FFN, "ip_emb_ffn"), VEC(42, "ip_emb_ffn_ln_gammas"),
	VEC(43, "ip_emb_ffn_ln_betas"), ONE(44, VALUE_HEADS, "value_heads"), ONE(45, POLICY_HEADS, "policy_heads"),
};

#define SCHEMA(list) {list, sizeof(list) / sizeof((list)[0])}
static const struct schema {
	const struct field *fields;
	size_t n;
} schemas[KINDS] = {
	[CONV] = SCHEMA(conv_fields), [SE_UNIT] = SCHEMA(se_fields), [RESIDUAL] = SCHEMA(residual_fields),
	[SMOLGEN] = SCHEMA(smolgen_fields), [MHA] = SCHEMA(mha_fields), [FFN] = SCHEMA(ffn_fields),
	[ENCODER] = SCHEMA(encoder_fields), [POLICY_HEAD] = SCHEMA(policy_head_fields),
	[POLICY_ENTRY] = SCHEMA(policy_entry_fields), [POLICY_HEADS] = SCHEMA(policy_heads_fields),
	[VALUE_HEAD] = SCHEMA(value_head_fields), [VALUE_ENTRY] = SCHEMA(value_entry_fields),
	[VALUE_HEADS] = SCHEMA(value_heads_fields), [WEIGHTS] = SCHEMA(weights_fields),
};

/* ---- a layer ---- */

enum encoding { LINEAR16 = 1, FLOAT16 = 2, BFLOAT16 = 3, FLOAT32 = 4 };

struct layer {
	struct bytes message, params;
	float min, max;
	uint64_t encoding; /* as in the file; absent: LINEAR16 */
	uint64_t dims[RANK_MAX];
	unsigned rank;     /* 0: no dims, or too many */
	bool bad;
};

static void take_dims(struct layer *l, const struct proto *p)
{
	struct cur c = cur_of(p->bytes);
	uint64_t x = p->number;

	while (p->wire == WIRE_VARINT || cur_left(&c)) {
		if (p->wire == WIRE_BYTES)
			x = proto_varint(&c);
		l->bad |= c.bad;
		if (l->rank < RANK_MAX)
			l->dims[l->rank++] = x;
		if (p->wire == WIRE_VARINT || c.bad)
			break;
	}
}

static struct layer layer_of(struct bytes message)
{
	struct layer l = {.message = message, .encoding = LINEAR16};
	struct proto p = proto_of(message);

	while (proto_next(&p)) {
		if (p.field == 1 && p.wire == WIRE_32)
			l.min = proto_float(p.number);
		else if (p.field == 2 && p.wire == WIRE_32)
			l.max = proto_float(p.number);
		else if (p.field == 3 && p.wire == WIRE_BYTES)
			l.params = p.bytes;
		else if (p.field == 4 && p.wire == WIRE_VARINT)
			l.encoding = p.number;
		else if (p.field == 5 && (p.wire == WIRE_VARINT || p.wire == WIRE_BYTES))
			take_dims(&l, &p);
	}
	l.bad |= p.bad;
	return l;
}

static uint64_t layer_count(const struct layer *l)
{
	return l->params.n / (l->encoding == FLOAT32 ? 4 : 2);
}

/* ---- the weights ---- */

struct reader {
	struct model *m;
	struct values v;
	uint64_t filters;   /* of the convolutions; 0: there is no input convolution */
	uint64_t embedding; /* of the attention body; 0: there is none */
	size_t layers, residuals, encoders;
	bool se;
};

static void two(uint64_t dims[RANK_MAX], unsigned *rank, uint64_t rows, uint64_t cols)
{
	dims[0] = rows;
	dims[1] = cols;
	*rank = 2;
}

/* A kernel is 3 x 3, or 1 x 1 in the heads. */
static bool kernel(const struct reader *r, uint64_t count, uint64_t outputs, bool input, uint64_t dims[RANK_MAX])
{
	uint64_t each = outputs && count % outputs == 0 ? count / outputs : 0;
	uint64_t inputs = input ? each / 9 : r->filters;

	if (!inputs || (each != inputs * 9 && each != inputs))
		return false;
	dims[0] = outputs;
	dims[1] = inputs;
	dims[2] = dims[3] = each == inputs ? 1 : 3;
	return true;
}

/* false: the count does not fit the rule. rows: numbers of the bias; 0: it has none. */
static bool infer(const struct reader *r, const struct field *f, uint64_t count, uint64_t rows, bool input,
		  uint64_t dims[RANK_MAX], unsigned *rank)
{
	uint64_t cols = 0;

	*rank = 1;
	dims[0] = count;
	switch (f->rule) {
	case VECTOR:
	case UNKNOWN:
		return true;
	case KERNEL:
		if (!kernel(r, count, rows, input, dims))
			return false;
		*rank = 4;
		return true;
	case ROWS_PROMOTIONS:
		rows = 4;
		break;
	case ROWS_SQUARE_PAIRS:
		rows = SQUARES * SQUARES;
		break;
	case COLS_SQUARES:
		cols = SQUARES;
		break;
	case COLS_EMBEDDING:
		cols = r->embedding;
		break;
	default:
		if (!rows) /* without a bias nothing says how many */
			return true;
	}
	if (cols)
		rows = count / cols;
	if (!rows || count % rows || (cols && rows * cols != count))
		return false;
	two(dims, rank, rows, count / rows);
	return true;
}

static bool dims_fit(const struct layer *l, uint64_t count)
{
	uint64_t product = 1;

	for (unsigned i = 0; i < l->rank; i++)
		if (!u64_mul(product, l->dims[i], &product))
			return false;
	return l->rank && product == count;
}

/* LINEAR16 in single precision, as Lc0 itself computes it: min * (1 - code / 65535) + max * (code / 65535). */
static enum rc pack_linear16(struct reader *r, struct tensor *t, const struct layer *l, struct err *e)
{
	struct affine how = {.form = AFFINE_RANGE, .a = &l->max, .b = &l->min, .n = 1, .steps = 65535};

	if (!isfinite(l->min) || !isfinite(l->max) || l->min > l->max)
		model_problem(r->m, t->name, "its range runs from %g to %g", (double)l->min, (double)l->max);
	if (pack_affine(r->m, t, &how, e) != RC_OK)
		return RC_FAIL;
	t->type_name = "LINEAR16";
	return RC_OK;
}

static enum rc place(struct reader *r, struct tensor *t, const struct layer *l, struct err *e)
{
	uint64_t odd = l->params.n % (l->encoding == FLOAT32 ? 4 : 2);

	t->data = values_span(&r->v, l->params);
	if (l->bad)
		tensor_broken(r->m, t, "its message is cut off, or not sound (byte %" PRIu64 ")",
			      values_span(&r->v, l->message).offset);
	else if (l->encoding < LINEAR16 || l->encoding > FLOAT32)
		tensor_broken(r->m, t, "its encoding %" PRIu64 " is not known (before byte %" PRIu64 ")", l->encoding,
			      t->data.offset);
	else if (odd)
		tensor_broken(r->m, t, "its %zu bytes are not whole numbers (byte %" PRIu64 ")", l->params.n,
			      t->data.offset);
	return t->broken || l->encoding != LINEAR16 ? RC_OK : pack_linear16(r, t, l, e);
}

static enum dtype type_of(const struct layer *l)
{
	switch (l->encoding) {
	case FLOAT16:
		return DT_F16;
	case BFLOAT16:
		return DT_BF16;
	case LINEAR16: /* the codes */
		return DT_U16;
	case FLOAT32:
		return DT_F32;
	default:
		return DT_OPAQUE;
	}
}

static enum rc add_layer(struct reader *r, struct str name, const struct field *f, const struct layer *l,
			 uint64_t rows, bool input, struct err *e)
{
	uint64_t dims[RANK_MAX], count = layer_count(l);
	struct tensor *t;
	unsigned rank;

	if (++r->layers > LAYERS_MAX)
		return err_set(e, "holds more than %d layers", LAYERS_MAX);
	t = model_add_tensor(r->m);
	t->name = arena_str(&r->m->arena, name);
	if (type_of(l) == DT_OPAQUE)
		t->type_name = arena_printf(&r->m->arena, "encoding %" PRIu64, l->encoding);
	if (dims_fit(l, count)) {
		memcpy(dims, l->dims, sizeof(dims));
		rank = l->rank;
	} else if (!infer(r, f, count, rows, input, dims, &rank)) {
		model_problem(r->m, t->name, "its %" PRIu64 " numbers do not divide as the layers beside it ask for: "
			      "shown without their shape", count);
	}
	if (tensor_set_shape(r->m, t, type_of(l), dims, rank, e) != RC_OK)
		return err_prefix(e, "tensor %.*s", (int)t->name.n, t->name.p);
	return place(r, t, l, e);
}

/* Numbers of the layers of one message by their place in its schema; 0: not there. */
struct counts {
	uint64_t n[FIELDS_MAX];
};

static const struct field *field_of(const struct schema *s, uint32_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->fields[i].number == number)
			return &s->fields[i];
	return NULL;
}

static void count_layers(struct bytes message, const struct schema *s, struct counts *c)
{
	struct proto p = proto_of(message);

	*c = (struct counts){0};
	while (proto_next(&p)) {
		const struct field *f = field_of(s, p.field);

		if (f && f->kind == LAYER && p.wire == WIRE_BYTES) {
			struct layer l = layer_of(p.bytes);

			c->n[f - s->fields] = layer_count(&l);
		}
	}
}

static uint64_t count_in(const struct counts *c, const struct schema *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->fields[i].name, name) == 0)
			return c->n[i];
	return 0;
}

/* How many rows a layer has: as many as its bias has numbers; with a batch norm behind it, a convolution has none. */
static uint64_t rows_of(const struct counts *c, const struct schema *s, const struct field *f)
{
	uint64_t n = f->rows ? count_in(c, s, f->rows) : 0;

	return n || f->rule != KERNEL ? n : count_in(c, s, "bn_means");
}

/* Puts ".name" (and ".3" for a repeated one) behind what path holds, or a head's own name from the file. */
static void extend_path(struct buf *path, const struct field *f, unsigned index, struct bytes entry)
{
	if (*f->name)
		buf_printf(path, "%s%s", path->n ? "." : "", f->name);
	if (f->kind == POLICY_ENTRY || f->kind == VALUE_ENTRY) {
		struct bytes key = proto_message(entry, 1);

		buf_putc(path, '.');
		buf_add(path, key.p ? (const char *)key.p : "", key.n < KEY_MAX ? key.n : KEY_MAX);
	} else if (f->repeated) {
		buf_printf(path, ".%u", index);
	}
}

/* One message, and those in it: recursion as deep as the schema is (eight), whatever the file says. */
/* NOLINTNEXTLINE(misc-no-recursion): the schema has no cycles */
static enum rc walk(struct reader *r, struct bytes message, enum kind kind, struct buf *path, struct err *e)
{
	const struct schema *s = &schemas[kind];
	unsigned seen[FIELDS_MAX] = {0};
	struct proto p = proto_of(message);
	struct counts counts;
	bool input = kind == CONV && str_eq(buf_view(path), STR("input"));
	size_t n = path->n;
	enum rc rc = RC_OK;

	count_layers(message, s, &counts);
	while (rc == RC_OK && proto_next(&p)) {
		const struct field *f = field_of(s, p.field);

		if (!f || p.wire != (f->kind == NUMBER ? WIRE_VARINT : WIRE_BYTES))
			continue;
		extend_path(path, f, seen[f - s->fields]++, p.bytes);
		if (f->kind == NUMBER) {
			note_uint(r->m, buf_view(path), "u32", p.number);
		} else if (f->kind != LAYER) {
			rc = walk(r, p.bytes, f->kind, path, e);
		} else {
			struct layer l = layer_of(p.bytes);

			/* a layer without numbers is one that is not there */
			if (l.params.n || l.bad)
				rc = add_layer(r, buf_view(path), f, &l, rows_of(&counts, s, f), input, e);
		}
		r->residuals += f->kind == RESIDUAL;
		r->encoders += f->kind == ENCODER && kind == WEIGHTS && p.field == 27;
		r->se |= f->kind == SE_UNIT;
		path->n = n;
	}
	if (rc == RC_OK && p.bad)
		model_problem(r->m, STR(""), "the message %.*s is cut off, or not sound (byte %" PRIu64 ")",
			      path->n ? (int)path->n : 7, path->n ? path->p : "weights",
			      values_span(&r->v, message).offset + p.at);
	return rc;
}

static enum rc read_weights(struct reader *r, struct bytes weights, struct err *e)
{
	struct counts counts;
	struct buf path = {0};
	enum rc rc;

	count_layers(proto_message(weights, 1), &schemas[CONV], &counts);
	r->filters = rows_of(&counts, &schemas[CONV], &conv_fields[0]);
	count_layers(weights, &schemas[WEIGHTS], &counts);
	r->embedding = count_in(&counts, &schemas[WEIGHTS], "ip_emb_b");
	rc = walk(r, weights, WEIGHTS, &path, e);
	buf_free(&path);
	return rc;
}

/* ---- metadata ---- */

static const struct word encodings[] = {{1, "LINEAR16"}, {0, NULL}};
static const struct word inputs[] = {
	{1, "INPUT_CLASSICAL_112_PLANE"}, {2, "INPUT_112_WITH_CASTLING_PLANE"},
	{3, "INPUT_112_WITH_CANONICALIZATION"}, {4, "INPUT_112_WITH_CANONICALIZATION_HECTOPLIES"},
	{5, "INPUT_112_WITH_CANONICALIZATION_V2"}, {132, "INPUT_112_WITH_CANONICALIZATION_HECTOPLIES_ARMAGEDDON"},
	{133, "INPUT_112_WITH_CANONICALIZATION_V2_ARMAGEDDON"}, {0, NULL},
};
static const struct word outputs[] = {{1, "OUTPUT_CLASSICAL"}, {2, "OUTPUT_WDL"}, {0, NULL}};
static const struct word networks[] = {
	{1, "NETWORK_CLASSICAL"}, {2, "NETWORK_SE"}, {3, "NETWORK_CLASSICAL_WITH_HEADFORMAT"},
	{4, "NETWORK_SE_WITH_HEADFORMAT"}, {5, "NETWORK_ONNX"}, {6, "NETWORK_ATTENTIONBODY_WITH_HEADFORMAT"},
	{7, "NETWORK_ATTENTIONBODY_WITH_MULTIHEADFORMAT"}, {134, "NETWORK_AB_LEGACY_WITH_MULTIHEADFORMAT"}, {0, NULL},
};
static const struct word policies[] = {
	{1, "POLICY_CLASSICAL"}, {2, "POLICY_CONVOLUTION"}, {3, "POLICY_ATTENTION"}, {0, NULL},
};
static const struct word value_heads[] = {{1, "VALUE_CLASSICAL"}, {2, "VALUE_WDL"}, {3, "VALUE_PARAM"}, {0, NULL}};
static const struct word moves_left[] = {{0, "MOVES_LEFT_NONE"}, {1, "MOVES_LEFT_V1"}, {0, NULL}};
static const struct word defaults[] = {{0, "DEFAULT_ACTIVATION_RELU"}, {1, "DEFAULT_ACTIVATION_MISH"}, {0, NULL}};
static const struct word activations[] = {
	{0, "ACTIVATION_DEFAULT"}, {1, "ACTIVATION_MISH"}, {2, "ACTIVATION_RELU"}, {3, "ACTIVATION_NONE"},
	{4, "ACTIVATION_TANH"}, {5, "ACTIVATION_SIGMOID"}, {6, "ACTIVATION_SELU"}, {7, "ACTIVATION_SWISH"},
	{8, "ACTIVATION_RELU_2"}, {9, "ACTIVATION_SOFTMAX"}, {0, NULL},
};
static const struct word embeddings[] = {
	{0, "INPUT_EMBEDDING_NONE"}, {1, "INPUT_EMBEDDING_PE_MAP"}, {2, "INPUT_EMBEDDING_PE_DENSE"}, {0, NULL},
};
static const struct word onnx_types[] = {{1, "FLOAT"}, {10, "FLOAT16"}, {16, "BFLOAT16"}, {0, NULL}};

static const struct note format_notes[] = {{1, "weights_encoding", WIRE_VARINT, encodings}};
static const struct note network_notes[] = {
	{1, "input", WIRE_VARINT, inputs}, {2, "output", WIRE_VARINT, outputs},
	{3, "network", WIRE_VARINT, networks}, {4, "policy", WIRE_VARINT, policies},
	{5, "value", WIRE_VARINT, value_heads},
	{6, "moves_left", WIRE_VARINT, moves_left},
	{7, "default_activation", WIRE_VARINT, defaults},
	{8, "smolgen_activation", WIRE_VARINT, activations},
	{9, "ffn_activation", WIRE_VARINT, activations},
	{10, "input_embedding", WIRE_VARINT, embeddings},
};
static const struct note training_notes[] = {
	{1, "training_steps", WIRE_VARINT, NULL}, {2, "learning_rate", WIRE_32, NULL},
	{3, "mse_loss", WIRE_32, NULL}, {4, "policy_loss", WIRE_32, NULL},
	{5, "accuracy", WIRE_32, NULL}, {6, "lc0_params", WIRE_BYTES, NULL},
};
static const struct note onnx_notes[] = {
	{2, "data_type", WIRE_VARINT, onnx_types}, {3, "input_planes", WIRE_BYTES, NULL},
	{4, "output_value", WIRE_BYTES, NULL}, {5, "output_wdl", WIRE_BYTES, NULL},
	{6, "output_policy", WIRE_BYTES, NULL}, {7, "output_mlh", WIRE_BYTES, NULL},
};
static const struct note net_notes[] = {{2, "license", WIRE_BYTES, NULL}};

static void put_version(struct model *m, struct bytes version)
{
	uint64_t part[3] = {0};
	struct proto p;

	if (!version.n)
		return;
	for (uint32_t i = 0; i < COUNT(part); i++)
		if (proto_find(version, i + 1, WIRE_VARINT, &p))
			part[i] = p.number;
	note_text(m, STR("min_version"), "str",
		  str_of(arena_printf(&m->arena, "v%" PRIu64 ".%" PRIu64 ".%" PRIu64, part[0], part[1], part[2])));
}

static void put_metadata(struct model *m, struct bytes net)
{
	struct bytes format = proto_message(net, 4);

	notes_of(m, "", net, net_notes, COUNT(net_notes));
	put_version(m, proto_message(net, 3));
	notes_of(m, "", format, format_notes, COUNT(format_notes));
	notes_of(m, "network_format.", proto_message(format, 2), network_notes, COUNT(network_notes));
	notes_of(m, "training_params.", proto_message(net, 5), training_notes, COUNT(training_notes));
	notes_of(m, "onnx_model.", proto_message(net, 11), onnx_notes, COUNT(onnx_notes));
}

/* ---- the file ---- */

static bool top_fits(uint32_t field, enum wire wire)
{
	return field == 1 ? wire == WIRE_32 : field <= 32 && wire == WIRE_BYTES;
}

static int probe(const struct probe *p)
{
	struct proto_top t = {.head = p->head, .tail = p->tail, .size = p->size};

	if (p->head.n < 5 || p->head.p[0] != (1 << 3 | WIRE_32) || load_uint(p->head.p + 1, 4, false) != MAGIC)
		return 0;
	while (proto_top_next(&t))
		if (!top_fits(t.p.field, t.p.wire))
			return 40;
	return t.bad ? 40 : 64;
}

static const char *variant(const struct reader *r)
{
	struct arena *a = &r->m->arena;

	if (r->encoders)
		return arena_printf(a, "%zu encoders, embedding of %" PRIu64, r->encoders, r->embedding);
	if (r->residuals)
		return arena_printf(a, "%zu blocks of %" PRIu64 " filters%s", r->residuals, r->filters,
				    r->se ? ", SE" : "");
	return "";
}

static enum rc check_top(struct bytes all, struct err *e)
{
	struct proto p = proto_of(all), magic;

	if (!proto_find(all, 1, WIRE_32, &magic) || magic.number != MAGIC)
		return err_set(e, "does not begin with Lc0's magic number 0x1c0");
	while (proto_next(&p))
		;
	if (p.bad)
		return err_set(e, "the file is cut off, or not sound, in field %" PRIu32 " of the net (byte %" PRIu64
			       " of %zu)", p.field, p.at, all.n);
	return RC_OK;
}

static enum rc read_lc0(struct model *m, uint32_t member, struct err *e)
{
	struct bytes all = m->source.members[member].data, weights, model;
	struct reader r = {.m = m, .v = {.m = m, .member = member}};
	enum rc rc = RC_OK;

	if (check_top(all, e) != RC_OK)
		return RC_FAIL;
	m->files = 1;
	m->bytes = all.n;
	put_metadata(m, all);
	weights = proto_message(all, 10);
	model = proto_message(proto_message(all, 11), 1);
	if (!weights.n && !model.n)
		return err_set(e, "the net holds neither weights nor an ONNX model");
	if (weights.n)
		rc = read_weights(&r, weights, e);
	if (rc == RC_OK && *variant(&r))
		m->variant = variant(&r);
	if (rc == RC_OK && model.n) {
		rc = onnx_read(m, member, model, e);
		if (rc != RC_OK)
			err_prefix(e, "the ONNX model in the net");
	}
	return rc;
}

const struct format format_lc0 = {
	.name = "lc0",
	.about = "a network of Leela Chess Zero",
	.reads = "weights in every encoding, convolutions and attention bodies, all heads, ONNX models in a net; "
		 "shapes are inferred",
	.files = "*.pb *.pb.gz",
	.probe = probe,
	.read = read_lc0,
};
