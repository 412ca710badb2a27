/*
 * Stockfish's evaluation nets (and those of its relatives that kept its header): official-stockfish/Stockfish,
 * src/nnue/, from the release 12 to August 2026.
 *
 *	u32:version u32:hash u32:n description[n]
 *	u32:hash of the feature transformer, and its arrays
 *	1 or 8 times: u32:hash of the layers, and three affine layers: i32 bias[out], i8 weight[out][in], rows padded
 *	with zeros to a multiple of 32 bytes
 *
 * An array stands plain, or as signed LEB128: COMPRESSED_LEB128, u32 bytes, 7 bits a byte, low ones first. The arrays
 * of the transformer depend on the set of features, which its hash tells, as it tells the width L1:
 * hash = set ^ 2 * L1.
 *
 *	i16 bias[L1], i16 weight[features][L1], i32 psqt[features][8] (none before release 14)
 *	with threats: bias, i8 threat weight, weight, psqt of threats and of features in one block; in the first such
 *	nets the two weights were one block of i16, too
 *	from version 0x6A448AFA on: bias, threat weight and psqt, pair weight and psqt where there are pairs, weight,
 *	psqt
 *
 * Sizes follow from hashes and bytes, so the description is only shown. Values are the stored integers. In the engine
 * weights of the affine layers are in units of 1/64, psqt and output in 1/16 of its internal centipawns.
 */
#include <inttypes.h>
#include <string.h>

#include "bytes/cur.h"
#include "bytes/spool.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/partial.h"

enum {
	DESCRIPTION_MAX = 64 * 1024,
	BUCKETS = 8,                /* of the piece-square values */
	L1_MAX = 16384,
	PAD = 32,
	LAYERS = 3,
	PSQ_ROWS = 22528            /* HalfKAv2_hm, beside threats */
};

#define VERSION_12 0x7AF32F16u /* also 13 */
#define VERSION_14 0x7AF32F20u /* 14 to 18 */
#define VERSION_26 0x6A448AFAu /* from May 2026 on */

static const char leb_magic[] = "COMPRESSED_LEB128";

/* Sets of features by the hash of the transformer without its width. Of threats several numbers were in use; which one
 * is told by where the next array begins. */
static const struct feature_set {
	uint32_t hash;
	const char *name;
	bool psqt, threats, pairs;
} sets[] = {
	{0x5D69D5B8, "HalfKP", false, false, false},
	{0x5F234CB8, "HalfKAv2", true, false, false},
	{0x7F234CB8, "HalfKAv2_hm", true, false, false},
	{0x8F234CB8, "FullThreats + HalfKAv2_hm", true, true, false},
	{0x6165D5C9, "FullThreats + HalfKAv2_hm", true, true, false},
	{0xCB685B13, "FullThreats + PP_3Wide + HalfKAv2_hm", true, true, true},
};
static const uint32_t threat_rows[] = {59808, 60144, 60720, 66864, 79856};
static const uint32_t pair_rows[] = {4560};

/* The affine layers. Two numbers of inputs where releases differ and the padding hides it: weights in the columns
 * between decide. */
static const struct stack {
	uint16_t out[LAYERS];
	bool both;               /* the first layer sees both sides of the accumulator side by side: 2 * L1 inputs */
	uint16_t in1[2], in2;
} stacks[] = {
	{{32, 32, 1}, true, {32, 32}, 32},   /* 12, 13 */
	{{16, 32, 1}, true, {16, 16}, 32},   /* 14 */
	{{8, 32, 1}, true, {8, 8}, 32},      /* 14.1 */
	{{16, 32, 1}, false, {15, 30}, 32},  /* 15; 15.1 to 18 */
	{{32, 32, 1}, false, {62, 62}, 32},  /* after 18 */
	{{32, 32, 1}, false, {64, 64}, 128}, /* from 2026 on */
};

struct reader {
	struct model *m;
	uint32_t member;
	struct spool *spool;
	struct cur c;
	struct err *e;
	uint32_t version, hash, ft_hash, net_hash;
	const struct feature_set *set;
	uint64_t l1;
	const struct stack *stack;
	uint64_t n_stacks;
};

