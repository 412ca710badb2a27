/* Which rows a command or a view shows, and in which order. */
#ifndef ANALYSIS_SELECT_H
#define ANALYSIS_SELECT_H

#include "analysis/field.h"
#include "base/match.h"

struct filter {
	struct match **include, **exclude;
	size_t n_include, n_exclude;
	unsigned status_mask; /* 0: all */
};

/* From patterns (operands and -m together, either of which selects) and -v. Fails for a broken pattern. */
enum rc filter_init(struct filter *, const struct opts *, struct err *);
bool filter_name(const struct filter *, const struct row *); /* by A's or B's name */
bool filter_status(const struct filter *, const struct row *);
void filter_free(struct filter *);

/* The rows whose names pass, in the session's order; the caller frees *rows with free(). */
size_t select_rows(const struct session *, const struct filter *, size_t **rows);

/* Something to sort: the cell it is sorted by, what it is, and where it stood. */
struct keyed {
	struct cell cell;
	size_t at, place;
	bool reverse; /* the same of all */
};
void sort_keyed(struct keyed *, size_t n); /* by cells, undefined ones last; equal ones by place */

/* Sorts stably by a field (of side A where there is one); descending with reverse. */
void sort_rows(const struct session *, size_t *rows, size_t n, const struct field *, bool reverse);

#endif
