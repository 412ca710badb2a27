/*
 * HDF5, as h5py and Keras write it. The library's part is format/h5scan.c; here its records become a model. Datasets
 * that the file has in one piece stay there; what is in chunks, compressed or not, was unpacked into a temporary file.
 *
 * Keras 1 and 2 (keras/src/legacy/saving/legacy_h5_format.py): the root, or the group model_weights, has a list of
 * layers, layer_names, and each layer's group the names of its weights, weight_names, which are paths from there.
 * These give names and order. Keras 3 (saving_lib.py) has groups by the objects' places, layers/dense/vars/0, and
 * the layer's own name as an attribute of vars: an alias here.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "bytes/cur.h"
#include "format/format.h"
#include "format/h5scan.h"
#include "format/keras.h"
#include "format/notes.h"
#include "format/texts.h"

enum { LISTS_MAX = 10000 }; /* pieces that a list of names is split into where it is too long for one attribute */

struct dataset {
	struct str path, word, why, name;
	enum dtype type;
	bool big;
	unsigned rank;
	uint64_t dims[RANK_MAX];
	enum h5_place place;
	uint64_t offset, length;
	uint64_t order; /* among Keras's weights; UINT64_MAX: none of them */
};

struct attribute {
	struct str path, name;
	uint8_t kind;
	struct cur value;
};

struct reader {
	struct model *m;
	uint32_t member;
	struct buf records;
	struct dataset *datasets;
	size_t n_datasets, cap_datasets;
	struct attribute *attributes;
	size_t n_attributes, cap_attributes;
	struct map by_path;         /* datasets */
	struct map attribute_index; /* "path\nname" */
	struct arena scratch;
	uint64_t spooled, order;
	uint32_t spool;             /* the member */
	bool done;
};

/* ---- records ---- */

static struct str take_text(struct cur *c)
{
	uint64_t n = cur_u32(c);
	const uint8_t *p = cur_take(c, n);

	return p ? (struct str){(const char *)p, (size_t)n} : STR("");
}

static void *grown(void *items, size_t *n, size_t *cap, size_t size)
{
	if (*n == *cap) {
		*cap = *cap ? 2 * *cap : 64;
		items = xrealloc(items, *cap, size);
	}
	memset((char *)items + *n * size, 0, size);
	++*n;
	return items;
}

static bool take_dataset(struct reader *r, struct cur *c)
{
	struct dataset *d;
	uint8_t type, place;

	r->datasets = grown(r->datasets, &r->n_datasets, &r->cap_datasets, sizeof(*d));
	d = &r->datasets[r->n_datasets - 1];
	d->path = take_text(c);
	d->word = take_text(c);
	type = cur_u8(c);
	d->big = cur_u8(c);
	d->rank = cur_u8(c);
	if (c->bad || type >= DT_COUNT || d->rank > RANK_MAX)
		return false;
	for (unsigned k = 0; k < d->rank; k++)
		d->dims[k] = cur_u64(c);
	place = cur_u8(c);
	d->offset = cur_u64(c);
	d->length = cur_u64(c);
	d->why = take_text(c);
	d->type = (enum dtype)type;
	d->place = (enum h5_place)place;
	d->order = UINT64_MAX;
	map_add(&r->by_path, d->path, (uint32_t)(r->n_datasets - 1));
	return !c->bad && place <= H5_FILLED;
}

static bool take_attribute(struct reader *r, struct cur *c)
{
	struct attribute *a;
	const char *key;

	r->attributes = grown(r->attributes, &r->n_attributes, &r->cap_attributes, sizeof(*a));
	a = &r->attributes[r->n_attributes - 1];
	a->path = take_text(c);
	a->name = take_text(c);
	a->kind = cur_u8(c);
	a->value = *c;
	if (a->kind == H5_TEXT || a->kind == H5_OTHER) {
		take_text(c);
	} else if (a->kind == H5_TEXTS) {
		for (uint64_t n = cur_u64(c); n && !c->bad; n--)
			take_text(c);
	} else {
		cur_u64(c);
	}
	key = arena_printf(&r->scratch, "%.*s\n%.*s", (int)a->path.n, a->path.p, (int)a->name.n, a->name.p);
	map_add(&r->attribute_index, str_of(key), (uint32_t)(r->n_attributes - 1));
	return !c->bad && a->kind <= H5_OTHER;
}

