/* Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), for code scanners that gather them. */
#ifndef BATCH_SARIF_H
#define BATCH_SARIF_H

#include "analysis/audit.h"

/* Prints one log with one run. news: the findings are new, against another model. */
void sarif_put(const struct audit *, const struct finding **list, size_t n, bool news);

/* Where in its file a finding is; UINT64_MAX: in no place of it, or in what stands there deflated. */
uint64_t finding_offset(const struct model *, const struct finding *);

#endif
