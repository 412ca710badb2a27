#include "tui/hex.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/peek.h"
#include "base/err.h"
#include "base/fmt.h"
#include "base/utf8.h"
#include "bytes/cur.h"
#include "num/decode.h"
#include "num/element.h"
#include "num/feed.h"
#include "num/scale.h"
#include "tui/cells.h"
#include "tui/sheet.h"

/*
 * The lines are made anew whenever another element is looked at: they are few. Each side has its own, one above the
 * other or, on a wide screen, beside each other.
 */
enum { BYTES = 16 /* a line */, BLOCK_MOST = 512, WIDE = 150 };

struct hexline {
	char *text;
	char *looks;      /* by column: LOOK_; NULL: all in the line's role */
	enum role role;
};

enum { LOOK_PLAIN = ' ', LOOK_DIFFERS = '~', LOOK_HERE = '#' }; /* unlike the other side's; the element's own */

struct hexlines {
	struct hexline *line;
	size_t n, cap;
	size_t here;      /* the line that has the element, and the column where it begins */
	int column;
};

/* What a side's block or element is made of. */
struct decoded {
	const uint8_t *p;  /* all that was read */
	size_t n, in;      /* in: where the element or its block begins */
	bool values, codes;
	unsigned n_scales;
	struct block_scale scales[SCALES_MAX];
	uint16_t code[BLOCK_MOST];
	double x[BLOCK_MOST];
	struct element element;
};

struct hex {
	struct sheet sheet; /* first: what other views open from */
	struct peek *peek;
	struct peek_ask ask;
	struct hunt hunt;
	uint64_t number;       /* the element that was asked for */
	struct hexlines side[2];
	struct decoded decoded[2];
	int width, around;     /* columns of a side; lines before and after an element */
	bool beside;
};

static struct hex *state(struct view *v)
{
	return v->state;
}

/* Of a side that is shown. */
static const struct tensor *shown_tensor(const struct hex *h, int side)
{
	return h->sheet.s->rows[h->sheet.row_of].t[side];
}

/* NULL: that side is not shown. */
static const struct tensor *tensor_of(const struct hex *h, int side)
{
	return h->sheet.sides >> side & 1 ? shown_tensor(h, side) : NULL;
}

/* ---- lines ---- */

static struct hexline *add(struct hexlines *ls, enum role role, struct buf *b)
{
	if (ls->n == ls->cap) {
		ls->cap = ls->cap ? 2 * ls->cap : 32;
		ls->line = xrealloc(ls->line, ls->cap, sizeof(*ls->line));
	}
	ls->line[ls->n] = (struct hexline){.text = xstrdup(b->p ? b->p : ""), .role = role};
	buf_clear(b);
	return &ls->line[ls->n++];
}

/* Columns [from, to) of the last line. What is the element's own stays so. */
static void mark(struct hexlines *ls, size_t from, size_t to, char look)
{
	struct hexline *l = &ls->line[ls->n - 1];
	size_t n = strlen(l->text);

	if (!l->looks) {
		l->looks = xmalloc(n + 1);
		memset(l->looks, LOOK_PLAIN, n);
		l->looks[n] = '\0';
	}
	for (size_t i = from; i < to && i < n; i++)
		if (l->looks[i] != LOOK_HERE)
			l->looks[i] = look;
	if (look == LOOK_HERE) {
		ls->here = ls->n - 1;
		ls->column = (int)from;
	}
}

static void clear(struct hexlines *ls)
{
	while (ls->n) {
		ls->n--;
		free(ls->line[ls->n].text);
		free(ls->line[ls->n].looks);
	}
	ls->here = 0;
	ls->column = 0;
}

static bool is_block(const struct tensor *t)
{
	return dtypes[t->type].items > 1;
}

/* ---- where bytes stand ---- */

static const struct member *member_of(const struct hex *h, int side)
{
	return &h->sheet.s->m[side].source.members[shown_tensor(h, side)->data.member];
}

