/* Bytes: what no tensor claims, what several do, what is not as the format or a checksum says. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/audit_check.h"
#include "base/buf.h"
#include "bytes/cur.h"
#include "bytes/signature.h"
#include "model/checksum.h"
#include "model/pack.h"

/* ---- what the readers and the survey met ---- */

void check_lfs(struct auditor *a)
{
	static const char magic[] = "version https://git-lfs";
	const struct source *s = &a->m->source;

	for (uint32_t i = 0; i < s->n; i++) {
		struct bytes b = s->members[i].kind == MEMBER_MAPPED ? s->members[i].data : (struct bytes){NULL, 0};

		if (b.n >= sizeof(magic) - 1 && memcmp(b.p, magic, sizeof(magic) - 1) == 0)
			found_at(found(a, STR(""), "%s is a Git LFS pointer, not the data itself",
				       said(a, s->members[i].name)), i, 0, b.n);
	}
}

/* The sentence without the numbers of bytes in it: the same thing further behind is no news. */
static struct str placeless(struct auditor *a, const char *message)
{
	struct buf b = {0};
	struct str s;

	while (*message) {
		bool byte = strncmp(message, "byte ", 5) == 0;

		buf_add(&b, message, byte ? 5 : 1);
		message += byte ? 5 : 1;
		if (byte)
			message += strspn(message, "0123456789");
	}
	s = arena_str(&a->out->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

void check_rule(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_problems; i++) {
		struct finding *f = found(a, a->m->problems[i].tensor, "%s", a->m->problems[i].message);

		if (f && !f->tensor.n)
			f->key = placeless(a, f->message);
	}
}

void check_unread(struct auditor *a)
{
	if (a->m->refusal)
		found(a, STR(""), "it is refused: %s", a->m->refusal);
	for (size_t i = 0; i < a->m->n_tensors; i++)
		if (a->surveys[i].error)
			found(a, a->m->tensors[i].name, "its values cannot be read: %s", a->surveys[i].error);
	check_unread_beside(a);
}

void check_undecoded(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++)
		if (a->m->tensors[i].trouble && (!a->m->tensors[i].broken || a->m->tensors[i].undecoded))
			found(a, a->m->tensors[i].name, "%s", a->m->tensors[i].trouble);
}

/* ---- checksums ---- */

struct sums {
	const struct model *m;
	char **why; /* a tensor */
};

static void sum_one(void *arg, size_t i)
{
	struct sums *x = arg;
	const struct tensor *t = &x->m->tensors[i];
	struct err e;

	if (!t->broken && tensor_check_sum(x->m, t, &e) != RC_OK && !tensor_lost(x->m, t))
		x->why[i] = xstrdup(e.msg);
}

/* Of entries of zip files those that are stored; what is deflated is checked as it is inflated. */
void check_checksum(struct auditor *a)
{
	struct sums x = {.m = a->m, .why = xcalloc(a->m->n_tensors, sizeof(*x.why))};

	spread(a->s, a->m->n_tensors, sum_one, &x);
	for (size_t i = 0; i < a->m->n_tensors; i++) {
		if (x.why[i])
			found(a, a->m->tensors[i].name, "%s", x.why[i]);
		free(x.why[i]);
	}
	free(x.why);
	check_zip_sums(a);
}

/* ---- claims ---- */

struct claim {
	struct span span;
	size_t tensor;
	bool shares; /* meant to: a tie, a view of a storage, a packed tensor's part */
};

struct claims {
	struct claim *items;
	size_t n, cap;
};

static void claim(struct claims *c, struct span span, size_t tensor, bool shares)
{
	if (!span.length)
		return;
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 64;
		c->items = xrealloc(c->items, c->cap, sizeof(*c->items));
	}
	c->items[c->n++] = (struct claim){span, tensor, shares};
}

