/*
 * AlexeyAB/darknet (whose cfg files include those of pjreddie/darknet), src/parser.c, and make_*_layer of each layer
 * for what it puts out. Only channels matter for most weights; width and height do once a layer is connected or local.
 *
 *	[section]        a layer; the first one is the net itself
 *	key = value      blanks mean nothing, not even inside; the first of two equal keys counts
 *	# or ;           a comment
 */
#include "format/darknet_cfg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/textnum.h"

enum {
	TEXT_MAX = 16 * 1024 * 1024,
	LAYERS_MAX = 10000,
	OPTIONS_MAX = 256,       /* of a section */
	SIZE_MAX_CFG = 1 << 24
};

struct dims {
	uint64_t w, h, c, outputs;
};

struct plan {
	struct cfg *cfg;
	struct arena *arena;
	struct err *e;
	bool bad, transposed;
	struct str type;              /* of the section: [convolutional] */
	uint64_t line;                /* where it begins */
	struct cfg_option options[OPTIONS_MAX];
	size_t n_options;
	struct dims *layers;          /* what each layer puts out */
	size_t cap;
	unsigned index;               /* of this one */
	struct dims in;
};

/* ---- options ---- */

static void fail(struct plan *p, const char *what)
{
	if (!p->bad)
		err_set(p->e, "layer %u, %.*s in line %" PRIu64 ": %s", p->index, (int)textnum_shown(p->type).n,
			p->type.p, p->line, what);
	p->bad = true;
}

static struct str option(const struct plan *p, const char *key)
{
	for (size_t i = 0; i < p->n_options; i++)
		if (str_eq(p->options[i].key, str_of(key)))
			return p->options[i].value;
	return (struct str){NULL, 0};
}

/* As atoi(3): the digits at the front. */
static int64_t front_number(struct str s)
{
	bool negative = s.n && s.p[0] == '-';
	int64_t x = 0;

	for (size_t i = negative; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && x <= SIZE_MAX_CFG; i++)
		x = 10 * x + (s.p[i] - '0');
	return negative ? -x : x;
}

static int64_t whole(const struct plan *p, const char *key, int64_t otherwise)
{
	struct str s = option(p, key);

	return s.p ? front_number(s) : otherwise;
}

/* A size: from 1 on. */
static uint64_t size(struct plan *p, const char *key, int64_t otherwise)
{
	int64_t x = whole(p, key, otherwise);

	if (x >= 1 && x <= SIZE_MAX_CFG)
		return (uint64_t)x;
	fail(p, arena_printf(p->arena, "its %s is no number from 1 on", key));
	return 1;
}

/* ---- arrays ---- */

static struct cfg_array *add(struct plan *p, const char *part, const char *what)
{
	struct cfg *c = p->cfg;

	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 256;
		c->arrays = xrealloc(c->arrays, c->cap, sizeof(*c->arrays));
	}
	c->arrays[c->n] = (struct cfg_array){.layer = p->index};
	c->arrays[c->n].name = arena_printf(p->arena, "layers.%u.%s%s", p->index, part, what);
	return &c->arrays[c->n++];
}

static void array(struct plan *p, const char *part, const char *what, const uint64_t *shape, unsigned rank)
{
	struct cfg_array *a;

	if (p->bad)
		return;
	a = add(p, part, what);
	a->rank = rank;
	a->count = 1;
	for (unsigned i = 0; i < rank; i++) {
		a->shape[i] = shape[i];
		if (!u64_mul(a->count, shape[i], &a->count) || a->count > (uint64_t)1 << 50)
			fail(p, "its weights are too many");
	}
}

static void vector(struct plan *p, const char *part, const char *what, uint64_t n)
{
	array(p, part, what, &n, 1);
}

static void norm(struct plan *p, const char *part, uint64_t n)
{
	vector(p, part, "scales", n);
	vector(p, part, "rolling_mean", n);
	vector(p, part, "rolling_variance", n);
}

