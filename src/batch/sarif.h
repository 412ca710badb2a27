/* Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), for code scanners that gather them. */
#ifndef BATCH_SARIF_H
#define BATCH_SARIF_H

#include "analysis/audit.h"

struct batch;

/* Prints one log with one run. Of two models the findings are new, against the first. */
void sarif_put(const struct batch *, const struct audit *, const struct finding **list, size_t n);

/* The file that it is about; empty: none in particular. */
struct str finding_file(const struct model *, const struct finding *);

/* Where in its file a finding is; UINT64_MAX: in no place of it, or in what stands there deflated. */
uint64_t finding_offset(const struct model *, const struct finding *);

#endif
