/*
 * What torch.save wrote until version 0.1.9: a tar file of three files. `storages` has their number as a pickle, then
 * for each a pickle (key, location, type), its number of elements and they, then a pickle of views (key, key of the
 * whole, offset, number). `tensors` has their number, then for each a pickle (key, key of its storage, type), the
 * number of dimensions in 8 bytes, shape, stride and offset. `pickle` is the object, whose persistent ids are keys of
 * tensors.
 * Source: pytorch/pytorch, torch/serialization.py, legacy_load.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/torch_tensor.h"

enum { BLOCK = 512, NAME = 100, SIZE_AT = 124, SIZE_N = 12, KIND_AT = 156, MAGIC_AT = 257 };

struct old_tensor {
	struct str key;
	uint32_t storage;  /* its number in torch.storages */
	uint64_t before;   /* elements before the view that its storage is */
	uint64_t offset;
	unsigned rank;
	uint64_t shape[RANK_MAX], stride[RANK_MAX];
};

struct tar {
	struct torch tc;
	struct map views; /* keys of views of storages: numbers in `view` */
	struct {
		uint32_t storage;
		uint64_t before;
	} *view;
	size_t n_views;
	struct map keys; /* of tensors */
	struct old_tensor *tensors;
	size_t n, cap;
};

/* ---- the files in the tar file ---- */

static uint64_t octal(const uint8_t *p, size_t n)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n && ((p[i] >= '0' && p[i] <= '7') || p[i] == ' '); i++)
		x = p[i] == ' ' ? x : x << 3 | (uint64_t)(p[i] - '0'); /* 36 bits at most */
	return x;
}

static struct str entry_name(const uint8_t *header)
{
	struct str name = {(const char *)header, strnlen((const char *)header, NAME)};

	if (name.n > 2 && memcmp(name.p, "./", 2) == 0)
		name = (struct str){name.p + 2, name.n - 2};
	return name;
}

static bool find_entry(struct bytes all, const char *want, uint64_t *at, uint64_t *size)
{
	for (uint64_t i = 0; all.n >= BLOCK && i <= all.n - BLOCK;) {
		const uint8_t *header = all.p + i;

		*at = i + BLOCK;
		*size = octal(header + SIZE_AT, SIZE_N);
		if (!header[0] || *size > all.n - *at)
			return false;
		if (str_eq(entry_name(header), str_of(want)) && (header[KIND_AT] == '0' || !header[KIND_AT]))
			return true;
		i = *at + (*size + BLOCK - 1) / BLOCK * BLOCK;
	}
	return false;
}

bool torch_tar_looks(struct bytes head)
{
	static const char *const names[] = {"storages", "tensors", "pickle", "sys_info"};

	if (head.n < BLOCK || memcmp(head.p + MAGIC_AT, "ustar", 5) != 0)
		return false;
	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(entry_name(head.p), str_of(names[i])))
			return true;
	return false;
}

/* ---- storages and tensors ---- */

static enum rc next_pickle(struct tar *t, struct pickle *p, struct cur *c, struct err *e)
{
	enum rc rc;

	*p = (struct pickle){.m = t->tc.m, .member = t->tc.p->member};
	rc = pickle_read(p, cur_at(c), e);
	if (rc == RC_OK && p->end - cur_at(c) > cur_left(c))
		rc = err_set(e, "a pickle leaves its part of the tar file (byte %" PRIu64 ")", p->end);
	if (rc == RC_OK)
		cur_take(c, p->end - cur_at(c));
	return rc;
}

/* How many pickles follow. */
static enum rc take_count(struct tar *t, struct cur *c, uint64_t *n, struct err *e)
{
	struct pickle p;
	enum rc rc = next_pickle(t, &p, c, e);

	if (rc == RC_OK && (!pk_u64(p.root, n) || *n > cur_left(c)))
		rc = err_set(e, "a number is expected (byte %" PRIu64 ")", p.root->at);
	pickle_free(&p);
	return rc;
}

static struct str key_of(struct tar *t, struct pickle *p, struct pk *x)
{
	struct str s;

	if (pk_text(p, x, &s))
		return arena_str(&t->tc.m->arena, s);
	return pk_is(x, PK_INT) ? str_of(arena_printf(&t->tc.m->arena, "%" PRId64, x->u.integer)) : STR("");
}

static enum rc take_storage(struct tar *t, struct cur *c, struct err *e)
{
	struct storage s = {0};
	struct pickle p;
	enum rc rc = next_pickle(t, &p, c, e);
	uint64_t bytes = 0;

	if (rc == RC_OK) {
		s.key = key_of(t, &p, pk_item(p.root, 0));
		s.type = torch_storage_type(pk_item(p.root, 2));
		s.numel = cur_u64(c);
		if (c->bad || !s.key.n || !s.type || !u64_mul(s.numel, s.type->size, &bytes) || bytes > cur_left(c))
			rc = err_set(e, "the storage at byte %" PRIu64 " is not sound", p.root->at);
	}
	if (rc == RC_OK) {
		s.span = (struct span){t->tc.p->member, cur_at(c), bytes};
		cur_take(c, bytes);
		torch_add_storage(&t->tc, s);
	}
	pickle_free(&p);
	return rc;
}

/* Views of storages, which tensors may name as theirs. */
static enum rc take_views(struct tar *t, struct cur *c, struct err *e)
{
	struct pickle p;
	enum rc rc = next_pickle(t, &p, c, e);
	size_t n = rc == RC_OK ? pk_count(p.root) : 0;

