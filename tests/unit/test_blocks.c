/* analysis/blocks: the repeated parts of models as they name their tensors, without any file. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/blocks.h"
#include "base/buf.h"
#include "base/err.h"

struct names {
	struct str *list;
	size_t n, cap;
};

static void add_name(struct names *ns, struct str s)
{
	if (ns->n == ns->cap) {
		ns->cap = ns->cap ? 2 * ns->cap : 64;
		ns->list = xrealloc(ns->list, ns->cap, sizeof(*ns->list));
	}
	ns->list[ns->n].p = memcpy(xmalloc(s.n + 1), s.p, s.n);
	ns->list[ns->n++].n = s.n;
}

/* "h.{0..2}.{w,b}" stands for h.0.w h.0.b h.1.w and so on. */
static void expand(struct names *ns, const char *pattern)
{
	const char *open = strchr(pattern, '{'), *close = open ? strchr(open, '}') : NULL;
	struct buf b = {0};
	int lo, hi;

	if (!open) {
		add_name(ns, str_of(pattern));
	} else if (sscanf(open, "{%d..%d}", &lo, &hi) == 2) {
		for (int i = lo; i <= hi; i++) {
			buf_clear(&b);
			buf_printf(&b, "%.*s%d%s", (int)(open - pattern), pattern, i, close + 1);
			expand(ns, b.p);
		}
	} else {
		for (const char *p = open + 1; p <= close; p += strcspn(p, ",}") + 1) {
			buf_clear(&b);
			buf_printf(&b, "%.*s%.*s%s", (int)(open - pattern), pattern, (int)strcspn(p, ",}"), p, close + 1);
			expand(ns, b.p);
		}
	}
	buf_free(&b);
}

/* As in a file: layer by layer, every layer with all of the patterns, in which # is its number. */
static void expand_layers(struct names *ns, int lo, int hi, const char *const *patterns)
{
	for (int i = lo; i <= hi; i++)
		for (const char *const *p = patterns; *p; p++) {
			const char *hash = strchr(*p, '#');
			struct buf b = {0};

			buf_printf(&b, "%.*s%d%s", (int)(hash - *p), *p, i, hash + 1);
			expand(ns, b.p);
			buf_free(&b);
		}
}
#define LAYERS(ns, lo, hi, ...) expand_layers(ns, lo, hi, (const char *const[]){__VA_ARGS__, NULL})

/* A grid as text: # one tensor, a digit several, * more than nine, . none. */
static void draw(struct buf *out, const struct blocks *b, const struct str *names)
{
	for (size_t i = 0; i < b->n_grids; i++) {
		const struct block_grid *g = &b->grids[i];

		buf_printf(out, "[%.*s]", (int)g->prefix.n, g->prefix.p);
		for (size_t c = 0; c < g->n_columns; c++) {
			buf_printf(out, " %d", (int)g->columns[c].number);
			if (g->columns[c].has_inner)
				buf_printf(out, ".%d", (int)g->columns[c].inner);
		}
		for (size_t p = 0; p < g->n_parts; p++) {
			buf_putc(out, '\n');
			for (size_t c = 0; c < g->n_columns; c++) {
				const struct block_cell *cell = block_cell_at(g, p, c);

				buf_putc(out, !cell ? '.' : cell->n == 1 ? '#' : cell->n < 10 ? (char)('0' + cell->n) : '*');
			}
			buf_printf(out, " %.*s", (int)g->parts[p].name.n, g->parts[p].name.p);
		}
		buf_putc(out, '\n');
	}
	buf_puts(out, "rest:");
	for (size_t i = 0; i < b->n_rest; i++)
		buf_printf(out, " %.*s", (int)names[b->rest[i]].n, names[b->rest[i]].p);
}

/* Every name is in exactly one place. */
static void assert_whole(const struct blocks *b, size_t n)
{
	size_t *seen = xcalloc(n, sizeof(*seen));

	for (size_t i = 0; i < b->n_grids; i++) {
		const struct block_grid *g = &b->grids[i];
		size_t in_cells = 0;

		for (size_t k = 0; k < g->n_names; k++)
			seen[g->names[k]]++;
		for (size_t k = 0; k < g->n_cells; k++)
			in_cells += g->cells[k].n;
		assert_int_equal(in_cells, g->n_names);
	}
	for (size_t i = 0; i < b->n_rest; i++)
		seen[b->rest[i]]++;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(seen[i], 1);
	free(seen);
}

