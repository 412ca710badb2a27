/*
 * Numbers that stand inside a message or a text as a reader finds them, to be a tensor's data: in place where they are
 * of fixed width and side by side, else written one by one to a spool that all tensors of the file share.
 */
#ifndef FORMAT_VALUES_H
#define FORMAT_VALUES_H

#include "bytes/spool.h"
#include "format/proto.h"
#include "model/model.h"

struct values { /* zeroed but for the first two */
	struct model *m;
	uint32_t member; /* the file */
	struct spool *spool;
};

/* Where bytes of the file stand in it. */
struct span values_span(const struct values *, struct bytes part_of_the_file);

/* The spool, begun when it is first asked for. */
enum rc values_spool(struct values *, struct spool **out, struct err *);

/*
 * All numbers of a repeated field, packed or one by one: `as` is the wire type of a single one, `size` the bytes that
 * each takes as an element (4 and 8 for WIRE_32 and WIRE_64; the low bytes of a varint, which must hold it as a
 * signed or an unsigned number). *count is how many there are; *out where. Fails when the message is not sound.
 */
enum rc values_of(struct values *, struct bytes message, uint32_t field, enum wire as, unsigned size, struct span *out,
		  uint64_t *count, struct err *);

/* Ends the spool, if there is one; to be called whatever came of the reading. Returns rc, or what went wrong. */
enum rc values_end(struct values *, enum rc rc, struct err *);

#endif