static void take_link(struct reader *r, struct cur *c)
{
	struct str path = take_text(c), to = take_text(c);

	if (!c->bad)
		note_text(r->m, str_of(arena_printf(&r->scratch, "link.%.*s", (int)path.n, path.p)), "link", to);
}

/* What is no record ends the list, like a list that is cut off. */
static void take_records(struct reader *r)
{
	struct cur c = cur_of((struct bytes){(const uint8_t *)r->records.p, r->records.n});
	bool sound = true;

	while (sound && !r->done && cur_left(&c)) {
		switch (cur_u8(&c)) {
		case H5_DATASET:
			sound = take_dataset(r, &c);
			if (!sound)
				r->n_datasets--;
			break;
		case H5_ATTRIBUTE:
			sound = take_attribute(r, &c);
			if (!sound)
				r->n_attributes--;
			break;
		case H5_LINK:
			take_link(r, &c);
			break;
		case H5_TROUBLE: {
			struct str s = take_text(&c);

			model_problem(r->m, STR(""), "%.*s", (int)s.n, s.p);
			break;
		}
		case H5_DONE:
			r->spooled = cur_u64(&c);
			r->done = !c.bad;
			break;
		default:
			sound = false;
		}
		sound &= !c.bad;
	}
}

/* ---- Keras ---- */

static const struct attribute *attribute(const struct reader *r, const char *path, const char *name)
{
	struct buf key = {0};
	uint32_t at;

	buf_printf(&key, "%s\n%s", path, name);
	at = map_get(&r->attribute_index, buf_view(&key));
	buf_free(&key);
	return at == MAP_NONE ? NULL : &r->attributes[at];
}

/* The texts of an attribute, or of NAME0, NAME1 ... where one was too small for all. Calls take for each. */
static void each_name(struct reader *r, const char *path, const char *name,
		      void (*take)(struct reader *, const char *path, struct str text))
{
	const struct attribute *a = attribute(r, path, name);

	for (unsigned i = 0; i < LISTS_MAX; i++) {
		struct cur c;

		if (!a && i == 0)
			a = attribute(r, path, arena_printf(&r->scratch, "%s0", name));
		if (!a)
			return;
		c = a->value;
		if (a->kind == H5_TEXTS)
			for (uint64_t n = cur_u64(&c); n && !c.bad; n--)
				take(r, path, take_text(&c));
		a = attribute(r, path, arena_printf(&r->scratch, "%s%u", name, i + 1));
	}
}

static void take_weight(struct reader *r, const char *path, struct str name)
{
	struct str key = str_of(arena_printf(&r->scratch, "%s/%.*s", path, (int)name.n, name.p));
	uint32_t at = map_get(&r->by_path, key);

	if (at == MAP_NONE || r->datasets[at].order != UINT64_MAX)
		return;
	/* the first output of the operation of that name: without it, graphs and checkpoints call the same weight so */
	if (name.n > 2 && memcmp(name.p + name.n - 2, ":0", 2) == 0)
		name.n -= 2;
	r->datasets[at].name = name;
	r->datasets[at].order = r->order++;
}

static void take_layer(struct reader *r, const char *path, struct str name)
{
	const char *group = arena_printf(&r->scratch, "%s%s%.*s", path, *path ? "/" : "", (int)name.n, name.p);

	each_name(r, group, "weight_names", take_weight);
}

/* A weight's name need not be the only one of its kind: layers that are used twice, models in models. Then all of these
 * go by their paths. */
static void keep_unique(struct reader *r)
{
	struct map names = {0};

	for (size_t i = 0; i < r->n_datasets; i++) {
		struct dataset *d = &r->datasets[i];
		uint32_t other = map_add(&names, d->name.n ? d->name : d->path, (uint32_t)i);

		if (other == MAP_NONE)
			continue;
		d->name = STR("");
		r->datasets[other].name = STR("");
	}
	map_free(&names);
}

static int by_order(const void *pa, const void *pb)
{
	const struct dataset *a = pa, *b = pb;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return str_cmp_natural(a->path, b->path);
}

static const char *keras_root(const struct reader *r)
{
	static const char *const places[] = {"", "model_weights"};

	for (size_t i = 0; i < COUNT(places); i++)
		if (attribute(r, places[i], "layer_names") || attribute(r, places[i], "layer_names0"))
			return places[i];
	return NULL;
}

/* layers/dense/vars/0 of the layer d_0: "d_0/0". */
static struct str alias(const struct reader *r, const struct dataset *d)
{
	struct str group = d->path, vars = STR("/vars");
	const struct attribute *a;
	struct cur c;
	struct str name;

