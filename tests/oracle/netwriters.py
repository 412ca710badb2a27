"""Small nets of many kinds, written by the layouts of their formats: each function gives the file's bytes (or files' by
ending) and its tensors, name -> (type, shape, bytes). Values repeat the bits of a counter, so that no generator of random
numbers is needed."""
import struct

import numpy as np

from netfiles import f32, ints

counter = 0


def numbers(*shape):
    """Multiples of 2^-12 between -4 and 4: exact as floats and as decimals."""
    global counter
    n = int(np.prod(shape, dtype=object)) if shape else 1
    k = (np.arange(counter, counter + n, dtype=np.int64) * 7919 + 12345) % 32768 - 16384
    counter += n
    return (k / 4096).astype("<f4").reshape(shape)


def whole(kind, *shape):
    low, high = {"I8": (-128, 127), "I16": (-32768, 32767), "I32": (-2 ** 31, 2 ** 31 - 1)}[kind]
    x = (numbers(*shape).astype(np.float64) + 4) / 8
    return np.round(low + x * (high - low)).astype({"I8": "<i1", "I16": "<i2", "I32": "<i4"}[kind])


def decimals(x):
    return " ".join(repr(float(v)) for v in np.asarray(x).reshape(-1))


# ---- Leela Zero and Lc0's text ----

def leela(version=1, blocks=2, filters=3, planes=18, board=9, moves=None, policy=2, value=1, hidden=5):
    chess, squares = planes in (112, 120), board * board
    moves = moves or squares + 1
    conv = ("weights", "biases", "bn_means", "bn_stddivs") if chess else ("weight", "bias", "bn_mean", "bn_var")
    head = ("policy.", "value.") if chess else ("policy.conv.", "value.conv.")
    named = ("ip_pol_w", "ip_pol_b", "ip1_val_w", "ip1_val_b", "ip2_val_w", "ip2_val_b") if chess else \
        ("policy.ip_w", "policy.ip_b", "value.ip1_w", "value.ip1_b", "value.ip2_w", "value.ip2_b")
    out = {}

    def convolution(prefix, n, c, k):
        for what, shape in zip(conv, ((n, c, k, k), (n,), (n,), (n,))):
            out[prefix + what] = numbers(*shape)

    convolution("input." if chess else "input.conv.", filters, planes, 3)
    for b in range(blocks):
        for k in (1, 2):
            convolution(f"residual.{b}.conv{k}.", filters, filters, 3)
    convolution(head[0], policy, filters, 1)
    out[named[0]], out[named[1]] = numbers(moves, policy * squares), numbers(moves)
    convolution(head[1], value, filters, 1)
    for name, shape in zip(named[2:], ((hidden, value * squares), (hidden,), (1, hidden), (1,))):
        out[name] = numbers(*shape)
    text = f"{version}\n" + "\n".join(decimals(x) for x in out.values())
    return text.encode(), {n: f32(x) for n, x in out.items()}


# ---- KataGo ----

