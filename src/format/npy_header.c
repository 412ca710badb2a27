/*
 * numpy/numpy, numpy/lib/_format_impl.py: "\x93NUMPY", version, length of the header, the header. The header is the
 * text of a Python dict with exactly the keys descr, fortran_order and shape. NumPy evaluates it; here a small parser
 * takes strings, True, False, whole numbers, tuples and lists, and nothing else.
 */
#include "format/npy_header.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "bytes/cur.h"

enum { DEPTH_MAX = 16, ITEM_MAX = 1 << 30 };

struct parser {
	const char *p, *end, *start;
	uint64_t base;     /* offset of the text in the file */
	struct arena *arena;
	struct npy_header *h;
	const char *wrong; /* NULL: all is well */
};

static void fail(struct parser *s, const char *what)
{
	if (!s->wrong)
		s->wrong = what;
}

static int peek(struct parser *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
		s->p++;
	return s->p < s->end && !s->wrong ? (unsigned char)*s->p : 0;
}

static bool accept(struct parser *s, char c)
{
	if (peek(s) != c)
		return false;
	s->p++;
	return true;
}

static void expect(struct parser *s, char c, const char *what)
{
	if (!accept(s, c))
		fail(s, what);
}

static bool word(struct parser *s, const char *w)
{
	size_t n = strlen(w);

	peek(s);
	if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
		return false;
	s->p += n;
	return true;
}

/* 'text' or "text"; a backslash keeps the character after it. */
static struct str string(struct parser *s)
{
	char quote, *out;
	size_t n = 0;

	if (peek(s) == 'u' || peek(s) == 'b')
		s->p++;
	quote = (char)peek(s);
	if (quote != '\'' && quote != '"') {
		fail(s, "a string is expected");
		return STR("");
	}
	s->p++;
	out = arena_alloc(s->arena, (size_t)(s->end - s->p) + 1, 1);
	while (s->p < s->end && *s->p != quote) {
		if (*s->p == '\\' && s->end - s->p > 1)
			s->p++;
		out[n++] = *s->p++;
	}
	if (s->p == s->end)
		fail(s, "a string has no end");
	else
		s->p++;
	return (struct str){out, n};
}

static uint64_t number(struct parser *s)
{
	uint64_t x = 0;
	int c = peek(s);

	if (c == '-')
		fail(s, "a number is negative");
	else if (c < '0' || c > '9')
		fail(s, "a number is expected");
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++)
		if (!u64_mul(x, 10, &x) || !u64_add(x, (uint64_t)(*s->p - '0'), &x) || x > INT64_MAX)
			fail(s, "a number is too large");
	if (s->p < s->end && *s->p == 'L') /* Python 2 */
		s->p++;
	return x;
}

/* (), (3,), (2, 3), or a number alone. */
static unsigned shape(struct parser *s, uint64_t out[RANK_MAX], unsigned rank)
{
	if (!accept(s, '(')) {
		if (rank == limits.rank)
			fail(s, "a shape has too many dimensions (--limit rank=N allows more)");
		else
			out[rank++] = number(s);
		return rank;
	}
	while (!s->wrong && !accept(s, ')')) {
		uint64_t n = number(s);

		if (rank == limits.rank) {
			fail(s, "a shape has too many dimensions (--limit rank=N allows more)");
			break;
		}
		out[rank++] = n;
		if (peek(s) != ')')
			expect(s, ',', "a comma is expected in a shape");
	}
	return rank;
}

/* Types by kind and bytes. */
static const struct {
	char kind;
	unsigned size;
	enum dtype type;
} kinds[] = {
	{'b', 1, DT_BOOL}, {'i', 1, DT_I8},  {'i', 2, DT_I16}, {'i', 4, DT_I32}, {'i', 8, DT_I64},
	{'u', 1, DT_U8},   {'u', 2, DT_U16}, {'u', 4, DT_U32}, {'u', 8, DT_U64}, {'f', 2, DT_F16},
	{'f', 4, DT_F32},  {'f', 8, DT_F64}, {'c', 8, DT_C64}, {'c', 16, DT_C128},
};

static const char *why_not(char kind, uint64_t size)
{
	switch (kind) {
	case 'S':
	case 'a':
	case 'U':
		return "text, not numbers";
	case 'M':
	case 'm':
		return "dates or times, not decoded";
	case 'O':
		return "Python objects (a pickle), not decoded";
	case 'V':
		if (size == 1)
			return "raw bytes (V1): NumPy lost the type, which may be a float8";
		return size == 2 ? "raw bytes (V2): NumPy lost the type, which may be bfloat16"
				 : "raw bytes, not numbers";
	case 'f':
	case 'c':
		return "a float of the writer's machine, not decoded";
	default:
		return NULL;
	}
}

