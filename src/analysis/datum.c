#include "analysis/datum.h"

#include <inttypes.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "format/json_pull.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct bytes trim(struct bytes b)
{
	while (b.n && is_blank(b.p[0]))
		b = (struct bytes){b.p + 1, b.n - 1};
	while (b.n && is_blank(b.p[b.n - 1]))
		b.n--;
	return b;
}

static bool within(struct bytes b, uint8_t open, uint8_t close)
{
	return b.n >= 2 && b.p[0] == open && b.p[b.n - 1] == close;
}

/* The JSON that it is, or that its text holds; no bytes: none. */
static struct bytes json_of(const struct datum *d)
{
	struct bytes b = d->json;

	if (d->meta && d->meta->kind == META_TEXT)
		b = trim((struct bytes){(const uint8_t *)d->meta->u.text.p, d->meta->u.text.n});
	if (d->meta && !within(b, '{', '}') && !within(b, '[', ']'))
		b.n = 0;
	return b;
}

bool datum_opens(const struct datum *d)
{
	struct bytes b = json_of(d);

	if (d->meta && d->meta->kind == META_ARRAY)
		return d->meta->u.array.shown > 0;
	return b.n && (b.p[0] == '{' || b.p[0] == '[') && trim((struct bytes){b.p + 1, b.n - 2}).n > 0;
}

/* ---- parts ---- */

static bool open_array(const struct meta_value *v, struct arena *a, struct datum_parts *out)
{
	out->n = (size_t)u64_min(v->u.array.shown, DATUM_PARTS_MAX);
	out->part = arena_new(a, struct datum_part, out->n);
	out->more = v->u.array.count - out->n;
	out->items = true;
	for (size_t i = 0; i < out->n; i++)
		out->part[i].d.meta = &v->u.array.items[i];
	return true;
}

/* The next value, as a stretch of the text. */
static struct bytes take_value(struct pull *p)
{
	const uint8_t *start;

	while (p->p < p->end && is_blank(*p->p))
		p->p++;
	start = p->p;
	pull_skip(p);
	return (struct bytes){start, (size_t)(p->p - start)};
}

/* Goes through the members or items, and keeps them where `out` has room. */
static uint64_t walk(struct pull *p, struct datum_parts *out)
{
	struct str key = {NULL, 0};
	uint64_t n = 0;
	bool object = pull_object(p);

	if (!object && !pull_array(p))
		return 0;
	out->items = !object;
	while (object ? pull_member(p, &key) : pull_item(p)) {
		struct bytes value = take_value(p);

		if (p->bad)
			break;
		if (out->part && n < out->n)
			out->part[n] = (struct datum_part){object ? key : STR(""), {.json = value}};
		n++;
	}
	pull_end(p);
	return n;
}

bool datum_open(const struct datum *d, struct arena *a, struct datum_parts *out, struct err *e)
{
	struct bytes b = json_of(d);
	struct arena scratch = {0};
	struct pull p = pull_of(b, 0, "the text", &scratch);
	uint64_t all;

	*out = (struct datum_parts){.n = 0};
	if (d->meta && d->meta->kind == META_ARRAY)
		return open_array(d->meta, a, out);
	all = walk(&p, out); /* once to count, once to keep */
	arena_free(&scratch);
	if (p.bad) {
		*e = p.why;
		return false;
	}
	out->n = (size_t)u64_min(all, DATUM_PARTS_MAX);
	out->part = arena_new(a, struct datum_part, out->n);
	out->more = all - out->n;
	p = pull_of(b, 0, "the text", a);
	walk(&p, out);
	return true;
}

/* ---- comparing ---- */

/* Two texts of JSON without what white space stands between their tokens. */
static bool same_text(struct bytes a, struct bytes b)
{
	bool string = false;

	for (;;) {
		while (!string && a.n && is_blank(a.p[0]))
			a = (struct bytes){a.p + 1, a.n - 1};
		while (!string && b.n && is_blank(b.p[0]))
			b = (struct bytes){b.p + 1, b.n - 1};
		if (!a.n || !b.n || a.p[0] != b.p[0])
			return a.n == b.n && a.n == 0;
		if (string && a.p[0] == '\\' && a.n > 1 && b.n > 1) {
			if (a.p[1] != b.p[1])
				return false;
			a = (struct bytes){a.p + 1, a.n - 1};
			b = (struct bytes){b.p + 1, b.n - 1};
		} else if (a.p[0] == '"') {
			string = !string;
		}
		a = (struct bytes){a.p + 1, a.n - 1};
		b = (struct bytes){b.p + 1, b.n - 1};
	}
}

