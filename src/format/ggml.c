/*
 * Files of ggml before GGUF: "ggml", "ggmf", "ggjt" and "ggla". Each program put a header of its own before the same
 * records of tensors, and often nothing says which program it was: the headers below are tried one after the other, and
 * the one that leads to the end of the file, record by record, is the right one.
 *
 *	magic, [u32:version], i32 hyperparameters..., what the header lists
 *	{ i32:rank i32:name length i32:type i32:dims[rank] name, [zeros up to a multiple of 32,] data }... to the end
 *
 * dims has the fastest-varying first. Read off ggml-org/whisper.cpp (src/whisper.cpp, src/parakeet.cpp and the
 * converters in models) and, for LLaMA's, ikawrakow/ik_llama.cpp, convert_llama_ggml_to_gguf.py; saharNooby/rwkv.cpp,
 * docs/FILE_FORMAT.md. Headers of the other programs are those of ggml's examples of 2023. Blocks of quantised types
 * had other layouts then; today's are those of ggjt version 3 and, elsewhere, of a file type of 2000 and more.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "bytes/cur.h"
#include "format/digest.h"
#include "format/format.h"
#include "format/ggml_types.h"
#include "format/notes.h"

enum {
	DIMS_MAX = 4,
	NAME_BYTES_MAX = 4095,
	TOKEN_BYTES_MAX = 65535,
	SHOWN = 16,              /* first tokens that are kept */
	LAYERS_MAX = 1024,
	ALIGN = 32
};

#define GGML 0x67676D6Cu
#define GGMF 0x67676D66u
#define GGJT 0x67676A74u
#define GGLA 0x67676C61u

/*
 * A header as a list of words: a name is an i32, a name with :f a float, and
 *
 *	@counted   i32:n and n tokens           @tokens   n_vocab tokens, each u32:length and bytes
 *	@scored    n_vocab tokens, each followed by a float
 *	@filters   i32:rows i32:columns floats  @window   i32:n floats     @durations  n_tdt_durations of u32
 *	@type      i32:length bytes             @version  three i32       @layers    n_encoder_layers of three i32
 */
