"""HDF5 and Keras files, real and generated, against h5py. timeout: 180"""
import io
import os
import sys
import zipfile

sys.dont_write_bytecode = True

import numpy as np

import check
import weightfiles as wf

try:
    import h5py
except ImportError:
    h5py = None

BF16 = ("types/bf16", "types/keras_bf16")
UNDECODED = {"types/bytes", "types/listed_bf16", "types/lists", "types/odd", "types/records", "types/reference", "types/text",
             "types/words"}
# What is left out of the comparison: it takes too long to be added up exactly.
LARGE = {"unwritten"}


def array_of(name, d):
    if name in BF16:
        return ("BF16", d.shape, d[...].tobytes() if d.dtype.kind == "V" else None)
    if name in UNDECODED:
        return (None, d.shape, None)
    if d.shape is None:
        return ("F32", (0,), b"")
    x = np.asarray(d[...])
    if d.dtype.subdtype:
        return wf.of_array(x.reshape(x.shape))
    return wf.of_array(x)


def datasets(f):
    out = {}

    def visit(name, d):
        if isinstance(d, h5py.Dataset) and name not in LARGE:
            out[name] = array_of(name, d)

    f.visititems(visit)
    return out


def keras_names(f, all_of_them):
    """Keras's own names, in which h5py's paths are replaced by those of weight_names, without the output's number."""
    place = next((p for p in ("/", "/model_weights") if p in f and any(k.startswith("layer_names") for k in f[p].attrs)), None)
    if place is None:
        return all_of_them
    group = f[place]
    layers = [n for k in sorted(k for k in group.attrs if k.startswith("layer_names")) for n in group.attrs[k]]
    new = {}
    for layer in layers:
        layer = layer.decode() if isinstance(layer, bytes) else layer
        for n in group[layer].attrs["weight_names"]:
            n = n.decode() if isinstance(n, bytes) else n
            new[f"{place}/{layer}/{n}".strip("/").replace("//", "/")] = n[:-2] if n.endswith(":0") else n
    assert len(set(new.values())) == len(new)
    return {new.get(name, name): t for name, t in all_of_them.items()}


def open_keras(path):
    if not path.endswith(".keras"):
        return h5py.File(path, "r")
    with zipfile.ZipFile(path) as z:
        return h5py.File(io.BytesIO(z.read("model.weights.h5")), "r")


def tensors_of(path):
    with open_keras(path) as f:
        return keras_names(f, datasets(f))


def one(path, label):
    check.stats_of_file(path, tensors_of(path), f"stats {label}")


def without_large(path):
    return ("-v", "unwritten") if path.endswith("layouts.h5") else ()


def generated(folder):
    for name in ("layouts.h5", "userblock.h5", "latest.h5", "model.h5", "weights.h5", "stored.keras", "deflated.keras"):
        path = f"{folder}/{name}"
        check.stats_of_file(path, tensors_of(path), f"stats {name}", options=without_large(path))
    path = folder + "/types.h5"
    tensors = {n: t for n, t in tensors_of(path).items() if n not in UNDECODED}
    tensors["types/bf16"] = ("BF16", (3,), bytes([0x80, 0x3F, 0x40, 0xC0, 0x80, 0x7F]))
    check.stats_of_file(path, tensors, "stats types.h5", options=[o for n in sorted(UNDECODED) for o in ("-v", n)])


REAL = ("hdf5/caffe_sample_data_2_gzip.h5", "hdf5/fer2013_mini_XCEPTION.00-0.47.hdf5", "hdf5/fer2013_mini_XCEPTION.102-0.66.hdf5",
        "hdf5/keras_3layer.h5", "hdf5/keras_3layer_70pruned.h5", "hdf5/keras_3layer_95pruned.h5", "hdf5/magic_wand_weights.h5",
        "keras/model-2025-01-31.keras", "keras/model-2025-02-02.keras", "keras/pre_pr22362_nested_container.keras")
PAIRS = ((1, 2), (3, 4), (4, 5), (7, 8))


def main():
    shared, folder = os.environ.get("SHARED", ""), os.environ["FIXTURES"] + "/hdf5"
    said = check.subprocess.run([os.environ["WEIGH"], "--version"], capture_output=True, check=False).stdout
    if h5py is None or b"HDF5: libhdf5" not in said:
        check.skip("HDF5", "no h5py, or a build without libhdf5")
        check.end()
        return
    generated(folder)
    for name in REAL if os.path.isdir(shared + "/hdf5") else ():
        one(f"{shared}/{name}", name)
    for i, j in PAIRS if os.path.isdir(shared + "/hdf5") else ():
        a, b = f"{shared}/{REAL[i]}", f"{shared}/{REAL[j]}"
        check.diff_of_files(a, b, tensors_of(a), tensors_of(b), f"diff {REAL[i]} {REAL[j]}")
    check.end()


if __name__ == "__main__":
    main()
