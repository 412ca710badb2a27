#include "format/notes.h"

#include <inttypes.h>

void note_text(struct model *m, struct str key, const char *type, struct str text)
{
	struct meta_value *v = model_add_meta(m, key);

	v->type = type;
	meta_set_text(m, v, text);
}

void note_uint(struct model *m, struct str key, const char *type, uint64_t x)
{
	struct meta_value *v = model_add_meta(m, key);

	v->kind = META_UINT;
	v->type = type;
	v->u.uint = x;
}

void note_int(struct model *m, struct str key, const char *type, int64_t x)
{
	struct meta_value *v = model_add_meta(m, key);

	v->kind = META_INT;
	v->type = type;
	v->u.sint = x;
}

void note_real(struct model *m, struct str key, const char *type, double x)
{
	struct meta_value *v = model_add_meta(m, key);

	v->kind = META_REAL;
	v->type = type;
	v->u.real = x;
}

void fact_text(struct model *m, const char *key, struct str text)
{
	note_text(m, str_of(key), "str", text);
}

void fact_uint(struct model *m, const char *key, uint64_t x)
{
	note_uint(m, str_of(key), "u64", x);
}

void fact_int(struct model *m, const char *key, int64_t x)
{
	note_int(m, str_of(key), "i64", x);
}

void fact_f32(struct model *m, const char *key, float x)
{
	note_real(m, str_of(key), "f32", (double)x);
}

static struct str word_for(struct model *m, const struct word *w, uint64_t number)
{
	while (w->word && w->number != number)
		w++;
	return str_of(w->word ? w->word : arena_printf(&m->arena, "%" PRIu64 ", not known", number));
}

void notes_of(struct model *m, const char *prefix, struct bytes message, const struct note *notes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str key = str_of(arena_printf(&m->arena, "%s%s", prefix, notes[i].key));
		struct proto p;

		if (!proto_find(message, notes[i].field, notes[i].wire, &p))
			continue;
		if (notes[i].words)
			note_text(m, key, "enum", word_for(m, notes[i].words, p.number));
		else if (notes[i].wire == WIRE_BYTES)
			note_text(m, key, "str", proto_text(&p));
		else if (notes[i].wire == WIRE_32)
			note_real(m, key, "f32", (double)proto_float(p.number));
		else if (notes[i].wire == WIRE_64)
			note_real(m, key, "f64", proto_double(p.number));
		else
			note_int(m, key, "int", (int64_t)p.number);
	}
}
