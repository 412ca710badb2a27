/*
 * safetensors: u64 N, N bytes of JSON, then the data; huggingface/safetensors, safetensors/src/tensor.rs. A header
 * that is not sound fails; tensors whose data is not where it should be are listed, marked, and reported.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "bytes/cur.h"
#include "format/format.h"
#include "format/index.h"
#include "format/json_pull.h"
#include "format/shards.h"

enum {
	HEADER_MAX = 100 * 1000 * 1000, /* the reference reader's own limit */
	NAMED = 20,  /* findings of one kind told one by one */
	MIN_SIZE = 10, /* 8 bytes of length and {} */
	ENTRY_BYTES = 80 /* of a short entry in a header; some are shorter, then the array grows */
};

/* ---- one file ---- */

struct reader {
	struct model *m;
	uint32_t member;
	size_t first;       /* of this file's tensors */
	uint64_t data, size; /* where the data begins, and its bytes */
	struct map names;    /* of this file's tensors */
};

/* A name in a message: enough of it to know it by. */
#define NAME(s) (int)((s).n < 200 ? (s).n : 200), (s).p

static int probe(const struct probe *p)
{
	uint64_t n;

	if (p->size < MIN_SIZE || p->head.n < MIN_SIZE)
		return 0;
	n = load_uint(p->head.p, 8, false);
	if (n < 2 || n > HEADER_MAX || p->head.p[8] != '{')
		return 0;
	if (p->head.p[9] != '"' && p->head.p[9] != '}' && p->head.p[9] > ' ')
		return 0;
	return n <= p->size - 8 ? 56 : 48;
}

static const struct {
	const char *name;
	enum dtype type;
} aliases[] = {{"FP4", DT_F4}, {"E8M0", DT_F8_E8M0}, {"UE8", DT_F8_E8M0}};

/* C32, C128 and ggml's types have names, too, but not in this format. */
static enum dtype type_of(struct str word)
{
	enum dtype type = dtype_by_name(word);

	if (type == DT_C32 || type == DT_C128 || type >= DT_Q4_0)
		return DT_OPAQUE;
	for (size_t i = 0; i < COUNT(aliases) && type == DT_OPAQUE; i++)
		if (str_eq(word, str_of(aliases[i].name)))
			type = aliases[i].type;
	return type;
}

struct entry {
	struct str type;
	uint64_t shape[RANK_MAX], begin, end;
	unsigned rank;
};

static enum rc read_type(struct pull *in, struct entry *en, struct err *e)
{
	return pull_string(in, &en->type) ? RC_OK : err_set(e, "its dtype is not a string");
}

static enum rc read_shape(struct pull *in, struct entry *en, struct err *e)
{
	size_t n = 0;
	uint64_t d;

	if (!pull_array(in))
		return err_set(e, "its shape is not an array");
	for (; pull_item(in); n++) {
		if (!pull_u64(in, &d))
			return err_set(e, "dimension %zu of its shape is not a whole number", n);
		if (n < RANK_MAX)
			en->shape[n] = d;
	}
	if (n > limits.rank)
		return limits_passed(&limits.rank, e);
	en->rank = (unsigned)n;
	return RC_OK;
}

static enum rc read_offsets(struct pull *in, struct entry *en, struct err *e)
{
	if (!pull_array(in) || !pull_item(in) || !pull_u64(in, &en->begin) || !pull_item(in) ||
	    !pull_u64(in, &en->end) || pull_item(in))
		return err_set(e, "its data_offsets are not a pair of whole numbers");
	return RC_OK;
}

static const struct {
	const char *name;
	enum rc (*read)(struct pull *, struct entry *, struct err *);
} fields[] = {{"dtype", read_type}, {"shape", read_shape}, {"data_offsets", read_offsets}};

/* Other fields than these three are ignored, as the reference reader does. Where the text is not sound, in->bad is set
 * and what is said here does not count. */
static enum rc read_entry(struct pull *in, struct entry *en, struct err *e)
{
	bool had[COUNT(fields)] = {false};
	struct str key;

	if (!pull_object(in))
		return err_set(e, "it is not described by an object");
	while (pull_member(in, &key)) {
		size_t i = 0;

		while (i < COUNT(fields) && !str_eq(key, str_of(fields[i].name)))
			i++;
		if (i == COUNT(fields)) {
			pull_skip(in);
			continue;
		}
		if (had[i])
			return err_set(e, "it has two fields %s", fields[i].name);
		if (fields[i].read(in, en, e) != RC_OK)
			return RC_FAIL;
		had[i] = true;
	}
	for (size_t i = 0; i < COUNT(fields); i++)
		if (!had[i])
			return err_set(e, "it has no %s", fields[i].name);
	return RC_OK;
}

