/*
 * PyTorch: what torch.save and torch.jit.save write, in all their containers.
 *
 *	zip      (since 1.6) ROOT/data.pkl, ROOT/data/KEY for each storage, ROOT/version, ROOT/byteorder ...;
 *	         TorchScript adds ROOT/constants.pkl with ROOT/constants/KEY, and ROOT/code/
 *	stream   five pickles (a magic number, 1001, the machine, the object, the keys), then the storages, each with
 *	         its number of elements before it
 *	tar      (until 0.1.9) torch_tar.c
 *
 * Sources: pytorch/pytorch, torch/serialization.py, caffe2/serialize/inline_container.cc.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "format/format.h"
#include "format/index.h"
#include "format/torch_tensor.h"

enum { TEXT_MAX = 4096, EXTRA_MAX = 64, LOCATIONS = 8 };

static bool ends_with(struct str s, struct str ending)
{
	return s.n >= ending.n && memcmp(s.p + s.n - ending.n, ending.p, ending.n) == 0;
}

static bool starts_with(struct str s, struct str beginning)
{
	return s.n >= beginning.n && memcmp(s.p, beginning.p, beginning.n) == 0;
}

static void add_text(struct model *m, const char *key, struct str text)
{
	struct meta_value *v = model_add_meta(m, str_of(key));

	v->type = "str";
	meta_set_text(m, v, text);
}

/* Where the storages were when they were saved: cpu, cuda:0 ... */
static void add_locations(struct torch *tc, const struct pickle *p)
{
	struct str seen[LOCATIONS], word;
	struct buf b = {0};
	size_t n = 0;

	for (uint32_t i = 0; i < p->persistent.n && n < LOCATIONS; i++) {
		const struct pk *id = p->persistent.items[i]->u.id;
		size_t k = 0;

		if (!pk_text_is(tc->p, pk_item(id, 0), "storage") || !pk_text(tc->p, pk_item(id, 3), &word) ||
		    word.n > 64)
			continue;
		while (k < n && !str_eq(seen[k], word))
			k++;
		if (k < n)
			continue;
		seen[n++] = word;
		buf_puts(&b, n > 1 ? ", " : "");
		buf_str(&b, word);
	}
	if (n)
		add_text(tc->m, "pytorch.location", buf_view(&b));
	buf_free(&b);
}

/* Walks the graph of p. Shards of a set tell the same metadata, once is enough. */
static enum rc walk(struct torch *tc, struct pickle *p, const char *prefix, struct err *e)
{
	struct tree t = {.p = p, .leaf = torch_leaf, .arg = tc, .only = "tensor", .no_meta = tc->m->files > 0};
	enum rc rc, ended;
	struct err why;

	tc->p = p;
	if (!t.no_meta && !*prefix)
		add_locations(tc, p);
	rc = tree_walk(&t, str_of(prefix), e);
	ended = tree_end(&t, rc == RC_OK ? e : &why);
	return rc == RC_OK ? ended : rc;
}

/* ---- zip ---- */

struct zip {
	struct model *m;
	uint32_t first, count;
	struct str root;       /* with its slash */
	uint32_t data;         /* its data.pkl */
	const char *folder;    /* of the storages: data/, constants/ */
	struct map by_name;    /* members, by their names after the root */
};

static struct str name_in(const struct zip *z, uint32_t member)
{
	struct str name = z->m->source.members[member].name;

	return (struct str){name.p + z->root.n, name.n - z->root.n};
}

static bool find_member(const struct zip *z, const char *name, uint32_t *member)
{
	*member = map_get(&z->by_name, str_of(name));
	return *member != MAP_NONE;
}

static bool is_data(struct str name)
{
	return name.n >= 9 && strncasecmp(name.p + name.n - 9, "/data.pkl", 9) == 0;
}

/* data.pkl of the first entry's folder, which is PyTorch's rule; else of the outermost folder that has one. */
static enum rc find_root(struct zip *z, struct err *e)
{
	bool found = false;
	struct str first = z->count ? z->m->source.members[z->first].name : STR("");
	const char *slash = first.n ? memchr(first.p, '/', first.n) : NULL;

