/* format/pickle: what a pickle may do to whoever reads it. Nothing is called, memory stays in proportion, all ends. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "format/pickle_calls.h"
#include "format/pickle_tree.h"

struct fixture {
	struct model m;
	struct member member;
	struct pickle p;
	struct err e;
};

static enum rc run(struct fixture *f, const void *bytes, size_t n)
{
	memset(f, 0, sizeof(*f));
	f->member = (struct member){.name = STR("m"), .kind = MEMBER_MAPPED, .data = {bytes, n}, .size = n};
	f->m.source.members = &f->member;
	f->m.source.n = f->m.source.cap = 1;
	f->p.m = &f->m;
	return pickle_read(&f->p, 0, &f->e);
}

static void done(struct fixture *f)
{
	pickle_free(&f->p);
	free(f->m.tensors);
	free(f->m.meta);
	free(f->m.problems);
	free(f->m.calls);
	arena_free(&f->m.arena);
}

#define RUN(f, literal) run(f, literal, sizeof(literal) - 1)

/* Walks what was read; returns the problems. */
static size_t walk(struct fixture *f)
{
	struct tree t = {.p = &f->p, .only = "array"};
	struct err e;

	assert_int_equal(tree_walk(&t, STR(""), &e), RC_OK);
	assert_int_equal(tree_end(&t, &e), RC_OK);
	return f->m.n_problems;
}

static void values(void **state)
{
	struct fixture f;
	struct str s;
	int64_t n;
	(void)state;

	assert_int_equal(RUN(&f, "\x80\2(I-12\nL345L\nI01\nF2.5\nK\xffM\xff\xffJ\xff\xff\xff\xff\x8a\2\0\x80G\x3f\xf8\0\0\0\0\0\0Nt."), RC_OK);
	assert_true(pk_int(pk_item(f.p.root, 0), &n) && n == -12);
	assert_true(pk_int(pk_item(f.p.root, 1), &n) && n == 345);
	assert_true(pk_is(pk_item(f.p.root, 2), PK_BOOL) && pk_item(f.p.root, 2)->u.boolean);
	assert_true(pk_is(pk_item(f.p.root, 3), PK_REAL) && pk_item(f.p.root, 3)->u.real == 2.5);
	assert_true(pk_int(pk_item(f.p.root, 4), &n) && n == 255);
	assert_true(pk_int(pk_item(f.p.root, 5), &n) && n == 65535);
	assert_true(pk_int(pk_item(f.p.root, 6), &n) && n == -1);
	assert_true(pk_int(pk_item(f.p.root, 7), &n) && n == -32768);
	assert_true(pk_is(pk_item(f.p.root, 8), PK_REAL) && pk_item(f.p.root, 8)->u.real == 1.5);
	assert_true(pk_is(pk_item(f.p.root, 9), PK_NONE));
	assert_int_equal(pk_count(f.p.root), 10);
	done(&f);
	assert_int_equal(RUN(&f, "(S'a\\x41\\n\\'\\101'\nVx\\u00e9\\u005c\xe9\nU\3abcX\2\0\0\0\xc3\xa9t."), RC_OK);
	assert_true(pk_text(&f.p, pk_item(f.p.root, 0), &s) && str_eq(s, STR("aA\n'A")));
	assert_true(pk_text(&f.p, pk_item(f.p.root, 1), &s) && str_eq(s, STR("x\xc3\xa9\\\xc3\xa9")));
	assert_true(pk_text_is(&f.p, pk_item(f.p.root, 2), "abc"));
	assert_true(pk_text_is(&f.p, pk_item(f.p.root, 3), "\xc3\xa9"));
	done(&f);
	assert_int_equal(RUN(&f, "L123456789012345678901234567890L\n."), RC_OK);
	assert_true(pk_is(f.p.root, PK_BIG));
	done(&f);
}

