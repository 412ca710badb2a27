"""export: what np.load finds in the file is what the tensor holds; and a file is whole or not there."""
import errno
import io
import os
import pty
import subprocess
import sys
import zipfile

sys.dont_write_bytecode = True

import numpy as np

import check
import weightfiles as wf

rng = np.random.default_rng(20240401)
WEIGH = os.environ["WEIGH"]
KEPT = {"BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
        "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8", "C64": "<c8"}


def export(*args):
    """(bytes, exit status, what it said)"""
    p = subprocess.run([WEIGH, "export", *args], capture_output=True, check=False)
    return p.stdout, p.returncode, p.stderr.decode()


def same(got, want):
    """To the bit, but for what kind of NaN one is."""
    if got.dtype != want.dtype or got.shape != want.shape:
        return False
    if want.dtype.kind not in "fc":
        return np.array_equal(got, want)
    number = ~np.isnan(want)
    return np.array_equal(got, want, equal_nan=True) and got[number].tobytes() == want[number].tobytes()


def whole(label, raw, status, said, want):
    if status != 0:
        check.ok(False, label, [f"exit status {status}: {said}"])
        return
    got = np.load(io.BytesIO(raw), allow_pickle=False)
    faults = [] if same(got, want) else [f"{got.dtype} {got.shape}, want {want.dtype} {want.shape}"]
    if raw[6:8] != b"\x01\x00" or (raw.index(b"\n") + 1) % 64 or not got.flags.c_contiguous:
        faults.append("its header is not NumPy's")
    check.ok(not faults, label, faults)


def expected(kind, shape, raw):
    if kind == "BOOL":
        return (np.frombuffer(raw, np.uint8) != 0).reshape(shape)
    if kind in KEPT:
        return np.frombuffer(raw, KEPT[kind]).reshape(shape)
    return wf.decode(kind, raw).astype("<f4").reshape(shape)


def types():
    tensors = {}
    for kind in (*KEPT, "BF16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4"):
        n = 3 * 700 * 8 # beyond one chunk
        tensors[kind] = (kind, (3, 700, 8), rng.integers(0, 256, wf.byte_count(kind, n), np.uint8).tobytes())
    tensors["scalar"] = ("F32", (), np.float32(-0.0).tobytes())
    tensors["vector"] = ("I64", (2,), np.array([2 ** 63 - 1, -2 ** 63]).tobytes())
    tensors["empty"] = ("BF16", (0, 4), b"")
    wf.write_safetensors("types.safetensors", tensors)
    for name, (kind, shape, raw) in tensors.items():
        with np.errstate(all="ignore"):
            whole(f"{name} to standard output", *export("types.safetensors", name), expected(kind, shape, raw))


