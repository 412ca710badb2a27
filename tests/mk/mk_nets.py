"""Nets that are damaged or lie, for the readers of text and other odd formats: $FIXTURES/nets. The sound ones they are made
from are those of tests/oracle/netwriters.py."""
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))

import netwriters as nw

BIG = 1 << 60


def put(name, raw):
    with open(os.path.join(sys.argv[1], "nets", name), "wb") as f:
        f.write(raw if isinstance(raw, bytes) else raw.encode())


def cut(raw, part):
    return raw[:int(len(raw) * part)]


def leela():
    raw = nw.leela()[0].decode()
    lines = raw.split("\n")
    put("lz-good.txt", raw)
    put("lz-cut-line.txt", "\n".join(lines[:-1])[:-200])
    put("lz-cut-number.txt", raw[:-1])
    put("lz-word.txt", raw.replace(lines[4].split()[1], "0x1p3", 1) if lines[4] else raw)
    put("lz-empty-line.txt", "\n".join(lines[:5] + [""] + lines[6:]))
    put("lz-one-line.txt", "\n".join(lines[:2]) + "\n")
    put("lz-version.txt", "1\n")
    put("lz-short-line.txt", "\n".join(lines[:9] + ["1 2 3"] + lines[10:]))
    put("lz-nan.txt", "\n".join(lines[:2] + ["nan -inf 1e999"] + lines[3:]))
    put("lz-long-word.txt", "\n".join(lines[:2] + ["7" * 10000000 + " 1 2"] + lines[3:]))
    put("lz-long-line.txt", "\n".join(lines[:2] + ["1 " * 5000000] + lines[3:]))
    put("lz-many-lines.txt", lines[0] + "\n" + lines[1] + "\n1" * 100000)
    put("lz-sai.txt", "\n".join(lines + ["1 2", "3"]))


def katago():
    text, binary = nw.katago(8, False)[0], nw.katago(8, True)[0]
    put("kg-good.txt", text)
    put("kg-good.bin", binary)
    for part in (0.1, 0.5, 0.95):
        put(f"kg-cut-{int(part * 100)}.txt", cut(text, part))
        put(f"kg-cut-{int(part * 100)}.bin", cut(binary, part))
    head = b"net\n8\n5\n3\ntrunk\n1\n4\n3\n3\n1\n2\n"
    for name, conv in (("big", "conv 3 3 5 1152921504606846976 1 1"), ("large", "conv 16777215 16777215 16777215 16777215 1 1"),
                       ("negative", "conv 3 -3 5 4 1 1"), ("zero", "conv 3 3 0 4 1 1"), ("word", "conv 3 x 5 4 1 1"),
                       ("fits-not", "conv 3 3 5 4000 1 1")):
        put(f"kg-{name}.bin", head + conv.encode() + b"\n@BIN@" + bytes(400))
    put("kg-version.bin", b"net\n18\n22\n19\n20 20\ntrunk\n" + bytes(100))
    put("kg-block.bin", binary.replace(b"gpool_block", b"gpool_blok_"))
    put("kg-mark.bin", binary.replace(b"@BIN@", b"@BAN@", 3).replace(b"@BAN@", b"@BIN@", 2))
    put("kg-gap.bin", binary.replace(b"@BIN@", b" " * 101 + b"@BIN@", 2).replace(b" " * 101, b"", 1))
    put("kg-more.txt", text + b"\nand more\n")
    value = max(text.split(b"\n"), key=len).split()[3] # of the largest layer
    put("kg-value.txt", text.replace(b" " + value, b" 1,5", 1))
    put("kg-nan.txt", text.replace(b" " + value, b" nan", 1))
    put("kg-flag.txt", text.replace(b"\n0.001\n0\n1\n", b"\n0.001\n2\n1\n", 1))
    v17 = nw.katago(17, True)[0]
    put("kg-option.bin", v17.replace(b"policyhead\n2\n0\n0\n0\n", b"policyhead\n2\n0\n7\n0\n"))
    put("kg-activation.bin", v17.replace(b"ACTIVATION_MISH", b"ACTIVATION_MASH", 2).replace(b"ACTIVATION_MASH", b"ACTIVATION_MISH", 1))
    k = nw.Katago(11, False)
    k.words("deep", 11, 5, 3, "trunk", 1, 4, 3, 3, 1, 2)
    k.C(5, 4), k.M(3, 4)
    for _ in range(20):
        k.words("nested_bottleneck_block", k.name("nested"), 1)
        k.B(4), k.A(), k.C(4, 4, 1)
    put("kg-nested.txt", k.raw)
    put("kg-blocks.bin", binary.replace(b"trunk\n2\n", b"trunk\n16777215\n"))


