#include "batch/html.h"

#include <string.h>

#include "base/version.h"

/* Light and dark as the reader's machine has it. The policy forbids what the page has no use for anyway. */
static const char head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"generator\" content=\"weigh " WEIGH_VERSION "\">\n"
	"<style>\n"
	":root { color-scheme: light dark; --line: #8884; --head: #8882; }\n"
	"body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5em; }\n"
	"h1 { font-size: 1.2em; overflow-wrap: anywhere; }\n"
	"pre, td { font-family: ui-monospace, monospace; font-size: 13px; }\n"
	"pre { white-space: pre-wrap; overflow-wrap: anywhere; }\n"
	"table { border-collapse: collapse; margin: 1em 0; }\n"
	"th, td { padding: .15em .6em; border-bottom: 1px solid var(--line); text-align: right; }\n"
	"th { background: var(--head); position: sticky; top: 0; }\n"
	".l { text-align: left; }\n"
	"td { white-space: pre; }\n"
	".head { font-weight: bold; }\n"
	".quiet { opacity: .6; }\n"
	".equal { color: #088; }\n"
	".converted { color: #66c; }\n"
	".changed { color: #a70; }\n"
	".added { color: #180; }\n"
	".removed { color: #c33; }\n"
	".warn { color: #b3b; }\n"
	"</style>\n";

static const char *const classes[HUE_COUNT] = {
	[HUE_HEAD] = "head",       [HUE_QUIET] = "quiet", [HUE_EQUAL] = "equal",     [HUE_CONVERTED] = "converted",
	[HUE_CHANGED] = "changed", [HUE_ADDED] = "added", [HUE_REMOVED] = "removed", [HUE_WARN] = "warn",
};

static bool begun, in_text;

static void raw(const char *z)
{
	out_raw(str_of(z));
}

static void put_mark(struct buf *b, char c)
{
	unsigned hue = (unsigned char)c - (unsigned)'a';

	buf_printf(b, "<span class=\"%s\">", hue < HUE_COUNT && classes[hue] ? classes[hue] : "");
}

static void escape(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '&')
			buf_puts(b, "&amp;");
		else if (s.p[i] == '<')
			buf_puts(b, "&lt;");
		else if (s.p[i] == '>')
			buf_puts(b, "&gt;");
		else if (s.p[i] == '"')
			buf_puts(b, "&quot;");
		else if (s.p[i] == MARK_OPEN && i + 1 < s.n)
			put_mark(b, s.p[++i]);
		else if (s.p[i] == MARK_CLOSE)
			buf_puts(b, "</span>");
		else
			buf_putc(b, s.p[i]);
	}
}

static void put_escaped(struct str s)
{
	struct buf b = {0};

	escape(&b, s);
	out_raw(buf_view(&b));
	buf_free(&b);
}

static void end_text(void)
{
	if (in_text)
		raw("</pre>\n");
	in_text = false;
}

void html_begin(const char *title)
{
	raw(head);
	raw("<title>");
	put_escaped(str_of(title));
	raw("</title>\n</head>\n<body>\n<h1>");
	put_escaped(str_of(title));
	raw("</h1>\n");
	begun = true;
}

bool html_begun(void)
{
	return begun;
}

void html_text(struct str s)
{
	if (s.n == 0 || (!in_text && str_eq(s, STR("\n"))))
		return;
	if (!in_text)
		raw("<pre>\n");
	in_text = true;
	put_escaped(s);
}

void html_end(void)
{
	if (!begun)
		return;
	end_text();
	raw("</body>\n</html>\n");
	begun = false;
}

void html_table_open(void)
{
	end_text();
	raw("<table>\n<thead>\n");
}

void html_row_open(void)
{
	raw("<tr>");
}

void html_cell(struct str text, bool is_head, bool left, enum hue hue)
{
	struct buf b = {0};

	buf_printf(&b, "<%s", is_head ? "th" : "td");
	if (left || classes[hue])
		buf_printf(&b, " class=\"%s%s%s\"", left ? "l" : "", left && classes[hue] ? " " : "",
			   classes[hue] ? classes[hue] : "");
	buf_putc(&b, '>');
	escape(&b, text);
	buf_printf(&b, "</%s>", is_head ? "th" : "td");
	out_raw(buf_view(&b));
	buf_free(&b);
}

void html_row_close(bool is_head)
{
	raw(is_head ? "</tr>\n</thead>\n<tbody>\n" : "</tr>\n");
}

void html_table_close(void)
{
	raw("</tbody>\n</table>\n");
}