def blocks():
    x = (rng.standard_normal(4 * 256)).astype("<f2")
    tensors = {}
    for kind, (items, size) in wf.BLOCKS.items():
        if kind not in wf.GGML:
            continue
        b = rng.integers(0, 64, (4 * 256 // items, size), np.uint8)
        tensors[kind] = (kind, (4, 256), b.tobytes())
    tensors["f16"] = ("F16", (4, 256), x.tobytes())
    for name, big in (("little.gguf", False), ("big.gguf", True)):
        chosen = {k: t for k, t in tensors.items() if not big or k in ("f16", "Q4_0", "Q8_0", "Q4_K", "Q6_K")}
        wf.write_gguf(name, chosen, big)
        for key, (kind, shape, raw) in chosen.items():
            whole(f"{key} of {name}", *export(name, key), expected(kind, shape, raw))


def orders():
    x = rng.standard_normal((30, 40, 50))
    np.save("fortran.npy", np.asfortranarray(x))
    np.save("big.npy", x.astype(">f4"))
    z = x[:5, :6, 0] + 1j * x[:5, :6, 1]
    np.savez_compressed("packed.npz", a=np.asfortranarray(x), z=z.astype("<c16"))
    name = "fortran"
    for path, key, want in (("fortran.npy", "fortran", x), ("big.npy", "big", x.astype("<f4")), ("packed.npz", "a", x),
                            ("packed.npz", "z", z)):
        raw, status, said = export(path, key)
        if status == 2 and "no such tensor" in said:
            raw, status, said = export(path, "*")
        whole(f"{key} of {path}", raw, status, said, want)


def files():
    x = np.arange(6, dtype="<f4").reshape(2, 3)
    names = ["a/b", "..", ".hidden", "", "%", "same", "Same", "\u00e9", "../../up"]
    wf.write_safetensors("names.safetensors", {n: ("F32", (2, 3), (x + i).tobytes()) for i, n in enumerate(names)})
    os.mkdir("out")
    _, status, said = export("names.safetensors", "*", "-o", "out")
    want = ["a%2Fb.npy", "%2E..npy", "%2Ehidden.npy", "%.npy", "%25.npy", "same.npy", "Same.npy", "%C3%A9.npy",
            "%2E.%2F..%2Fup.npy"]
    check.ok(status == 0 and sorted(os.listdir("out")) == sorted(want), "names of files", [said, str(sorted(os.listdir("out")))])
    check.ok(all(same(np.load("out/" + w), x + i) for i, w in enumerate(want) if os.path.exists("out/" + w)), "what is in them")
    os.remove("out/same.npy")
    with open("out/old.npy", "wb") as f:
        f.write(b"old")
    os.chmod("out/old.npy", 0o640)
    os.symlink("old.npy", "out/link.npy")
    _, status, said = export("names.safetensors", "same", "-o", "out/link.npy")
    check.ok(status == 0 and os.path.islink("out/link.npy") and same(np.load("out/old.npy"), x + 5) and
             os.stat("out/old.npy").st_mode & 0o777 == 0o640, "over a file by way of a link", [said])
    raw, status, _ = export("names.safetensors", "same", "-o", "-")
    check.ok(status == 0 and raw == open("out/old.npy", "rb").read(), "-o - is standard output")
    for args, why in ((("names.safetensors", "s*", "S*", "-o", "new.npy"), "2 tensors do not go into one"), (("names.safetensors", "s*", "S*"), "2 tensors"),
                      (("names.safetensors", "none", "-o", "new.npy"), "no such tensor"), (("names.safetensors",), "needs the name"),
                      (("names.safetensors", "same", "-o", "no/such/place"), "No such file"), (("names.safetensors", "same", "-o", "/dev/full"), "No space")):
        raw, status, said = export(*args)
        check.ok(status == 2 and why in said and not raw and not os.path.exists("new.npy"), f"export {' '.join(args)}", [str(status), said])
    _, status, said = export("names.safetensors", "-m", "same", "-o", "chosen.npy")
    check.ok(status == 0 and same(np.load("chosen.npy"), x + 5), "chosen by --match", [said])


def broken():
    """A checksum that is wrong shows at the end of the data: nothing is left of the file, and what was there stays."""
    np.savez_compressed("good.npz", x=np.arange(200000.0))
    with zipfile.ZipFile("good.npz") as z:
        at = z.getinfo("x.npy").header_offset
    raw = bytearray(open("good.npz", "rb").read())
    raw[raw.rindex(b"PK\x01\x02") + 16] ^= 1
    raw[at + 14] ^= 1
    with open("bad.npz", "wb") as f:
        f.write(raw)
    with open("kept.npy", "wb") as f:
        f.write(b"old")
    _, status, said = export("bad.npz", "x", "-o", "kept.npy")
    left = [n for n in os.listdir(".") if n.startswith(".weigh")]
    check.ok(status == 2 and open("kept.npy", "rb").read() == b"old" and not left, "a broken tensor leaves no trace",
             [str(status), said, str(left)])
    _, status, said = export("bad.npz", "x", "-o", "never.npy")
    check.ok(status == 2 and not os.path.exists("never.npy"), "nor half a file", [str(status), said])


def terminal():
    """Not onto a screen."""
    here, there = pty.openpty()
    p = subprocess.run([WEIGH, "export", "types.safetensors", "scalar"], stdout=there, stderr=subprocess.PIPE, check=False)
    os.close(there)
    try:
        shown = os.read(here, 100)
    except OSError as e:
        shown = b"" if e.errno == errno.EIO else b"?"
    check.ok(p.returncode == 2 and shown == b"" and b"not for a terminal" in p.stderr, "a terminal", [str(shown), str(p.stderr)])


def main():
    types()
    blocks()
    orders()
    files()
    broken()
    terminal()
    check.end()


if __name__ == "__main__":
    main()
