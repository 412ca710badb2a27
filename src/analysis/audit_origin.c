/* What the metadata says of where a model comes from. Keys are compared by their last words: general.license, license
 * and userDefined.license are all a licence. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analysis/audit_check.h"
#include "base/buf.h"
#include "format/format.h"
#include "format/shards.h"

/* What is asked for, and the last words of the keys that answer; ended by a blank. */
static const struct origin {
	const char *what, *keys;
} origins[] = {
	{"licence", "license licence license.name license.link "},
	{"author", "author authors organization model_author general.author general.organization "},
	{"base model", "base_model base_model.name base_model.0.name base_model_name_or_path ss_sd_model_name "
		       "ss_base_model_version "},
	{"training data", "dataset datasets training_data dataset.0.name ss_dataset_dirs "},
	{"producer", "producer producer_name source keras_version tensorflow_version quantized_by "
		     "userDefined.com.github.apple.coremltools.source "},
};

/* Whether the key is one of the words, or ends in one after a dot. */
static bool answers(struct str key, const char *words)
{
	for (const char *w = words; *w;) {
		size_t n = strcspn(w, " ");

		if (key.n >= n && strncasecmp(key.p + key.n - n, w, n) == 0 &&
		    (key.n == n || key.p[key.n - n - 1] == '.'))
			return true;
		w += n + 1;
	}
	return false;
}

static bool is_answer(const struct meta *x, const struct origin *o)
{
	return (x->value.kind == META_TEXT ? x->value.u.text.n > 0 : x->value.kind == META_ARRAY) &&
	       answers(x->key, o->keys);
}

static void show(struct buf *b, struct auditor *a, const struct meta_value *v)
{
	if (v->kind == META_TEXT) {
		buf_puts(b, said(a, v->u.text));
		return;
	}
	for (uint64_t i = 0; i < v->u.array.shown && i < 8; i++)
		if (v->u.array.items[i].kind == META_TEXT)
			buf_printf(b, "%s%s", b->n ? ", " : "", said(a, v->u.array.items[i].u.text));
	if (!b->n)
		buf_printf(b, "a list of %" PRIu64, v->u.array.count);
}

void check_origin(struct auditor *a)
{
	for (size_t k = 0; k < COUNT(origins); k++)
		for (size_t i = 0; i < a->m->n_meta; i++) {
			struct buf value = {0};

			if (!is_answer(&a->m->meta[i], &origins[k]))
				continue;
			show(&value, a, &a->m->meta[i].value);
			found(a, STR(""), "%s: %s (%s)", origins[k].what, value.p, said(a, a->m->meta[i].key));
			buf_free(&value);
		}
}

void check_origin_missing(struct auditor *a)
{
	struct buf missing = {0};
	size_t n = 0;

	for (size_t k = 0; k < COUNT(origins); k++) {
		bool answered = false;

		for (size_t i = 0; i < a->m->n_meta && !answered; i++)
			answered = is_answer(&a->m->meta[i], &origins[k]);
		if (!answered)
			buf_printf(&missing, "%s%s", n++ ? ", " : "", origins[k].what);
	}
	if (n && !a->m->refusal)
		found(a, STR(""), "the file does not say its %s", missing.p);
	buf_free(&missing);
}

/* ---- contradictions ---- */

/* Two keys that both tell the same and do not agree. Of several base models or authors there may be several. */
static void compare_licences(struct auditor *a)
{
	static const char words[] = "license licence ";
	const struct meta *first = NULL;

	for (size_t i = 0; i < a->m->n_meta; i++) {
		const struct meta *x = &a->m->meta[i];

		if (x->value.kind != META_TEXT || !x->value.u.text.n || !answers(x->key, words))
			continue;
		if (first && !str_eq(first->value.u.text, x->value.u.text))
			found(a, STR(""), "two licences: %s (%s) and %s (%s)", said(a, first->value.u.text),
			      said(a, first->key), said(a, x->value.u.text), said(a, x->key));
		first = first ? first : x;
	}
}

