/* vllm-project/compressed-tensors: compressors/pack_quantized, nvfp4 and mxfp4; quantization/lifecycle. */
#include "format/packer.h"

#include <stdio.h>
#include <string.h>

#include "bytes/cur.h"

/* The shape that the module stores beside its codes. */
static bool stored_shape(struct packer *pk, const struct tensor *t, struct logical *l)
{
	size_t size = t && t->type == DT_I64 ? 8 : 4;
	struct bytes raw;

	if (!t || (t->type != DT_I64 && t->type != DT_I32) || t->rank != 1 || t->count > 8 ||
	    !stored_bytes(pk, t, 64, &raw))
		return false;
	l->rank = (unsigned)t->count;
	for (unsigned i = 0; i < l->rank; i++) {
		l->dims[i] = load_uint(raw.p + size * i, size, false);
		if (!l->dims[i] || l->dims[i] >> (8 * size - 1))
			return false;
	}
	return true;
}

/* The width of which so many 32-bit words hold n codes; 0: none, or several. */
static unsigned width_of(uint64_t n, uint64_t words)
{
	unsigned found = 0;

	for (unsigned b = 1; b <= 8; b++) {
		uint64_t bits;

		if (!u64_mul(n, b, &bits) || u64_ceil_div(bits, 32) != words)
			continue;
		if (found)
			return 0;
		found = b;
	}
	return found;
}

/* Zero points are as wide as the codes and packed down the columns of the scales' grid; older files have them plain. */
static bool ct_zeros(struct draft *d, struct tensor *zeros, const struct tensor *scales, const struct grid *g,
		     unsigned bits)
{
	unsigned r = scales->rank;
	struct pack_array *a = &d->p->zero;

	if (same_dims(zeros, scales) && zeros->type == DT_I8) {
		*a = scales_plain(d, zeros, "zero points", DT_I8, g);
		return true;
	}
	if (zeros->type != DT_I32 || r < 2 || zeros->rank != r || g->scale_rows != scales->shape[r - 2] ||
	    memcmp(zeros->shape, scales->shape, (r - 2) * sizeof(*zeros->shape)) != 0 ||
	    zeros->shape[r - 1] != g->scale_cols || zeros->shape[r - 2] != u64_ceil_div(g->scale_rows * bits, 32))
		return false;
	*a = (struct pack_array){
		.kind = ARRAY_COLUMNS, .part = draft_part(d, zeros, "zero points"), .bits = bits,
		.rows = g->scale_rows, .cols = g->scale_cols, .add = -(float)(1 << (bits - 1)),
	};
	return true;
}

/* An index of -1 throughout means that there is none. */
static bool ct_index(struct draft *d, struct tensor *index, const struct grid *g)
{
	struct bytes raw;

	if (index->type != DT_I32 || index->count != g->cols || !stored_bytes(d->pk, index, SIZE_MAX, &raw))
		return false;
	draft_part(d, index, "groups");
	if (load_uint(raw.p, 4, false) != UINT32_MAX)
		d->p->col_index = (struct pack_array){
			.kind = ARRAY_PLAIN, .part = &d->parts[d->p->n_parts - 1], .type = DT_I32, .rows = 1,
			.cols = g->cols, .shared = true,
		};
	return true;
}

static void ct_integers(struct packer *pk, struct str base, struct tensor *codes, struct tensor *scales)
{
	struct tensor *shape = find(pk, base, ".weight_shape"), *zeros = find(pk, base, ".weight_zero_point");
	struct tensor *index = find(pk, base, ".weight_g_idx");
	char type[64], about[128];
	struct logical l;
	struct grid g;
	struct draft d;
	unsigned bits;

	if (!stored_shape(pk, shape, &l) || l.rank < 2 || codes->rank != l.rank || !is_float(scales) ||
	    memcmp(codes->shape, l.dims, (l.rank - 1) * sizeof(*l.dims)) != 0 ||
	    !(fit_rows(&g, &l, scales) || fit_groups(&g, &l, scales, 0)) || g.cols != l.dims[l.rank - 1]) {
		doubt(pk, codes->name, "the shapes of its codes, its scales and weight_shape do not fit");
		return;
	}
	bits = width_of(l.dims[l.rank - 1], codes->shape[l.rank - 1]);
	if (!bits) {
		doubt(pk, codes->name, "how many bits a code has does not follow from its shape");
		return;
	}
	d = draft_new(pk, codes, &g);
	d.p->codes = codes_bits(&d, bits, 4 * codes->shape[l.rank - 1]);
	d.p->codes.add = -(float)(1 << (bits - 1));
	d.p->scale = scales_plain(&d, scales, "scales", scales->type, &g);
	draft_part(&d, shape, "shape");
	if ((zeros ? !ct_zeros(&d, zeros, scales, &g, bits) : is_there(pk, base, ".weight_zero_point")) ||
	    (index ? !ct_index(&d, index, &g) : is_there(pk, base, ".weight_g_idx"))) {
		doubt(pk, codes->name, "the shapes of its codes, zero points and groups do not fit");
		return;
	}
	snprintf(type, sizeof(type), "I%u/%s", bits, g.word);
	snprintf(about, sizeof(about), "compressed-tensors, %u bits, %s", bits, g.about);
	draft_done(&d, joined(pk, base, ".weight"), &l, type, about);
}

void rule_ct(struct packer *pk, struct str base, struct tensor *codes)
{
	struct tensor *scales = find(pk, base, ".weight_scale"), *global = find(pk, base, ".weight_global_scale");
	struct str name = joined(pk, base, ".weight");

	if (!scales)
		doubt(pk, codes->name, "it has no scales");
	else if (codes->type == DT_I32)
		ct_integers(pk, base, codes, scales);
	else if (codes->type == DT_U8 && is_type(scales, DT_F8_E4M3) && global)
		pack_nvfp4(pk, name, codes, scales, global, true);
	else if (codes->type == DT_U8 && is_e8m0(scales) && !is_there(pk, base, ".weight_global_scale"))
		pack_mxfp4(pk, name, codes, scales);
	else
		doubt(pk, codes->name, "how its codes are packed is not known");
}
