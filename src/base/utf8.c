#include "base/utf8.h"

#include <wchar.h>

#include "base/util.h"

size_t utf8_next(struct str s, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s.p;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c;
	size_t n;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > s.n)
		return 0;
	c = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return n;
}

static struct str skip(struct str s, size_t n)
{
	return (struct str){s.p + n, s.n - n};
}

bool utf8_valid(struct str s)
{
	uint32_t cp;

	while (s.n) {
		size_t n = utf8_next(s, &cp);

		if (n == 0)
			return false;
		s = skip(s, n);
	}
	return true;
}

bool utf8_repair(struct buf *out, struct str s)
{
	bool any = false;
	uint32_t cp;

	while (s.n) {
		size_t n = utf8_next(s, &cp);

		if (n == 0) {
			buf_puts(out, "\xef\xbf\xbd");
			any = true;
			n = 1;
		} else {
			buf_add(out, s.p, n);
		}
		s = skip(s, n);
	}
	return any;
}

/* Characters that change how others are drawn, or are not drawn themselves, so that two names look the same: Unicode's
 * Cc, Zl and Zp, and what DerivedCoreProperties.txt has as Default_Ignorable_Code_Point; in order. */
static const struct range {
	uint32_t first, last;
} invisible[] = {
	{0x0, 0x1f},      {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
	{0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
	{0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
	{0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static bool is_invisible(uint32_t c)
{
	size_t i = 0;

	while (i < COUNT(invisible) && invisible[i].last < c)
		i++;
	return i < COUNT(invisible) && invisible[i].first <= c;
}

static int column_width(uint32_t c)
{
	int w;

	if (c < 0x80)
		return 1;
	w = wcwidth((wchar_t)c);
	return w < 0 ? 1 : w;
}

/* Marks that a letter may carry. Curses has no room for more in a cell, so names that differ further on would look
 * alike, and without it they would be drawn over the lines above. */
enum { MARKS_MOST = 4 };

/* Most names are nothing but printable ASCII: those bytes are taken in runs. */
static size_t plain_run(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f)
		n++;
	return n;
}

/* What stands for a character that is not shown as it is. */
static void escape(struct buf *out, uint32_t cp)
{
	if (cp == '\n' || cp == '\t' || cp == '\r')
		buf_puts(out, cp == '\n' ? "\\n" : cp == '\t' ? "\\t" : "\\r");
	else if (cp < 0x20 || cp == 0x7f)
		buf_printf(out, "\\x%02x", (unsigned)cp);
	else
		buf_printf(out, cp > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)cp);
}

void utf8_display(struct buf *out, struct str s, bool ascii)
{
	unsigned marks = MARKS_MOST; /* there is nothing yet that could carry one */
	uint32_t cp;

	while (s.n) {
		size_t n = plain_run(s);
		int w;

		if (n) {
			buf_add(out, s.p, n);
			marks = s.p[n - 1] == ' ' ? MARKS_MOST : 0;
			s = skip(s, n);
			continue;
		}
		n = utf8_next(s, &cp);
		w = n == 0 || cp < 0x80 || ascii || is_invisible(cp) ? -1 : wcwidth((wchar_t)cp);
		if (n == 0) {
			buf_printf(out, "\\x%02x", (unsigned char)s.p[0]);
			n = 1;
		} else if (w < 0 || (w == 0 && marks == MARKS_MOST)) {
			escape(out, cp);
			w = -1;
		} else {
			buf_add(out, s.p, n);
		}
		marks = w < 0 ? MARKS_MOST : w == 0 ? marks + 1 : 0;
		s = skip(s, n);
	}
}

void utf8_json(struct buf *out, struct str s)
{
	uint32_t cp;

	while (s.n) {
		size_t n = plain_run(s), run = n;

		if (!n)
			n = utf8_next(s, &cp);
		if (run || !n || cp < 0x20 || !is_invisible(cp))
			buf_add(out, s.p, n ? n : 1);
		else if (cp > 0xffff)
			buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (cp >> 10)),
				   (unsigned)(0xdc00 | (cp & 0x3ff)));
		else
			buf_printf(out, "\\u%04x", (unsigned)cp);
		s = skip(s, n ? n : 1);
	}
}

size_t utf8_fit(struct str s, size_t columns, size_t *used)
{
	const char *start = s.p;
	size_t w = 0;
	uint32_t cp;

	while (s.n) {
		size_t n = plain_run(s), cw;

		if (n) {
			n = n < columns - w ? n : columns - w;
			if (n == 0)
				break;
			w += n;
			s = skip(s, n);
			continue;
		}
		n = utf8_next(s, &cp);
		if (n == 0) {
			n = 1;
			cp = '?';
		}
		cw = (size_t)column_width(cp);
		if (w + cw > columns)
			break;
		w += cw;
		s = skip(s, n);
	}
	if (used)
		*used = w;
	return (size_t)(s.p - start);
}

size_t utf8_width(struct str s)
{
	size_t w;

	utf8_fit(s, SIZE_MAX, &w);
	return w;
}

struct str utf8_end(struct str s, size_t columns)
{
	size_t width = utf8_width(s), n, used;
	uint32_t cp;

	if (width <= columns)
		return s;
	s = skip(s, utf8_fit(s, width - columns, &used));
	if (used < width - columns) { /* a wide character straddles the cut: it goes, and the marks on it */
		n = utf8_next(s, &cp);
		s = skip(s, n ? n : 1);
		s = skip(s, utf8_fit(s, 0, NULL));
	}
	return s;
}

/* Of the columns beside the ellipsis, one in `share` is for the head. */
static void cut_middle(struct buf *out, struct str s, size_t columns, size_t share, bool ascii)
{
	size_t head;

	if (utf8_width(s) <= columns) {
		buf_str(out, s);
		return;
	}
	if (columns == 0)
		return;
	head = (columns - 1) / share;
	buf_add(out, s.p, utf8_fit(s, head, NULL));
	buf_puts(out, ascii ? "~" : "…");
	buf_str(out, utf8_end(s, columns - 1 - head));
}

void utf8_ellipsis(struct buf *out, struct str s, size_t columns, bool ascii)
{
	cut_middle(out, s, columns, 2, ascii);
}

void utf8_ellipsis_name(struct buf *out, struct str s, size_t columns, bool ascii)
{
	cut_middle(out, s, columns, 4, ascii);
}
