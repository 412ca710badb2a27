"""The rungs between equal and changed: pairs made by NumPy's and PyTorch's casts, by tables of all numbers of a type and by
the formulas of block quantisation; and near misses, one code off. timeout: 120"""
import os
import sys

sys.dont_write_bytecode = True

import numpy as np

import check
import quantise
import weightfiles as wf

rng = np.random.default_rng(20240301)
np.seterr(all="ignore")
EVEN, ZERO, AWAY, TWICE = "nearest even", "toward zero", "nearest, ties away from zero", "nearest even by way of F32"
SHAPE = (64, 256)
N = SHAPE[0] * SHAPE[1]


class Pairs:
    """Tensors of two files, and what is expected of each pair."""

    def __init__(self):
        self.a, self.b, self.want = {}, {}, {}

    def add(self, name, a, b, status, **relation):
        """a, b: (type, bytes)"""
        self.a[name], self.b[name] = ((kind, SHAPE, raw) for kind, raw in (a, b))
        self.want[name] = (status, relation)

    def both_ways(self, name, a, b, status, **relation):
        self.add(name, a, b, status, direction="a to b", **relation)
        self.add(name + ".reverse", b, a, status, direction="b to a", **relation)

    def check(self, label, writer, suffix):
        paths = [f"{label}-{side}.{suffix}".replace(" ", "_") for side in "ab"]
        writer(paths[0], self.a)
        writer(paths[1], self.b)
        doc, status, said = check.run("diff", "-o", "json", *paths)
        if doc is None or status != 1:
            check.ok(False, label, [f"exit status {status}: {said}"])
            return
        got = {t["a"]: t for t in doc["tensors"]}
        for name, (want, relation) in self.want.items():
            check.ok(*judge(got[name], want, relation, f"{label} {name}"))
        counts = {s: sum(w[0] == s for w in self.want.values()) for s in ("identical", "equal", "cast", "quantised", "changed")}
        faults = [f"{s}: {doc['summary'][s]}, want {n}" for s, n in counts.items() if doc["summary"][s] != n]
        check.ok(not faults, f"{label}: the counts of the summary", faults)


def judge(t, status, relation, label):
    faults = [] if t["status"] == status else [f"status is {t['status']}, want {status}"]
    got = t.get(status, {})
    for key, value in relation.items():
        if callable(value):
            faults += [] if key in got and value(got[key]) else [f"{key} is {got.get(key)}"]
        elif got.get(key) != value:
            faults.append(f"{key} is {got.get(key)!r}, want {value!r}")
    return not faults, label, faults


# ---- casts ----

def normal():
    x = (rng.standard_normal(N) * 0.02).astype("<f4")
    x[:4] = 1 + 2.0 ** -8, 1 + 3 * 2.0 ** -8, 1 + 2.0 ** -11, 1 + 3 * 2.0 ** -11 # ties of BF16 and of F16
    return x


def anything():
    """Every exponent, ties of 16-bit types, zeros of both signs, infinities and NaN of any payload."""
    bits = rng.integers(0, 1 << 32, N, dtype=np.uint64).astype(np.uint32)
    bits[::3] = bits[::3] >> 13 << 13 | 1 << 12 # ties of F16
    bits[1::5] = bits[1::5] >> 16 << 16 | 1 << 15 # and of BF16
    x = bits.view("<f4").copy()
    x[:6] = 0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan
    x[6:400] = rng.standard_normal(394) * 2.0 ** -24 # subnormals of F16
    return x


def bf16(x, how):
    b = x.view(np.uint32).astype(np.uint64)
    up = {EVEN: 0x7FFF + (b >> 16 & 1), AWAY: 0x8000, ZERO: 0}[how]
    out = ((b + up) >> 16).astype("<u2")
    return np.where(np.isnan(x), 0x7FC1, out).astype("<u2").tobytes()


def small(kind, x, how=EVEN, saturate=False):
    """By search in the table of all its numbers; tie to even codes. Where the type has no such value: NaN, or the end."""
    table = np.array([wf.SMALL[kind](c) for c in range(1 << wf.BITS[kind])])
    half = len(table) // 2
    magnitudes = [v for v in table[:half] if np.isfinite(v)]
    nan = next((c for c, v in enumerate(table) if np.isnan(v)), None)
    inf = next((c for c, v in enumerate(table) if v == np.inf), None)
    step = magnitudes[-1] - magnitudes[-2]
    grid = np.array(magnitudes + [magnitudes[-1] + step])
    size = np.abs(x.astype(np.float64))
    hi = np.clip(np.searchsorted(grid, size), 1, len(grid) - 1)
    lo = hi - 1
    mid = (grid[lo] + grid[hi]) / 2
    code = np.where(size == grid[hi], hi, lo) if how == ZERO else \
        np.where((size > mid) | ((size == mid) & (hi % 2 == 0)), hi, lo)
    over = (code == len(grid) - 1) | (size > grid[-1])
    beyond = len(magnitudes) - 1 if saturate or (nan is None and inf is None) or how == ZERO else inf if inf is not None else nan
    code = np.where(over, beyond, code)
    code = np.where(np.isinf(x), inf if inf is not None and not saturate else nan if nan is not None and not saturate else
                    len(magnitudes) - 1, code)
    minus_zero_is_nan = nan == half
    signed = code + half * (np.signbit(x) & ~((code == 0) & minus_zero_is_nan) & (code != nan))
    signed = np.where(np.isnan(x), nan if nan is not None else 0, signed)
    return pack(kind, signed.astype(np.uint8))


