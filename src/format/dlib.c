/*
 * dlib's serialised neural networks: davisking/dlib, dlib/serialize.h, dlib/cuda/tensor.h, dlib/dnn/core.h, layers.h,
 * loss.h and input.h.
 *
 * The file is a C++ object written member by member, and only its type, which is not in it, says which members. But
 * every layer begins with its own name and version ("con_4"), of which the table below knows what follows, and a net
 * is written from the outside in: version numbers of all wrappers, the input layer, then layer by layer up to the
 * output.
 *
 *	integer  a byte: how many bytes follow, 0x80 if negative; then these, little-endian
 *	float    integer mantissa, integer exponent of 2         bool  the character 0 or 1
 *	text     integer length, bytes
 *	tensor   integer 2, four integers: samples, channels, rows, columns; floats of 4 bytes, little-endian
 *	alias    integer 1, four integers: a part of the tensor "params", one after the other
 *	layer    name, what it holds, 3 bools, then tensors that are empty unless training was interrupted
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "bytes/cur.h"
#include "format/format.h"
#include "format/notes.h"

enum {
	WORD_MAX = 64,
	LAYERS_MAX = 100000,
	KINDS_MAX = 64,
	ALIASES_MAX = 4,
	COUNT_MAX = 1 << 20,
	PROBED = 4096        /* wrappers that a probe goes through */
};

/*
 * What follows a layer's name, as words:
 *
 *	i float-less integer   f float   b bool   c raw byte   s text   t:NAME tensor   a:NAME alias of "params"
 *	i:NAME f:NAME the same, told as metadata   W windows, M labels: of single losses
 */
