/*
 * ncnn's models: a description, X.param (text) or X.param.bin, and the weights, X.bin. Tencent/ncnn,
 * docs/developer-guide/param-and-model-file-structure.md, src/paramdict.cpp, src/modelbin.cpp, and load_param and
 * load_model of each layer in src/layer.
 *
 *	text     7767517
 *	         layers blobs
 *	         type name inputs outputs blob... id=value id=a,b,c -23300-id=count,a,b,c
 *	binary   the same as i32: types by number, blobs by number, no names; -233 ends a layer's values
 *
 * The weights have neither names nor sizes: both follow from the layers, in their order. Those of one kind begin with a
 * flag: F32, F16, I8, or a table of 256 floats and a byte for each value; others are F32 as they are.
 */
#include <inttypes.h>
#include <string.h>

#include "bytes/cur.h"
#include "bytes/spool.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/shards.h"
#include "format/textnum.h"

enum {
	MAGIC = 7767517,
	LAYERS_MAX = 1 << 20,
	VALUES = 32,          /* ids of a layer's values */
	END = -233,
	ARRAY = -23300,       /* less the id */
	TABLE = 256,
	BLOCK_QUANTIZED = 400 /* quantize_term from which on weights are packed blocks */
};

#define FLAG_F16 0x01306B47u
#define FLAG_I8 0x000D4B38u
#define FLAG_F32 0x0002C056u

struct layer {
	struct str type, name;
	int64_t values[VALUES];
	bool given[VALUES];
};

struct reader {
	struct model *m;
	struct err *e;
	uint32_t weights;    /* the member X.bin */
	struct spool *spool; /* for weights that stand as indexes into a table; NULL: none so far */
	struct cur c;        /* over X.bin */
	struct layer layer;
	struct str unknown;  /* the first type of layer that is not known; it was taken to have no weights */
	bool bad;
};

/* ---- weights ---- */

/* The value with that id, which is to be an int, and not negative. */
static uint64_t value(struct reader *r, int id, uint64_t otherwise)
{
	const struct layer *l = &r->layer;

	if (!l->given[id])
		return otherwise;
	if (l->values[id] >= 0 && l->values[id] <= INT32_MAX)
		return (uint64_t)l->values[id];
	if (!r->bad)
		err_set(r->e, "layer %.*s (%.*s): its value %d is %" PRId64, (int)l->name.n, l->name.p, (int)l->type.n,
			l->type.p, id, l->values[id]);
	r->bad = true;
	return 0;
}

static enum rc expand_table(struct reader *r, struct tensor *t, const uint8_t *table, const uint8_t *codes)
{
	if (!r->spool && spool_begin(&r->spool, &r->m->source, r->m->source.members[r->weights].name, r->e) != RC_OK)
		return RC_FAIL;
	t->data = (struct span){spool_member(r->spool), spool_at(r->spool), t->count * sizeof(float)};
	for (uint64_t i = 0; i < t->count; i++)
		if (spool_put(r->spool, table + 4u * codes[i], 4, r->e) != RC_OK)
			return RC_FAIL;
	return RC_OK;
}

static bool ends(struct reader *r, struct tensor *t, uint64_t bytes)
{
	tensor_broken(r->m, t, "its %" PRIu64 " bytes from byte %" PRIu64 " on leave the file of %zu bytes", bytes,
		      t->data.offset, r->m->source.members[r->weights].data.n);
	r->bad = true;
	err_set(r->e, "the weights end in layer %.*s", (int)r->layer.name.n, r->layer.name.p);
	return false;
}

