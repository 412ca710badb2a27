/*
 * Floats and integers of 8 and 4 bits with scales: DeepSeek (inference/kernel.py), gpt-oss (gpt_oss/torch/weights.py,
 * and the order of dimensions of Hugging Face's transformers), ModelOpt (qtensor/nvfp4_tensor.py), compressed-tensors
 * (naive_quantized, mx_utils.py), ComfyUI, and bitsandbytes' 8 bits (functional.py, nn/modules.py).
 */
#include "format/packer.h"

#include <stdio.h>
#include <string.h>

/* ---- MXFP4 and NVFP4 ---- */

/* Two to a byte, the first one in the low nibble, with a scale for each `size` of a row: MXFP4 and NVFP4. */
static bool fit_fp4(struct logical *l, struct grid *g, const struct tensor *codes, const struct tensor *scales,
		    uint64_t size)
{
	return logical_of(l, codes, codes->type == DT_F4 ? 1 : 2) && l->dims[l->rank - 1] % size == 0 &&
	       fit_groups(g, l, scales, size);
}

static struct pack_array codes_fp4(const struct draft *d)
{
	struct pack_array a = codes_bits(d, 4, d->p->cols / 2);

	a.book = e2m1;
	return a;
}

void pack_mxfp4(struct packer *pk, struct str name, struct tensor *codes, struct tensor *scales)
{
	struct logical l;
	struct grid g;
	struct draft d;

	if (!fit_fp4(&l, &g, codes, scales, 32)) {
		doubt(pk, codes->name, "the shapes of FP4 codes and scales do not fit");
		return;
	}
	d = draft_new(pk, codes, &g);
	d.p->codes = codes_fp4(&d);
	d.p->scale = scales_plain(&d, scales, "scales", DT_F8_E8M0, &g);
	draft_done(&d, name, &l, "MXFP4", "MXFP4, scales of groups of 32");
}

static bool is_number_for(const struct tensor *t, const struct logical *l)
{
	uint64_t matrices = 1;

	for (unsigned i = 0; i + 2 < l->rank; i++)
		matrices *= l->dims[i];
	return is_float(t) && (t->count == 1 || t->count == matrices);
}

/* ModelOpt multiplies the scales by a second one, compressed-tensors divides them by it. */
void pack_nvfp4(struct packer *pk, struct str name, struct tensor *codes, struct tensor *scales,
		struct tensor *global, bool divide)
{
	struct logical l;
	struct grid g;
	struct draft d;

	if (!fit_fp4(&l, &g, codes, scales, 16) || !is_number_for(global, &l)) {
		doubt(pk, codes->name, "the shapes of FP4 codes and both kinds of scales do not fit");
		return;
	}
	d = draft_new(pk, codes, &g);
	d.p->codes = codes_fp4(&d);
	d.p->scale = scales_plain(&d, scales, "scales", DT_F8_E4M3, &g);
	d.p->global = number(&d, global, "global scale");
	d.p->divide = divide;
	draft_done(&d, name, &l, "NVFP4", "NVFP4, scales of groups of 16 and one of the whole");
}

/* gpt-oss: U8 [..., rows, groups, 16] and [..., rows, groups]. Hugging Face's model (names in _blocks) has the matrices
 * of the experts the other way round; OpenAI's own (.blocks) as they are stored. */
void rule_blocks(struct packer *pk, struct str base, struct tensor *blocks)
{
	bool turned = blocks->name.p[base.n] == '_';
	struct tensor *scales = find(pk, base, turned ? "_scales" : ".scales");
	struct logical l = {.rank = blocks->rank - 1};
	struct grid g;
	struct draft d;

	if (!is_type(blocks, DT_U8) || blocks->rank < 3 || blocks->shape[blocks->rank - 1] != 16 || !is_e8m0(scales) ||
	    scales->rank != l.rank || memcmp(blocks->shape, scales->shape, l.rank * sizeof(*l.dims)) != 0)
		return; /* words that others use, too */
	memcpy(l.dims, blocks->shape, l.rank * sizeof(*l.dims));
	if (!u64_mul(l.dims[l.rank - 1], 32, &l.dims[l.rank - 1]) || !fit_groups(&g, &l, scales, 32))
		return;
	d = draft_new(pk, blocks, &g);
	d.p->codes = codes_fp4(&d);
	d.p->scale = scales_plain(&d, scales, "scales", DT_F8_E8M0, &g);
	if (turned && l.rank == 3) {
		d.p->swapped = true;
		l.dims[1] = g.cols;
		l.dims[2] = g.rows;
	}
	draft_done(&d, base, &l, "MXFP4", "MXFP4, scales of groups of 32");
}

