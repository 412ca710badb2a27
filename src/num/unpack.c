#include "num/unpack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bytes/cur.h"
#include "num/decode.h"

enum { SEG = 512 }; /* elements worked on at a time: all that belongs to them stays in the first cache */

/* An array of the pack, with its bytes found. */
struct view {
	const struct pack_array *a;
	const uint8_t *raw;
	uint64_t matrix; /* bytes, or for ARRAY_NUMBERS and ARRAY_HIGH elements, from one matrix to the next */
	float *table;    /* what a code of at most 8 bits stands for; NULL for wider types */
};

struct unpack {
	const struct pack *p;
	uint64_t count;
	struct view codes, scale, zero, bias, global, row_index, col_index;
	struct unpack *scales; /* of p->scales */
	double x[SEG];         /* where wider types are decoded to */
	float group[SEG], s[SEG], z[SEG], b[SEG];
	double at[SEG]; /* the groups that an index names */
};

/* ---- opening: all sizes are checked here, once ---- */

/* Bytes that one matrix takes; false when they are too many to count, or the array is described wrongly. */
static bool matrix_bytes(const struct pack_array *a, uint64_t *bytes)
{
	const struct dtype_info *type = &dtypes[a->type];
	uint64_t n;

	if (!u64_mul(a->rows, a->cols, &n))
		return false;
	if (a->kind == ARRAY_PLAIN)
		return type->items == 1 && decode_can(a->type) && decode_width(a->type) == 1 &&
		       u64_mul(n, type->bytes, bytes);
	if (a->bits < 1 || a->bits > 8)
		return false;
	switch (a->kind) {
	case ARRAY_BITS:
		return u64_mul(a->cols, a->bits, &n) && u64_ceil_div(n, 8) <= a->pitch &&
		       u64_mul(a->rows, a->pitch, bytes);
	case ARRAY_AWQ:
		return u64_ceil_div(a->cols, 8) <= a->pitch / 4 && u64_mul(a->rows, a->pitch, bytes);
	case ARRAY_COLUMNS:
		return u64_mul(a->rows, a->bits, &n) && u64_mul(u64_ceil_div(n, 32), a->cols, &n) &&
		       u64_mul(n, 4, bytes);
	default: /* ARRAY_HIGH: matrices follow each other by elements, not by bytes */
		*bytes = u64_ceil_div(n, 2);
		return true;
	}
}

/* Types of one byte have their 256 values, packed codes 2^bits of them. */
static void make_table(struct view *v)
{
	const struct pack_array *a = v->a;
	unsigned n = a->kind == ARRAY_PLAIN ? 256 : 1u << a->bits;
	uint8_t code[256];
	double x[256];

	for (unsigned i = 0; i < n; i++) {
		code[i] = (uint8_t)i;
		x[i] = i;
	}
	if (a->kind == ARRAY_PLAIN)
		decode(a->type, x, code, n);
	v->table = xcalloc(n, sizeof(*v->table));
	for (unsigned i = 0; i < n; i++) {
		v->table[i] = a->book ? a->book[i] : (float)x[i];
		if (a->add != 0) /* -0 stays -0 */
			v->table[i] += a->add;
	}
}

static enum rc look_numbers(struct view *v, uint64_t matrices, struct err *e)
{
	uint64_t n;

	if (!u64_mul(v->a->rows, v->a->cols, &v->matrix) || !u64_mul(v->matrix, matrices, &n))
		return err_set(e, "its scales are too many");
	v->matrix = v->a->shared ? 0 : v->matrix;
	return RC_OK;
}

/* Packs are made by readers that checked them against the file; a gap in that is answered here, not by a crash. */
static enum rc look(struct view *v, const struct model *m, const struct pack_array *a, uint64_t matrices, struct err *e)
{
	uint64_t bytes;
	struct bytes raw;

