"""Makes the first corpus of each fuzz entry out of what tests/mk made: small files, sound and broken.

	python3 tests/fuzz/seeds.py FIXTURES tests/fuzz/corpus [WEIGH-H5]

It was run once; what the fuzzer found since then stands beside them. With weigh-h5 there are its answers, too.
"""
import glob
import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

MOST, EACH = 20000, 60

# format: patterns of files below FIXTURES. Where one names several with +, they are one model; the first is opened.
SEEDS = {
    "archive": ["hostile/*.gz", "hostile/*.bz2", "hostile/*.xz", "hostile/*.tar", "cli/*.gz", "cli/*.tar", "cli/*.zip"],
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
    state = {"fc.weight": x.astype("<f4"), "fc.bias": np.float32([1, 2]), "StructuredToParameterName@@": {"fc.weight": "fc_0.w_0"}}
    yield "paddle", [pickle.dumps(state, p) for p in (2, 4)] + [pickle.dumps({"w": ("w_0", x)}, 2)]
    net = [b"1"] + [b"0.5 " * n for n in (2 * 18 * 9, 2, 2, 2, 4 * 9, 2, 2, 2, 4 * 9, 2, 2, 2, 4, 2, 2, 2, 6, 3, 2, 1, 1, 1, 4, 2, 2, 1)]
    yield "leela-zero", [b"\n".join(net) + b"\n", b"2\n1 2 3\n4 5\n"]
    yield "safetensors", list(packed())
    yield "pytorch", list(old_torch())
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


def packed():
    """Small models of every way to pack weights, by the makers of tests/oracle."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
    import packfiles as pf
    import weightfiles as wf

    gptq = {"quantization_config": {"quant_method": "gptq", "checkpoint_format": "gptq"}}
    mlx = {"quantization": {"bits": 4, "group_size": 64}}
    names = "m.0.experts.down_proj"
    made = [(None, m) for m in (
        pf.f8_blocks(130, 20), pf.f8_blocks(3, 130, scale="F8_E8M0", name=".scale"), pf.f8_blocks(2, 20, scale="BF16", name="_scale", lead=(2,)),
        pf.scaled((3, 5), (3, 1), scale="BF16"), pf.scaled((3, 5), ()), pf.scaled((3, 2, 3, 3), (3,), kind="F8_E5M2"),
        pf.scaled((2, 3, 5), (2, 1, 1)), pf.scaled((3, 64), (3, 4)), pf.scaled((3, 5), (), key="scale_weight"),
        pf.scaled((3, 5), (3,), extra={"a.comfy_quant": pf.stored("U8", np.frombuffer(b'{"format": "float8_e4m3fn"}', np.uint8))}),
        pf.scaled((3, 5), (3, 1), kind="I8", zeros=True), pf.bnb_int8(3, 7), pf.mxfp8(3, 64),
        pf.mxfp4((2, 3, 64), (names + "_blocks", names + "_scales"), logical=names, turned=True),
        pf.mxfp4((3, 64), ("a.weight_packed", "a.weight_scale"), logical="a.weight"), pf.mxfp4((3, 64), ("a.weight", "a.scale"), kind="I8",
                                                                                              scale="F8_E8M0"),
        pf.nvfp4((3, 32), "modelopt"), pf.nvfp4((3, 32), "ct"), pf.bnb4((5, 7), nested=0), pf.bnb4((5, 70), nested=256),
        pf.bnb4((7, 13), 128, kind="fp4"), pf.ct(3, 64, 4, 2, "packed"), pf.ct(3, 33, 4), pf.ct(8, 64, 4, 2, "plain"),
        pf.ct(3, 64, 8, 2, "packed", order=True), pf.gptq(64, 32, 4, 2, symmetric=True), pf.awq(32, 8, 2), pf.mlx((3, 96), 3, 32))]
    made += [(gptq, pf.gptq(64, 32, bits, 2, 1, index)) for bits in (2, 3, 4, 8) for index in (None, "shuffled")]
    made += [(mlx, pf.mlx((3, 128), 4, 64)), ({"quantization_config": {"weight_block_size": [16, 16]}}, pf.f8_blocks(20, 33, block=16))]
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "x.safetensors")
        for config, (tensors, *_) in made:
            wf.write_safetensors(path, tensors)
            yield read(path) if not config else several([("x.safetensors", read(path)), ("config.json", json.dumps(config).encode())])


def old_torch():
    """What torch.save wrote before zip files: a tar file, and a stream of pickles."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
    import pickles as pk

    raw = np.arange(12, dtype="<f4").tobytes()
    half = np.arange(4, dtype="<f2").tobytes()
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "x.pt")
        storages = {"s0": ("FloatStorage", 4, raw), "s1": ("HalfStorage", 2, half)}
        tensors = {"t0": ("s0", (3, 4), (4, 1), 0), "t1": ("v0", (2, 2), (1, 2), 1), "t2": ("s1", (4,), (1,), 0)}
        obj = {"a.weight": pk.Persistent("t0"), "b": pk.Persistent("t1"), "c": pk.Persistent("t2")}
        pk.write_tar(path, obj, storages, tensors, [("v0", "s0", 2, 8)])
        yield read(path).rstrip(b"\0") + bytes(1024)
        for big in (False, True):
            pk.write_stream(path, {"a": pk.tensor("FloatStorage", "s0", 12, (3, 4), (4, 1)),
                                   "b": pk.tensor("HalfStorage", "s1", 4, (2, 2), (1, 2))}, {"s0": (4, raw), "s1": (2, half)}, big)
            yield read(path)


