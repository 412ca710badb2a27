/*
 * The table that is always there, for whatever a C compiler knows of the processor it was asked for. What it
 * computes is the specification: every other table gives the same bits.
 */
#include "num/kern.h"

#define VECTOR 2
#define GROUP  2
#define V_MAX(a, b) v_larger(a, b)
#include "num/kern_loops.h"

static bool usable(void)
{
	return true;
}

const struct kern kern_ref = KERN("c", usable);