const char *npy_element(struct npy_header *h, struct npy_field *f, struct str descr)
{
	const char *p = descr.p, *end = p + descr.n;
	char kind;

	f->descr = descr.p;
	f->type = DT_OPAQUE;
	f->size = 0;
	if (p < end && strchr("<>|=", *p))
		f->big_endian = *p++ == '>';
	kind = p < end ? *p++ : 0;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if ((f->size = f->size * 10 + (uint64_t)(*p - '0')) > ITEM_MAX)
			return "an element is larger than 1 GiB";
	if (p < end && (*p != '[' || (kind != 'M' && kind != 'm')))
		return "descr names no type that NumPy has";
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kinds[i].kind == kind && kinds[i].size == f->size)
			f->type = kinds[i].type;
	if (f->type == DT_OPAQUE && !(f->trouble = why_not(kind, f->size)))
		return "descr names no type that NumPy has";
	if (kind == 'O') {
		h->objects = true;
		f->size = 0;
	} else if (kind == 'U') {
		f->size *= 4;
	}
	if (!dtypes[f->type].items || dtypes[f->type].word < 2)
		f->big_endian = false;
	return NULL;
}

static void element_type(struct parser *s, struct npy_field *f, struct str descr)
{
	const char *wrong = npy_element(s->h, f, descr);

	if (wrong)
		fail(s, wrong);
}

struct npy_field *npy_add_field(struct npy_header *h)
{
	if (h->n_fields == NPY_FIELDS_MAX)
		return NULL;
	if (h->n_fields == h->cap_fields) {
		h->cap_fields = h->cap_fields ? 2 * h->cap_fields : 4;
		h->fields = xrealloc(h->fields, h->cap_fields, sizeof(*h->fields));
	}
	h->fields[h->n_fields] = (struct npy_field){.name = STR(""), .items = 1};
	return &h->fields[h->n_fields++];
}

static struct npy_field *add_field(struct parser *s)
{
	struct npy_field *f = npy_add_field(s->h);

	if (!f)
		fail(s, "a record has too many fields");
	return f;
}

/* Multiplies the bytes of the record by a field's shape. */
static void apply_shape(struct parser *s, struct npy_field *f)
{
	for (unsigned i = 0; i < f->rank; i++)
		if (!u64_mul(f->items, f->shape[i], &f->items) || f->items > ITEM_MAX)
			fail(s, "a field is larger than 1 GiB");
}

/* The name of a field: 'name', or ('title', 'name'). */
static struct str field_name(struct parser *s, struct str prefix)
{
	struct str name;

	if (accept(s, '(')) {
		string(s);
		expect(s, ',', "a comma is expected after a title");
		name = string(s);
		expect(s, ')', "a bracket is expected after a title");
	} else {
		name = string(s);
	}
	if (!prefix.n)
		return name;
	return str_of(arena_printf(s->arena, "%.*s.%.*s", (int)prefix.n, prefix.p, (int)name.n, name.p));
}

/* An open list of fields, while its fields are read: lists stand in lists, so a stack holds where we are. */
struct level {
	struct str prefix, name;
	uint64_t start; /* of the record it describes */
	size_t first;   /* its first field */
};

/* A record inside a record whose own shape is not (): its fields would have two strides. */
static void close_level(struct parser *s, const struct level *l)
{
	uint64_t dims[RANK_MAX], items = 1, bytes = s->h->itemsize - l->start;
	unsigned rank = 0;

	if (accept(s, ','))
		rank = peek(s) == ')' ? 0 : shape(s, dims, 0);
	for (unsigned i = 0; i < rank; i++)
		if (!u64_mul(items, dims[i], &items) || items > ITEM_MAX)
			fail(s, "a field is larger than 1 GiB");
	accept(s, ',');
	expect(s, ')', "a bracket is expected after a field");
	if (!rank || s->wrong)
		return;
	for (size_t i = l->first; i < s->h->n_fields; i++) {
		s->h->fields[i].type = DT_OPAQUE;
		s->h->fields[i].trouble = "an array of records inside a record, not decoded";
	}
	if (!u64_mul(bytes, items, &bytes) || bytes > ITEM_MAX)
		fail(s, "a field is larger than 1 GiB");
	s->h->itemsize = l->start + bytes;
}

/* The rest of ('name', '<f4'[, shape]) after its name. Padding has no name and is dropped. */
static void plain_field(struct parser *s, struct str name, bool padding)
{
	struct npy_field *f = add_field(s);

	if (!f)
		return;
	f->name = name;
	element_type(s, f, string(s));
	if (accept(s, ',') && peek(s) != ')')
		f->rank = shape(s, f->shape, 0);
	accept(s, ',');
	expect(s, ')', "a bracket is expected after a field");
	apply_shape(s, f);
	f->offset = s->h->itemsize;
	if (s->wrong || f->size * f->items > ITEM_MAX) {
		fail(s, "a field is larger than 1 GiB");
		return;
	}
	s->h->itemsize += f->size * f->items;
	if (s->h->itemsize > ITEM_MAX)
		fail(s, "a record is larger than 1 GiB");
	if (padding)
		s->h->n_fields--;
}

