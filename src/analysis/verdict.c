#include "analysis/verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"

static void add_conversion(struct conversions *c, const struct row *r)
{
	const struct relation *l = &r->result->relation;
	const char *type = r->t[l->reverse ? A : B]->type_name;
	size_t i = 0;

	c->roundings = c->n ? c->roundings & l->roundings : l->roundings;
	c->n++;
	while (i < c->n_types && strcmp(c->types[i], type) != 0)
		i++;
	if (i == COUNT(c->types))
		c->more_types = true;
	else if (i == c->n_types)
		c->types[c->n_types++] = type;
}

void summarise(struct summary *sum, const struct session *s, const size_t *rows, size_t n)
{
	struct meta_row *meta;
	size_t n_meta;
	double most = -1;

	*sum = (struct summary){.strongest = SIZE_MAX};
	rollup_rows(&sum->all, s, rows, n);
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &s->rows[rows[i]];

		if (r->status == ST_CHANGED && r->result && r->result->diff.rel_l2 > most) {
			most = r->result->diff.rel_l2;
			sum->strongest = rows[i];
		}
		if (r->status == ST_CAST)
			add_conversion(&sum->casts[r->result->relation.reverse], r);
		if (r->status == ST_QUANTISED)
			add_conversion(&sum->quantised[r->result->relation.reverse], r);
	}
	meta = session_meta(s, &n_meta);
	for (size_t i = 0; i < n_meta; i++) {
		sum->meta_changed += meta[i].status == ST_CHANGED;
		sum->meta_added += meta[i].status == ST_ADDED;
		sum->meta_removed += meta[i].status == ST_REMOVED;
	}
	free(meta);
}

bool summary_converted(const struct summary *sum)
{
	const size_t *n = sum->all.by_status;

	return !n[ST_CHANGED] && n[ST_CAST] + n[ST_QUANTISED] > 0;
}

static size_t meta_differences(const struct summary *sum)
{
	return sum->meta_changed + sum->meta_added + sum->meta_removed;
}

static bool tensors_differ(const struct rollup *u)
{
	size_t n = u->renamed;

	for (int i = 0; i < ST_COUNT; i++)
		n += status_differs((enum status)i) ? u->by_status[i] : 0;
	return n > 0;
}

static bool trouble(const struct session *s, const struct rollup *u)
{
	return u->by_status[ST_UNDECODED] || u->by_status[ST_PENDING] || s->m[A].n_problems || s->m[B].n_problems;
}

static void add_clause(struct buf *b, size_t n, const char *what)
{
	if (n)
		buf_printf(b, "%s%zu %s", b->n ? ", " : "", n, what);
}

