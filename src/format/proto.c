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

float proto_float(uint64_t number)
{
	uint32_t bits = (uint32_t)number;
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

double proto_double(uint64_t bits)
{
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

struct str proto_text(const struct proto *p)
{
	return (struct str){p->bytes.p ? (const char *)p->bytes.p : "", p->bytes.p ? p->bytes.n : 0};
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
