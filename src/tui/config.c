#include "tui/config.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/outfile.h"
#include "base/sandbox.h"
#include "tui/columns.h"

enum { CONFIG_MAX = 1 << 16 };

static const char *after_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* ---- the settings ---- */

static enum rc one_of(const char *arg, const char *(*word)(size_t), size_t *out, struct err *e)
{
	struct buf all = {0};
	const char *known;

	for (*out = 0; (known = word(*out)); (*out)++) {
		if (strcmp(known, arg) == 0) {
			buf_free(&all);
			return RC_OK;
		}
		buf_printf(&all, "%s%s", *out ? ", " : "", known);
	}
	err_set(e, "'%s' is none of %s", arg, all.p);
	buf_free(&all);
	return RC_FAIL;
}

static const char *theme_word(size_t i)
{
	return i < THEME_COUNT ? theme_names[i] : NULL;
}

static enum rc set_theme(struct screen *sc, const char *arg, struct err *e)
{
	size_t i;

	if (one_of(arg, theme_word, &i, e) != RC_OK)
		return RC_FAIL;
	sc->settings.theme = (enum theme)i;
	term_theme(sc->settings.theme);
	return RC_OK;
}

static void show_theme(struct screen *sc, struct buf *b)
{
	if (sc->settings.theme != THEME_AUTO)
		buf_printf(b, "theme %s\n", theme_names[sc->settings.theme]);
}

static const char *const panes[] = {
	[PANE_OFF] = "full", [PANE_BELOW] = "stacked", [PANE_RIGHT] = "side", [PANE_AUTO] = "auto",
};

static const char *layout_word(size_t i)
{
	return i < COUNT(panes) ? panes[i] : NULL;
}

static enum rc set_layout(struct screen *sc, const char *arg, struct err *e)
{
	size_t i;

	if (one_of(arg, layout_word, &i, e) != RC_OK)
		return RC_FAIL;
	sc->pane = (enum pane)i;
	return RC_OK;
}

static void show_layout(struct screen *sc, struct buf *b)
{
	if (sc->pane != PANE_AUTO)
		buf_printf(b, "layout %s\n", panes[sc->pane]);
}

static const char *scale_word(size_t i)
{
	return i == 0 ? "linear" : i == 1 ? "log" : NULL;
}

static enum rc set_scale(struct screen *sc, const char *arg, struct err *e)
{
	size_t i;

	if (one_of(arg, scale_word, &i, e) != RC_OK)
		return RC_FAIL;
	sc->log_scale = i == 1;
	return RC_OK;
}

static void show_scale(struct screen *sc, struct buf *b)
{
	if (sc->log_scale)
		buf_puts(b, "scale log\n");
}

static const char *mouse_word(size_t i)
{
	return i == 0 ? "on" : i == 1 ? "off" : NULL;
}

static enum rc set_mouse(struct screen *sc, const char *arg, struct err *e)
{
	size_t i;

	if (one_of(arg, mouse_word, &i, e) != RC_OK)
		return RC_FAIL;
	sc->settings.no_mouse = i == 1;
	term_use_mouse(i == 0);
	return RC_OK;
}

static void show_mouse(struct screen *sc, struct buf *b)
{
	if (sc->settings.no_mouse)
		buf_puts(b, "mouse off\n");
}

/* The words of a line, each a column; "default" takes the choice back. */
static enum rc set_columns_of(struct screen *sc, const char *arg, bool pair, struct err *e)
{
	struct chosen chosen = {.on = strcmp(arg, "default") != 0};

	for (const char *p = arg; chosen.on && *p; p = after_blanks(p)) {
		struct str word = {p, strcspn(p, " \t")};

		if (chosen.n == COLUMNS_MAX - 1)
			return err_set(e, "more than %d columns", COLUMNS_MAX - 1);
		if (column_parse(&chosen.c[chosen.n++], word, pair, e) != RC_OK)
			return RC_FAIL;
		p += word.n;
	}
	sc->settings.columns[pair] = chosen;
	return RC_OK;
}

static const char *column_name(size_t i)
{
	return fields[i].key;
}

static enum rc set_columns_one(struct screen *sc, const char *arg, struct err *e)
{
	return set_columns_of(sc, arg, false, e);
}

static enum rc set_columns_two(struct screen *sc, const char *arg, struct err *e)
{
	return set_columns_of(sc, arg, true, e);
}

