/* Keras 3's file, keras/src/saving/saving_lib.py: a zip file of metadata.json, config.json and model.weights.h5,
 * stored as a rule, so that the arrays of the HDF5 file in it lie in place. */
#include "format/keras.h"

#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "bytes/cur.h"
#include "bytes/spool.h"
#include "format/format.h"
#include "format/notes.h"

/* The bytes of an entry, inflated if need be; NULL: there is none of that name. */
static const struct member *entry(struct model *m, uint32_t first, uint32_t count, const char *name, uint32_t *number,
				  struct err *e)
{
	for (uint32_t i = first; i < first + count; i++)
		if (str_eq(m->source.members[i].name, str_of(name))) {
			*number = i;
			return source_unpack(&m->source, i, e) == RC_OK ? &m->source.members[i] : NULL;
		}
	err_set(e, "it has no entry %s", name);
	return NULL;
}

/* {"keras_version": "3.8.0", "date_saved": "2025-01-30@16:49:02"} */
static void note_saved(struct model *m, struct bytes text)
{
	json_t *root = text.n <= limits.text ? json_loadb((const char *)text.p, text.n, 0, NULL) : NULL, *v;
	const char *key;

	if (!json_is_object(root))
		model_problem(m, STR(""), "metadata.json is not a JSON object");
	json_object_foreach(root, key, v)
		if (json_is_string(v))
			note_text(m, str_of(key), "str", (struct str){json_string_value(v), json_string_length(v)});
	json_decref(root);
}

static enum rc read_keras(struct model *m, uint32_t member, struct err *e)
{
	const struct member *in;
	uint32_t first, count, number;
	struct err why;

	m->files = 1;
	m->bytes = m->source.members[member].size;
	if (source_add_zip(&m->source, member, &first, &count, e) != RC_OK)
		return RC_FAIL;
	in = entry(m, first, count, "metadata.json", &number, &why);
	if (in)
		note_saved(m, in->data);
	else
		model_problem(m, STR(""), "%s", why.msg);
	in = entry(m, first, count, "config.json", &number, &why);
	if (in) {
		struct str text = {(const char *)in->data.p, in->data.n};

		note_text(m, STR("config"), "json", text);
		keras_config(m, text);
	} else {
		model_problem(m, STR(""), "%s", why.msg);
	}
	if (!entry(m, first, count, "model.weights.h5", &number, &why))
		return err_set(e, "is a Keras model, but %s", why.msg);
	return hdf5_read(m, number, e);
}

static bool named(struct bytes b, const char *name)
{
	return b.n && memmem(b.p, b.n, name, strlen(name)) != NULL;
}

/* A zip file whose entries are these, as its beginning or its end says. */
static int probe(const struct probe *p)
{
	if (p->head.n < 30 || memcmp(p->head.p, "PK\3\4", 4) != 0)
		return 0;
	if (named(p->tail, "model.weights.h5") && named(p->tail, "config.json"))
		return 72;
	/* of an archive's entry, only the beginning is seen */
	return !p->tail.n && load_uint(p->head.p + 26, 2, false) == 13 &&
	       memcmp(p->head.p + 30, "metadata.json", 13) == 0 ? 40 : 0;
}

const struct format format_keras = {
	.name = "keras",
	.about = "Keras 3's zip file with HDF5 in it",
	.reads = "as hdf5 does; configuration and metadata, nothing that is code",
	.files = "*.keras",
	.probe = probe,
	.read = read_keras,
};