/* ---- codes of eight bits with scales ---- */

/* weight_block_size of config.json, two numbers; false: it does not say. */
static bool configured_blocks(struct packer *pk, uint64_t size[2])
{
	const json_t *v = json_object_get(config_of(pk, "quantization_config"), "weight_block_size");

	return json_array_size(v) == 2 && json_size(json_array_get(v, 0), &size[0]) &&
	       json_size(json_array_get(v, 1), &size[1]);
}

static bool fit_any(struct packer *pk, struct grid *g, const struct logical *l, const struct tensor *scales)
{
	uint64_t size[2];

	if (fit_rows(g, l, scales) ||
	    (fit_groups(g, l, scales, 0) && only_size(g->cols, g->scale_cols, size) && *size == g->block_cols))
		return true;
	return configured_blocks(pk, size) ? fit_blocks(g, l, scales, size) : fit_blocks(g, l, scales, NULL);
}

/* zeros and mark, which only says how to read the rest, may be NULL. */
static void scaled(struct packer *pk, struct tensor *codes, struct tensor *scales, struct tensor *zeros,
		   struct tensor *mark, const struct logical *l, const struct grid *g)
{
	struct draft d = draft_new(pk, codes, g);
	bool mx = is_e8m0(scales) && g->block_rows == 1 && g->block_cols == 32;
	char type[96], about[160];

	d.p->codes = codes_plain(&d);
	d.p->scale = scales_plain(&d, scales, "scales", is_e8m0(scales) ? DT_F8_E8M0 : scales->type, g);
	if (zeros)
		d.p->zero = scales_plain(&d, zeros, "zero points", zeros->type, g);
	if (mark)
		draft_part(&d, mark, "mark");
	snprintf(type, sizeof(type), "%s/%s", codes->type_name, g->word);
	snprintf(about, sizeof(about), "%s, %s", codes->type_name, g->about);
	draft_done(&d, codes->name, l, mx && codes->type == DT_F8_E4M3 ? "MXFP8" : type, about);
}

static void scaled_f8(struct packer *pk, struct tensor *codes, struct tensor *scales, struct tensor *mark)
{
	struct logical l;
	struct grid g;

	if (logical_of(&l, codes, 1) && ((is_e8m0(scales) && fit_groups(&g, &l, scales, 32)) ||
					 (scales->type != DT_U8 && fit_any(pk, &g, &l, scales))))
		scaled(pk, codes, scales, NULL, mark, &l, &g);
	else
		doubt(pk, codes->name, "the shape of its scales does not tell what each is for");
}

/* ComfyUI's name for how a layer is stored, where there is one; its 4-bit and MX layouts are tiled for a GPU. */
static bool comfy_says_f8(struct packer *pk, struct str base, struct tensor **mark)
{
	struct bytes text;
	json_error_t why;
	json_t *root;
	const char *word;
	bool f8;

	*mark = find(pk, base, ".comfy_quant");
	if (!*mark)
		return !is_there(pk, base, ".comfy_quant");
	if (!stored_bytes(pk, *mark, 4096, &text))
		return false;
	root = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	word = json_string_value(json_object_get(root, "format"));
	f8 = word && (strcmp(word, "float8_e4m3fn") == 0 || strcmp(word, "float8_e5m2") == 0) &&
	     !json_object_get(root, "convrot");
	json_decref(root);
	return f8;
}

/* The same from the metadata, where it stands for all layers at once; what it says of each is not looked up. */
static bool comfy_metadata(const struct model *m)
{
	for (size_t i = 0; i < m->n_meta; i++)
		if (str_eq(m->meta[i].key, STR("_quantization_metadata")))
			return true;
	return false;
}

/* Integers as compressed-tensors has them. In groups those of others may be two to a byte: only its own are read. */
static void scaled_i8(struct packer *pk, struct str base, struct tensor *codes, struct tensor *scales)
{
	struct tensor *zeros = find(pk, base, "_zero_point");
	struct logical l;
	struct grid g;

	if (logical_of(&l, codes, 1) &&
	    (fit_rows(&g, &l, scales) ||
	     (quantised_by(pk, "compressed-tensors") && fit_groups(&g, &l, scales, 0))) &&
	    (zeros ? same_dims(zeros, scales) : !is_there(pk, base, "_zero_point")))
		scaled(pk, codes, scales, zeros, NULL, &l, &g);
	else
		doubt(pk, codes->name, "the shape of its scales does not tell what each is for");
}