static bool known_version(uint64_t version)
{
	return version == VERSION_12 || version == VERSION_14 || version == VERSION_26;
}

static int probe(const struct probe *p)
{
	if (p->head.n < 16 || !known_version(load_uint(p->head.p, 4, false)))
		return 0;
	return load_uint(p->head.p + 8, 4, false) <= DESCRIPTION_MAX ? 48 : 0;
}

/* ---- hashes ---- */

/* Stockfish's arithmetic: each layer stirs its number of outputs in. Activations add a constant. */
static uint32_t stack_hash(const struct stack *s, uint64_t l1)
{
	uint32_t h = 0xEC42E90Du ^ (uint32_t)(2 * l1);

	for (int i = 0; i < LAYERS; i++) {
		h = (0xCC03DAE4u + s->out[i]) ^ h >> 1 ^ h << 31;
		if (i < LAYERS - 1)
			h += 0x538D24C7u;
	}
	return h;
}

/* Whether the hash of the file's layers is that of these. Nets with threats came after those that see both sides. */
static bool may_be(const struct reader *r, const struct stack *s)
{
	return stack_hash(s, r->l1) == r->net_hash && !(s->both && r->set->threats);
}

static uint64_t inputs(const struct reader *r, const struct stack *s, int layer)
{
	return layer == 0 ? r->l1 * (s->both ? 2 : 1) : layer == 1 ? s->in1[1] : s->in2;
}

static uint64_t padded(uint64_t in)
{
	return u64_ceil_div(in, PAD) * PAD;
}

static uint64_t stack_bytes(const struct reader *r, const struct stack *s)
{
	uint64_t n = 4;

	for (int i = 0; i < LAYERS; i++)
		n += s->out[i] * (4 + padded(inputs(r, s, i)));
	return n;
}

/* ---- the front ---- */

static enum rc header(struct reader *r)
{
	uint32_t n;
	const uint8_t *text;

	r->version = cur_u32(&r->c);
	r->hash = cur_u32(&r->c);
	n = cur_u32(&r->c);
	if (!r->c.bad && !known_version(r->version))
		return err_set(r->e, "0x%08" PRIX32 " is no version of Stockfish's nets (byte 0)", r->version);
	text = n <= DESCRIPTION_MAX ? cur_take(&r->c, n) : NULL;
	r->ft_hash = cur_u32(&r->c);
	if (r->c.bad || !text)
		return err_set(r->e, "its description of %" PRIu32 " bytes does not fit (byte 8)", n);
	r->net_hash = r->hash ^ r->ft_hash;
	fact_text(r->m, "description", (struct str){(const char *)text, n});
	fact_text(r->m, "version", str_of(arena_printf(&r->m->arena, "0x%08" PRIX32, r->version)));
	fact_text(r->m, "hash", str_of(arena_printf(&r->m->arena, "0x%08" PRIX32, r->hash)));
	return RC_OK;
}

/* The set whose hash leaves a plausible width. */
static enum rc find_set(struct reader *r)
{
	for (size_t i = 0; i < COUNT(sets); i++) {
		uint32_t twice = r->ft_hash ^ sets[i].hash;

		if (twice && twice % 16 == 0 && twice <= 2 * L1_MAX) {
			r->set = &sets[i];
			r->l1 = twice / 2;
			fact_text(r->m, "features", str_of(sets[i].name));
			fact_uint(r->m, "accumulator", r->l1);
			return RC_OK;
		}
	}
	return err_set(r->e, "an architecture that is not known: the feature transformer's hash is 0x%08" PRIX32
		       " (byte %" PRIu64 ")", r->ft_hash, cur_at(&r->c) - 4);
}

/* How many stacks of these layers, each with its hash, stand one after the other; at most BUCKETS. */
static uint64_t count_stacks(const struct reader *r, const struct stack *s)
{
	uint64_t bytes = stack_bytes(r, s), left = cur_left(&r->c), n = 0;

	while (n < BUCKETS && (n + 1) * bytes <= left && load_uint(r->c.p + n * bytes, 4, false) == r->net_hash)
		n++;
	return n;
}

