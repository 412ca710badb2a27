#include "format/facts.h"

static struct meta_value *add(struct model *m, const char *key, enum meta_kind kind, const char *type)
{
	struct meta_value *v = model_add_meta(m, str_of(key));

	v->kind = kind;
	v->type = type;
	return v;
}

void fact_text(struct model *m, const char *key, struct str text)
{
	meta_set_text(m, add(m, key, META_TEXT, "str"), text);
}

void fact_uint(struct model *m, const char *key, uint64_t x)
{
	add(m, key, META_UINT, "u64")->u.uint = x;
}

void fact_int(struct model *m, const char *key, int64_t x)
{
	add(m, key, META_INT, "i64")->u.sint = x;
}

void fact_f32(struct model *m, const char *key, float x)
{
	add(m, key, META_REAL, "f32")->u.real = (double)x;
}