/* Finds out how the weights at the cursor stand there, and sets type and place. */
static bool place_flagged(struct reader *r, struct tensor *t)
{
	uint64_t count = t->count, bytes;
	uint32_t flag = cur_u32(&r->c);
	const uint8_t *table, *p;

	t->data.offset += 4;
	if (flag == FLAG_F16 || flag == FLAG_I8) {
		t->type = flag == FLAG_F16 ? DT_F16 : DT_I8;
		t->type_name = dtypes[t->type].name;
		t->data.length = bytes = count * dtypes[t->type].bytes;
		return cur_take(&r->c, u64_ceil_div(bytes, 4) * 4) ? true : ends(r, t, bytes);
	}
	if (flag == 0 || flag == FLAG_F32)
		return cur_take(&r->c, 4 * count) ? true : ends(r, t, 4 * count);
	bytes = 4 * TABLE + u64_ceil_div(count, 4) * 4;
	table = cur_take(&r->c, 4 * TABLE);
	p = cur_take(&r->c, u64_ceil_div(count, 4) * 4);
	if (!p)
		return ends(r, t, bytes);
	if (expand_table(r, t, table, p) != RC_OK)
		r->bad = true;
	return !r->bad;
}

/* Takes a weight of the layer: flagged or plain, of that shape. */
static void take(struct reader *r, const char *what, bool flagged, const uint64_t *d, unsigned rank)
{
	struct str name = r->layer.name;
	struct tensor *t;

	if (r->bad)
		return;
	t = model_add_tensor(r->m);
	t->name = str_of(arena_printf(&r->m->arena, "%.*s.%s", (int)name.n, name.p, what));
	t->data = (struct span){r->weights, cur_at(&r->c), 0};
	if (tensor_set_shape(r->m, t, DT_F32, d, rank, r->e) != RC_OK || t->count > cur_left(&r->c)) {
		if (t->rank == rank)
			err_set(r->e, "layer %.*s: its %s of %" PRIu64 " values do not fit in the %" PRIu64
				" bytes that are left (byte %" PRIu64 ")", (int)name.n, name.p, what, t->count,
				cur_left(&r->c), cur_at(&r->c));
		r->m->n_tensors--;
		r->bad = true;
		return;
	}
	t->data.length = 4 * t->count;
	if (flagged)
		place_flagged(r, t);
	else if (!cur_take(&r->c, 4 * t->count))
		ends(r, t, 4 * t->count);
}

static void vector(struct reader *r, const char *what, uint64_t n)
{
	take(r, what, false, &n, 1);
}

/* `total` values in rows of which one dimension is left open: d[open] becomes what the others leave, or else the shape
 * is flat. */
static void matrix(struct reader *r, const char *what, uint64_t total, uint64_t *d, unsigned rank, unsigned open)
{
	uint64_t others = 1;

	for (unsigned i = 0; i < rank; i++)
		if (i != open && !u64_mul(others, d[i], &others))
			others = 0;
	if (others && total % others == 0) {
		d[open] = total / others;
		take(r, what, true, d, rank);
	} else {
		take(r, what, true, &total, 1);
		if (!r->bad)
			model_problem(r->m, r->m->tensors[r->m->n_tensors - 1].name,
				      "its %" PRIu64 " values are no whole rows", total);
	}
}

/* ---- layers ---- */

/* Values 0 outputs, 5 bias, 6 weights; kernel 1, 11, 21; 8 and 18 scales of I8. */
static void convolution(struct reader *r, unsigned dims)
{
	uint64_t out = value(r, 0, 0), w = value(r, 1, 0), d[5] = {out, 0};
	uint64_t scales = value(r, 8, 0);
	unsigned n = 2;

	if (value(r, 19, 0))
		return; /* the weights are an input */
	if (dims == 3)
		d[n++] = value(r, 21, w);
	if (dims >= 2)
		d[n++] = value(r, 11, w);
	d[n++] = w;
	matrix(r, "weight", value(r, 6, 0), d, n, 1);
	if (value(r, 5, 0))
		vector(r, "bias", out);
	if (!scales)
		return;
	if (str_eq(r->layer.type, STR("ConvolutionDepthWise")))
		vector(r, "weight_int8_scales", scales % 100 == 2 ? 1 : value(r, 7, 1));
	else
		vector(r, "weight_int8_scales", out);
	vector(r, "bottom_blob_int8_scales", 1);
	if (scales > 100)
		vector(r, "top_blob_int8_scales", 1);
}

