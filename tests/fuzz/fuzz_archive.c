/* What is compressed as a whole, and archives: unpacked, looked at, and gone through to its end as the audit does. */
#include "fuzz/fuzz.h"

#include "base/limits.h"
#include "bytes/archive_end.h"
#include "bytes/member.h"
#include "format/format.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct fuzz_files files;
	struct archive_end end;
	struct model m;
	struct err e;

	if (!archive_looks((struct bytes){p, n}))
		return 0;
	limits.inflated = 1 << 20;
	if (fuzz_write(&files, p, n, "x.tar.gz") && model_inspect(&m, files.path[0], NULL, NULL, &e) == RC_OK) {
		fuzz_look(&m);
		source_archive_end(&m.source, 0, &end);
		model_close(&m);
	}
	fuzz_remove(&files);
	return 0;
}
