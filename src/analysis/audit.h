/*
 * What is to be known of a file before one trusts it: findings. A check is a row of the table in audit.c and a function
 * in one of the files audit_*.c. Its code is stable: scripts and reports may name
 * it. A fact stands in the file as told; a signal is a pattern that has harmless causes, too. That nothing was found
 * says no more than that.
 */
#ifndef ANALYSIS_AUDIT_H
#define ANALYSIS_AUDIT_H

#include "analysis/session.h"

enum basis { BASIS_FACT, BASIS_SIGNAL };
extern const char *const basis_names[];    /* fact, signal */

struct auditor;
struct filter;

struct check {
	const char *code;       /* pickle-call */
	enum severity severity;
	enum basis basis;
	const char *about;      /* a line for the manual */
	void (*run)(struct auditor *);
};
extern const struct check checks[]; /* ended by a NULL code */

struct finding {
	const struct check *check;
	struct str tensor;   /* its name, or empty */
	struct str key;      /* what it is about: of two findings with the same code and key, one is no news */
	bool placed;         /* it is about bytes: */
	uint32_t member;
	uint64_t offset, length; /* in the member; length 0: not told */
	const char *file;    /* NULL, or the file that it is about, which is none of the model's: then offset is in it;
				UINT64_MAX: in what is unpacked from it */
	const char *message; /* a sentence without its full stop, with names as the file has them: not yet harmless */
};

enum { FINDINGS_MAX = 10000 }; /* of one code; more are counted */

struct audit {
	const struct model *m;
	struct arena arena;       /* what findings point to, but for names, which are the model's */
	struct finding *findings; /* in the order of the table */
	size_t n, cap;
	uint64_t more;            /* beyond FINDINGS_MAX of a code */
	uint64_t read;            /* tensors whose values were looked at, of m->n_tensors, */
	uint64_t unread;          /* and those whose could not be: they are broken, or reading failed */
};

/* Reads all of the model that is the session's `side`. What cannot be read is a finding. Those of tensors are only told
 * where the filter lets the name pass; NULL: of all. */
void audit_model(struct audit *, struct session *, int side, const struct filter *);

/* Whether what stands beside the model is looked at: it is a directory, or an index in one. */
bool audit_looks_beside(const struct model *);

/* Leaves of b only what has no counterpart in a: the same code about the same thing. */
void audit_news(struct audit *b, const struct audit *a);

/* How many of a severity or above. */
size_t audit_count(const struct audit *, enum severity least);
void audit_free(struct audit *); /* safe on a zeroed one */

#endif
