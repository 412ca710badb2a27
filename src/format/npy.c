/* NumPy: arrays alone (.npy) and many in a zip file (.npz). The header stands in npy_header.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bytes/cur.h"
#include "bytes/spool.h"
#include "bytes/stream.h"
#include "format/format.h"
#include "format/npy_header.h"
#include "format/pickle.h"
#include "format/pickled.h"
#include "format/shards.h"

enum { HEAD = NPY_PREFIX_MAX + NPY_HEADER_MAX, ARRAYS_MAX = 100000 };

/* ---- .npy ---- */

static bool has_magic(struct bytes b)
{
	return b.n >= 10 && memcmp(b.p, "\x93NUMPY", 6) == 0;
}

static int probe_npy(const struct probe *p)
{
	return has_magic(p->head) && p->head.p[6] >= 1 && p->head.p[6] <= 3 && p->head.p[7] == 0 ? 64 : 0;
}

static struct str without(struct str name, struct str ending)
{
	if (name.n > ending.n && memcmp(name.p + name.n - ending.n, ending.p, ending.n) == 0)
		name.n -= ending.n;
	return name;
}

/* An array of objects is a pickle: what weighs something in it is listed after the array. Adds members. *stop gets
 * where the pickle ends, if that is known. */
static enum rc add_objects(struct model *m, const struct npy_array *a, uint64_t *stop, struct err *e)
{
	struct pickled x = {.member = a->member, .beside = a->member, .at = a->at, .prefix = a->name, .only = "array"};
	size_t end = m->n_tensors;

	if (source_unpack(&m->source, a->member, e) != RC_OK)
		return RC_FAIL;
	if (pickled_read(m, &x, e) != RC_OK)
		model_problem(m, a->name, "%s", e->msg);
	else
		*stop = x.end;
	for (size_t i = end - a->h.n_fields; i < end; i++) {
		if (end < m->n_tensors) /* they share its bytes */
			m->tensors[i].note = "what is in it is listed after it";
		m->tensors[i].data.length = *stop - a->at;
	}
	return RC_OK;
}

/* np.save to an open file puts several arrays one after the other: name, name.2, name.3. */
static enum rc add_arrays(struct model *m, uint32_t member, struct str name, unsigned version[2], struct err *e)
{
	struct bytes all = m->source.members[member].data;
	uint64_t at = 0;

