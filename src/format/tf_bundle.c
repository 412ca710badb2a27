/*
 * TensorFlow's checkpoint, version 2, the "tensor bundle": P.index, a table of keys in whose values stands where a
 * tensor's bytes are, and P.data-00000-of-00001 and so on, the bytes.
 * tensorflow/core/util/tensor_bundle/tensor_bundle.cc, core/protobuf/tensor_bundle.proto,
 * core/util/saved_tensor_slice_util.cc, core/lib/strings/ordered_code.cc.
 *
 * Names are TensorFlow's keys without the ending that says only "the value of a variable". Data lie in place. A
 * partitioned variable is put together from its slices, in place too: its member is made of pieces.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/limits.h"
#include "base/map.h"
#include "format/digest.h"
#include "format/format.h"
#include "format/proto.h"
#include "format/shards.h"
#include "format/sstable.h"
#include "format/tf.h"
#include "model/checksum.h"

enum {
	SHARDS_MAX = 100000,  /* their number takes five digits */
	RUNS_MAX = 1 << 20,   /* pieces that one partitioned variable may be cut into */
};
#define CHECKED_AT_OPEN ((uint64_t)64 << 20) /* bytes: read at once, to see whether their checksums are right */
static const char value_suffix[] = "/.ATTRIBUTES/VARIABLE_VALUE";
static const char object_graph[] = "_CHECKPOINTABLE_OBJECT_GRAPH";

struct shard_file {
	bool tried;
	uint32_t member; /* MEMBER_NONE: it could not be opened */
	uint64_t tensors;
	struct err why;
};

struct reader {
	struct model *m;
	uint32_t index;
	struct str prefix;        /* the files' base name up to .index and .data */
	uint64_t shards;
	bool big, headed;
	struct shard_file **files; /* of the shards; NULL: nothing needed it so far */
	uint64_t *ends;            /* where the last entry of each ends */
	struct map slice_keys;    /* to slice_values */
	struct bytes *slice_values;
	size_t n_slices, cap_slices;
	struct bytes graph;       /* the entry of the object graph */
	uint64_t key_bytes, checked;
	struct arena scratch;
};

/* ---- entries ---- */

struct entry { /* BundleEntryProto */
	uint64_t type, shard, offset, size;
	struct tf_shape shape;
	uint32_t crc;
	bool has_crc;
	size_t slices;
	struct bytes message;
};

static enum rc read_entry(struct bytes message, struct entry *en, struct err *e)
{
	struct proto p = proto_of(message);

	*en = (struct entry){.message = message};
	while (proto_next(&p)) {
		if (p.field == 1 && p.wire == WIRE_VARINT)
			en->type = p.number;
		else if (p.field == 2 && p.wire == WIRE_BYTES && tf_shape_read(p.bytes, &en->shape, e) != RC_OK)
			return RC_FAIL;
		else if (p.field == 3 && p.wire == WIRE_VARINT)
			en->shard = p.number;
		else if (p.field == 4 && p.wire == WIRE_VARINT)
			en->offset = p.number;
		else if (p.field == 5 && p.wire == WIRE_VARINT)
			en->size = p.number;
		else if (p.field == 6 && p.wire == WIRE_32)
			en->crc = (uint32_t)p.number, en->has_crc = true;
		else if (p.field == 7 && p.wire == WIRE_BYTES)
			en->slices++;
	}
	return p.bad ? err_set(e, "its entry is broken") : RC_OK;
}

/* What sstable_mask made of a checksum, undone. */
static uint32_t unmask(uint32_t masked)
{
	uint32_t x = masked - 0xA282EAD8u;

	return x << 15 | x >> 17;
}

/* ---- shards ---- */

static struct shard_file *shard_file(struct reader *r, uint64_t number)
{
	struct shard_file *f = r->files[number];
	struct str name;

