/* Scales of quantised tensors, and codes that no quantiser writes. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "analysis/audit_check.h"
#include "model/pack.h"
#include "num/decode.h"

/* Of so many scales that are all one number, it is no chance. */
enum { REPEATED = 32 };

/* ---- of packed tensors: arrays of their own ---- */

struct pack_scales {
	uint64_t count, negative, unreal, zero;
	double first;
	bool vary;
};

static void see_scale(struct pack_scales *s, double x)
{
	if (!s->count++)
		s->first = x;
	s->vary = s->vary || x != s->first;
	s->unreal += isfinite(x) ? 0 : 1;
	s->negative += x < 0;
	s->zero += x == 0;
}

static void see_scales(struct pack_scales *s, const struct model *m, const struct pack_array *x)
{
	enum { STEP = 1024 };
	double v[2 * STEP];
	struct bytes raw;
	size_t size = dtypes[x->type].bytes, n;

	if (x->kind == ARRAY_NUMBERS) {
		n = (size_t)(x->rows * x->cols); /* they are in memory */
		for (size_t i = 0; i < n; i++)
			see_scale(s, (double)x->numbers[i]);
	}
	if (x->kind != ARRAY_PLAIN || !x->part || !decode_can(x->type) || dtypes[x->type].items != 1 ||
	    decode_width(x->type) != 1 || x->book || !source_slice(&m->source, x->part->data, &raw))
		return;
	for (size_t i = 0; i < raw.n / size; i += n) {
		n = (size_t)u64_min(STEP, raw.n / size - i);
		decode(x->type, v, raw.p + i * size, n);
		for (size_t k = 0; k < n; k++)
			see_scale(s, v[k]);
	}
}

/* Those of the groups, and with `global` the one over them, too. False: it is not packed. */
static bool pack_scales(const struct auditor *a, size_t i, bool global, struct pack_scales *s)
{
	const struct pack *p = a->m->tensors[i].pack;

	*s = (struct pack_scales){0};
	if (!p || a->m->tensors[i].broken)
		return false;
	see_scales(s, a->m, &p->scale);
	if (global)
		see_scales(s, a->m, &p->global);
	return true;
}

/* ---- the checks ---- */

static void few_of(struct auditor *a, size_t tensor, uint64_t n, uint64_t of, const char *what)
{
	if (n)
		found(a, a->m->tensors[tensor].name, "%" PRIu64 " of %" PRIu64 " %s", n, of, what);
}

/* Where there is an offset, a scale may be negative: the codes run downwards. */
void check_scale(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++) {
		const struct scales *b = &a->surveys[i].scales;
		struct pack_scales s;

		if (pack_scales(a, i, true, &s)) {
			few_of(a, i, s.unreal, s.count, "scales are infinite or NaN");
			if (a->m->tensors[i].pack->bias.kind == ARRAY_NONE)
				few_of(a, i, s.negative, s.count, "scales are negative");
		}
		few_of(a, i, b->unreal, b->blocks, "blocks have a scale that is infinite or NaN");
		few_of(a, i, b->negative, b->blocks, "blocks have a negative scale, which its quantiser never makes");
	}
}

/* Of a tensor that is all zero, another check tells. */
void check_scale_zero(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++) {
		const struct survey *sv = &a->surveys[i];
		struct pack_scales s;

		if (sv->st.zero == a->m->tensors[i].count)
			continue;
		if (pack_scales(a, i, false, &s))
			few_of(a, i, s.zero, s.count, "scales are 0");
		few_of(a, i, sv->scales.zero, sv->scales.blocks, "blocks have a scale of 0");
	}
}

void check_scale_repeats(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++) {
		const struct tensor *t = &a->m->tensors[i];
		const struct survey *sv = &a->surveys[i];
		const struct pack *p = t->pack;
		struct pack_scales s;

		if (!sv->read || !(sv->st.min < sv->st.max))
			continue;
		if (pack_scales(a, i, false, &s) && p->scale.type != DT_F8_E8M0 && s.count >= REPEATED && !s.vary)
			found(a, t->name, "all of its %" PRIu64 " scales are %.9g", s.count, s.first);
		if (sv->scales.blocks >= REPEATED && !sv->scales.vary && !scales_may_repeat(t->type))
			found(a, t->name, "all of its %" PRIu64 " blocks have the scale %.9g", sv->scales.blocks,
			      sv->scales.first);
	}
}

/* A scale that rounds to 0 in 16 bits leaves codes, too, but then nothing else of the tensor is much larger. */
void check_hidden_codes(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++)
		few_of(a, i, a->surveys[i].scales.hidden, a->surveys[i].scales.blocks,
		       "blocks have a scale of 0 and codes that differ all the same");
}

static const char *odd_in_words(enum dtype type)
{
	switch (type) {
	case DT_Q8_0: return "blocks do not have 127 as their largest code";
	case DT_TQ1_0: return "blocks have bytes that are no digits of base 3 as they are written";
	case DT_NVFP4: return "blocks have a scale with a sign, or one that is NaN";
	case DT_Q8_K: return "blocks have other sums than those of their codes";
	default: return "blocks have the code 3, which stands for nothing";
	}
}

void check_odd_codes(struct auditor *a)
{
	for (size_t i = 0; i < a->m->n_tensors; i++) {
		const struct tensor *t = &a->m->tensors[i];
		const struct survey *sv = &a->surveys[i];

		few_of(a, i, sv->untrue, t->count, "truth values are neither 0 nor 1");
		few_of(a, i, sv->scales.odd, sv->scales.blocks, odd_in_words(t->type));
	}
}
