#include "bytes/stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bytes/inflate.h"

struct stream {
	const struct source *source;
	struct str name;
	struct bytes mapped;   /* what is left of a mapped span, or of a piece */
	const struct piece *piece, *last; /* the one mapped is of, past the last one; NULL without pieces */
	uint64_t times;        /* that the piece is still to come, after this time */
	struct bytes packed;   /* compressed bytes that zlib has not been given yet */
	uint64_t at, end, size; /* inflated bytes so far; the span's end; the member's size */
	uint32_t crc, want_crc;
	z_stream z;
	bool deflated, ended;
};

/* The whole member went by: zlib must see its end there, and the checksum must be the directory's. */
static enum rc check_end(struct stream *s, struct err *e)
{
	uint8_t more;

	s->z.next_out = &more;
	s->z.avail_out = 1;
	while (!s->ended && s->z.avail_out == 1) {
		int rc;

		if (s->z.avail_in == 0 && s->packed.n) {
			s->z.next_in = (Bytef *)(uintptr_t)s->packed.p;
			s->z.avail_in = (uInt)u64_min(s->packed.n, 1 << 30);
			s->packed.p += s->z.avail_in;
			s->packed.n -= s->z.avail_in;
		}
		rc = inflate_step(&s->z, Z_NO_FLUSH);
		s->ended = rc == Z_STREAM_END;
		if (rc != Z_OK && rc != Z_STREAM_END)
			break;
	}
	if (s->z.avail_out == 0)
		return err_set(e, "%.*s inflates to more than the %" PRIu64 " bytes it declares", (int)s->name.n,
			       s->name.p, s->size);
	if (!s->ended)
		return err_set(e, "%.*s: the deflate stream has no end", (int)s->name.n, s->name.p);
	if (s->crc != s->want_crc)
		return err_set(e, "%.*s is damaged: its CRC-32 is %08" PRIx32 ", the zip file says %08" PRIx32,
			       (int)s->name.n, s->name.p, s->crc, s->want_crc);
	return RC_OK;
}

static enum rc inflate_some(struct stream *s, uint8_t *out, size_t n, struct err *e)
{
	s->z.next_out = out;
	s->z.avail_out = (uInt)n;
	while (s->z.avail_out) {
		int rc;

		if (s->z.avail_in == 0) {
			s->z.next_in = (Bytef *)(uintptr_t)s->packed.p;
			s->z.avail_in = (uInt)u64_min(s->packed.n, 1 << 30);
			s->packed.p += s->z.avail_in;
			s->packed.n -= s->z.avail_in;
		}
		rc = s->ended ? Z_BUF_ERROR : inflate_step(&s->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			s->ended = true;
		if (rc == Z_BUF_ERROR || (s->ended && s->z.avail_out))
			return err_set(e, "%.*s ends after %" PRIu64 " of %" PRIu64 " inflated bytes", (int)s->name.n,
				       s->name.p, s->at + (n - s->z.avail_out), s->size);
		if (rc != Z_OK && rc != Z_STREAM_END)
			return err_set(e, "%.*s: broken deflate stream after %" PRIu64 " bytes (%s)", (int)s->name.n,
				       s->name.p, s->at + (n - s->z.avail_out), s->z.msg ? s->z.msg : "zlib");
	}
	s->crc = (uint32_t)crc32(s->crc, out, (uInt)n);
	s->at += n;
	return s->at == s->size ? check_end(s, e) : RC_OK;
}

static enum rc skip_to(struct stream *s, uint64_t offset, struct err *e)
{
	enum { STEP = 64 * 1024 };
	uint8_t *scratch;
	enum rc rc = RC_OK;