static int by_place(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;

	if (a->span.member != b->span.member)
		return a->span.member < b->span.member ? -1 : 1;
	if (a->span.offset != b->span.offset)
		return a->span.offset < b->span.offset ? -1 : 1;
	return (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

/* A member in pieces claims the pieces where they are. */
static void claim_span(struct claims *c, const struct model *m, struct span span, size_t tensor, bool shares)
{
	const struct member *in = span.member < m->source.n ? &m->source.members[span.member] : NULL;

	claim(c, span, tensor, shares);
	for (size_t i = 0; in && in->kind == MEMBER_PIECES && i < in->n_pieces; i++)
		claim(c, in->pieces[i].span, tensor, true);
}

/* What a broken tensor has of its bytes is its own all the same. */
static void claim_broken(struct claims *c, const struct model *m, const struct tensor *t, size_t tensor)
{
	struct span span = t->data;
	uint64_t size = span.member < m->source.n ? m->source.members[span.member].size : 0;

	if (span.offset >= size)
		return;
	span.length = u64_min(span.length, size - span.offset);
	claim(c, span, tensor, true);
}

/* All claims on bytes by their place; own: the format's, too. */
static struct claims claims_of(const struct model *m, bool own)
{
	struct claims c = {0};

	for (size_t i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];
		bool shares = t->tied.n || t->note || t->strides || t->stride || t->pack;

		for (unsigned k = 0; t->pack && !t->broken && k < t->pack->n_parts; k++)
			claim_span(&c, m, t->pack->parts[k].data, i, true);
		if (t->broken)
			claim_broken(&c, m, t, i);
		else if (!t->pack)
			claim_span(&c, m, t->data, i, shares);
	}
	for (size_t i = 0; own && i < m->n_own; i++)
		claim(&c, m->own[i], SIZE_MAX, true);
	if (c.n)
		qsort(c.items, c.n, sizeof(*c.items), by_place);
	return c;
}

/* safetensors and GGUF: their readers have found these, as breaches of a rule. */
static bool reader_looks(const struct model *m)
{
	return strcmp(m->format, "safetensors") == 0 || strcmp(m->format, "gguf") == 0;
}

/* One array under two names: a hard link, a shared buffer. */
static bool same_span(const struct span *a, const struct span *b)
{
	return a->member == b->member && a->offset == b->offset && a->length == b->length;
}

void check_overlap(struct auditor *a)
{
	struct claims c = claims_of(a->m, false);
	size_t last = 0; /* the claim that reaches furthest */
	bool may = strcmp(a->m->format, "tflite") == 0; /* equal buffers are written once */

	for (size_t i = 1; !reader_looks(a->m) && !may && i < c.n; i++) {
		const struct claim *x = &c.items[last], *y = &c.items[i];
		uint64_t end = x->span.offset + x->span.length;

		if (x->span.member == y->span.member && y->span.offset < end && x->tensor != y->tensor &&
		    !x->shares && !y->shares && !same_span(&x->span, &y->span))
			found_at(found(a, a->m->tensors[y->tensor].name, "its bytes from %" PRIu64 " on are also those "
				       "of %s", y->span.offset, said(a, a->m->tensors[x->tensor].name)),
				 y->span.member, y->span.offset, y->span.length);
		if (x->span.member != y->span.member || y->span.offset + y->span.length > end)
			last = i;
	}
	free(c.items);
}

/*
 * Formats whose data is nothing but tensors, from the first of them to the end of the file or zip entry, with at most
 * so many bytes of padding between two. In others headers stand between the tensors: there it is only known of the
 * members of which the reader claims some (model_claim).
 */
static uint64_t padding_of(const struct model *m)
{
	static const struct {
		const char *format;
		uint64_t padding;
	} packed[] = {{"safetensors", 0}, {"gguf", 32}, {"npy", 0}, {"npz", 0}, {"pytorch", 0}, {"coreml", 64},
		      {"tflite", 64}, {"onnx", 65536}}; /* of ONNX's writers some align to pages, of Windows */
	const struct meta_value *align = meta_of(m, "general.alignment");

	for (size_t i = 0; i < COUNT(packed); i++)
		if (strcmp(m->format, packed[i].format) == 0)
			return packed[i].padding && align && align->kind == META_UINT ? align->u.uint
										      : packed[i].padding;
	return UINT64_MAX;
}

static bool only_where_claimed(const struct model *m)
{
	return strcmp(m->format, "coreml") == 0 || strcmp(m->format, "tflite") == 0 || strcmp(m->format, "onnx") == 0;
}

static const char *looks(struct bytes);

/* Whether that gap is padding: shorter than what the format aligns to, and there only zeros are at the end, and what
 * comes next is as aligned as the gap is long. */
static bool is_padding(const struct model *m, struct span gap, struct bytes b)
{
	uint64_t end = gap.offset + gap.length;

	if (gap.length >= padding_of(m))
		return false;
	if (!only_where_claimed(m))
		return true;
	return end == m->source.members[gap.member].size ? !looks(b) : gap.length < (end & (~end + 1));
}

/* Where the tensors of a member begin: safetensors says so (the length of its header in 8 bytes, then that), in others
 * the first one does. */
static uint64_t first_byte(const struct model *m, const struct span *first)
{
	struct bytes b = m->source.members[first->member].data;
	uint64_t header = strcmp(m->format, "safetensors") == 0 && b.n >= 8 ? load_uint(b.p, 8, false) : UINT64_MAX;

	return header < first->offset && header + 8 < first->offset ? header + 8 : first->offset;
}

/* What stands there, in words; NULL: nothing but zeros. */
static const char *looks(struct bytes b)
{
	size_t text = 0, zero = 0;

	for (size_t i = 0; i < b.n; i++) {
		zero += b.p[i] == 0;
		text += (b.p[i] >= 32 && b.p[i] < 127) || b.p[i] == '\n' || b.p[i] == '\t' || b.p[i] == '\r';
	}
	if (zero == b.n)
		return NULL;
	if (signature_of(b))
		return signature_of(b);
	return text == b.n ? "text" : "neither text nor zeros";
}

/* A run of bytes that no tensor claims. */
typedef void gap_fn(struct auditor *, struct span, struct bytes, void *arg);

/* Of each member, whether the reader said that it is nothing but tensors and what it claims itself. */
static bool *members_claimed(const struct model *m)
{
	bool *claimed = xcalloc(m->source.n + 1, sizeof(*claimed));

	for (size_t i = 0; i < m->n_own; i++)
		claimed[m->own[i].member] = true;
	for (size_t i = 0; i < m->n_tensors; i++) /* a broken one's bytes may be anywhere */
		if (only_where_claimed(m) && m->tensors[i].broken)
			memset(claimed, 0, m->source.n * sizeof(*claimed));
	return claimed;
}

static void each_gap(struct auditor *a, gap_fn *fn, void *arg)
{
	struct claims c = claims_of(a->m, true);
	bool *claimed = members_claimed(a->m);
	uint64_t at = 0;

	for (size_t i = 0; padding_of(a->m) != UINT64_MAX && i < c.n; i++) {
		const struct span *x = &c.items[i].span;
		const struct member *in = &a->m->source.members[x->member];
		bool last = i + 1 == c.n || c.items[i + 1].span.member != x->member;
		struct span gap;
		struct bytes b;

		if (in->file == x->member && strcmp(a->m->format, "pytorch") == 0)
			continue; /* older ones have headers between the storages */
		if (only_where_claimed(a->m) && !claimed[x->member])
			continue;
		if (i == 0 || c.items[i - 1].span.member != x->member)
			at = claimed[x->member] ? 0 : first_byte(a->m, x);
		gap = (struct span){x->member, at, x->offset > at ? x->offset - at : 0};
		if (gap.length && source_slice(&a->m->source, gap, &b))
			fn(a, gap, b, arg);
		at = u64_max(at, x->offset + x->length);
		gap = (struct span){x->member, at, in->size > at ? in->size - at : 0};
		if (last && gap.length && source_slice(&a->m->source, gap, &b))
			fn(a, gap, b, arg);
	}
	free(claimed);
	free(c.items);
}

static void unclaimed(struct auditor *a, struct span gap, struct bytes b, void *arg)
{
	const struct member *in = &a->m->source.members[gap.member];
	const char *what = looks(b);
	bool entry = in->file != gap.member;
	struct finding *f;
	(void)arg;

	if (is_padding(a->m, gap, b))
		return;
	f = found(a, STR(""), "%" PRIu64 " bytes from byte %" PRIu64 "%s%s on belong to no tensor (%s)", gap.length,
		  gap.offset, entry ? " of " : "", entry ? said(a, in->name) : "", what ? what : "all zero");
	found_at(f, gap.member, gap.offset, gap.length);
	found_bytes(a, f, "gap", b);
}

/* What the format has beside the entries of tensors. */
static bool is_own_entry(const char *format, struct str name)
{
	static const char *const own[] = {"data.pkl", "constants.pkl", "attributes.pkl", "bytecode.pkl", "version",
					  "byteorder", "code/", "extra/", ".data/", ".format_version",
					  ".storage_alignment", "model.json", "mobile_debug_handles.pkl"};
	const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
	struct str below = slash ? (struct str){slash + 1, name.n - (size_t)(slash + 1 - name.p)} : name;

	if (strcmp(format, "npz") == 0)
		return name.n >= 4 && memcmp(name.p + name.n - 4, ".npy", 4) == 0;
	for (size_t i = 0; i < COUNT(own); i++) {
		size_t n = strlen(own[i]);

		if (below.n >= n && memcmp(below.p, own[i], n) == 0 && (own[i][n - 1] == '/' || below.n == n))
			return true;
	}
	return false;
}

/* Whole entries that no tensor has anything of. Where a tensor is broken, they may be its own. */
static void look_at_entries(struct auditor *a)
{
	const struct source *s = &a->m->source;
	bool *used = xcalloc(s->n, sizeof(*used)), broken = a->m->refusal != NULL;
	struct claims c = claims_of(a->m, false);

	for (size_t i = 0; i < c.n; i++)
		used[c.items[i].span.member] = true;
	for (size_t i = 0; i < a->m->n_tensors; i++) { /* an empty one claims nothing */
		if (a->m->tensors[i].data.member < s->n)
			used[a->m->tensors[i].data.member] = true;
		broken |= a->m->tensors[i].broken;
	}
	for (uint32_t i = 0; !broken && i < s->n; i++) {
		const struct member *m = &s->members[i];
		bool entry = m->file != i && m->kind != MEMBER_PIECES;

		if (entry && !used[i] && m->size && !is_own_entry(a->m->format, m->name))
			found_at(found(a, STR(""), "the entry %s, %" PRIu64 " bytes, belongs to no tensor",
				       said(a, m->name), m->size), i, 0, 0);
	}
	free(c.items);
	free(used);
}

/*
 * HDF5: the superblock stands at 0, 512 or twice that and so on, and tells where the file ends (HDF5 File Format
 * Specification 3.0, II.A). What is in front of it is the user's, what is behind the end is nobody's.
 */
static void look_at_hdf5(struct auditor *a, uint32_t i)
{
	static const char signature[] = "\x89HDF\r\n\x1a\n";
	struct bytes b = a->m->source.members[i].data, part;
	uint64_t at = 0, end, fields;
	unsigned width;
	struct finding *f;

	while (at + 48 <= b.n && memcmp(b.p + at, signature, 8) != 0)
		at = at ? 2 * at : 512;
	if (at + 48 > b.n)
		return;
	width = b.p[at + (b.p[at + 8] < 2 ? 13 : 9)];
	fields = at + (b.p[at + 8] == 0 ? 24 : b.p[at + 8] == 1 ? 28 : 12); /* base, another, the end */
	if (b.p[at + 8] > 3 || !width || width > 8 || fields + 3 * width > b.n)
		return;
	end = load_uint(b.p + fields + 2 * width, width, false);
	part = (struct bytes){b.p, (size_t)at};
	if (at && looks(part)) {
		f = found(a, STR(""), "%" PRIu64 " bytes in front of the HDF5 file belong to no tensor (%s)", at,
			  looks(part));
		found_at(f, i, 0, at);
		found_bytes(a, f, "front", part);
	}
	if (end > at && end < b.n) {
		part = (struct bytes){b.p + end, (size_t)(b.n - end)};
		f = found(a, STR(""), "%zu bytes from byte %" PRIu64 " on follow the end of the HDF5 file (%s)", part.n,
			  end, looks(part) ? looks(part) : "all zero");
		found_at(f, i, end, part.n);
		found_bytes(a, f, "end", part);
	}
}

/* What follows the compressed file's last stream, or the tar file's end mark: whatever unpacks it passes by that. */
static void look_behind_end(struct auditor *a)
{
	struct bytes all = a->m->source.members[0].data;
	struct bytes rest = {all.p + a->end->packed, all.n - (size_t)a->end->packed};
	const char *what = rest.n ? looks(rest) : NULL;
	struct finding *f;

	if (what) {
		f = found(a, STR(""), "%zu bytes from byte %" PRIu64 " on follow the end of what is compressed (%s)",
			  rest.n, a->end->packed, what);
		found_at(f, 0, a->end->packed, rest.n);
		found_bytes(a, f, "end", rest);
	}
	if (a->end->filled)
		found(a, STR(""), "%" PRIu64 " bytes that are not zero follow the end of the tar file's last entry "
		      "(from byte %" PRIu64 " of it on)", a->end->filled, a->end->first);
}

void check_unclaimed(struct auditor *a)
{
	each_gap(a, unclaimed, NULL);
	if (strcmp(a->m->format, "pytorch") == 0 || strcmp(a->m->format, "npz") == 0)
		look_at_entries(a);
	for (uint32_t i = 0; i < a->m->source.n; i++)
		if ((strcmp(a->m->format, "hdf5") == 0 || strcmp(a->m->format, "keras") == 0) &&
		    a->m->source.members[i].kind == MEMBER_MAPPED)
			look_at_hdf5(a, i);
	if (a->end)
		look_behind_end(a);
}

static void not_zero(struct auditor *a, struct span gap, struct bytes b, void *arg)
{
	struct finding *f;
	(void)arg;

	if (!is_padding(a->m, gap, b) || !looks(b))
		return;
	f = found(a, STR(""), "%" PRIu64 " bytes of padding from byte %" PRIu64 " on are %s", gap.length, gap.offset,
		  looks(b));
	found_at(f, gap.member, gap.offset, gap.length);
	found_bytes(a, f, "padding", b);
}

void check_padding(struct auditor *a)
{
	each_gap(a, not_zero, NULL);
	check_zip_extra(a);
}

/* ---- padding that looks random ---- */

static void add_padding(struct auditor *a, struct span gap, struct bytes b, void *arg)
{
	uint64_t *counts = arg;

	for (size_t i = 0; is_padding(a->m, gap, b) && i < b.n; i++)
		counts[b.p[i]]++;
}

/*
 * Shannon's entropy of all padding together, against the most that so many bytes can have: of n random bytes about a
 * tenth is missing, of text and of what a writer left in memory a third or more.
 */
void check_padding_random(struct auditor *a)
{
	enum { LEAST = 64 };
	static const double SHARE = 0.85;
	uint64_t counts[256] = {0}, n = 0;
	double entropy = 0, most;

	each_gap(a, add_padding, counts);
	for (size_t i = 0; i < COUNT(counts); i++)
		n += counts[i];
	if (n < LEAST)
		return;
	for (size_t i = 0; i < COUNT(counts); i++)
		entropy -= counts[i] ? (double)counts[i] / (double)n * log2((double)counts[i] / (double)n) : 0;
	most = fmin(8, log2((double)n));
	if (entropy > SHARE * most)
		found(a, STR(""), "all %" PRIu64 " bytes of padding have %.2f bits of entropy each, of at most %.2f", n,
		      entropy, most);
}

void check_misaligned(struct auditor *a)
{
	bool npy = strncmp(a->m->format, "np", 2) == 0;
	const struct tensor *objects = NULL; /* an array of them: a pickle aligns nothing */

	for (size_t i = 0; (npy || reader_looks(a->m)) && i < a->m->n_tensors; i++) {
		const struct tensor *t = &a->m->tensors[i];
		const struct source *s = &a->m->source;
		const struct member *in = t->data.member < s->n ? &s->members[t->data.member] : NULL;
		unsigned size = dtypes[t->type].items == 1 ? dtypes[t->type].bytes : 1;
		uint64_t at = in && in->kind == MEMBER_MAPPED ? in->file_offset + t->data.offset : 0;

		/* NumPy's old versions aligned to 16 from the entry's start, and zip entries stand anywhere */
		if (npy && in && in->file_offset)
			continue;
		if (npy && objects && t->data.member == objects->data.member)
			continue;
		if (npy && t->type == DT_OPAQUE && t->note)
			objects = t;
		if (!t->pack && !t->broken && t->count && size && at % size)
			found_at(found(a, t->name, "it begins at byte %" PRIu64 ", no multiple of the %u bytes of %s",
				       at, size, t->type_name), t->data.member, t->data.offset, t->data.length);
	}
}

/* ---- duplicates ---- */

struct twin {
	double l2, mean;
	uint64_t bytes;
	size_t tensor;
};

static int by_numbers(const void *pa, const void *pb)
{
	const struct twin *a = pa, *b = pb;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? -1 : 1;
	if (a->l2 < b->l2 || a->l2 > b->l2)
		return a->l2 < b->l2 ? -1 : 1;
	if (a->mean < b->mean || a->mean > b->mean)
		return a->mean < b->mean ? -1 : 1;
	return (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

/* Numbers that are the same are a hint; the bytes decide. A constant is the same as the next one for another reason. */
static bool same_bytes(const struct model *m, const struct twin *a, const struct twin *b)
{
	struct bytes x, y;

	return a->bytes == b->bytes && m->tensors[a->tensor].type == m->tensors[b->tensor].type &&
	       source_slice(&m->source, m->tensors[a->tensor].data, &x) &&
	       source_slice(&m->source, m->tensors[b->tensor].data, &y) && x.p != y.p && memcmp(x.p, y.p, x.n) == 0;
}

void check_duplicate(struct auditor *a)
{
	enum { LEAST = 64 }; /* elements: fewer may be the same by chance */
	struct twin *twins = xcalloc(a->m->n_tensors, sizeof(*twins));
	size_t n = 0;

	for (size_t i = 0; i < a->m->n_tensors; i++) {
		const struct tensor *t = &a->m->tensors[i];
		const struct stats *st = &a->surveys[i].st;

		if (a->surveys[i].read && !t->pack && !t->tied.n && t->count >= LEAST && st->min < st->max)
			twins[n++] = (struct twin){st->l2, st->mean, t->data.length, i};
	}
	if (n)
		qsort(twins, n, sizeof(*twins), by_numbers);
	for (size_t i = 1; i < n; i++)
		if (same_bytes(a->m, &twins[i - 1], &twins[i]))
			found(a, a->m->tensors[twins[i].tensor].name, "it holds the same bytes as %s",
			      said(a, a->m->tensors[twins[i - 1].tensor].name));
	free(twins);
}