static void assert_blocks(struct names *ns, const char *want)
{
	struct blocks *b = blocks_find(ns->list, ns->n);
	struct buf got = {0};

	draw(&got, b, ns->list);
	assert_string_equal(got.p, want);
	assert_whole(b, ns->n);
	buf_free(&got);
	blocks_free(b);
	for (size_t i = 0; i < ns->n; i++)
		free((char *)ns->list[i].p);
	free(ns->list);
}

static void llama(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "model.embed_tokens.weight");
	LAYERS(&ns, 0, 11, "model.layers.#.input_layernorm.weight", "model.layers.#.mlp.{down,gate,up}_proj.weight",
	       "model.layers.#.self_attn.{k,q,v}_proj.weight");
	expand(&ns, "{model.norm,lm_head}.weight");
	assert_blocks(&ns,
		"[model.layers] 0 1 2 3 4 5 6 7 8 9 10 11\n"
		"############ input_layernorm.weight\n"
		"############ mlp.down_proj.weight\n"
		"############ mlp.gate_proj.weight\n"
		"############ mlp.up_proj.weight\n"
		"############ self_attn.k_proj.weight\n"
		"############ self_attn.q_proj.weight\n"
		"############ self_attn.v_proj.weight\n"
		"rest: model.embed_tokens.weight model.norm.weight lm_head.weight");
}

static void gguf(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "token_embd.weight");
	LAYERS(&ns, 0, 2, "blk.#.attn_{q,k}.weight", "blk.#.ffn_gate.{0..3}.weight", "blk.#.ffn_norm.weight");
	expand(&ns, "output{_norm,}.weight");
	assert_blocks(&ns,
		"[blk] 0 1 2\n"
		"### attn_q.weight\n"
		"### attn_k.weight\n"
		"444 ffn_gate.*.weight\n"
		"### ffn_norm.weight\n"
		"rest: token_embd.weight output_norm.weight output.weight");
}

static void bert_and_lora(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "base_model.model.classifier.dense.{bias,weight}");
	LAYERS(&ns, 0, 10, "base_model.model.roberta.encoder.layer.#.attention.self.query.lora_{A,B}.weight",
	       "base_model.model.roberta.encoder.layer.#.output.dense.lora_A.weight");
	assert_blocks(&ns,
		"[base_model.model.roberta.encoder.layer] 0 1 2 3 4 5 6 7 8 9 10\n"
		"########### attention.self.query.lora_A.weight\n"
		"########### attention.self.query.lora_B.weight\n"
		"########### output.dense.lora_A.weight\n"
		"rest: base_model.model.classifier.dense.bias base_model.model.classifier.dense.weight");
}

static void gpt2(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "w{t,p}e.weight");
	LAYERS(&ns, 0, 3, "h.#.ln_1.bias", "h.#.attn.c_attn.weight", "h.#.ln_2.bias");
	expand(&ns, "ln_f.weight");
	assert_blocks(&ns,
		"[h] 0 1 2 3\n"
		"#### ln_1.bias\n"
		"#### attn.c_attn.weight\n"
		"#### ln_2.bias\n"
		"rest: wte.weight wpe.weight ln_f.weight");
}

/* Two stacks; "layer.0" inside a block is no stack of its own: its parts differ from those of "layer.1". */
static void t5(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "shared.weight");
	expand(&ns, "encoder.block.0.layer.0.SelfAttention.rel.weight");
	LAYERS(&ns, 0, 2, "encoder.block.#.layer.0.SelfAttention.{q,k}.weight",
	       "encoder.block.#.layer.1.DenseReluDense.wi.weight", "encoder.block.#.layer.1.layer_norm.weight");
	LAYERS(&ns, 0, 1, "decoder.block.#.layer.0.SelfAttention.{q,k}.weight",
	       "decoder.block.#.layer.1.EncDecAttention.{q,k}.weight");
	assert_blocks(&ns,
		"[encoder.block] 0 1 2\n"
		"#.. layer.0.SelfAttention.rel.weight\n"
		"### layer.0.SelfAttention.q.weight\n"
		"### layer.0.SelfAttention.k.weight\n"
		"### layer.1.DenseReluDense.wi.weight\n"
		"### layer.1.layer_norm.weight\n"
		"[decoder.block] 0 1\n"
		"## layer.0.SelfAttention.q.weight\n"
		"## layer.0.SelfAttention.k.weight\n"
		"## layer.1.EncDecAttention.q.weight\n"
		"## layer.1.EncDecAttention.k.weight\n"
		"rest: shared.weight");
}

