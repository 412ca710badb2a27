/*
 * What one core computes when nothing has to be fetched: the loops alone over 65,536 elements that stay in its cache,
 * for every type, by every kernel table that this processor can run. Millions of elements a second: of one tensor's
 * moments, the same with counts, and of pairs (both moments and all differences), the same with counts.
 *
 *	hot [TABLE [TYPE...]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/walk.h"
#include "num/decode.h"
#include "num/kern.h"

enum { N = 65536, RUNS = 20, JOBS = 4 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint32_t next_random(void)
{
	static uint32_t state = 2463534242; /* xorshift32, Marsaglia 2003 */

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* Whether a block is one that a net could have: random bits give scales, and floats, of any size. */
static bool is_sane(enum dtype t, const uint8_t *block)
{
	static double x[BLOCK];
	bool is_block = dtypes[t].kind == KIND_BLOCK, real = dtypes[t].kind == KIND_FLOAT || is_block;
	double most = 0, least = INFINITY;

	if (!real)
		return true;
	decode(t, x, block, dtypes[t].items);
	for (size_t i = 0; i < dtypes[t].items; i++) {
		if (!isfinite(x[i]))
			return false;
		most = fmax(most, fabs(x[i]));
		least = fmin(least, fabs(x[i]));
	}
	return most <= 4 && (is_block ? most >= 0x1p-6 : least >= 0x1p-10);
}

static void fill(enum dtype t, uint8_t *out)
{
	for (size_t i = 0; i < N; i += dtypes[t].items, out += dtypes[t].bytes)
		for (unsigned tries = 0; tries < 10000; tries++) {
			for (size_t k = 0; k < dtypes[t].bytes; k++)
				out[k] = (uint8_t)(next_random() >> 9);
			if (is_sane(t, out))
				break;
		}
}

static void run(unsigned job, enum dtype t, struct tally *y, struct bench *w, const uint8_t *a, const uint8_t *b)
{
	struct walk walk = {.type = {t, t}};
	struct tally none = {.dist_d = NULL};
	struct part p = {.other_bytes = false};

	moments_init(&p.moments[A]);
	moments_init(&p.moments[B]);
	pair_init(&p.sum);
	ladder_init(&p.ladder, t, t, N);
	for (size_t at = 0; at < N; at += RUN) {
		const uint8_t *x = a + walk_bytes(t, at), *z = b + walk_bytes(t, at);

		if (job < 2)
			walk_one(&walk, job % 2 ? y : &none, w, &p.moments[A], A, x, RUN);
		else
			walk_two(&walk, job % 2 ? y : &none, w, &p, x, z, at, RUN);
	}
}

static void measure(const struct kern *k, enum dtype t, const uint8_t *a, const uint8_t *b)
{
	struct tally y = {.dist = {dist_new(t), dist_new(t)}, .dist_d = dist_new_values()};
	struct bench *w = bench_new();

	printf("%-10s %-7s", dtypes[t].name, k->name);
	for (unsigned job = 0; job < JOBS; job++) {
		double least = INFINITY;

		for (unsigned i = 0; i < RUNS; i++) {
			double start = now();

			run(job, t, &y, w, a, b);
			least = fmin(least, now() - start);
		}
		printf(" %8.0f", 1e-6 * N / least);
	}
	printf("\n");
	bench_free(w);
	for (int side = A; side <= B; side++)
		dist_free(y.dist[side]);
	dist_free(y.dist_d);
}

static bool is_wanted(const char *name, char **list)
{
	for (char **p = list; *p; p++)
		if (strcmp(*p, name) == 0)
			return true;
	return !*list;
}

int main(int argc, char **argv)
{
	enum { WIDEST = 16 };
	uint8_t *a = malloc((size_t)N * WIDEST), *b = malloc((size_t)N * WIDEST);

	if (!a || !b)
		return 2;
	printf("%-10s %-7s %8s %8s %8s %8s\n", "type", "cpu", "moments", "+counts", "pairs", "+counts");
	for (enum dtype t = 0; t < DT_COUNT; t++) {
		if (!dtypes[t].bytes || !is_wanted(dtypes[t].name, argc > 2 ? argv + 2 : argv + argc))
			continue;
		fill(t, a);
		fill(t, b);
		for (size_t i = 0; kerns[i]; i++)
			if ((argc < 2 || strcmp(argv[1], kerns[i]->name) == 0) && kern_pick(kerns[i]->name))
				measure(kerns[i], t, a, b);
	}
	free(a);
	free(b);
	return 0;
}