static const struct row {
	const char *tag;  /* as it stands in the file */
	const char *kind; /* name of its tensors; NULL: input or loss, which have none */
	const char *words;
} rows[] = {
	{"con_4", "con", "t:params i i i i i i i a:filters a:biases f f f f"},
	{"con_5", "con", "t:params i i i i i i i a:filters a:biases f f f f b"},
	{"con_6", "con", "t:params i i i i i i i a:filters a:biases f f f f b b"},
	{"cont_1", "cont", "t:params i i i i i i i a:filters a:biases f f f f"},
	{"cont_2", "cont", "t:params i i i i i i i a:filters a:biases f f f f b"},
	{"fc_2", "fc", "i i t:params a:weights a:biases i f f f f"},
	{"fc_3", "fc", "i i t:params a:weights a:biases i f f f f b"},
	{"linear_", "linear", "i i t:params a:weights a:biases i f"},
	{"bn_con2", "bn_con",
	 "t:params a:gamma a:beta t:means t:invstds t:running_means t:running_variances i i f f f f f"},
	{"bn_fc2", "bn_fc",
	 "t:params a:gamma a:beta t:means t:invstds t:running_means t:running_variances i i f f f f f"},
	{"affine_", "affine", "t:params a:gamma a:beta i"},
	{"affine_2", "affine", "t:params a:gamma a:beta i b"},
	{"layer_norm_", "layer_norm", "t:params a:gamma a:beta t:means t:invstds f f f f f"},
	{"rms_norm_", "rms_norm", "t:params a:gamma f f f f f"},
	{"prelu_", "prelu", "t:params f"},
	{"embeddings_", "embeddings", "t:embs i i f b"},
	{"act_", "act", "i f f b i i i i i t:params"},
	{"dropout_", "dropout", "f t:mask"},
	{"multiply_", "multiply", "f"},
	{"relu_", "relu", ""},
	{"relu_2", "relu", "b"},
	{"leaky_relu_", "leaky_relu", "f"},
	{"clipped_relu_", "clipped_relu", "f"},
	{"elu_", "elu", "f"},
	{"smelu_", "smelu", "f"},
	{"sig_", "sig", ""},
	{"mish_", "mish", ""},
	{"htan_", "htan", ""},
	{"gelu_", "gelu", ""},
	{"silu_", "silu", ""},
	{"softmax_", "softmax", ""},
	{"softmax_all_", "softmax_all", ""},
	{"max_pool_2", "max_pool", "i i i i i i"},
	{"avg_pool_2", "avg_pool", "i i i i i i"},
	{"upsample_", "upsample", "i i"},
	{"resize_to_", "resize_to", "i i f f"},
	{"reshape_to_", "reshape_to", "i i i i i i b"},
	{"add_prev_", "add_prev", ""},
	{"mult_prev_", "mult_prev", ""},
	{"multm_prev_", "multm_prev", ""},
	{"resize_prev_to_tagged_", "resize_prev_to_tagged", ""},
	{"scale_", "scale", "a a"},
	{"scale_prev_", "scale_prev", "a a"},
	{"concat_", "concat", "i"},
	{"l2normalize_", "l2normalize", "f"},
	{"extract_", "extract", "i i i i"},
	{"slice_", "slice", "i i i i i i"},
	{"reorg_", "reorg", "i i"},
	{"transpose_", "transpose", ""},
	{"positional_encodings_", "positional_encodings", ""},
	{"tril_", "tril", "i f"},

	{"input_rgb_image", NULL, "f:avg_red f:avg_green f:avg_blue"},
	{"input_rgb_image_sized", NULL, "f:avg_red f:avg_green f:avg_blue i:rows i:columns"},
	{"input_rgb_image_pair", NULL, "f:avg_red f:avg_green f:avg_blue"},
	{"input_rgb_image_pyramid", NULL, "f:avg_red f:avg_green f:avg_blue"},
	{"input_rgb_image_pyramid2", NULL,
	 "f:avg_red f:avg_green f:avg_blue i:pyramid_padding i:pyramid_outer_padding"},
	{"input_grayscale_image_pyramid", NULL, "i:pyramid_padding i:pyramid_outer_padding"},
	{"input<matrix>", NULL, ""},
	{"input<array<matrix>>", NULL, ""},
	{"input<array2d>", NULL, ""},
	{"input_tensor", NULL, ""},

	{"loss_binary_hinge_", NULL, ""},
	{"loss_binary_log_", NULL, ""},
	{"loss_binary_log_per_pixel_", NULL, ""},
	{"loss_multiclass_log_", NULL, ""},
	{"loss_multiclass_log_weighted_", NULL, ""},
	{"loss_multiclass_log_per_pixel_", NULL, ""},
	{"loss_multiclass_log_per_pixel_weighted_", NULL, ""},
	{"loss_multimulticlass_log_", NULL, "M"},
	{"loss_multibinary_log_", NULL, ""},
	{"loss_multibinary_log_2", NULL, "f"},
	{"loss_mmod_", NULL, "W"},
	{"loss_metric_", NULL, ""},
	{"loss_metric_2", NULL, "f f"},
	{"loss_ranking_", NULL, ""},
	{"loss_mean_squared_", NULL, ""},
	{"loss_mean_squared_multioutput_", NULL, ""},
	{"loss_mean_squared_per_pixel_", NULL, ""},
	{"loss_mean_squared_per_channel_and_pixel_", NULL, ""},
	{"loss_epsilon_insensitive_", NULL, "f"},
	{"loss_dot_", NULL, ""},
	{"loss_barlow_twins_", NULL, "f"},
};

struct alias {
	const char *name;
	uint64_t d[4], count;
};

struct reader {
	struct model *m;
	uint32_t member;
	struct cur c;
	struct err *e;
	bool bad;
	unsigned layers;           /* with losses and inputs */
	unsigned hidden, expected; /* without them; and as many as the wrappers say at least */
	unsigned wrappers;         /* of layers, up to the next one */
	struct {
		const char *kind;
		unsigned n;
	} kinds[KINDS_MAX];        /* how many of each there were */
	const char *layer;         /* the name of this one: con3 */
	struct span params;        /* of this layer */
	uint64_t params_count;
	struct alias aliases[ALIASES_MAX];
	unsigned n_aliases;
	int64_t version;           /* the last one before the input layer */
	bool at_bottom;            /* the next layer is the first one */
};

/* ---- values ---- */

static bool fail(struct reader *r, const char *what)
{
	if (!r->bad)
		err_set(r->e, "layer %u%s%s: no %s (byte %" PRIu64 ")", r->layers, r->layer ? ", " : "",
			r->layer ? r->layer : "", what, cur_at(&r->c));
	r->bad = true;
	return false;
}