/* The layers that fill what is left; in a damaged file, those of which most stacks are there. One alone is no proof. */
static bool find_layers(struct reader *r)
{
	uint64_t left = cur_left(&r->c), most = 1;

	for (size_t i = 0; i < COUNT(stacks); i++) {
		uint64_t bytes = stack_bytes(r, &stacks[i]), n;

		if (!may_be(r, &stacks[i]))
			continue;
		n = left == bytes || left == BUCKETS * bytes ? left / bytes : count_stacks(r, &stacks[i]);
		if (n * bytes != left && n <= most)
			continue;
		most = n;
		r->stack = &stacks[i];
		r->n_stacks = n;
		if (n * bytes == left)
			return true;
	}
	return r->stack != NULL;
}

/* ---- arrays ---- */

/* A part of an array: rows of `columns` values. */
struct part {
	const char *name;
	uint64_t rows; /* 0: all that are left */
};

static bool at_leb(const struct reader *r, uint64_t ahead)
{
	size_t n = sizeof(leb_magic) - 1;

	return ahead <= cur_left(&r->c) && n <= cur_left(&r->c) - ahead && memcmp(r->c.p + ahead, leb_magic, n) == 0;
}

static enum rc add(struct reader *r, const char *name, enum dtype type, const uint64_t *d, unsigned rank,
		   struct span data)
{
	struct tensor *t = model_add_tensor(r->m);

	t->name = str_of(name);
	t->data = data;
	return tensor_set_shape(r->m, t, type, d, rank, r->e);
}

static uint64_t count_leb(struct bytes b)
{
	uint64_t n = 0;

	for (size_t i = 0; i < b.n; i++)
		n += b.p[i] < 0x80;
	return n;
}

/* Decodes a whole block into the spool; *odd gets the number of the first value that is out of range, or too long. */
static enum rc decode_leb(struct reader *r, struct bytes b, size_t width, uint64_t *odd)
{
	const unsigned bits = 8 * (unsigned)width;
	uint64_t x = 0, n = 0;
	unsigned shift = 0;

	*odd = UINT64_MAX;
	for (size_t i = 0; i < b.n; i++) {
		uint8_t le[4];
		int64_t value;

		if (shift < 64 - 7)
			x |= (uint64_t)(b.p[i] & 0x7f) << shift;
		shift += shift < 64 - 7 ? 7 : 0;
		if (b.p[i] & 0x80)
			continue;
		value = (int64_t)(x << (64 - shift)) >> (64 - shift);
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): width is 2 or 4 */
		if ((shift > 35 || value < -((int64_t)1 << (bits - 1)) || value >= (int64_t)1 << (bits - 1)) &&
		    *odd == UINT64_MAX)
			*odd = n;
		for (size_t k = 0; k < width; k++)
			le[k] = (uint8_t)((uint64_t)value >> 8 * k);
		if (spool_put(r->spool, le, width, r->e) != RC_OK)
			return RC_FAIL;
		x = 0;
		shift = 0;
		n++;
	}
	return RC_OK;
}

/* The two parts of a block of `values` values, as tensors at `data`. */
static enum rc add_parts(struct reader *r, const struct part *parts, enum dtype type, uint64_t columns, uint64_t values,
			 struct span data, uint64_t odd)
{
	uint64_t row = columns * dtypes[type].bytes, left = values / columns;

	for (int i = 0; i < 2 && parts[i].name; i++) {
		uint64_t d[2] = {parts[i].rows ? parts[i].rows : left, columns};
		struct tensor *t;

		if (d[0] > left || values % columns)
			return err_set(r->e, "%s: its %" PRIu64 " values are not whole rows of %" PRIu64
				       ", or too few of them (before byte %" PRIu64 ")", parts[i].name, values, columns,
				       cur_at(&r->c));
		data.length = d[0] * row;
		if (add(r, parts[i].name, type, d, columns == 1 ? 1 : 2, data) != RC_OK)
			return RC_FAIL;
		t = &r->m->tensors[r->m->n_tensors - 1];
		if (odd < d[0] * columns)
			tensor_broken(r->m, t, "its value %" PRIu64 " does not fit into %s", odd + 1, t->type_name);
		odd -= odd == UINT64_MAX || odd < d[0] * columns ? 0 : d[0] * columns;
		data.offset += data.length;
		left -= d[0];
	}
	return left ? err_set(r->e, "%s: %" PRIu64 " rows more than its sizes say (before byte %" PRIu64 ")",
			      parts[0].name, left, cur_at(&r->c))
		    : RC_OK;
}

