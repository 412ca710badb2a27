/*
 * Which tensors are a pair, in steps of which each takes only what the ones before left: exact names; one prefix that
 * the names of one side have in front of them; the same content; names that are alike. Nothing is guessed: where two
 * would do, none is taken. What follows is what a pair is compared as, never a verdict on it.
 */
#ifndef ANALYSIS_ALIGN_H
#define ANALYSIS_ALIGN_H

#include "analysis/session.h"

/* Makes the session's rows out of the tensors of its models: A's, in their order, then those that only B has. */
void align(struct session *);

#endif