	for (unsigned i = 1; i <= ARRAYS_MAX && at < all.n; i++) {
		struct npy_array a = {.m = m, .member = member, .name = name};
		struct bytes rest = {all.p + at, all.n - (size_t)at};
		enum rc rc;

		if (i > 1 && !has_magic(rest))
			break;
		if (i > 1)
			a.name = str_of(arena_printf(&m->arena, "%.*s.%u", (int)name.n, name.p, i));
		if (npy_header_read(&a.h, &m->arena, rest, e) != RC_OK) {
			if (i == 1)
				return RC_FAIL;
			model_problem(m, a.name, "from byte %" PRIu64 " on: %s", at, e->msg);
			break;
		}
		version[0] = a.h.major;
		version[1] = a.h.minor;
		a.at = at + a.h.data;
		a.size = all.n - a.at;
		model_claim(m, (struct span){member, at, a.h.data});
		rc = npy_array_add(&a, &at, e);
		if (rc == RC_OK && a.h.objects)
			rc = add_objects(m, &a, &at, e);
		npy_header_free(&a.h);
		if (rc != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

static enum rc read_npy(struct model *m, uint32_t member, struct err *e)
{
	struct str path = m->source.members[member].name;
	struct str name = without(base_name(path), STR(".npy"));
	unsigned version[2] = {0};

	for (size_t i = name.n; i-- > 0;) /* of ARCHIVE:ENTRY, the entry */
		if (name.p[i] == ':') {
			name = (struct str){name.p + i + 1, name.n - i - 1};
			break;
		}
	if (!name.n || str_eq(name, STR("-")))
		name = STR("array");
	if (add_arrays(m, member, arena_str(&m->arena, name), version, e) != RC_OK)
		return RC_FAIL;
	m->variant = arena_printf(&m->arena, "version %u.%u", version[0], version[1]);
	m->files = 1;
	m->bytes = m->source.members[member].size;
	return RC_OK;
}

const struct format format_npy = {
	.name = "npy",
	.about = "NumPy's format for one array",
	.reads = "versions 1 to 3, both orders and byte orders, structured arrays; of objects, text and dates only the "
		 "header",
	.files = "*.npy",
	.probe = probe_npy,
	.read = read_npy,
};

/* ---- .npz ---- */

static bool ends_with(struct str s, struct str ending)
{
	return s.n >= ending.n && memcmp(s.p + s.n - ending.n, ending.p, ending.n) == 0;
}

/* A zip file whose first entry, or last directory entries, are named *.npy. */
static int probe_npz(const struct probe *p)
{
	struct cur c = cur_of(p->head);
	struct str name = {"", 0};
	const uint8_t *at;

	if (p->head.n < 4 || memcmp(p->head.p, "PK", 2) != 0)
		return 0;
	cur_take(&c, 26);
	name.n = cur_u16(&c);
	cur_u16(&c);
	name.p = (const char *)cur_take(&c, name.n);
	if (memcmp(p->head.p, "PK\3\4", 4) == 0 && !c.bad && ends_with(name, STR(".npy")))
		return 64;
	at = p->tail.n ? memmem(p->tail.p, p->tail.n, ".npy", 4) : NULL;
	if (at && memmem(p->tail.p, p->tail.n, "PK\1\2", 4))
		return 40;
	return p->name && ends_with(str_of(p->name), STR(".npz")) ? 8 : 0;
}

struct npz_count {
	size_t arrays, deflated;
};

/* The first bytes of an entry, in place or inflated into buf. */
static enum rc entry_head(const struct model *m, uint32_t member, uint8_t *buf, struct bytes *head, struct err *e)
{
	struct span span = {member, 0, u64_min(HEAD, m->source.members[member].size)};
	struct stream *s;
	enum rc rc;

	if (source_slice(&m->source, span, head))
		return RC_OK;
	if (stream_open(&s, &m->source, span, e) != RC_OK)
		return RC_FAIL;
	*head = (struct bytes){buf, (size_t)span.length};
	rc = stream_read(s, buf, head->n, e);
	stream_close(s);
	return rc;
}

/* Python runs the pickle of a deflated entry as it comes: that the entry breaks off further on, or has another checksum
 * than it says, never comes up. So for the calls alone it is read as far as it goes. */
static void try_broken(struct model *m, uint32_t member)
{
	enum { PART = 4096, MOST = 16 << 20 };
	struct span span = {member, 0, u64_min(m->source.members[member].size, MOST)};
	uint8_t *buf = xcalloc((size_t)span.length + 1, 1); /* a part that broke off ends in zeros: no opcodes */
	struct npy_header h = {0};
	enum rc rc = RC_OK;
	struct stream *s;
	size_t n = 0;
	struct err e;

	if (stream_open(&s, &m->source, span, &e) == RC_OK) {
		while (rc == RC_OK && n < span.length) {
			size_t part = (size_t)u64_min(PART, span.length - n);

			rc = stream_read(s, buf + n, part, &e);
			n += part;
			if ((n >= HEAD || n == span.length || rc != RC_OK) && !h.data &&
			    (!has_magic((struct bytes){buf, n}) ||
			     npy_header_read(&h, &m->arena, (struct bytes){buf, n}, &e) != RC_OK || !h.objects))
				break;
		}
		stream_close(s);
	}
	if (h.objects && h.data && h.data < n)
		pickle_try(m, member, (struct bytes){buf + h.data, n - (size_t)h.data}, h.data, NULL);
	npy_header_free(&h);
	free(buf);
}

static void note_other(struct model *m, const struct member *in)
{
	struct meta_value *v = model_add_meta(m, in->name);

	v->type = "file";
	meta_set_text(m, v, str_of(arena_printf(&m->arena, "%" PRIu64 " bytes, not an array", in->size)));
}

/* One entry. A broken one becomes a tensor without a shape that says why, so that it is not missed. */
static void add_entry(struct model *m, uint32_t member, uint8_t *buf, struct npz_count *n)
{
	const struct member in = m->source.members[member]; /* a copy: reading objects adds members */
	struct npy_array a = {.m = m, .member = member, .name = without(in.name, STR(".npy"))};
	size_t before = m->n_tensors;
	struct bytes head;
	struct tensor *t;
	uint64_t end;
	struct err e;
	enum rc rc;

	rc = entry_head(m, member, buf, &head, &e);
	if (rc == RC_OK && !has_magic(head) && !ends_with(in.name, STR(".npy"))) {
		note_other(m, &in);
		return;
	}
	n->arrays++;
	n->deflated += in.kind == MEMBER_DEFLATED;
	a.name = arena_str(&m->arena, a.name);
	if (rc == RC_OK)
		rc = npy_header_read(&a.h, &m->arena, head, &e);
	if (rc == RC_OK) {
		a.at = a.h.data;
		a.size = in.size - a.at;
		rc = npy_array_add(&a, &end, &e);
		if (rc == RC_OK && a.h.objects)
			rc = add_objects(m, &a, &end, &e);
		npy_header_free(&a.h);
	}
	if (rc == RC_OK) {
		if (end < in.size)
			model_problem(m, a.name, "%" PRIu64 " bytes follow its array in the zip entry", in.size - end);
		return;
	}
	m->n_tensors = before;
	t = model_add_tensor(m);
	t->name = a.name;
	t->type_name = dtypes[DT_OPAQUE].name;
	t->data = (struct span){member, 0, in.size};
	tensor_broken(m, t, "%s", e.msg);
	if (in.kind == MEMBER_DEFLATED)
		try_broken(m, member);
}

static enum rc read_npz(struct model *m, uint32_t member, struct err *e)
{
	struct npz_count n = {0};
	uint32_t first, count;
	uint8_t *buf;

	m->files = 1;
	m->bytes = m->source.members[member].size;
	if (source_add_zip(&m->source, member, &first, &count, e) != RC_OK)
		return RC_FAIL;
	buf = arena_new(&m->arena, uint8_t, HEAD);
	for (uint32_t i = first; i < first + count; i++) {
		if (model_room(m, e) != RC_OK)
			return RC_FAIL;
		add_entry(m, i, buf, &n);
	}
	if (n.arrays)
		m->variant = !n.deflated ? "stored" : n.deflated == n.arrays ? "deflated" : "stored and deflated";
	return RC_OK;
}

const struct format format_npz = {
	.name = "npz",
	.about = "NumPy's zip file of arrays, as np.savez and mlx.savez write it",
	.reads = "stored arrays in place, deflated ones as a stream",
	.files = "*.npz",
	.probe = probe_npz,
	.read = read_npz,
};
