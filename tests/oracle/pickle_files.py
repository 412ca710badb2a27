"""Pickles of NumPy arrays against NumPy; with joblib and scikit-learn there (Debian's packages), theirs against them; and
kinds of PyTorch's tensors that are spelt out byte by byte here. timeout: 400"""
import gzip
import io
import json
import os
import pickle
import random
import sys
import zlib

sys.dont_write_bytecode = True

import numpy as np

import check
import pickles
import weightfiles as wf

rng = np.random.default_rng(5)


def columns(x, name):
    """An array of records has a tensor for each field."""
    if x.dtype.names is None:
        return {name: wf.of_array(x)}
    out = {}
    for field in x.dtype.names:
        out.update(columns(x[field], f"{name}.{field}"))
    return out


def is_numeric(x):
    kinds = [x.dtype[n].base.kind for n in x.dtype.names] if x.dtype.names else [x.dtype.kind]
    return all(k in "biufcV" for k in kinds) and (x.dtype.kind != "V" or x.dtype.names)


def flat(x, name=""):
    """The way to each array of numbers, through dicts, lists and the attributes of objects."""
    def join(key):
        return f"{name}.{key}" if name else str(key)

    if isinstance(x, np.ma.MaskedArray):
        return {}
    if isinstance(x, np.ndarray) and x.dtype == object:
        out = {}
        for index in np.ndindex(x.shape):
            out.update(flat(x[index], join(".".join(map(str, index)))))
        return out
    if isinstance(x, np.ndarray):
        return columns(x, name or "array") if is_numeric(x) else {}
    if isinstance(x, np.generic) or isinstance(x, np.random.RandomState):
        return {}
    if isinstance(x, dict):
        children = x.items()
    elif isinstance(x, (list, tuple)):
        children = enumerate(x)
    elif type(x).__name__ == "Tree":
        children = [("n_classes", x.__reduce__()[1][1]), *x.__getstate__().items()]
    elif type(x).__module__.startswith(("sklearn", "scipy")) and not isinstance(x, type):
        state = (*x.__reduce_ex__(2), None, None)[2]
        children = state.items() if isinstance(state, dict) else ()
    else:
        children = ()
    out = {}
    for key, value in children:
        out.update(flat(value, join(key)))
    return out


def arrays():
    record = np.dtype([("i", "<i4"), ("x", ">f8", (2, 3)), ("in", [("a", "u1"), ("b", "<f2")]), ("t", "S3")])
    padded = np.dtype({"names": ["a", "b"], "formats": ["<f4", "<i8"], "offsets": [4, 16], "itemsize": 32})
    records = np.zeros((3, 2), record)
    records["i"], records["x"] = np.arange(6).reshape(3, 2), rng.standard_normal((3, 2, 2, 3))
    records["in"]["a"], records["in"]["b"] = 7, rng.standard_normal((3, 2))
    gaps = np.zeros(5, padded)
    gaps["a"], gaps["b"] = np.arange(5) / 4, np.arange(5) - 2
    x = {f"{k}{o}": rng.integers(0, 100, (3, 4)).astype(o + k) for k in
         ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "b1") for o in "<>"}
    x.update(fortran=np.asfortranarray(rng.standard_normal((4, 5, 3))), scalar=np.array(2.5), none=np.zeros((0, 3)),
             fortran_big=np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)), axes=rng.standard_normal((2, 3, 4)).transpose(1, 2, 0),
             all_bytes=np.arange(256, dtype=np.uint8), text=np.array(["ab", "c"]), one=np.ones((1, 1, 1)), slices=np.arange(20.0)[::3],
             objects=np.array([np.arange(3.0), None, "x", {"k": np.ones(2)}], dtype=object),
             grid=np.array([[np.zeros(1), np.ones(2)], [np.ones(3), np.ones(4)]], dtype=object),
             nested={"list": [np.ones(2), (np.zeros(3, np.float32),)], 5: np.arange(2)}, gaps=gaps)
    shared = np.arange(3.0)
    x.update(again=shared, and_again=shared)
    try:
        x["matrix"] = np.matrix([[1.0, 2], [3, 4]])
    except AttributeError:
        pass
    return x, records


