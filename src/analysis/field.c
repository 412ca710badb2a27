#include "analysis/field.h"

#include <math.h>
#include <string.h>

#include "analysis/scan.h"
#include "base/fmt.h"
#include "base/utf8.h"

static void real_cell(struct cell *c, double x, enum cell_kind kind)
{
	if (isfinite(x)) {
		c->kind = kind;
		c->u.real = x;
	}
}

static const struct tensor *tensor_of(const struct row *r, int side)
{
	return r->t[side] ? r->t[side] : side == A ? r->t[B] : NULL;
}

static void get_name(const struct field *f, const struct row *r, int side, struct cell *c)
{
	const struct tensor *t = tensor_of(r, side);
	(void)f;

	*c = (struct cell){.kind = CELL_TEXT, .u.text = t ? t->name : r->name};
}

static void get_type(const struct field *f, const struct row *r, int side, struct cell *c)
{
	const struct tensor *t = tensor_of(r, side);
	(void)f;

	if (t)
		*c = (struct cell){.kind = CELL_TEXT, .u.text = str_of(t->type_name)};
}

static void get_shape(const struct field *f, const struct row *r, int side, struct cell *c)
{
	const struct tensor *t = tensor_of(r, side);
	(void)f;

	if (t)
		*c = (struct cell){.kind = CELL_SHAPE, .u.shape = {t->shape, t->rank}};
}

/* offset: 0 parameters, 1 bytes, 2 the offset in the file */
static void get_size(const struct field *f, const struct row *r, int side, struct cell *c)
{
	const struct tensor *t = tensor_of(r, side);

	if (!t)
		return;
	c->kind = f->kind;
	c->u.count = f->offset == 0 ? t->count : f->offset == 1 ? t->data.length : t->data.offset;
}

static void get_status(const struct field *f, const struct row *r, int side, struct cell *c)
{
	(void)f, (void)side;
	if (r->status != ST_SINGLE)
		*c = (struct cell){.kind = CELL_TEXT, .u.text = str_of(statuses[r->status].name)};
}

static void get_retyped(const struct field *f, const struct row *r, int side, struct cell *c)
{
	(void)f, (void)side;
	*c = (struct cell){.kind = CELL_BOOL, .u.count = r->retyped};
}

static void get_via(const struct field *f, const struct row *r, int side, struct cell *c)
{
	(void)f, (void)side;
	if (r->via != VIA_NONE)
		*c = (struct cell){.kind = CELL_TEXT, .u.text = str_of(vias[r->via])};
}

static void get_number(const struct field *f, const void *from, struct cell *c)
{
	const char *at = (const char *)from + f->offset;
	uint64_t count;
	double real;

	if (f->kind == CELL_COUNT) {
		memcpy(&count, at, sizeof(count));
		if (count != UINT64_MAX)
			*c = (struct cell){.kind = CELL_COUNT, .u.count = count};
	} else {
		memcpy(&real, at, sizeof(real));
		real_cell(c, real, f->kind);
	}
}

static bool has_stats(const struct row *r, int side)
{
	return r->result && r->t[side] && !r->t[side]->trouble && !r->result->error && (r->result->have & WANT_STATS);
}

static void get_stat(const struct field *f, const struct row *r, int side, struct cell *c)
{
	side = r->t[side] ? side : side == A ? B : A;
	if (has_stats(r, side))
		get_number(f, &r->result->stats[side], c);
}

/* distinct is a count, but NAN where codes are not counted: kept as a real. */
static void get_distinct(const struct field *f, const struct row *r, int side, struct cell *c)
{
	(void)f;
	side = r->t[side] ? side : side == A ? B : A;
	if (has_stats(r, side) && isfinite(r->result->stats[side].distinct))
		*c = (struct cell){.kind = CELL_COUNT, .u.count = (uint64_t)r->result->stats[side].distinct};
}

static void get_how(const struct field *f, const struct row *r, int side, struct cell *c)
{
	(void)f, (void)side;
	if (r->result && r->result->how)
		*c = (struct cell){.kind = CELL_TEXT, .u.text = str_of(r->result->how)};
}