static enum rc leb_array(struct reader *r, const struct part *parts, enum dtype type, uint64_t columns)
{
	uint64_t at = cur_at(&r->c), odd;
	struct span data = {spool_member(r->spool), spool_at(r->spool), 0};
	struct bytes b = {0};

	cur_take(&r->c, sizeof(leb_magic) - 1);
	b.n = cur_u32(&r->c);
	b.p = cur_take(&r->c, b.n);
	if (!b.p || !b.n || b.p[b.n - 1] & 0x80)
		return err_set(r->e, "%s: its compressed block of %zu bytes runs over its end (byte %" PRIu64 ")",
			       parts[0].name, b.n, at);
	if (decode_leb(r, b, dtypes[type].bytes, &odd) != RC_OK)
		return RC_FAIL;
	return add_parts(r, parts, type, columns, count_leb(b), data, odd);
}

/* One array, plain or compressed; one that stands plain needs the rows of its part. */
static enum rc array(struct reader *r, const char *name, enum dtype type, uint64_t rows, uint64_t columns)
{
	struct part parts[2] = {{name, rows}, {NULL, 0}};
	struct span data = {r->member, cur_at(&r->c), 0};
	uint64_t values, bytes;

	if (at_leb(r, 0))
		return leb_array(r, parts, type, columns);
	if (!rows || !u64_mul(rows, columns, &values) || !u64_mul(values, dtypes[type].bytes, &bytes) ||
	    !cur_take(&r->c, bytes))
		return err_set(r->e, "%s: does not fit in this file (byte %" PRIu64 ")", name, data.offset);
	return add_parts(r, parts, type, columns, values, data, UINT64_MAX);
}

/* Plain i8 rows whose number is one of those known: that after which a compressed block begins. */
static enum rc rows_before_leb(struct reader *r, const char *name, const uint32_t *rows, size_t n, uint64_t *found)
{
	for (size_t i = 0; i < n; i++)
		if (at_leb(r, rows[i] * r->l1)) {
			*found = rows[i];
			return array(r, name, DT_I8, rows[i], r->l1);
		}
	return err_set(r->e, "%s: no number of rows that is known leads to the next array (byte %" PRIu64 ")", name,
		       cur_at(&r->c));
}

/* The first nets with threats: weights of both kinds in one block. */
static enum rc joined_arrays(struct reader *r)
{
	struct part weights[2] = {{"ft.threat.weight", 0}, {"ft.weight", PSQ_ROWS}};
	struct part psqt[2] = {{"ft.threat.psqt", 0}, {"ft.psqt", PSQ_ROWS}};
	struct cur c = r->c;
	uint64_t n, values;
	const uint8_t *p;

	cur_take(&c, sizeof(leb_magic) - 1);
	n = cur_u32(&c);
	p = cur_take(&c, n);
	values = p ? count_leb((struct bytes){p, (size_t)n}) : 0;
	if (values / r->l1 <= PSQ_ROWS)
		return err_set(r->e, "ft.weight: its block has %" PRIu64 " values, too few for threats and pieces "
			       "(byte %" PRIu64 ")", values, cur_at(&r->c));
	weights[0].rows = psqt[0].rows = values / r->l1 - PSQ_ROWS;
	if (leb_array(r, weights, DT_I16, r->l1) != RC_OK)
		return RC_FAIL;
	return at_leb(r, 0) ? leb_array(r, psqt, DT_I32, BUCKETS)
			    : err_set(r->e, "ft.psqt: no compressed block (byte %" PRIu64 ")", cur_at(&r->c));
}

static enum rc threat_arrays(struct reader *r)
{
	struct part psqt[2] = {{"ft.threat.psqt", 0}, {"ft.psqt", 0}};
	uint64_t pairs;