static void conv1(struct reader *r)
{
	convolution(r, 1);
}

static void conv2(struct reader *r)
{
	convolution(r, 2);
}

static void conv3(struct reader *r)
{
	convolution(r, 3);
}

/* As a convolution, but for the id of "the weights are an input", and 8, 18, 19 are other things. */
static void deconvolution(struct reader *r, unsigned dims)
{
	if (value(r, 28, 0))
		return;
	r->layer.given[8] = r->layer.given[19] = false;
	convolution(r, dims);
}

static void deconv1(struct reader *r)
{
	deconvolution(r, 1);
}

static void deconv2(struct reader *r)
{
	deconvolution(r, 2);
}

static void deconv3(struct reader *r)
{
	deconvolution(r, 3);
}

static void inner_product(struct reader *r)
{
	uint64_t out = value(r, 0, 0), d[2] = {out, 0};

	matrix(r, "weight", value(r, 2, 0), d, 2, 1);
	if (value(r, 1, 0))
		vector(r, "bias", out);
	if (value(r, 8, 0)) {
		vector(r, "weight_int8_scales", out);
		vector(r, "bottom_blob_int8_scales", 1);
	}
}

static void embed(struct reader *r)
{
	uint64_t out = value(r, 0, 0), d[2] = {0, out};

	matrix(r, "weight", value(r, 3, 0), d, 2, 0);
	if (value(r, 2, 0))
		vector(r, "bias", out);
	if (value(r, 18, 0))
		vector(r, "weight_int8_scale", 1);
}

static void batch_norm(struct reader *r)
{
	static const char *const what[] = {"slope", "mean", "var", "bias"};

	for (size_t i = 0; i < COUNT(what); i++)
		vector(r, what[i], value(r, 0, 0));
}

static void bias(struct reader *r)
{
	vector(r, "bias", value(r, 0, 0));
}

static void scale(struct reader *r)
{
	if (r->layer.given[0] && r->layer.values[0] == END)
		return; /* the scale is an input */
	vector(r, "scale", value(r, 0, 0));
	if (value(r, 1, 0))
		vector(r, "bias", value(r, 0, 0));
}

static void prelu(struct reader *r)
{
	vector(r, "slope", value(r, 0, 0));
}

static void group_norm(struct reader *r)
{
	if (!value(r, 3, 1))
		return;
	vector(r, "gamma", value(r, 1, 0));
	vector(r, "beta", value(r, 1, 0));
}

static void layer_norm(struct reader *r)
{
	if (!value(r, 2, 1))
		return;
	vector(r, "gamma", value(r, 0, 0));
	if (!str_eq(r->layer.type, STR("RMSNorm")))
		vector(r, "beta", value(r, 0, 0));
}

static void normalize(struct reader *r)
{
	vector(r, "scale", value(r, 3, 0));
}

static void padding(struct reader *r)
{
	if (value(r, 6, 0))
		vector(r, "per_channel_pad", value(r, 6, 0));
}

static void quantize(struct reader *r)
{
	vector(r, "scale", value(r, 0, 1));
}

static void dequantize(struct reader *r)
{
	vector(r, "scale", value(r, 0, 1));
	if (value(r, 1, 0))
		vector(r, "bias", value(r, 1, 0));
}

static void requantize(struct reader *r)
{
	vector(r, "scale_in", value(r, 0, 1));
	vector(r, "scale_out", value(r, 1, 1));
	if (value(r, 2, 0))
		vector(r, "bias", value(r, 2, 0));
}

