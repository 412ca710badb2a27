#include "num/feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bytes/spool.h"
#include "bytes/stream.h"
#include "num/unpack.h"

/*
 * Four ways: in place (a pointer into the mapping); gathered (a mapping, but the wanted elements stand in other
 * places: records, strides, Fortran order); streamed (a deflated entry, front to back); unpacked (values worked out of
 * several parts). What is not in place is copied to `buf` and, if it is big-endian, swapped there.
 */
struct feed {
	const struct source *source;
	const struct tensor *t;
	uint64_t items, size;   /* of a block: elements, bytes */
	uint64_t end;           /* bytes from the first element to the end of the last one */
	bool reorder;           /* the file's order is not the one asked for */
	bool swap;
	struct bytes map;       /* the span, if it is mapped; p is NULL otherwise */
	struct unpack *unpack;
	float *tile;            /* unpacked rows, see turn */
	uint64_t tile_first, tile_n;
	struct stream *stream;
	uint64_t next;          /* element the stream stands at */
	uint64_t at;            /* byte of the span the stream stands at */
	void *temp;             /* a mapping of the inflated bytes, of map.n */
	uint8_t *copy;          /* the caller's; NULL: in place */
	uint8_t *buf;
	size_t cap;
};

bool feed_random(const struct model *m, const struct tensor *t)
{
	struct bytes b;

	return t->pack || source_slice(&m->source, t->data, &b);
}

/* Where the element with this row-major index stands in stored order. */
static uint64_t stored_index(const struct tensor *t, uint64_t index)
{
	uint64_t at = 0, step = t->count;

	for (unsigned k = t->rank; k-- > 0;) {
		step /= t->shape[k];
		at += index % t->shape[k] * step;
		index /= t->shape[k];
	}
	return at;
}

/* Where element number `at` in stored order begins, in bytes from the first one. */
static uint64_t stored_offset(const struct tensor *t, uint64_t at)
{
	const struct dtype_info *type = &dtypes[t->type];

	if (t->stride)
		return at / t->record * t->stride + at % t->record * type->bytes;
	return at / type->items * type->bytes;
}

static uint64_t byte_of(const struct feed *f, uint64_t at)
{
	return stored_offset(f->t, at);
}

uint64_t feed_offset(const struct tensor *t, uint64_t index)
{
	uint64_t at = 0;

	for (unsigned k = t->rank; t->strides && k-- > 0; index /= t->shape[k])
		at += index % t->shape[k] * t->strides[k];
	if (t->strides)
		return at * dtypes[t->type].bytes;
	return stored_offset(t, t->fortran && t->rank > 1 ? stored_index(t, index) : index);
}

/* Strides may lead to one element more than once, but never out of the span. */
static bool strides_fit(struct feed *f)
{
	const struct tensor *t = f->t;
	uint64_t last = 0, far;

	for (unsigned k = 0; k < t->rank; k++)
		if (!u64_mul(t->shape[k] - 1, t->strides[k], &far) || !u64_add(last, far, &last))
			return false;
	return f->items == 1 && u64_add(last, 1, &last) && u64_mul(last, f->size, &f->end) && f->end <= t->data.length;
}

/* Sets f->end; false when that leaves the span, or records overlap. */
static bool fits(struct feed *f)
{
	const struct tensor *t = f->t;
	uint64_t last, bytes;

	if (!t->count)
		return true;
	if (t->strides)
		return strides_fit(f);
	if (!t->stride)
		return t->count % f->items == 0 && u64_mul(t->count / f->items, f->size, &f->end) &&
		       f->end <= t->data.length;
	if (f->items != 1 || !t->record || !u64_mul(t->record, f->size, &bytes) || bytes > t->stride)
		return false;
	return u64_mul((t->count - 1) / t->record, t->stride, &last) &&
	       u64_add(last, ((t->count - 1) % t->record + 1) * f->size, &f->end) && f->end <= t->data.length;
}

/* ---- a deflated array whose order must be turned: inflated to a file without a name ---- */

