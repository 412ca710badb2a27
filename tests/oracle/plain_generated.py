"""Small nets of the formats that have few real files, written by netwriters.py: the program must find the very bytes that
were written, under the right names."""
# timeout: 180
import gzip
import os
import sys

sys.dont_write_bytecode = True

import netfiles as nf
import netwriters as nw
import check


def one(name, made, label=None, options=()):
    raw, tensors = made
    with open(name, "wb") as f:
        f.write(raw)
    nf.same_as(name, tensors, label or name, options)


def leela():
    one("lz1.txt", nw.leela())
    one("lz2.txt", nw.leela(version=2, blocks=0, board=19))
    one("lc0.txt", nw.leela(version=2, planes=112, board=8, moves=1858, policy=3, value=2))
    one("lc0-1.txt", nw.leela(version=1, planes=120, board=8, moves=1924, filters=2))
    raw, tensors = nw.leela()
    one("crlf.txt", (raw.replace(b"\n", b"\r\n") + b"\r\n\r\n", tensors), "Leela Zero with CR LF and blank lines behind")
    one("lz1.txt.gz", (gzip.compress(raw), tensors))


def katago():
    every = ("ordinary_block", "gpool_block", "nested_bottleneck_block", "ordinary_block")
    for version in range(1, 18):
        for binary in (False, True):
            kinds = every + (("dilated_block",) if version < 11 else ("transformer_ffn_block",) if version == 17 else ())
            made = nw.katago(version, binary, kinds, encoder=int(version == 15), rms=int(version >= 16),
                             attention=(False, True) if version == 17 else ())
            one(f"v{version}.{'bin' if binary else 'txt'}", made, f"KataGo version {version}, {'binary' if binary else 'text'}")


def others():
    for name, make in nw.NNUE.items():
        one("net.nnue", make(), f"NNUE, {name}")
    for name, make in nw.GGML.items():
        one("ggml.bin", make(), f"ggml, {name}")
    for version in range(4):
        one("net.params", nw.mxnet(version), f"MXNet, arrays of version {version}")
    one("gnubg.weights", nw.gnubg(7))
    one("gnubg.wd", nw.gnubg(6, text=False))
    one("net.rnnn", nw.rnnoise())
    one("net.dat", nw.dlib(), "dlib")
    one("tag.dat", nw.dlib(tagged=True), "dlib, with a tag above the input")


def raw_nets():
    """Both sides get the format, so the other side is a raw net, too: what differs must be found, and nothing else."""
    for width, buckets in ((16, 1), (64, 8)):
        a, tensors = nw.nnue_raw(width, buckets)
        b = bytearray(a)
        b[-64 * (len(a) // 64 // 2)] ^= 1
        for name, raw in (("a.bin", a), ("b.bin", bytes(b))):
            with open(name, "wb") as f:
                f.write(raw)
        doc, status, said = check.run("diff", "-o", "json", "--format", "nnue-raw", "a.bin", "b.bin")
        got = [(t["a"], t["a_shape"]) for t in doc["tensors"]] if doc else said
        want = [(n, list(t[1])) for n, t in tensors.items()]
        changed = sum(t["diff"]["changed"] for t in doc["tensors"]) if doc else None
        check.ok(status == 1 and got == want and changed == 1, f"headerless, {width} wide, {buckets} buckets",
                 [f"{status} {changed} {got}"])


def darknet():
    with open("net.cfg", "w") as f:
        f.write(nw.DARKNET_CFG)
    one("net.weights", nw.darknet(), "Darknet, every layer")
    one("net_last.weights", nw.darknet(minor=1), "Darknet, 16 bytes of header, the .cfg by its stem")
    one("net.conv.6", nw.darknet(layers=6), "Darknet, the first layers alone")


def ncnn():
    n = nw.ncnn()
    with open("n.bin", "wb") as f:
        f.write(n.raw)
    one("n.param", (n.text().encode(), n.out), "ncnn, text description")
    os.remove("n.param")
    numbered = {f"layer.{i}": name for i, (_, _, name, _) in enumerate(n.layers)}
    names = {v: k for k, v in numbered.items()}
    out = {names[k.rsplit(".", 1)[0]] + "." + k.rsplit(".", 1)[1]: v for k, v in n.out.items()}
    one("n.param.bin", (n.binary(), out), "ncnn, binary description")


def main():
    leela()
    katago()
    others()
    raw_nets()
    darknet()
    ncnn()
    check.end()


if __name__ == "__main__":
    main()
