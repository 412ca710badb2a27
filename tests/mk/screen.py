"""A small pair with every status, metadata that differs, and names that a stranger may have chosen, for the screen.

python3 screen.py OUTDIR writes screen-a.safetensors and screen-b.safetensors; and screen-wide.safetensors and
screen-narrow.safetensors, of which the second is the first in F16; and for the metadata screen-card-a and -b.safetensors,
with keys that tell where a model comes from and with JSON in them, and screen-arrays-a and -b.gguf.
"""
import json
import math
import struct
import sys


def wave(n, shift=0.0, scale=1.0):
    return [scale * math.sin(0.37 * i + shift) for i in range(n)]


PACK = {"F32": "f", "F16": "e", "I8": "b"}


def write(path, metadata, tensors):
    header, data = {"__metadata__": metadata}, b""
    for name, kind, shape, values in tensors:
        raw = struct.pack("<%d%s" % (len(values), PACK[kind]), *values) if kind in PACK else bytes(values)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def pair():
    a, b = [], []
    for i in range(12):
        for part, n in (("attn.q", 64), ("attn.k", 64), ("mlp.up", 128)):
            name = "model.layers.%d.%s.weight" % (i, part)
            a.append((name, "F32", [n // 8, 8], wave(n)))
            b.append((name, "F32", [n // 8, 8], wave(n, 0.02 * i * (part == "mlp.up"))))
    halves = [i / 8 for i in range(16)]
    a.append(("head.cast", "F32", [16], halves))  # equal values in another type
    b.append(("head.cast", "F16", [16], halves))
    a.append(("head.shape", "F32", [4, 4], wave(16)))
    b.append(("head.shape", "F32", [2, 8], wave(16)))
    a.append(("head.codes", "I8", [16], [i - 8 for i in range(16)]))
    b.append(("head.codes", "I8", [16], [7 - i for i in range(16)]))
    holes = wave(16)
    holes[3], holes[5] = math.nan, math.inf
    a.append(("head.holes", "F32", [16], holes))
    b.append(("head.holes", "F32", [16], wave(16)))
    a.append(("head.empty", "F32", [0, 4], []))
    b.append(("head.empty", "F32", [0, 4], []))
    a.append(("head.one", "F32", [], [2.5]))
    b.append(("head.one", "F32", [], [2.75]))
    a.append(("only.in_a", "F32", [8], wave(8)))
    b.append(("only.in_b", "F32", [8], wave(8)))
    b.append(("only.in_b.too", "F32", [8], wave(8)))
    for name in ("odd.\u001b[31mred\u001b[0m", "odd.line\nbreak", "odd.\u202eright to left", "odd.層の重み", "odd.e\u0301t\u00e9",
                 "odd." + "long_" * 40 + "end"):
        a.append((name, "F32", [8], wave(8)))
        b.append((name, "F32", [8], wave(8, 0.5)))
    return a, b


def rounded():
    """In F32, and rounded to F16: all, all but one element, and one tensor that stayed as it was."""
    x = [v[0] for v in struct.iter_unpack("<f", struct.pack("<64f", *wave(64)))]
    off = x[:30] + [9] + x[31:]
    names = ["part.%d.%s" % (i, n) for i in range(2) for n in ("up", "down")]
    wide = [(n, "F32", [8, 8], x) for n in names]
    narrow = [(n, "F16", [8, 8], off if n == "part.1.up" else x) for n in names]
    return wide + [("norm", "F32", [64], x)], narrow + [("norm", "F32", [64], x)]


def sides():
    """A part that only the first has, and one that only the second has; nothing in them could be a renamed tensor."""
    both = [("kept.w", "F32", [8], wave(8))]
    return (both + [("gone.w", "F32", [5, 3], wave(15)), ("gone.b", "F32", [5], wave(5, 1))],
            both + [("new.kernel", "F16", [7, 4], wave(28, 2)), ("one.scale", "F32", [11], wave(11, 3))])


def cards():
    """Provenance that differs and is missing, JSON that differs deep down or in its white space only, and no JSON."""
    config = {"optimizer": {"name": "adam", "betas": [0.9, 0.999]}, "epochs": 3, "schedule": [{"at": 0, "lr": 0.1},
              {"at": 10, "lr": 0.01}], "note": "a \"quoted\" \u00e9"}
    a = {"format": "pt", "license": "apache-2.0", "modelspec.author": "Ada", "modelspec.title": "A small one",
         "modelspec.hash.sha": "0x12", "base_model": "tiny-1", "ss_dataset_dirs": '{"cats": {"n": 10}}',
         "train.config": json.dumps(config), "train.spaced": '{"x": [1, 2, 3]}', "train.broken": '{"x": [1, 2,}',
         "train.empty": "{}", "train.list": json.dumps(list(range(200)))}
    config["optimizer"]["betas"][1] = 0.99
    config["schedule"].append({"at": 20, "lr": 0.001})
    config["extra"] = None
    b = dict(a, **{"license": "mit", "base_model": "tiny-2", "modelspec.title": "", "train.config": json.dumps(config),
                   "train.spaced": '{ "x" : [1,2,3] }', "general.version": "1.1"})
    del b["modelspec.author"], b["ss_dataset_dirs"]
    return a, b


def gguf_string(s):
    return struct.pack("<Q", len(s)) + s.encode()


def gguf_array(kind, items):
    return struct.pack("<IIQ", 9, kind, len(items)) + b"".join(items)


def arrays(second):
    words = ["word%d" % i for i in range(40)]
    words[3] = "other" if second else words[3]
    pairs = [gguf_array(4, [struct.pack("<I", i), struct.pack("<I", 2 * i)])[4:] for i in range(3)]
    entries = [("general.architecture", struct.pack("<I", 8) + gguf_string("llama")),
               ("general.license", struct.pack("<I", 8) + gguf_string("cc0-1.0")),
               ("general.base_model.0.name", struct.pack("<I", 8) + gguf_string("Base")),
               ("general.base_model.0.author", struct.pack("<I", 8) + gguf_string("Somebody")),
               ("general.datasets", gguf_array(8, [gguf_string("books"), gguf_string("news")])),
               ("tokenizer.tokens", gguf_array(8, [gguf_string(w) for w in words])),
               ("tokenizer.scores", gguf_array(6, [struct.pack("<f", i / 2) for i in range(3 + second)])),
               ("tokenizer.pairs", gguf_array(9, pairs)),
               ("tokenizer.add_bos", struct.pack("<IB", 7, second)),
               ("train.steps", struct.pack("<IQ", 10, 12) if second else struct.pack("<II", 4, 12)),
               ("train.rate", struct.pack("<If", 6, 0.125))]
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries)) + b"".join(gguf_string(k) + v for k, v in entries)


def main(out):
    for name, card in zip("ab", cards()):
        write(out + "/screen-card-%s.safetensors" % name, card, [("w", "F32", [8], wave(8))])
        with open(out + "/screen-arrays-%s.gguf" % name, "wb") as f:
            f.write(arrays(name == "b"))
    for name, tensors in zip(("wide", "narrow"), rounded()):
        write(out + "/screen-%s.safetensors" % name, {}, tensors)
    for name, tensors in zip("ab", sides()):
        write(out + "/screen-sides-%s.safetensors" % name, {}, tensors)
    a, b = pair()
    meta = {"format": "pt", "epoch": "3", "note": "the first\nof two", "gone": "yes", "tokens": "abc " * 200}
    other = dict(meta, epoch="4", note="the second\nof two", new="a\u001b]0;title\u0007b")
    del other["gone"]
    write(out + "/screen-a.safetensors", meta, a)
    write(out + "/screen-b.safetensors", other, b)


if __name__ == "__main__":
    main(sys.argv[1])