	if (f)
		return f;
	f = r->files[number] = arena_new(&r->scratch, struct shard_file, 1);
	name = str_of(arena_printf(&r->scratch, "%.*s.data-%05" PRIu64 "-of-%05" PRIu64, (int)r->prefix.n, r->prefix.p,
				   number, r->shards));
	f->member = member_by_base(&r->m->source, name);
	if (f->member == MEMBER_NONE &&
	    source_open_beside(&r->m->source, r->index, name, &f->member, &f->why) != RC_OK) {
		f->member = MEMBER_NONE;
		err_prefix(&f->why, "shard %.*s", (int)name.n, name.p);
		return f;
	}
	r->m->files++;
	r->m->bytes += r->m->source.members[f->member].size;
	return f;
}

static void note_end(struct reader *r, const struct entry *en)
{
	uint64_t end;

	if (en->shard < r->shards && u64_add(en->offset, en->size, &end))
		r->ends[en->shard] = u64_max(r->ends[en->shard], end);
}

static void tell_longer(const struct reader *r)
{
	for (uint64_t i = 0; i < r->shards; i++) {
		const struct member *in = r->files[i] && r->files[i]->member != MEMBER_NONE
			? &r->m->source.members[r->files[i]->member] : NULL;

		if (in && in->size > r->ends[i])
			model_problem(r->m, STR(""), "%" PRIu64 " bytes of shard %" PRIu64 " belong to no entry (from "
				      "byte %" PRIu64 " on)", in->size - r->ends[i], i, r->ends[i]);
	}
}

static void tell_missing(const struct reader *r)
{
	for (uint64_t i = 0; i < r->shards; i++)
		if (r->files[i] && r->files[i]->member == MEMBER_NONE)
			model_problem(r->m, STR(""), "%s; of its tensors %" PRIu64 " cannot be read",
				      r->files[i]->why.msg, r->files[i]->tensors);
}

/* Where an entry's bytes are; false when that is nowhere, as e or, for a whole shard, tell_missing will say. */
static bool place(struct reader *r, struct tensor *t, const struct entry *en, struct span *out)
{
	struct shard_file *f;

	*out = (struct span){r->index, 0, 0};
	if (en->shard >= r->shards) {
		tensor_broken(r->m, t, "it is put in shard %" PRIu64 " of %" PRIu64, en->shard, r->shards);
		return false;
	}
	f = shard_file(r, en->shard);
	if (f->member == MEMBER_NONE) {
		f->tensors++;
		t->trouble = "its shard is missing";
		t->broken = true;
		return false;
	}
	*out = (struct span){f->member, en->offset, en->size};
	return true;
}

/* ---- partitioned variables ---- */

struct slice {
	uint64_t start[RANK_MAX], length[RANK_MAX];
	bool whole[RANK_MAX]; /* the dimension is not cut */
};

/* A TensorSliceProto: 1 extent { 1 start, 2 length }, one for each dimension; without a length it is the whole one. */
static bool read_slice(struct bytes message, const struct tf_shape *s, struct slice *out)
{
	struct proto p = proto_of(message);
	unsigned k = 0;

	*out = (struct slice){0};
	while (proto_next(&p)) {
		struct proto q = proto_of(p.bytes);

		if (p.field != 1 || p.wire != WIRE_BYTES)
			continue;
		if (k == s->rank)
			return false;
		out->whole[k] = true;
		while (proto_next(&q))
			if (q.field == 1 && q.wire == WIRE_VARINT)
				out->start[k] = q.number;
			else if (q.field == 2 && q.wire == WIRE_VARINT)
				out->length[k] = q.number, out->whole[k] = false;
		if (out->whole[k])
			out->length[k] = s->dims[k];
		if (q.bad || out->start[k] > s->dims[k] || out->length[k] > s->dims[k] - out->start[k])
			return false;
		k++;
	}
	return !p.bad && k == s->rank;
}

/* Numbers whose bytes sort as they do. Unsigned: how many bytes, and these, the highest first. */
static void put_number(struct buf *b, uint64_t x)
{
	char bytes[8];
	size_t n = 0;

	for (uint64_t rest = x; rest; rest >>= 8)
		n++;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(x >> 8 * (n - 1 - i));
	buf_putc(b, (char)n);
	buf_add(b, bytes, n);
}