def pack(kind, codes):
    if wf.BITS[kind] == 8:
        return codes.tobytes()
    bits = np.unpackbits(codes[:, None], axis=1, bitorder="little")[:, :wf.BITS[kind]]
    return np.packbits(bits.reshape(-1), bitorder="little").tobytes()


def one_off(raw, size, at=4321):
    """The code of one element is another."""
    codes = np.frombuffer(raw, f"<u{size}").copy()
    codes[at] += 1
    return codes.tobytes()


def casts_to_16_bits(p):
    for name, x in (("normal", normal()), ("anything", anything())):
        a = ("F32", x.tobytes())
        p.both_ways(f"f16.{name}", a, ("F16", x.astype("<f2").tobytes()), "cast", rounding=EVEN)
        for how in (EVEN, ZERO, AWAY):
            key = {EVEN: "even", ZERO: "zero", AWAY: "away"}[how]
            p.both_ways(f"bf16.{key}.{name}", a, ("BF16", bf16(x, how)), "cast", rounding=how)
    x = normal()
    a = ("F32", x.tobytes())
    for kind, raw in (("F16", x.astype("<f2").tobytes()), ("BF16", bf16(x, EVEN)), ("BF16", bf16(x, ZERO))):
        p.add(f"near.{kind}.{len(p.want)}", a, (kind, one_off(raw, 2)), "changed")
    mixed = np.where(rng.random(N) < 0.5, *(np.frombuffer(bf16(x, how), "<u2") for how in (EVEN, ZERO))).astype("<u2")
    p.add("stochastic", a, ("BF16", mixed.tobytes()), "changed")
    a16 = x.astype("<f2")
    p.both_ways("f16 to bf16", ("F16", a16.tobytes()), ("BF16", bf16(a16.astype("<f4"), EVEN)), "cast", rounding=EVEN)
    wide = anything()
    b16 = np.frombuffer(bf16(wide, ZERO), "<u2")
    as32 = (b16.astype(np.uint32) << 16).view("<f4")
    p.both_ways("bf16 to f16", ("BF16", b16.tobytes()), ("F16", as32.astype("<f2").tobytes()), "cast", rounding=EVEN,
                became="infinity")
    flushed = np.where(np.abs(wide) < 2.0 ** -14, 0, wide).astype("<f2")
    p.add("flushed", ("F32", wide.tobytes()), ("F16", flushed.tobytes()), "cast", rounding=EVEN, flushed=lambda n: n > 100)
    some = flushed.copy()
    some[300] = 2.0 ** -24
    x = wide.copy()
    x[300] = 2.0 ** -24
    p.add("flushed but one", ("F32", x.tobytes()), ("F16", some.tobytes()), "changed")
    p.add("nan to 0", ("F32", wide.tobytes()), ("F16", np.where(np.isnan(wide), 0, wide).astype("<f2").tobytes()), "changed")


def casts_from_f64(p):
    x = rng.standard_normal(N) * np.exp2(rng.integers(-300, 300, N))
    x[:4] = np.nan, np.inf, -np.inf, -0.0
    a = ("F64", x.astype("<f8").tobytes())
    p.both_ways("f64 to f32", a, ("F32", x.astype("<f4").tobytes()), "cast", rounding=EVEN, became="infinity")
    p.both_ways("f64 to f16", a, ("F16", x.astype("<f2").tobytes()), "cast", rounding=EVEN)
    p.add("f64 to f32, near", a, ("F32", one_off(x.astype("<f4").tobytes(), 4)), "changed")
    y = 1 + rng.random(N)
    y[::2] = np.float32(y[::2]).view(np.uint32).astype(np.uint64).astype(np.float64) * 0 + 1 + 2.0 ** -8 + 2.0 ** -40
    p.both_ways("f64 to bf16 by way of f32", ("F64", y.tobytes()), ("BF16", bf16(y.astype("<f4"), EVEN)), "cast",
                rounding=TWICE)