/* [('a', '<f4'), ('b', [('c', '|u1')])]: the opening bracket is taken. */
static void record(struct parser *s)
{
	struct level stack[DEPTH_MAX] = {{.prefix = STR("")}};
	size_t depth = 1;

	while (depth && !s->wrong) {
		struct level *top = &stack[depth - 1];
		struct str name;

		if (accept(s, ']')) {
			depth--;
			if (depth)
				close_level(s, top);
			if (depth && peek(s) != ']')
				expect(s, ',', "a comma is expected after a field");
			continue;
		}
		expect(s, '(', "a field is expected");
		name = field_name(s, top->prefix);
		expect(s, ',', "a comma is expected after a field's name");
		if (accept(s, '[')) {
			if (depth == DEPTH_MAX)
				fail(s, "records are nested too deeply");
			else
				stack[depth++] = (struct level){.prefix = name, .start = s->h->itemsize,
								.first = s->h->n_fields};
			continue;
		}
		plain_field(s, name, name.n == 0 || name.p[name.n - 1] == '.');
		if (peek(s) != ']')
			expect(s, ',', "a comma is expected after a field");
	}
}

static void descr(struct parser *s)
{
	struct npy_field *f;

	if (accept(s, '[')) {
		record(s);
		return;
	}
	if ((f = add_field(s))) {
		f->name = STR("");
		element_type(s, f, string(s));
		s->h->itemsize = f->size;
	}
}

static void fortran_order(struct parser *s)
{
	s->h->fortran = word(s, "True");
	if (!s->h->fortran && !word(s, "False"))
		fail(s, "fortran_order is neither True nor False");
}

static void dict(struct parser *s)
{
	enum { DESCR = 1, ORDER = 2, SHAPE = 4, ALL = 7 };
	unsigned seen = 0;

	expect(s, '{', "the header does not begin with {");
	while (!s->wrong && !accept(s, '}')) {
		struct str key = string(s);
		unsigned bit = str_eq(key, STR("descr")) ? DESCR : str_eq(key, STR("fortran_order")) ? ORDER
			     : str_eq(key, STR("shape")) ? SHAPE : 0;

		expect(s, ':', "a colon is expected after a key");
		if (!bit || (seen & bit))
			fail(s, "keys other than descr, fortran_order and shape, or one of them twice");
		seen |= bit;
		if (bit == DESCR)
			descr(s);
		else if (bit == ORDER)
			fortran_order(s);
		else if (bit == SHAPE && peek(s) != '(')
			fail(s, "shape is not a tuple");
		else if (bit == SHAPE)
			s->h->rank = shape(s, s->h->shape, 0);
		if (peek(s) != '}')
			expect(s, ',', "a comma is expected after a value");
	}
	if (seen != ALL)
		fail(s, "descr, fortran_order or shape is missing");
	if (peek(s))
		fail(s, "something follows the dict");
}

enum rc npy_header_read(struct npy_header *h, struct arena *arena, struct bytes head, struct err *e)
{
	struct parser s = {.arena = arena, .h = h};
	struct cur c = cur_of(head);
	const uint8_t *magic = cur_take(&c, 6);
	uint64_t n;

	*h = (struct npy_header){0};
	if (!magic || memcmp(magic, "\x93NUMPY", 6) != 0)
		return err_set(e, "does not begin with NumPy's magic");
	h->major = cur_u8(&c);
	h->minor = cur_u8(&c);
	if (!c.bad && (h->major < 1 || h->major > 3 || h->minor))
		return err_set(e, "version %u.%u of the .npy format is not known (byte 6)", h->major, h->minor);
	n = h->major == 1 ? cur_u16(&c) : cur_u32(&c);
	if (!c.bad && n > NPY_HEADER_MAX)
		return err_set(e, "a NumPy header of %" PRIu64 " bytes is longer than NumPy reads (byte 8)", n);
	h->data = cur_at(&c) + n;
	s.base = cur_at(&c);
	s.start = s.p = (const char *)cur_take(&c, n);
	if (c.bad)
		return err_set(e, "the file ends inside the NumPy header");
	s.end = s.p + n;
	dict(&s);
	if (s.wrong) {
		npy_header_free(h);
		return err_set(e, "the NumPy header is not sound: %s (byte %" PRIu64 ")", s.wrong,
			       s.base + (uint64_t)(s.p - s.start));
	}
	return RC_OK;
}

void npy_header_free(struct npy_header *h)
{
	free(h->fields);
	h->fields = NULL;
	h->n_fields = h->cap_fields = 0;
}
