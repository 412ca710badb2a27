"""Makes the first corpus of each fuzz entry out of what tests/mk made: small files, sound and broken.

	python3 tests/fuzz/seeds.py FIXTURES tests/fuzz/corpus

It was run once; what the fuzzer found since then stands beside them.
"""
import glob
import hashlib
import io
import os
import sys
import zipfile

import numpy as np

MOST, EACH = 20000, 24

# format: patterns of files below FIXTURES. Where one names several with +, they are one model; the first is opened.
SEEDS = {
    "safetensors": ["cli/*.safetensors", "packs/*.safetensors"],
    "gguf": ["cli/*.gguf"],
    "pytorch": ["torch/*.pt"],
    "pickle": ["torch/*.pkl"],
    "npy": ["torch/*.npy"],
    "onnx": ["mangle/onnx/model.onnx", "proto/onnx/*.onnx", "proto/onnx/outside.onnx+proto/onnx/data.bin"],
    "coreml": ["mangle/coreml*/*.mlmodel", "proto/coreml/*.mlmodel"],
    "coreml-package": ["proto/coreml/*.mlpackage/Manifest.json"],
    "caffe": ["mangle/caffe/*.caffemodel", "proto/caffe/*.caffemodel"],
    "mxnet": ["nets/mx-*.params"],
    "ncnn": ["nets/nn-good.param+nets/nn-good.bin", "nets/nn-custom.param+nets/nn-custom.bin", "nets/nn-*.param"],
    "ncnn-bin": ["nets/nn-good.bin+nets/nn-good.param", "nets/nn-alone.bin"],
    "darknet": ["nets/dk-good.weights+nets/dk-good.cfg", "nets/dk-route.weights+nets/dk-route.cfg",
                "nets/dk-groups.weights+nets/dk-groups.cfg", "nets/dk-odd.weights+nets/dk-odd.cfg", "nets/dk-lonely.weights"],
    "dlib": ["nets/dl-*.dat"],
    "ggml": ["nets/ggml-*.bin"],
    "tensorflow": ["mangle/checkpoint/x.index+mangle/checkpoint/x.data-00000-of-00002+mangle/checkpoint/x.data-00001-of-00002",
                   "tf/good.index+tf/good.data-00000-of-00002+tf/good.data-00001-of-00002", "tf/types.index+tf/types.data-00000-of-00001",
                   "tf/*.index"],
    "graphdef": ["mangle/graph/*.pb", "tf/*.pb"],
    "savedmodel": ["mangle/savedmodel/saved_model.pb", "tf/*/saved_model.pb"],
    "tflite": ["mangle/tflite/*.tflite", "tf/*.tflite"],
    "flax": ["mangle/flax/*.msgpack", "tf/*.msgpack"],
    "hdf5": ["hdf5/other.h5", "hdf5/header.h5", "hdf5/userblock.h5"],
    "keras": ["hdf5/deflated.keras", "hdf5/noweights.keras"],
    "lc0": ["mangle/lc0/*.pb", "proto/lc0/*.pb"],
    "leela-zero": ["nets/lz-version.txt"],
    "katago": ["nets/kg-*.bin", "nets/kg-cut-*.txt"],
    "nnue": ["nets/nnue-good.nnue", "nets/nnue-cut-*.nnue", "nets/nnue-leb-open.nnue"],
    "nnue-raw": ["nets/nnue-cut-50.nnue"],
    "gnubg": ["nets/bg-*.weights", "nets/bg-*.wd"],
    "rnnoise": ["nets/rn-*.rnnn"],
}


def several(files):
    """files: (name, bytes)"""
    return b"weigh-fuzz-files\n" + b"".join(f"{name} {len(raw)}\n".encode() + raw for name, raw in files)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def found(fixtures, pattern):
    if "+" in pattern:
        paths = [os.path.join(fixtures, p) for p in pattern.split("+")]
        if all(map(os.path.exists, paths)):
            yield several([(os.path.basename(p), read(p)) for p in paths])
        return
    for path in sorted(glob.glob(os.path.join(fixtures, pattern))):
        if 0 < os.path.getsize(path) <= MOST:
            yield read(path)


