/* Members that are put together, in place, of parts of others. */
#include <inttypes.h>

#include "base/limits.h"
#include "bytes/member.h"

static enum rc add_piece(const struct source *s, const struct piece *p, struct member *to, struct err *e)
{
	struct bytes there;
	uint64_t n;

	if (!source_slice(s, p->span, &there))
		return err_set(e, "a piece of %" PRIu64 " bytes from byte %" PRIu64 " on is not there", p->span.length,
			       p->span.offset);
	if (!u64_mul(p->span.length, p->times, &n) || !u64_add(to->size, n, &to->size) ||
	    to->size > PTRDIFF_MAX)
		return err_set(e, "%" PRIu64 " bytes repeated %" PRIu64 " times come to too much: refused",
			       p->span.length, p->times);
	return p->times > 1 && to->size > limits.repeated ? limits_passed(&limits.repeated, e) : RC_OK;
}

enum rc source_add_pieces(struct source *s, struct str name, const struct piece *pieces, size_t n, uint32_t *member,
			  struct err *e)
{
	struct member m = {.name = name, .kind = MEMBER_PIECES};
	struct piece *copy = arena_new(&s->arena, struct piece, n);

	for (size_t i = 0; i < n; i++) {
		uint64_t before = m.size;

		if (add_piece(s, &pieces[i], &m, e) != RC_OK)
			return RC_FAIL;
		if (m.size > before)
			copy[m.n_pieces++] = pieces[i];
	}
	m.pieces = copy;
	*member = (uint32_t)s->n;
	m.file = *member;
	if (m.n_pieces) {
		const struct member *in = &s->members[copy[0].span.member];

		m.file = in->file;
		m.file_offset = in->file_offset + copy[0].span.offset;
	}
	source_add(s, m);
	return RC_OK;
}
