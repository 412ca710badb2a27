"""Block quantisation by its formulas, in NumPy: float32 in, blocks as bytes out. The scales of the K types are the plain
ones (the largest magnitude, or least and most), without a search."""
import numpy as np

F32 = np.float32


def half(x):
    return x.astype("<f2")


def away(x):
    """To the nearest whole number, ties away from zero: C's roundf."""
    return np.trunc(x + np.copysign(F32(0.5), x))


def inverse(d):
    return np.where(d == 0, F32(0), F32(1) / np.where(d == 0, F32(1), d)).astype(F32)


def signed_extreme(b):
    """Of each row the value of the largest magnitude, the first of several."""
    return np.take_along_axis(b, np.abs(b).argmax(axis=1)[:, None], axis=1)


def raw(*parts):
    """Columns of bytes, side by side."""
    return np.concatenate([np.ascontiguousarray(p).view(np.uint8).reshape(len(p), -1) for p in parts], axis=1).tobytes()


def nibbles(q):
    """Element i in the low nibble, i + 16 in the high one."""
    return q[:, :16] | q[:, 16:] << 4


def fifth_bits(q):
    return np.packbits(q >> 4 & 1, axis=1, bitorder="little")


def q8_0(x):
    b = x.reshape(-1, 32)
    d = np.abs(b).max(axis=1, keepdims=True) / F32(127)
    return raw(half(d), away(b * inverse(d)).astype(np.int8))


def from_extreme(x, most):
    b = x.reshape(-1, 32)
    d = signed_extreme(b) / F32(-most)
    return half(d), np.clip(np.trunc(b * inverse(d) + F32(most + 0.5)), 0, 2 * most - 1).astype(np.uint8)


def from_range(x, most):
    b = x.reshape(-1, 32)
    low = b.min(axis=1, keepdims=True)
    d = (b.max(axis=1, keepdims=True) - low) / F32(most)
    return half(d), half(low), np.clip(np.trunc((b - low) * inverse(d) + F32(0.5)), 0, most).astype(np.uint8)


def q4_0(x):
    d, q = from_extreme(x, 8)
    return raw(d, nibbles(q))


def q5_0(x):
    d, q = from_extreme(x, 16)
    return raw(d, fifth_bits(q), nibbles(q & 15))


def q4_1(x):
    d, m, q = from_range(x, 15)
    return raw(d, m, nibbles(q))


def q5_1(x):
    d, m, q = from_range(x, 31)
    return raw(d, m, fifth_bits(q), nibbles(q & 15))


def q4_k(x):
    b = x.reshape(-1, 8, 32)
    low = np.minimum(b.min(axis=2), 0)
    scale, least = (b.max(axis=2) - low) / F32(15), -low
    d, dmin = half(scale.max(axis=1, keepdims=True) / F32(63)), half(least.max(axis=1, keepdims=True) / F32(63))
    sc = np.rint(scale * (F32(63) * inverse(scale.max(axis=1, keepdims=True)))).astype(np.uint8)
    mn = np.rint(least * (F32(63) * inverse(least.max(axis=1, keepdims=True)))).astype(np.uint8)
    ds, dm = (d.astype(F32) * sc)[:, :, None], (dmin.astype(F32) * mn)[:, :, None]
    q = np.clip(np.rint((b + dm) * inverse(ds)), 0, 15).astype(np.uint8)
    s = np.zeros((len(b), 12), np.uint8)
    s[:, :4] = sc[:, :4] | sc[:, 4:] >> 4 << 6
    s[:, 4:8] = mn[:, :4] | mn[:, 4:] >> 4 << 6
    s[:, 8:] = sc[:, 4:] & 15 | (mn[:, 4:] & 15) << 4
    return raw(d, dmin, s, (q[:, 0::2] | q[:, 1::2] << 4).reshape(-1, 128))


def q6_k(x):
    b = x.reshape(-1, 16, 16)
    scale = np.take_along_axis(b, np.abs(b).argmax(axis=2)[:, :, None], axis=2)[:, :, 0] / F32(-32)
    most = signed_extreme(scale)
    d, sc = half(most / F32(-128)), np.clip(np.rint(scale * (F32(-128) * inverse(most))), -128, 127).astype(np.int8)
    ds = (d.astype(F32) * sc.astype(F32))[:, :, None]
    q = (np.clip(np.rint(b * inverse(ds)), -32, 31) + 32).astype(np.uint8).reshape(-1, 2, 4, 32)
    low = q[:, :, :2] & 15 | (q[:, :, 2:] & 15) << 4
    high = q[:, :, 0] >> 4 | q[:, :, 1] >> 4 << 2 | q[:, :, 2] >> 4 << 4 | q[:, :, 3] >> 4 << 6
    return raw(low.reshape(len(b), -1), high.reshape(len(b), -1), sc, d)


# By type: the formula, GGUF's number, elements and bytes of a block.
TYPES = {"Q8_0": (q8_0, 8, 32, 34), "Q4_0": (q4_0, 2, 32, 18), "Q4_1": (q4_1, 3, 32, 20), "Q5_0": (q5_0, 6, 32, 22),
         "Q5_1": (q5_1, 7, 32, 24), "Q4_K": (q4_k, 12, 256, 144), "Q6_K": (q6_k, 14, 256, 210)}
