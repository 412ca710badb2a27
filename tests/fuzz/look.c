#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "format/packs.h"
#include "fuzz/fuzz.h"
#include "model/checksum.h"
#include "num/decode.h"
#include "num/feed.h"

enum { ELEMENTS = 1 << 14, TENSORS = 200 };

static void read_values(const struct model *m, const struct tensor *t)
{
	uint64_t n = t->count < ELEMENTS ? t->count : ELEMENTS;
	struct feed *f;
	struct err e;

	if (t->trouble)
		return;
	n -= n % dtypes[t->type].items;
	if (!n || feed_open(&f, m, t, FEED_LOGICAL, &e) != RC_OK)
		return;
	feed_get(f, 0, (size_t)n, &e);
	feed_close(f);
	tensor_check_sum(m, t, &e);
}

static void read_model(const struct model *m)
{
	struct buf b = {0};

	for (size_t i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];

		utf8_display(&b, t->name, i & 1);
		utf8_display(&b, (struct str){t->type_name, strlen(t->type_name)}, false); /* every one has a type */
		utf8_display(&b, t->tied, false);
		utf8_display(&b, t->alias, false);
		if (t->trouble)
			utf8_repair(&b, str_of(t->trouble));
		buf_clear(&b);
		if (i < TENSORS)
			read_values(m, t);
	}
	for (size_t i = 0; i < m->n_meta; i++)
		if (!meta_equal(&m->meta[i].value, &m->meta[i].value))
			abort();
	for (size_t i = 0; i < m->n_problems; i++)
		utf8_display(&b, str_of(m->problems[i].message), false);
	buf_free(&b);
}

void fuzz_look(struct model *m)
{
	model_finish(m, decode_can);
	packs_recognise(m);
	read_model(m);
}
