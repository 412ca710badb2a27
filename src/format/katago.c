/*
 * KataGo's nets, versions 1 to 17, text or binary, plain or (as they are distributed) compressed: lightvector/KataGo,
 * cpp/neuralnet/desc.cpp and modelversion.cpp; for versions below 3 and dilated blocks, cpp/neuralnet/cudabackend.cpp
 * of 2018.
 *
 * A file is words between white space: names, numbers, and blocks of floats, which are as many words in a text net,
 * and in a binary one @BIN@ and then little-endian floats at once. How long a block is only the numbers before it say,
 * so the net is read from front to back by its grammar, which the strings of letters below spell out:
 *
 *	C  convolution    name height width in out dilation dilation, floats [height, width, in, out]
 *	B  batch norm     name channels epsilon scale? bias?, floats: mean, variance, scale if any, bias if any
 *	A  activation     name, and from version 11 on which one
 *	M  matrix         name in out, floats [in, out]
 *	V  bias           name channels, floats
 *	T  transformer's norm  name channels epsilon, floats
 */
#include <inttypes.h>
#include <string.h>

#include "bytes/cur.h"
#include "bytes/spool.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/partial.h"
#include "format/textnum.h"

enum {
	VERSION_MAX = 17,
	DEPTH_MAX = 8,        /* nested blocks in nested blocks: real nets have one */
	WORD_MAX = 1024,
	GAP_MAX = 100,        /* white space before @BIN@ */
	CHANNELS_MAX = 1 << 24
};

/* An error is kept: after the first one all reads give nothing, so the parts below read straight down. */
struct reader {
	struct model *m;
	uint32_t member;
	struct spool *spool;
	struct textnum t;
	struct err *e;
	bool bad;
	bool begun, binary; /* the first block of floats tells which */
	unsigned version;
};

/* ---- probing ---- */

static bool is_name(struct str s)
{
	static const char marks[] = {'_', '-', '.', '+'};

	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'z') ||
		      (s.p[i] >= 'A' && s.p[i] <= 'Z') || memchr(marks, s.p[i], sizeof(marks))))
			return false;
	return s.n > 0;
}

/* A name, its version, a few numbers, and the name of the trunk, which is always that. */
static int probe(const struct probe *p)
{
	enum { NUMBERS = 24 };
	struct textnum t = textnum_of(p->head);
	struct str word;
	int64_t version;
	float x;

	if (!textnum_word(&t, &word) || word.n > WORD_MAX || !is_name(word))
		return 0;
	if (textnum_i64(&t, &version) != TEXTNUM_OK || version < 0 || version > 99)
		return 0;
	for (int i = 0; i < NUMBERS; i++)
		if (textnum_f32(&t, &x) == TEXTNUM_BAD)
			return i >= 2 && textnum_word(&t, &word) && str_eq(word, STR("trunk")) ? 48 : 0;
	return 0;
}

/* ---- words ---- */

static void fail(struct reader *r, const char *where, const char *expected)
{
	struct str word = STR("");
	uint64_t at;

	if (r->bad)
		return;
	r->bad = true;
	at = textnum_at(&r->t);
	if (!textnum_word(&r->t, &word)) {
		err_set(r->e, "%s: the file ends where %s is expected (byte %" PRIu64 ")", where, expected, at);
		return;
	}
	at = textnum_at(&r->t) - word.n;
	word = textnum_shown(word);
	err_set(r->e, "%s: %.*s stands where %s is expected (byte %" PRIu64 ")", where, (int)word.n, word.p, expected,
		at);
}

static const char *name(struct reader *r, const char *where)
{
	struct textnum before = r->t;
	struct str word = STR("");

	if (!r->bad && (!textnum_word(&r->t, &word) || word.n > WORD_MAX)) {
		r->t = before;
		fail(r, where, "a name");
	}
	return r->bad ? "" : arena_str(&r->m->arena, word).p;
}

static uint64_t number(struct reader *r, const char *where, int64_t least, int64_t most)
{
	struct textnum before = r->t;
	int64_t x = least;

	if (!r->bad && (textnum_i64(&r->t, &x) != TEXTNUM_OK || x < least || x > most)) {
		r->t = before;
		fail(r, where, arena_printf(&r->m->arena, "a number from %" PRId64 " to %" PRId64, least, most));
	}
	return r->bad ? 0 : (uint64_t)x;
}