class Katago:
    def __init__(self, version, binary):
        self.version, self.binary, self.out, self.raw, self.n = version, binary, {}, b"", 0

    def words(self, *words):
        self.raw += "".join(f"{w}\n" for w in words).encode()

    def name(self, kind):
        self.n += 1
        return f"model.{kind}{self.n}" if self.version >= 11 else f"r{self.n}/{kind}"

    def floats(self, layer, what, *shape):
        x = numbers(*shape)
        self.raw += b"@BIN@" + x.tobytes() + b"\n" if self.binary else (decimals(x) + "\n").encode()
        self.out[layer + (".", "/")["." not in layer] + what] = f32(x)

    def C(self, i, o, k=3):
        name = self.name("conv")
        self.words(name, k, k, i, o, 1, 1)
        self.floats(name, "weight", k, k, i, o)

    def B(self, c, scale=1, bias=1):
        name = self.name("norm")
        self.words(name, c, 0.001, scale, bias)
        for what in ["mean", "variance"] + ["scale"] * scale + ["bias"] * bias:
            self.floats(name, what, c)

    def A(self, kind="ACTIVATION_MISH"):
        self.words(self.name("act"))
        if self.version >= 11:
            self.words(kind)

    def M(self, i, o):
        name = self.name("linear")
        self.words(name, i, o)
        self.floats(name, "weight", i, o)

    def V(self, c):
        name = self.name("b")
        self.words(name, c)
        self.floats(name, "bias", c)

    def T(self, c):
        name = self.name("norm")
        self.words(name, c, 1e-06)
        self.floats(name, "weight", c)

    def block(self, kind, c=4):
        self.words(kind, self.name(kind))
        if kind == "nested_bottleneck_block":
            self.words(2)
            self.B(c), self.A(), self.C(c, 2, 1)
            self.block("ordinary_block", 2), self.block("gpool_block", 2)
            self.B(2), self.A("ACTIVATION_IDENTITY"), self.C(2, c, 1)
        elif kind == "transformer_attention_block":
            self.words(2, 1, 4, 3, 1, self.n % 2)
            self.T(c), self.M(c, 8), self.M(c, 4), self.M(c, 3), self.M(6, c)
            name = self.name("rope")
            if self.raw.split(b"\n").count(name.encode()):
                raise AssertionError
            self.rope(name)
        elif kind == "transformer_ffn_block":
            self.words(c, 6, 1)
            self.T(c), self.M(c, 6), self.M(c, 6), self.M(6, c)
        else:
            self.B(c, 0), self.A("ACTIVATION_RELU"), self.C(c, 3)
            if kind == "gpool_block":
                self.C(c, 2), self.B(2), self.A(), self.M(6, 3)
            elif kind == "dilated_block":
                self.C(c, 2)
            self.B(3 + 2 * (kind == "dilated_block"), 1, 0), self.A(), self.C(3 + 2 * (kind == "dilated_block"), c)

    def rope(self, name):
        self.words(name)
        if self.learned:
            self.words(1, 2, 2)
            self.floats(name, "freqs", 1, 2, 2)
        else:
            self.words(100.0)

    def attention(self, learned, c=4):
        self.learned = learned
        self.words("transformer_attention_block", self.name("attention"), 2, 1, 4, 3, 1, int(learned))
        self.T(c), self.M(c, 8), self.M(c, 4), self.M(c, 3), self.M(6, c)
        self.rope(self.name("rope"))


def katago(version, binary, kinds=("ordinary_block", "gpool_block"), encoder=0, rms=0, attention=()):
    k = Katago(version, binary)
    k.words("b2c4-test", version, *((9, 9, 5) if version < 3 else (5, 3)))
    if version >= 13:
        k.words(20.0, 20.0, 20.0, 20.0, 40.0, 0.25, 150.0)
    if version >= 15:
        k.words(encoder, 0, *[0] * 6)
    k.words("trunk", len(kinds) + len(attention), 4, 3, 3, 1, 2)
    if version >= 15:
        k.words(rms, *[0] * 5)
    k.C(5, 4, 5)
    if version >= 3:
        k.M(3, 4)
    if encoder:
        k.words("metaencoder", 7)
        k.M(7, 4), k.V(4), k.A(), k.M(4, 4), k.V(4), k.A(), k.M(4, 4)
    for kind in kinds:
        k.block(kind)
    for learned in attention:
        k.attention(learned)
    if rms:
        name = k.name("norm")
        k.words(name, 4, 1e-06, 1, 0)
        k.floats(name, "weight", 4), k.floats(name, "bias", 4)
    else:
        k.B(4)
    k.A()
    k.words("policyhead", *((2, 0, 0, 0) if version >= 17 else ()))
    k.C(4, 2, 1), k.C(4, 2, 1), k.B(2), k.A(), k.M(6, 2), k.B(2), k.A(), k.C(2, 1, 1), k.M(6, 2)
    if version >= 15:
        k.V(2), k.A(), k.M(2, 1)
    k.words("valuehead", *((0, 0, 0) if version >= 17 else ()))
    k.C(4, 2, 1), k.B(2), k.A(), k.M(6, 3), k.V(3), k.A(), k.M(3, 3), k.V(3)
    if version >= 3:
        k.M(3, 6), k.V(6), k.C(2, 1, 1)
    return k.raw, k.out


# ---- Stockfish ----

def leb(values):
    out = bytearray()
    for v in np.asarray(values).reshape(-1).tolist():
        while True:
            b, v = v & 0x7F, v >> 7
            if v == (-1 if b & 0x40 else 0):
                out.append(b)
                break
            out.append(b | 0x80)
    return b"COMPRESSED_LEB128" + struct.pack("<I", len(out)) + bytes(out)


def rotl(x):
    return (x << 1 | x >> 31) & 0xFFFFFFFF