/* Signed: n bytes hold 7 n - 1 bits, behind a sign turned round and as many bits like it as there are more bytes. */
static void put_signed(struct buf *b, int64_t x)
{
	uint64_t positive = (uint64_t)(x < 0 ? ~x : x), bits = 0;
	uint8_t bytes[10] = {0};
	size_t n;

	for (uint64_t rest = positive; rest; rest >>= 1)
		bits++;
	n = (size_t)(bits / 7 + 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i >= 2 ? (uint64_t)x >> 8 * (9 - i) : x < 0 ? 0xff : 0);
	bytes[10 - n] ^= (uint8_t)(n < 8 ? 0xff << (8 - n) : 0xff);
	if (n > 8)
		bytes[11 - n] ^= n == 9 ? 0x80 : 0xc0;
	buf_add(b, (const char *)bytes + 10 - n, n);
}

/* The key under which a slice has an entry of its own. */
static void slice_key(struct buf *b, struct str name, const struct slice *s, unsigned rank)
{
	buf_clear(b);
	put_number(b, 0);
	for (size_t i = 0; i < name.n; i++) {
		buf_putc(b, name.p[i]);
		if (name.p[i] == '\0')
			buf_putc(b, '\xff');
		else if (name.p[i] == '\xff')
			buf_putc(b, '\0');
	}
	buf_add(b, "\0\1", 2);
	put_number(b, rank);
	for (unsigned k = 0; k < rank; k++) {
		put_signed(b, (int64_t)s->start[k]);
		put_signed(b, s->whole[k] ? -1 : (int64_t)s->length[k]);
	}
}

struct run { /* elements that stand side by side in the slice and in the whole */
	uint64_t to; /* bytes from the beginning of the whole */
	struct span span;
};

struct runs {
	struct run *items;
	size_t n, cap;
};

static bool add_run(struct runs *all, struct run run)
{
	struct run *last = all->n ? &all->items[all->n - 1] : NULL;

	if (!run.span.length)
		return true;
	if (last && last->to + last->span.length == run.to && last->span.member == run.span.member &&
	    last->span.offset + last->span.length == run.span.offset) {
		last->span.length += run.span.length;
		return true;
	}
	if (all->n == RUNS_MAX)
		return false;
	if (all->n == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 16;
		all->items = xrealloc(all->items, all->cap, sizeof(*all->items));
	}
	all->items[all->n++] = run;
	return true;
}

/* The runs of one slice: `outer` dimensions are stepped through, what is within them is one run. */
static bool add_slice(struct runs *all, const struct tf_shape *s, const struct slice *sl, struct span data,
		      uint64_t item)
{
	uint64_t step[RANK_MAX + 1], at[RANK_MAX] = {0}, run, runs = 1, first = 0;
	unsigned outer = s->rank;

	step[s->rank] = item;
	for (unsigned k = s->rank; k-- > 0;)
		step[k] = step[k + 1] * s->dims[k]; /* at most the bytes of the whole, which did not overflow */
	while (outer && sl->length[outer - 1] == s->dims[outer - 1])
		outer--;
	if (outer)
		outer--;
	run = outer < s->rank ? sl->length[outer] * step[outer + 1] : item;
	if (!run) /* nothing, as often as the outer dimensions say */
		return true;
	for (unsigned k = 0; k < outer; k++)
		runs *= sl->length[k];
	for (unsigned k = 0; k < s->rank; k++)
		first += sl->start[k] * step[k + 1];
	for (uint64_t i = 0; i < runs; i++) {
		uint64_t to = first;

		for (unsigned k = 0; k < outer; k++)
			to += at[k] * step[k + 1];
		if (!add_run(all, (struct run){to, {data.member, data.offset + i * run, run}}))
			return false;
		for (unsigned k = outer; k-- > 0 && ++at[k] == sl->length[k];)
			at[k] = 0;
	}
	return true;
}

static int by_place(const void *pa, const void *pb)
{
	const struct run *a = pa, *b = pb;

	return (a->to > b->to) - (a->to < b->to);
}