/* An integer at the cursor, which then is past it; false and no move when there is none. */
static bool take_integer(struct cur *c, int64_t *x)
{
	unsigned n;
	uint64_t u;

	if (c->bad || !cur_left(c))
		return false;
	n = c->p[0] & 0x0f;
	if ((c->p[0] & 0x70) || n > 8 || !n || n + 1 > cur_left(c))
		return false;
	u = load_uint(c->p + 1, n, false);
	if (u > INT64_MAX)
		return false;
	*x = c->p[0] & 0x80 ? -(int64_t)u : (int64_t)u;
	c->p += n + 1;
	return true;
}

static int64_t integer(struct reader *r, const char *what)
{
	int64_t x = 0;

	if (!r->bad && !take_integer(&r->c, &x))
		fail(r, what);
	return r->bad ? 0 : x;
}

static double real(struct reader *r)
{
	int64_t mantissa = integer(r, "float"), exponent = integer(r, "float");

	if (exponent < -32000 || exponent > 32000)
		return exponent == 32001 ? -INFINITY : exponent == 32000 ? INFINITY : NAN;
	return ldexp((double)mantissa, (int)exponent);
}

static bool boolean(struct reader *r)
{
	uint8_t x = r->bad ? 0 : cur_u8(&r->c);

	if (x != '0' && x != '1')
		return fail(r, "bool");
	return x == '1';
}

static void skip_text(struct reader *r)
{
	int64_t n = integer(r, "text");

	if (n < 0 || !cur_take(&r->c, (uint64_t)n))
		fail(r, "text");
}

/* The row whose name stands at the cursor, which then is past it. */
static const struct row *take_tag(struct cur *c)
{
	struct cur ahead = *c;
	const uint8_t *p;
	int64_t n;

	if (!take_integer(&ahead, &n) || n < 4 || n > WORD_MAX || !(p = cur_take(&ahead, (uint64_t)n)))
		return NULL;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strlen(rows[i].tag) == (size_t)n && memcmp(rows[i].tag, p, (size_t)n) == 0) {
			*c = ahead;
			return &rows[i];
		}
	return NULL;
}

/* ---- tensors ---- */

static bool shape(struct reader *r, int64_t version, uint64_t d[4], uint64_t *count)
{
	*count = 1;
	if (integer(r, "tensor") != version)
		return fail(r, "tensor of a version that is known");
	for (int i = 0; i < 4; i++) {
		int64_t x = integer(r, "tensor");

		d[i] = (uint64_t)x;
		if (x < 0 || !u64_mul(*count, d[i], count))
			return fail(r, "tensor of a size that can be");
	}
	return !r->bad;
}

/* Sizes of 1 in front and behind mean nothing, but for a kernel's. */
static void add_tensor(struct reader *r, const char *what, const uint64_t d[4], bool whole, uint64_t at, uint64_t count)
{
	struct tensor *t = model_add_tensor(r->m);
	unsigned first = 0, end = 4;
	struct err e;

	while (!whole && end > 1 && d[end - 1] == 1)
		end--;
	while (!whole && first + 1 < end && d[first] == 1)
		first++;
	t->name = str_of(arena_printf(&r->m->arena, "%s.%s", r->layer, what));
	t->data = (struct span){r->member, at, 4 * count};
	if (tensor_set_shape(r->m, t, DT_F32, d + first, end - first, &e) != RC_OK)
		fail(r, "tensor of a size that can be");
}

/* Empty ones are not shown; params waits for what its parts are called. */
static void tensor(struct reader *r, const char *what)
{
	uint64_t d[4], count, at, left;

	if (!shape(r, 2, d, &count))
		return;
	at = cur_at(&r->c);
	left = cur_left(&r->c);
	if (count > left / 4) {
		add_tensor(r, what, d, false, at, left / 4);
		if (!r->bad)
			tensor_broken(r->m, &r->m->tensors[r->m->n_tensors - 1], "its %" PRIu64
				      " values from byte %" PRIu64 " on leave the file, which ends at byte %" PRIu64,
				      count, at, at + left);
		fail(r, "end of a tensor");
		return;
	}
	cur_take(&r->c, 4 * count);
	if (strcmp(what, "params") == 0) {
		r->params = (struct span){r->member, at, 4 * count};
		r->params_count = count;
	} else if (count) {
		add_tensor(r, what, d, false, at, count);
	}
}

static void alias(struct reader *r, const char *what)
{
	struct alias *a = &r->aliases[r->n_aliases];

	if (!shape(r, 1, a->d, &a->count) || !*what || r->n_aliases == ALIASES_MAX - 1)
		return;
	a->name = what;
	r->n_aliases++;
}

