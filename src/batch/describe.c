/* What models are made of, in words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/datum.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "batch/batch.h"

static int by_bytes(const void *pa, const void *pb)
{
	const struct type_count *a = pa, *b = pb;

	return (a->bytes < b->bytes) - (a->bytes > b->bytes);
}

size_t count_types(const struct model *m, struct type_count out[TYPES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];
		const char *name = t->type_name;
		size_t k = 0;

		while (k < n && strcmp(out[k].name, name) != 0)
			k++;
		if (k == TYPES_MAX)
			out[--k].name = "other";
		if (k == n)
			out[n++] = (struct type_count){.name = name};
		out[k].tensors++;
		out[k].parameters += t->count;
		out[k].bytes += t->data.length;
	}
	qsort(out, n, sizeof(*out), by_bytes);
	return n;
}

struct str member_file(const struct model *m, uint32_t member)
{
	const struct source *s = &m->source;

	if (member >= s->n || s->members[member].file >= s->n)
		return STR("");
	return s->members[s->members[member].file].name;
}

struct str tensor_file(const struct model *m, const struct tensor *t)
{
	return member_file(m, t->data.member);
}

bool has_diff(const struct row *r)
{
	return field_get(field_by_key(STR("changed")), r, A).kind != CELL_NONE;
}

static void show_value(struct buf *b, const struct meta_value *v, bool ascii)
{
	if (v->kind == META_TEXT) {
		utf8_display(b, v->u.text, ascii);
	} else if (v->kind == META_ARRAY) {
		buf_printf(b, "%s[", v->type);
		fmt_count(b, v->u.array.count);
		buf_putc(b, ']');
	} else {
		meta_number(b, v);
	}
}

void meta_show(struct buf *b, const struct meta_value *v, bool ascii)
{
	uint64_t n = v->kind == META_ARRAY ? u64_min(v->u.array.shown, 8) : 0;

	show_value(b, v, ascii);
	if (v->kind != META_ARRAY)
		return;
	buf_puts(b, " {");
	for (uint64_t i = 0; i < n; i++) {
		bool text = v->u.array.items[i].kind == META_TEXT;

		buf_puts(b, i ? ", " : "");
		buf_puts(b, text ? "\"" : "");
		show_value(b, &v->u.array.items[i], ascii);
		buf_puts(b, text ? "\"" : "");
	}
	if (n < v->u.array.count)
		buf_puts(b, ascii ? (n ? ", ..." : "...") : (n ? ", …" : "…"));
	buf_putc(b, '}');
}