/* Every byte of the whole comes from one slice, or the variable is broken. */
static void use_runs(struct reader *r, struct tensor *t, struct runs *all, uint64_t bytes)
{
	struct piece *pieces;
	uint64_t at = 0;
	struct err e;

	if (all->n)
		qsort(all->items, all->n, sizeof(*all->items), by_place);
	pieces = arena_new(&r->scratch, struct piece, all->n);
	for (size_t i = 0; i < all->n; i++) {
		if (all->items[i].to != at) {
			tensor_broken(r->m, t, "its slices leave gaps, or overlap (byte %" PRIu64 " of it)", at);
			return;
		}
		pieces[i] = (struct piece){all->items[i].span, 1};
		at += all->items[i].span.length;
	}
	if (at != bytes)
		tensor_broken(r->m, t, "its slices hold %" PRIu64 " of its %" PRIu64 " bytes", at, bytes);
	else if (all->n <= 1)
		t->data = all->n ? all->items[0].span : t->data;
	else if (source_add_pieces(&r->m->source, t->name, pieces, all->n, &t->data.member, &e) != RC_OK)
		tensor_broken(r->m, t, "%s", e.msg);
	else
		t->data = (struct span){t->data.member, 0, bytes};
}

static void check_crc(struct reader *r, const struct tensor *t);

/* One slice: its own entry must be of its shape. */
static bool take_slice(struct reader *r, struct tensor *t, const struct entry *whole, const struct slice *s,
		       struct buf *key, struct runs *all)
{
	struct tensor part = {.name = t->name, .type = t->type};
	uint64_t count = 1, bytes;
	struct entry en = {0};
	struct err e;
	uint32_t at;

	for (unsigned k = 0; k < whole->shape.rank; k++)
		count *= s->length[k];
	at = map_get(&r->slice_keys, buf_view(key));
	if (at == MAP_NONE)
		tensor_broken(r->m, t, "one of its %zu slices has no entry", whole->slices);
	else if (read_entry(r->slice_values[at], &en, &e) != RC_OK || dtype_bytes(t->type, count, &bytes, &e) != RC_OK)
		tensor_broken(r->m, t, "a slice: %s", e.msg);
	else if (en.size != bytes || en.type != whole->type)
		tensor_broken(r->m, t, "a slice of %" PRIu64 " elements has %" PRIu64 " bytes, or another type", count,
			      en.size);
	else if (!place(r, t, &en, &part.data))
		return false;
	else if (!add_slice(all, &whole->shape, s, part.data, dtypes[t->type].bytes))
		tensor_broken(r->m, t, "its slices are cut into more than %d pieces: not read", RUNS_MAX);
	if (t->broken)
		return false;
	part.has_crc32c = en.has_crc;
	part.crc32c = unmask(en.crc);
	check_crc(r, &part);
	return true;
}

static void add_slices(struct reader *r, struct tensor *t, struct str key, const struct entry *en)
{
	struct proto p = proto_of(en->message);
	struct buf b = {0};
	struct runs all = {0};
	uint64_t bytes = 0;
	struct err e;

	t->data = (struct span){r->index, 0, 0};
	if (dtype_bytes(t->type, t->count, &bytes, &e) != RC_OK)
		tensor_broken(r->m, t, "%s", e.msg);
	while (!t->broken && proto_next(&p)) {
		struct slice s;

		if (p.field != 7 || p.wire != WIRE_BYTES)
			continue;
		if (!read_slice(p.bytes, &en->shape, &s)) {
			tensor_broken(r->m, t, "one of its %zu slices does not fit its shape", en->slices);
			break;
		}
		slice_key(&b, key, &s, en->shape.rank);
		take_slice(r, t, en, &s, &b, &all);
	}
	if (!t->broken)
		use_runs(r, t, &all, bytes);
	free(all.items);
	buf_free(&b);
}

/* ---- tensors ---- */

