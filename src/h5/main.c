/*
 * weigh-h5 VERSION OFFSET LENGTH MOST: reads an HDF5 file with libhdf5 for weigh, which runs it with the file, a spool
 * and a pipe as open descriptors (format/h5scan.h). It opens no file but /dev/null. The file is untrusted and the
 * library is easily upset: a crash, or too much time or memory, is the end of this program only, and it gives up all
 * rights before it begins, whatever weigh itself must keep.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/util.h"
#include "base/version.h"
#include "format/h5scan.h"
#include "h5/scan.h"

#define MEMORY_MAX ((rlim_t)4 << 30) /* as far as the system counts it */

/* What weigh ignores is ignored here, too, unless it is said otherwise. */
static void set_limits(void)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGXCPU, SIGTERM, SIGINT};
	struct rlimit none = {0, 0};

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], SIG_DFL);
	signal(SIGPIPE, SIG_IGN); /* a write that fails tells the same */
	setrlimit(RLIMIT_CORE, &none);
#ifndef SANITIZED /* which needs much memory */
	struct rlimit memory = {MEMORY_MAX, MEMORY_MAX};

	setrlimit(RLIMIT_DATA, &memory);
#endif
}

static bool number(const char *z, uint64_t *x)
{
	char *end;

	errno = 0;
	*x = strtoumax(z, &end, 10);
	return *z >= '0' && *z <= '9' && !*end && !errno;
}

static bool map_image(uint64_t offset, uint64_t length, struct bytes *image)
{
	uint64_t before = offset % (uint64_t)sysconf(_SC_PAGESIZE);
	uint8_t *p;

	if (!length || length > PTRDIFF_MAX - before || offset > INT64_MAX) {
		errno = EINVAL;
		return false;
	}
	p = mmap(NULL, (size_t)(before + length), PROT_READ, MAP_PRIVATE, H5_FD_FILE, (off_t)(offset - before));
	if (p == MAP_FAILED)
		return false;
	*image = (struct bytes){p + before, (size_t)length};
	/* cppcheck-suppress memleak ; it stays mapped as long as the process runs */
	return true;
}

int main(int argc, char **argv)
{
	uint64_t offset, length, most;
	struct sandbox nothing = {0};
	struct bytes image;
	struct spool *sp;
	struct err e;

	if (argc != 5 || !number(argv[2], &offset) || !number(argv[3], &length) || !number(argv[4], &most)) {
		fprintf(stderr, H5_PROGRAM ": is run by weigh, for HDF5 files; it is of no use by itself\n");
		return 2;
	}
	if (strcmp(argv[1], WEIGH_VERSION) != 0)
		return H5_OTHER_VERSION;
	set_limits();
	sandbox_enter(&nothing);
	if (map_image(offset, length, &image)) {
		sp = spool_adopt(H5_FD_SPOOL, most);
		h5_write_all(image, sp, H5_FD_PIPE);
		spool_drop(sp);
	} else {
		err_set(&e, "cannot be mapped: %s", strerror(errno));
		h5_write_trouble(e.msg, H5_FD_PIPE);
	}
	_exit(0); /* without the library's own end, which a broken file may have made a mess of */
}