	first.n = slash ? (size_t)(slash + 1 - first.p) : 0;
	for (uint32_t i = z->first; i < z->first + z->count; i++) {
		struct str name = z->m->source.members[i].name;
		struct str root = {name.p, is_data(name) ? name.n - 8 : 0};

		if (!root.n || (found && root.n >= z->root.n && !str_eq(root, first)))
			continue;
		z->root = root;
		z->data = i;
		found = true;
		if (str_eq(root, first))
			break;
	}
	if (!found)
		return err_set(e, "the zip file has no data.pkl: it is not of torch.save");
	map_reserve(&z->by_name, z->count);
	for (uint32_t i = z->first; i < z->first + z->count; i++)
		if (starts_with(z->m->source.members[i].name, z->root))
			map_add(&z->by_name, name_in(z, i), i);
	return RC_OK;
}

static void find_in_zip(struct torch *tc, struct storage *s)
{
	const struct zip *z = tc->arg;
	const struct member *in;
	uint64_t bytes;
	char path[512];
	uint32_t member;

	if (s->key.n > sizeof(path) - 16) {
		s->trouble = "the name of its storage is too long";
		return;
	}
	snprintf(path, sizeof(path), "%s%.*s", z->folder, (int)s->key.n, s->key.p);
	if (!find_member(z, path, &member)) {
		s->trouble = arena_printf(&tc->m->arena, "its storage %.200s is not in the zip file", path);
		return;
	}
	in = &tc->m->source.members[member];
	if (!u64_mul(s->numel, s->type->size, &bytes) || bytes > in->size)
		s->trouble = arena_printf(&tc->m->arena, "its storage %.200s has %" PRIu64 " bytes instead of %" PRIu64
					  " elements of %u", path, in->size, s->numel, s->type->size);
	else
		s->span = (struct span){member, 0, bytes};
}

/* A small file of the zip, as text without the blanks around it. */
static bool small_text(const struct zip *z, const char *name, struct str *text)
{
	struct bytes head;
	struct err ignored;
	uint32_t member;

	if (!find_member(z, name, &member) || z->m->source.members[member].size > TEXT_MAX ||
	    source_head(&z->m->source, member, TEXT_MAX, &head, &ignored) != RC_OK)
		return false;
	*text = (struct str){(const char *)head.p, head.n};
	while (text->n && strchr(" \t\r\n", text->p[text->n - 1]))
		text->n--;
	return utf8_valid(*text);
}

static void add_file_meta(const struct zip *z)
{
	static const struct {
		const char *file, *key;
	} small[] = {
		{"version", "pytorch.version"},
		{".data/version", "pytorch.version"},
		{"byteorder", "pytorch.byteorder"},
		{".format_version", "pytorch.format_version"},
		{".storage_alignment", "pytorch.storage_alignment"},
		{".data/serialization_id", "pytorch.serialization_id"},
	};
	unsigned code = 0, extra = 0;
	struct str text;

	for (size_t i = 0; i < COUNT(small); i++)
		if (small_text(z, small[i].file, &text))
			add_text(z->m, small[i].key, text);
	for (uint32_t i = z->first; i < z->first + z->count; i++) {
		struct str name = z->m->source.members[i].name;

		if (!starts_with(name, z->root))
			continue;
		name = name_in(z, i);
		code += starts_with(name, STR("code/")) && ends_with(name, STR(".py"));
		if (starts_with(name, STR("extra/")) && extra++ < EXTRA_MAX && small_text(z, name.p, &text))
			add_text(z->m, name.p, text);
	}
	if (code)
		add_text(z->m, "pytorch.code",
			 str_of(arena_printf(&z->m->arena, "%u file%s", code, code == 1 ? "" : "s")));
}

/* One pickle of the zip and the storages in its folder. */
static enum rc read_pickle(struct zip *z, uint32_t member, const char *folder, const char *prefix, bool big,
			   struct err *e)
{
	struct torch tc = {.m = z->m, .find = find_in_zip, .arg = z, .big = big};
	struct pickle p = {.m = z->m, .member = member};
	struct str name = z->m->source.members[member].name;
	enum rc rc;

