#include "format/flatbuf.h"

#include "bytes/cur.h"

struct flatbuf flatbuf_of(struct bytes b)
{
	return (struct flatbuf){.b = b};
}

static bool broken(struct flatbuf *f, uint64_t at, const char *what)
{
	if (!f->bad) {
		f->bad = true;
		f->at = at;
		f->what = what;
	}
	return false;
}

static bool there(const struct flatbuf *f, uint64_t at, uint64_t n)
{
	return at <= f->b.n && n <= f->b.n - at;
}

static uint64_t load(const struct flatbuf *f, uint64_t at, unsigned size)
{
	return load_uint(f->b.p + at, size, false);
}

static void seen(struct flatbuf *f, uint64_t end)
{
	f->end = u64_max(f->end, end);
}

/* Where the u32 at `at` points: that many bytes on. At least `size` bytes are there. */
static bool jump(struct flatbuf *f, uint64_t at, unsigned size, uint64_t *to)
{
	if (f->bad)
		return false;
	if (!there(f, at, 4))
		return broken(f, at, "a reference leaves the file");
	*to = at + load(f, at, 4);
	return (*to > at && there(f, *to, size)) || broken(f, at, "a reference leaves the file");
}

/*
 * |how far before the table its vtable begins, i32|fields...      the table
 * |bytes of the vtable, u16|bytes of the table, u16|where each field stands in the table, u16: 0 is nowhere|...
 */
static bool table_at(struct flatbuf *f, uint64_t at, struct fb_table *t)
{
	int64_t back = (int32_t)(uint32_t)load(f, at, 4), vtable = (int64_t)at - back;
	uint64_t bytes;

	/* no file is so dense: a table takes four bytes, and what points at it as many */
	if (f->tables++ > f->b.n / 4)
		return broken(f, at, "the same tables are referred to over and over");
	if (vtable < 0 || !there(f, (uint64_t)vtable, 4))
		return broken(f, at, "a table's layout leaves the file");
	bytes = load(f, (uint64_t)vtable, 2);
	t->vtable = (uint64_t)vtable;
	t->size = (unsigned)load(f, (uint64_t)vtable + 2, 2);
	if (bytes < 4 || bytes % 2 || !there(f, (uint64_t)vtable, bytes))
		return broken(f, (uint64_t)vtable, "a table's layout leaves the file");
	if (t->size < 4 || !there(f, at, t->size))
		return broken(f, (uint64_t)vtable + 2, "a table leaves the file");
	seen(f, u64_max((uint64_t)vtable + bytes, at + t->size));
	t->slots = (unsigned)(bytes - 4) / 2;
	t->at = at;
	return true;
}

void fb_root(struct flatbuf *f, struct fb_table *t)
{
	uint64_t at;

	*t = (struct fb_table){0};
	if (jump(f, 0, 4, &at) && !table_at(f, at, t))
		*t = (struct fb_table){0};
}

/* Where a field of that many bytes stands; 0: it is absent. */
static uint64_t field(struct flatbuf *f, const struct fb_table *t, unsigned slot, unsigned size)
{
	uint64_t at;

	if (f->bad || !t->at || slot >= t->slots)
		return 0;
	at = load(f, t->vtable + 4 + 2 * (uint64_t)slot, 2);
	if (!at)
		return 0;
	if (at < 4 || size > t->size || at > t->size - size) {
		broken(f, t->vtable + 4 + 2 * (uint64_t)slot, "a field leaves its table");
		return 0;
	}
	return t->at + at;
}

uint64_t fb_uint(struct flatbuf *f, const struct fb_table *t, unsigned slot, unsigned size, uint64_t otherwise)
{
	uint64_t at = field(f, t, slot, size);

	return at ? load(f, at, size) : otherwise;
}

bool fb_child(struct flatbuf *f, const struct fb_table *t, unsigned slot, struct fb_table *out)
{
	uint64_t at = field(f, t, slot, 4), to;

	*out = (struct fb_table){0};
	if (!at || !jump(f, at, 4, &to))
		return false;
	if (table_at(f, to, out))
		return true;
	*out = (struct fb_table){0};
	return false;
}

bool fb_vector(struct flatbuf *f, const struct fb_table *t, unsigned slot, unsigned size, struct fb_vector *out)
{
	uint64_t at = field(f, t, slot, 4), to;

	*out = (struct fb_vector){0};
	if (!at || !jump(f, at, 4, &to))
		return false;
	if (load(f, to, 4) > (f->b.n - to - 4) / size)
		return broken(f, to, "a list is longer than the file");
	*out = (struct fb_vector){to + 4, load(f, to, 4)};
	seen(f, out->at + out->n * size);
	return true;
}

bool fb_item(struct flatbuf *f, const struct fb_vector *v, uint64_t i, struct fb_table *out)
{
	uint64_t to;

	*out = (struct fb_table){0};
	if (i >= v->n || !jump(f, v->at + 4 * i, 4, &to))
		return false;
	if (table_at(f, to, out))
		return true;
	*out = (struct fb_table){0};
	return false;
}

void fb_unknown(struct flatbuf *f, const struct fb_table *t)
{
	static const unsigned sizes[] = {8, 4, 1};

	for (unsigned slot = 0; !f->bad && slot < t->slots; slot++) {
		uint64_t at = load(f, t->vtable + 4 + 2 * (uint64_t)slot, 2), to;

		if (at < 4 || at + 4 > t->size)
			continue;
		to = t->at + at + load(f, t->at + at, 4);
		if (to == t->at + at || to % 4 || !there(f, to, 4))
			continue;
		for (size_t i = 0; i < COUNT(sizes); i++)
			if (load(f, to, 4) <= (f->b.n - to - 4) / sizes[i]) {
				seen(f, to + 4 + load(f, to, 4) * sizes[i]);
				break;
			}
	}
}

uint64_t fb_number(const struct flatbuf *f, const struct fb_vector *v, uint64_t i, unsigned size)
{
	return i < v->n ? load(f, v->at + size * i, size) : 0;
}

struct str fb_text(struct flatbuf *f, const struct fb_table *t, unsigned slot)
{
	struct fb_vector v;

	if (!fb_vector(f, t, slot, 1, &v))
		return STR("");
	return (struct str){(const char *)f->b.p + v.at, (size_t)v.n};
}
