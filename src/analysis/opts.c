/*
 * The command line. options.def is the one list of options: the parser, --help, the manual and (held to it by a test)
 * the completions are made from it.
 */
#include "analysis/opts.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/field.h"
#include "analysis/session.h"
#include "base/buf.h"
#include "base/limits.h"
#include "format/format.h"

enum { THREADS_MAX = 1024, BINS_MAX = 4096, BINS_DEFAULT = 16, GROUP_MAX = 1000, SIZE_LIMIT = 10000 };

const struct option_info option_infos[] = {
#define OPT(letter, name, arg, about) {"-" #letter ", --" #name, arg, about},
#define LONG(name, arg, about)        {"    --" #name, arg, about},
#define WORDS(a, b, arg, about)       {"    --" #a "-" #b, arg, about},
#include "analysis/options.def"
#undef OPT
#undef LONG
#undef WORDS
	{NULL, NULL, NULL},
};

const char *const severity_names[] = {"note", "warning", "danger", NULL};

/* Numbers are taken whole or not at all: no sign, no blank, nothing behind them. */
static bool parse_u64(const char *s, uint64_t *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoull(s, &end, 10);
	return *end == '\0' && errno == 0;
}

static enum rc number(const char *option, const char *arg, uint64_t least, uint64_t most, uint64_t *out, struct err *e)
{
	if (!parse_u64(arg, out))
		return err_set(e, "--%s takes a whole number, not '%s'", option, arg);
	if (*out < least || *out > most)
		return err_set(e, "--%s takes a number from %llu to %llu, not %s", option, (unsigned long long)least,
			       (unsigned long long)most, arg);
	return RC_OK;
}

static enum rc small(const char *option, const char *arg, unsigned most, unsigned *out, struct err *e)
{
	uint64_t n;

	if (number(option, arg, 1, most, &n, e) != RC_OK)
		return RC_FAIL;
	*out = (unsigned)n;
	return RC_OK;
}

static enum rc tolerance(const char *option, const char *arg, double *out, struct err *e)
{
	char *end;

	if (strchr("0123456789.", *arg) && *arg) {
		*out = strtod(arg, &end);
		if (end != arg && *end == '\0' && isfinite(*out))
			return RC_OK;
	}
	return err_set(e, "--%s takes a number that is not negative, not '%s'", option, arg);
}

/* The index of a word in a list ended by NULL; a sentence with all of them when it is not there. */
static enum rc word(const char *option, const char *arg, const char *const *words, unsigned *out, struct err *e)
{
	struct buf all = {0};

	for (unsigned i = 0; words[i]; i++) {
		if (strcmp(arg, words[i]) == 0) {
			*out = i;
			buf_free(&all);
			return RC_OK;
		}
		buf_printf(&all, "%s%s", i ? ", " : "", words[i]);
	}
	err_set(e, "--%s takes one of %s, not '%s'", option, all.p, arg);
	buf_free(&all);
	return RC_FAIL;
}

