"""Quantised models as their libraries store them, each with the values it stands for. A maker draws codes, scales and so
on, works the values out of them in float32 by the published formula, and only then packs the codes: bit by bit, with
nothing in common with the program under test. It returns (stored tensors, {name: values}, type word)."""
import json

import numpy as np

import weightfiles as wf

rng = np.random.default_rng(20250413)
E2M1 = np.array([0, .5, 1, 1.5, 2, 3, 4, 6, -0.0, -.5, -1, -1.5, -2, -3, -4, -6], np.float32)
F8 = {kind: np.array([wf.SMALL[kind](c) for c in range(256)], np.float32)
      for kind in ("F8_E4M3", "F8_E5M2", "F8_E8M0")}
NF4 = np.array([-1, -0.6961928, -0.52507305, -0.39491749, -0.28444138, -0.18477343, -0.09105004, 0, 0.0795803,
                0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1], np.float32)


def stored(kind, x):
    x = np.ascontiguousarray(x)
    return kind, x.shape, x.tobytes()


def codes(shape, bits):
    return rng.integers(0, 1 << bits, shape)


def floats(shape, kind="F32"):
    """(stored tensor, its values)"""
    x = (rng.standard_normal(shape) * 0.02 + 0.05).astype(np.float32)
    if kind == "BF16":
        top = (x.view(np.uint32) >> 16).astype("<u2")
        return stored(kind, top), (top.astype(np.uint32) << 16).view(np.float32).reshape(x.shape)
    y = x.astype(wf.PLAIN[kind])
    return stored(kind, y), y.astype(np.float32)


def exponents(shape):
    """Powers of two as E8M0, none so large that a value overflows."""
    x = rng.integers(100, 140, shape).astype(np.uint8)
    return x, F8["F8_E8M0"][x]


def words(q, bits, unit=32):
    """Each row's codes as one string of bits, lowest first, filled up to whole words."""
    flat = q.reshape(-1, q.shape[-1])
    string = (flat[:, :, None] >> np.arange(bits) & 1).reshape(len(flat), -1).astype(np.uint8)
    string = np.pad(string, ((0, 0), (0, -string.shape[1] % unit)))
    raw = np.packbits(string, axis=1, bitorder="little")
    raw = raw.view({32: "<u4", 8: "u1"}[unit])
    return raw.reshape(*q.shape[:-1], -1)


def columns(q, bits):
    return np.ascontiguousarray(np.swapaxes(words(np.swapaxes(q, -1, -2), bits), -1, -2))


