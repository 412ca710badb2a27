/*
 * Core ML's neural networks: apple/coremltools, mlmodel/format/NeuralNetwork.proto. Each layer's weights are named by
 * the layer and their field: conv2d_4.weights, lstm_1.backward.inputGateWeightMatrix. What is quantised stands for
 * values as coremltools has it (coremltools/models/neural_network/quantization_utils.py); codes of 8 bits are read in
 * place, narrower ones, whose first bit is a byte's highest, are worked out into a spool.
 */
#include <inttypes.h>
#include <string.h>

#include "format/coreml.h"
#include "format/proto.h"
#include "model/pack.h"

/* ---- which layers have weights, and of which shape ---- */

enum rule {
	FLAT, /* as many as there are */
	DIMS, /* of two fields of the layer with numbers, or one */
	LIST, /* of a field with a list of numbers */
	CONV, CONV_3D,
	COLUMNS /* DIMS, stored column by column */
};

static const struct weight {
	uint32_t layer, field;
	const char *name;
	enum rule rule;
	uint32_t a, b; /* the fields that the shape is in */
} weights[] = {
	{100, 90, "weights", CONV, 0, 0},           {100, 91, "bias", DIMS, 1, 0},
	{140, 20, "weights", DIMS, 2, 1},           {140, 21, "bias", DIMS, 2, 0},
	{150, 20, "weights", DIMS, 2, 1},           {150, 21, "bias", DIMS, 2, 0},
	{160, 15, "gamma", DIMS, 1, 0},             {160, 16, "beta", DIMS, 1, 0},
	{160, 17, "mean", DIMS, 1, 0},              {160, 18, "variance", DIMS, 1, 0},
	{245, 2, "scale", LIST, 1, 0},              {245, 5, "bias", LIST, 4, 0},
	{250, 2, "bias", LIST, 1, 0},               {290, 2, "data", LIST, 1, 0},
	{400, 30, "weightMatrix", DIMS, 2, 1},      {400, 31, "recursionMatrix", DIMS, 2, 2},
	{400, 32, "biasVector", DIMS, 2, 0},
	{410, 30, "updateGateWeightMatrix", DIMS, 2, 1}, {410, 31, "resetGateWeightMatrix", DIMS, 2, 1},
	{410, 32, "outputGateWeightMatrix", DIMS, 2, 1}, {410, 50, "updateGateRecursionMatrix", DIMS, 2, 2},
	{410, 51, "resetGateRecursionMatrix", DIMS, 2, 2}, {410, 52, "outputGateRecursionMatrix", DIMS, 2, 2},
	{410, 70, "updateGateBiasVector", DIMS, 2, 0}, {410, 71, "resetGateBiasVector", DIMS, 2, 0},
	{410, 72, "outputGateBiasVector", DIMS, 2, 0},
	{1040, 20, "weights", DIMS, 2, 1},          {1040, 21, "bias", DIMS, 2, 0},
	{1045, 8, "weights", COLUMNS, 5, 6},        {1045, 9, "bias", DIMS, 6, 0},
	{1070, 2, "data", LIST, 1, 0},
	{1350, 3, "gamma", LIST, 1, 0},             {1350, 4, "beta", LIST, 1, 0},
	{1471, 60, "weights", CONV_3D, 0, 0},       {1471, 61, "bias", DIMS, 1, 0},
};

