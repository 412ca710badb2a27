/* bitsandbytes, 4 bits: QuantState of functional.py, as nn/modules.py stores it; backends/default/ops.py. */
#include "format/packer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes/cur.h"

struct bnb {
	struct tensor *codes, *state, *absmax, *map, *nested_absmax, *nested_map;
	uint64_t block, nested_block;
	double offset;
	struct logical l;
	uint64_t count;
};

static bool bnb_state(struct packer *pk, struct bnb *b)
{
	struct bytes text;
	json_error_t why;
	json_t *root = NULL, *shape, *offset;
	bool ok;

	if (!is_type(b->state, DT_U8) || !stored_bytes(pk, b->state, 64 * 1024, &text))
		return false;
	root = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	shape = json_object_get(root, "shape");
	offset = json_object_get(root, "nested_offset");
	ok = json_size(json_object_get(root, "blocksize"), &b->block) && json_array_size(shape) >= 1 &&
	     json_array_size(shape) <= 8;
	b->count = 1;
	for (size_t i = 0; ok && i < json_array_size(shape); i++)
		ok = json_size(json_array_get(shape, i), &b->l.dims[b->l.rank++]) &&
		     u64_mul(b->count, b->l.dims[i], &b->count);
	if (offset) {
		ok = ok && json_is_number(offset) &&
		     json_size(json_object_get(root, "nested_blocksize"), &b->nested_block);
		b->offset = json_number_value(offset);
	}
	json_decref(root);
	return ok;
}

/* Whether the parts are those that the state speaks of. The codes may be stored as wider types. */
static bool bnb_fits(const struct bnb *b)
{
	uint64_t blocks = u64_ceil_div(b->count, b->block), bytes = u64_ceil_div(b->count, 2);

	if (!b->codes || b->codes->data.length < bytes || b->codes->data.length - bytes >= 8 || !b->absmax ||
	    b->absmax->count != blocks || !is_type(b->map, DT_F32) || b->map->count != 16)
		return false;
	if (!b->nested_block)
		return b->absmax->type == DT_F32 && !b->nested_absmax;
	return b->absmax->type == DT_U8 && is_type(b->nested_absmax, DT_F32) && is_type(b->nested_map, DT_F32) &&
	       b->nested_map->count == 256 && b->nested_absmax->count == u64_ceil_div(blocks, b->nested_block);
}

/* The floats of a code book. */
static const float *book(struct packer *pk, const struct tensor *t)
{
	float *x = arena_new(&pk->m->arena, float, t->count);
	struct bytes raw;

	if (!stored_bytes(pk, t, 1024, &raw))
		return NULL;
	for (size_t i = 0; i < t->count; i++) {
		uint32_t bits = (uint32_t)load_uint(raw.p + 4 * i, 4, false);

		memcpy(&x[i], &bits, sizeof(bits));
	}
	return x;
}

/* absmax[i] = map[code i] * nested_absmax[i / block] + offset: a packed tensor of one row. */
static const struct pack *bnb_nested(struct packer *pk, struct draft *d, const struct bnb *b)
{
	struct pack *p = arena_new(&pk->m->arena, struct pack, 1);
	const float *map = book(pk, b->nested_map);

	p->rows = p->block_rows = 1;
	p->cols = b->absmax->count;
	p->block_cols = b->nested_block;
	p->codes = (struct pack_array){
		.kind = ARRAY_PLAIN, .part = draft_part(d, b->absmax, "scales"), .type = DT_U8, .rows = 1,
		.cols = p->cols, .book = map,
	};
	p->scale = (struct pack_array){
		.kind = ARRAY_PLAIN, .part = draft_part(d, b->nested_absmax, "scales of scales"), .type = DT_F32,
		.rows = 1, .cols = b->nested_absmax->count,
	};
	p->plus = (float)b->offset;
	draft_part(d, b->nested_map, "code book of scales");
	return map ? p : NULL;
}

void rule_bnb(struct packer *pk, struct str base, struct tensor *state)
{
	struct bnb b = {
		.state = state, .codes = find(pk, base, ""), .absmax = find(pk, base, ".absmax"),
		.map = find(pk, base, ".quant_map"), .nested_absmax = find(pk, base, ".nested_absmax"),
		.nested_map = find(pk, base, ".nested_quant_map"),
	};
	bool nf4 = state->name.p[state->name.n - 3] == 'n';
	struct grid g = {.rows = 1, .block_rows = 1};
	struct draft d;
	char about[96];

	if (!bnb_state(pk, &b) || !bnb_fits(&b)) {
		doubt(pk, base, "its parts do not fit its quant_state");
		return;
	}
	g.cols = b.count;
	g.block_cols = b.block;
	d = draft_new(pk, b.codes, &g);
	d.p->codes = (struct pack_array){
		.kind = ARRAY_HIGH, .part = d.parts, .bits = 4, .rows = 1, .cols = b.count, .book = book(pk, b.map),
	};
	if (b.nested_block)
		d.p->scales = bnb_nested(pk, &d, &b);
	else
		d.p->scale = (struct pack_array){
			.kind = ARRAY_PLAIN, .part = draft_part(&d, b.absmax, "scales"), .type = DT_F32, .rows = 1,
			.cols = b.absmax->count,
		};
	draft_part(&d, b.map, "code book");
	draft_part(&d, state, "state");
	snprintf(about, sizeof(about), "bitsandbytes %s, blocks of %" PRIu64 "%s", nf4 ? "NF4" : "FP4", b.block,
		 b.nested_block ? ", nested scales" : "");
	if (!d.p->codes.book || (b.nested_block && !d.p->scales))
		doubt(pk, base, "its code book cannot be read");
	else
		draft_done(&d, base, &b.l, nf4 ? "NF4" : "FP4", about);
}
