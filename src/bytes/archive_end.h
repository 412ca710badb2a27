/* What is only known of a compressed file, or of a tar file, once it was gone through to its very end. */
#ifndef BYTES_ARCHIVE_END_H
#define BYTES_ARCHIVE_END_H

#include "bytes/source.h"

struct archive_end {
	uint64_t packed;        /* bytes of the file that its streams take: what follows belongs to none */
	uint64_t filled, first; /* bytes behind the last entry of the tar file that are not zero; where the first is,
				   in what is unpacked */
};

/* Unpacks the file that is this member once more; false: there is nothing to unpack, or it is damaged, so that its end
 * is not known. */
bool source_archive_end(const struct source *, uint32_t member, struct archive_end *);

#endif