/* In the file, or, of what is deflated there, in the entry. */
static uint64_t file_offset(const struct hex *h, int side, uint64_t in_span)
{
	const struct member *m = member_of(h, side);

	return (m->kind == MEMBER_MAPPED ? m->file_offset : 0) + shown_tensor(h, side)->data.offset + in_span;
}

/* What to ask for of a side: the block, or lines around the element that begin where the file's lines of 16 do. */
static void span_of(const struct hex *h, int side, uint64_t *offset, size_t *n)
{
	const struct tensor *t = shown_tensor(h, side);
	uint64_t at = feed_offset(t, h->number), slack;

	if (is_block(t)) {
		*offset = at;
		*n = dtypes[t->type].bytes;
		return;
	}
	slack = file_offset(h, side, at) % BYTES + (uint64_t)h->around * BYTES;
	*offset = at > slack ? at - slack : 0;
	*n = (size_t)(2 * h->around + 1) * BYTES + dtypes[t->type].bytes - 1;
	*n -= (size_t)((file_offset(h, side, *offset) + *n) % BYTES);
}

static void ask(struct view *v)
{
	struct hex *h = state(v);
	struct peek_ask a = {{0}, {0}};

	h->number = sheet_number(&h->sheet, h->sheet.row, h->sheet.column);
	if (h->number == UINT64_MAX)
		return;
	for (int side = A; side <= B; side++)
		if (tensor_of(h, side))
			span_of(h, side, &a.offset[side], &a.n[side]);
	if (h->peek && memcmp(&a, &h->ask, sizeof(a)) == 0)
		return;
	peek_drop(h->peek);
	h->ask = a;
	h->peek = peek_start(v->screen->s, h->sheet.row_of, &a, screen_wake, NULL);
	peek_wait(h->peek, 5);
}

/* ---- what the bytes mean ---- */

/* As decoders want them: packed, little-endian. */
static void to_little(const struct tensor *t, uint8_t *p, size_t n)
{
	const struct dtype_info *d = &dtypes[t->type];

	if (!t->big_endian)
		return;
	for (size_t i = 0; d->word > 1 && i + d->word <= n; i += d->word)
		for (size_t k = 0; k < d->word / 2; k++) {
			uint8_t x = p[i + k];

			p[i + k] = p[i + d->word - 1 - k];
			p[i + d->word - 1 - k] = x;
		}
	for (size_t k = 0; d->word == 0 && k < COUNT(d->swap16) && d->swap16[k] >= 0; k++) {
		uint8_t x = p[d->swap16[k]];

		p[d->swap16[k]] = p[d->swap16[k] + 1];
		p[d->swap16[k] + 1] = x;
	}
}

/* ": sign 0, exponent 123 (2^-4), fraction 0x69cb61" */
static void float_parts(struct buf *b, enum dtype type, uint64_t bits)
{
	static const struct {
		enum dtype type;
		unsigned exponent, fraction;
	} floats[] = {
		{DT_F16, 5, 10}, {DT_BF16, 8, 7},   {DT_F32, 8, 23},
		{DT_F64, 11, 52}, {DT_F8_E4M3, 4, 3}, {DT_F8_E5M2, 5, 2},
	};

	for (size_t i = 0; i < COUNT(floats); i++) {
		unsigned f = floats[i].fraction, e = floats[i].exponent;
		uint64_t exponent = bits >> f & ((1u << e) - 1);
		int bias = (1 << (e - 1)) - 1, power = (int)(exponent ? exponent : 1) - bias;

		if (floats[i].type != type)
			continue;
		buf_printf(b, ": sign %d, exponent %d", (int)(bits >> (e + f) & 1), (int)exponent);
		if (exponent + 1 < 1u << e)
			buf_printf(b, " (2^%d)", power);
		buf_printf(b, ", fraction 0x%" PRIx64, bits & ((UINT64_C(1) << f) - 1));
	}
}

