/*
 * Which modules and functions a pickle may name. What the frameworks themselves write is harmless; the dangerous ones
 * are those that pickle scanners agree on (the lists of mmaitre314/picklescan and trailofbits/fickling were read for
 * them). No such list is ever complete: safe is only that nothing is called here.
 */
#include "format/pickle_calls.h"

#include <string.h>

enum { ARGS_SHOWN = 200 };

/* Names apart from each other by blanks; "*": any; "A*": any that begins with a capital letter, a class by custom. */
struct rule {
	const char *module, *names;
};

static const struct rule harmless[] = {
	{"torch._utils",
	 "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_parameter_with_state "
	 "_rebuild_qtensor _rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_nested_tensor "
	 "_rebuild_meta_tensor_no_storage _rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor "
	 "_rebuild_xla_tensor _rebuild_wrapper_subclass"},
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

static const struct rule dangerous[] = {
	/* programs, and code */
	{"os", "*"}, {"posix", "*"}, {"nt", "*"}, {"sys", "*"}, {"subprocess", "*"}, {"pty", "*"}, {"commands", "*"},
	{"_posixsubprocess", "*"}, {"multiprocessing", "*"}, {"multiprocessing.*", "*"}, {"runpy", "*"}, {"code", "*"},
	{"codeop", "*"}, {"marshal", "*"}, {"types", "*"}, {"importlib", "*"}, {"importlib.*", "*"},
	{"_frozen_importlib", "*"}, {"_frozen_importlib_external", "*"}, {"imp", "*"}, {"_imp", "*"}, {"pkgutil", "*"},
	{"zipimport", "*"}, {"gc", "*"}, {"site", "*"}, {"inspect", "*"}, {"test", "*"}, {"test.*", "*"},
	{"unittest", "*"}, {"unittest.*", "*"}, {"doctest", "*"}, {"cProfile", "*"}, {"profile", "*"}, {"pdb", "*"},
	{"bdb", "*"}, {"timeit", "*"}, {"trace", "*"}, {"compileall", "*"}, {"py_compile", "*"}, {"idlelib", "*"},
	{"idlelib.*", "*"}, {"lib2to3", "*"}, {"lib2to3.*", "*"}, {"venv", "*"}, {"ensurepip", "*"}, {"pip", "*"},
	{"pip.*", "*"}, {"distutils", "*"}, {"distutils.*", "*"}, {"setuptools", "*"}, {"setuptools.*", "*"},
	{"pexpect", "*"}, {"pipes", "*"}, {"ctypes", "*"}, {"ctypes.*", "*"}, {"_ctypes", "*"}, {"atexit", "*"},
	{"signal", "*"}, {"threading", "*"}, {"_thread", "*"}, {"concurrent.*", "*"}, {"_pyrepl", "*"},
	{"_pyrepl.*", "*"}, {"_interpreters", "*"}, {"_xxsubinterpreters", "*"}, {"_osx_support", "*"},
	{"_aix_support", "*"},
	{"builtins",
	 "eval exec compile open getattr setattr delattr apply breakpoint __import__ globals locals vars input type"},
	{"__builtin__",
	 "eval exec execfile compile open file getattr setattr delattr apply breakpoint __import__ globals locals vars "
	 "input raw_input reload type"},
	{"operator", "attrgetter itemgetter methodcaller"}, {"_operator", "attrgetter itemgetter methodcaller"},
	{"functools", "partial reduce"}, {"_functools", "partial reduce"},
	/* pickles within pickles */
	{"pickle", "*"}, {"_pickle", "*"}, {"cPickle", "*"}, {"dill", "*"}, {"dill.*", "*"}, {"cloudpickle", "*"},
	{"cloudpickle.*", "*"}, {"joblib", "*"}, {"joblib.*", "*"}, {"sklearn.externals.joblib", "*"},
	{"sklearn.externals.joblib.*", "*"}, {"shelve", "*"},
	/* files, and the network */
	{"io", "*"}, {"_io", "*"}, {"shutil", "*"}, {"tempfile", "*"}, {"filecmp", "*"}, {"fileinput", "*"},
	{"glob", "*"}, {"linecache", "*"}, {"mmap", "*"}, {"tarfile", "*"}, {"zipfile", "*"}, {"sqlite3", "*"},
	{"sqlite3.*", "*"}, {"_sqlite3", "*"}, {"logging", "*"}, {"logging.*", "*"}, {"syslog", "*"},
	{"difflib", "*"}, {"pydoc", "*"}, {"platform", "*"}, {"uuid", "*"}, {"socket", "*"}, {"_socket", "*"},
	{"ssl", "*"}, {"select", "*"}, {"selectors", "*"}, {"socketserver", "*"}, {"http", "*"}, {"http.*", "*"},
	{"httplib", "*"}, {"urllib", "*"}, {"urllib.*", "*"}, {"urllib2", "*"}, {"requests", "*"},
	{"requests.*", "*"}, {"aiohttp", "*"}, {"aiohttp.*", "*"}, {"asyncio", "*"}, {"asyncio.*", "*"},
	{"webbrowser", "*"}, {"smtplib", "*"}, {"imaplib", "*"}, {"ftplib", "*"}, {"poplib", "*"},
	{"telnetlib", "*"}, {"nntplib", "*"}, {"xmlrpc", "*"}, {"xmlrpc.*", "*"},
	/* in the frameworks */
	{"numpy.f2py", "*"}, {"numpy.f2py.*", "*"}, {"numpy.distutils", "*"}, {"numpy.distutils.*", "*"},
	{"numpy", "load loads fromfile save savez memmap"}, {"numpy.testing._private.utils", "*"},
	{"torch", "load save compile"}, {"torch.hub", "*"}, {"torch.jit", "*"}, {"torch._dynamo", "*"},
	{"torch._dynamo.*", "*"}, {"torch._inductor", "*"}, {"torch._inductor.*", "*"},
	{"torch.serialization", "load save"}, {"torch.utils._config_module", "*"}, {"torch.utils.collect_env", "*"},
	{"torch.utils.bottleneck.*", "*"}, {"torch.utils.cpp_extension", "*"},
	{"torch.fx.experimental.symbolic_shapes", "*"}, {"torch.jit.unsupported_tensor_ops", "*"},
	{"torch.distributed.elastic.*", "*"},
};

/* Whole families of classes; asked last. */
static const struct rule families[] = {
	{"sklearn.*", "A* __pyx_unpickle_*"}, {"torch.nn.modules.*", "A*"}, {"torchvision.models.*", "A*"},
	{"torch.optim.*", "A*"},              {"numpy.dtypes", "A*"},       {"__torch__", "*"},
	{"__torch__.*", "*"},
};

static bool module_fits(struct str module, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n > 2 && strcmp(pattern + n - 2, ".*") == 0)
		return module.n >= n - 1 && memcmp(module.p, pattern, n - 1) == 0;
	return str_eq(module, str_of(pattern));
}