static const struct grammar {
	const char *program;
	uint32_t magic;
	uint32_t version_from, version_to; /* 0: the file has no version */
	bool aligned, untyped;             /* data aligned; records without a type, all of them F32 */
	const char *filters, *window;      /* names for those tensors */
	const char *header;
} grammars[] = {
	{"whisper.cpp", GGML, 0, 0, false, false, "mel_filters", NULL,
	 "n_vocab n_audio_ctx n_audio_state n_audio_head n_audio_layer n_text_ctx n_text_state n_text_head "
	 "n_text_layer n_mels ftype @filters @counted"},
	{"whisper.cpp VAD", GGML, 0, 0, false, false, NULL, NULL,
	 "@type @version n_window n_context n_encoder_layers @layers lstm_input_size "
	 "lstm_hidden_size final_conv_in final_conv_out"},
	{"whisper.cpp speaker", GGML, 0, 0, false, true, NULL, NULL,
	 "@type @version embedding_dim n_channels n_tensors"},
	{"parakeet.cpp", GGML, 0, 0, false, false, "preprocessor.featurizer.fb", "preprocessor.featurizer.window",
	 "n_vocab n_audio_ctx n_audio_state n_audio_head n_audio_layer n_mels ftype n_fft subsampling_factor "
	 "n_subsampling_channels n_conv_kernel n_pred_dim n_pred_layers n_tdt_durations n_max_tokens @filters @window "
	 "@durations @counted"},
	{"parakeet.cpp", GGML, 0, 0, false, false, "preprocessor.featurizer.fb", "preprocessor.featurizer.window",
	 "n_vocab n_audio_ctx n_audio_state n_audio_head n_audio_layer n_mels ftype n_fft subsampling_factor "
	 "n_subsampling_channels n_pred_dim n_pred_layers n_tdt_durations n_max_tokens @filters @window @durations "
	 "@counted"},
	{"llama.cpp", GGML, 0, 0, false, false, NULL, NULL,
	 "n_vocab n_embd n_mult n_head n_layer n_rot ftype @tokens"},
	{"llama.cpp", GGMF, 1, 1, false, false, NULL, NULL,
	 "n_vocab n_embd n_mult n_head n_layer n_rot ftype @scored"},
	{"llama.cpp", GGJT, 1, 3, true, false, NULL, NULL,
	 "n_vocab n_embd n_mult n_head n_layer n_rot ftype @scored"},
	{"llama.cpp LoRA", GGLA, 1, 1, true, false, NULL, NULL, "lora_r lora_alpha"},
	{"rwkv.cpp", GGMF, 100, 101, false, false, NULL, NULL, "n_vocab n_embed n_layer data_type"},
	{"gpt-2, starcoder", GGML, 0, 0, false, false, NULL, NULL,
	 "n_vocab n_ctx n_embd n_head n_layer ftype @counted"},
	{"gpt-j", GGML, 0, 0, false, false, NULL, NULL, "n_vocab n_ctx n_embd n_head n_layer n_rot ftype @counted"},
	{"gpt-neox", GGML, 0, 0, false, false, NULL, NULL,
	 "n_vocab n_ctx n_embd n_head n_layer n_rot par_res ftype @tokens"},
	{"bert.cpp", GGML, 0, 0, false, false, NULL, NULL,
	 "n_vocab n_max_tokens n_embd n_intermediate n_head n_layer ftype @tokens"},
	{"bloomz.cpp", GGML, 0, 0, false, false, NULL, NULL, "n_vocab n_embd n_mult n_head n_layer ftype @tokens"},
	{"mpt", GGML, 0, 0, false, false, NULL, NULL,
	 "d_model max_seq_len n_heads n_layers n_vocab alibi_bias_max:f clip_qkv:f ftype @tokens"},
	{"replit", GGML, 0, 0, false, false, NULL, NULL, "d_model max_seq_len n_heads n_layers n_vocab ftype @scored"},
	{"sam", GGML, 0, 0, false, false, NULL, NULL,
	 "n_enc_state n_enc_layer n_enc_head n_enc_out_chans n_pt_embd ftype"},
};

/* Quantised blocks before today's: mostly with F32 scales. Their sizes are known, so what follows them can be read. */
static const struct old_block {
	uint32_t id;
	const char *name;
	unsigned items, bytes;
} old_blocks[] = {
	{2, "Q4_0 (2023)", 32, 20}, {3, "Q4_1 (2023)", 32, 24}, {4, "Q4_2 (2023)", 16, 10}, {5, "Q4_3 (2023)", 16, 12},
	{6, "Q5_0 (2023)", 32, 22}, {7, "Q5_1 (2023)", 32, 24}, {8, "Q8_0 (2023)", 32, 36},
};

struct reader {
	struct model *m;      /* NULL: only a try */
	uint32_t member;
	const struct grammar *g;
	struct cur c;
	uint32_t version;
	int64_t n_vocab, ftype, durations, layers;
	size_t tensors;       /* records read */
	uint64_t begin;       /* where the records begin; 0: the header was not read to its end */
	bool whole;           /* they end where the file does */
	const char *what;     /* what could not be read at `at` */
	uint64_t at;
};

static int probe(const struct probe *p)
{
	uint64_t magic = p->head.n >= 16 ? load_uint(p->head.p, 4, false) : 0;

	return magic == GGML || magic == GGMF || magic == GGJT || magic == GGLA ? 40 : 0;
}

static bool fail(struct reader *r, const char *what)
{
	if (!r->what) {
		r->what = what;
		r->at = cur_at(&r->c);
	}
	return false;
}

/* ---- the header ---- */

static bool tensor_of_floats(struct reader *r, const char *name, const uint64_t *d, unsigned rank)
{
	uint64_t at = cur_at(&r->c), n = d[0];
	struct tensor *t;
	struct err e;

	if (r->c.bad || (rank == 2 && !u64_mul(n, d[1], &n)) || n > cur_left(&r->c) / 4)
		return fail(r, "a table of floats");
	cur_take(&r->c, 4 * n);
	if (!r->m)
		return true;
	t = model_add_tensor(r->m);
	t->name = str_of(name);
	t->data = (struct span){r->member, at, 4 * n};
	return tensor_set_shape(r->m, t, DT_F32, d, rank, &e) == RC_OK;
}

