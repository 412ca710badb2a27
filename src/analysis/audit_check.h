/* Between the table of checks in audit.c and the files that have the checks. */
#ifndef ANALYSIS_AUDIT_CHECK_H
#define ANALYSIS_AUDIT_CHECK_H

#include "analysis/audit.h"
#include "analysis/survey.h"
#include "bytes/archive_end.h"

struct auditor {
	struct session *s;
	const struct model *m, *other; /* other: A, when m is B; else NULL */
	struct audit *out;
	const struct filter *filter;   /* NULL, or which tensors' findings are told: */
	struct map *rows;              /* the session's row of a name */
	const struct survey *surveys;  /* one a tensor */
	const struct check *check;     /* the one that runs */
	size_t found;                  /* by it */
	struct beside *beside;         /* what stands beside it, once it was looked for */
	struct neighbours *neighbours; /* of that the files that were looked into for calls; NULL: none yet */
	const struct templates *templates; /* the model's chat templates, once they were looked for */
	const struct archive_end *end; /* of the archive or compressed file that the model came out of; NULL: of none */
};

/* Adds a finding of the check that runs and returns it for whoever knows more: its tensor, its place, its key. The key
 * is the tensor's name, or else the message. NULL when there are too many. */
struct finding *found(struct auditor *, struct str tensor, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void found_at(struct finding *, uint32_t member, uint64_t offset, uint64_t length); /* NULL is fine */

/* A file beside the model that cannot be read, whatever check wanted it: that is trouble (`unread`). */
void found_unread(struct auditor *, const char *file, const char *why);

/* It is about these bytes, wherever they stand: elsewhere they are the same thing, others in their place are not. */
void found_bytes(struct auditor *, struct finding *, const char *what, struct bytes);

/* A text on one line and not too long, for a message: "%s" of it. In the audit's arena. */
const char *said(struct auditor *, struct str);

/* The metadata entry of that key; NULL: none. */
const struct meta_value *meta_of(const struct model *, const char *key);

/* audit_code.c */
const char *call_said(struct auditor *, const struct call *); /* os.system("..."), or what is only imported */
void check_pickle_call(struct auditor *);
void check_pickle_import(struct auditor *);
void check_pickle_unknown(struct auditor *);
void check_pickle(struct auditor *);
void check_keras_lambda(struct auditor *);
void check_keras_outside(struct auditor *);
void check_keras_foreign(struct auditor *);
void check_torchscript(struct auditor *);
void check_custom_op(struct auditor *);
void check_file_op(struct auditor *);
void check_external(struct auditor *);
void check_template(struct auditor *);
void check_template_code(struct auditor *);
void check_template_changed(struct auditor *);
void check_executable(struct auditor *);
void check_script(struct auditor *);

/* audit_beside.c */
void check_programs_beside(struct auditor *); /* for check_executable */
void check_scripts_beside(struct auditor *);  /* for check_script */
void beside_free(struct beside *);
void check_unread_beside(struct auditor *);   /* for check_unread */
void check_custom_code(struct auditor *);

/* The chat templates in the files that Hugging Face's libraries look for; name and text are there for the call only. */
typedef void template_fn(void *arg, struct str name, struct str text);
void templates_beside(struct arena *, const struct model *, template_fn *, void *arg);

/* audit_neighbours.c: takes a file, of which `path` is what to open and `name` what to call it, unless it was read
 * already. NULL, or why it cannot be looked at. */
const char *neighbours_take(struct auditor *, const char *path, const char *name, uint64_t device, uint64_t inode);
void neighbours_free(struct neighbours *);

/* For check_pickle_call and the like; these look around first. */
void look_beside(struct auditor *); /* audit_beside.c */
void check_neighbours(struct auditor *, enum call_risk, bool called);
void check_neighbours_more(struct auditor *);

/* audit_bytes.c, audit_zip.c */
void check_lfs(struct auditor *);
void check_rule(struct auditor *);
void check_unread(struct auditor *);
void check_undecoded(struct auditor *);
void check_checksum(struct auditor *);
void check_zip_sums(struct auditor *); /* for check_checksum */
void check_zip_gap(struct auditor *);
void check_zip_extra(struct auditor *); /* for check_padding */
void check_packing(struct auditor *);
void check_two_formats(struct auditor *);
void check_unclaimed(struct auditor *);
void check_padding(struct auditor *);
void check_padding_random(struct auditor *);
void check_overlap(struct auditor *);
void check_misaligned(struct auditor *);
void check_duplicate(struct auditor *);

/* audit_numbers.c */
void check_nan(struct auditor *);
void check_inf(struct auditor *);
void check_zero(struct auditor *);
void check_constant(struct auditor *);
void check_dead(struct auditor *);
void check_denormal(struct auditor *);
void check_outlier(struct auditor *);
void check_low_bits(struct auditor *);
void check_narrow(struct auditor *);

/* audit_scales.c */
void check_scale(struct auditor *);
void check_scale_zero(struct auditor *);
void check_scale_repeats(struct auditor *);
void check_hidden_codes(struct auditor *);
void check_odd_codes(struct auditor *);

/* audit_origin.c */
void check_origin_conflict(struct auditor *);
void check_origin(struct auditor *);
void check_origin_missing(struct auditor *);

#endif