	v->a = a;
	if (a->kind == ARRAY_NONE)
		return RC_OK;
	if (a->kind == ARRAY_NUMBERS)
		return look_numbers(v, a->shared ? 1 : matrices, e);
	if (!matrix_bytes(a, &v->matrix) || !u64_mul(v->matrix, a->shared ? 1 : matrices, &bytes))
		return err_set(e, "its %s cannot be laid out", a->part->role);
	if (bytes > a->part->data.length)
		return err_set(e, "its %s take %" PRIu64 " bytes and have %" PRIu64, a->part->role, bytes,
			       a->part->data.length);
	if (!source_slice(&m->source, a->part->data, &raw))
		return err_set(e, "its %s cannot be read in place", a->part->role);
	v->raw = raw.p;
	v->matrix = a->shared ? 0 : v->matrix;
	if (a->kind != ARRAY_PLAIN || dtypes[a->type].bytes == 1)
		make_table(v);
	return RC_OK;
}

/* Whether an array has a number for each group of codes. Rows and columns that an index names are looked at later. */
static bool covers(const struct pack *p, const struct pack_array *a)
{
	return a->kind == ARRAY_NONE ||
	       ((p->row_index.kind != ARRAY_NONE || a->rows >= u64_ceil_div(p->rows, p->block_rows)) &&
		(p->col_index.kind != ARRAY_NONE || a->cols >= u64_ceil_div(p->cols, p->block_cols)));
}

static enum rc check_grid(const struct unpack *u, uint64_t matrices, struct err *e)
{
	const struct pack *p = u->p, *s = p->scales;

	if (p->codes.rows != p->rows || p->codes.cols != p->cols)
		return err_set(e, "its codes do not fit its shape");
	if (p->codes.kind == ARRAY_HIGH && matrices != 1)
		return err_set(e, "its codes cannot be laid out");
	if (!covers(p, &p->scale) || !covers(p, &p->zero) || !covers(p, &p->bias))
		return err_set(e, "its codes make more groups than there are scales");
	if (s ? matrices != 1 || p->rows > p->block_rows || s->rows != 1 || s->scales ||
			s->cols < u64_ceil_div(p->cols, p->block_cols)
	      : p->scale.kind == ARRAY_NONE)
		return err_set(e, "its scales do not fit its codes");
	if (p->row_index.kind > ARRAY_PLAIN || p->row_index.kind == ARRAY_NUMBERS ||
	    p->col_index.kind > ARRAY_PLAIN || p->col_index.kind == ARRAY_NUMBERS)
		return err_set(e, "its index of groups is packed");
	if ((p->row_index.kind != ARRAY_NONE && p->row_index.rows < p->rows) ||
	    (p->col_index.kind != ARRAY_NONE && p->col_index.cols < p->cols))
		return err_set(e, "its index of groups is too short");
	if ((p->zero.kind != ARRAY_NONE && p->zero.rows < p->scale.rows) ||
	    (p->bias.kind != ARRAY_NONE && p->bias.rows < p->scale.rows))
		return err_set(e, "it has fewer zero points or biases than scales");
	return RC_OK;
}

static enum rc open_pack(struct unpack **out, const struct model *m, const struct pack *p, uint64_t count,
			 struct err *e);

/* NOLINTNEXTLINE(misc-no-recursion): once: scales that are packed have plain ones */
static enum rc open_views(struct unpack *u, const struct model *m, struct err *e)
{
	const struct pack *p = u->p;
	uint64_t size, matrices;

	if (!u->count) /* nothing to read */
		return RC_OK;
	if (!p->block_rows || !p->block_cols || !u64_mul(p->rows, p->cols, &size) || !size || u->count % size)
		return err_set(e, "its codes do not fit its shape");
	matrices = u->count / size;
	if (look(&u->codes, m, &p->codes, matrices, e) != RC_OK ||
	    look(&u->scale, m, &p->scale, matrices, e) != RC_OK ||
	    look(&u->zero, m, &p->zero, matrices, e) != RC_OK ||
	    look(&u->bias, m, &p->bias, matrices, e) != RC_OK ||
	    look(&u->global, m, &p->global, matrices, e) != RC_OK ||
	    look(&u->row_index, m, &p->row_index, matrices, e) != RC_OK ||
	    look(&u->col_index, m, &p->col_index, matrices, e) != RC_OK || check_grid(u, matrices, e) != RC_OK)
		return RC_FAIL;
	return p->scales ? open_pack(&u->scales, m, p->scales, p->scales->cols, e) : RC_OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
static enum rc open_pack(struct unpack **out, const struct model *m, const struct pack *p, uint64_t count,
			 struct err *e)
{
	struct unpack *u = xcalloc(1, sizeof(*u));