/* Takes the bytes of a side apart. */
static void decode_side(struct hex *h, int side)
{
	const struct tensor *t = shown_tensor(h, side);
	const struct dtype_info *d = &dtypes[t->type];
	struct decoded *dec = &h->decoded[side];
	uint8_t copy[BLOCK_MOST];
	const char *error;

	*dec = (struct decoded){0};
	dec->p = peek_bytes(h->peek, side, &dec->n, &error);
	dec->in = (size_t)(feed_offset(t, h->number) - h->ask.offset[side]);
	if (d->bytes > sizeof(copy) || d->items > BLOCK_MOST / 2)
		return;
	if (!dec->p || dec->in > dec->n || dec->n - dec->in < d->bytes)
		return;
	memcpy(copy, dec->p + dec->in, d->bytes);
	to_little(t, copy, d->bytes);
	if (d->kind == KIND_BLOCK)
		dec->n_scales = block_scales(t->type, copy, dec->scales);
	dec->values = decode_can(t->type);
	dec->codes = dec->values && d->code_bits && is_block(t);
	if (dec->values)
		decode(t->type, dec->x, copy, d->items);
	if (dec->codes)
		decode_codes(t->type, dec->code, copy, d->items);
	dec->element.x[0] = dec->x[decode_width(t->type) * (h->number % d->items)];
	dec->element.x[1] = decode_width(t->type) == 2 ? dec->x[1] : 0;
	if (d->items == 1 && d->bytes <= 8)
		dec->element.whole = load_uint(copy, d->bytes, false);
}

/* The element's value and its bits. */
static void add_value(struct hex *h, int side)
{
	const struct tensor *t = tensor_of(h, side);
	const struct decoded *dec = &h->decoded[side];
	struct buf b = {0};

	if (dec->values) {
		buf_puts(&b, "  value ");
		element_text(&b, t->type, &dec->element, false);
		if (dtypes[t->type].bytes <= 8)
			buf_printf(&b, "  0x%0*" PRIx64, (int)(2 * dtypes[t->type].bytes), dec->element.whole);
		float_parts(&b, t->type, dec->element.whole);
	} else {
		buf_puts(&b, "  not decoded");
	}
	add(&h->side[side], ROLE_TEXT, &b);
	buf_free(&b);
}

static void add_head(struct hex *h, int side, uint64_t offset, bool ascii)
{
	const struct model *m = &h->sheet.s->m[side];
	const struct member *mem = member_of(h, side), *file = &m->source.members[mem->file];
	uint64_t at = file_offset(h, side, offset);
	const char *slash = file->name.n ? memrchr(file->name.p, '/', file->name.n) : NULL;
	struct str name = file->name;
	struct buf b = {0};

	if (slash)
		name = (struct str){slash + 1, (size_t)(name.p + name.n - slash - 1)};
	buf_puts(&b, h->sheet.s->n_models < 2 ? " " : side == A ? " A  " : " B  ");
	utf8_display(&b, name, ascii);
	if (mem != file) {
		buf_puts(&b, ": ");
		utf8_display(&b, mem->name, ascii);
	}
	buf_printf(&b, "  byte %" PRIu64 " (0x%" PRIx64 ")", at, at);
	if (mem->kind != MEMBER_MAPPED)
		buf_puts(&b, " of it, inflated");
	add(&h->side[side], side == A ? ROLE_A : ROLE_B, &b);
	buf_free(&b);
}

/* The same byte of the other side; NULL: the two do not lie alike, or it is not there. */
static const uint8_t *other_byte(const struct hex *h, int side, size_t at)
{
	const struct decoded *mine = &h->decoded[side], *other = &h->decoded[!side];
	const struct tensor *a = tensor_of(h, A), *b = tensor_of(h, B);

	if (!a || !b || a->type != b->type || a->big_endian != b->big_endian || !other->p)
		return NULL;
	if (at + other->in < mine->in || at + other->in - mine->in >= other->n)
		return NULL;
	return other->p + (at + other->in - mine->in);
}

