#include "base/escape.h"

#include <string.h>

#include "base/utf8.h"

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static bool is_formula(struct str s)
{
	if (!s.n || !is_one_of(s.p[0], "=+-@"))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_one_of(s.p[i], "0123456789.eE+-jinfa"))
			return true;
	return false;
}

void escape_csv(struct buf *out, struct str s)
{
	bool quote = false;

	for (size_t i = 0; i < s.n; i++)
		quote |= s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r';
	if (quote)
		buf_putc(out, '"');
	if (is_formula(s))
		buf_putc(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_putc(out, '"');
		buf_putc(out, s.p[i]);
	}
	if (quote)
		buf_putc(out, '"');
}

void escape_markdown(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (is_one_of(s.p[i], "|\\*_`<["))
			buf_putc(out, '\\');
		buf_putc(out, s.p[i]);
	}
}

void escape_json(struct buf *out, struct str s)
{
	struct buf whole = {0}, quoted = {0};

	utf8_repair(&whole, s);
	for (size_t i = 0; i < whole.n; i++) {
		unsigned char c = (unsigned char)whole.p[i];

		if (c == '"' || c == '\\')
			buf_putc(&quoted, '\\');
		if (c < 0x20)
			buf_printf(&quoted, "\\u%04x", c);
		else
			buf_putc(&quoted, (char)c);
	}
	buf_putc(out, '"');
	utf8_json(out, buf_view(&quoted));
	buf_putc(out, '"');
	buf_free(&whole);
	buf_free(&quoted);
}