	if (s->at == offset)
		return RC_OK;
	scratch = xmalloc(STEP);
	while (rc == RC_OK && s->at < offset)
		rc = inflate_some(s, scratch, (size_t)u64_min(STEP, offset - s->at), e);
	free(scratch);
	return rc;
}

/* ---- pieces ---- */

/* Begins at a byte of the whole. */
static void seek_piece(struct stream *s, uint64_t offset)
{
	uint64_t all, n;

	for (;; s->piece++) {
		if (s->piece == s->last) /* at the end */
			return;
		n = s->piece->span.length;
		all = n * s->piece->times; /* checked when the member was made */
		if (offset < all)
			break;
		offset -= all;
	}
	s->times = s->piece->times - 1 - offset / n;
	source_slice(s->source, s->piece->span, &s->mapped);
	s->mapped.p += offset % n;
	s->mapped.n -= (size_t)(offset % n);
}

/* The bytes that follow, when those of `mapped` are used up. n bytes are left of the whole, so there are some. */
static void next_piece(struct stream *s)
{
	while (!s->mapped.n) {
		if (!s->times) {
			s->piece++;
			/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): called of a member in pieces only */
			s->times = s->piece->times;
			continue;
		}
		s->times--;
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the same */
		source_slice(s->source, s->piece->span, &s->mapped);
	}
}

/* The piece that is about to begin, as often as it fits into n bytes, at least once: what is there is copied on,
 * twice as much each time. Returns the bytes written. */
static size_t write_repeated(struct stream *s, uint8_t *p, size_t n)
{
	size_t one = s->mapped.n, all = (size_t)u64_min(n / one, s->times + 1) * one;

	memcpy(p, s->mapped.p, one);
	for (size_t done = one; done < all;) {
		size_t k = done < all - done ? done : all - done;

		memcpy(p + done, p, k);
		done += k;
	}
	s->times -= all / one - 1;
	s->mapped.n = 0;
	return all;
}

static void read_mapped(struct stream *s, uint8_t *p, size_t n)
{
	s->at += n;
	while (n) {
		size_t k;

		if (!s->mapped.n)
			next_piece(s);
		if (s->piece && s->times && s->mapped.n == s->piece->span.length && n / 2 >= s->mapped.n) {
			k = write_repeated(s, p, n);
		} else {
			k = n < s->mapped.n ? n : s->mapped.n;
			memcpy(p, s->mapped.p, k);
			s->mapped.p += k;
			s->mapped.n -= k;
		}
		p += k;
		n -= k;
	}
}

/* ---- all together ---- */

enum rc stream_open(struct stream **out, const struct source *source, struct span span, struct err *e)
{
	const struct member *m;
	struct stream *s;

	*out = NULL;
	if (span.member >= source->n)
		return err_set(e, "no such member: %" PRIu32, span.member);
	m = &source->members[span.member];
	if (span.offset > m->size || span.length > m->size - span.offset)
		return err_set(e, "%.*s has %" PRIu64 " bytes; %" PRIu64 " are wanted from byte %" PRIu64 " on",
			       (int)m->name.n, m->name.p, m->size, span.length, span.offset);
	s = xcalloc(1, sizeof(*s));
	*s = (struct stream){.source = source, .name = m->name, .size = m->size, .want_crc = m->crc};
	if (m->kind == MEMBER_MAPPED) {
		s->mapped = (struct bytes){m->data.p + span.offset, (size_t)span.length};
		s->at = span.offset;
	} else if (m->kind == MEMBER_PIECES) {
		s->piece = m->pieces;
		s->last = m->pieces + m->n_pieces;
		seek_piece(s, span.offset);
		s->at = span.offset;
	} else {
		s->packed = m->packed;
		s->deflated = true;
		inflate_begin(&s->z, -MAX_WBITS);
		if (skip_to(s, span.offset, e) != RC_OK) {
			stream_close(s);
			return RC_FAIL;
		}
	}
	s->end = span.offset + span.length;
	*out = s;
	return RC_OK;
}

enum rc stream_read(struct stream *s, void *out, size_t n, struct err *e)
{
	uint8_t *p = out;

	if (n > s->end - s->at)
		return err_set(e, "%.*s: %zu bytes wanted, %" PRIu64 " left", (int)s->name.n, s->name.p, n,
			       s->end - s->at);
	if (!s->deflated) {
		read_mapped(s, p, n);
		return RC_OK;
	}
	while (n) {
		size_t k = (size_t)u64_min(n, 1 << 30);

		if (inflate_some(s, p, k, e) != RC_OK)
			return RC_FAIL;
		p += k;
		n -= k;
	}
	return RC_OK;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->deflated)
		inflateEnd(&s->z);
	free(s);
}