def spread(x, axis, size, n):
    return np.take(x, np.arange(n) // size, axis)


# ---- FP8 and other codes of eight bits ----

def f8_blocks(rows, cols, block=128, scale="F32", name="_scale_inv", kind="F8_E4M3", lead=()):
    q = codes((*lead, rows, cols), 8).astype(np.uint8)
    shape = (*lead, -(-rows // block), -(-cols // block))
    if scale == "F8_E8M0":
        s, value = exponents(shape)
        s = stored(scale, s)
    else:
        s, value = floats(shape, scale)
    value = spread(spread(value, -2, block, rows), -1, block, cols)
    base = "m.0.proj.weight"
    key = "m.0.proj.scale" if name == ".scale" else base + name
    return {base: stored(kind, q), key: s}, {base: F8[kind][q] * value}, f"{kind}/{block}x{block}"


def scaled(shape, scale_shape, kind="F8_E4M3", scale="F32", key="weight_scale", word="row", zeros=False, extra=None):
    q = codes(shape, 8).astype(np.uint8)
    s, value = floats(scale_shape, scale)
    x = q.view(np.int8).astype(np.float32) if kind == "I8" else F8[kind][q]
    value = value.reshape(value.shape + (1,) * (len(shape) - value.ndim))
    if value.ndim == len(shape) > 1 and value.shape[-1] not in (1, shape[-1]):
        value = np.repeat(value, shape[-1] // value.shape[-1], -1)
    out = {"a.weight": stored(kind, q), "a." + key: s, **(extra or {})}
    if zeros:
        z = rng.integers(-20, 20, scale_shape).astype(np.int8)
        out["a.weight_zero_point"] = stored("I8", z)
        x = x - np.repeat(z.astype(np.float32), shape[-1] // scale_shape[-1], -1)
    return out, {"a.weight": x * value}, f"{kind}/{word}"


def mxfp8(rows, cols, stored_as="U8"):
    q = codes((rows, cols), 8).astype(np.uint8)
    s, value = exponents((rows, cols // 32))
    return ({"a.weight": stored("F8_E4M3", q), "a.weight_scale": stored(stored_as, s)},
            {"a.weight": F8["F8_E4M3"][q] * np.repeat(value, 32, -1)}, "MXFP8")


def bnb_int8(rows, cols):
    q = codes((rows, cols), 8).astype(np.uint8).view(np.int8)
    s, value = floats((rows,))
    w = q.astype(np.float32) * value[:, None] * np.float32(7.874015718698502e-3)
    return ({"a.weight": stored("I8", q), "a.SCB": s, "a.weight_format": stored("U8", np.array(0, np.uint8))},
            {"a.weight": w}, "I8/row")


# ---- FP4 ----

def pairs(q):
    """Two to a byte, the first one low."""
    return (q[..., ::2] | q[..., 1::2] << 4).astype(np.uint8)


def mxfp4(shape, names, kind="U8", scale="U8", logical=None, turned=False):
    """names: of the codes and of the scales; logical: of the values."""
    q = codes(shape, 4)
    s, value = exponents((*shape[:-1], shape[-1] // 32))
    w = E2M1[q] * np.repeat(value, 32, -1)
    packed = pairs(q)
    if names[0].endswith("blocks"):
        packed = packed.reshape(*shape[:-1], -1, 16)
    if kind == "F4":
        first = "F4", shape, packed.tobytes()
    elif kind == "U32":
        first = stored("U32", packed.view("<u4"))
    else:
        first = stored(kind, packed)
    return ({names[0]: first, names[1]: stored(scale, s)},
            {logical or names[0]: np.ascontiguousarray(np.swapaxes(w, -1, -2)) if turned else w}, "MXFP4")


def nvfp4(shape, style, globals_=(1,)):
    q = codes(shape, 4)
    s = codes((*shape[:-1], shape[-1] // 16), 7).astype(np.uint8) & 0x77
    top = np.abs(floats(globals_)[1])
    g = top.reshape(top.shape + (1,) * (len(shape) - 1)) if top.size > 1 else top.reshape(-1)[0]
    value = F8["F8_E4M3"][s]
    if style == "ct":
        value = value / g
        out = {"a.weight_packed": stored("U8", pairs(q)), "a.weight_scale": stored("F8_E4M3", s),
               "a.weight_global_scale": stored("F32", top)}
    elif style == "mlx":
        out = {"a.weight": stored("U32", pairs(q).view("<u4")), "a.scales": stored("U8", s)}
    else:
        value = value * g
        out = {"a.weight": stored("U8", pairs(q)), "a.weight_scale": stored("F8_E4M3", s),
               "a.weight_scale_2": stored("F32", top)}
    return out, {"a.weight": E2M1[q] * np.repeat(value, 16, -1)}, "NVFP4"


# ---- compressed-tensors ----

def ct(rows, cols, bits, groups=1, zeros=None, order=False, scale="BF16", lead=()):
    half = 1 << bits - 1
    q = codes((*lead, rows, cols), bits) - half
    s, value = floats((*lead, rows, groups), scale)
    z = rng.integers(-half, half, (*lead, rows, groups)) if zeros else np.zeros((*lead, rows, groups), int)
    group = np.arange(cols) // (cols // groups)
    out = {"a.weight_packed": stored("I32", words(q + half, bits)), "a.weight_scale": s,
           "a.weight_shape": stored("I64", np.array([*lead, rows, cols], np.int64))}
    if order:
        group = rng.permutation(group)
        out["a.weight_g_idx"] = stored("I32", group.astype("<i4"))
    if zeros == "packed":
        out["a.weight_zero_point"] = stored("I32", columns(z + half, bits))
    elif zeros:
        out["a.weight_zero_point"] = stored("I8", z.astype(np.int8))
    w = (q.astype(np.float32) - z.astype(np.float32)[..., group]) * value[..., group]
    return out, {"a.weight": w}, f"I{bits}/{'row' if groups == 1 else cols // groups}"


# ---- bitsandbytes ----

def bnb4(shape, block=64, nested=0, kind="nf4", stored_as="U8"):
    n = int(np.prod(shape))
    q = codes(n, 4)
    book = NF4 if kind == "nf4" else np.array([0, .0052, .6667, 1, .3333, .5, .1667, .25] * 2, np.float32)
    if kind == "fp4":
        book[8:] *= -1
    blocks = -(-n // block)
    state = {"quant_type": kind, "blocksize": block, "dtype": "bfloat16", "shape": list(shape)}
    base = "a.weight"
    padded = np.append(q, np.zeros(-n % (4 if stored_as == "BF16" else 2), int))
    packed = (padded[::2] << 4 | padded[1::2]).astype(np.uint8)
    out = {base: (stored_as, (len(packed) * 8 // wf.BITS[stored_as], 1), packed.tobytes())}
    if nested:
        a = codes(blocks, 8).astype(np.uint8)
        map8 = np.sort(rng.uniform(-1, 1, 256)).astype(np.float32)
        above, value = floats((-(-blocks // nested),))
        offset = 0.046875 + 1e-9
        state.update(nested_blocksize=nested, nested_dtype="float32", nested_offset=offset)
        out[base + ".absmax"] = stored("U8", a)
        out[base + ".nested_absmax"] = above
        out[base + ".nested_quant_map"] = stored("F32", map8)
        absmax = map8[a] * spread(value, 0, nested, blocks) + np.float32(offset)
    else:
        out[base + ".absmax"], absmax = floats((blocks,))
    out[base + ".quant_map"] = stored("F32", book)
    text = np.frombuffer(json.dumps(state).encode(), np.uint8)
    out[f"{base}.quant_state.bitsandbytes__{kind}"] = stored("U8", text)
    w = book[q] * spread(absmax, 0, block, n)
    return out, {base: w.reshape(shape)}, kind.upper()


# ---- GPTQ and AWQ ----

def gptq(k, n, bits, groups, version=1, index=None, scale="F16", symmetric=False):
    """index: None, "order" (as the groups stand) or "shuffled" (desc_act)."""
    q = codes((k, n), bits)
    z = np.full((groups, n), 1 << bits - 1) if symmetric else codes((groups, n), bits)
    s, value = floats((groups, n), scale)
    group = np.arange(k) // -(-k // groups)
    if index == "shuffled":
        group = rng.permutation(group)
    out = {"a.qweight": stored("I32", columns(q, bits)), "a.scales": s,
           "a.qzeros": stored("I32", words((z - 1) % (1 << bits) if version == 1 else z, bits))}
    if index:
        out["a.g_idx"] = stored("I32", group.astype("<i4"))
    w = (q.astype(np.float32) - z.astype(np.float32)[group]) * value[group]
    return out, {"a.weight": np.ascontiguousarray(w.T)}, f"GPTQ{bits}"


def awq(k, n, groups):
    def pack(x):
        eight = x.reshape(len(x), -1, 8)[:, :, [0, 2, 4, 6, 1, 3, 5, 7]]
        return words(eight.reshape(len(x), -1), 4)

    q, z = codes((k, n), 4), codes((groups, n), 4)
    s, value = floats((groups, n), "F16")
    group = np.arange(k) // (k // groups)
    w = (q.astype(np.float32) - z.astype(np.float32)[group]) * value[group]
    return ({"a.qweight": stored("I32", pack(q)), "a.qzeros": stored("I32", pack(z)), "a.scales": s},
            {"a.weight": np.ascontiguousarray(w.T)}, "AWQ4")


# ---- MLX ----

def mlx(shape, bits, group, kind="BF16"):
    q = codes(shape, bits)
    scale, s = floats((*shape[:-1], shape[-1] // group), kind)
    bias, b = floats((*shape[:-1], shape[-1] // group), kind)
    w = q.astype(np.float32) * np.repeat(s, group, -1) + np.repeat(b, group, -1)
    return ({"a.weight": stored("U32", words(q, bits)), "a.scales": scale, "a.biases": bias}, {"a.weight": w},
            f"MLX{bits}")


def mlx_mxfp8(rows, cols):
    q = codes((rows, cols), 8).astype(np.uint8)
    s, value = exponents((rows, cols // 32))
    return ({"a.weight": stored("U32", q.view("<u4")), "a.scales": stored("U8", s)},
            {"a.weight": F8["F8_E4M3"][q] * np.repeat(value, 32, -1)}, "MXFP8")
