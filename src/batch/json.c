#include "batch/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/version.h"
#include "batch/batch.h"
#include "model/pack.h"

/* jansson returns NULL when memory is short (or for text that is not UTF-8, which is never given to it). */
static json_t *sure(json_t *j)
{
	if (!j)
		die("out of memory for JSON");
	return j;
}

json_t *js_text(struct str s)
{
	struct buf b = {0};
	json_t *j;

	utf8_repair(&b, s);
	j = sure(json_stringn(b.p ? b.p : "", b.n));
	buf_free(&b);
	return j;
}

json_t *js_u64(uint64_t n)
{
	char digits[24];

	if (n <= INT64_MAX)
		return sure(json_integer((json_int_t)n));
	snprintf(digits, sizeof(digits), "%" PRIu64, n);
	return js_text(str_of(digits));
}

json_t *js_number(double x)
{
	return isfinite(x) ? sure(json_real(x)) : json_null();
}

json_t *js_value(double x)
{
	if (isfinite(x))
		return sure(json_real(x));
	return js_text(isnan(x) ? STR("nan") : x > 0 ? STR("inf") : STR("-inf"));
}

static void put_base64(struct buf *b, struct str s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t three = (uint32_t)p[i] << 16;

		three |= i + 1 < s.n ? (uint32_t)p[i + 1] << 8 : 0;
		three |= i + 2 < s.n ? p[i + 2] : 0;
		buf_putc(b, digits[three >> 18]);
		buf_putc(b, digits[three >> 12 & 63]);
		buf_putc(b, i + 1 < s.n ? digits[three >> 6 & 63] : '=');
		buf_putc(b, i + 2 < s.n ? digits[three & 63] : '=');
	}
}

void js_put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		die("out of memory for JSON");
}

void js_put_text(json_t *object, const char *key, struct str s)
{
	struct buf name = {0}, bytes = {0};

	js_put(object, key, js_text(s));
	if (utf8_valid(s))
		return;
	buf_printf(&name, "%s_bytes", key);
	put_base64(&bytes, s);
	js_put(object, name.p, sure(json_stringn(bytes.p, bytes.n)));
	buf_free(&name);
	buf_free(&bytes);
}

json_t *js_shape(const uint64_t *dims, unsigned rank)
{
	json_t *a = sure(json_array());

	for (unsigned i = 0; i < rank; i++)
		json_array_append_new(a, js_u64(dims[i]));
	return a;
}

void js_put_cell(json_t *o, const char *key, const struct cell *c)
{
	switch (c->kind) {
	case CELL_NONE:
		js_put(o, key, json_null());
		break;
	case CELL_TEXT:
		js_put_text(o, key, c->u.text);
		break;
	case CELL_COUNT:
	case CELL_BYTES:
		js_put(o, key, js_u64(c->u.count));
		break;
	case CELL_REAL:
	case CELL_FRACTION:
		js_put(o, key, js_number(c->u.real));
		break;
	case CELL_SHAPE:
		js_put(o, key, js_shape(c->u.shape.dims, c->u.shape.rank));
		break;
	case CELL_BOOL:
		js_put(o, key, json_boolean(c->u.count));
		break;
	}
}

/* An array within an array is told by its length: no recursion on a file's word. */
static json_t *inner_array(const struct meta_value *v)
{
	json_t *o = sure(json_object());

	js_put(o, "type", js_text(str_of(v->type)));
	js_put(o, "count", js_u64(v->u.array.count));
	return o;
}

/* An array shown whole is an array; of a longer one, how long it is and the first items. */
/* NOLINTNEXTLINE(misc-no-recursion): once: an item that is an array goes to inner_array */
static json_t *meta_array(const struct meta_value *v)
{
	json_t *items = sure(json_array()), *o;

	for (uint64_t i = 0; i < v->u.array.shown; i++) {
		const struct meta_value *item = &v->u.array.items[i];

		json_array_append_new(items, item->kind == META_ARRAY ? inner_array(item) : js_meta(item));
	}
	if (v->u.array.shown == v->u.array.count)
		return items;
	o = sure(json_object());
	js_put(o, "type", js_text(str_of(v->type)));
	js_put(o, "count", js_u64(v->u.array.count));
	js_put(o, "first", items);
	return o;
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
json_t *js_meta(const struct meta_value *v)
{
	switch (v->kind) {
	case META_BOOL:
		return json_boolean(v->u.boolean);
	case META_UINT:
		return js_u64(v->u.uint);
	case META_INT:
		return sure(json_integer(v->u.sint));
	case META_REAL:
		return js_value(v->u.real);
	case META_TEXT:
		return js_text(v->u.text);
	case META_ARRAY:
		break;
	}
	return meta_array(v);
}

/* jansson's keys end at a NUL, so one inside is shown as a blank. */
static void put_meta(json_t *o, const struct meta *m)
{
	struct buf key = {0};

	utf8_repair(&key, m->key);
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] == '\0')
			key.p[i] = ' ';
	js_put(o, key.p ? key.p : "", js_meta(&m->value));
	buf_free(&key);
}

