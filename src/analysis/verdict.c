#include "analysis/verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "base/utf8.h"

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
	}
	meta = session_meta(s, &n_meta);
	for (size_t i = 0; i < n_meta; i++) {
		sum->meta_changed += meta[i].status == ST_CHANGED;
		sum->meta_added += meta[i].status == ST_ADDED;
		sum->meta_removed += meta[i].status == ST_REMOVED;
	}
	free(meta);
}

static size_t meta_differences(const struct summary *sum)
{
	return sum->meta_changed + sum->meta_added + sum->meta_removed;
}

static bool tensors_differ(const struct rollup *u)
{
	return u->by_status[ST_CHANGED] || u->by_status[ST_RESHAPED] || u->by_status[ST_ADDED] ||
	       u->by_status[ST_REMOVED];
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

/* "12 of 148 tensors changed", "3 added", ... */
static void changes(struct buf *b, const struct summary *sum)
{
	const size_t *n = sum->all.by_status;
	size_t both = sum->all.tensors[A] - n[ST_REMOVED];

	if (n[ST_CHANGED])
		buf_printf(b, "%zu of %zu %s changed", n[ST_CHANGED], both, plural(both, "tensor", "tensors"));
	add_clause(b, n[ST_RESHAPED], "reshaped");
	add_clause(b, n[ST_ADDED], "added");
	add_clause(b, n[ST_REMOVED], "removed");
}

static void strongest(struct buf *b, const struct session *s, const struct summary *sum)
{
	const struct row *r;

	if (sum->strongest == SIZE_MAX)
		return;
	r = &s->rows[sum->strongest];
	buf_puts(b, sum->all.by_status[ST_CHANGED] == 1 ? "; relative change " : "; the largest relative change is ");
	buf_printf(b, "%.2g in ", r->result->diff.rel_l2);
	utf8_display(b, r->name, s->opts->ascii);
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
