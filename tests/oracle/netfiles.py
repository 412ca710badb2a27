"""Files of other programs' nets, taken apart without the program under test: name -> (type, shape, bytes). Text goes
through Python's own float, which rounds correctly, and NumPy's cast to float32; where those two roundings could differ
from one, the test would say so."""
import re
import struct

import numpy as np

import check
import weightfiles as wf


def same_as(path, tensors, label, options=(), said_too=""):
    """Every tensor of the file is identical, in type, shape and bytes, to what another reader found: told by the program
    under test, comparing the file with a file of those. said_too: trouble that it is to tell besides."""
    blocks = any(t[0] in wf.BLOCKS for t in tensors.values())
    other = "expected.gguf" if blocks else "expected.safetensors"
    (wf.write_gguf if blocks else wf.write_safetensors)(other, tensors)
    doc, status, said = check.run("diff", "-o", "json", *options, path, other)
    if doc is None:
        check.ok(False, label, [f"exit status {status}: {said}"])
        return
    got = {t["a"] if t["a"] is not None else t["b"]: t["status"] for t in doc["tensors"]}
    faults = [f"{n} is {got.get(n)}" for n in tensors if got.get(n) != "identical"]
    faults += [f"{n} is not expected" for n in got if n not in tensors]
    if said_too not in said or (not said_too and said):
        faults.append(f"said {said}, want {said_too}")
    check.ok(not faults, label, faults)


def f32(x, shape=None):
    x = np.asarray(x, "<f4")
    return ("F32", tuple(shape if shape is not None else x.shape), x.tobytes())


def ints(kind, x, shape=None):
    x = np.asarray(x, {"I8": "<i1", "I16": "<i2", "I32": "<i4"}[kind])
    return (kind, tuple(shape if shape is not None else x.shape), x.tobytes())


# ---- Leela Zero, Lc0's text ----

def leela(text):
    lines = [np.array([float(w) for w in line.split()]) for line in text.decode().splitlines()]
    assert len(lines[0]) == 1 and lines[0][0] in (1, 2)
    lines = lines[1:]
    blocks, rest = divmod(len(lines) - 18, 8)
    assert rest == 0
    f = len(lines[1])
    planes, heads = len(lines[0]) // (9 * f), lines[4 + 8 * blocks:]
    moves, p, v, h = len(heads[5]), len(heads[1]), len(heads[7]), len(heads[11])
    squares = len(heads[4]) // moves // p
    chess = planes in (112, 120)
    conv = ("weights", "biases", "bn_means", "bn_stddivs") if chess else ("weight", "bias", "bn_mean", "bn_var")
    shapes = [(f, planes, 3, 3), (f,), (f,), (f,)] + [(f, f, 3, 3), (f,), (f,), (f,)] * (2 * blocks)
    shapes += [(p, f, 1, 1), (p,), (p,), (p,), (moves, p * squares), (moves,), (v, f, 1, 1), (v,), (v,), (v,),
               (h, v * squares), (h,), (len(heads[13]), h), (len(heads[13]),)]
    names = ["input." + ("" if chess else "conv.") + c for c in conv]
    names += [f"residual.{i}.conv{k}.{c}" for i in range(blocks) for k in (1, 2) for c in conv]
    if chess:
        names += ["policy." + c for c in conv] + ["ip_pol_w", "ip_pol_b"] + ["value." + c for c in conv]
        names += ["ip1_val_w", "ip1_val_b", "ip2_val_w", "ip2_val_b"]
    else:
        names += ["policy.conv." + c for c in conv] + ["policy.ip_w", "policy.ip_b"]
        names += ["value.conv." + c for c in conv] + ["value.ip1_w", "value.ip1_b", "value.ip2_w", "value.ip2_b"]
    return {n: f32(x, s) for n, s, x in zip(names, shapes, lines)}


# ---- KataGo ----

