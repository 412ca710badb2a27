"""Files of every type but ggml's blocks, with values that are hard on sums, against exact references. timeout: 180"""
import os
import struct
import sys

sys.dont_write_bytecode = True

import numpy as np

import blocks
import check
import weightfiles as wf

rng = np.random.default_rng(20240229)
FLOATS = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}


def to_bf16(x):
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2").tobytes()


def random_bytes(kind, n):
    return rng.integers(0, 256, wf.byte_count(kind, n), np.uint8).tobytes()


def block_bytes(kind, n, odd=False):
    """Random codes under sane scales; with odd, those of the first two blocks are infinite and NaN where they can be."""
    def halves(count):
        x = (rng.standard_normal(count) * 0.01).astype("<f2")
        if odd:
            x[:2] = np.inf, np.nan
        return x

    b = np.frombuffer(random_bytes(kind, n), np.uint8).reshape(-1, wf.BLOCKS[kind][1]).copy()
    blocks.set_scales(kind, b, halves, lambda count: rng.integers(100, 126, count, np.uint8))
    return b.tobytes()


def typical(kind, n):
    x = rng.standard_normal(n) * 0.02
    if kind in FLOATS:
        return x.astype(FLOATS[kind]).tobytes()
    if kind == "BF16":
        return to_bf16(x)
    if kind in wf.BLOCKS:
        return block_bytes(kind, n)
    if kind in ("C64", "C128"):
        return (x + 1j * rng.standard_normal(n)).astype(wf.PLAIN[kind]).tobytes()
    return random_bytes(kind, n)


