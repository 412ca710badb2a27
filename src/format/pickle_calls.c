/*
 * Which modules and functions a pickle may name. What the frameworks themselves write is harmless; the dangerous ones
 * are those that pickle scanners agree on (the lists of mmaitre314/picklescan and trailofbits/fickling were read for
 * them). No such list is ever complete: safe is only that nothing is called here.
 */
#include "format/pickle_calls.h"

#include <stdlib.h>
#include <string.h>

enum {
	ARGS_SHOWN = 200,
	DOTS_MAX = 16, /* in a name that is looked into; nothing honest comes there */
	NEWEST = 100, /* entries that are looked through for the same one */
	BEHIND = 255
};

/* Modules and names apart from each other by blanks. "A*" is any name that begins with a capital letter, a class by
 * custom; "Path.*" any that begins so; "*" any. */
struct rule {
	const char *modules, *names;
};

/* Of these modules themselves, not of those below them (but for "scipy.sparse.*"). */
static const struct rule harmless[] = {
	{"torch._utils",
	 "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_parameter_with_state "
	 "_rebuild_qtensor _rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_nested_tensor "
	 "_rebuild_meta_tensor_no_storage _rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor "
	 "_rebuild_xla_tensor _rebuild_wrapper_subclass"},
	{"torch.nn.backends.thnn", "_get_thnn_function_backend"}, /* in every module of its first versions */
	{"torch._tensor", "_rebuild_from_type_v2"},
	{"torch.nn.parameter", "Parameter Buffer"},
	{"torch",
	 "Size device Tensor dtype FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage "
	 "ShortStorage CharStorage ByteStorage BoolStorage ComplexFloatStorage ComplexDoubleStorage ComplexHalfStorage "
	 "QInt8Storage QUInt8Storage QInt32Storage QUInt4x2Storage QUInt2x4Storage "
	 "float32 float float64 double float16 half bfloat16 uint8 int8 int16 short int32 int int64 long uint16 uint32 "
	 "uint64 bool complex32 complex64 complex128 qint8 quint8 qint32 quint4x2 quint2x4 float8_e4m3fn float8_e5m2 "
	 "float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn_x2 per_tensor_affine per_channel_affine "
	 "per_channel_affine_float_qparams"},
	{"torch", "FloatTensor DoubleTensor HalfTensor LongTensor IntTensor ShortTensor CharTensor ByteTensor"},
	{"torch.cuda", "FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage "
		       "CharStorage ByteStorage BoolStorage"},
	{"torch.storage", "UntypedStorage TypedStorage _load_from_bytes"},
	{"torch.serialization", "_get_layout"},
	{"torch.jit._pickle", "build_intlist build_doublelist build_boollist build_tensorlist restore_type_tag"},
	{"torch._C._nn", "gelu"},
	{"collections", "OrderedDict Counter defaultdict deque"},
	{"_codecs", "encode"},
	{"copyreg", "_reconstructor __newobj__"},
	{"copy_reg", "_reconstructor __newobj__"},
	{"builtins", "object set frozenset list dict tuple int float bool str bytes bytearray complex slice range"},
	{"__builtin__",
	 "object set frozenset list dict tuple int long float bool str unicode bytearray complex slice xrange"},
	{"argparse", "Namespace"},
	{"pathlib", "Path PosixPath WindowsPath PurePosixPath PureWindowsPath"},
	{"datetime", "date datetime time timedelta timezone"},
	{"decimal", "Decimal"},
	{"fractions", "Fraction"},
	{"numpy",
	 "ndarray dtype matrix bool_ float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64"},
	{"numpy.core.multiarray", "_reconstruct scalar"},
	{"numpy._core.multiarray", "_reconstruct scalar"},
	{"numpy.core._internal", "_reconstruct"},
	{"numpy.core.numeric", "_frombuffer"},
	{"numpy._core.numeric", "_frombuffer"},
	{"numpy.matrixlib.defmatrix", "matrix"},
	{"numpy.ma.core", "_mareconstruct MaskedArray"},
	{"numpy.random._pickle", "__randomstate_ctor __bit_generator_ctor __generator_ctor"},
	{"numpy.random", "__RandomState_ctor"},
	{"scipy.sparse.*", "csr_matrix csc_matrix coo_matrix csr_array csc_array coo_array"},
	{"joblib.numpy_pickle", "NumpyArrayWrapper NDArrayWrapper ZNDArrayWrapper"},
	{"joblib.numpy_pickle_compat", "NDArrayWrapper ZNDArrayWrapper"},
	{"sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper NDArrayWrapper ZNDArrayWrapper"},
	{"sklearn.externals.joblib.numpy_pickle_compat", "NDArrayWrapper ZNDArrayWrapper"},
	{"sklearn.tree._tree", "Tree"},
};

