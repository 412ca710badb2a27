/* A Keras model's configuration: keras/src/saving/serialization_lib.py, keras/src/legacy/saving. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "format/keras.h"
#include "format/notes.h"
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

static void walk(const json_t *root, uint64_t *layers, struct texts *lambdas)
{
	struct todo t = {0};
	const char *key;
	json_t *v;

	push(&t, root);
	while (t.n) {
		const json_t *at = t.items[--t.n];

		for (size_t i = json_array_size(at); i-- > 0;)
			push(&t, json_array_get(at, i));
		json_object_foreach((json_t *)(uintptr_t)at, key, v) {
			for (size_t i = 0; strcmp(key, "layers") == 0 && i < json_array_size(v); i++)
				take_layer(json_array_get(v, i), layers, lambdas);
			push(&t, v);
		}
	}
	free(t.items);
}

void keras_config(struct model *m, struct str text)
{
	struct texts lambdas = {.m = m};
	json_error_t why;
	uint64_t layers = 0;
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
	walk(root, &layers, &lambdas);
	if (layers)
		note_uint(m, STR("layers"), "count", layers);
	texts_end(&lambdas, STR("lambda_layers"));
	json_decref(root);
}
