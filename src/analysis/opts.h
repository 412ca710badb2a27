/* What the command line asked for: plain data, filled once, read by everything to the right. */
#ifndef ANALYSIS_OPTS_H
#define ANALYSIS_OPTS_H

#include "base/err.h"
#include "base/util.h"
#include "bytes/source.h"

struct session;
struct opts;

enum output { OUT_TEXT, OUT_JSON, OUT_JSONL, OUT_CSV, OUT_TSV, OUT_MARKDOWN, OUT_HTML, OUT_SARIF };
enum io { IO_AUTO, IO_MMAP, IO_READ };
enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_DANGER };
enum { MASK_RENAMED = 1 << 30 }; /* in a mask of statuses: of any status, but under two names */
extern const char *const severity_names[]; /* note, warning, danger; ended by NULL */
enum when { WHEN_AUTO, WHEN_NEVER, WHEN_ALWAYS };

/* A row of the table of commands. A command prints to standard output and returns the exit status. */
struct command {
	const char *name, *args, *about;
	unsigned min_models, max_models;
	bool patterns;      /* takes PATTERN (or NAME) operands after the models */
	bool two_optional;  /* the second operand is a model only if a file of that name exists */
	bool to_file;       /* writes a file, which -o names, and has no formats */
	bool findings;      /* prints findings: in SARIF, too */
	int (*run)(struct session *, const struct opts *);
};

struct opts {
	const struct command *cmd;  /* NULL: the screen */
	const char *path[2];
	unsigned n_paths;
	const char **patterns;      /* operands after the models */
	size_t n_patterns;
	const char **include, **exclude; /* -m and -v */
	size_t n_include, n_exclude;

	const char *o_arg;          /* what -o was given: a format, or for a command that writes a file: */
	const char *file;           /* NULL: standard output */
	enum output output;
	const char *sort;           /* a field's key, or NULL for the order of the tree */
	bool reverse;
	uint64_t top;               /* 0: all */
	unsigned group;             /* name components to roll up to; 0: none */
	unsigned status_mask;       /* bits 1 << enum status, and MASK_RENAMED; 0: all */
	double atol, rtol;
	bool brief, distribution, exact, ascii;
	bool raw;                   /* packed tensors are not put together */
	bool parts;                 /* list: their parts, too */
	enum severity fail_on;      /* audit: the least that makes the exit status 1 */
	unsigned threads;           /* 0: one a processor */
	unsigned bins;              /* of hist */
	enum when color, progress;
	const char *format;         /* NULL: by content */
	const char *cpu;            /* NULL: the best kernel */
	bool no_renames;            /* pairs have one name */
	bool no_sandbox;            /* the process keeps its rights */
	enum io io;                 /* how the bytes of files are come by */
	struct unpacking unpacking; /* who is told of it is for main to say */

	const char *keys_file;      /* --keys: the screen is driven by a script, without a terminal */
	unsigned columns, rows;     /* --size, or COLUMNS in batch; 0: ask the terminal */
	bool help, version;
};

/* Parses argv against the commands (ended by a NULL name). Fails with a sentence for a wrong option or operand. */
enum rc opts_parse(struct opts *, const struct command *commands, int argc, char **argv, struct err *);
void opts_free(struct opts *);

/* Where the list of options stands once: --help, the manual and the completions are made from it. */
struct option_info {
	const char *names; /* "-s, --sort" */
	const char *arg;   /* "KEY" or NULL */
	const char *about;
};
extern const struct option_info option_infos[]; /* ended by NULL names */

#endif