	z->folder = folder;
	rc = source_unpack(&z->m->source, member, e);
	if (rc == RC_OK)
		rc = pickle_read(&p, 0, e);
	if (rc == RC_OK && p.end < z->m->source.members[member].size)
		model_problem(z->m, STR(""), "%" PRIu64 " bytes follow the pickle in %.*s",
			      z->m->source.members[member].size - p.end, (int)z->m->source.members[member].name.n,
			      z->m->source.members[member].name.p);
	if (rc == RC_OK)
		rc = walk(&tc, &p, prefix, e);
	else if (strncmp(e->msg, name.p, name.n) != 0) /* inflating names it itself */
		err_prefix(e, "%.*s", (int)name.n, name.p);
	torch_free(&tc);
	pickle_free(&p);
	return rc;
}

static enum rc read_entries(struct zip *z, struct err *e)
{
	struct str order = STR("little"), version = STR("");
	uint32_t constants;
	struct err why;
	bool big, script;

	if (find_root(z, e) != RC_OK)
		return RC_FAIL;
	if (!z->m->files)
		add_file_meta(z);
	small_text(z, "byteorder", &order);
	if (!small_text(z, "version", &version))
		small_text(z, ".data/version", &version);
	big = str_eq(order, STR("big"));
	script = find_member(z, "constants.pkl", &constants);
	z->m->variant = arena_printf(&z->m->arena, "%s%s%.20s%s", script ? "TorchScript" : "zip",
				     version.n ? ", version " : "", version.n ? arena_str(&z->m->arena, version).p : "",
				     big ? ", big-endian" : "");
	if (read_pickle(z, z->data, "data/", "", big, e) != RC_OK)
		return RC_FAIL;
	if (script && read_pickle(z, constants, "constants/", "constants", big, &why) != RC_OK)
		model_problem(z->m, STR(""), "%s", why.msg);
	return RC_OK;
}

static enum rc read_zip(struct model *m, uint32_t member, struct err *e)
{
	struct zip z = {.m = m};
	enum rc rc = source_add_zip(&m->source, member, &z.first, &z.count, e);

	if (rc == RC_OK)
		rc = read_entries(&z, e);
	map_free(&z.by_name);
	return rc;
}

/* ---- the stream ---- */

static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

static bool is_magic(const struct pk *x)
{
	if (!pk_is(x, PK_BIG))
		return false;
	if (x->code == PK_QUOTED) /* protocols 0 and 1 */
		return str_eq(x->u.text, STR("119547037146038801333356"));
	return x->u.text.n == sizeof(magic) && memcmp(x->u.text.p, magic, sizeof(magic)) == 0;
}

static void find_later(struct torch *tc, struct storage *s)
{
	(void)tc;
	s->trouble = "its storage is not in the file";
}

/* A small pickle before the object. */
static enum rc read_small(struct torch *tc, struct pickle *p, uint64_t *at, struct err *e)
{
	enum rc rc;

	*p = (struct pickle){.m = tc->m, .member = tc->p->member};
	rc = pickle_read(p, *at, e);
	*at = p->end;
	return rc;
}

static enum rc read_heads(struct torch *tc, uint64_t *at, struct err *e)
{
	struct pickle p;
	enum rc rc;
	int64_t version;

	rc = read_small(tc, &p, at, e);
	if (rc == RC_OK && !is_magic(p.root))
		rc = err_set(e, "the first pickle is not torch.save's magic number (byte %" PRIu64 ")", p.root->at);
	pickle_free(&p);
	if (rc != RC_OK)
		return rc;
	rc = read_small(tc, &p, at, e);
	if (rc == RC_OK && (!pk_int(p.root, &version) || version != 1001))
		rc = err_set(e, "the second pickle is not 1001, the format's version (byte %" PRIu64 ")", p.root->at);
	pickle_free(&p);
	if (rc != RC_OK)
		return rc;
	rc = read_small(tc, &p, at, e);
	if (rc == RC_OK) {
		const struct pk *little = pk_get(&p, p.root, "little_endian");

		tc->big = pk_is(little, PK_BOOL) && !little->u.boolean;
	}
	pickle_free(&p);
	return rc;
}

/* Number of elements, then they: of each key in the list. */
static enum rc place_storages(struct torch *tc, struct pickle *list, uint64_t at, uint64_t end, uint64_t *after,
			      struct err *e)
{
	struct cur c = cur_of(tc->m->source.members[tc->p->member].data);