static uint64_t size(struct reader *r, const char *where)
{
	return number(r, where, 1, CHANNELS_MAX);
}

static bool flag(struct reader *r, const char *where)
{
	return number(r, where, 0, 1) == 1;
}

static float real(struct reader *r, const char *where)
{
	float x = 0;

	if (!r->bad && textnum_f32(&r->t, &x) != TEXTNUM_OK)
		fail(r, where, "a number");
	return x;
}

/* Numbers that later versions may give a meaning. */
static void zeros(struct reader *r, const char *where, unsigned n)
{
	for (unsigned i = 0; i < n && !r->bad; i++) {
		struct textnum before = r->t;
		int64_t x;

		if (textnum_i64(&r->t, &x) == TEXTNUM_OK && x == 0)
			continue;
		r->t = before;
		fail(r, where, "0 (an option that is not known)");
	}
}

/* ---- blocks of floats ---- */

/* Past the white space and @BIN@. */
static bool take_mark(struct reader *r)
{
	static const char blanks[] = {' ', '\t', '\r', '\n'};
	struct textnum t = r->t;

	while (t.p < t.end && t.p - r->t.p <= GAP_MAX && memchr(blanks, *t.p, sizeof(blanks)))
		t.p++;
	if (t.end - t.p < 5 || memcmp(t.p, "@BIN@", 5) != 0)
		return false;
	r->t.p = t.p + 5;
	return true;
}

static void place_binary(struct reader *r, struct tensor *t, const char *where)
{
	uint64_t left, bytes = t->count * sizeof(float);

	if (!take_mark(r)) {
		fail(r, where, "@BIN@ (after at most 100 blanks)");
		return;
	}
	left = (uint64_t)(r->t.end - r->t.p);
	t->data = (struct span){r->member, textnum_at(&r->t), u64_min(bytes, left)};
	if (bytes <= left) {
		r->t.p += bytes;
		return;
	}
	tensor_broken(r->m, t, "its %" PRIu64 " bytes from byte %" PRIu64 " on leave the file, which ends at byte %"
		      PRIu64, bytes, t->data.offset, t->data.offset + left);
	r->t.p = r->t.end;
}

/* A word that is no number takes the place of one: what follows still stands where it should. */
static void place_text(struct reader *r, struct tensor *t, const char *where)
{
	t->data = (struct span){spool_member(r->spool), spool_at(r->spool), t->count * sizeof(float)};
	for (uint64_t i = 0; i < t->count && !r->bad; i++) {
		enum textnum_rc rc;
		struct str word;
		float x = 0;

		rc = textnum_f32(&r->t, &x);
		if (rc == TEXTNUM_END) {
			fail(r, where, "a value");
			tensor_broken(r->m, t, "the file ends after %" PRIu64 " of its %" PRIu64 " values", i,
				      t->count);
		} else if (rc == TEXTNUM_BAD && textnum_word(&r->t, &word) && !t->broken) {
			uint64_t at = textnum_at(&r->t) - word.n;

			word = textnum_shown(word);
			tensor_broken(r->m, t, "its value %" PRIu64 " is no number: %.*s (byte %" PRIu64 ")", i + 1,
				      (int)word.n, word.p, at);
		}
		if (!r->bad && spool_f32(r->spool, x, r->e) != RC_OK)
			r->bad = true;
	}
}

/* layer names the tensor, with what it is for the layer behind a separator like those in it. */
static void floats(struct reader *r, const char *layer, const char *what, const uint64_t *d, unsigned rank)
{
	struct tensor *t;
	struct err why;

	if (r->bad)
		return;
	if (!r->begun) {
		struct textnum before = r->t;

		r->begun = true;
		r->binary = take_mark(r);
		r->t = before;
	}
	t = model_add_tensor(r->m);
	t->name = str_of(arena_printf(&r->m->arena, "%s%c%s", layer, strchr(layer, '.') ? '.' : '/', what));
	if (tensor_set_shape(r->m, t, DT_F32, d, rank, &why) != RC_OK ||
	    t->count > (uint64_t)(r->t.end - r->t.p)) { /* at least a byte for each value */
		r->bad = true;
		err_set(r->e, "%s: its %s does not fit in this file (byte %" PRIu64 ")", layer, what,
			textnum_at(&r->t));
		r->m->n_tensors--;
		return;
	}
	if (r->binary)
		place_binary(r, t, layer);
	else
		place_text(r, t, layer);
	if (r->bad && !t->broken)
		r->m->n_tensors--;
}

