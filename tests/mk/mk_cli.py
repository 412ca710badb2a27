"""Small models for the tests of the command line: $FIXTURES/cli. No number here depends on a random generator or on
the C library, so the golden files hold everywhere."""
import json
import os
import struct
import sys

import numpy as np


def ramp(n, step, start=0.0):
    """Multiples of a power of two: exact in every type that is used here."""
    return (np.arange(n, dtype=np.float64) % 64 - 31) * step + start


def safetensors(path, tensors, metadata=None):
    names = {np.dtype(np.float16): "F16", np.dtype(np.float32): "F32", np.dtype(np.float64): "F64",
             np.dtype(np.int64): "I64", np.dtype(np.uint8): "U8", np.dtype(np.bool_): "BOOL"}
    head, data = {}, b""
    if metadata:
        head["__metadata__"] = metadata
    for name, x in tensors:
        raw = np.ascontiguousarray(x).tobytes()
        head[name] = {"dtype": names[x.dtype], "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def gguf(path, tensors, metadata=(), cut=0):
    """tensors: (name in bytes, shape fastest first, type number, data); cut: bytes missing at the end."""
    def text(b):
        return struct.pack("<Q", len(b)) + b

    out, data = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata)), b""
    for key, kind, raw in metadata:
        out += text(key) + struct.pack("<I", kind) + raw
    for name, shape, kind, raw in tensors:
        out += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", d) for d in shape)
        out += struct.pack("<IQ", kind, len(data))
        data += raw + bytes(-len(raw) % 32)
    out += bytes(-len(out) % 32)
    whole = out + data
    with open(path, "wb") as f:
        f.write(whole[:len(whole) - cut])


def pair(folder):
    w = ramp(8 * 6, 0.125).reshape(8, 6)
    special = np.array([0, -0.0, 1.5, np.nan, np.inf, -np.inf, -2, 3], np.float32)
    big = np.array([2**53, 2**53 + 1, -2**63, 2**63 - 1], np.int64)
    a = [("embed.weight", ramp(64, 0.5).astype(np.float32).reshape(16, 4)),
         ("layers.0.attn.weight", w.astype(np.float32)), ("layers.0.attn.bias", ramp(6, 0.25).astype(np.float32)),
         ("layers.0.norm.weight", np.ones(6, np.float16)),
         ("layers.1.attn.weight", (w * 2).astype(np.float32)), ("layers.1.attn.bias", ramp(6, 1.0).astype(np.float32)),
         ("layers.1.norm.weight", np.ones(6, np.float16)),
         ("layers.10.attn.weight", (w * 4).astype(np.float32)),
         ("special", special), ("big", big), ("mask", np.array([True, False, True])),
         ("old", np.zeros((2, 2), np.float32)), ("scalar", np.float32(0.1) * np.ones((), np.float32)),
         ("empty", np.zeros((0, 4), np.float32))]
    b = dict(a)
    b["layers.0.attn.weight"] = (w + (np.arange(48).reshape(8, 6) % 5 == 0) * 0.5).astype(np.float32)
    b["layers.0.attn.bias"] = b["layers.0.attn.bias"] + np.float32(2**-20)
    b["layers.1.norm.weight"] = np.ones(6, np.float32)
    b["layers.10.attn.weight"] = (w * 4).astype(np.float32).reshape(6, 8)
    b["special"] = np.array([-0.0, 0, 1.5, np.nan, np.inf, np.nan, -2, 4], np.float32)
    b["big"] = np.array([2**53, 2**53, -2**63, 2**63 - 1], np.int64)
    del b["old"]
    b["new"] = ramp(4, 1.0).astype(np.float64)
    meta = {"format": "pt", "license": "mit", "general.version": "1.0", "note": "a\tb\x1b[31mred"}
    safetensors(folder + "/a.safetensors", a, meta)
    safetensors(folder + "/twin.safetensors", a, meta)
    safetensors(folder + "/b.safetensors", list(b.items()), {"format": "pt", "license": "apache-2.0", "added": "yes",
                                                             "note": "a\tb\x1b[31mred"})
    safetensors(folder + "/meta.safetensors", a, dict(meta, license="gpl-3.0"))
    safetensors(folder + "/near.safetensors",
                [(n, x + np.float32(2**-20) if n == "layers.0.attn.bias" else x) for n, x in a], meta)


