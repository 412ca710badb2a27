"""Every value of every block type, to the bit, on random blocks and on blocks with extreme scales. timeout: 120"""
import os
import sys

sys.dont_write_bytecode = True

import numpy as np

import blocks
import check
import weightfiles as wf

rng = np.random.default_rng(20240301)
# 0, the smallest and largest subnormal, the smallest normal, 1, the largest, infinity, three NaN; and their negatives
HALVES = np.array([0, 1, 0x3FF, 0x400, 0x3C00, 0x7BFF, 0x7C00, 0x7C01, 0x7E00, 0x7FFF], np.uint16)
HALVES = np.concatenate([HALVES, HALVES | 0x8000]).astype("<u2").view("<f2")
BYTES = np.array([0, 1, 2, 7, 8, 126, 127, 128, 129, 252, 253, 254, 255], np.uint8)  # of E8M0 and E4M3 scales
SINGLES = np.array([0, 1, 0x7FFFFF, 0x800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000], np.uint32)


def random_blocks(kind, n):
    return rng.integers(0, 256, (n, blocks.TYPES[kind][2]), np.uint8)


def extreme_blocks(kind, n):
    b = random_blocks(kind, n)
    blocks.set_scales(kind, b, lambda count: rng.choice(HALVES, count), lambda count: rng.choice(BYTES, count))
    if blocks.TYPES[kind][3] == "f32":
        singles = rng.choice(np.concatenate([SINGLES, SINGLES | 0x80000000]), n).astype("<u4")
        b[n // 2:, :4] = singles.view(np.uint8).reshape(-1, 4)[n // 2:]
    b[::5, :] = np.where(np.isin(np.arange(b.shape[1]), scale_bytes(kind)), b[::5, :], rng.choice([0, 255], (len(b[::5]), 1)))
    return b


def scale_bytes(kind):
    where = blocks.TYPES[kind][3]
    if where == "f32":
        return range(4)
    if where == "m":
        return range(49, 56, 2)
    return range(where) if isinstance(where, int) else [at + i for at in where for i in (0, 1)]


def number(shown):
    return {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}[shown] if isinstance(shown, str) else float(shown)


def check_values(path, name, kind, raw):
    doc, status, said = check.run("show", "-o", "json", path, name)
    if doc is None or status:
        check.ok(False, f"values of {name}", [said])
        return
    got = np.array([number(x) for row in doc["tensors"][0]["values"] for x in row], np.float64)
    want = wf.decode(kind, raw)
    if len(got) != len(want):
        check.ok(False, f"values of {name}", [f"{len(got)} values, want {len(want)}"])
        return
    same = (got.view(np.uint64) == want.view(np.uint64)) | np.isnan(got) & np.isnan(want)
    bad = np.flatnonzero(~same)
    check.ok(not len(bad), f"{len(got)} values of {name}", [f"element {i} is {got[i]!r}, want {want[i]!r}" for i in bad[:4]])


def check_big(folder, tensors):
    """A big-endian file of a type that ggml's converter refuses: how it would look is not known."""
    refused = {n: t for n, t in tensors.items() if t[0] not in blocks.SWAPPED}
    path = os.path.join(folder, "big.gguf")
    wf.write_gguf(path, refused, big=True, swap=False)
    doc, status, said = check.run("stats", "-o", "json", path)
    faults = check.Faults()
    faults.same("exit status", status, 2)
    for name, (kind, _, _) in refused.items():
        message = f"not decoded: big-endian {kind}"
        if not any(e.get("tensor") == name and message in e["message"] for e in doc["errors"]):
            faults.append(f"{name}: {message!r} is not among the errors")
    check.ok(not faults, f"{len(refused)} block types are not decoded from a big-endian file", faults)


def main():
    folder, small = os.getcwd(), {}
    for kind, (_, n, _, _, _) in blocks.TYPES.items():
        rows = 600 if n == 256 else 1000
        parts = {"random": random_blocks(kind, rows), "extreme": extreme_blocks(kind, rows // 2)}
        tensors = {f"{kind}.{name}": (kind, (len(b), n), b.tobytes()) for name, b in parts.items()}
        path = os.path.join(folder, kind + ".gguf")
        wf.write_gguf(path, tensors)
        for name, (_, _, raw) in tensors.items():
            check_values(path, name, kind, raw)
        small[kind] = (kind, (1, n), parts["random"][:1].tobytes())
    check_big(folder, small)
    check.end()


if __name__ == "__main__":
    main()
