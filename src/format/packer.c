#include "format/packer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "bytes/spool.h"

/* ---- stored tensors ---- */

static uint32_t index_of(const struct packer *pk, struct str base, const char *ending)
{
	struct buf name = {0};
	uint32_t at;

	buf_str(&name, base);
	buf_puts(&name, ending);
	at = map_get(&pk->names, buf_view(&name));
	buf_free(&name);
	return at;
}

struct tensor *find(struct packer *pk, struct str base, const char *ending)
{
	uint32_t at = index_of(pk, base, ending);
	struct tensor *t;

	if (at >= NAME_TWICE || pk->taken[at])
		return NULL;
	t = &pk->m->tensors[at];
	if (t->broken || t->pack || t->stride || t->big_endian || (t->fortran && t->rank > 1) || !t->count)
		return NULL;
	return t;
}

bool is_there(const struct packer *pk, struct str base, const char *ending)
{
	return index_of(pk, base, ending) != MAP_NONE;
}

bool stored_bytes(struct packer *pk, const struct tensor *t, size_t most, struct bytes *out)
{
	struct err e;

	return t->data.length && t->data.length <= most &&
	       source_unpack(&pk->m->source, t->data.member, &e) == RC_OK &&
	       source_slice(&pk->m->source, t->data, out);
}

void doubt(struct packer *pk, struct str name, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	if (pk->doubt->n++)
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	pk->doubt->name = name;
	pk->doubt->why = arena_str(&pk->m->arena, str_of(why)).p;
}

/* ---- JSON beside the model ---- */

static json_t *load_beside(struct packer *pk, struct str name)
{
	struct source *s = &pk->m->source;
	uint32_t member, first = pk->m->tensors[0].data.member;
	struct err e;
	json_error_t why;
	json_t *root;

	if (first >= s->n || source_open_beside(s, s->members[first].file, name, &member, &e) != RC_OK ||
	    s->members[member].data.n > limits.text)
		return NULL;
	root = json_loadb((const char *)s->members[member].data.p, s->members[member].data.n, JSON_REJECT_DUPLICATES,
			  &why);
	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

static void look_beside(struct packer *pk)
{
	if (pk->looked)
		return;
	pk->looked = true;
	pk->config = load_beside(pk, STR("config.json"));
	pk->quantize = load_beside(pk, STR("quantize_config.json"));
}

json_t *config_of(struct packer *pk, const char *key)
{
	json_t *v;

	look_beside(pk);
	v = json_object_get(pk->config, key);
	return json_is_object(v) ? v : NULL;
}

json_t *quantize_config(struct packer *pk)
{
	look_beside(pk);
	return pk->quantize;
}

bool quantised_by(struct packer *pk, const char *method)
{
	const char *word = json_string_value(json_object_get(config_of(pk, "quantization_config"), "quant_method"));

	return word && strcmp(word, method) == 0;
}

bool json_size(const json_t *v, uint64_t *out)
{
	if (!json_is_integer(v) || json_integer_value(v) <= 0)
		return false;
	*out = (uint64_t)json_integer_value(v);
	return true;
}

/* ---- shapes ---- */

bool logical_of(struct logical *l, const struct tensor *codes, uint64_t times)
{
	if (codes->rank < 1)
		return false;
	l->rank = codes->rank;
	memcpy(l->dims, codes->shape, codes->rank * sizeof(*codes->shape));
	return u64_mul(l->dims[l->rank - 1], times, &l->dims[l->rank - 1]);
}

bool same_dims(const struct tensor *a, const struct tensor *b)
{
	return a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof(*a->shape)) == 0;
}

/* The scales have the codes' first n dimensions. */
static bool same_first(const struct logical *l, const struct tensor *scales, unsigned n)
{
	return scales->rank >= n && memcmp(l->dims, scales->shape, n * sizeof(*l->dims)) == 0;
}

static uint64_t product(const uint64_t *dims, unsigned n)
{
	uint64_t p = 1;

	for (unsigned i = 0; i < n; i++)
		p *= dims[i]; /* of a tensor whose count fits */
	return p;
}

