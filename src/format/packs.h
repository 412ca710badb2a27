/*
 * Quantised models as their libraries store them: under names by which codes, scales and the like find each other. Such
 * parts become the one tensor that they are (model/pack.h) where names, types and shapes, or config.json beside the
 * model, leave nothing open; what is left as stored although it looks like one of these is noted (model_note).
 */
#ifndef FORMAT_PACKS_H
#define FORMAT_PACKS_H

#include "model/model.h"

/* Call once, after model_finish: the parts must have been checked. */
void packs_recognise(struct model *);

#endif