/* gates: rows of weights for each hidden value; biases: likewise. */
static void recurrent(struct reader *r, uint64_t gates, uint64_t biases, uint64_t hidden)
{
	uint64_t out = value(r, 0, 0), directions = value(r, 2, 0) == 2 ? 2 : 1;
	uint64_t wx[3] = {directions, gates * hidden, 0}, b[3] = {directions, biases, hidden};
	uint64_t wh[3] = {directions, gates * hidden, out}, scales[2] = {directions, gates * hidden};
	uint64_t wr[3] = {directions, out, hidden};

	matrix(r, "weight_xc", value(r, 1, 0), wx, 3, 2);
	take(r, "bias_c", true, b, 3);
	take(r, "weight_hc", true, wh, 3);
	if (hidden != out)
		take(r, "weight_hr", true, wr, 3);
	if (value(r, 8, 0)) {
		take(r, "weight_xc_int8_scales", false, scales, 2);
		take(r, "weight_hc_int8_scales", false, scales, 2);
	}
}

static void lstm(struct reader *r)
{
	recurrent(r, 4, 4, value(r, 3, value(r, 0, 0)));
}

static void gru(struct reader *r)
{
	recurrent(r, 3, 4, value(r, 0, 0));
}

static void rnn(struct reader *r)
{
	recurrent(r, 1, 1, value(r, 0, 0));
}

static bool block_quantized(struct reader *r)
{
	if (value(r, 18, 0) < BLOCK_QUANTIZED)
		return false;
	if (!r->bad)
		err_set(r->e, "layer %.*s: weights in packed blocks (quantize_term %" PRIu64 ") are not read",
			(int)r->layer.name.n, r->layer.name.p, value(r, 18, 0));
	r->bad = true;
	return true;
}

static void gemm_matrix(struct reader *r, const char *what, bool transposed, uint64_t rows, uint64_t columns)
{
	uint64_t d[2] = {transposed ? columns : rows, transposed ? rows : columns};

	take(r, what, true, d, 2);
}

static void gemm(struct reader *r)
{
	uint64_t m = value(r, 7, 0), n = value(r, 8, 0), k = value(r, 9, 0), one = 1;
	int64_t broadcast = r->layer.given[10] ? r->layer.values[10] : 0;

	if (block_quantized(r))
		return;
	if (value(r, 4, 0))
		gemm_matrix(r, "A", value(r, 2, 0), m, k);
	if (value(r, 5, 0))
		gemm_matrix(r, "B", value(r, 3, 0), k, n);
	if (value(r, 6, 0) && broadcast >= 0) {
		if (broadcast < 2)
			take(r, "C", true, broadcast ? &m : &one, 1);
		else
			gemm_matrix(r, "C", false, broadcast == 4 ? 1 : m, broadcast == 2 ? 1 : n);
	}
	if (!value(r, 18, 0))
		return;
	if (value(r, 4, 0))
		vector(r, "A_int8_scales", m);
	if (value(r, 5, 0))
		vector(r, "B_int8_scale", 1);
}

static void attention(struct reader *r)
{
	uint64_t e = value(r, 0, 0), q = e ? value(r, 2, 0) / e : 0;
	uint64_t wq[2] = {e, q}, wk[2] = {e, value(r, 3, e)}, wv[2] = {e, value(r, 4, e)}, wo[2] = {q, e};

	if (block_quantized(r))
		return;
	take(r, "q_weight", true, wq, 2);
	vector(r, "q_bias", e);
	take(r, "k_weight", true, wk, 2);
	vector(r, "k_bias", e);
	take(r, "v_weight", true, wv, 2);
	vector(r, "v_bias", e);
	take(r, "out_weight", true, wo, 2);
	vector(r, "out_bias", q);
	if (!value(r, 18, 0))
		return;
	vector(r, "q_weight_int8_scales", e);
	vector(r, "k_weight_int8_scales", e);
	vector(r, "v_weight_int8_scales", e);
	vector(r, "out_weight_int8_scale", 1);
}