def nnue():
    raw, _ = nw.nnue_small()
    plain, _ = nw.nnue_small(coded=False)
    put("nnue-good.nnue", raw)
    mark, n = b"COMPRESSED_LEB128", len(b"a net of the tests")
    for part in (0.004, 0.012, 0.05, 0.5, 0.97):
        put(f"nnue-cut-{int(part * 1000)}.nnue", cut(raw, part))
    put("nnue-cut-plain.nnue", cut(plain, 0.5))
    put("nnue-more.nnue", raw + b"\0")
    put("nnue-description.nnue", raw[:8] + struct.pack("<I", 60000) + raw[12:])
    put("nnue-hash.nnue", raw[:12 + n] + struct.pack("<I", 0x12345678) + raw[16 + n:])
    put("nnue-layers.nnue", raw[:4] + struct.pack("<I", struct.unpack_from("<I", raw, 4)[0] ^ 1) + raw[8:])
    stack = 4 + 16 * 36 + 32 * 36 + 36
    put("nnue-stack.nnue", raw[:-stack] + b"\1\2\3\4" + raw[4 - stack:])
    padded = bytearray(raw)
    padded[-stack + 4 + 64 + 512 + 128 + 31] = 1 # the last of 32 columns of fc_1's first row
    put("nnue-padding.nnue", bytes(padded))
    at = raw.index(mark) + 17
    size, = struct.unpack_from("<I", raw, at)
    put("nnue-leb-size.nnue", raw[:at] + struct.pack("<I", 0xFFFFFFFF) + raw[at + 4:])
    put("nnue-leb-open.nnue", raw[:at + 3 + size] + b"\x80" + raw[at + 4 + size:])
    put("nnue-leb-few.nnue", raw[:at] + struct.pack("<I", size - 2) + raw[at + 4:at + 2 + size] + raw[at + 4 + size:])
    nnue_range(raw)


def nnue_range(raw):
    mark = raw.index(b"COMPRESSED_LEB128", raw.index(b"COMPRESSED_LEB128") + 1) + 17
    size, = struct.unpack_from("<I", raw, mark)
    block = raw[mark + 4:mark + 4 + size]
    for name, value in (("range", b"\x80\x80\xc0\0"), ("long", b"\x81\x80\x80\x80\x80\x80\0")):
        first = next(i for i, b in enumerate(block) if b < 0x80) + 1
        changed = value + block[first:]
        put(f"nnue-leb-{name}.nnue", raw[:mark] + struct.pack("<I", len(changed)) + changed + raw[mark + 4 + size:])


def ggml():
    raw, _ = nw.ggml_whisper()
    put("ggml-good.bin", raw)
    for part in (0.1, 0.3, 0.6, 0.99):
        put(f"ggml-cut-{int(part * 100)}.bin", cut(raw, part))
    at = raw.index(b"blk.0.weight") - 20
    for name, where, value in (("rank", 0, 5), ("rank-negative", 0, 0xFFFFFFFF), ("name", 4, 0x7FFFFFFF), ("name-empty", 4, 0),
                               ("type", 8, 99), ("dim", 12, 0x7FFFFFFF), ("dim-negative", 12, 0x80000000)):
        put(f"ggml-{name}.bin", raw[:at + where] + struct.pack("<I", value) + raw[at + where + 4:])
    put("ggml-header.bin", struct.pack("<20I", 0x67676D6C, *[3] * 19))
    put("ggml-vocabulary.bin", struct.pack("<9I", 0x67676A74, 3, 0x7FFFFFFF, 4, 256, 2, 1, 2, 1) + bytes(64))
    put("ggml-2023.bin", nw.ggml(struct.pack("<9I", 0x67676A74, 1, 9, 4, 256, 2, 1, 2, 2) + nw.texts(9, True),
                                 nw.two_tensors({"q": (2, "", (2, 64), bytes(80)), "r": (3, "", (32,), bytes(24))}), 32)[0])