class Katago:
    """Reads word by word; floats are words too, or follow @BIN@."""

    def __init__(self, raw):
        self.raw, self.at, self.out = raw, 0, {}

    def word(self):
        m = re.compile(rb"\s*(\S+)").match(self.raw, self.at)
        self.at = m.end()
        return m.group(1).decode()

    def ints(self, n):
        return [int(self.word()) for _ in range(n)]

    def floats(self, layer, what, shape):
        n = int(np.prod(shape))
        m = re.compile(rb"\s*@BIN@").match(self.raw, self.at)
        if m:
            x = np.frombuffer(self.raw, "<f4", n, m.end())
            self.at = m.end() + 4 * n
        else:
            x = np.array([float(self.word()) for _ in range(n)])
        self.out[layer + (".", "/")["." not in layer] + what] = f32(x, shape)

    def layer(self, kind):
        name = self.word()
        if kind == "C":
            y, x, i, o, _, _ = self.ints(6)
            self.floats(name, "weight", (y, x, i, o))
        elif kind == "B":
            c, _, scale, bias = int(self.word()), self.word(), int(self.word()), int(self.word())
            for what in ["mean", "variance"] + ["scale"] * scale + ["bias"] * bias:
                self.floats(name, what, (c,))
        elif kind == "A" and self.version >= 11:
            assert self.word().startswith("ACTIVATION_")
        elif kind == "M":
            self.floats(name, "weight", tuple(self.ints(2)))
        elif kind == "V":
            self.floats(name, "bias", tuple(self.ints(1)))
        elif kind == "T":
            c, _ = int(self.word()), self.word()
            self.floats(name, "weight", (c,))
        elif kind == "R":
            c, _, _, zero = int(self.word()), self.word(), self.word(), self.word()
            assert zero == "0"
            self.floats(name, "weight", (c,))
            self.floats(name, "bias", (c,))

    def layers(self, kinds):
        for kind in kinds:
            self.layer(kind)

    def block(self):
        kind, _ = self.word(), self.word()
        if kind == "nested_bottleneck_block":
            n, = self.ints(1)
            self.layers("BAC")
            for _ in range(n):
                self.block()
            self.layers("BAC")
        elif kind == "transformer_attention_block":
            *_, rope, learned = self.ints(6)
            self.layers("TMMMM")
            if rope:
                name = self.word()
                if learned:
                    self.floats(name, "freqs", tuple(self.ints(3)))
                else:
                    self.word()
        elif kind == "transformer_ffn_block":
            _, _, gate = self.ints(3)
            self.layers("TMMM" if gate else "TMM")
        else:
            self.layers({"ordinary_block": "BACBAC", "dilated_block": "BACCBAC", "gpool_block": "BACCBAMBAC"}[kind])

    def net(self):
        _, self.version = self.word(), int(self.word())
        v, encoder, rms = self.version, 0, 0
        self.ints(3 if v < 3 else 2)
        for _ in range(7 if v >= 13 else 0):
            self.word()
        if v >= 15:
            encoder = self.ints(8)[0]
        _, n = self.word(), int(self.word())
        self.ints(5)
        if v >= 15:
            rms = self.ints(6)[0]
        self.layers("C" if v < 3 else "CM")
        if encoder:
            self.word(), self.word()
            self.layers("MVAMVAM")
        for _ in range(n):
            self.block()
        self.layers("RA" if rms else "BA")
        self.word()
        self.ints(4 if v >= 17 else 0)
        self.layers("CCBAMBACM" + ("VAM" if v >= 15 else ""))
        self.word()
        self.ints(3 if v >= 17 else 0)
        self.layers("CBAMVAMV" + ("MVC" if v >= 3 else ""))
        assert not self.raw[self.at:].strip()
        return self.out


def katago(raw):
    return Katago(raw).net()


# ---- Stockfish ----