static bool normalized(const struct plan *p)
{
	return (whole(p, "batch_normalize", 0) || whole(p, "cbn", 0)) && !whole(p, "dontloadscales", 0);
}

static void convolution(struct plan *p, const char *part, uint64_t n, uint64_t c, uint64_t kernel)
{
	uint64_t groups = size(p, "groups", 1), shape[4] = {n, c / groups, kernel, kernel};

	vector(p, part, "biases", n);
	if (normalized(p))
		norm(p, part, n);
	if (whole(p, "flipped", 0)) {
		uint64_t flipped[2] = {c / groups * kernel * kernel, n};

		array(p, part, "weights", flipped, 2);
	} else {
		array(p, part, "weights", shape, 4);
	}
}

static void connected(struct plan *p, const char *part, uint64_t inputs, uint64_t outputs)
{
	uint64_t shape[2] = {p->transposed ? inputs : outputs, p->transposed ? outputs : inputs};

	vector(p, part, "biases", outputs);
	array(p, part, "weights", shape, 2);
	if (normalized(p))
		norm(p, part, outputs);
}

/* ---- layers: each puts out what it returns ---- */

static struct dims image(uint64_t w, uint64_t h, uint64_t c)
{
	return (struct dims){w, h, c, w * h * c};
}

/* How often a kernel fits. Sizes are below 2^24: sums and products of two do not overflow. (One of three may wrap,
 * in a net that no weights fit.) */
static uint64_t slide(struct plan *p, uint64_t length, uint64_t padding, uint64_t kernel, uint64_t stride)
{
	if (length + padding < kernel) {
		fail(p, "its kernel is larger than what it looks at");
		return 1;
	}
	return (length + padding - kernel) / stride + 1;
}

static uint64_t padding_of(struct plan *p, uint64_t kernel)
{
	int64_t padding = whole(p, "pad", 0) ? (int64_t)kernel / 2 : whole(p, "padding", 0);

	return padding > 0 ? (uint64_t)padding : 0;
}

static uint64_t stride_of(struct plan *p, const char *key)
{
	return whole(p, key, -1) < 1 ? size(p, "stride", 1) : size(p, key, 1);
}

static struct dims layer_convolutional(struct plan *p)
{
	uint64_t n = size(p, "filters", 1), k = size(p, "size", 1), pad = 2 * padding_of(p, k);

	if (!option(p, "share_index").p && !whole(p, "dontload", 0))
		convolution(p, "", n, p->in.c, k);
	return image(slide(p, p->in.w, pad, k, stride_of(p, "stride_x")),
		     slide(p, p->in.h, pad, k, stride_of(p, "stride_y")), n);
}

static struct dims layer_connected(struct plan *p)
{
	uint64_t n = size(p, "output", 1);

	if (!whole(p, "dontload", 0))
		connected(p, "", p->in.outputs, n);
	return image(1, 1, n);
}

static struct dims layer_batchnorm(struct plan *p)
{
	vector(p, "", "biases", p->in.c);
	norm(p, "", p->in.c);
	return p->in;
}

static struct dims layer_local(struct plan *p)
{
	uint64_t n = size(p, "filters", 1), k = size(p, "size", 1), stride = size(p, "stride", 1);
	uint64_t less = whole(p, "pad", 0) ? 1 : k, w, h, shape[5];

	w = slide(p, p->in.w, 0, less, stride);
	h = slide(p, p->in.h, 0, less, stride);
	shape[0] = w * h;
	shape[1] = n;
	shape[2] = p->in.c;
	shape[3] = shape[4] = k;
	vector(p, "", "biases", w * h * n);
	array(p, "", "weights", shape, 5);
	return image(w, h, n);
}