def numpy_pickles():
    x, records = arrays()
    x["records"] = records
    want = {k: v for k, v in flat(x).items() if not k.startswith("records.in") and k != "records.t"}
    want["records.in.a"], want["records.in.b"] = wf.of_array(records["in"]["a"]), wf.of_array(records["in"]["b"])
    for protocol in range(6):
        path = f"arrays.{protocol}.pkl"
        with open(path, "wb") as f:
            pickle.dump(x, f, protocol)
        check.same_as(path, want, f"arrays, protocol {protocol}", extra=True)
        with open("alone.pkl", "wb") as f:
            pickle.dump(x["fortran"], f, protocol)
            pickle.dump([x["<i4" if "<i4" in x else "i4<"], 3], f, protocol)
        check.same_as("alone.pkl", {"array": wf.of_array(x["fortran"]), "2.0": wf.of_array(x["i4<"])},
                      f"two pickles one after the other, protocol {protocol}")
    np.save("objects.npy", x["objects"], allow_pickle=True)
    check.same_as("objects.npy", {f"objects.{k}": v for k, v in flat(x["objects"]).items()}, "objects in .npy", extra=True)
    np.savez("objects.npz", o=x["grid"], plain=np.ones(3))
    check.same_as("objects.npz", {**flat({"o": x["grid"]}), "plain": wf.of_array(np.ones(3))}, "objects in .npz", extra=True)


def new_numpy():
    """_frombuffer as newer versions write it: the axes in another order, and under numpy._core."""
    x = np.arange(24, dtype=np.float32)
    call = pickles.Call(pickles.G("numpy._core.numeric", "_frombuffer"), x.tobytes(),
                        pickles.Call(pickles.G("numpy", "dtype"), "f4", False, True, state=(3, "<", None, None, None, -1, -1, 0)),
                        (2, 3, 4), "K", (2, 0, 1))
    with open("axes.pkl", "wb") as f:
        f.write(pickles.dumps({"w": call}, 4))
    check.same_as("axes.pkl", {"w": wf.of_array(x.reshape(2, 3, 4).transpose(2, 0, 1))}, "_frombuffer with axes")


# ---- values ----

def random_value(r, depth=0):
    kind = r.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return r.choice([0, 1, -1, 255, 256, 65536, 2**31, -2**31 - 1, 2**62, -2**63])
    if kind == 1:
        return r.choice([0.5, -2.25, 1e300, 3.0])
    if kind in (2, 3):
        return "".join(r.choice("aé\n'\"\\ü漢𝄞 xyz") for _ in range(r.randrange(12)))
    if kind == 4:
        return r.choice([True, False])
    if kind == 5:
        return "x" * r.choice([1, 300])
    if kind == 6:
        return [random_value(r, depth + 1) for _ in range(r.randrange(5))]
    if kind == 7:
        return tuple(random_value(r, depth + 1) for _ in range(r.randrange(5)))
    return {f"k{i}": random_value(r, depth + 1) for i in range(r.randrange(5))}


def flat_values(x, name=""):
    def join(key):
        return f"{name}.{key}" if name else str(key)

    if isinstance(x, dict):
        return {k: v for key, value in x.items() for k, v in flat_values(value, join(key)).items()}
    if isinstance(x, (list, tuple)):
        if x and not any(isinstance(v, (list, tuple, dict)) for v in x):
            return {name: list(x)}
        return {k: v for key, value in enumerate(x) for k, v in flat_values(value, join(key)).items()}
    return {name: x}


def values():
    for seed in range(3):
        r = random.Random(seed)
        x = {f"k{i}": random_value(r) for i in range(40)}
        for protocol in range(6):
            with open("values.pkl", "wb") as f:
                pickle.dump(x, f, protocol)
            doc, status, said = check.run("meta", "-o", "json", "values.pkl")
            got = doc and doc["model"]["metadata"]
            want = flat_values(x)
            faults = [f"{k}: {got.get(k) if got else said!r}, want {v!r}" for k, v in want.items() if not got or got.get(k) != v]
            if got and len(got) != len(want):
                faults.append(f"{sorted(set(got) - set(want))} are not wanted")
            check.ok(not faults, f"values {seed}, protocol {protocol}", faults)


# ---- PyTorch, without it ----