static void add_hex_line(struct hex *h, int side, uint64_t line)
{
	const struct decoded *dec = &h->decoded[side];
	uint64_t first = file_offset(h, side, h->ask.offset[side]);
	size_t column[BYTES], bytes = is_block(tensor_of(h, side)) ? 0 : dtypes[tensor_of(h, side)->type].bytes;
	struct hexlines *ls = &h->side[side];
	struct buf b = {0};

	buf_printf(&b, "  %08" PRIx64 " ", line);
	for (unsigned i = 0; i < BYTES; i++) {
		bool there = line + i >= first && line + i < first + dec->n;

		buf_puts(&b, i == BYTES / 2 ? "  " : " ");
		column[i] = b.n;
		if (there)
			buf_printf(&b, "%02x", dec->p[line + i - first]);
		else
			buf_puts(&b, "  ");
	}
	buf_puts(&b, "  ");
	for (unsigned i = 0; i < BYTES; i++) {
		uint8_t c = line + i >= first && line + i < first + dec->n ? dec->p[line + i - first] : ' ';

		buf_putc(&b, c >= 0x20 && c < 0x7f ? (char)c : '.');
	}
	add(ls, ROLE_DIM, &b);
	for (unsigned i = 0; i < BYTES; i++) {
		size_t at = (size_t)(line + i - first);
		const uint8_t *other = line + i >= first && at < dec->n ? other_byte(h, side, at) : NULL;

		if (line + i >= first && at >= dec->in && at < dec->in + bytes) /* with the blank to the next byte */
			mark(ls, column[i], column[i] + (at + 1 < dec->in + bytes && i + 1 < BYTES ? 3 : 2), LOOK_HERE);
		else if (other && *other != dec->p[at])
			mark(ls, column[i], column[i] + 2, LOOK_DIFFERS);
	}
	buf_free(&b);
}

static void add_hex(struct hex *h, int side)
{
	uint64_t first = file_offset(h, side, h->ask.offset[side]);

	for (uint64_t line = first - first % BYTES; line < first + h->decoded[side].n; line += BYTES)
		add_hex_line(h, side, line);
}

/* ---- blocks ---- */

static void scale_text(struct buf *b, const struct block_scale *s)
{
	buf_puts(b, "  scale ");
	fmt_real(b, s->scale);
	if (s->min != 0) {
		buf_puts(b, "  min ");
		fmt_real(b, s->min);
	}
}

/* How a value is made of a code, once for the block. */
static void add_rule(struct hex *h, int side)
{
	const struct tensor *t = tensor_of(h, side);
	const struct decoded *dec = &h->decoded[side];
	struct buf b = {0};
	bool min = false;

	for (unsigned i = 0; i < dec->n_scales; i++)
		min |= dec->scales[i].min != 0;
	buf_puts(&b, "  value = scale x ");
	if (dec->scales[0].table)
		buf_puts(&b, "table[code]");
	else if (dec->scales[0].zero)
		buf_printf(&b, "(code - %d)", dec->scales[0].zero);
	else
		buf_puts(&b, "code");
	if (min)
		buf_puts(&b, " - min");
	if (dec->n_scales > 1)
		buf_printf(&b, "; a scale for each %u", dtypes[t->type].items / dec->n_scales);
	add(&h->side[side], ROLE_DIM, &b);
	buf_free(&b);
}

static void add_scale(struct hex *h, int side, unsigned group)
{
	const struct block_scale *s = &h->decoded[side].scales[group], *other = &h->decoded[!side].scales[group];
	bool alike = h->decoded[!side].n_scales != h->decoded[side].n_scales ||
		     (other->scale == s->scale && other->min == s->min);
	struct buf b = {0};

	scale_text(&b, s);
	add(&h->side[side], alike ? ROLE_HEADER : ROLE_CHANGED, &b);
	buf_free(&b);
}

