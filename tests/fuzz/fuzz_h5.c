/*
 * What weigh-h5 answers, which is as untrusted as the file: here the file is the list of records. Keras's zip files
 * have such a list where the HDF5 file would be.
 */
#include "fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "bytes/member.h"
#include "bytes/spool.h"
#include "format/format.h"
#include "format/h5scan.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* These two stand for those of the library, which run the other program. */
const char *h5_version(void)
{
	return "0";
}

enum rc h5_scan(const struct source *s, struct span file, struct spool *sp, struct buf *records, struct err *e)
{
	static const char unpacked[4096] = {1, 2, 3};
	struct bytes b;

	if (!source_slice(s, file, &b) || write(spool_descriptor(sp), unpacked, sizeof(unpacked)) < 0)
		return err_set(e, "no records");
	if (b.n)
		buf_add(records, (const char *)b.p, b.n);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	bool zip = n > 2 && memcmp(p, "PK", 2) == 0;
	struct fuzz_files files;
	struct model m;
	struct err e;

	if (!zip && archive_looks((struct bytes){p, n})) /* it would be unpacked first: see fuzz_format.c */
		return 0;
	limits.inflated = 4 << 20;
	if (fuzz_write(&files, p, n, zip ? "x.keras" : "x.h5") &&
	    model_open(&m, files.path[0], zip ? "keras" : "hdf5", NULL, &e) == RC_OK) {
		fuzz_look(&m);
		model_close(&m);
	}
	fuzz_remove(&files);
	return 0;
}
