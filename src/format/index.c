#include "format/index.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "format/describe.h"
#include "format/json_text.h"

enum {
	NAMED = 20 /* findings of one kind told one by one */
};

struct mapped {
	struct str tensor;
	uint32_t file; /* into index.files */
};

struct index_file {
	struct str name;
	uint32_t member; /* MEMBER_NONE: could not be read */
	uint64_t tensors; /* that the index puts there */
};

struct index {
	struct arena arena;
	struct mapped *mapped;
	size_t n;
	struct index_file *files;
	size_t n_files, cap_files;
};

static void index_free(struct index *x)
{
	free(x->mapped);
	free(x->files);
	arena_free(&x->arena);
}

static uint32_t index_file(struct index *x, struct map *by_name, struct str name)
{
	uint32_t at = map_add(by_name, name, (uint32_t)x->n_files);

	if (at != MAP_NONE)
		return at;
	if (x->n_files == x->cap_files) {
		x->cap_files = x->cap_files ? 2 * x->cap_files : 16;
		x->files = xrealloc(x->files, x->cap_files, sizeof(*x->files));
	}
	x->files[x->n_files] = (struct index_file){name, MEMBER_NONE, 0};
	return (uint32_t)x->n_files++;
}

static enum rc read_weight_map(struct index *x, json_t *map, struct err *e)
{
	struct map files = {0};
	const char *tensor;
	enum rc rc = RC_OK;
	json_t *v;

	x->mapped = xcalloc(json_object_size(map), sizeof(*x->mapped));
	json_object_foreach(map, tensor, v) {
		uint32_t file;

		if (!json_is_string(v))
			rc = err_set(e, "'%.200s' is not mapped to a file name: an unsupported kind of index", tensor);
		else if (x->n_files >= limits.files)
			rc = limits_passed(&limits.files, e);
		if (rc != RC_OK)
			break;
		file = index_file(x, &files, arena_str(&x->arena, json_str(v)));
		x->mapped[x->n++] = (struct mapped){arena_str(&x->arena, str_of(tensor)), file};
		x->files[file].tensors++;
	}
	map_free(&files);
	return rc;
}

/* total_size and the like: numbers, strings, or whatever a writer put there, kept as its text. */
static void read_index_value(struct model *m, struct meta_value *out, const json_t *v)
{
	uint64_t n;
	char *text;

	if (json_u64(v, &n)) {
		*out = (struct meta_value){.kind = META_UINT, .type = "number", .u.uint = n};
	} else if (json_is_number(v)) {
		*out = (struct meta_value){.kind = META_REAL, .type = "number", .u.real = json_number_value(v)};
	} else if (json_is_string(v)) {
		out->type = "str";
		meta_set_text(m, out, json_str(v));
	} else {
		text = json_dumps(v, JSON_ENCODE_ANY);
		if (!text)
			die("out of memory (a value of the index)");
		out->type = "json";
		meta_set_text(m, out, str_of(text));
		free(text);
	}
}

static enum rc read_index_json(struct model *m, struct index *x, struct bytes text, struct err *e)
{
	struct arena scratch = {0};
	json_t *root = json_parse(&scratch, text, 0, "the index", e), *v, *map;
	const char *key;
	enum rc rc;

	if (!root) {
		arena_free(&scratch);
		return RC_FAIL;
	}
	json_object_foreach(json_object_get(root, "metadata"), key, v)
		read_index_value(m, model_add_meta(m, str_of(key)), v);
	map = json_object_get(root, "weight_map");
	if (json_object_size(map) == 0)
		rc = err_set(e, "the index has no weight_map, or an empty one");
	else
		rc = read_weight_map(x, map, e);
	arena_free(&scratch);
	return rc;
}

static int by_file_name(const void *pa, const void *pb)
{
	const struct index_file *const *a = pa, *const *b = pb;

	return str_cmp_natural((*a)->name, (*b)->name);
}

static enum rc open_files(struct model *m, uint32_t index, struct index *x,
			  enum rc (*read)(struct model *, uint32_t, struct err *), struct err *e)
{
	struct index_file **order = xcalloc(x->n_files, sizeof(struct index_file *));
	struct err first = {""}, why;
	size_t failed = 0;