def nnue(version, feature, l1, arrays, layers, stacks=8, description=b"a net of the tests"):
    """arrays: (name, type, rows, coded), names joined by + stand in one block."""
    h = 0xEC42E90D ^ 2 * l1
    for i, (o, _) in enumerate(layers):
        h = ((0xCC03DAE4 + o) & 0xFFFFFFFF) ^ h >> 1 ^ (h << 31 & 0xFFFFFFFF)
        h = (h + 0x538D24C7) & 0xFFFFFFFF if i < 2 else h
    ft, out = feature ^ 2 * l1, {}
    raw = struct.pack("<III", version, ft ^ h, len(description)) + description + struct.pack("<I", ft)
    for names, kind, rows, coded in arrays:
        block = []
        for name, n in zip(names.split("+"), rows):
            shape = (l1,) if name == "bias" else (n, 8 if name.endswith("psqt") else l1)
            x = whole(kind, *shape)
            out["ft." + name] = ints(kind, x)
            block.append(x.reshape(-1))
        block = np.concatenate(block)
        raw += leb(block) if coded else block.tobytes()
    for k in range(stacks):
        raw += struct.pack("<I", h)
        for i, (o, n) in enumerate(layers):
            b, w = whole("I32", o), whole("I8", o, n)
            padded = np.zeros((o, -(-n // 32) * 32), "<i1")
            padded[:, :n] = w
            out[f"stack.{k}.fc_{i}.bias"], out[f"stack.{k}.fc_{i}.weight"] = ints("I32", b), ints("I8", w)
            raw += b.tobytes() + padded.tobytes()
    return raw, out


def nnue_small(coded=True):
    # 22528 rows are what the set has; a file with fewer is read as well
    return nnue(0x7AF32F20, 0x7F234CB8, 32, (("bias", "I16", (0,), coded), ("weight", "I16", (40,), coded),
                                            ("psqt", "I32", (40,), coded)), ((16, 32), (32, 30), (1, 32)))


THREATS = 0x8F234CB8
NNUE = {
    "release 12": lambda: nnue(0x7AF32F16, 0x5D69D5B8, 16, (("bias", "I16", (0,), 0), ("weight", "I16", (77,), 0)),
                               ((32, 32), (32, 32), (1, 32)), stacks=1),
    "release 14": lambda: nnue(0x7AF32F20, 0x5F234CB8, 32, (("bias", "I16", (0,), 0), ("weight", "I16", (50,), 0),
                                                           ("psqt", "I32", (50,), 0)), ((16, 64), (32, 16), (1, 32))),
    "release 14.1": lambda: nnue(0x7AF32F20, 0x7F234CB8, 32, (("bias", "I16", (0,), 0), ("weight", "I16", (50,), 0),
                                                             ("psqt", "I32", (50,), 0)), ((8, 64), (32, 8), (1, 32))),
    "release 15": lambda: nnue(0x7AF32F20, 0x7F234CB8, 32, (("bias", "I16", (0,), 0), ("weight", "I16", (50,), 0),
                                                           ("psqt", "I32", (50,), 0)), ((16, 32), (32, 15), (1, 32))),
    "release 16": nnue_small,
    "threats in one block": lambda: nnue(0x7AF32F20, THREATS, 32, (("bias", "I16", (0,), 1),
        ("threat.weight+weight", "I16", (300, 22528), 1), ("threat.psqt+psqt", "I32", (300, 22528), 1)),
        ((16, 32), (32, 30), (1, 32))),
    "release 18": lambda: nnue(0x7AF32F20, THREATS, 32, (("bias", "I16", (0,), 1), ("threat.weight", "I8", (60144,), 0),
        ("weight", "I16", (60,), 1), ("threat.psqt+psqt", "I32", (60144, 60), 1)), ((32, 32), (32, 62), (1, 32))),
    "May 2026": lambda: nnue(0x6A448AFA, rotl(THREATS) ^ 0x7F234CB8, 32, (("bias", "I16", (0,), 1),
        ("threat.weight", "I8", (60720,), 0), ("threat.psqt", "I32", (60720,), 1), ("weight", "I16", (60,), 1),
        ("psqt", "I32", (60,), 1)), ((32, 32), (32, 64), (1, 128))),
    "pairs": lambda: nnue(0x6A448AFA, rotl(rotl(0x2E6B9D04) ^ 0x86F2B1DD) ^ 0x7F234CB8, 32, (("bias", "I16", (0,), 1),
        ("threat.weight", "I8", (59808,), 0), ("threat.psqt", "I32", (59808,), 1), ("pair.weight", "I8", (4560,), 0),
        ("pair.psqt", "I32", (4560,), 1), ("weight", "I16", (60,), 1), ("psqt", "I32", (60,), 1)),
        ((32, 32), (32, 64), (1, 128))),
}


# ---- ggml before GGUF ----

def ggml_record(name, kind, shape, raw, at=0, align=1, typed=True):
    out = struct.pack("<II", len(shape), len(name)) + (struct.pack("<I", kind) if typed else b"")
    out += struct.pack(f"<{len(shape)}I", *shape[::-1]) + name.encode()
    return out + bytes(-(at + len(out)) % align) + raw


def ggml(head, tensors, align=1, typed=True):
    """tensors: name -> (number of the type, type, shape, bytes)"""
    raw = head
    for name, (number, _, shape, data) in tensors.items():
        raw += ggml_record(name, number, shape, data, len(raw), align, typed)
    return raw, {n: t[1:] for n, t in tensors.items()}


def two_tensors(extra=()):
    w, b = numbers(4, 32), numbers(4)
    half = w.astype("<f2")
    out = {"blk.0.weight": (1, "F16", (4, 32), half.tobytes()), "blk.0.bias": (0, "F32", (4,), b.tobytes())}
    out.update(extra)
    return out


def texts(n, scored=False):
    return b"".join(struct.pack("<I", i % 5) + b"abcd"[:i % 5] + (struct.pack("<f", i) if scored else b"") for i in range(n))


def ggml_whisper(ftype=1, extra=()):
    head = struct.pack("<12I", 0x67676D6C, 7, 10, 4, 2, 1, 10, 4, 2, 1, 3, ftype) + struct.pack("<II", 3, 5)
    filters = numbers(3, 5)
    raw, out = ggml(head + filters.tobytes() + struct.pack("<I", 6) + texts(6), two_tensors(extra))
    return raw, {"mel_filters": f32(filters), **out}


def q4_0_block():
    return np.float16(0.5).tobytes() + bytes(range(16))


GGML = {
    "whisper": ggml_whisper,
    "whisper, Q4_0 of today": lambda: ggml_whisper(2002, {"q": (2, "Q4_0", (2, 32), 2 * q4_0_block())}),
    "llama ggml": lambda: ggml(struct.pack("<8I", 0x67676D6C, 9, 4, 256, 2, 1, 2, 1) + texts(9), two_tensors()),
    "llama ggmf": lambda: ggml(struct.pack("<9I", 0x67676D66, 1, 9, 4, 256, 2, 1, 2, 1) + texts(9, True), two_tensors()),
    "llama ggjt 1": lambda: ggml(struct.pack("<9I", 0x67676A74, 1, 9, 4, 256, 2, 1, 2, 1) + texts(9, True), two_tensors(), 32),
    "llama ggjt 3": lambda: ggml(struct.pack("<9I", 0x67676A74, 3, 9, 4, 256, 2, 1, 2, 2) + texts(9, True),
                                 two_tensors({"q": (2, "Q4_0", (2, 64), 4 * q4_0_block())}), 32),
    "LoRA": lambda: ggml(struct.pack("<4I", 0x67676C61, 1, 8, 16), two_tensors(), 32),
    "rwkv": lambda: ggml(struct.pack("<6I", 0x67676D66, 101, 9, 4, 1, 0), two_tensors({"q": (9, "Q8_0", (32,), bytes(34))})),
    "gpt-2": lambda: ggml(struct.pack("<8I", 0x67676D6C, 6, 8, 4, 2, 1, 1, 6) + texts(6), two_tensors()),
    "gpt-j": lambda: ggml(struct.pack("<9I", 0x67676D6C, 6, 8, 4, 2, 1, 2, 1, 6) + texts(6), two_tensors()),
    "gpt-neox": lambda: ggml(struct.pack("<9I", 0x67676D6C, 6, 8, 4, 2, 1, 2, 1, 1) + texts(6), two_tensors()),
    "mpt": lambda: ggml(struct.pack("<6IffI", 0x67676D6C, 4, 8, 2, 1, 6, 8.0, 0.0, 1) + texts(6), two_tensors()),
    "replit": lambda: ggml(struct.pack("<7I", 0x67676D6C, 4, 8, 2, 1, 6, 1) + texts(6, True), two_tensors()),
    "sam": lambda: ggml(struct.pack("<7I", 0x67676D6C, 4, 1, 2, 4, 4, 1), two_tensors()),
    "speaker": lambda: ggml(struct.pack("<II", 0x67676D6C, 6) + b"spkrec" + struct.pack("<6I", 1, 0, 0, 192, 512, 1),
                            {"w": (0, *f32(numbers(3, 2)))}, typed=False),
}


# ---- MXNet ----

def mxnet_array(version, x, number, storage=0):
    dims = x.shape
    rank = struct.pack("<I", len(dims))
    if version == 0:
        head = rank + struct.pack(f"<{len(dims)}I", *dims)
    else:
        head = struct.pack("<I", 0xF993FAC7 + version) + (struct.pack("<I", storage) if version >= 2 else b"")
        head += rank + struct.pack(f"<{len(dims)}q", *dims)
    return head + struct.pack("<III", 1, 0, number) + x.tobytes()


def mxnet(version):
    arrays = {"arg:w": (0, numbers(2, 3)), "arg:h": (2, numbers(5).astype("<f2")), "aux:d": (1, numbers(2, 1, 2).astype("<f8")),
              "i": (4, whole("I32", 3)), "l": (6, np.array([2 ** 40, -1], "<i8")), "b": (5, whole("I8", 4)), "u": (3, np.arange(3, dtype="u1"))}
    if version == 3:
        arrays["scalar"] = (0, numbers())
    raw = struct.pack("<QQQ", 0x112, 0, len(arrays)) + b"".join(mxnet_array(version, x, n) for n, x in arrays.values())
    raw += struct.pack("<Q", len(arrays)) + b"".join(struct.pack("<Q", len(k)) + k.encode() for k in arrays)
    kinds = {0: "F32", 1: "F64", 2: "F16", 3: "U8", 4: "I32", 5: "I8", 6: "I64"}
    return raw, {k: (kinds[n], x.shape, x.tobytes()) for k, (n, x) in arrays.items()}


# ---- Darknet ----

DARKNET_CFG = """[net]
width = 8
height = 8
channels = 3
# a comment
[convolutional]
batch_normalize = 1
filters = 4
size = 3
stride = 2
pad = 1
[maxpool]
size=2
stride=2
[convolutional]
filters=4
size=1
flipped=1
[route]
layers = -1, 1
[shortcut]
from=-1
weights_type=per_channel
[batchnorm]
[local]
filters=2
size=1
stride=1
pad=0
[reorg]
stride=2
[upsample]
stride=2
[crnn]
output=3
hidden=2
size=3
pad=1
[dropout]
[connected]
output=5
batch_normalize=1
[gru]
output=2
[lstm]
output=3
[rnn]
output=2
hidden=4
[softmax]
"""


def darknet(minor=2, layers=None):
    """layers: how many of them; fewer are the file of a net's front."""
    shapes = []

    def add(i, *parts, sub=""):
        shapes.extend((i, f"layers.{i}.{sub}{n}", s) for n, s in parts)

    def connected(i, n_in, n, bn=False, sub=""):
        add(i, ("biases", (n,)), ("weights", (n, n_in)), sub=sub)
        if bn:
            add(i, ("scales", (n,)), ("rolling_mean", (n,)), ("rolling_variance", (n,)), sub=sub)

    bn = lambda n: (("scales", (n,)), ("rolling_mean", (n,)), ("rolling_variance", (n,)))
    add(0, ("biases", (4,)), *bn(4), ("weights", (4, 3, 3, 3)))      # 4 channels of 4x4
    add(2, ("biases", (4,)), ("weights", (4, 4)))                    # after pooling 2x2; flipped: [in, out]
    add(4, ("weights", (2, 8)))                                      # route joins layers 2 and 1: 8 channels
    add(5, ("biases", (8,)), *bn(8))
    add(6, ("biases", (4 * 2,)), ("weights", (4, 2, 8, 1, 1)))       # 2x2 places
    for sub, n, c in (("input_layer.", 2, 8), ("self_layer.", 2, 2), ("output_layer.", 3, 2)):
        add(9, ("biases", (n,)), ("weights", (n, c, 3, 3)), sub=sub) # reorg: 8 channels of 1x1, upsampled to 2x2
    connected(11, 3 * 2 * 2, 5, True)
    for sub in ("input_z_layer.", "input_r_layer.", "input_h_layer."):
        connected(12, 5, 2, sub=sub)
    for sub in ("state_z_layer.", "state_r_layer.", "state_h_layer."):
        connected(12, 2, 2, sub=sub)
    for sub in ("wi.", "wf.", "wo.", "wg."):
        connected(13, 2, 3, sub=sub)
    for sub in ("ui.", "uf.", "uo.", "ug."):
        connected(13, 3, 3, sub=sub)
    connected(14, 3, 4, sub="input_layer."), connected(14, 4, 4, sub="self_layer."), connected(14, 4, 2, sub="output_layer.")
    arrays = {n: numbers(*s) for i, n, s in shapes if layers is None or i < layers}
    head = struct.pack("<IIIQ", 0, minor, 5, 64000) if minor >= 2 else struct.pack("<IIII", 0, minor, 0, 64000)
    return head + b"".join(x.tobytes() for x in arrays.values()), {n: f32(x) for n, x in arrays.items()}


# ---- ncnn ----

class Ncnn:
    def __init__(self):
        self.out, self.raw, self.layers = {}, b"", []

    def weight(self, layer, what, x, flag=None):
        if flag == 0x01306B47:
            x = x.astype("<f2")
        elif flag == 0x000D4B38:
            x = np.clip(np.round(x * 30), -128, 127).astype("<i1")
        kind = {"f4": "F32", "f2": "F16", "i1": "I8"}[x.dtype.str[1:]]
        self.out[f"{layer}.{what}"] = (kind, x.shape, x.tobytes())
        self.raw += b"" if flag is None else struct.pack("<I", flag)
        self.raw += x.tobytes() + bytes(-x.nbytes % 4)

    def table(self, layer, what, shape):
        """256 floats, and a byte for each value; the flag is any other number."""
        values, codes = numbers(256), (np.arange(int(np.prod(shape))) * 37 % 256).astype("u1")
        self.raw += struct.pack("<I", 0x11223344) + values.tobytes() + codes.tobytes() + bytes(-len(codes) % 4)
        self.out[f"{layer}.{what}"] = f32(values[codes].reshape(shape))

    def layer(self, number, kind, name, **values):
        self.layers.append((number, kind, name, {int(k[1:]): v for k, v in values.items()}))

    def text(self):
        lines = [f"{kind:<24} {name} 1 1 in out" + "".join(f" {k}={v}" for k, v in values.items())
                 for _, kind, name, values in self.layers]
        return "\n".join(["7767517", f"{len(lines)} {len(lines)}"] + lines) + "\n"

    def binary(self):
        out = struct.pack("<III", 7767517, len(self.layers), len(self.layers))
        for number, _, _, values in self.layers:
            out += struct.pack("<IIIII", number, 1, 1, 0, 0)
            out += b"".join(struct.pack("<ii", k, v) for k, v in values.items() if isinstance(v, int))
            out += struct.pack("<iiff", -23300 - 31, 2, 0.5, 0.5) + struct.pack("<i", -233)
        return out


def ncnn():
    n = Ncnn()
    n.layer(16, "Input", "data", k0=8, k1=8, k2=3)
    for flag, name in ((0, "f32"), (0x0002C056, "raw"), (0x01306B47, "half")):
        n.layer(6, "Convolution", name, k0=3, k1=3, k5=1, k6=3 * 5 * 9)
        n.weight(name, "weight", numbers(3, 5, 3, 3), flag)
        n.weight(name, "bias", numbers(3))
    n.layer(6, "Convolution", "int8", k0=3, k1=1, k11=2, k5=0, k6=3 * 5 * 2, k8=101)
    n.weight("int8", "weight", numbers(3, 5, 2, 1), 0x000D4B38)
    for what, k in (("weight_int8_scales", 3), ("bottom_blob_int8_scales", 1), ("top_blob_int8_scales", 1)):
        n.weight("int8", what, numbers(k))
    n.layer(42, "ConvolutionDepthWise", "dw", k0=4, k1=3, k5=1, k6=36, k7=4, k8=1)
    n.weight("dw", "weight", numbers(4, 1, 3, 3), 0x000D4B38)
    n.weight("dw", "bias", numbers(4)), n.weight("dw", "weight_int8_scales", numbers(4))
    n.weight("dw", "bottom_blob_int8_scales", numbers(1))
    n.layer(15, "InnerProduct", "table", k0=3, k1=0, k2=15)
    n.table("table", "weight", (3, 5))
    n.layer(2, "BatchNorm", "bn", k0=3)
    for what in ("slope", "mean", "var", "bias"):
        n.weight("bn", what, numbers(3))
    n.layer(29, "Scale", "scale", k0=3, k1=1)
    n.weight("scale", "scale", numbers(3)), n.weight("scale", "bias", numbers(3))
    n.layer(29, "Scale", "scale2", k0=-233)
    n.layer(23, "PReLU", "prelu", k0=3)
    n.weight("prelu", "slope", numbers(3))
    n.layer(12, "Embed", "embed", k0=3, k1=7, k2=1, k3=21)
    n.weight("embed", "weight", numbers(7, 3), 0), n.weight("embed", "bias", numbers(3))
    n.layer(39, "LSTM", "lstm", k0=2, k1=2 * 4 * 3 * 5, k2=2, k3=3)
    n.weight("lstm", "weight_xc", numbers(2, 12, 5), 0), n.weight("lstm", "bias_c", numbers(2, 4, 3), 0)
    n.weight("lstm", "weight_hc", numbers(2, 12, 2), 0), n.weight("lstm", "weight_hr", numbers(2, 2, 3), 0)
    n.layer(78, "GRU", "gru", k0=2, k1=3 * 2 * 5, k2=0)
    n.weight("gru", "weight_xc", numbers(1, 6, 5), 0), n.weight("gru", "bias_c", numbers(1, 4, 2), 0)
    n.weight("gru", "weight_hc", numbers(1, 6, 2), 0)
    n.layer(74, "Gemm", "gemm", k2=0, k3=1, k4=0, k5=1, k6=1, k7=0, k8=4, k9=3, k10=4)
    n.weight("gemm", "B", numbers(4, 3), 0), n.weight("gemm", "C", numbers(1, 4), 0)
    n.layer(79, "MultiHeadAttention", "mha", k0=4, k1=2, k2=24)
    for what, k in (("q", 6), ("k", 4), ("v", 4)):
        n.weight("mha", what + "_weight", numbers(4, k), 0), n.weight("mha", what + "_bias", numbers(4))
    n.weight("mha", "out_weight", numbers(6, 4), 0), n.weight("mha", "out_bias", numbers(6))
    n.layer(19, "MemoryData", "memory", k0=4, k1=3, k2=2)
    n.weight("memory", "data", numbers(2, 3, 4))
    n.layer(76, "LayerNorm", "ln", k0=3), n.weight("ln", "gamma", numbers(3)), n.weight("ln", "beta", numbers(3))
    n.layer(104, "RMSNorm", "rms", k0=3), n.weight("rms", "gamma", numbers(3))
    n.layer(75, "GroupNorm", "gn", k0=1, k1=3), n.weight("gn", "gamma", numbers(3)), n.weight("gn", "beta", numbers(3))
    n.layer(32, "Softmax", "softmax")
    return n


# ---- dlib ----

def d_int(x):
    b = abs(x).to_bytes(8, "little").rstrip(b"\0") or b"\0"
    return bytes([len(b) | (128 if x < 0 else 0)]) + b


def d_text(s):
    return d_int(len(s)) + s.encode()


def d_float(x):
    return d_int(int(x * 2 ** 20)) + d_int(-20)


def d_tensor(x=None):
    x = np.zeros(0, "<f4") if x is None else np.asarray(x, "<f4")
    d = list(x.shape) + [1] * (4 - x.ndim) if x.size else [0] * 4
    return d_int(2) + b"".join(map(d_int, d)) + x.tobytes()


def d_alias(*d):
    return d_int(1) + b"".join(map(d_int, (list(d) + [1] * 4)[:4]))


TRAILER = b"110" + d_tensor() * 3


def dlib(tagged=False, rest=b""):
    out = {}

    def params(layer, first, a, second, b):
        out[f"{layer}.{first}"] = f32(a)
        if b is not None:
            out[f"{layer}.{second}"] = f32(b)
        return d_tensor(np.concatenate([a.reshape(-1)] + ([b] if b is not None else [])).reshape(-1, 1, 1, 1))

    raw = d_int(1) + d_text("loss_metric_2") + d_float(0.04) + d_float(0.6) + d_int(2) * 4 + d_int(1)
    raw += d_int(2 if tagged else 3)
    raw += d_text("input_rgb_image_sized") + d_float(122.782) + d_float(117.001) + d_float(104.298) + d_int(8) + d_int(8)
    if tagged:
        raw += d_tensor() * 2 + b"0" + d_int(1)
    w, b = numbers(4, 3, 3, 3), numbers(4)
    raw += d_text("con_6") + params("con1", "filters", w, "biases", b) + b"".join(map(d_int, (4, 3, 3, 1, 1, 0, 0)))
    raw += d_alias(4, 3, 3, 3) + d_alias(1, 4) + d_float(1) * 4 + b"10" + TRAILER + (b"" if tagged else d_int(1))
    g, b = numbers(4), numbers(4)
    raw += d_text("bn_con2") + params("bn_con1", "gamma", g, "beta", b) + d_alias(1, 4) + d_alias(1, 4)
    for what in ("means", "invstds", "running_means", "running_variances"):
        out["bn_con1." + what] = f32(numbers(4))
        raw += d_tensor(np.frombuffer(out["bn_con1." + what][2], "<f4").reshape(1, 4, 1, 1))
    raw += d_int(1000) * 2 + d_float(1) * 5 + TRAILER
    raw += d_text("relu_2") + b"0" + TRAILER
    w = numbers(4, 2, 1, 1)
    raw += d_text("con_6") + params("con2", "filters", w, "", None) + b"".join(map(d_int, (4, 1, 1, 1, 1, 0, 0)))
    raw += d_alias(4, 2, 1, 1) + d_alias(1, 4) + d_float(1) * 4 + b"00" + TRAILER
    g, b = numbers(4), numbers(4)
    raw += d_text("affine_2") + params("affine1", "gamma", g, "beta", b) + d_alias(1, 4) + d_alias(1, 4) + d_int(0) + b"0" + TRAILER
    w, b = numbers(6, 2), numbers(2)
    raw += d_text("fc_3") + d_int(2) + d_int(6) + params("fc1", "weights", w, "biases", b) + d_alias(6, 2) + d_alias(1, 2)
    raw += d_int(0) + d_float(1) * 4 + b"1" + TRAILER
    return raw + rest, out


# ---- GNU Backgammon, RNNoise ----

def gnubg(nets=2, text=True):
    names, out = ("nnContact", "nnRace", "nnCrashed", "nnpContact", "nnpCrashed", "nnpRace", "nn6"), {}
    raw = b"GNU Backgammon 1.00\n" if text else struct.pack("<ff", 472.3782, 1.0)
    for net in range(nets):
        i, h, o = 6 + net, 3, 2
        raw += f"{i} {h} {o} 1 0.1000000 1.0000000\n".encode() if text else struct.pack("<IIIIff", i, h, o, 1, 0.1, 1.0)
        for name, shape in (("arHiddenWeight", (i, h)), ("arOutputWeight", (o, h)), ("arHiddenThreshold", (h,)),
                            ("arOutputThreshold", (o,))):
            x = numbers(*shape)
            out[f"{names[net]}.{name}"] = f32(x)
            raw += (decimals(x).replace(" ", "\n") + "\n").encode() if text else x.tobytes()
    return raw, out


def rnnoise():
    out, lines = {}, ["rnnoise-nu model file version 1"]
    for layer, i, n, a in (("input_dense", 4, 3, 0), ("vad_gru", 3, 2, 0), ("noise_gru", 5, 2, 2), ("denoise_gru", 4, 3, 0),
                           ("denoise_output", 3, 2, 1), ("vad_output", 2, 1, 1)):
        gru = layer.endswith("gru")
        lines.append(f"{i} {n} {a}")
        for name, shape in ((("input_weights", (i, 3 * n)), ("recurrent_weights", (n, 3 * n)), ("bias", (3 * n,))) if gru else
                            (("input_weights", (i, n)), ("bias", (n,)))):
            x = whole("I8", *shape)
            out[f"{layer}.{name}"] = ints("I8", x)
            lines.append(" ".join(str(v) for v in x.reshape(-1).tolist()))
    return ("\n".join(lines) + "\n").encode(), out


def nnue_raw(width=16, buckets=1, padded=True):
    arrays = {"feature_weights": (768, width), "feature_bias": (width,), "output_weights": (buckets, 2, width), "output_bias": (buckets,)}
    out = {n: whole("I16", *s) for n, s in arrays.items()}
    raw = b"".join(x.tobytes() for x in out.values())
    return raw + bytes(-len(raw) % 64 if padded else 0), {n: ints("I16", x) for n, x in out.items()}
