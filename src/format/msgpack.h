/*
 * MessagePack (msgpack/msgpack, spec.md), item by item, over untrusted bytes. An array and a map are items that say how
 * many follow; whoever reads them keeps the count, in a stack of his own, as deep as he allows.
 */
#ifndef FORMAT_MSGPACK_H
#define FORMAT_MSGPACK_H

#include "bytes/cur.h"

enum mp_kind { MP_NIL, MP_BOOL, MP_UINT, MP_INT, MP_REAL, MP_TEXT, MP_BYTES, MP_EXT, MP_ARRAY, MP_MAP };

struct mp_item {
	enum mp_kind kind;
	uint64_t number;    /* MP_BOOL, MP_UINT; MP_INT, which is negative: as two's complement */
	double real;
	int ext;            /* MP_EXT: its type */
	uint64_t n;         /* MP_TEXT, MP_BYTES, MP_EXT: bytes; MP_ARRAY: items; MP_MAP: pairs of them */
	struct bytes bytes; /* in place */
};

/* False at the end; and when what is there is no whole item: c->bad is set then, while kind, ext and n say what began
 * there. As many items as an array or a map announces can stand in the bytes that are left. */
bool msgpack_next(struct cur *c, struct mp_item *);

#endif
