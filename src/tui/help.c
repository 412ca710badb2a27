#include "tui/help.h"

#include <string.h>

#include "analysis/field.h"
#include "base/utf8.h"
#include "tui/cells.h"
#include "tui/command.h"
#include "tui/text.h"

enum { KEYS_WIDTH = 15, TEXT_MOST = 100 };

struct state {
	struct text text; /* first: text.h */
	unsigned where;   /* the keys that hold in the view it was asked for from: they come first */
	int width;
};

static void add_entry(struct state *st, const char *left, const char *right)
{
	bool wide = utf8_width(str_of(left)) >= KEYS_WIDTH; /* it has a line of its own */

	if (wide)
		text_add(&st->text, ROLE_TEXT, str_of(left));
	text_entry(&st->text, ROLE_TEXT, wide ? STR("") : str_of(left), str_of(right), (size_t)st->width, KEYS_WIDTH);
}

static void add_key(struct state *st, enum act act)
{
	struct buf names = {0};

	key_names(&names, act);
	if (names.n)
		add_entry(st, names.p, key_infos[act].help);
	buf_free(&names);
}

/* What one would not find by trying comes first, whatever place it is a key of. */
static const enum act views[] = {ACT_SUMMARY, ACT_MAP, ACT_META, ACT_JOBS};

static bool is_view(enum act act)
{
	for (size_t i = 0; i < COUNT(views); i++)
		if (views[i] == act)
			return true;
	return false;
}

static void add_views(struct state *st)
{
	text_add(&st->text, ROLE_HEADER, STR("Views of the whole"));
	for (size_t i = 0; i < COUNT(views); i++)
		add_key(st, views[i]);
	text_add(&st->text, ROLE_TEXT, STR(""));
}

static void add_keys(struct state *st, enum place place)
{
	text_add(&st->text, ROLE_HEADER, str_of(place_titles[place]));
	for (int i = 0; i < ACT_COUNT; i++)
		if (key_infos[i].where == 1u << place && !is_view((enum act)i))
			add_key(st, (enum act)i);
	text_add(&st->text, ROLE_TEXT, STR(""));
}

static void add_commands(struct state *st)
{
	struct command_info c;
	struct buf left = {0};

	text_add(&st->text, ROLE_HEADER, STR("Commands, which may be shortened"));
	for (size_t i = 0; command_info(i, &c); i++) {
		buf_clear(&left);
		buf_printf(&left, ":%s%s%s", c.name, *c.arg ? " " : "", c.arg);
		add_entry(st, left.p, c.about);
	}
	buf_free(&left);
	text_add(&st->text, ROLE_TEXT, STR(""));
}

static void add_marks(struct state *st, bool ascii)
{
	text_add(&st->text, ROLE_HEADER, STR("Marks"));
	for (int i = ST_PENDING; i < ST_SINGLE; i++) {
		struct buf left = {0};

		buf_printf(&left, "%s %s", status_mark((enum status)i, ascii), statuses[i].name);
		add_entry(st, left.p, statuses[i].about);
		buf_free(&left);
	}
	text_add(&st->text, ROLE_TEXT, STR(""));
}

static void add_fields(struct state *st)
{
	struct buf b = {0};

	text_add(&st->text, ROLE_HEADER, STR("Columns and values (d is B - A)"));
	for (const struct field *f = fields; f->key; f++) {
		buf_clear(&b);
		if (strcmp(f->key, f->title) != 0)
			buf_printf(&b, "%s: ", f->key);
		buf_puts(&b, f->about);
		add_entry(st, f->title, b.p);
	}
	buf_free(&b);
}

static void make(struct state *st, int width, bool ascii)
{
	text_clear(&st->text);
	st->width = width < TEXT_MOST ? width : TEXT_MOST;
	add_views(st);
	add_keys(st, PLACE_TENSOR); /* as these are views, too */
	for (int pass = 0; pass < 2; pass++) /* the view's own places, then those that hold everywhere or elsewhere */
		for (int place = 0; place < PLACE_COUNT; place++)
			if (place != PLACE_TENSOR && (place != PLACE_ALL && (st->where >> place & 1)) == (pass == 0))
				add_keys(st, (enum place)place);
	add_commands(st);
	add_marks(st, ascii);
	add_fields(st);
}

static void update(struct view *v)
{
	struct state *st = v->state;
	int width = v->list.w - 2;

	if (st->width != (width < TEXT_MOST ? width : TEXT_MOST))
		make(st, width, v->screen->ascii);
}

static void mode(struct view *v, struct buf *b)
{
	if (!v->needle.n)
		buf_puts(b, "   / searches");
}

static const struct view_ops help_view = {
	TEXT_VIEW,
	.title = "help",
	.state_size = sizeof(struct state),
	.update = update,
	.mode = mode,
};

void help_open(struct screen *sc)
{
	struct state *st;
	unsigned where = sc->view->ops->where;
	int w, h;

	if (sc->view->ops == &help_view)
		return;
	term_size(&w, &h);
	st = view_push(sc, &help_view)->state;
	st->where = sc->s->n_models < 2 ? where & ~(unsigned)WHERE_PAIR : where;
	make(st, w - 2, sc->ascii);
}