static enum rc add_tensor(struct reader *r, struct str name, const struct entry *en, struct err *e)
{
	enum dtype type = type_of(en->type);
	struct tensor *t;
	uint64_t need;
	struct err why;

	if (name.n > limits.name)
		return limits_passed(&limits.name, e);
	if (model_room(r->m, e) != RC_OK)
		return RC_FAIL;
	t = model_add_tensor(r->m);
	t->name = name;
	t->type_name = type == DT_OPAQUE ? arena_str(&r->m->arena, en->type).p : dtypes[type].name;
	if (tensor_set_shape(r->m, t, type, en->shape, en->rank, e) != RC_OK)
		return RC_FAIL;
	t->data = (struct span){r->member, r->data, 0};
	if (en->begin > en->end) {
		tensor_broken(r->m, t, "its data_offsets run backwards: %" PRIu64 " to %" PRIu64, en->begin, en->end);
		return RC_OK;
	}
	t->data.length = en->end - en->begin;
	if (!u64_add(r->data, en->begin, &t->data.offset))
		t->data.offset = UINT64_MAX;
	if (en->end > r->size)
		tensor_broken(r->m, t, "its data ends at %" PRIu64 ", the file's at %" PRIu64 " (after the header)",
			      en->end, r->size);
	else if (type == DT_OPAQUE)
		return RC_OK;
	else if (dtype_bytes(type, t->count, &need, &why) != RC_OK)
		tensor_broken(r->m, t, "%s", why.msg);
	else if (need != t->data.length)
		tensor_broken(r->m, t, "its type and shape take %" PRIu64 " bytes, its data_offsets %" PRIu64, need,
			      t->data.length);
	return RC_OK;
}

static void add_metadata(struct model *m, struct str key, struct str text)
{
	struct meta_value *v = model_add_meta(m, key);

	v->type = "str";
	meta_set_text(m, v, text);
}

/* Shards repeat their metadata: a key that is there from another file is not added again. */
static enum rc read_metadata(struct reader *r, struct pull *in, struct err *e)
{
	enum { BEFORE, HERE };
	struct map known = {0};
	struct str key, text;
	enum rc rc = RC_OK;

	if (!pull_object(in))
		return err_set(e, "__metadata__ is not an object");
	for (size_t i = 0; r->m->files && i < r->m->n_meta; i++)
		map_add(&known, r->m->meta[i].key, BEFORE);
	while (rc == RC_OK && pull_member(in, &key)) {
		uint32_t seen = map_add(&known, key, HERE);

		if (!pull_string(in, &text))
			rc = err_set(e, "the value of '%.*s' in __metadata__ is not a string", NAME(key));
		else if (seen == HERE)
			rc = err_set(e, "__metadata__ has the key '%.*s' twice", NAME(key));
		else if (seen == MAP_NONE)
			add_metadata(r->m, key, text);
	}
	map_free(&known);
	return rc;
}

static enum rc read_tensor(struct reader *r, struct pull *in, struct str name, struct err *e)
{
	struct entry en = {0};

	if (read_entry(in, &en, e) != RC_OK)
		return RC_FAIL;
	return add_tensor(r, arena_str(&r->m->arena, name), &en, e);
}

static enum rc read_members(struct reader *r, struct pull *in, struct err *e)
{
	struct str name;

	if (!pull_object(in))
		return err_set(e, "the safetensors header is not a JSON object (byte 8)");
	while (pull_member(in, &name)) {
		if (map_add(&r->names, name, 0) != MAP_NONE)
			return err_set(e, "the safetensors header has '%.*s' twice (byte %" PRIu64 ")", NAME(name),
				       pull_at(in));
		if (str_eq(name, STR("__metadata__"))) {
			if (read_metadata(r, in, e) != RC_OK)
				return RC_FAIL;
		} else if (read_tensor(r, in, name, e) != RC_OK) {
			return err_prefix(e, "tensor '%.*s'", NAME(name));
		}
	}
	pull_end(in);
	return RC_OK;
}

static enum rc read_header(struct reader *r, struct bytes text, struct err *e)
{
	struct arena scratch = {0};
	struct pull in = pull_of(text, 8, "the safetensors header", &scratch);
	enum rc rc;

	map_reserve(&r->names, text.n / ENTRY_BYTES);
	rc = read_members(r, &in, e);
	if (in.bad)
		rc = err_set(e, "%s", in.why.msg);
	map_free(&r->names);
	arena_free(&scratch);
	return rc;
}

static int by_offset(const void *pa, const void *pb)
{
	const struct tensor *a = *(const struct tensor *const *)pa, *b = *(const struct tensor *const *)pb;

	if (a->data.offset != b->data.offset)
		return a->data.offset < b->data.offset ? -1 : 1;
	return (a->data.length > b->data.length) - (a->data.length < b->data.length);
}