/* ---- layers ---- */

/* The key of a setting that is mostly the same in all layers: told once, and again for a layer that has another.
 * NULL: it is told already. */
static const char *setting(struct reader *r, const char *layer, const char *key, const struct meta_value *v)
{
	struct model *m = r->m;

	for (size_t i = 0; i < m->n_meta; i++)
		if (str_eq(m->meta[i].key, str_of(key)))
			return meta_equal(&m->meta[i].value, v) ? NULL
								: arena_printf(&m->arena, "%s.%s", layer, key);
	return key;
}

static void real_fact(struct reader *r, const char *layer, const char *key)
{
	struct meta_value v = {.kind = META_REAL, .u.real = (double)real(r, layer)};
	const char *at = r->bad ? NULL : setting(r, layer, key, &v);

	if (at)
		fact_f32(r->m, at, (float)v.u.real);
}

static void whole_fact(struct reader *r, const char *layer, const char *key, uint64_t x)
{
	struct meta_value v = {.kind = META_UINT, .u.uint = x};
	const char *at = r->bad ? NULL : setting(r, layer, key, &v);

	if (at)
		fact_uint(r->m, at, x);
}

static void text_fact(struct reader *r, const char *layer, const char *key, struct str text)
{
	struct meta_value v = {.kind = META_TEXT, .u.text = text};
	const char *at = r->bad ? NULL : setting(r, layer, key, &v);

	if (at)
		fact_text(r->m, at, text);
}

static void convolution(struct reader *r, const char *where)
{
	const char *layer = name(r, where);
	uint64_t d[4];

	for (int i = 0; i < 4; i++)
		d[i] = size(r, layer);
	whole_fact(r, layer, "dilation_y", size(r, layer));
	whole_fact(r, layer, "dilation_x", size(r, layer));
	floats(r, layer, "weight", d, 4);
}

static void batch_norm(struct reader *r, const char *where)
{
	const char *layer = name(r, where);
	uint64_t channels = size(r, layer);
	bool scale, bias;

	real_fact(r, layer, "norm_epsilon");
	scale = flag(r, layer);
	bias = flag(r, layer);
	floats(r, layer, "mean", &channels, 1);
	floats(r, layer, "variance", &channels, 1);
	if (scale)
		floats(r, layer, "scale", &channels, 1);
	if (bias)
		floats(r, layer, "bias", &channels, 1);
}

static void activation(struct reader *r, const char *where)
{
	static const char *const kinds[] = {"ACTIVATION_IDENTITY", "ACTIVATION_RELU", "ACTIVATION_MISH",
					    "ACTIVATION_SILU"};
	const char *layer = name(r, where), *kind;
	struct textnum before = r->t;

	if (r->version < 11)
		return;
	kind = name(r, layer);
	for (size_t i = 0; i < COUNT(kinds) && !r->bad; i++)
		if (strcmp(kind, kinds[i]) == 0) {
			text_fact(r, layer, "activation", str_of(kind));
			return;
		}
	r->t = before;
	fail(r, layer, "an activation that is known");
}

static void matrix(struct reader *r, const char *where)
{
	const char *layer = name(r, where);
	uint64_t d[2];

	d[0] = size(r, layer);
	d[1] = size(r, layer);
	floats(r, layer, "weight", d, 2);
}

static void bias(struct reader *r, const char *where)
{
	const char *layer = name(r, where);
	uint64_t channels = size(r, layer);

	floats(r, layer, "bias", &channels, 1);
}

static void transformer_norm(struct reader *r, const char *where)
{
	const char *layer = name(r, where);
	uint64_t channels = size(r, layer);

	real_fact(r, layer, "rms_norm_epsilon");
	floats(r, layer, "weight", &channels, 1);
}