static void memory_data(struct reader *r)
{
	static const int ids[] = {2, 11, 1, 0}; /* channels, depth, height, width */
	uint64_t d[COUNT(ids)];
	unsigned rank = 0;

	for (size_t i = 0; i < COUNT(ids); i++) {
		uint64_t n = value(r, ids[i], 0);

		if (n)
			d[rank++] = n;
	}
	if (rank)
		take(r, "data", value(r, 21, 1) == 0, d, rank);
}

/* By the number that a binary description has for it. NULL: no weights. */
static const struct {
	const char *name;
	void (*read)(struct reader *);
} types[] = {
	{"AbsVal", NULL}, {"ArgMax", NULL}, {"BatchNorm", batch_norm}, {"Bias", bias}, {"BNLL", NULL}, {"Concat", NULL},
	{"Convolution", conv2}, {"Crop", NULL}, {"Deconvolution", deconv2}, {"Dropout", NULL}, {"Eltwise", NULL},
	{"ELU", NULL}, {"Embed", embed}, {"Exp", NULL}, {"Flatten", NULL}, {"InnerProduct", inner_product},
	{"Input", NULL}, {"Log", NULL}, {"LRN", NULL}, {"MemoryData", memory_data}, {"MVN", NULL}, {"Pooling", NULL},
	{"Power", NULL}, {"PReLU", prelu}, {"Proposal", NULL}, {"Reduction", NULL}, {"ReLU", NULL}, {"Reshape", NULL},
	{"ROIPooling", NULL}, {"Scale", scale}, {"Sigmoid", NULL}, {"Slice", NULL}, {"Softmax", NULL}, {"Split", NULL},
	{"SPP", NULL}, {"TanH", NULL}, {"Threshold", NULL}, {"Tile", NULL}, {"RNN", rnn}, {"LSTM", lstm},
	{"BinaryOp", NULL}, {"UnaryOp", NULL}, {"ConvolutionDepthWise", conv2}, {"Padding", padding}, {"Squeeze", NULL},
	{"ExpandDims", NULL}, {"Normalize", normalize}, {"Permute", NULL}, {"PriorBox", NULL},
	{"DetectionOutput", NULL}, {"Interp", NULL}, {"DeconvolutionDepthWise", deconv2}, {"ShuffleChannel", NULL},
	{"InstanceNorm", layer_norm}, {"Clip", NULL}, {"Reorg", NULL}, {"YoloDetectionOutput", NULL},
	{"Quantize", quantize}, {"Dequantize", dequantize}, {"Yolov3DetectionOutput", NULL}, {"PSROIPooling", NULL},
	{"ROIAlign", NULL}, {"Packing", NULL}, {"Requantize", requantize}, {"Cast", NULL}, {"HardSigmoid", NULL},
	{"SELU", NULL}, {"HardSwish", NULL}, {"Noop", NULL}, {"PixelShuffle", NULL}, {"DeepCopy", NULL}, {"Mish", NULL},
	{"StatisticsPooling", NULL}, {"Swish", NULL}, {"Gemm", gemm}, {"GroupNorm", group_norm},
	{"LayerNorm", layer_norm}, {"Softplus", NULL}, {"GRU", gru}, {"MultiHeadAttention", attention}, {"GELU", NULL},
	{"Convolution1D", conv1}, {"Pooling1D", NULL}, {"ConvolutionDepthWise1D", conv1}, {"Convolution3D", conv3},
	{"ConvolutionDepthWise3D", conv3}, {"Pooling3D", NULL}, {"MatMul", NULL}, {"Deconvolution1D", deconv1},
	{"DeconvolutionDepthWise1D", deconv1}, {"Deconvolution3D", deconv3}, {"DeconvolutionDepthWise3D", deconv3},
	{"Einsum", NULL}, {"DeformableConv2D", conv2}, {"GLU", NULL}, {"Fold", NULL}, {"Unfold", NULL},
	{"GridSample", NULL}, {"CumulativeSum", NULL}, {"CopyTo", NULL}, {"Erf", NULL}, {"Diag", NULL}, {"CELU", NULL},
	{"Shrink", NULL}, {"RMSNorm", layer_norm}, {"Spectrogram", NULL}, {"InverseSpectrogram", NULL}, {"Flip", NULL},
	{"SDPA", NULL}, {"RotaryEmbed", NULL},
};

