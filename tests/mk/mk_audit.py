"""Files that weigh audit has something to say about, one for each check and a clean one: $FIXTURES/audit."""
import io
import json
import os
import struct
import sys
import tarfile
import zipfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
sys.dont_write_bytecode = True

import numpy as np

import pickles
import tffiles as tf
from mk_cli import gguf, ramp, safetensors
from pickles import Call, G, dumps, tensor

# What would run, were one of these files loaded: this file must not be there afterwards.
RUN = Call(G("os", "system"), "touch weigh-was-here")
ORIGIN = {"license": "mit", "author": "nobody", "base_model": "none", "dataset": "none", "producer": "mk_audit"}


def text(b):
    return struct.pack("<Q", len(b)) + b


def put(path, data):
    with open(path, "wb") as f:
        f.write(data)


def code(folder):
    w = np.arange(4, dtype="<f4")
    for protocol in (0, 4):
        put(f"{folder}/run.{protocol}.pkl", dumps({"w": w, "x": RUN}, protocol))
    # joblib: the array's bytes stand in the stream, behind the object that tells of them; and the whole packed
    wrapper = Call(G("copyreg", "_reconstructor"), G("joblib.numpy_pickle", "NumpyArrayWrapper"), G("builtins", "object"), None,
                   state={"subclass": G("numpy", "ndarray"), "shape": (4,), "order": "C",
                          "dtype": Call(G("numpy", "dtype"), "f4", False, True, state=(3, "<", None, None, None, -1, -1, 0)),
                          "allow_mmap": False})
    whole = dumps({"x": RUN, "w": wrapper}, 2)
    at = whole.index(b"allow_mmap")
    at = whole.index(b"b", at) + 1  # past BUILD
    joblib = whole[:at] + w.tobytes() + whole[at:]
    put(folder + "/run.joblib", joblib)
    put(folder + "/run.z.joblib", zlib.compress(joblib))
    put(folder + "/layers.pkl", dumps([Call(G("own", "Layer")), Call(G("own", "Layer")), Call(G("own", "Layer"), 2)], 2))
    weight = tensor("FloatStorage", "0", 4, (4,), (1,))
    pickles.write_zip(folder + "/run.pt", {"w": weight, "x": RUN}, {"0": w.tobytes()})
    old = tensor("FloatStorage", "0", 4, (4,), (1,), view=(None,))
    pickles.write_stream(folder + "/run.legacy.pt", {"w": old, "x": RUN}, {"0": (4, w.tobytes())})
    with tarfile.open(folder + "/run.tar.gz", "w:gz") as t:
        for name in ("README", "run.pt"):
            data = b"no weights\n" if name == "README" else open(folder + "/run.pt", "rb").read()
            info = tarfile.TarInfo("release/" + name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    put(folder + "/writes.pb", tf.constant("w", "F32", (4,), tf.message(4, w.tobytes())) + tf.node("out", "WriteFile"))
    # a storage that is in no tensor, one that is longer than its tensors, and what is no entry of PyTorch's; then none of it
    pickles.write_zip(folder + "/unused.pt", {"w": weight}, {"0": w.tobytes() + b"twelve bytes", "7": w.tobytes()}, more=[("notes", "and more")])
    pickles.write_zip(folder + "/used.pt", {"w": weight, "v": tensor("FloatStorage", "1", 8, (2,), (1,)), "u": tensor("FloatStorage", "1", 8, (6,), (1,), 2),
                                            "none": tensor("FloatStorage", "2", 0, (0,), (1,))},
                      {"0": w.tobytes(), "1": w.tobytes() + w.tobytes(), "2": b""}, byteorder="little",
                      more=[("extra/notes", "and more"), (".data/serialization_id", "1")])
    with zipfile.ZipFile(folder + "/notes.npz", "w") as z:
        array = io.BytesIO()
        np.save(array, w)
        z.writestr("w.npy", array.getvalue())
        z.writestr("notes", "and more")
    import_only = {"w": w, "x": G("subprocess", "Popen"), "y": G("mine", "Thing")}
    put(folder + "/import.pkl", dumps(import_only, 2))
    pickles.write_zip(folder + "/members.pt", {"w": weight}, {"0": w.tobytes()}, more=[
        ("code/__torch__.py", "class Net: pass\n"), ("run", b"\x7fELF\2\1\1" + bytes(60)), ("setup", "#!/bin/sh\nexit 1\n"),
        ("install.bat", "exit\r\n")])


def templates(folder):
    def write(name, template):
        meta = [(b"general.architecture", 8, text(b"llama")), (b"llama.block_count", 4, struct.pack("<I", 3)),
                (b"general.license", 8, text(b"mit")), (b"license", 8, text(b"gpl-3.0"))]
        meta += [(b"tokenizer.chat_template", 8, text(template))]
        x = ramp(32, 0.25).astype("<f4").tobytes()
        gguf(folder + name, [(b"blk.%d.w" % i, [32], 0, x) for i in range(2)], meta)

    x = ramp(32, 0.25).astype("<f4").tobytes()
    gguf(folder + "/blocks.gguf", [(b"blk.%d.w" % i, [32], 0, x) for i in range(2)],
         [(b"general.architecture", 8, text(b"llama")), (b"llama.block_count", 5, struct.pack("<i", -3)), (b"General.License", 8, text(b"mit"))])
    gguf(folder + "/bare.gguf", [], [(b"general.license", 8, text(b"mit"))])
    put(folder + "/behind.gguf", open(folder + "/bare.gguf", "rb").read().ljust(128, b"!"))
    write("/template-a.gguf", b"{{ messages }}")
    write("/template-b.gguf", b"{{ ''.__class__.__mro__ }}")


class Pipe(io.BytesIO):
    """What cannot be gone back in."""
    def seekable(self):
        return False

    def tell(self):
        raise io.UnsupportedOperation


def zips(folder):
    x, y = ramp(64, 0.5).astype("<f4"), ramp(64, 0.25).astype("<f4")
    np.savez(folder + "/plain.npz", x=x, y=y)
    whole = open(folder + "/plain.npz", "rb").read()
    # in front, in between, in the comment; offsets in the directory are moved along
    second, directory = whole.index(b"PK\3\4", 4), whole.index(b"PK\1\2")

    def moved(cuts):
        out, table = b"", whole[directory:]
        starts = [0, second]
        for i, at in enumerate(starts):
            out += cuts.get(i, b"")
            place = table.index(b"PK\1\2", table.index(b"PK\1\2") + 1) if i else 0
            table = table[:place + 42] + struct.pack("<I", len(out)) + table[place + 46:]
            out += whole[at:(starts + [directory])[i + 1]]
        end = table.index(b"PK\5\6")
        table = table[:end + 16] + struct.pack("<I", len(out)) + table[end + 20:]
        return out + table

    put(folder + "/gap.npz", moved({1: b"stray bytes"}))
    put(folder + "/gap2.npz", moved({1: b"Stray bytes"}))
    # as long as a data descriptor, and none; those that stand there when the file is written to a pipe
    put(folder + "/twelve.npz", moved({1: b"twelve bytes"}))
    put(folder + "/twenty.npz", moved({1: b"PK\7\10" + b"and twenty bytes of."}))
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        pipe = Pipe()
        with zipfile.ZipFile(pipe, "w", method) as z:
            z.writestr("folder/", b"")
            for name in "xy":
                z.writestr(f"folder/{name}.npy", whole[whole.index(b"\x93NUMPY"):][:len(x.tobytes()) + 128])
        put(f"{folder}/pipe{method}.npz", pipe.getvalue())
    with zipfile.ZipFile(folder + "/entry.npz", "w") as z:
        info = zipfile.ZipInfo("x.npy")
        info.comment = b"of the entry"
        z.writestr(info, whole[whole.index(b"\x93NUMPY"):second])
    comment = whole[:-2] + struct.pack("<H", 7) + b"comment"
    put(folder + "/comment.npz", comment)
    at = whole.index(x.tobytes())
    put(folder + "/damaged.npz", whole[:at] + b"\1" + whole[at + 1:])
    for name, part in (("trees", "tree_.nodes.threshold"), ("layers", "dense.threshold")):
        rows = {f"estimators_.{i}.{part}": ramp(64, (1 + i / 32) * (64 if i == 5 else 1)).astype(np.float32) for i in range(8)}
        np.savez(f"{folder}/{name}.npz", **rows)
    np.save(folder + "/one.npy", x)
    one = open(folder + "/one.npy", "rb").read()
    put(folder + "/trailing.npy", one + b"and more")
    objects = np.empty(2, object)
    objects[:] = ["a", x]
    np.save(folder + "/objects.npy", objects, allow_pickle=True)
    pickled = open(folder + "/objects.npy", "rb").read()
    put(folder + "/trailing-objects.npy", pickled + b"and more")
    put(folder + "/several.npy", one + pickled + one)
    # a picture's head in front of a zip file; a pickle with a zip file behind it
    put(folder + "/gif.npz", moved({0: b"GIF89a" + bytes(26)}))
    put(folder + "/zip.pkl", dumps({"x": x}, 2) + whole)
    # a safetensors file with a zip file behind it
    safetensors(folder + "/two.safetensors", [("x", x)], ORIGIN)
    put(folder + "/two.safetensors", open(folder + "/two.safetensors", "rb").read() + whole)


def rounded(r, n):
    """Floats that BF16 holds, as bits."""
    return (r.standard_normal(n).astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).astype(np.uint32)


def numbers(folder):
    r = np.random.Generator(np.random.PCG64(7))
    n = 40000
    bits = rounded(r, n)
    hidden = bits.copy()
    hidden[16384:36000] |= r.integers(0, 256, 36000 - 16384, np.uint32)
    values = ramp(512, 0.125).astype(np.float32).reshape(16, 32) + np.float32(3)
    dead = values.copy()
    dead[3], dead[:, 7], dead[:, 9] = 0, 0, 0
    special = values.copy()
    special[0, :3] = np.nan, np.inf, -np.inf
    tiny = values.copy()
    tiny[4:8] = np.float32(1e-40)
    tensors = [("rounded", bits.view(np.float32)), ("hidden", hidden.view(np.float32)), ("dead", dead), ("special", special),
               ("tiny", tiny), ("zero", np.zeros((4, 4), np.float32)), ("ones", np.ones(4, np.float32)),
               ("twin.a", values * 2), ("twin.b", values * 2)]
    for i in range(8):
        tensors.append((f"layers.{i}.w", (values * np.float32(1 + i / 32) * np.float32(64 if i == 5 else 1)).astype(np.float32)))
    safetensors(folder + "/numbers.safetensors", tensors, ORIGIN)
    safetensors(folder + "/clean.safetensors", [("w", values), ("rounded", bits.view(np.float32))], ORIGIN)
    # nothing but numbers tells weights and biases apart; the eighth is far from the others of its rank
    unnamed = [(f"tensor_{i}", values * np.float32(1 + i / 32) if i % 3 else values[0] * np.float32(1e6 * (1 + i / 32) * (64 if i == 21 else 1)))
               for i in range(24)]
    safetensors(folder + "/unnamed.safetensors", unnamed, ORIGIN)
    pad = gguf(folder + "/padding.gguf", [(b"a", [4], 0, values[0, :4].tobytes()), (b"b", [4], 0, values[1, :4].tobytes())], []) or \
        bytearray(open(folder + "/padding.gguf", "rb").read())
    pad[-40:-36] = b"here"
    put(folder + "/padding.gguf", bytes(pad))
    put(folder + "/pointer.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n")


def shards(folder):
    """The second of two is a pointer."""
    os.makedirs(folder + "/shards", exist_ok=True)
    safetensors(folder + "/shards/model-00001-of-00002.safetensors", [("a", ramp(8, 0.5).astype(np.float32))])
    put(folder + "/shards/model-00002-of-00002.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n")
    with open(folder + "/shards/model.safetensors.index.json", "w") as f:
        json.dump({"metadata": {"total_size": 64}, "weight_map": {"a": "model-00001-of-00002.safetensors",
                                                                  "b": "model-00002-of-00002.safetensors"}}, f)
    # two shards whose index is right, and two whose index and names are wrong about how much there is
    for name, of, total in (("agree", 2, 64), ("contradict", 3, 60)):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        where = {x: f"model-{i + 1:05}-of-{of:05}.safetensors" for i, x in enumerate("ab")}
        for x, file in where.items():
            safetensors(f"{folder}/{name}/{file}", [(x, ramp(8, 0.5).astype(np.float32))])
        put(f"{folder}/{name}/model.safetensors.index.json", json.dumps({"metadata": {"total_size": total}, "weight_map": where}).encode())


def deflated(name, x, packed):
    """A zip file with one entry x.npy, whose packed bytes are made by packed(bytes): the method says deflate."""
    with io.BytesIO() as b:
        np.save(b, x)
        raw = b.getvalue()
    data = packed(raw)
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, zlib.crc32(raw), len(data), len(raw), 5, 0)
    local = b"PK\3\4" + fields + b"x.npy" + data
    central = b"PK\1\2" + struct.pack("<H", 20) + fields + bytes(14) + b"x.npy"
    put(name, local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0))