static void a_call_is_kept(void **state)
{
	struct fixture f;
	const struct call *c;
	(void)state;

	assert_int_equal(RUN(&f, "cos\nsystem\n(S'touch x'\ntR."), RC_OK);
	assert_int_equal(f.m.n_calls, 1);
	c = &f.m.calls[0];
	assert_true(str_eq(c->module, STR("os")) && str_eq(c->name, STR("system")));
	assert_string_equal(c->args.p, "(\"touch x\")");
	assert_true(c->called && c->risk == CALL_DANGEROUS && c->offset == 0);
	done(&f);

	/* by INST, OBJ, NEWOBJ, STACK_GLOBAL, and through what a call gives */
	assert_int_equal(RUN(&f, "(S'x'\nios\nsystem\n0(cos\npopen\nS'y'\no0cos\nabort\n)\x81"
				 "0\x8c\2os\x8c\6remove\x93\x8c\1z\x85R."), RC_OK);
	assert_int_equal(f.m.n_calls, 4);
	assert_string_equal(f.m.calls[0].args.p, "(\"x\")");
	assert_string_equal(f.m.calls[1].args.p, "(\"y\")");
	assert_string_equal(f.m.calls[2].args.p, "()");
	assert_true(str_eq(f.m.calls[3].name, STR("remove")));
	for (int i = 0; i < 4; i++)
		assert_true(f.m.calls[i].called && f.m.calls[i].risk == CALL_DANGEROUS);
	done(&f);
	assert_int_equal(RUN(&f, "c__builtin__\ngetattr\n(cos\nos\nS'system'\ntR(S'rm'\ntR."), RC_OK);
	assert_int_equal(f.m.n_calls, 3);
	assert_true(f.m.calls[2].module.n == 0 && f.m.calls[2].called);
	assert_string_equal(f.m.calls[2].name.p, "__builtin__.getattr(os.os, \"system\")");
	assert_string_equal(f.m.calls[2].args.p, "(\"rm\")");
	done(&f);
}

/* What is harmless is counted; of what is not, each call is told. */
static void calls_are_counted(void **state)
{
	static const char harmless[] = "cnumpy\ndtype\nq\1(h\1S'f4'\n\x85R0h\1S'f8'\n\x85R0N.";
	struct fixture f;
	(void)state;

	assert_int_equal(RUN(&f, "cnumpy\ndtype\nq\1S'f4'\n\x85R0h\1S'f8'\n\x85R."), RC_OK);
	assert_int_equal(f.m.n_calls, 1);
	assert_true(f.m.calls[0].times == 3 && f.m.calls[0].risk == CALL_HARMLESS && f.m.calls[0].called);
	assert_string_equal(f.m.calls[0].args.p, "(\"f4\")");
	done(&f);
	assert_int_equal(RUN(&f, "cmine\nThing\nq\1S'a'\n\x85R0h\1S'b'\n\x85R."), RC_OK);
	assert_int_equal(f.m.n_calls, 2);
	assert_true(f.m.calls[0].risk == CALL_UNKNOWN && f.m.calls[1].risk == CALL_UNKNOWN);
	assert_string_equal(f.m.calls[1].args.p, "(\"b\")");
	done(&f);
	assert_int_equal(run(&f, harmless, sizeof(harmless) - 1), RC_OK);
	done(&f);
}