	for (size_t i = 0; i < x->n_files; i++)
		order[i] = &x->files[i];
	qsort(order, x->n_files, sizeof(struct index_file *), by_file_name);
	for (size_t i = 0; i < x->n_files; i++) {
		struct index_file *f = order[i];
		uint32_t member = member_by_base(&m->source, f->name);

		if (member == index)
			member = MEMBER_NONE;
		if ((member != MEMBER_NONE ||
		     source_open_beside(&m->source, index, f->name, &member, &why) == RC_OK) &&
		    describe_pointer(m->source.members[member].data, &why) == RC_OK &&
		    read(m, member, &why) == RC_OK) {
			f->member = member;
			continue;
		}
		err_prefix(&why, "shard %.*s", (int)f->name.n, f->name.p);
		if (!failed)
			first = why;
		if (failed++ < NAMED)
			model_problem(m, STR(""), "%s; %" PRIu64 " tensors are missing", why.msg, f->tensors);
	}
	free(order);
	if (failed > NAMED)
		model_problem(m, STR(""), "%zu of %zu shards cannot be read", failed, x->n_files);
	return failed < x->n_files ? RC_OK : err_set(e, "%s", first.msg);
}

/* What the index says against what the shards hold. */
static void check_index(struct model *m, const struct index *x)
{
	struct map where = {0}, listed = {0};
	size_t wrong = 0, unlisted = 0;

	map_reserve(&where, m->n_tensors);
	for (size_t i = 0; i < m->n_tensors; i++)
		map_add(&where, m->tensors[i].name, m->source.members[m->tensors[i].data.member].file);
	map_reserve(&listed, x->n);
	for (size_t i = 0; i < x->n; i++) {
		const struct index_file *f = &x->files[x->mapped[i].file];
		struct str name = x->mapped[i].tensor;

		map_add(&listed, name, 0);
		if (f->member == MEMBER_NONE || map_get(&where, name) == f->member)
			continue;
		if (wrong++ < NAMED)
			model_problem(m, arena_str(&m->arena, name), "the index puts it in %.*s, where it is not",
				      (int)f->name.n, f->name.p);
	}
	for (size_t i = 0; i < m->n_tensors; i++)
		if (map_get(&listed, m->tensors[i].name) == MAP_NONE && unlisted++ < NAMED)
			model_problem(m, m->tensors[i].name, "the index does not name it");
	if (wrong > NAMED || unlisted > NAMED)
		model_problem(m, STR(""), "the index is wrong about %zu tensors and misses %zu", wrong, unlisted);
	map_free(&where);
	map_free(&listed);
}

enum rc index_read(struct model *m, uint32_t member, enum rc (*read)(struct model *, uint32_t, struct err *),
		   struct err *e)
{
	struct bytes text = m->source.members[member].data;
	struct index x = {0};
	enum rc rc;

	if (text.n > limits.text)
		return limits_passed(&limits.text, e);
	rc = read_index_json(m, &x, text, e);
	if (rc == RC_OK)
		rc = open_files(m, member, &x, read, e);
	if (rc == RC_OK) {
		check_index(m, &x);
		m->variant = arena_printf(&m->arena, "%zu shards", x.n_files);
	}
	index_free(&x);
	return rc;
}

static bool contains(struct bytes b, struct str word)
{
	return b.n >= word.n && memmem(b.p, b.n, word.p, word.n) != NULL;
}

int index_probe(const struct probe *p, const char *ending)
{
	char quoted[32];
	size_t i = 0;

	while (i < p->head.n && strchr(" \t\r\n", p->head.p[i]) && p->head.p[i])
		i++;
	if (i == p->head.n || p->head.p[i] != '{')
		return 0;
	snprintf(quoted, sizeof(quoted), "%s\"", ending);
	return contains(p->head, STR("\"weight_map\"")) && contains(p->head, str_of(quoted)) ? 64 : 0;
}

bool index_find(struct model *m, uint32_t member, const struct shard *sh, uint32_t *index)
{
	struct str base = base_name(m->source.members[member].name);
	struct str name = str_of(arena_printf(&m->arena, "%.*s%s.index.json", (int)(sh->prefix.n - 1), sh->prefix.p,
					      sh->ending.p));
	struct err ignored;

	return source_open_beside(&m->source, member, name, index, &ignored) == RC_OK &&
	       contains(m->source.members[*index].data, base);
}