def write_npz(path, tensors):
    np.savez(path, **{name: np.frombuffer(raw, wf.PLAIN[kind]).reshape(shape) for name, (kind, shape, raw) in tensors.items()})


def complex_numbers(p):
    c = rng.standard_normal(N) + 1j * rng.standard_normal(N)
    a, half = ("C128", c.astype("<c16").tobytes()), c.astype("<c8")
    p.both_ways("c128 to c64", a, ("C64", half.tobytes()), "cast", rounding=EVEN)
    half.view("<f4")[77] = np.nextafter(half.view("<f4")[77], np.float32(9))
    p.add("c128 to c64, near", a, ("C64", half.tobytes()), "changed")
    p.add("c128 to its real parts", a, ("F64", c.real.astype("<f8").tobytes()), "changed")


def casts_to_integers(p):
    x = rng.standard_normal(N) * 1000
    x[::16] = np.trunc(x[::16]) + 0.5
    a = ("F64", x.tobytes())
    p.both_ways("f64 to i32, truncated", a, ("I32", x.astype("<i4").tobytes()), "cast", rounding=ZERO)
    p.both_ways("f64 to i32, rounded", a, ("I32", np.rint(x).astype("<i4").tobytes()), "cast", rounding=EVEN)
    p.add("f64 to i8, saturated", a, ("I8", np.clip(np.rint(x), -128, 127).astype("<i1").tobytes()), "cast", rounding=EVEN,
          became="largest", out_of_range=int((np.rint(x) != np.clip(np.rint(x), -128, 127)).sum()))
    p.add("f64 to i8, wrapped", a, ("I8", np.rint(x).astype("<i4").astype("<i1").tobytes()), "changed")
    i = rng.integers(-2 ** 40, 2 ** 40, N)
    p.both_ways("i64 to f32", ("I64", i.astype("<i8").tobytes()), ("F32", i.astype("<f4").tobytes()), "cast", rounding=EVEN)


def casts_to_small_floats(p):
    for kind in ("F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F6_E2M3", "F6_E3M2", "F4"):
        bytewise = wf.BITS[kind] == 8
        x = (rng.standard_normal(N) * 2.0 ** rng.integers(-9, 9, N)).astype("<f4")
        x[:] = np.where(rng.random(N) < 0.1, np.ldexp(rng.integers(-31, 32, N), rng.integers(-9, 5, N)), x)
        if bytewise:
            x[:4] = np.nan, 0.0, -0.0, 1e9
            x[4:6] = np.inf, -np.inf
        a = ("F32", x.tobytes())
        raw = small(kind, x)
        end = "largest" if not bytewise else "infinity" if kind == "F8_E5M2" else "nan"
        p.both_ways(f"f32 to {kind}", a, (kind, raw), "cast", rounding=EVEN, became=end)
        p.add(f"f32 to {kind}, truncated", a, (kind, small(kind, x, ZERO)), "cast", rounding=ZERO)
        if bytewise:
            p.add(f"f32 to {kind}, saturated", a, (kind, small(kind, x, saturate=True)), "cast", rounding=EVEN,
                  became="largest")
            p.add(f"f32 to {kind}, near", a, (kind, one_off(raw, 1)), "changed")


# ---- PyTorch ----

def by_torch(p, torch):
    x = torch.from_numpy(anything())
    bits = lambda t: t.view(torch.int16).numpy().tobytes()
    p.add("float32 to float16", ("F32", x.numpy().tobytes()), ("F16", bits(x.half())), "cast", rounding=EVEN)
    p.add("float32 to bfloat16", ("F32", x.numpy().tobytes()), ("BF16", bits(x.bfloat16())), "cast", rounding=EVEN)
    p.add("bfloat16 to float16", ("BF16", bits(x.bfloat16())), ("F16", bits(x.bfloat16().half())), "cast", rounding=EVEN)
    d = torch.from_numpy(rng.standard_normal(N))
    p.add("float64 to float32", ("F64", d.numpy().tobytes()), ("F32", d.float().numpy().tobytes()), "cast", rounding=EVEN)
    d[::2] = 1 + 2.0 ** -8 + 2.0 ** -40
    p.add("float64 to bfloat16", ("F64", d.numpy().tobytes()), ("BF16", bits(d.bfloat16())), "cast", rounding=TWICE)
    p.add("float64 to int32", ("F64", (d * 100).numpy().tobytes()), ("I32", (d * 100).int().numpy().tobytes()), "cast",
          rounding=ZERO)


# ---- quantised ----

def decoded_types():
    doc = check.run("formats", "-o", "json")[0]
    return {t["type"] for t in doc["types"] if t.get("decoded", True)}