/* Weights of an LSTM, in a message of their own; sizes are those of the layer. */
static const struct weight lstm_weights[] = {
	{0, 1, "inputGateWeightMatrix", DIMS, 2, 1},     {0, 2, "forgetGateWeightMatrix", DIMS, 2, 1},
	{0, 3, "blockInputWeightMatrix", DIMS, 2, 1},    {0, 4, "outputGateWeightMatrix", DIMS, 2, 1},
	{0, 20, "inputGateRecursionMatrix", DIMS, 2, 2}, {0, 21, "forgetGateRecursionMatrix", DIMS, 2, 2},
	{0, 22, "blockInputRecursionMatrix", DIMS, 2, 2}, {0, 23, "outputGateRecursionMatrix", DIMS, 2, 2},
	{0, 40, "inputGateBiasVector", DIMS, 2, 0},      {0, 41, "forgetGateBiasVector", DIMS, 2, 0},
	{0, 42, "blockInputBiasVector", DIMS, 2, 0},     {0, 43, "outputGateBiasVector", DIMS, 2, 0},
	{0, 60, "inputGatePeepholeVector", DIMS, 2, 0},  {0, 61, "forgetGatePeepholeVector", DIMS, 2, 0},
	{0, 62, "outputGatePeepholeVector", DIMS, 2, 0},
};

enum { LSTM = 420, BI_LSTM = 430, ACTIVATION = 130, PRELU = 25, SOFTPLUS = 71, BRANCH = 605, LOOP = 615, CUSTOM = 500 };

static uint64_t number_in(struct bytes message, uint32_t field, uint64_t otherwise)
{
	struct proto p;

	return proto_find(message, field, WIRE_VARINT, &p) ? p.number : otherwise;
}

/* Up to `most` numbers of a repeated field; returns how many there are, at most one more. */
static unsigned list_in(struct bytes message, uint32_t field, uint64_t *out, unsigned most)
{
	struct proto p = proto_of(message);
	unsigned n = 0;

	while (n <= most && proto_next(&p)) {
		struct cur c = cur_of(p.bytes);

		if (p.field != field)
			continue;
		if (p.wire == WIRE_VARINT && n++ < most)
			out[n - 1] = p.number;
		while (p.wire == WIRE_BYTES && n <= most && cur_left(&c) && !c.bad) {
			uint64_t x = proto_varint(&c);

			if (n++ < most)
				out[n - 1] = x;
		}
	}
	return n;
}

/* A deconvolution has the inputs first, and its outputs divided by the groups. */
static unsigned kernel_dims(struct bytes layer, uint64_t dims[RANK_MAX])
{
	uint64_t outputs = number_in(layer, 1, 0), inputs = number_in(layer, 2, 0), groups = number_in(layer, 10, 1);
	bool turned = number_in(layer, 60, 0) != 0;
	uint64_t size[2] = {3, 3};

	if (list_in(layer, 20, size, 2) > 2)
		return 0;
	dims[0] = turned ? inputs : outputs;
	dims[1] = turned ? outputs / (groups ? groups : 1) : inputs;
	dims[2] = size[0];
	dims[3] = size[1];
	return 4;
}

static unsigned kernel_3d_dims(struct bytes layer, uint64_t dims[RANK_MAX])
{
	uint64_t groups = number_in(layer, 10, 1);

	dims[0] = number_in(layer, 1, 0);
	dims[1] = number_in(layer, 2, 0) / (groups ? groups : 1);
	for (uint32_t i = 0; i < 3; i++)
		dims[2 + i] = number_in(layer, 20 + i, 1);
	return 5;
}

/* The rank; 0 when the layer does not say, or says too much. */
static unsigned shape_of(const struct weight *w, struct bytes layer, uint64_t dims[RANK_MAX])
{
	unsigned rank = 1;

	switch (w->rule) {
	case CONV:
		return kernel_dims(layer, dims);
	case CONV_3D:
		return kernel_3d_dims(layer, dims);
	case LIST:
		rank = list_in(layer, w->a, dims, RANK_MAX);
		return rank <= RANK_MAX ? rank : 0;
	case DIMS:
	case COLUMNS:
		dims[0] = number_in(layer, w->a, 0);
		dims[1] = w->b ? number_in(layer, w->b, 0) : 1;
		rank = w->b ? 2 : 1;
		return dims[0] && dims[1] ? rank : 0;
	default:
		return 0;
	}
}

/* ---- values ---- */

/* How WeightParams has its numbers: as floats, halves, or codes. */
struct params {
	enum dtype type;     /* of the numbers at `data` */
	struct span data;
	uint64_t count;
	struct bytes codes;  /* quantised: not yet values */
	bool is_signed;      /* int8RawValue */
	uint64_t bits;
	struct span scale, bias, table;
	uint64_t n_scale, n_bias, n_table;
};