def stored(raw):
    """Deflate's blocks that are stored."""
    out = b""
    for at in range(0, len(raw), 1000):
        part = raw[at:at + 1000]
        out += struct.pack("<BHH", at + 1000 >= len(raw), len(part), len(part) ^ 0xFFFF) + part
    return out


def smaller(raw):
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return z.compress(raw) + z.flush()


def packing(folder):
    x = ramp(1024, 0.5).astype("<f4")
    deflated(folder + "/longer.npz", x, stored)
    deflated(folder + "/zeros.npz", np.zeros(1 << 19, "<f4"), smaller)
    deflated(folder + "/behind.npz", x, lambda raw: smaller(raw) + b"behind the end")
    noise = np.random.Generator(np.random.PCG64(5)).integers(0, 256, 32, np.uint8).tobytes()
    weight = tensor("FloatStorage", "0", 4, (4,), (1,))
    with zipfile.ZipFile(folder + "/extra.pt", "w") as z:
        for name, raw, extra in (("data.pkl", dumps({"w": weight}, 2), b"Z" * 32), ("data/0", np.arange(4, dtype="<f4").tobytes(), noise),
                                 ("version", "3\n", bytes(32))):
            info = zipfile.ZipInfo("archive/" + name)
            info.extra = b"FB" + struct.pack("<H", len(extra)) + extra
            z.writestr(info, raw)


