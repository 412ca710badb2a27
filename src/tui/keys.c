#include "tui/keys.h"

#include <ctype.h>
#include <string.h>

#include "base/utf8.h"
#include "tui/term.h"

const struct key_info key_infos[ACT_COUNT] = {
#define KEY(id, keys, where, help) [ACT_##id] = {keys, WHERE_##where, help},
#include "tui/keys.def"
};

const char *const place_titles[PLACE_COUNT] = {
#define PLACE(where, title) [PLACE_##where] = (title),
#include "tui/keys.def"
};

static const struct {
	const char *name;
	int key;
} names[] = {
	{"Up", K_UP},       {"Down", K_DOWN},   {"Left", K_LEFT},   {"Right", K_RIGHT}, {"Home", K_HOME},
	{"End", K_END},     {"PgUp", K_PGUP},   {"PgDn", K_PGDN},   {"Enter", K_ENTER}, {"Tab", K_TAB},
	{"Esc", K_ESC},     {"Space", ' '},     {"Backspace", K_BACKSPACE},
};

int key_by_name(struct str name)
{
	uint32_t cp;

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(name, str_of(names[i].name)))
			return names[i].key;
	if (name.n == 2 && name.p[0] == '^')
		return name.p[1] & 0x1f;
	return name.n && utf8_next(name, &cp) == name.n ? (int)cp : K_NONE;
}

/* ---- the user's ---- */

enum { BOUND_MAX = 200 };

static struct binding {
	char keys[16];
	enum act act;
} bound[BOUND_MAX];
static size_t n_bound;

static const char *const ids[ACT_COUNT] = {
#define KEY(id, keys, where, help) [ACT_##id] = #id,
#include "tui/keys.def"
};

void act_name(struct buf *b, enum act act)
{
	for (const char *p = ids[act]; *p; p++)
		buf_putc(b, *p == '_' ? '-' : (char)tolower((unsigned char)*p));
}

enum act act_by_name(struct str name)
{
	struct buf b = {0};
	enum act found = ACT_NONE;

	for (int a = 0; a < ACT_COUNT && found == ACT_NONE; a++) {
		buf_clear(&b);
		act_name(&b, (enum act)a);
		if (str_eq(buf_view(&b), name))
			found = (enum act)a;
	}
	buf_free(&b);
	return found;
}

static bool is_bound(struct str keys)
{
	for (size_t i = 0; i < n_bound; i++)
		if (str_eq(str_of(bound[i].keys), keys))
			return true;
	return false;
}

bool key_bind(struct str keys, enum act act)
{
	bool two = keys.n == 2 && keys.p[0] != '^' && (keys.p[0] & 0x80) == 0 && (keys.p[1] & 0x80) == 0;
	struct binding *at = bound;

	if (keys.n == 0 || keys.n >= sizeof(at->keys) || (!two && key_by_name(keys) == K_NONE))
		return false;
	while (at < bound + n_bound && !str_eq(str_of(at->keys), keys))
		at++;
	if (at == bound + BOUND_MAX)
		return false;
	n_bound += at == bound + n_bound;
	memcpy(at->keys, keys.p, keys.n);
	at->keys[keys.n] = '\0';
	at->act = act;
	return true;
}

void key_each_bound(void (*each)(void *, const char *, enum act), void *arg)
{
	for (size_t i = 0; i < n_bound; i++)
		each(arg, bound[i].keys, bound[i].act);
}

static void add_name(struct buf *b, struct str keys)
{
	if (b->n)
		buf_putc(b, ' ');
	buf_str(b, keys);
}

void key_names(struct buf *b, enum act act)
{
	for (size_t i = 0; i < n_bound; i++)
		if (bound[i].act == act)
			add_name(b, str_of(bound[i].keys));
	for (const char *p = key_infos[act].keys; *p;) {
		size_t n = strcspn(p, " ");

		if (!is_bound((struct str){p, n}))
			add_name(b, (struct str){p, n});
		p += n + (p[n] == ' ');
	}
}

/* ---- what a key does ---- */

/* Whether a word of the table is that key: 0 no, 1 yes, 2 its first half. */
static int word_is(struct str word, int prefix, int key)
{
	bool two = word.n == 2 && word.p[0] != '^';

	if (!two)
		return prefix == K_NONE && key_by_name(word) == key;
	if (prefix == K_NONE)
		return word.p[0] == key ? 2 : 0;
	return word.p[0] == prefix && word.p[1] == key;
}

/* What the user's keys say; false: nothing, so that the table is asked. */
static bool act_bound(int prefix, int key, unsigned where, enum act *act)
{
	for (size_t i = 0; i < n_bound; i++) {
		int hit = word_is(str_of(bound[i].keys), prefix, key);

		if (!hit || (bound[i].act != ACT_NONE && !(key_infos[bound[i].act].where & where)))
			continue;
		*act = hit == 2 ? ACT_PREFIX : bound[i].act;
		return true;
	}
	return false;
}

static enum act act_in(int prefix, int key, unsigned where)
{
	for (int a = 0; a < ACT_COUNT; a++) {
		const char *p = key_infos[a].keys;

		if (!(key_infos[a].where & where))
			continue;
		while (*p) {
			size_t n = strcspn(p, " ");
			int hit = word_is((struct str){p, n}, prefix, key);

			if (hit)
				return hit == 2 ? ACT_PREFIX : (enum act)a;
			p += n + (p[n] == ' ');
		}
	}
	return ACT_NONE;
}

enum act key_act(int prefix, int key, unsigned where)
{
	enum act act;

	if (act_bound(prefix, key, where & ~(unsigned)WHERE_ALL, &act) || act_bound(prefix, key, where, &act))
		return act;
	act = act_in(prefix, key, where & ~(unsigned)WHERE_ALL);
	return act == ACT_NONE ? act_in(prefix, key, where & WHERE_ALL) : act;
}
