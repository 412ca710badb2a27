#include "base/snappy.h"

#include <string.h>

/* A copy of 64 bytes takes three, of 11 bytes two: nothing packs better. */
enum { RATIO_MAX = 22 };

struct in {
	const uint8_t *p, *end;
	bool bad;
};

/* k bytes, the lowest first. */
static uint32_t take(struct in *in, size_t k)
{
	uint32_t x = 0;

	if ((size_t)(in->end - in->p) < k) {
		in->bad = true;
		return 0;
	}
	for (size_t i = 0; i < k; i++)
		x |= (uint32_t)*in->p++ << 8 * i;
	return x;
}

/* The size of the whole comes first: 7 bits a byte, the low ones first, at most 32 of them. */
static uint64_t take_size(struct in *in)
{
	uint64_t x = 0;
	unsigned shift = 0;
	uint32_t c;

	do {
		c = take(in, 1);
		x |= (uint64_t)(c & 127) << shift;
		shift += 7;
	} while (c >= 128 && shift < 35);
	if (c >= 128 || x > UINT32_MAX)
		in->bad = true;
	return x;
}

bool snappy_size(struct bytes packed, uint64_t *n)
{
	struct in in = {packed.p, packed.p + packed.n, false};

	*n = take_size(&in);
	return !in.bad && *n <= (uint64_t)RATIO_MAX * packed.n;
}

/* Bytes as they are: their number less one is in the tag, or from 60 on in as many bytes less 59 that follow it. */
static bool literal(struct in *in, uint32_t tag, uint8_t *out, size_t room, size_t *n)
{
	uint64_t length = tag >> 2;

	if (length >= 60)
		length = take(in, (size_t)(length - 59));
	length++;
	if (in->bad || length > room || length > (uint64_t)(in->end - in->p))
		return false;
	memcpy(out, in->p, (size_t)length);
	in->p += length;
	*n = (size_t)length;
	return true;
}

/* Bytes that are there already, `offset` back; where that is less than their number they repeat. */
static bool copy(struct in *in, uint32_t tag, uint8_t *out, size_t done, size_t room, size_t *n)
{
	uint32_t offset;

	*n = (tag & 3) == 1 ? (tag >> 2 & 7) + 4 : (tag >> 2) + 1;
	offset = (tag & 3) == 1 ? tag >> 5 << 8 | take(in, 1) : take(in, (tag & 3) == 2 ? 2 : 4);
	if (in->bad || *n > room || offset == 0 || offset > done)
		return false;
	for (size_t i = 0; i < *n; i++)
		out[i] = *(out + i - offset);
	return true;
}

bool snappy_unpack(struct bytes packed, uint8_t *out, size_t n)
{
	struct in in = {packed.p, packed.p + packed.n, false};
	size_t done = 0, k = 0;

	if (take_size(&in) != n || in.bad)
		return false;
	while (in.p < in.end) {
		uint32_t tag = take(&in, 1);

		if (!((tag & 3) == 0 ? literal(&in, tag, out + done, n - done, &k)
				     : copy(&in, tag, out + done, done, n - done, &k)))
			return false;
		done += k;
	}
	return done == n;
}
