"""HDF5 and Keras files for the tests, sound ones and others, by h5py: $FIXTURES/hdf5. Nothing is made where there is no h5py; the
tests are skipped then."""
import io
import json
import os
import struct
import sys
import zipfile

import numpy as np

try:
    import h5py
except ImportError:
    h5py = None


def ramp(n, letter="<f4"):
    return (np.arange(n) % 64 - 31).astype(letter)


def floats(f, name, size, sign, exponent, bits, mantissa, bias, raw, shape):
    """A dataset of floats of a layout that NumPy has no name for."""
    t = h5py.h5t.IEEE_F32LE.copy()
    t.set_fields(sign, exponent, bits, 0, mantissa)
    t.set_precision(8 * size)
    t.set_size(size)
    t.set_ebias(bias)
    d = h5py.h5d.create(f.id, name.encode(), t, h5py.h5s.create_simple(shape))
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.frombuffer(raw, f"V{size}"), mtype=t)


def types():
    with h5py.File("types.h5", "w") as f:
        for letter in "<i1 <u1 <i2 >i2 <u2 <i4 >i4 >u4 <i8 >i8 <u8 <f2 >f2 <f4 >f4 <f8 >f8 <c8 >c8 <c16".split():
            x = np.arange(24) if "u" in letter else ramp(24, letter) * (1 + (1j if "c" in letter else 0))
            f["types/" + letter.replace("<", "le_").replace(">", "be_")] = x.astype(letter).reshape(4, 6)
        f["types/bool"] = np.array([True, False, True])
        floats(f, "types/bf16", 2, 15, 7, 8, 7, 127, struct.pack("<3H", 0x3F80, 0xC040, 0x7F80), (3,))
        floats(f, "types/odd", 4, 31, 22, 9, 22, 255, bytes(8), (2,))
        # a list where Keras has one word: its elements were once written past a place for one
        f.create_dataset("types/listed_bf16", data=np.zeros(3, "V2")).attrs.create("dtype", ["bfloat16"] * 60,
                                                                                    dtype=h5py.string_dtype())
        f.create_dataset("types/keras_bf16", data=np.frombuffer(struct.pack("<3H", 0x3F80, 0xC040, 0x0000), "V2")).attrs["dtype"] = "bfloat16"
        f["types/bytes"] = np.frombuffer(b"abcdef", "V3")
        f["types/vectors"] = np.zeros(2, np.dtype(("<f4", (3,))))
        f["types/vectors"][...] = ramp(6).reshape(2, 3)
        f.create_dataset("types/vector_type", (2,), np.dtype(("<f4", (3,))))
        f["types/text"] = np.array([b"one", b"two"], "S5")
        f["types/words"] = "any length"
        f["types/records"] = np.array([(1, 2.5)], [("a", "<i4"), ("b", "<f4")])
        f["types/reference"] = np.array([f["types/text"].ref], h5py.ref_dtype)
        f.create_dataset("types/lists", (2,), h5py.vlen_dtype("<i4"))
        f["types/enum"] = np.array([0, 2, 1], h5py.enum_dtype({"A": 0, "B": 1, "C": 2}, "<i2"))