static void get_beyond(const struct field *f, const struct row *r, int side, struct cell *c)
{
	(void)side;
	if (r->result && r->result->relation.rung == RUNG_QUANTISED)
		real_cell(c, r->result->relation.share, f->kind);
}

static void get_diff(const struct field *f, const struct row *r, int side, struct cell *c)
{
	(void)side;
	if (status_compared(r->status) && has_stats(r, A) && has_stats(r, B))
		get_number(f, &r->result->diff, c);
}

#define HEADER(k, title, kind, get, about) {k, title, about, FIELD_HEADER, kind, get, 0}
#define SIZE(k, title, kind, which, about) {k, title, about, FIELD_HEADER, kind, get_size, which}
#define STAT(m, title, kind, about) {#m, title, about, FIELD_STATS, kind, get_stat, offsetof(struct stats, m)}
#define QUANTILE(k, i, about) {k, k, about, FIELD_DIST, CELL_REAL, get_stat, offsetof(struct stats, q[i])}
#define DIFF(m, title, kind, about) {#m, title, about, FIELD_DIFF, kind, get_diff, offsetof(struct diff, m)}
#define DIFF_DIST(m, title, about) {#m, title, about, FIELD_DIFF_DIST, CELL_REAL, get_diff, offsetof(struct diff, m)}

const struct field fields[] = {
	HEADER("name", "name", CELL_TEXT, get_name, "the tensor's name"),
	HEADER("status", "status", CELL_TEXT, get_status, "what became of the pair"),
	HEADER("retyped", "retyped", CELL_BOOL, get_retyped, "whether the types of a pair differ"),
	HEADER("how", "how", CELL_TEXT, get_how, "of a pair that is cast or quantised: how, in words"),
	HEADER("beyond", "beyond", CELL_FRACTION, get_beyond, "of a quantised pair: the share beyond half a step"),
	HEADER("via", "via", CELL_TEXT, get_via, "how the pair was found"),
	HEADER("type", "type", CELL_TEXT, get_type, "element type"),
	HEADER("shape", "shape", CELL_SHAPE, get_shape, "dimensions, the slowest-varying first"),
	SIZE("parameters", "params", CELL_COUNT, 0, "elements"),
	SIZE("bytes", "bytes", CELL_BYTES, 1, "bytes of its data in the file, inflated"),
	SIZE("offset", "offset", CELL_COUNT, 2, "where its data begins in its file or archive member"),

	STAT(count, "count", CELL_COUNT, "all elements"),
	STAT(nan, "nan", CELL_COUNT, "elements that are not a number"),
	STAT(inf, "inf", CELL_COUNT, "infinite elements, of either sign"),
	STAT(zero, "zero", CELL_COUNT, "elements that are 0 or -0"),
	STAT(min, "min", CELL_REAL, "the smallest finite value"),
	STAT(max, "max", CELL_REAL, "the largest finite value"),
	STAT(absmax, "absmax", CELL_REAL, "the largest finite magnitude"),
	STAT(mean, "mean", CELL_REAL, "arithmetic mean"),
	STAT(std, "std", CELL_REAL, "standard deviation of the population (divided by n)"),
	STAT(rms, "rms", CELL_REAL, "root of the mean square"),
	STAT(l1, "l1", CELL_REAL, "sum of magnitudes"),
	STAT(l2, "l2", CELL_REAL, "Euclidean norm"),
	STAT(skewness, "skew", CELL_REAL, "third standardised moment of the population"),
	STAT(kurtosis, "kurt", CELL_REAL, "fourth standardised moment of the population, less 3"),
	QUANTILE("p01", Q_P01, "1st percentile"),
	QUANTILE("p05", Q_P05, "5th percentile"),
	QUANTILE("p25", Q_P25, "25th percentile"),
	QUANTILE("median", Q_MEDIAN, "50th percentile"),
	QUANTILE("p75", Q_P75, "75th percentile"),
	QUANTILE("p95", Q_P95, "95th percentile"),
	QUANTILE("p99", Q_P99, "99th percentile"),
	{"distinct", "distinct", "stored codes that occur; only for types of at most 16 bits", FIELD_DIST, CELL_COUNT,
	 get_distinct, 0},
	{"entropy", "entropy", "Shannon's, bits an element over the stored codes; only for types of at most 16 bits",
	 FIELD_DIST, CELL_REAL, get_stat, offsetof(struct stats, entropy)},

	DIFF(changed, "changed", CELL_COUNT, "elements whose values differ; -0 equals 0 and NaN equals NaN"),
	DIFF(changed_fraction, "chg%", CELL_FRACTION, "changed / count"),
	DIFF(sign_flips, "flips", CELL_COUNT, "elements whose sign changed, neither being 0"),
	DIFF(max_abs_diff, "max|d|", CELL_REAL, "the largest |d|"),
	DIFF(max_abs_index, "at", CELL_COUNT, "the first element that reaches it, counted row by row from 0"),
	DIFF(mean_diff, "mean d", CELL_REAL, "mean of d"),
	DIFF(mean_abs_diff, "mean|d|", CELL_REAL, "mean of |d|"),
	DIFF(rmse, "rmse", CELL_REAL, "root of the mean of d*d"),
	DIFF(l2_diff, "l2 d", CELL_REAL, "||B-A||"),
	DIFF(rel_l2, "rel_l2", CELL_REAL, "||B-A|| / ||A||"),
	DIFF(cosine, "cosine", CELL_REAL, "A.B / (||A|| ||B||)"),
	DIFF(snr_db, "snr_db", CELL_REAL, "20 log10(||A|| / ||B-A||)"),
	DIFF_DIST(p50_abs_diff, "p50|d|", "median of |d|"),
	DIFF_DIST(p99_abs_diff, "p99|d|", "99th percentile of |d|"),
	DIFF(nan_mismatch, "nan!", CELL_COUNT, "elements that are NaN on one side only"),
	{.key = NULL},
};

