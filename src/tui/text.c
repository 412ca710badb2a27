#include "tui/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void text_add(struct text *t, enum role role, struct str s)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->lines = xrealloc(t->lines, t->cap, sizeof(*t->lines));
	}
	t->lines[t->n++] = (struct text_line){t->b.n, s.n, role};
	buf_str(&t->b, s);
}

void text_printf(struct text *t, enum role role, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_add(t, role, str_of(line));
}

void text_entry(struct text *t, enum role role, struct str label, struct str s, size_t columns, size_t indent)
{
	size_t width = utf8_width(label);
	struct buf line = {0};

	if (columns < indent + 8)
		columns = indent + 8;
	do {
		size_t n = utf8_fit(s, columns - indent, NULL), cut;

		if (n == 0)
			n = s.n;
		cut = n;
		while (n < s.n && cut > 0 && s.p[cut] != ' ')
			cut--;
		if (cut > 0)
			n = cut;
		buf_clear(&line);
		buf_str(&line, label);
		buf_repeat(&line, ' ', width < indent ? indent - width : label.n > 0);
		buf_add(&line, s.p, n);
		text_add(t, role, buf_view(&line));
		while (n < s.n && s.p[n] == ' ')
			n++;
		s = (struct str){s.p + n, s.n - n};
		label.n = width = 0;
	} while (s.n);
	buf_free(&line);
}

void text_wrap(struct text *t, enum role role, struct str s, size_t columns, size_t indent)
{
	text_entry(t, role, STR(""), s, columns, indent);
}

void text_clear(struct text *t)
{
	t->n = 0;
	buf_clear(&t->b);
}

static struct str line_at(struct view *v, size_t row)
{
	const struct text *t = v->state;

	return (struct str){t->b.p ? t->b.p + t->lines[row].at : "", t->lines[row].n};
}

size_t text_rows(struct view *v)
{
	return ((struct text *)v->state)->n;
}

void text_draw_row(struct view *v, size_t row, struct area a)
{
	const struct text *t = v->state;
	struct pen p = pen_at(v, a, false, ROLE_TEXT);

	pen_skip(&p, 1);
	pen_put(&p, a.w - 2, false, t->lines[row].role, line_at(v, row));
}

bool text_find(struct view *v, size_t item, const struct needle *nd)
{
	size_t at, n;

	return needle_find(nd, line_at(v, item), 0, &at, &n);
}

void text_close(struct view *v)
{
	struct text *t = v->state;

	buf_free(&t->b);
	free(t->lines);
}

const struct view_ops text_view = {
	TEXT_VIEW,
	.title = "value",
	.state_size = sizeof(struct text),
};
