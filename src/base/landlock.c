#include "base/landlock.h"

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/landlock.h>)
#define HAVE_LANDLOCK 1
#endif
#endif

#ifndef HAVE_LANDLOCK

int landlock_enter(const struct sandbox *box)
{
	(void)box;
	return 0;
}

#else

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The numbers are the same on all machines but Alpha, whose headers have them. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

/* What later versions added, for headers that are older than the kernel. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
enum { TCP_BIND = 1 << 0, TCP_CONNECT = 1 << 1 };

struct ruleset { /* struct landlock_ruleset_attr as far as it goes here; a kernel takes a shorter one, too */
	uint64_t fs, net;
};

static const uint64_t fs_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t fs_write = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
static const uint64_t fs_make = LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
/* of a file that is no directory, only these can be said */
static const uint64_t fs_file = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;

/* All that a version can forbid. */
static struct ruleset everything(int version)
{
	struct ruleset r = {.fs = 2 * LANDLOCK_ACCESS_FS_MAKE_SYM - 1};

	if (version >= 2)
		r.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		r.fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 4)
		r.net = TCP_BIND | TCP_CONNECT;
	if (version >= 5)
		r.fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return r;
}

/* Without a descriptor to be had, what is to be allowed could not be said, and files that are needed would seem to be
 * forbidden. */
static bool want_of_descriptors(void)
{
	return errno == EMFILE || errno == ENFILE;
}

/* False: for want of descriptors. What is not there, or cannot be added, is left shut. */
static bool allow(int rules, uint64_t handled, const struct sandbox_path *p)
{
	uint64_t access = (p->may & MAY_READ ? fs_read : 0) | (p->may & MAY_WRITE ? fs_write : 0) |
			  (p->may & MAY_MAKE ? fs_make : 0) |
			  (p->may & MAY_RUN ? (uint64_t)LANDLOCK_ACCESS_FS_EXECUTE : 0);
	struct landlock_path_beneath_attr rule = {.parent_fd = open(p->path, O_PATH | O_CLOEXEC)};
	struct stat st;

	if (rule.parent_fd < 0)
		return !want_of_descriptors();
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		access &= fs_file;
	rule.allowed_access = access & handled;
	syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return true;
}

int landlock_enter(const struct sandbox *box)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset all;
	int rules;
	bool held;

	if (version < 1)
		return 0;
	all = everything((int)version);
	rules = (int)syscall(SYS_landlock_create_ruleset, &all, version < 4 ? sizeof(all.fs) : sizeof(all), 0);
	if (rules < 0)
		return want_of_descriptors() ? -1 : 0;
	for (size_t i = 0; i < box->n; i++) {
		if (!allow(rules, all.fs, &box->paths[i])) {
			close(rules);
			return -1;
		}
	}
	held = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return held ? (int)version : 0;
}

#endif