/* One of the names that stand apart by blanks. */
static bool name_fits(struct str name, const char *names)
{
	while (*names) {
		size_t n = strcspn(names, " ");
		bool open = names[n - 1] == '*';

		if (n == 2 && open && names[0] == 'A') {
			if (name.n && name.p[0] >= 'A' && name.p[0] <= 'Z' && !memchr(name.p, '.', name.n))
				return true;
		} else if (open ? name.n >= n - 1 && memcmp(name.p, names, n - 1) == 0
				: str_eq(name, (struct str){names, n})) {
			return true;
		}
		names += n;
		names += *names == ' ';
	}
	return false;
}

static bool in_table(const struct rule *rules, size_t n, struct str module, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (module_fits(module, rules[i].module) && name_fits(name, rules[i].names))
			return true;
	return false;
}

/* Protocol 4 may name an attribute of an attribute: os, path.join. */
enum call_risk call_risk_of(struct str module, struct str name)
{
	if (in_table(harmless, COUNT(harmless), module, name))
		return CALL_HARMLESS;
	if (in_table(dangerous, COUNT(dangerous), module, name))
		return CALL_DANGEROUS;
	return in_table(families, COUNT(families), module, name) ? CALL_HARMLESS : CALL_UNKNOWN;
}

/* ---- the list ---- */

static bool same_call(const struct call *c, struct str module, struct str name)
{
	return str_eq(c->module, module) && str_eq(c->name, name);
}

void pk_imported(struct pickle *p, struct pk *global)
{
	struct model *m = p->m;
	struct str module = global->u.global.module, name = global->u.global.name;
	struct call call = {.module = module, .name = name, .member = p->member, .offset = global->at, .times = 1};
	size_t looked_at = 0;
	int64_t at;

	/* Protocol 0 may repeat a global, and shards do: the newest entries are looked through, no more. */
	for (size_t i = m->n_calls; i-- > 0 && looked_at++ < 100;)
		if (same_call(&m->calls[i], module, name)) {
			m->calls[i].times++;
			global->call = (uint32_t)i + 1;
			return;
		}
	call.risk = call_risk_of(module, name);
	at = model_add_call(m, &call);
	global->call = at < 0 ? 0 : (uint32_t)at + 1;
}

static struct str show_args(struct pickle *p, const struct pk *args)
{
	struct buf b = {0};
	struct str s;

	pk_show_args(&b, args, ARGS_SHOWN);
	s = arena_str(&p->m->arena, buf_view(&b));
	buf_free(&b);
	return s;
}

void pk_called(struct pickle *p, struct pk *callee, const struct pk *args, uint64_t at)
{
	struct call call = {.member = p->member, .offset = at, .risk = CALL_UNKNOWN, .called = true, .times = 1};
	const struct pk *named = callee;
	struct buf b = {0};
	struct call *c;

	if (pk_is(named, PK_PERSISTENT)) /* torch: ('module', class, file, source) */
		named = pk_item(named->u.id, 1);
	/* cppcheck-suppress nullPointerRedundantCheck ; pk_is asks whether it is there */
	c = pk_is(named, PK_GLOBAL) && named->call ? &p->m->calls[named->call - 1] : NULL;
	if (c && (c->risk == CALL_HARMLESS || !c->called)) {
		c->times++;
		if (!c->called)
			c->args = show_args(p, args);
		c->called = true;
		return;
	}
	if (p->m->n_calls >= CALLS_MAX) {
		p->m->more_calls++;
		return;
	}
	if (c) {
		call.module = c->module;
		call.name = c->name;
		call.risk = c->risk;
	} else {
		pk_show(&b, named ? named : callee, ARGS_SHOWN);
		call.module = STR("");
		call.name = buf_view(&b);
	}
	call.args = show_args(p, args);
	model_add_call(p->m, &call);
	buf_free(&b);
}