bool fit_rows(struct grid *g, const struct logical *l, const struct tensor *scales)
{
	unsigned k = scales->rank;

	if (scales->rank > l->rank)
		return false;
	while (k && scales->shape[k - 1] == 1)
		k--;
	if (!same_first(l, scales, k))
		return false;
	if (k && k == l->rank - 1) { /* a scale a row: as a matrix, which zero points may need */
		*g = (struct grid){.rows = l->dims[k - 1], .cols = l->dims[k], .scale_rows = l->dims[k - 1]};
		snprintf(g->word, sizeof(g->word), "row");
		snprintf(g->about, sizeof(g->about), "a scale for each row");
	} else {
		if (k == l->rank)
			return false;
		*g = (struct grid){.rows = 1, .cols = product(l->dims + k, l->rank - k), .scale_rows = 1};
		snprintf(g->word, sizeof(g->word), k ? "slice" : "tensor");
		snprintf(g->about, sizeof(g->about), k ? "a scale for each slice" : "a scale for the tensor");
	}
	g->block_rows = 1;
	g->block_cols = g->cols;
	g->scale_cols = 1;
	return true;
}

bool fit_groups(struct grid *g, const struct logical *l, const struct tensor *scales, uint64_t size)
{
	uint64_t n, cols = l->dims[l->rank - 1];

	if (l->rank < 2 || scales->rank != l->rank || !same_first(l, scales, l->rank - 1))
		return false;
	n = scales->shape[l->rank - 1];
	if (!size && cols % n == 0)
		size = cols / n;
	if (!size || u64_ceil_div(cols, size) != n)
		return false;
	*g = (struct grid){
		.rows = l->dims[l->rank - 2], .cols = cols, .block_rows = 1, .block_cols = size,
		.scale_rows = l->dims[l->rank - 2], .scale_cols = n,
	};
	snprintf(g->word, sizeof(g->word), "%" PRIu64, size);
	snprintf(g->about, sizeof(g->about), "groups of %" PRIu64, size);
	return true;
}

bool only_size(uint64_t n, uint64_t groups, uint64_t *size)
{
	unsigned found = 0;

	*size = n;
	for (uint64_t b = 8; groups > 1 && b <= 4096; b *= 2)
		if (u64_ceil_div(n, b) == groups) {
			*size = b;
			found++;
		}
	if (n % groups == 0 && (!found || *size != n / groups)) {
		*size = n / groups;
		found++;
	}
	return found == 1;
}

/* The power of two that cuts n into so many blocks: at most one does if these are two or more; for one it is 0. */
static bool block_of(uint64_t n, uint64_t blocks, uint64_t *size)
{
	*size = 0;
	for (uint64_t b = 16; blocks > 1 && b <= 1024 && !*size; b *= 2)
		if (u64_ceil_div(n, b) == blocks)
			*size = b;
	return blocks == 1 || *size;
}

bool fit_blocks(struct grid *g, const struct logical *l, const struct tensor *scales, const uint64_t size[2])
{
	uint64_t b[2];

	if (l->rank < 2 || scales->rank != l->rank || !same_first(l, scales, l->rank - 2))
		return false;
	for (int i = 0; i < 2; i++) {
		uint64_t n = l->dims[l->rank - 2 + (unsigned)i], blocks = scales->shape[l->rank - 2 + (unsigned)i];

		b[i] = size ? size[i] : 0;
		if (size ? u64_ceil_div(n, size[i]) != blocks : !block_of(n, blocks, &b[i]))
			return false;
	}
	for (int i = 0; i < 2; i++) { /* one block tells no size: it is square, then */
		if (!b[i] && l->dims[l->rank - 2 + (unsigned)i] > b[1 - i])
			return false;
		b[i] = b[i] ? b[i] : b[1 - i];
	}
	*g = (struct grid){
		.rows = l->dims[l->rank - 2], .cols = l->dims[l->rank - 1], .block_rows = b[0], .block_cols = b[1],
		.scale_rows = scales->shape[l->rank - 2], .scale_cols = scales->shape[l->rank - 1],
	};
	snprintf(g->word, sizeof(g->word), "%" PRIu64 "x%" PRIu64, b[0], b[1]);
	snprintf(g->about, sizeof(g->about), "blocks of %" PRIu64 "x%" PRIu64, b[0], b[1]);
	return true;
}