	*out = NULL;
	u->p = p;
	u->count = count;
	if (open_views(u, m, e) != RC_OK) {
		unpack_close(u);
		return RC_FAIL;
	}
	*out = u;
	return RC_OK;
}

enum rc unpack_open(struct unpack **out, const struct model *m, const struct tensor *t, struct err *e)
{
	return open_pack(out, m, t->pack, t->count, e);
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
void unpack_close(struct unpack *u)
{
	if (!u)
		return;
	unpack_close(u->scales);
	free(u->codes.table);
	free(u->scale.table);
	free(u->zero.table);
	free(u->bias.table);
	free(u->global.table);
	free(u->row_index.table);
	free(u->col_index.table);
	free(u);
}

/* ---- elements of one row of an array ---- */

static void get_plain(struct unpack *u, const struct view *v, const uint8_t *in, size_t n, float *out)
{
	if (v->table) {
		for (size_t i = 0; i < n; i++)
			out[i] = v->table[in[i]];
		return;
	}
	decode(v->a->type, u->x, in, n);
	for (size_t i = 0; i < n; i++)
		out[i] = (float)u->x[i];
}

static void get_bits(const struct view *v, const uint8_t *row, uint64_t c, size_t n, float *out)
{
	unsigned bits = v->a->bits, mask = (1u << bits) - 1;

	for (size_t i = 0; i < n; i++) {
		uint64_t bit = (c + i) * bits;
		const uint8_t *in = row + bit / 8;
		unsigned shift = bit % 8, x = *in >> shift;

		if (shift + bits > 8)
			x |= (unsigned)in[1] << (8 - shift);
		out[i] = v->table[x & mask];
	}
}

static void get_columns(const struct view *v, const uint8_t *matrix, uint64_t r, uint64_t c, size_t n, float *out)
{
	unsigned bits = v->a->bits, mask = (1u << bits) - 1, shift = r * bits % 32;
	const uint8_t *in = matrix + (r * bits / 32 * v->a->cols + c) * 4, *next = in + v->a->cols * 4;

	for (size_t i = 0; i < n; i++) {
		uint32_t x = (uint32_t)load_uint(in + 4 * i, 4, false) >> shift;

		if (shift + bits > 32)
			x |= (uint32_t)load_uint(next + 4 * i, 4, false) << (32 - shift);
		out[i] = v->table[x & mask];
	}
}

static void get_high(const struct view *v, uint64_t first, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = v->table[v->raw[(first + i) / 2] >> ((first + i) % 2 ? 0 : 4) & 15];
}

static void get_awq(const struct view *v, const uint8_t *row, uint64_t c, size_t n, float *out)
{
	static const uint8_t nibble[8] = {0, 4, 1, 5, 2, 6, 3, 7}; /* of elements 0 to 7 of a word */

	for (size_t i = 0; i < n; i++) {
		unsigned at = nibble[(c + i) % 8];

		out[i] = v->table[row[(c + i) / 8 * 4 + at / 2] >> 4 * (at % 2) & 15];
	}
}

/* Elements [c, c + n) of row r of a matrix; n is at most SEG. */
static void get(struct unpack *u, const struct view *v, uint64_t matrix, uint64_t r, uint64_t c, size_t n, float *out)
{
	const struct pack_array *a = v->a;
	const uint8_t *raw = a->kind == ARRAY_NONE || a->kind == ARRAY_NUMBERS ? NULL : v->raw + matrix * v->matrix;

	switch (a->kind) {
	case ARRAY_NONE:
		break;
	case ARRAY_NUMBERS:
		for (size_t i = 0; i < n; i++)
			out[i] = a->numbers[matrix * v->matrix + r * a->cols + c + i];
		break;
	case ARRAY_PLAIN:
		get_plain(u, v, raw + (r * a->cols + c) * dtypes[a->type].bytes, n, out);
		break;
	case ARRAY_BITS:
		get_bits(v, raw + r * a->pitch, c, n, out);
		break;
	case ARRAY_COLUMNS:
		get_columns(v, raw, r, c, n, out);
		break;
	case ARRAY_HIGH:
		get_high(v, r * a->cols + c, n, out);
		break;
	case ARRAY_AWQ:
		get_awq(v, raw + r * a->pitch, c, n, out);
		break;
	}
}

/* The same of an index, whose numbers a float might not hold. */
static void get_index(const struct view *v, uint64_t matrix, uint64_t r, uint64_t c, size_t n, double *out)
{
	decode(v->a->type, out, v->raw + matrix * v->matrix + (r * v->a->cols + c) * dtypes[v->a->type].bytes, n);
}

/* ---- one run of elements within a row ---- */

struct run {
	uint64_t matrix, row, group_row, c;
	size_t n;
};

/* From one number a group to one an element. */
static void spread(const struct run *run, uint64_t block, const float *group, float *out)
{
	uint64_t end = block - run->c % block; /* of the group, counted from the run's first element */

	for (size_t i = 0; i < run->n; end += block, group++)
		for (size_t stop = (size_t)u64_min(run->n, end); i < stop; i++)
			out[i] = *group;
}

/* What belongs to the elements of a run: scales, zeros or biases, one an element. */
/* NOLINTNEXTLINE(misc-no-recursion): the same */
static enum rc shared_of(struct unpack *u, const struct view *v, const struct run *run, float *out, struct err *e)
{
	const struct pack *p = u->p;
	uint64_t first = run->c / p->block_cols;
	size_t groups = (size_t)((run->c + run->n - 1) / p->block_cols - first + 1);

