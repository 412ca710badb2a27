/*
 * Prints, for each kernel table that this processor can run, a digest of what it makes of fixed inputs: a line a job.
 * cross.sh compares the lines of this machine with those of another one's emulation. No libm: inputs are put together
 * from integers, and what is hashed comes from additions and multiplications alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "num/floats.h"
#include "num/kern.h"

static uint64_t rng = 88172645463325252, hash;

static uint64_t next_random(void) /* xorshift64, Marsaglia 2003 */
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static void add(const void *p, size_t n) /* FNV-1a */
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ b[i]) * 1099511628211u;
}

/* Common weights, any finite bits, or a mean far from zero. */
static float element(unsigned kind)
{
	uint32_t bits = (uint32_t)next_random();
	float x;

	if (kind == 0)
		return (float)(int32_t)bits * 0x1p-36f;
	if (kind == 1)
		return 1000 + (float)(bits & 1023) * 0x1p-10f;
	if ((bits >> 23 & 255) == 255)
		bits ^= 1u << 23;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

static void add_dd(struct dd x)
{
	add(&x.hi, sizeof(x.hi));
	add(&x.lo, sizeof(x.lo));
}

static void add_moments(const struct moments *m)
{
	add(&m->min, sizeof(m->min));
	add(&m->max, sizeof(m->max));
	add(&m->zero, sizeof(m->zero));
	add_dd(m->sum);
	add_dd(m->l1);
	add_dd(m->sumsq);
	add_dd(m->m2);
	add_dd(m->m3);
	add_dd(m->m4);
}

static void floats_job(unsigned kind)
{
	static float a[BLOCK], b[BLOCK];
	static double wide[BLOCK];
	struct float_run r[2] = {{.n = 0}};
	struct float_pair_run p = {.n = 0};
	struct moments m[2], block;
	struct pairsum sum;

	for (size_t turn = 0; turn < 5; turn++) {
		size_t n = turn == 4 ? 1001 : BLOCK;

		for (size_t i = 0; i < n; i++) {
			a[i] = element(kind);
			b[i] = next_random() % 3 ? a[i] : element(kind);
			wide[i] = a[i];
		}
		float_run_add(&r[0], a, n);
		float_run_add(&r[1], b, n);
		float_pair_add(&p, a, b, n);
		kern->moments(&block, wide, n);
		add_moments(&block);
	}
	for (int i = 0; i < 2; i++) {
		bool fits = float_run_end(&r[i], &m[i]);

		add(&fits, sizeof(fits));
		if (fits)
			add_moments(&m[i]);
	}
	float_pair_end(&p, &m[0], &m[1], 0, &sum);
	add(&sum.changed, sizeof(sum.changed));
	add(&sum.sign_flips, sizeof(sum.sign_flips));
	add(&sum.max_abs_index, sizeof(sum.max_abs_index));
	add_dd(sum.abs_d);
	add_dd(sum.dd);
	add_dd(sum.ab);
}

static void decode_job(enum dtype t)
{
	static uint8_t raw[16 * BLOCK];
	static float x[BLOCK];

	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)next_random();
	kern_floats(x, t, raw, BLOCK);
	for (size_t i = 0; i < BLOCK; i++) {
		if (x[i] != x[i])
			x[i] = 0; /* one NaN is as good as another */
		add(&x[i], sizeof(x[i]));
	}
}

int main(void)
{
	for (size_t k = 0; kerns[k]; k++) {
		if (!kerns[k]->usable())
			continue;
		kern = kerns[k];
		rng = 88172645463325252;
		for (unsigned kind = 0; kind < 3; kind++) {
			hash = 14695981039346656037u;
			floats_job(kind);
			printf("%s floats-%u %016" PRIx64 "\n", kern->name, kind, hash);
		}
		for (int t = 0; t < DT_COUNT; t++) {
			if (!kern_holds((enum dtype)t))
				continue;
			hash = 14695981039346656037u;
			decode_job((enum dtype)t);
			printf("%s %s %016" PRIx64 "\n", kern->name, dtypes[t].name, hash);
		}
	}
	return 0;
}
