#include "tui/help.h"

#include <string.h>

#include "analysis/field.h"
#include "base/utf8.h"
#include "tui/cells.h"
#include "tui/text.h"

static const struct view_ops help_view = {
	.title = "help",
	.where = WHERE_ALL,
	.pager = true,
	.state_size = sizeof(struct text),
	.rows = text_rows,
	.draw_row = text_draw_row,
	.find = text_find,
	.close = text_close,
};

enum { KEYS_WIDTH = 16, TEXT_WIDTH = 76 };

/* A word at the left, its text beside it, wrapped. */
static void add_entry(struct text *t, const char *left, const char *right)
{
	struct buf line = {0};
	struct str rest = str_of(right);
	bool first = true;

	do {
		size_t n = rest.n;

		if (n > TEXT_WIDTH - KEYS_WIDTH) {
			n = TEXT_WIDTH - KEYS_WIDTH;
			while (n > 1 && rest.p[n] != ' ')
				n--;
		}
		buf_clear(&line);
		buf_puts(&line, first ? left : "");
		buf_repeat(&line, ' ', KEYS_WIDTH - utf8_width(buf_view(&line)) % KEYS_WIDTH);
		buf_add(&line, rest.p, n);
		text_add(t, ROLE_TEXT, buf_view(&line));
		n += n < rest.n;
		rest = (struct str){rest.p + n, rest.n - n};
		first = false;
	} while (rest.n);
	buf_free(&line);
}

static void add_keys(struct text *t, enum place place)
{
	text_add(t, ROLE_HEADER, str_of(place_titles[place]));
	for (int i = 0; i < ACT_COUNT; i++)
		if (key_infos[i].where == 1u << place)
			add_entry(t, key_infos[i].keys, key_infos[i].help);
	text_add(t, ROLE_TEXT, STR(""));
}

static void add_marks(struct text *t, bool ascii)
{
	text_add(t, ROLE_HEADER, STR("Marks"));
	for (int i = ST_PENDING; i < ST_SINGLE; i++) {
		struct buf left = {0};

		buf_printf(&left, "%s %s", status_mark((enum status)i, ascii), statuses[i].name);
		add_entry(t, left.p, statuses[i].about);
		buf_free(&left);
	}
	text_add(t, ROLE_TEXT, STR(""));
}

static void add_fields(struct text *t)
{
	struct buf b = {0};

	text_add(t, ROLE_HEADER, STR("Columns and values (d is B - A)"));
	for (const struct field *f = fields; f->key; f++) {
		buf_clear(&b);
		if (strcmp(f->key, f->title) != 0)
			buf_printf(&b, "%s: ", f->key);
		buf_puts(&b, f->about);
		add_entry(t, f->title, b.p);
	}
	buf_free(&b);
}

void help_open(struct screen *sc)
{
	struct text *t;

	if (sc->view->ops == &help_view)
		return;
	t = view_push(sc, &help_view)->state;
	for (int place = 0; place < PLACE_COUNT; place++)
		add_keys(t, (enum place)place);
	add_marks(t, sc->ascii);
	add_fields(t);
}