const struct field *field_by_key(struct str key)
{
	for (const struct field *f = fields; f->key; f++)
		if (str_eq(key, str_of(f->key)))
			return f;
	return NULL;
}

struct cell field_get(const struct field *f, const struct row *r, int side)
{
	struct cell c = {.kind = CELL_NONE};

	f->get(f, r, side, &c);
	return c;
}

static int cmp_shape(const struct cell *a, const struct cell *b)
{
	for (unsigned i = 0; i < a->u.shape.rank && i < b->u.shape.rank; i++)
		if (a->u.shape.dims[i] != b->u.shape.dims[i])
			return a->u.shape.dims[i] < b->u.shape.dims[i] ? -1 : 1;
	return (a->u.shape.rank > b->u.shape.rank) - (a->u.shape.rank < b->u.shape.rank);
}

void cell_show(struct buf *b, const struct cell *c, bool ascii)
{
	switch (c->kind) {
	case CELL_NONE:
		buf_putc(b, '-');
		break;
	case CELL_TEXT:
		utf8_display(b, c->u.text, ascii);
		break;
	case CELL_COUNT:
		fmt_grouped(b, c->u.count);
		break;
	case CELL_BYTES:
		fmt_bytes(b, c->u.count);
		break;
	case CELL_REAL:
		fmt_real(b, c->u.real);
		break;
	case CELL_FRACTION:
		fmt_percent(b, c->u.real);
		break;
	case CELL_SHAPE:
		(ascii ? fmt_shape_ascii : fmt_shape)(b, c->u.shape.dims, c->u.shape.rank);
		break;
	case CELL_BOOL:
		buf_puts(b, c->u.count ? "yes" : "no");
		break;
	}
}

int cell_cmp(const struct cell *a, const struct cell *b)
{
	if (a->kind != b->kind) /* of one field: one of them is undefined */
		return a->kind == CELL_NONE ? 1 : b->kind == CELL_NONE ? -1 : 0;
	switch (a->kind) {
	case CELL_NONE:
		return 0;
	case CELL_TEXT:
		return str_cmp_natural(a->u.text, b->u.text);
	case CELL_SHAPE:
		return cmp_shape(a, b);
	case CELL_COUNT:
	case CELL_BYTES:
	case CELL_BOOL:
		return (a->u.count > b->u.count) - (a->u.count < b->u.count);
	case CELL_REAL:
	case CELL_FRACTION:
		return (a->u.real > b->u.real) - (a->u.real < b->u.real);
	}
	return 0;
}
