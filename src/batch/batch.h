/*
 * What the commands share: which rows they print, waiting for results with a progress bar, and the account of what
 * went wrong. A command is one file and one row of `commands`.
 *
 * Exit status: 0, or 1 when two models were compared and differ, or 2 when something was wrong. --status, --top and
 * --sort choose what is printed, not what is compared; patterns, --match and --exclude choose what is compared, and
 * once they do, metadata is no longer part of the question.
 */
#ifndef BATCH_BATCH_H
#define BATCH_BATCH_H

#include "analysis/scan.h"
#include "analysis/select.h"
#include "analysis/verdict.h"
#include "batch/json.h"
#include "batch/out.h"

extern const struct command commands[]; /* ended by a NULL name */
const struct command *command_summary(void); /* what runs when no command is named and there is no screen */

/* One thing that went wrong. */
struct mishap {
	const char *path;
	struct str tensor; /* or empty */
	const char *message;
};

struct batch {
	struct session *s;
	const struct opts *o;
	const char *command;
	struct style st;
	struct filter filter;
	bool filtered; /* names were chosen: not all of the model was asked about */
	size_t *rows, n_rows;
	struct scan *scan;
	unsigned want; /* what was asked of every row */
	struct progress *progress;
	struct mishap *mishaps;
	size_t n_mishaps, cap_mishaps;
	struct arena arena; /* messages of mishaps */
};

/* Selects the rows. On failure (a broken pattern, or one that nothing matches) prints why; the caller returns 2. */
bool batch_begin(struct batch *, struct session *, const struct opts *, const char *command);

/* Asks for all rows; adds what --sort needs. */
void batch_scan(struct batch *, unsigned want);
void batch_wait(struct batch *, size_t row);
void batch_wait_all(struct batch *);

/* Sorts the rows as --sort says (waiting for all if it needs to) and keeps those that --status and --top let through;
 * what the pattern selected stays in b->rows. *shown is freed by the caller. The smallest comes first, or with
 * --reverse the largest; text goes by name. */
size_t batch_shown(struct batch *, size_t **shown);
void batch_sort(const struct batch *, const struct session *, size_t *rows, size_t n);

/* The account: problems of the models and of the rows, gathered after the last result. Then batch_end prints it to
 * standard error, frees everything and returns the status to exit with. */
void batch_account(struct batch *);
/* One more, which is copied. */
void batch_mishap(struct batch *, int side, struct str tensor, const char *message);
void batch_errors_json(struct batch *); /* "errors":[...] */
int batch_end(struct batch *, int status);

/* Ends a command for another reason: "weigh: why" on standard error. Returns 2. */
int batch_fail(struct batch *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* -q: one line and the status. */
int batch_brief(struct batch *);

/* Of two models, once all rows are there: what happened and the status to exit with. */
int batch_compare(struct batch *, struct summary *);
json_t *js_summary(const struct batch *, const struct summary *);
void js_differing_meta(const struct batch *, bool all);

/* ---- describing models ---- */

enum { TYPES_MAX = 32 };

struct type_count {
	const char *name;
	size_t tensors;
	uint64_t parameters, bytes;
};

/* Types by bytes, the largest share first; what is beyond TYPES_MAX is counted as "other". Returns how many. */
size_t count_types(const struct model *, struct type_count out[TYPES_MAX]);
struct str tensor_file(const struct model *, const struct tensor *); /* the file that its data is in */
struct str member_file(const struct model *, uint32_t member); /* the name of the file that a member lies in */
bool has_diff(const struct row *); /* whether its elements were put side by side */


/* A value on one line; long arrays by their length and first items. */
void meta_show(struct buf *, const struct meta_value *, bool ascii);

/* ---- groups ---- */

struct group {
	struct str name;
	struct rollup roll;
	struct row row; /* the group as if it were one tensor, for the fields */
	struct result result;
	struct tensor t[2];
};

/* Rolls rows up to name prefixes of `depth` components, in their order. The caller frees *out with free(). */
size_t groups_of(const struct session *, const size_t *rows, size_t n, unsigned depth, struct group **out);
void group_json(const struct batch *, const struct group *); /* an item of "groups" */
void print_groups(struct batch *, const size_t *rows, size_t n); /* --group's table, by the command's nature */

int cmd_summary(struct session *, const struct opts *);
int cmd_list(struct session *, const struct opts *);
int cmd_stats(struct session *, const struct opts *);
int cmd_diff(struct session *, const struct opts *);
int cmd_hist(struct session *, const struct opts *);
int cmd_show(struct session *, const struct opts *);
int cmd_export(struct session *, const struct opts *);
int cmd_audit(struct session *, const struct opts *);
int cmd_meta(struct session *, const struct opts *);
int cmd_formats(struct session *, const struct opts *);

#endif
