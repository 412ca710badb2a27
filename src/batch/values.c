#include "batch/values.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "batch/batch.h"
#include "bytes/cur.h"
#include "num/decode.h"
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

static bool is_whole64(enum dtype type)
{
	return type == DT_I64 || type == DT_U64;
}

static enum rc load(struct values *v, uint64_t first, struct err *e)
{
	size_t n = (size_t)u64_min(WINDOW, v->t->count - first);
	const uint8_t *raw = feed_get(v->feed, first, n, e);

	if (!raw)
		return RC_FAIL;
	decode(v->t->type, v->x, raw, n);
	for (size_t i = 0; is_whole64(v->t->type) && i < n; i++)
		v->whole[i] = load_uint(raw + 8 * i, 8, false);
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

/* Digits that tell apart any two neighbours: 1 + ceil(p * log10(2)) for a fraction of p bits. */
static void show_real(struct buf *b, enum dtype type, double x)
{
	switch (type) {
	case DT_F64:
	case DT_C128:
		fmt_exact(b, x);
		break;
	case DT_F16:
	case DT_C32:
		buf_printf(b, "%.5g", x);
		break;
	case DT_BF16:
		buf_printf(b, "%.4g", x);
		break;
	case DT_F32:
	case DT_C64:
		show_float(b, x);
		break;
	default:
		buf_printf(b, dtypes[type].kind == KIND_BLOCK ? "%.6g" : "%.4g", x);
	}
}

static void show_part(struct buf *b, enum dtype type, double x, bool json)
{
	enum dtype_kind kind = dtypes[type].kind;

	if (!isfinite(x))
		buf_printf(b, json ? "\"%s\"" : "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
	else if (kind == KIND_BOOL)
		buf_puts(b, x != 0 ? "true" : "false");
	else if (kind == KIND_UINT || kind == KIND_INT)
		buf_printf(b, "%.0f", x);
	else if (json && x == 0)
		buf_puts(b, signbit(x) ? "-0.0" : "0.0"); /* "-0" would be read as the integer 0 */
	else if (json)
		fmt_exact(b, x);
	else
		show_real(b, type, x);
}

static void show_complex(struct buf *b, enum dtype type, const double *x, bool json)
{
	struct buf imaginary = {0};

	buf_puts(b, json ? "[" : "");
	show_part(b, type, x[0], json);
	show_part(&imaginary, type, x[1], json);
	if (json)
		buf_putc(b, ',');
	else if (imaginary.p[0] != '-')
		buf_putc(b, '+');
	buf_puts(b, imaginary.p);
	buf_puts(b, json ? "]" : "j");
	buf_free(&imaginary);
}

enum rc values_show(struct values *v, uint64_t i, struct buf *b, bool json, struct err *e)
{
	enum dtype type = v->t->type;
	size_t at;

	if (move_to(v, i, e) != RC_OK)
		return RC_FAIL;
	at = (size_t)(i - v->first);
	if (type == DT_I64)
		buf_printf(b, "%" PRId64, (int64_t)v->whole[at]);
	else if (type == DT_U64)
		buf_printf(b, "%" PRIu64, v->whole[at]);
	else if (decode_width(type) == 2)
		show_complex(b, type, &v->x[2 * at], json);
	else
		show_part(b, type, v->x[at], json);
	return RC_OK;
}
