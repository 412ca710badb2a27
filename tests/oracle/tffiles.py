"""TensorFlow's checkpoints and graphs, TensorFlow Lite and Flax files, written and read without the program under test, from
the schemas. Tensors are name -> (type, shape, bytes), as in weightfiles."""
import math
import os
import struct

# ---- CRC-32C, bit by bit where the program has tables ----

TABLE = []
for _i in range(256):
    _c = _i
    for _k in range(8):
        _c = _c >> 1 ^ (0x82F63B78 if _c & 1 else 0)
    TABLE.append(_c)


def crc32c(data):
    c = 0xFFFFFFFF
    for b in data:
        c = c >> 8 ^ TABLE[(c ^ b) & 255]
    return c ^ 0xFFFFFFFF


def masked(crc):
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


# ---- protocol buffers ----

def varint(x):
    x &= (1 << 64) - 1
    out = b""
    while x > 127:
        out += bytes([x & 127 | 128])
        x >>= 7
    return out + bytes([x])


def number(field, x):
    return varint(field << 3) + varint(x)


def message(field, body):
    return varint(field << 3 | 2) + varint(len(body)) + body


def fixed32(field, x):
    return varint(field << 3 | 5) + struct.pack("<I", x)


def take_varint(b, at):
    x = shift = 0
    while True:
        x |= (b[at] & 127) << shift
        at += 1
        if b[at - 1] < 128:
            return x, at
        shift += 7


def fields(b):
    at = 0
    while at < len(b):
        tag, at = take_varint(b, at)
        if tag & 7 == 0:
            x, at = take_varint(b, at)
        elif tag & 7 == 2:
            n, at = take_varint(b, at)
            x, at = b[at:at + n], at + n
        else:
            n = 4 if tag & 7 == 5 else 8
            x, at = int.from_bytes(b[at:at + n], "little"), at + n
        yield tag >> 3, x


def field(b, number, otherwise=None):
    for f, x in fields(b):
        if f == number:
            otherwise = x
    return otherwise


# ---- what TensorFlow's messages share ----

TF = {"F32": 1, "F64": 2, "I32": 3, "U8": 4, "I16": 5, "I8": 6, "string": 7, "C64": 8, "I64": 9, "BOOL": 10, "BF16": 14,
      "U16": 17, "C128": 18, "F16": 19, "U32": 22, "U64": 23, "F8_E5M2": 24, "F8_E4M3": 25, "F8_E4M3FNUZ": 26,
      "F8_E5M2FNUZ": 28}
TF_NAMES = {v: k for k, v in TF.items()}


def tf_shape(dims):
    return b"".join(message(2, number(1, d)) for d in dims)


def read_shape(b):
    return tuple(field(x, 1, 0) for f, x in fields(b) if f == 2)


# ---- checkpoints ----

def block(entries, interval=16):
    out, restarts, last = b"", [], b""
    for i, (key, value) in enumerate(entries):
        shared = 0
        if i % interval == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return out + b"".join(struct.pack("<I", r) for r in restarts or [0]) + struct.pack("<I", len(restarts or [0]))


def snappy(x):
    """Packs: runs of bytes that stood there before are copies, of every form by turns; the rest are literals."""
    out, at, start, turn, seen = varint(len(x)), 0, 0, 0, {}

    def literal(end):
        nonlocal out
        for i in range(start, end, 70000):
            some = x[i:min(i + 70000, end)]
            n = len(some) - 1
            size = (n.bit_length() + 7) // 8
            out += (bytes([n << 2]) if n < 60 else bytes([59 + size << 2]) + n.to_bytes(size, "little")) + some

    while at < len(x):
        before = seen.get(x[at:at + 4], None)
        seen[x[at:at + 4]] = at
        n = 0
        while before is not None and at + n < len(x) and n < 64 and x[before + n] == x[at + n]:
            n += 1
        if n < 4:
            at += 1
            continue
        literal(at)
        back, turn = at - before, (turn + 1) % 3
        if turn == 0 and back < 2048:
            n = min(n, 11)
            out += bytes([back >> 8 << 5 | n - 4 << 2 | 1, back & 255])
        elif turn == 1 and back < 65536:
            out += bytes([n - 1 << 2 | 2]) + struct.pack("<H", back)
        else:
            out += bytes([n - 1 << 2 | 3]) + struct.pack("<I", back)
        at += n
        start = at
    literal(len(x))
    return out


