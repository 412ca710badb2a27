#include "analysis/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "batch/batch.h"
#include "batch/sarif.h"

static const struct column columns[] = {
	{.key = "severity", .title = "severity", .left = true}, {.key = "code", .title = "code", .left = true},
	{.key = "basis", .title = "basis", .left = true}, {.key = "tensor", .title = "tensor", .left = true},
	{.key = "file", .title = "file", .left = true}, {.key = "offset", .title = "offset"},
	{.key = "length", .title = "length"}, {.key = "message", .title = "message", .left = true},
};

static enum hue hue_of(enum severity s)
{
	return s == SEVERITY_DANGER ? HUE_REMOVED : s == SEVERITY_WARNING ? HUE_CHANGED : HUE_NONE;
}

/* ---- which, and in which order ---- */

/* Facts before signals; the worst first; then as the table has them. */
static int by_weight(const void *pa, const void *pb)
{
	const struct finding *a = *(const struct finding *const *)pa, *b = *(const struct finding *const *)pb;

	if (a->check->basis != b->check->basis)
		return a->check->basis < b->check->basis ? -1 : 1;
	if (a->check->severity != b->check->severity)
		return a->check->severity > b->check->severity ? -1 : 1;
	if (a->check != b->check)
		return a->check < b->check ? -1 : 1;
	return (a > b) - (a < b);
}

static const struct finding **in_order(const struct audit *a)
{
	const struct finding **list = xcalloc(a->n, sizeof(*list));

	for (size_t i = 0; i < a->n; i++)
		list[i] = &a->findings[i];
	if (a->n)
		qsort(list, a->n, sizeof(*list), by_weight);
	return list;
}

/* ---- text ---- */

/* One line a finding, as compilers have it, whole: what does not fit goes on below. */
static void put_finding(const struct batch *b, const struct finding *f)
{
	struct buf line = {0}, word = {0};

	buf_printf(&word, "%-7s", severity_names[f->check->severity]);
	buf_puts(&line, "  ");
	paint(&line, &b->st, hue_of(f->check->severity), buf_view(&word));
	buf_printf(&line, "  %-16s  ", f->check->code);
	if (f->tensor.n) {
		utf8_display(&line, f->tensor, b->st.ascii);
		buf_puts(&line, ": ");
	}
	utf8_display(&line, str_of(f->message), b->st.ascii);
	buf_putc(&line, '\n');
	out_buf(&line);
	buf_free(&line);
	buf_free(&word);
}

static void put_rest(size_t n, const char *code)
{
	struct buf line = {0};

	buf_printf(&line, "  %-7s  %-16s  and %zu more of the kind; other output formats list all\n", "", code, n);
	out_buf(&line);
	buf_free(&line);
}

/* Of one kind no more than FOLD are told. */
static void put_basis(const struct batch *b, const struct finding **list, size_t n, enum basis basis, const char *title)
{
	enum { FOLD = 10 };
	bool titled = false;

	for (size_t i = 0, alike; i < n && !out_lost(); i += alike) {
		const struct check *c = list[i]->check;

		for (alike = 1; i + alike < n && list[i + alike]->check == c;)
			alike++;
		if (c->basis != basis)
			continue;
		if (!titled)
			out_puts(title);
		titled = true;
		for (size_t k = 0; k < alike && (k < FOLD || alike == FOLD + 1); k++)
			put_finding(b, list[i + k]);
		if (alike > FOLD + 1)
			put_rest(alike - FOLD, c->code);
	}
}

static void put_count(struct buf *b, size_t n, enum severity s, bool *any)
{
	static const char *const words[][2] = {{"note", "notes"}, {"warning", "warnings"}, {"danger", "dangers"}};

	if (n)
		buf_printf(b, "%s%zu %s", *any ? ", " : "", n, words[s][n != 1]);
	*any |= n != 0;
}

/* What was looked at belongs to it: that nothing was found is only worth what was read. */
static void put_total(const struct audit *a, bool news)
{
	struct buf line = {0};
	bool any = false;

	if (!a->n)
		buf_puts(&line, news ? "nothing found in B that is not in A" : "nothing found");
	for (enum severity s = SEVERITY_DANGER;; s--) {
		put_count(&line, audit_count(a, s) - (s < SEVERITY_DANGER ? audit_count(a, s + 1) : 0), s, &any);
		if (s == SEVERITY_NOTE)
			break;
	}
	if (a->more)
		buf_printf(&line, ", and %" PRIu64 " more that are not listed", a->more);
	if (!a->m->n_tensors)
		buf_puts(&line, "; there are no tensors\n");
	else if (!a->read)
		buf_printf(&line, "; none of the %zu tensors could be read\n", a->m->n_tensors);
	else
		buf_printf(&line, "; the values of %" PRIu64 " of %zu tensors were read\n", a->read, a->m->n_tensors);
	out_buf(&line);
	buf_free(&line);
}

