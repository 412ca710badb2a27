/*
 * base/sandbox: what is given up fails inside, and only there. Each attempt is made twice, by a child without and by
 * one with the sandbox; one that fails in both shows nothing and is not counted.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#endif

#include "base/outfile.h"
#include "base/sandbox.h"
#include "base/util.h"
#include "bytes/member.h"

static char dir[PATH_MAX - 64]; /* in it: model/, out/, temp/, other/, each with a file f */

static const char *in_dir(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* As the program does: in two steps, unless it stays at the first, where all may be read. */
static void enter(bool wholly)
{
	struct sandbox box = {0};

	if (wholly)
		enter(false);
	if (!wholly)
		sandbox_allow(&box, "/bin/true", SANDBOX_RUN);
	sandbox_allow(&box, wholly ? in_dir("model") : "/", SANDBOX_READ);
	sandbox_allow(&box, in_dir("out/new"), SANDBOX_OUTPUT);
	sandbox_allow(&box, in_dir("temp"), SANDBOX_TEMPORARY);
	sandbox_allow(&box, in_dir("not/there"), SANDBOX_READ);
	sandbox_enter(&box);
}

enum { OUTSIDE, OPENING, INSIDE };

/* What it returned in a child of its own: 0, or an errno. A signal is the kernel's way to say that it has no such
 * call. */
static int try_in_child(int (*attempt)(void), int where)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		if (where != OUTSIDE)
			enter(where == INSIDE);
		_exit(attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : ENOSYS;
}

/* ---- attempts: 0, or the errno ---- */

static int opened(const char *name, int flags)
{
	int fd = open(in_dir(name), flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : errno;
}

static int done(long result)
{
	return result >= 0 ? 0 : errno;
}

static int read_model(void)
{
	return opened("model/f", O_RDONLY);
}

static int list_model(void)
{
	return opened("model", O_RDONLY | O_DIRECTORY);
}

static int write_model(void)
{
	return opened("model/f", O_WRONLY);
}

static int make_beside(void)
{
	return opened("model/new", O_WRONLY | O_CREAT);
}

static int read_other(void)
{
	return opened("other/f", O_RDONLY);
}

static int list_other(void)
{
	return opened("other", O_RDONLY | O_DIRECTORY);
}

static int write_other(void)
{
	return opened("other/f", O_WRONLY);
}

static int make_other(void)
{
	return opened("other/new", O_WRONLY | O_CREAT);
}

static int make_directory(void)
{
	int why = done(mkdir(in_dir("out/directory"), 0700));

	rmdir(in_dir("out/directory"));
	return why;
}

static int remove_other(void)
{
	int why = done(unlink(in_dir("other/f")));

	close(open(in_dir("other/f"), O_WRONLY | O_CREAT, 0600));
	return why;
}

static int move_out(void)
{
	char to[PATH_MAX];
	int why;

	snprintf(to, sizeof(to), "%s", in_dir("out/f"));
	why = done(rename(in_dir("other/f"), to));
	close(open(in_dir("other/f"), O_WRONLY | O_CREAT, 0600));
	return why;
}

static int make_in_temp(void)
{
	int why = opened("temp/new", O_WRONLY | O_CREAT);

	unlink(in_dir("temp/new"));
	return why;
}

static int nameless_in_temp(void)
{
	struct err e;
	int fd;

	setenv("TMPDIR", in_dir("temp"), 1);
	fd = spool_open(&e);
	return fd >= 0 && spool_write(fd, "x", 1, &e) == RC_OK ? 0 : EACCES;
}

static int put_in_place(void)
{
	struct outfile *o;
	struct err e;
	enum rc rc = outfile_open(&o, in_dir("out/new"), &e);

	if (rc == RC_OK)
		rc = outfile_write(o, "x", 1, &e);
	if (rc == RC_OK)
		rc = outfile_commit(o, &e);
	outfile_close(o);
	return rc == RC_OK && access(in_dir("out/new"), F_OK) == 0 ? 0 : EACCES;
}

static int use_null(void)
{
	int fd = open("/dev/null", O_RDWR);

	return done(fd >= 0 ? write(fd, "x", 1) : -1);
}

/* They do not come back where it works: true ends with 0, and so does the shell. */
static int exec_program(void)
{
	char name[] = "true", *args[] = {name, NULL}, *none[] = {NULL};

	execve("/bin/true", args, none);
	return errno;
}

static int exec_other(void)
{
	char name[] = "sh", c[] = "-c", nothing[] = ":", *args[] = {name, c, nothing, NULL}, *none[] = {NULL};

	execve("/bin/sh", args, none);
	return errno;
}

static int exec_in_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(exec_program());
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int run_shell(void)
{
	return system(":") == 0 ? 0 : EPERM;
}

static int internet(void)
{
	return done(socket(AF_INET, SOCK_STREAM, 0));
}

static int datagrams(void)
{
	return done(socket(AF_INET6, SOCK_DGRAM, 0));
}

static int local_socket(void)
{
	return done(socket(AF_UNIX, SOCK_STREAM, 0));
}

static void *one_more(void *p)
{
	++*(int *)p;
	return NULL;
}

static int start_thread(void)
{
	pthread_t t;
	int n = 0;

	if (pthread_create(&t, NULL, one_more, &n) != 0 || pthread_join(t, NULL) != 0)
		return EPERM;
	return n == 1 ? 0 : EPERM;
}

static void *socket_in_thread(void *p)
{
	*(int *)p = internet();
	return NULL;
}

static int internet_of_a_thread(void)
{
	int why = 0;
	pthread_t t;

	if (pthread_create(&t, NULL, socket_in_thread, &why) == 0)
		pthread_join(t, NULL);
	return why;
}

static int fork_child(void)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : EPERM;
}

static int map_memory(void)
{
	void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && madvise(p, 1 << 20, MADV_DONTNEED) == 0 && munmap(p, 1 << 20) == 0 ? 0 : errno;
}

static int signal_group(void)
{
	return done(kill(0, 0));
}

static int ask_terminal(void)
{
	struct winsize size;
	int fds[2];

	/* what is no terminal says that, and not that one may not ask */
	if (pipe(fds) != 0)
		return errno;
	return ioctl(fds[0], TIOCGWINSZ, &size) < 0 && errno == ENOTTY ? 0 : errno;
}

#ifdef __linux__
static int random_bytes(void)
{
	char b[16];

	return done(getrandom(b, sizeof(b), 0));
}

#ifndef SANITIZED
static int be_traced(void)
{
	return done(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}
#endif

static int read_process(void)
{
	char from[4] = "abc", to[4];
	struct iovec a = {from, 4}, b = {to, 4};

	return done(process_vm_readv(getpid(), &b, 1, &a, 1, 0));
}

static int push_back(void)
{
	int fds[2];

	/* not a terminal: ENOTTY where the kernel gets to see it */
	if (pipe(fds) != 0)
		return errno;
	return done(ioctl(fds[0], TIOCSTI, "x")) == ENOTTY ? 0 : errno;
}

static int new_user(void)
{
	return done(unshare(CLONE_NEWUSER));
}

static int new_user_by_clone(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return done(pid);
}

#ifdef SYS_io_uring_setup
static int ring(void)
{
	char params[256] = {0};

	return done(syscall(SYS_io_uring_setup, 1, params));
}
#endif

#ifdef __x86_64__
/* getpid by the numbers of another machine: of 32 bits (int $0x80), where the kernel knows it */
static int other_numbers(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	return result >= 0 ? 0 : (int)-result;
}
#endif
#endif

enum keeper { STAYS, LANDLOCK, SECCOMP, EITHER };

static const struct attempt {
	const char *name;
	int (*attempt)(void);
	enum keeper keeper; /* who forbids it */
	bool sure;          /* outside it always works */
} attempts[] = {
	{"read the model", read_model, STAYS, true},
	{"list the model's directory", list_model, STAYS, true},
	{"put a file in its place", put_in_place, STAYS, true},
	{"a temporary file", nameless_in_temp, STAYS, true},
	{"/dev/null", use_null, STAYS, true},
	{"a thread", start_thread, STAYS, true},
	{"fork", fork_child, STAYS, true},
	{"memory", map_memory, STAYS, true},
	{"a signal to the group", signal_group, STAYS, true},
	{"ask the terminal", ask_terminal, STAYS, true},
	{"write to the model", write_model, LANDLOCK, true},
	{"make a file beside the model", make_beside, LANDLOCK, true},
	{"read another file", read_other, LANDLOCK, true},
	{"list another directory", list_other, LANDLOCK, true},
	{"write to another file", write_other, LANDLOCK, true},
	{"make another file", make_other, LANDLOCK, true},
	{"make a directory", make_directory, LANDLOCK, true},
	{"remove another file", remove_other, LANDLOCK, true},
	{"move another file", move_out, LANDLOCK, true},
	{"execve", exec_program, EITHER, true},
	{"execve in a child", exec_in_child, EITHER, true},
	{"system", run_shell, EITHER, true},
	{"a socket", internet, SECCOMP, false},
	{"a socket in a thread", internet_of_a_thread, SECCOMP, false},
	{"a socket for datagrams", datagrams, SECCOMP, false},
	{"a local socket", local_socket, SECCOMP, true},
#ifdef __linux__
	{"random bytes", random_bytes, STAYS, true},
#ifndef SANITIZED
	{"ptrace", be_traced, SECCOMP, false},
#endif
	{"process_vm_readv", read_process, SECCOMP, false},
	{"TIOCSTI", push_back, SECCOMP, false},
	{"a user namespace", new_user, SECCOMP, false},
	{"a user namespace by clone", new_user_by_clone, SECCOMP, false},
#ifdef SYS_io_uring_setup
	{"io_uring", ring, SECCOMP, false},
#endif
#ifdef __x86_64__
	{"system calls of i386", other_numbers, SECCOMP, false},
#endif
#endif
};

/* ---- the tests ---- */

static bool holds(enum keeper keeper)
{
	static char about[160];
	int ends[2];
	ssize_t n;
	pid_t pid;

	if (!about[0]) {
		assert_int_equal(pipe(ends), 0);
		pid = fork();
		if (pid == 0) {
			enter(true);
			_exit(write(ends[1], sandbox_about(), strlen(sandbox_about())) < 0);
		}
		close(ends[1]);
		n = read(ends[0], about, sizeof(about) - 1);
		assert_true(n > 0);
		about[n] = '\0';
		close(ends[0]);
		waitpid(pid, NULL, 0);
		print_message("# %s\n", about);
	}
	if (keeper == LANDLOCK)
		return strstr(about, "Landlock ") || strstr(about, "unveil");
	if (keeper == SECCOMP)
		return strstr(about, "seccomp (");
	return holds(LANDLOCK) || holds(SECCOMP);
}

static void test_what_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(attempts); i++) {
		if (attempts[i].keeper != STAYS)
			continue;
		if (try_in_child(attempts[i].attempt, INSIDE) != 0)
			fail_msg("%s: does not work inside", attempts[i].name);
	}
}