static struct str without(struct str s, struct str ending)
{
	if (s.n > ending.n && memcmp(s.p + s.n - ending.n, ending.p, ending.n) == 0)
		s.n -= ending.n;
	return s;
}

static void check_crc(struct reader *r, const struct tensor *t)
{
	struct bytes there;
	struct err e;

	if (!t->has_crc32c || t->data.length > CHECKED_AT_OPEN - r->checked ||
	    !source_slice(&r->m->source, t->data, &there))
		return;
	r->checked += t->data.length;
	if (tensor_check_sum(r->m, t, &e) != RC_OK)
		model_problem(r->m, t->name, "%s", e.msg);
}

static void add_tensor(struct reader *r, struct str key, const struct entry *en)
{
	struct tensor *t = model_add_tensor(r->m);
	uint64_t need;
	struct err e;

	t->name = without(key, str_of(value_suffix));
	t->data.member = r->index;
	if (tf_set_shape(r->m, t, en->type, &en->shape, &e) != RC_OK) {
		tensor_broken(r->m, t, "%s", e.msg);
		return;
	}
	t->big_endian = r->big;
	if (en->slices && t->type == DT_OPAQUE) {
		t->trouble = arena_printf(&r->m->arena, "%s, in slices: not put together", t->type_name);
		t->broken = true; /* nothing of it can be compared */
		return;
	}
	if (en->slices) {
		add_slices(r, t, key, en);
		return;
	}
	if (!place(r, t, en, &t->data) || t->type == DT_OPAQUE) /* text has a checksum over something else */
		return;
	if (dtype_bytes(t->type, t->count, &need, &e) != RC_OK)
		tensor_broken(r->m, t, "%s", e.msg);
	else if (need != en->size)
		tensor_broken(r->m, t, "its type and shape take %" PRIu64 " bytes, its entry says %" PRIu64, need,
			      en->size);
	else
		t->has_crc32c = en->has_crc;
	t->crc32c = unmask(en->crc);
	check_crc(r, t);
}

/* ---- the object graph: which variable of the program a key is ---- */

/* The one text of a tensor of texts: its length as a varint, a checksum of the lengths, the text. */
static bool graph_text(struct reader *r, struct bytes *out)
{
	struct tensor nobody = {.name = str_of(object_graph)};
	struct bytes all;
	struct entry en;
	struct span span;
	struct cur c;
	struct err e;
	uint64_t n;

	if (!r->graph.p)
		return false;
	if (read_entry(r->graph, &en, &e) != RC_OK) {
		model_problem(r->m, str_of(object_graph), "%s", e.msg);
		return false;
	}
	if (en.slices || !place(r, &nobody, &en, &span))
		return false;
	if (!source_slice(&r->m->source, span, &all)) {
		model_problem(r->m, str_of(object_graph), "its bytes leave their file");
		return false;
	}
	c = cur_of(all);
	n = proto_varint(&c);
	cur_take(&c, 4);
	if (c.bad || n != cur_left(&c)) {
		model_problem(r->m, str_of(object_graph), "is not one text");
		return false;
	}
	*out = (struct bytes){c.p, (size_t)n};
	return true;
}

/* SerializedTensor: 1 name, 2 full_name, 3 checkpoint_key. */
static void take_alias(struct reader *r, const struct map *names, struct bytes message)
{
	struct proto p = proto_of(message);
	struct str full = STR(""), key = STR("");
	uint32_t at;

	while (proto_next(&p))
		if (p.field == 2)
			full = proto_text(&p);
		else if (p.field == 3)
			key = proto_text(&p);
	at = map_get(names, without(key, str_of(value_suffix)));
	if (at != MAP_NONE && full.n && !str_eq(full, r->m->tensors[at].name))
		r->m->tensors[at].alias = arena_str(&r->m->arena, full);
}