	t->view = xcalloc(n, sizeof(*t->view));
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		const struct pk *x = pk_item(p.root, i);
		uint32_t whole = map_get(&t->tc.keys, key_of(t, &p, pk_item(x, 1)));

		if (whole == MAP_NONE || !pk_u64(pk_item(x, 2), &t->view[i].before)) {
			rc = err_set(e, "a view of a storage is not sound (byte %" PRIu64 ")", p.root->at);
			break;
		}
		t->view[i].storage = whole;
		map_add(&t->views, key_of(t, &p, pk_item(x, 0)), (uint32_t)i);
		t->n_views++;
	}
	pickle_free(&p);
	return rc;
}

static enum rc read_storages(struct tar *t, struct cur c, struct err *e)
{
	uint64_t n;

	if (take_count(t, &c, &n, e) != RC_OK)
		return RC_FAIL;
	for (uint64_t i = 0; i < n; i++)
		if (take_storage(t, &c, e) != RC_OK)
			return RC_FAIL;
	return take_views(t, &c, e);
}

static bool find_storage(const struct tar *t, struct str key, struct old_tensor *x)
{
	uint32_t at = map_get(&t->views, key);

	x->storage = at == MAP_NONE ? map_get(&t->tc.keys, key) : t->view[at].storage;
	x->before = at == MAP_NONE ? 0 : t->view[at].before;
	return x->storage != MAP_NONE;
}

static enum rc take_tensor(struct tar *t, struct cur *c, struct err *e)
{
	struct old_tensor x = {0};
	struct pickle p;
	enum rc rc = next_pickle(t, &p, c, e);

	if (rc == RC_OK) {
		x.key = key_of(t, &p, pk_item(p.root, 0));
		x.rank = cur_u32(c);
		cur_u32(c);
		if (!find_storage(t, key_of(t, &p, pk_item(p.root, 1)), &x) || x.rank > RANK_MAX)
			rc = err_set(e, "the tensor at byte %" PRIu64 " is not sound", p.root->at);
	}
	pickle_free(&p);
	if (rc != RC_OK)
		return rc;
	for (unsigned i = 0; i < x.rank; i++)
		x.shape[i] = cur_u64(c);
	for (unsigned i = 0; i < x.rank; i++)
		x.stride[i] = cur_u64(c);
	x.offset = cur_u64(c);
	if (c->bad)
		return err_set(e, "the tar file ends inside a tensor");
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->tensors = xrealloc(t->tensors, t->cap, sizeof(*t->tensors));
	}
	map_add(&t->keys, x.key, (uint32_t)t->n);
	t->tensors[t->n++] = x;
	return RC_OK;
}

static enum rc read_tensors(struct tar *t, struct cur c, struct err *e)
{
	uint64_t n;

	if (take_count(t, &c, &n, e) != RC_OK)
		return RC_FAIL;
	for (uint64_t i = 0; i < n; i++)
		if (take_tensor(t, &c, e) != RC_OK)
			return RC_FAIL;
	return RC_OK;
}

/* ---- the object ---- */

static enum leaf leaf(struct tree *tree, struct pk **node, struct str name, struct err *e)
{
	struct tar *t = (struct tar *)tree->arg; /* whose first member torch_leaf takes it for */
	struct torch_view v = {0};
	struct old_tensor *x;
	uint32_t at;

	if ((*node)->kind != PK_PERSISTENT)
		return torch_leaf(tree, node, name, e);
	at = map_get(&t->keys, key_of(t, tree->p, (*node)->u.id));
	if (at == MAP_NONE)
		return LEAF_NOT;
	x = &t->tensors[at];
	v.rank = x->rank;
	memcpy(v.shape, x->shape, sizeof(v.shape));
	memcpy(v.stride, x->stride, sizeof(v.stride));
	if (!u64_add(x->before, x->offset, &v.offset))
		v.offset = UINT64_MAX;
	torch_add_view(&t->tc, name, &v, &t->tc.storages[x->storage]);
	return LEAF_TAKEN;
}

static struct cur part(const struct model *m, uint32_t member, uint64_t at, uint64_t size)
{
	struct cur c = cur_of(m->source.members[member].data);

	c.end = c.start + at + size;
	cur_take(&c, at);
	return c;
}

enum rc torch_tar_read(struct model *m, uint32_t member, struct err *e)
{
	struct bytes all = m->source.members[member].data;
	struct pickle p = {.m = m, .member = member};
	struct tar t = {.tc = {.m = m, .p = &p}};
	struct tree tree = {.p = &p, .leaf = leaf, .arg = &t, .only = "tensor", .no_meta = m->files > 0};
	uint64_t at, size;
	static const char *const parts[] = {"storages", "tensors", "pickle"};
	enum rc rc = RC_OK;
	struct err why;

	/* one after the other, as PyTorch does: what stands in the first is run before the next one is missed */
	for (int i = 0; i < 3 && rc == RC_OK; i++) {
		if (!find_entry(all, parts[i], &at, &size))
			rc = err_set(e, "the tar file has no whole %s in it", parts[i]);
		else if (i == 2)
			rc = pickle_read(&p, at, e);
		else
			rc = (i ? read_tensors : read_storages)(&t, part(m, member, at, size), e);
	}
	if (rc == RC_OK)
		rc = tree_walk(&tree, STR(""), e);
	if (tree_end(&tree, rc == RC_OK ? e : &why) != RC_OK)
		rc = RC_FAIL;
	m->variant = "old tar file";
	torch_free(&t.tc);
	map_free(&t.views);
	map_free(&t.keys);
	free(t.view);
	free(t.tensors);
	pickle_free(&p);
	return rc;
}
