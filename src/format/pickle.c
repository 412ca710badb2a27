#include "format/pickle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "format/pickle_calls.h"

enum {
	STACK_MAX = 64 << 20, /* values; only a pickle of nothing else comes there */
	WORK_MAX = 32 << 20, WORK_FREE = 1 << 18, /* nodes that may be walked: so many, and these and 8 a byte */
	NUMBER_MAX = 4096, /* characters of a number written as text */
	MEMO_SLACK = 1024,
	NAME_SHOWN = 80
};

/*
 * The memo is an array as long as its indices are dense, which those of every pickler are; an index far beyond what
 * was ever stored goes to a map, so that it costs no more than the opcode that brought it.
 */
struct memo {
	struct pk **dense;
	size_t cap;
	size_t stored; /* different indices: where MEMOIZE stores next */
	struct map sparse;
	struct pk **rare; /* the values of sparse */
	size_t n_rare, cap_rare;
};

struct pk_machine {
	struct cur c;
	struct pk **stack;
	size_t n, cap;
	size_t *marks; /* heights of the stack */
	size_t n_marks, cap_marks;
	struct memo memo;
	size_t spent; /* bytes of the graph so far */
	struct pk none, truth[2], nothing; /* nothing: the empty tuple */
	uint64_t frame;  /* where the newest frame ends */
	uint64_t resume; /* where the opcodes go on when they come there, if not there; or 0 */
	uint64_t at; /* of the opcode under way */
	uint64_t long_frame; /* past the opcode of a frame that is longer than the file; 0: none is */
};

/* ---- the machine's memory ---- */

static enum rc fail(const struct pickle *p, struct err *e, const char *what)
{
	if (p->machine->c.bad)
		return err_set(e, "the file ends inside a pickle (in the opcode at byte %" PRIu64 ")", p->machine->at);
	return err_set(e, "the pickle is not sound: %s (byte %" PRIu64 ")", what, p->machine->at);
}

static struct pk *node(struct pickle *p, enum pk_kind kind)
{
	struct pk *x = arena_new(&p->arena, struct pk, 1);

	p->machine->spent += sizeof(*x);
	x->kind = (uint8_t)kind;
	x->at = p->machine->at;
	return x;
}

static void push(struct pickle *p, struct pk *x)
{
	struct pk_machine *vm = p->machine;

	if (vm->n == vm->cap) {
		vm->cap = vm->cap ? 2 * vm->cap : 64;
		vm->stack = xrealloc(vm->stack, vm->cap, sizeof(*vm->stack));
	}
	vm->stack[vm->n++] = x;
}

/* What stands below the newest mark is out of reach. */
static size_t reach(const struct pk_machine *vm)
{
	return vm->n - (vm->n_marks ? vm->marks[vm->n_marks - 1] : 0);
}

static struct pk *top(const struct pickle *p)
{
	return reach(p->machine) ? p->machine->stack[p->machine->n - 1] : NULL;
}

static struct pk *pop(struct pickle *p)
{
	return reach(p->machine) ? p->machine->stack[--p->machine->n] : NULL;
}

static void push_mark(struct pickle *p)
{
	struct pk_machine *vm = p->machine;

	if (vm->n_marks == vm->cap_marks) {
		vm->cap_marks = vm->cap_marks ? 2 * vm->cap_marks : 64;
		vm->marks = xrealloc(vm->marks, vm->cap_marks, sizeof(*vm->marks));
	}
	vm->marks[vm->n_marks++] = vm->n;
}

/* Takes all down to the newest mark, and the mark; items stay readable until the next push. */
static bool pop_mark(struct pickle *p, struct pk ***items, size_t *n)
{
	struct pk_machine *vm = p->machine;
	size_t height;

	if (!vm->n_marks)
		return false;
	height = vm->marks[--vm->n_marks];
	*items = vm->stack ? vm->stack + height : NULL;
	*n = *items ? vm->n - height : 0;
	vm->n = height;
	return true;
}

static void seq_add(struct pickle *p, struct pk_seq *s, struct pk *const *items, size_t n)
{
	if (n > s->cap - s->n) {
		size_t cap = u64_max(s->n + n, s->cap ? 2 * (size_t)s->cap : 0);
		struct pk **bigger = arena_new(&p->arena, struct pk *, cap);

		if (s->n)
			memcpy(bigger, s->items, s->n * sizeof(*bigger));
		s->items = bigger;
		s->cap = (uint32_t)cap; /* limits.graph keeps it far below */
		p->machine->spent += cap * sizeof(*bigger);
	}
	if (n)
		memcpy(s->items + s->n, items, n * sizeof(*items));
	s->n += (uint32_t)n;
}

static struct pk *sequence(struct pickle *p, enum pk_kind kind, struct pk *const *items, size_t n)
{
	struct pk *x = node(p, kind);