	while (group.n && group.p[group.n - 1] != '/')
		group.n--;
	if (!group.n)
		return STR("");
	group.n--;
	if (group.n < vars.n || memcmp(group.p + group.n - vars.n, vars.p, vars.n) != 0)
		return STR("");
	a = attribute(r, arena_str(&r->m->arena, group).p, "name");
	if (!a || a->kind != H5_TEXT)
		return STR("");
	c = a->value;
	name = take_text(&c);
	return str_of(arena_printf(&r->m->arena, "%.*s%.*s", (int)name.n, name.p, (int)(d->path.n - group.n),
				   d->path.p + group.n));
}

/* ---- tensors ---- */

static void use_fill(struct reader *r, struct tensor *t, const struct dataset *d)
{
	uint64_t bytes = 0, count;
	struct err e;

	if (dtype_bytes(t->type, t->count, &bytes, &e) != RC_OK || !d->length) {
		tensor_broken(r->m, t, "its fill value is broken");
		return;
	}
	count = bytes / d->length; /* an element that is an array counts as several */
	if (source_add_pieces(&r->m->source, t->name, &(struct piece){{r->spool, d->offset, d->length}, count}, 1,
			      &t->data.member, &e) != RC_OK) {
		t->data = (struct span){r->member, 0, 0};
		tensor_broken(r->m, t, "%s", e.msg);
	} else {
		t->data = (struct span){t->data.member, 0, count * d->length};
	}
}

static void add_tensor(struct reader *r, const struct dataset *d)
{
	struct tensor *t = model_add_tensor(r->m);
	bool fault = d->why.n && d->why.p[0] == '!';
	struct str why = fault ? (struct str){d->why.p + 1, d->why.n - 1} : d->why;
	struct err e;

	t->name = arena_str(&r->m->arena, d->name.n ? d->name : d->path);
	t->alias = d->name.n ? arena_str(&r->m->arena, d->path) : alias(r, d);
	t->type_name = d->type == DT_OPAQUE || d->place == H5_NOWHERE ? arena_str(&r->m->arena, d->word).p : NULL;
	t->data = (struct span){r->member, 0, 0};
	if (tensor_set_shape(r->m, t, d->place == H5_NOWHERE ? DT_OPAQUE : d->type, d->dims, d->rank, &e) != RC_OK) {
		tensor_broken(r->m, t, "%s", e.msg);
		return;
	}
	t->big_endian = d->big;
	if (why.n)
		t->trouble = arena_str(&r->m->arena, why).p;
	if (fault)
		tensor_broken(r->m, t, "%.*s", (int)why.n, why.p);
	else if (d->place == H5_NOWHERE)
		/* NOLINTNEXTLINE(bugprone-branch-clone): the order of the questions matters */
		t->broken = true; /* nothing of it can be compared */
	else if (d->place == H5_IN_FILE)
		t->data = (struct span){r->member, d->offset, d->length};
	else if (d->place == H5_SPOOLED)
		t->data = (struct span){r->spool, d->offset, d->length};
	else if (t->type == DT_OPAQUE) /* bytes of no known type, as often as they are wanted */
		t->broken = true;
	else
		use_fill(r, t, d);
	t->undecoded = !fault && t->broken && d->type == DT_OPAQUE; /* text of any length, say */
}

/* ---- metadata ---- */

static bool is_keras_list(struct str name)
{
	static const struct str lists[] = {{"weight_names", 12}, {"layer_names", 11}};

	for (size_t i = 0; i < COUNT(lists); i++)
		if (name.n >= lists[i].n && memcmp(name.p, lists[i].p, lists[i].n) == 0)
			return true;
	return false;
}

static void note_texts(struct reader *r, struct str key, struct cur c)
{
	struct texts list = {.m = r->m};

	for (uint64_t n = cur_u64(&c); n && !c.bad; n--)
		texts_add(&list, take_text(&c));
	texts_end(&list, key);
}

static void note_attribute(struct reader *r, struct str key, const struct attribute *a)
{
	struct cur c = a->value;

	switch (a->kind) {
	case H5_TEXT:
		note_text(r->m, key, "str", take_text(&c));
		break;
	case H5_TEXTS:
		note_texts(r, key, c);
		break;
	case H5_UINT:
		note_uint(r->m, key, "uint", cur_u64(&c));
		break;
	case H5_INT:
		note_int(r->m, key, "int", (int64_t)cur_u64(&c));
		break;
	case H5_REAL:
		note_real(r->m, key, "f64", real_of_bits(cur_u64(&c), 8));
		break;
	default:
		note_text(r->m, key, "not read", take_text(&c));
	}
}

