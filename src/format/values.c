#include "format/values.h"

#include <inttypes.h>

struct span values_span(const struct values *v, struct bytes part)
{
	const struct member *in = &v->m->source.members[v->member];

	return (struct span){v->member, part.p ? (uint64_t)(part.p - in->data.p) : 0, part.n};
}

enum rc values_spool(struct values *v, struct spool **out, struct err *e)
{
	struct str name = v->m->source.members[v->member].name;

	if (!v->spool && spool_begin(&v->spool, &v->m->source, name, e) != RC_OK)
		return RC_FAIL;
	*out = v->spool;
	return RC_OK;
}

/* How the numbers of the field stand: how many records there are, and numbers if their width is fixed. */
struct layout {
	uint64_t records, numbers, bytes; /* bytes: of all records */
	struct bytes only;                /* the bytes of the last packed record */
	bool single;                      /* a number that is not packed is among them */
};

static enum rc survey(struct bytes message, uint32_t field, enum wire as, unsigned size, struct layout *l,
		      struct err *e)
{
	struct proto p = proto_of(message);

	*l = (struct layout){0};
	while (proto_next(&p)) {
		if (p.field != field || (p.wire != as && p.wire != WIRE_BYTES))
			continue;
		l->records++;
		l->single |= p.wire != WIRE_BYTES;
		if (p.wire != WIRE_BYTES) {
			l->numbers++;
			continue;
		}
		if (as != WIRE_VARINT && p.bytes.n % size)
			return err_set(e, "its packed numbers take %zu bytes, not a multiple of %u", p.bytes.n, size);
		l->numbers += p.bytes.n / size;
		l->only = p.bytes;
	}
	return p.bad ? err_set(e, "its message is not sound") : RC_OK;
}

/* Whether `size` bytes hold it, as a signed number or as an unsigned one. */
static bool holds(uint64_t x, unsigned size)
{
	unsigned bits = 8 * size;

	if (size == 8 || x >> bits == 0)
		return true;
	return (int64_t)x < 0 && (int64_t)x >= -((int64_t)1 << (bits - 1));
}

/* What a narrow type cannot hold is an error of the writer, not to be hidden by cutting it off. */
static enum rc put(struct spool *sp, uint64_t x, unsigned size, uint64_t index, struct err *e)
{
	uint8_t b[8];

	if (!holds(x, size))
		return err_set(e, "its number %" PRIu64 " is %" PRId64 ": more than its type can hold", index,
			       (int64_t)x);
	for (unsigned i = 0; i < size; i++)
		b[i] = (uint8_t)(x >> 8 * i);
	return spool_put(sp, b, size, e);
}

static enum rc put_packed(struct spool *sp, struct bytes packed, enum wire as, unsigned size, uint64_t *count,
			  struct err *e)
{
	struct cur c = cur_of(packed);

	while (cur_left(&c)) {
		uint64_t x = as == WIRE_VARINT ? proto_varint(&c) : cur_uint(&c, size);

		if (c.bad)
			return err_set(e, "its packed numbers are cut off after %" PRIu64, *count);
		if (put(sp, x, size, (*count)++, e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

enum rc values_of(struct values *v, struct bytes message, uint32_t field, enum wire as, unsigned size, struct span *out,
		  uint64_t *count, struct err *e)
{
	struct proto p = proto_of(message);
	struct spool *sp;
	struct layout l;
	enum rc rc = RC_OK;

	*count = 0;
	*out = (struct span){v->member, 0, 0};
	if (survey(message, field, as, size, &l, e) != RC_OK)
		return RC_FAIL;
	if (!l.records)
		return RC_OK;
	if (l.records == 1 && !l.single && as != WIRE_VARINT) {
		*count = l.numbers;
		*out = values_span(v, l.only);
		return RC_OK;
	}
	if (values_spool(v, &sp, e) != RC_OK)
		return RC_FAIL;
	*out = (struct span){spool_member(sp), spool_at(sp), 0};
	while (rc == RC_OK && proto_next(&p)) {
		if (p.field != field)
			continue;
		if (p.wire == as)
			rc = put(sp, p.number, size, (*count)++, e);
		else if (p.wire == WIRE_BYTES)
			rc = put_packed(sp, p.bytes, as, size, count, e);
	}
	out->length = spool_at(sp) - out->offset;
	return rc;
}

enum rc values_end(struct values *v, enum rc rc, struct err *e)
{
	struct spool *sp = v->spool;

	v->spool = NULL;
	if (rc == RC_OK && sp)
		return spool_end(sp, e);
	spool_drop(sp);
	return rc;
}