	if (p->col_index.kind != ARRAY_NONE) {
		for (size_t i = 0; i < run->n; i++) {
			if (!(u->at[i] >= 0 && u->at[i] < (double)v->a->cols))
				return err_set(e, "column %" PRIu64 " belongs to group %.0f of %" PRIu64, run->c + i,
					       u->at[i], v->a->cols);
			get(u, v, run->matrix, run->group_row, (uint64_t)u->at[i], 1, out + i);
		}
		return RC_OK;
	}
	if (v == &u->scale && u->scales) {
		if (unpack_get(u->scales, u->group, first, groups, e) != RC_OK)
			return RC_FAIL;
	} else {
		if (p->block_cols == 1) {
			get(u, v, run->matrix, run->group_row, run->c, run->n, out);
			return RC_OK;
		}
		get(u, v, run->matrix, run->group_row, first, groups, u->group);
	}
	spread(run, p->block_cols, u->group, out);
	return RC_OK;
}

/* What the run's row has in common, and the groups of its columns. */
static enum rc find_groups(struct unpack *u, struct run *run, struct err *e)
{
	const struct pack *p = u->p;

	run->group_row = run->row / p->block_rows;
	if (p->row_index.kind != ARRAY_NONE) {
		get_index(&u->row_index, run->matrix, run->row, 0, 1, u->at);
		if (!(u->at[0] >= 0 && u->at[0] < (double)p->scale.rows))
			return err_set(e, "row %" PRIu64 " belongs to group %.0f of %" PRIu64, run->row, u->at[0],
				       p->scale.rows);
		run->group_row = (uint64_t)u->at[0];
	}
	if (p->col_index.kind != ARRAY_NONE)
		get_index(&u->col_index, run->matrix, 0, run->c, run->n, u->at);
	return RC_OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
static enum rc find_scales(struct unpack *u, const struct run *run, struct err *e)
{
	const struct pack *p = u->p;
	float g;

