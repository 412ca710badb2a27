#include "tui/command.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/utf8.h"
#include "tui/config.h"
#include "tui/help.h"
#include "tui/report.h"

/* ---- completion ---- */

/* What what was typed so far may become. */
struct candidates {
	char common[PROMPT_MAX]; /* what all of them begin with */
	struct buf all;          /* their names, for the message */
	size_t n;
};

static void candidate(struct candidates *c, const char *name, const char *end)
{
	size_t k = 0;
	char whole[PROMPT_MAX];

	snprintf(whole, sizeof(whole), "%s%s", name, end);
	if (c->n++ == 0)
		snprintf(c->common, sizeof(c->common), "%s", whole);
	while (c->common[k] && c->common[k] == whole[k])
		k++;
	while (k && (c->common[k] & 0xc0) == 0x80) /* not in the middle of a character */
		k--;
	c->common[k] = '\0';
	buf_printf(&c->all, "%s%s", c->n > 1 ? "  " : "", whole);
}

/* Puts what is common in the place of the last `typed` bytes of the prompt. */
static void complete_with(struct screen *sc, struct prompt *p, size_t typed, struct candidates *c)
{
	size_t n = strlen(c->common);

	if (c->n == 0) {
		screen_message(sc, "no such name");
	} else if (n > typed || (c->n == 1 && n == typed)) {
		if (p->n - typed + n < sizeof(p->text)) {
			memcpy(p->text + p->n - typed, c->common, n + 1);
			p->n += n - typed;
		}
	} else {
		screen_message(sc, "%.*s", 200, c->all.p);
	}
	buf_free(&c->all);
}

void path_of_user(char *out, size_t size, const char *typed)
{
	const char *home = getenv("HOME");

	if (strncmp(typed, "~/", 2) == 0 && home)
		snprintf(out, size, "%s/%s", home, typed + 2);
	else
		snprintf(out, size, "%s", typed);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return str_cmp_natural(str_of((*a)->d_name), str_of((*b)->d_name));
}

/* Of the path that the prompt ends in. */
static void complete_path_at(struct screen *sc, struct prompt *p, const char *path)
{
	const char *slash = strrchr(path, '/'), *begun = slash ? slash + 1 : path;
	char typed[PROMPT_MAX], dir[PROMPT_MAX];
	struct candidates c = {.n = 0};
	struct dirent **found = NULL;
	int n;

	snprintf(typed, sizeof(typed), "%.*s", (int)(begun - path), path);
	path_of_user(dir, sizeof(dir), typed);
	n = scandir(dir[0] ? dir : ".", &found, NULL, by_name);
	for (int i = 0; i < n; i++) {
		const char *name = found[i]->d_name;
		char whole[2 * PROMPT_MAX];
		struct stat st;

		if (strncmp(name, begun, strlen(begun)) == 0 && (name[0] != '.' || begun[0] == '.') &&
		    strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			snprintf(whole, sizeof(whole), "%s%s", dir, name);
			candidate(&c, name, stat(whole, &st) == 0 && S_ISDIR(st.st_mode) ? "/" : "");
		}
		free(found[i]);
	}
	free(found);
	complete_with(sc, p, strlen(begun), &c);
}

void complete_path(struct screen *sc, struct prompt *p)
{
	complete_path_at(sc, p, p->text);
}

/* ---- commands ---- */

static void run_diff(struct screen *sc, const char *arg)
{
	struct stat st;

	if (sc->s->n_models > 1) {
		screen_trouble(sc, "two models are open already");
	} else if (sc->opening) {
		screen_trouble(sc, "%s is being opened: Esc stops that", sc->added);
	} else if (!*arg) {
		screen_trouble(sc, "diff needs a file: diff FILE");
	} else {
		path_of_user(sc->added, sizeof(sc->added), arg);
		/* nobody may ever write to it, and then neither Escape nor quitting gets away from it */
		if (stat(sc->added, &st) == 0 && S_ISFIFO(st.st_mode))
			screen_trouble(sc, "%s is a pipe: name it when weigh is started", sc->added);
		else
			sc->change = CHANGE_ADD;
	}
}

static void run_swap(struct screen *sc, const char *arg)
{
	(void)arg;
	if (sc->s->n_models < 2)
		screen_trouble(sc, "there is only one model");
	else
		sc->change = CHANGE_SWAP;
}

static void run_write(struct screen *sc, const char *arg)
{
	if (*arg)
		report_to(sc, arg);
	else
		report_prompt(sc);
}

static void run_quit(struct screen *sc, const char *arg)
{
	(void)arg;
	sc->quit = true;
}

static void run_help(struct screen *sc, const char *arg)
{
	(void)arg;
	help_open(sc);
}