/* Codes [first, first + n), some to a line, the element's own marked, and those that the other side has not. */
static void add_codes(struct hex *h, int side, unsigned first, unsigned n)
{
	const struct tensor *t = tensor_of(h, side);
	const struct decoded *dec = &h->decoded[side], *other = &h->decoded[!side];
	bool same_type = tensor_of(h, !side) && tensor_of(h, !side)->type == t->type && other->codes;
	unsigned here = (unsigned)(h->number % dtypes[t->type].items), per = 8;
	int digits = dtypes[t->type].code_bits > 6 ? 5 : dtypes[t->type].code_bits > 3 ? 3 : 2;
	struct hexlines *ls = &h->side[side];
	struct buf b = {0};

	while (2 * per <= n && 8 + (int)(2 * per) * digits <= h->width)
		per *= 2;
	for (unsigned i = first; i < first + n; i += per) {
		size_t start;

		buf_printf(&b, "  %5u ", i);
		start = b.n;
		for (unsigned k = i; k < i + per && k < first + n; k++)
			buf_printf(&b, "%*d", digits, block_code(t->type, dec->code[k]));
		add(ls, ROLE_TEXT, &b);
		for (unsigned k = i; k < i + per && k < first + n; k++, start += (size_t)digits)
			if (k == here)
				mark(ls, start, start + (size_t)digits, LOOK_HERE);
			else if (same_type && other->code[k] != dec->code[k])
				mark(ls, start, start + (size_t)digits, LOOK_DIFFERS);
	}
	buf_free(&b);
}

static void add_block(struct hex *h, int side)
{
	const struct tensor *t = tensor_of(h, side);
	const struct dtype_info *d = &dtypes[t->type];
	const struct decoded *dec = &h->decoded[side];
	unsigned groups = dec->n_scales ? dec->n_scales : 1, here = (unsigned)(h->number % d->items);
	uint64_t block = h->number / d->items;
	struct buf b = {0};

	buf_printf(&b, "  block %" PRIu64 " of %" PRIu64 ", elements %" PRIu64 " to %" PRIu64, block,
		   t->count / d->items, block * d->items, block * d->items + d->items - 1);
	add(&h->side[side], ROLE_TEXT, &b);
	buf_printf(&b, "  element %u of it: ", here);
	if (dec->codes)
		buf_printf(&b, "code %d, ", block_code(t->type, dec->code[here]));
	buf_puts(&b, dec->values ? "value " : "not decoded");
	if (dec->values)
		element_text(&b, t->type, &dec->element, false);
	add(&h->side[side], ROLE_TEXT, &b);
	if (dec->n_scales)
		add_rule(h, side);
	for (unsigned g = 0; g < groups; g++) {
		if (dec->n_scales)
			add_scale(h, side, g);
		if (dec->codes)
			add_codes(h, side, g * d->items / groups, d->items / groups);
	}
	buf_free(&b);
}

static void make_side(struct view *v, int side)
{
	struct hex *h = state(v);
	const char *error;
	size_t n;
	struct buf b = {0};

	clear(&h->side[side]);
	add_head(h, side, feed_offset(tensor_of(h, side), h->number), v->screen->ascii);
	if (!peek_bytes(h->peek, side, &n, &error)) {
		buf_puts(&b, "  ");
		utf8_display(&b, str_of(error ? error : "no bytes"), v->screen->ascii);
		add(&h->side[side], ROLE_PROBLEM, &b);
		buf_free(&b);
		return;
	}
	if (is_block(tensor_of(h, side)))
		add_block(h, side);
	else
		add_value(h, side);
	add_hex(h, side);
}

/* ---- layout ---- */

static bool both(const struct hex *h)
{
	return tensor_of(h, A) && tensor_of(h, B);
}

static void layout(struct view *v, struct area body)
{
	struct hex *h = state(v);
	int sides = both(h) ? 2 : 1;

	v->list = (struct area){body.y, body.x, body.w, body.h};
	h->beside = sides == 2 && body.w >= WIDE;
	h->width = h->beside ? body.w / 2 - 1 : body.w;
	h->around = ((h->beside || sides == 1 ? body.h : body.h / 2) - 3 - 1) / 2;
	h->around = h->around < 1 ? 1 : h->around > 16 ? 16 : h->around;
}

static int side_here(const struct hex *h)
{
	return !tensor_of(h, A) || (tensor_of(h, B) && h->sheet.plane == PLANE_B) ? B : A;
}