static json_t *js_notes(const struct model *m)
{
	json_t *notes = sure(json_array());

	for (size_t i = 0; i < m->n_notes; i++) {
		json_t *o = sure(json_object());

		js_put_text(o, "tensor", m->notes[i].tensor);
		js_put(o, "message", js_text(str_of(m->notes[i].message)));
		json_array_append_new(notes, o);
	}
	return notes;
}

json_t *js_model(const struct model *m)
{
	json_t *o = sure(json_object()), *types = sure(json_object()), *meta = sure(json_object());
	struct type_count counts[TYPES_MAX];
	size_t n = count_types(m, counts);

	for (size_t i = 0; i < n; i++) {
		struct buf name = {0};

		utf8_repair(&name, str_of(counts[i].name));
		js_put(types, name.p ? name.p : "", js_u64(counts[i].tensors));
		buf_free(&name);
	}
	for (size_t i = 0; i < m->n_meta; i++)
		put_meta(meta, &m->meta[i]);
	js_put_text(o, "path", str_of(m->path));
	js_put(o, "format", js_text(str_of(m->format)));
	js_put(o, "variant", js_text(str_of(m->variant)));
	js_put(o, "files", js_u64(m->files));
	js_put(o, "bytes", js_u64(m->bytes));
	js_put(o, "tensors", js_u64(m->n_tensors));
	js_put(o, "parameters", js_u64(model_parameters(m)));
	js_put(o, "types", types);
	js_put(o, "metadata", meta);
	if (m->n_notes)
		js_put(o, "notes", js_notes(m));
	return o;
}

static void put_parts(json_t *o, const struct model *m, const struct pack *p)
{
	json_t *parts = sure(json_array());

	for (unsigned i = 0; i < p->n_parts; i++) {
		const struct pack_part *part = &p->parts[i];
		json_t *one = sure(json_object());

		js_put(one, "role", js_text(str_of(part->role)));
		js_put_text(one, "name", part->name);
		js_put(one, "type", js_text(str_of(part->type_name)));
		js_put(one, "shape", js_shape(part->shape, part->rank));
		js_put(one, "offset", js_u64(part->data.offset));
		js_put(one, "bytes", js_u64(part->data.length));
		if (m->files > 1)
			js_put_text(one, "file", member_file(m, part->data.member));
		json_array_append_new(parts, one);
	}
	js_put(o, "packed", js_text(str_of(p->about)));
	js_put(o, "parts", parts);
}

json_t *js_tensor(const struct model *m, const struct tensor *t)
{
	json_t *o = sure(json_object());

	js_put_text(o, "name", t->name);
	if (t->alias.n)
		js_put_text(o, "alias", t->alias);
	js_put(o, "type", js_text(str_of(t->type_name)));
	js_put(o, "shape", js_shape(t->shape, t->rank));
	js_put(o, "count", js_u64(t->count));
	js_put(o, "bytes", js_u64(t->data.length));
	js_put(o, "offset", js_u64(t->data.offset));
	if (m->files > 1)
		js_put_text(o, "file", tensor_file(m, t));
	if (t->pack)
		put_parts(o, m, t->pack);
	if (t->strides)
		js_put(o, "strides", js_shape(t->strides, t->rank));
	if (t->tied.n)
		js_put_text(o, "tied_to", t->tied);
	if (t->note)
		js_put(o, "note", js_text(str_of(t->note)));
	if (t->trouble)
		js_put(o, "trouble", js_text(str_of(t->trouble)));
	return o;
}

json_t *js_bins(const struct bins *b)
{
	json_t *o = sure(json_object()), *counts = sure(json_array());

	for (unsigned i = 0; i < b->n; i++)
		json_array_append_new(counts, js_u64(b->counts[i]));
	js_put(o, "lo", js_number(b->lo));
	js_put(o, "hi", js_number(b->hi));
	js_put(o, "counts", counts);
	js_put(o, "below", js_u64(b->below));
	js_put(o, "above", js_u64(b->above));
	js_put(o, "not_finite", js_u64(b->left));
	return o;
}

static void put_side(json_t *o, const char *key, json_t *value)
{
	js_put(o, key, value ? value : json_null());
}

static json_t *js_relation(const struct relation *l)
{
	static const char *const became[] = {
		[0] = NULL, [OVER_INFINITE] = "infinity", [OVER_NAN] = "nan", [OVER_LARGEST] = "largest",
	};
	json_t *o = sure(json_object());

	js_put(o, "direction", js_text(l->reverse ? STR("b to a") : STR("a to b")));
	if (l->rung == RUNG_QUANTISED) {
		js_put(o, "beyond", js_number(l->share));
		js_put(o, "elements_beyond", js_u64(l->beyond));
		return o;
	}
	js_put(o, "rounding", js_text(str_of(rounding_names[l->rounding])));
	js_put(o, "out_of_range", js_u64(l->n_over));
	put_side(o, "became", l->n_over ? js_text(str_of(became[l->over])) : NULL);
	js_put(o, "flushed", js_u64(l->n_flushed));
	return o;
}