static struct dims layer_crnn(struct plan *p)
{
	uint64_t out = size(p, "output", 1), hidden = size(p, "hidden", 1), k = size(p, "size", 3);
	uint64_t pad = 2 * padding_of(p, k), stride = size(p, "stride", 1);

	convolution(p, "input_layer.", hidden, p->in.c, k);
	convolution(p, "self_layer.", hidden, hidden, k);
	convolution(p, "output_layer.", out, hidden, k);
	return image(slide(p, p->in.w, pad, k, stride), slide(p, p->in.h, pad, k, stride), out);
}

/* Without hidden units of its own, as in the later files of pjreddie's, there are as many as outputs. */
static struct dims layer_rnn(struct plan *p)
{
	uint64_t out = size(p, "output", 1), hidden = option(p, "hidden").p ? size(p, "hidden", 1) : out;

	connected(p, "input_layer.", p->in.outputs, hidden);
	connected(p, "self_layer.", hidden, hidden);
	connected(p, "output_layer.", hidden, out);
	return image(1, 1, out);
}

static struct dims layer_gru(struct plan *p)
{
	static const char *const parts[] = {"input_z_layer.", "input_r_layer.", "input_h_layer.",
					    "state_z_layer.", "state_r_layer.", "state_h_layer."};
	uint64_t out = size(p, "output", 1);

	for (size_t i = 0; i < COUNT(parts); i++)
		connected(p, parts[i], i < 3 ? p->in.outputs : out, out);
	return image(1, 1, out);
}

/* In pjreddie's order; AlexeyAB's program has f, i, g, o. The file does not say whose it is, and the shapes are
 * equal. */
static struct dims layer_lstm(struct plan *p)
{
	static const char *const parts[] = {"wi.", "wf.", "wo.", "wg.", "ui.", "uf.", "uo.", "ug."};
	uint64_t out = size(p, "output", 1);

	for (size_t i = 0; i < COUNT(parts); i++)
		connected(p, parts[i], i < 4 ? p->in.outputs : out, out);
	return image(1, 1, out);
}

static struct dims layer_maxpool(struct plan *p)
{
	uint64_t k, stride = size(p, "stride", 1);
	int64_t pad;

	if (whole(p, "maxpool_depth", 0))
		return image(p->in.w, p->in.h, size(p, "out_channels", 1));
	k = size(p, "size", (int64_t)stride);
	pad = whole(p, "padding", (int64_t)k - 1);
	return image(slide(p, p->in.w, pad > 0 ? (uint64_t)pad : 0, k, stride_of(p, "stride_x")),
		     slide(p, p->in.h, pad > 0 ? (uint64_t)pad : 0, k, stride_of(p, "stride_y")), p->in.c);
}

static struct dims layer_avgpool(struct plan *p)
{
	return image(1, 1, p->in.c);
}

static struct dims layer_upsample(struct plan *p)
{
	int64_t stride = whole(p, "stride", 2);

	if (stride > 0 && stride <= SIZE_MAX_CFG)
		return image(p->in.w * (uint64_t)stride, p->in.h * (uint64_t)stride, p->in.c);
	if (stride < 0)
		return image(p->in.w / (uint64_t)-stride, p->in.h / (uint64_t)-stride, p->in.c);
	fail(p, "its stride is 0");
	return p->in;
}

static struct dims layer_reorg(struct plan *p)
{
	uint64_t s = size(p, "stride", 1);

	if (whole(p, "reverse", 0))
		return image(p->in.w * s, p->in.h * s, p->in.c / (s * s));
	return image(p->in.w / s, p->in.h / s, p->in.c * (s * s));
}

/* The layer that an item of "from" or "layers" names: counted from the front, or back from here. */
static const struct dims *named(struct plan *p, struct str item)
{
	int64_t i = front_number(item);

	if (i < 0)
		i += p->index;
	if (i >= 0 && i < p->index)
		return &p->layers[i];
	fail(p, "it names a layer that is not before it");
	return &p->in;
}

