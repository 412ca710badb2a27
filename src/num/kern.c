#include "num/kern.h"

#include <string.h>

const struct kern *const kerns[] = {&kern_ref, &kern_neon, &kern_avx2, &kern_avx512, NULL};
const struct kern *kern = &kern_ref;

bool kern_pick(const char *name)
{
	const struct kern *best = NULL;

	for (size_t i = 0; kerns[i]; i++)
		if ((!name || strcmp(kerns[i]->name, name) == 0) && kerns[i]->usable())
			best = kerns[i];
	if (best)
		kern = best;
	return best != NULL;
}
