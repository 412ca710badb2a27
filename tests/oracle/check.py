"""Runs the program and compares what it prints with the references; TAP."""
import json
import os
import subprocess

import numpy as np

import reference
import weightfiles

STATS, DIFFS, QUANTILE = 1e-12, 1e-9, 0.004
DENORMAL = 5e-324
count = 0


def ok(good, name, why=()):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    for line in list(why)[:8]:
        print(f"# {line}")


def skip(name, why):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {why}")


def end():
    print(f"1..{count}")


def run(*args):
    """(document or None, exit status, what it said)"""
    p = subprocess.run([os.environ["WEIGH"], *args], capture_output=True, check=False)
    try:
        return json.loads(p.stdout), p.returncode, p.stderr.decode(errors="replace").strip()
    except ValueError:
        return None, p.returncode, p.stderr.decode(errors="replace").strip() or "no JSON"


class Faults(list):
    def close(self, key, got, want, tolerance, floor=0.0):
        """floor: the size against which the error counts when the value itself came from cancellation."""
        if got is None or want is None:
            if got is not want:
                self.append(f"{key} is {got}, want {want}")
        elif abs(got - want) > tolerance * max(abs(want), floor) + DENORMAL:
            self.append(f"{key} is {got!r}, want {want!r}")

    def same(self, key, got, want):
        if got != want:
            self.append(f"{key} is {got!r}, want {want!r}")


def check_stats(faults, got, values, kind, raw, prefix=""):
    """got: the JSON object; values, kind and raw as in weightfiles."""
    want = reference.stats(values)
    for key in ("count", "nan", "inf", "zero"):
        faults.same(prefix + key, got[key], want[key])
    for key in ("min", "max", "absmax", "mean", "std", "rms", "l1", "l2"):
        faults.close(prefix + key, got[key], want[key], STATS)
    # standardised moments are at least of size 1 before their signs, or the 3, cancel
    faults.close(prefix + "skewness", got["skewness"], want["skewness"], STATS, 1)
    faults.close(prefix + "kurtosis", got["kurtosis"], want["kurtosis"], STATS, 3)
    return want


def check_quantile(faults, key, got, x, p, exact):
    want, below, above = reference.quantile_bounds(x, p)
    if exact:
        faults.close(key, got, want, STATS)
    elif got is None or abs(got - want) > QUANTILE * max(abs(below), abs(above)) + DENORMAL:
        faults.append(f"{key} is {got!r}, want {want!r} within 0.4 %")


def check_distribution(faults, got, values, kind, raw, prefix="", exact=False):
    x = reference.magnitudes(values)
    x = x[reference.finite(x)].astype(np.float64)
    for key, p in reference.QUANTILES.items():
        if len(x):
            check_quantile(faults, prefix + key, got["quantiles"][key], x, p, exact or kind in weightfiles.COUNTED)
        else:
            faults.same(prefix + key, got["quantiles"][key], None)
    stored = weightfiles.codes(kind, raw) if kind in weightfiles.COUNTED or kind in weightfiles.BLOCKS else None
    if stored is None:
        faults.same(prefix + "distinct", got["distinct"], None)
        faults.same(prefix + "entropy", got["entropy"], None)
        return
    shares = np.unique(stored, return_counts=True)[1] / max(1, len(stored))
    faults.same(prefix + "distinct", got["distinct"], len(shares))
    faults.close(prefix + "entropy", got["entropy"], float(-(shares * np.log2(shares)).sum()) if len(stored) else None,
                 STATS, 1)


def check_diff(faults, got, a, b, distribution, exact=False):
    want, sizes = reference.diff(a, b)
    for key in ("changed", "sign_flips", "nan_mismatch", "max_abs_index"):
        faults.same(key, got[key], want[key])
    for key in ("changed_fraction", "max_abs_diff", "mean_diff", "mean_abs_diff", "rmse", "l2_diff", "rel_l2"):
        faults.close(key, got[key], want[key], DIFFS)
    faults.close("cosine", got["cosine"], want["cosine"], DIFFS, 1e-3)
    faults.close("snr_db", got["snr_db"], want["snr_db"], DIFFS, 1)
    for key, p in (("p50_abs_diff", .5), ("p99_abs_diff", .99)):
        if distribution and len(sizes) and want["max_abs_diff"] is not None:
            check_quantile(faults, key, got[key], sizes, p, exact)
        elif not distribution:
            faults.same(key, got[key], None)


