"""Readers of protocol buffers: ONNX, Lc0, Caffe and Core ML. Files written here, of which every value is known, and real
ones of $SHARED/data, decoded by other code, must be the same as a safetensors file of these values. timeout: 180"""
import os
import struct
import sys

sys.dont_write_bytecode = True

import numpy as np

import check
import weightfiles as wf
from wire import all_of, f32, f64, field, fixed32, get, parse, tag, unpacked, varint, varints

try:
    import onnx
    from onnx import numpy_helper
except ImportError:
    onnx = None
try:
    import torch
except ImportError:
    torch = None

rng = np.random.default_rng(11)
SHARED = os.environ.get("SHARED", "")


def same_as(path, want, label, stored=(), also=False):
    """want: name -> (type, shape, bytes). Names, types, shapes and every value are those of the file at path. stored:
    name -> type in the file, of those whose values are worked out of codes. also: other tensors may be there, too."""
    stored = dict(stored)
    other = os.path.join(os.getcwd(), "want.safetensors")
    wf.write_safetensors(other, want)
    doc, status, said = check.run("diff", "-o", "json", path, other)
    faults = check.Faults()
    if doc is None:
        check.ok(False, label, [f"exit status {status}: {said}"])
        return
    pairs = {t["a"] or t["b"]: t for t in doc["tensors"]}
    for name, (kind, shape, raw) in want.items():
        t = pairs.get(name)
        if t is None or t["a"] is None:
            faults.append(f"{name} is not there")
            continue
        faults.same(f"{name}: shape", t["a_shape"], list(shape))
        faults.same(f"{name}: type", t["a_type"], stored.get(name, kind))
        if t["status"] not in ("identical", "equal"):
            faults.append(f"{name} is {t['status']}")
    extra = sorted(n for n, t in pairs.items() if t["b"] is None)
    if extra and not also:
        faults.append(f"{extra} were not expected")
    check.ok(not faults, label, faults)


def of(x):
    return wf.of_array(np.asarray(x))


def random_array(dtype, shape):
    dtype, n = np.dtype(dtype), int(np.prod(shape))
    if dtype == bool:
        return rng.integers(0, 2, n).astype(bool).reshape(shape)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, n, dtype, endpoint=True).reshape(shape)
    return rng.standard_normal(n).astype(dtype).reshape(shape)


def have(name):
    path = os.path.join(SHARED, name)
    return path if SHARED and os.path.exists(path) else None


