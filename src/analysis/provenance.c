#include "analysis/provenance.h"

#include <string.h>
#include <strings.h>

const struct fact_info fact_infos[FACT_COUNT] = {
	[FACT_NAME] = {"name", false},
	[FACT_LICENCE] = {"licence", true},
	[FACT_AUTHOR] = {"author", true},
	[FACT_BASE] = {"base model", true},
	[FACT_DATA] = {"training data", true},
	[FACT_PRODUCER] = {"producer", true},
	[FACT_VERSION] = {"version", true},
	[FACT_ARCHITECTURE] = {"architecture", false},
	[FACT_SOURCE] = {"source", false},
	[FACT_DATE] = {"date", false},
	[FACT_DESCRIPTION] = {"description", false},
};

/*
 * Words of keys, the first that fits decides: what is said of the base model or of a data set is not said of the model.
 * "=word" is all of a key, ".word" its last component, and a word alone may stand anywhere in it. The keys are those of
 * GGUF, of modelspec and of kohya's trainers in safetensors, of ONNX, Core ML, Keras, TensorFlow Lite and Flax, and of
 * the readers of formats that have no keys.
 */
static const struct {
	enum fact fact;
	const char *words[16];
} tells[] = {
	{FACT_NONE, {"=pytorch.version"}}, /* of the container */
	{FACT_BASE, {"base_model", "finetuned_from", "merged_from", "sd_model_name", "parent_model"}},
	{FACT_DATA, {"dataset", "training_data", "train_data", "training_corpus"}},
	{FACT_LICENCE, {"license", "licence"}},
	{FACT_AUTHOR, {".author", ".authors", ".organization", ".creator", ".publisher", ".quantized_by"}},
	{FACT_PRODUCER, {".producer", ".producer_name", ".producer_version", "coremltools", "keras_version",
			 "tensorflow_version", "transformers_version", "torch_version", ".framework", ".backend",
			 ".generator", "converted_by", ".software", "=format"}},
	{FACT_VERSION, {".version", ".model_version", ".versionstring", ".revision", ".commit"}},
	{FACT_NAME, {"=name", "=general.name", "=title", "=modelspec.title", "=model_name"}},
	{FACT_ARCHITECTURE, {"=architecture", "=general.architecture", "=modelspec.architecture"}},
	{FACT_SOURCE, {"general.source", ".repo_url", "=url", "=general.url", ".homepage"}},
	{FACT_DATE, {"=date", "date_saved", "modelspec.date", ".created_at"}},
	{FACT_DESCRIPTION, {"=description", "=general.description", "=modelspec.description", "=shortdescription",
			    "=doc_string", "=graph.doc_string"}},
};

static bool same(struct str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static bool has_word(struct str key, const char *word)
{
	size_t n = strlen(word), last = key.n;

	if (*word == '=')
		return same(key, word + 1);
	if (*word == '.') {
		while (last && key.p[last - 1] != '.')
			last--;
		return same((struct str){key.p + last, key.n - last}, word + 1);
	}
	for (size_t at = 0; at + n <= key.n; at++)
		if (strncasecmp(key.p + at, word, n) == 0)
			return true;
	return false;
}

enum fact fact_of_key(struct str key)
{
	for (size_t i = 0; i < COUNT(tells); i++)
		for (size_t k = 0; k < COUNT(tells[i].words) && tells[i].words[k]; k++)
			if (has_word(key, tells[i].words[k]))
				return tells[i].fact;
	return FACT_NONE;
}