/* X.weight_scale or X_scale, of many quantisers: what X.weight or X is says which. */
void rule_scale(struct packer *pk, struct str base, struct tensor *scales)
{
	struct tensor *codes = find(pk, base, ""), *mark = NULL;
	bool weight = base.n > 7 && memcmp(base.p + base.n - 7, ".weight", 7) == 0;
	struct str module = {base.p, base.n - (weight ? 7 : 0)};

	if (!codes || (!weight && !is_f8(codes)))
		return;
	if (weight && (!comfy_says_f8(pk, module, &mark) || (!is_f8(codes) && comfy_metadata(pk->m)))) {
		doubt(pk, codes->name, "ComfyUI's layout for a GPU is not read");
		return;
	}
	if (is_f8(codes) && (is_float(scales) || is_e8m0(scales)))
		scaled_f8(pk, codes, scales, mark);
	else if (codes->type == DT_I8 && is_float(scales))
		scaled_i8(pk, base, codes, scales);
	else if (codes->type != DT_U8 && codes->type != DT_F4)
		return;
	else if (is_type(scales, DT_F8_E4M3) && find(pk, base, "_scale_2"))
		pack_nvfp4(pk, codes->name, codes, scales, find(pk, base, "_scale_2"), false);
	else if (is_e8m0(scales))
		pack_mxfp4(pk, codes->name, codes, scales);
	else
		doubt(pk, codes->name, "how its codes are packed is not known");
}

/* DeepSeek: despite its name it is what the codes are multiplied by. */
void rule_scale_inv(struct packer *pk, struct str base, struct tensor *scales)
{
	struct tensor *codes = find(pk, base, "");

	if (is_f8(codes) && (is_float(scales) || is_type(scales, DT_F8_E8M0)))
		scaled_f8(pk, codes, scales, NULL);
	else if (codes)
		doubt(pk, codes->name, "%s codes with %s scales are not known", codes->type_name, scales->type_name);
}

/* DeepSeek's later models: blocks of F8, or FP4 in bytes of type I8. A learnt scale has this name, too: only types and
 * shapes that nothing else has are taken. */
void rule_plain_scale(struct packer *pk, struct str base, struct tensor *scales)
{
	struct tensor *codes = find(pk, base, ".weight");
	uint64_t size[2] = {128, 128}, said[2];
	struct logical l;
	struct grid g;

	if (is_f8(codes) && (is_type(scales, DT_F8_E8M0) || (is_type(scales, DT_F32) && scales->count > 1))) {
		if (logical_of(&l, codes, 1) && l.rank == 2 &&
		    fit_blocks(&g, &l, scales, configured_blocks(pk, said) ? said : size))
			scaled(pk, codes, scales, NULL, NULL, &l, &g);
	} else if (is_type(codes, DT_I8) && is_type(scales, DT_F8_E8M0) && fit_fp4(&l, &g, codes, scales, 32)) {
		pack_mxfp4(pk, codes->name, codes, scales);
	}
}

/* ComfyUI before comfy_quant. */
void rule_scale_weight(struct packer *pk, struct str base, struct tensor *scales)
{
	struct tensor *codes = find(pk, base, ".weight");
	struct logical l;
	struct grid g;

	if (is_f8(codes) && is_float(scales) && logical_of(&l, codes, 1) && fit_rows(&g, &l, scales))
		scaled(pk, codes, scales, NULL, NULL, &l, &g);
}

/* bitsandbytes int8: code * SCB * (1 / 127), in this order. */
void rule_scb(struct packer *pk, struct str base, struct tensor *scales)
{
	struct tensor *codes = find(pk, base, ".weight"), *order = find(pk, base, ".weight_format");
	struct bytes zero;
	struct logical l;
	struct grid g;
	struct draft d;

	if (!is_type(codes, DT_I8) || !is_type(scales, DT_F32) || !logical_of(&l, codes, 1) || scales->rank != 1 ||
	    l.rank != 2 || scales->shape[0] != l.dims[0] || !fit_rows(&g, &l, scales)) {
		doubt(pk, scales->name, "its codes are missing, or do not fit");
		return;
	}
	if (is_there(pk, base, ".weight_format") &&
	    !(is_type(order, DT_U8) && stored_bytes(pk, order, 1, &zero) && *zero.p == 0)) {
		doubt(pk, codes->name, "its codes do not stand row by row");
		return;
	}
	d = draft_new(pk, codes, &g);
	d.p->codes = codes_plain(&d);
	d.p->scale = scales_plain(&d, scales, "scales", DT_F32, &g);
	d.p->times = 7.874015718698502e-3f;
	if (order)
		draft_part(&d, order, "format");
	draft_done(&d, codes->name, &l, "I8/row", "bitsandbytes, 8 bits, a scale for each row");
}
