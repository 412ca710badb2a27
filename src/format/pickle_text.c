/* Texts and bytes of a pickle's graph: decoded where they do not stand in the file as they are, and shown. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "format/pickle.h"

/* ---- decoding ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes up to `most` digits of a base from the front of s; false when there is none. */
static bool take_digits(struct str *s, unsigned base, unsigned most, uint32_t *out)
{
	unsigned n = 0;

	*out = 0;
	for (; n < most && s->n; n++, s->p++, s->n--) {
		int d = hex_digit(*s->p);

		if (d < 0 || d >= (int)base)
			break;
		*out = *out * base + (uint32_t)d;
	}
	return n > 0;
}

static char take(struct str *s)
{
	s->n--;
	return *s->p++;
}

/* What follows a backslash in a STRING. */
static uint32_t escape(struct str *s)
{
	static const char letters[] = "abfnrtv", codes[] = "\a\b\f\n\r\t\v";
	const char *at;
	uint32_t x;
	char c;

	if (s->n && *s->p >= '0' && *s->p <= '7' && take_digits(s, 8, 3, &x))
		return x & 0xff;
	if (!s->n)
		return '\\';
	c = take(s);
	if (c == 'x')
		return take_digits(s, 16, 2, &x) ? x : 'x';
	at = strchr(letters, c);
	return at ? (unsigned char)codes[at - letters] : (unsigned char)c;
}

/* One character of a text that is not PK_PLAIN, or one byte. */
static uint32_t next_char(struct str *s, enum pk_code code)
{
	struct str rest;
	uint32_t x;
	char c;

	if (code == PK_LATIN1) {
		size_t n = utf8_next(*s, &x);

		if (!n)
			x = UINT32_MAX;
		n = n ? n : 1;
		s->p += n;
		s->n -= n;
		return x;
	}
	c = take(s);
	if (c != '\\')
		return (unsigned char)c;
	if (code == PK_QUOTED)
		return escape(s);
	rest = *s; /* a backslash that begins no \u is one */
	if (rest.n && (*rest.p == 'u' || *rest.p == 'U')) {
		unsigned digits = take(&rest) == 'u' ? 4 : 8;
		size_t before = rest.n;

		if (take_digits(&rest, 16, digits, &x) && before - rest.n == digits) {
			*s = rest;
			return x;
		}
	}
	return '\\';
}

/* NOLINTNEXTLINE(misc-no-recursion): once: 0xfffd is below 0x10ffff */
static size_t put_utf8(char *out, uint32_t x)
{
	size_t n = x < 0x80 ? 1 : x < 0x800 ? 2 : x < 0x10000 ? 3 : 4;

	if (x > 0x10ffff)
		return put_utf8(out, 0xfffd);
	if (n == 1) {
		*out = (char)x;
		return 1;
	}
	for (size_t i = n; i-- > 1; x >>= 6)
		out[i] = (char)(0x80 | (x & 0x3f));
	*out = (char)(0xf00 >> n | x);
	return n;
}

bool pk_text(struct pickle *p, struct pk *x, struct str *out)
{
	struct str rest;
	size_t n = 0;
	char *text;

	if (!pk_is(x, PK_TEXT) && !(pk_is(x, PK_BYTES) && x->py2))
		return false;
	*out = rest = x->u.text;
	if (x->code == PK_PLAIN || x->code == PK_DECODED)
		return true;
	text = arena_alloc(&p->arena, 2 * rest.n + 1, 1); /* a byte of Latin-1 takes two at most, \uXXXX three */
	while (rest.n) {
		uint32_t c = next_char(&rest, x->code);

		if (x->code == PK_QUOTED)
			text[n++] = (char)c;
		else
			n += put_utf8(text + n, c);
	}
	*out = x->u.text = (struct str){text, n};
	x->code = PK_DECODED;
	return true;
}

/* The bytes that are the characters of a text. */
static struct pk_bytes latin1(const struct pk *text)
{
	return (struct pk_bytes){text->u.text, text->code == PK_RAW_UNICODE ? PK_RAW_UNICODE : PK_LATIN1, false};
}

static bool is_builtin(const struct pk *callee, const char *name)
{
	return pk_global_is(callee, "builtins", name) || pk_global_is(callee, "__builtin__", name);
}

bool pk_bytes(struct pickle *p, const struct pk *x, struct pk_bytes *out)
{
	const struct pk *callee, *arg;
	struct str code;

	if (pk_is(x, PK_BYTES)) {
		*out = (struct pk_bytes){x->u.text, x->code, false};
		return true;
	}
	if (!pk_is(x, PK_OBJECT))
		return false;
	callee = x->u.object->callee;
	arg = pk_item(x->u.object->args, 0);
	if (pk_global_is(callee, "_codecs", "encode")) {
		if (!pk_is(arg, PK_TEXT) || !pk_text(p, pk_item(x->u.object->args, 1), &code) ||
		    (!str_eq(code, STR("latin1")) && !str_eq(code, STR("latin-1"))))
			return false;
		*out = latin1(arg);
		return true;
	}
	if (!is_builtin(callee, "bytearray") && !is_builtin(callee, "bytes"))
		return false;
	if (pk_is(arg, PK_BYTES))
		*out = (struct pk_bytes){arg->u.text, arg->code, false};
	else if (pk_is(arg, PK_TEXT)) /* bytearray(text, 'latin-1') of protocol 2 */
		*out = latin1(arg);
	else
		*out = (struct pk_bytes){STR(""), PK_PLAIN, false};
	return !arg || arg->kind == PK_BYTES || arg->kind == PK_TEXT;
}