static enum rc floats_in(struct coreml *c, struct bytes message, uint32_t field, struct span *out, uint64_t *n,
			 struct err *e)
{
	return values_of(&c->v, message, field, WIRE_32, 4, out, n, e);
}

static enum rc read_quantization(struct coreml *c, struct bytes q, struct params *p, struct err *e)
{
	struct bytes linear = proto_message(q, 101), table = proto_message(q, 102);

	p->bits = p->is_signed ? 8 : number_in(q, 1, 0);
	if (p->bits < 1 || p->bits > 8)
		return err_set(e, "its codes have %" PRIu64 " bits; 1 to 8 were expected", p->bits);
	if (floats_in(c, linear, 1, &p->scale, &p->n_scale, e) != RC_OK ||
	    floats_in(c, linear, 2, &p->bias, &p->n_bias, e) != RC_OK ||
	    floats_in(c, table, 1, &p->table, &p->n_table, e) != RC_OK)
		return RC_FAIL;
	if (p->n_table ? p->n_table != (uint64_t)1 << p->bits || p->n_scale : p->n_scale == 0)
		return err_set(e, "its quantisation has %" PRIu64 " scales and a table of %" PRIu64 " values for %"
			       PRIu64 " bits", p->n_scale, p->n_table, p->bits);
	if (p->n_bias && p->n_bias != p->n_scale)
		return err_set(e, "its quantisation has %" PRIu64 " scales and %" PRIu64 " biases", p->n_scale,
			       p->n_bias);
	return RC_OK;
}

static enum rc read_params(struct coreml *c, struct bytes message, struct params *p, struct err *e)
{
	struct proto x;

	*p = (struct params){.type = DT_F32};
	if (floats_in(c, message, 1, &p->data, &p->count, e) != RC_OK)
		return RC_FAIL;
	if (p->count)
		return RC_OK;
	if (proto_find(message, 2, WIRE_BYTES, &x) && x.bytes.n) {
		if (x.bytes.n % 2)
			return err_set(e, "its %zu bytes are not whole half-precision numbers", x.bytes.n);
		p->type = DT_F16;
		p->data = values_span(&c->v, x.bytes);
		p->count = x.bytes.n / 2;
		return RC_OK;
	}
	if (proto_find(message, 31, WIRE_BYTES, &x) && x.bytes.n)
		p->is_signed = true;
	else if (!proto_find(message, 30, WIRE_BYTES, &x) || !x.bytes.n)
		return RC_OK;
	p->codes = x.bytes;
	return read_quantization(c, proto_message(message, 40), p, e);
}

static float float_at(const struct coreml *c, struct span s, uint64_t i)
{
	struct bytes b;

	s.offset += 4 * i;
	s.length = 4;
	return source_slice(&c->m->source, s, &b) ? proto_float(load_uint(b.p, 4, false)) : 0;
}

/* Code i of a stream of `bits` each, the highest bit of a byte first. */
static unsigned code_at(struct bytes b, uint64_t i, uint64_t bits)
{
	unsigned code = 0;

	for (uint64_t k = i * bits; k < (i + 1) * bits; k++)
		code = code << 1 | (b.p[k / 8] >> (7 - k % 8) & 1);
	return code;
}

/* The value of a code of slice `slice`: from the table, or by the scale and the bias of the slice. */
static float value_of(const struct coreml *c, const struct params *p, unsigned code, uint64_t slice)
{
	double q = p->is_signed ? (double)(int8_t)code : (double)code, bias;

	if (p->n_table)
		return float_at(c, p->table, code);
	bias = p->n_bias ? (double)float_at(c, p->bias, slice) : 0;
	return (float)(q * (double)float_at(c, p->scale, slice) + bias);
}

/* Each slice of the axis has a scale of its own, or all have one. A slice's codes stand for at most 256 values, which
 * are worked out once for a run of elements. */
