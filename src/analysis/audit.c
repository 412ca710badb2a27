#include "analysis/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "analysis/audit_check.h"
#include "analysis/select.h"
#include "base/buf.h"
#include "base/map.h"

#define DANGER  SEVERITY_DANGER
#define WARNING SEVERITY_WARNING
#define NOTE    SEVERITY_NOTE
#define FACT    BASIS_FACT
#define SIGNAL  BASIS_SIGNAL

const char *const basis_names[] = {"fact", "signal"};

/* The manual's list is made from these lines by awk: man/splice.sh. */
const struct check checks[] = {
	/* code */
	{"pickle-call", DANGER, FACT, "loading it calls what runs programs, opens files or the like",
	 check_pickle_call},
	{"pickle-import", DANGER, FACT, "loading it imports such a thing and does not call it", check_pickle_import},
	{"pickle-unknown", WARNING, FACT, "loading it imports or calls what no list knows", check_pickle_unknown},
	{"pickle", NOTE, FACT, "loading it runs a pickle", check_pickle},
	{"keras-lambda", DANGER, FACT, "a Lambda layer: Python bytecode in the model's configuration",
	 check_keras_lambda},
	{"keras-outside", DANGER, FACT, "a model's configuration calls what runs code, or reads files",
	 check_keras_outside},
	{"keras-foreign", WARNING, FACT, "a model's configuration imports what is not Keras's own",
	 check_keras_foreign},
	{"file-op", DANGER, FACT, "its graph reads or writes files, or calls Python", check_file_op},
	{"custom-op", WARNING, FACT, "operators that need a library of somebody's own", check_custom_op},
	{"torchscript", NOTE, FACT, "TorchScript: code that runs when the model is used", check_torchscript},
	{"external-data", NOTE, FACT, "the model reads another file", check_external},
	{"template-code", DANGER, SIGNAL, "the chat template names what breaks out of a template", check_template_code},
	{"template-changed", WARNING, FACT, "the chat template is another one than in A", check_template_changed},
	{"template", NOTE, FACT, "there is a chat template: a program that runs when the model is used",
	 check_template},
	{"custom-code", WARNING, FACT, "its settings name Python code, which a library runs if told to trust it",
	 check_custom_code},
	{"executable", DANGER, FACT, "a program among an archive's members, or in the model's directory",
	 check_executable},
	{"script", WARNING, FACT, "likewise a script, or what is named like a program", check_script},
	/* bytes */
	{"lfs-pointer", WARNING, FACT, "a Git LFS pointer stands in place of the data", check_lfs},
	{"rule", WARNING, FACT, "the file breaks a rule of its format", check_rule},
	{"unread", WARNING, FACT, "values could not be read, or the whole file could not", check_unread},
	{"checksum", WARNING, FACT, "a checksum in the file is not that of the data", check_checksum},
	{"overlap", WARNING, FACT, "two tensors share bytes, and nothing says that they are meant to", check_overlap},
	{"unclaimed", WARNING, FACT,
	 "bytes or entries that no tensor claims, or behind the end of a compressed or a tar file",
	 check_unclaimed},
	{"zip-gap", WARNING, FACT, "bytes between the entries of a zip file, or around them", check_zip_gap},
	{"two-formats", WARNING, SIGNAL, "the file begins or ends as something else, too, or is a pickle as well",
	 check_two_formats},
	{"packing", NOTE, SIGNAL, "an entry is compressed as nothing is that its writers make", check_packing},
	{"padding", NOTE, SIGNAL, "padding that is not zero", check_padding},
	{"padding-random", WARNING, SIGNAL, "padding that looks random", check_padding_random},
	{"misaligned", NOTE, FACT, "a tensor begins at no multiple of its elements' size", check_misaligned},
	{"duplicate", NOTE, FACT, "two tensors hold the same bytes", check_duplicate},
	{"undecoded", NOTE, FACT, "values that were not looked at, since their type is not known", check_undecoded},
	/* numbers */
	{"nan", WARNING, FACT, "elements that are NaN", check_nan},
	{"inf", WARNING, FACT, "elements that are infinite", check_inf},
	{"scale", WARNING, FACT, "scales of a quantised tensor that are negative, infinite or NaN", check_scale},
	{"scale-zero", NOTE, FACT, "scales of a quantised tensor that are 0", check_scale_zero},
	{"scale-repeats", NOTE, SIGNAL, "all scales of a quantised tensor are one number", check_scale_repeats},
	{"hidden-codes", NOTE, SIGNAL, "codes that a scale of 0 makes nothing of", check_hidden_codes},
	{"odd-codes", NOTE, SIGNAL, "codes that what writes the type does not write", check_odd_codes},
	{"zero", NOTE, FACT, "all elements are zero", check_zero},
	{"constant", NOTE, FACT, "all elements are the same number", check_constant},
	{"dead", NOTE, FACT, "rows or columns that are all zero", check_dead},
	{"denormal", NOTE, SIGNAL, "more than a tenth of the elements are too small for a full fraction",
	 check_denormal},
	{"outlier", NOTE, SIGNAL, "far from the same tensor of the other layers", check_outlier},
	{"narrow", NOTE, FACT, "all values in a type are those of a narrower one, as after a cast", check_narrow},
	{"low-bits", NOTE, SIGNAL, "the lowest bits look random where those above are zero", check_low_bits},
	/* provenance */
	{"origin-conflict", WARNING, FACT, "the metadata contradicts itself or the tensors", check_origin_conflict},
	{"origin", NOTE, FACT, "what the file says of where it comes from", check_origin},
	{"origin-missing", NOTE, FACT, "what it does not say of it", check_origin_missing},
	{NULL, NOTE, FACT, NULL, NULL},
};