/* TrackableObjectGraph: 1 nodes { 2 attributes }. The nodes point at one another in circles: they are taken in turn. */
static void read_graph(struct reader *r)
{
	struct map names = {0};
	struct digest d = {0};
	struct meta_value *v;
	struct bytes text;
	struct proto p;

	if (!graph_text(r, &text))
		return;
	v = model_add_meta(r->m, STR("object_graph"));
	v->kind = META_ARRAY;
	v->type = "bytes";
	v->u.array.count = text.n;
	digest_add(&d, (struct str){(const char *)text.p, text.n});
	digest_end(&d, v->u.array.digest);
	map_reserve(&names, r->m->n_tensors);
	for (size_t i = 0; i < r->m->n_tensors; i++)
		map_add(&names, r->m->tensors[i].name, (uint32_t)i);
	p = proto_of(text);
	while (proto_next(&p)) {
		struct proto q = proto_of(p.bytes);

		while (p.field == 1 && proto_next(&q))
			if (q.field == 2 && q.wire == WIRE_BYTES)
				take_alias(r, &names, q.bytes);
	}
	map_free(&names);
	if (p.bad)
		model_problem(r->m, str_of(object_graph), "is broken after %zu bytes", (size_t)p.at);
}

/* ---- the index ---- */

/* BundleHeaderProto: 1 num_shards, 2 endianness. In version 1, field 1 is a message. */
static enum rc read_header(struct reader *r, struct str key, struct bytes value, struct err *e)
{
	struct proto p = proto_of(value);
	bool old = false;

	if (key.n)
		return err_set(e, "is a LevelDB table, but no TensorFlow checkpoint: it has no header entry");
	while (proto_next(&p)) {
		old |= p.field == 1 && p.wire == WIRE_BYTES;
		if (p.field == 1 && p.wire == WIRE_VARINT)
			r->shards = p.number;
		else if (p.field == 2 && p.wire == WIRE_VARINT)
			r->big = p.number != 0;
	}
	if (old)
		return err_set(e, "is a TensorFlow checkpoint of version 1, which is not read (only version 2 is)");
	if (p.bad || r->shards < 1 || r->shards > SHARDS_MAX)
		return err_set(e, "the header of the checkpoint says it has %" PRIu64 " shards", r->shards);
	r->files = arena_new(&r->scratch, struct shard_file *, (size_t)r->shards);
	r->ends = arena_new(&r->scratch, uint64_t, (size_t)r->shards);
	r->headed = true;
	return RC_OK;
}

/* Slices have entries of their own, under keys that begin with a zero byte and so stand before all names. */
static void keep_slice(struct reader *r, struct str key, struct bytes value)
{
	if (r->n_slices == r->cap_slices) {
		r->cap_slices = r->cap_slices ? 2 * r->cap_slices : 16;
		r->slice_values = xrealloc(r->slice_values, r->cap_slices, sizeof(*r->slice_values));
	}
	map_add(&r->slice_keys, arena_str(&r->scratch, key), (uint32_t)r->n_slices);
	r->slice_values[r->n_slices++] = value;
}

static enum rc take(struct reader *r, struct str key, struct bytes value, struct err *e)
{
	struct err ignored;
	struct entry en;

	if (!r->headed)
		return read_header(r, key, value, e);
	if (read_entry(value, &en, &ignored) == RC_OK)
		note_end(r, &en);
	if (str_eq(key, str_of(object_graph))) {
		r->graph = value;
		return RC_OK;
	}
	/* a key that repeats the one before takes three bytes, whatever its length */
	r->key_bytes += key.n;
	if (r->key_bytes > limits_names(r->m->source.members[r->index].size))
		return limits_passed(&limits.names, e);
	if (model_room(r->m, e) != RC_OK)
		return RC_FAIL;
	if (key.n && key.p[0] == '\0') {
		keep_slice(r, key, value);
		return RC_OK;
	}
	key = arena_str(&r->m->arena, key);
	if (read_entry(value, &en, e) == RC_OK) {
		add_tensor(r, key, &en);
	} else {
		struct tensor *t = model_add_tensor(r->m);

		t->name = without(key, str_of(value_suffix));
		t->type_name = dtypes[DT_OPAQUE].name;
		t->data.member = r->index;
		tensor_broken(r->m, t, "%s", e->msg);
	}
	return RC_OK;
}

