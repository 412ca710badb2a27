/*
 * How far a TensorFlow Lite model reaches. A flatbuffer does not say how long it is, and its parts stand in any order,
 * so all of them are looked at: what is behind the last one belongs to nobody. Tables and fields are those of
 * tensorflow/compiler/mlir/lite/schema/schema.fbs; the operators' options, a kind of table each, are not told apart.
 */
#include "format/flatbuf.h"
#include "format/tflite.h"

enum part {
	MODEL, CODE, GRAPH, TENSOR, QUANTIZATION, SPARSITY, DIMENSION, OPERATOR, BUFFER, METADATA, SIGNATURE, NAMED
};

enum { OPTIONS_MAX = 64 }; /* fields of an operator's options; none has half as many */

/* What a field is: one of these, or the bytes of a list's elements. */
enum { NUMBER = 0, UNKNOWN = 16, ONE = 32, LIST = 64 }; /* a table; one of the part added; a list of those */

static const struct {
	unsigned n;
	uint8_t fields[14];
} parts[] = {
	[MODEL] = {8, {0, LIST + CODE, LIST + GRAPH, 1, LIST + BUFFER, 4, LIST + METADATA, LIST + SIGNATURE}},
	[CODE] = {4, {0, 1, 0, 0}},
	[GRAPH] = {6, {LIST + TENSOR, 4, 4, LIST + OPERATOR, 1, 0}},
	[TENSOR] = {11, {4, 0, 0, 1, ONE + QUANTIZATION, 0, ONE + SPARSITY, 4, 0, LIST + UNKNOWN, 0}},
	[QUANTIZATION] = {7, {4, 4, 4, 8, 0, UNKNOWN, 0}},
	[SPARSITY] = {3, {4, 4, LIST + DIMENSION}},
	[DIMENSION] = {6, {0, 0, 0, UNKNOWN, 0, UNKNOWN}},
	[OPERATOR] = {14, {0, 4, 4, 0, UNKNOWN, 1, 0, 1, 4, 0, 0, 0, UNKNOWN, 0}},
	[BUFFER] = {3, {1, 0, 0}},
	[METADATA] = {2, {1, 0}},
	[SIGNATURE] = {5, {LIST + NAMED, LIST + NAMED, 1, 1, 0}},
	[NAMED] = {2, {1, 0}},
};

/* Parts that are still to be looked at: at most one way down, and its lists' next elements. */
struct level {
	struct fb_table table;
	struct fb_vector list; /* of parts `kind`, from i on */
	uint64_t i;
	unsigned part, kind, slot;
};

struct walk {
	struct model *m;
	uint32_t member;
	struct flatbuf f;
	bool newer; /* it has fields that are not known here */
};

/* Bytes behind the flatbuffer: a buffer's in a large file, an operator's own options. */
static void claim_behind(struct walk *w, const struct fb_table *t, unsigned slot)
{
	uint64_t offset = fb_uint(&w->f, t, slot, 8, 0), size = fb_uint(&w->f, t, slot + 1, 8, 0);

	if (offset > 1 && offset < w->f.b.n)
		model_claim(w->m, (struct span){w->member, offset, u64_min(size, w->f.b.n - offset)});
}

static void enter(struct walk *w, struct level *l, const struct fb_table *t, unsigned part)
{
	*l = (struct level){.table = *t, .part = part};
	if (part == UNKNOWN) {
		w->newer |= t->slots > OPTIONS_MAX;
		if (!w->newer)
			fb_unknown(&w->f, t);
		return;
	}
	w->newer |= t->slots > parts[part].n;
	if (part == BUFFER)
		claim_behind(w, t, 1);
	if (part == OPERATOR)
		claim_behind(w, t, 9);
}

/* The next part below this one; false: there is none. */
static bool next_part(struct walk *w, struct level *l, struct fb_table *t, unsigned *part)
{
	struct fb_vector v;

	while (!w->f.bad) {
		unsigned field;

		if (l->i < l->list.n) {
			*part = l->kind;
			return fb_item(&w->f, &l->list, l->i++, t);
		}
		if (l->part == UNKNOWN || l->slot >= parts[l->part].n)
			return false;
		field = parts[l->part].fields[l->slot++];
		if (field >= LIST) {
			fb_vector(&w->f, &l->table, l->slot - 1, 4, &l->list);
			l->kind = field - LIST;
			l->i = 0;
		} else if (field >= UNKNOWN) {
			*part = field >= ONE ? field - ONE : UNKNOWN;
			if (fb_child(&w->f, &l->table, l->slot - 1, t))
				return true;
		} else if (field != NUMBER) {
			fb_vector(&w->f, &l->table, l->slot - 1, field, &v);
		}
	}
	return false;
}

void tflite_claim(struct model *m, uint32_t member)
{
	enum { DEPTH = 8 }; /* model, graph, tensor, sparsity, dimension, an array are 6 */
	struct walk w = {.m = m, .member = member, .f = flatbuf_of(m->source.members[member].data)};
	struct level levels[DEPTH];
	size_t n_own = m->n_own;
	struct fb_table t;
	unsigned n = 0, part;

	fb_root(&w.f, &t);
	if (!w.f.bad)
		enter(&w, &levels[n++], &t, MODEL);
	while (n && !w.f.bad && !w.newer)
		if (!next_part(&w, &levels[n - 1], &t, &part))
			n--;
		else if (n < DEPTH)
			enter(&w, &levels[n++], &t, part);
	if (w.f.bad || w.newer)
		m->n_own = n_own;
	else
		model_claim(m, (struct span){member, 0, w.f.end});
}