def npy(x):
    out = io.BytesIO()
    np.save(out, x)
    return out.getvalue()


def by_hand():
    x = np.arange(12.0).reshape(3, 4)
    records = np.zeros(3, [("a", "<i4"), ("b", ">f8", (2,))])
    arrays = [npy(a) for a in (x, np.asfortranarray(x.astype(">f4")), np.float16(1.5), np.zeros((0, 3), "c8"), records)]
    yield "npy", arrays
    npz = []
    for save in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        save(out, **{"a.weight": x, "b": x.astype("<f4").T, "c": np.arange(3)})
        npz.append(out.getvalue())
    yield "npz", npz
    index = b'{"metadata":{"total_size":96},"weight_map":{"a":"x-1.F","b":"x-2.F"}}'
    header = b'{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"__metadata__":{"format":"pt"}}'
    shard = len(header).to_bytes(8, "little") + header + bytes(24)
    name = "x.safetensors.index.json"
    two = [("x-1.safetensors", shard), ("x-2.safetensors", shard.replace(b'"a"', b'"b"'))]
    yield "safetensors-index", [several([(name, index.replace(b"F", b"safetensors"))] + two), index]
    yield "pytorch-index", [index.replace(b"F", b"bin")]
    yield "flax-index", [index.replace(b"F", b"msgpack")]
    yield "tensorflow-shard", [several([("x.data-00000-of-00001", bytes(24))])]
    yield "paddle", [b"\x80\x04}(\x8c\x01wcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K\x02\x85"
                     b"cnumpy\ndtype\n\x8c\x02f4K\x00K\x01\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
                     b"C\x08\0\0\x80?\0\0\0@tb\x8c\x1cStructuredToParameterName@@}u."]
    net = [b"1"] + [b"0.5 " * n for n in (2 * 18 * 9, 2, 2, 2, 4 * 9, 2, 2, 2, 4 * 9, 2, 2, 2, 4, 2, 2, 2, 6, 3, 2, 1, 1, 1, 4, 2, 2, 1)]
    yield "leela-zero", [b"\n".join(net) + b"\n", b"2\n1 2 3\n4 5\n"]
    yield "names", [b"*.w*\n0:2,::-1\nlayers.0.w\nlayers.1.w\nlayers.10.w\nx\xff\xe2\x80\xae\x1b[2J\n",
                    b"layers.[0-9]\n...,1\nblk.0.experts.0.w\nblk.0.experts.1.w\nblk.1.experts.0.w\nblk.1.experts.1.w\nhead\n",
                    "?\n-1\nlayer2.0.conv1\nlayer2.1.conv1\nlayer3.0.conv1\n漢字.名\ne\u0301\n".encode()]
    yield "json", [header, index, b'{"a":[1,2.5e3,-0,true,false,null,"\\u00e9\\n\\ud83d\\ude00"],"b":{"c":{}}} ', b"[[[[1]]]]", b'{"a":1,"a":2}']
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as z:
        z.writestr("in/a.npy", arrays[0])
    yield "pair", [several([("a.safetensors", shard), ("b.safetensors", shard[:-4] + b"\0\0\x80?")]),
                   several([("a.npy", arrays[0]), ("b.npy", arrays[1])]), several([("a.npz", npz[0]), ("b.npz", npz[1])]),
                   several([("a.zip", stored.getvalue()), ("a.npy", arrays[0])])]


def main(fixtures, out):
    all_of_them = {name: [raw for p in patterns for raw in found(fixtures, p)] for name, patterns in SEEDS.items()}
    for name, some in by_hand():
        all_of_them.setdefault(name, []).extend(some)
    for name, some in all_of_them.items():
        os.makedirs(os.path.join(out, name), exist_ok=True)
        for raw in list(dict.fromkeys(some))[:EACH]:
            with open(os.path.join(out, name, hashlib.sha1(raw).hexdigest()[:12]), "wb") as f:
                f.write(raw)


if __name__ == "__main__":
    main(*sys.argv[1:3])
