#include "model/checksum.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "bytes/stream.h"

static enum rc sum_stream(const struct model *m, const struct tensor *t, uint32_t *crc, struct err *e)
{
	enum { STEP = 256 * 1024 };
	struct stream *s;
	uint8_t *buf;
	enum rc rc = stream_open(&s, &m->source, t->data, e);

	if (rc != RC_OK)
		return rc;
	buf = xmalloc(STEP);
	for (uint64_t at = 0; rc == RC_OK && at < t->data.length; at += STEP) {
		size_t n = (size_t)u64_min(STEP, t->data.length - at);

		rc = stream_read(s, buf, n, e);
		if (rc == RC_OK)
			*crc = crc32c(*crc, buf, n);
	}
	free(buf);
	stream_close(s);
	return rc;
}

enum rc tensor_check_sum(const struct model *m, const struct tensor *t, struct err *e)
{
	uint32_t crc = 0;
	struct bytes all;

	if (!t->has_crc32c)
		return RC_OK;
	if (source_slice(&m->source, t->data, &all))
		crc = crc32c(0, all.p, all.n);
	else if (sum_stream(m, t, &crc, e) != RC_OK)
		return RC_FAIL;
	if (crc != t->crc32c)
		return err_set(e, "its data is damaged: its CRC-32C is %08" PRIx32 ", the file says %08" PRIx32, crc,
			       t->crc32c);
	return RC_OK;
}