/* Flax writes numbers into words, and layers in the order of their digits. */
static void vit_flax(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "Transformer/encoder_norm/{bias,scale}");
	expand(&ns, "Transformer/encoderblock_{0,1,10,2}/{LayerNorm_0,MlpBlock_3/Dense_0,MlpBlock_3/Dense_1}/bias");
	expand(&ns, "head/kernel");
	assert_blocks(&ns,
		"[Transformer/encoderblock] 0 1 2 10\n"
		"#### LayerNorm_0/bias\n"
		"#### MlpBlock_3/Dense_0/bias\n"
		"#### MlpBlock_3/Dense_1/bias\n"
		"rest: Transformer/encoder_norm/bias Transformer/encoder_norm/scale head/kernel");
}

/* Two numbers make one column; a part that few blocks have leaves gaps. */
static void resnet(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "conv1.weight");
	expand(&ns, "layer{1..4}.{0..1}.{conv1,bn1,conv2,bn2}.weight");
	expand(&ns, "layer{2..4}.0.downsample.{0..1}.weight");
	expand(&ns, "fc.{weight,bias}");
	assert_blocks(&ns,
		"[layer] 1.0 1.1 2.0 2.1 3.0 3.1 4.0 4.1\n"
		"######## conv1.weight\n"
		"######## bn1.weight\n"
		"######## conv2.weight\n"
		"######## bn2.weight\n"
		"..#.#.#. downsample.0.weight\n"
		"..#.#.#. downsample.1.weight\n"
		"rest: conv1.weight fc.weight fc.bias");
}

/* What stands in a stage, but in none of its blocks, has a column of its own behind them. */
static void swin(void **state)
{
	struct names ns = {0};
	(void)state;

	LAYERS(&ns, 0, 1, "layers.#.blocks.{0..1}.{norm1,attn.qkv,mlp.fc1,mlp.fc2}.weight", "layers.#.downsample.norm.weight");
	expand(&ns, "layers.2.blocks.{0..1}.{norm1,attn.qkv,mlp.fc1,mlp.fc2}.weight");
	assert_blocks(&ns,
		"[layers] 0.0 0.1 0 1.0 1.1 1 2.0 2.1\n"
		"##.##.## norm1.weight\n"
		"##.##.## attn.qkv.weight\n"
		"##.##.## mlp.fc1.weight\n"
		"##.##.## mlp.fc2.weight\n"
		"..#..#.. downsample.norm.weight\n"
		"rest:");
}

/* Experts are folded, however many; the dense layer before them keeps its parts. */
static void mixtral_and_deepseek(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "model.layers.0.self_attn.{q,k}_proj.weight");
	expand(&ns, "model.layers.0.mlp.{gate,up}_proj.weight");
	LAYERS(&ns, 1, 4, "model.layers.#.self_attn.{q,k}_proj.weight", "model.layers.#.mlp.experts.{0..15}.{gate,up}_proj.weight",
	       "model.layers.#.mlp.gate.weight");
	assert_blocks(&ns,
		"[model.layers] 0 1 2 3 4\n"
		"##### self_attn.q_proj.weight\n"
		"##### self_attn.k_proj.weight\n"
		".**** mlp.experts.*.gate_proj.weight\n"
		".**** mlp.experts.*.up_proj.weight\n"
		".#### mlp.gate.weight\n"
		"#.... mlp.gate_proj.weight\n"
		"#.... mlp.up_proj.weight\n"
		"rest:");

	/* one layer's experts alone: a grid of their own */
	ns = (struct names){0};
	expand(&ns, "model.layers.3.mlp.experts.{0..5}.{w1,w2}.weight");
	assert_blocks(&ns,
		"[model.layers.3.mlp.experts] 0 1 2 3 4 5\n"
		"###### w1.weight\n"
		"###### w2.weight\n"
		"rest:");
}

static void lc0(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "input.{weights,bn_means}");
	LAYERS(&ns, 0, 5, "residual.#.conv{1..2}.{weights,bn_gammas}", "residual.#.se.{w1,b1}");
	expand(&ns, "{policy1,policy,value}.weights");
	assert_blocks(&ns,
		"[residual] 0 1 2 3 4 5\n"
		"###### conv1.weights\n"
		"###### conv1.bn_gammas\n"
		"###### conv2.weights\n"
		"###### conv2.bn_gammas\n"
		"###### se.w1\n"
		"###### se.b1\n"
		"rest: input.weights input.bn_means policy1.weights policy.weights value.weights");
}

