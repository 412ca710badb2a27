/* zlib without memory ends the program, as malloc does: else a sound stream would be taken for a broken one. */
#ifndef BYTES_INFLATE_H
#define BYTES_INFLATE_H

#include <zlib.h>

#include "base/err.h"

/* window: as inflateInit2 has it. */
static inline void inflate_begin(z_stream *z, int window)
{
	if (inflateInit2(z, window) != Z_OK)
		die("out of memory (zlib)");
}

/* As inflate, whose first call asks for memory, too. */
static inline int inflate_step(z_stream *z, int flush)
{
	int rc = inflate(z, flush);

	if (rc == Z_MEM_ERROR)
		die("out of memory (zlib)");
	return rc;
}

#endif