static bool next_item(struct str *list, struct str *item)
{
	const char *comma;

	if (!list->n)
		return false;
	comma = memchr(list->p, ',', list->n);
	item->p = list->p;
	item->n = comma ? (size_t)(comma - list->p) : list->n;
	list->p += item->n + (comma ? 1 : 0);
	list->n -= item->n + (comma ? 1 : 0);
	return true;
}

static struct dims layer_route(struct plan *p)
{
	struct str list = option(p, "layers"), item;
	struct dims out = {0};

	if (!list.n)
		fail(p, "it has no layers=");
	for (bool first = true; next_item(&list, &item) && !p->bad; first = false) {
		const struct dims *d = named(p, item);

		if (first)
			out = image(d->w, d->h, 0);
		out.c += d->c;
	}
	return image(out.w, out.h, out.c / size(p, "groups", 1));
}

static struct dims layer_shortcut(struct plan *p)
{
	struct str list = option(p, "from"), item, kind = option(p, "weights_type");
	uint64_t n = 1;

	if (!list.n)
		fail(p, "it has no from=");
	while (next_item(&list, &item) && !p->bad) {
		named(p, item);
		n++;
	}
	if (str_eq(kind, STR("per_feature")) || str_eq(kind, STR("per_layer"))) {
		vector(p, "", "weights", n);
	} else if (str_eq(kind, STR("per_channel"))) {
		uint64_t shape[2] = {n, p->in.c};

		array(p, "", "weights", shape, 2);
	}
	return p->in;
}

static struct dims layer_as_from(struct plan *p)
{
	struct str list = option(p, "from");

	return *named(p, list);
}

static struct dims layer_implicit(struct plan *p)
{
	uint64_t shape[2] = {size(p, "filters", 128), size(p, "atoms", 1)};

	array(p, "", "weights", shape, 2);
	return image(1, shape[1], shape[0]);
}

static struct dims layer_crop(struct plan *p)
{
	return image(size(p, "crop_width", 1), size(p, "crop_height", 1), p->in.c);
}

static struct dims layer_same(struct plan *p)
{
	return p->in;
}

static const struct {
	const char *name;
	struct dims (*read)(struct plan *);
} types[] = {
	{"[convolutional]", layer_convolutional}, {"[conv]", layer_convolutional}, {"[connected]", layer_connected},
	{"[conn]", layer_connected}, {"[batchnorm]", layer_batchnorm}, {"[local]", layer_local}, {"[crnn]", layer_crnn},
	{"[rnn]", layer_rnn}, {"[gru]", layer_gru}, {"[lstm]", layer_lstm}, {"[maxpool]", layer_maxpool},
	{"[max]", layer_maxpool}, {"[local_avgpool]", layer_maxpool}, {"[local_avg]", layer_maxpool},
	{"[avgpool]", layer_avgpool}, {"[avg]", layer_avgpool}, {"[upsample]", layer_upsample},
	{"[reorg]", layer_reorg}, {"[reorg3d]", layer_reorg}, {"[route]", layer_route}, {"[shortcut]", layer_shortcut},
	{"[scale_channels]", layer_as_from}, {"[sam]", layer_as_from}, {"[implicit]", layer_implicit},
	{"[crop]", layer_crop}, {"[dropout]", layer_same}, {"[cost]", layer_same}, {"[softmax]", layer_same},
	{"[soft]", layer_same}, {"[contrastive]", layer_same}, {"[detection]", layer_same}, {"[region]", layer_same},
	{"[yolo]", layer_same}, {"[Gaussian_yolo]", layer_same}, {"[activation]", layer_same}, {"[empty]", layer_same},
	{"[silence]", layer_same}, {"[lrn]", layer_same}, {"[normalization]", layer_same},
};