bool datum_equal(const struct datum *a, const struct datum *b)
{
	struct bytes ja = json_of(a), jb = json_of(b);

	if (a->meta && b->meta && meta_equal(a->meta, b->meta))
		return true;
	return ja.n && jb.n && same_text(ja, jb);
}

/* ---- as text ---- */

static const char *json_type(struct bytes b)
{
	switch (b.n ? b.p[0] : 0) {
	case '{': return "object";
	case '[': return "array";
	case '"': return "string";
	case 't':
	case 'f': return "bool";
	case 'n': return "null";
	default: return "number";
	}
}

void datum_type(const struct datum *d, struct buf *b)
{
	if (!datum_there(d))
		return;
	if (!d->meta) {
		buf_puts(b, json_type(d->json));
		return;
	}
	utf8_display(b, str_of(d->meta->type), false);
	if (d->meta->kind == META_ARRAY)
		buf_printf(b, "[%" PRIu64 "]", d->meta->u.array.count);
	else if (datum_opens(d) && strcmp(d->meta->type, "json") != 0)
		buf_puts(b, ", JSON");
}

static bool inside_character(char c)
{
	return (c & 0xc0) == 0x80;
}

/* Of a long text both ends. */
static void show_text(struct buf *b, struct str s, size_t most, bool ascii)
{
	size_t head = most / 2, tail = s.n - head;

	if (s.n <= most) {
		utf8_display(b, s, ascii);
		return;
	}
	while (head && inside_character(s.p[head]))
		head--;
	while (tail < s.n && inside_character(s.p[tail]))
		tail++;
	utf8_display(b, (struct str){s.p, head}, ascii);
	buf_puts(b, ascii ? "..." : "…");
	utf8_display(b, (struct str){s.p + tail, s.n - tail}, ascii);
}

void meta_number(struct buf *b, const struct meta_value *v)
{
	if (v->kind == META_BOOL)
		buf_puts(b, v->u.boolean ? "true" : "false");
	else if (v->kind == META_UINT)
		fmt_count(b, v->u.uint);
	else if (v->kind == META_INT)
		buf_printf(b, "%" PRId64, v->u.sint);
	else if (v->u.real != v->u.real)
		buf_puts(b, "nan");
	else if (strcmp(v->type, "f32") == 0)
		fmt_float(b, v->u.real);
	else
		fmt_exact(b, v->u.real);
}

static void show_value(struct buf *b, const struct meta_value *v, size_t most, bool ascii)
{
	if (v->kind == META_TEXT)
		show_text(b, v->u.text, most, ascii);
	else if (v->kind == META_ARRAY) /* in an array: it goes no deeper here */
		buf_printf(b, "[%" PRIu64 " values]", v->u.array.count);
	else
		meta_number(b, v);
}

static void show_array(struct buf *b, const struct meta_value *v, size_t most, bool ascii)
{
	buf_putc(b, '[');
	for (uint64_t i = 0; i < v->u.array.shown && b->n < most; i++) {
		buf_puts(b, i ? ", " : "");
		show_value(b, &v->u.array.items[i], most, ascii);
	}
	if (v->u.array.count > v->u.array.shown)
		buf_puts(b, v->u.array.shown ? (ascii ? ", ..." : ", …") : (ascii ? "..." : "…"));
	buf_putc(b, ']');
}

void datum_text(const struct datum *d, struct buf *b, size_t most, bool ascii)
{
	struct str s = {(const char *)d->json.p, d->json.n};
	struct arena scratch = {0};
	struct pull p = pull_of(d->json, 0, "the text", &scratch);

	if (!datum_there(d))
		return;
	if (d->meta && d->meta->kind == META_ARRAY) {
		show_array(b, d->meta, most, ascii);
	} else if (d->meta) {
		show_value(b, d->meta, most, ascii);
	} else {
		pull_string(&p, &s); /* else it stays as it is written */
		show_text(b, s, most, ascii);
	}
	arena_free(&scratch);
}
