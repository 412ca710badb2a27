"""Small and hostile files in protocol buffers, for the tests of the command line: $FIXTURES/proto. No random numbers."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
sys.dont_write_bytecode = True

from wire import f32, field, fixed32, tag, varint, varints

FLOATS = struct.pack("<6f", 0.5, -1, 1.5, 2, -2.5, 3)


def put(folder, name, data):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


# ---- ONNX ----

def tensor(name="w", dims=(2, 3), kind=1, data=None):
    data = field(9, FLOATS) if data is None else data
    return field(1, varints(dims)) + field(2, kind) + data + field(8, name)


def initializer(*args, **kwargs):
    return field(5, tensor(*args, **kwargs))


def onnx(graph, ir=9):
    return field(1, ir) + field(2, "weigh") + field(7, graph + field(2, "g")) + field(8, field(2, 20))


def external(location, offset=None, length=None, name="w"):
    keys = [("location", location)] + [(k, v) for k, v in (("offset", offset), ("length", length)) if v is not None]
    entries = b"".join(field(13, field(1, k) + field(2, v)) for k, v in keys)
    return initializer(name, data=entries + field(14, 1))


def constant(name, graph=None):
    attribute = field(1, "value") + field(5, tensor("")) if graph is None else field(1, "body") + field(6, graph)
    return field(1, field(2, name) + field(4, "Constant" if graph is None else "Loop") + field(5, attribute))


def onnx_files(folder):
    ok = initializer("fine")
    files = {
        "good": ok + initializer("w") + constant("c"),
        "negative": ok + initializer(dims=(2, -3)),
        "overflow": ok + initializer(dims=(1 << 62, 8)),
        "overflow_zero": ok + initializer(dims=(0, 1 << 62, 8)),
        "many": ok + initializer(dims=(1 << 60,)),
        "rank": ok + initializer(dims=(1,) * 40),
        "twice": ok + ok,
        "short": ok + initializer(dims=(2, 4)),
        "long": ok + initializer(dims=(5,)),
        "nothing": ok + initializer(data=b""),
        "both": ok + initializer(data=field(9, FLOATS) + field(4, FLOATS)),
        "wrong_field": ok + initializer(data=field(5, varints(range(6)))),
        "segment": ok + initializer(data=field(3, field(1, 0)) + field(9, FLOATS)),
        "type": ok + initializer(kind=99),
        "type_none": ok + initializer(kind=0),
        "text": ok + initializer(kind=8, dims=(2,), data=field(6, "a") + field(6, "b")),
        "int4": ok + initializer(kind=22, dims=(5,), data=field(9, b"\x21\x43\x05")),
        "float4_odd": ok + initializer(kind=23, dims=(5,), data=field(9, b"\x21\x43\x05")),
        "sparse": ok + field(15, field(1, tensor("s", dims=(6,))) + field(2, tensor("", dims=(6,), kind=7, data=field(7, varints(range(6))))) + field(3, varints((100, 7)))),
        "varint_cut": ok + initializer(kind=7, dims=(3,), data=field(7, b"\1\2\x80")),
        "varint_long": ok + initializer(kind=7, dims=(1,), data=field(7, b"\xff" * 11 + b"\1")),
        "floats_cut": ok + initializer(data=field(4, FLOATS[:-1])),
        "too_big": ok + initializer(kind=2, dims=(3,), data=field(5, varints((1, 300, 2)))),
        "too_small": ok + initializer(kind=3, dims=(2,), data=field(5, varints((-128, -129)))),
        "inner_length": ok + field(5, field(1, varints((2, 3))) + field(2, 1) + tag(9, 2) + varint(1 << 60) + b"abc"),
        "group": ok + field(5, tensor() + tag(20, 3)),
        "node_cut": ok + field(1, field(2, "x") + tag(5, 2) + varint(1000)),
        "outside": ok + external("../good.onnx"),
        "outside_later": ok + external("sub/../../good.onnx"),
        "absolute": ok + external("/etc/passwd"),
        "backslash": ok + external("..\\good.onnx"),
        "empty_location": ok + external(""),
        "dot": ok + external("."),
        "missing": ok + external("gone.bin") + external("gone.bin", name="w2"),
        "directory": ok + external("sub"),
        "link_out": ok + external("out.bin"),
        "link_in": ok + external("in.bin", "0", "24"),
        "offset": ok + external("sub/data.bin", "-4"),
        "offset_far": ok + external("sub/data.bin", "18446744073709551615"),
        "offset_huge": ok + external("sub/data.bin", "99999999999999999999"),
        "length": ok + external("sub/data.bin", "0", "20"),
        "past_end": ok + external("sub/data.bin", "8"),
    }
    for name, graph in files.items():
        put(folder, f"{name}.onnx", onnx(graph))
    deep = initializer("deepest")
    for i in range(300):
        deep = constant(f"loop{i}", deep)
    put(folder, "deep.onnx", onnx(ok + deep))
    put(folder, "one.onnx", onnx(initializer(dims=(2, 2, 3), kind=16, data=field(9, FLOATS))))
    again = onnx(ok) + field(8, field(2, 20))  # a key of the metadata twice, which some writers do
    put(folder, "again.onnx", again)
    put(folder, "again_other.onnx", again + field(8, field(2, 21)))
    put(folder, "sub/data.bin", FLOATS)
    put(folder, "stray.onnx", onnx(external("stray.bin", "0", "24") + external("stray.bin", "4096", "24", "x") + external("stray.bin", "4160", "24", "y")))
    put(folder, "stray.bin", FLOATS + bytes(4072) + FLOATS + b"between".ljust(40) + FLOATS + b"behind")
    put(folder, "aligned.onnx", onnx(external("aligned.bin", "0", "24") + external("aligned.bin", "4096", "24", "x")))
    put(folder, "aligned.bin", FLOATS + bytes(4072) + FLOATS + bytes(40))
    for name, target in (("out.bin", "/etc/passwd"), ("in.bin", "sub/data.bin")):
        path = os.path.join(folder, name)
        if os.path.lexists(path):
            os.remove(path)
        os.symlink(target, path)


# ---- Lc0 ----

def layer(n=4, lo=-1.0, hi=1.0, rest=b"", data=None):
    params = struct.pack(f"<{n}H", *((i * 9973) % 65536 for i in range(n))) if data is None else data
    return f32(1, lo) + f32(2, hi) + field(3, params) + rest


def lc0(weights, rest=b""):
    return fixed32(1, 0x1C0) + field(2, "a licence") + field(3, field(2, 30)) + field(4, field(1, 1) + field(2, field(3, 4))) + \
        field(10, weights) + rest


def lc0_files(folder):
    conv = field(1, layer(2 * 112 * 9)) + field(3, layer(2)) + field(4, layer(2))
    fine = field(1, conv)
    files = {
        "good": field(7, layer(6)) + field(8, layer(2)) + field(10, layer(3, rest=field(4, 2))),
        "odd": fine + field(10, layer(data=b"\1\2\3")),
        "odd_f32": fine + field(10, layer(data=bytes(6), rest=field(4, 4))),
        "encoding": fine + field(10, layer(rest=field(4, 9))),
        "range": fine + field(10, layer(lo=2.0, hi=1.0)),
        "nan": fine + field(10, layer(lo=float("nan"))),
        "no_shape": fine + field(7, layer(7)) + field(8, layer(2)),
        "dims": fine + field(36, layer(6, rest=field(5, varints((2, 3))))),
        "dims_wrong": fine + field(36, layer(6, rest=field(5, varints((1 << 33, 1 << 33))))),
        "twice": fine + field(10, layer()) + field(10, layer()),
        "layer_cut": fine + field(10, f32(1, 0.0) + tag(3, 2) + varint(1 << 60)),
        "block_cut": fine + field(2, field(1, field(1, layer(2 * 2 * 9)) + field(2, layer(2))) + tag(3, 2) + varint(50)),
        "empty": b"",
        "constant": fine + field(10, layer(lo=1.0, hi=1.0)),
    }
    for name, weights in files.items():
        put(folder, f"{name}.pb", lc0(weights))
    put(folder, "magic.pb", fixed32(1, 0x1C0))
    put(folder, "onnx_bad.pb", lc0(b"", field(11, field(1, b"\x08"))))


# ---- Caffe ----

def blob(dims, data=None, shape=None):
    return (field(5, FLOATS) if data is None else data) + (field(7, field(1, varints(dims))) if shape is None else shape)


def caffe(*blobs, name="conv"):
    fine = field(100, field(1, "fine") + field(2, "Scale") + field(7, blob((6,))))
    return field(1, "net") + fine + field(100, field(1, name) + field(2, "Convolution") + b"".join(field(7, b) for b in blobs))


def caffe_files(folder):
    files = {
        "good": caffe(blob((2, 3)), blob((6,))),
        "shape": caffe(blob((2, 4))),
        "negative": caffe(blob((-1, 6))),
        "overflow": caffe(blob((1 << 62, 1 << 62))),
        "rank": caffe(blob((1,) * 40)),
        "floats_cut": caffe(blob((6,), field(5, FLOATS[:-2]))),
        "raw_type": caffe(blob((6,), field(10, 9) + field(12, FLOATS))),
        "raw_odd": caffe(blob((6,), field(10, 2) + field(12, b"abc"))),
        "no_shape": caffe(blob((), shape=b"")),
        "shape_cut": caffe(blob((), shape=field(7, field(1, b"\x80")))),
        "layer_cut": field(1, "net") + field(100, field(1, "conv") + field(7, blob((6,))) + tag(7, 2) + varint(1 << 61)),
        "no_data": caffe(blob((6,), b"")),
        "twice": caffe(blob((6,)), name="fine"),
    }
    for name, net in files.items():
        put(folder, f"{name}.caffemodel", net)


# ---- Core ML ----

def coreml(kind, message, version=7):
    return field(1, version) + field(2, field(1, field(1, "x")) + field(100, field(4, "MIT"))) + field(kind, message)


def network(*layers):
    fine = field(1, field(1, "fine") + field(140, field(1, 3) + field(2, 2) + field(20, field(1, FLOATS))))
    return coreml(500, fine + b"".join(field(1, field(1, f"l{i}") + field(140, field(1, 3) + field(2, 2) + field(20, w)))
                                       for i, w in enumerate(layers)))


def linear(bits, scales, biases):
    return field(40, field(1, bits) + field(101, field(1, struct.pack(f"<{scales}f", *range(1, scales + 1))) + field(2, bytes(4 * biases))))


def table(bits, n):
    return field(40, field(1, bits) + field(102, field(1, struct.pack(f"<{n}f", *range(n)))))


def program(consts):
    body = b""
    for name, (kind, dims, value) in consts.items():
        kind = field(1, field(1, kind) + b"".join(field(3, field(1, field(1, d))) for d in dims))
        body += field(3, field(1, "const") + field(3, field(1, name)) + field(5, field(1, "val") + field(2, field(2, kind) + value)))
    block = field(3, field(1, "CoreML7") + field(2, body))
    return coreml(502, field(1, 1) + field(2, field(1, "main") + field(2, block)))


def blob_value(offset, file="@model_path/weights/weight.bin"):
    return field(5, field(1, file) + field(2, offset))


def record(at, kind, size, sentinel=0xDEADBEEF, start=None):
    return struct.pack("<IIQQQ", sentinel, kind, size, at + 64 if start is None else start, 0) + b"\xee" * 32


def coreml_files(folder):
    codes = field(30, bytes(range(6)))
    networks = {
        "good": network(field(2, struct.pack("<6e", *range(6)))),
        "shape": network(field(1, FLOATS[:8])),
        "half_odd": network(field(2, b"abc")),
        "bits": network(codes + linear(9, 1, 1)),
        "no_quantisation": network(codes),
        "scales": network(codes + linear(8, 3, 3)),
        "biases": network(codes + linear(8, 2, 1)),
        "table": network(codes + table(8, 100)),
        "codes": network(field(30, bytes(5)) + linear(8, 1, 1)),
        "floats_cut": network(field(1, FLOATS[:-3])),
        "trees": coreml(402, field(1, b"")),
        "scattered": network(codes + field(40, field(1, 8) + field(101, f32(1, 1.0) + f32(1, 2.0)))),
    }
    for name, model in networks.items():
        put(folder, f"{name}.mlmodel", model)
    deep = coreml(500, b"")
    for _ in range(300):
        deep = coreml(202, field(1, deep))
    put(folder, "deep.mlmodel", deep)
    values = {"good": blob_value(64), "far": blob_value(1 << 60), "middle": blob_value(65), "sentinel": blob_value(192), "type": blob_value(256),
              "beyond": blob_value(320), "outside": blob_value(64, "@model_path/../x"), "absolute": blob_value(64, "/etc/passwd"),
              "elsewhere": blob_value(64, "weights/weight.bin"), "gone": blob_value(64, "@model_path/gone.bin"),
              "no_value": b"", "short": field(3, field(1, field(1, field(1, FLOATS[:8]))))}
    consts = {name: (11, (2, 3), value) for name, value in values.items()}
    consts["unknown"] = (77, (2, 3), blob_value(64))
    consts["overflow"] = (11, (1 << 62, 1 << 62), blob_value(64))
    consts["int4"] = (25, (4,), field(3, field(1, field(7, field(1, b"\x21\x43")))))
    put(folder, "p.mlpackage/Data/com.apple.CoreML/model.mlmodel", program(consts))
    data = record(64, 2, 24) + FLOATS + bytes(40) + record(192, 2, 24, 0xDEADBEE0) + record(256, 1, 24) + record(320, 2, 24, start=1 << 63)
    put(folder, "p.mlpackage/Data/com.apple.CoreML/weights/weight.bin", struct.pack("<II", 4, 2) + bytes(56) + data)
    two = {"a": (11, (2, 3), blob_value(64, "@model_path/weight.bin")), "b": (11, (2, 3), blob_value(192, "@model_path/weight.bin"))}
    data = struct.pack("<II", 2, 2) + bytes(56) + record(64, 2, 24) + FLOATS + bytes(40) + record(192, 2, 24) + FLOATS
    for name, stray in (("whole", bytes(40)), ("stray", b"behind".ljust(40))):
        put(folder, f"{name}/model.mlmodel", program(two))
        put(folder, f"{name}/weight.bin", data + stray)
    unused = bytes(40) + record(320, 2, 24) + FLOATS  # of a tensor that the model does not name
    put(folder, "unused/model.mlmodel", program(two))
    put(folder, "unused/weight.bin", data + unused)
    put(folder, "program.mlmodel", program({"good": consts["good"]}))
    entry = '{"itemInfoEntries": {"A": {"path": "%s"}}, "rootModelIdentifier": "%s"}'
    manifests = {"outside": entry % ("../../good.mlmodel", "A"), "absolute": entry % ("/etc/passwd", "A"), "no_root": entry % ("x", "B"),
                 "broken": entry % ("x", "A") + "}", "gone": entry % ("com.apple.CoreML/gone.mlmodel", "A")}
    for name, text in manifests.items():
        put(folder, f"m_{name}.mlpackage/Manifest.json", text.encode())


def mangle(folder):
    """Sound files of a few hundred bytes with a little of everything, to be changed byte by byte (test_mangle.c)."""
    graph = initializer() + initializer("t", data=field(4, FLOATS[:8]) + field(4, FLOATS[8:])) + initializer("i", (3,), 7, field(7, varints((1, -1, 300))))
    graph += external("data.bin", "0", "24", "e") + constant("c") + constant("l", initializer("in") + constant("d"))
    put(folder, "onnx/model.onnx", onnx(graph))
    put(folder, "onnx/data.bin", FLOATS)
    encoder = field(1, field(1, layer(6)) + field(2, layer(2)) + field(9, field(1, layer(4))))
    head = field(7, field(1, "head") + field(2, field(4, layer(2, rest=field(5, varints((1, 2)))))))
    net = field(1, field(1, layer(2 * 9)) + field(2, layer(2))) + field(26, layer(2)) + field(27, encoder) + field(45, head)
    put(folder, "lc0/net.pb", lc0(net + field(10, layer(3, rest=field(4, 2)))))
    old = field(6, b"".join(field(i, d) for i, d in enumerate((1, 6, 1, 1), 1)) + field(5, FLOATS))
    put(folder, "caffe/net.caffemodel", caffe(blob((2, 3)), blob((6,), field(10, 1) + field(12, FLOATS))) + field(2, field(4, "old") + field(5, 4) + old))
    codes = field(30, bytes(range(6)))
    put(folder, "coreml/net.mlmodel", network(field(2, bytes(12)), codes + linear(8, 2, 2), codes + linear(8, 1, 1), field(30, bytes(3)) + table(4, 16)))
    consts = {"w": (11, (2, 3), blob_value(64, "@model_path/weight.bin")), "f": (11, (2,), field(3, field(1, field(1, field(1, FLOATS[:8])))))}
    put(folder, "coreml-program/model.mlmodel", program(consts))
    put(folder, "coreml-program/weight.bin", struct.pack("<II", 1, 2) + bytes(56) + record(64, 2, 24) + FLOATS)


if __name__ == "__main__":
    where = sys.argv[1] + "/proto"
    for make in (onnx_files, lc0_files, caffe_files, coreml_files):
        make(os.path.join(where, make.__name__.split("_")[0]))
    mangle(sys.argv[1] + "/mangle")
