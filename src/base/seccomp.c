#include "base/seccomp.h"

/* The kernel's name for the machine that this is compiled for: numbers of system calls mean nothing without it. */
#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/seccomp.h>) && __has_include(<linux/filter.h>) && __has_include(<linux/audit.h>)
#include <linux/audit.h>
#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCH AUDIT_ARCH_PPC64LE
#elif defined(__i386__)
#define ARCH AUDIT_ARCH_I386
#elif defined(__arm__) && !defined(__ARMEB__)
#define ARCH AUDIT_ARCH_ARM
#endif
#endif
#endif

#ifndef ARCH

bool seccomp_enter(bool run)
{
	(void)run;
	return false;
}

#else

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/util.h"

/*
 * What is denied is listed, not what is allowed: another C library, or the next version of this one, does the same
 * things by other calls. Those from 424 on have the same number on every machine above, and may be younger than the
 * headers.
 */
enum {
	NR_IO_URING_SETUP = 425, /* its requests pass by the filter */
	NR_OPEN_TREE = 428,
	NR_MOVE_MOUNT,
	NR_FSOPEN,
	NR_FSCONFIG,
	NR_FSMOUNT,
	NR_FSPICK,
	NR_CLONE3 = 435,
	NR_PIDFD_GETFD = 438,
	NR_PROCESS_MADVISE = 440,
	NR_MOUNT_SETATTR = 442,
	NR_PROCESS_MRELEASE = 448
};

static const uint32_t denied[] = {
	/* programs; these stand first */
	SYS_execve, SYS_execveat,
	/* the network, and other processes by sockets */
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept4,
#ifdef SYS_accept
	SYS_accept,
#endif
#ifdef SYS_socketcall
	SYS_socketcall,
#endif
	NR_IO_URING_SETUP,
	/* other processes */
#ifndef SANITIZED /* it looks for leaks by this */
	SYS_ptrace,
#endif
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, NR_PIDFD_GETFD, NR_PROCESS_MADVISE, NR_PROCESS_MRELEASE,
	/* the kernel's own machines, and what exploits of it like to use */
	SYS_bpf, SYS_userfaultfd, SYS_perf_event_open, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_personality,
#ifdef SYS_modify_ldt
	SYS_modify_ldt,
#endif
#ifdef SYS_iopl
	SYS_iopl, SYS_ioperm,
#endif
	/* the system */
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare, SYS_swapon, SYS_swapoff, SYS_reboot,
	NR_OPEN_TREE, NR_MOVE_MOUNT, NR_FSOPEN, NR_FSCONFIG, NR_FSMOUNT, NR_FSPICK, NR_MOUNT_SETATTR,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_acct, SYS_quotactl, SYS_settimeofday,
	SYS_clock_settime, SYS_adjtimex, SYS_sethostname, SYS_setdomainname, SYS_open_by_handle_at, SYS_fanotify_init,
};

#define LOAD(field, plus) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field) + (plus))
#define RETURN(what)      BPF_STMT(BPF_RET | BPF_K, (what))
#define JUMP(how, k, yes, no) BPF_JUMP(BPF_JMP | (how) | BPF_K, (uint32_t)(k), (yes), (no))
#define DENY              RETURN(SECCOMP_RET_ERRNO | EPERM)
#define ALLOW             RETURN(SECCOMP_RET_ALLOW)
enum { PROGRAMS = 2 };
enum { ARGUMENT = 8 }; /* bytes of one; the machines above have its low half first */

static const uint32_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
				   CLONE_NEWPID | CLONE_NEWNET;

static const struct sock_filter head[] = {
	LOAD(arch, 0),
	JUMP(BPF_JEQ, ARCH, 1, 0),
	DENY,
	LOAD(nr, 0),
#ifdef __x86_64__ /* the same calls once more, with pointers of 32 bits */
	JUMP(BPF_JGE, 0x40000000, 0, 1),
	DENY,
#endif
};

static const struct sock_filter tail[] = {
	/* its flags are out of sight; C libraries go back to clone */
	JUMP(BPF_JEQ, NR_CLONE3, 0, 1),
	RETURN(SECCOMP_RET_ERRNO | ENOSYS),
	JUMP(BPF_JEQ, SYS_clone, 0, 4),
	LOAD(args, 0),
	JUMP(BPF_JSET, namespaces, 0, 1),
	DENY,
	ALLOW,
	/* what is pushed back into the terminal would be the shell's next command */
	JUMP(BPF_JEQ, SYS_ioctl, 0, 4),
	LOAD(args, ARGUMENT),
	JUMP(BPF_JEQ, TIOCSTI, 1, 0),
	JUMP(BPF_JEQ, TIOCLINUX, 0, 1),
	DENY,
	ALLOW,
};

bool seccomp_enter(bool run)
{
	struct sock_filter code[COUNT(head) + 2 * COUNT(denied) + COUNT(tail)];
	struct sock_fprog program = {.filter = code};
	size_t n = 0;

	for (size_t i = 0; i < COUNT(head); i++)
		code[n++] = head[i];
	for (size_t i = run ? PROGRAMS : 0; i < COUNT(denied); i++) {
		code[n++] = (struct sock_filter)JUMP(BPF_JEQ, denied[i], 0, 1);
		code[n++] = (struct sock_filter)DENY;
	}
	for (size_t i = 0; i < COUNT(tail); i++)
		code[n++] = tail[i];
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
#ifdef SECCOMP_FILTER_FLAG_SPEC_ALLOW /* without it, some kernels slow down all loads of the process */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0)
		return true;
#endif
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

#endif
