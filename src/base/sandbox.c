#include "base/sandbox.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <link.h>
#define HAVE_INTERPRETER
#endif

#include "base/err.h"
#include "base/landlock.h"
#include "base/seccomp.h"
#include "base/util.h"

static char about[160] = "off";

/* ---- what stays ---- */

static void add(struct sandbox *box, const char *path, unsigned may)
{
	box->paths = xrealloc(box->paths, box->n + 1, sizeof(*box->paths));
	box->paths[box->n++] = (struct sandbox_path){xstrdup(path), may};
}

/* Whether files without a name can be made there, for then none with a name need be. */
static bool has_nameless(const char *dir)
{
	int fd = -1;

#ifdef O_TMPFILE
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
#endif
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A file is put in its place from beside it, a device is written to. */
static void add_output(struct sandbox *box, const char *path)
{
	enum { ALL = MAY_READ | MAY_WRITE | MAY_MAKE };
	struct stat st;
	bool there = stat(path, &st) == 0;
	char *real = realpath(path, NULL);

	if (!real)
		real = xstrdup(path);
	if (there && S_ISDIR(st.st_mode))
		add(box, real, ALL);
	else if (there && !S_ISREG(st.st_mode))
		add(box, real, MAY_WRITE);
	else
		add(box, dirname(real), ALL);
	free(real);
}

#ifdef HAVE_INTERPRETER
/* The dynamic loader that this program itself was started with: to start another, the kernel starts that. */
static int add_interpreter(struct dl_phdr_info *self, size_t size, void *box)
{
	(void)size;
	for (unsigned i = 0; i < self->dlpi_phnum; i++)
		if (self->dlpi_phdr[i].p_type == PT_INTERP)
			add(box, (const char *)(self->dlpi_addr + self->dlpi_phdr[i].p_vaddr), MAY_READ | MAY_RUN);
	return 1; /* the first is the program */
}
#endif

/* By the loader, any file that can be read and is a program could still be run, as this process could load it by
 * itself; not a script, nor what the system has for others by the set-user-ID bit. */
static void add_program(struct sandbox *box, const char *path)
{
	add(box, path, MAY_READ | MAY_RUN);
#ifdef HAVE_INTERPRETER
	dl_iterate_phdr(add_interpreter, box);
#endif
	box->run = true;
}

void sandbox_allow(struct sandbox *box, const char *path, enum sandbox_use use)
{
	if (use == SANDBOX_READ)
		add(box, path, MAY_READ);
	else if (use == SANDBOX_RUN)
		add_program(box, path);
	else if (use == SANDBOX_TEMPORARY)
		add(box, path, MAY_READ | MAY_WRITE | (has_nameless(path) ? 0 : MAY_MAKE));
	else
		add_output(box, path);
}

/* What libraries come back for: their own parts, character sets, terminals, the seed of a hash, the rules by which
 * memory is lent. It is the same for everyone. */
static void add_system(struct sandbox *box)
{
	static const char *const read_only[] = {
		"/usr", "/lib", "/lib64", "/opt", "/gnu/store", "/nix/store", "/etc/ld.so.cache", "/etc/terminfo",
		"/sys/devices/system/cpu", "/proc/sys/vm/overcommit_memory", "/dev/urandom",
#ifdef SANITIZED /* it looks for leaks with ptrace and here */
		"/proc",
#endif
	};

	for (size_t i = 0; i < COUNT(read_only); i++)
		add(box, read_only[i], MAY_READ);
	add(box, "/dev/null", MAY_READ | MAY_WRITE);
}

/* ---- giving up the rest ---- */

#ifdef __OpenBSD__

/* What was unveiled cannot be taken back: before the last call there is only the promise. proc: HDF5 files are read by
 * a child. */
static void enter(const struct sandbox *box, bool again)
{
	bool hidden = again;
	char promises[80];

	for (size_t i = 0; again && i < box->n; i++) {
		const struct sandbox_path *p = &box->paths[i];
		char may[5] = "";

		strlcat(may, p->may & MAY_READ ? "r" : "", sizeof(may));
		strlcat(may, p->may & MAY_WRITE ? "w" : "", sizeof(may));
		strlcat(may, p->may & MAY_RUN ? "x" : "", sizeof(may));
		strlcat(may, p->may & MAY_MAKE ? "c" : "", sizeof(may));
		if (access(p->path, F_OK) == 0 && unveil(p->path, may) != 0)
			hidden = false;
	}
	snprintf(promises, sizeof(promises), "stdio rpath wpath cpath fattr tty proc%s%s", box->run ? " exec" : "",
		 again ? "" : " unveil");
	if (pledge(promises, NULL) != 0)
		snprintf(about, sizeof(about), "none: pledge is refused");
	else
		snprintf(about, sizeof(about), "pledge (no %snetwork, ptrace)%s", box->run ? "" : "exec, ",
			 hidden ? ", unveil (files)" : "");
}

#else

static void enter(const struct sandbox *box, bool again)
{
	const char *exec = box->run ? "" : "exec, ", *only = box->run ? "; one program" : "";
	int landlock = landlock_enter(box);
	bool filter = seccomp_enter(box->run);
	(void)again;

	if (landlock < 0)
		die("too many open files to enter the sandbox; see ulimit -n");
	if (landlock && filter)
		snprintf(about, sizeof(about), "Landlock %d (files%s), seccomp (no %snetwork, ptrace)", landlock, only,
			 exec);
	else if (landlock)
		snprintf(about, sizeof(about), "Landlock %d (files%s); no seccomp on this system", landlock,
			 box->run ? only : ", no exec");
	else if (filter)
		snprintf(about, sizeof(about), "seccomp (no %snetwork, ptrace); no Landlock on this system", exec);
	else
		snprintf(about, sizeof(about), "none: this system has neither Landlock nor seccomp");
}

#endif

void sandbox_enter(struct sandbox *box)
{
	static bool again;

	add_system(box);
	enter(box, again);
	again = true;
	for (size_t i = 0; i < box->n; i++)
		free(box->paths[i].path);
	free(box->paths);
	*box = (struct sandbox){0};
}

const char *sandbox_about(void)
{
	return about;
}

/* access(2) asks for the rights of the user, of which the sandbox knows nothing. */
const char *sandbox_hint(const char *directory)
{
	bool holds = strncmp(about, "off", 3) != 0 && strncmp(about, "none", 4) != 0;

	return holds && access(directory, W_OK) == 0 ? " (by the sandbox: see --no-sandbox)" : "";
}