static void check_kept(const struct attempt *a)
{
	int outside = try_in_child(a->attempt, OUTSIDE), inside;

	if (outside != 0 && a->sure)
		fail_msg("%s: does not work outside either: %s", a->name, strerror(outside));
	if (outside != 0) {
		print_message("# %s: not to be had here (%s)\n", a->name, strerror(outside));
		return;
	}
	inside = try_in_child(a->attempt, INSIDE);
	if (inside != EPERM && inside != EACCES && inside != EXDEV)
		fail_msg("%s: %s inside", a->name, inside ? strerror(inside) : "works");
}

static void check_keeper(enum keeper keeper)
{
	if (!holds(keeper))
		skip();
	for (size_t i = 0; i < COUNT(attempts); i++)
		if (attempts[i].keeper == keeper)
			check_kept(&attempts[i]);
}

static void test_files(void **state)
{
	(void)state;
	check_keeper(LANDLOCK);
}

static void test_programs(void **state)
{
	(void)state;
	check_keeper(EITHER);
}

static void test_calls(void **state)
{
	(void)state;
	check_keeper(SECCOMP);
}

/* Where files without a name can be made, none with a name can. */
static void test_temporary(void **state)
{
	int fd = -1;
	(void)state;

	if (!holds(LANDLOCK))
		skip();
#ifdef O_TMPFILE
	fd = open(in_dir("temp"), O_TMPFILE | O_RDWR, 0600);
#endif
	if (fd < 0)
		skip();
	close(fd);
	assert_int_equal(try_in_child(make_in_temp, OUTSIDE), 0);
	assert_int_equal(try_in_child(make_in_temp, INSIDE), EACCES);
}