/* Of these modules, and of those below them. */
static const struct rule dangerous[] = {
	/* programs, and code */
	{"os posix nt sys subprocess pty commands popen2 _posixsubprocess _winapi runpy code codeop marshal types imp "
	 "_imp imputil ihooks pkgutil pkg_resources zipimport gc site new rexec inspect test unittest doctest pytest "
	 "_pytest nose cProfile profile pdb bdb timeit trace rlcompleter compileall py_compile venv ensurepip pip "
	 "distutils setuptools pexpect pipes ctypes _ctypes cffi atexit signal _signal threading _thread thread "
	 "dummy_threading _pyrepl _interpreters _xxsubinterpreters _osx_support _aix_support _frozen_importlib mailcap "
	 "cgitb turtledemo _frozen_importlib_external importlib multiprocessing multiprocess concurrent idlelib "
	 "lib2to3 tkinter Tkinter _tkinter IPython jinja2 mako numexpr hydra fabric invoke paramiko plumbum gevent "
	 "eventlet twisted picklescan fickling modelscan", "*"},
	{"builtins",
	 "eval exec compile open getattr setattr delattr apply breakpoint __import__ globals locals vars input type"},
	{"__builtin__",
	 "eval exec execfile compile open file getattr setattr delattr apply breakpoint __import__ globals locals vars "
	 "input raw_input reload type"},
	{"operator _operator", "attrgetter itemgetter methodcaller"},
	{"functools _functools", "partial partialmethod reduce"},
	{"dataclasses", "make_dataclass _create_fn _FuncBuilder"},
	{"typing", "get_type_hints ForwardRef _eval_type"},
	{"string", "Formatter Formatter.*"},
	{"weakref", "finalize"},
	{"gettext", "*"},
	{"sympy", "sympify parse_expr lambdify S"},
	{"pandas", "eval read_pickle"},
	/* pickles within pickles, and what goes by names as they do */
	{"pickle _pickle cPickle dill cloudpickle joblib jsonpickle yaml shelve copyreg copy_reg", "*"},
	{"sklearn.externals.joblib", "*"},
	{"pandas.io.pickle pandas.core.computation", "*"},
	/* files, and the network */
	{"io _io shutil tempfile filecmp fileinput glob linecache mmap tarfile zipfile gzip bz2 lzma sqlite3 _sqlite3 "
	 "dbm anydbm dbhash whichdb dumbdbm logging syslog difflib pydoc platform uuid socket _socket ssl _ssl select "
	 "selectors socketserver SocketServer http httplib BaseHTTPServer SimpleHTTPServer CGIHTTPServer urllib "
	 "urllib2 urllib3 requests httpx aiohttp asyncio asyncore asynchat webbrowser smtplib smtpd imaplib ftplib "
	 "poplib telnetlib nntplib xmlrpc xmlrpclib SimpleXMLRPCServer DocXMLRPCServer", "*"},
	{"codecs", "open"},
	{"pathlib", "Path.* PosixPath.* WindowsPath.*"},
	/* in the frameworks */
	{"numpy.f2py numpy.distutils numpy.testing numpy.ctypeslib numpy.compat", "*"},
	{"numpy.lib.npyio numpy.lib._npyio_impl numpy.lib.format numpy.lib._format_impl numpy.lib.utils "
	 "numpy.lib._utils_impl numpy.lib._datasource", "*"},
	{"numpy",
	 "load loads fromfile save savez savez_compressed savetxt loadtxt genfromtxt recfromtxt recfromcsv fromregex "
	 "memmap DataSource ndarray.tofile ndarray.dump source info lookfor"},
	{"numpy.core.records numpy.core.multiarray numpy._core.records numpy._core.multiarray numpy.rec", "fromfile"},
	{"scipy.io", "*"},
	{"torch", "load save compile from_file"},
	{"torch.hub torch.jit torch._dynamo torch._inductor torch.package torch.ops torch._ops torch.classes "
	 "torch._classes torch.serialization torch.multiprocessing torch.utils._config_module torch.utils.collect_env "
	 "torch.utils.bottleneck torch.utils.cpp_extension torch.utils.model_zoo torch.utils.data.datapipes "
	 "torch.fx.experimental.symbolic_shapes torch.fx.graph_module torch.fx._lazy_graph_module "
	 "torch.distributed.elastic torch.distributed.run torch.distributed.launch torch.distributed.rpc "
	 "torch.distributed.nn.jit torch.testing", "*"},
	{"torch.storage", "UntypedStorage.* TypedStorage.*"},
	{"keras.utils keras.models tf_keras.models tensorflow.keras.models tensorflow.keras.utils",
	 "get_file load_model"},
};

