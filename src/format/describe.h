/* Naming what a file is when no reader takes it. */
#ifndef FORMAT_DESCRIBE_H
#define FORMAT_DESCRIBE_H

#include "format/format.h"

/* Says what the file looks like. Returns RC_FAIL. */
enum rc describe_unknown(struct bytes head, uint64_t size, struct err *);

/* Whether it is a Git LFS pointer: then RC_FAIL, and a sentence that says so. */
enum rc describe_pointer(struct bytes head, struct err *);

/* What a zip file is whose first entry gives away a format that is not read here; NULL: nothing special. */
const char *describe_zip(struct bytes head);

#endif