static void run_save(struct screen *sc, const char *arg)
{
	struct buf path = {0};
	struct err e;
	(void)arg;

	if (config_save(sc, &e) != RC_OK)
		screen_trouble(sc, "%s", e.msg);
	else if (config_path(&path))
		screen_message(sc, "the settings are kept in %s", path.p);
	buf_free(&path);
}

/* The help and the manual have this table, too: one line each. */
static const struct verb {
	const char *name, *arg, *about;
	void (*run)(struct screen *, const char *arg);
	void (*complete)(struct screen *, struct prompt *, const char *arg);
} verbs[] = {
	{"diff", "FILE", "Open a second model and compare the first one with it", run_diff, complete_path_at},
	{"swap", "", "Swap A and B", run_swap, NULL},
	{"write", "FILE", "Write what is shown to a file", run_write, complete_path_at},
	{"save", "", "Keep the settings as they are now: columns, theme, layout, scale and keys", run_save, NULL},
	{"help", "", "Show the keys, and what marks and columns mean", run_help, NULL},
	{"quit", "", "Quit", run_quit, NULL},
};

bool command_info(size_t i, struct command_info *c)
{
	const struct setting *s = i < COUNT(verbs) ? NULL : &settings[i - COUNT(verbs)];

	*c = s ? (struct command_info){s->name, s->arg, s->about} :
		 (struct command_info){verbs[i].name, verbs[i].arg, verbs[i].about};
	return c->name != NULL;
}

/* The name of the i-th command, then of the settings, which can be given as commands, too; NULL behind the last. */
static const char *name_of(size_t i)
{
	return i < COUNT(verbs) ? verbs[i].name : settings[i - COUNT(verbs)].name;
}

/* A name may be shortened as long as it stays the only one. SIZE_MAX: there is none; *several: or more than one. */
static size_t find_name(struct str name, bool *several)
{
	size_t found = SIZE_MAX;

	*several = false;
	for (size_t i = 0; name_of(i); i++) {
		if (strncmp(name_of(i), name.p, name.n) != 0)
			continue;
		if (name_of(i)[name.n] == '\0') {
			*several = false;
			return i;
		}
		*several = *several || found != SIZE_MAX;
		found = i;
	}
	return *several ? SIZE_MAX : found;
}

static const char *after_blanks(const char *s)
{
	return s + strspn(s, " ");
}

static void run_one(struct screen *sc, size_t i, const char *arg)
{
	struct err e;

	if (i < COUNT(verbs))
		verbs[i].run(sc, arg);
	else if (settings[i - COUNT(verbs)].set(sc, arg, &e) != RC_OK)
		screen_trouble(sc, "%s", e.msg);
}

static void run_command(struct view *v, const char *text)
{
	char line[PROMPT_MAX];
	struct str name;
	bool several;
	size_t n, i;

	snprintf(line, sizeof(line), "%s", after_blanks(text));
	for (n = strlen(line); n && line[n - 1] == ' ';)
		line[--n] = '\0';
	name = (struct str){line, strcspn(line, " ")};
	if (name.n == 0)
		return;
	i = find_name(name, &several);
	if (i != SIZE_MAX)
		run_one(v->screen, i, after_blanks(line + name.n));
	else
		screen_trouble(v->screen, "%.*s: %s", (int)name.n, name.p, several ? "several commands begin so" :
			       "no such command: Tab lists them");
}

static void complete_word(struct screen *sc, struct prompt *p, const char *begun, const char *(*word)(size_t))
{
	struct candidates c = {.n = 0};

	for (size_t i = 0; word(i); i++)
		if (strncmp(word(i), begun, strlen(begun)) == 0)
			candidate(&c, word(i), word == name_of ? " " : "");
	complete_with(sc, p, strlen(begun), &c);
}

static const char *field_word(size_t i)
{
	return fields[i].key;
}

/* What stands behind the last blank. */
static const char *last_word(const char *s)
{
	const char *blank = strrchr(s, ' ');

	return blank ? blank + 1 : s;
}

void complete_field(struct screen *sc, struct prompt *p)
{
	const char *word = last_word(p->text);

	complete_word(sc, p, word + strspn(word, "!"), field_word);
}

static void complete_command(struct screen *sc, struct prompt *p)
{
	const char *word = after_blanks(p->text), *arg;
	struct str name = {word, strcspn(word, " ")};
	bool several;
	size_t i;

	if (!word[name.n]) {
		complete_word(sc, p, word, name_of);
		return;
	}
	i = find_name(name, &several);
	arg = after_blanks(word + name.n);
	if (i < COUNT(verbs) && verbs[i].complete)
		verbs[i].complete(sc, p, arg);
	else if (i != SIZE_MAX && i >= COUNT(verbs) && settings[i - COUNT(verbs)].word)
		complete_word(sc, p, last_word(arg), settings[i - COUNT(verbs)].word);
}

void command_prompt(struct screen *sc)
{
	screen_prompt(sc, ":", "", run_command);
	sc->prompt.complete = complete_command;
}
