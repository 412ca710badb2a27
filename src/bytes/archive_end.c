/* The end of what was unpacked: a tar file's entries end at its mark, and what follows the last stream of a compressed
 * file is passed by. */
#include "bytes/archive_end.h"
#include "bytes/decompress.h"
#include "bytes/member.h"

/* Counts what is not zero of n bytes, the first of which is number `at` of what is unpacked. */
static void account(struct archive_end *end, const uint8_t *p, size_t n, uint64_t at, uint64_t from)
{
	for (size_t i = from > at ? (size_t)u64_min(from - at, n) : 0; i < n; i++)
		if (p[i]) {
			if (!end->filled)
				end->first = at + i;
			end->filled++;
		}
}

bool source_archive_end(const struct source *s, uint32_t member, struct archive_end *end)
{
	struct bytes in = s->members[member].data;
	uint64_t total = 0, limit = unpack_limit(in.n), from = s->tar_end ? s->tar_end : UINT64_MAX;
	struct decompress *d;
	const void *p;
	ptrdiff_t n;

	*end = (struct archive_end){.packed = in.n};
	if (s->members[member].kind != MEMBER_MAPPED)
		return false;
	if (!decompress_looks(in)) {
		account(end, in.p, in.n, 0, from);
		return s->tar_end > 0;
	}
	d = decompress_new(in);
	while ((n = decompress_next(d, &p)) > 0 && total <= limit) {
		account(end, p, (size_t)n, total, from);
		total += (uint64_t)n;
	}
	end->packed = decompress_taken(d);
	decompress_free(d);
	return n == 0;
}
