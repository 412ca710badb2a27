/*
 * Where a model comes from, as its metadata tells: entries whose keys say so, under names that are the same for every
 * format. Nothing is concluded; what no entry tells is not there.
 */
#ifndef ANALYSIS_PROVENANCE_H
#define ANALYSIS_PROVENANCE_H

#include "analysis/session.h"

/* In the order in which they are shown. */
enum fact {
	FACT_NAME, FACT_LICENCE, FACT_AUTHOR, FACT_BASE, FACT_DATA, FACT_PRODUCER, FACT_VERSION, FACT_ARCHITECTURE,
	FACT_SOURCE, FACT_DATE, FACT_DESCRIPTION, FACT_COUNT,
	FACT_NONE = FACT_COUNT
};

struct fact_info {
	const char *name;
	bool expected; /* that it is missing is worth saying */
};
extern const struct fact_info fact_infos[FACT_COUNT];

/* What an entry of that key tells; FACT_NONE: nothing of this. */
enum fact fact_of_key(struct str key);

#endif