def sstable(entries, per_block=7, interval=16, packed=False):
    """entries: (key, value) in order."""
    out, index = b"", []

    def put(content):
        nonlocal out
        at = len(out)
        content = snappy(content) + b"\1" if packed else content + b"\0"
        out += content + struct.pack("<I", masked(crc32c(content)))
        content = content[:-1]
        return varint(at) + varint(len(content))

    for i in range(0, len(entries), per_block):
        some = entries[i:i + per_block]
        index.append((some[-1][0], put(block(some, interval))))
    footer = put(block([])) + put(block(index, 1))
    return out + footer + bytes(40 - len(footer)) + struct.pack("<Q", 0xDB4775248B80FB57)


def sstable_of_one_block(entries):
    """All in one block, and no key in full but the first."""
    return sstable(entries, len(entries), len(entries))


def ordered(x):
    out = b""
    while x:
        out = bytes([x & 255]) + out
        x >>= 8
    return bytes([len(out)]) + out


def ordered_signed(x):
    """n bytes hold -2^(7n-1) to 2^(7n-1) - 1: the number's sign bits above that, n of them and turned round, say n."""
    n = 1
    while not -(1 << 7 * n - 1) <= x < 1 << 7 * n - 1:
        n += 1
    header = ((1 << n) - 1) << (8 * n - n)
    return ((x & (1 << 8 * n) - 1) ^ header).to_bytes(n, "big")


def slice_key(name, extents):
    key = ordered(0) + name.replace(b"\xff", b"\xff\0").replace(b"\0", b"\0\xff") if b"\xff" not in name else None
    key += b"\0\1" + ordered(len(extents))
    for start, length in extents:
        key += ordered_signed(start) + ordered_signed(length)
    return key


def swapped(kind, raw, bits):
    size = bits // 8 // (2 if kind.startswith("C") else 1)
    return b"".join(raw[i:i + size][::-1] for i in range(0, len(raw), size))


def text_tensor(texts):
    lengths = b"".join(varint(len(t)) for t in texts)
    words = b"".join(struct.pack("<I", len(t)) for t in texts)
    sums = struct.pack("<I", masked(crc32c(words)))
    return lengths + sums + b"".join(texts), masked(crc32c(words + sums + b"".join(texts)))


class Checkpoint:
    """Collects entries; write() makes PREFIX.index and the shards."""

    def __init__(self, shards=1, big=False):
        self.big, self.data = big, [b""] * shards
        self.entries = {b"": number(1, shards) + (number(2, 1) if big else b"") + message(3, number(1, 1))}

    def put(self, key, kind, dims, stored, crc, shard=0, gap=0):
        self.data[shard] += bytes(gap)
        self.entries[key] = (number(1, TF[kind]) + message(2, tf_shape(dims)) + (number(3, shard) if shard else b"") +
                             number(4, len(self.data[shard])) + number(5, len(stored)) + fixed32(6, crc))
        self.data[shard] += stored

    def tensor(self, key, kind, dims, raw, bits, shard=0, damage=0, gap=0):
        stored = swapped(kind, raw, bits) if self.big else raw
        self.put(key.encode(), kind, dims, stored, masked(crc32c(stored)) ^ damage, shard, gap)

    def texts(self, key, dims, texts, shard=0):
        stored, crc = text_tensor(texts)
        self.put(key.encode(), "string", dims, stored, crc, shard)

    def partitioned(self, key, kind, array, parts, shards=(0,)):
        """parts: lists of (start, length) for each dimension; a length of -1 is the whole dimension."""
        slices = b""
        for i, extents in enumerate(parts):
            cut = array[tuple(slice(s, None if n < 0 else s + n) for s, n in extents)]
            raw = cut.tobytes()
            self.put(slice_key(key.encode(), extents), kind, cut.shape, raw, masked(crc32c(raw)), shards[i % len(shards)])
            slices += message(7, b"".join(message(1, (number(1, s) if s else b"") + (number(2, n) if n >= 0 else b""))
                                          for s, n in extents))
        self.entries[key.encode()] = number(1, TF[kind]) + message(2, tf_shape(array.shape)) + slices

    def write(self, prefix, without=(), per_block=7, packed=False):
        with open(prefix + ".index", "wb") as f:
            f.write(sstable(sorted(self.entries.items()), per_block, packed=packed))
        for i, data in enumerate(self.data):
            if i not in without:
                with open(f"{prefix}.data-{i:05d}-of-{len(self.data):05d}", "wb") as f:
                    f.write(data)


