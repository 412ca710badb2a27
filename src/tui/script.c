#include "tui/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tui/keys.h"
#include "tui/term.h"

enum { SCRIPT_MAX = 1 << 20, SIZE_MOST = 1000 };

enum rc script_open(struct script *sc, const char *path, struct err *e)
{
	FILE *f = fopen(path, "r");
	size_t n;

	*sc = (struct script){.path = path, .line = 1};
	if (!f)
		return err_set(e, "%s: %s", path, strerror(errno));
	sc->text = xmalloc(SCRIPT_MAX + 1);
	n = fread(sc->text, 1, SCRIPT_MAX + 1, f);
	if (ferror(f) || n > SCRIPT_MAX) {
		err_set(e, "%s: %s", path, ferror(f) ? "cannot be read" : "too long for a script of keys");
		fclose(f);
		script_close(sc);
		return RC_FAIL;
	}
	fclose(f);
	sc->text[n] = '\0';
	sc->p = sc->text;
	return RC_OK;
}

void script_close(struct script *sc)
{
	free(sc->text);
	*sc = (struct script){0};
}

static enum rc wrong(const struct script *sc, struct err *e, const char *what, const char *word)
{
	return err_set(e, "%s: line %u: %s '%s'", sc->path, sc->line, what, word);
}

static void skip_blanks(struct script *sc)
{
	for (; *sc->p; sc->p++) {
		if (*sc->p == '#' && (sc->p == sc->text || strchr(" \t\n", sc->p[-1])))
			sc->p += strcspn(sc->p, "\n");
		if (*sc->p == '\n')
			sc->line++;
		else if (!*sc->p || !strchr(" \t\r", *sc->p))
			return;
	}
}

/* The next word; NULL at the end. It is cut out of the text in place. */
static char *word(struct script *sc)
{
	char *w;

	skip_blanks(sc);
	if (!*sc->p)
		return NULL;
	w = sc->p;
	sc->p += strcspn(sc->p, " \t\r\n");
	if (*sc->p == '\n')
		sc->line++;
	if (*sc->p)
		*sc->p++ = '\0';
	return w;
}

/* "text to type": undoes the escapes in place. */
static enum rc quoted(struct script *sc, struct err *e)
{
	char *out = ++sc->p;

	sc->typing = out;
	while (*sc->p && *sc->p != '"' && *sc->p != '\n') {
		if (*sc->p == '\\' && (sc->p[1] == '"' || sc->p[1] == '\\'))
			sc->p++;
		*out++ = *sc->p++;
	}
	if (*sc->p != '"')
		return wrong(sc, e, "a text without its closing quote:", sc->typing);
	sc->p++;
	*out = '\0';
	return RC_OK;
}

/* "press 12,3": counted from 0. */
static enum rc mouse(struct script *sc, struct action *a, struct err *e)
{
	static const char *const whats[] = {
		[MOUSE_PRESS] = "press", [MOUSE_DOUBLE] = "double", [MOUSE_DRAG] = "drag", [MOUSE_RELEASE] = "release",
		[MOUSE_WHEEL_UP] = "up", [MOUSE_WHEEL_DOWN] = "down",
	};
	const char *what = a->file, *place = word(sc);

	for (size_t i = 0; i < COUNT(whats); i++)
		/* NOLINTNEXTLINE(cert-err34-c): four digits always fit */
		if (strcmp(what, whats[i]) == 0 && place && sscanf(place, "%4d,%4d", &a->mouse.x, &a->mouse.y) == 2) {
			a->mouse.what = (enum mouse_what)i;
			return RC_OK;
		}
	return wrong(sc, e, "not what a mouse does, such as press 12,3:", what);
}

static enum rc directive(struct script *sc, const char *name, struct action *a, struct err *e)
{
	static const struct {
		const char *name;
		enum step step;
	} directives[] = {{"@wait", STEP_WAIT}, {"@save", STEP_SAVE}, {"@attrs", STEP_ATTRS}, {"@size", STEP_SIZE},
		     {"@mouse", STEP_MOUSE}};

	for (size_t i = 0; i < COUNT(directives); i++) {
		if (strcmp(name, directives[i].name) != 0)
			continue;
		a->step = directives[i].step;
		if (a->step == STEP_WAIT)
			return RC_OK;
		a->file = word(sc);
		if (!a->file)
			return wrong(sc, e, "nothing follows", name);
		if (a->step == STEP_MOUSE)
			return mouse(sc, a, e);
		if (a->step == STEP_SIZE &&
		    /* NOLINTNEXTLINE(cert-err34-c): four digits always fit */
		    (sscanf(a->file, "%4dx%4d", &a->columns, &a->rows) != 2 || a->columns < 1 || a->rows < 1 ||
		     a->columns > SIZE_MOST || a->rows > SIZE_MOST))
			return wrong(sc, e, "not a size such as 80x24:", a->file);
		return RC_OK;
	}
	return wrong(sc, e, "no directive", name);
}

static bool typed(struct script *sc, struct action *a)
{
	uint32_t cp;
	size_t n;

	if (!sc->typing || !*sc->typing)
		return false;
	n = utf8_next(str_of(sc->typing), &cp);
	a->step = STEP_KEY;
	a->key = n ? (int)cp : '?';
	sc->typing += n ? n : 1;
	return true;
}

enum rc script_next(struct script *sc, struct action *a, struct err *e)
{
	char *w;

	*a = (struct action){.step = STEP_END};
	for (;;) {
		if (typed(sc, a))
			return RC_OK;
		skip_blanks(sc);
		if (*sc->p != '"')
			break;
		if (quoted(sc, e) != RC_OK) /* what it holds is typed; that may be nothing */
			return RC_FAIL;
	}
	w = word(sc);
	if (!w)
		return RC_OK;
	if (w[0] == '@' && w[1])
		return directive(sc, w, a, e);
	a->step = STEP_KEY;
	a->key = key_by_name(str_of(w));
	if (a->key != K_NONE)
		return RC_OK;
	if (strlen(w) != 2) /* zM: one key after the other */
		return wrong(sc, e, "no key is called", w);
	sc->typing = w;
	typed(sc, a);
	return RC_OK;
}
