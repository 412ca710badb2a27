/*
 * A hash map from names to 32-bit numbers, open addressing. The hash is SipHash-2-4 with a key drawn once per
 * process, so that names chosen by a stranger cannot be made to collide. Keys are not copied.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/util.h"

struct map {
	struct map_slot *slots;
	struct map_key *keys; /* `used` of them */
	size_t cap, used; /* cap is 0 or a power of two */
};

#define MAP_NONE UINT32_MAX

/* Makes room for n keys at once; the keys live as long as the map does. */
void map_reserve(struct map *m, size_t n);

/* Adds key with value unless it is there. Returns the value that was there, or MAP_NONE. */
uint32_t map_add(struct map *m, struct str key, uint32_t value);

/* Adds key or replaces its value. */
void map_set(struct map *m, struct str key, uint32_t value);

uint32_t map_get(const struct map *m, struct str key); /* MAP_NONE: not there */
void map_free(struct map *m);

/* SipHash-2-4 (Aumasson and Bernstein 2012) of n bytes under the 128-bit key k. */
uint64_t siphash(const void *data, size_t n, const uint64_t k[2]);

#endif
