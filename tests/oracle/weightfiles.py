"""Weight files written and read without the program under test: safetensors, GGUF and NumPy's. Values are decoded
from published formulas, one element at a time where that is how the formula reads."""
import json
import struct
import zipfile

import numpy as np

import blocks

# ---- types: bits of an element, elements and bytes of a block ----

GGML = {"F32": 0, "F16": 1, "I8": 24, "I16": 25, "I32": 26, "I64": 27, "F64": 28, "BF16": 30}
GGML.update({name: t[0] for name, t in blocks.TYPES.items()})
BLOCKS = {name: t[1:3] for name, t in blocks.TYPES.items()}
PLAIN = {"U8": "<u1", "I8": "<i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8", "I64": "<i8",
         "F16": "<f2", "F32": "<f4", "F64": "<f8", "C64": "<c8", "C128": "<c16"}
BITS = {"BOOL": 8, "BF16": 16, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E4M3FNUZ": 8,
        "F8_E5M2FNUZ": 8, "F8_E8M0": 8}
BITS.update({name: 8 * np.dtype(d).itemsize for name, d in PLAIN.items()})
COUNTED = {"BOOL", "U8", "I8", "U16", "I16", "F16", "BF16"} | set(t for t in BITS if t.startswith(("F8_", "F6_")) or t == "F4")


def byte_count(kind, n):
    if kind in BLOCKS:
        return n // BLOCKS[kind][0] * BLOCKS[kind][1]
    return n * BITS[kind] // 8


# ---- decoding ----

def small_float(code, e_bits, m_bits, bias, nan, inf=None):
    sign = -1.0 if code >> (e_bits + m_bits) & 1 else 1.0
    e, m = code >> m_bits & (1 << e_bits) - 1, code & (1 << m_bits) - 1
    if nan(code, e, m):
        return float("nan")
    if inf and inf(code, e, m):
        return sign * float("inf")
    value = m * 2.0 ** (1 - bias - m_bits) if e == 0 else (1 + m / 2 ** m_bits) * 2.0 ** (e - bias)
    return sign * value


SMALL = {
    "F8_E4M3": lambda c: small_float(c, 4, 3, 7, lambda c, e, m: c & 0x7F == 0x7F),
    "F8_E5M2": lambda c: small_float(c, 5, 2, 15, lambda c, e, m: e == 31 and m, lambda c, e, m: e == 31),
    "F8_E4M3FNUZ": lambda c: small_float(c, 4, 3, 8, lambda c, e, m: c == 0x80),
    "F8_E5M2FNUZ": lambda c: small_float(c, 5, 2, 16, lambda c, e, m: c == 0x80),
    "F8_E8M0": lambda c: float("nan") if c == 255 else 2.0 ** (c - 127),
    "F6_E2M3": lambda c: small_float(c, 2, 3, 1, lambda c, e, m: False),
    "F6_E3M2": lambda c: small_float(c, 3, 2, 3, lambda c, e, m: False),
    "F4": lambda c: small_float(c, 2, 1, 1, lambda c, e, m: False),
}


def codes(kind, raw):
    """The stored codes of a type of at most 16 bits, or of blocks without their scales; None for wider types, and where
    elements have no codes of their own."""
    b = np.frombuffer(raw, np.uint8)
    if kind in ("F16", "BF16", "I16", "U16"):
        return np.frombuffer(raw, "<u2")
    if kind.startswith("F6_"):
        bits = np.unpackbits(b, bitorder="little").reshape(-1, 6)
        return bits @ (1 << np.arange(6))
    if kind == "F4":
        return np.stack([b & 15, b >> 4], axis=-1).reshape(-1)
    if kind in BLOCKS:
        return blocks.decode(kind, raw)[1]
    return b if BITS[kind] == 8 else None


def decode(kind, raw):
    """A flat array: float64, complex128, or Python integers for 64-bit ones."""
    with np.errstate(all="ignore"):
        if kind in ("I64", "U64"):
            return np.frombuffer(raw, PLAIN[kind]).astype(object)
        if kind in ("C64", "C128"):
            return np.frombuffer(raw, PLAIN[kind]).astype(np.complex128)
        if kind in PLAIN:
            return np.frombuffer(raw, PLAIN[kind]).astype(np.float64)
        if kind == "BOOL":
            return (np.frombuffer(raw, np.uint8) != 0).astype(np.float64)
        if kind == "BF16":
            return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        if kind in BLOCKS:
            return blocks.decode(kind, raw)[0].astype(np.float64)
        table = np.array([SMALL[kind](c) for c in range(1 << BITS[kind])])
        return table[codes(kind, raw)]