def write(name, data):
    path = os.path.join(os.getcwd(), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    return path


# ---- ONNX ----

# type number: kind in safetensors, field, NumPy type of what one number there gives
ONNX = {1: ("F32", 4, "<f4"), 2: ("U8", 5, "u1"), 3: ("I8", 5, "i1"), 4: ("U16", 5, "<u2"), 5: ("I16", 5, "<i2"),
        6: ("I32", 5, "<i4"), 7: ("I64", 7, "<i8"), 9: ("BOOL", 5, "u1"), 10: ("F16", 5, "<u2"), 11: ("F64", 10, "<f8"),
        12: ("U32", 11, "<u4"), 13: ("U64", 11, "<u8"), 14: ("C64", 4, "<f4"), 16: ("BF16", 5, "<u2"),
        17: ("F8_E4M3", 5, "u1"), 18: ("F8_E4M3FNUZ", 5, "u1"), 19: ("F8_E5M2", 5, "u1"), 20: ("F8_E5M2FNUZ", 5, "u1"),
        23: ("F4", 5, "u1"), 24: ("F8_E8M0", 5, "u1")}


def numbers(n, values, how):
    """A repeated field: packed at once, in two records, or each number on its own."""
    floats = values.dtype.kind == "f"
    packed = (lambda v: v.tobytes()) if floats else varints
    if how == "packed":
        return field(n, packed(values))
    if how == "two":
        return field(n, packed(values[:3])) + field(n, packed(values[3:]))
    if floats:
        return b"".join((f32 if values.itemsize == 4 else f64)(n, v) for v in values)
    return b"".join(field(n, int(v)) for v in values)


def onnx_tensor(number, shape, name="", how="raw"):
    """(TensorProto, what it holds)"""
    kind, n, dtype = ONNX[number]
    raw = wf.byte_count(kind, int(np.prod(shape)))
    raw = rng.integers(0, 256, raw, np.uint8).tobytes()
    if kind == "BOOL":
        raw = bytes(b & 1 for b in raw)
    out = b"".join(field(1, d) for d in shape) if how == "single" else field(1, varints(shape)) if shape else b""
    out += field(2, number)
    out += field(9, raw) if how == "raw" else numbers(n, np.frombuffer(raw, dtype), how) if raw else b""
    return out + (field(8, name) if name else b""), (kind, tuple(shape), raw)


def node(op, output="", name="", attributes=b"", domain=""):
    return field(2, output) + field(3, name) + field(4, op) + attributes + field(7, domain)


def attribute(name, n, value):
    return field(5, field(1, name) + (field(n, value) if isinstance(value, (bytes, int)) else f32(n, value)))


def onnx_model(graph, rest=b""):
    return field(1, 10) + field(2, "weigh") + field(7, graph) + field(8, field(2, 20)) + rest


def onnx_types():
    for how in ("raw", "packed", "two", "single"):
        graph, want = b"", {}
        for number, (kind, _, _) in ONNX.items():
            for shape in ((4, 6), (), (0, 3), (130,)):
                if kind == "F4" and shape == ():
                    continue
                name = f"{kind}.{'x'.join(map(str, shape)) or 'scalar'}"
                proto, want[name] = onnx_tensor(number, shape, name, how)
                graph += field(5, proto)
        same_as(write(f"types-{how}.onnx", onnx_model(graph + field(2, "g"))), want, f"onnx: every type, {how}")


def onnx_small():
    """Elements of 2 and 4 bits: the first one in a byte's lowest bits; typed fields have a byte in each number."""
    graph, want, stored = b"", {}, {}
    for name, number, bits, low in (("UINT4", 21, 4, 0), ("INT4", 22, 4, -8), ("UINT2", 25, 2, 0), ("INT2", 26, 2, -2)):
        for n in (1, 6, 131):
            x = rng.integers(low, low + (1 << bits), n)
            padded = np.concatenate([x, np.zeros(-n % (8 // bits), int)]) & (1 << bits) - 1
            raw = (padded.reshape(-1, 8 // bits) << bits * np.arange(8 // bits)).sum(axis=1).astype(np.uint8)
            for how, data in (("raw", field(9, raw.tobytes())), ("typed", field(5, varints(raw)))):
                key = f"{name}.{n}.{how}"
                graph += field(5, field(1, varints((n,))) + field(2, number) + data + field(8, key))
                want[key], stored[key] = of(x.astype("<f4")), name
    values = [0, .5, 1, 1.5, 2, 3, 4, 6, -0., -.5, -1, -1.5, -2, -3, -4, -6]
    graph += field(5, field(1, varints((5,))) + field(2, 23) + field(9, b"\x21\xF8\x0E") + field(8, "odd"))
    want["odd"], stored["odd"] = of(np.array([values[i] for i in (1, 2, 8, 15, 14)], "<f4")), "FLOAT4E2M1"
    same_as(write("small.onnx", onnx_model(graph + field(2, "g"))), want, "onnx: elements of 2 and 4 bits", stored)


def onnx_structure():
    """Constants, attributes, graphs in nodes, functions, external data: each under its name."""
    graph, want = b"", {}

    def put(name, number=1, shape=(3, 2)):
        proto, want[name] = onnx_tensor(number, shape)
        return proto

    inner = field(5, put("If_1.then_branch.ext") + field(8, "ext")) + field(5, put("w") + field(8, "w"))
    deep = field(1, node("Constant", "c", attributes=attribute("value", 5, put("c"))))
    deep += field(1, node("Constant", "w", attributes=attribute("value", 5, put("If_1.then_branch.deep.body.w"))))
    inner += field(1, node("Loop", name="deep", attributes=attribute("body", 6, deep)))
    graph += field(1, node("Constant", "out", "n", attribute("value", 5, put("out"))))
    graph += field(1, node("ConstantOfShape", "o2", "n2", attribute("value", 5, put("n2.value"))))
    graph += field(1, node("Foo", "o3", "", attribute("two", 10, put("o3.two.0")), "com.foo"))
    graph += field(1, node("If", "o4", "If_1", attribute("then_branch", 6, inner)))
    graph += field(1, node("Constant", "f", attributes=attribute("value_float", 2, 1.5)))
    want["f"] = of(np.float32(1.5))
    graph += field(1, node("Constant", "i", attributes=attribute("value_ints", 8, varints([7, -1]))))
    want["i"] = of(np.array([7, -1], np.int64))
    graph += field(1, node("LinearClassifier", "o5", "lc", attribute("coefficients", 7, struct.pack("<3f", 1, 2, 3)), "ai.onnx.ml"))
    want["lc.coefficients"] = of(np.array([1, 2, 3], np.float32))
    function = field(1, "fun") + field(10, "dom") + field(7, node("Constant", "k", attributes=attribute("value", 5, put("dom::fun.k"))))
    x = random_array("<f4", (5, 4))
    write("sub/weights.bin", bytes(64) + x.tobytes() + bytes(9))
    for name, keys in (("ext", {"location": "sub/weights.bin", "offset": "64", "length": "80"}),):
        entries = b"".join(field(13, field(1, k) + field(2, v)) for k, v in keys.items())
        graph += field(5, field(1, varints(x.shape)) + field(2, 1) + entries + field(14, 1) + field(8, name))
        want[name] = of(x)
    graph += field(5, field(2, 1) + field(9, struct.pack("<f", 3)))
    want["initializer.1"] = of(np.float32(3))
    path = write("structure.onnx", onnx_model(graph + field(2, "g"), field(25, function)))
    same_as(path, want, "onnx: constants, graphs in nodes, functions, external data")
    doc = check.run("meta", "-o", "json", path)[0]
    meta = doc["model"]["metadata"]
    faults = check.Faults()
    for key, value in (("producer_name", "weigh"), ("opset_import.ai.onnx", 20), ("operators.com.foo", 1), ("ir_version", 10)):
        faults.same(key, meta.get(key), value)
    check.ok(not faults, "onnx: metadata", faults)


def onnx_by_onnx(path, label):
    """Every tensor as python3-onnx reads it."""
    if not onnx:
        check.skip(label, "no python3-onnx")
        return
    want = {}

    def graph(g):
        for t in g.initializer:
            want[t.name] = of(numpy_helper.to_array(t))
        for n in g.node:
            for a in n.attribute:
                if a.HasField("t"):
                    want[n.output[0] if n.op_type == "Constant" else f"{n.name}.{a.name}"] = of(numpy_helper.to_array(a.t))
                if a.HasField("g"):
                    graph(a.g)

    graph(onnx.load(path).graph)
    same_as(path, want, label)


def onnx_files():
    onnx_types()
    onnx_small()
    onnx_structure()
    for name in ("basic_pitch_nmp", "mnist", "silero_vad_16k-v5", "silero_vad_16k-v6.2", "three_layer_keras-2019",
                 "three_layer_keras-2024"):
        path = have(f"onnx/{name}.onnx")
        if path:
            onnx_by_onnx(path, f"onnx: {name} against python3-onnx")
        else:
            check.skip(f"onnx: {name}", "the shared data are not there")


# ---- Lc0 ----

def lc0_values(raw, lo, hi):
    """LINEAR16, in single precision as Lc0 computes it."""
    theta = np.frombuffer(raw, "<u2").astype(np.float32) / np.float32(65535)
    return np.float32(lo) * (np.float32(1) - theta) + np.float32(hi) * theta


class Lc0:
    """Layers of a net that is written: each in the next of the encodings."""
    def __init__(self):
        self.want, self.stored, self.turn = {}, {}, 0

    def layer(self, name, shape, dims=False):
        n = int(np.prod(shape))
        self.turn = self.turn % 4 + 1
        x = rng.standard_normal(n).astype("<f4")
        extra = field(5, varints(shape)) if dims else b""
        if self.turn == 1:
            raw = rng.integers(0, 65536, n, dtype="<u2").tobytes()
            lo, hi = np.float32(-rng.random()), np.float32(rng.random())
            self.want[name], self.stored[name] = ("F32", shape, lc0_values(raw, lo, hi).tobytes()), "LINEAR16"
            return f32(1, lo) + f32(2, hi) + field(3, raw) + extra
        kind = (None, None, "F16", "BF16", "F32")[self.turn]
        raw = {"F16": x.astype("<f2").tobytes(), "F32": x.tobytes(), "BF16": x.view("<u2")[1::2].tobytes()}[kind]
        self.want[name] = (kind, shape, raw)
        return field(3, raw) + field(4, self.turn) + extra

    def message(self, prefix, *layers):
        return b"".join(field(n, self.layer(prefix + name, shape)) for n, name, shape in layers)

    def conv(self, prefix, out, inputs, k, bn=True):
        layers = [(1, "weights", (out, inputs, k, k))]
        layers += [(n, name, (out,)) for n, name in ((3, "bn_means"), (4, "bn_stddivs"), (5, "bn_gammas"), (6, "bn_betas"))] if bn else [(2, "biases", (out,))]
        return self.message(prefix, *layers)

    def encoder(self, prefix, e, d, f):
        smolgen = self.message(prefix + "mha.smolgen.", (1, "compress", (3, e)), (2, "dense1_w", (5, 192)), (3, "dense1_b", (5,)),
                               (4, "ln1_gammas", (5,)), (5, "ln1_betas", (5,)), (6, "dense2_w", (8, 5)), (7, "dense2_b", (8,)))
        mha = self.message(prefix + "mha.", (1, "q_w", (d, e)), (2, "q_b", (d,)), (3, "k_w", (d, e)), (4, "k_b", (d,)),
                           (5, "v_w", (d, e)), (6, "v_b", (d,)), (7, "dense_w", (e, d)), (8, "dense_b", (e,))) + field(9, smolgen)
        ffn = self.message(prefix + "ffn.", (1, "dense1_w", (f, e)), (2, "dense1_b", (f,)), (3, "dense2_w", (e, f)), (4, "dense2_b", (e,)))
        return field(1, mha) + self.message(prefix, (2, "ln1_gammas", (e,)), (3, "ln1_betas", (e,))) + field(4, ffn)


def lc0_net(weights, network=0, rest=b""):
    form = field(1, 1) + field(2, field(1, 1) + field(2, 2) + field(3, network) + field(4, 3) + field(5, 2))
    training = field(1, 1234) + f32(2, 0.5) + field(6, "--x")
    return fixed32(1, 0x1C0) + field(2, "some licence") + field(3, field(2, 31)) + field(4, form) + field(5, training) + \
        field(10, weights) + rest


def lc0_written():
    w = Lc0()
    body = field(1, w.conv("input.", 4, 112, 3))
    for i in range(2):
        se = w.message(f"residual.{i}.se.", (1, "w1", (2, 4)), (2, "b1", (2,)), (3, "w2", (8, 2)), (4, "b2", (8,)))
        body += field(2, field(1, w.conv(f"residual.{i}.conv1.", 4, 4, 3)) + field(2, w.conv(f"residual.{i}.conv2.", 4, 4, 3, False)) + field(3, se))
    body += field(11, w.conv("policy1.", 4, 4, 3)) + field(3, w.conv("policy.", 5, 4, 3, False))
    body += field(6, w.conv("value.", 3, 4, 1)) + field(12, w.conv("moves_left.", 2, 4, 1))
    body += w.message("", (7, "ip1_val_w", (6, 192)), (8, "ip1_val_b", (6,)), (9, "ip2_val_w", (3, 6)), (10, "ip2_val_b", (3,)),
                      (13, "ip1_mov_w", (6, 128)), (14, "ip1_mov_b", (6,)), (15, "ip2_mov_w", (1, 6)), (16, "ip2_mov_b", (1,)))
    same_as(write("conv.pb", lc0_net(body, 4)), w.want, "lc0: a convolutional net, every encoding", w.stored)

    w, e = Lc0(), 6
    head = w.message("policy_heads.vanilla.", (3, "ip2_pol_w", (6, 7)), (4, "ip2_pol_b", (6,)), (5, "ip3_pol_w", (6, 7)), (6, "ip3_pol_b", (6,)), (7, "ip4_pol_w", (4, 6)))
    head += field(8, w.encoder("policy_heads.vanilla.pol_encoder.0.", e, 4, 8)) + field(9, 2)
    heads = w.message("policy_heads.", (1, "ip_pol_w", (7, e)), (2, "ip_pol_b", (7,))) + field(3, head)
    heads += field(7, field(1, "my own") + field(2, w.message("policy_heads.policy_head_map.my own.", (3, "ip2_pol_w", (6, 7)), (4, "ip2_pol_b", (6,)))))
    values = b"".join(field(n, w.message(f"value_heads.{name}.", (1, "ip_val_w", (3, e)), (2, "ip_val_b", (3,)), (7, "ip_val_err_w", (1, 9)), (8, "ip_val_err_b", (1,))))
                      for n, name in ((1, "winner"), (2, "q"), (3, "st")))
    body = field(45, heads) + field(44, values) + field(27, w.encoder("encoder.0.", e, 4, 8)) + field(27, w.encoder("encoder.1.", e, 4, 8))
    body += field(28, 4) + w.message("", (25, "ip_emb_w", (e, 176)), (26, "ip_emb_b", (e,)), (33, "ip_mult_gate", (e, 64)), (34, "ip_add_gate", (e, 64)),
                                     (35, "smolgen_w", (4096, 2)), (37, "ip_emb_preproc_w", (64, 768)), (38, "ip_emb_preproc_b", (64,)),
                                     (39, "ip_emb_ln_gammas", (e,)), (31, "ip_mov_w", (3, e)), (32, "ip_mov_b", (3,)))
    body += field(41, w.message("ip_emb_ffn.", (1, "dense1_w", (8, e)), (2, "dense1_b", (8,)), (3, "dense2_w", (e, 8)), (4, "dense2_b", (e,))))
    body += field(36, w.layer("smolgen_b", (2, 3), dims=True))
    same_as(write("attention.pb", lc0_net(body, 7)), w.want, "lc0: an attention body with many heads, every encoding", w.stored)

    inner, want = onnx_tensor(1, (2, 3), "w")
    net = lc0_net(b"", 5, field(11, field(1, onnx_model(field(5, inner))) + field(2, 1) + field(3, "planes")))
    same_as(write("onnx.pb", net), {"w": want}, "lc0: a net that holds an ONNX model")


def lc0_maia(path):
    """Filters from the input's means; shapes as Lc0's own code has them for this kind of net."""
    import gzip
    weights = get(gzip.open(path).read(), 10)
    want = {}

    def layer(name, message, shape):
        lo, hi = (struct.unpack("<f", get(message, n))[0] if get(message, n) else 0.0 for n in (1, 2))
        raw = get(message, 3)
        if raw:
            want[name] = ("F32", shape, lc0_values(raw, lo, hi).tobytes())

    def conv(prefix, message, inputs, k):
        out = len(get(message, 2, 3) or get(message, 3, 3)) // 2
        for n, name, shape in ((1, "weights", (out, inputs, k, k)), (2, "biases", (out,)), (3, "bn_means", (out,)),
                               (4, "bn_stddivs", (out,)), (5, "bn_gammas", (out,)), (6, "bn_betas", (out,))):
            layer(prefix + name, get(message, n), shape)
        return out

    f = conv("input.", get(weights, 1), 112, 3)
    for i, r in enumerate(all_of(weights, 2)):
        conv(f"residual.{i}.conv1.", get(r, 1), f, 3)
        conv(f"residual.{i}.conv2.", get(r, 2), f, 3)
        s = len(get(r, 3, 2, 3)) // 2
        for n, name, shape in ((1, "w1", (s, f)), (2, "b1", (s,)), (3, "w2", (2 * f, s)), (4, "b2", (2 * f,))):
            layer(f"residual.{i}.se.{name}", get(r, 3, n), shape)
    conv("policy1.", get(weights, 11), f, 3)
    conv("policy.", get(weights, 3), f, 3)
    c = conv("value.", get(weights, 6), f, 1)
    for n, name, shape in ((7, "ip1_val_w", (128, 64 * c)), (8, "ip1_val_b", (128,)), (9, "ip2_val_w", (3, 128)), (10, "ip2_val_b", (3,))):
        layer(name, get(weights, n), shape)
    return want


def lc0_files():
    lc0_written()
    for name in ("maia-1100", "maia-1900"):
        path = have(f"lc0/{name}.pb.gz")
        if path:
            want = lc0_maia(path)
            same_as(path, want, f"lc0: {name} decoded by hand", dict.fromkeys(want, "LINEAR16"))
        else:
            check.skip(f"lc0: {name}", "the shared data are not there")


# ---- Caffe ----

def blob(x, how="packed", old=False, diff=None):
    x = np.asarray(x)
    data = {"packed": lambda: numbers(5, x.astype("<f4").reshape(-1), "packed"),
            "single": lambda: numbers(5, x.astype("<f4").reshape(-1), "single"),
            "double": lambda: numbers(8, x.astype("<f8").reshape(-1), "packed"),
            "half": lambda: field(10, 2) + field(12, x.astype("<f2").tobytes())}[how]()
    if diff is not None:
        data += numbers(6, diff.astype("<f4").reshape(-1), "packed")
    if old:
        return b"".join(field(i + 1, d) for i, d in enumerate(x.shape)) + data
    return data + field(7, field(1, varints(x.shape)))


def caffe_written():
    w, b = random_array("<f4", (3, 2, 2, 2)), random_array("<f4", (3,))
    half, double = random_array("<f2", (2, 5)), random_array("<f8", (4,))
    layer = field(1, "conv/1") + field(2, "Convolution") + field(7, blob(w, diff=w * 2)) + field(7, blob(b, "single"))
    second = field(1, "fc") + field(2, "InnerProduct") + field(7, blob(half, "half")) + field(7, blob(double, "double"))
    want = {"conv/1.0": of(w), "conv/1.0.diff": of(w * 2), "conv/1.1": of(b), "fc.0": of(half), "fc.1": of(double)}
    same_as(write("today.caffemodel", field(1, "net") + field(100, layer) + field(100, second)), want, "caffe: layers of today")
    old = field(4, "conv1") + field(5, 4) + field(6, blob(w, old=True)) + field(6, blob(b.reshape(1, 1, 1, 3), old=True))
    want = {"conv1.0": of(w), "conv1.1": of(b.reshape(1, 1, 1, 3))}
    same_as(write("v1.caffemodel", field(1, "net") + field(2, old)), want, "caffe: V1 layers")
    older = field(2, "data") + field(1, field(1, "conv1") + field(2, "conv") + field(50, blob(w, old=True)) + field(50, blob(b.reshape(1, 1, 1, 3), old=True)))
    same_as(write("v0.caffemodel", field(1, "net") + field(2, older)), want, "caffe: V0 layers")


def mxnet_arrays(path):
    """The oldest form of .params: no magic before an array, dimensions of 32 bits."""
    with open(path, "rb") as f:
        b = f.read()
    at, arrays = 24, []
    for _ in range(struct.unpack_from("<Q", b, 16)[0]):
        rank = struct.unpack_from("<I", b, at)[0]
        shape = struct.unpack_from(f"<{rank}I", b, at + 4)
        at += 4 + 4 * rank + 12
        arrays.append(np.frombuffer(b, "<f4", int(np.prod(shape)), at).reshape(shape))
        at += arrays[-1].nbytes
    count, names = struct.unpack_from("<Q", b, at)[0], []
    at += 8
    for _ in range(count):
        n = struct.unpack_from("<Q", b, at)[0]
        names.append(b[at + 8:at + 8 + n].decode())
        at += 8 + n
    return dict(zip(names, arrays))


def rnet_from_mxnet(path):
    """MTCNN's R-Net in Caffe's order: height and width changed places, red and blue in the first layer."""
    x, want = mxnet_arrays(path), {}
    for name, a in x.items():
        layer, part = name.removeprefix("arg:").rsplit("_", 1)
        if a.ndim == 4:
            a = a.transpose(0, 1, 3, 2)
            a = a[:, ::-1] if layer == "conv1" else a
        if layer == "conv4" and a.ndim == 2:
            a = a.reshape(128, 64, 3, 3).transpose(0, 1, 3, 2).reshape(128, 576)
        want[layer.replace("5_", "5-") + {"weight": ".0", "gamma": ".0", "bias": ".1"}[part]] = of(a)
    return want


def rnet_from_torch(path):
    """The same in PyTorch's names and order; the dense layer takes width, height, channels."""
    want = {}
    for name, t in torch.load(path, map_location="cpu").items():
        layer, part = name.rsplit(".", 1)
        a = t.numpy()
        if a.ndim == 4:
            a = a.transpose(0, 1, 3, 2)
        if layer == "dense4" and a.ndim == 2:
            a = a.reshape(128, 3, 3, 64).transpose(0, 3, 1, 2).reshape(128, 576)
        layer = layer.replace("dense", "conv").replace("5_", "5-")
        want[layer + {"weight": ".0", "bias": ".1"}[part]] = of(a)
    return want


def caffe_files():
    caffe_written()
    path, mxnet, pytorch = have("caffe/mtcnn-det2.caffemodel"), have("mxnet/mtcnn-det2-0001.params"), have("pytorch/mtcnn-rnet-2019-05-31.pt")
    if path and mxnet:
        same_as(path, rnet_from_mxnet(mxnet), "caffe: R-Net against MXNet's file", also=True)
    else:
        check.skip("caffe: R-Net against MXNet's file", "the shared data are not there")
    if path and pytorch and torch:
        same_as(path, rnet_from_torch(pytorch), "caffe: R-Net against PyTorch's file", also=True)
    else:
        check.skip("caffe: R-Net against PyTorch's file", "no python3-torch, or no shared data")


# ---- Core ML ----

def bits_msb(codes, bits):
    return np.packbits(np.unpackbits(codes.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - bits:].reshape(-1)).tobytes()


class CoreML:
    def __init__(self):
        self.want, self.stored = {}, {}

    def floats(self, name, shape):
        x = random_array("<f4", shape)
        self.want[name] = of(x)
        return field(1, x.tobytes())

    def halves(self, name, shape):
        x = random_array("<f2", shape)
        self.want[name] = of(x)
        return field(2, x.tobytes())

    def linear(self, name, shape, bits, axis=0, per_slice=True):
        codes = rng.integers(0, 1 << bits, int(np.prod(shape))).reshape(shape)
        n = shape[axis] if per_slice else 1
        scale, bias = random_array("<f4", (n,)), random_array("<f4", (n,))
        to = [1] * len(shape)
        to[axis] = n
        wide = "<f4" if bits == 8 and n > 1 else "<f8"  # those that are read in place are worked out in single precision
        x = (codes.astype(wide) * scale.astype(wide).reshape(to) + bias.astype(wide).reshape(to)).astype("<f4")
        self.want[name] = of(x)
        if bits == 8:
            self.stored[name] = "U8/slice" if n > 1 else "U8/tensor"
        q = field(1, bits) + field(101, field(1, scale.tobytes()) + field(2, bias.tobytes()))
        return field(30, bits_msb(codes, bits)) + field(40, q)

    def table(self, name, shape, bits):
        codes, lut = rng.integers(0, 1 << bits, int(np.prod(shape))), random_array("<f4", (1 << bits,))
        self.want[name] = of(lut[codes].reshape(shape))
        if bits == 8:
            self.stored[name] = "U8/table"
        return field(30, bits_msb(codes, bits)) + field(40, field(1, bits) + field(102, field(1, lut.tobytes())))

    def signed(self, name, shape):
        codes, scale = random_array("i1", shape), np.float32(0.37)
        self.want[name], self.stored[name] = of((codes.astype("<f8") * float(scale)).astype("<f4")), "I8/tensor"
        return field(31, codes.tobytes()) + field(40, field(1, 8) + field(101, field(1, scale.tobytes())))


def coreml_model(kind, message):
    origin = field(1, "a test") + field(2, "1.2") + field(3, "somebody") + field(4, "MIT") + field(100, field(1, "key") + field(2, "value"))
    description = field(1, field(1, "x") + field(3, field(5, field(1, varints([1, 4])) + field(2, 65568)))) + field(100, origin)
    return field(1, 7) + field(2, description) + field(kind, message)


def network(w, prefix=""):
    def layer(name, kind, message):
        return field(1, field(1, name) + field(kind, message))

    conv = field(1, 4) + field(2, 3) + field(20, varints([3, 2]))
    out = layer("c", 100, conv + field(90, w.floats(prefix + "c.weights", (4, 3, 3, 2))) + field(91, w.halves(prefix + "c.bias", (4,))))
    out += layer("c8", 100, conv + field(90, w.linear(prefix + "c8.weights", (4, 3, 3, 2), 8)))
    out += layer("d", 100, field(1, 4) + field(2, 3) + field(10, 2) + field(20, varints([2, 2])) + field(60, 1) +
                 field(90, w.linear(prefix + "d.weights", (3, 2, 2, 2), 8, axis=1)))
    out += layer("ip", 140, field(1, 5) + field(2, 3) + field(20, w.table(prefix + "ip.weights", (3, 5), 4)) + field(21, w.floats(prefix + "ip.bias", (3,))))
    out += layer("ip3", 140, field(1, 5) + field(2, 3) + field(20, w.linear(prefix + "ip3.weights", (3, 5), 3, per_slice=False)))
    out += layer("ip8", 140, field(1, 5) + field(2, 3) + field(20, w.signed(prefix + "ip8.weights", (3, 5))))
    out += layer("ip1", 140, field(1, 5) + field(2, 3) + field(20, w.linear(prefix + "ip1.weights", (3, 5), 8, per_slice=False)))
    out += layer("t8", 140, field(1, 5) + field(2, 3) + field(20, w.table(prefix + "t8.weights", (3, 5), 8)))
    out += layer("ipt", 140, field(1, 300) + field(2, 3) + field(20, w.table(prefix + "ipt.weights", (3, 300), 1)))
    out += layer("bn", 160, field(1, 3) + b"".join(field(n, w.floats(prefix + "bn." + name, (3,))) for n, name in ((15, "gamma"), (16, "beta"), (17, "mean"), (18, "variance"))))
    out += layer("p", 130, field(25, field(1, w.floats(prefix + "p.alpha", (6,)))))
    out += layer("lc", 290, field(1, varints([2, 1, 3])) + field(2, w.floats(prefix + "lc.data", (2, 1, 3))))
    lstm = [(1, "inputGateWeightMatrix", (2, 3)), (20, "inputGateRecursionMatrix", (2, 2)), (40, "inputGateBiasVector", (2,))]
    out += layer("l", 430, field(1, 3) + field(2, 2) + b"".join(
        field(20, b"".join(field(n, w.floats(f"{prefix}l.{side}.{name}", shape)) for n, name, shape in lstm)) for side in ("forward", "backward")))
    x = random_array("<f4", (4, 3))
    w.want[prefix + "mm.weights"] = of(x)
    out += layer("mm", 1045, field(5, 4) + field(6, 3) + field(8, field(1, x.T.tobytes())))
    return out


def coreml_networks():
    w = CoreML()
    body = network(w)
    inner = field(1, field(1, "in") + field(140, field(1, 2) + field(2, 1) + field(20, w.floats("br.ifBranch.in.weights", (1, 2)))))
    body += field(1, field(1, "br") + field(605, field(1, inner)))
    same_as(write("nn.mlmodel", coreml_model(500, body)), w.want, "coreml: a neural network, floats, halves and codes", w.stored)
    w = CoreML()
    one = coreml_model(303, network(w, "first."))
    x = random_array("<f8", (4,))
    w.want["model1.weights.0"], w.want["model1.offset"] = of(x), of(x[:1])
    two = coreml_model(300, field(1, field(1, x.tobytes())) + field(2, x[:1].tobytes()))
    same_as(write("pipe.mlmodel", coreml_model(202, field(1, one) + field(1, two) + field(2, "first"))), w.want, "coreml: a pipeline", w.stored)


# number in the program and in the file of weights, kind in safetensors
MIL = {"F16": (10, 1), "F32": (11, 2), "U8": (31, 3), "I8": (21, 4), "BF16": (13, 5), "I16": (22, 6), "U16": (32, 7),
       "I32": (23, 14), "U32": (33, 15), "F8_E4M3": (40, 16), "F8_E5M2": (41, 17)}


def mil_type(number, shape):
    return field(1, field(1, number) + field(2, len(shape)) + b"".join(field(3, field(1, field(1, d))) for d in shape))


def mil_const(name, number, shape, value):
    attributes = field(5, field(1, "val") + field(2, field(2, mil_type(number, shape)) + value))
    attributes += field(5, field(1, "name") + field(2, field(2, mil_type(2, ())) + field(3, field(1, field(4, field(1, name))))))
    return field(3, field(1, "const") + field(3, field(1, name) + field(2, mil_type(number, shape))) + attributes)


def coreml_program():
    body, want, stored, data, records = b"", {}, {}, b"", []
    for i, (kind, (number, stored_as)) in enumerate(MIL.items()):
        shape = (3 + i, 2)
        raw = rng.integers(0, 256, wf.byte_count(kind, 2 * (3 + i)), np.uint8).tobytes()
        at = 64 + len(data)
        records.append(at)
        data += struct.pack("<IIQQQ", 0xDEADBEEF, stored_as, len(raw), at + 64, 0) + b"\xa5" * 32 + raw + bytes(-len(raw) % 64)
        body += mil_const(f"b_{kind}", number, shape, field(5, field(1, "@model_path/weights/weight.bin") + field(2, at)))
        want[f"b_{kind}"] = (kind, shape, raw)
    for i, (name, number, stored_as, bits, low) in enumerate((("int4", 25, 8, 4, -8), ("uint4", 35, 11, 4, 0), ("uint2", 36, 10, 2, 0),
                                                              ("uint1", 37, 9, 1, 0), ("uint6", 38, 13, 6, 0), ("uint3", 39, 12, 3, 0))):
        x = rng.integers(low, low + (1 << bits), 21)
        lowest_first = np.unpackbits((x & (1 << bits) - 1).astype(np.uint8).reshape(-1, 1), axis=1, bitorder="little")[:, :bits]
        raw = np.packbits(lowest_first.reshape(-1), bitorder="little").tobytes()
        at = 64 + len(data)
        records.append(at)
        data += struct.pack("<IIQQQ", 0xDEADBEEF, stored_as, len(raw), at + 64, len(raw) * 8 - 21 * bits) + bytes(32) + raw + bytes(-len(raw) % 64)
        body += mil_const(f"s_{name}", number, (3, 7), field(5, field(1, "@model_path/weights/weight.bin") + field(2, at)))
        want[f"s_{name}"], stored[f"s_{name}"] = of(x.astype("<f4").reshape(3, 7)), name
    f, ints = random_array("<f4", (2, 2)), np.array([1, -2, 3], "<i4")
    half = random_array("<f2", (3,))
    for name, number, x, immediate in (("f", 11, f, field(1, field(1, f.tobytes()))), ("i", 23, ints, field(2, field(1, varints(ints)))),
                                       ("h", 10, half, field(7, field(1, half.tobytes()))), ("t", 1, np.array(True), field(3, field(1, varints([1]))))):
        body += mil_const(name, number, x.shape, field(3, field(1, immediate)))
        want[name] = of(x)
    value = field(2, mil_type(11, (2, 2))) + field(3, field(1, field(1, field(1, f.tobytes()))))
    body += field(3, field(1, "conv") + field(3, field(1, "y")) + field(2, field(1, "weight") + field(2, field(1, field(2, value)))) +
                  field(2, field(1, "x") + field(2, field(1, field(1, "x")))) + field(5, field(1, "extra") + field(2, value)) +
                  field(4, mil_const("z", 11, (2, 2), value[len(field(2, mil_type(11, (2, 2)))):])))
    want["y.weight"] = want["y.extra"] = want["y.0.z"] = of(f)
    function = field(2, "CoreML7") + field(3, field(1, "CoreML7") + field(2, body))
    model = coreml_model(502, field(1, 1) + field(2, field(1, "main") + field(2, function)))
    package = os.path.join(os.getcwd(), "p.mlpackage")
    write("p.mlpackage/Data/com.apple.CoreML/model.mlmodel", model)
    write("p.mlpackage/Data/com.apple.CoreML/weights/weight.bin", struct.pack("<II", len(records), 2) + bytes(56) + data)
    same_as(package, want, "coreml: a package without a manifest", stored)
    same_as(package + "/Data/com.apple.CoreML/model.mlmodel", want, "coreml: an ML Program by its file", stored)
    write("p.mlpackage/Manifest.json", b'{"fileFormatVersion": "1.0.0", "itemInfoEntries": {"A-B": {"author": "com.apple.CoreML", '
          b'"name": "model.mlmodel", "path": "com.apple.CoreML/model.mlmodel"}}, "rootModelIdentifier": "A-B"}')
    same_as(package, want, "coreml: a package with its manifest", stored)


def drawing(path):
    """The network of TinyDrawingEmbedding: convolutions and one dense layer, all floats."""
    with open(path, "rb") as f:
        model, want = f.read(), {}
    for layer in all_of(get(model, 500), 1):
        name = get(layer, 1).decode()
        conv, dense = get(layer, 100), get(layer, 140)
        for message, parts in ((conv, ((90, "weights"), (91, "bias"))), (dense, ((20, "weights"), (21, "bias")))):
            for n, part in parts if message else ():
                raw = get(message, n, 1)
                numbers_in = {f: v for f, w, v in parse(message) if w == 0}
                first, second = (numbers_in[1], numbers_in[2]) if message is conv else (numbers_in[2], numbers_in[1])
                shape = (first,) if part == "bias" else (first, second, 3, 3) if message is conv else (first, second)
                want[f"{name}.{part}"] = ("F32", shape, raw)
    return want


# Weights of basic-pitch that both exports left as they were: name in Core ML, in ONNX.
BASIC_PITCH = {"conv_1_weight_0": "const_fold_opt__680", "transpose_63": "const_fold_opt__702", "conv_0_weight_0": "const_fold_opt__710",
               "transpose_61": "const_fold_opt__738", "squeeze_0": "const_fold_opt__734", "squeeze_1": "const_fold_opt__655",
               "StatefulPartitionedCall_model_1_cq_t2010v2_1_Neg_weight_0": "const_fold_opt__664"}


def basic_pitch(path):
    """Read from the ONNX file; the convolutions over time have a dimension less in Core ML."""
    graph, want = get(open(path, "rb").read(), 7), {}
    tensors = {get(t, 8).decode(): t for t in all_of(graph, 5)}
    for ours, theirs in BASIC_PITCH.items():
        shape, dims = [], get(tensors[theirs], 1)
        dims = all_of(tensors[theirs], 1) if isinstance(dims, int) else list(dims)
        for d in dims:
            shape.append(d)
        if ours.startswith("squeeze") or "Neg" in ours:
            shape.pop(2)
        x = np.frombuffer(get(tensors[theirs], 9), "<f4")
        want[ours] = ("F32", tuple(shape), (-x if "Neg" in ours else x).tobytes())  # the sign went into the weights
    return want


# Number of a type in a program: kind in safetensors, where an immediate value of it stands, NumPy type of what stands there.
IMMEDIATE = {1: ("BOOL", 3, None), 11: ("F32", 1, "<f4"), 23: ("I32", 2, None)}


def mil(package):
    """The constants of an ML Program's block: immediate numbers, or a blob of the file of weights, whose record says where."""
    folder, want = package + "/Data/com.apple.CoreML/", {}
    with open(folder + "model.mlmodel", "rb") as f, open(folder + "weights/weight.bin", "rb") as g:
        program, blobs = get(f.read(), 502), g.read()
    block = get(program, 2, 2, 3, 2)
    for op in all_of(block, 3):
        if get(op, 1) != b"const":
            continue
        value = next(get(a, 2) for a in all_of(op, 5) if get(a, 1) == b"val")
        of_type = get(value, 2, 1)
        if get(of_type, 1) not in IMMEDIATE:
            continue
        kind, field_of, dtype = IMMEDIATE[get(of_type, 1)]
        shape = tuple(get(d, 1, 1) or 0 for d in all_of(of_type, 3))
        at = get(value, 5, 2)
        if get(value, 5):
            _, _, size, start = struct.unpack_from("<IIQQ", blobs, at)
            raw = blobs[start:start + size]
        elif dtype:
            raw = get(value, 3, 1, field_of, 1)
        else:
            x = [v & 0xFFFFFFFF for v in unpacked(get(value, 3, 1, field_of, 1))]
            raw = np.array(x, "<u4").astype("u1" if kind == "BOOL" else "<u4").tobytes()
        want[get(op, 3, 1).decode()] = (kind, shape, raw)
    return want


def coreml_files():
    coreml_networks()
    coreml_program()
    path = have("coreml/TinyDrawingEmbedding.mlmodel")
    if path:
        same_as(path, drawing(path), "coreml: TinyDrawingEmbedding decoded by hand")
    else:
        check.skip("coreml: TinyDrawingEmbedding", "the shared data are not there")
    for name in ("nmp-2023-09-28", "nmp-2023-10-03"):
        package = have(f"coreml/{name}.mlpackage")
        if package:
            same_as(package, mil(package), f"coreml: {name} decoded by hand")
        else:
            check.skip(f"coreml: {name}", "the shared data are not there")
    package, exported = have("coreml/nmp-2023-09-28.mlpackage"), have("onnx/basic_pitch_nmp.onnx")
    if package and exported:
        same_as(package, basic_pitch(exported), "coreml: basic-pitch against its ONNX export", also=True)
    else:
        check.skip("coreml: basic-pitch", "the shared data are not there")


# What a look at two files must tell: tensors by status. Where all weights are the same, the metadata is not.
PAIRS = (("lc0/maia-1100.pb.gz", "lc0/maia-1900.pb.gz", {"changed": 97, "identical": 8}),
         ("onnx/three_layer_keras-2019.onnx", "onnx/three_layer_keras-2024.onnx", {"identical": 8}),
         ("onnx/silero_vad_16k-v5.onnx", "onnx/silero_vad_16k-v6.2.onnx", {"changed": 14, "identical": 163}),
         ("coreml/nmp-2023-09-28.mlpackage", "coreml/nmp-2023-10-03.mlpackage", {"identical": 295, "added": 7, "removed": 7}))


def pairs():
    for one, two, want in PAIRS:
        a, b = have(one), have(two)
        if not a or not b:
            check.skip(f"{one} and {two}", "the shared data are not there")
            continue
        doc, status, said = check.run("diff", "-o", "json", a, b)
        faults = check.Faults()
        got = {}
        for t in doc["tensors"] if doc else ():
            got[t["status"]] = got.get(t["status"], 0) + 1
        faults.same("tensors by status", got, want)
        faults.same("exit status", status, 1)
        check.ok(not faults, f"{one} and {two}", faults)


def main():
    pairs()
    onnx_files()
    lc0_files()
    caffe_files()
    coreml_files()
    check.end()


if __name__ == "__main__":
    main()
