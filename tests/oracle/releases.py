"""What a look at two real files of $SHARED/data must tell, and the same net in two formats, number by number. timeout: 120"""
import os
import sys

sys.dont_write_bytecode = True

import numpy as np

import check

SHARED = os.environ.get("SHARED", "")

# Tensors by status. What the pairs are is known from who published them: releases of one net, trainings, the same again.
PAIRS = (
    ("nnue/nn-c01dc0ffeede.nnue", "nnue/nn-37f18f62d772.nnue", {"changed": 51}),
    ("gnubg/gnubg-2006.weights", "gnubg/gnubg-2013-03.weights", {"changed": 15, "reshaped": 9}),
    ("safetensors/lora-ckpt230.safetensors", "safetensors/lora-ckpt690.safetensors", {"changed": 148}),
    ("safetensors/hadamards-r1.safetensors", "safetensors/hadamards-r2.safetensors", {"identical": 33, "added": 33}),
    ("ggml/silero-v5.1.2-ggml.bin", "ggml/silero-v6.2.0-ggml.bin", {"identical": 1, "changed": 14}),
    ("ggml/parakeet-tdt-r1.bin", "ggml/parakeet-tdt-r2.bin", {"identical": 52, "changed": 1}),
    ("pytorch/lpips-alex-v0.0.pth", "pytorch/lpips-alex-v0.1.pth", {"changed": 5}),
    ("pytorch/lpips-vgg-v0.0.pth", "pytorch/lpips-vgg-v0.1.pth", {"changed": 5}),
    # saved again, with the two last dimensions of the convolutions the other way round (transposed(), below)
    ("pytorch/mtcnn-rnet-2019-05-28.pt", "pytorch/mtcnn-rnet-2019-05-31.pt", {"identical": 13, "changed": 3}),
    ("pytorch/burn-simple_legacy-r1.pt", "pytorch/burn-simple_legacy-r2.pt", {"identical": 2, "changed": 1}),
    ("torchscript/silero-micro-16k.jit", "torchscript/silero-micro-8k.jit", {"identical": 1, "changed": 87}),
    # the last layer is 1.0 in one, 1 in the other (renamed(), below)
    ("numpy/prophet-nnue-2023-04-18.npz", "numpy/prophet-nnue-2023-05-02.npz", {"changed": 4}),
    ("numpy/prophet-conv-r1.npz", "numpy/prophet-conv-r2.npz", {"changed": 34}),
    ("hdf5/fer2013_mini_XCEPTION.00-0.47.hdf5", "hdf5/fer2013_mini_XCEPTION.102-0.66.hdf5", {"changed": 185}),
    ("hdf5/keras_3layer.h5", "hdf5/keras_3layer_70pruned.h5", {"changed": 8}),
    ("hdf5/keras_3layer_70pruned.h5", "hdf5/keras_3layer_95pruned.h5", {"changed": 8}),
    ("keras/model-2025-01-31.keras", "keras/model-2025-02-02.keras", {"identical": 1, "changed": 2}),
    ("tensorflow/basic_pitch_nmp", "tensorflow/basic_pitch_1epoch", {"identical": 3, "changed": 68, "removed": 2}),
    ("tensorflow/basic_pitch_1epoch", "tensorflow/basic_pitch_5epoch", {"identical": 7, "changed": 64}),
    ("tflite/hello_world_float.tflite", "tflite/hello_world_int8.tflite", {"changed": 6}),
    ("tflite/micro_speech-2021.tflite", "tflite/micro_speech-2022.tflite", {"identical": 5}),
    ("sklearn/dragnet-lr-2013-04.pickle", "sklearn/dragnet-lr-2013-11.pickle", {"changed": 3}),
    ("sklearn/dragnet-content-py2-sk0.15.pkl.gz", "sklearn/dragnet-content-py3-sk0.18.pkl.gz", {"identical": 23, "reshaped": 88}),
    ("sklearn/joblib_0.11.0_pickle_py36_np111.pkl", "sklearn/joblib_0.11.0_pickle_py36_np111.pkl.gzip", {"identical": 3}),
    ("sklearn/joblib_0.11.0_pickle_py36_np111.pkl", "sklearn/joblib_0.11.0_pickle_py36_np111.pkl.xz", {"identical": 3}),
    ("rnnoise/beguiling-drafter.rnnn", "rnnoise/conjoined-burgers.rnnn", {"changed": 15}),
    ("rnnoise/beguiling-drafter.rnnn", "rnnoise/marathon-prescription.rnnn", {"changed": 15}),
    ("dlib/gender_classifier-2019-08-05.dat", "dlib/gender_classifier-2019-10-06.dat", {"changed": 36}),
)

# Files that are no model, or not a whole one: what is said of them, and how many tensors there are all the same.
REFUSED = (
    ("coreml/nmp-2023-09-28.mlpackage/Data/com.apple.CoreML/weights/weight.bin", "is a file of Core ML weights", None),
    ("darknet/yolo-fastest-1.1.cfg", "is Darknet's description of a net", None),
    ("gguf/tiny.gguf", "leave the file, which ends at byte 128 (tensor 'test.weight.0')", 1),
    ("safetensors/tiny.safetensors", "5 bytes after the last tensor belong to none", 1),
)


def have(*names):
    paths = [os.path.join(SHARED, n) for n in names]
    return paths if SHARED and all(os.path.exists(p) for p in paths) else None


def pairs():
    for one, two, want in PAIRS:
        paths = have(one, two)
        if not paths:
            check.skip(f"{one} and {two}", "the shared data are not there")
            continue
        doc, status, said = check.run("diff", "-o", "json", *paths)
        got, faults = {}, check.Faults()
        for t in doc["tensors"] if doc else ():
            got[t["status"]] = got.get(t["status"], 0) + 1
        faults.same("tensors by status", got, want)
        faults.same("exit status", status, int(set(want) != {"identical"}))
        faults.same("what is said", said, "")
        check.ok(not faults, f"{one} and {two}", faults)