/* The first tokens are kept, and a digest of all. */
static bool tokens(struct reader *r, int64_t n, bool scored)
{
	struct meta_value v = {.kind = META_ARRAY, .type = "str"};
	struct digest d = {0};

	if (r->c.bad || n < 0 || (uint64_t)n > cur_left(&r->c) / (scored ? 8 : 4))
		return fail(r, "the number of tokens");
	v.u.array.count = (uint64_t)n;
	v.u.array.shown = u64_min((uint64_t)n, SHOWN);
	if (r->m)
		v.u.array.items = arena_new(&r->m->arena, struct meta_value, (size_t)v.u.array.shown);
	for (int64_t i = 0; i < n; i++) {
		uint32_t bytes = cur_u32(&r->c);
		struct str s = {(const char *)cur_take(&r->c, bytes), bytes};

		if (scored)
			cur_u32(&r->c);
		if (r->c.bad || bytes > TOKEN_BYTES_MAX)
			return fail(r, "the vocabulary");
		if (!r->m)
			continue;
		digest_u64(&d, s.n);
		digest_add(&d, s);
		if ((uint64_t)i < v.u.array.shown) {
			v.u.array.items[i].type = "str";
			meta_set_text(r->m, &v.u.array.items[i], s);
		}
	}
	if (r->m) {
		digest_end(&d, v.u.array.digest);
		*model_add_meta(r->m, STR("tokens")) = v;
	}
	return true;
}

static bool numbers(struct reader *r, int64_t n, const char *key)
{
	for (int64_t i = 0; i < n; i++) {
		int32_t x = (int32_t)cur_u32(&r->c);

		if (r->c.bad)
			return fail(r, key);
		if (r->m)
			fact_int(r->m, arena_printf(&r->m->arena, "%s.%" PRId64, key, i), x);
	}
	return true;
}