static enum rc spool_codes(struct coreml *c, struct params *p, const struct tensor *t, unsigned axis, struct err *e)
{
	uint64_t run = p->n_scale > 1 ? 1 : t->count;
	unsigned codes = 1u << p->bits;
	float values[256];
	struct spool *sp;

	for (unsigned i = axis + 1; p->n_scale > 1 && i < t->rank; i++)
		run *= t->shape[i];
	if (values_spool(&c->v, &sp, e) != RC_OK)
		return RC_FAIL;
	p->data = (struct span){spool_member(sp), spool_at(sp), 4 * t->count};
	for (uint64_t first = 0; first < t->count; first += run) {
		uint64_t slice = p->n_scale > 1 ? first / run % p->n_scale : 0;

		for (unsigned code = 0; code < codes && run >= codes; code++)
			values[code] = value_of(c, p, code, slice);
		for (uint64_t i = first; i < first + run; i++) {
			unsigned code = code_at(p->codes, i, p->bits);

			if (spool_f32(sp, run >= codes ? values[code] : value_of(c, p, code, slice), e) != RC_OK)
				return RC_FAIL;
		}
	}
	return RC_OK;
}

/* The numbers of lists that were not side by side in the file are in the spool, which cannot be read yet. */
static bool in_file(const struct coreml *c, const struct params *p)
{
	return (!p->n_scale || p->scale.member == c->v.member) && (!p->n_bias || p->bias.member == c->v.member) &&
	       (!p->n_table || p->table.member == c->v.member);
}

/* Codes of 8 bits stay where they are: with one scale, or a table, they stand for 256 values; else each slice has a
 * scale and a bias. */
static enum rc pack_codes(struct coreml *c, struct tensor *t, const struct params *p, unsigned axis, struct err *e)
{
	struct pack_part table = {"table", STR(""), DT_F32, dtypes[DT_F32].name, 1, &p->n_table, p->table};
	struct affine how = {.form = AFFINE_OFFSET, .n = p->n_scale, .axis = axis};
	float values[256], *shared;

	t->data = values_span(&c->v, p->codes);
	t->type = p->is_signed ? DT_I8 : DT_U8;
	t->type_name = dtypes[t->type].name;
	if (p->n_scale <= 1) {
		for (unsigned code = 0; code < COUNT(values); code++)
			values[code] = value_of(c, p, code, 0);
		t->type_name = p->n_table ? "U8/table" : p->is_signed ? "I8/tensor" : "U8/tensor";
		return pack_book(c->m, t, 8, values, p->n_table ? &table : NULL, e);
	}
	shared = arena_new(&c->m->arena, float, 2 * p->n_scale);
	for (uint64_t i = 0; i < p->n_scale; i++) {
		shared[i] = float_at(c, p->scale, i);
		shared[p->n_scale + i] = p->n_bias ? float_at(c, p->bias, i) : 0;
	}
	how.a = shared;
	how.b = shared + p->n_scale;
	return pack_affine(c->m, t, &how, e);
}

static enum rc place_codes(struct coreml *c, struct tensor *t, struct params *p, unsigned axis, struct err *e)
{
	uint64_t bits;

	if (!in_file(c, p))
		return err_set(e, "the numbers of its quantisation do not stand side by side");
	if (!u64_mul(t->count, p->bits, &bits) || u64_ceil_div(bits, 8) != p->codes.n)
		return err_set(e, "its shape and %" PRIu64 " bits ask for other than its %zu bytes", p->bits,
			       p->codes.n);
	if (p->n_scale > 1 && (axis >= t->rank || t->shape[axis] != p->n_scale))
		return err_set(e, "its %" PRIu64 " scales do not fit its shape", p->n_scale);
	if (p->bits == 8)
		return pack_codes(c, t, p, axis, e);
	if (spool_codes(c, p, t, axis, e) != RC_OK)
		return RC_FAIL;
	t->data = p->data;
	return RC_OK;
}