/* As many of the parts as fill params: a layer without bias still has an alias for it. */
static void split_params(struct reader *r)
{
	uint64_t sum = 0, at = r->params.offset;
	unsigned n = 0;

	if (r->bad || !r->params_count)
		return;
	while (n < r->n_aliases && sum < r->params_count && u64_add(sum, r->aliases[n].count, &sum))
		n++;
	if (!n || sum != r->params_count) {
		uint64_t d[4] = {r->params_count, 1, 1, 1};

		add_tensor(r, "params", d, false, at, r->params_count);
		if (r->n_aliases && !r->bad)
			model_problem(r->m, r->m->tensors[r->m->n_tensors - 1].name,
				      "the sizes of its parts do not come to its %" PRIu64 " values", r->params_count);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		const struct alias *a = &r->aliases[i];

		if (a->count)
			add_tensor(r, a->name, a->d, strcmp(a->name, "filters") == 0, at, a->count);
		at += 4 * a->count;
	}
}

/* ---- layers ---- */

/* The sliding windows of a detector, and how it was trained. */
static void windows(struct reader *r)
{
	int64_t version = integer(r, "version of the detector's options"), n = 1;

	if (version > 1)
		n = integer(r, "number of windows");
	if (version < 1 || version > 4 || n < 0 || n > COUNT_MAX)
		fail(r, "options of a detector that are known");
	for (int64_t i = 0; i < n && !r->bad; i++) {
		int64_t of_window = version > 1 ? integer(r, "window") : 1;

		integer(r, "window's width");
		integer(r, "window's height");
		if (of_window > 1)
			skip_text(r);
	}
	for (int i = 0; i < 7; i++)
		real(r);
	if (version >= 3 && !r->bad)
		cur_u8(&r->c);
	if (version >= 4) {
		boolean(r);
		real(r);
	}
}

static void labels(struct reader *r)
{
	int64_t n = integer(r, "number of classifiers");

	if (n < 0 || n > COUNT_MAX)
		fail(r, "number of classifiers that can be");
	for (int64_t i = 0; i < n && !r->bad; i++) {
		int64_t k;

		skip_text(r);
		k = integer(r, "number of labels");
		for (int64_t j = 0; j < k && !r->bad; j++)
			skip_text(r);
	}
}

static void word(struct reader *r, char letter, const char *what)
{
	double x;
	int64_t n;

	switch (letter) {
	case 'i':
		n = integer(r, "integer");
		if (*what && !r->bad)
			fact_int(r->m, what, n);
		break;
	case 'f':
		x = real(r);
		if (*what && !r->bad)
			fact_f32(r->m, what, (float)x);
		break;
	case 'b':
		boolean(r);
		break;
	case 't':
		tensor(r, what);
		break;
	case 'a':
		alias(r, what);
		break;
	case 'W':
		windows(r);
		break;
	case 'M':
		labels(r);
		break;
	}
}

/* con, the third of them: con3. */
static const char *layer_name(struct reader *r, const char *kind)
{
	size_t i = 0;

	while (i < KINDS_MAX - 1 && r->kinds[i].kind && strcmp(r->kinds[i].kind, kind) != 0)
		i++;
	r->kinds[i].kind = kind;
	return arena_printf(&r->m->arena, "%s%u", kind, ++r->kinds[i].n);
}

static bool at_tensor(const struct reader *r)
{
	struct cur c = r->c;
	int64_t x, y;

	return take_integer(&c, &x) && x == 2 && take_integer(&c, &y);
}

/* What stands behind every layer. Older ones have one tensor less; the first has a number more. */
static void trailer(struct reader *r)
{
	for (int i = 0; i < 3; i++)
		boolean(r);
	tensor(r, "x_grad");
	tensor(r, "cached_output");
	if (!r->bad && at_tensor(r))
		tensor(r, r->at_bottom ? "grad_final" : "params_grad");
	if (r->at_bottom && r->version >= 3)
		integer(r, "sample expansion factor");
	r->at_bottom = false;
}

static void input_or_loss(struct reader *r, const struct row *row)
{
	bool input = strncmp(row->tag, "input", 5) == 0;

	fact_text(r->m, input ? "input" : "loss", str_of(row->tag));
	if (!input)
		return;
	r->at_bottom = true;
	r->layer = "input";
	r->expected = r->wrappers;
	if (!at_tensor(r))
		return;
	/* A tag right above the input. */
	r->at_bottom = false;
	r->expected -= r->expected > 0;
	tensor(r, "cached_output");
	tensor(r, "grad_final");
	boolean(r);
	if (r->version >= 2)
		integer(r, "sample expansion factor");
}