static enum rc use_temporary(struct feed *f, struct err *e)
{
	enum rc rc = spool_map(f->stream, f->t->data.length, &f->map, e);

	if (rc == RC_OK)
		f->temp = (void *)(uintptr_t)f->map.p;
	stream_close(f->stream);
	f->stream = NULL;
	return rc;
}

/* ---- opening ---- */

static enum rc prepare(struct feed *f, const struct model *m, struct err *e)
{
	const struct tensor *t = f->t;

	if (t->trouble)
		return err_set(e, "%s", t->trouble);
	if (t->pack)
		return unpack_open(&f->unpack, m, t, e);
	if (!fits(f))
		return err_set(e, "its elements do not fit into its %" PRIu64 " bytes", t->data.length);
	if (f->swap && !dtypes[t->type].swappable)
		return err_set(e, "%s in big-endian order cannot be read", dtypes[t->type].name);
	if (f->reorder && f->items != 1)
		return err_set(e, "%s blocks do not stand in Fortran order", dtypes[t->type].name);
	if (source_slice(&m->source, t->data, &f->map))
		return RC_OK;
	f->map = (struct bytes){NULL, 0};
	if (stream_open(&f->stream, &m->source, t->data, e) != RC_OK)
		return RC_FAIL;
	return f->reorder && t->data.length ? use_temporary(f, e) : RC_OK;
}

enum rc feed_open(struct feed **out, const struct model *m, const struct tensor *t, enum feed_order order,
		  struct err *e)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	f->t = t;
	f->source = &m->source;
	f->items = dtypes[t->type].items;
	f->size = dtypes[t->type].bytes;
	f->reorder = t->strides || (order == FEED_LOGICAL && t->fortran && t->rank > 1);
	f->swap = t->big_endian && dtypes[t->type].word != 1;
	*out = NULL;
	if (prepare(f, m, e) != RC_OK) {
		feed_close(f);
		return RC_FAIL;
	}
	*out = f;
	return RC_OK;
}

void feed_close(struct feed *f)
{
	if (!f)
		return;
	stream_close(f->stream);
	unpack_close(f->unpack);
	if (f->temp)
		munmap(f->temp, f->map.n);
	free(f->tile);
	free(f->buf);
	free(f);
}

/* ---- elements that stand elsewhere ---- */

/* One of 1, 2, 4, 8 or 16 bytes; a constant size lets the compiler copy without a call. */
static inline void copy_element(uint8_t *to, const uint8_t *from, uint64_t size)
{
	switch (size) {
	case 1: *to = *from; break;
	case 2: memcpy(to, from, 2); break;
	case 4: memcpy(to, from, 4); break;
	case 8: memcpy(to, from, 8); break;
	default: memcpy(to, from, (size_t)size);
	}
}

static void gather_stored(struct feed *f, uint64_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		copy_element(f->buf + i * f->size, f->map.p + byte_of(f, first + i), f->size);
}

/* Row-major elements [first, first + n) of a Fortran array: in the last dimension they stand `step` elements apart.
 * The rows of one call share cache lines, so the array is fetched from memory once for them all. */
static void gather_logical(struct feed *f, uint64_t first, size_t n)
{
	const struct tensor *t = f->t;
	uint64_t row = t->shape[t->rank - 1], step = t->count / row;

	for (size_t i = 0; i < n;) {
		uint64_t at = stored_index(t, first + i), left = row - (first + i) % row;

		for (left = u64_min(left, n - i); left; left--, i++, at += step)
			copy_element(f->buf + i * f->size, f->map.p + byte_of(f, at), f->size);
	}
}

/* Copies n elements that stand `step` apart. */
static void copy_row(uint8_t *to, const uint8_t *from, uint64_t n, uint64_t step, uint64_t size)
{
	if (step == 1)
		memcpy(to, from, (size_t)(n * size));
	else
		for (uint64_t i = 0; i < n; i++)
			copy_element(to + i * size, from + i * step * size, size);
}