/* Files list their tensors in the order of the data, as a rule: then there is nothing to sort. */
static void sort_by_offset(const struct tensor **tensors, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (by_offset(&tensors[i - 1], &tensors[i]) > 0) {
			qsort(tensors, n, sizeof(*tensors), by_offset);
			return;
		}
}

/* The format leaves no byte unclaimed and none claimed twice. */
static void check_order(struct reader *r)
{
	size_t n = 0, overlaps = 0, holes = 0;
	const struct tensor **sorted = xcalloc(r->m->n_tensors - r->first, sizeof(struct tensor *));
	uint64_t at = r->data, end = r->data + r->size, hole_bytes = 0, hole_at = 0;

	for (size_t i = r->first; i < r->m->n_tensors; i++)
		if (!r->m->tensors[i].broken)
			sorted[n++] = &r->m->tensors[i];
	sort_by_offset(sorted, n);
	for (size_t i = 0; i < n; i++) {
		const struct span *s = &sorted[i]->data;

		if (s->offset < at && s->length && overlaps++ < NAMED)
			model_problem(r->m, sorted[i]->name,
				      "its data overlaps that of another tensor (byte %" PRIu64 ")", s->offset);
		if (s->offset > at) {
			hole_at = holes++ ? hole_at : at;
			hole_bytes += s->offset - at;
		}
		at = u64_max(at, s->offset + s->length);
	}
	if (overlaps > NAMED)
		model_problem(r->m, STR(""), "%zu tensors overlap", overlaps);
	if (holes)
		model_problem(r->m, STR(""),
			      "%" PRIu64 " bytes between tensors belong to none (from byte %" PRIu64 " on)", hole_bytes,
			      hole_at);
	if (at < end && n == r->m->n_tensors - r->first)
		model_problem(r->m, STR(""),
			      "%" PRIu64 " bytes after the last tensor belong to none (from byte %" PRIu64 " on)",
			      end - at, at);
	free(sorted);
}

static enum rc read_file(struct model *m, uint32_t member, struct err *e)
{
	struct bytes all = m->source.members[member].data;
	struct reader r = {.m = m, .member = member, .first = m->n_tensors};
	size_t meta = m->n_meta;
	uint64_t n;
	enum rc rc;

	if (all.n < MIN_SIZE)
		return err_set(e, "%zu bytes are too few for a safetensors file", all.n);
	n = load_uint(all.p, 8, false);
	if (n > HEADER_MAX)
		return err_set(e, "a safetensors header of %" PRIu64 " bytes is longer than the format allows (byte 0)",
			       n);
	if (n > all.n - 8)
		return err_set(e, "the safetensors header of %" PRIu64 " bytes does not fit in a file of %zu bytes", n,
			       all.n);
	if (all.p[8] != '{')
		return err_set(e, "the safetensors header does not begin with { (byte 8)");
	model_expect(m, (size_t)n / ENTRY_BYTES);
	arena_expect(&m->arena, (size_t)n / 2); /* names and shapes */
	r.data = 8 + n;
	r.size = all.n - r.data;
	rc = read_header(&r, (struct bytes){all.p + 8, (size_t)n}, e);
	if (rc != RC_OK) { /* of a shard that is not sound, nothing stays */
		m->n_tensors = r.first;
		m->n_meta = meta;
		return rc;
	}
	check_order(&r);
	m->files++;
	m->bytes += all.n;
	return RC_OK;
}

/* ---- a shard opened by its own name ---- */

static enum rc read_shard(struct model *m, uint32_t member, unsigned number, struct err *e)
{
	(void)number;
	return read_file(m, member, e);
}

static int probe_index(const struct probe *p)
{
	return index_probe(p, ".safetensors");
}

static enum rc read_index(struct model *m, uint32_t member, struct err *e)
{
	return index_read(m, member, read_file, e);
}

static enum rc read_safetensors(struct model *m, uint32_t member, struct err *e)
{
	struct shard sh;
	uint32_t index;

	if (!shard_parse(base_name(m->source.members[member].name), ".safetensors", &sh))
		return read_file(m, member, e);
	if (index_find(m, member, &sh, &index))
		return read_index(m, index, e);
	m->variant = arena_printf(&m->arena, "%u shards", sh.count);
	return shards_read(m, member, &sh, read_shard, e);
}

const struct format format_safetensors = {
	.name = "safetensors",
	.about = "Hugging Face's format for tensors, as PyTorch, JAX and MLX models are published",
	.reads = "one file or shards; all types, metadata",
	.files = "*.safetensors",
	.probe = probe,
	.read = read_safetensors,
};

const struct format format_safetensors_index = {
	.name = "safetensors-index",
	.about = "the index of a safetensors model in several files",
	.reads = "the whole model: all shards that stand beside it",
	.files = "*.safetensors.index.json",
	.rank = RANK_INDEX,
	.probe = probe_index,
	.read = read_index,
};
