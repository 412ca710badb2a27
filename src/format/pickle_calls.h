/* What a pickle would import and call, kept on the model; and which of it is known to be harmless. */
#ifndef FORMAT_PICKLE_CALLS_H
#define FORMAT_PICKLE_CALLS_H

#include "format/pickle.h"

/* Called by the machine for a new PK_GLOBAL, and for each call (with its arguments, or the state given to a class). */
void pk_imported(struct pickle *, struct pk *global);
void pk_called(struct pickle *, struct pk *callee, const struct pk *args, const struct pk *keywords, uint64_t at);

/* Called for what gets a state or items: done to a class or function itself, that is nobody's honest doing. */
void pk_altered(struct pickle *, struct pk *x, const char *method, const struct pk *arg, uint64_t at);

enum call_risk call_risk_of(struct str module, struct str name);

#endif