def torch_types():
    names = {"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ",
             "float8_e8m0fnu": "F8_E8M0", "uint16": "U16", "uint32": "U32", "uint64": "U64", "bfloat16": "BF16", "float16": "F16",
             "float4_e2m1fn_x2": "F4"}
    obj, storages, want = {}, {}, {}
    for i, (name, kind) in enumerate(names.items()):
        raw = rng.integers(0, 256, 6 * max(1, wf.BITS[kind] // 8), np.uint8).tobytes()
        obj[name] = pickles.tensor_v3(str(i), len(raw), name, (2, 3), (3, 1))
        storages[str(i)] = raw
        want[name] = (kind, (2, 6 if kind == "F4" else 3), raw)
    obj["inside"] = pickles.tensor_v3("5", 12, "uint16", (2,), (2,), 1)
    want["inside"] = ("U16", (2,), np.frombuffer(storages["5"], "<u2")[1:4:2].tobytes())
    obj["tied"], want["tied"] = pickles.tensor_v3("5", 12, "uint16", (2, 3), (3, 1)), want["uint16"]
    pickles.write_zip("types.pt", obj, storages, "little")
    check.same_as("types.pt", want, "_rebuild_tensor_v3")
    doc, _, _ = check.run("list", "-o", "json", "types.pt")
    got = {t["name"]: t for t in doc["tensors"]}
    check.ok(got["tied"].get("tied_to") == "uint16" and "tied_to" not in got["inside"] and got["inside"]["strides"] == [2],
             "tied tensors and views are told apart")


def torch_kinds():
    """Parameters, subclasses, tensors without data, and shards."""
    raw = np.arange(6, dtype="<f4").tobytes()
    w = pickles.tensor("FloatStorage", "0", 6, (2, 3), (3, 1))
    utils = lambda name, *args: pickles.Call(pickles.G("torch._utils", name), *args)
    subclass = pickles.Call(pickles.G("torch._tensor", "_rebuild_from_type_v2"), pickles.G("torch._utils", "_rebuild_tensor_v2"),
                            pickles.G("mine", "Tensor"), (pickles.storage("FloatStorage", "0", 6), 2, (2,), (1,), False, None), {})
    obj = {"p": utils("_rebuild_parameter", w, True, None), "ps": utils("_rebuild_parameter_with_state", w, True, None, {}),
           "sub": subclass, "meta": utils("_rebuild_meta_tensor_no_storage", pickles.G("torch", "float32"), (4, 5), (5, 1), False),
           "s": pickles.storage("FloatStorage", "0", 6), "size": pickles.Call(pickles.G("torch", "Size"), (2, 3))}
    pickles.write_zip("kinds.pt", obj, {"0": raw})
    whole = ("F32", (2, 3), raw)
    check.same_as("kinds.pt", {"p": whole, "ps": whole, "sub": ("F32", (2,), raw[8:16]), "s": ("F32", (6,), raw)},
                  "parameters, subclasses, storages", extra=True)
    doc, _, _ = check.run("list", "-o", "json", "kinds.pt")
    meta = {t["name"]: t for t in doc["tensors"]}["meta"]
    check.ok(meta["shape"] == [4, 5] and "no data of it" in meta["trouble"] and doc["model"]["metadata"]["size"] == [2, 3],
             "a tensor on the meta device has a shape, and no data")
    os.makedirs("shards", exist_ok=True)
    for i, name in enumerate(("a.weight", "b.weight")):
        pickles.write_zip(f"shards/pytorch_model-0000{i + 1}-of-00002.bin", {name: w}, {"0": raw})
    both = {"a.weight": whole, "b.weight": whole}
    check.same_as("shards/pytorch_model-00002-of-00002.bin", both, "shards by their names")
    check.same_as("shards", both, "a directory of shards")
    with open("shards/pytorch_model.bin.index.json", "w") as f:
        json.dump({"metadata": {"total_size": 48}, "weight_map": {"a.weight": "pytorch_model-00001-of-00002.bin",
                                                                  "b.weight": "pytorch_model-00002-of-00002.bin"}}, f)
    check.same_as("shards/pytorch_model.bin.index.json", both, "the index of shards")
    check.same_as("shards", both, "a directory with an index")


def paddle():
    x = {"fc.weight": rng.standard_normal((3, 2)).astype(np.float32), "pair": ("linear_0.b_0", np.ones(2)),
         "StructuredToParameterName@@": {"fc.weight": "linear_0.w_0"}}
    for protocol in (2, 4):
        with open("x.pdparams", "wb") as f:
            pickle.dump(x, f, protocol)
        doc, _, _ = check.run("list", "-o", "json", "x.pdparams")
        check.ok(doc["model"]["format"] == "paddle" and doc["model"]["metadata"]["StructuredToParameterName@@.fc.weight"] == "linear_0.w_0",
                 f"Paddle's names, protocol {protocol}")
        check.same_as("x.pdparams", {"fc.weight": wf.of_array(x["fc.weight"]), "pair": wf.of_array(np.ones(2))}, f"Paddle, protocol {protocol}")


# ---- joblib ----

def with_joblib():
    try:
        import joblib
    except ImportError:
        check.skip("joblib", "joblib is not there")
        return
    x, records = arrays()
    x["records"] = np.zeros(3, [("a", "<i4"), ("b", "<f8")])
    del x["matrix"]
    want = flat(x)
    ways = {"plain": 0, "zlib": ("zlib", 3), "gzip": ("gzip", 3), "bz2": ("bz2", 3), "xz": ("xz", 3), "lzma": ("lzma", 3)}
    try:
        import lz4  # noqa: F401
        ways["lz4"] = ("lz4", 3)
    except ImportError:
        check.skip("joblib, lz4", "lz4 is not there")
    for way, compress in ways.items():
        for protocol in (2, 3, 4, 5):
            path = f"x.{way}.{protocol}.joblib"
            joblib.dump(x, path, compress=compress, protocol=protocol)
            check.same_as(path, want, f"joblib, {way}, protocol {protocol}", extra=True)
    joblib.dump(np.asfortranarray(np.arange(6.0).reshape(2, 3)), "alone.joblib")
    check.same_as("alone.joblib", {"array": wf.of_array(np.arange(6.0).reshape(2, 3))}, "joblib, an array alone")
    packed_side_file(joblib)


def packed_side_file(joblib):
    """As joblib 0.8 wrote it with compress: joblib itself reads it."""
    x = np.arange(12, dtype="<i4").reshape(3, 4)
    data = zlib.compress(x.tobytes())
    with open("z.pkl_01.npy.z", "wb") as f:
        f.write(b"ZF" + hex(x.nbytes).ljust(19).encode() + data)
    dtype = pickles.Call(pickles.G("numpy", "dtype"), "i4", False, True, state=(3, "<", None, None, None, -1, -1, 0))
    wrapper = pickles.Call(pickles.G("copyreg", "_reconstructor"), pickles.G("joblib.numpy_pickle", "ZNDArrayWrapper"),
                           pickles.G("builtins", "object"), None,
                           state={"filename": "z.pkl_01.npy.z", "init_args": (pickles.G("numpy", "ndarray"), (0,), b"b"),
                                  "state": (1, (3, 4), dtype, False)})
    with open("z.pkl", "wb") as f:
        f.write(b"ZF" + hex(len(raw := pickles.dumps([wrapper], 2))).ljust(19).encode() + zlib.compress(raw))
    try:
        same = np.array_equal(joblib.load("z.pkl")[0], x)
    except Exception as e:  # versions of joblib that no longer read it
        check.skip("a packed side file", f"joblib does not read it: {e}")
        return
    check.ok(same, "joblib reads the packed side file written here")
    check.same_as("z.pkl", {"0": wf.of_array(x)}, "a packed side file")


# ---- scikit-learn ----

def estimators():
    from sklearn.cluster import KMeans
    from sklearn.compose import ColumnTransformer
    from sklearn.decomposition import PCA
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.mixture import GaussianMixture
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from sklearn.svm import SVC

    x = np.random.RandomState(0).rand(60, 4)
    y = (x.sum(1) > 2).astype(int)
    yield "linear", LinearRegression().fit(x, y)
    yield "logistic", LogisticRegression().fit(x, np.array(["no", "yes"])[y])
    yield "mlp", MLPClassifier((5, 3), max_iter=5, random_state=1).fit(x, y)
    yield "forest", RandomForestClassifier(4, max_depth=4, random_state=1).fit(x, y)
    yield "boosting", GradientBoostingClassifier(n_estimators=3, random_state=1).fit(x, y)
    yield "histogram", HistGradientBoostingRegressor(max_iter=3, random_state=1).fit(x, y)
    yield "svm", SVC(probability=True, random_state=1).fit(x, y)
    yield "kmeans", KMeans(3, n_init=1, random_state=1).fit(x)
    yield "mixture", GaussianMixture(2, random_state=1).fit(x)
    yield "bayes", GaussianNB().fit(x, y)
    yield "pipeline", Pipeline([("scale", StandardScaler()), ("pca", PCA(2)), ("fit", LogisticRegression())]).fit(x, y)
    yield "columns", ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", OneHotEncoder(), [2])]).fit(np.round(x))


def with_sklearn():
    try:
        import sklearn
    except ImportError:
        check.skip("scikit-learn", "scikit-learn is not there")
        return
    try:
        import joblib
    except ImportError:
        joblib = None
    for name, model in estimators():
        want = flat(model)
        assert want
        for protocol in (0, 2, 4, 5):
            path = f"{name}.{protocol}.pkl"
            with open(path, "wb") as f:
                pickle.dump(model, f, protocol)
            check.same_as(path, want, f"scikit-learn {name}, protocol {protocol}", extra=True)
        doc, _, _ = check.run("meta", "-o", "json", path)
        meta = doc["model"]["metadata"]
        check.ok(meta["producer"] == f"scikit-learn {sklearn.__version__}" and meta["class"].startswith("sklearn."),
                 f"scikit-learn {name}: class and version")
        if joblib:
            joblib.dump(model, f"{name}.joblib", compress=3)
            check.same_as(f"{name}.joblib", want, f"scikit-learn {name}, joblib", extra=True)


def real_files():
    """joblib 0.9 and 0.11 kept the same objects; other files have their counts checked against a walk of pickletools."""
    folder = os.path.join(os.environ.get("SHARED", ""), "sklearn")
    if not os.environ.get("SHARED") or not os.path.isdir(folder):
        check.skip("real files", "the shared data are not there")
        return
    want = {"0": wf.of_array(np.arange(5)), "1": wf.of_array(np.arange(5.0)), "4": wf.of_array(np.array([[0, 1, 2]]))}
    for i, x in (("01", "0"), ("02", "1"), ("04", "4")):
        want[x] = wf.of_array(np.load(os.path.join(folder, f"joblib_0.9.2_pickle_py34_np19.pkl_{i}.npy")))
    for name in ("joblib_0.9.2_pickle_py34_np19.pkl", "joblib_0.11.0_pickle_py36_np111.pkl", "joblib_0.11.0_pickle_py36_np111.pkl.gzip",
                 "joblib_0.11.0_pickle_py36_np111.pkl.xz"):
        check.same_as(os.path.join(folder, name), want, name)
    for name in ("dragnet-lr-2013-04.pickle", "dragnet-lr-2013-11.pickle", "dragnet-content-py2-sk0.15.pkl.gz"):
        with open(os.path.join(folder, name), "rb") as f:
            raw = f.read()
        if raw[:2] == b"ZF":
            raw = zlib.decompress(raw[21 + (raw[21:22] == b" "):])
        check.same_as(os.path.join(folder, name), flat(Stubs(raw).load()), name)
    name = "dragnet-content-py3-sk0.18.pkl.gz"
    with gzip.open(os.path.join(folder, name)) as f:
        check.same_as(os.path.join(folder, name), flat(Inline(f.read()).load()), name)
    name = os.path.join(os.environ["SHARED"], "paddle", "mnist.pdparams")
    with open(name, "rb") as f:
        x = Stubs(f.read()).load()
    del x["StructuredToParameterName@@"]
    check.same_as(name, flat(x), "paddle/mnist.pdparams")


class Stub:
    """Stands for any class that is not there: it keeps its state."""
    def __new__(cls, *args):
        self = object.__new__(cls)
        self.args = args
        return self

    def __init__(self, *args):
        pass

    def __setstate__(self, state):
        self.state = state


class Stubs(pickle.Unpickler):
    """NumPy's own functions, and stubs in place of all else."""
    def __init__(self, raw):
        super().__init__(io.BytesIO(raw), encoding="latin1")

    def find_class(self, module, name):
        if module in ("numpy.core.multiarray", "numpy"):
            return getattr(np.core.multiarray if "." in module else np, name)
        if (module, name) == ("copy_reg", "_reconstructor"):
            return lambda cls, base, state: cls.__new__(cls)
        return type(name, (Stub,), {"__module__": module})

    def load(self):
        return self.plain(super().load())

    def plain(self, x):
        if isinstance(x, Stub):
            state = getattr(x, "state", {})
            if type(x).__name__ == "Tree":
                return self.plain(dict(state, n_classes=x.args[1]))
            return self.plain(state)
        if isinstance(x, dict):
            return {k: self.plain(v) for k, v in x.items()}
        if isinstance(x, (list, tuple)):
            return [self.plain(v) for v in x]
        return x


class Inline(pickle._Unpickler):
    """joblib since 0.10: an array's bytes follow the BUILD of the wrapper that stands for it (joblib/numpy_pickle.py,
    NumpyArrayWrapper.read_array); its state says what they are."""
    def __init__(self, raw):
        self.stream = io.BytesIO(raw)
        super().__init__(self.stream, encoding="latin1")

    find_class = Stubs.find_class
    plain = Stubs.plain

    def load(self):
        return self.plain(super().load())

    def build(self):
        state, wrapper = self.stack[-1], self.stack[-2]
        pickle._Unpickler.load_build(self)
        if type(wrapper).__name__ == "NumpyArrayWrapper":
            n = int(np.prod(state["shape"])) * state["dtype"].itemsize
            x = np.frombuffer(self.stream.read(n), state["dtype"])
            self.stack[-1] = x.reshape(state["shape"], order=state["order"])

    dispatch = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: build}


if __name__ == "__main__":
    numpy_pickles()
    new_numpy()
    values()
    torch_types()
    torch_kinds()
    paddle()
    real_files()
    with_joblib()
    with_sklearn()
    check.end()