def mxnet():
    raw, _ = nw.mxnet(2)
    put("mx-good.params", raw)
    for part in (0.02, 0.15, 0.5, 0.8, 0.95):
        put(f"mx-cut-{int(part * 100)}.params", cut(raw, part))
    head = struct.pack("<QQQ", 0x112, 0, 1)
    array = struct.pack("<III", 0xF993FAC9, 0, 2)
    put("mx-count.params", struct.pack("<QQQ", 0x112, 0, BIG) + bytes(100))
    put("mx-overflow.params", head + array + struct.pack("<QQ", BIG, BIG) + struct.pack("<III", 1, 0, 0) + bytes(100))
    put("mx-negative.params", head + array + struct.pack("<qq", -1, 4) + struct.pack("<III", 1, 0, 0) + bytes(100))
    put("mx-rank.params", head + struct.pack("<III", 0xF993FAC9, 0, 33) + bytes(600))
    put("mx-type.params", head + array + struct.pack("<QQIII", 2, 2, 1, 0, 99) + bytes(100))
    put("mx-storage.params", head + struct.pack("<III", 0xF993FAC9, 7, 2) + bytes(100))
    sparse = struct.pack("<III", 0xF993FAC9, 1, 2) + struct.pack("<QQ", 2, 3) + struct.pack("<IQQ", 2, 9, 3)
    sparse += struct.pack("<III", 1, 0, 0) + struct.pack("<IIQ", 6, 1, 2) + bytes(24 + 16)
    name = struct.pack("<QQ", 1, 1) + b"s"
    put("mx-sparse.params", head + sparse + name)
    put("mx-none.params", head + struct.pack("<III", 0xF993FAC9, 0, 0) + name)
    names = raw.rindex(struct.pack("<Q", 7) + struct.pack("<Q", 5) + b"arg:w")
    put("mx-names.params", raw[:names] + struct.pack("<Q", 3) + raw[names + 8:])
    put("mx-name.params", raw[:names + 8] + struct.pack("<Q", BIG) + raw[names + 16:])
    put("mx-more.params", raw + b"more")


def rnnoise_and_gnubg():
    raw = nw.rnnoise()[0]
    lines = raw.split(b"\n")
    put("rn-good.rnnn", raw)
    for part in (0.1, 0.5, 0.99):
        put(f"rn-cut-{int(part * 100)}.rnnn", cut(raw, part))
    for name, line, new in (("version", 0, b"rnnoise-nu model file version 2"), ("negative", 1, b"-4 3 0"), ("big", 1, b"4 1152921504606846976 0"),
                            ("large", 1, b"65536 65536 0"), ("activation", 1, b"4 3 9"), ("range", 2, b"300 " + lines[2].split(b" ", 1)[1]),
                            ("word", 2, b"1.5 " + lines[2].split(b" ", 1)[1])):
        put(f"rn-{name}.rnnn", b"\n".join(lines[:line] + [new] + lines[line + 1:]))
    put("rn-more.rnnn", raw + b"7\n")
    raw, wd = nw.gnubg(2)[0], nw.gnubg(2, text=False)[0]
    put("bg-good.weights", raw)
    put("bg-good.wd", wd)
    for part in (0.05, 0.5, 0.95):
        put(f"bg-cut-{int(part * 100)}.weights", cut(raw, part))
        put(f"bg-cut-{int(part * 100)}.wd", cut(wd, part))
    for name, new in (("negative", b"-6 3 2 1 0.1 1.0"), ("zero", b"6 0 2 1 0.1 1.0"), ("big", b"1152921504606846976 3 2 1 0.1 1.0"),
                      ("large", b"1048576 1048576 2 1 0.1 1.0"), ("beta", b"6 3 2 1 x 1.0")):
        put(f"bg-{name}.weights", b"\n".join([raw.split(b"\n")[0], new] + raw.split(b"\n")[2:]))
    put("bg-word.weights", raw.replace(raw.split(b"\n")[5], b"five", 1))
    put("bg-only.weights", "GNU Backgammon 1.00\n")