def object_graph(names):
    """names: checkpoint key -> the variable's full name."""
    nodes = message(1, message(1, number(1, 1) + message(2, b"layer")))
    for key, full in names.items():
        nodes += message(1, message(2, message(1, b"VARIABLE_VALUE") + message(2, full.encode()) + message(3, key.encode())))
    return nodes


def table_entries(b):
    index_at = take_varint(b, take_varint(b, take_varint(b, len(b) - 48)[1])[1])
    size = take_varint(b, index_at[1])[0]

    def read(at, n):
        content = b[at:at + n]
        assert masked(crc32c(content + b[at + n:at + n + 1])) == struct.unpack_from("<I", b, at + n + 1)[0]
        end, at, key = n - 4 - 4 * struct.unpack_from("<I", content, n - 4)[0], 0, b""
        while at < end:
            shared, at = take_varint(content, at)
            own, at = take_varint(content, at)
            length, at = take_varint(content, at)
            key = key[:shared] + content[at:at + own]
            yield key, content[at + own:at + own + length]
            at += own + length

    for _, place in read(index_at[0], size):
        at, k = take_varint(place, 0)
        yield from read(at, take_varint(place, k)[0])


SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def read_checkpoint(prefix):
    with open(prefix + ".index", "rb") as f:
        entries = dict(table_entries(f.read()))
    shards = field(entries.pop(b""), 1)
    out = {}
    for key, value in entries.items():
        kind = TF_NAMES[field(value, 1)]
        if kind == "string":
            continue
        with open(f"{prefix}.data-{field(value, 3, 0):05d}-of-{shards:05d}", "rb") as f:
            f.seek(field(value, 4, 0))
            raw = f.read(field(value, 5, 0))
        assert masked(crc32c(raw)) == field(value, 6)
        name = key.decode()
        out[name[:-len(SUFFIX)] if name.endswith(SUFFIX) else name] = (kind, read_shape(field(value, 2, b"")), raw)
    return out


# ---- graphs ----

def tensor_proto(kind, dims, body):
    return number(1, TF[kind]) + message(2, tf_shape(dims)) + body


def node(name, op, attributes=()):
    out = message(1, name.encode()) + message(2, op.encode())
    for key, value in attributes:
        out += message(5, message(1, key.encode()) + message(2, value))
    return message(1, out)


def constant(name, kind, dims, body):
    return node(name, "Const", [("dtype", number(6, TF[kind])), ("value", message(8, tensor_proto(kind, dims, body)))])


def read_graph(path):
    """Constants whose values are bytes."""
    with open(path, "rb") as f:
        graph = f.read()
    out = {}
    for f, n in fields(graph):
        if f != 1 or field(n, 2) != b"Const":
            continue
        for g, attribute in fields(n):
            if g == 5 and field(attribute, 1) == b"value":
                t = field(field(attribute, 2), 8)
                out[field(n, 1).decode()] = (TF_NAMES[field(t, 1)], read_shape(field(t, 2, b"")), field(t, 4))
    return out


# ---- flatbuffers: every child stands behind what points at it ----

TFLITE = ["F32", "F16", "I32", "U8", "I64", "string", "BOOL", "I16", "C64", "I8", "F64", "C128", "U64", "resource", "variant",
          "U32", "U16", "int4", "BF16", "int2", "uint4", "F8_E4M3", "F8_E5M2"]