/* The weights of the layer that was read. */
static void read_weights(struct reader *r)
{
	struct str type = r->layer.type;

	for (size_t i = 0; i < COUNT(types); i++)
		if (str_eq(type, str_of(types[i].name))) {
			if (types[i].read)
				types[i].read(r);
			return;
		}
	if (!r->unknown.n)
		r->unknown = arena_str(&r->m->arena, type);
}

/* ---- the description, as text ---- */

static void set_value(struct layer *l, int64_t id, int64_t x)
{
	if (id < 0 || id >= VALUES)
		return;
	l->values[id] = x;
	l->given[id] = true;
}

/* A text in quotes may have blanks in it: takes the words up to the one that ends it. */
static void skip_text(struct textnum *line, struct str text)
{
	if (!text.n || text.p[0] != '"')
		return;
	text.p++;
	text.n--;
	while (!text.n || text.p[text.n - 1] != '"')
		if (!textnum_word(line, &text))
			return;
}

/* id=value; arrays, floats and texts are no sizes and are passed over. */
static enum rc take_value(struct reader *r, struct textnum *line, struct str word, uint64_t number)
{
	const char *equals = memchr(word.p, '=', word.n);
	struct textnum id = {word.p, equals, word.p}, text;
	int64_t i, x;

	if (!equals || textnum_i64(&id, &i) != TEXTNUM_OK)
		return err_set(r->e, "line %" PRIu64 ": %.*s is not id=value", number, (int)textnum_shown(word).n,
			       word.p);
	text = (struct textnum){equals + 1, word.p + word.n, equals + 1};
	if (textnum_i64(&text, &x) == TEXTNUM_OK)
		set_value(&r->layer, i, x);
	skip_text(line, (struct str){text.p, (size_t)(text.end - text.p)});
	return RC_OK;
}

static enum rc text_layer(struct reader *r, struct textnum line, uint64_t number)
{
	int64_t inputs, outputs;
	struct str word;

	r->layer = (struct layer){0};
	if (!textnum_word(&line, &r->layer.type) || !textnum_word(&line, &r->layer.name) ||
	    textnum_i64(&line, &inputs) != TEXTNUM_OK || textnum_i64(&line, &outputs) != TEXTNUM_OK || inputs < 0 ||
	    outputs < 0)
		return err_set(r->e, "line %" PRIu64 ": no type, name and numbers of inputs and outputs", number);
	for (int64_t n = 0; n < inputs || n - inputs < outputs; n++)
		if (!textnum_word(&line, &word))
			return err_set(r->e, "line %" PRIu64 ": fewer blobs than inputs and outputs", number);
	while (textnum_word(&line, &word))
		if (take_value(r, &line, word, number) != RC_OK)
			return RC_FAIL;
	read_weights(r);
	return r->bad ? RC_FAIL : RC_OK;
}

static enum rc text_description(struct reader *r, struct bytes b)
{
	struct textnum t = textnum_of(b), line;
	int64_t layers = 0, blobs = 0, x = 0;