static void show_columns(struct screen *sc, struct buf *b, const char *name, bool pair)
{
	const struct chosen *chosen = &sc->settings.columns[pair];

	if (!chosen->on)
		return;
	buf_puts(b, name);
	for (size_t i = 0; i < chosen->n; i++) {
		buf_putc(b, ' ');
		column_word(b, &chosen->c[i], true);
	}
	buf_putc(b, '\n');
}

static void show_columns_one(struct screen *sc, struct buf *b)
{
	show_columns(sc, b, "columns1", false);
}

static void show_columns_two(struct screen *sc, struct buf *b)
{
	show_columns(sc, b, "columns2", true);
}

static enum rc set_bind(struct screen *sc, const char *arg, struct err *e)
{
	struct str keys = {arg, strcspn(arg, " \t")}, name = str_of(after_blanks(arg + keys.n));
	enum act act = act_by_name(name);
	(void)sc;

	if (name.n == 0)
		return err_set(e, "bind takes a key and an action: bind e unfold-all");
	if (act == ACT_NONE && !str_eq(name, STR("none")))
		return err_set(e, "no action '%s'", name.p);
	if (!key_bind(keys, act))
		return err_set(e, "no key '%.*s'", (int)keys.n, keys.p);
	return RC_OK;
}

/* The words for actions, one at a time. */
static const char *bind_word(size_t i)
{
	static struct buf name;

	if (i > ACT_COUNT)
		return NULL;
	buf_clear(&name);
	if (i == ACT_COUNT)
		buf_puts(&name, "none");
	else
		act_name(&name, (enum act)i);
	return name.p;
}

static void show_bound(void *arg, const char *keys, enum act act)
{
	struct buf *b = arg;

	buf_printf(b, "bind %s ", keys);
	if (act == ACT_NONE)
		buf_puts(b, "none");
	else
		act_name(b, act);
	buf_putc(b, '\n');
}

static void show_bind(struct screen *sc, struct buf *b)
{
	(void)sc;
	key_each_bound(show_bound, b);
}

/* The manual has this table, too: one line each, but for the functions. */
const struct setting settings[] = {
	{"theme", "NAME", "Colours: dark, light, terminal (its eight), mono, or auto (dark, or as COLORFGBG says)",
	 set_theme, show_theme, theme_word},
	{"layout", "NAME", "Details below the tree (stacked), beside it (side), not at all (full), or by room (auto)",
	 set_layout, show_layout, layout_word},
	{"scale", "NAME", "Bars and histograms linear or log", set_scale, show_scale, scale_word},
	{"mouse", "on|off", "Whether the mouse is used; off, the terminal has it, to select text with",
	 set_mouse, show_mouse, mouse_word},
	{"columns1", "COLUMN ...", "The columns of one model: fields, a width behind a colon where wanted; or default",
	 set_columns_one, show_columns_one, column_name},
	{"columns2", "COLUMN ...", "Likewise of two: bar draws the relative change, a.std and b.std are std of A and B",
	 set_columns_two, show_columns_two, column_name},
	{"bind", "KEY ACTION", "What a key does: actions have their words in the list of keys; none takes the key away",
	 set_bind, show_bind, bind_word},
	{.name = NULL},
};

/* ---- the file ---- */

bool config_path(struct buf *b)
{
	const char *dir = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (dir && *dir == '/')
		buf_printf(b, "%s/weigh/config", dir);
	else if (home && *home)
		buf_printf(b, "%s/.config/weigh/config", home);
	return b->n > 0;
}

/* All of it, NUL-terminated; NULL with a sentence, or an empty one where there is no file. */
static char *load(const char *path, struct err *e)
{
	FILE *f = fopen(path, "r");
	char *text;
	size_t n;

	e->msg[0] = '\0';
	if (!f && errno != ENOENT && errno != ENOTDIR)
		err_set(e, "%s: %s", path, strerror(errno));
	if (!f)
		return NULL;
	text = xmalloc(CONFIG_MAX + 1);
	n = fread(text, 1, CONFIG_MAX, f);
	if (ferror(f) || (n == CONFIG_MAX && fgetc(f) != EOF)) {
		err_set(e, "%s: %s", path, ferror(f) ? "cannot be read" : "too long for settings");
		free(text);
		text = NULL;
	} else {
		text[n] = '\0';
	}
	fclose(f);
	return text;
}

