/* A table of contents: parse, open, run, close. */
#include <errno.h>
#include <jansson.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/session.h"
#include "base/sandbox.h"
#include "base/utf8.h"
#include "batch/batch.h"
#include "batch/help.h"
#include "batch/progress.h"
#include "bytes/source.h"
#include "num/kern.h"
#include "tui/tui.h"

enum { TROUBLE = 2 };

/* Messages are ASCII: the terminal has no UTF-8, where the bytes of a letter may be control characters (9B, the last
 * one of U+00DB, is one), or --ascii says so. */
static bool ascii;

static int trouble(const char *why, const char *hint)
{
	struct buf b = {0};

	utf8_display(&b, str_of(why), ascii);
	fprintf(stderr, "weigh: %s%s\n", b.p ? b.p : "", hint);
	buf_free(&b);
	return TROUBLE;
}

/* A mapped file became shorter under us: its pages are gone. A scan finds out and tells; without one there is nothing
 * to go back to. */
static void on_bus_error(int sig, siginfo_t *info, void *unused)
{
	static const char why[] = "weigh: a file shrank while it was open\n";
	int saved = errno;
	(void)sig, (void)unused;

	if (source_recover(info->si_addr)) {
		errno = saved;
		return;
	}
	if (die_hook)
		die_hook();
	if (write(STDERR_FILENO, why, sizeof(why) - 1) < 0)
		_exit(TROUBLE);
	_exit(TROUBLE);
}

/* libarchive ends the program itself when it finds no memory, and with status 1, which would say that files differ. */
static bool came_to_end;

static void on_exit_elsewhere(void)
{
	if (came_to_end)
		return;
	fflush(NULL);
	_exit(TROUBLE);
}

/* A closed pipe is seen as a failed write (see batch/out.h), not as a signal. */
static void set_signals(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, bus = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL); /* likewise a file that grows too long */
	sigaction(SIGBUS, &bus, NULL);
}

/* The screen needs a terminal on both ends; a script of keys needs none. */
static bool has_screen(const struct opts *o)
{
	const char *term = getenv("TERM");

	if (o->keys_file)
		return true;
	return o->output == OUT_TEXT && !o->brief && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

/* Only LC_CTYPE: numbers are read and written with a point everywhere. Where the terminal has no UTF-8, text is ASCII;
 * JSON, CSV and TSV are UTF-8 all the same, and what is harmless in them is decided by UTF-8's tables. */
static void set_locale(struct opts *o)
{
	bool narrow = ascii;

	ascii = o->ascii = o->ascii || ascii;
	if (narrow && o->cmd)
		setlocale(LC_CTYPE, "C.UTF-8");
}

static int wrong_cpu(const char *name)
{
	struct buf b = {0};
	int status;

	buf_printf(&b, "no kernels '%s' for this processor; there are", name);
	for (size_t i = 0; kerns[i]; i++)
		if (kerns[i]->usable())
			buf_printf(&b, " %s", kerns[i]->name);
	status = trouble(b.p, "");
	buf_free(&b);
	return status;
}

/* A bar tells how far unpacking is, for the screen too: it is not there yet. */
static enum rc open_models(struct session *s, struct opts *o, struct err *e)
{
	struct progress *p = progress_new(o);
	enum rc rc;

	o->unpacking.tell = p ? progress_unpacked : NULL;
	o->unpacking.arg = p;
	rc = session_open(s, o, e);
	o->unpacking.tell = NULL;
	progress_free(p);
	return rc;
}

/* From here on only what is needed: before the models are opened, to read any file, for a part of one may lie
 * elsewhere; then to read theirs. To write, the files that were named for it. */
static void confine(const struct session *s, const struct opts *o)
{
	struct sandbox box = {0};

	if (o->no_sandbox)
		return;
	session_needs(s, o, &box);
	if (!o->cmd && o->n_paths)
		tui_needs(o, &box);
	else if (o->file)
		sandbox_allow(&box, o->file, SANDBOX_OUTPUT);
	sandbox_enter(&box);
}

static int run(struct session *s, struct opts *o)
{
	struct err e;
	int status;

	if (!o->cmd && !has_screen(o))
		o->cmd = command_summary();
	set_locale(o);
	confine(s, o);
	if (o->n_paths && open_models(s, o, &e) != RC_OK)
		return trouble(e.msg, o->cmd && o->cmd->findings ? "; nothing was checked" : "");
	if (o->n_paths)
		confine(s, o);
	session_start(s);
	if (o->cmd)
		status = o->cmd->run(s, o);
	else
		status = tui_run(s, o, &e) == RC_OK ? 0 : trouble(e.msg, "");
	session_close(s);
	return status;
}

/* --version tells what holds. */
static int run_help(const struct session *s, const struct opts *o)
{
	confine(s, o);
	return help(o);
}

int main(int argc, char **argv)
{
	struct session s = {0};
	struct opts o;
	struct err e;
	int status;

	setlocale(LC_CTYPE, "");
	ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	set_signals();
	atexit(on_exit_elsewhere);
	json_set_alloc_funcs(xmalloc, free); /* else what finds no memory is missing in the output */
	if (opts_parse(&o, commands, argc, argv, &e) != RC_OK)
		status = trouble(e.msg, " (try 'weigh --help')");
	else if (o.help || o.version)
		status = run_help(&s, &o);
	else if (!kern_pick(o.cpu))
		status = wrong_cpu(o.cpu);
	else
		status = run(&s, &o);
	opts_free(&o);
	status = out_end(status);
	came_to_end = true;
	return status;
}
