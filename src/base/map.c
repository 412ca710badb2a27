#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h> /* getentropy on macOS */
#include <unistd.h>
#include <time.h>

#include "base/err.h"

/* Slots are looked at in no order, so they are small; the keys stand in the order in which they came. */
struct map_slot {
	uint32_t hash;  /* the low half of it: a table never has 2^32 slots, as values have 32 bits */
	uint32_t place; /* of the key, from 1 on; 0: an empty slot */
};

struct map_key {
	const char *p;
	size_t n;
	uint32_t value;
};

static uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
	v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
}

static uint64_t load_le(const unsigned char *p, size_t n)
{
	uint64_t x = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (n == sizeof(x)) {
		memcpy(&x, p, sizeof(x));
		return x;
	}
#endif
	for (size_t i = 0; i < n; i++)
		x |= (uint64_t)p[i] << 8 * i;
	return x;
}

uint64_t siphash(const void *data, size_t n, const uint64_t k[2])
{
	uint64_t v[4] = {k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d, k[0] ^ 0x6c7967656e657261,
			 k[1] ^ 0x7465646279746573};
	const unsigned char *p = data;
	uint64_t last = (uint64_t)n << 56;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t m = load_le(p, 8);

		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	last |= load_le(p, n);
	v[3] ^= last;
	sip_round(v);
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t process_key[2];
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void draw_key(void)
{
	if (getentropy(process_key, sizeof(process_key)) != 0) {
		struct timespec ts;

		clock_gettime(CLOCK_REALTIME, &ts);
		process_key[0] = (uint64_t)ts.tv_nsec * 0x9e3779b97f4a7c15u;
		process_key[1] = (uint64_t)ts.tv_sec ^ (uint64_t)(uintptr_t)&ts;
	}
}

static uint32_t hash_of(struct str key)
{
	pthread_once(&key_once, draw_key);
	return (uint32_t)siphash(key.p, key.n, process_key);
}

/* The slot that holds key, or the empty one where it would go. There is always an empty one. */
static struct map_slot *find(const struct map *m, struct str key, uint32_t hash)
{
	for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct map_slot *s = &m->slots[i];
		const struct map_key *k;

		if (!s->place)
			return s;
		k = &m->keys[s->place - 1];
		if (s->hash == hash && str_eq((struct str){k->p, k->n}, key))
			return s;
	}
}

/* Moves all slots into a bigger table. No two keys are the same, so the first empty slot is a key's own. */
static void resize(struct map *m, size_t cap)
{
	struct map old = *m;

	m->keys = xrealloc(m->keys, cap / 2, sizeof(*m->keys));
	m->slots = xcalloc(cap, sizeof(*m->slots));
	m->cap = cap;
	for (size_t i = 0; i < old.cap; i++) {
		size_t at = old.slots[i].hash & (cap - 1);

		if (!old.slots[i].place)
			continue;
		while (m->slots[at].place)
			at = (at + 1) & (cap - 1);
		m->slots[at] = old.slots[i];
	}
	free(old.slots);
}

void map_reserve(struct map *m, size_t n)
{
	size_t cap = m->cap ? m->cap : 16;

	while (cap / 2 < n)
		cap *= 2;
	if (cap > m->cap)
		resize(m, cap);
}

static struct map_key *put(struct map *m, struct str key, bool *fresh)
{
	uint32_t hash = hash_of(key);
	struct map_slot *s;

	map_reserve(m, m->used + 1);
	s = find(m, key, hash);
	*fresh = !s->place;
	if (*fresh) {
		m->keys[m->used++] = (struct map_key){key.p, key.n, 0};
		*s = (struct map_slot){hash, (uint32_t)m->used};
	}
	return &m->keys[s->place - 1];
}

uint32_t map_add(struct map *m, struct str key, uint32_t value)
{
	bool fresh;
	struct map_key *k = put(m, key, &fresh);

	if (!fresh)
		return k->value;
	k->value = value;
	return MAP_NONE;
}

void map_set(struct map *m, struct str key, uint32_t value)
{
	bool fresh;

	put(m, key, &fresh)->value = value;
}

uint32_t map_get(const struct map *m, struct str key)
{
	struct map_slot *s;

	if (m->cap == 0)
		return MAP_NONE;
	s = find(m, key, hash_of(key));
	return s->place ? m->keys[s->place - 1].value : MAP_NONE;
}

void map_free(struct map *m)
{
	free(m->slots);
	free(m->keys);
	*m = (struct map){0};
}
