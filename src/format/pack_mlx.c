/* MLX: ml-explore/mlx, mlx/ops.cpp (affine_dequantize, fp_dequantize) and backend/cpu/quantized.cpp. */
#include "format/packer.h"

#include <stdio.h>

#include "base/buf.h"

/* Bits and group size that config.json gives a module: its own, or those of all. */
static bool mlx_settings(struct packer *pk, struct str module, uint64_t *bits, uint64_t *group)
{
	const json_t *all = config_of(pk, "quantization"), *own;
	struct buf name = {0};

	if (!all)
		all = config_of(pk, "quantization_config");
	buf_str(&name, module);
	own = name.p ? json_object_get(all, name.p) : NULL;
	buf_free(&name);
	if (json_is_object(own))
		all = own;
	return json_size(json_object_get(all, "bits"), bits) && json_size(json_object_get(all, "group_size"), group);
}

/* The words and groups of a row give the product of bits and group size; which two it is of must follow from it, or be
 * said in config.json. */
static bool mlx_widths(struct packer *pk, struct str module, uint64_t words, uint64_t groups, uint64_t *bits,
		       uint64_t *group)
{
	static const unsigned widths[] = {2, 3, 4, 5, 6, 8}, sizes[] = {32, 64, 128};
	uint64_t b, s, found = 0, row;

	*bits = *group = 0;
	if (!u64_mul(words, 32, &row))
		return false;
	for (size_t i = 0; i < COUNT(widths); i++)
		for (size_t k = 0; k < COUNT(sizes); k++)
			if (row % groups == 0 && row / groups == widths[i] * sizes[k]) {
				*bits = widths[i];
				*group = sizes[k];
				found++;
			}
	if (found <= 1 || !mlx_settings(pk, module, &b, &s))
		return found == 1;
	*bits = b;
	*group = s;
	return b >= 2 && b <= 8 && s <= 128 && row % groups == 0 && row / groups == b * s;
}

void rule_mlx(struct packer *pk, struct str base, struct tensor *biases)
{
	struct tensor *codes = find(pk, base, ".weight"), *scales = find(pk, base, ".scales");
	uint64_t bits, group;
	struct logical l;
	struct grid g;
	struct draft d;
	char type[16], about[64];

	if (!is_type(codes, DT_U32) || !is_float(scales) || scales->type != biases->type || codes->rank < 2 ||
	    codes->rank != scales->rank || !same_dims(scales, biases))
		return; /* biases of something else */
	if (!mlx_widths(pk, base, codes->shape[codes->rank - 1], scales->shape[scales->rank - 1], &bits, &group)) {
		doubt(pk, codes->name,
		      "several pairs of bits and group size fit its shape; config.json does not say which");
		return;
	}
	if (!logical_of(&l, codes, 32) || l.dims[l.rank - 1] % bits)
		return;
	l.dims[l.rank - 1] /= bits;
	if (!fit_groups(&g, &l, scales, group)) {
		doubt(pk, codes->name, "the shapes of its codes and scales do not fit");
		return;
	}
	d = draft_new(pk, codes, &g);
	d.p->codes = codes_bits(&d, (unsigned)bits, 4 * codes->shape[codes->rank - 1]);
	d.p->scale = scales_plain(&d, scales, "scales", scales->type, &g);
	d.p->bias = scales_plain(&d, biases, "biases", biases->type, &g);
	snprintf(type, sizeof(type), "MLX%u", (unsigned)bits);
	snprintf(about, sizeof(about), "MLX, %u bits, groups of %u", (unsigned)bits, (unsigned)group);
	draft_done(&d, codes->name, &l, type, about);
}

/* MLX's modes without biases: what each word of codes has of scales tells them apart. */
void rule_mlx_float(struct packer *pk, struct str base, struct tensor *scales)
{
	static const struct {
		unsigned bits, group;
		enum dtype scale;
		const char *type, *about;
	} modes[] = {
		{4, 32, DT_F8_E8M0, "MXFP4", "MLX mxfp4, scales of groups of 32"},
		{8, 32, DT_F8_E8M0, "MXFP8", "MLX mxfp8, scales of groups of 32"},
		{4, 16, DT_F8_E4M3, "NVFP4", "MLX nvfp4, scales of groups of 16"},
	};
	struct tensor *codes = find(pk, base, ".weight");
	struct logical l;
	struct grid g;

	if (!is_type(codes, DT_U32) || scales->type != DT_U8 || codes->rank < 2 || is_there(pk, base, ".biases"))
		return;
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct draft d;

		if (!logical_of(&l, codes, 32 / modes[i].bits) || !fit_groups(&g, &l, scales, modes[i].group) ||
		    g.cols % modes[i].group)
			continue;
		d = draft_new(pk, codes, &g);
		d.p->codes = codes_bits(&d, modes[i].bits, 4 * codes->shape[codes->rank - 1]);
		if (modes[i].bits == 4) {
			d.p->codes.book = e2m1;
		} else {
			d.p->codes.kind = ARRAY_PLAIN;
			d.p->codes.type = DT_F8_E4M3;
		}
		d.p->scale = scales_plain(&d, scales, "scales", modes[i].scale, &g);
		draft_done(&d, codes->name, &l, modes[i].type, modes[i].about);
		return;
	}
	doubt(pk, codes->name, "no mode of MLX has scales of that shape");
}