# ---- safetensors ----

def write_safetensors(path, tensors):
    """tensors: name -> (type, shape, bytes)"""
    head, data = {}, b""
    for name, (kind, shape, raw) in tensors.items():
        head[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    with open(path, "rb") as f:
        whole = f.read()
    n = struct.unpack_from("<Q", whole)[0]
    head = json.loads(whole[8:8 + n])
    head.pop("__metadata__", None)
    return {name: (t["dtype"], tuple(t["shape"]), whole[8 + n + t["data_offsets"][0]:8 + n + t["data_offsets"][1]])
            for name, t in head.items()}


# ---- GGUF ----

def big_endian(kind, raw):
    if kind in BLOCKS:
        b = np.frombuffer(raw, np.uint8).reshape(-1, BLOCKS[kind][1]).copy()
        for at in blocks.SWAPPED[kind]:
            b[:, [at, at + 1]] = b[:, [at + 1, at]]
        return b.tobytes()
    return np.frombuffer(raw, np.uint8).reshape(-1, BITS[kind] // 8)[:, ::-1].tobytes()


def write_gguf(path, tensors, big=False, swap=True):
    """With swap false the data of a big-endian file stay as they are."""
    order, infos, data = ">" if big else "<", b"", b""
    for name, (kind, shape, raw) in tensors.items():
        data += bytes(-len(data) % 32)
        dims = tuple(reversed(shape))
        infos += struct.pack(order + "Q", len(name)) + name.encode()
        infos += struct.pack(order + "I%dQIQ" % len(dims), len(dims), *dims, GGML[kind], len(data))
        data += big_endian(kind, raw) if big and swap else raw
    head = b"GGUF" + struct.pack(order + "IQQ", 3, len(tensors), 0) + infos
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % 32) + data + bytes(-len(data) % 32))


class Reader:
    def __init__(self, raw):
        self.raw, self.at = raw, 4
        self.order = ">" if struct.unpack_from("<I", raw, 4)[0] & 0xFFFF == 0 else "<"
        self.version = self.take("I")

    def take(self, code):
        x = struct.unpack_from(self.order + code, self.raw, self.at)[0]
        self.at += struct.calcsize(self.order + code)
        return x

    def size(self):
        return self.take("I" if self.version == 1 else "Q")

    def text(self):
        n = self.size()
        self.at += n
        return self.raw[self.at - n:self.at].decode(errors="replace")

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            kind, n = self.take("I"), self.size()
            return [self.value(kind) for _ in range(n)]
        return self.take("BbHhIif?__Qqd"[kind])


def read_gguf(path):
    """Tensors of types outside the table, or cut off by the end of the file, have None for their bytes."""
    with open(path, "rb") as f:
        r = Reader(f.read())
    count, keys = r.size(), r.size()
    meta = {}
    for _ in range(keys):
        key = r.text()
        meta[key] = r.value(r.take("I"))
    infos = []
    for _ in range(count):
        name, rank = r.text(), r.take("I")
        dims = [r.size() for _ in range(rank)]
        infos.append((name, tuple(reversed(dims)), r.take("I"), r.take("Q")))
    align = meta.get("general.alignment", 32)
    base = -(-r.at // align) * align
    types, out = {v: k for k, v in GGML.items()}, {}
    for name, shape, number, at in infos:
        kind, n = types.get(number), int(np.prod(shape, dtype=object))
        raw = r.raw[base + at:base + at + byte_count(kind, n)] if kind else None
        out[name] = (kind, shape, raw if raw is not None and len(raw) == byte_count(kind, n) else None)
    return out


# ---- NumPy ----

def of_array(x):
    """An array as (type, shape, bytes) in row-major little-endian order."""
    x = np.asarray(x)
    kinds = {np.dtype(d): k for k, d in PLAIN.items()}
    little = x.astype(x.dtype.newbyteorder("<"))
    return ("BOOL" if x.dtype == bool else kinds[little.dtype], x.shape, np.ascontiguousarray(little).tobytes())


def read_npz(path):
    out = {}
    with zipfile.ZipFile(path) as z:
        for entry in z.namelist():
            with z.open(entry) as f:
                out[entry[:-4] if entry.endswith(".npy") else entry] = of_array(np.lib.format.read_array(f, allow_pickle=False))
    return out
