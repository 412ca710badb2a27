"""Packed tensors for the tests of the command line and of the screen: $FIXTURES/packs. Codes count up and scales are
powers of two, so that every value is a short number."""
import json
import os
import struct
import sys

import numpy as np

NAMES = {"<i4": "I32", "<f2": "F16", "<f4": "F32", "|u1": "U8", "<u4": "U32", "<i8": "I64"}


def save(path, tensors):
    head, data = {}, b""
    for name, x in tensors.items():
        kind, x = x if isinstance(x, tuple) else (NAMES[x.dtype.str], x)
        raw = np.ascontiguousarray(x).tobytes()
        head[name] = {"dtype": kind, "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def nibbles(q):
    """Eight to a 32-bit word, along the last dimension."""
    eight = q.reshape(*q.shape[:-1], -1, 8).astype(np.uint32)
    return (eight << np.arange(0, 32, 4, dtype=np.uint32)).sum(-1, dtype=np.uint32)


def gptq(k, n, groups, index):
    q = (np.arange(k)[:, None] + 3 * np.arange(n)) % 16
    out = {"proj.qweight": nibbles(q.T).T.astype("<i4"),
           "proj.qzeros": nibbles(np.full((groups, n), 7)).astype("<i4"),
           "proj.scales": (0.5 ** (1 + np.arange(groups)[:, None] + np.zeros(n))).astype("<f2"),
           "proj.bias": np.zeros(n, "<f2")}
    if index is not None:
        out["proj.g_idx"] = index.astype("<i4")
    group = np.arange(k) // (k // groups) if index is None else index
    return out, ((q - 8) * 0.5 ** (1 + group[:, None])).T.astype("<f4")


def main(folder):
    folder = os.path.join(folder, "packs")
    os.makedirs(folder, exist_ok=True)
    at = lambda name: os.path.join(folder, name)
    tensors, weight = gptq(64, 16, 2, np.arange(64) // 32)
    save(at("gptq.safetensors"), tensors)
    save(at("plain.safetensors"), {"proj.weight": weight, "proj.bias": np.zeros(16, "<f4")})
    tensors["proj.scales"] = tensors["proj.scales"].copy()
    tensors["proj.scales"][1, 3] *= 2
    save(at("gptq2.safetensors"), tensors)
    tensors["proj.g_idx"] = tensors["proj.g_idx"].copy()
    tensors["proj.g_idx"][5] = 2
    save(at("broken.safetensors"), tensors)
    # the same values by other codes: twice the code under half the scale
    code = (np.arange(32 * 8) % 64).reshape(32, 8).astype(np.uint8)
    for name, q, scale in (("one", code, 0.5), ("two", 2 * code, 0.25)):
        save(at(name + ".safetensors"), {"a.weight": ("I8", q), "a.weight_scale": np.array([scale], "<f4")})
    words = nibbles(np.arange(4 * 64).reshape(4, 64) % 16).astype("<u4")
    unclear = {}
    for name in ("a", "b", "c"):
        unclear.update({name + ".weight": words, name + ".scales": np.ones((4, 1), "<f2"),
                        name + ".biases": np.zeros((4, 1), "<f2")})
    save(at("unclear.safetensors"), unclear)


if __name__ == "__main__":
    main(sys.argv[1])
