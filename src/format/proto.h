/*
 * The wire format of protocol buffers (protobuf.dev/programming-guides/encoding), field by field, over untrusted bytes:
 * ONNX, Lc0, Caffe, Core ML and TensorFlow are read with it. Nothing is copied and nothing recurses: a nested message
 * is bytes, to be walked by its reader with proto_of again, as deep as that reader's code goes.
 *
 *	struct proto p = proto_of(bytes);
 *	while (proto_next(&p))
 *		switch (p.field) {
 *		case 1: ... p.bytes, p.number ...
 *		}
 *	if (p.bad) ...
 */
#ifndef FORMAT_PROTO_H
#define FORMAT_PROTO_H

#include "bytes/cur.h"

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct proto {
	struct cur c;
	bool bad;        /* the bytes are no whole message: a broken tag or length, or a group (never used by these) */
	uint64_t at;     /* offset of the field's tag in the message */
	uint32_t field;
	enum wire wire;
	uint64_t number; /* WIRE_VARINT, WIRE_64, WIRE_32: the bits */
	struct bytes bytes; /* WIRE_BYTES: in place */
};

struct proto proto_of(struct bytes message);
bool proto_next(struct proto *); /* false: at the end, or bad */

uint64_t proto_varint(struct cur *); /* also for packed fields: sets c->bad when it does not end in ten bytes */
float proto_float(uint64_t bits);    /* of WIRE_32 */
double proto_double(uint64_t bits);  /* of WIRE_64 */
struct str proto_text(const struct proto *); /* of WIRE_BYTES; else empty */

/* The last occurrence of a field of one wire type, as far as the message is sound; false: there is none. */
bool proto_find(struct bytes message, uint32_t field, enum wire, struct proto *out);
struct bytes proto_message(struct bytes message, uint32_t field); /* of WIRE_BYTES; empty when there is none */

/* Whether the bytes are a message from end to end whose fields all pass; for probes. At most `most` fields are looked
 * at; a message that is cut off (its beginning is all there is) passes as far as it goes with cut. */
bool proto_looks(struct bytes, bool cut, unsigned most, bool (*field_fits)(uint32_t field, enum wire));

/*
 * For probes, too: the fields of a whole file, of which only the beginning and the end can be seen. What reaches out of
 * sight is stepped over by its length, and the walk goes on where the end is in sight again.
 */
struct proto_top {
	struct bytes head, tail;
	uint64_t size;   /* of the file; UINT64_MAX: not known */
	uint64_t at;     /* where the next field stands */
	struct proto p;  /* the field: of its bytes, those in sight */
	bool cut;        /* not all of them are */
	bool bad;        /* this is no message */
	bool short_of;   /* the last field claims more than the file has: it may have lost its end */
	bool whole;      /* the walk came to the end of the file, sound all the way */
	unsigned fields; /* so far */
};

bool proto_top_next(struct proto_top *); /* false: at the end, out of sight, or bad */

#endif
