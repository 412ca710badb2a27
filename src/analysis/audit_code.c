/* What would run: when the file is loaded by the library it was made for, or when its model is used. */
#include <inttypes.h>
#include <string.h>

#include "analysis/audit_check.h"
#include "base/buf.h"
#include "bytes/signature.h"

/* ---- pickles ---- */

const char *call_said(struct auditor *a, const struct call *c)
{
	struct buf b = {0};
	const char *text;

	buf_str(&b, c->module);
	buf_puts(&b, c->module.n ? "." : "");
	buf_str(&b, c->name);
	text = said(a, buf_view(&b));
	buf_free(&b);
	return c->called ? arena_printf(&a->out->arena, "%s%s", text, said(a, c->args)) : text;
}

static void found_call(struct auditor *a, const struct call *c)
{
	const struct source *s = &a->m->source;
	bool entry = c->member < s->n && s->members[c->member].file != c->member;
	const char *in = entry ? said(a, s->members[c->member].name) : "";
	struct finding *f;

	f = found(a, STR(""), "loading it%s %s %s (byte %" PRIu64 "%s%s)", a->m->disguised ? " as a pickle" : "",
		  c->called ? "calls" : "imports", call_said(a, c), c->offset, entry ? " of " : "", in);
	if (!f)
		return;
	f->key = str_of(call_said(a, c));
	found_at(f, c->member, c->offset, 0);
}

static void calls_of(struct auditor *a, enum call_risk risk, bool called)
{
	for (size_t i = 0; i < a->m->n_calls; i++)
		if (a->m->calls[i].risk == risk && a->m->calls[i].called == called)
			found_call(a, &a->m->calls[i]);
	check_neighbours(a, risk, called);
}

void check_pickle_call(struct auditor *a)
{
	calls_of(a, CALL_DANGEROUS, true);
}

void check_pickle_import(struct auditor *a)
{
	calls_of(a, CALL_DANGEROUS, false);
}

void check_pickle_unknown(struct auditor *a)
{
	calls_of(a, CALL_UNKNOWN, true);
	calls_of(a, CALL_UNKNOWN, false);
	if (a->m->more_calls)
		found(a, STR(""), "%" PRIu64 " more calls than %d were not looked at", a->m->more_calls, CALLS_MAX);
	check_neighbours_more(a);
}

void check_pickle(struct auditor *a)
{
	size_t harmless = 0, others;
	struct finding *f;

	for (size_t i = 0; i < a->m->n_calls; i++)
		harmless += a->m->calls[i].risk == CALL_HARMLESS;
	if (!a->m->n_calls || a->m->disguised)
		return;
	others = a->m->n_calls - harmless;
	f = found(a, STR(""),
		  "loading it runs a pickle, which names %zu function%s that frameworks write, and %zu other%s",
		  harmless, harmless == 1 ? "" : "s", others, others == 1 ? "" : "s");
	if (f)
		f->key = STR("pickle");
}

/* ---- what the graph or the configuration names ---- */

/* Runs over the texts of a list in the metadata, of which the first ones are kept. */
static struct str listed(const struct meta_value *v, uint64_t i)
{
	if (!v || v->kind != META_ARRAY || i >= v->u.array.shown || v->u.array.items[i].kind != META_TEXT)
		return (struct str){NULL, 0};
	return v->u.array.items[i].u.text;
}

void check_keras_lambda(struct auditor *a)
{
	const struct meta_value *v = meta_of(a->m, "lambda_layers");
	struct str s;

	for (uint64_t i = 0; (s = listed(v, i)).p; i++)
		found(a, STR(""), "%s %s is a Lambda layer: it holds Python code, which runs with the model",
		      s.n ? "the layer" : "a layer", s.n ? said(a, s) : "without a name");
}

void check_keras_outside(struct auditor *a)
{
	const struct meta_value *v = meta_of(a->m, "objects.outside");
	struct str s;

	for (uint64_t i = 0; (s = listed(v, i)).p; i++)
		found(a, STR(""), "its configuration calls %s", said(a, s));
}

void check_keras_foreign(struct auditor *a)
{
	const struct meta_value *v = meta_of(a->m, "objects.foreign");
	struct str s;

	for (uint64_t i = 0; (s = listed(v, i)).p; i++)
		found(a, STR(""), "its configuration imports %s, which is not Keras's own", said(a, s));
}