def stats_of_file(path, tensors, label, options=(), problem=""):
    """tensors: name -> (type, shape, bytes); None for bytes: not to be decoded. problem: what is said of the file."""
    doc, status, said = run("stats", "-o", "json", *options, path)
    faults = Faults()
    trouble = problem or any(t[2] is None for t in tensors.values())
    if problem not in said:
        faults.append(f"said {said}, want {problem}")
    if doc is None or status != (2 if trouble else 0):
        ok(False, label, [f"exit status {status}: {said}"])
        return
    got = {t["name"]: t for t in doc["tensors"]}
    faults.same("names", sorted(got), sorted(tensors))
    for name, (kind, shape, raw) in tensors.items():
        if name not in got or raw is None:
            continue
        one = Faults()
        values = weightfiles.decode(kind, raw)
        one.same("type", got[name]["type"], kind)
        one.same("shape", got[name]["shape"], list(shape))
        check_stats(one, got[name]["stats"], values, kind, raw)
        check_distribution(one, got[name]["stats"], values, kind, raw, exact="--exact" in options)
        faults += [f"{name}: {f}" for f in one]
    ok(not faults, label, faults)


def diff_of_files(path_a, path_b, a, b, label, distribution=True, options=()):
    flags = ["--distribution"] if distribution else []
    exact = "--exact" in options
    doc, status, said = run("diff", "-o", "json", *flags, *options, path_a, path_b)
    faults = Faults()
    if doc is None or status not in (0, 1):
        ok(False, label, [f"exit status {status}: {said}"])
        return
    got = {t["a"]: t for t in doc["tensors"]}
    common = [name for name in a if name in b]
    differs = len(common) < max(len(a), len(b))
    for name in common:
        (kind_a, shape_a, raw_a), (kind_b, shape_b, raw_b) = a[name], b[name]
        one, t = Faults(), got.get(name)
        if t is None:
            faults.append(f"{name} is not in the output")
            continue
        if shape_a != shape_b:
            differs = True
            one.same("status", t["status"], "reshaped")
        else:
            x, y = weightfiles.decode(kind_a, raw_a), weightfiles.decode(kind_b, raw_b)
            check_diff(one, t["diff"], x, y, distribution, exact)
            changed = not reference.equal(x, y).all()
            differs = differs or changed
            same_bytes = kind_a == kind_b and raw_a == raw_b
            if changed and kind_a != kind_b: # ladder.py looks closer
                one.same("status", t["status"] in ("cast", "quantised", "changed"), True)
            else:
                one.same("status", t["status"], "changed" if changed else "identical" if same_bytes else "equal")
            check_stats(one, t["a_stats"], x, kind_a, raw_a, "a ")
            check_stats(one, t["b_stats"], y, kind_b, raw_b, "b ")
            if distribution:
                check_distribution(one, t["a_stats"], x, kind_a, raw_a, "a ", exact)
                check_distribution(one, t["b_stats"], y, kind_b, raw_b, "b ", exact)
        faults += [f"{name}: {f}" for f in one]
    faults.same("exit status", status, int(differs))
    ok(not faults, label, faults)


def same_as(path, tensors, label, problem="", extra=False, options=(), types=True):
    """A file holds these tensors, element by element: it is compared with a safetensors file of them. problem: what is
    said of the file; extra: it may hold others, too; types: these are its types, and not only its values."""
    weightfiles.write_safetensors("reference.safetensors", {n: t for n, t in tensors.items() if t[0] != "C128"})
    doc, status, said = run("diff", "-o", "json", *options, path, "reference.safetensors")
    faults = Faults()
    if doc is None or problem not in said:
        ok(False, label, [f"exit status {status}: {said}, want {problem}"])
        return
    got = {t["a"]: t for t in doc["tensors"] if t["a"] is not None}
    for t in doc["tensors"]:
        name = t["a"] if t["a"] is not None else t["b"]
        if name not in tensors:
            faults += [] if extra else [f"{name} is not wanted"]
        elif tensors[name][0] != "C128" and t["status"] not in ("identical", "equal"):
            faults.append(f"{name} is {t['status']}: {t['a_shape']} and {t['b_shape']}, {t['diff']}")
    for name, (kind, shape, raw) in tensors.items():
        if name not in got:
            faults.append(f"{name} is missing")
            continue
        if types:
            faults.same(f"type of {name}", got[name]["a_type"], kind)
        faults.same(f"shape of {name}", got[name]["a_shape"], list(shape))
        if kind == "C128" and raw:
            values = weightfiles.decode(kind, raw)
            faults.close(f"mean of {name}", got[name]["a_stats"] and got[name]["a_stats"]["mean"],
                         float(np.abs(values).mean()), STATS)
    ok(not faults, label, faults)
