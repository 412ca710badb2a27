/*
 * GGUF, versions 1 to 3, both byte orders, one file or split: ggml-org/ggml, docs/gguf.md and src/gguf.cpp; version 1
 * (32-bit lengths) from that project's history.
 *
 *	magic u32:version U:tensors U:entries
 *	{ string:key u32:type value }...
 *	{ string:name u32:n U:dims[n] u32:type u64:offset }...
 *	padding up to general.alignment, then the data; offsets count from there. U and the lengths of strings are
 *	32 bits wide in version 1, 64 later.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "bytes/cur.h"
#include "format/digest.h"
#include "format/format.h"
#include "format/ggml_types.h"
#include "format/shards.h"

enum {
	KEY_MAX = 65535, /* bytes: the specification's */
	ARRAY_DEPTH = 4,      /* arrays of arrays: the specification sets no limit */
	SHOWN = 16,           /* first items of an array that are kept */
	SHOWN_INNER = 4,      /* of an array in an array */
	ITEMS_MAX = 1 << 20,  /* items kept in all */
	ALIGN_DEFAULT = 32,
	NAMED = 20            /* findings of one kind told one by one */
};

enum value_type { VT_STRING = 8, VT_ARRAY = 9, VT_COUNT = 13 };

static const struct {
	const char *name;
	enum meta_kind kind;
	unsigned size;
} values[VT_COUNT] = {
	{"u8", META_UINT, 1},   {"i8", META_INT, 1},   {"u16", META_UINT, 2}, {"i16", META_INT, 2},
	{"u32", META_UINT, 4},  {"i32", META_INT, 4},  {"f32", META_REAL, 4}, {"bool", META_BOOL, 1},
	{"str", META_TEXT, 0},  {"array", META_ARRAY, 0}, {"u64", META_UINT, 8}, {"i64", META_INT, 8},
	{"f64", META_REAL, 8},
};

struct reader {
	struct model *m;
	uint32_t member;
	unsigned part;        /* 1: the first file of a split model, or the only one */
	struct cur c;
	unsigned version, width; /* of counts and lengths: 4 or 8 bytes */
	uint64_t align, data; /* where the data begins */
	size_t items;         /* of arrays, kept so far */
	size_t first_tensor, first_meta;
	struct map keys;
	int64_t split_no, split_count, split_tensors; /* -1: not said */
};

static int probe(const struct probe *p)
{
	uint64_t version;

	if (p->head.n < 8 || (memcmp(p->head.p, "GGUF", 4) != 0 && memcmp(p->head.p, "FUGG", 4) != 0))
		return 0;
	version = load_uint(p->head.p + 4, 4, false);
	if ((version & 0xffff) == 0)
		version = load_uint(p->head.p + 4, 4, true);
	return version >= 1 && version <= 3 ? 64 : 0;
}

static struct str text(struct reader *r)
{
	uint64_t n = cur_uint(&r->c, r->width);
	const uint8_t *p = cur_take(&r->c, n);

	return p ? (struct str){(const char *)p, (size_t)n} : STR("");
}

static int64_t sign_extend(uint64_t x, unsigned size)
{
	unsigned unused = 64 - 8 * size;

	return (int64_t)(x << unused) >> unused;
}

/* ---- metadata ---- */

/* One value that is no array, read past the cursor. With a digest, it is added there; with out NULL it is not kept. */
static void scalar(struct reader *r, unsigned type, struct meta_value *out, struct digest *d)
{
	struct str s = STR("");
	uint64_t x = 0;

	if (type == VT_STRING) {
		s = text(r);
		x = s.n;
	} else {
		x = cur_uint(&r->c, values[type].size);
	}
	if (d) {
		digest_u64(d, x);
		digest_add(d, s);
	}
	if (!out || r->c.bad)
		return;
	out->kind = values[type].kind;
	out->type = values[type].name;
	if (out->kind == META_TEXT)
		meta_set_text(r->m, out, s);
	else if (out->kind == META_BOOL)
		out->u.boolean = x != 0;
	else if (out->kind == META_REAL)
		out->u.real = real_of_bits(x, values[type].size);
	else if (out->kind == META_INT)
		out->u.sint = sign_extend(x, values[type].size);
	else
		out->u.uint = x;
}