/* The norm behind a trunk of transformers. */
static void rms_norm(struct reader *r, const char *where)
{
	const char *layer = name(r, where);
	uint64_t channels = size(r, layer);

	real_fact(r, layer, "rms_norm_epsilon");
	whole_fact(r, layer, "rms_norm_spatial", flag(r, layer));
	zeros(r, layer, 1);
	floats(r, layer, "weight", &channels, 1);
	floats(r, layer, "bias", &channels, 1);
}

static void layers(struct reader *r, const char *where, const char *letters)
{
	static void (*const read[])(struct reader *, const char *) = {
		['A'] = activation, ['B'] = batch_norm, ['C'] = convolution,
		['M'] = matrix,     ['V'] = bias,       ['T'] = transformer_norm,
	};

	for (; *letters && !r->bad; letters++)
		read[(unsigned char)*letters](r, where);
}

/* ---- blocks ---- */

static void attention(struct reader *r, const char *block)
{
	static const char *const keys[] = {"heads", "kv_heads", "q_head_dim", "v_head_dim"};
	bool rope, learned;
	uint64_t d[3];

	for (size_t i = 0; i < COUNT(keys); i++)
		whole_fact(r, block, keys[i], size(r, block));
	rope = flag(r, block);
	learned = flag(r, block);
	layers(r, block, "TMMMM");
	if (rope && learned) {
		const char *layer = name(r, block);

		for (int i = 0; i < 3; i++)
			d[i] = size(r, layer);
		floats(r, layer, "freqs", d, 3);
	} else if (rope) {
		const char *layer = name(r, block);

		real_fact(r, layer, "rope_theta");
	}
}

static void feed_forward(struct reader *r, const char *block)
{
	bool gate;

	whole_fact(r, block, "ffn_in", size(r, block));
	whole_fact(r, block, "ffn_channels", size(r, block));
	gate = flag(r, block);
	layers(r, block, gate ? "TMMM" : "TMM");
}

static const struct {
	const char *kind, *letters;
	void (*read)(struct reader *, const char *);
	bool nested; /* a count of blocks comes first, these follow the letters, and then BAC */
} kinds[] = {
	{"ordinary_block", "BACBAC", NULL, false},
	{"dilated_block", "BACCBAC", NULL, false},
	{"gpool_block", "BACCBAMBAC", NULL, false},
	{"nested_bottleneck_block", "BAC", NULL, true},
	{"transformer_attention_block", "", attention, false},
	{"transformer_ffn_block", "", feed_forward, false},
};

/* Reads one block, or the front of a nested one: *inner gets how many are in it. */
static void block(struct reader *r, const char **label, uint64_t *inner)
{
	struct textnum before = r->t;
	const char *kind = name(r, *label);

	for (size_t i = 0; i < COUNT(kinds) && !r->bad; i++) {
		if (strcmp(kind, kinds[i].kind) != 0)
			continue;
		*label = name(r, kind);
		*inner = kinds[i].nested ? size(r, *label) : 0;
		layers(r, *label, kinds[i].letters);
		if (kinds[i].read && !r->bad)
			kinds[i].read(r, *label);
		return;
	}
	r->t = before;
	fail(r, *label, "a kind of block that is known");
}

static void blocks(struct reader *r, const char *trunk, uint64_t n)
{
	const char *label[DEPTH_MAX + 1] = {trunk};
	uint64_t left[DEPTH_MAX + 1] = {n};
	int depth = 0;

	while (!r->bad) {
		uint64_t inner = 0;

		if (left[depth]-- == 0) {
			if (depth == 0)
				return;
			layers(r, label[depth--], "BAC");
			continue;
		}
		if (depth == DEPTH_MAX) {
			r->bad = true;
			err_set(r->e, "%s: blocks are nested more than %d deep", label[depth], DEPTH_MAX);
			return;
		}
		label[depth + 1] = label[depth];
		block(r, &label[depth + 1], &inner);
		if (inner)
			left[++depth] = inner;
	}
}

/* ---- the net ---- */