	if (r->version != VERSION_26 && at_leb(r, 0))
		return joined_arrays(r);
	if (rows_before_leb(r, "ft.threat.weight", threat_rows, COUNT(threat_rows), &psqt[0].rows) != RC_OK)
		return RC_FAIL;
	if (r->version != VERSION_26)
		return array(r, "ft.weight", DT_I16, 0, r->l1) == RC_OK && at_leb(r, 0)
			       ? leb_array(r, psqt, DT_I32, BUCKETS)
			       : err_set(r->e, "ft.psqt: no compressed block (byte %" PRIu64 ")", cur_at(&r->c));
	if (array(r, "ft.threat.psqt", DT_I32, psqt[0].rows, BUCKETS) != RC_OK)
		return RC_FAIL;
	if (r->set->pairs &&
	    (rows_before_leb(r, "ft.pair.weight", pair_rows, COUNT(pair_rows), &pairs) != RC_OK ||
	     array(r, "ft.pair.psqt", DT_I32, pairs, BUCKETS) != RC_OK))
		return RC_FAIL;
	return array(r, "ft.weight", DT_I16, 0, r->l1) == RC_OK ? array(r, "ft.psqt", DT_I32, 0, BUCKETS) : RC_FAIL;
}

/* How many features plain arrays have, so that they and the layers fill the file; 0: no number does. */
static uint64_t plain_rows(struct reader *r)
{
	uint64_t row = r->l1 * 2 + (r->set->psqt ? BUCKETS * 4 : 0), left = cur_left(&r->c);

	for (size_t i = 0; i < COUNT(stacks); i++)
		for (int k = 0; k < 2; k++) {
			uint64_t bytes = stack_bytes(r, &stacks[i]) * (k ? BUCKETS : 1);

			if (may_be(r, &stacks[i]) && bytes < left && (left - bytes) % row == 0 &&
			    load_uint(r->c.p + (left - bytes), 4, false) == r->net_hash)
				return (left - bytes) / row;
		}
	return 0;
}

static enum rc transformer(struct reader *r)
{
	uint64_t rows = 0;

	if (array(r, "ft.bias", DT_I16, r->l1, 1) != RC_OK)
		return RC_FAIL;
	if (r->set->threats)
		return threat_arrays(r);
	if (!at_leb(r, 0) && !(rows = plain_rows(r)))
		return err_set(r->e, "ft.weight: with no number of features do it and the layers fill the file (byte %"
			       PRIu64 ")", cur_at(&r->c));
	if (array(r, "ft.weight", DT_I16, rows, r->l1) != RC_OK)
		return RC_FAIL;
	return r->set->psqt ? array(r, "ft.psqt", DT_I32, rows, BUCKETS) : RC_OK;
}

/* ---- the layers ---- */

/* Bytes that are not zero in the columns from `first` on of a layer in all stacks; offset: of its weights in a
 * stack. */
static uint64_t nonzero_from(const struct reader *r, uint64_t offset, int layer, uint64_t first)
{
	uint64_t pad = padded(inputs(r, r->stack, layer)), n = 0;

	for (uint64_t k = 0; k < r->n_stacks; k++)
		for (uint64_t row = 0; row < r->stack->out[layer]; row++) {
			const uint8_t *p = r->c.p + k * stack_bytes(r, r->stack) + offset + row * pad;

			for (uint64_t i = first; i < pad; i++)
				n += p[i] != 0;
		}
	return n;
}

/* How many of a row's bytes are weights; what stands in the padding is no part of the net, but is told: published nets
 * have it, to give the file a hash that spells a word. */
static void real_inputs(struct reader *r, uint64_t in[LAYERS])
{
	uint64_t offset = 4, strays = 0;

	for (int i = 0; i < LAYERS; i++) {
		offset += 4u * r->stack->out[i];
		in[i] = inputs(r, r->stack, i);
		if (i == 1 && !nonzero_from(r, offset, i, r->stack->in1[0]))
			in[i] = r->stack->in1[0];
		strays += nonzero_from(r, offset, i, in[i]);
		offset += r->stack->out[i] * padded(inputs(r, r->stack, i));
	}
	if (strays)
		fact_uint(r->m, "nonzero_padding_bytes", strays);
}

static enum rc layer(struct reader *r, uint64_t stack, int i, uint64_t in)
{
	uint64_t out = r->stack->out[i], pad = padded(inputs(r, r->stack, i)), d[2] = {out, in};
	struct arena *a = &r->m->arena;
	struct span data = {r->member, cur_at(&r->c), 4 * out};
	const char *name = arena_printf(a, "stack.%" PRIu64 ".fc_%d", stack, i);
	struct tensor *t;