def layouts():
    a = ramp(600).reshape(20, 30)
    with h5py.File("layouts.h5", "w") as f:
        f["contiguous"] = a
        f.create_dataset("chunked", data=a, chunks=(7, 9))
        f.create_dataset("gzip", data=a, chunks=(7, 9), compression="gzip", shuffle=True, fletcher32=True)
        f.create_dataset("scaled", data=a.astype("<i4"), chunks=(20, 30), scaleoffset=0)
        f.create_dataset("partly", (20, 30), "<f4", chunks=(5, 5), fillvalue=2.5)[3, 4] = 7
        f.create_dataset("unwritten", (1000, 1000, 1000), "<f4", fillvalue=-1.5)
        f.create_dataset("unwritten_chunks", (5, 5), ">i2", chunks=(2, 2))
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_layout(h5py.h5d.COMPACT)
        d = h5py.h5d.create(f.id, b"compact", h5py.h5t.IEEE_F64BE, h5py.h5s.create_simple((3,)), plan)
        d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1.0, -2.0, 3.5]))
        f["scalar"] = np.float32(0.25)
        f["empty"] = np.zeros((0, 3), "<f4")
        f["nothing"] = h5py.Empty("f4")
        f["between"] = ramp(5, "<i8")
    with h5py.File("userblock.h5", "w", userblock_size=1024) as f:
        f["a"] = ramp(6)
        f.create_dataset("b", data=ramp(6), chunks=(2,))
    with open("userblock.h5", "rb") as f, open("script.h5", "wb") as to:
        whole = f.read()
        script = b"#!/bin/sh\nexit 1\n"
        to.write(script + whole[len(script):])
    with h5py.File("latest.h5", "w", libver="latest", track_order=True) as f:
        for i in range(40):
            f[f"group/{i}/a"] = ramp(6) + i


    with h5py.File("texts.h5", "w") as f:
        f["words"] = np.array(["one", "three"], object)
        f["weights"] = ramp(8)


def elsewhere():
    """What leads out of the file, or round in circles."""
    with h5py.File("other.h5", "w") as f:
        f["secret"] = ramp(4)
    with open("raw.bin", "wb") as f:
        f.write(bytes(64))
    with h5py.File("links.h5", "w") as f:
        f["a/data"] = ramp(4)
        f["a/soft"] = h5py.SoftLink("/a/data")
        f["a/nowhere"] = h5py.SoftLink("/none")
        f["a/external"] = h5py.ExternalLink("other.h5", "/secret")
        f["a/again"] = f["a"]
        f["b"] = f["a"]
        f["same"] = f["a/data"]
        f.create_dataset("raw", (16,), "<f4", external=[("raw.bin", 0, 64)])
        layout = h5py.VirtualLayout((4,), "<f4")
        layout[...] = h5py.VirtualSource("other.h5", "secret", (4,))
        f.create_virtual_dataset("virtual", layout)
        f.create_dataset("lzf", data=ramp(64), chunks=(64,), compression="lzf")


def keras_group(g, layers, split=0):
    names = [n.encode() for n in layers]
    if split:
        for i in range(0, len(names), split):
            g.attrs[f"layer_names{i // split}"] = names[i:i + split]
    else:
        g.attrs["layer_names"] = names
    g.attrs["backend"], g.attrs["keras_version"] = b"tensorflow", b"2.9.0"
    for layer, weights in layers.items():
        group = g.create_group(layer)
        group.attrs["weight_names"] = [n.encode() for n in weights]
        for n, x in weights.items():
            group[n] = x


