"""Real files of $SHARED/data, read by other code, against references. timeout: 180"""
import os
import sys

sys.dont_write_bytecode = True

import numpy as np

import check
import weightfiles as wf

PAIRS = (("safetensors/lora-ckpt230.safetensors", "safetensors/lora-ckpt690.safetensors"),
         ("safetensors/hadamards-r1.safetensors", "safetensors/hadamards-r2.safetensors"),
         ("numpy/prophet-conv-r1.npz", "numpy/prophet-conv-r2.npz"),
         ("numpy/prophet-nnue-2023-04-18.npz", "numpy/prophet-nnue-2023-05-02.npz"))
SINGLES = ("safetensors/burn-multi_layer.safetensors", "safetensors/silero_vad_16k.safetensors",
           "safetensors/st-sample-e.safetensors", "safetensors/st-sample-overall.safetensors",
           "safetensors/tiny.safetensors", "gguf/llama-2-tiny-random.gguf", "gguf/tiny.gguf",
           "gguf/ggml-vocab-llama-v1.gguf", "gguf/empty.gguf", "numpy/prophet-1.0.bias.npy",
           "numpy/prophet-1.0.weight.npy", "numpy/win64python2.npy")
# A file with a fault of its own: its numbers are right all the same, and the fault is told.
PROBLEMS = {"safetensors/tiny.safetensors": "5 bytes after the last tensor"}


def tensors_of(path):
    if path.endswith(".safetensors"):
        return wf.read_safetensors(path)
    if path.endswith(".gguf"):
        return wf.read_gguf(path)
    if path.endswith(".npz"):
        return wf.read_npz(path)
    return {os.path.basename(path)[:-4]: wf.of_array(np.load(path, allow_pickle=False))}


def check_single(path, name):
    tensors = tensors_of(path)
    check.stats_of_file(path, tensors, f"stats {name}", problem=PROBLEMS.get(name, ""))


def main():
    shared = os.environ.get("SHARED", "")
    for name in SINGLES + tuple(n for p in PAIRS for n in p):
        path = os.path.join(shared, name)
        if not shared or not os.path.exists(path):
            check.skip(f"stats {name}", "the shared data are not there")
            continue
        check_single(path, name)
    for one, two in PAIRS:
        a, b = os.path.join(shared, one), os.path.join(shared, two)
        if not shared or not os.path.exists(a) or not os.path.exists(b):
            check.skip(f"diff {one} {two}", "the shared data are not there")
            continue
        check.diff_of_files(a, b, tensors_of(a), tensors_of(b), f"diff {one} {two}")
    check.end()


if __name__ == "__main__":
    main()