	seq_add(p, &x->u.seq, items, n);
	return x;
}

static void memo_free(struct memo *memo)
{
	free(memo->dense);
	free(memo->rare);
	map_free(&memo->sparse);
}

static void memo_grow(struct memo *memo, size_t index)
{
	size_t cap = memo->cap ? memo->cap : 256;

	while (cap <= index)
		cap *= 2;
	memo->dense = xrealloc(memo->dense, cap, sizeof(struct pk *));
	memset(memo->dense + memo->cap, 0, (cap - memo->cap) * sizeof(struct pk *));
	memo->cap = cap;
}

static struct str memo_key(struct pickle *p, uint32_t index)
{
	return arena_str(&p->arena, (struct str){(const char *)&index, sizeof(index)});
}

static struct pk *memo_get(struct pickle *p, uint32_t index)
{
	struct memo *memo = &p->machine->memo;
	uint32_t at;

	if (index < memo->cap && memo->dense[index])
		return memo->dense[index];
	at = map_get(&memo->sparse, (struct str){(const char *)&index, sizeof(index)});
	return at == MAP_NONE ? NULL : memo->rare[at];
}

static void memo_put(struct pickle *p, uint32_t index, struct pk *x)
{
	struct memo *memo = &p->machine->memo;
	uint32_t at;

	memo->stored += !memo_get(p, index);
	if (index >= memo->cap && index <= 2 * memo->stored + MEMO_SLACK)
		memo_grow(memo, index);
	if (index < memo->cap) {
		memo->dense[index] = x;
		return;
	}
	at = map_add(&memo->sparse, memo_key(p, index), (uint32_t)memo->n_rare);
	if (at != MAP_NONE) {
		memo->rare[at] = x;
		return;
	}
	if (memo->n_rare == memo->cap_rare) {
		memo->cap_rare = memo->cap_rare ? 2 * memo->cap_rare : 16;
		memo->rare = xrealloc(memo->rare, memo->cap_rare, sizeof(struct pk *));
	}
	memo->rare[memo->n_rare++] = x;
}

/* ---- arguments ---- */

/* Up to the end of the line, which is taken, too. */
static struct str take_line(struct cur *c)
{
	const uint8_t *start = c->p, *end = cur_left(c) ? memchr(c->p, '\n', (size_t)cur_left(c)) : NULL;

	if (c->bad || !end) {
		c->bad = true;
		return STR("");
	}
	c->p = end + 1;
	return (struct str){(const char *)start, (size_t)(end - start)};
}

static struct str take_text(struct cur *c, uint64_t n)
{
	const uint8_t *p = cur_take(c, n);

	return p ? (struct str){(const char *)p, (size_t)n} : STR("");
}

static struct str trim(struct str s)
{
	static const char blanks[] = " \t\r\v\f";

	while (s.n && memchr(blanks, s.p[0], sizeof(blanks) - 1)) {
		s.p++;
		s.n--;
	}
	while (s.n && memchr(blanks, s.p[s.n - 1], sizeof(blanks) - 1))
		s.n--;
	return s;
}

/* A line with a number: to CPython it ends at a NUL. */
static struct str take_number(struct cur *c)
{
	struct str s = take_line(c);

	s.n = strnlen(s.p, s.n);
	return trim(s);
}

/* A decimal integer, with a sign and single underscores perhaps; *fits: it does in 64 bits. */
static bool parse_int(struct str s, int64_t *out, bool *fits)
{
	bool minus = s.n && s.p[0] == '-';
	int64_t x = 0;
	size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');

	*fits = true;
	if (i == s.n)
		return false;
	for (size_t first = i; i < s.n; i++) {
		if (s.p[i] == '_' && i > first && i + 1 < s.n && s.p[i - 1] != '_')
			continue;
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(x, 10, &x) ||
		    __builtin_add_overflow(x, minus ? '0' - s.p[i] : s.p[i] - '0', &x)) {
			*fits = false;
			x = 0;
		}
	}
	*out = x;
	return true;
}

/* What Python takes in base 0, too: 0x1f, 0o17, 0b1. */
static bool is_integer(struct str s, int64_t *value, bool *fits)
{
	static const char more[] = "0123456789abcdefABCDEFxXoO_";
	size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');

	if (parse_int(s, value, fits))
		return true;
	*fits = false;
	if (i + 2 >= s.n || s.p[i] != '0' || (s.p[i + 1] >= '0' && s.p[i + 1] <= '9'))
		return false;
	while (i < s.n && memchr(more, s.p[i], sizeof(more) - 1))
		i++;
	return i == s.n;
}

static enum rc push_text_int(struct pickle *p, struct str s, struct err *e)
{
	struct pk *x;
	int64_t value = 0;
	bool fits;