static void siblings_and_sequences(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "stft_conv.weight"); /* silero */
	expand(&ns, "conv{1..4}.{weight,bias}");
	expand(&ns, "lstm_cell.weight_{ih,hh}");
	assert_blocks(&ns,
		"[conv] 1 2 3 4\n"
		"#### weight\n"
		"#### bias\n"
		"rest: stft_conv.weight lstm_cell.weight_ih lstm_cell.weight_hh");

	ns = (struct names){0};
	expand(&ns, "features.{0,2,5}.{weight,bias}"); /* vgg */
	expand(&ns, "classifier.{0,3,6}.{weight,bias}");
	assert_blocks(&ns,
		"[features] 0 2 5\n"
		"### weight\n"
		"### bias\n"
		"[classifier] 0 3 6\n"
		"### weight\n"
		"### bias\n"
		"rest:");

	ns = (struct names){0};
	expand(&ns, "{0.0.0.weight,0.0.1.scale}"); /* prophet: a sequence of sequences */
	LAYERS(&ns, 1, 2, "#.0.0.{0,3}.weight", "#.0.0.{1,4}.scale");
	expand(&ns, "{3.0.weight,3.1.scale,4.1.weight,4.3.weight}");
	assert_blocks(&ns,
		"[] 0 1 2 3 4\n"
		"#.... 0.0.weight\n"
		"#.... 0.1.scale\n"
		".##.. 0.0.0.weight\n"
		".##.. 0.0.3.weight\n"
		".##.. 0.0.1.scale\n"
		".##.. 0.0.4.scale\n"
		"...#. 0.weight\n"
		"...#. 1.scale\n"
		"....# 1.weight\n"
		"....# 3.weight\n"
		"rest:");
}

/* Keras says a layer's name twice, and leaves out the number of the first. */
static void keras(void **state)
{
	struct names ns = {0};
	(void)state;

	expand(&ns, "conv2d/conv2d/{kernel:0,bias:0}");
	expand(&ns, "conv2d_1/conv2d_1/{kernel:0,bias:0}");
	expand(&ns, "conv2d_2/conv2d_2/{kernel:0,bias:0}");
	expand(&ns, "dense/kernel:0");
	assert_blocks(&ns,
		"[conv2d] 0 1 2\n"
		"### kernel:0\n"
		"### bias:0\n"
		"rest: dense/kernel:0");
}

static void nothing_to_find(void **state)
{
	struct names ns = {0};
	(void)state;

	assert_blocks(&ns, "rest:");
	ns = (struct names){0};
	expand(&ns, "{weight,fc1.weight,fc2.weight,v2.a,99999999999.b}");
	assert_blocks(&ns, "rest: weight fc1.weight fc2.weight v2.a 99999999999.b");
	ns = (struct names){0};
	expand(&ns, "{1,2,4,8}"); /* a number and nothing else */
	assert_blocks(&ns, "[] 1 2 4 8\n#### \nrest:");
}

/* A diagonal band: as many parts as numbers, and few tensors. Neither time nor memory goes with their product. */
static void hostile(void **state)
{
	enum { N = 20000 };
	struct names ns = {0};
	struct blocks *b;
	char name[64];
	(void)state;

	for (int i = 0; i < N; i++)
		for (int k = 0; k < 2; k++) {
			snprintf(name, sizeof(name), "layers.%d.part%c%d", i + k, 'a' + i % 26, i);
			add_name(&ns, str_of(name));
		}
	for (int i = 0; i < N; i++) { /* and each a candidate of its own */
		snprintf(name, sizeof(name), "x%c%d_1.w", 'a' + i % 26, i);
		add_name(&ns, str_of(name));
	}
	b = blocks_find(ns.list, ns.n);
	assert_whole(b, ns.n);
	assert_int_equal(b->grids[0].n_columns, N + 1);
	blocks_free(b);
	for (size_t i = 0; i < ns.n; i++)
		free((char *)ns.list[i].p);
	free(ns.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(llama),
		cmocka_unit_test(gguf),
		cmocka_unit_test(bert_and_lora),
		cmocka_unit_test(gpt2),
		cmocka_unit_test(t5),
		cmocka_unit_test(vit_flax),
		cmocka_unit_test(resnet),
		cmocka_unit_test(swin),
		cmocka_unit_test(mixtral_and_deepseek),
		cmocka_unit_test(lc0),
		cmocka_unit_test(siblings_and_sequences),
		cmocka_unit_test(keras),
		cmocka_unit_test(nothing_to_find),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
