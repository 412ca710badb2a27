#include "format/texts.h"

void texts_add(struct texts *t, struct str s)
{
	digest_u64(&t->d, s.n);
	digest_add(&t->d, s);
	if (!t->items)
		t->items = arena_new(&t->m->arena, struct meta_value, TEXTS_KEPT);
	if (t->count < TEXTS_KEPT) {
		t->items[t->count].type = "str";
		meta_set_text(t->m, &t->items[t->count], s);
	}
	t->count++;
}

void texts_end(struct texts *t, struct str key)
{
	struct meta_value *v;

	if (!t->count)
		return;
	v = model_add_meta(t->m, key);
	v->kind = META_ARRAY;
	v->type = "str";
	v->u.array.count = t->count;
	v->u.array.shown = u64_min(t->count, TEXTS_KEPT);
	v->u.array.items = t->items;
	digest_end(&t->d, v->u.array.digest);
}

void meta_blob(struct model *m, struct str key, struct bytes b)
{
	struct meta_value *v = model_add_meta(m, key);
	struct digest d = {0};

	v->kind = META_ARRAY;
	v->type = "bytes";
	v->u.array.count = b.n;
	digest_add(&d, (struct str){(const char *)b.p, b.n});
	digest_end(&d, v->u.array.digest);
}