def keras():
    layers = {"z_first": {"z_first/kernel:0": ramp(12).reshape(3, 4), "z_first/bias:0": ramp(4)},
              "lambda": {}, "a_last": {"a_last/kernel:0": ramp(8).reshape(4, 2), "a_last/sub/bias:0": ramp(2)}}
    config = {"class_name": "Functional", "config": {"name": "model", "layers": [
        {"class_name": "Dense", "config": {"name": "z_first"}}, {"class_name": "Lambda", "config": {"name": "lambda"}},
        {"class_name": "Sequential", "config": {"name": "inner", "layers": [{"class_name": "Lambda", "config": {"name": "deep"}}]}}]}}
    with h5py.File("model.h5", "w") as f:
        f.attrs["model_config"] = json.dumps(config)
        f.attrs["keras_version"], f.attrs["backend"] = "2.9.0", "tensorflow"
        keras_group(f.create_group("model_weights"), layers)
        f["optimizer_weights/Adam/iter:0"] = np.int64(7)
    with h5py.File("weights.h5", "w") as f:
        keras_group(f, layers, 2)
    with h5py.File("shared.h5", "w") as f:
        keras_group(f, {"one": {"w:0": ramp(2)}, "two": {"w:0": ramp(3)}, "out": {"../one/w:0": ramp(4), "v:0": ramp(1)}})
    inside = io.BytesIO()
    with h5py.File(inside, "w") as f:
        for i, n in enumerate(("dense", "dense_1")):
            g = f.create_group(f"layers/{n}/vars")
            g.attrs["name"] = f"layer_{i}"
            g["0"], g["1"] = ramp(6).reshape(2, 3) + i, ramp(3) + i
    meta, config3 = {"keras_version": "3.1.0", "date_saved": "2024-03-01@10:00:00"}, dict(config, module="keras")
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        keras_zip(name, meta, config3, inside.getvalue(), method)
    objects = [{"module": "os", "class_name": "function", "config": "system"}, {"module": "keras.utils", "class_name": "function", "config": "get_file"},
               {"module": "keras.layers", "class_name": "Dense", "config": {"activation": {"module": "builtins", "class_name": "function", "config": "relu"}}},
               {"module": "mine", "class_name": "Layer", "config": {}}, {"module": "keras_own.layers", "class_name": "Own", "config": {}},
               {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "x"}},
               {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
               {"class_name": "Lambda", "config": {}}]
    keras_zip("objects", meta, {"module": "keras", "class_name": "Sequential", "config": {"layers": objects}}, inside.getvalue())
    keras_zip("noweights", meta, config3, None)
    keras_zip("badconfig", meta, None, inside.getvalue())


def keras_zip(name, meta, config, weights, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(name + ".keras", "w", method) as z:
        for entry, body in (("metadata.json", json.dumps(meta)), ("config.json", json.dumps(config) if config else "{,}"),
                            ("model.weights.h5", weights), ("assets/note.txt", "model.weights.h5 is not here")):
            if body is not None:
                z.writestr(zipfile.ZipInfo(entry), body, method)


def around():
    """What is in front of a file and behind it, by superblocks of versions 0, 2 and 3."""
    for name, versions in (("first", ("earliest", "latest")), ("second", ("v108", "v108")), ("third", ("v110", "v110"))):
        with h5py.File(name + ".h5", "w", libver=versions, userblock_size=1024) as f:
            f["x"] = ramp(6)
        with open(name + ".h5", "rb") as f:
            whole = f.read()
        with open(name + ".h5", "wb") as f:
            f.write(b"text in front" + whole[13:] + b"and behind")


def broken():
    with open("model.h5", "rb") as f:
        whole = f.read()
    for name, b in (("cut", whole[:len(whole) // 2]), ("header", whole[:100]), ("root", whole[:300] + b"\xff" * 400 + whole[700:]),
                    ("zeros", whole[:96] + bytes(len(whole) - 96))):
        with open(name + ".h5", "wb") as f:
            f.write(b)
    deep = "/".join("g%d" % i for i in range(300))
    with h5py.File("deep.h5", "w") as f:
        f[deep + "/x"] = ramp(2)
    with h5py.File("bomb.h5", "w") as f:
        f.create_dataset("bomb", (1 << 17, 1 << 17), "<f8", chunks=(1024, 1024), compression="gzip")[0, 0] = 1
        f["ok"] = ramp(4)
    os.makedirs("../mangle/hdf5", exist_ok=True)
    with h5py.File("../mangle/hdf5/x.h5", "w") as f:
        keras_group(f, {"d": {"d/k:0": ramp(6)}})
        f.create_dataset("z", data=ramp(64), chunks=(16,), compression="gzip")


if __name__ == "__main__" and h5py:
    os.makedirs(sys.argv[1] + "/hdf5", exist_ok=True)
    os.chdir(sys.argv[1] + "/hdf5")
    for one in (types, layouts, elsewhere, keras, around, broken):
        one()
