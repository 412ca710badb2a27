/*
 * A session: one model, or two whose tensors are aligned (analysis/align.h). A row is a pair of tensors; with one
 * model, a tensor alone. Rows stand in the order of the tree (analysis/tree.h): as the file has them, groups together,
 * numbered siblings by their number.
 */
#ifndef ANALYSIS_SESSION_H
#define ANALYSIS_SESSION_H

#include "analysis/opts.h"
#include "base/buf.h"
#include "base/sandbox.h"
#include "model/model.h"
#include "num/bins.h"
#include "num/ladder.h"
#include "num/pair.h"

enum status {
	ST_PENDING, /* both are there and comparable; not compared yet */
	ST_IDENTICAL,
	ST_EQUAL,
	ST_CAST,
	ST_QUANTISED,
	ST_CHANGED,
	ST_UNDECODED,
	ST_RESHAPED,
	ST_ADDED,
	ST_REMOVED,
	ST_SINGLE, /* one model: nothing to compare with */
	ST_COUNT
};

struct status_info {
	const char *name;
	char mark;             /* ASCII: = ~ ! and so on */
	const char *utf8_mark; /* ≈ ... */
	const char *about;     /* one line for the manual and the help */
};
extern const struct status_info statuses[ST_COUNT];
int status_by_name(struct str name); /* -1: none */

/* Whether the elements of a pair were put side by side and are known to differ or not: its differences are defined. */
bool status_compared(enum status);
bool status_differs(enum status); /* of a pair that counts as a difference in the exit status */

/* How a pair was found: analysis/align.h has the steps. All but the first are pairs under two names. */
enum via { VIA_NONE, VIA_NAME, VIA_PREFIX, VIA_CONTENT, VIA_SIMILAR };
extern const char *const vias[];

enum { A = 0, B = 1 };

/* What was computed of a row. Undefined values are NAN. */
struct result {
	unsigned have;              /* WANT_* bits of analysis/scan.h that were computed */
	struct moments moments[2];  /* for roll-ups */
	struct pairsum sum;
	struct stats stats[2];
	struct diff diff;
	struct relation relation;    /* of a pair whose types and values differ */
	char *how;                  /* the same in words; NULL: there is none; owned */
	struct bins bins[2], bins_d; /* with WANT_BINS */
	char *error;                /* NULL, or why values could not be read; owned */
};

struct row {
	const struct tensor *t[2]; /* NULL: not in that model */
	struct str name;           /* A's, or B's where A has none */
	enum via via;
	enum status status;        /* what the headers tell; set to the final one when the result is there */
	bool retyped;              /* both are there and their types differ */
	struct result *result;     /* NULL until computed; owned; set on the session's own thread only */
};

/* Whether its tensors have two names: a difference, whatever their values. */
static inline bool row_renamed(const struct row *r)
{
	return r->via > VIA_NAME;
}

/* Whether it is a difference to the exit status, and to who looks for the next one. */
static inline bool row_differs(const struct row *r)
{
	return row_renamed(r) || status_differs(r->status);
}

/* Appends the name, as the file has it; of a renamed pair "1.0.weight → 1.weight". */
void pair_name(struct buf *, const struct row *, bool ascii);

struct session {
	const struct opts *opts;
	struct model m[2];
	unsigned n_models;
	struct row *rows;
	size_t n_rows;
	struct tree *tree;
	struct pool *pool;
};

/* Opens the models the options name (it prints nothing), aligns them and builds the tree. On failure the sentence
 * begins with the file's name. */
enum rc session_open(struct session *, const struct opts *, struct err *);

/* What it will read and write: while it is not open yet, any file and temporary ones; then what is left of it.
 * session_start comes behind the last sandbox_enter: threads inherit what holds. */
void session_needs(const struct session *, const struct opts *, struct sandbox *);
void session_start(struct session *);
void session_close(struct session *); /* safe on a zeroed one */

/* Opens one model as the options say, on any thread. On failure there is none; the sentence begins with its name. */
enum rc session_read(struct model *, const struct opts *, const char *path, const struct unpacking *, struct err *);

/* A second model, which the session takes over, beside the one that is open; or A and B change places. Rows, tree and
 * results are made anew, so no scan may be at work; the models' names and metadata stay where they are. */
void session_add(struct session *, const struct model *);
void session_swap(struct session *);

void result_free(struct result *); /* NULL is fine */

/* The metadata of both models, aligned by key in the order of A, B's new keys last. With one model, va alone. */
struct meta_row {
	struct str key;
	const struct meta_value *v[2]; /* NULL: not there */
	enum status status;            /* IDENTICAL, CHANGED, ADDED, REMOVED, SINGLE */
};
struct meta_row *session_meta(const struct session *, size_t *n); /* the caller frees it with free() */

/* Whether two shapes are the same; dimensions of size 1 do not count where a format drops them. */
bool same_shape(const struct session *, const struct tensor *, const struct tensor *);

#endif