static void read_layer(struct plan *p)
{
	if (p->index == LAYERS_MAX) {
		fail(p, "more layers than any net has");
		return;
	}
	if (p->index == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 128;
		p->layers = xrealloc(p->layers, p->cap, sizeof(*p->layers));
	}
	for (size_t i = 0; i < COUNT(types); i++)
		if (str_eq(p->type, str_of(types[i].name))) {
			p->in = p->layers[p->index] = types[i].read(p);
			if (p->in.w > SIZE_MAX_CFG || p->in.h > SIZE_MAX_CFG || p->in.c > SIZE_MAX_CFG)
				fail(p, "what it puts out is too large");
			p->index++;
			return;
		}
	fail(p, "layers of this kind are not known");
}

static void read_net(struct plan *p)
{
	if (!str_eq(p->type, STR("[net]")) && !str_eq(p->type, STR("[network]"))) {
		err_set(p->e, "the first section is %.*s, not [net]", (int)textnum_shown(p->type).n, p->type.p);
		p->bad = true;
		return;
	}
	p->in = image(size(p, "width", 1), size(p, "height", 1), size(p, "channels", 1));
	if (!option(p, "width").p)
		p->in = (struct dims){.w = 1, .h = 1, .c = 1, .outputs = size(p, "inputs", 1)};
	p->cfg->n_net = p->n_options;
	p->cfg->net = arena_new(p->arena, struct cfg_option, p->n_options);
	memcpy(p->cfg->net, p->options, p->n_options * sizeof(*p->options));
}

/* A copy without white space. */
static struct str stripped(struct arena *a, struct textnum line)
{
	char *out = arena_new(a, char, (size_t)(line.end - line.p) + 1);
	struct str s = {out, 0};

	for (const char *c = line.p; c < line.end; c++)
		if (*c != ' ' && *c != '\t' && *c != '\r')
			out[s.n++] = *c;
	return s;
}

static void read_option(struct plan *p, struct str s)
{
	const char *equals = memchr(s.p, '=', s.n);

	if (!equals || p->n_options == OPTIONS_MAX)
		return;
	p->options[p->n_options++] = (struct cfg_option){
		{s.p, (size_t)(equals - s.p)}, {equals + 1, (size_t)(s.p + s.n - equals - 1)}};
}

/* A section is read when the next one, or the end, is reached. */
static void end_section(struct plan *p, bool *net_seen)
{
	if (!p->type.n || p->bad)
		return;
	if (*net_seen)
		read_layer(p);
	else
		read_net(p);
	*net_seen = true;
	p->n_options = 0;
}

static void read_lines(struct plan *p, struct textnum t)
{
	struct textnum line;
	bool net_seen = false;

	for (uint64_t number = 1; textnum_line(&t, &line) && !p->bad; number++) {
		struct str s = stripped(p->arena, line);

		if (!s.n || s.p[0] == '#' || s.p[0] == ';')
			continue;
		if (s.p[0] != '[') {
			read_option(p, s);
			continue;
		}
		end_section(p, &net_seen);
		p->type = s;
		p->line = number;
	}
	end_section(p, &net_seen);
	if (!net_seen && !p->bad) {
		err_set(p->e, "no section [net]");
		p->bad = true;
	}
}

enum rc cfg_read(struct cfg *c, struct arena *a, struct bytes text, bool transposed, struct err *e)
{
	struct plan *p = xcalloc(1, sizeof(*p));
	bool bad;

	*c = (struct cfg){0};
	*p = (struct plan){.cfg = c, .arena = a, .e = e, .transposed = transposed};
	if (text.n > TEXT_MAX) {
		err_set(e, "%zu bytes: no description is so long", text.n);
		p->bad = true;
	} else {
		read_lines(p, textnum_of(text));
	}
	c->layers = p->index;
	bad = p->bad;
	free(p->layers);
	free(p);
	return bad ? RC_FAIL : RC_OK;
}

void cfg_free(struct cfg *c)
{
	free(c->arrays);
	c->arrays = NULL;
}