static void push(const char ***list, size_t *n, const char *s)
{
	*list = xrealloc(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = s;
}

/* What it means depends on the command, which may stand behind it. */
static enum rc set_output(struct opts *o, const char *arg, struct err *e)
{
	(void)e;
	o->o_arg = arg;
	return RC_OK;
}

static enum rc choose_output(struct opts *o, const char *arg, struct err *e)
{
	static const char *const words[] = {
		[OUT_TEXT] = "text", [OUT_JSON] = "json", [OUT_JSONL] = "jsonl",       [OUT_CSV] = "csv",
		[OUT_TSV] = "tsv",   [OUT_MARKDOWN] = "markdown", [OUT_HTML] = "html",
		[OUT_SARIF] = "sarif", [OUT_SARIF + 1] = NULL,
	};
	unsigned i;

	if (word("output", arg, words, &i, e) != RC_OK)
		return RC_FAIL;
	o->output = (enum output)i;
	if (o->output == OUT_SARIF && (!o->cmd || !o->cmd->findings))
		return err_set(e, "only audit has findings to print as sarif");
	return RC_OK;
}

static enum rc set_sort(struct opts *o, const char *arg, struct err *e)
{
	struct buf all = {0};

	o->sort = arg;
	if (field_by_key(str_of(arg)))
		return RC_OK;
	for (const struct field *f = fields; f->key; f++)
		buf_printf(&all, " %s", f->key);
	err_set(e, "no field '%s' to sort by; there are%s", arg, all.p ? all.p : " none");
	buf_free(&all);
	return RC_FAIL;
}

static enum rc set_reverse(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->reverse = true;
	return RC_OK;
}

static enum rc set_top(struct opts *o, const char *arg, struct err *e)
{
	return number("top", arg, 1, UINT64_MAX, &o->top, e);
}

static enum rc set_group(struct opts *o, const char *arg, struct err *e)
{
	return small("group", arg, GROUP_MAX, &o->group, e);
}

static enum rc set_match(struct opts *o, const char *arg, struct err *e)
{
	(void)e;
	push(&o->include, &o->n_include, arg);
	return RC_OK;
}

static enum rc set_exclude(struct opts *o, const char *arg, struct err *e)
{
	(void)e;
	push(&o->exclude, &o->n_exclude, arg);
	return RC_OK;
}

static enum rc no_status(struct str name, struct err *e)
{
	struct buf all = {0};

	for (unsigned i = ST_IDENTICAL; i <= ST_REMOVED; i++)
		buf_printf(&all, "%s, ", statuses[i].name);
	buf_puts(&all, "renamed");
	err_set(e, "no status '%.*s'; there are %s", (int)u64_min(name.n, 100), name.p, all.p);
	buf_free(&all);
	return RC_FAIL;
}

static enum rc set_status(struct opts *o, const char *arg, struct err *e)
{
	for (;;) {
		struct str name = {arg, strcspn(arg, ",")};
		int i = status_by_name(name);

		if (str_eq(name, STR("renamed")))
			o->status_mask |= MASK_RENAMED;
		else if (i < ST_IDENTICAL || i > ST_REMOVED)
			return no_status(name, e);
		else
			o->status_mask |= 1u << i;
		if (arg[name.n] == '\0')
			return RC_OK;
		arg += name.n + 1;
	}
}

static enum rc set_atol(struct opts *o, const char *arg, struct err *e)
{
	return tolerance("atol", arg, &o->atol, e);
}

static enum rc set_rtol(struct opts *o, const char *arg, struct err *e)
{
	return tolerance("rtol", arg, &o->rtol, e);
}

static enum rc set_brief(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->brief = true;
	return RC_OK;
}

static enum rc set_raw(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->raw = true;
	return RC_OK;
}

static enum rc set_parts(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->parts = true;
	return RC_OK;
}

static enum rc set_distribution(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->distribution = true;
	return RC_OK;
}

static enum rc set_exact(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->distribution = o->exact = true;
	return RC_OK;
}

static enum rc set_bins(struct opts *o, const char *arg, struct err *e)
{
	return small("bins", arg, BINS_MAX, &o->bins, e);
}

static enum rc set_fail_on(struct opts *o, const char *arg, struct err *e)
{
	unsigned i;

	if (word("fail-on", arg, severity_names, &i, e) != RC_OK)
		return RC_FAIL;
	o->fail_on = (enum severity)i;
	return RC_OK;
}

static enum rc set_threads(struct opts *o, const char *arg, struct err *e)
{
	return small("threads", arg, THREADS_MAX, &o->threads, e);
}

static enum rc when(const char *option, const char *arg, enum when *out, struct err *e)
{
	static const char *const words[] = {
		[WHEN_AUTO] = "auto", [WHEN_NEVER] = "never", [WHEN_ALWAYS] = "always", [WHEN_ALWAYS + 1] = NULL,
	};
	unsigned i;

	if (word(option, arg, words, &i, e) != RC_OK)
		return RC_FAIL;
	*out = (enum when)i;
	return RC_OK;
}

static enum rc set_color(struct opts *o, const char *arg, struct err *e)
{
	return when("color", arg, &o->color, e);
}

static enum rc set_progress(struct opts *o, const char *arg, struct err *e)
{
	return when("progress", arg, &o->progress, e);
}

static enum rc set_ascii(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->ascii = true;
	return RC_OK;
}

static enum rc set_format(struct opts *o, const char *arg, struct err *e)
{
	o->format = arg;
	return format_by_name(arg) ? RC_OK : err_set(e, "no format '%s'; weigh formats lists them", arg);
}

static enum rc set_cpu(struct opts *o, const char *arg, struct err *e)
{
	(void)e;
	o->cpu = arg;
	return RC_OK;
}

static enum rc set_io(struct opts *o, const char *arg, struct err *e)
{
	static const char *const words[] = {
		[IO_AUTO] = "auto", [IO_MMAP] = "mmap", [IO_READ] = "read", [IO_READ + 1] = NULL,
	};
	unsigned i;

	if (word("io", arg, words, &i, e) != RC_OK)
		return RC_FAIL;
	o->io = (enum io)i;
	return RC_OK;
}

/* As much as that, however well it is packed. */
static enum rc set_unpack(struct opts *o, const char *arg, struct err *e)
{
	uint64_t n;
	(void)o;

	if (!limits_number(arg, &n) || !n)
		return err_set(e, "--unpack takes a number of bytes, such as 200G, not '%s'", arg);
	limits.inflated = n;
	limits.ratio = UINT64_MAX;
	return RC_OK;
}

static enum rc set_limit(struct opts *o, const char *arg, struct err *e)
{
	(void)o;
	return limits_set(arg, e);
}

static enum rc set_no_renames(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->no_renames = true;
	return RC_OK;
}

static enum rc set_no_sandbox(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->no_sandbox = true;
	return RC_OK;
}

static enum rc set_keys(struct opts *o, const char *arg, struct err *e)
{
	(void)e;
	o->keys_file = arg;
	return RC_OK;
}

static enum rc set_size(struct opts *o, const char *arg, struct err *e)
{
	const char *x = strchr(arg, 'x');
	char columns[16] = "";
	uint64_t w, h;

	if (x && (size_t)(x - arg) < sizeof(columns))
		memcpy(columns, arg, (size_t)(x - arg));
	if (!x || !parse_u64(columns, &w) || !parse_u64(x + 1, &h) || w - 1 >= SIZE_LIMIT || h - 1 >= SIZE_LIMIT)
		return err_set(e, "--size takes columns and lines, such as 80x24, not '%s'", arg);
	o->columns = (unsigned)w;
	o->rows = (unsigned)h;
	return RC_OK;
}

static enum rc set_version(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->version = true;
	return RC_OK;
}

static enum rc set_help(struct opts *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->help = true;
	return RC_OK;
}

/* getopt_long returns an option's place in the list, from 0x100 on, for its long form and its letter for the short. */
enum { FIRST_LONG = 0x100 };

static const struct setter {
	char letter;
	const char *name;
	bool arg;
	enum rc (*set)(struct opts *, const char *arg, struct err *);
} setters[] = {
#define OPT(letter, name, arg, about) {#letter[0], #name, (const char *)(arg) != NULL, set_##name},
#define LONG(name, arg, about)        {'\0', #name, (const char *)(arg) != NULL, set_##name},
#define WORDS(a, b, arg, about)       {'\0', #a "-" #b, (const char *)(arg) != NULL, set_##a##_##b},
#include "analysis/options.def"
#undef OPT
#undef LONG
#undef WORDS
};

static void getopt_tables(struct option *longs, char *shorts)
{
	*shorts++ = ':'; /* tells a missing argument from an unknown option */
	for (size_t i = 0; i < COUNT(setters); i++) {
		longs[i] = (struct option){
			.name = setters[i].name,
			.has_arg = setters[i].arg ? required_argument : no_argument,
			.val = FIRST_LONG + (int)i,
		};
		if (!setters[i].letter)
			continue;
		*shorts++ = setters[i].letter;
		if (setters[i].arg)
			*shorts++ = ':';
	}
	*shorts = '\0';
}

static const struct setter *setter_of(int got)
{
	if (got >= FIRST_LONG)
		return &setters[got - FIRST_LONG];
	for (size_t i = 0; i < COUNT(setters); i++)
		if (setters[i].letter && setters[i].letter == got)
			return &setters[i];
	return NULL;
}

/* What getopt stumbled over: a letter (optopt) or the word before optind. */
static enum rc wrong_option(int got, int argc, char **argv, struct err *e)
{
	const struct setter *s = optopt ? setter_of(optopt) : NULL;
	const char *at = optind >= 1 && optind <= argc ? argv[optind - 1] : "";

	if (got == ':' && s)
		return err_set(e, "option --%s needs a value", s->name);
	if (s && !s->arg)
		return err_set(e, "option --%s takes no value", s->name);
	if (optopt && optopt < FIRST_LONG)
		return err_set(e, "unknown option -%c", optopt);
	return err_set(e, "unknown or ambiguous option %s", at);
}

static enum rc options(struct opts *o, int argc, char **argv, struct err *e)
{
	struct option longs[COUNT(setters) + 1] = {{0}};
	char shorts[2 * COUNT(setters) + 2];
	int got;

	getopt_tables(longs, shorts);
	opterr = 0;
	optind = 1;
	while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct setter *s = setter_of(got);

		if (got == '?' || got == ':' || !s)
			return wrong_option(got, argc, argv, e);
		if (s->set(o, optarg, e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

/* Whether an operand can be opened at all: a file, ARCHIVE:ENTRY, or - for standard input. */
static bool is_there(const char *path)
{
	const char *colon = strchr(path, ':');
	bool there = strcmp(path, "-") == 0 || access(path, F_OK) == 0;

	while (!there && colon) {
		struct buf archive = {0};

		buf_add(&archive, path, (size_t)(colon - path));
		there = archive.n && access(archive.p, F_OK) == 0;
		buf_free(&archive);
		colon = strchr(colon + 1, ':');
	}
	return there;
}

/* Whether the next operand names a model; else it is a pattern, or too many. */
static bool is_model(const struct opts *o, const char *operand)
{
	const struct command *c = o->cmd;

	if (o->n_paths == 0)
		return !c || c->max_models > 0;
	if (!c || o->n_paths < c->min_models)
		return o->n_paths < 2;
	return o->n_paths < c->max_models && (!c->two_optional || is_there(operand));
}

static enum rc operands(struct opts *o, int n, char **operand, struct err *e)
{
	unsigned least = o->cmd ? o->cmd->min_models : 1;

	for (int i = 0; i < n; i++) {
		if (o->n_patterns == 0 && is_model(o, operand[i]))
			o->path[o->n_paths++] = operand[i];
		else if (o->cmd && o->cmd->patterns)
			push(&o->patterns, &o->n_patterns, operand[i]);
		else
			return err_set(e, "one operand too many: %s", operand[i]);
	}
	if (o->n_paths < least && o->cmd)
		return err_set(e, "%s needs %s: weigh %s %s", o->cmd->name, least == 1 ? "a file" : "two files",
			       o->cmd->name, o->cmd->args);
	if (o->n_paths < least)
		return err_set(e, "no file was named");
	if (!o->cmd && !strchr(o->path[0], '/') && !is_there(o->path[0]))
		return err_set(e, "%s is neither a command nor a file", o->path[0]);
	return RC_OK;
}

static const struct command *command_by_name(const struct command *commands, const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

enum rc opts_parse(struct opts *o, const struct command *commands, int argc, char **argv, struct err *e)
{
	*o = (struct opts){.bins = BINS_DEFAULT, .fail_on = SEVERITY_WARNING};
	if (options(o, argc, argv, e) != RC_OK)
		return RC_FAIL;
	argc -= optind;
	argv += optind;
	/* Only the first operand names a command: a file of that name is written ./list. */
	if (argc > 0)
		o->cmd = command_by_name(commands, argv[0]);
	if (o->o_arg && o->cmd && o->cmd->to_file)
		o->file = strcmp(o->o_arg, "-") == 0 ? NULL : o->o_arg;
	else if (o->o_arg && choose_output(o, o->o_arg, e) != RC_OK)
		return RC_FAIL;
	if (o->help || o->version)
		return RC_OK;
	return operands(o, argc - (o->cmd != NULL), argv + (o->cmd != NULL), e);
}

void opts_free(struct opts *o)
{
	free(o->patterns);
	free(o->include);
	free(o->exclude);
	*o = (struct opts){0};
}