/* ---- layers ---- */

/* Numbers that the codes are for, where no shape says so. */
static uint64_t count_of(const struct params *p)
{
	return p->codes.n && p->bits ? (uint64_t)p->codes.n * 8 / p->bits : p->count;
}

static enum rc add_weight(struct coreml *c, struct str name, const struct weight *w, struct bytes layer,
			  struct bytes message, struct err *e)
{
	struct tensor *t = coreml_tensor(c, name, e);
	uint64_t dims[RANK_MAX];
	unsigned rank = shape_of(w, layer, dims);
	struct params p;
	struct err why;
	bool turned = w->rule == CONV && number_in(layer, 60, 0);
	enum rc rc;

	if (!t)
		return RC_FAIL;
	t->data = values_span(&c->v, message);
	rc = read_params(c, message, &p, &why);
	if (!rank) {
		dims[0] = count_of(&p);
		rank = 1;
	}
	if (rc == RC_OK)
		rc = tensor_set_shape(c->m, t, p.type, dims, rank, &why);
	if (rc == RC_OK && p.codes.n)
		rc = place_codes(c, t, &p, turned ? 1 : 0, &why);
	else if (rc == RC_OK && t->count != p.count)
		rc = err_set(&why, "its shape asks for %" PRIu64 " numbers, and %" PRIu64 " are there", t->count,
			     p.count);
	t->fortran = w->rule == COLUMNS && rank == 2;
	if (rc != RC_OK)
		tensor_broken(c->m, t, "%s (message at byte %" PRIu64 ")", why.msg, coreml_at(c, message));
	else if (!p.codes.n)
		t->data = p.data;
	return RC_OK;
}

/* Whether a WeightParams holds anything: an empty one stands for no weights at all. */
static bool is_there(struct bytes message)
{
	struct proto p = proto_of(message);

	while (proto_next(&p))
		if ((p.field == 1 && p.wire == WIRE_32) || (p.field <= 31 && p.wire == WIRE_BYTES && p.bytes.n))
			return true;
	return p.bad;
}

/* The weights of one message by a table of which the rows for `kind` count. Of a field that is there twice, the last
 * one counts. */