	c.end = c.start + end;
	c.big = tc->big;
	cur_take(&c, at);
	for (size_t i = 0; i < pk_count(list->root); i++) {
		struct pk *key = pk_item(list->root, i);
		struct storage *s;
		uint64_t numel = cur_u64(&c), bytes;
		unsigned size;
		struct str word;
		uint32_t known = pk_text(list, key, &word) ? map_get(&tc->keys, word) : MAP_NONE;

		if (known == MAP_NONE)
			return err_set(e, "a storage that nothing refers to, of unknown type, comes at byte %" PRIu64
				       ": what follows cannot be found", cur_at(&c));
		s = &tc->storages[known];
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is in the map is in the list */
		size = s->type->size;
		bytes = 0;
		if (c.bad || !u64_mul(numel, size, &bytes) || bytes > cur_left(&c))
			return err_set(e, "storage %.*s: %" PRIu64 " elements of %u bytes do not fit in the file "
				       "(byte %" PRIu64 ")", (int)word.n, word.p, numel, size, cur_at(&c));
		if (numel < s->numel) {
			s->trouble = arena_printf(&tc->m->arena, "its storage has %" PRIu64 " elements instead of %"
						  PRIu64, numel, s->numel);
		} else {
			s->trouble = NULL;
			s->span = (struct span){tc->p->member, cur_at(&c), bytes};
		}
		cur_take(&c, bytes);
	}
	*after = cur_at(&c);
	return RC_OK;
}

/* The elements of a storage that is a view of another stand there: the whole of it counts. */
static void add_all(struct torch *tc, const struct pickle *p)
{
	struct err ignored;
	uint64_t before;

	for (uint32_t i = 0; i < p->persistent.n; i++)
		torch_storage(tc, p->persistent.items[i]->u.id, &before, &ignored);
}

enum rc torch_legacy(struct torch *tc, struct pickle *p, uint64_t at, uint64_t end, uint64_t *after, struct err *e)
{
	struct pickle list = {.m = p->m, .member = p->member};
	struct err why;
	enum rc rc;

	tc->p = p;
	tc->find = find_later;
	if (read_heads(tc, &at, e) != RC_OK || pickle_read(p, at, e) != RC_OK)
		return RC_FAIL;
	add_all(tc, p);
	rc = pickle_read(&list, p->end, e);
	*after = list.end;
	/* without its bytes, a tensor is told of all the same */
	if (rc == RC_OK && place_storages(tc, &list, list.end, end, after, &why) != RC_OK) {
		model_problem(tc->m, STR(""), "%s", why.msg);
		*after = end;
	}
	pickle_free(&list);
	return rc;
}

/* Whole modules are saved with the sources of their classes: ('module', class, file, source). */
static void add_sources(struct torch *tc, struct pickle *p)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->persistent.n && n < EXTRA_MAX; i++) {
		const struct pk *id = p->persistent.items[i]->u.id, *class = pk_item(id, 1);
		struct str file, source;

		if (!pk_text_is(p, pk_item(id, 0), "module") || !pk_is(class, PK_GLOBAL) ||
		    !pk_text(p, pk_item(id, 2), &file) || !pk_text(p, pk_item(id, 3), &source))
			continue;
		n++;
		add_text(tc->m, arena_printf(&tc->m->arena, "pytorch.source.%.*s",
					     (int)u64_min(class->u.global.name.n, 200), class->u.global.name.p),
			 str_of(arena_printf(&tc->m->arena, "%.*s, %zu bytes", (int)u64_min(file.n, 1000), file.p,
					     source.n)));
	}
}

static enum rc read_stream(struct model *m, uint32_t member, struct err *e)
{
	struct torch tc = {.m = m};
	struct pickle p = {.m = m, .member = member};
	uint64_t size = m->source.members[member].size, after = 0;
	enum rc rc = torch_legacy(&tc, &p, 0, size, &after, e);

	if (rc == RC_OK) {
		if (!m->files)
			add_sources(&tc, &p);
		m->variant = tc.big ? "legacy stream, big-endian" : "legacy stream";
		rc = walk(&tc, &p, "", e);
	}
	if (rc == RC_OK && after < size)
		model_problem(m, STR(""), "%" PRIu64 " bytes follow the last storage (byte %" PRIu64 ")", size - after,
			      after);
	torch_free(&tc);
	pickle_free(&p);
	return rc;
}