/* What stands at the root, or with Keras's weights, goes by its name; the rest by path and name. */
static void note_attributes(struct reader *r, const char *root)
{
	struct map known = {0};

	for (size_t i = 0; i < r->n_attributes; i++) {
		const struct attribute *a = &r->attributes[i];
		bool top = !a->path.n || (root && str_eq(a->path, str_of(root)));
		struct str key = a->name;

		if ((root && is_keras_list(a->name) && !top) || (!top && str_eq(a->name, STR("name"))))
			continue;
		if (!top)
			key = str_of(arena_printf(&r->scratch, "%.*s:%.*s", (int)a->path.n, a->path.p, (int)a->name.n,
						  a->name.p));
		if (map_add(&known, key, 0) == MAP_NONE)
			note_attribute(r, key, a);
	}
	map_free(&known);
}

/* ---- the file ---- */

static void read_records(struct reader *r)
{
	const char *root;
	const struct attribute *config;
	struct err why;

	root = keras_root(r);
	if (root) {
		each_name(r, root, "layer_names", take_layer);
		keep_unique(r);
		r->m->variant = "Keras";
	}
	if (r->n_datasets)
		qsort(r->datasets, r->n_datasets, sizeof(*r->datasets), by_order);
	for (size_t i = 0; i < r->n_datasets; i++) {
		if (model_room(r->m, &why) != RC_OK) {
			model_problem(r->m, STR(""), "%s", why.msg);
			break;
		}
		add_tensor(r, &r->datasets[i]);
	}
	note_attributes(r, root);
	config = attribute(r, "", "model_config");
	if (config && config->kind == H5_TEXT) {
		struct cur c = config->value;

		keras_config(r->m, take_text(&c));
	}
}

static enum rc scan(struct reader *r, struct err *e)
{
	const struct member *in = &r->m->source.members[r->member];
	struct span file = {r->member, 0, in->data.n}; /* the members may move when the spool becomes one */
	struct spool *sp;
	struct err why = {""};
	enum rc rc = spool_begin(&sp, &r->m->source, in->name, e);

	if (rc != RC_OK)
		return rc;
	r->spool = spool_member(sp);
	rc = h5_scan(&r->m->source, file, sp, &r->records, &why);
	take_records(r);
	if (rc != RC_OK || !r->done) {
		spool_drop(sp);
		if (rc == RC_OK)
			err_set(&why, "libhdf5 did not come to its end");
		return err_set(e, "%s", why.msg);
	}
	if (spool_filled(sp, r->spooled, e) == RC_OK)
		return spool_end(sp, e);
	spool_drop(sp);
	return RC_FAIL;
}

enum rc hdf5_read(struct model *m, uint32_t member, struct err *e)
{
	struct reader r = {.m = m, .member = member};
	enum rc rc = scan(&r, e);

	if (rc == RC_OK && !r.n_datasets && m->n_problems) /* all that there is to say */
		rc = err_set(e, "%s", m->problems[0].message);
	if (rc == RC_OK)
		read_records(&r);
	free(r.datasets);
	free(r.attributes);
	map_free(&r.by_path);
	map_free(&r.attribute_index);
	buf_free(&r.records);
	arena_free(&r.scratch);
	return rc;
}

static enum rc read_file(struct model *m, uint32_t member, struct err *e)
{
	m->files = 1;
	m->bytes = m->source.members[member].size;
	return hdf5_read(m, member, e);
}

/* The signature stands at the beginning, or at a power of two from 512 on. */
static int probe(const struct probe *p)
{
	static const char signature[] = "\x89HDF\r\n\x1a\n";

	for (uint64_t at = 0; at + 8 <= p->head.n; at = at ? 2 * at : 512)
		if (memcmp(p->head.p + at, signature, 8) == 0)
			return 64;
	return 0;
}

const struct format format_hdf5 = {
	.name = "hdf5",
	.about = "HDF5: Keras 1 to 3 and others, read through libhdf5",
	.reads = "numbers of all kinds, in place or unpacked; Keras names, order and configuration; nothing in other "
		 "files; "
		 "only in a build with libhdf5",
	.files = "*.h5 *.hdf5 *.keras.h5 *.weights.h5",
	.probe = probe,
	.read = read_file,
};