/* ---- making one ---- */

const float e2m1[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

struct str joined(struct packer *pk, struct str base, const char *ending)
{
	struct buf b = {0};
	struct str name;

	buf_str(&b, base);
	buf_puts(&b, ending);
	name = arena_str(&pk->m->arena, buf_view(&b));
	buf_free(&b);
	return name;
}

struct draft draft_new(struct packer *pk, struct tensor *codes, const struct grid *g)
{
	struct draft d = {.pk = pk, .p = arena_new(&pk->m->arena, struct pack, 1)};

	d.parts = arena_new(&pk->m->arena, struct pack_part, PARTS_MAX);
	d.p->parts = d.parts;
	d.p->rows = g->rows;
	d.p->cols = g->cols;
	d.p->block_rows = g->block_rows;
	d.p->block_cols = g->block_cols;
	draft_part(&d, codes, "codes");
	return d;
}

const struct pack_part *draft_part(struct draft *d, struct tensor *t, const char *role)
{
	d->tensors[d->p->n_parts] = t;
	d->parts[d->p->n_parts] = part_of(t, role);
	return &d->parts[d->p->n_parts++];
}

struct pack_array codes_plain(const struct draft *d)
{
	return (struct pack_array){
		.kind = ARRAY_PLAIN, .part = d->parts, .type = d->parts[0].type, .rows = d->p->rows, .cols = d->p->cols,
	};
}

struct pack_array codes_bits(const struct draft *d, unsigned bits, uint64_t pitch)
{
	return (struct pack_array){
		.kind = ARRAY_BITS, .part = d->parts, .bits = bits, .pitch = pitch, .rows = d->p->rows,
		.cols = d->p->cols,
	};
}

struct pack_array scales_plain(struct draft *d, struct tensor *t, const char *role, enum dtype type,
			       const struct grid *g)
{
	return (struct pack_array){
		.kind = ARRAY_PLAIN, .part = draft_part(d, t, role), .type = type,
		.rows = g->scale_rows, .cols = g->scale_cols,
	};
}

struct pack_array number(struct draft *d, struct tensor *t, const char *role)
{
	return (struct pack_array){
		.kind = ARRAY_PLAIN, .part = draft_part(d, t, role), .type = t->type, .rows = 1, .cols = 1,
		.shared = t->count == 1,
	};
}

bool draft_done(struct draft *d, struct str name, const struct logical *shape, const char *type, const char *about)
{
	struct packer *pk = d->pk;
	struct tensor *t = d->tensors[0], packed = {0};
	uint32_t other = index_of(pk, name, "");
	bool own = other == MAP_NONE;
	struct err e;

	for (unsigned i = 0; i < d->p->n_parts; i++)
		own = own || d->tensors[i] == &pk->m->tensors[other];
	if (!own) {
		doubt(pk, t->name, "%.*s is there, too", (int)u64_min(name.n, 200), name.p);
		return false;
	}
	d->p->about = arena_str(&pk->m->arena, str_of(about)).p;
	packed.name = arena_str(&pk->m->arena, name);
	if (tensor_set_shape(pk->m, &packed, DT_F32, shape->dims, shape->rank, &e) != RC_OK ||
	    tensor_pack(pk->m, &packed, d->p, &e) != RC_OK) {
		doubt(pk, t->name, "%s", e.msg);
		return false;
	}
	packed.type_name = arena_str(&pk->m->arena, str_of(type)).p;
	for (unsigned i = 1; i < d->p->n_parts; i++)
		pk->taken[d->tensors[i] - pk->m->tensors] = true;
	*t = packed;
	return true;
}