/* ---- for the checks ---- */

/* A name that is no tensor's passes by itself; a pair under two names does by either, as elsewhere. */
static bool is_told(const struct auditor *a, struct str tensor)
{
	uint32_t at = tensor.n && a->rows ? map_get(a->rows, tensor) : MAP_NONE;
	struct tensor alone = {.name = tensor};
	struct row own = {.t = {&alone}};

	return !tensor.n || !a->rows || filter_name(a->filter, at == MAP_NONE ? &own : &a->s->rows[at]);
}

struct finding *found(struct auditor *a, struct str tensor, const char *fmt, ...)
{
	struct audit *out = a->out;
	struct finding *f;
	char text[1024];
	va_list ap;

	if (!is_told(a, tensor))
		return NULL;
	if (a->found++ >= FINDINGS_MAX) {
		out->more++;
		return NULL;
	}
	if (out->n == out->cap) {
		out->cap = out->cap ? 2 * out->cap : 32;
		out->findings = xrealloc(out->findings, out->cap, sizeof(*out->findings));
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f = &out->findings[out->n++];
	*f = (struct finding){.check = a->check, .tensor = tensor};
	f->message = arena_str(&out->arena, str_of(text)).p;
	f->key = tensor.n ? tensor : str_of(f->message);
	return f;
}

void found_at(struct finding *f, uint32_t member, uint64_t offset, uint64_t length)
{
	if (!f)
		return;
	f->placed = true;
	f->member = member;
	f->offset = offset;
	f->length = length;
}

static const struct check *unread(void)
{
	const struct check *c = checks;

	while (c->run != check_unread)
		c++;
	return c;
}

void found_unread(struct auditor *a, const char *file, const char *why)
{
	const struct check *own = a->check;

	a->check = unread();
	found(a, STR(""), "%s beside the model cannot be read: %s", file, why);
	a->check = own;
}

void found_bytes(struct auditor *a, struct finding *f, const char *what, struct bytes b)
{
	if (f)
		f->key = str_of(arena_printf(&a->out->arena, "%s, %zu bytes, %08lx", what, b.n,
					     (unsigned long)crc32_z(0, b.p, b.n)));
}

const char *said(struct auditor *a, struct str s)
{
	enum { SHOWN = 200 };
	struct buf b = {0};
	const char *text;

	for (size_t i = 0; i < s.n && i < SHOWN; i++)
		buf_putc(&b, s.p[i] == '\n' || s.p[i] == '\0' ? ' ' : s.p[i]);
	if (s.n > SHOWN)
		buf_puts(&b, "...");
	text = arena_str(&a->out->arena, buf_view(&b)).p;
	buf_free(&b);
	return text;
}

const struct meta_value *meta_of(const struct model *m, const char *key)
{
	for (size_t i = 0; i < m->n_meta; i++)
		if (str_eq(m->meta[i].key, str_of(key)))
			return &m->meta[i].value;
	return NULL;
}

/* ---- the whole ---- */

/* What the checks that look at bytes met may be zeros that stand in the place of what is gone. */
static void look_for_losses(struct auditor *a)
{
	const struct source *s = &a->m->source;
	struct str name;

	source_watch(s, &name);
	for (uint32_t i = 0; i < s->n; i++)
		if (s->members[i].kind == MEMBER_MAPPED && s->members[i].file == i &&
		    source_lost(s, (struct span){i, 0, s->members[i].size}))
			found(a, STR(""), "%s shrank while it was open: what it has lost was looked at as if it were "
			      "zeros", said(a, s->members[i].name));
}

void audit_model(struct audit *out, struct session *s, int side, const struct filter *filter)
{
	struct auditor a = {.s = s, .m = &s->m[side], .other = side == B ? &s->m[A] : NULL, .out = out};
	struct archive_end end;
	struct survey *surveys;
	struct map rows = {0};

	if (filter) {
		a.filter = filter;
		a.rows = &rows;
		for (size_t i = 0; i < s->n_rows; i++)
			if (s->rows[i].t[side])
				map_add(&rows, s->rows[i].t[side]->name, (uint32_t)i);
	}
	*out = (struct audit){.m = a.m};
	source_outlive(); /* survey.c and look_for_losses keep its promise */
	a.surveys = surveys = survey_model(s, a.m, &out->arena);
	for (size_t i = 0; i < a.m->n_tensors; i++) {
		out->read += surveys[i].read;
		out->unread += (a.m->tensors[i].broken && !a.m->tensors[i].undecoded) || surveys[i].error;
	}
	if (a.m->source.n && source_archive_end(&a.m->source, 0, &end))
		a.end = &end;
	for (a.check = checks; a.check->code; a.check++) {
		a.found = 0;
		a.check->run(&a);
	}
	a.check = unread();
	look_for_losses(&a);
	beside_free(a.beside);
	neighbours_free(a.neighbours);
	map_free(&rows);
	free(surveys);
}

/* A finding's code and key as one word for a map; in the arena. */
static struct str identity(struct arena *a, const struct finding *f)
{
	struct buf b = {0};
	struct str s;

	buf_puts(&b, f->check->code);
	buf_putc(&b, ' ');
	buf_str(&b, f->key);
	s = arena_str(a, buf_view(&b));
	buf_free(&b);
	return s;
}

void audit_news(struct audit *b, const struct audit *a)
{
	struct map known = {0};
	struct arena names = {0};
	size_t n = 0;

	map_reserve(&known, a->n);
	for (size_t i = 0; i < a->n; i++)
		map_add(&known, identity(&names, &a->findings[i]), 0);
	for (size_t i = 0; i < b->n; i++)
		if (map_get(&known, identity(&names, &b->findings[i])) == MAP_NONE)
			b->findings[n++] = b->findings[i];
	b->n = n;
	map_free(&known);
	arena_free(&names);
}

size_t audit_count(const struct audit *a, enum severity least)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += a->findings[i].check->severity >= least;
	return n;
}

void audit_free(struct audit *a)
{
	free(a->findings);
	arena_free(&a->arena);
	*a = (struct audit){0};
}