/* Row-major elements [first, first + n) by their strides: one run along the last dimension after the other. */
static void gather_strided(struct feed *f, uint64_t first, size_t n)
{
	const struct tensor *t = f->t;
	unsigned last = t->rank - 1;
	uint64_t index[RANK_MAX], at = 0;
	uint8_t *to = f->buf;

	for (unsigned k = t->rank; k-- > 0; first /= t->shape[k]) {
		index[k] = first % t->shape[k];
		at += index[k] * t->strides[k];
	}
	while (n) {
		uint64_t run = u64_min(n, t->shape[last] - index[last]);

		copy_row(to, f->map.p + at * f->size, run, t->strides[last], f->size);
		to += run * f->size;
		n -= (size_t)run;
		at -= index[last] * t->strides[last];
		index[last] = 0;
		for (unsigned k = last; k-- > 0;) { /* the next row, carrying over */
			at += t->strides[k];
			if (++index[k] < t->shape[k])
				break;
			at -= index[k] * t->strides[k];
			index[k] = 0;
		}
	}
}

/* ---- streams ---- */

static enum rc skip_to(struct feed *f, uint64_t byte, struct err *e)
{
	uint8_t waste[4096];

	while (f->at < byte) {
		size_t n = (size_t)u64_min(sizeof(waste), byte - f->at);

		if (stream_read(f->stream, waste, n, e) != RC_OK)
			return RC_FAIL;
		f->at += n;
	}
	return RC_OK;
}

static enum rc read_stream(struct feed *f, uint64_t first, size_t n, struct err *e)
{
	uint8_t *out = f->buf;

	if (first != f->next)
		return err_set(e, "a compressed tensor can only be read front to back");
	f->next += n;
	while (n) {
		uint64_t run = f->t->stride ? u64_min(n, f->t->record - first % f->t->record) : n;
		size_t bytes = (size_t)(run / f->items * f->size);

		if (skip_to(f, byte_of(f, first), e) != RC_OK || stream_read(f->stream, out, bytes, e) != RC_OK)
			return RC_FAIL;
		f->at += bytes;
		out += bytes;
		first += run;
		n -= (size_t)run;
	}
	/* what stands behind the last element belongs to the checksum */
	return f->next == f->t->count ? skip_to(f, f->t->data.length, e) : RC_OK;
}

/* ---- big-endian ---- */

static void swap_bytes(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		uint8_t t = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = t;
	}
}

static void swap_words(uint8_t *p, size_t bytes, size_t word)
{
	for (size_t i = 0; i + word <= bytes; i += word)
		swap_bytes(p + i, word);
}

/* In a block only the 16-bit fields (scales) have a byte order. */
static void swap_fields(uint8_t *p, size_t bytes, const struct dtype_info *type)
{
	for (size_t i = 0; i + type->bytes <= bytes; i += type->bytes)
		for (size_t k = 0; k < COUNT(type->swap16) && type->swap16[k] >= 0; k++)
			swap_bytes(p + i + type->swap16[k], 2);
}

static void swap(struct feed *f, size_t bytes)
{
	const struct dtype_info *type = &dtypes[f->t->type];

	if (type->word)
		swap_words(f->buf, bytes, type->word);
	else
		swap_fields(f->buf, bytes, type);
}

/* ---- packed tensors ---- */

enum { TILE = 1 << 18, STRIPE = 16 }; /* elements; the scan's chunks end where tiles do */

/* The logical row-major elements of a tensor whose last two dimensions are swapped in its file: whole rows, or a part
 * of one. Rows are fetched together, since neighbours in the file are a row apart here. */
static enum rc turn_rows(struct feed *f, float *out, uint64_t first, uint64_t n, struct err *e)
{
	const struct pack *p = f->t->pack;
	uint64_t length = p->rows, matrix = first / length / p->cols * p->cols * p->rows;
	uint64_t row = first / length % p->cols, rows = u64_ceil_div(n, length), from = first % length;
	uint64_t to = rows > 1 ? length : from + n;
	float x[STRIPE][128];

