/*
 * Blocks are hashed with SipHash, each under what the ones before it came to. The first key is drawn once per
 * process: a stranger cannot prepare two arrays that look the same.
 */
#include "format/digest.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h> /* getentropy on macOS */
#include <unistd.h>

#include "base/map.h"

static uint64_t seed[2] = {0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u}; /* if there is no entropy to be had */
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void draw_seed(void)
{
	uint64_t drawn[2];

	if (getentropy(drawn, sizeof(drawn)) == 0)
		memcpy(seed, drawn, sizeof(seed));
}

static void flush(struct digest *d)
{
	uint64_t low[2], high[2];

	pthread_once(&seed_once, draw_seed);
	for (int i = 0; i < 2; i++) {
		low[i] = seed[i] ^ d->state[i];
		high[i] = ~seed[i] ^ d->state[i];
	}
	d->state[0] = siphash(d->buf, d->n, low);
	d->state[1] = siphash(d->buf, d->n, high);
	d->n = 0;
}

void digest_add(struct digest *d, struct str s)
{
	while (s.n) {
		size_t k = sizeof(d->buf) - d->n;

		k = s.n < k ? s.n : k;
		memcpy(d->buf + d->n, s.p, k);
		d->n += k;
		s.p += k;
		s.n -= k;
		if (d->n == sizeof(d->buf))
			flush(d);
	}
}

void digest_u64(struct digest *d, uint64_t x)
{
	char le[8];

	for (int i = 0; i < 8; i++)
		le[i] = (char)(x >> 8 * i);
	digest_add(d, (struct str){le, sizeof(le)});
}

void digest_end(struct digest *d, uint64_t out[2])
{
	flush(d);
	memcpy(out, d->state, sizeof(d->state));
}
