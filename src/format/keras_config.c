/* A Keras model's configuration: keras/src/saving/serialization_lib.py, keras/src/legacy/saving. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "format/keras.h"
#include "format/notes.h"
#include "format/pickle_calls.h"
#include "format/texts.h"

static const char *text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key)); /* NULL for anything else */
}

/* Objects still to be looked at; a layer may be a model with layers of its own. */
struct todo {
	const json_t **items;
	size_t n, cap;
};

static void push(struct todo *t, const json_t *v)
{
	if (!json_is_object(v) && !json_is_array(v))
		return;
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->items = xrealloc(t->items, t->cap, sizeof(json_t *));
	}
	t->items[t->n++] = v;
}

/* A layer: an object with a class_name and a config, in a list of layers. */
static void take_layer(const json_t *layer, uint64_t *layers, struct texts *lambdas)
{
	const char *class = text_at(layer, "class_name"), *name = text_at(json_object_get(layer, "config"), "name");

	if (!class)
		return;
	++*layers;
	if (strcmp(class, "Lambda") == 0)
		texts_add(lambdas, str_of(name ? name : text_at(layer, "name")));
}

/* A module of Keras, of its own other packages, or below one. Anybody can call a package keras_something. */
static bool is_own(const char *module)
{
	static const char *const packages[] = {"keras",    "tf_keras", "tensorflow", "keras_core",
					       "keras_nlp", "keras_cv", "keras_hub"};

	for (size_t i = 0; i < COUNT(packages); i++) {
		size_t n = strlen(packages[i]);

		if (strncmp(module, packages[i], n) == 0 && (module[n] == '\0' || module[n] == '.'))
			return true;
	}
	return false;
}

/* Keras's own objects that run code or read files by what their configuration says. */
static bool reaches_out(const char *word)
{
	static const char *const words[] = {
		"TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "__lambda__", "get_file", "load_model",
		"load_img", "enable_unsafe_deserialization", "disable_interactive_logging", "deserialize_keras_object",
		"image_dataset_from_directory", "save_model", "load_weights", "model_from_json", "func_load",
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* An object is made by importing a module and calling a class in it; a function is named by its config. */
static void take_object(const json_t *o, struct texts *outside, struct texts *foreign)
{
	const char *class = text_at(o, "class_name"), *module = text_at(o, "module");
	const char *config = text_at(o, "config"), *file = text_at(json_object_get(o, "config"), "vocabulary");
	const char *word = class && strcmp(class, "function") == 0 && config ? config : class;
	bool own;
	const char *name;

	if (!class)
		return;
	name = arena_printf(&outside->m->arena, "%.200s%s%.200s", module ? module : "", module ? "." : "", word);
	own = !module || is_own(module) || (strcmp(module, "builtins") == 0 && word == config);
	if (reaches_out(word) || (module && call_risk_of(str_of(module), str_of(word)) == CALL_DANGEROUS))
		texts_add(outside, str_of(name));
	else if (!own)
		texts_add(foreign, str_of(name));
	if (file)
		texts_add(outside, str_of(arena_printf(&outside->m->arena, "%s, which reads the file %.200s", name,
						       file)));
}

struct objects {
	uint64_t layers;
	struct texts lambdas, outside, foreign;
};

static void walk(const json_t *root, struct objects *o)
{
	struct todo t = {0};
	const char *key;
	json_t *v;

	push(&t, root);
	while (t.n) {
		const json_t *at = t.items[--t.n];

		for (size_t i = json_array_size(at); i-- > 0;)
			push(&t, json_array_get(at, i));
		take_object(at, &o->outside, &o->foreign);
		json_object_foreach((json_t *)(uintptr_t)at, key, v) {
			for (size_t i = 0; strcmp(key, "layers") == 0 && i < json_array_size(v); i++)
				take_layer(json_array_get(v, i), &o->layers, &o->lambdas);
			push(&t, v);
		}
	}
	free(t.items);
}

void keras_config(struct model *m, struct str text)
{
	struct objects o = {.lambdas = {.m = m}, .outside = {.m = m}, .foreign = {.m = m}};
	json_error_t why;
	const char *word;
	json_t *root = text.n <= limits.text ? json_loadb(text.p, text.n, 0, &why) : NULL;

	if (!root) {
		model_problem(m, STR(""), "the model's configuration is not sound JSON: %s",
			      text.n <= limits.text ? why.text : "it is too long (--limit text=N allows more)");
		return;
	}
	word = text_at(root, "class_name");
	if (word)
		note_text(m, STR("class_name"), "str", str_of(word));
	word = text_at(json_object_get(root, "config"), "name");
	if (word)
		note_text(m, STR("name"), "str", str_of(word));
	walk(root, &o);
	if (o.layers)
		note_uint(m, STR("layers"), "count", o.layers);
	texts_end(&o.lambdas, STR("lambda_layers"));
	texts_end(&o.outside, STR("objects.outside"));
	texts_end(&o.foreign, STR("objects.foreign"));
	json_decref(root);
}