	cur_take(&r->c, 4 * out + out * pad);
	if (add(r, arena_printf(a, "%s.bias", name), DT_I32, d, 1, data) != RC_OK)
		return RC_FAIL;
	data.offset += 4 * out;
	data.length = (out - 1) * pad + in;
	if (add(r, arena_printf(a, "%s.weight", name), DT_I8, d, 2, data) != RC_OK)
		return RC_FAIL;
	t = &r->m->tensors[r->m->n_tensors - 1];
	t->stride = in < pad && out > 1 ? pad : 0;
	t->record = t->stride ? in : 0;
	return RC_OK;
}

/* Layers that are not known are bytes. */
static enum rc unknown_layers(struct reader *r)
{
	uint64_t left = cur_left(&r->c);
	struct tensor *t = model_add_tensor(r->m);

	t->name = STR("stack");
	t->type_name = "bytes";
	t->data = (struct span){r->member, cur_at(&r->c), left};
	if (tensor_set_shape(r->m, t, DT_OPAQUE, &left, 1, r->e) != RC_OK)
		return RC_FAIL;
	tensor_broken(r->m, t, "layers of hash 0x%08" PRIX32 " in %" PRIu64 " bytes (from byte %" PRIu64
		      " on) are not known", r->net_hash, left, cur_at(&r->c));
	return RC_OK;
}

static enum rc layers(struct reader *r)
{
	uint64_t in[LAYERS];

	if (!find_layers(r))
		return unknown_layers(r);
	real_inputs(r, in);
	for (uint64_t k = 0; k < r->n_stacks; k++) {
		uint64_t at = cur_at(&r->c);
		uint32_t hash = cur_u32(&r->c);

		if (hash != r->net_hash)
			model_problem(r->m, STR(""), "stack %" PRIu64 " has the hash 0x%08" PRIX32 ", not 0x%08" PRIX32
				      " (byte %" PRIu64 ")", k, hash, r->net_hash, at);
		for (int i = 0; i < LAYERS; i++)
			if (layer(r, k, i, in[i]) != RC_OK)
				return RC_FAIL;
	}
	if (r->n_stacks != 1 && r->n_stacks != BUCKETS)
		model_problem(r->m, STR(""), "only %" PRIu64 " of %d stacks of layers are there", r->n_stacks, BUCKETS);
	if (cur_left(&r->c))
		model_problem(r->m, STR(""), "%" PRIu64 " bytes after the layers belong to none (from byte %" PRIu64
			      " on)", cur_left(&r->c), cur_at(&r->c));
	fact_uint(r->m, "layer_stacks", r->n_stacks);
	fact_uint(r->m, "weight_scale_bits", 6);
	fact_uint(r->m, "output_scale", 16);
	return RC_OK;
}

static enum rc read_net(struct reader *r)
{
	if (header(r) != RC_OK || find_set(r) != RC_OK)
		return RC_FAIL;
	r->m->variant = arena_printf(&r->m->arena, "%s, %" PRIu64 " wide", r->set->name, r->l1);
	return transformer(r) == RC_OK ? layers(r) : RC_FAIL;
}

/* Of arrays that were read before something does not fit, all are shown. */
static enum rc read_nnue(struct model *m, uint32_t member, struct err *e)
{
	struct reader r = {.m = m, .member = member, .e = e, .c = cur_of(m->source.members[member].data)};
	enum rc rc;

	m->files = 1;
	m->bytes = m->source.members[member].size;
	if (spool_begin(&r.spool, &m->source, m->source.members[member].name, e) != RC_OK)
		return RC_FAIL;
	rc = read_net(&r);
	return partial_end(m, r.spool, rc, e);
}

const struct format format_nnue = {
	.name = "nnue",
	.about = "evaluation nets of Stockfish (chess) and its relatives",
	.reads = "versions of the releases 12 to 18 and of 2026, plain and LEB128 arrays; values as the stored "
		 "integers",
	.files = "*.nnue",
	.probe = probe,
	.read = read_nnue,
};