	if (s.n && s.p[s.n - 1] == 'L')
		s.n--;
	if (s.n > NUMBER_MAX || !is_integer(s, &value, &fits))
		return fail(p, e, "a whole number is expected");
	x = node(p, fits ? PK_INT : PK_BIG);
	if (fits) {
		x->u.integer = value;
	} else {
		x->code = PK_QUOTED;
		x->u.text = s;
	}
	push(p, x);
	return RC_OK;
}

static void push_int(struct pickle *p, int64_t value)
{
	struct pk *x = node(p, PK_INT);

	x->u.integer = value;
	push(p, x);
}

/* LONG1 and LONG4: two's complement, little-endian. */
static void push_long(struct pickle *p, struct str s)
{
	uint64_t bits = load_uint((const uint8_t *)s.p, s.n < 8 ? s.n : 8, false);
	struct pk *x;

	if (s.n > 8) {
		x = node(p, PK_BIG);
		x->u.text = s;
		push(p, x);
		return;
	}
	if (s.n && s.n < 8 && s.p[s.n - 1] & 0x80)
		bits |= UINT64_MAX << 8 * s.n;
	push_int(p, (int64_t)bits);
}

static void push_real(struct pickle *p, double value)
{
	struct pk *x = node(p, PK_REAL);

	x->u.real = value;
	push(p, x);
}

static enum rc push_text_real(struct pickle *p, struct str s, struct err *e)
{
	char digits[NUMBER_MAX + 1], *end;
	size_t n = 0;
	double x;

	if (!s.n || s.n > NUMBER_MAX)
		return fail(p, e, "a number is expected");
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_' || !i) /* Python's 1_000.0 */
			digits[n++] = s.p[i];
	digits[n] = '\0';
	x = strtod(digits, &end);
	if (end != digits + n)
		return fail(p, e, "a number is expected");
	push_real(p, x);
	return RC_OK;
}

static void push_str(struct pickle *p, enum pk_kind kind, enum pk_code code, struct str s, bool py2)
{
	struct pk *x = node(p, kind);

	x->code = (uint8_t)code;
	x->u.text = s;
	x->py2 = py2;
	push(p, x);
}

/* STRING: what repr() gives. */
static enum rc push_quoted(struct pickle *p, struct str s, struct err *e)
{
	s = trim(s);
	if (s.n < 2 || (s.p[0] != '\'' && s.p[0] != '"') || s.p[s.n - 1] != s.p[0])
		return fail(p, e, "a text in quotes is expected");
	s = (struct str){s.p + 1, s.n - 2};
	push_str(p, PK_BYTES, memchr(s.p, '\\', s.n) ? PK_QUOTED : PK_PLAIN, s, true);
	return RC_OK;
}

/* A length of 32 bits, signed: negative ones are refused. */
static uint64_t take_length(struct cur *c)
{
	uint32_t n = cur_u32(c);

	if (n > INT32_MAX)
		c->bad = true;
	return n;
}

/* ---- what opcodes do ---- */

static bool is_sequence(const struct pk *x)
{
	return pk_is(x, PK_TUPLE) || pk_is(x, PK_LIST) || pk_is(x, PK_SET);
}

static void push_global(struct pickle *p, struct str module, struct str name)
{
	struct pk *x = node(p, PK_GLOBAL);

	if (p->machine->c.bad) /* cut off inside the names */
		return;
	x->u.global.module = module;
	x->u.global.name = name;
	pk_imported(p, x);
	push(p, x);
}

/* A name may be what a call gives: str(b"os", "ascii"). */
static bool may_be_text(const struct pk *x)
{
	return x->kind == PK_TEXT || (x->kind == PK_BYTES && x->py2) || x->kind == PK_OBJECT ||
	       x->kind == PK_PERSISTENT;
}

/* Then it is named by the call, which is among those that are looked at. */
static struct str name_of(struct pickle *p, struct pk *x)
{
	struct buf b = {0};
	struct str s;

