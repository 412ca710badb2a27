"""Statistics and differences by exact rational arithmetic (small arrays) or in long double (large ones)."""
import math
from fractions import Fraction

import numpy as np

EXACT_MAX = 20000  # elements; beyond that numbers of thousands of bits take too long
QUANTILES = {"p01": .01, "p05": .05, "p25": .25, "median": .5, "p75": .75, "p95": .95, "p99": .99}


def real(fraction):
    """The nearest double; None beyond them."""
    try:
        return float(fraction)
    except OverflowError:
        return None


def root(fraction):
    """The square root of a rational number, as one with more than 100 bits."""
    num, den = fraction.numerator, fraction.denominator
    shift = max(0, 240 - num.bit_length() + den.bit_length()) // 2 + 1
    return Fraction(math.isqrt((num << 2 * shift) // den), 1 << shift)


def integers(*arrays):
    """Finite numbers as integers times one power of two: (lists, exponent)."""
    parts = []
    for x in arrays:
        if x.dtype == object:
            parts.append(([int(v) for v in x], [0] * len(x)))
            continue
        m, e = np.frexp(x)
        parts.append(([int(v) for v in (m * 2.0 ** 53).astype(np.int64)], [int(v) - 53 for v in e]))
    low = min((e for m, es in parts for v, e in zip(m, es) if v), default=0)
    return [[v << e - low if v else 0 for v, e in zip(m, es)] for m, es in parts], low


def finite(x):
    return np.ones(len(x), bool) if x.dtype == object else np.isfinite(x)


def moments_exact(x):
    (v,), e = integers(x)
    unit, n = Fraction(2) ** e, len(v)
    s1, s2, s3, s4 = sum(v), 0, 0, 0
    for y in v:
        y2 = y * y
        s2, s3, s4 = s2 + y2, s3 + y2 * y, s4 + y2 * y2
    m2 = n * s2 - s1 ** 2
    m3 = n * n * s3 - 3 * n * s1 * s2 + 2 * s1 ** 3
    m4 = n ** 3 * s4 - 4 * n * n * s1 * s3 + 6 * n * s1 ** 2 * s2 - 3 * s1 ** 4
    skewness = root(Fraction(m3 ** 2, m2 ** 3)) * (1 if m3 > 0 else -1) if m2 else None
    return {"mean": real(Fraction(s1, n) * unit), "std": real(root(Fraction(m2, n * n)) * unit),
            "rms": real(root(Fraction(s2, n)) * unit), "l1": real(sum(map(abs, v)) * unit),
            "l2": real(root(Fraction(s2)) * unit),
            "skewness": None if skewness is None else real(skewness),
            "kurtosis": real(Fraction(m4, m2 ** 2) - 3) if m2 else None}


def moments_long(x):
    w = x.astype(np.longdouble)
    n, mean = len(w), math.fsum(x) / len(x)
    d = w - np.longdouble(mean)
    m2, m3, m4 = (np.sum(d ** k) / n for k in (2, 3, 4))
    flat = x.min() == x.max()
    return {"mean": mean, "std": float(np.sqrt(m2)), "rms": float(np.sqrt(np.sum(w * w) / n)),
            "l1": math.fsum(np.abs(x)), "l2": float(np.sqrt(np.sum(w * w))),
            "skewness": None if flat else float(m3 / m2 ** np.longdouble(1.5)),
            "kurtosis": None if flat else float(m4 / m2 ** 2 - 3)}


def magnitudes(x):
    return np.hypot(x.real, x.imag) if x.dtype.kind == "c" else x


def stats(x):
    """x as weightfiles.decode gives it. Undefined values are None."""
    x = magnitudes(x)
    keep = finite(x)
    y = x[keep]
    out = {"count": len(x), "nan": 0 if x.dtype == object else int(np.isnan(x).sum()),
           "inf": 0 if x.dtype == object else int(np.isinf(x).sum()), "zero": int((y == 0).sum())}
    names = ("min", "max", "absmax", "mean", "std", "rms", "l1", "l2", "skewness", "kurtosis")
    if not len(y):
        return {**out, **{k: None for k in names}}
    out.update({"min": float(y.min()), "max": float(y.max()), "absmax": float(np.abs(y).max())})
    large = len(y) > EXACT_MAX
    out.update(moments_long(y.astype(np.float64)) if large else moments_exact(y))
    return out


def quantile_bounds(x, p):
    """NumPy's quantile, and the two order statistics that it lies between."""
    s = np.sort(x)
    at = p * (len(s) - 1)
    k = min(int(at), len(s) - 1)
    return float(np.quantile(s, p)), float(s[k]), float(s[min(k + 1, len(s) - 1)])


def equal(a, b):
    same = a == b
    if a.dtype != object and b.dtype != object:
        same = same | (np.isnan(a) & np.isnan(b))
    return same.astype(bool)


def is_nan(x):
    return np.zeros(len(x), bool) if x.dtype == object else np.isnan(x)


def divided(a, b):
    return None if not b else real(a / b)


def sums_exact(a, b):
    (va, vb), e = integers(a, b)
    unit = Fraction(2) ** e
    d = [y - x for x, y in zip(va, vb)]
    total = lambda terms, power: Fraction(sum(terms)) * unit ** power
    return (total(d, 1), total(map(abs, d), 1), total((x * x for x in d), 2), total((x * x for x in va), 2),
            total((x * x for x in vb), 2), total((x * y for x, y in zip(va, vb)), 2), [abs(x) * unit for x in d])


def sums_long(a, b):
    kind = np.clongdouble if a.dtype.kind == "c" or b.dtype.kind == "c" else np.longdouble
    a, b = a.astype(kind), b.astype(kind)
    d = b - a
    size = np.abs(d)
    signed = size if kind is np.clongdouble else d
    norm = lambda x: Fraction(*np.sum(x.real ** 2 + x.imag ** 2).as_integer_ratio())
    return (Fraction(*np.sum(signed).as_integer_ratio()), Fraction(*np.sum(size).as_integer_ratio()), norm(d), norm(a),
            norm(b), Fraction(*np.sum((a * np.conj(b)).real).as_integer_ratio()), size)


def diff(a, b):
    """Of two flat arrays; undefined values are None."""
    is_complex = "c" in (a.dtype.kind, b.dtype.kind)
    n, same, both = len(a), equal(a, b), finite(a) & finite(b)
    x, y = a[both], b[both]
    out = {"changed": int((~same).sum()), "changed_fraction": (~same).sum() / n if n else None,
           "nan_mismatch": int((is_nan(a) != is_nan(b)).sum()),
           "sign_flips": 0 if is_complex else int((((x < 0) & (y > 0)) | ((x > 0) & (y < 0))).sum())}
    names = ("max_abs_diff", "max_abs_index", "mean_diff", "mean_abs_diff", "rmse", "l2_diff", "rel_l2", "cosine", "snr_db")
    if not len(x):
        return {**out, **{k: None for k in names}}, np.array([])
    exact = not is_complex and len(x) <= EXACT_MAX
    d, abs_d, dd, aa, bb, ab, sizes = sums_exact(x, y) if exact else sums_long(x, y)
    rounded = [real(s) for s in sizes] if exact else [float(s) for s in sizes]
    sized = np.array([math.inf if s is None else s for s in rounded])
    m = len(x)
    out.update({"max_abs_diff": None if sized.max() == math.inf else float(sized.max()),
                "max_abs_index": int(np.flatnonzero(both)[sized.argmax()]) if sized.max() else 0,
                "mean_diff": real(d / m), "mean_abs_diff": real(abs_d / m),
                "rmse": real(root(dd / m)), "l2_diff": real(root(dd)),
                "rel_l2": real(root(dd / aa)) if aa else None,
                "cosine": (real(root(ab * ab / (aa * bb))) * (1 if ab > 0 else -1)) if aa and bb else None,
                "snr_db": decibels(aa / dd) if aa and dd else None})
    return out, sized


def decibels(ratio):
    """10 log10 of a rational number that may be beyond a double."""
    shift = ratio.numerator.bit_length() - ratio.denominator.bit_length()
    return 10 * (math.log10(ratio / Fraction(2) ** shift) + shift * math.log10(2))