	for (uint64_t number = 1, seen = 0; textnum_line(&t, &line); number++) {
		struct textnum blank = line;
		struct str word;

		if (!textnum_word(&blank, &word))
			continue;
		if (number == 1 && textnum_i64(&line, &x) == TEXTNUM_OK && x == MAGIC)
			continue;
		if (x != MAGIC)
			return err_set(r->e, "line 1 of the description is not %d", MAGIC);
		if (!layers) {
			if (textnum_i64(&line, &layers) != TEXTNUM_OK || textnum_i64(&line, &blobs) != TEXTNUM_OK ||
			    layers < 1 || layers > LAYERS_MAX)
				return err_set(r->e, "line %" PRIu64 " has no numbers of layers and blobs", number);
			fact_int(r->m, "layers", layers);
			fact_int(r->m, "blobs", blobs);
			continue;
		}
		if (seen++ == (uint64_t)layers)
			return err_set(r->e, "line %" PRIu64 ": more layers than the %" PRId64 " of line 2", number,
				       layers);
		if (text_layer(r, line, number) != RC_OK)
			return RC_FAIL;
	}
	return layers ? RC_OK : err_set(r->e, "the description ends before its layers");
}

/* ---- the description, binary ---- */

static int32_t take_i32(struct cur *c)
{
	return (int32_t)cur_u32(c);
}

static bool binary_values(struct reader *r, struct cur *c)
{
	for (int32_t id; !c->bad && (id = take_i32(c)) != END;) {
		if (id > ARRAY)
			set_value(&r->layer, id, take_i32(c));
		else
			cur_take(c, 4 * (uint64_t)cur_u32(c));
	}
	return !c->bad;
}

static enum rc binary_description(struct reader *r, struct bytes b)
{
	struct cur c = cur_of(b);
	uint32_t layers, blobs;

	cur_u32(&c);
	layers = cur_u32(&c);
	blobs = cur_u32(&c);
	if (c.bad || layers > LAYERS_MAX || layers > cur_left(&c) / 16)
		return err_set(r->e, "%" PRIu32 " layers do not fit in the description", layers);
	fact_uint(r->m, "layers", layers);
	fact_uint(r->m, "blobs", blobs);
	for (uint32_t i = 0; i < layers; i++) {
		uint64_t at = cur_at(&c);
		uint32_t type = cur_u32(&c);
		uint64_t n = cur_u32(&c);

		n += cur_u32(&c);
		cur_take(&c, 4 * n);
		r->layer = (struct layer){0};
		r->layer.name = str_of(arena_printf(&r->m->arena, "layer.%" PRIu32, i));
		r->layer.type = str_of(type < COUNT(types) ? types[type].name
							   : arena_printf(&r->m->arena, "type %" PRIu32, type));
		if (!binary_values(r, &c))
			return err_set(r->e, "the description ends inside layer %" PRIu32 " (byte %" PRIu64 ")", i, at);
		read_weights(r);
		if (r->bad)
			return RC_FAIL;
	}
	return RC_OK;
}

/* ---- the two files ---- */

static bool is_text(struct bytes b)
{
	return b.n >= 8 && memcmp(b.p, "7767517", 7) == 0 && (b.p[7] == '\n' || b.p[7] == '\r' || b.p[7] == ' ');
}

static bool is_binary(struct bytes b)
{
	return b.n >= 28 && load_uint(b.p, 4, false) == MAGIC && load_uint(b.p + 4, 4, false) <= LAYERS_MAX;
}

static int probe_param(const struct probe *p)
{
	return is_text(p->head) ? 56 : is_binary(p->head) ? 40 : 0;
}

static bool take_ending(struct str *s, struct str ending)
{
	if (s->n <= ending.n || memcmp(s->p + s->n - ending.n, ending.p, ending.n) != 0)
		return false;
	s->n -= ending.n;
	return true;
}

/* Without a flag of its own, the first weight is F32: then the values at the beginning are to look like weights, and
 * the name like ncnn's. */
static int probe_bin(const struct probe *p)
{
	uint64_t flag = p->head.n >= 8 ? load_uint(p->head.p, 4, false) : 1;
	struct str name = str_of(p->name);

	if (flag == FLAG_F16 || flag == FLAG_I8 || flag == FLAG_F32)
		return 32;
	if (flag || p->size % 4 || !take_ending(&name, STR(".bin")))
		return 0;
	for (size_t i = 4; i + 4 <= p->head.n && i < 64; i += 4) {
		uint64_t exponent = load_uint(p->head.p + i, 4, false) >> 23 & 0xff;

		if (exponent < 127 - 40 || exponent > 127 + 10) /* 1e-12 to 1e3 */
			return 0;
	}
	return 5;
}