/* Bytes that an item takes at least. */
static uint64_t min_size(const struct reader *r, unsigned type)
{
	return type == VT_STRING ? r->width : type == VT_ARRAY ? 4 + r->width : values[type].size;
}

/* An array, and arrays in it down to ARRAY_DEPTH: the depth of recursion is fixed, whatever the file says. */
/* NOLINTNEXTLINE(misc-no-recursion): ARRAY_DEPTH */
static enum rc array(struct reader *r, struct meta_value *out, struct digest *d, unsigned depth, struct err *e)
{
	uint64_t at = cur_at(&r->c);
	uint32_t type = cur_u32(&r->c);
	uint64_t count = cur_uint(&r->c, r->width), keep;

	if (r->c.bad)
		return RC_OK;
	if (type >= VT_COUNT)
		return err_set(e, "an array of unknown type %" PRIu32 " (byte %" PRIu64 ")", type, at);
	if (count > cur_left(&r->c) / min_size(r, type))
		return err_set(e, "an array of %" PRIu64 " items does not fit in the file (byte %" PRIu64 ")", count,
			       at);
	if (type == VT_ARRAY && depth == ARRAY_DEPTH)
		return err_set(e, "arrays are nested more than %d deep (byte %" PRIu64 ")", ARRAY_DEPTH, at);
	digest_u64(d, type);
	digest_u64(d, count);
	keep = u64_min(count, depth == 1 ? SHOWN : SHOWN_INNER);
	keep = out ? u64_min(keep, ITEMS_MAX - r->items) : 0;
	r->items += (size_t)keep;
	if (out) {
		out->kind = META_ARRAY;
		out->type = values[type].name;
		out->u.array.count = count;
		out->u.array.shown = keep;
		out->u.array.items = arena_new(&r->m->arena, struct meta_value, (size_t)keep);
	}
	for (uint64_t i = 0; i < count && !r->c.bad; i++) {
		struct meta_value *item = i < keep ? &out->u.array.items[i] : NULL;

		if (type != VT_ARRAY)
			scalar(r, type, item, d);
		else if (array(r, item, d, depth + 1, e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

static bool integer(const struct meta_value *v, int64_t *out)
{
	if (v->kind != META_INT && (v->kind != META_UINT || v->u.uint > INT64_MAX))
		return false;
	*out = v->kind == META_INT ? v->u.sint : (int64_t)v->u.uint;
	return true;
}

/* Keys that say how to read the rest. */
static enum rc heed(struct reader *r, struct str key, const struct meta_value *v, struct err *e)
{
	int64_t x = -1;

	if (str_eq(key, STR("split.no")) && integer(v, &x))
		r->split_no = x;
	else if (str_eq(key, STR("split.count")) && integer(v, &x))
		r->split_count = x;
	else if (str_eq(key, STR("split.tensors.count")) && integer(v, &x))
		r->split_tensors = x;
	if (!str_eq(key, STR("general.alignment")))
		return RC_OK;
	if (!integer(v, &x) || x <= 0 || (x & (x - 1)) || x > UINT32_MAX)
		return err_set(e, "general.alignment is not a power of two (before byte %" PRIu64 ")", cur_at(&r->c));
	r->align = (uint64_t)x;
	return RC_OK;
}

static enum rc entry(struct reader *r, uint64_t i, uint64_t n, struct err *e)
{
	uint64_t at = cur_at(&r->c);
	struct str key = text(r);
	uint32_t type = cur_u32(&r->c);
	struct meta_value value = {0};
	struct digest d = {0};

	if (key.n > KEY_MAX)
		return err_set(e, "a metadata key of %zu bytes (byte %" PRIu64 ")", key.n, at);
	if (!r->c.bad && type >= VT_COUNT)
		return err_set(e, "metadata %.*s has the unknown type %" PRIu32 " (byte %" PRIu64 ")", (int)key.n,
			       key.p, type, at);
	if (type == VT_ARRAY) {
		if (array(r, &value, &d, 1, e) != RC_OK)
			return RC_FAIL;
		digest_end(&d, value.u.array.digest);
	} else if (!r->c.bad) {
		scalar(r, type, &value, NULL);
	}
	if (r->c.bad)
		return err_set(e, "the file ends inside metadata entry %" PRIu64 " of %" PRIu64 " (byte %" PRIu64 ")",
			       i + 1, n, at);
	if (map_add(&r->keys, key, 0) != MAP_NONE) {
		model_problem(r->m, STR(""), "the metadata key %.*s stands there twice (byte %" PRIu64 ")", (int)key.n,
			      key.p, at);
		return RC_OK;
	}
	/* Later parts of a split model repeat what the first one says. */
	if (r->part == 1)
		*model_add_meta(r->m, key) = value;
	return heed(r, key, &value, e);
}

/* ---- tensors ---- */

/* dims[0] is the fastest-varying: turned round, the shape is row-major. */
static enum rc tensor(struct reader *r, uint64_t i, uint64_t n, struct err *e)
{
	uint64_t at = cur_at(&r->c), dims[RANK_MAX];
	struct tensor *t = model_add_tensor(r->m);
	struct str name = text(r);
	uint32_t rank = cur_u32(&r->c), id;
	enum dtype type;

	if (!r->c.bad && (rank > limits.rank || name.n > limits.name)) {
		limits_passed(rank > limits.rank ? &limits.rank : &limits.name, e);
		return err_prefix(e, "tensor %" PRIu64 " (byte %" PRIu64 ")", i + 1, at);
	}
	for (uint32_t k = 0; k < rank && !r->c.bad; k++)
		dims[rank - 1 - k] = cur_uint(&r->c, r->width);
	id = cur_u32(&r->c);
	t->data = (struct span){r->member, cur_u64(&r->c), 0};
	if (r->c.bad)
		return err_set(e, "the file ends inside the description of tensor %" PRIu64 " of %" PRIu64 " (byte %"
			       PRIu64 ")", i + 1, n, at);
	t->name = arena_str(&r->m->arena, name);
	type = ggml_type(id, &t->type_name);
	if (type == DT_OPAQUE && !t->type_name)
		t->type_name = arena_printf(&r->m->arena, "type %" PRIu32, id);
	if (tensor_set_shape(r->m, t, type, dims, rank, e) != RC_OK)
		return err_prefix(e, "tensor %.*s", (int)t->name.n, t->name.p);
	if (type != DT_OPAQUE && dtypes[type].items > 1 && (!rank || dims[rank - 1] % dtypes[type].items))
		tensor_broken(r->m, t, "its rows of %" PRIu64 " elements are not whole blocks of %s (%u)",
			      rank ? dims[rank - 1] : 1, t->type_name, dtypes[type].items);
	t->big_endian = r->c.big && dtypes[type].word != 1;
	return RC_OK;
}

static int by_offset(const void *pa, const void *pb)
{
	const struct tensor *a = *(struct tensor *const *)pa, *b = *(struct tensor *const *)pb;

	return (a->data.offset > b->data.offset) - (a->data.offset < b->data.offset);
}

/* From offsets in the data to offsets in the file; lengths; what of it is there. size: bytes of the data. */
static void place(struct reader *r, struct tensor *t, uint64_t next, uint64_t size)
{
	uint64_t offset = t->data.offset, length = 0;
	struct err why;

	if (t->type == DT_OPAQUE)
		length = next > offset ? next - offset : 0;
	else if (dtype_bytes(t->type, t->count, &length, &why) != RC_OK && !t->broken)
		tensor_broken(r->m, t, "%s", why.msg);
	t->data.length = length;
	if (!u64_add(r->data, offset, &t->data.offset))
		t->data.offset = UINT64_MAX;
	if (t->broken)
		return;
	if (offset > size || length > size - offset)
		tensor_broken(r->m, t, "its %" PRIu64 " bytes from byte %" PRIu64 " on leave the file, which ends at "
			      "byte %" PRIu64, length, t->data.offset, r->data + size);
}

/* Writers put tensors in order, each padded to the alignment; what strays from that is told. Offsets count from the
 * data's beginning here. */
static void check_layout(struct reader *r, struct tensor *const *sorted, size_t n, uint64_t size)
{
	size_t overlaps = 0, misaligned = 0;
	uint64_t at = 0, holes = 0, hole_at = 0;

	for (size_t i = 0; i < n; i++) {
		const struct tensor *t = sorted[i];
		uint64_t offset = t->data.offset - r->data;

		if (t->broken)
			return;
		if (offset % r->align && misaligned++ < NAMED)
			model_problem(r->m, t->name, "its data is not aligned to %" PRIu64 " (byte %" PRIu64 ")",
				      r->align, t->data.offset);
		if (offset < at && t->data.length && overlaps++ < NAMED)
			model_problem(r->m, t->name, "its data overlaps that of another tensor (byte %" PRIu64 ")",
				      t->data.offset);
		if (offset > at && offset - at >= r->align) {
			hole_at = holes ? hole_at : r->data + at;
			holes += offset - at;
		}
		at = u64_max(at, offset + t->data.length);
	}
	if (overlaps > NAMED || misaligned > NAMED)
		model_problem(r->m, STR(""), "%zu tensors overlap, %zu are not aligned", overlaps, misaligned);
	if (holes)
		model_problem(r->m, STR(""),
			      "%" PRIu64 " bytes between tensors belong to none (from byte %" PRIu64 " on)", holes,
			      hole_at);
	if (size > at && size - at >= r->align)
		model_problem(r->m, STR(""), "%" PRIu64 " bytes after the %s belong to none (from byte %" PRIu64 " on)",
			      size - at, n ? "last tensor" : "metadata", r->data + at);
}

static void place_all(struct reader *r)
{
	size_t n = r->m->n_tensors - r->first_tensor;
	struct tensor **sorted = xcalloc(n, sizeof(struct tensor *));
	uint64_t file = r->m->source.members[r->member].size, size = file > r->data ? file - r->data : 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &r->m->tensors[r->first_tensor + i];
	qsort(sorted, n, sizeof(struct tensor *), by_offset);
	for (size_t i = 0; i < n; i++) {
		uint64_t next = size;

		for (size_t k = i + 1; k < n && next == size; k++) /* equal offsets share what follows */
			if (sorted[k]->data.offset > sorted[i]->data.offset)
				next = sorted[k]->data.offset;
		place(r, sorted[i], next, size);
	}
	check_layout(r, sorted, n, size);
	free(sorted);
}

/* ---- the file ---- */

static enum rc counts(struct reader *r, uint64_t *tensors, uint64_t *entries, struct err *e)
{
	uint64_t left;

	*tensors = cur_uint(&r->c, r->width);
	*entries = cur_uint(&r->c, r->width);
	left = cur_left(&r->c);
	if (r->c.bad)
		return err_set(e, "the file ends inside the GGUF header");
	if (*entries > left / (r->width + 4 + 1))
		return err_set(e, "%" PRIu64 " metadata entries do not fit in this file (byte %u)", *entries,
			       8 + r->width);
	if (*entries > limits.metadata)
		return limits_passed(&limits.metadata, e);
	if (*tensors > left / (r->width + 4 + 4 + 8))
		return err_set(e, "%" PRIu64 " tensors do not fit in this file (byte 8)", *tensors);
	if (*tensors > limits.tensors || r->m->n_tensors > limits.tensors - *tensors)
		return limits_passed(&limits.tensors, e);
	return RC_OK;
}

static enum rc version(struct reader *r, struct err *e)
{
	const uint8_t *magic = cur_take(&r->c, 4), *p = cur_take(&r->c, 4);

	if (!p || (memcmp(magic, "GGUF", 4) != 0 && memcmp(magic, "FUGG", 4) != 0))
		return err_set(e, "does not begin with GGUF's magic");
	r->version = (unsigned)load_uint(p, 4, false);
	if ((r->version & 0xffff) == 0) {
		r->c.big = true;
		r->version = (unsigned)load_uint(p, 4, true);
	}
	if (r->version < 1 || r->version > 3)
		return err_set(e, "GGUF version %u is not known (byte 4)", r->version);
	r->width = r->version == 1 ? 4 : 8;
	return RC_OK;
}

static enum rc read_contents(struct reader *r, struct err *e)
{
	uint64_t tensors, entries;

	if (version(r, e) != RC_OK || counts(r, &tensors, &entries, e) != RC_OK)
		return RC_FAIL;
	for (uint64_t i = 0; i < entries; i++)
		if (entry(r, i, entries, e) != RC_OK)
			return RC_FAIL;
	for (uint64_t i = 0; i < tensors; i++)
		if (tensor(r, i, tensors, e) != RC_OK)
			return RC_FAIL;
	r->data = (cur_at(&r->c) + r->align - 1) & ~(r->align - 1);
	place_all(r);
	return RC_OK;
}

static void check_split(struct reader *r)
{
	if (r->split_no >= 0 && r->split_no != (int64_t)r->part - 1)
		model_problem(r->m, STR(""), "split.no of part %u is %" PRId64 ", counted from 0", r->part,
			      r->split_no);
	if (r->part == 1 && r->split_count > 1 && r->m->files > 0)
		return;
}

static enum rc read_part(struct model *m, uint32_t member, unsigned part, struct reader *r, struct err *e)
{
	struct bytes all = m->source.members[member].data;
	size_t problems = m->n_problems;
	enum rc rc;

	*r = (struct reader){.m = m, .member = member, .part = part, .c = cur_of(all), .align = ALIGN_DEFAULT,
			     .first_tensor = m->n_tensors, .first_meta = m->n_meta, .split_no = -1, .split_count = -1,
			     .split_tensors = -1};
	rc = read_contents(r, e);
	map_free(&r->keys);
	if (rc != RC_OK) { /* of a part that is not sound, nothing stays */
		m->n_tensors = r->first_tensor;
		m->n_meta = r->first_meta;
		m->n_problems = problems;
		return rc;
	}
	check_split(r);
	m->files++;
	m->bytes += all.n;
	m->squeezed = true;
	if (!*m->variant)
		m->variant = arena_printf(&m->arena, "version %u, %s", r->version,
					  r->c.big ? "big-endian" : "little-endian");
	return RC_OK;
}

static enum rc read_shard(struct model *m, uint32_t member, unsigned number, struct err *e)
{
	struct reader r;

	return read_part(m, member, number, &r, e);
}

/* The first part says how many tensors all of them hold. */
static void check_total(struct model *m)
{
	int64_t want;

	for (size_t i = 0; i < m->n_meta; i++)
		if (str_eq(m->meta[i].key, STR("split.tensors.count")) && integer(&m->meta[i].value, &want) &&
		    want != (int64_t)m->n_tensors)
			model_problem(m, STR(""), "split.tensors.count is %" PRId64 "; %zu tensors are there", want,
				      m->n_tensors);
}

static enum rc read_gguf(struct model *m, uint32_t member, struct err *e)
{
	struct reader r;
	struct shard sh;

	if (shard_parse(base_name(m->source.members[member].name), ".gguf", &sh)) {
		if (shards_read(m, member, &sh, read_shard, e) != RC_OK)
			return RC_FAIL;
		check_total(m);
		m->variant = arena_printf(&m->arena, "%s, %u parts", m->variant, sh.count);
		return RC_OK;
	}
	if (read_part(m, member, 1, &r, e) != RC_OK)
		return RC_FAIL;
	if (r.split_count > 1)
		model_problem(m, STR(""), "one of %" PRId64 " parts (split.count), but not named like one",
			      r.split_count);
	return RC_OK;
}

const struct format format_gguf = {
	.name = "gguf",
	.about = "the format of llama.cpp and ggml",
	.reads = "versions 1 to 3, both byte orders, split files, all metadata; unknown tensor types are listed",
	.files = "*.gguf",
	.probe = probe,
	.read = read_gguf,
};
