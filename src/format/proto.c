#include "format/proto.h"

#include <string.h>

struct proto proto_of(struct bytes message)
{
	return (struct proto){.c = cur_of(message)};
}

uint64_t proto_varint(struct cur *c)
{
	uint64_t x = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		const uint8_t *p = cur_take(c, 1);

		if (!p)
			return 0;
		if (shift < 64)
			x |= (uint64_t)(*p & 0x7f) << shift;
		if (!(*p & 0x80))
			return x;
	}
	c->bad = true;
	return 0;
}

bool proto_next(struct proto *p)
{
	uint64_t tag;

	if (p->bad || cur_left(&p->c) == 0)
		return false;
	p->at = cur_at(&p->c);
	tag = proto_varint(&p->c);
	p->field = (uint32_t)(tag >> 3);
	p->wire = (enum wire)(tag & 7);
	p->number = 0;
	p->bytes = (struct bytes){NULL, 0};
	switch (p->wire) {
	case WIRE_VARINT:
		p->number = proto_varint(&p->c);
		break;
	case WIRE_64:
		p->number = cur_u64(&p->c);
		break;
	case WIRE_32:
		p->number = cur_u32(&p->c);
		break;
	case WIRE_BYTES: {
		uint64_t n = proto_varint(&p->c);

		p->bytes = (struct bytes){cur_take(&p->c, n), (size_t)n};
		break;
	}
	default:
		p->c.bad = true;
	}
	p->bad = p->c.bad || tag >> 3 == 0 || tag >> 3 > 536870911;
	return !p->bad;
}

float proto_float(uint64_t bits)
{
	return (float)real_of_bits(bits, 4);
}

double proto_double(uint64_t bits)
{
	return real_of_bits(bits, 8);
}

struct str proto_text(const struct proto *p)
{
	return (struct str){p->bytes.p ? (const char *)p->bytes.p : "", p->bytes.p ? p->bytes.n : 0};
}

bool proto_find(struct bytes message, uint32_t field, enum wire wire, struct proto *out)
{
	struct proto p = proto_of(message);
	bool found = false;

	while (proto_next(&p))
		if (p.field == field && p.wire == wire) {
			*out = p;
			found = true;
		}
	return found;
}

struct bytes proto_message(struct bytes message, uint32_t field)
{
	struct proto p;

	return proto_find(message, field, WIRE_BYTES, &p) ? p.bytes : (struct bytes){NULL, 0};
}

bool proto_looks(struct bytes b, bool cut, unsigned most, bool (*field_fits)(uint32_t, enum wire))
{
	struct proto p = proto_of(b);
	unsigned n = 0;

	while (n < most && proto_next(&p)) {
		if (!field_fits(p.field, p.wire))
			return false;
		n++;
	}
	/* the last field of a message that is cut off may reach beyond what is there; its tag was read all the same */
	if (p.bad)
		return cut && (n > 0 || field_fits(p.field, p.wire));
	return n > 0;
}

/* The bytes from `at` on, in the head or in the tail; none: out of sight. */
static struct bytes in_sight(const struct proto_top *t)
{
	uint64_t tail_at = t->size - t->tail.n;

	if (t->at < t->head.n)
		return (struct bytes){t->head.p + t->at, t->head.n - (size_t)t->at};
	if (t->size != UINT64_MAX && t->tail.n <= t->size && t->at >= tail_at && t->at < t->size)
		return (struct bytes){t->tail.p + (t->at - tail_at), (size_t)(t->size - t->at)};
	return (struct bytes){NULL, 0};
}

/* The field that begins b, whose bytes may reach beyond it; *n gets how many bytes the field takes in the file. */
static bool one_field(struct proto *p, struct bytes b, uint64_t *n, bool *cut)
{
	uint64_t length, start;

	*p = proto_of(b);
	*cut = false;
	if (proto_next(p)) {
		*n = cur_at(&p->c);
		return true;
	}
	if (p->wire != WIRE_BYTES || p->field == 0)
		return false;
	p->c = cur_of(b);
	proto_varint(&p->c);
	length = proto_varint(&p->c);
	start = cur_at(&p->c);
	if (p->c.bad || !u64_add(start, length, n))
		return false;
	p->bytes = (struct bytes){b.p + start, b.n - (size_t)start};
	*cut = true;
	return true;
}

bool proto_top_next(struct proto_top *t)
{
	struct bytes b = in_sight(t);
	uint64_t n = 0;

	t->whole = t->at == t->size && !t->bad && !t->short_of && t->fields > 0;
	if (t->bad || b.n == 0)
		return false;
	if (!one_field(&t->p, b, &n, &t->cut)) {
		/* at the end of the head a tag or a length may be cut in two */
		t->bad = b.n > 20 || t->at + b.n == t->size;
		return false;
	}
	t->short_of = t->size != UINT64_MAX && n > t->size - t->at;
	t->at = n > t->size - t->at ? t->size : t->at + n;
	t->fields++;
	return true;
}
