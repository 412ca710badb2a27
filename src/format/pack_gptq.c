/* GPTQ: nn_modules/qlinear of AutoGPTQ and of GPTQModel. AWQ: AutoAWQ's utils/packing_utils.py, modules/linear/gemm.py.
 * Both keep the transpose of a linear layer's weight. */
#include "format/packer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes/cur.h"

/* The layouts of one name: the codes of GPTQ go down the columns, those of AWQ along the rows. */
struct qweight {
	struct str base;
	struct tensor *codes, *zeros, *scales, *index; /* index may be NULL */
	uint64_t in, out, groups;
	unsigned bits;
};

/* The width by which both the codes and their zero points fill their words. */
static unsigned gptq_bits(const struct qweight *q)
{
	static const unsigned widths[] = {2, 3, 4, 8};

	for (size_t i = 0; i < COUNT(widths); i++) {
		unsigned b = widths[i];
		uint64_t rows = q->codes->shape[0];
		uint64_t in = q->index ? q->index->count : rows * 32 / b;

		if (q->out <= UINT64_MAX / 8 && in <= UINT64_MAX / 8 && rows <= UINT64_MAX / 32 &&
		    u64_ceil_div(q->out * b, 32) == q->zeros->shape[1] && u64_ceil_div(in * b, 32) == rows &&
		    (q->index || rows % (b == 3 ? 3 : 1) == 0))
			return b;
	}
	return 0;
}

/*
 * Whether zero points are stored less one, as version 1 of the format does: 1 or 2, or 0 for "not known". Where nothing
 * beside the tensors tells, symmetric codes do: their zero point is 2^(bits - 1) throughout.
 */
static int gptq_version(struct packer *pk, const struct qweight *q)
{
	const json_t *config = quantised_by(pk, "gptq") ? config_of(pk, "quantization_config") : quantize_config(pk);
	const json_t *format = json_object_get(config, "checkpoint_format");
	const char *word;
	uint32_t half[2] = {0, 0};
	bool both[2] = {true, true};
	struct bytes raw;

	if (!format)
		format = json_object_get(config, "format");
	word = json_string_value(format);
	for (size_t i = 0; !word && i < pk->m->n_meta; i++)
		if (str_eq(pk->m->meta[i].key, STR("gptq_checkpoint_format")) && pk->m->meta[i].value.kind == META_TEXT)
			word = pk->m->meta[i].value.u.text.p;
	if (word)
		return strcmp(word, "gptq") == 0 ? 1 : strcmp(word, "gptq_v2") == 0 ? 2 : 0;
	if (config)
		return 1; /* which is what its readers take when it does not say */
	if (q->bits == 3 || !stored_bytes(pk, q->zeros, SIZE_MAX, &raw))
		return 0;
	for (unsigned at = 0; at < 32; at += q->bits) {
		half[0] |= ((1u << (q->bits - 1)) - 1) << at;
		half[1] |= 1u << (q->bits - 1) << at;
	}
	for (uint64_t i = 0; i < q->zeros->shape[1]; i++)
		for (int v = 0; v < 2; v++)
			both[v] = both[v] && load_uint(raw.p + 4 * i, 4, false) == half[v];
	return both[0] ? 1 : both[1] ? 2 : 0;
}

/* Zero points stored less one: the largest code stands for 0. */
static const float *one_more(struct packer *pk, unsigned bits)
{
	unsigned n = 1u << bits;
	float *x = arena_new(&pk->m->arena, float, n);

	for (unsigned i = 0; i < n; i++)
		x[i] = (float)((i + 1) % n);
	return x;
}

/* Without an index the groups follow each other; of which size must be beyond doubt. */
static bool gptq_groups(struct packer *pk, const struct qweight *q, uint64_t *size)
{
	const json_t *config = config_of(pk, "quantization_config");

	if (!config)
		config = quantize_config(pk);
	return (json_size(json_object_get(config, "group_size"), size) && u64_ceil_div(q->in, *size) == q->groups) ||
	       only_size(q->in, q->groups, size);
}

static void qweight_done(struct draft *d, const struct qweight *q, const char *kind, uint64_t group)
{
	struct logical l = {.rank = 2, .dims = {q->out, q->in}};
	char type[16], about[96];

	d->p->swapped = true;
	snprintf(type, sizeof(type), "%s%u", kind, q->bits);
	if (q->index)
		snprintf(about, sizeof(about), "%s, %u bits, %" PRIu64 " groups by index", kind, q->bits, q->groups);
	else
		snprintf(about, sizeof(about), "%s, %u bits, groups of %" PRIu64, kind, q->bits, group);
	draft_done(d, joined(d->pk, q->base, ".weight"), &l, type, about);
}

