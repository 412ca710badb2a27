"""Nets cut off anywhere and with bytes changed anywhere: the program ends by itself, soon, with a status of its own, and says
why when that is 2. The damage is the same in every run."""
# timeout: 300
import os
import random
import subprocess
import sys

sys.dont_write_bytecode = True

import check
import netwriters as nw

CUTS, CHANGES, SECONDS = 10, 20, 30


def nets():
    """name -> (bytes, files beside it)"""
    n = nw.ncnn()
    out = {"lz.txt": nw.leela()[0], "lc0.txt": nw.leela(version=2, planes=112, board=8, moves=70, filters=2)[0],
           "k8.txt": nw.katago(8, False)[0], "k8.bin": nw.katago(8, True)[0],
           "k17.bin": nw.katago(17, True, ("nested_bottleneck_block",), rms=1, attention=(False, True))[0],
           "sf16.nnue": nw.nnue_small()[0], "sf15.nnue": nw.nnue_small(coded=False)[0], "whisper.bin": nw.ggml_whisper()[0],
           "ggjt.bin": nw.GGML["llama ggjt 3"]()[0], "speaker.bin": nw.GGML["speaker"]()[0], "net.rnnn": nw.rnnoise()[0],
           "v0.params": nw.mxnet(0)[0], "v3.params": nw.mxnet(3)[0], "net.weights": nw.gnubg(2)[0],
           "net.wd": nw.gnubg(2, text=False)[0], "net.dat": nw.dlib()[0], "tag.dat": nw.dlib(tagged=True)[0]}
    out = {name: (raw, {}) for name, raw in out.items()}
    out["n.param"] = (n.text().encode(), {"n.bin": n.raw})
    out["n.bin"] = (n.raw, {"n.param": n.text().encode()})
    out["b.param.bin"] = (n.binary(), {"b.bin": n.raw})
    out["d.weights"] = (nw.darknet()[0], {"d.cfg": nw.DARKNET_CFG.encode()})
    out["d.cfg"] = (nw.DARKNET_CFG.encode(), {"d.weights": nw.darknet()[0]})
    return out


def damaged(raw, rng):
    for _ in range(CUTS):
        yield raw[:rng.randrange(1, len(raw))]
    for _ in range(CHANGES):
        b = bytearray(raw)
        for _ in range(rng.choice((1, 1, 3))):
            at = rng.randrange(min(len(b), rng.choice((64, 400, len(b)))))
            b[at] = rng.choice((0, 0xFF, 0x7F, 0x80, b[at] ^ 1 << rng.randrange(8), ord(" "), ord("-"), ord("9")))
        yield bytes(b)


def write(name, raw):
    with open(name, "wb") as f:
        f.write(raw)


def main():
    rng = random.Random(20240613)
    for name, (raw, beside) in nets().items():
        faults = []
        for other, content in beside.items():
            write(other, content)
        opened = name if not name.endswith(".cfg") else "d.weights"
        for i, bad in enumerate(damaged(raw, rng)):
            write(name, bad)
            try:
                p = subprocess.run([os.environ["WEIGH"], "stats", "-j1", "-o", "json", opened], capture_output=True, check=False,
                                   timeout=SECONDS)
            except subprocess.TimeoutExpired:
                faults.append(f"damage {i}: not done after {SECONDS} seconds")
                continue
            if p.returncode not in (0, 2) or (p.returncode == 2) != bool(p.stderr.strip()):
                faults.append(f"damage {i}: status {p.returncode}, said {p.stderr[:200]}")
        check.ok(not faults, f"{CUTS} cuts and {CHANGES} changes of {name}", faults)
        for f in {name, *beside}:
            os.remove(f)
    check.end()


if __name__ == "__main__":
    main()