def leb128(raw):
    """Signed: 7 bits a byte, low ones first; bit 6 of the last byte is the sign."""
    out, x, shift = [], 0, 0
    for b in raw:
        x |= (b & 0x7F) << shift
        shift += 7
        if b < 0x80:
            out.append(x - (1 << shift) if b & 0x40 else x)
            x, shift = 0, 0
    assert shift == 0
    return np.array(out, np.int64)


def nnue(raw, rows, layers, stacks=8, order=("bias", "weight", "psqt")):
    """rows: of each array; layers: (out, in) of each; order: the arrays, a pair for two in one block."""
    version, whole, n = struct.unpack_from("<III", raw)
    ft, = struct.unpack_from("<I", raw, 12 + n)
    at, out, width = 16 + n, {}, {"bias": "<i2", "weight": "<i2", "threat.weight": "<i1", "pair.weight": "<i1"}
    for names in order:
        names = names if isinstance(names, tuple) else (names,)
        kind = width.get(names[-1], "<i4")
        count = sum(int(np.prod(rows[x])) for x in names)
        if raw[at:at + 17] == b"COMPRESSED_LEB128":
            size, = struct.unpack_from("<I", raw, at + 17)
            x = leb128(raw[at + 21:at + 21 + size]).astype(kind)
            at += 21 + size
        else:
            x = np.frombuffer(raw, kind, count, at)
            at += x.nbytes
        assert len(x) == count
        for name in names:
            k = int(np.prod(rows[name]))
            out["ft." + name] = ints({1: "I8", 2: "I16", 4: "I32"}[x.itemsize], x[:k], rows[name])
            x = x[k:]
    for k in range(stacks):
        assert struct.unpack_from("<I", raw, at)[0] == whole ^ ft
        at += 4
        for i, (o, n_in) in enumerate(layers):
            pad = -(-n_in // 32) * 32
            out[f"stack.{k}.fc_{i}.bias"] = ints("I32", np.frombuffer(raw, "<i4", o, at))
            at += 4 * o
            out[f"stack.{k}.fc_{i}.weight"] = ints("I8", np.frombuffer(raw, "<i1", o * pad, at).reshape(o, pad)[:, :n_in])
            at += o * pad
    assert at == len(raw)
    return out


# ---- ggml before GGUF ----

def ggml_records(raw, at, align=1, kinds={0: ("F32", 4), 1: ("F16", 2)}, typed=True):
    out = {}
    while at < len(raw):
        rank, length = struct.unpack_from("<II", raw, at)
        at += 8
        kind = struct.unpack_from("<I", raw, at)[0] if typed else 0
        at += 4 if typed else 0
        dims = struct.unpack_from(f"<{rank}I", raw, at)
        at += 4 * rank
        name = raw[at:at + length].decode()
        at = -(-(at + length) // align) * align
        n = int(np.prod(dims, dtype=object))
        size = n * kinds[kind][1] if isinstance(kinds[kind][1], int) else n // kinds[kind][1][0] * kinds[kind][1][1]
        out[name] = (kinds[kind][0], dims[::-1], raw[at:at + size])
        at += size
    return out


def ggml_silero(raw):
    n, = struct.unpack_from("<I", raw, 4)
    layers, = struct.unpack_from("<I", raw, 8 + n + 20)
    return ggml_records(raw, 8 + n + 24 + 12 * layers + 16)


def tokens(raw, at, n):
    for _ in range(n):
        at += 4 + struct.unpack_from("<I", raw, at)[0]
    return at


def ggml_parakeet(raw):
    h = struct.unpack_from("<15I", raw, 4)
    rows, columns = struct.unpack_from("<II", raw, 64)
    at = 72 + 4 * rows * columns
    out = {"preprocessor.featurizer.fb": ("F32", (rows, columns), raw[72:at])}
    n, = struct.unpack_from("<I", raw, at)
    out["preprocessor.featurizer.window"] = ("F32", (n,), raw[at + 4:at + 4 + 4 * n])
    at += 4 + 4 * n + 4 * h[13]
    at = tokens(raw, at + 4, struct.unpack_from("<I", raw, at)[0])
    out.update(ggml_records(raw, at))
    return out


# ---- MXNet, of the oldest kind ----

def mxnet_v0(raw):
    magic, _, n = struct.unpack_from("<QQQ", raw)
    assert magic == 0x112
    at, arrays, out = 24, [], {}
    for _ in range(n):
        rank, = struct.unpack_from("<I", raw, at)
        dims = struct.unpack_from(f"<{rank}I", raw, at + 4)
        at += 4 + 4 * rank
        assert struct.unpack_from("<III", raw, at)[2] == 0
        size = 4 * int(np.prod(dims))
        arrays.append(("F32", dims, raw[at + 12:at + 12 + size]))
        at += 12 + size
    assert struct.unpack_from("<Q", raw, at)[0] == n
    at += 8
    for a in arrays:
        length, = struct.unpack_from("<Q", raw, at)
        out[raw[at + 8:at + 8 + length].decode()] = a
        at += 8 + length
    assert at == len(raw)
    return out


# ---- Darknet, convolutions only ----

def darknet_sections(text):
    sections = []
    for line in text.splitlines():
        line = "".join(line.split())
        if line.startswith("["):
            sections.append((line[1:-1], {}))
        elif line and line[0] not in "#;":
            key, value = line.split("=")
            sections[-1][1].setdefault(key, value)
    return sections


def darknet(raw, text):
    sections = darknet_sections(text)
    assert struct.unpack_from("<III", raw) == (0, 2, 5)
    at, out, channels, c = 20, {}, [], int(sections[0][1]["channels"])
    for i, (kind, o) in enumerate(sections[1:]):
        if kind == "convolutional":
            n, k, groups = int(o["filters"]), int(o["size"]), int(o.get("groups", 1))
            parts = [("biases", (n,))]
            if o.get("batch_normalize") == "1":
                parts += [("scales", (n,)), ("rolling_mean", (n,)), ("rolling_variance", (n,))]
            for name, shape in parts + [("weights", (n, c // groups, k, k))]:
                size = 4 * int(np.prod(shape))
                out[f"layers.{i}.{name}"] = ("F32", shape, raw[at:at + size])
                at += size
            c = n
        elif kind == "route":
            named = [int(x) for x in o["layers"].split(",")]
            c = sum(channels[x if x >= 0 else i + x] for x in named)
        channels.append(c)
    assert at == len(raw)
    return out


# ---- ncnn, convolutions only ----

def ncnn(raw, text):
    at, out = 0, {}
    for line in text.splitlines()[2:]:
        words = line.split()
        if not words or not words[0].startswith("Convolution"):
            continue
        v = dict(w.split("=") for w in words[4 + int(words[2]) + int(words[3]):])
        n, k, total = int(v["0"]), int(v["1"]), int(v["6"])
        assert struct.unpack_from("<I", raw, at)[0] == 0x01306B47
        out[words[1] + ".weight"] = ("F16", (n, total // n // k // k, k, k), raw[at + 4:at + 4 + 2 * total])
        at += 4 + -(-2 * total // 4) * 4
        if v.get("5") == "1":
            out[words[1] + ".bias"] = ("F32", (n,), raw[at:at + 4 * n])
            at += 4 * n
    assert at == len(raw)
    return out


# ---- dlib: the gender classifier ----

class Dlib:
    def __init__(self, raw):
        self.raw, self.at, self.out, self.seen = raw, 0, {}, {}

    def int(self):
        n = self.raw[self.at] & 15
        x = int.from_bytes(self.raw[self.at + 1:self.at + 1 + n], "little")
        negative = self.raw[self.at] & 128
        self.at += 1 + n
        return -x if negative else x

    def text(self):
        n = self.int()
        self.at += n
        return self.raw[self.at - n:self.at].decode()

    def float(self):
        return self.int() * 2.0 ** self.int()

    def tensor(self):
        assert self.int() == 2
        d = [self.int() for _ in range(4)]
        n = int(np.prod(d))
        self.at += 4 * n
        return np.frombuffer(self.raw, "<f4", n, self.at - 4 * n).reshape(d)

    def alias(self):
        assert self.int() == 1
        return [self.int() for _ in range(4)]

    def keep(self, layer, what, x):
        x = x if what == "filters" else x.reshape([d for d in x.shape if d != 1] or [1])
        if x.size:
            self.out[f"{layer}.{what}"] = f32(x)

    def layer(self):
        tag = self.text()
        kind = re.sub(r"_?\d*$", "", tag)
        self.seen[kind] = self.seen.get(kind, 0) + 1
        name = f"{kind}{self.seen[kind]}"
        if kind == "fc":
            self.int(), self.int()
        if kind in ("con", "fc", "bn_con"):
            params, parts = self.tensor().reshape(-1), []
            if kind == "con":
                [self.int() for _ in range(7)]
            first, second = {"con": ("filters", "biases"), "fc": ("weights", "biases"), "bn_con": ("gamma", "beta")}[kind]
            a, b = self.alias(), self.alias()
            n = int(np.prod(a))
            self.keep(name, first, params[:n].reshape(a))
            self.keep(name, second, params[n:].reshape(b))
        if kind == "bn_con":
            for what in ("means", "invstds", "running_means", "running_variances"):
                self.keep(name, what, self.tensor())
            self.int(), self.int()
        elif kind == "fc":
            self.int()
        elif kind == "avg_pool":
            [self.int() for _ in range(6)]
        elif kind == "dropout":
            self.float(), self.tensor()
        for _ in range({"con": 4, "fc": 4, "bn_con": 5}.get(kind, 0)):
            self.float()
        assert all(self.raw[self.at + i] in b"01" for i in range(3))
        self.at += 3
        for _ in range(3):
            assert self.tensor().size == 0

    def net(self):
        assert (self.int(), self.text()) == (1, "loss_multiclass_log_")
        while self.int() != 3:
            pass
        assert self.text() == "input_rgb_image_sized"
        [self.float() for _ in range(3)], self.int(), self.int()
        self.layer()
        self.int()
        while self.at < len(self.raw):
            self.layer()
        return self.out


def dlib(raw):
    return Dlib(raw).net()


# ---- GNU Backgammon, RNNoise ----

def gnubg(text):
    words, out, at = text.decode().split(), {}, 3
    for net in ("nnContact", "nnRace", "nnCrashed", "nnpContact", "nnpCrashed", "nnpRace"):
        i, h, o = (int(x) for x in words[at:at + 3])
        at += 6
        for name, shape in (("arHiddenWeight", (i, h)), ("arOutputWeight", (o, h)), ("arHiddenThreshold", (h,)),
                            ("arOutputThreshold", (o,))):
            n = int(np.prod(shape))
            out[f"{net}.{name}"] = f32([float(x) for x in words[at:at + n]], shape)
            at += n
    assert at == len(words)
    return out


def rnnoise(text):
    words, out, at = text.decode().split(), {}, 5
    assert words[:5] == "rnnoise-nu model file version 1".split()
    for layer in ("input_dense", "vad_gru", "noise_gru", "denoise_gru", "denoise_output", "vad_output"):
        i, n, _ = (int(x) for x in words[at:at + 3])
        at += 3
        gru = layer.endswith("gru")
        parts = [("input_weights", (i, 3 * n)), ("recurrent_weights", (n, 3 * n)), ("bias", (3 * n,))] if gru else \
            [("input_weights", (i, n)), ("bias", (n,))]
        for name, shape in parts:
            k = int(np.prod(shape))
            out[f"{layer}.{name}"] = ints("I8", [int(x) for x in words[at:at + k]], shape)
            at += k
    assert at == len(words)
    return out
