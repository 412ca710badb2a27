/*
 * PaddlePaddle's .pdparams and .pdopt: a pickle of a dict from names to NumPy arrays, or to pairs (name, array), with
 * one more key that maps the names of layers to those of parameters. Seen in real files, and in lutzroeder/netron,
 * source/paddle.js.
 */
#include <string.h>

#include "format/format.h"
#include "format/pickled.h"

static bool contains(struct bytes b, struct str word)
{
	return b.n >= word.n && memmem(b.p, b.n, word.p, word.n);
}

/* The key stands at the end of the dict; of an entry in an archive only the beginning is seen. */
static int probe(const struct probe *p)
{
	static const struct str key = {"StructuredToParameterName@@", 27};
	bool whole;

	if (p->head.n < 2 || p->head.p[0] != 0x80 || p->head.p[1] < 2 || p->head.p[1] > 5 ||
	    !pickle_looks(p->head, p->head.n < p->size, 16, &whole))
		return 0;
	return contains(p->head, key) || (p->tail.n && contains(p->tail, key)) ? 90 : 0;
}

static enum rc read_paddle(struct model *m, uint32_t member, struct err *e)
{
	struct pickled x = {.member = member, .beside = member, .only = "array", .prefix = STR(""), .pairs = true};

	m->files = 1;
	m->bytes = m->source.members[member].size;
	if (pickled_read(m, &x, e) != RC_OK)
		return RC_FAIL;
	if (x.end < m->bytes)
		model_problem(m, STR(""), "%zu bytes follow the pickle", (size_t)(m->bytes - x.end));
	m->variant = arena_printf(&m->arena, "protocol %u", x.protocol);
	return RC_OK;
}

const struct format format_paddle = {
	.name = "paddle",
	.about = "PaddlePaddle's parameters (paddle.save)",
	.reads = "pickles of arrays by name; of inference models' .pdiparams nothing",
	.files = "*.pdparams *.pdopt",
	.probe = probe,
	.read = read_paddle,
};