static void gptq(struct packer *pk, struct qweight *q)
{
	struct grid g = {.scale_rows = q->groups, .scale_cols = q->out, .block_rows = 1, .block_cols = 1};
	struct draft d;
	int version;

	q->bits = gptq_bits(q);
	if (!q->bits) {
		doubt(pk, q->codes->name, "the shapes of its codes, zero points and groups do not fit");
		return;
	}
	q->in = q->index ? q->index->count : q->codes->shape[0] * 32 / q->bits;
	if (!q->index && !gptq_groups(pk, q, &g.block_rows)) {
		doubt(pk, q->codes->name, "the size of its groups does not follow from their number");
		return;
	}
	version = gptq_version(pk, q);
	if (!version) {
		doubt(pk, q->codes->name,
		      "whether zero points are stored less one (gptq) or as they are (gptq_v2) is not said");
		return;
	}
	g.rows = q->in;
	g.cols = q->out;
	d = draft_new(pk, q->codes, &g);
	d.p->codes = (struct pack_array){
		.kind = ARRAY_COLUMNS, .part = d.parts, .bits = q->bits, .rows = q->in, .cols = q->out,
	};
	d.p->scale = scales_plain(&d, q->scales, "scales", q->scales->type, &g);
	d.p->zero = (struct pack_array){
		.kind = ARRAY_BITS, .part = draft_part(&d, q->zeros, "zero points"), .bits = q->bits,
		.pitch = 4 * q->zeros->shape[1], .rows = q->groups, .cols = q->out,
		.book = version == 1 ? one_more(pk, q->bits) : NULL,
	};
	if (q->index)
		d.p->row_index = (struct pack_array){
			.kind = ARRAY_PLAIN, .part = draft_part(&d, q->index, "groups"), .type = DT_I32, .rows = q->in,
			.cols = 1,
		};
	qweight_done(&d, q, "GPTQ", g.block_rows);
}

static void awq(struct packer *pk, struct qweight *q)
{
	struct grid g = {.scale_rows = q->groups, .scale_cols = q->out, .block_cols = 1};
	struct draft d;

	q->in = q->codes->shape[0];
	if (q->zeros->shape[1] != q->codes->shape[1] || q->in % q->groups != 0) {
		doubt(pk, q->codes->name, "the shapes of its codes and zero points do not fit");
		return;
	}
	q->bits = 4;
	g.block_rows = q->in / q->groups;
	g.rows = q->in;
	g.cols = q->out;
	d = draft_new(pk, q->codes, &g);
	d.p->codes = (struct pack_array){
		.kind = ARRAY_AWQ, .part = d.parts, .bits = 4, .pitch = q->out / 2, .rows = q->in, .cols = q->out,
	};
	d.p->scale = scales_plain(&d, q->scales, "scales", q->scales->type, &g);
	d.p->zero = (struct pack_array){
		.kind = ARRAY_AWQ, .part = draft_part(&d, q->zeros, "zero points"), .bits = 4, .pitch = q->out / 2,
		.rows = q->groups, .cols = q->out,
	};
	qweight_done(&d, q, "AWQ", g.block_rows);
}

void rule_qweight(struct packer *pk, struct str base, struct tensor *codes)
{
	struct qweight q = {
		.base = base, .codes = codes, .zeros = find(pk, base, ".qzeros"), .scales = find(pk, base, ".scales"),
		.index = find(pk, base, ".g_idx"),
	};

	if (!is_type(codes, DT_I32) || !is_type(q.zeros, DT_I32) || !is_float(q.scales) || codes->rank != 2 ||
	    q.zeros->rank != 2 || q.scales->rank != 2 || q.zeros->shape[0] != q.scales->shape[0] ||
	    (q.index ? q.index->type != DT_I32 || q.index->rank != 1 : is_there(pk, base, ".g_idx"))) {
		doubt(pk, codes->name, "its zero points or scales are missing, or do not fit");
		return;
	}
	q.out = q.scales->shape[1];
	q.groups = q.scales->shape[0];
	if (codes->shape[1] == q.out)
		gptq(pk, &q);
	else if (!q.index && q.out % 8 == 0 && codes->shape[1] == q.out / 8)
		awq(pk, &q);
	else
		doubt(pk, codes->name, "neither GPTQ nor AWQ lays out codes like this");
}