/* A table that is broken further on shows the tensors before that. */
static enum rc read_table(struct reader *r, struct err *e)
{
	struct sstable t;
	enum rc rc = sstable_open(&t, r->m->source.members[r->index].data, &r->scratch, e);
	bool more = true;

	while (rc == RC_OK && more) {
		struct bytes value;
		struct str key;

		rc = sstable_next(&t, &more, &key, &value, e);
		if (rc == RC_OK && more)
			rc = take(r, key, value, e);
	}
	if (rc == RC_OK && !r->headed)
		rc = err_set(e, "the index of the checkpoint is empty");
	if (t.damaged)
		model_problem(r->m, STR(""),
			      "the index is damaged: the checksum of %" PRIu64 " of its blocks is wrong (byte %" PRIu64
			      ")", t.damaged, t.damaged_at);
	sstable_close(&t);
	return rc;
}

enum rc tf_bundle_read(struct model *m, uint32_t index, struct err *e)
{
	struct str base = base_name(m->source.members[index].name);
	struct reader r = {.m = m, .index = index, .prefix = without(base, STR(".index"))};
	enum rc rc;

	m->files++;
	m->bytes += m->source.members[index].size;
	rc = read_table(&r, e);
	if (rc != RC_OK && m->n_tensors) {
		model_problem(m, STR(""), "the index is broken: %s", e->msg);
		rc = RC_OK;
	}
	if (rc == RC_OK) {
		read_graph(&r);
		tell_missing(&r);
		tell_longer(&r);
		m->variant = arena_printf(&m->arena, "%" PRIu64 " shard%s%s", r.shards, r.shards > 1 ? "s" : "",
					  r.big ? ", big-endian" : "");
	}
	free(r.slice_values);
	map_free(&r.slice_keys);
	arena_free(&r.scratch);
	return rc;
}

static int probe_index(const struct probe *p)
{
	return sstable_looks(p->tail) ? 64 : 0;
}

const struct format format_tensorflow = {
	.name = "tensorflow",
	.about = "TensorFlow's checkpoint, version 2: an index and shards of data",
	.reads = "all shards, both byte orders, partitioned variables, checksums; text is listed",
	.files = "*.index",
	.rank = RANK_INDEX,
	.probe = probe_index,
	.read = tf_bundle_read,
};

/* ---- a shard opened by its own name ---- */

/* P.data-00001-of-00002: where P ends; false for another name. */
static bool shard_name(struct str base, struct str *prefix)
{
	static const char form[] = ".data-#####-of-#####";
	size_t n = sizeof(form) - 1;

	if (base.n <= n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = base.p[base.n - n + i];

		if (form[i] == '#' ? c < '0' || c > '9' : c != form[i])
			return false;
	}
	*prefix = (struct str){base.p, base.n - n};
	return true;
}

/* The bytes say nothing: whatever else knows them goes first. */
static int probe_shard(const struct probe *p)
{
	struct str prefix;

	return p->name && shard_name(base_name(str_of(p->name)), &prefix) ? 1 : 0;
}

static enum rc read_shard(struct model *m, uint32_t member, struct err *e)
{
	struct str prefix, name;
	uint32_t index;

	if (!shard_name(base_name(m->source.members[member].name), &prefix))
		return err_set(e, "is not named like a checkpoint's shard, P.data-00000-of-00001");
	name = str_of(arena_printf(&m->arena, "%.*s.index", (int)prefix.n, prefix.p));
	if (source_open_beside(&m->source, member, name, &index, e) != RC_OK)
		return err_prefix(e, "is a shard of a TensorFlow checkpoint, whose index %s", name.p);
	m->format = format_tensorflow.name;
	return tf_bundle_read(m, index, e);
}

const struct format format_tensorflow_shard = {
	.name = "tensorflow-shard",
	.about = "a shard of a TensorFlow checkpoint",
	.reads = "the whole checkpoint, by the index beside it",
	.files = "*.data-*-of-*",
	.rank = RANK_PART,
	.probe = probe_shard,
	.read = read_shard,
};