static void risks(void **state)
{
	static const struct {
		const char *module, *name;
		enum call_risk risk;
	} rows[] = {
		{"torch._utils", "_rebuild_tensor_v2", CALL_HARMLESS}, {"torch", "FloatStorage", CALL_HARMLESS},
		{"collections", "OrderedDict", CALL_HARMLESS},         {"numpy.core.multiarray", "scalar", CALL_HARMLESS},
		{"sklearn.linear_model._logistic", "LogisticRegression", CALL_HARMLESS},
		{"__torch__.a.b", "M", CALL_HARMLESS},                 {"torch.nn.modules.linear", "Linear", CALL_HARMLESS},
		{"torch.nn.backends.thnn", "_get_thnn_function_backend", CALL_HARMLESS},
		{"joblib.numpy_pickle", "NumpyArrayWrapper", CALL_HARMLESS},
		{"joblib", "load", CALL_DANGEROUS},                    {"sklearn.externals.joblib", "load", CALL_DANGEROUS},
		{"sklearn.externals.joblib.parallel", "Parallel", CALL_DANGEROUS},
		{"os", "system", CALL_DANGEROUS},                      {"os", "path.join", CALL_DANGEROUS},
		{"builtins", "eval", CALL_DANGEROUS},                  {"builtins", "set", CALL_HARMLESS},
		{"urllib.request", "urlopen", CALL_DANGEROUS},         {"torch.hub", "load", CALL_DANGEROUS},
		{"osx", "system", CALL_UNKNOWN},                       {"mine", "Net", CALL_UNKNOWN},
		{"sklearn.utils", "some_function", CALL_UNKNOWN},      {"sklearn.x", "A.b", CALL_UNKNOWN},
		{"torch", "nn.Module", CALL_UNKNOWN},                  {"", "", CALL_UNKNOWN},
		/* by another way: attributes of attributes, what another module imported, what a name is computed from */
		{"torch", "serialization.load", CALL_DANGEROUS},       {"torch.serialization", "os.system", CALL_DANGEROUS},
		{"torch", "serialization.os.system", CALL_DANGEROUS},  {"torch.serialization", "os", CALL_DANGEROUS},
		{"numpy", "testing._private.utils.runstring", CALL_DANGEROUS},
		{"collections", "OrderedDict.__init__.__globals__", CALL_DANGEROUS},
		{"numpy", "__builtins__", CALL_DANGEROUS},             {"pathlib", "Path.write_text", CALL_DANGEROUS},
		{"builtins.str(b\"os\")", "x", CALL_DANGEROUS},        {"m", "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", CALL_DANGEROUS},
		{"copyreg", "_inverted_registry", CALL_DANGEROUS},     {"copyreg", "_reconstructor", CALL_HARMLESS},
		{"sklearn.externals.six", "MovedModule", CALL_UNKNOWN}, {"sklearn.tree._tree", "__pyx_unpickle_a.b", CALL_UNKNOWN},
		{"torchx.hub", "load", CALL_UNKNOWN},                  {"multiprocessing.pool", "Pool", CALL_DANGEROUS},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++)
		if (call_risk_of(str_of(rows[i].module), str_of(rows[i].name)) != rows[i].risk)
			fail_msg("%s.%s", rows[i].module, rows[i].name);
}

#define ROW(literal, said) {literal, sizeof(literal) - 1, said}

/* What CPython takes, whoever writes it: found by comparing with its unpicklers. */
static void as_cpython(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *called;
	} rows[] = {
		/* MEMOIZE stores under the number of indices, not of stores */
		ROW("\x8c\2osq\0q\0000\x8c\3n.oq\0020\x8c\6system\x94" "0h\0h\2\x93)R.", "system()"),
		ROW("I0x1f\nL0b1L\nI1_0\nI5\0zz\nF1_0.5\nF2\0y\n000000cos\na\n)R.", "a()"),
		ROW("Np 0\n0g+0\n0cos\na\n)R.", "a()"),
		ROW("K\1(e0](K\1K\2e(K\0K\3u0cos\na\n)R.", "a()"),
		ROW("\x96\1\0\0\0\0\0\0\0bK\1a\x98" "0cos\na\n)R.", "a()"),
		ROW("cos\na\ncbuiltins\ntuple\n]\x85RR.", "a(builtins.tuple([]))"),
		ROW("cbuiltins\nstr\nC\2os\x85R\x8c\1a\x93)R.", "a()"),
		ROW("cos\na\n)}\x8c\1kK\1s\x92.", "a(**{\"k\": 1})"),
		ROW("\x83\5\0)R.", "extension_5()"),
		/* a class or function changed */
		ROW("ccollections\nOrderedDict\nN}\x86" "b.", "OrderedDict.__setstate__(None, {})"),
		ROW("cm\nd\nK\1K\2s.", "d.__setitem__({1: 2})"),
		/* called by what has no harm of its own */
		ROW("ccopyreg\n__newobj__\ncm\nC\nK\1\x86R.", "C(1)"),
		ROW("ctorch._tensor\n_rebuild_from_type_v2\n(cos\na\nNK\1\x85NtR.", "a(1)"),
		ROW("cnumpy.random._pickle\n__generator_ctor\nK\1cos\na\n\x86R.", "a(1)"),
		/* the pickles in a stream of PyTorch's, and bytes that are none */
		ROW("ctorch.storage\n_load_from_bytes\nC\x11N.N.N.cos\na\n)R.N.\x85R.", "a()"),
		ROW("ctorch.storage\n_load_from_bytes\nC\2N.\x85R.", "_load_from_bytes(b\"N.\")"),
	};
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;
		bool told = false;

		if (run(&f, rows[i].bytes, rows[i].n) != RC_OK)
			fail_msg("row %zu: %s", i, f.e.msg);
		for (size_t k = 0; k < f.m.n_calls; k++) {
			struct call *c = &f.m.calls[k];
			struct buf b = {0};

			buf_str(&b, c->name);
			buf_str(&b, c->args);
			told = told || (c->called && str_eq(buf_view(&b), str_of(rows[i].called)) &&
					(c->risk == CALL_DANGEROUS || str_eq(c->module, STR("m"))));
			buf_free(&b);
		}
		if (!told)
			fail_msg("row %zu: %s is not told", i, rows[i].called);
		done(&f);
	}
}