def touched(kind, raw, n):
    """The same with some elements replaced; sometimes none."""
    unit = wf.BLOCKS[kind][1] if kind in wf.BLOCKS else max(1, wf.BITS[kind] // 8)
    a, b = (np.frombuffer(r, np.uint8).copy() for r in (raw, typical(kind, n)))
    if len(a) % unit or not len(a):
        return raw
    hit = rng.random(len(a) // unit) < 0.3
    a.reshape(-1, unit)[hit] = b.reshape(-1, unit)[hit]
    return a.tobytes()


def hard_floats(kind):
    """Float64 arrays that lose digits in naive sums; those that fit the type."""
    n = 9000
    noise = rng.standard_normal(n)
    out = {"mean_above": 1000 + noise * 1e-3, "outlier": np.where(np.arange(n) == 4711, 1e30, 1.0),
           "constant": np.full(n, 0.1), "zeros": np.zeros(n), "minus_zeros": np.full(n, -0.0),
           "subnormal": rng.integers(-1000, 1000, n) * 2.0 ** -149, "skewed": np.exp(4 * noise)}
    out["cancelling"] = np.concatenate([noise, -noise, [2.0 ** -30]])
    special = noise.copy()
    special[::7], special[3::7], special[5::70], special[6::50] = np.nan, np.inf, -np.inf, -0.0
    out["special"] = special
    out["nothing_finite"] = np.array([np.nan, np.inf, -np.inf])
    if kind == "F64":
        out.update({"far_above": 1e9 + noise, "huge": noise * 1e300, "tiny": noise * 1e-300,
                    "subnormal_double": rng.integers(-99999, 99999, n) * 5e-324,
                    "both_ends": np.where(np.arange(n) % 2, noise * 1e200, noise * 1e-200),
                    "sum_overflows": np.full(n, 1.7e308), "spread": np.exp(noise * 100)})
    return out


def numbers(kind):
    """name -> (type, shape, bytes) for one type"""
    unit = wf.BLOCKS.get(kind, (0,))[0] or {"F4": 2, "F6_E2M3": 4, "F6_E3M2": 4}.get(kind, 1)
    out = {}
    for name, shape in (("matrix", (20, 8 * unit)), ("long", (2 * unit, 4500)) if unit < 32 else ("long", (40, 256)),
                        ("one", (unit,)), ("empty", (0, unit))):
        n = int(np.prod(shape))
        out[f"{kind}.{name}"] = (kind, shape, typical(kind, n))
    if unit == 1:
        out[f"{kind}.scalar"] = (kind, (), typical(kind, 1))
    if kind in FLOATS:
        for name, x in hard_floats(kind).items():
            with np.errstate(over="ignore"):
                out[f"{kind}.{name}"] = (kind, x.shape, x.astype(FLOATS[kind]).tobytes())
    if kind in wf.BLOCKS:
        out[f"{kind}.odd_scales"] = (kind, (8, 256), block_bytes(kind, 2048, odd=True))
    if kind in wf.COUNTED and unit == 1 and kind != "BOOL":
        codes = np.arange(1 << wf.BITS[kind]).astype("<u2" if wf.BITS[kind] == 16 else "<u1")
        out[f"{kind}.all_codes"] = (kind, codes.shape, codes.tobytes())
    return out


def second(tensors):
    return {name: (kind, shape, touched(kind, raw, int(np.prod(shape)))) for name, (kind, shape, raw) in tensors.items()}


def pair_of(folder, name, tensors, writer, suffix):
    a, b = os.path.join(folder, f"{name}-a{suffix}"), os.path.join(folder, f"{name}-b{suffix}")
    other = second(tensors)
    writer(a, tensors)
    writer(b, other)
    check.stats_of_file(a, tensors, f"stats {name}{suffix}")
    check.diff_of_files(a, b, tensors, other, f"diff {name}{suffix}")
    if name in ("F32", "F64", "I32", "I64", "Q4_K"):
        check.diff_of_files(a, b, tensors, other, f"diff --exact {name}{suffix}", options=["--exact", "-j", "2"])


def safetensors(folder):
    for kind in ("BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F16", "BF16", "F32", "F64", "C64",
                 "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4"):
        pair_of(folder, kind, numbers(kind), wf.write_safetensors, ".safetensors")


def other_names(folder):
    """Words for the same types that other writers of safetensors use."""
    path, kinds = os.path.join(folder, "names.safetensors"), {"FP4": "F4", "E8M0": "F8_E8M0", "UE8": "F8_E8M0"}
    data = {word: ((50, 4), random_bytes(kind, 200)) for word, kind in kinds.items()}
    wf.write_safetensors(path, {word: (word, *data[word]) for word in kinds})
    check.stats_of_file(path, {word: (kind, *data[word]) for word, kind in kinds.items()}, "stats FP4, E8M0 and UE8")


def gguf(folder, kinds):
    for kind in kinds:
        # the format has neither scalars nor empty tensors that a writer would make; blocks stand in rows
        tensors = {n: t for n, t in numbers(kind).items() if t[1] and 0 not in t[1]}
        pair_of(folder, kind, tensors, wf.write_gguf, ".gguf")
        if kind in ("F32", "F16", "BF16") or kind in blocks.SWAPPED:
            pair_of(folder, kind + "-big", tensors, lambda path, t: wf.write_gguf(path, t, big=True), ".gguf")


def numpy_arrays():
    out = {}
    for d in ("?", "<u1", "<i1", "<u2", ">i2", "<u4", ">i4", "<u8", ">u8", "<i8", ">i8", "<f2", ">f2", "<f4", ">f4",
              "<f8", ">f8", "<c8", ">c8", "<c16", ">c16"):
        kind = np.dtype(d)
        if kind.kind in "fc":
            x = rng.standard_normal((30, 7, 45)).astype(kind)
        else:
            x = rng.integers(0, 2 if d == "?" else 100, (30, 7, 45)).astype(kind)
        name = d.replace("<", "le_").replace(">", "be_").replace("?", "bool")
        out[name] = x
        out[name + "_fortran"] = np.asfortranarray(x)
    out["empty"], out["scalar"] = np.zeros((3, 0)), np.array(2.5)
    return out


def numpy_files(folder):
    arrays = numpy_arrays()
    other = {k: np.where(rng.random(x.shape) < 0.2, -x if x.dtype != bool else ~x, x).astype(x.dtype) for k, x in arrays.items()}
    other = {k: np.asfortranarray(x) if k.startswith(("le_f4", "be_f8")) else x for k, x in other.items()}
    a, b = ({k: wf.of_array(x) for k, x in s.items()} for s in (arrays, other))
    for label, save in (("stored", np.savez), ("deflated", np.savez_compressed)):
        paths = [os.path.join(folder, f"{label}-{side}.npz") for side in "ab"]
        for path, s in zip(paths, (arrays, other)):
            save(path, **s)
        check.stats_of_file(paths[0], a, f"stats {label}.npz")
        check.diff_of_files(*paths, a, b, f"diff {label}.npz")
        check.diff_of_files(*paths, a, b, f"diff --exact {label}.npz", options=["--exact", "-j", "2"])
    check.diff_of_files(os.path.join(folder, "stored-a.npz"), os.path.join(folder, "deflated-b.npz"), a, b,
                        "diff of stored and deflated", options=["-j", "3"])


def across_types(folder):
    """The same names in other types: values are compared, not bytes."""
    n = 5000
    x = (rng.standard_normal(n) * 0.02).astype("<f4")
    wide = rng.integers(-2 ** 63, 2 ** 63 - 1, n, np.int64)
    near = wide + (rng.random(n) < 0.2)
    tensors = {
        "bf16": (("F32", x.tobytes()), ("BF16", to_bf16(x))),
        "f16": (("F16", x.astype("<f2").tobytes()), ("F32", x.astype("<f2").astype("<f4").tobytes())),
        "f64": (("F32", x.tobytes()), ("F64", (x * 1.0000001).astype("<f8").tobytes())),
        "i64_near": (("I64", wide.tobytes()), ("I64", near.astype("<i8").tobytes())),
        "i64_f64": (("I64", wide.tobytes()), ("F64", wide.astype("<f8").tobytes())),
        "u64_i64": (("U64", wide.astype("<u8").tobytes()), ("I64", wide.tobytes())),
        "f32_i64": (("F32", (x * 1e20).tobytes()), ("I64", wide.tobytes())),
        "i8_f32": (("I8", random_bytes("I8", n)), ("F32", x.tobytes())),
        "complex": (("C64", (x + 1j).astype("<c8").tobytes()), ("F32", x.tobytes())),
        "fp8": (("F8_E4M3", random_bytes("F8_E4M3", n)), ("BF16", to_bf16(x))),
        "signs": (("F64", struct.pack("<8d", -1e-200, 1e-200, 0, -0.0, 1e308, np.nan, np.inf, 1)),
                  ("F64", struct.pack("<8d", 1e-200, -1e-200, -0.0, 0, -1e308, np.nan, np.inf, np.nan))),
    }
    a, b = ({k: (t[side][0], (len(t[side][1]) * 8 // wf.BITS[t[side][0]],), t[side][1]) for k, t in tensors.items()}
            for side in (0, 1))
    paths = [os.path.join(folder, f"types-{side}.safetensors") for side in "ab"]
    wf.write_safetensors(paths[0], a)
    wf.write_safetensors(paths[1], b)
    check.diff_of_files(*paths, a, b, "diff across types")
    check.diff_of_files(*paths, a, b, "diff across types, no distribution", distribution=False)
    check.diff_of_files(*paths, a, b, "diff --exact across types", options=["--exact"])
    q = {"q": ("Q8_0", (10, 512), block_bytes("Q8_0", 5120))}
    f = {"q": ("F32", (10, 512), wf.decode("Q8_0", q["q"][2]).astype("<f4").tobytes())}
    paths = [os.path.join(folder, "quantised.gguf"), os.path.join(folder, "plain.safetensors")]
    wf.write_gguf(paths[0], q)
    wf.write_safetensors(paths[1], f)
    check.diff_of_files(*paths, q, f, "diff of Q8_0 and its values in F32")


def main():
    folder = os.getcwd()
    safetensors(folder)
    other_names(folder)
    gguf(folder, [kind for kind in wf.GGML if kind not in wf.BLOCKS])
    numpy_files(folder)
    across_types(folder)
    check.end()


if __name__ == "__main__":
    main()
