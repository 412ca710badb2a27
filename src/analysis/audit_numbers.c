/* Numbers that a trained tensor seldom has. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/audit_check.h"
#include "analysis/blocks.h"
#include "num/robust.h"

/* Of a mask or a count of steps, integers that are all the same say nothing. */
static bool is_real(const struct tensor *t)
{
	enum dtype_kind kind = dtypes[t->type].kind;

	return t->pack || kind == KIND_FLOAT || kind == KIND_BLOCK || kind == KIND_COMPLEX;
}

static const char *is_or_are(uint64_t n)
{
	return n == 1 ? "is" : "are";
}

void check_nan(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++)
		if (a->surveys[i].st.nan)
			found(a, a->m->tensors[i].name, "%" PRIu64 " of %" PRIu64 " elements %s NaN",
			      a->surveys[i].st.nan, a->m->tensors[i].count, is_or_are(a->surveys[i].st.nan));
}

void check_inf(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++)
		if (a->surveys[i].st.inf)
			found(a, a->m->tensors[i].name, "%" PRIu64 " of %" PRIu64 " elements %s infinite",
			      a->surveys[i].st.inf, a->m->tensors[i].count, is_or_are(a->surveys[i].st.inf));
}

void check_zero(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++) {
		const struct stats *st = &a->surveys[i].st;

		if (a->surveys[i].read && is_real(&a->m->tensors[i]) && a->m->tensors[i].count > 1 &&
		    st->zero == a->m->tensors[i].count)
			found(a, a->m->tensors[i].name, "all of its %" PRIu64 " elements are 0", st->zero);
	}
}

void check_constant(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++) {
		const struct tensor *t = &a->m->tensors[i];
		const struct stats *st = &a->surveys[i].st;

		if (a->surveys[i].read && is_real(t) && t->count > 1 && !st->nan && !st->inf && st->min >= st->max &&
		    st->zero != t->count)
			found(a, t->name, "all of its %" PRIu64 " elements are %.9g", t->count, st->min);
	}
}

static void found_dead(struct auditor *a, const struct tensor *t, unsigned k, uint64_t n, uint64_t first)
{
	found(a, t->name, "%" PRIu64 " of %" PRIu64 " slices along dimension %u are all zero (the first: %" PRIu64 ")",
	      n, t->shape[k], k, first);
}

void check_dead(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++) {
		const struct tensor *t = &a->m->tensors[i];
		const struct survey *sv = &a->surveys[i];
		unsigned last = t->rank ? t->rank - 1 : 0, slow = t->fortran ? last : 0, fast = t->fortran ? 0 : last;

		if (!sv->read || !is_real(t) || sv->st.zero == t->count)
			continue;
		if (sv->dead_rows)
			found_dead(a, t, slow, sv->dead_rows, sv->first_row);
		if (sv->dead_columns)
			found_dead(a, t, fast, sv->dead_columns, sv->first_column);
	}
}

void check_denormal(struct auditor *a)
{
	enum { LEAST = 8 }; /* of a constant or two, nothing follows */

	for (size_t i = 0; i < a->m->n_tensors; i++) {
		const struct survey *sv = &a->surveys[i];

		if (sv->read && sv->denormal && 10 * sv->denormal > a->m->tensors[i].count && sv->denormal >= LEAST)
			found(a, a->m->tensors[i].name, "%" PRIu64 " of %" PRIu64 " elements are denormal",
			      sv->denormal, a->m->tensors[i].count);
	}
}

void check_low_bits(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++) {
		const struct tensor *t = &a->m->tensors[i];
		const struct lowbits *b = &a->surveys[i].low;

		if (b->windows)
			found(a, t->name, "in %" PRIu64 " of %" PRIu64 " runs of %d elements, the first from element "
			      "%" PRIu64 " on, the lowest %u bits of the fraction have %.2f bits of entropy each, and "
			      "the %u above them are zero", b->windows, u64_ceil_div(t->count, LOWBITS_WINDOW),
			      LOWBITS_WINDOW, b->first, b->low, b->entropy, b->gap);
	}
}

/* ---- one among its peers ---- */

/*
 * The root mean square of one part in all layers, as a logarithm: what is ten times too large is as far away as what is
 * ten times too small. Peers that differ by little make small deviations stand out, so a factor of 4 is asked for, too.
 */
