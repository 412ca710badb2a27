#include "tui/keys.h"

#include <string.h>

#include "base/utf8.h"
#include "tui/term.h"

const struct key_info key_infos[ACT_COUNT] = {
#define KEY(id, keys, where, help) [ACT_##id] = {keys, WHERE_##where, help},
#include "tui/keys.def"
};

const char *const place_titles[PLACE_COUNT] = {
#define PLACE(where, title) [PLACE_##where] = title,
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
	enum act act = act_in(prefix, key, where & ~(unsigned)WHERE_ALL);

	return act == ACT_NONE ? act_in(prefix, key, where & WHERE_ALL) : act;
}