def records(weigh_h5, path):
    """What weigh-h5 answers: with the file, a spool and a pipe as descriptors 3, 4 and 5 (src/format/h5scan.h)."""
    version = subprocess.run([os.path.join(os.path.dirname(weigh_h5), "weigh"), "--version"], capture_output=True, text=True)
    with open(path, "rb") as file, tempfile.TemporaryFile() as spool, tempfile.TemporaryFile() as pipe:
        shell = 'exec "$0" "$@" 3<&%d 4<&%d 5<&%d' % (file.fileno() + 40, spool.fileno() + 40, pipe.fileno() + 40)
        fds = [os.dup2(f.fileno(), f.fileno() + 40) for f in (file, spool, pipe)]
        subprocess.run(["/bin/bash", "-c", shell, weigh_h5, version.stdout.split()[1], "0", str(os.path.getsize(path)), "1000000"],
                       pass_fds=fds, check=True)
        pipe.seek(0)
        return pipe.read()


def answers(fixtures, weigh_h5):
    all_of_them = [records(weigh_h5, path) for path in sorted(glob.glob(os.path.join(fixtures, "hdf5/*.h5")))]
    inside = [raw for raw in all_of_them if b"layer_names" in raw or b"vars" in raw]
    for raw in inside[:3]:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as z:
            z.writestr("metadata.json", '{"keras_version": "3.0.0", "date_saved": "2024"}')
            z.writestr("config.json", '{"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": '
                       '"Dense", "config": {"name": "d", "units": 3}}, {"class_name": "Lambda", "config": {"function": ["4wE="]}}]}}')
            z.writestr("model.weights.h5", raw)
        all_of_them.append(out.getvalue())
    return [raw for raw in all_of_them if len(raw) <= MOST]


def main(fixtures, out, weigh_h5=None):
    all_of_them = {name: [raw for p in patterns for raw in found(fixtures, p)] for name, patterns in SEEDS.items()}
    for name, some in by_hand():
        all_of_them.setdefault(name, []).extend(some)
    if weigh_h5:
        all_of_them["h5"] = answers(fixtures, weigh_h5)
    for name, some in all_of_them.items():
        os.makedirs(os.path.join(out, name), exist_ok=True)
        for raw in list(dict.fromkeys(some))[:EACH]:
            with open(os.path.join(out, name, hashlib.sha1(raw).hexdigest()[:12]), "wb") as f:
                f.write(raw)


if __name__ == "__main__":
    main(*sys.argv[1:4])
