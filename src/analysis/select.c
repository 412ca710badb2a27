#include "analysis/select.h"

#include <stdlib.h>

static enum rc compile_into(struct match ***list, size_t *n, const char **patterns, size_t count, struct err *e)
{
	*list = xrealloc(*list, *n + count, sizeof(**list));
	for (size_t i = 0; i < count; i++) {
		if (match_compile(&(*list)[*n], patterns[i], e) != RC_OK)
			return RC_FAIL;
		(*n)++;
	}
	return RC_OK;
}

enum rc filter_init(struct filter *f, const struct opts *o, struct err *e)
{
	*f = (struct filter){.status_mask = o->status_mask};
	if (compile_into(&f->include, &f->n_include, o->patterns, o->n_patterns, e) != RC_OK ||
	    compile_into(&f->include, &f->n_include, o->include, o->n_include, e) != RC_OK ||
	    compile_into(&f->exclude, &f->n_exclude, o->exclude, o->n_exclude, e) != RC_OK) {
		filter_free(f);
		return RC_FAIL;
	}
	return RC_OK;
}

static bool any_match(struct match *const *list, size_t n, const struct row *r)
{
	for (size_t i = 0; i < n; i++)
		if ((r->t[A] && match_test(list[i], r->t[A]->name)) || (r->t[B] && match_test(list[i], r->t[B]->name)))
			return true;
	return false;
}

bool filter_name(const struct filter *f, const struct row *r)
{
	return (f->n_include == 0 || any_match(f->include, f->n_include, r)) && !any_match(f->exclude, f->n_exclude, r);
}

bool filter_status(const struct filter *f, const struct row *r)
{
	return f->status_mask == 0 || (f->status_mask >> r->status & 1) ||
	       ((f->status_mask & MASK_RENAMED) && row_renamed(r));
}

void filter_free(struct filter *f)
{
	for (size_t i = 0; i < f->n_include; i++)
		match_free(f->include[i]);
	for (size_t i = 0; i < f->n_exclude; i++)
		match_free(f->exclude[i]);
	free(f->include);
	free(f->exclude);
	*f = (struct filter){0};
}

size_t select_rows(const struct session *s, const struct filter *f, size_t **rows)
{
	size_t n = 0;

	*rows = xcalloc(s->n_rows, sizeof(**rows));
	for (size_t i = 0; i < s->n_rows; i++)
		if (filter_name(f, &s->rows[i]))
			(*rows)[n++] = i;
	return n;
}

static int cmp_keyed(const void *pa, const void *pb)
{
	const struct keyed *a = pa, *b = pb;
	int c = cell_cmp(&a->cell, &b->cell);

	/* undefined ones come last in either direction */
	if (a->reverse && a->cell.kind != CELL_NONE && b->cell.kind != CELL_NONE)
		c = -c;
	return c ? c : (a->place > b->place) - (a->place < b->place);
}

void sort_keyed(struct keyed *k, size_t n)
{
	qsort(k, n, sizeof(*k), cmp_keyed);
}

/* The cells are taken once, so that a comparison does not look them up again. */
void sort_rows(const struct session *s, size_t *rows, size_t n, const struct field *f, bool reverse)
{
	struct keyed *k = xcalloc(n, sizeof(*k));

	for (size_t i = 0; i < n; i++)
		k[i] = (struct keyed){field_get(f, &s->rows[rows[i]], A), rows[i], i, reverse};
	sort_keyed(k, n);
	for (size_t i = 0; i < n; i++)
		rows[i] = k[i].at;
	free(k);
}