static enum rc check_rest(struct reader *r)
{
	if (cur_left(&r->c))
		model_problem(r->m, STR(""), "%" PRIu64 " bytes of the weights belong to no layer (from byte %" PRIu64
			      " on)", cur_left(&r->c), cur_at(&r->c));
	return RC_OK;
}

static enum rc read_both(struct model *m, uint32_t param, uint32_t weights, struct err *e)
{
	struct bytes d = m->source.members[param].data;
	struct reader r = {.m = m, .e = e, .weights = weights, .c = cur_of(m->source.members[weights].data)};
	enum rc rc = is_text(d) ? text_description(&r, d) : binary_description(&r, d);

	m->format = "ncnn";
	m->variant = is_text(d) ? "text and weights" : "binary and weights";
	m->files = 2;
	m->bytes = d.n + m->source.members[weights].size;
	if (rc == RC_OK)
		rc = check_rest(&r);
	else if (m->n_tensors) {
		model_problem(m, STR(""), "%s; what follows is not read", e->msg);
		rc = RC_OK;
	}
	if (rc == RC_OK && r.unknown.n && m->n_problems)
		model_problem(m, STR(""), "layers of type %.*s are not known: they were taken to have no weights",
			      (int)r.unknown.n, r.unknown.p);
	if (r.spool && rc == RC_OK)
		return spool_end(r.spool, e);
	spool_drop(r.spool);
	return rc;
}

static enum rc open_beside(struct model *m, uint32_t member, struct str stem, const char *ending, uint32_t *other,
			   struct err *e)
{
	struct str name = str_of(arena_printf(&m->arena, "%.*s%s", (int)stem.n, stem.p, ending));

	if (source_open_beside(&m->source, member, name, other, e) == RC_OK)
		return RC_OK;
	return err_prefix(e, "%.*s, which belongs to it", (int)name.n, name.p);
}

static enum rc read_param(struct model *m, uint32_t member, struct err *e)
{
	struct str stem = base_name(m->source.members[member].name);
	uint32_t weights;

	if (!take_ending(&stem, STR(".param.bin")))
		take_ending(&stem, STR(".param"));
	if (open_beside(m, member, stem, ".bin", &weights, e) != RC_OK)
		return RC_FAIL;
	return read_both(m, member, weights, e);
}

static enum rc read_bin(struct model *m, uint32_t member, struct err *e)
{
	struct str stem = base_name(m->source.members[member].name);
	uint32_t param;
	struct err why;

	take_ending(&stem, STR(".bin"));
	if (open_beside(m, member, stem, ".param", &param, e) != RC_OK &&
	    open_beside(m, member, stem, ".param.bin", &param, &why) != RC_OK)
		return err_prefix(e, "looks like the weights of an ncnn model");
	if (probe_param(&(struct probe){.head = m->source.members[param].data}) == 0)
		return err_set(e, "looks like the weights of an ncnn model, but %.*s.param does not describe one",
			       (int)stem.n, stem.p);
	return read_both(m, param, member, e);
}

const struct format format_ncnn = {
	.name = "ncnn",
	.about = "models of ncnn, in two files: X.param and X.bin",
	.reads = "text and binary descriptions, every layer of ncnn that has weights; F32, F16, I8 and table-coded "
		 "weights; not weights in packed blocks",
	.files = "*.param *.param.bin",
	.probe = probe_param,
	.read = read_param,
};

const struct format format_ncnn_bin = {
	.name = "ncnn-bin",
	.about = "the weights of an ncnn model",
	.reads = "opens the description beside it, and so the whole model",
	.files = "*.bin",
	.rank = RANK_PART,
	.probe = probe_bin,
	.read = read_bin,
};