/* While the models are opened, anything may be read, and the one program started. */
static void test_opening(void **state)
{
	(void)state;
	if (!holds(LANDLOCK) || !holds(SECCOMP))
		skip();
	assert_int_equal(try_in_child(read_other, OPENING), 0);
	assert_int_equal(try_in_child(list_other, OPENING), 0);
	assert_int_equal(try_in_child(put_in_place, OPENING), 0);
	assert_int_equal(try_in_child(nameless_in_temp, OPENING), 0);
	assert_int_equal(try_in_child(fork_child, OPENING), 0);
	assert_int_equal(try_in_child(write_other, OPENING), EACCES);
	assert_int_equal(try_in_child(make_other, OPENING), EACCES);
	assert_int_equal(try_in_child(write_model, OPENING), EACCES);
	assert_int_equal(try_in_child(local_socket, OPENING), EPERM);
	assert_int_equal(try_in_child(exec_program, OPENING), 0);
	assert_int_equal(try_in_child(exec_other, OUTSIDE), 0);
	assert_int_equal(try_in_child(exec_other, OPENING), EACCES);
}

static void test_off(void **state)
{
	(void)state;
	assert_string_equal(sandbox_about(), "off");
}

static int set_up(void **state)
{
	static const char *const names[] = {"model", "out", "temp", "other"};
	const char *temp = getenv("TMPDIR");
	(void)state;

	snprintf(dir, sizeof(dir), "%s/sandbox.XXXXXX", temp ? temp : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < COUNT(names); i++) {
		char file[16];

		mkdir(in_dir(names[i]), 0700);
		snprintf(file, sizeof(file), "%s/f", names[i]);
		close(open(in_dir(file), O_WRONLY | O_CREAT, 0600));
	}
	return 0;
}

static int clean_up(void **state)
{
	static const char *const names[] = {"model/f", "model/new", "model", "out/f", "out/new", "out", "temp/f", "temp",
					    "other/f", "other/new", "other", ""};
	(void)state;

	for (size_t i = 0; i < COUNT(names); i++)
		remove(in_dir(names[i]));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),     cmocka_unit_test(test_what_stays), cmocka_unit_test(test_files),
		cmocka_unit_test(test_programs), cmocka_unit_test(test_calls),     cmocka_unit_test(test_temporary),
		cmocka_unit_test(test_opening),
	};

	return cmocka_run_group_tests(tests, set_up, clean_up);
}
