/* Keys by name, and what they do: all from keys.def. */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include "base/util.h"

enum act {
#define KEY(id, keys, where, help) ACT_##id,
#include "tui/keys.def"
	ACT_COUNT,
	ACT_NONE,  /* the key does nothing here */
	ACT_PREFIX /* the first of two keys */
};

enum place {
#define PLACE(where, title) PLACE_##where,
#include "tui/keys.def"
	PLACE_COUNT
};
extern const char *const place_titles[PLACE_COUNT];

enum {
#define PLACE(where, title) WHERE_##where = 1 << PLACE_##where,
#include "tui/keys.def"
};

struct key_info {
	const char *keys;
	unsigned where;
	const char *help;
};
extern const struct key_info key_infos[ACT_COUNT];

/* The action of a key, struck after `prefix` (K_NONE: after nothing), where the bits of `where` hold. What a key does
 * everywhere gives way to what it does in a place. */
enum act key_act(int prefix, int key, unsigned where);

/* The key of that name: "j", "Enter", "^D"; K_NONE when there is none. */
int key_by_name(struct str name);

#endif
