"""Real nets of $SHARED/data that come as text or in formats of their own: every byte of every tensor against another reader
of the file, pairs, the same net in two formats, and a few values by hand."""
# timeout: 180
import gzip
import os
import struct
import sys

sys.dont_write_bytecode = True

import numpy as np

import check
import netfiles as nf
import weightfiles as wf

SHARED = os.environ.get("SHARED", "")
SMALL_NET = dict(rows={"bias": (128,), "weight": (22528, 128), "psqt": (22528, 8)}, layers=((16, 128), (32, 30), (1, 32)))


def read(name):
    with (gzip.open if name.endswith(".gz") else open)(os.path.join(SHARED, name), "rb") as f:
        return f.read()


def darknet(name):
    return nf.darknet(read(name), read(name.replace(".weights", ".cfg")).decode())


def ncnn(name):
    return nf.ncnn(read("ncnn/yolo-fastest-1.1.bin"), read("ncnn/yolo-fastest-1.1.param").decode())


# name -> (reader, tensors, parameters): the counts are for people: both readers must find them
FILES = {
    "leelazero/lz-8x1-0k.txt.gz": (lambda n: nf.leela(read(n)), 26, 357208),
    "katago/g170-b6c96.bin.gz": (lambda n: nf.katago(read(n)), 91, 1030599),
    "katago/v53-140-5x64.txt.gz": (lambda n: nf.katago(read(n)), 68, 426269),
    "nnue/nn-37f18f62d772.nnue": (lambda n: nf.nnue(read(n), **SMALL_NET), 51, 22528 * 136 + 128 + 8 * 3089),
    "nnue/nn-c01dc0ffeede.nnue": (lambda n: nf.nnue(read(n), **SMALL_NET), 51, 22528 * 136 + 128 + 8 * 3089),
    "ggml/silero-v5.1.2-ggml.bin": (lambda n: nf.ggml_silero(read(n)), 15, 309633),
    "ggml/silero-v6.2.0-ggml.bin": (lambda n: nf.ggml_silero(read(n)), 15, 309633),
    "ggml/parakeet-tdt-r1.bin": (lambda n: nf.ggml_parakeet(read(n)), 53, 3406),
    "ggml/parakeet-tdt-r2.bin": (lambda n: nf.ggml_parakeet(read(n)), 53, 3406),
    "mxnet/mtcnn-det2-0001.params": (lambda n: nf.mxnet_v0(read(n)), 16, 100178),
    "darknet/yolo-fastest-1.1.weights": (darknet, 414, 346062),
    "ncnn/yolo-fastest-1.1.param": (ncnn, 168, 326166),
    "ncnn/yolo-fastest-1.1.bin": (ncnn, 168, 326166),
    "dlib/gender_classifier-2019-08-05.dat": (lambda n: nf.dlib(read(n)), 36, 132306),
    "dlib/gender_classifier-2019-10-06.dat": (lambda n: nf.dlib(read(n)), 36, 132306),
    "gnubg/gnubg-2006.weights": (lambda n: nf.gnubg(read(n)), 24, 97846),
    "gnubg/gnubg-2013-03.weights": (lambda n: nf.gnubg(read(n)), 24, 101966),
    "rnnoise/beguiling-drafter.rnnn": (lambda n: nf.rnnoise(read(n)), 15, 87503),
    "rnnoise/conjoined-burgers.rnnn": (lambda n: nf.rnnoise(read(n)), 15, 87503),
    "rnnoise/marathon-prescription.rnnn": (lambda n: nf.rnnoise(read(n)), 15, 87503),
}
PAIRS = (("nnue/nn-c01dc0ffeede.nnue", "nnue/nn-37f18f62d772.nnue"), ("gnubg/gnubg-2006.weights", "gnubg/gnubg-2013-03.weights"),
         ("ggml/silero-v5.1.2-ggml.bin", "ggml/silero-v6.2.0-ggml.bin"), ("ggml/parakeet-tdt-r1.bin", "ggml/parakeet-tdt-r2.bin"),
         ("dlib/gender_classifier-2019-08-05.dat", "dlib/gender_classifier-2019-10-06.dat"),
         ("rnnoise/beguiling-drafter.rnnn", "rnnoise/conjoined-burgers.rnnn"))


def check_pair(one, two, a, b):
    """What the statuses must be, by name, shape and bytes."""
    doc, status, said = check.run("diff", "-o", "json", os.path.join(SHARED, one), os.path.join(SHARED, two))
    want = {n: "reshaped" if a[n][1] != b[n][1] else "identical" if a[n] == b[n] else "changed" for n in a if n in b}
    got = {t["a"]: t["status"] for t in doc["tensors"]} if doc else {}
    faults = [f"{n} is {got.get(n)}, want {want[n]}" for n in want if got.get(n) != want[n]]
    summary = {k: list(want.values()).count(k) for k in sorted(set(want.values()))}
    check.ok(status == 1 and not faults, f"diff {one} {two}: {summary}", [f"exit status {status}: {said}"] + faults)


def values(path, name):
    doc, status, said = check.run("show", "-o", "json", path, name)
    if doc is None or status:
        return f"exit status {status}: {said}"
    return doc["values"] if "values" in doc else doc["tensors"][0]["values"]