/* However much else is named before it. */
static void dangerous_beside_many(void **state)
{
	struct buf b = {0};
	struct fixture f;
	(void)state;

	for (int i = 0; i < CALLS_MAX + 10; i++)
		buf_printf(&b, "cm%d\nn\n0", i);
	buf_puts(&b, "cos\na\n)R.");
	assert_int_equal(run(&f, b.p, b.n), RC_OK);
	assert_int_equal(f.m.n_calls, CALLS_MAX + 1);
	assert_true(f.m.calls[CALLS_MAX].called && f.m.more_calls == 10);
	done(&f);
	buf_free(&b);
}

/* A pickle with every opcode, cut everywhere: each piece fails with a sentence, the whole is read. */
static void cut_anywhere(void **state)
{
	static const char all[] =
		"\x80\4\x95\0\0\0\0\0\0\0\0(N\x88\x89I5\nI00\nL7L\nF1.5\nK\1M\1\2J\1\2\3\4\x8a\1\5\x8b\2\0\0\0\5\6"
		"G@\0\0\0\0\0\0\0S'ab'\nT\2\0\0\0xyU\1zVq\nX\1\0\0\0w\x8c\1v\x8d\1\0\0\0\0\0\0\0u"
		"B\1\0\0\0bC\1b\x8e\1\0\0\0\0\0\0\0b\x96\1\0\0\0\0\0\0\0b"
		")N\x85NN\x86NNN\x87](lK\1aq\1(K\2e}q\2K\1K\2s(K\3K\4u(d\x8fq\3(K\1\x90(K\1\x91"
		"g1\nh\2j\3\0\0\0p4\nq\5r\6\0\0\0\x94"
		"ccollections\nOrderedDict\n)R}b\x8c\1m\x8c\1n\x93)\x81\x8c\1m\x8c\1n\x93)}\x92(imod\nname\n(cmod\nname\no"
		"Pid\nK\1Q2(1" "0" "0t.";
	struct fixture f;
	(void)state;

	for (size_t n = 0; n < sizeof(all) - 1; n++) {
		/* a copy of its own, so that a sanitizer sees reads beyond the end */
		char *piece = malloc(n ? n : 1);

		memcpy(piece, all, n);
		if (run(&f, piece, n) != RC_FAIL || !f.e.msg[0])
			fail_msg("%zu bytes were taken for all", n);
		done(&f);
		free(piece);
	}
	if (RUN(&f, all) != RC_OK)
		fail_msg("%s", f.e.msg);
	walk(&f);
	done(&f);
}