bool pk_bytes_next(struct pk_bytes *b, uint8_t *out)
{
	uint32_t x;

	if (!b->raw.n || b->bad)
		return false;
	x = b->code == PK_PLAIN || b->code == PK_DECODED ? (unsigned char)take(&b->raw) : next_char(&b->raw, b->code);
	*out = (uint8_t)x;
	b->bad = x > 0xff;
	return !b->bad;
}

enum rc pk_bytes_spool(struct pk_bytes b, struct spool *sp, uint64_t *n, struct err *e)
{
	uint8_t buf[4096];
	size_t k = 0;

	*n = 0;
	while (pk_bytes_next(&b, &buf[k]))
		if (++k == sizeof(buf)) {
			*n += k;
			k = 0;
			if (spool_put(sp, buf, sizeof(buf), e) != RC_OK)
				return RC_FAIL;
		}
	*n += k;
	if (b.bad)
		return err_set(e, "a character among its bytes is none");
	return spool_put(sp, buf, k, e);
}

/* ---- showing ---- */

enum { SHOWN_DEPTH = 4, SHOWN_ITEMS = 8, SHOWN_TEXT = 80 };

struct show {
	struct buf *b;
	size_t end; /* of the text, about */
};

static void show(const struct show *s, const struct pk *x, unsigned depth);

static void show_text(const struct show *s, const struct pk *x)
{
	struct str t = x->u.text;
	bool cut = t.n > SHOWN_TEXT;

	if (cut)
		t.n = SHOWN_TEXT;
	if (x->kind == PK_BYTES && !x->py2)
		buf_putc(s->b, 'b');
	buf_putc(s->b, '"');
	if (x->kind == PK_BYTES && !x->py2)
		for (size_t i = 0; i < t.n && i < SHOWN_TEXT / 4; i++)
			buf_printf(s->b, t.p[i] >= ' ' && t.p[i] <= '~' ? "%c" : "\\x%02x", (unsigned char)t.p[i]);
	else
		utf8_display(s->b, t, false);
	buf_puts(s->b, cut ? "..." : "");
	buf_putc(s->b, '"');
}

/* call: the items are the arguments of one, which a single comma does not end. */
/* NOLINTNEXTLINE(misc-no-recursion): SHOWN_DEPTH, in show */
static void show_items(const struct show *s, const struct pk *x, const char *brackets, bool call, unsigned depth)
{
	const struct pk_seq *q = &x->u.seq;
	bool dict = x->kind == PK_DICT;

	buf_putc(s->b, brackets[0]);
	for (uint32_t i = 0; i < q->n; i++) {
		if (i)
			buf_puts(s->b, dict && i % 2 ? ": " : ", ");
		if (i == SHOWN_ITEMS || s->b->n >= s->end) {
			buf_puts(s->b, "...");
			break;
		}
		show(s, q->items[i], depth + 1);
	}
	if (x->kind == PK_TUPLE && q->n == 1 && !call)
		buf_putc(s->b, ',');
	buf_putc(s->b, brackets[1]);
}

static void show_global(const struct show *s, const struct pk *x)
{
	struct str module = x->u.global.module, name = x->u.global.name;

	module.n = u64_min(module.n, SHOWN_TEXT);
	name.n = u64_min(name.n, SHOWN_TEXT);
	utf8_display(s->b, module, false);
	buf_putc(s->b, '.');
	utf8_display(s->b, name, false);
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
static void show(const struct show *s, const struct pk *x, unsigned depth)
{
	if (depth > SHOWN_DEPTH) {
		buf_puts(s->b, "...");
		return;
	}
	switch ((enum pk_kind)x->kind) {
	case PK_NONE: buf_puts(s->b, "None"); break;
	case PK_BOOL: buf_puts(s->b, x->u.boolean ? "True" : "False"); break;
	case PK_INT: buf_printf(s->b, "%" PRId64, x->u.integer); break;
	case PK_BIG: buf_puts(s->b, "(a large integer)"); break;
	case PK_REAL:
		if (isfinite(x->u.real))
			fmt_exact(s->b, x->u.real);
		else
			buf_puts(s->b, isnan(x->u.real) ? "nan" : x->u.real > 0 ? "inf" : "-inf");
		break;
	case PK_TEXT:
	case PK_BYTES: show_text(s, x); break;
	case PK_TUPLE: show_items(s, x, "()", false, depth); break;
	case PK_LIST: show_items(s, x, "[]", false, depth); break;
	case PK_SET:
	case PK_DICT: show_items(s, x, "{}", false, depth); break;
	case PK_GLOBAL: show_global(s, x); break;
	case PK_OBJECT:
		show(s, x->u.object->callee, depth + 1);
		if (pk_is(x->u.object->args, PK_TUPLE))
			show_items(s, x->u.object->args, "()", true, depth);
		break;
	case PK_PERSISTENT:
		buf_puts(s->b, "persistent ");
		show(s, x->u.id, depth + 1);
		break;
	}
}

void pk_show(struct buf *b, const struct pk *x, size_t most)
{
	show(&(struct show){b, b->n + most}, x, 0);
}

void pk_show_args(struct buf *b, const struct pk *args, size_t most)
{
	struct show s = {b, b->n + most};

	if (pk_is(args, PK_TUPLE)) {
		show_items(&s, args, "()", true, 0);
		return;
	}
	buf_putc(b, '(');
	show(&s, args, 0);
	buf_putc(b, ')');
}