def flat(x):
    return [z for y in x for z in flat(y)] if isinstance(x, list) else [x]


def by_hand(name, what, want, how):
    got = values(os.path.join(SHARED, name), what)
    got = got if isinstance(got, str) else flat(got)
    check.ok(got == want, f"{name} {what}: {how}", [f"got {got}, want {want}"])


def few_by_hand():
    # A float is sign, 8 bits of exponent, 23 of mantissa; a half 5 and 10.
    by_hand("mxnet/mtcnn-det2-0001.params", "arg:prelu2_gamma[0]", [struct.unpack_from("<f", read("mxnet/mtcnn-det2-0001.params"), 44)[0]],
            "24 bytes of header, 4 of rank, 4 of shape, 12 of device and type: byte 44")
    by_hand("dlib/gender_classifier-2019-08-05.dat", "con1.filters[0,0,0,0]", [(1 + 0x1A761B / 2 ** 23) * 2 ** (121 - 127)],
            "1b 76 9a 3c at byte 125 is 0x3c9a761b: exponent 121, mantissa 0x1a761b")
    by_hand("ggml/silero-v5.1.2-ggml.bin", "_model.encoder.0.reparam_conv.weight[0,0,:2]",
            [(1 + 0x1E7 / 1024) * 2 ** (9 - 15), (1 + 0xCF / 1024) * 2 ** (10 - 15)],
            "e7 25 and cf 28 at byte 166 are 0x25e7 and 0x28cf: exponents 9 and 10")
    by_hand("nnue/nn-37f18f62d772.nnue", "ft.bias[:10]", [0x21, 0x22, 0x2C, 0x1E, 0x77 - 128, 0x12, 0x62 - 128, 0x66 - 128,
                                                          0x59 - 128, 0xC7 - 128 + 0 * 128],
            "21 22 2c 1e 77 12 62 66 59 c7 00 at byte 121: bit 6 is the sign, but c7 goes on")
    by_hand("rnnoise/beguiling-drafter.rnnn", "input_dense.input_weights[0,:4]",
            [int(x) for x in read("rnnoise/beguiling-drafter.rnnn").splitlines()[2].split()[:4]], "the third line")
    by_hand("gnubg/gnubg-2006.weights", "nnContact.arHiddenWeight[0,:2]",
            [float(np.float32(x)) for x in (-1.1286598, 5.6459165)], "the first two numbers of the file")


def folded():
    """ncnn's converter folds batch norm into the convolution: w * s / sqrt(v + 1e-5) and b - m * s / sqrt(v + 1e-5), and stores
    weights as half floats, whose steps are 2^-11 of the value."""
    dark, ncnn_layers = darknet("darknet/yolo-fastest-1.1.weights"), list(ncnn("").items())
    get = lambda name: np.frombuffer(dark[name][2], "<f4").reshape(dark[name][1]).astype(np.float64)
    layers = sorted({int(n.split(".")[1]) for n in dark})
    worst = 0.0
    for i, (name, (kind, shape, raw)) in zip((i for i in layers for _ in (0, 1)), ncnn_layers):
        scale = get(f"layers.{i}.scales") / np.sqrt(get(f"layers.{i}.rolling_variance") + 1e-5) \
            if f"layers.{i}.scales" in dark else np.ones(shape[0])
        if name.endswith(".weight"):
            want = get(f"layers.{i}.weights") * scale[:, None, None, None]
        else:
            want = get(f"layers.{i}.biases")
            if f"layers.{i}.scales" in dark:
                want = want - get(f"layers.{i}.rolling_mean") * scale
        got = wf.decode(kind, raw).reshape(shape)
        worst = max(worst, float(np.abs(got - want).max() / np.abs(want).max()))
    check.ok(worst < 1e-3, "yolo-fastest: ncnn holds Darknet's weights with the norms folded in", [f"worst {worst}"])


def same_rnet():
    """MXNet's and Caffe's R-Net are one net; of two arrays the order of the columns differs."""
    m = nf.mxnet_v0(read("mxnet/mtcnn-det2-0001.params"))
    with open(os.path.join(SHARED, "caffe/mtcnn-det2.caffemodel"), "rb") as f:
        caffe = f.read()
    # Caffe's packed floats stand in the file as they are, so the bytes of a tensor of the same layout are found in it.
    same = [n for n, (_, _, raw) in m.items() if raw in caffe]
    check.ok(len(same) >= 12, "mxnet/mtcnn-det2: its arrays stand in the Caffe file byte for byte", [f"only {same}"])


def main():
    known = {}
    for name, (reader, tensors, parameters) in FILES.items():
        path = os.path.join(SHARED, name)
        if not SHARED or not os.path.exists(path):
            check.skip(name, "the shared data are not there")
            continue
        known[name] = reader(name)
        counts = (len(known[name]), sum(int(np.prod(t[1])) for t in known[name].values()))
        check.ok(counts == (tensors, parameters), f"counts of {name}", [f"{counts}, want {(tensors, parameters)}"])
        nf.same_as(path, known[name], f"bytes of {name}")
    for one, two in PAIRS:
        if one in known and two in known:
            check_pair(one, two, known[one], known[two])
    if len(known) == len(FILES):
        few_by_hand()
        folded()
        same_rnet()
    check.end()


if __name__ == "__main__":
    main()