/* Version, sizes of the input, multipliers; gives the version of the metadata encoder (0: none). */
static uint64_t header(struct reader *r)
{
	static const char *const multipliers[] = {"td_score_multiplier", "score_mean_multiplier",
						  "score_stdev_multiplier", "lead_multiplier",
						  "variance_time_multiplier", "shortterm_value_error_multiplier",
						  "shortterm_score_error_multiplier"};
	const char *net = name(r, "the net");
	uint64_t encoder;

	r->version = (unsigned)number(r, net, 0, CHANNELS_MAX);
	text_fact(r, net, "name", str_of(net));
	whole_fact(r, net, "version", r->version);
	if (!r->bad && r->version > VERSION_MAX) {
		r->bad = true;
		err_set(r->e, "KataGo net of version %u; versions to %d are known", r->version, VERSION_MAX);
	}
	if (r->version < 3)
		for (int i = 0; i < 2; i++)
			whole_fact(r, net, i ? "board_y" : "board_x", size(r, net));
	whole_fact(r, net, "input_channels", size(r, net));
	if (r->version >= 3)
		whole_fact(r, net, "input_global_channels", size(r, net));
	for (size_t i = 0; i < COUNT(multipliers) && r->version >= 13; i++)
		real_fact(r, net, multipliers[i]);
	if (r->version < 15)
		return 0;
	encoder = flag(r, net);
	whole_fact(r, net, "meta_encoder_version", encoder);
	whole_fact(r, net, "prefer_pass_alive", flag(r, net));
	zeros(r, net, 6);
	return encoder;
}

static void trunk(struct reader *r, uint64_t encoder)
{
	static const char *const keys[] = {"trunk_channels", "mid_channels", "regular_channels", "dilated_channels",
					   "gpool_channels"};
	const char *label = name(r, "the trunk");
	uint64_t n = size(r, label);
	bool rms = false;

	whole_fact(r, label, "blocks", n);
	for (size_t i = 0; i < COUNT(keys); i++)
		whole_fact(r, label, keys[i], number(r, label, 0, CHANNELS_MAX));
	if (r->version >= 15) {
		rms = flag(r, label);
		zeros(r, label, 5);
	}
	layers(r, label, r->version < 3 ? "C" : "CM");
	if (encoder) {
		const char *meta = name(r, label);

		whole_fact(r, meta, "meta_channels", size(r, meta));
		layers(r, meta, "MVAMVAM");
	}
	blocks(r, label, n);
	if (rms)
		rms_norm(r, label);
	else
		batch_norm(r, label);
	activation(r, label);
}

static void heads(struct reader *r)
{
	const char *policy = name(r, "the policy head"), *value;

	if (r->version >= 17) {
		whole_fact(r, policy, "policy_channels", size(r, policy));
		zeros(r, policy, 3);
	}
	layers(r, policy, r->version >= 15 ? "CCBAMBACMVAM" : "CCBAMBACM");
	value = name(r, "the value head");
	if (r->version >= 17)
		zeros(r, value, 3);
	layers(r, value, r->version < 3 ? "CBAMVAMV" : "CBAMVAMVMVC");
}

static void read_net(struct reader *r)
{
	struct textnum rest;
	struct str word;

	trunk(r, header(r));
	if (!r->bad)
		heads(r);
	rest = r->t;
	if (!r->bad && textnum_word(&rest, &word))
		model_problem(r->m, STR(""), "%" PRIu64 " bytes after the net belong to nothing (from byte %" PRIu64
			      " on)", (uint64_t)(r->t.end - word.p), textnum_at(&rest) - word.n);
}

/* What was read before an error is shown: only from there on nothing is known. */
static enum rc read_katago(struct model *m, uint32_t member, struct err *e)
{
	struct reader r = {.m = m, .member = member, .e = e, .t = textnum_of(m->source.members[member].data)};

	m->files = 1;
	m->bytes = m->source.members[member].size;
	if (spool_begin(&r.spool, &m->source, m->source.members[member].name, e) != RC_OK)
		return RC_FAIL;
	read_net(&r);
	m->variant = arena_printf(&m->arena, "version %u, %s", r.version, r.binary ? "binary" : "text");
	return partial_end(m, r.spool, r.bad ? RC_FAIL : RC_OK, e);
}

const struct format format_katago = {
	.name = "katago",
	.about = "nets of KataGo (Go)",
	.reads = "versions 1 to 17, text and binary, every kind of block; convolutions as [height, width, in, out]",
	.files = "*.bin.gz *.txt.gz",
	.probe = probe,
	.read = read_katago,
};