static const char *plural(size_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

/* "Q4_K", "Q4_K, Q5_K and Q6_K" */
static void type_names(struct buf *b, const struct conversions *c)
{
	for (size_t i = 0; i < c->n_types; i++) {
		bool last = i + 1 == c->n_types && !c->more_types;

		buf_puts(b, i == 0 ? "" : last ? " and " : ", ");
		buf_puts(b, c->types[i]);
	}
	buf_puts(b, c->more_types ? " and others" : "");
}

/* "all 148 tensors of B are A rounded to BF16 (to nearest even)", ", 12 of B are A quantised to Q8_0" */
static void conversion(struct buf *b, const struct summary *sum, const struct conversions *c, bool reverse, bool cast)
{
	size_t all = sum->all.tensors[reverse ? A : B];
	char side = reverse ? 'A' : 'B';
	int rounding = 0;

	if (c->n == 0)
		return;
	if (b->n)
		buf_printf(b, ", %zu of %c %s ", c->n, side, c->n == 1 ? "is" : "are");
	else if (all == 1)
		buf_printf(b, "the only tensor of %c is ", side);
	else if (c->n == all)
		buf_printf(b, "all %zu tensors of %c are ", all, side);
	else
		buf_printf(b, "%zu of %zu tensors of %c %s ", c->n, all, side, c->n == 1 ? "is" : "are");
	buf_printf(b, "%c %s to ", reverse ? 'B' : 'A', cast ? "rounded" : "quantised");
	type_names(b, c);
	if (!cast)
		return;
	while (rounding < ROUND_COUNT && !(c->roundings >> rounding & 1))
		rounding++;
	if (rounding == ROUND_COUNT)
		buf_puts(b, " (not all in one way)");
	else
		buf_printf(b, " (%s%s)", rounding == ROUND_ZERO ? "" : "to ", rounding_names[rounding]);
}

static void conversions(struct buf *b, const struct summary *sum)
{
	for (int way = 0; way < 2; way++)
		conversion(b, sum, &sum->casts[way], way == 1, true);
	for (int way = 0; way < 2; way++)
		conversion(b, sum, &sum->quantised[way], way == 1, false);
}

/* "12 of 148 tensors changed", "3 added", ... */
static void changes(struct buf *b, const struct summary *sum)
{
	const size_t *n = sum->all.by_status;
	size_t both = sum->all.tensors[A] - n[ST_REMOVED];

	if (n[ST_CHANGED])
		buf_printf(b, "%zu of %zu %s changed", n[ST_CHANGED], both, plural(both, "tensor", "tensors"));
	conversions(b, sum);
	add_clause(b, n[ST_RESHAPED], "reshaped");
	add_clause(b, n[ST_ADDED], "added");
	add_clause(b, n[ST_REMOVED], "removed");
	if (sum->all.renamed && b->n == 0)
		buf_printf(b, "%zu of %zu %s renamed", sum->all.renamed, both, plural(both, "tensor", "tensors"));
	else
		add_clause(b, sum->all.renamed, "renamed");
	if (!n[ST_CHANGED] && !n[ST_RESHAPED] && n[ST_CAST] + n[ST_QUANTISED] + sum->all.renamed) {
		add_clause(b, n[ST_EQUAL], "equal");
		add_clause(b, n[ST_IDENTICAL], "identical");
	}
}

static void strongest(struct buf *b, const struct session *s, const struct summary *sum)
{
	const struct row *r;
	struct buf name = {0};
	double change;

	if (sum->strongest == SIZE_MAX)
		return;
	r = &s->rows[sum->strongest];
	change = r->result->diff.rel_l2;
	buf_puts(b, sum->all.by_status[ST_CHANGED] == 1 ? "; relative change " : "; the largest relative change is ");
	buf_printf(b, change >= 99.5 && change < 1e6 ? "%.0f in " : "%.2g in ", change);
	pair_name(&name, r, s->opts->ascii);
	utf8_display(b, buf_view(&name), s->opts->ascii);
	buf_free(&name);
}

static void nothing_changed(struct buf *b, const struct session *s, const struct summary *sum)
{
	const size_t *n = sum->all.by_status;
	size_t all = sum->all.tensors[A];
	bool tolerance = s->opts->atol > 0 || s->opts->rtol > 0;

	if (n[ST_UNDECODED] || n[ST_PENDING]) {
		buf_printf(b, "no difference found in the %zu of %zu %s that could be compared",
			   n[ST_IDENTICAL] + n[ST_EQUAL], all, plural(all, "tensor", "tensors"));
		return;
	}
	if (meta_differences(sum))
		buf_puts(b, "only metadata changed: ");
	if (all == 0)
		buf_puts(b, "no tensors on either side");
	else if (n[ST_EQUAL] == 0)
		buf_printf(b, all == 1 ? "the only tensor is identical" : "all %zu tensors are identical", all);
	else if (tolerance)
		buf_printf(b, "all %zu tensors are equal within the tolerance, %zu of them identical", all,
			   n[ST_IDENTICAL]);
	else
		buf_printf(b, "all %zu tensors hold equal values, %zu of them in another encoding", all, n[ST_EQUAL]);
}

void verdict(struct buf *b, const struct session *s, const struct summary *sum)
{
	struct buf text = {0};
	const size_t *n = sum->all.by_status;

	if (tensors_differ(&sum->all)) {
		changes(&text, sum);
		strongest(&text, s, sum);
		if (n[ST_UNDECODED] || n[ST_PENDING])
			buf_printf(&text, "; %zu could not be compared", n[ST_UNDECODED] + n[ST_PENDING]);
		if (meta_differences(sum))
			buf_puts(&text, "; metadata changed too");
	} else {
		nothing_changed(&text, s, sum);
	}
	if (s->m[A].n_problems || s->m[B].n_problems)
		buf_printf(&text, "; %zu %s with the files", s->m[A].n_problems + s->m[B].n_problems,
			   plural(s->m[A].n_problems + s->m[B].n_problems, "problem", "problems"));
	buf_str(b, buf_view(&text));
	buf_free(&text);
}

int summary_status(const struct session *s, const struct summary *sum)
{
	if (trouble(s, &sum->all))
		return 2;
	return tensors_differ(&sum->all) || meta_differences(sum) ? 1 : 0;
}