static void put_text(const struct batch *b, const struct audit *a, const struct finding **list, size_t n)
{
	put_basis(b, list, n, BASIS_FACT, "Facts:\n");
	put_basis(b, list, n, BASIS_SIGNAL, "Signals, which have harmless causes, too:\n");
	if (n)
		out_puts("\n");
	put_total(a, b->s->n_models == 2);
}

/* ---- tables and JSON ---- */

struct str finding_file(const struct model *m, const struct finding *f)
{
	return f->file ? str_of(f->file) : f->placed ? member_file(m, f->member) : STR("");
}

uint64_t finding_offset(const struct model *m, const struct finding *f)
{
	const struct member *in = f->placed && f->member < m->source.n ? &m->source.members[f->member] : NULL;

	if (f->file)
		return f->offset;
	return in && in->kind == MEMBER_MAPPED && !in->packed.p ? in->file_offset + f->offset : UINT64_MAX;
}

/* Also as JSON: an object a row, by the columns' keys. */
static void put_table(const struct batch *b, const struct model *m, const struct finding **list, size_t n)
{
	struct table *t = table_new(&b->st, columns, COUNT(columns));

	table_expect(t, n);
	for (size_t i = 0; i < n && !out_lost(); i++) {
		const struct finding *f = list[i];
		struct str file = finding_file(m, f);
		uint64_t at = finding_offset(m, f);
		struct cell none = {.kind = CELL_NONE};

		table_row(t, (struct cell[]){
			cell_text(str_of(severity_names[f->check->severity])), cell_text(str_of(f->check->code)),
			cell_text(str_of(basis_names[f->check->basis])), f->tensor.n ? cell_text(f->tensor) : none,
			file.n ? cell_text(file) : none,
			at != UINT64_MAX ? cell_count(at) : none,
			at != UINT64_MAX && f->length ? cell_count(f->length) : none,
			cell_text(str_of(f->message)),
		}, hue_of(f->check->severity));
	}
	table_end(t);
}

static json_t *js_total(const struct audit *a)
{
	json_t *o = json_object();
	size_t above = 0;

	for (enum severity s = SEVERITY_DANGER;; s--) {
		size_t n = audit_count(a, s);

		js_put(o, severity_names[s], js_u64(n - above));
		above = n;
		if (s == SEVERITY_NOTE)
			break;
	}
	js_put(o, "not_listed", js_u64(a->more));
	js_put(o, "tensors", js_u64(a->m->n_tensors));
	js_put(o, "read", js_u64(a->read));
	return o;
}

/* ---- the command ---- */

/* Values that could not be read are trouble, whatever --fail-on says, and whatever tensors are asked for; so it is that
 * there are none but of types that this build does not decode. */
static void account(struct batch *b, const struct audit *a)
{
	int of = b->s->n_models == 2 ? B : A;
	bool none = a->m->n_tensors && !a->read && a->unread < a->m->n_tensors;

	for (unsigned side = A; side < b->s->n_models; side++)
		if (b->s->m[side].refusal)
			batch_mishap(b, (int)side, STR(""), b->s->m[side].refusal);
	if (a->m->refusal)
		return;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->findings[i].check->code, "unread") == 0 && !a->findings[i].tensor.n)
			batch_mishap(b, of, STR(""), a->findings[i].message);
	if (none)
		batch_mishap(b, of, STR(""),
			     arena_printf(&b->arena, "none of the %zu tensors could be read", a->m->n_tensors));
	else if (a->unread)
		batch_mishap(b, of, STR(""), arena_printf(&b->arena, "%" PRIu64 " of %zu tensors could not be read",
							  a->unread, a->m->n_tensors));
}

static void run(const struct batch *b, struct audit *out)
{
	struct session *s = b->s;
	struct audit a = {0};

	audit_model(out, s, s->n_models == 2 ? B : A, b->filtered ? &b->filter : NULL);
	if (s->n_models < 2)
		return;
	audit_model(&a, s, A, b->filtered ? &b->filter : NULL);
	audit_news(out, &a);
	audit_free(&a);
}

int cmd_audit(struct session *s, const struct opts *o)
{
	struct audit a;
	struct batch b;
	const struct finding **list;
	size_t n;
	int status;

	if (!batch_begin(&b, s, o, "audit"))
		return 2;
	run(&b, &a);
	account(&b, &a);
	list = in_order(&a);
	n = o->top && o->top < a.n ? (size_t)o->top : a.n;
	js_begin(&b.st, "audit");
	js_member(&b.st, s->n_models == 2 ? "a" : "model", js_model(&s->m[A]));
	if (s->n_models == 2)
		js_member(&b.st, "b", js_model(&s->m[B]));
	js_member(&b.st, "summary", js_total(&a));
	js_open_array(&b.st, "findings");
	if (b.st.output == OUT_SARIF)
		sarif_put(&b, &a, list, n);
	else if (b.st.output != OUT_TEXT)
		put_table(&b, a.m, list, n);
	else
		put_text(&b, &a, list, n);
	js_close_array(&b.st);
	batch_errors_json(&b);
	js_end(&b.st);
	status = audit_count(&a, o->fail_on) > 0;
	free(list);
	audit_free(&a);
	return batch_end(&b, status);
}