static void unsound(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *said;
	} rows[] = {
		ROW(".", "without a value"),          ROW("a.", "item is missing"),     ROW("e.", "items without"),
		ROW("t.", "no mark"),                 ROW("\x85.", "too few"),          ROW("0.", "dropped"),
		ROW("(1.", "without a value"),        ROW("h\1.", "nothing was stored"), ROW("q\1.", "nothing is there"),
		ROW("NR.", "call without"),           ROW("NNR.", "no tuple"),          ROW("b.", "BUILD"),
		ROW("NNs.", "an item without"),       ROW("NNNs.", "an item without"),  ROW("(NNNd.", "key without a value"),
		ROW("}(Nu.", "key without"),          ROW("N(Ne.", "items without"),    ROW("\x80\6N.", "protocol beyond 5"),
		ROW("\x82\1R.", "call without"),       ROW("\x97.", "out-of-band"),      ROW("\xffN.", "no opcode"),
		ROW("\x95\xff\0\0\0\0\0\0\0N.", "longer than the file"),                ROW("I12x\n.", "whole number"),
		ROW("Fabc\n.", "a number"),           ROW("Sabc\n.", "in quotes"),      ROW("g-1\n.", "nothing was stored"),
		ROW("g99999999999999999999\n.", "nothing was stored"),                  ROW("NN\x93.", "STACK_GLOBAL"),
		ROW("N(]0(.", "without a value"),     ROW("Q.", "persistent id"),       ROW("N\x8b\xff\xff\xff\xff.", "ends inside"),
		ROW("\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "ends inside"),            ROW("T\0\0\0\x80.", "ends inside"),
		ROW("X\xff\xff\xff\xff.", "ends inside"),                               ROW("Np99999999999\n.", "beyond 32 bits"),
	};
	struct fixture f;
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (run(&f, rows[i].bytes, rows[i].n) != RC_FAIL || !strstr(f.e.msg, rows[i].said))
			fail_msg("row %zu: '%s', not '%s'", i, f.e.msg, rows[i].said);
		done(&f);
	}
}

/* An index far away costs no memory; the dense ones and it do not get in each other's way. */
static void memo(void **state)
{
	struct fixture f;
	int64_t n;
	(void)state;

	assert_int_equal(RUN(&f, "(K\1r\xff\xff\xff\xff" "0K\2r\0\0\0\x80" "0K\3q\0" "0K\4r\xff\xff\xff\xff" "0"
				 "j\xff\xff\xff\xffj\0\0\0\x80h\0t."), RC_OK);
	assert_true(pk_int(pk_item(f.p.root, 0), &n) && n == 4);
	assert_true(pk_int(pk_item(f.p.root, 1), &n) && n == 2);
	assert_true(pk_int(pk_item(f.p.root, 2), &n) && n == 3);
	done(&f);
}

static char *filled(size_t n, char with, const char *tail, size_t *size)
{
	char *p = malloc(n + strlen(tail));

	memset(p, with, n);
	memcpy(p + n, tail, strlen(tail));
	*size = n + strlen(tail);
	return p;
}

static void deep(void **state)
{
	enum { N = 1000000 };
	struct fixture f;
	size_t n;
	char *p;
	(void)state;

	p = filled(N, '(', ".", &n); /* marks and nothing else */
	assert_int_equal(run(&f, p, n), RC_FAIL);
	done(&f);
	free(p);
	p = filled(2 * N, '(', ".", &n); /* ((((... tttt: tuples in tuples */
	memset(p + N, 't', N);
	assert_int_equal(run(&f, p, n), RC_OK);
	assert_int_equal(walk(&f), 1);
	assert_non_null(strstr(f.m.problems[0].message, "nested too deeply"));
	done(&f);
	free(p);
	p = filled(N, ']', ".", &n); /* a million lists */
	assert_int_equal(run(&f, p, n), RC_OK);
	done(&f);
	free(p);
	p = filled(2 * N, ']', ".", &n); /* [[[[...]]]] by APPEND */
	memset(p + N, 'a', N - 1);
	p[2 * N - 1] = '.';
	assert_int_equal(run(&f, p, 2 * N), RC_OK);
	assert_int_equal(walk(&f), 1);
	done(&f);
	free(p);
}

