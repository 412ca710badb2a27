/* gzip files are zlib's, for libarchive looks at none of their checksums; all others are libarchive's. */
#include "bytes/decompress.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/util.h"
#include "bytes/inflate.h"

enum { STEP = 64 * 1024, AT_ONCE = 1 << 30 };

struct decompress {
	struct bytes packed;
	const char *why;
	uint64_t taken;
	bool ended;

	bool gzip;
	z_stream z;
	uint64_t given; /* bytes of the file that zlib has been given */

	struct archive *a; /* libarchive's, once it is begun */
	uint8_t buf[STEP];
};

bool decompress_looks(struct bytes head)
{
	static const struct str magics[] = {
		{"\x1f\x8b", 2},         {"BZh", 3},  {"\xfd\x37zXZ", 6}, {"\x28\xb5\x2f\xfd", 4},
		{"\x04\x22\x4d\x18", 4}, {"LZIP", 4}, {"\x5d\0\0", 3},    {"\x1f\x9d", 2},
	};

	for (size_t i = 0; i < COUNT(magics); i++)
		if (head.n >= magics[i].n && memcmp(head.p, magics[i].p, magics[i].n) == 0)
			return true;
	return false;
}

/* What lzma and compress begin with is short: inside another filter, numbers would be taken for it. */
void archive_support(struct archive *a, struct bytes head)
{
	if (head.n && head.p[0] == 0x5d)
		archive_read_support_filter_lzma(a);
	if (head.n > 1 && head.p[0] == 0x1f && head.p[1] == 0x9d)
		archive_read_support_filter_compress(a);
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_lzip(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_lz4(a);
}

struct decompress *decompress_new(struct bytes packed)
{
	struct decompress *d = xcalloc(1, sizeof(*d));

	d->packed = packed;
	d->gzip = packed.n >= 2 && memcmp(packed.p, "\x1f\x8b", 2) == 0;
	if (d->gzip)
		inflate_begin(&d->z, MAX_WBITS + 16);
	return d;
}

void decompress_free(struct decompress *d)
{
	if (!d)
		return;
	if (d->gzip)
		inflateEnd(&d->z);
	archive_read_free(d->a);
	free(d);
}

static ptrdiff_t broken(struct decompress *d, const char *why)
{
	d->why = why ? why : "damaged, or cut short";
	d->ended = true;
	return -1;
}

/* ---- gzip ---- */

/* zlib's words for the two numbers behind a stream are short. */
static const char *in_words(const char *msg)
{
	if (msg && strcmp(msg, "incorrect data check") == 0)
		return "the gzip file's CRC-32 is not that of what is in it";
	if (msg && strcmp(msg, "incorrect length check") == 0)
		return "the gzip file's size is not that of what is in it";
	return msg;
}

/* A stream is over: whether another follows, as in a file that was put together from several. */
static bool begin_another(struct decompress *d)
{
	struct bytes rest = {d->packed.p + d->taken, d->packed.n - (size_t)d->taken};

	return rest.n >= 2 && memcmp(rest.p, "\x1f\x8b", 2) == 0 && inflateReset(&d->z) == Z_OK;
}

static ptrdiff_t next_of_gzip(struct decompress *d, const void **p)
{
	z_stream *z = &d->z;
	int rc;

	z->next_out = d->buf;
	z->avail_out = STEP;
	while (z->avail_out && !d->ended) {
		if (!z->avail_in) {
			z->next_in = (Bytef *)(uintptr_t)(d->packed.p + d->given);
			z->avail_in = (uInt)u64_min(d->packed.n - d->given, AT_ONCE);
			d->given += z->avail_in;
		}
		rc = inflate_step(z, Z_NO_FLUSH);
		d->taken = d->given - z->avail_in;
		if (rc == Z_STREAM_END)
			d->ended = !begin_another(d);
		else if (rc != Z_OK)
			broken(d, rc == Z_BUF_ERROR ? "the gzip file ends inside a stream" : in_words(z->msg));
	}
	*p = d->buf;
	if (z->avail_out < STEP) /* what came before it broke is told first */
		return STEP - (ptrdiff_t)z->avail_out;
	return d->why ? -1 : 0;
}

/* ---- all others ---- */

static bool begin(struct decompress *d)
{
	struct archive_entry *entry;

	d->a = archive_read_new();
	if (!d->a)
		die("out of memory (libarchive)");
	archive_support(d->a, d->packed);
	archive_read_support_format_raw(d->a);
	return archive_read_open_memory(d->a, d->packed.p, d->packed.n) == ARCHIVE_OK &&
	       archive_read_next_header(d->a, &entry) == ARCHIVE_OK;
}

static ptrdiff_t next_of_other(struct decompress *d, const void **p)
{
	la_int64_t at;
	size_t n;
	int k;

	if (!d->a && !begin(d))
		return broken(d, archive_error_string(d->a));
	do {
		k = archive_read_data_block(d->a, p, &n, &at);
	} while (k == ARCHIVE_RETRY || (k == ARCHIVE_OK && n == 0));
	d->taken = u64_min((uint64_t)archive_filter_bytes(d->a, -1), d->packed.n);
	if (k == ARCHIVE_OK)
		return (ptrdiff_t)n;
	if (k != ARCHIVE_EOF)
		return broken(d, archive_error_string(d->a));
	d->ended = true;
	return 0;
}

ptrdiff_t decompress_next(struct decompress *d, const void **p)
{
	if (d->ended)
		return d->why ? -1 : 0;
	return d->gzip ? next_of_gzip(d, p) : next_of_other(d, p);
}

const char *decompress_why(const struct decompress *d)
{
	return d->why ? d->why : "";
}

uint64_t decompress_taken(const struct decompress *d)
{
	return d->taken;
}

const char *decompress_name(const struct decompress *d)
{
	return d->gzip ? "gzip" : d->a ? archive_filter_name(d->a, 0) : "";
}
