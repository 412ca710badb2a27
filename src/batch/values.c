#include "batch/values.h"

#include <stdlib.h>

#include "bytes/cur.h"
#include "num/decode.h"
#include "num/element.h"
#include "num/feed.h"

enum { WINDOW = 4096 }; /* elements; a multiple of every block */

struct values {
	const struct model *model;
	const struct tensor *t;
	struct feed *feed;
	bool random;
	uint64_t next;     /* where a stream goes on */
	uint64_t first;    /* the window */
	size_t n;
	double x[2 * WINDOW];
	uint64_t whole[WINDOW]; /* 64-bit integers, which a double cannot hold */
};

enum rc values_open(struct values **out, const struct model *m, const struct tensor *t, struct err *e)
{
	struct values *v = xcalloc(1, sizeof(*v));

	v->model = m;
	v->t = t;
	v->random = feed_random(m, t);
	source_outlive(); /* load keeps its promise */
	if (feed_open(&v->feed, m, t, FEED_LOGICAL, e) != RC_OK) {
		free(v);
		return RC_FAIL;
	}
	*out = v;
	return RC_OK;
}

void values_close(struct values *v)
{
	if (!v)
		return;
	feed_close(v->feed);
	free(v);
}

static enum rc load(struct values *v, uint64_t first, struct err *e)
{
	size_t n = (size_t)u64_min(WINDOW, v->t->count - first);
	const uint8_t *raw = feed_get(v->feed, first, n, e);

	if (!raw)
		return RC_FAIL;
	decode(v->t->type, v->x, raw, n);
	for (size_t i = 0; element_is_whole(v->t->type) && i < n; i++)
		v->whole[i] = load_uint(raw + 8 * i, 8, false);
	if (tensor_lost(v->model, v->t))
		return err_set(e, "the file shrank while it was open");
	v->first = first;
	v->n = n;
	v->next = first + n;
	return RC_OK;
}

/* Makes the window hold element i. */
static enum rc move_to(struct values *v, uint64_t i, struct err *e)
{
	uint64_t first = i - i % WINDOW;

	if (v->n && i >= v->first && i - v->first < v->n)
		return RC_OK;
	if (v->random)
		return load(v, first, e);
	if (first < v->next) {
		feed_close(v->feed);
		v->feed = NULL;
		v->next = 0;
		v->n = 0;
		if (feed_open(&v->feed, v->model, v->t, FEED_LOGICAL, e) != RC_OK)
			return RC_FAIL;
	}
	while (v->next < first)
		if (load(v, v->next, e) != RC_OK)
			return RC_FAIL;
	return load(v, first, e);
}

enum rc values_show(struct values *v, uint64_t i, struct buf *b, bool json, struct err *e)
{
	enum dtype type = v->t->type;
	unsigned width = decode_width(type);
	struct element el;
	size_t at;

	if (move_to(v, i, e) != RC_OK)
		return RC_FAIL;
	at = (size_t)(i - v->first);
	el = (struct element){{v->x[width * at], width == 2 ? v->x[2 * at + 1] : 0}, v->whole[at]};
	element_text(b, type, &el, json);
	return RC_OK;
}