static size_t hex_rows(struct view *v)
{
	const struct hex *h = state(v);
	size_t a = h->side[A].n, b = h->side[B].n;

	return h->beside ? (a > b ? a : b) : a + b + (a && b ? 1 : 0);
}

static void update(struct view *v)
{
	struct hex *h = state(v);
	int side;

	hunt_update(&h->hunt, &h->sheet, v->screen);
	ask(v);
	if (!h->peek || !peek_done(h->peek))
		return;
	for (int s = A; s <= B; s++)
		if (tensor_of(h, s))
			decode_side(h, s);
	for (int s = A; s <= B; s++)
		if (tensor_of(h, s))
			make_side(v, s);
	side = side_here(h);
	v->cursor = h->side[side].here + (side == B && !h->beside && h->side[A].n ? h->side[A].n + 1 : 0);
	/* the head of the side shows as long as the element does, too */
	if (v->cursor < (size_t)v->list.h)
		v->top = 0;
	else if (v->cursor + 4 < hex_rows(v))
		v->top = v->cursor + 4 - (size_t)v->list.h;
	if (side == B && !h->beside && h->side[A].n && v->cursor - h->side[A].n < (size_t)v->list.h && v->top)
		v->top = h->side[A].n + 1;
	v->column = h->side[side].column;
}

static bool busy(struct view *v)
{
	struct hex *h = state(v);

	return (h->peek && !peek_done(h->peek)) || hunt_busy(&h->hunt);
}

/* ---- drawing ---- */

static void draw_line(const struct hexlines *ls, size_t i, int y, int x, int width)
{
	const struct hexline *l;

	if (i >= ls->n)
		return;
	l = &ls->line[i];
	term_puts(y, x, width, l->role, l->text);
	for (int from = 0, to; l->looks && l->looks[from] && from < width; from = to) {
		for (to = from; l->looks[to] == l->looks[from]; to++)
			;
		if (l->looks[from] != LOOK_PLAIN) /* such lines are plain ASCII: a byte is a column */
			term_put(y, x + from, width - from, l->looks[from] == LOOK_HERE ? ROLE_CURSOR : ROLE_CHANGED,
				 (struct str){l->text + from, (size_t)(to - from)});
	}
}

static void draw_row(struct view *v, size_t row, struct area a)
{
	const struct hex *h = state(v);

	if (h->beside) {
		draw_line(&h->side[A], row, a.y, a.x, h->width);
		draw_line(&h->side[B], row, a.y, a.x + h->width + 2, h->width);
	} else if (row < h->side[A].n || !h->side[A].n) {
		draw_line(&h->side[h->side[A].n ? A : B], row, a.y, a.x, a.w);
	} else if (row > h->side[A].n) {
		draw_line(&h->side[B], row - h->side[A].n - 1, a.y, a.x, a.w);
	}
}

static void draw_header(struct view *v, struct area a)
{
	row_title(v->screen, &v->screen->s->rows[state(v)->sheet.row_of], (struct area){a.y, 0, v->list.w, 1});
}

static void place(struct view *v, struct buf *b)
{
	struct hex *h = state(v);

	if (busy(v))
		buf_puts(b, "reading   ");
	if (h->number == UINT64_MAX)
		return;
	sheet_index_text(&h->sheet, b, h->number);
	buf_printf(b, "  element %" PRIu64, h->number);
	for (int side = A; side <= B; side++) {
		const struct tensor *t = tensor_of(h, side);

		if (t && h->decoded[side].values) {
			buf_puts(b, h->sheet.s->n_models < 2 ? "   value " : side == A ? "   A " : "   B ");
			element_text(b, t->type, &h->decoded[side].element, false);
		}
	}
}

/* ---- keys ---- */

static void go_by(struct view *v, long elements)
{
	struct hex *h = state(v);
	uint64_t by = (uint64_t)(elements < 0 ? -elements : elements), last = h->sheet.t->count - 1;

	if (elements < 0)
		sheet_go(&h->sheet, h->number > by ? h->number - by : 0);
	else
		sheet_go(&h->sheet, last - h->number > by ? h->number + by : last);
}