	if (shared_of(u, &u->scale, run, u->s, e) != RC_OK ||
	    (p->zero.kind != ARRAY_NONE && shared_of(u, &u->zero, run, u->z, e) != RC_OK) ||
	    (p->bias.kind != ARRAY_NONE && shared_of(u, &u->bias, run, u->b, e) != RC_OK))
		return RC_FAIL;
	if (p->global.kind == ARRAY_NONE)
		return RC_OK;
	get(u, &u->global, run->matrix, 0, 0, 1, &g);
	for (size_t i = 0; i < run->n; i++)
		u->s[i] = p->divide ? u->s[i] / g : u->s[i] * g;
	return RC_OK;
}

/* x holds the codes and gets the values. */
static void apply(const struct unpack *u, float *x, size_t n)
{
	const struct pack *p = u->p;

	if (p->steps > 0) {
		for (size_t i = 0; i < n; i++) {
			float t = x[i] / p->steps;

			x[i] = u->b[i] * (1 - t) + u->s[i] * t;
		}
		return;
	}
	for (size_t i = 0; p->zero.kind != ARRAY_NONE && i < n; i++)
		x[i] -= u->z[i];
	for (size_t i = 0; i < n; i++)
		x[i] *= u->s[i];
	for (size_t i = 0; p->bias.kind != ARRAY_NONE && i < n; i++)
		x[i] += u->b[i];
	for (size_t i = 0; p->times != 0 && i < n; i++)
		x[i] *= p->times;
	for (size_t i = 0; p->plus != 0 && i < n; i++)
		x[i] += p->plus;
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
enum rc unpack_get(struct unpack *u, float *out, uint64_t first, size_t n, struct err *e)
{
	const struct pack *p = u->p;

	if (first > u->count || n > u->count - first)
		return err_set(e, "elements %" PRIu64 " and on are not in the tensor", first);
	while (n) {
		uint64_t row = first / p->cols;
		struct run run = {.matrix = row / p->rows, .row = row % p->rows, .c = first % p->cols};

		run.n = (size_t)u64_min(u64_min(n, SEG), p->cols - run.c);
		if (find_groups(u, &run, e) != RC_OK || find_scales(u, &run, e) != RC_OK)
			return RC_FAIL;
		get(u, &u->codes, run.matrix, run.row, run.c, run.n, out);
		apply(u, out, run.n);
		out += run.n;
		first += run.n;
		n -= run.n;
	}
	return RC_OK;
}

/* ---- the stored bytes ---- */

static bool other_numbers(const struct pack_array *a, const struct pack_array *b)
{
	size_t n = (size_t)(a->rows * a->cols) * sizeof(*a->numbers);

	if (a->kind != ARRAY_NUMBERS && b->kind != ARRAY_NUMBERS)
		return false;
	return a->kind != b->kind || a->rows != b->rows || a->cols != b->cols || a->shared != b->shared ||
	       memcmp(a->numbers, b->numbers, n) != 0;
}

bool unpack_other_bytes(const struct model *m[2], const struct tensor *t[2], uint64_t share, uint64_t shares)
{
	const struct pack *a = t[0]->pack, *b = t[1]->pack;

	if (a->n_parts != b->n_parts || other_numbers(&a->scale, &b->scale) || other_numbers(&a->zero, &b->zero) ||
	    other_numbers(&a->bias, &b->bias))
		return true;
	for (unsigned i = 0; i < a->n_parts; i++) {
		struct span s[2] = {a->parts[i].data, b->parts[i].data};
		struct bytes raw[2];
		uint64_t step = u64_ceil_div(s[0].length, shares), from = step * share;

		if (s[0].length != s[1].length || a->parts[i].type != b->parts[i].type)
			return true;
		if (from >= s[0].length)
			continue;
		for (int k = 0; k < 2; k++) {
			s[k].length = u64_min(step, s[k].length - from);
			s[k].offset += from;
			if (!source_slice(&m[k]->source, s[k], &raw[k]))
				return true;
		}
		if (memcmp(raw[0].p, raw[1].p, raw[0].n) != 0)
			return true;
	}
	return false;
}