json_t *js_pair(const struct row *r)
{
	static const char *const keys[2][3] = {{"a", "a_type", "a_shape"}, {"b", "b_type", "b_shape"}};
	json_t *o = sure(json_object());

	for (int side = A; side <= B; side++) {
		if (r->t[side])
			js_put_text(o, keys[side][0], r->t[side]->name);
		else
			js_put(o, keys[side][0], json_null());
	}
	put_side(o, "via", vias[r->via] ? js_text(str_of(vias[r->via])) : NULL);
	js_put(o, "status", js_text(str_of(statuses[r->status].name)));
	js_put(o, "retyped", json_boolean(r->retyped));
	if (r->status == ST_CAST || r->status == ST_QUANTISED)
		js_put(o, statuses[r->status].name, js_relation(&r->result->relation));
	for (int side = A; side <= B; side++)
		put_side(o, keys[side][1], r->t[side] ? js_text(str_of(r->t[side]->type_name)) : NULL);
	for (int side = A; side <= B; side++)
		put_side(o, keys[side][2], r->t[side] ? js_shape(r->t[side]->shape, r->t[side]->rank) : NULL);
	return o;
}

static bool is_quantile(const struct field *f)
{
	return f->group == FIELD_DIST && (f->key[0] == 'p' || strcmp(f->key, "median") == 0);
}

json_t *js_stats(const struct row *r, int side)
{
	json_t *o, *quantiles;

	if (!r->t[side] || r->t[side]->trouble || !r->result || r->result->error)
		return json_null();
	o = sure(json_object());
	quantiles = sure(json_object());
	for (const struct field *f = fields; f->key; f++) {
		struct cell c = field_get(f, r, side);

		if (is_quantile(f))
			js_put_cell(quantiles, f->key, &c);
		else if (f->group == FIELD_STATS || f->group == FIELD_DIST)
			js_put_cell(o, f->key, &c);
	}
	js_put(o, "quantiles", quantiles);
	return o;
}

json_t *js_diff(const struct row *r)
{
	json_t *o;

	if (!has_diff(r))
		return json_null();
	o = sure(json_object());
	for (const struct field *f = fields; f->key; f++) {
		struct cell c = field_get(f, r, A);

		if (f->group == FIELD_DIFF || f->group == FIELD_DIFF_DIST)
			js_put_cell(o, f->key, &c);
	}
	return o;
}

/* ---- the frame ---- */

static bool first_item;

/* A whole character at a time, or more. */
static int write_part(const char *p, size_t n, void *unused)
{
	struct buf b = {0};

	(void)unused;
	utf8_json(&b, (struct str){p, n});
	out_str(buf_view(&b));
	buf_free(&b);
	return out_lost() ? -1 : 0;
}

static void write_value(json_t *j)
{
	json_dump_callback(j, write_part, NULL, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
	json_decref(j);
}

void js_print(json_t *j)
{
	write_value(j);
}

void js_begin(const struct style *st, const char *command)
{
	struct buf b = {0};

	if (st->output != OUT_JSON)
		return;
	buf_printf(&b, "{\"weigh\":\"%s\",\"command\":\"%s\"", WEIGH_VERSION, command);
	out_buf(&b);
	buf_free(&b);
}

static void put_key(const char *key)
{
	out_puts(",\n \"");
	out_puts(key);
	out_puts("\":");
}

void js_member(const struct style *st, const char *key, json_t *value)
{
	if (st->output != OUT_JSON) {
		json_decref(value);
		return;
	}
	put_key(key);
	write_value(value);
}

void js_open_array(const struct style *st, const char *key)
{
	first_item = true;
	if (st->output != OUT_JSON)
		return;
	put_key(key);
	out_puts("[");
}

static void next_item(const struct style *st)
{
	if (st->output == OUT_JSON)
		out_puts(first_item ? "\n  " : ",\n  ");
	first_item = false;
}

void js_item(const struct style *st, json_t *value)
{
	next_item(st);
	write_value(value);
	if (st->output == OUT_JSONL)
		out_puts("\n");
}

void js_item_open(const struct style *st, json_t *object, const char *key)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
	size_t n = text ? strlen(text) : 0;

	if (n == 0)
		die("out of memory for JSON");
	next_item(st);
	write_part(text, n - 1, NULL); /* without its closing brace */
	out_puts(",\"");
	out_puts(key);
	out_puts("\":");
	free(text);
	json_decref(object);
}

void js_item_close(const struct style *st)
{
	out_puts(st->output == OUT_JSONL ? "}\n" : "}");
}

void js_close_array(const struct style *st)
{
	if (st->output == OUT_JSON)
		out_puts("]");
}

void js_end(const struct style *st)
{
	if (st->output == OUT_JSON)
		out_puts("}\n");
}