/* What others put into scikit-learn's modules, and what reads and writes files there. */
static const struct rule strangers[] = {
	{"sklearn.externals sklearn.datasets sklearn.utils._testing sklearn.utils.parallel sklearn.utils.fixes "
	 "sklearn.conftest sklearn._build_utils", "*"},
};

/* Whole families of classes; asked last. */
static const struct rule families[] = {
	{"sklearn", "A* __pyx_unpickle_*"}, {"torch.nn.modules", "A*"}, {"torchvision.models", "A*"},
	{"torch.optim", "A*"},              {"numpy.dtypes", "A*"},     {"__torch__", "*"},
};

/* The next of the words that stand apart by blanks. */
static bool next_word(const char **words, struct str *word)
{
	*word = (struct str){*words, strcspn(*words, " ")};
	*words += word->n;
	*words += **words == ' ';
	return word->n > 0;
}

static bool begins(struct str s, struct str with)
{
	return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

static bool module_fits(struct str module, const char *modules, bool below)
{
	struct str word;

	while (next_word(&modules, &word)) {
		bool open = word.n > 2 && word.p[word.n - 1] == '*';

		if (open)
			word.n -= 2;
		if (str_eq(module, word) ||
		    ((below || open) && begins(module, word) && module.n > word.n && module.p[word.n] == '.'))
			return true;
	}
	return false;
}

static bool name_fits(struct str name, const char *names)
{
	struct str word;

	while (next_word(&names, &word)) {
		bool open = word.p[word.n - 1] == '*';

		if (word.n == 2 && open && word.p[0] == 'A') {
			if (name.n && name.p[0] >= 'A' && name.p[0] <= 'Z')
				return true;
		} else if (open ? begins(name, (struct str){word.p, word.n - 1}) : str_eq(name, word)) {
			return true;
		}
	}
	return false;
}

static bool in_table(const struct rule *rules, size_t n, struct str module, struct str name, bool below)
{
	for (size_t i = 0; i < n; i++)
		if (module_fits(module, rules[i].modules, below) && name_fits(name, rules[i].names))
			return true;
	return false;
}

/* __globals__, __dict__, __getattr__ ... lead to everything else, and so does a module that another one imported. */
static bool leads_out(struct str name)
{
	static const char modules[] = "os sys subprocess builtins importlib posix nt socket ctypes shutil pickle";

	return (name.n > 4 && memcmp(name.p, "__", 2) == 0 && memcmp(name.p + name.n - 2, "__", 2) == 0) ||
	       name_fits(name, modules);
}

static bool is_dangerous(struct str module, struct str name)
{
	return leads_out(name) || in_table(dangerous, COUNT(dangerous), module, name, true);
}

/* What stands before a dot may be a module, which is one of its own (torch.serialization, os.system) or one below
 * (torch, serialization.load). */
static bool leads_to_danger(struct str module, struct str name)
{
	struct buf b = {0};
	bool danger = false;

	for (size_t dot = 0; dot < name.n && !danger; dot++) {
		struct str left = {name.p, dot}, right = {name.p + dot + 1, name.n - dot - 1};

		if (name.p[dot] != '.')
			continue;
		b.n = 0;
		buf_str(&b, module);
		buf_putc(&b, '.');
		buf_str(&b, left);
		danger = is_dangerous(module, left) || is_dangerous(left, right) || is_dangerous(buf_view(&b), right);
		for (size_t i = dot; i-- > 0 && !danger;) /* (torch, serialization.os.system) */
			danger = name.p[i] == '.' &&
				 is_dangerous((struct str){name.p + i + 1, dot - i - 1}, right);
	}
	buf_free(&b);
	return danger;
}

static bool has(struct str s, char c)
{
	return s.n && memchr(s.p, c, s.n);
}

/* Protocol 4 may name an attribute of an attribute: (os, path.join). No framework does. */
enum call_risk call_risk_of(struct str module, struct str name)
{
	size_t dots = 0;
	bool dotted;

	for (size_t i = 0; i < name.n; i++)
		dots += name.p[i] == '.';
	dotted = dots > 0;
	if (dots > DOTS_MAX || has(module, '(') || has(name, '(')) /* the latter is computed when it runs */
		return CALL_DANGEROUS;
	if (!dotted && in_table(harmless, COUNT(harmless), module, name, false))
		return CALL_HARMLESS;
	if (is_dangerous(module, name) || (dotted && leads_to_danger(module, name)))
		return CALL_DANGEROUS;
	if (dotted || in_table(strangers, COUNT(strangers), module, name, true))
		return CALL_UNKNOWN;
	return in_table(families, COUNT(families), module, name, true) ? CALL_HARMLESS : CALL_UNKNOWN;
}

/* ---- the list ---- */

static bool same_call(const struct call *c, struct str module, struct str name)
{
	return str_eq(c->module, module) && str_eq(c->name, name);
}

/* os.path, not what data looks like by chance. */
static bool is_identifier(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_' &&
		    c != '.')
			return false;
	}
	return s.n > 0;
}

