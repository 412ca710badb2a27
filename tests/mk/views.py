"""Pairs for the layer map, the heat map, the values and the bytes.

python3 views.py OUTDIR writes screen-moe-{a,b}, screen-deep-{a,b} and screen-matrix-{a,b}.safetensors,
screen-quant-{a,b}.gguf and screen-deflated-{a,b}.npz.
"""
import json
import math
import struct
import sys
import zipfile

PACK = {"F32": "f", "F16": "e", "I64": "q"}


def write(path, tensors):
    header, data = {}, b""
    for name, kind, shape, values in tensors:
        raw = struct.pack("<%d%s" % (len(values), PACK[kind]), *values)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def wave(n, shift=0.0, scale=1.0):
    return [scale * math.sin(0.37 * i + shift) for i in range(n)]


def moe():
    """A decoder of 8 layers with 6 experts each, after an encoder of 3. Later layers changed more, one expert most."""
    a, b = [], []

    def both(name, shift=0.0, n=32):
        a.append((name, "F32", [n // 8, 8], wave(n)))
        b.append((name, "F32", [n // 8, 8], wave(n, shift)))

    both("embed.weight")
    for i in range(3):
        for part in ("attn.q", "mlp.up"):
            both("encoder.layers.%d.%s.weight" % (i, part))
    for i in range(8):
        for part in ("q_proj", "k_proj"):
            both("decoder.layers.%d.self_attn.%s.weight" % (i, part), 0.02 * i)
        for e in range(6):
            for part in ("w1", "w2"):
                strong = (i, e, part) == (6, 3, "w2")
                both("decoder.layers.%d.moe.experts.%d.%s.weight" % (i, e, part), 1.5 if strong else 0.01 * (i == 4))
        both("decoder.layers.%d.norm.weight" % i, 0.0)
    b.append(("decoder.layers.7.gate.weight", "F32", [8], wave(8)))
    both("norm.weight")
    both("head.weight", 0.4)
    return a, b


def deep():
    """300 layers, more than a screen has columns; in one of them something changed."""
    a, b = [], []
    for i in range(300):
        for part in ("attn.q", "mlp.up"):
            name = "h.%d.%s.weight" % (i, part)
            a.append((name, "F32", [4], wave(4)))
            b.append((name, "F32", [4], wave(4, 0.3 if (i, part) == (217, "mlp.up") else 0)))
    return a, b


def matrix():
    rows, columns = 120, 300
    dense = [math.sin(r / 9.0) * math.cos(c / 23.0) for r in range(rows) for c in range(columns)]
    other = list(dense)
    for r in range(40, 60):
        for c in range(100, 150):
            other[r * columns + c] += 0.25 * math.sin((r - 40) / 20.0 * math.pi)
    for r in range(80, 90):
        for c in range(200, 280):
            other[r * columns + c] -= 0.125
    other[77 * columns + 211] += 2
    dense[3 * columns + 5] = other[3 * columns + 5] = math.nan
    conv = [((i * 37) % 101 - 50) / 50.0 for i in range(8 * 6 * 3 * 3)]
    small = [i / 4.0 - 3 for i in range(24)]
    big = [2 ** 62 + i for i in range(15)]
    a = [("dense", "F32", [rows, columns], dense), ("conv", "F32", [8, 6, 3, 3], conv),
         ("vector", "F32", [1000], wave(1000)), ("small", "F32", [4, 6], small), ("codes", "I64", [3, 5], big),
         ("halves", "F16", [16, 16], wave(256)), ("one", "F32", [], [2.5]), ("empty", "F32", [0, 3], []),
         ("shape", "F32", [6, 4], small), ("gone", "F32", [2, 3], small[:6])]
    b = [("dense", "F32", [rows, columns], other), ("conv", "F32", [8, 6, 3, 3], [x * 1.1 for x in conv]),
         ("vector", "F32", [1000], wave(1000, 0.01)), ("small", "F32", [4, 6], small[:-1] + [100.0]),
         ("codes", "I64", [3, 5], [big[0] + 1] + big[1:]), ("halves", "F32", [16, 16], wave(256)),
         ("one", "F32", [], [2.75]), ("empty", "F32", [0, 3], []), ("shape", "F32", [4, 6], small)]
    return a, b


def quant():
    """Random codes under plain scales: Q4_0, Q8_0, Q4_K, Q6_K and F16. In B a few bytes differ."""
    state = [20240607]

    def byte():
        state[0] = (state[0] * 1664525 + 1013904223) & 0xffffffff
        return state[0] >> 24

    def half(x):
        return struct.pack("<e", x)

    def block(kind):
        some = bytes(byte() for _ in range(256))
        if kind == "q4_0":
            return half(0.05) + some[:16]
        if kind == "q8_0":
            return half(0.01) + some[:32]
        if kind == "q4_k":
            return half(0.002) + half(0.001) + some[:140]
        if kind == "q6_k":
            return some[:208] + half(0.0005)
        return b"".join(half(x / 256 - 0.5) for x in some)

    # name, ggml's number of the type, elements of a block, blocks
    kinds = (("q4_0", 2, 32, 8), ("q8_0", 8, 32, 8), ("q4_k", 12, 256, 2), ("q6_k", 14, 256, 2), ("f16", 1, 256, 1))
    a = [(name, number, n, blocks, b"".join(block(name) for _ in range(blocks))) for name, number, n, blocks in kinds]
    b = []
    for name, number, n, blocks, data in a:
        other = bytearray(data)
        other[20] ^= 0x11
        other[len(other) // 2 + 7] ^= 0x42
        b.append((name, number, n, blocks, bytes(other)))
    return a, b


def write_gguf(path, tensors):
    def text(s):
        return struct.pack("<Q", len(s)) + s.encode()

    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 1) + text("general.architecture") + struct.pack("<I", 8) + text("none")
    data = b""
    for name, number, n, blocks, raw in tensors:
        head += text("blk.0.%s.weight" % name) + struct.pack("<IQQIQ", 2, n, blocks, number, len(data))
        data += raw + b"\0" * (-len(raw) % 32)
    with open(path, "wb") as f:
        f.write(head + b"\0" * (-len(head) % 32) + data)


def npy(kind, shape, fortran, raw):
    head = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (kind, fortran, shape)
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head.encode() + raw


def deflated():
    """Deflated: floats, big-endian integers, complex numbers, an array in Fortran's order."""
    values, other = wave(60 * 50), wave(60 * 50, 0.05)
    turned = [values[r * 50 + c] for c in range(50) for r in range(60)]
    for floats in (values, other):
        yield {"floats": npy("<f4", (60, 50), False, struct.pack("<3000f", *floats)),
               "fortran": npy("<f4", (60, 50), True, struct.pack("<3000f", *turned)),
               "big": npy(">i4", (6, 5), False, struct.pack(">30i", *range(-10, 20))),
               "complex": npy("<c8", (4, 3), False, struct.pack("<24f", *floats[:24]))}


def write_npz(path, arrays):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in arrays.items():
            z.writestr(zipfile.ZipInfo(name + ".npy", (2024, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def main(out):
    for name, pair in (("moe", moe()), ("deep", deep()), ("matrix", matrix())):
        for side, tensors in zip("ab", pair):
            write("%s/screen-%s-%s.safetensors" % (out, name, side), tensors)
    for side, tensors in zip("ab", quant()):
        write_gguf("%s/screen-quant-%s.gguf" % (out, side), tensors)
    for side, arrays in zip("ab", deflated()):
        write_npz("%s/screen-deflated-%s.npz" % (out, side), arrays)


if __name__ == "__main__":
    main(sys.argv[1])