class Flat:
    def __init__(self):
        self.b = bytearray(8)
        self.b[4:] = b"TFL3"

    def align(self, n):
        self.b += bytes(-len(self.b) % n)

    def table(self, slots):
        """slots: number -> ("B", x) a number by struct's letter, or a function that writes a child and returns its place."""
        size = 2 * (max(slots) + 1) if slots else 0
        self.align(4)
        vtable = len(self.b)
        layout, body, children = [0] * (size // 2), bytearray(4), []
        for slot, what in sorted(slots.items(), key=lambda s: -struct.calcsize(s[1][0]) if isinstance(s[1], tuple) else -4):
            letter, x = what if isinstance(what, tuple) else ("I", 0)
            body += bytes(-len(body) % struct.calcsize(letter))
            layout[slot] = len(body)
            if not isinstance(what, tuple):
                children.append((len(body), what))
            body += struct.pack("<" + letter, x)
        self.b += struct.pack("<HH", 4 + size, len(body)) + b"".join(struct.pack("<H", x) for x in layout)
        self.align(4)
        at = len(self.b)
        struct.pack_into("<i", body, 0, at - vtable)
        self.b += body
        for place, child in children:
            to = child()
            struct.pack_into("<I", self.b, at + place, to - at - place)
        return at

    def vector(self, letter, xs, alignment=4):
        def write():
            self.align(4)
            self.b += bytes(-(len(self.b) + 4) % alignment)
            at = len(self.b)
            self.b += struct.pack("<I", len(xs)) + struct.pack(f"<{len(xs)}{letter}", *xs)
            return at
        return write

    def text(self, s):
        return self.vector("B", s.encode())

    def tables(self, list_of_slots):
        def write():
            self.align(4)
            at = len(self.b)
            self.b += struct.pack("<I", len(list_of_slots)) + bytes(4 * len(list_of_slots))
            for i, slots in enumerate(list_of_slots):
                to = self.table(slots)
                struct.pack_into("<I", self.b, at + 4 + 4 * i, to - at - 4 - 4 * i)
            return at
        return write

    def child(self, slots):
        return lambda: self.table(slots)

    def end(self, slots):
        struct.pack_into("<I", self.b, 0, self.table(slots))
        return bytes(self.b)


def tflite(tensors, scales=(), graphs=None, outside=(), metadata=(), codes=((3, ""),), extra=None):
    """tensors: name -> (type, shape, bytes); None for bytes: computed at run time. scales: name -> (scales, zero points,
    dimension). graphs: lists of names, one for each subgraph. outside: names whose data follow the flatbuffer."""
    f = Flat()
    buffers, numbers, after = [{}], {}, []
    for name, (_, _, raw) in tensors.items():
        if raw is None:
            continue
        numbers[name] = len(buffers)
        if name in outside:
            after.append((len(buffers), raw))
            buffers.append({1: ("Q", 0), 2: ("Q", len(raw))})
        else:
            buffers.append({0: f.vector("B", raw, 16)})
    list_of_metadata = []
    for name, raw in metadata:
        list_of_metadata.append({0: f.text(name), 1: ("I", len(buffers))})
        buffers.append({0: f.vector("B", raw, 16)})

    def tensor(name):
        kind, shape, _ = tensors[name]
        slots = {0: f.vector("i", shape), 1: ("b", TFLITE.index(kind)), 2: ("I", numbers.get(name, 0)), 3: f.text(name)}
        if name in dict(scales):
            scale, zero, dimension = dict(scales)[name]
            slots[4] = f.child({2: f.vector("f", scale), 3: f.vector("q", zero), 6: ("i", dimension)})
        slots.update({k: f.child({}) if x == "table" else x for k, x in (extra or {}).get(name, {}).items()})
        return slots

    graphs = graphs or [list(tensors)]
    out = f.end({0: ("I", 3), 1: f.tables([{0: ("b", min(c, 127)), 1: f.text(w), 3: ("i", c)} for c, w in codes]),
                 2: f.tables([{0: f.tables([tensor(n) for n in g]), 1: f.vector("i", [0]), 2: f.vector("i", [len(g) - 1]),
                               3: f.tables([{0: ("I", i)} for i in range(len(codes))]), 4: f.text(f"graph{i}")}
                              for i, g in enumerate(graphs)]),
                 3: f.text("made for a test"), 4: f.tables(buffers), 6: f.tables(list_of_metadata)})
    if not after:
        return out
    out = bytearray(out)
    for number_of_buffer, raw in after: # the offset is known only now
        out += bytes(-len(out) % 16)
        at = tflite_buffer(bytes(out), number_of_buffer)
        struct.pack_into("<Q", out, at, len(out))
        out += raw
    return bytes(out)


class Fb:
    """A table at a place."""

    def __init__(self, b, at):
        self.b, self.at = b, at
        self.vtable = at - struct.unpack_from("<i", b, at)[0]

    def place(self, slot):
        if 4 + 2 * slot >= struct.unpack_from("<H", self.b, self.vtable)[0]:
            return 0
        at = struct.unpack_from("<H", self.b, self.vtable + 4 + 2 * slot)[0]
        return self.at + at if at else 0

    def number(self, slot, letter, otherwise=0):
        at = self.place(slot)
        return struct.unpack_from("<" + letter, self.b, at)[0] if at else otherwise

    def refer(self, slot):
        at = self.place(slot)
        return at + struct.unpack_from("<I", self.b, at)[0] if at else 0

    def vector(self, slot, letter):
        at = self.refer(slot)
        n = struct.unpack_from("<I", self.b, at)[0] if at else 0
        return list(struct.unpack_from(f"<{n}{letter}", self.b, at + 4)) if at else []

    def tables(self, slot):
        at = self.refer(slot)
        n = struct.unpack_from("<I", self.b, at)[0] if at else 0
        places = [at + 4 + 4 * i for i in range(n)]
        return [Fb(self.b, p + struct.unpack_from("<I", self.b, p)[0]) for p in places]


def root(b):
    return Fb(b, struct.unpack_from("<I", b, 0)[0])


def tflite_buffer(b, i):
    return root(b).tables(4)[i].place(1)


def read_tflite(path):
    """Tensors with data of the only subgraph; and their scales, zero points and dimension."""
    with open(path, "rb") as f:
        b = f.read()
    model = root(b)
    buffers, out, scales = model.tables(4), {}, {}
    for t in model.tables(2)[0].tables(0):
        raw = bytes(buffers[t.number(2, "I")].vector(0, "B"))
        if not raw:
            continue
        name = bytes(t.vector(3, "B")).decode()
        out[name] = (TFLITE[t.number(1, "b")], tuple(t.vector(0, "i")), raw)
        if t.refer(4):
            q = Fb(b, t.refer(4))
            scales[name] = (q.vector(2, "f"), q.vector(3, "q"), q.number(6, "i"))
    return out, scales


# ---- MessagePack and Flax ----

def pack(x):
    if x is None:
        return b"\xc0"
    if x is True or x is False:
        return b"\xc3" if x else b"\xc2"
    if isinstance(x, int):
        if -32 <= x < 128:
            return struct.pack("b", x) if x < 0 else bytes([x])
        for first, letter, low, high in ((0xCC, "B", 0, 8), (0xCD, "H", 0, 16), (0xCE, "I", 0, 32), (0xCF, "Q", 0, 64)):
            if 0 <= x < 1 << high:
                return bytes([first]) + struct.pack(">" + letter, x)
        return b"\xd3" + struct.pack(">q", x)
    if isinstance(x, float):
        return b"\xcb" + struct.pack(">d", x)
    if isinstance(x, str):
        s = x.encode()
        return (bytes([0xA0 | len(s)]) if len(s) < 32 else b"\xd9" + bytes([len(s)])) + s
    if isinstance(x, bytes):
        return b"\xc6" + struct.pack(">I", len(x)) + x
    if isinstance(x, (list, tuple)):
        return (bytes([0x90 | len(x)]) if len(x) < 16 else b"\xdc" + struct.pack(">H", len(x))) + b"".join(map(pack, x))
    if isinstance(x, Ext):
        return b"\xc9" + struct.pack(">Ib", len(x.body), x.kind) + x.body
    return (bytes([0x80 | len(x)]) if len(x) < 16 else b"\xde" + struct.pack(">H", len(x))) + \
        b"".join(pack(k) + pack(v) for k, v in x.items())


class Ext:
    def __init__(self, kind, body):
        self.kind, self.body = kind, body


FLAX = {"F32": "float32", "F64": "float64", "F16": "float16", "BF16": "bfloat16", "I8": "int8", "I16": "int16", "I32": "int32",
        "I64": "int64", "U8": "uint8", "U16": "uint16", "U32": "uint32", "U64": "uint64", "BOOL": "bool", "C64": "complex64",
        "C128": "complex128", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}


def flax_array(kind, shape, raw, ext=1):
    return Ext(ext, pack([list(shape), FLAX.get(kind, kind), raw]))


def flax_chunks(kind, shape, raw, size, order=None):
    """In chunks of that many bytes, in an order of their numbers."""
    parts = [raw[i:i + size] for i in range(0, len(raw), size)]
    item = len(raw) // max(1, math.prod(shape))
    return {"__msgpack_chunked_array__": True, "shape": {str(i): d for i, d in enumerate(shape)},
            "chunks": {str(i): flax_array(kind, [len(parts[i]) // item], parts[i]) for i in order or range(len(parts))}}


def flax_tree(leaves):
    """leaves: names with slashes -> values."""
    out = {}
    for name, x in leaves.items():
        at = out
        *folders, last = name.split("/")
        for f in folders:
            at = at.setdefault(f, {})
        at[last] = x
    return out


def save(path, b):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(b)
