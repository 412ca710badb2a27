/*
 * Conditions over rows, as one types them: `attn type:bf16 rel_l2>0.01 !bias`. Terms stand apart by blanks, and a row
 * passes when all of them hold:
 *
 *	WORD  GLOB  /RE/    the name: holds the word, matches the whole glob, holds the expression (/RE/i: any case)
 *	FIELD OP VALUE      OP is > >= < <= = : (the same as =) or !=; FIELD a key of analysis/field.h, or its heading
 *	!TERM               the term does not hold
 *
 * A number may end in % or in K, M, G or T: thousands, of bytes 1024s. A text is a glob in which case does not matter,
 * or several with commas between them. A shape is one dimension, wherever it stands (shape:4096), or all of them with *
 * for any (shape:64x*x3). Of a pair, what one side has may be asked of either; a.FIELD and b.FIELD ask one. What is
 * undefined, or not computed yet, passes neither a condition nor its opposite. A term in double quotes, or with a
 * colon behind what is no field, is a name.
 */
#ifndef ANALYSIS_QUERY_H
#define ANALYSIS_QUERY_H

#include "analysis/field.h"

struct query;

/* The caller frees *out with query_free. No terms at all: every row passes. */
enum rc query_parse(struct query **out, const char *text, struct err *);
void query_free(struct query *); /* NULL is fine */

/* A row passes when both hold. Names are apart since they cost the most and never change. NULL: all pass. */
bool query_names(const struct query *, const struct row *);
bool query_values(const struct query *, const struct row *);

bool query_waits(const struct query *);     /* whether a result can change what passes */
unsigned query_wants(const struct query *); /* the bits of analysis/scan.h that must be computed of every row for it */

#endif