/* blk.N. of GGUF: one more than the highest N; 0: there is none. */
static uint64_t blocks_in(const struct model *m)
{
	uint64_t most = 0;

	for (size_t i = 0; i < m->n_tensors; i++) {
		struct str s = m->tensors[i].name;
		uint64_t n = 0;
		size_t k = 4;

		if (s.n < 6 || memcmp(s.p, "blk.", 4) != 0)
			continue;
		while (k < s.n && k < 12 && s.p[k] >= '0' && s.p[k] <= '9')
			n = 10 * n + (uint64_t)(s.p[k++] - '0');
		if (k > 4 && k < s.n && s.p[k] == '.')
			most = u64_max(most, n + 1);
	}
	return most;
}

static void compare_blocks(struct auditor *a)
{
	const struct meta_value *arch = meta_of(a->m, "general.architecture"), *said_to_be;
	uint64_t there = blocks_in(a->m);
	const char *key;

	if (!arch || arch->kind != META_TEXT || arch->u.text.n > 100)
		return;
	key = arena_printf(&a->out->arena, "%.*s.block_count", (int)arch->u.text.n, arch->u.text.p);
	said_to_be = meta_of(a->m, key);
	if (there && !said_to_be)
		found(a, STR(""), "general.architecture is %s, and no %s tells how many blocks there are",
		      said(a, arch->u.text), key);
	else if (there && said_to_be->kind == META_UINT && said_to_be->u.uint != there)
		found(a, STR(""), "%s is %" PRIu64 ", and the tensors are of %" PRIu64 " blocks", key,
		      said_to_be->u.uint, there);
	else if (there && said_to_be->kind == META_INT && said_to_be->u.sint != (int64_t)there)
		found(a, STR(""), "%s is %" PRId64 ", and the tensors are of %" PRIu64 " blocks", key,
		      said_to_be->u.sint, there);
}

static bool is_index(const struct auditor *a)
{
	const struct format *f = a->m->format ? format_by_name(a->m->format) : NULL;

	return f && f->rank == RANK_INDEX && !a->m->n_problems && !a->m->refusal;
}

/* What an index tells of its shards: their bytes. A writer may count tensors that share a storage once or each time. */
static void compare_index(struct auditor *a)
{
	const struct meta_value *total = meta_of(a->m, "total_size");
	uint64_t all = 0, once = 0;

	if (!is_index(a) || !total || total->kind != META_UINT)
		return;
	for (size_t i = 0; i < a->m->n_tensors; i++) {
		all += a->m->tensors[i].data.length;
		once += a->m->tensors[i].tied.n ? 0 : a->m->tensors[i].data.length;
	}
	if (total->u.uint != all && total->u.uint != once)
		found(a, STR(""), "the index says that the tensors come to %" PRIu64 " bytes (total_size), and they "
		      "come to %" PRIu64, total->u.uint, all);
}

/* model-00001-of-00005 says how many files there are; the index names others, or another number of them. */
static void compare_shards(struct auditor *a)
{
	const struct source *s = &a->m->source;
	uint64_t files = 0, of = 0;

	for (uint32_t i = 0; is_index(a) && i < s->n; i++) {
		struct str base = arena_str(&a->out->arena, base_name(s->members[i].name));
		const char *dot = strrchr(base.p, '.');
		struct shard sh;

		if (s->members[i].file != i || !dot || !shard_parse(base, dot, &sh))
			continue;
		files++;
		of = u64_max(of, sh.count);
	}
	if (files && of != files)
		found(a, STR(""), "the names of the shards are of %" PRIu64 " files, and %" PRIu64 " belong to the "
		      "model", of, files);
}

void check_origin_conflict(struct auditor *a)
{
	compare_licences(a);
	compare_blocks(a);
	compare_index(a);
	compare_shards(a);
}