/* ---- the format ---- */

static bool has_magic_pickle(struct bytes head)
{
	struct bytes first = {head.p, head.n < 64 ? head.n : 64};

	return memmem(first.p, first.n, magic, sizeof(magic)) ||
	       memmem(first.p, first.n, "119547037146038801333356", 24);
}

/* The name in a local header at the front of the file. */
static struct str first_entry(struct bytes head)
{
	struct cur c = cur_of(head);
	struct str name = STR("");

	if (head.n < 30 || memcmp(head.p, "PK\3\4", 4) != 0)
		return name;
	cur_take(&c, 26);
	name.n = cur_u16(&c);
	cur_u16(&c);
	name.p = (const char *)cur_take(&c, name.n);
	return c.bad ? STR("") : name;
}

static int probe_zip(const struct probe *p)
{
	static const struct str others[] = {
		{"/version", 8}, {"/byteorder", 10}, {"/.format_version", 16}, {"/.storage_alignment", 19},
		{"/.data/serialization_id", 23}, {"/data/0", 7}, {"/constants.pkl", 14},
	};
	struct str name = first_entry(p->head);

	if (is_data(name))
		return 120;
	if (p->tail.p && memmem(p->tail.p, p->tail.n, "/data.pkl", 9) &&
	    memmem(p->tail.p, p->tail.n, "PK\1\2", 4))
		return 110;
	for (size_t i = 0; i < COUNT(others); i++)
		if (ends_with(name, others[i]))
			return 100;
	return 0;
}

static int probe(const struct probe *p)
{
	bool whole;

	if (p->head.n >= 4 && memcmp(p->head.p, "PK", 2) == 0)
		return probe_zip(p);
	if (torch_tar_looks(p->head))
		return 100;
	if (has_magic_pickle(p->head) && pickle_looks(p->head, p->head.n < p->size, 4, &whole))
		return 120;
	return 0;
}

static enum rc read_file(struct model *m, uint32_t member, struct err *e)
{
	struct bytes all = m->source.members[member].data;
	enum rc rc;

	if (all.n >= 2 && memcmp(all.p, "PK", 2) == 0)
		rc = read_zip(m, member, e);
	else
		rc = torch_tar_looks(all) ? torch_tar_read(m, member, e) : read_stream(m, member, e);
	if (rc == RC_OK) {
		m->files++;
		m->bytes += all.n;
	}
	return rc;
}

static enum rc read_shard(struct model *m, uint32_t member, unsigned number, struct err *e)
{
	(void)number;
	return read_file(m, member, e);
}

static enum rc read_torch(struct model *m, uint32_t member, struct err *e)
{
	static const char *const endings[] = {".bin", ".pt", ".pth"};
	struct str base = base_name(m->source.members[member].name);
	struct shard sh;
	uint32_t index;

	for (size_t i = 0; i < COUNT(endings); i++) {
		if (!shard_parse(base, endings[i], &sh))
			continue;
		if (index_find(m, member, &sh, &index))
			return index_read(m, index, read_file, e);
		if (shards_read(m, member, &sh, read_shard, e) != RC_OK)
			return RC_FAIL;
		m->variant = arena_printf(&m->arena, "%s, %u shards", m->variant, sh.count);
		return RC_OK;
	}
	return read_file(m, member, e);
}

static int probe_index(const struct probe *p)
{
	return index_probe(p, ".bin") | index_probe(p, ".pt") | index_probe(p, ".pth");
}

static enum rc read_index(struct model *m, uint32_t member, struct err *e)
{
	return index_read(m, member, read_file, e);
}

const struct format format_torch = {
	.name = "pytorch",
	.about = "PyTorch's checkpoints (torch.save) and TorchScript",
	.reads = "zip files, older streams and tar files; views, modules, shards, quantised tensors; of sparse "
		 "ones the parts",
	.files = "*.pt *.pth *.bin *.ckpt *.jit",
	.probe = probe,
	.read = read_torch,
};

const struct format format_torch_index = {
	.name = "pytorch-index",
	.about = "the index of a PyTorch model in several files",
	.reads = "the whole model: all shards that stand beside it",
	.files = "*.bin.index.json",
	.rank = RANK_INDEX,
	.probe = probe_index,
	.read = read_index,
};