static enum rc read_weights(struct coreml *c, struct str name, const struct weight *table, size_t n, uint32_t kind,
			    struct bytes layer, struct bytes message, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct bytes params;

		if (table[i].layer != kind)
			continue;
		params = proto_message(message, table[i].field);
		if (is_there(params) && add_weight(c, coreml_name(c, STR(""), name, str_of(table[i].name)), &table[i],
						   layer, params, e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

/* A custom layer has a list of weights that only its own code understands. */
static enum rc read_custom(struct coreml *c, struct str name, struct bytes layer, struct err *e)
{
	static const struct weight custom = {CUSTOM, 20, "weights", FLAT, 0, 0};
	struct proto p = proto_of(layer);
	enum rc rc = RC_OK;
	unsigned i = 0;

	while (rc == RC_OK && proto_next(&p)) {
		struct str part;

		if (p.field != custom.field || p.wire != WIRE_BYTES || !is_there(p.bytes))
			continue;
		part = str_of(arena_printf(&c->m->arena, "weights.%u", i++));
		rc = add_weight(c, coreml_name(c, STR(""), name, part), &custom, layer, p.bytes, e);
	}
	return rc;
}

static enum rc read_lstm(struct coreml *c, struct str name, uint32_t kind, struct bytes layer, struct err *e)
{
	static const struct str sides[] = {{"forward", 7}, {"backward", 8}};
	struct proto p = proto_of(layer);
	enum rc rc = RC_OK;
	unsigned i = 0;

	while (rc == RC_OK && i < (kind == BI_LSTM ? 2 : 1) && proto_next(&p)) {
		struct str part;

		if (p.field != 20 || p.wire != WIRE_BYTES)
			continue;
		part = kind == BI_LSTM ? coreml_name(c, STR(""), name, sides[i]) : name;
		rc = read_weights(c, part, lstm_weights, COUNT(lstm_weights), 0, layer, p.bytes, e);
		i++;
	}
	return rc;
}

static enum rc read_activation(struct coreml *c, struct str name, struct bytes activation, struct err *e)
{
	static const struct weight slopes[] = {
		{PRELU, 1, "alpha", FLAT, 0, 0}, {SOFTPLUS, 1, "alpha", FLAT, 0, 0}, {SOFTPLUS, 2, "beta", FLAT, 0, 0},
	};
	static const uint32_t kinds[] = {PRELU, SOFTPLUS};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct bytes message = proto_message(activation, kinds[i]);

		if (read_weights(c, name, slopes, COUNT(slopes), kinds[i], message, message, e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

static enum rc push_networks(struct coreml *c, const struct coreml_part *in, struct str name, uint32_t kind,
			     struct bytes layer, struct err *e)
{
	static const struct {
		uint32_t kind, field;
		const char *name;
	} inner[] = {
		{BRANCH, 1, "ifBranch"}, {BRANCH, 2, "elseBranch"}, {LOOP, 3, "conditionNetwork"},
		{LOOP, 4, "bodyNetwork"},
	};

	for (size_t i = 0; i < COUNT(inner); i++) {
		struct bytes network = kind == inner[i].kind ? proto_message(layer, inner[i].field)
							     : (struct bytes){NULL, 0};

		if (network.n && coreml_push(c, COREML_NETWORK, network, in->depth + 1,
					     coreml_name(c, STR(""), name, str_of(inner[i].name)), e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

static enum rc read_layer(struct coreml *c, const struct coreml_part *in, struct bytes message, struct err *e)
{
	struct proto p = proto_of(message), x = {0};
	enum rc rc = RC_OK;
	struct str name;

	proto_find(message, 1, WIRE_BYTES, &x);
	name = coreml_name(c, in->prefix, proto_text(&x), STR(""));
	while (rc == RC_OK && proto_next(&p)) {
		if (p.field < 100 || p.wire != WIRE_BYTES)
			continue;
		if (p.field == LSTM || p.field == BI_LSTM)
			rc = read_lstm(c, name, p.field, p.bytes, e);
		else if (p.field == ACTIVATION)
			rc = read_activation(c, name, p.bytes, e);
		else if (p.field == BRANCH || p.field == LOOP)
			rc = push_networks(c, in, name, p.field, p.bytes, e);
		else if (p.field == CUSTOM)
			rc = read_custom(c, name, p.bytes, e);
		else
			rc = read_weights(c, name, weights, COUNT(weights), p.field, p.bytes, p.bytes, e);
	}
	if (rc == RC_OK && p.bad)
		coreml_complain(c, message, "a layer");
	return rc;
}

/* The mean image that is taken off the input, if there is one. */
static enum rc read_preprocessing(struct coreml *c, const struct coreml_part *in, struct bytes message, struct err *e)
{
	static const struct weight mean = {0, 1, "meanImage", FLAT, 0, 0};
	struct bytes image = proto_message(message, 11);
	struct proto x = {0};
	struct str name;

	if (!is_there(image))
		return RC_OK;
	proto_find(message, 1, WIRE_BYTES, &x);
	name = coreml_name(c, in->prefix, STR("preprocessing"), proto_text(&x));
	return add_weight(c, coreml_name(c, STR(""), name, STR("meanImage")), &mean, image, image, e);
}

enum rc coreml_network(struct coreml *c, const struct coreml_part *in, struct err *e)
{
	struct proto p = proto_of(in->message);
	enum rc rc = RC_OK;

	while (rc == RC_OK && proto_next(&p)) {
		if (p.wire != WIRE_BYTES)
			continue;
		if (p.field == 1)
			rc = read_layer(c, in, p.bytes, e);
		else if (p.field == 2)
			rc = read_preprocessing(c, in, p.bytes, e);
	}
	if (rc == RC_OK && p.bad)
		coreml_complain(c, in->message, "a neural network");
	return rc;
}