static void cycles(void **state)
{
	struct fixture f;
	(void)state;

	assert_int_equal(RUN(&f, "]q\1h\1a."), RC_OK); /* a list that holds itself */
	assert_int_equal(walk(&f), 0);
	done(&f);
	assert_int_equal(RUN(&f, "}q\1S'a'\nh\1sS'b'\nK\1s."), RC_OK); /* a dict that does */
	assert_int_equal(walk(&f), 0);
	assert_int_equal(f.m.n_meta, 1);
	assert_true(str_eq(f.m.meta[0].key, STR("b")));
	done(&f);
	assert_int_equal(RUN(&f, "cm\nC\n)\x81q\1}S'me'\nh\1sb."), RC_OK); /* an object that is its own attribute */
	assert_int_equal(walk(&f), 0);
	done(&f);
}

/* a = [x, x]; b = [a, a]; ... : 2^60 ways lead to x, few of which are gone. */
static void doubling(void **state)
{
	char bytes[1024];
	struct fixture f;
	size_t n = 0;
	(void)state;

	bytes[n++] = ']';
	bytes[n++] = '}';
	bytes[n++] = 'a';
	for (int i = 0; i < 60; i++) {
		memcpy(bytes + n, "q\1", 2);
		bytes[n + 1] = (char)i;
		n += 2;
		memcpy(bytes + n, "](h", 3);
		bytes[n + 3] = (char)i;
		bytes[n + 4] = 'h';
		bytes[n + 5] = (char)i;
		bytes[n + 6] = 'e';
		n += 7;
	}
	bytes[n++] = '.';
	assert_int_equal(run(&f, bytes, n), RC_OK);
	assert_int_equal(walk(&f), 1);
	assert_non_null(strstr(f.m.problems[0].message, "too often"));
	done(&f);
}

static void arrays_that_are_none(void **state)
{
	/* a shape of 2^60, a negative one, and bytes that are too few: each a tensor that says so */
#define DTYPE "cnumpy\ndtype\n(S'f4'\nI00\nI01\ntR(K\3S'<'\nNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
#define ARRAY(shape, data) "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tS'b'\ntR(K\1" shape DTYPE "\x89" data "tb"
	struct fixture f;
	(void)state;

	assert_int_equal(RUN(&f, "(" ARRAY("(\x8a\x08\0\0\0\0\0\0\0\x10t", "U\4abcd") ARRAY("(J\xff\xff\xff\xfft", "U\4abcd")
			     ARRAY("(K\2t", "U\4abcd") ARRAY("(K\1t", "U\4abcd") ARRAY("(K\1t", "K\1")
			     ARRAY("(\x8a\x08\0\0\0\0\0\0\0\x7ft", "U\4abcd") ARRAY("(K\1t", "U\x08" "abcdefgh") "t."), RC_OK);
	walk(&f);
	assert_int_equal(f.m.n_tensors, 7);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(f.m.tensors[i].broken, i != 3);
	assert_true(f.m.tensors[3].type == DT_F32 && f.m.tensors[3].count == 1);
	done(&f);
}

static void probing(void **state)
{
	bool whole;
	(void)state;

#define LOOKS(literal, cut, most) pickle_looks((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1}, cut, most, &whole)
	assert_int_equal(LOOKS("\x80\2}q\1.", false, 100), 3);
	assert_true(whole);
	assert_int_equal(LOOKS("\x80\2}q\1", false, 100), 0);
	assert_int_equal(LOOKS("\x80\2}q\1", true, 100), 3);
	assert_int_equal(LOOKS("\x80\2}X\xff\0\0\0abc", true, 100), 2);
	assert_int_equal(LOOKS("(some text, in brackets)\n", true, 100), 0);
	assert_int_equal(LOOKS("cos\nsystem\n(S'x'\ntR.", false, 100), 5);
	assert_int_equal(LOOKS("ceci n'est pas\nune pipe\n", true, 100), 0);
	assert_int_equal(LOOKS("", true, 100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),       cmocka_unit_test(a_call_is_kept), cmocka_unit_test(calls_are_counted),
		cmocka_unit_test(risks),        cmocka_unit_test(as_cpython),     cmocka_unit_test(dangerous_beside_many),
		cmocka_unit_test(cut_anywhere), cmocka_unit_test(unsound),
		cmocka_unit_test(memo),         cmocka_unit_test(deep),           cmocka_unit_test(cycles),
		cmocka_unit_test(doubling),     cmocka_unit_test(arrays_that_are_none), cmocka_unit_test(probing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