/* A text that says what the file is, as silero-16k. */
static bool type_text(struct reader *r)
{
	uint32_t n = cur_u32(&r->c);
	const uint8_t *p = n <= 255 ? cur_take(&r->c, n) : NULL;

	if (!n || !p)
		return fail(r, "the type of the model");
	for (uint32_t i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return fail(r, "the type of the model");
	if (r->m)
		fact_text(r->m, "type", (struct str){(const char *)p, n});
	return true;
}

static bool version_text(struct reader *r)
{
	uint32_t major = cur_u32(&r->c), minor = cur_u32(&r->c), patch = cur_u32(&r->c);

	if (r->c.bad)
		return fail(r, "the version of the model");
	if (r->m)
		fact_text(r->m, "version", str_of(arena_printf(&r->m->arena, "%" PRIu32 ".%" PRIu32 ".%" PRIu32, major,
							       minor, patch)));
	return true;
}

static bool part(struct reader *r, struct str word)
{
	uint64_t d[2];

	if (str_eq(word, STR("@tokens")))
		return tokens(r, r->n_vocab, false);
	if (str_eq(word, STR("@scored")))
		return tokens(r, r->n_vocab, true);
	if (str_eq(word, STR("@counted")))
		return tokens(r, (int32_t)cur_u32(&r->c), false);
	if (str_eq(word, STR("@type")))
		return type_text(r);
	if (str_eq(word, STR("@version")))
		return version_text(r);
	if (str_eq(word, STR("@durations")))
		return r->durations > LAYERS_MAX ? fail(r, "n_tdt_durations") : numbers(r, r->durations, "duration");
	if (str_eq(word, STR("@layers")))
		return r->layers > LAYERS_MAX ? fail(r, "n_encoder_layers") : numbers(r, 3 * r->layers, "encoder");
	d[0] = cur_u32(&r->c);
	d[1] = str_eq(word, STR("@window")) ? 1 : cur_u32(&r->c);
	if (d[1] > INT32_MAX || d[0] > INT32_MAX)
		return fail(r, "a table of floats");
	return str_eq(word, STR("@window")) ? tensor_of_floats(r, r->g->window, d, 1)
					    : tensor_of_floats(r, r->g->filters, d, 2);
}

/* Numbers that say how to read the rest. */
static void heed(struct reader *r, struct str key, int32_t x)
{
	if (str_eq(key, STR("n_vocab")))
		r->n_vocab = x;
	else if (str_eq(key, STR("ftype")))
		r->ftype = x;
	else if (str_eq(key, STR("n_tdt_durations")))
		r->durations = x;
	else if (str_eq(key, STR("n_encoder_layers")))
		r->layers = x;
}

static bool entry(struct reader *r, struct str key)
{
	uint32_t bits = cur_u32(&r->c);
	bool real = key.n > 2 && memcmp(key.p + key.n - 2, ":f", 2) == 0;

	if (r->c.bad)
		return fail(r, "the hyperparameters");
	key.n -= real ? 2 : 0;
	heed(r, key, (int32_t)bits);
	if (r->m && real)
		fact_f32(r->m, arena_str(&r->m->arena, key).p, (float)real_of_bits(bits, 4));
	else if (r->m)
		fact_int(r->m, arena_str(&r->m->arena, key).p, (int32_t)bits);
	return true;
}

static bool header(struct reader *r)
{
	const char *p = r->g->header;

	cur_take(&r->c, 4);
	if (r->g->version_from) {
		r->version = cur_u32(&r->c);
		if (r->version < r->g->version_from || r->version > r->g->version_to)
			return fail(r, "the version");
		if (r->m)
			fact_uint(r->m, "version", r->version);
	}
	while (*p) {
		struct str word = {p, strcspn(p, " ")};

		if (!(*p == '@' ? part(r, word) : entry(r, word)))
			return false;
		p += word.n + (p[word.n] == ' ');
	}
	return true;
}

/* ---- records ---- */

/* Blocks as they are today; else those of 2023. */
static bool modern(const struct reader *r)
{
	if (r->g->magic == GGJT)
		return r->version >= 3;
	return r->g->version_from >= 100 ? r->version >= 101 : r->ftype / 1000 >= 2;
}

/* rwkv.cpp numbers its types on its own from the sixth on. */
static uint32_t ggml_id(const struct reader *r, uint32_t id)
{
	return r->g->version_from >= 100 && id >= 7 && id <= 9 ? id - 1 : id;
}

/* The type with that number, and bytes of count elements; NULL: not known. For a block of 2023 *type is DT_OPAQUE. */
static const char *type_of(const struct reader *r, uint32_t id, uint64_t count, enum dtype *type, uint64_t *bytes)
{
	const char *name;
	struct err e;

	id = ggml_id(r, id);
	*type = ggml_type(id, &name);
	if (*type != DT_OPAQUE && (dtypes[*type].items == 1 || modern(r)))
		return dtype_bytes(*type, count, bytes, &e) == RC_OK ? dtypes[*type].name : NULL;
	*type = DT_OPAQUE;
	for (size_t i = 0; i < COUNT(old_blocks) && !modern(r); i++)
		if (old_blocks[i].id == id && count % old_blocks[i].items == 0 &&
		    u64_mul(count / old_blocks[i].items, old_blocks[i].bytes, bytes))
			return old_blocks[i].name;
	return NULL;
}

static void add_record(struct reader *r, struct str name, enum dtype type, const char *word, const uint64_t *d,
		       unsigned rank, uint64_t bytes)
{
	struct tensor *t = model_add_tensor(r->m);
	uint64_t at = cur_at(&r->c), left = cur_left(&r->c);
	struct err e;

	t->name = arena_str(&r->m->arena, name);
	t->type_name = word;
	t->data = (struct span){r->member, at, u64_min(bytes, left)};
	if (tensor_set_shape(r->m, t, type, d, rank, &e) != RC_OK)
		tensor_broken(r->m, t, "%s", e.msg);
	else if (bytes > left)
		tensor_broken(r->m, t, "its %" PRIu64 " bytes from byte %" PRIu64
			      " on leave the file, which ends at byte %" PRIu64, bytes, at, at + left);
	else if (type == DT_OPAQUE)
		t->trouble = arena_printf(&r->m->arena, "not decoded: %s", word);
}

static bool record(struct reader *r)
{
	uint64_t start = cur_at(&r->c), d[DIMS_MAX], count = 1, bytes = 0;
	uint32_t rank = cur_u32(&r->c), length = cur_u32(&r->c), id = r->g->untyped ? 0 : cur_u32(&r->c);
	const char *word;
	struct str name;
	enum dtype type;

	if (r->c.bad || rank > DIMS_MAX || length > NAME_BYTES_MAX || !length || r->tensors == limits.tensors) {
		r->c.p = r->c.start + start;
		return fail(r, "the record of a tensor");
	}
	for (uint32_t i = 0; i < rank; i++) {
		uint32_t x = cur_u32(&r->c);

		d[rank - 1 - i] = x;
		if (x > INT32_MAX || !u64_mul(count, x, &count))
			return fail(r, "the shape of a tensor");
	}
	name = (struct str){(const char *)cur_take(&r->c, length), length};
	for (size_t i = 0; i < name.n && !r->c.bad; i++)
		if ((uint8_t)name.p[i] < 0x20)
			return fail(r, "the name of a tensor");
	if (r->c.bad)
		return fail(r, "the name of a tensor");
	word = type_of(r, id, count, &type, &bytes);
	if (!word)
		return fail(r, "the type of a tensor");
	if (r->g->aligned)
		cur_take(&r->c, -cur_at(&r->c) % ALIGN);
	if (r->m)
		add_record(r, name, type, word, d, rank, bytes);
	r->tensors++;
	return cur_take(&r->c, bytes) ? true : fail(r, "the data of a tensor");
}

static void read_file(struct reader *r)
{
	if (!header(r))
		return;
	r->begin = cur_at(&r->c);
	while (cur_left(&r->c))
		if (!record(r))
			return;
	r->whole = true;
}

/* The header that leads to the end; in a damaged file the one to most tensors, or else the longest that there is. */
static const struct grammar *choose(struct bytes all)
{
	const struct grammar *best = NULL;
	struct reader most = {0};

	for (size_t i = 0; i < COUNT(grammars); i++) {
		struct reader r = {.g = &grammars[i], .c = cur_of(all)};

		if (load_uint(all.p, 4, false) != r.g->magic)
			continue;
		read_file(&r);
		if (r.whole)
			return r.g;
		if (r.begin && (r.tensors > most.tensors || (r.tensors == most.tensors && r.begin > most.begin))) {
			most = r;
			best = r.g;
		}
	}
	return best;
}

static enum rc read_ggml(struct model *m, uint32_t member, struct err *e)
{
	struct bytes all = m->source.members[member].data;
	struct reader r = {.m = m, .member = member, .c = cur_of(all)};

	m->files = 1;
	m->bytes = all.n;
	r.g = all.n >= 4 ? choose(all) : NULL;
	if (!r.g)
		return err_set(e, "an old ggml file (before GGUF), cut short or with the header of no program that is "
			       "known");
	m->squeezed = true;
	read_file(&r);
	m->variant = r.g->program;
	if (r.g->version_from)
		m->variant = arena_printf(&m->arena, "%s version %" PRIu32 ", %s", r.g->magic == GGMF   ? "ggmf"
				      : r.g->magic == GGJT ? "ggjt" : "ggla", r.version, r.g->program);
	if (!r.whole && !m->n_tensors)
		return err_set(e, "an old ggml file (before GGUF): %s cannot be read (byte %" PRIu64 " of %zu)", r.what,
			       r.at, all.n);
	if (!r.whole)
		model_problem(m, STR(""), "%s cannot be read (byte %" PRIu64 " of %zu); what follows is not read",
			      r.what, r.at, all.n);
	return RC_OK;
}

const struct format format_ggml = {
	.name = "ggml",
	.about = "ggml's files before GGUF: whisper.cpp and its VAD, LLaMA of 2023",
	.reads = "ggml, ggmf, ggjt and ggla with the headers of whisper.cpp (also VAD, speaker, parakeet), llama.cpp, "
		 "rwkv.cpp and ggml's examples; of the blocks of 2023 only the size is known",
	.files = "ggml-*.bin",
	.probe = probe,
	.read = read_ggml,
};