/* Elements of a line of bytes or of codes, and of a block or of what is in sight. */
static void strides(const struct hex *h, long *line, long *page)
{
	const struct dtype_info *d = &dtypes[h->sheet.t->type];

	*line = d->items > 1 ? 16 : d->bytes < BYTES ? BYTES / (long)d->bytes : 1;
	*page = d->items > 1 ? (long)d->items : *line * (2 * h->around + 1);
}

static void go_to_done(struct view *v, const char *text)
{
	if (*text)
		sheet_go_to_text(&state(v)->sheet, v->screen, text);
}

static void hunt(struct view *v, int wanted)
{
	struct hex *h = state(v);
	int plane = sheet_has_plane(&h->sheet, PLANE_D) ? PLANE_D : side_here(h) == B ? PLANE_B : PLANE_A;

	for (int side = A; side <= B; side++)
		if (tensor_of(h, side) && tensor_of(h, side)->trouble) {
			screen_message(v->screen, "%s", tensor_of(h, side)->trouble);
			return;
		}
	hunt_ask(&h->hunt, &h->sheet, plane, wanted);
}

static bool act(struct view *v, enum act act)
{
	struct hex *h = state(v);
	long line, page;

	strides(h, &line, &page);
	switch (act) {
	case ACT_LEFT: go_by(v, -1); return true;
	case ACT_RIGHT: go_by(v, 1); return true;
	case ACT_DOWN: go_by(v, line); return true;
	case ACT_UP: go_by(v, -line); return true;
	case ACT_PAGE_DOWN:
	case ACT_HALF_DOWN: go_by(v, page); return true;
	case ACT_PAGE_UP:
	case ACT_HALF_UP: go_by(v, -page); return true;
	case ACT_TOP: sheet_go(&h->sheet, 0); return true;
	case ACT_BOTTOM: sheet_go(&h->sheet, h->sheet.t->count - 1); return true;
	case ACT_LARGEST: hunt(v, 2); return true;
	case ACT_NEXT_LARGEST: hunt(v, 1); return true;
	case ACT_PREVIOUS_LARGEST: hunt(v, -1); return true;
	case ACT_PLANE: h->sheet.plane = side_here(h) == A ? PLANE_B : PLANE_A; return true;
	case ACT_GO_TO: screen_prompt(v->screen, ":", "", go_to_done); return true;
	case ACT_BYTES: view_pop(v->screen); return true;
	default: return false;
	}
}

/* ---- opening and closing ---- */

static void hex_close(struct view *v)
{
	struct hex *h = state(v);

	peek_drop(h->peek);
	hunt_close(&h->hunt);
	for (int side = A; side <= B; side++) {
		clear(&h->side[side]);
		free(h->side[side].line);
	}
}

static const struct hint hints[] = {
	{ACT_GO_TO, "go to", false},
	{ACT_NEXT_LARGEST, "next largest", false},
	{ACT_VALUES, "values", false},
	{ACT_HEAT, "heat map", false},
	{ACT_NONE, NULL, false},
};

static const struct view_ops hex_view = {
	.hints = hints,
	.where = WHERE_ALL | WHERE_GRID | WHERE_TENSOR | WHERE_MATRIX,
	.state_size = sizeof(struct hex),
	.rows = hex_rows,
	.update = update,
	.layout = layout,
	.draw_header = draw_header,
	.draw_row = draw_row,
	.place = place,
	.tensor = sheet_tensor,
	.sheet = sheet_here,
	.busy = busy,
	.act = act,
	.close = hex_close,
};

void hex_open(struct screen *sc)
{
	struct sheet sh;
	struct view *v;

	if (!sheet_of(&sh, sc->view, true))
		return;
	for (int side = A; side <= B; side++)
		if ((sh.sides >> side & 1) && sc->s->rows[sh.row_of].t[side]->pack) {
			screen_message(sc, "its values are worked out of several arrays: they have no bytes");
			return;
		}
	if (sc->view->ops->sheet)
		view_pop(sc);
	v = view_push(sc, &hex_view);
	state(v)->sheet = sh;
}