def off_by_one(kind, raw, share):
    """Adds 2 to that share of Q8_0's codes (at least one), away from the ends."""
    b = np.frombuffer(raw, np.uint8).reshape(-1, 34).copy()
    codes = b[:, 2:].view(np.int8)
    flat = np.flatnonzero(np.abs(codes.reshape(-1).astype(int)) < 100)
    hit = rng.choice(flat, max(1, int(share * N)), replace=False)
    codes[hit // 32, hit % 32] += 2
    return b.tobytes(), len(hit)


def quantised(p):
    known = decoded_types()
    data = {"normal": normal(), "heavy": (rng.standard_normal(N) * np.exp(rng.standard_normal(N))).astype("<f4"),
            "tiny": (rng.standard_normal(N) * 2.0 ** -30).astype("<f4"), "one_sided": (rng.random(N) + 1).astype("<f4")}
    for kind, (encode, number, items, size) in quantise.TYPES.items():
        if kind not in known:
            check.skip(f"{kind} quantised", "not decoded")
            continue
        wf.GGML.setdefault(kind, number)
        wf.BLOCKS.setdefault(kind, (items, size))
        for name, x in data.items():
            exact = not kind.endswith("_K") # the others' scales are rounded to 6 or 8 bits before codes are chosen
            beyond = (lambda n: n == 0) if exact else (lambda n: n <= 0.01 * N)
            p.both_ways(f"{kind}.{name}", ("F32", x.tobytes()), (kind, encode(x)), "quantised", elements_beyond=beyond)
    x = data["normal"]
    a, raw = ("F32", x.tobytes()), quantise.q8_0(x)
    for share in (0, 0.005):
        b, n = off_by_one("Q8_0", raw, share)
        p.add(f"Q8_0, {n} codes off", a, ("Q8_0", b), "quantised", elements_beyond=n, beyond=n / N)
    p.add("Q8_0, 2 % of codes off", a, ("Q8_0", off_by_one("Q8_0", raw, 0.02)[0]), "changed")
    p.add("Q8_0 of another tensor", a, ("Q8_0", quantise.q8_0(normal())), "changed")
    p.add("Q4_0 of Q8_0", ("Q8_0", raw), ("Q4_0", quantise.q4_0(wf.decode("Q8_0", raw).astype("<f4"))), "quantised",
          direction="a to b", elements_beyond=0)
    p.add("Q8_0 in F16", ("Q8_0", raw), ("F16", wf.decode("Q8_0", raw).astype("<f2").tobytes()), "cast", rounding=EVEN)
    p.add("Q8_0 in F32", ("Q8_0", raw), ("F32", wf.decode("Q8_0", raw).astype("<f4").tobytes()), "equal")
    with_nan = x.copy()
    with_nan[::50] = np.nan
    p.add("Q8_0, NaN", ("F32", with_nan.tobytes()), ("Q8_0", raw), "changed")


def tolerance():
    """Within tolerance a pair is equal, whatever else it is."""
    x = normal()
    wf.write_safetensors("tolerance-a.safetensors", {"x": ("F32", SHAPE, x.tobytes())})
    wf.write_safetensors("tolerance-b.safetensors", {"x": ("BF16", SHAPE, bf16(x, EVEN))})
    for options, want in (((), "cast"), (("--rtol", "0.01"), "equal"), (("--rtol", "1e-6"), "cast")):
        doc, status, _ = check.run("diff", "-o", "json", *options, "tolerance-a.safetensors", "tolerance-b.safetensors")
        check.ok(doc and doc["tensors"][0]["status"] == want and status == (want != "equal"), f"{want} with {options}")


def threads():
    """The same on 1 and 4 threads, where parts end in other places."""
    docs = [check.run("diff", "-o", "json", "-j", n, "casts_of_16_bits-a.safetensors", "casts_of_16_bits-b.safetensors")[0]
            for n in ("1", "4")]
    check.ok(docs[0] == docs[1] and docs[0], "1 and 4 threads")


def main():
    for label, fill in (("casts of 16 bits", casts_to_16_bits), ("casts of F64", casts_from_f64),
                        ("casts to integers", casts_to_integers), ("casts to small floats", casts_to_small_floats)):
        p = Pairs()
        fill(p)
        p.check(label, wf.write_safetensors, "safetensors")
    p = Pairs()
    complex_numbers(p)
    p.check("complex numbers", write_npz, "npz")
    p = Pairs()
    quantised(p)
    p.check("quantised", wf.write_gguf, "gguf")
    tolerance()
    threads()
    try:
        import torch
    except ImportError:
        check.skip("PyTorch's casts", "no PyTorch")
    else:
        p = Pairs()
        by_torch(p, torch)
        p.check("PyTorch", wf.write_safetensors, "safetensors")
    check.end()


if __name__ == "__main__":
    main()
