"""ggml's block types, one element at a time, in float32 and in the order of the reference's operations. A decoder takes
the blocks, an array of one row a block, and the number of an element; it gives that element's values, and its stored
codes, or None where an element has none of its own."""
import hashlib
import os
import re

import numpy as np

F = np.float32


def f32(x):
    return np.asarray(x).astype(F)


def u16(b, at):
    return b[:, at].astype(np.uint32) | b[:, at + 1].astype(np.uint32) << 8


def u32(b, at):
    return u16(b, at) | u16(b, at + 2) << 16


def half(b, at):
    return u16(b, at).astype("<u2").view("<f2").astype(F)


def byte(b, at):
    return b[:, at].astype(np.int64)


def signed(b, at):
    return f32(np.ascontiguousarray(b[:, at]).view(np.int8))


def bit(b, at, number):
    return byte(b, at) >> number & 1


def nibble(b, at, e):
    return byte(b, at + e % 16) >> 4 * (e // 16) & 15


def pair(b, at, e):
    return byte(b, at + 32 * (e // 128) + e % 32) >> 2 * (e % 128 // 32) & 3


# ---- blocks with one scale ----

def q4_0(b, e):
    q = nibble(b, 2, e)
    return f32(q - 8) * half(b, 0), q


def q4_1(b, e):
    q = nibble(b, 4, e)
    return f32(q) * half(b, 0) + half(b, 2), q


def q5_0(b, e):
    q = nibble(b, 6, e) | (u32(b, 2).astype(np.int64) >> e & 1) << 4
    return f32(q - 16) * half(b, 0), q


def q5_1(b, e):
    q = nibble(b, 8, e) | (u32(b, 4).astype(np.int64) >> e & 1) << 4
    return f32(q) * half(b, 0) + half(b, 2), q


def q8_0(b, e):
    return half(b, 0) * signed(b, 2 + e), b[:, 2 + e]


def q8_1(b, e):
    return half(b, 0) * signed(b, 4 + e), b[:, 4 + e]


def q8_k(b, e):
    return u32(b, 0).view(F) * signed(b, 4 + e), b[:, 4 + e]


def q1_0(b, e):
    q = bit(b, 2 + e // 8, e % 8)
    return np.where(q == 1, half(b, 0), -half(b, 0)), q


def q2_0(b, e):
    q = byte(b, 2 + e // 4) >> 2 * (e % 4) & 3
    return f32(q - 1) * half(b, 0), q


# ---- codes that stand for other numbers ----

NL = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], F)
FP4 = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], F)


def iq4_nl(b, e):
    q = nibble(b, 2, e)
    return half(b, 0) * NL[q], q


def iq4_xs(b, e):
    g = e // 32
    s = byte(b, 4 + g // 2) >> 4 * (g % 2) & 15 | (u16(b, 2).astype(np.int64) >> 2 * g & 3) << 4
    q = byte(b, 8 + 16 * g + e % 16) >> 4 * (e % 32 // 16) & 15
    return half(b, 0) * f32(s - 32) * NL[q], q


def mxfp4(b, e):
    q = nibble(b, 1, e)
    return FP4[q] * f32(np.ldexp(1.0, byte(b, 0) - 128)), q


def ue4m3_half(x):
    e, m = x >> 3 & 15, x & 7
    y = np.where(e == 0, np.ldexp(m / 1.0, -9), np.ldexp(1 + m / 8, e - 7)) / 2
    return f32(np.where((x == 0) | (x == 0x7F), 0.0, y))


def nvfp4(b, e):
    s, k = e // 16, e % 16
    q = byte(b, 4 + 8 * s + k % 8) >> 4 * (k // 8) & 15
    return FP4[q] * ue4m3_half(byte(b, s)), q


# ---- ternary ----

def tq1_0(b, e):
    if e < 160:
        x, t = byte(b, e % 32), e // 32
    elif e < 240:
        x, t = byte(b, 32 + (e - 160) % 16), (e - 160) // 16
    else:
        x, t = byte(b, 48 + (e - 240) % 4), (e - 240) // 4
    q = (x * 3 ** t % 256 * 3) >> 8
    return f32(q - 1) * half(b, 52), q


def tq2_0(b, e):
    q = pair(b, 0, e)
    return f32(q - 1) * half(b, 64), q


# ---- K ----

def q2_k(b, e):
    s, q = byte(b, e // 16), pair(b, 16, e)
    return half(b, 80) * f32(s & 15) * f32(q) - half(b, 82) * f32(s >> 4), q


def q3_k(b, e):
    g = e // 16
    s = (byte(b, 96 + g % 8) >> 4 * (g // 8) & 15 | (byte(b, 104 + g % 4) >> 2 * (g // 4) & 3) << 4) - 32
    q = pair(b, 32, e) + 4 * bit(b, e % 32, e // 32)
    return half(b, 108) * f32(s) * f32(q - 4), q


def k4(b, j):
    """The scales and minimums of group j, from the 12 bytes at 4."""
    s = [byte(b, 4 + i) for i in range(12)]
    if j < 4:
        return f32(s[j] & 63), f32(s[j + 4] & 63)
    return f32(s[j + 4] & 15 | s[j - 4] >> 6 << 4), f32(s[j + 4] >> 4 | s[j] >> 6 << 4)


def q4_k(b, e):
    sc, mn = k4(b, e // 32)
    q = byte(b, 16 + 32 * (e // 64) + e % 32) >> 4 * (e // 32 % 2) & 15
    return half(b, 0) * sc * f32(q) - half(b, 2) * mn, q


def q5_k(b, e):
    sc, mn = k4(b, e // 32)
    q = byte(b, 48 + 32 * (e // 64) + e % 32) >> 4 * (e // 32 % 2) & 15 | bit(b, 16 + e % 32, e // 32) << 4
    return half(b, 0) * sc * f32(q) - half(b, 2) * mn, q


def q6_k(b, e):
    n, g, l = e // 128, e % 128 // 32, e % 32
    q = byte(b, 64 * n + 32 * (g % 2) + l) >> 4 * (g // 2) & 15 | (byte(b, 128 + 32 * n + l) >> 2 * g & 3) << 4
    return half(b, 208) * signed(b, 192 + e // 16) * f32(q - 32), q


# ---- IQ ----

# name: elements of an entry, the numbers, bits of an index into them, sha256 of all entries as bytes
GRIDS = {
    "iq2xxs": (8, (8, 25, 43), 2, "05826b5d3e472a3a78f196be62ac78acf81df0f909626e12ab9fa2a5d490dd54"),
    "iq2xs": (8, (8, 25, 43), 2, "06e47aaca60b4dc1d9b5a3f34540437058a6b142b4d7a59d5ded769b4d1bf1de"),
    "iq2s": (8, (8, 25, 43), 2, "e1aa1473412b0552c2174c30ef22ab4073f6a181b85a17056e8249bd2932fd88"),
    "iq3xxs": (4, (4, 12, 20, 28, 36, 44, 52, 62), 3, "46e35f5a997efdee6c99ce57854c8a0d4f0ff8ca57e5e8a60c0793ea580acf5d"),
    "iq3s": (4, (1, 3, 5, 7, 9, 11, 13, 15), 3, "bd1af4945a1717c65610b0284e4628b9a1ba3b306fae3a06f6e5f597356e349f"),
    "iq1s": (8, (-1, 0, 1), 2, "07540ffc1aeaf6ad4d97e96b0fcc765aae39671d4ae4a27bbd0e796fde167c6a"),
}


def read_grid(name, source):
    """From the codes in the program's source; what they expand to must have the sum of the reference's table."""
    n, numbers, bits, want = GRIDS[name]
    codes = np.array([int(c) for c in re.search(name + r"_codes\[\w+\] = \{([^}]*)\}", source).group(1).split(",") if c.strip()])
    grid = np.array(numbers)[codes[:, None] >> bits * np.arange(n) & (1 << bits) - 1].astype(np.int8)
    if hashlib.sha256(grid.tobytes()).hexdigest() != want:
        raise ValueError(f"the {name} grid of src/num/iq_tables.c is not the reference's")
    return grid


GRID = {}


def grid(name, index, j):
    if not GRID:
        with open(os.path.join(os.environ["SRC"], "src/num/iq_tables.c"), encoding="utf-8") as f:
            source = f.read()
        GRID.update({g: read_grid(g, source) for g in GRIDS})
    return f32(GRID[name][index, j])


def sign(mask, j):
    return np.where(mask >> j & 1, F(-1), F(1))


def even(i):
    """7 signs and an eighth that makes their number even."""
    ones = sum(i >> k & 1 for k in range(7))
    return i | (ones & 1) << 7


def iq2_xxs(b, e):
    at, l, j = 2 + 8 * (e // 32), e % 32 // 8, e % 8
    a = u32(b, at + 4).astype(np.int64)
    scale = half(b, 0) * (F(0.5) + f32(a >> 28)) * F(0.25)
    return scale * grid("iq2xxs", byte(b, at + l), j) * sign(even(a >> 7 * l & 127), j), None


def iq2_xs(b, e):
    q, s = u16(b, 2 + 2 * (e // 8)).astype(np.int64), byte(b, 66 + e // 32) >> 4 * (e // 16 % 2) & 15
    scale = half(b, 0) * (F(0.5) + f32(s)) * F(0.25)
    return scale * grid("iq2xs", q & 511, e % 8) * sign(even(q >> 9), e % 8), None


def iq2_s(b, e):
    k = e // 8
    i = byte(b, 2 + k) | (byte(b, 66 + e // 32) >> 2 * (k % 4) & 3) << 8
    s = byte(b, 74 + e // 32) >> 4 * (e // 16 % 2) & 15
    scale = half(b, 0) * (F(0.5) + f32(s)) * F(0.25)
    return scale * grid("iq2s", i, e % 8) * sign(byte(b, 34 + k), e % 8), None


def iq3_xxs(b, e):
    a = u32(b, 66 + 4 * (e // 32)).astype(np.int64)
    scale = half(b, 0) * (F(0.5) + f32(a >> 28)) * F(0.5)
    return scale * grid("iq3xxs", byte(b, 2 + e // 4), e % 4) * sign(even(a >> 7 * (e % 32 // 8) & 127), e % 8), None


def iq3_s(b, e):
    k = e // 4
    i = byte(b, 2 + k) | bit(b, 66 + e // 32, k % 8) << 8
    s = byte(b, 106 + e // 64) >> 4 * (e // 32 % 2) & 15
    return half(b, 0) * f32(1 + 2 * s) * grid("iq3s", i, e % 4) * sign(byte(b, 74 + e // 8), e % 8), None


def iq1_s(b, e):
    k, h = e // 8, u16(b, 34 + 2 * (e // 32)).astype(np.int64)
    i = byte(b, 2 + k) | (h >> 3 * (k % 4) & 7) << 8
    delta = np.where(h >> 15, F(-0.125), F(0.125))
    return half(b, 0) * f32(2 * (h >> 12 & 7) + 1) * (grid("iq1s", i, e % 8) + delta), None


def iq1_m(b, e):
    w = [u16(b, 48 + 2 * i) for i in range(4)]
    d = (w[0] >> 12 | w[1] >> 12 << 4 | w[2] >> 12 << 8 | w[3] >> 12 << 12).astype("<u2").view("<f2").astype(F)
    k = e // 8
    c = byte(b, 32 + k // 2) >> 4 * (k % 2) & 15
    s = w[e // 64].astype(np.int64) >> 3 * (e % 64 // 16) & 7
    delta = np.where(c & 8, F(-0.125), F(0.125))
    return d * f32(2 * s + 1) * (grid("iq1s", byte(b, k) | (c & 7) << 8, e % 8) + delta), None


# ---- the types: number in GGUF, elements and bytes of a block, where its scales are, decoder ----

# Scales: byte offsets of binary16 numbers; or "f32" at 0, "m" for IQ1_M's nibbles, or how many one-byte ones from 0 on.
TYPES = {
    "Q4_0": (2, 32, 18, [0], q4_0), "Q4_1": (3, 32, 20, [0, 2], q4_1), "Q5_0": (6, 32, 22, [0], q5_0),
    "Q5_1": (7, 32, 24, [0, 2], q5_1), "Q8_0": (8, 32, 34, [0], q8_0), "Q8_1": (9, 32, 36, [0, 2], q8_1),
    "Q2_K": (10, 256, 84, [80, 82], q2_k), "Q3_K": (11, 256, 110, [108], q3_k), "Q4_K": (12, 256, 144, [0, 2], q4_k),
    "Q5_K": (13, 256, 176, [0, 2], q5_k), "Q6_K": (14, 256, 210, [208], q6_k), "Q8_K": (15, 256, 292, "f32", q8_k),
    "IQ2_XXS": (16, 256, 66, [0], iq2_xxs), "IQ2_XS": (17, 256, 74, [0], iq2_xs),
    "IQ3_XXS": (18, 256, 98, [0], iq3_xxs), "IQ1_S": (19, 256, 50, [0], iq1_s), "IQ4_NL": (20, 32, 18, [0], iq4_nl),
    "IQ3_S": (21, 256, 110, [0], iq3_s), "IQ2_S": (22, 256, 82, [0], iq2_s), "IQ4_XS": (23, 256, 136, [0], iq4_xs),
    "IQ1_M": (29, 256, 56, "m", iq1_m), "TQ1_0": (34, 256, 54, [52], tq1_0), "TQ2_0": (35, 256, 66, [64], tq2_0),
    "MXFP4": (39, 32, 17, 1, mxfp4), "NVFP4": (40, 64, 36, 4, nvfp4), "Q1_0": (41, 128, 18, [0], q1_0),
    "Q2_0": (42, 64, 18, [0], q2_0),
}

# What ggml's endianness converter turns round: 16-bit fields at these offsets. It refuses the other types.
SWAPPED = {"Q4_0": [0], "Q8_0": [0], "Q4_K": [0, 2], "Q6_K": [208], "MXFP4": []}


def decode(kind, raw):
    """(values in float32, codes or None), flat"""
    _, n, size, _, element = TYPES[kind]
    b = np.frombuffer(raw, np.uint8).reshape(-1, size)
    with np.errstate(all="ignore"):
        columns = [element(b, e) for e in range(n)]
    values = np.stack([y for y, _ in columns], axis=1).reshape(-1) if len(b) else np.zeros(0, F)
    assert values.dtype == F
    return values, None if columns[0][1] is None else np.stack([q for _, q in columns], axis=1).reshape(-1)


def set_scales(kind, b, halves, bytes_):
    """Gives the blocks b these scales: halves(n) makes n binary16 numbers, bytes_(n) n of one byte."""
    where = TYPES[kind][3]
    if where == "f32":
        b[:, :4] = halves(len(b)).astype("<f4").view(np.uint8).reshape(-1, 4)
    elif where == "m":
        bits = halves(len(b)).view("<u2")
        for i in range(4):
            b[:, 49 + 2 * i] = b[:, 49 + 2 * i] & 15 | (bits >> 4 * i & 15).astype(np.uint8) << 4
    elif isinstance(where, int):
        b[:, :where] = bytes_(len(b) * where).reshape(-1, where)
    else:
        for at in where:
            b[:, at:at + 2] = halves(len(b)).view(np.uint8).reshape(-1, 2)
