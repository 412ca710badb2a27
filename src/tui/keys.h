/* Keys by name, and what they do: all from keys.def. */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include "base/buf.h"

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

/* The name of an action, "unfold-all", as a user's file has it; and the action, or ACT_NONE. */
void act_name(struct buf *, enum act);
enum act act_by_name(struct str name);

/* Keys of the user's: `keys` ("e", "^D", "ge") do that from now on, where the action holds, whatever the table says;
 * ACT_NONE: nothing, anywhere. False: no key is called so, or they are more than there is room for. */
bool key_bind(struct str keys, enum act);

/* The keys of an action, the user's first, with blanks between them; "" when there are none any more. */
void key_names(struct buf *, enum act);

/* Calls back for each that the user bound. */
void key_each_bound(void (*each)(void *arg, const char *keys, enum act), void *arg);

/* The key of that name: "j", "Enter", "^D"; K_NONE when there is none. */
int key_by_name(struct str name);

#endif