	if (pk_text(p, x, &s))
		return s;
	pk_show(&b, x, NAME_SHOWN);
	s = arena_str(&p->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

static enum rc stack_global(struct pickle *p, struct err *e)
{
	struct pk *name = pop(p), *module = pop(p);
	struct str m, n;

	if (!name || !module || !may_be_text(module) || !may_be_text(name))
		return fail(p, e, "STACK_GLOBAL without the two texts that name it");
	m = name_of(p, module);
	n = name_of(p, name);
	push_global(p, m, n);
	return RC_OK;
}

static struct pk *object(struct pickle *p, struct pk *callee, struct pk *args, const struct pk *kw, bool made)
{
	struct pk *x = node(p, PK_OBJECT);
	bool plain = args->kind == PK_TUPLE;

	x->u.object = arena_new(&p->arena, struct pk_object, 1);
	p->machine->spent += sizeof(*x->u.object);
	x->u.object->callee = callee;
	x->u.object->args = plain ? args : &p->machine->nothing; /* else they are what a call gives */
	x->u.object->made = made;
	pk_called(p, callee, args, kw, x->at);
	return x;
}

/* REDUCE, NEWOBJ, NEWOBJ_EX: the keywords of the last are of no interest to a reader of weights. Arguments may be what
 * a call gives; CPython's other unpickler, which joblib uses, takes any sequence. */
static enum rc call(struct pickle *p, bool made, bool keywords, struct err *e)
{
	struct pk *kw = keywords ? pop(p) : NULL, *args = pop(p), *callee = pop(p);

	if (!callee || !args || (keywords && !kw))
		return fail(p, e, "a call without its arguments");
	if (!is_sequence(args) && args->kind != PK_DICT && args->kind != PK_OBJECT && args->kind != PK_PERSISTENT)
		return fail(p, e, "the arguments of a call are no tuple");
	push(p, object(p, callee, args, kw, made));
	return RC_OK;
}

static enum rc call_marked(struct pickle *p, struct pk *callee, struct err *e)
{
	struct pk **items, *args;
	size_t n;

	if (!pop_mark(p, &items, &n) || (!callee && !n))
		return fail(p, e, "a call without a mark before its arguments");
	if (!callee) {
		callee = items[0];
		items++;
		n--;
	}
	args = sequence(p, PK_TUPLE, items, n);
	push(p, object(p, callee, args, NULL, true));
	return RC_OK;
}

static enum rc inst(struct pickle *p, struct str module, struct str name, struct err *e)
{
	struct pk *x = node(p, PK_GLOBAL);

	if (p->machine->c.bad)
		return fail(p, e, "");
	x->u.global.module = module;
	x->u.global.name = name;
	pk_imported(p, x);
	return call_marked(p, x, e);
}

/* What follows an object in the stream follows the frame that the object stands in: a frame is fetched as a whole. */
static enum rc built(struct pickle *p, struct pk *x, struct err *e)
{
	struct pk_machine *vm = p->machine;
	uint64_t at = cur_at(&vm->c), start = vm->resume ? vm->resume : u64_max(at, vm->frame);
	struct cur after = vm->c;

	if (start == at)
		return p->built(p, x, &vm->c, e);
	cur_take(&after, start - at);
	if (p->built(p, x, &after, e) != RC_OK)
		return RC_FAIL;
	if (cur_at(&after) > vm->frame)
		vm->resume = cur_at(&after);
	return RC_OK;
}

static enum rc build(struct pickle *p, struct err *e)
{
	struct pk *state = pop(p), *x = top(p);

	if (!state || !x)
		return fail(p, e, "BUILD without an object and its state");
	pk_altered(p, x, "__setstate__", state, p->machine->at);
	if (x->kind != PK_OBJECT)
		return RC_OK;
	x->u.object->state = state;
	return p->built ? built(p, x, e) : RC_OK;
}

/* The list or dict that belongs to what APPEND or SETITEM is done to; NULL: neither. What is neither and takes items
 * all the same (a list or bytearray by index, a dict or list by its global name) gets them for nothing. */
static struct pk *container(struct pickle *p, struct pk *x, enum pk_kind kind)
{
	struct pk **inner;

	if (!x || x->kind == kind)
		return x;
	if (x->kind == PK_GLOBAL || x->kind == PK_PERSISTENT || (x->kind == PK_BYTES && kind != PK_SET) ||
	    (x->kind == PK_LIST && kind == PK_DICT))
		return sequence(p, kind, NULL, 0);
	if (x->kind != PK_OBJECT)
		return NULL;
	inner = kind == PK_DICT ? &x->u.object->dict : &x->u.object->list;
	if (!*inner)
		*inner = sequence(p, kind == PK_SET ? PK_LIST : kind, NULL, 0);
	return *inner;
}

static const char *changer(enum pk_kind kind)
{
	return kind == PK_DICT ? "__setitem__" : kind == PK_SET ? "add" : "append";
}

static enum rc add_items(struct pickle *p, enum pk_kind kind, struct err *e)
{
	struct pk **items, *to;
	size_t n;

	if (!pop_mark(p, &items, &n))
		return fail(p, e, "items without the list or dict they belong to");
	if (!n && top(p)) /* whatever it is */
		return RC_OK;
	if (!(to = container(p, top(p), kind)))
		return fail(p, e, "items without the list or dict they belong to");
	if (kind == PK_DICT && n % 2)
		return fail(p, e, "a key without a value");
	seq_add(p, &to->u.seq, items, n);
	pk_altered(p, top(p), changer(kind), to, p->machine->at);
	return RC_OK;
}

static enum rc add_one(struct pickle *p, enum pk_kind kind, struct err *e)
{
	struct pk *item[2], *to;
	size_t n = kind == PK_DICT ? 2 : 1;

	for (size_t i = n; i-- > 0;)
		if (!(item[i] = pop(p)))
			return fail(p, e, "an item is missing");
	if (!(to = container(p, top(p), kind)))
		return fail(p, e, "an item without the list or dict it belongs to");
	seq_add(p, &to->u.seq, item, n);
	pk_altered(p, top(p), changer(kind), to, p->machine->at);
	return RC_OK;
}

static enum rc gather(struct pickle *p, enum pk_kind kind, struct err *e)
{
	struct pk **items;
	size_t n;

	if (!pop_mark(p, &items, &n))
		return fail(p, e, "no mark before the items");
	if (kind == PK_DICT && n % 2)
		return fail(p, e, "a key without a value");
	push(p, sequence(p, kind, items, n));
	return RC_OK;
}

static enum rc tuple(struct pickle *p, size_t n, struct err *e)
{
	struct pk *x;

	if (reach(p->machine) < n)
		return fail(p, e, "a tuple with too few items");
	p->machine->n -= n;
	x = sequence(p, PK_TUPLE, p->machine->stack + p->machine->n, n);
	push(p, x);
	return RC_OK;
}

static enum rc persistent(struct pickle *p, struct pk *id, struct err *e)
{
	struct pk *x = node(p, PK_PERSISTENT);

	if (!id)
		return fail(p, e, "a persistent id is missing");
	x->u.id = id;
	seq_add(p, &p->persistent, &x, 1);
	push(p, x);
	return RC_OK;
}

static enum rc persistent_line(struct pickle *p, struct str s, struct err *e)
{
	struct pk *id = node(p, PK_TEXT);

	id->u.text = s;
	return persistent(p, id, e);
}

static enum rc get(struct pickle *p, uint64_t index, struct err *e)
{
	struct pk *x = index <= UINT32_MAX ? memo_get(p, (uint32_t)index) : NULL;

	if (!x)
		return fail(p, e, "nothing was stored under this number");
	push(p, x);
	return RC_OK;
}

static enum rc put(struct pickle *p, uint64_t index, struct err *e)
{
	struct pk *x = top(p);

	if (!x || index > UINT32_MAX)
		return fail(p, e, x ? "a number beyond 32 bits to store under" : "nothing is there to be stored");
	memo_put(p, (uint32_t)index, x);
	return RC_OK;
}

static uint64_t index_of_line(struct pickle *p)
{
	int64_t x = -1;
	bool fits;

	return parse_int(take_number(&p->machine->c), &x, &fits) && fits && x >= 0 ? (uint64_t)x : UINT64_MAX;
}

static enum rc pop_one(struct pickle *p, struct err *e)
{
	struct pk **items;
	size_t n;

	return pop(p) || pop_mark(p, &items, &n) ? RC_OK : fail(p, e, "nothing is there to be dropped");
}

static enum rc dup(struct pickle *p, struct err *e)
{
	struct pk *x = top(p);

	if (!x)
		return fail(p, e, "nothing is there to be doubled");
	push(p, x);
	return RC_OK;
}

/* FRAME: how much a reader may fetch at once. One in Python, joblib's, runs what there is of it. */
static void frame(struct pickle *p)
{
	struct pk_machine *vm = p->machine;
	uint64_t n = cur_u64(&vm->c);

	if (n > cur_left(&vm->c) && !vm->long_frame)
		vm->long_frame = vm->at + 1;
	vm->frame = cur_at(&vm->c) + u64_min(n, cur_left(&vm->c));
}

/* EXT1 to EXT4: what a registry in the process has under a number. The file can have put it there itself. */
static void extension(struct pickle *p, uint32_t code)
{
	push_global(p, STR("copyreg"), str_of(arena_printf(&p->arena, "extension_%" PRIu32, code)));
}

static enum rc text_bool_or_int(struct pickle *p, struct err *e)
{
	struct str s = take_number(&p->machine->c);

	if (!str_eq(s, STR("00")) && !str_eq(s, STR("01")))
		return push_text_int(p, s, e);
	push(p, &p->machine->truth[s.p[1] == '1']);
	return RC_OK;
}

/* One opcode, whose byte is taken. Values are pushed before c.bad is looked at: the loop does. */
static enum rc step(struct pickle *p, uint8_t op, struct err *e)
{
	struct cur *c = &p->machine->c;
	struct pk **items;
	struct str s;
	size_t n;

	switch (op) {
	case 0x80: /* PROTO */
		n = cur_u8(c);
		p->protocol = (unsigned)u64_max(p->protocol, n);
		return n <= 5 ? RC_OK : fail(p, e, "a protocol beyond 5");
	case 0x95: frame(p); return RC_OK;
	case '(': push_mark(p); return RC_OK;
	case '0': return pop_one(p, e);
	case '1': return pop_mark(p, &items, &n) ? RC_OK : fail(p, e, "no mark is there to be dropped");
	case '2': return dup(p, e);

	case 'N': push(p, &p->machine->none); return RC_OK;
	case 0x88: push(p, &p->machine->truth[1]); return RC_OK;
	case 0x89: push(p, &p->machine->truth[0]); return RC_OK;
	case 'I': return text_bool_or_int(p, e);
	case 'L': return push_text_int(p, take_number(c), e);
	case 'F': return push_text_real(p, take_number(c), e);
	case 'J': push_int(p, (int32_t)cur_u32(c)); return RC_OK;
	case 'K': push_int(p, cur_u8(c)); return RC_OK;
	case 'M': push_int(p, cur_u16(c)); return RC_OK;
	case 0x8a: push_long(p, take_text(c, cur_u8(c))); return RC_OK;
	case 0x8b: push_long(p, take_text(c, take_length(c))); return RC_OK;
	case 'G': /* the one big-endian number */
		c->big = true;
		push_real(p, real_of_bits(cur_u64(c), 8));
		c->big = false;
		return RC_OK;

	case 'S': return push_quoted(p, take_line(c), e);
	case 'T': push_str(p, PK_BYTES, PK_PLAIN, take_text(c, take_length(c)), true); return RC_OK;
	case 'U': push_str(p, PK_BYTES, PK_PLAIN, take_text(c, cur_u8(c)), true); return RC_OK;
	case 'V': push_str(p, PK_TEXT, PK_RAW_UNICODE, take_line(c), false); return RC_OK;
	case 'X': push_str(p, PK_TEXT, PK_PLAIN, take_text(c, cur_u32(c)), false); return RC_OK;
	case 0x8c: push_str(p, PK_TEXT, PK_PLAIN, take_text(c, cur_u8(c)), false); return RC_OK;
	case 0x8d: push_str(p, PK_TEXT, PK_PLAIN, take_text(c, cur_u64(c)), false); return RC_OK;
	case 'B': push_str(p, PK_BYTES, PK_PLAIN, take_text(c, cur_u32(c)), false); return RC_OK;
	case 'C': push_str(p, PK_BYTES, PK_PLAIN, take_text(c, cur_u8(c)), false); return RC_OK;
	case 0x8e: /* BINBYTES8 */
	case 0x96: /* BYTEARRAY8 */
		push_str(p, PK_BYTES, PK_PLAIN, take_text(c, cur_u64(c)), false);
		return RC_OK;

	case ')': push(p, &p->machine->nothing); return RC_OK;
	case 't': return gather(p, PK_TUPLE, e);
	case 0x85: return tuple(p, 1, e);
	case 0x86: return tuple(p, 2, e);
	case 0x87: return tuple(p, 3, e);
	case ']': push(p, node(p, PK_LIST)); return RC_OK;
	case 'l': return gather(p, PK_LIST, e);
	case 'a': return add_one(p, PK_LIST, e);
	case 'e': return add_items(p, PK_LIST, e);
	case '}': push(p, node(p, PK_DICT)); return RC_OK;
	case 'd': return gather(p, PK_DICT, e);
	case 's': return add_one(p, PK_DICT, e);
	case 'u': return add_items(p, PK_DICT, e);
	case 0x8f: push(p, node(p, PK_SET)); return RC_OK;
	case 0x91: return gather(p, PK_SET, e);
	case 0x90: return add_items(p, PK_SET, e);

	case 'g': return get(p, index_of_line(p), e);
	case 'h': return get(p, cur_u8(c), e);
	case 'j': return get(p, cur_u32(c), e);
	case 'p': return put(p, index_of_line(p), e);
	case 'q': return put(p, cur_u8(c), e);
	case 'r': return put(p, cur_u32(c), e);
	case 0x94: return put(p, p->machine->memo.stored, e); /* MEMOIZE */

	case 'c':
		s = take_line(c);
		push_global(p, s, take_line(c));
		return RC_OK;
	case 0x93: return stack_global(p, e);
	case 'R': return call(p, false, false, e);
	case 0x81: return call(p, true, false, e);
	case 0x92: return call(p, true, true, e);
	case 'i':
		s = take_line(c);
		return inst(p, s, take_line(c), e);
	case 'o': return call_marked(p, NULL, e);
	case 'b': return build(p, e);
	case 'P': return persistent_line(p, take_line(c), e);
	case 'Q': return persistent(p, pop(p), e);

	case 0x82: extension(p, cur_u8(c)); return RC_OK;
	case 0x83: extension(p, cur_u16(c)); return RC_OK;
	case 0x84: extension(p, cur_u32(c)); return RC_OK;
	case 0x98: /* READONLY_BUFFER */
		if (top(p))
			return RC_OK;
		/* fallthrough */
	case 0x97: return fail(p, e, "it uses out-of-band buffers, which do not stand in the file");
	}
	return fail(p, e, "no opcode is known by this byte");
}

static void machine_free(struct pickle *p)
{
	struct pk_machine *vm = p->machine;

	if (!vm)
		return;
	free(vm->stack);
	free(vm->marks);
	memo_free(&vm->memo);
	free(vm);
	p->machine = NULL;
}

static void machine_new(struct pickle *p, struct bytes all, uint64_t at)
{
	struct pk_machine *vm = xcalloc(1, sizeof(*vm));

	p->machine = vm;
	vm->c = cur_of(all);
	cur_take(&vm->c, at);
}

static enum rc run(struct pickle *p, struct err *e)
{
	struct pk_machine *vm = p->machine;

	for (;;) {
		uint8_t op;

		if (vm->resume && cur_at(&vm->c) == vm->frame) {
			cur_take(&vm->c, vm->resume - cur_at(&vm->c));
			vm->resume = 0;
		}
		vm->at = cur_at(&vm->c);
		op = cur_u8(&vm->c);
		if (vm->c.bad)
			return err_set(e, "the file ends inside a pickle (byte %" PRIu64 ": no STOP)", vm->at);
		if (op == '.')
			break;
		if (step(p, op, e) != RC_OK)
			return RC_FAIL;
		if (vm->c.bad)
			return fail(p, e, "");
		if (vm->spent > limits.graph)
			return limits_passed(&limits.graph, e);
		if (vm->n > STACK_MAX || vm->n_marks > STACK_MAX)
			return fail(p, e, "it makes more values than are read");
	}
	if (vm->long_frame) {
		vm->at = vm->long_frame - 1;
		return fail(p, e, "a frame that is longer than the file");
	}
	p->root = pop(p);
	p->end = cur_at(&vm->c);
	return p->root ? RC_OK : fail(p, e, "it ends without a value");
}

/* The nodes that every pickle shares; they outlive the machine. */
static void shared_nodes(struct pickle *p)
{
	p->machine->none.kind = PK_NONE;
	p->machine->truth[0].kind = p->machine->truth[1].kind = PK_BOOL;
	p->machine->truth[1].u.boolean = true;
	p->machine->nothing.kind = PK_TUPLE;
}

enum rc pickle_read(struct pickle *p, uint64_t at, struct err *e)
{
	struct bytes all = p->bytes.p ? p->bytes : p->m->source.members[p->member].data;

	machine_new(p, all, at);
	shared_nodes(p);
	if (run(p, e) == RC_OK)
		return RC_OK;
	p->end = cur_at(&p->machine->c);
	return RC_FAIL;
}

void pickle_free(struct pickle *p)
{
	machine_free(p);
	arena_free(&p->arena);
	p->root = NULL;
	p->persistent = (struct pk_seq){0};
}

bool pickle_begins(struct bytes b)
{
	return b.n > 1 && b.p[0] == 0x80 && b.p[1] <= 5;
}

/* A number for copyreg's registry alone is no sign of a pickle: three of all 256 first bytes are its opcodes, and in an
 * empty registry it ends the loading. What fills the registry is a call of its own. */
static bool tells(const struct call *c)
{
	static const struct str number = {"extension_", 10};
	bool numbered = str_eq(c->module, STR("copyreg")) && c->name.n > number.n &&
			memcmp(c->name.p, number.p, number.n) == 0;

	return c->called || (c->risk == CALL_DANGEROUS && !numbered);
}

/* Text may begin as a global does: cat, dog. One that begins with a protocol is believed. */
bool pickle_try(struct model *m, uint32_t member, struct bytes b, uint64_t at, uint64_t *took)
{
	enum { PICKLES = 100 };
	struct pickle p = {.m = m, .member = member, .bytes = b, .base = at, .stray = !pickle_begins(b)};
	size_t before = m->n_calls;
	uint64_t more = m->more_calls;
	bool sure = pickle_begins(b);
	struct err e;

	for (int i = 0; i < PICKLES && p.end < b.n && pickle_read(&p, p.end, &e) == RC_OK; i++)
		pickle_free(&p);
	pickle_free(&p);
	if (took)
		*took = p.end;
	sure = sure && m->n_calls > before;
	for (size_t i = before; i < m->n_calls && !sure; i++)
		sure = tells(&m->calls[i]);
	if (!sure) {
		m->n_calls = before;
		m->more_calls = more;
	}
	return sure;
}

/* ---- probing ---- */

/* The opcode's argument is taken; false: there is no such opcode, or the argument is not sound. */
static bool skip_opcode(struct cur *c, uint8_t op)
{
	struct str s;
	int64_t number;
	bool fits;

	switch (op) {
	case 0x80: return cur_u8(c) <= 5 || c->bad;
	case 0x95: cur_u64(c); return true;
	case 'J': case 'j': case 'r': case 0x84: cur_u32(c); return true;
	case 'K': case 'h': case 'q': case 0x82: cur_u8(c); return true;
	case 'M': case 0x83: cur_u16(c); return true;
	case 'G': cur_u64(c); return true;
	case 0x8a: case 'U': case 0x8c: case 'C': cur_take(c, cur_u8(c)); return true;
	case 0x8b: case 'T': case 'X': case 'B': cur_take(c, cur_u32(c)); return true;
	case 0x8d: case 0x8e: case 0x96: cur_take(c, cur_u64(c)); return true;
	case 'I': case 'L': case 'g': case 'p':
		s = take_number(c);
		s.n -= s.n && s.p[s.n - 1] == 'L';
		return c->bad || is_integer(s, &number, &fits);
	case 'F': case 'V': case 'P':
		take_line(c);
		return true;
	case 'S':
		s = trim(take_line(c));
		return c->bad || (s.n >= 2 && (s.p[0] == '\'' || s.p[0] == '"') && s.p[s.n - 1] == s.p[0]);
	case 'c': case 'i':
		s = take_line(c);
		return c->bad || (s.n && !memchr(s.p, ' ', s.n) && (take_line(c), true));
	}
	return op && strchr("(012N)tlaed]}suoRbQ\x85\x86\x87\x88\x89\x8f\x90\x91\x93\x94\x81\x92\x98", op) != NULL;
}

unsigned pickle_looks(struct bytes b, bool cut, unsigned most, bool *whole)
{
	struct cur c = cur_of(b);
	unsigned n = 0;

	*whole = false;
	while (n < most && cur_left(&c)) {
		uint8_t op = cur_u8(&c);

		if (op == '.') {
			*whole = n > 0;
			return n;
		}
		if (!skip_opcode(&c, op))
			return 0;
		if (c.bad)
			return cut ? n : 0;
		n++;
	}
	return n == most || cut ? n : 0;
}

/* ---- reading the graph ---- */

bool pk_is(const struct pk *x, enum pk_kind kind)
{
	return x && x->kind == kind;
}

bool pk_int(const struct pk *x, int64_t *out)
{
	if (!pk_is(x, PK_INT) && !pk_is(x, PK_BOOL))
		return false;
	*out = x->kind == PK_INT ? x->u.integer : x->u.boolean;
	return true;
}

bool pk_u64(const struct pk *x, uint64_t *out)
{
	if (!pk_is(x, PK_INT) || x->u.integer < 0)
		return false;
	*out = (uint64_t)x->u.integer;
	return true;
}

bool pk_global_is(const struct pk *x, const char *module, const char *name)
{
	return pk_is(x, PK_GLOBAL) && str_eq(x->u.global.module, str_of(module)) &&
	       (strcmp(name, "*") == 0 || str_eq(x->u.global.name, str_of(name)));
}

struct pk *pk_item(const struct pk *x, size_t i)
{
	return is_sequence(x) && i < x->u.seq.n ? x->u.seq.items[i] : NULL;
}

size_t pk_count(const struct pk *x)
{
	if (pk_is(x, PK_DICT))
		return x->u.seq.n / 2;
	return is_sequence(x) ? x->u.seq.n : 0;
}

bool pk_text_is(struct pickle *p, struct pk *x, const char *word)
{
	struct str s;

	return pk_text(p, x, &s) && str_eq(s, str_of(word));
}

bool pk_tired(const struct pickle *p)
{
	uint64_t most;

	return p->work > WORK_MAX || !u64_mul(p->end, 8, &most) || p->work > WORK_FREE + most;
}

struct pk *pk_get(struct pickle *p, const struct pk *dict, const char *key)
{
	if (!pk_is(dict, PK_DICT))
		return NULL;
	for (size_t i = dict->u.seq.n; i >= 2 && !pk_tired(p); i -= 2, p->work++)
		if (pk_text_is(p, dict->u.seq.items[i - 2], key))
			return dict->u.seq.items[i - 1];
	return NULL;
}

static bool is_helper(const struct pk *callee)
{
	static const char *const modules[] = {"copyreg", "copy_reg"};

	for (size_t i = 0; i < COUNT(modules); i++)
		if (pk_global_is(callee, modules[i], "_reconstructor") ||
		    pk_global_is(callee, modules[i], "__newobj__"))
			return true;
	return false;
}

bool pk_rebuilt(const struct pk *x)
{
	return pk_is(x, PK_OBJECT) && is_helper(x->u.object->callee);
}

const struct pk *pk_class(const struct pk *x)
{
	const struct pk *callee;

	if (!pk_is(x, PK_OBJECT))
		return NULL;
	callee = pk_rebuilt(x) ? pk_item(x->u.object->args, 0) : x->u.object->callee;
	if (pk_is(callee, PK_PERSISTENT)) /* torch: ('module', class, file, source) */
		callee = pk_item(callee->u.id, 1);
	return pk_is(callee, PK_GLOBAL) ? callee : NULL;
}