/* Where a comment begins: in front, or behind the second word, which may be the key #. */
static char *comment(char *line)
{
	char *p = line;

	if (*p == '#')
		return p;
	for (int word = 1; *p; word++) {
		p += strcspn(p, " \t");
		p += strspn(p, " \t");
		if (*p == '#' && word > 1)
			break;
	}
	return p;
}

/* The next line, cut out in place: without its comment and the blanks around it. NULL at the end. */
static char *next_line(char **at)
{
	char *line = *at, *p;
	size_t n;

	if (!*line)
		return NULL;
	n = strcspn(line, "\n");
	*at = line + n + (line[n] == '\n');
	line[n] = '\0';
	line += strspn(line, " \t\r");
	p = comment(line);
	while (p > line && strchr(" \t\r", p[-1]))
		p--;
	*p = '\0';
	return line;
}

static const struct setting *setting_of(const char *line)
{
	size_t n = strcspn(line, " \t\r\n"); /* lines follow where it was not cut out */

	for (const struct setting *t = settings; t->name; t++)
		if (strlen(t->name) == n && strncmp(t->name, line, n) == 0)
			return t;
	return NULL;
}

static enum rc apply(struct screen *sc, const char *line, struct err *e)
{
	const struct setting *t = setting_of(line);
	size_t n = strcspn(line, " \t");

	if (!t)
		return err_set(e, "no setting '%.*s'", (int)n, line);
	return t->set(sc, after_blanks(line + n), e);
}

void config_read(struct screen *sc)
{
	struct buf path = {0};
	struct err e = {""}, first = {""};
	unsigned line = 0, wrong = 0;
	char *text = config_path(&path) ? load(path.p, &e) : NULL, *at = text, *l;

	if (!text && e.msg[0])
		screen_trouble(sc, "%s", e.msg);
	while (text && (l = next_line(&at))) {
		line++;
		if (!*l || apply(sc, l, &e) == RC_OK)
			continue;
		if (wrong++ == 0)
			err_set(&first, "line %u: %s", line, e.msg);
	}
	if (wrong > 1)
		screen_trouble(sc, "weigh/config, %s (and %u more)", first.msg, wrong - 1);
	else if (wrong)
		screen_trouble(sc, "weigh/config, %s", first.msg);
	free(text);
	buf_free(&path);
}

/* ---- keeping ---- */

/* All directories on the way to a file. */
static void make_directories(const char *path)
{
	char *copy = xstrdup(path);

	for (char *p = copy + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(copy, 0700);
			*p = '/';
		}
	free(copy);
}

static void keep_others(struct buf *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		const char *word = text + strspn(text, " \t\r"); /* as next_line has it */

		if (*word == '#' || *word == '\n' || *word == '\0' || !setting_of(word)) {
			buf_add(out, text, n);
			buf_putc(out, '\n');
		}
		text += n + (text[n] == '\n');
	}
}

/* Whether the directory of a file is there. */
static bool is_there(const char *path)
{
	char *copy = xstrdup(path);
	bool there = access(dirname(copy), F_OK) == 0;

	free(copy);
	return there;
}

enum rc config_save(struct screen *sc, struct err *e)
{
	struct buf path = {0}, out = {0};
	struct outfile *file;
	enum rc rc;
	char *old;

	if (!config_path(&path))
		return err_set(e, "there is no home directory to keep settings in");
	old = load(path.p, e);
	if (!old && e->msg[0]) {
		buf_free(&path);
		return RC_FAIL;
	}
	keep_others(&out, old ? old : "# Settings of weigh: see weigh(1), SETTINGS.\n");
	for (const struct setting *t = settings; t->name; t++)
		t->show(sc, &out);
	make_directories(path.p);
	rc = outfile_open(&file, path.p, e);
	if (rc == RC_OK)
		rc = outfile_write(file, buf_view(&out).p, out.n, e);
	if (rc == RC_OK)
		rc = outfile_commit(file, e);
	outfile_close(file);
	if (rc != RC_OK)
		err_prefix(e, "%s", path.p);
	if (rc != RC_OK && !is_there(path.p) && *sandbox_hint("."))
		err_set(e, "the sandbox lets no directory be made: make that of %s first", path.p);
	free(old);
	buf_free(&path);
	buf_free(&out);
	return rc;
}
