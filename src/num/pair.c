#include "num/pair.h"

#include <string.h>

#include "num/block.h"
#include "num/dd.h"
#include "num/kern.h"

void pair_init(struct pairsum *p)
{
	*p = (struct pairsum){.max_abs = -1};
}

/* Brings one scale of both sums to the larger one, as moments_merge does. Zeros fit any scale. */
static void align(int *scale, bool empty, int *other, bool other_empty, int *up, int *other_up)
{
	int common = empty ? *other : other_empty ? *scale : *scale > *other ? *scale : *other;

	*up = *scale - common;
	*other_up = *other - common;
	*scale = *other = common;
}

static void align_all(struct pairsum *p, struct pairsum *q)
{
	int pa, pb, pd, qa, qb, qd;

	align(&p->scale_a, p->aa.hi == 0, &q->scale_a, q->aa.hi == 0, &pa, &qa);
	align(&p->scale_b, p->bb.hi == 0, &q->scale_b, q->bb.hi == 0, &pb, &qb);
	align(&p->scale_d, p->dd.hi == 0, &q->scale_d, q->dd.hi == 0, &pd, &qd);
	p->aa = dd_ldexp(p->aa, 2 * pa);
	q->aa = dd_ldexp(q->aa, 2 * qa);
	p->bb = dd_ldexp(p->bb, 2 * pb);
	q->bb = dd_ldexp(q->bb, 2 * qb);
	p->ab = dd_ldexp(p->ab, pa + pb);
	q->ab = dd_ldexp(q->ab, qa + qb);
	p->dd = dd_ldexp(p->dd, 2 * pd);
	q->dd = dd_ldexp(q->dd, 2 * qd);
	p->d = dd_ldexp(p->d, pd);
	q->d = dd_ldexp(q->d, qd);
	p->abs_d = dd_ldexp(p->abs_d, pd);
	q->abs_d = dd_ldexp(q->abs_d, qd);
}

void pair_merge(struct pairsum *p, const struct pairsum *next)
{
	struct pairsum q = *next;

	align_all(p, &q);
	p->d = dd_add(p->d, q.d);
	p->abs_d = dd_add(p->abs_d, q.abs_d);
	p->dd = dd_add(p->dd, q.dd);
	p->aa = dd_add(p->aa, q.aa);
	p->bb = dd_add(p->bb, q.bb);
	p->ab = dd_add(p->ab, q.ab);
	if (q.max_abs > p->max_abs) {
		p->max_abs = q.max_abs;
		p->max_abs_index = q.max_abs_index;
	}
	p->count += q.count;
	p->changed += q.changed;
	p->sign_flips += q.sign_flips;
	p->nan_mismatch += q.nan_mismatch;
	p->n += q.n;
}

void pair_add(struct pairsum *p, const double *a, const double *b, uint64_t first, size_t n)
{
	struct pairsum block;

	kern->pair(&block, a, b, first, n);
	pair_merge(p, &block);
}

void pair_add_given(struct pairsum *p, const double *a, const double *b, const double *d, const bool *same,
		    uint64_t first, size_t n)
{
	struct pairsum block;

	block_pair_given(&block, a, b, d, same, first, n);
	pair_merge(p, &block);
}

void pair_add_complex(struct pairsum *p, const double *a, const double *b, uint64_t first, size_t n)
{
	struct pairsum block;

	block_pair_complex(&block, a, b, first, n);
	pair_merge(p, &block);
}

void pair_add_same(struct pairsum *p, const struct moments *a)
{
	struct pairsum q = {
		.count = a->count, .n = a->count - a->nan - a->inf,
		.aa = a->sumsq, .bb = a->sumsq, .ab = a->sumsq,
		.scale_a = a->scale, .scale_b = a->scale,
	};

	q.max_abs = q.n ? 0 : -1; /* its index does not matter: pair_diff gives 0 when nothing differs */
	pair_merge(p, &q);
}

/* x * 2^scale; NAN for what leaves the range of a double. */
static double unscaled(double x, int scale)
{
	x = ldexp(x, scale);
	return isfinite(x) ? x : NAN;
}

static void relations(const struct pairsum *p, struct diff *r)
{
	double cosine;

	if (p->aa.hi > 0) {
		r->rel_l2 = unscaled(sqrt(p->dd.hi / p->aa.hi), p->scale_d - p->scale_a);
		if (p->dd.hi > 0)
			r->snr_db = 10 * log10(p->aa.hi / p->dd.hi) +
				    20 * log10(2) * (p->scale_a - p->scale_d) + 0.0;
	}
	if (p->aa.hi > 0 && p->bb.hi > 0) {
		cosine = p->ab.hi / (sqrt(p->aa.hi) * sqrt(p->bb.hi));
		/* equal values have just 1, whatever the roots rounded to */
		r->cosine = p->dd.hi == 0 ? 1 : fmin(fmax(cosine, -1), 1);
	}
}

void pair_diff(const struct pairsum *p, struct diff *r)
{
	*r = (struct diff){
		.count = p->count, .changed = p->changed, .sign_flips = p->sign_flips,
		.nan_mismatch = p->nan_mismatch, .changed_fraction = NAN,
		.max_abs_diff = NAN, .max_abs_index = UINT64_MAX, .mean_diff = NAN, .mean_abs_diff = NAN,
		.rmse = NAN, .l2_diff = NAN, .rel_l2 = NAN, .cosine = NAN, .snr_db = NAN,
		.p50_abs_diff = NAN, .p99_abs_diff = NAN,
	};
	if (p->count)
		r->changed_fraction = (double)p->changed / (double)p->count;
	if (!p->n)
		return;
	r->max_abs_diff = isfinite(p->max_abs) ? p->max_abs : NAN;
	r->max_abs_index = p->max_abs > 0 ? p->max_abs_index : 0;
	r->mean_diff = unscaled(dd_div_count(p->d, p->n).hi, p->scale_d) + 0.0;
	r->mean_abs_diff = unscaled(dd_div_count(p->abs_d, p->n).hi, p->scale_d);
	r->rmse = unscaled(sqrt(dd_div_count(p->dd, p->n).hi), p->scale_d);
	r->l2_diff = unscaled(sqrt(p->dd.hi), p->scale_d);
	relations(p, r);
}