	for (uint64_t at = from; at < to; at += STRIPE)
		for (uint64_t r = 0; r < rows; r += COUNT(x[0])) {
			size_t m = (size_t)u64_min(COUNT(x[0]), rows - r), w = (size_t)u64_min(STRIPE, to - at);

			for (size_t k = 0; k < w; k++)
				if (unpack_get(f->unpack, x[k], matrix + (at + k) * p->cols + row + r, m, e) != RC_OK)
					return RC_FAIL;
			for (size_t i = 0; i < m; i++)
				for (size_t k = 0; k < w; k++)
					out[(r + i) * length + at - from + k] = x[k][i];
		}
	return RC_OK;
}

/* Fills the tile that holds element `first`: up to the next multiple of TILE, a row's end, or a matrix's. */
static enum rc fill_tile(struct feed *f, uint64_t first, struct err *e)
{
	const struct pack *p = f->t->pack;
	uint64_t length = p->rows, left = length - first % length, room = TILE - first % TILE, n;

	if (!f->tile)
		f->tile = xmalloc(TILE * sizeof(*f->tile));
	if (left < length || room < length)
		n = u64_min(left, room);
	else
		n = u64_min(room / length, p->cols - first / length % p->cols) * length;
	f->tile_n = 0;
	if (turn_rows(f, f->tile, first, n, e) != RC_OK)
		return RC_FAIL;
	f->tile_first = first;
	f->tile_n = n;
	return RC_OK;
}

static enum rc turn(struct feed *f, float *out, uint64_t first, size_t n, struct err *e)
{
	while (n) {
		size_t k;

		if (first < f->tile_first || first - f->tile_first >= f->tile_n)
			if (fill_tile(f, first, e) != RC_OK)
				return RC_FAIL;
		k = (size_t)u64_min(n, f->tile_first + f->tile_n - first);
		memcpy(out, f->tile + (first - f->tile_first), k * sizeof(*out));
		out += k;
		first += k;
		n -= k;
	}
	return RC_OK;
}

static const uint8_t *get_unpacked(struct feed *f, uint64_t first, size_t n, struct err *e)
{
	float *out = (float *)(void *)f->buf;

	if ((f->reorder ? turn(f, out, first, n, e) : unpack_get(f->unpack, out, first, n, e)) != RC_OK)
		return NULL;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	swap_words(f->buf, n * sizeof(*out), sizeof(*out));
#endif
	return f->buf;
}

/* ---- all together ---- */

static void grow(struct feed *f, size_t bytes)
{
	if (bytes <= f->cap)
		return;
	f->buf = xrealloc(f->buf, bytes, 1);
	f->cap = bytes;
}

void feed_copy(struct feed *f, uint8_t *to)
{
	f->copy = to;
}

static const uint8_t *in_place(struct feed *f, uint64_t first, size_t bytes, struct err *e)
{
	uint64_t at = byte_of(f, first);
	struct span span = {f->t->data.member, f->t->data.offset + at, bytes};

	if (!f->copy || f->temp || !source_can_copy(f->source, span))
		return f->map.p + at;
	return source_copy(f->source, span, f->copy, e) == RC_OK ? f->copy : NULL;
}

const uint8_t *feed_get(struct feed *f, uint64_t first, size_t n, struct err *e)
{
	size_t bytes = (size_t)(n / f->items * f->size);

	if (first > f->t->count || n > f->t->count - first || first % f->items || n % f->items) {
		err_set(e, "elements %" PRIu64 " and on are not in the tensor", first);
		return NULL;
	}
	if (f->map.p && !f->swap && !f->reorder && !f->t->stride)
		return in_place(f, first, bytes, e);
	grow(f, bytes ? bytes : 1);
	if (f->unpack)
		return get_unpacked(f, first, n, e);
	if (!f->map.p) {
		if (read_stream(f, first, n, e) != RC_OK)
			return NULL;
	} else if (f->t->strides) {
		gather_strided(f, first, n);
	} else if (f->reorder) {
		gather_logical(f, first, n);
	} else if (f->t->stride) {
		gather_stored(f, first, n);
	} else if (bytes) {
		memcpy(f->buf, f->map.p + byte_of(f, first), bytes);
	}
	if (f->swap)
		swap(f, bytes);
	return f->buf;
}
