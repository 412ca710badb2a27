#include "num/kern.h"

#include <string.h>

#include "num/decode.h"

const struct kern *const kerns[] = {&kern_ref, &kern_neon, &kern_avx2, &kern_avx512, NULL};
const struct kern *kern = &kern_ref;

bool kern_holds(enum dtype t)
{
	const struct dtype_info *d = &dtypes[t];

	switch (d->kind) {
	case KIND_BLOCK:
	case KIND_BOOL:
		return true;
	case KIND_FLOAT:
		return t != DT_F64;
	case KIND_UINT:
	case KIND_INT:
		return d->bytes <= 2;
	default:
		return false;
	}
}

void kern_floats(float *out, enum dtype t, const uint8_t *in, size_t n)
{
	double wide[BLOCK];

	if (kern->to_float[t]) {
		kern->to_float[t](out, in, n);
		return;
	}
	decode(t, wide, in, n);
	for (size_t i = 0; i < n; i++)
		out[i] = (float)wide[i];
}

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