void pk_imported(struct pickle *p, struct pk *global)
{
	struct model *m = p->m;
	struct str module = global->u.global.module, name = global->u.global.name;
	struct call call = {.module = module, .name = name, .member = p->member, .offset = p->base + global->at,
			    .times = 1};
	size_t looked_at = 0;
	int64_t at;

	if (p->stray && (!is_identifier(module) || !is_identifier(name)))
		return;
	/* Protocol 0 may repeat a global, and shards do: the newest entries are looked through, no more. */
	for (size_t i = m->n_calls; i-- > 0 && looked_at++ < NEWEST;)
		if (same_call(&m->calls[i], module, name)) {
			m->calls[i].times++;
			global->call = (uint32_t)i + 1;
			return;
		}
	call.risk = call_risk_of(module, name);
	at = model_add_call(m, &call);
	global->call = at < 0 ? 0 : (uint32_t)at + 1;
}

/* (args, **{keywords}) */
static struct str show_args(struct pickle *p, const struct pk *args, const struct pk *keywords)
{
	struct buf b = {0};
	struct str s;

	pk_show_args(&b, args, ARGS_SHOWN);
	if (keywords && (keywords->kind != PK_DICT || pk_count(keywords))) {
		b.n--;
		buf_puts(&b, b.n > 1 ? ", **" : "**");
		pk_show(&b, keywords, ARGS_SHOWN);
		buf_putc(&b, ')');
	}
	s = arena_str(&p->m->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

/* Where in its file the opcode stands, or would if the entry were not packed. */
static uint64_t place_of(const struct model *m, const struct call *c)
{
	return m->source.members[c->member].file_offset + c->called_at;
}

/* Some bytes are read twice, by two rules. */
static bool known_already(const struct model *m, const struct call *call)
{
	size_t looked_at = 0;

	for (size_t i = m->n_calls; i-- > 0 && looked_at++ < NEWEST;) {
		const struct call *c = &m->calls[i];

		if (place_of(m, c) == place_of(m, call) &&
		    m->source.members[c->member].file == m->source.members[call->member].file &&
		    same_call(c, call->module, call->name) && str_eq(c->args, call->args))
			return true;
	}
	return false;
}

/* The global that a callee is: itself, or the class that a torch stream saves with its source, ('module', class, file,
 * source). */
static struct pk *global_of(struct pk *callee)
{
	if (callee && pk_is(callee, PK_PERSISTENT))
		callee = pk_item(callee->u.id, 1);
	return pk_is(callee, PK_GLOBAL) ? callee : NULL;
}

/* Functions without harm of their own that call one of their arguments. */
static const struct relay {
	const char *module, *name;
	uint8_t callee; /* which argument */
	uint8_t args;   /* which one is its argument, or a tuple of them; BEHIND: those behind it */
} relays[] = {
	{"torch._tensor", "_rebuild_from_type_v2", 0, 2},
	{"copyreg", "__newobj__", 0, BEHIND},
	{"copy_reg", "__newobj__", 0, BEHIND},
	{"copyreg", "_reconstructor", 1, 2},
	{"copy_reg", "_reconstructor", 1, 2},
	{"numpy.random._pickle", "__bit_generator_ctor", 0, BEHIND},
	{"numpy.random._pickle", "__randomstate_ctor", 1, 0},
	{"numpy.random._pickle", "__generator_ctor", 1, 0},
};

/* NOLINTNEXTLINE(misc-no-recursion): once, for what is called then is not harmless, and relays nothing */
static void relayed(struct pickle *p, const struct pk *global, const struct pk *args, uint64_t at)
{
	for (size_t i = 0; i < COUNT(relays); i++) {
		const struct relay *r = &relays[i];
		struct pk *callee = pk_item(args, r->callee), *named = global_of(callee);
		struct pk rest = {.kind = PK_TUPLE};

		if (!pk_global_is(global, r->module, r->name) || !(named || pk_is(callee, PK_OBJECT)) ||
		    (named && call_risk_of(named->u.global.module, named->u.global.name) == CALL_HARMLESS))
			continue;
		if (r->args != BEHIND && pk_item(args, r->args)) {
			pk_called(p, callee, pk_item(args, r->args), NULL, at);
			continue;
		}
		rest.u.seq.items = args->u.seq.items + r->callee + 1;
		rest.u.seq.n = (uint32_t)pk_count(args) - r->callee - 1;
		pk_called(p, callee, &rest, NULL, at);
	}
}

/* ---- pickles in pickles ---- */

/* torch.storage._load_from_bytes(bytes): the five pickles of a stream are run, too. False: it is no such stream. */
static bool runs_stream(struct pickle *p, const struct pk *args, uint64_t at)
{
	enum { PICKLES = 5, DEPTH = 4, DECODED = 16 << 20 };
	struct bytes all = p->m->source.members[p->member].data;
	struct pickle in = {.m = p->m, .member = p->member, .depth = p->depth + 1, .base = p->base + at};
	uint8_t *decoded = NULL;
	bool sound = true;
	struct pk_bytes b;
	struct err e;
	size_t n = 0;

	if (p->depth >= DEPTH || !pk_bytes(p, pk_item(args, 0), &b) || !b.raw.n)
		return false;
	if (b.code == PK_PLAIN || b.code == PK_DECODED) {
		in.bytes = (struct bytes){(const uint8_t *)b.raw.p, b.raw.n};
		if (in.bytes.p >= all.p && in.bytes.p < all.p + all.n)
			in.base = (uint64_t)(in.bytes.p - all.p);
	} else {
		decoded = xcalloc(u64_min(b.raw.n, DECODED) + 1, 1);
		while (n < DECODED && pk_bytes_next(&b, &decoded[n]))
			n++;
		in.bytes = (struct bytes){decoded, n};
	}
	for (int i = 0; i < PICKLES && sound; i++) {
		sound = pickle_read(&in, in.end, &e) == RC_OK;
		pickle_free(&in);
	}
	free(decoded);
	return sound;
}

/* Whether nothing more is to be said of it than its name. */
/* NOLINTNEXTLINE(misc-no-recursion): see relayed and runs_stream */
static bool is_harmless(struct pickle *p, struct call *call, const struct pk *named, const struct pk *args, uint64_t at)
{
	struct call *c;

	if (call->risk != CALL_HARMLESS)
		return false;
	relayed(p, named, args, at);
	if (pk_global_is(named, "torch.storage", "_load_from_bytes") && !runs_stream(p, args, at)) {
		call->risk = CALL_DANGEROUS;
		return false;
	}
	if (!named->call || p->stray)
		return true;
	c = &p->m->calls[named->call - 1];
	c->times++;
	if (!c->called)
		c->args = show_args(p, args, NULL);
	c->called = true;
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): the same */
void pk_called(struct pickle *p, struct pk *callee, const struct pk *args, const struct pk *keywords, uint64_t at)
{
	struct call call = {.member = p->member, .offset = p->base + at, .called_at = p->base + at,
			    .risk = CALL_UNKNOWN, .called = true, .times = 1};
	const struct pk *named = global_of(callee);
	bool kept = named && named->call;
	struct buf b = {0};
	struct call *c;

	if (p->stray && !kept)
		return;
	if (named) {
		call.module = named->u.global.module;
		call.name = named->u.global.name;
		call.risk = kept ? p->m->calls[named->call - 1].risk : call_risk_of(call.module, call.name);
	}
	if (is_harmless(p, &call, named, args, at))
		return;
	if (!model_call_fits(p->m, call.risk)) {
		p->m->more_calls++;
		return;
	}
	call.args = show_args(p, args, keywords);
	c = named && kept ? &p->m->calls[named->call - 1] : NULL;
	if (c && c->risk == call.risk && !c->called) {
		c->times++;
		c->args = call.args;
		c->called_at = call.called_at;
		c->called = true;
		return;
	}
	if (c && c->risk == CALL_UNKNOWN && call.risk == CALL_UNKNOWN && str_eq(c->args, call.args)) {
		c->times++; /* a module of a net has the same class in every layer */
		return;
	}
	if (!named) {
		pk_show(&b, callee, ARGS_SHOWN);
		call.module = STR("");
		call.name = buf_view(&b);
	}
	if (!known_already(p->m, &call))
		model_add_call(p->m, &call);
	buf_free(&b);
}

void pk_altered(struct pickle *p, struct pk *x, const char *method, const struct pk *arg, uint64_t at)
{
	const struct pk *named = global_of(x);
	struct call call = {.member = p->member, .offset = p->base + at, .called_at = p->base + at, .called = true,
			    .risk = CALL_DANGEROUS, .times = 1};

	if (!named || (p->stray && !named->call) || !model_call_fits(p->m, CALL_DANGEROUS))
		return;
	call.module = named->u.global.module;
	call.name = str_of(arena_printf(&p->arena, "%.*s.%s", (int)u64_min(named->u.global.name.n, ARGS_SHOWN),
					named->u.global.name.p, method));
	call.args = show_args(p, arg, NULL);
	if (!known_already(p->m, &call))
		model_add_call(p->m, &call);
}