def q8_0(x, codes):
    """Scale 1: whole numbers."""
    b = np.zeros((len(x) // 32, 34), np.uint8)
    b[:, 1] = 0x3C
    b[:, 2:] = codes.astype(np.int8).view(np.uint8).reshape(-1, 32)
    return b.tobytes()


def ladder(folder):
    """Pairs on the rungs between equal and changed: rounded, quantised, and both with one element that is not."""
    x = (ramp(256, 0.75) + 2.0**-15).astype(np.float32)
    wide = [(n, x.reshape(8, 32)) for n in ("layers.0.a", "layers.0.b", "layers.1.a", "layers.1.b")]
    half = x.astype(np.float16).reshape(8, 32)
    safetensors(folder + "/wide.safetensors", wide)
    safetensors(folder + "/half.safetensors", [(n, half) for n, _ in wide])
    off = half.copy()
    off[3, 4] = 1000
    safetensors(folder + "/off.safetensors", [(n, off if n == "layers.1.b" else half) for n, _ in wide])
    big = x.reshape(8, 32) * np.float32(4096)
    with np.errstate(over="ignore"):
        mixed = [half, np.trunc(x).astype(np.int64).reshape(8, 32), big.astype(np.float16), x.reshape(8, 32)]
    safetensors(folder + "/mixed.safetensors", [(n, m) for (n, _), m in zip(wide, mixed)])
    safetensors(folder + "/big.safetensors", [(n, big if n == "layers.1.a" else y) for n, y in wide])
    codes = np.rint(x)
    shape = [32, 8]
    gguf(folder + "/blocks.gguf", [(n.encode(), shape, 8, q8_0(x, codes)) for n, _ in wide])
    one, many = codes.copy(), codes.copy()
    one[100] += 2
    many[100:110] += 2
    gguf(folder + "/fewoff.gguf", [(n.encode(), shape, 8, q8_0(x, c)) for (n, _), c in zip(wide, (codes, one, many, codes))])


def odd_names(folder):
    x = ramp(32, 1.0).astype("<f4").tobytes()
    gguf(folder + "/odd.gguf", [
        (b"plain", [32], 0, x), (b"\x1b[2J\x1b]0;title\x07.red", [32], 0, x), (b"not\xffutf-8\xc3", [32], 0, x),
        ("größe.übung".encode(), [32], 0, x), (b"two\nlines\ttab", [32], 0, x), ("\u202egnp.bidi".encode(), [32], 0, x),
        (b'comma, "quote" | bar', [32], 0, x), (b"brackets[0:2]", [32], 0, x), (b"", [32], 0, x), (b"nul\0inside", [32], 0, x),
    ])


def undecoded_and_broken(folder):
    x = ramp(256, 0.25).astype("<f4").tobytes()
    q4 = bytes(range(160))  # Q4_2, type 4, which was removed: 256 elements in 160 bytes
    meta = [(b"general.architecture", 8, struct.pack("<Q", 4) + b"test"), (b"general.license", 8, struct.pack("<Q", 3) + b"mit"),
            (b"tokens", 9, struct.pack("<IQ", 4, 40) + b"".join(struct.pack("<I", i) for i in range(40))),
            (b"seed", 10, struct.pack("<Q", 2**64 - 1)), (b"rope", 6, struct.pack("<f", 0.1))]
    tensors = [(b"ok", [256], 0, x)] + [(b"packed.%d" % i, [256], 4, q4) for i in range(8)]
    gguf(folder + "/undecoded.gguf", tensors, meta)
    gguf(folder + "/undecoded2.gguf", tensors[:-1] + [(b"packed.7", [256], 4, q4[::-1])], meta)
    gguf(folder + "/broken.gguf", [(b"ok", [256], 0, x), (b"gone", [256], 0, x)], cut=512)


def renamed(folder):
    """What exact names do not pair: what is to be found again, and what only looks as if."""
    def f32(shape, step, start=0.0):
        return ramp(int(np.prod(shape)), step, start).astype(np.float32).reshape(shape)

    old = [("0.0.weight", f32((4, 6), 0.5)), ("1.0.weight", f32((1, 4), 0.25)), ("1.0.bias", f32((1,), 0.25)),
           ("Conv_1.gain", f32((7,), 0.125)),         # alike but for its letters
           ("fc.weight", f32((5, 4), 0.5, 3)),        # content
           ("table.sin", f32((300, 9), 0.5)),         # longer than what is looked at
           ("zero.a", np.zeros(9, np.float32)),       # zeros are like zeros, and no more than that
           ("p.q.w", f32((3, 2), 0.5)),               # two to choose from
           ("one.twin", f32((8,), 0.5)), ("two.twin", f32((8,), 0.5)), # two of one content
           ("layers.3.bias", f32((5,), 0.5)),         # another number, another tensor
           ("k.m.v", f32((2, 3), 1.0))]               # another shape
    new = [("0.0.weight", f32((4, 6), 0.5)), ("1.weight", f32((1, 4), 0.5)), ("1.bias", f32((1,), 0.5)),
           ("conv1.gain", f32((7,), 0.25)), ("head.kernel", f32((5, 4), 0.5, 3)), ("rope.cache", f32((300, 9), 0.5)),
           ("nil.z", np.zeros(9, np.float32)), ("p.w", f32((3, 2), 0.25)), ("q.w", f32((3, 2), 2.0)),
           ("three.pair", f32((8,), 0.5)), ("layers.4.bias", f32((5,), 0.25)), ("k.v", f32((3, 2), 4.0))]
    safetensors(folder + "/old_names.safetensors", old)
    safetensors(folder + "/new_names.safetensors", new)
    safetensors(folder + "/all_renamed.safetensors", [("fc.weight", old[4][1])])
    safetensors(folder + "/all_renamed2.safetensors", [("head.kernel", old[4][1])])
    inner = [("a.w", f32((2, 3), 0.5)), ("a.b", f32((3,), 0.5)), ("c.w", f32((4, 2), 0.5))]
    safetensors(folder + "/bare.safetensors", inner)
    safetensors(folder + "/wrapped.safetensors",
                [("base.model.module." + n, x.reshape(-1) if n == "c.w" else x) for n, x in inner] +
                [("base.extra.w", f32((2, 3), 1.0))])
    halves = [(half + "." + n, x * k) for k, half in enumerate(("encoder", "decoder"), 1) for n, x in inner]
    safetensors(folder + "/halves.safetensors", [(n, x.astype(np.float32) + np.float32(7)) for n, x in halves])


def larger(folder):
    """Some chunks of the pool's, so that threads have something to do in any order."""
    n = 700001
    x = ((np.arange(n, dtype=np.int64) * 7919) % 65521 - 32760).astype(np.float32) / np.float32(4096)
    np.save(folder + "/large1.npy", x)
    x[::3] += np.float32(0.0078125)
    np.save(folder + "/large2.npy", x)


def others(folder):
    open(folder + "/nothing.gguf", "wb").close()
    with open(folder + "/text.txt", "w") as f:
        f.write("not a weight file\n")
    os.makedirs(folder + "/hollow", exist_ok=True)


if __name__ == "__main__":
    where = sys.argv[1] + "/cli"
    os.makedirs(where, exist_ok=True)
    for make in (pair, ladder, odd_names, undecoded_and_broken, renamed, larger, others):
        make(where)
