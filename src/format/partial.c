#include "format/partial.h"

enum rc partial_end(struct model *m, struct spool *sp, enum rc rc, struct err *e)
{
	if (rc != RC_OK && !m->n_tensors) {
		spool_drop(sp);
		return rc;
	}
	if (rc != RC_OK)
		model_problem(m, STR(""), "%s; what follows is not read", e->msg);
	return sp ? spool_end(sp, e) : RC_OK;
}