/* "3 ReadFile" */
void check_file_op(struct auditor *a)
{
	const struct meta_value *v = meta_of(a->m, "operators.outside");
	struct str s;

	for (uint64_t i = 0; (s = listed(v, i)).p; i++) {
		const char *blank = memchr(s.p, ' ', s.n);

		if (blank)
			found(a, STR(""), "the graph has the operator %s",
			      said(a, (struct str){blank + 1, s.n - (size_t)(blank + 1 - s.p)}));
	}
}

static bool begins(struct str s, struct str with)
{
	return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

static bool ends(struct str s, struct str with)
{
	return s.n >= with.n && memcmp(s.p + s.n - with.n, with.p, with.n) == 0;
}

static bool is_onnx_domain(struct str s)
{
	static const char *const own[] = {"ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview",
					  "ai.onnx.preview.training"};

	for (size_t i = 0; i < COUNT(own); i++)
		if (str_eq(s, str_of(own[i])))
			return true;
	return false;
}

/* ONNX: "operators.DOMAIN" counts those of a domain beyond ai.onnx. TFLite lists its custom ones. */
void check_custom_op(struct auditor *a)
{
	const struct meta_value *v = meta_of(a->m, "custom_operators");
	const struct str prefix = STR("operators.");
	struct finding *f;
	struct str s;

	for (uint64_t i = 0; (s = listed(v, i)).p; i++)
		found(a, STR(""), "the graph has the custom operator %s", said(a, s));
	for (size_t i = 0; strcmp(a->m->format, "onnx") == 0 && i < a->m->n_meta; i++) {
		struct str key = a->m->meta[i].key;

		if (!begins(key, prefix) || a->m->meta[i].value.kind != META_UINT)
			continue;
		s = (struct str){key.p + prefix.n, key.n - prefix.n};
		if (is_onnx_domain(s))
			continue;
		f = found(a, STR(""), "%" PRIu64 " operators are of the domain %s, not ONNX's own",
			  a->m->meta[i].value.u.uint, said(a, s));
		if (f)
			f->key = key;
	}
}

/* ---- members ---- */

/* ROOT/code/ holds TorchScript, which is compiled, not imported: torchscript tells of it. */
static bool is_torchscript(const struct auditor *a, struct str name)
{
	const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
	struct str below = slash ? (struct str){slash + 1, name.n - (size_t)(slash + 1 - name.p)} : name;

	return strcmp(a->m->format, "pytorch") == 0 && begins(below, STR("code/")) &&
	       (ends(name, STR(".py")) || ends(name, STR(".debug_pkl")));
}

void check_torchscript(struct auditor *a)
{
	const struct source *s = &a->m->source;
	struct finding *f;
	size_t n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		n += is_torchscript(a, s->members[i].name) && ends(s->members[i].name, STR(".py"));
	f = n ? found(a, STR(""), "%zu file%s of TorchScript run when the model is used", n, n == 1 ? "" : "s") : NULL;
	if (f)
		f->key = STR("code");
}

/* Files beside the first one; what was unpacked of that bears its name. */
void check_external(struct auditor *a)
{
	const struct source *s = &a->m->source;

	for (uint32_t i = 1; strcmp(a->m->format, "onnx") == 0 && i < s->n; i++)
		if (s->members[i].file == i && !str_eq(s->members[i].name, s->members[0].name))
			found(a, STR(""), "it reads the file %s", said(a, s->members[i].name));
}

static bool is_entry(const struct source *s, uint32_t i)
{
	return s->members[i].file != i && s->members[i].kind != MEMBER_PIECES;
}

static struct bytes head_of(struct auditor *a, uint32_t member)
{
	struct bytes b = {NULL, 0};
	struct err e;

	/* a head that cannot be inflated is none; the tensors tell what is wrong */
	if (source_head(&a->s->m[a->other ? B : A].source, member, SIGNATURE_HEAD, &b, &e) != RC_OK)
		b = (struct bytes){NULL, 0};
	return b;
}

void check_executable(struct auditor *a)
{
	const struct source *s = &a->m->source;

	for (uint32_t i = 0; i < s->n; i++) {
		const char *what = is_entry(s, i) ? signature_program(head_of(a, i)) : NULL;

		if (what)
			found_at(found(a, STR(""), "the entry %s is %s", said(a, s->members[i].name), what), i, 0, 0);
	}
	for (size_t i = 0; i < s->n_strays; i++)
		if (s->strays[i].program)
			found(a, STR(""), "the entry %s beside the model is %s", said(a, str_of(s->strays[i].path)),
			      s->strays[i].program);
	check_programs_beside(a);
}

void check_script(struct auditor *a)
{
	const struct source *s = &a->m->source;

	for (uint32_t i = 0; i < s->n; i++) {
		struct str name = s->members[i].name;
		struct bytes head;

		if (!is_entry(s, i) || is_torchscript(a, name))
			continue;
		head = head_of(a, i);
		if (signature_script(head))
			found_at(found(a, STR(""), "the entry %s is a script", said(a, name)), i, 0, 0);
		else if (signature_name(name) && !signature_program(head))
			found_at(found(a, STR(""), "the entry %s is named like a program or a script", said(a, name)),
				 i, 0, 0);
	}
	for (size_t i = 0; i < s->n_strays; i++)
		if (!s->strays[i].program)
			found(a, STR(""), "the entry %s beside the model is %s", said(a, str_of(s->strays[i].path)),
			      s->strays[i].script ? "a script" : "named like a program or a script");
	check_scripts_beside(a);
}

/* ---- chat templates ---- */

struct template {
	struct str name, text; /* the key in the metadata, or the file */
	struct template *next;
};

struct templates {
	struct arena *arena;
	struct template *first, **end;
};

static void add_template(void *arg, struct str name, struct str text)
{
	struct templates *t = arg;
	struct template *x = arena_new(t->arena, struct template, 1);

	x->name = arena_str(t->arena, name);
	x->text = arena_str(t->arena, text);
	*t->end = x;
	t->end = &x->next;
}

static const struct templates *look_for_templates(struct auditor *a, const struct model *m)
{
	struct templates *t = arena_new(&a->out->arena, struct templates, 1);

	t->arena = &a->out->arena;
	t->end = &t->first;
	for (size_t i = 0; i < m->n_meta; i++) {
		const struct meta *x = &m->meta[i];

		if (x->value.kind == META_TEXT && x->key.n &&
		    memmem(x->key.p, x->key.n, "chat_template", strlen("chat_template")))
			add_template(t, x->key, x->value.u.text);
	}
	templates_beside(t->arena, m, add_template, t);
	return t;
}

static const struct template *templates_of(struct auditor *a)
{
	if (!a->templates)
		a->templates = look_for_templates(a, a->m);
	return a->templates->first;
}

/* The whole identifier that the word begins: __class__ of __. */
static bool found_word(struct auditor *a, const struct template *x, const char *word)
{
	struct str s = x->text;
	const char *at = s.n ? memmem(s.p, s.n, word, strlen(word)) : NULL;
	size_t n = strlen(word), left = at ? s.n - (size_t)(at - s.p) : 0;

	while (n < left && n < 40 && (at[n] == '_' || (at[n] >= 'a' && at[n] <= 'z')))
		n++;
	if (at)
		found(a, STR(""), "%s has the word %s", said(a, x->name), said(a, (struct str){at, n}));
	return at != NULL;
}

void check_template(struct auditor *a)
{
	for (const struct template *x = templates_of(a); x; x = x->next) {
		struct finding *f = found(a, STR(""), "%s is a chat template of %zu bytes", said(a, x->name),
					  x->text.n);

		if (f)
			f->key = x->name;
	}
}

/* Ways out of Jinja's templates, what one wants outside, and how such words are put together where they must not be
 * seen; what templates of models do needs none of it. */
void check_template_code(struct auditor *a)
{
	static const char *const words[] = {
		"__class__", "__subclasses__", "__globals__", "__builtins__", "__import__", "__mro__",
		"__getattribute__", "|attr", "| attr", "popen", "os.system", "subprocess", "cycler", "lipsum", "joiner",
		"\\x5f", "\\u005f", "\\137", "\\N{LOW LINE}", "format_map", "{% include", "{%- include", "{% import",
		"{%- import", "{% from", "{%- from", "{% extends", "{%- extends", "_tojson_filter", "import_module",
		"builtins",
	};

	for (const struct template *x = templates_of(a); x; x = x->next) {
		bool any = false;

		for (size_t k = 0; k < COUNT(words); k++)
			any = found_word(a, x, words[k]) || any;
		if (!any)
			found_word(a, x, "__");
	}
}

void check_template_changed(struct auditor *a)
{
	const struct template *of_a = a->other ? look_for_templates(a, a->other)->first : NULL;

	for (const struct template *x = a->other ? templates_of(a) : NULL; x; x = x->next) {
		const struct template *was = of_a;

		while (was && !str_eq(was->name, x->name))
			was = was->next;
		if (was && !str_eq(was->text, x->text))
			found(a, STR(""), "%s is another one than in A", said(a, x->name));
		else if (!was && (of_a || a->other->n_meta))
			found(a, STR(""), "%s is not in A", said(a, x->name));
	}
}