def number7(n):
    return bytes([n]) if n < 128 else bytes([0x80 | n >> 8, n & 255])


def seven(path, files):
    """A 7z archive whose files are stored, each in a folder of its own (7zFormat.txt of the LZMA SDK)."""
    data = b"".join(raw for _, raw in files)
    sizes = b"".join(number7(len(raw)) for _, raw in files)
    n = number7(len(files))
    names = b"\0" + b"".join((name + "\0").encode("utf-16-le") for name, _ in files)
    pack = b"\6" + number7(0) + n + b"\t" + sizes + b"\0"
    folders = b"\7\x0b" + n + b"\0" + b"\1\1\0" * len(files) + b"\x0c" + sizes + b"\0"
    streams = b"\4" + pack + folders + b"\x08\0\0"
    head = b"\1" + streams + b"\5" + n + b"\x11" + number7(len(names)) + names + b"\0\0"
    start = struct.pack("<QQI", len(data), len(head), zlib.crc32(head))
    put(path, b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + data + head)


def bundles(folder):
    small = folder + "/small.safetensors"
    safetensors(small, [("w", ramp(8, 0.5).astype(np.float32))], ORIGIN)
    model = open(small, "rb").read()
    files = [("README", b"no weights\n"), ("run", b"\x7fELF\2\1\1" + bytes(60)), ("small.safetensors", model),
             ("setup", b"#!/bin/sh\nexit 1\n"), ("convert.py", b"print(1)\n"), ("weights.pth", b"PK\3\4no weights")]
    with tarfile.open(folder + "/bundle.tar", "w") as t:
        for name, data in files:
            info = tarfile.TarInfo("release/" + name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    seven(folder + "/bundle.7z", files)


def unclaimed(folder):
    """Bytes between tensors, and behind them."""
    script, x = b"#!/bin/sh\nexit 1\n".ljust(64), ramp(16, 0.5).astype("<f4").tobytes()
    head = {"a": {"dtype": "F32", "shape": [16], "data_offsets": [64, 128]}, "b": {"dtype": "F32", "shape": [16], "data_offsets": [160, 224]}}
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    put(folder + "/holes.safetensors", struct.pack("<Q", len(text)) + text + script + x + bytes(32) + x)
    for name, where, stray in (("gap1", 1, b"hidden.."), ("gap2", 2, b"hidden.."), ("gap3", 1, b"HIDDEN..")):
        head, data = {"__metadata__": ORIGIN}, b""
        for i in range(3):
            data += stray if i == where else b""
            head[f"t{i}"] = {"dtype": "F32", "shape": [16], "data_offsets": [len(data), len(data) + 64]}
            data += x
        text = json.dumps(head).encode()
        text += b" " * (-len(text) % 8)
        put(f"{folder}/{name}.safetensors", struct.pack("<Q", len(text)) + text + data)
    whole = open(folder + "/plain.npz", "rb").read()
    gguf(folder + "/zip.gguf", [(b"a", [16], 0, x)])
    put(folder + "/zip.gguf", open(folder + "/zip.gguf", "rb").read() + whole)
    # tensors of 16 bytes, each with 16 of padding
    noise = np.random.Generator(np.random.PCG64(6)).integers(0, 256, (8, 16), np.uint8)
    gguf(folder + "/random.gguf", [(b"t%d" % i, [4], 0, x[16 * i % 64:][:16] + noise[i].tobytes()) for i in range(8)])


def half(x):
    return np.array(x, "<f2").tobytes()


def scales(folder):
    """Blocks of Q8_0 and Q4_0; BOOL with other bytes than 0 and 1."""
    codes = (np.arange(32) * 5 - 28).astype(np.int8)
    codes[0] = -127

    def q8(*ds, q=codes):
        return b"".join(half(d) + q.tobytes() for d in ds)

    def q4(*ds, q=bytes(range(0, 256, 16))):
        return b"".join(half(d) + q for d in ds)

    vary = [0.5 + i / 8 for i in range(40)]
    tensors = [("good8", 8, q8(*vary), 40), ("good4", 2, q4(*vary), 40), ("minus4", 2, q4(-1, 2), 2), ("minus8", 8, q8(1, -2, -0.0), 3),
               ("infinite", 8, q8(1, np.inf, np.nan), 3), ("zero", 8, q8(1, 2) + q8(0, q=np.zeros(32, np.int8)), 3),
               ("hidden", 2, q4(1, 0, 0), 3), ("repeats", 8, q8(*[0.25] * 32), 32), ("few", 8, q8(*[0.25] * 31), 31),
               ("odd", 8, q8(1, 2) + q8(3, q=(codes // 2)), 3),
               ("ternary", 35, b"".join(bytes([0b10010010 if i else 0b11000110]) * 64 + half(1) for i in range(40)), 320)]
    gguf(folder + "/scales.gguf", [(name.encode(), [32 * blocks], kind, raw) for name, kind, raw, blocks in tensors])
    r = np.random.Generator(np.random.PCG64(16))
    digits = np.arange(52 * 4, dtype=np.uint16).reshape(4, 52) % 81 * 3 % 243
    fives = ((digits * 256 + 242) // 243).astype(np.uint8)
    wrong = fives.copy()
    wrong[1, 3] = next(b for b in range(256) if (b * 243 // 256 * 256 + 242) // 243 != b)
    wrong[2, 50] += 1  # its fifth digit is no longer 0
    packed = r.integers(0, 256, (4, 32), np.uint8)
    fp4 = [bytes(e) + q.tobytes() for e, q in zip(((112, 113, 114, 115), (0, 1, 126, 9), (5, 6, 0x86, 7), (127, 5, 5, 5)), packed)]
    q8k = np.zeros(3, [("d", "<f4"), ("q", "i1", 256), ("sums", "<i2", 16)])
    q8k["d"], q8k["q"] = (1, 2, 3), r.integers(-127, 128, (3, 256))
    q8k["sums"] = q8k["q"].astype(np.int16).reshape(3, 16, 16).sum(2)
    bad = q8k.copy()
    bad["sums"][1, 15] += 1
    mx = np.zeros(3, [("e", "u1"), ("q", "u1", 16)])
    mx["e"], mx["q"] = (120, 121, 255), packed[0, :16]
    gguf(folder + "/codes.gguf", [(b"tq1.good", [1024], 34, b"".join(x.tobytes() + half(1) for x in fives)),
         (b"tq1.odd", [1024], 34, b"".join(x.tobytes() + half(1) for x in wrong)), (b"nvfp4.good", [128], 40, b"".join(fp4[:2])),
         (b"nvfp4.odd", [128], 40, b"".join(fp4[2:])), (b"q8k.good", [768], 15, q8k.tobytes()), (b"q8k.odd", [768], 15, bad.tobytes()),
         (b"mxfp4.good", [64], 39, mx[:2].tobytes()), (b"mxfp4.nan", [96], 39, mx.tobytes())])
    wide = r.standard_normal(300).astype(np.float32)
    brain = (wide.view(np.uint32) & 0xFFFF0000).view(np.float32)
    small = (wide / 3000).astype(np.float16).astype(np.float32)  # some have no full fraction
    counted, sevenths = np.arange(600, dtype=np.float32), np.arange(-300, 300, dtype=np.float32) % 128 / 64
    for name, tensors in (("narrow", [("a", brain), ("b", brain[::-1]), ("c", wide)]), ("halves", [("h", small)]), ("wide", [("w", wide.astype(float))]),
                          ("clean2", [("counted", counted), ("few", brain[:250]), ("bits", sevenths), ("one", np.r_[brain, wide[:1]]),
                                      ("true", wide.astype(float) / 3)])):
        safetensors(f"{folder}/{name}.safetensors", tensors, ORIGIN)
    good, odd = np.array([0, 1] * 8, np.uint8), np.array([0, 1, 2, 255], np.uint8)
    safetensors(folder + "/bools.safetensors", [("good", good.view(np.bool_)), ("odd", odd.view(np.bool_))], ORIGIN)


if __name__ == "__main__":
    where = sys.argv[1] + "/audit"
    os.makedirs(where, exist_ok=True)
    for make in (code, templates, zips, numbers, shards, packing, bundles, unclaimed, scales):
        make(where)