def ncnn():
    def both(name, text, raw):
        put(f"nn-{name}.param", text)
        if raw is not None:
            put(f"nn-{name}.bin", raw)

    n = nw.ncnn()
    text = n.text()
    both("good", text, n.raw)
    both("lonely", text, None)
    both("cut", text, cut(n.raw, 0.4))
    both("more", text, n.raw + bytes(8))
    one = "7767517\n1 1\nConvolution c 1 1 a b "
    weights = struct.pack("<I", 0) + bytes(40)
    both("negative", one + "0=-3 1=1 6=10\n", weights)
    both("big", one + "0=1 1=1 6=1152921504606846976\n", weights)
    both("large", one + "0=1 1=1 6=2147483647\n", weights)
    both("flat", one + "0=3 1=1 6=10\n", weights)
    both("custom", "7767517\n2 2\nMyLayer m 1 1 a b\n" + one.split("\n", 2)[2] + "0=1 1=1 6=10\n", bytes(12) + weights)
    both("layers", "7767517\n1 1\n" + (one.split("\n", 2)[2] + "0=1 1=1 6=10\n") * 2, weights)
    both("blobs", "7767517\n1 1\nConvolution c 1000000000 1 a b\n", weights)
    both("value", one + "zero=one\n", weights)
    both("text", one + '0=1 1=1 6=10 30="two words" 31="one"\n', weights)
    both("counts", "7767517\nx y\n", weights)
    both("empty", "7767517\n", weights)
    both("blocks", "7767517\n1 1\nGemm g 1 1 a b 3=1 5=1 8=4 9=64 18=404\n", weights)
    both("other", "not a description\n", struct.pack("<I", 0x01306B47) + bytes(40))
    put("nn-alone.bin", struct.pack("<I", 0x01306B47) + bytes(40))
    put("nn-binary.param.bin", cut(n.binary(), 0.6))
    put("nn-binary.bin", n.raw)


def darknet():
    def both(name, cfg, raw):
        put(f"dk-{name}.weights", raw)
        if cfg is not None:
            put(f"dk-{name}.cfg", cfg)

    raw, cfg = nw.darknet()[0], nw.DARKNET_CFG
    both("good", cfg, raw)
    both("lonely", None, raw)
    both("cut", cfg, raw[:-400])
    both("odd", cfg, raw[:-1])
    both("more", cfg, raw + bytes(4))
    for name, old, new in (("kind", "[gru]", "[hru]"), ("route", "layers = -1, 1", "layers = -1, 99"), ("from", "from=-1", "from=-9"),
                           ("filters", "filters = 4", "filters = 0"), ("big", "filters = 4", "filters = 1152921504606846976"),
                           ("groups", "size = 3", "size = 3\ngroups=-1"), ("kernel", "size = 3", "size = 99"), ("net", "[net]", "[nett]"),
                           ("stride", "[upsample]\nstride=2", "[upsample]\nstride=0")):
        both(name, cfg.replace(old, new, 1), raw)
    both("empty", "", raw)
    both("long", "[net]\n" + "[dropout]\n" * 20000, raw)


def dlib():
    raw, _ = nw.dlib()
    put("dl-good.dat", raw)
    put("dl-rest.dat", nw.dlib(rest=nw.d_int(3) + nw.d_text("one") * 3)[0])
    for part in (0.03, 0.1, 0.5, 0.9):
        put(f"dl-cut-{int(part * 100)}.dat", cut(raw, part))
    con = raw.index(b"con_6") + 5
    for name, tensor in (("big", nw.d_int(2) + nw.d_int(BIG) * 4), ("negative", nw.d_int(2) + nw.d_int(-1) + nw.d_int(1) * 3),
                         ("large", nw.d_int(2) + nw.d_int(1 << 30) + nw.d_int(1) * 3), ("version", nw.d_int(7) + nw.d_int(1) * 4),
                         ("control", b"\x7f" + bytes(20))):
        put(f"dl-{name}.dat", raw[:con] + tensor + raw[con + 20:])
    put("dl-alias.dat", raw.replace(nw.d_alias(4, 3, 3, 3), nw.d_alias(4, 3, 3, 2), 1))
    put("dl-unknown.dat", raw.replace(b"relu_2", b"rely_2", 1))
    put("dl-only.dat", nw.d_int(1) + nw.d_text("loss_multiclass_log_") + nw.d_int(2) * 50)


if __name__ == "__main__":
    os.makedirs(os.path.join(sys.argv[1], "nets"), exist_ok=True)
    for make in (leela, katago, nnue, ggml, mxnet, rnnoise_and_gnubg, ncnn, darknet, dlib):
        make()
