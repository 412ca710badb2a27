/* The end of what was unpacked. libarchive passes by what follows the last stream of a gzip or bzip2 file, looks at no
 * checksum of a gzip file, and reads a tar file no further than to its end mark. */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytes/archive_end.h"
#include "bytes/member.h"

enum { STEP = 64 * 1024, AT_ONCE = 1 << 30 };

struct ending {
	struct archive_end *end;
	uint64_t from;         /* of the unpacked: what is to be zero; UINT64_MAX: nothing */
	uint64_t total, limit; /* unpacked bytes */
	uint8_t buf[STEP];
};

/* n more bytes are in buf; false: that is enough. */
static bool account(struct ending *x, size_t n)
{
	for (size_t i = x->from > x->total ? (size_t)u64_min(x->from - x->total, n) : 0; i < n; i++)
		if (x->buf[i]) {
			if (!x->end->filled)
				x->end->first = x->total + i;
			x->end->filled++;
		}
	x->total += n;
	return x->total <= x->limit;
}

/* zlib's words for the two numbers behind a stream are short. */
static const char *in_words(const char *msg)
{
	if (msg && strcmp(msg, "incorrect data check") == 0)
		return "its CRC-32 is not that of what is in it";
	if (msg && strcmp(msg, "incorrect length check") == 0)
		return "its size is not that of what is in it";
	return msg ? msg : "it is broken";
}

static const char *go_through_gzip(struct ending *x, struct bytes in)
{
	z_stream z = {0};
	uint64_t given = 0; /* bytes of it that zlib has been given */
	const char *why = NULL;
	int rc;

	if (inflateInit2(&z, MAX_WBITS + 16) != Z_OK)
		die("out of memory (zlib)");
	for (;;) {
		if (!z.avail_in) {
			z.next_in = (Bytef *)(uintptr_t)(in.p + given);
			z.avail_in = (uInt)u64_min(in.n - given, AT_ONCE);
			given += z.avail_in;
		}
		z.next_out = x->buf;
		z.avail_out = STEP;
		rc = inflate(&z, Z_NO_FLUSH);
		if (!account(x, STEP - z.avail_out))
			break;
		x->end->packed = given - z.avail_in;
		if (rc == Z_STREAM_END) {
			struct bytes rest = {in.p + x->end->packed, in.n - (size_t)x->end->packed};

			if (rest.n < 2 || memcmp(rest.p, "\x1f\x8b", 2) != 0)
				break;
			inflateReset(&z);
		} else if (rc != Z_OK) {
			why = rc == Z_BUF_ERROR ? "it ends inside a stream" : in_words(z.msg);
			break;
		}
	}
	inflateEnd(&z);
	return why;
}

static const char *go_through_other(struct ending *x, struct bytes in, struct archive *a)
{
	struct archive_entry *entry;
	const char *why;
	la_ssize_t n;

	archive_support(a, in);
	archive_read_support_format_raw(a);
	if (archive_read_open_memory(a, in.p, in.n) == ARCHIVE_OK &&
	    archive_read_next_header(a, &entry) == ARCHIVE_OK) {
		while ((n = archive_read_data(a, x->buf, STEP)) > 0 && account(x, (size_t)n))
			;
		x->end->packed = u64_min((uint64_t)archive_filter_bytes(a, -1), in.n);
		if (n >= 0)
			return NULL;
	}
	why = archive_error_string(a);
	return why ? why : "damaged, or cut short";
}

static bool is_compressed(struct bytes b)
{
	static const struct str magics[] = {{"BZh", 3}, {"\xfd" "7zXZ\0", 6}, {"\x28\xb5\x2f\xfd", 4}, {"LZIP", 4},
					    {"\x04\x22\x4d\x18", 4}};

	for (size_t i = 0; i < COUNT(magics); i++)
		if (b.n >= magics[i].n && memcmp(b.p, magics[i].p, magics[i].n) == 0)
			return true;
	return false;
}

bool source_archive_end(const struct source *s, uint32_t member, struct archive_end *end)
{
	struct bytes in = s->members[member].data;
	struct ending *x;
	struct archive *a;
	const char *why;
	bool known;
	bool tar = s->tar_end > 0, gzip = in.n > 2 && memcmp(in.p, "\x1f\x8b", 2) == 0;

	*end = (struct archive_end){.packed = in.n};
	if (s->members[member].kind != MEMBER_MAPPED || !in.n || !(gzip || is_compressed(in) || tar))
		return false;
	x = xmalloc(sizeof(*x));
	*x = (struct ending){.end = end, .from = tar ? s->tar_end : UINT64_MAX, .limit = unpack_limit(in.n)};
	if (gzip) {
		why = go_through_gzip(x, in);
		snprintf(end->why, sizeof(end->why), "%s", why ? why : "");
	} else {
		a = archive_read_new();
		if (!a)
			die("out of memory (libarchive)");
		why = go_through_other(x, in, a);
		snprintf(end->why, sizeof(end->why), "%s", why ? why : "");
		archive_read_free(a);
	}
	known = x->total <= x->limit;
	free(x);
	return known;
}