static void compare_rank(struct auditor *a, const size_t *tensors, size_t n, unsigned rank)
{
	enum { LEAST = 6, ELEMENTS = 16 };
	static const double FAR = 6, FACTOR = 2;
	double *x = xcalloc(n, sizeof(*x)), *z = xcalloc(n, sizeof(*z)), median;
	size_t *of = xcalloc(n, sizeof(*of)), k = 0;

	for (size_t i = 0; i < n; i++)
		if (a->m->tensors[tensors[i]].rank == rank && a->surveys[tensors[i]].read &&
		    a->surveys[tensors[i]].st.rms > 0 && is_real(&a->m->tensors[tensors[i]]) &&
		    a->m->tensors[tensors[i]].count >= ELEMENTS) {
			x[k] = log2(a->surveys[tensors[i]].st.rms);
			of[k++] = tensors[i];
		}
	memcpy(z, x, k * sizeof(*z));
	median = robust_median(z, k);
	robust_z(z, x, k);
	for (size_t i = 0; i < k; i++)
		if (k >= LEAST && fabs(z[i]) > FAR && fabs(x[i] - median) > FACTOR)
			found(a, a->m->tensors[of[i]].name, "its root mean square is %.3g times that of its %zu peers' "
			      "median (robust z-score %.1f)", exp2(x[i] - median), k, z[i]);
	free(x);
	free(z);
	free(of);
}

/* scikit-learn's trees stand side by side under numbers, and are no layers: each has its own nodes. */
static bool is_tree(struct str name)
{
	static const char nodes[] = ".tree_.";

	return name.n && memmem(name.p, name.n, nodes, sizeof(nodes) - 1) != NULL;
}

/* Where a name has nothing but a number, as in tensor_3, weights and biases are one part by their names. */
static void compare_peers(struct auditor *a, const size_t *tensors, size_t n)
{
	bool seen[RANK_MAX + 1] = {false};

	for (size_t i = 0; i < n && !is_tree(a->m->tensors[tensors[0]].name); i++) {
		unsigned rank = a->m->tensors[tensors[i]].rank;

		if (!seen[rank])
			compare_rank(a, tensors, n, rank);
		seen[rank] = true;
	}
}

void check_outlier(struct auditor *a)
{
	struct str *names = xcalloc(a->m->n_tensors, sizeof(*names));
	struct blocks *b;

	for (size_t i = 0; i < a->m->n_tensors; i++)
		names[i] = a->m->tensors[i].name;
	b = blocks_find(names, a->m->n_tensors);
	for (size_t g = 0; g < b->n_grids; g++)
		for (size_t p = 0; p < b->grids[g].n_parts; p++) {
			const struct block_grid *grid = &b->grids[g];
			const struct block_part *part = &grid->parts[p];
			const struct block_cell *first = &grid->cells[part->first], *last = first + part->n - 1;

			if (part->n)
				compare_peers(a, grid->names + first->first, last->first + last->n - first->first);
		}
	blocks_free(b);
	free(names);
}

/* Told once for all tensors of a type: where one was cast, mostly all were. */
void check_narrow(struct auditor *a)
{
	static const enum dtype casts[][2] = {{DT_F32, DT_BF16}, {DT_F32, DT_F16}, {DT_F64, DT_F32}};

	for (size_t k = 0; k < COUNT(casts); k++) {
		size_t n = 0, first = 0, of = 0;
		struct finding *f;

		for (size_t i = a->m->n_tensors; i-- > 0;) {
			const struct tensor *t = &a->m->tensors[i];

			if (t->pack || t->type != casts[k][0] || !a->surveys[i].read)
				continue;
			of++;
			if (narrow_type(&a->surveys[i].narrow, dtypes[t->type].bytes) != casts[k][1])
				continue;
			n++;
			first = i;
		}
		if (n == 1)
			found(a, a->m->tensors[first].name, "its values of %s are all those of %s",
			      dtypes[casts[k][0]].name, dtypes[casts[k][1]].name);
		f = n < 2 ? NULL : found(a, STR(""), "%zu of %zu tensors of %s hold values of %s only, the first %s", n,
					 of, dtypes[casts[k][0]].name, dtypes[casts[k][1]].name,
					 said(a, a->m->tensors[first].name));
		if (f)
			f->key = str_of(dtypes[casts[k][1]].name);
	}
}