def refused():
    for name, want, tensors in REFUSED:
        path = have(name)
        if not path:
            check.skip(name, "the shared data are not there")
            continue
        doc, status, said = check.run("list", "-o", "json", *path)
        good = status == 2 and want in said and said.count("\n") == 0 and (doc and len(doc["tensors"])) == tensors
        check.ok(good, f"{name} {want}", [f"exit status {status}: {said}"])


def values(path, name):
    doc, _, said = check.run("show", "-o", "json", path, name)
    if not doc:
        return said
    t = doc["tensors"][0]
    return np.array(t["values"], np.float64).reshape(t["shape"])


def arrays(path, *names):
    return {n: values(path, n) for n in names}


def names_of(path):
    doc, _, _ = check.run("list", "-o", "json", path)
    return [t["name"] for t in doc["tensors"]]


def same_arrays(one, two, ours, label, same=np.array_equal):
    """ours: (name in one, name in two), for each tensor."""
    faults = []
    for a, b in ours:
        x, y = values(one, a), values(two, b)
        if isinstance(x, str) or isinstance(y, str) or not same(x, y):
            faults.append(f"{a} and {b}: {x if isinstance(x, str) else ''}{y if isinstance(y, str) else ''}")
    check.ok(len(ours) == 15 and not faults, label, faults)


def as_stored(x, y):
    """ggml's file has its convolutions as half floats, and leaves out dimensions of 1."""
    return np.array_equal(x.ravel(), y.ravel()) or np.array_equal(x.ravel(), y.astype(np.float16).astype(np.float64).ravel())


def silero():
    """The voice detector's 15 tensors: ONNX, TorchScript and ggml."""
    for onnx, other, same in (("onnx/silero_vad_16k-v6.2.onnx", "torchscript/silero_vad-v6.2.jit", np.array_equal),
                              ("onnx/silero_vad_16k-v6.2.onnx", "ggml/silero-v6.2.0-ggml.bin", as_stored),
                              ("onnx/silero_vad_16k-v5.onnx", "ggml/silero-v5.1.2-ggml.bin", as_stored)):
        paths = have(onnx, other)
        if not paths:
            check.skip(f"{onnx} and {other}", "the shared data are not there")
            continue
        names = [n for n in names_of(paths[1]) if n.startswith("_model.")]
        same_arrays(paths[1], paths[0], [(n, n[1:]) for n in names], f"{onnx} and {other} hold the same net", same)


# Pairs under two names, by how they were found; some of them, which others know: NumPy by their values, or the files' own
# publishers by what the layers are.
RENAMED = (
    ("numpy/prophet-nnue-2023-04-18.npz", "numpy/prophet-nnue-2023-05-02.npz", {"similar": 2},
     {"1.0.weight": "1.weight", "1.0.bias": "1.bias"}),
    ("hdf5/keras_3layer.h5", "onnx/three_layer_keras-2019.onnx", {"content": 8},
     {"fc1_relu/kernel": "W", "output_softmax/bias": "B3"}),
    ("onnx/silero_vad_16k-v6.2.onnx", "ggml/silero-v6.2.0-ggml.bin", {"content": 8, "similar": 7},
     {"model.encoder.0.reparam_conv.weight": "_model.encoder.0.reparam_conv.weight"}),
    ("caffe/mtcnn-det2.caffemodel", "mxnet/mtcnn-det2-0001.params", {"content": 12},
     {"conv4.1": "arg:conv4_bias", "prelu2.0": "arg:prelu2_gamma"}),
    ("pytorch/mtcnn-rnet-2019-05-31.pt", "mxnet/mtcnn-det2-0001.params", {"content": 10},
     {"dense4.bias": "arg:conv4_bias", "prelu2.weight": "arg:prelu2_gamma"}),
)


def renamed():
    for one, two, want, some in RENAMED:
        paths = have(one, two)
        if not paths:
            check.skip(f"names in {one} and {two}", "the shared data are not there")
            continue
        doc, status, said = check.run("diff", "-o", "json", *paths)
        got, faults = {}, check.Faults()
        mates = {t["a"]: t for t in doc["tensors"] if t["via"] not in (None, "name")} if doc else {}
        for t in mates.values():
            got[t["via"]] = got.get(t["via"], 0) + 1
        faults.same("pairs by what found them", got, want)
        faults.same("renamed", doc and doc["summary"]["renamed"], len(mates))
        faults.same("exit status", status, 1)
        for a, b in some.items():
            faults.same(a, mates.get(a, {}).get("b"), b)
            if mates.get(a, {}).get("via") == "content":
                faults.same(f"{a} is said to be", mates[a]["status"], "identical")
                faults.same(f"values of {a}", np.array_equal(values(paths[0], a), values(paths[1], b)), True)
        check.ok(not faults, f"names in {one} and {two}", faults)


def transposed():
    """R-Net, saved twice: the kernels of one are those of the other with height and width exchanged."""
    paths = have("pytorch/mtcnn-rnet-2019-05-28.pt", "pytorch/mtcnn-rnet-2019-05-31.pt")
    if not paths:
        check.skip("R-Net, saved twice", "the shared data are not there")
        return
    a, b = (arrays(p, "conv1.weight", "conv2.weight", "conv3.weight") for p in paths)
    check.ok(all(np.array_equal(a[n].transpose(0, 1, 3, 2), b[n]) for n in a), "R-Net, saved twice: kernels transposed")


if __name__ == "__main__":
    pairs()
    refused()
    silero()
    transposed()
    renamed()
    check.end()
