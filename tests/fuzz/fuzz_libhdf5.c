/*
 * What weigh-h5 does with an HDF5 file, libhdf5 with it, here in this process; and what becomes of its answer. A
 * corpus that it passed is replayed; to go on past what the library dies of, see README.
 */
#include "fuzz/fuzz.h"

#include <hdf5.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "bytes/spool.h"
#include "format/format.h"
#include "format/h5scan.h"
#include "h5/scan.h"

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* The scan allows itself some seconds of its process's time, of which this one has used many. */
int setrlimit(__rlimit_resource_t what, const struct rlimit *limit)
{
	(void)what, (void)limit;
	return 0;
}

/* These two stand for those of the library, which run the other program. */
const char *h5_version(void)
{
	return "0";
}

enum rc h5_scan(const struct source *s, struct span file, struct spool *sp, struct buf *records, struct err *e)
{
	FILE *answer = tmpfile();
	struct spool *theirs;
	char some[4096];
	struct bytes b;
	size_t n;

	if (!answer || !source_slice(s, file, &b))
		return err_set(e, "no file");
	theirs = spool_adopt(dup(spool_descriptor(sp)), spool_limit(sp));
	h5_write_all(b, theirs, fileno(answer));
	spool_drop(theirs);
	H5close(); /* the scan leaves that to the end of its process, and some memory */
	rewind(answer);
	while ((n = fread(some, 1, sizeof(some), answer)) > 0)
		buf_add(records, some, n);
	fclose(answer);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct fuzz_files files;
	struct model m;
	struct err e;

	if (n < 8 || memcmp(p, "\211HDF\r\n\032\n", 8) != 0)
		return 0;
	limits.inflated = 4 << 20;
	if (fuzz_write(&files, p, n, "x.h5") && model_open(&m, files.path[0], "hdf5", NULL, &e) == RC_OK) {
		fuzz_look(&m);
		model_close(&m);
	}
	fuzz_remove(&files);
	return 0;
}