static void layer(struct reader *r, const struct row *row)
{
	r->layers++;
	r->n_aliases = 0;
	r->params_count = 0;
	r->layer = row->kind ? layer_name(r, row->kind) : row->tag;
	for (const char *p = row->words; *p && !r->bad; p += strcspn(p, " "), p += *p == ' ') {
		size_t n = strcspn(p, " ");

		word(r, *p, n > 2 ? arena_str(&r->m->arena, (struct str){p + 2, n - 2}).p : "");
	}
	split_params(r);
	r->hidden += row->kind != NULL;
	if (row->kind)
		trailer(r);
	else if (!r->bad)
		input_or_loss(r, row);
}

/* ---- the file ---- */

/* Past numbers and bools of wrappers, at most `most`, to the next layer; NULL: there is none. *version gets the last
 * number, *wrappers how many are versions of layers; a tag's is 1. */
static const struct row *next_layer(struct cur *c, uint64_t most, int64_t *version, unsigned *wrappers)
{
	const struct row *row;

	*wrappers = 0;
	for (uint64_t i = 0; i < most; i++) {
		row = take_tag(c);
		if (row)
			return row;
		if (cur_left(c) && (*c->p == '0' || *c->p == '1'))
			c->p++;
		else if (take_integer(c, version))
			*wrappers += *version == 2 || *version == 3;
		else
			return NULL;
	}
	return NULL;
}

static int probe(const struct probe *p)
{
	struct cur c = cur_of(p->head);
	int64_t version = 0;
	unsigned wrappers;

	if (p->head.n < 9 || p->head.p[0] != 1 || !next_layer(&c, PROBED, &version, &wrappers))
		return 0;
	return version >= 1 && version <= 9 ? 48 : 0;
}

/* A program may write other objects behind its network, such as a list of labels. */
static void add_rest(struct reader *r, uint64_t at)
{
	uint64_t n = r->m->source.members[r->member].data.n - at;
	struct tensor *t = model_add_tensor(r->m);
	struct err e;

	t->name = STR("rest");
	t->type_name = "bytes";
	t->data = (struct span){r->member, at, n};
	t->trouble = "not decoded: what follows the network";
	tensor_set_shape(r->m, t, DT_OPAQUE, &n, 1, &e);
}

static enum rc read_layers(struct reader *r)
{
	uint64_t end = 0;
	const struct row *row;

	while (cur_left(&r->c) && (row = next_layer(&r->c, LAYERS_MAX, &r->version, &r->wrappers))) {
		if (r->layers == LAYERS_MAX)
			return err_set(r->e, "more than %d layers", LAYERS_MAX);
		layer(r, row);
		if (r->bad)
			return RC_FAIL;
		end = cur_at(&r->c);
	}
	if (!r->hidden)
		return err_set(r->e, "no layer with weights that is known (byte %" PRIu64 ")", end);
	if (r->hidden < r->expected)
		return err_set(r->e, "after %u of %u layers comes none that is known (byte %" PRIu64 ")", r->hidden,
			       r->expected, end);
	if (end < r->m->source.members[r->member].data.n)
		add_rest(r, end);
	return RC_OK;
}

static enum rc read_dlib(struct model *m, uint32_t member, struct err *e)
{
	struct reader r = {.m = m, .member = member, .e = e, .c = cur_of(m->source.members[member].data)};
	enum rc rc = read_layers(&r);

	m->files = 1;
	m->bytes = m->source.members[member].size;
	m->variant = arena_printf(&m->arena, "%u layers", r.layers);
	if (rc != RC_OK && !m->n_tensors)
		return rc;
	if (rc != RC_OK)
		model_problem(m, STR(""), "%s; what follows is not read", e->msg);
	return RC_OK;
}

const struct format format_dlib = {
	.name = "dlib",
	.about = "neural networks serialised by dlib",
	.reads = "every layer of dlib's dnn and every loss but YOLO's; what stands behind the network is only listed",
	.files = "*.dat *.dat.bz2 *.dnn",
	.probe = probe,
	.read = read_dlib,
};
