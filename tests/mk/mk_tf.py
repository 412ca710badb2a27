"""TensorFlow, TensorFlow Lite and Flax files for the tests of the command line, sound ones and others: $FIXTURES/tf. The small
sound ones are mangled byte by byte by tests/unit/test_mangle.c: $FIXTURES/mangle."""
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))

import numpy as np

import tffiles as tf


def ramp(n, letter="<f4"):
    return (np.arange(n) % 64 - 31).astype(letter)


V = tf.SUFFIX


def good(shards=2):
    c = tf.Checkpoint(shards)
    c.tensor("layer/kernel" + V, "F32", (4, 6), ramp(24).tobytes(), 32, shards - 1)
    c.tensor("layer/bias" + V, "F16", (6,), ramp(6, "<f2").tobytes(), 16)
    c.tensor("optimizer/iter" + V, "I64", (), struct.pack("<q", 12), 64)
    c.texts("words", (2,), [b"one", b"two words"], shards - 1)
    c.partitioned("table", "F32", ramp(40).reshape(8, 5), [[(0, 5), (0, -1)], [(5, 3), (0, -1)]], (0, shards - 1))
    c.texts("_CHECKPOINTABLE_OBJECT_GRAPH", (),
            [tf.object_graph({"layer/kernel" + V: "dense/kernel", "layer/bias" + V: "dense/bias"})])
    return c


def single(name, change=lambda c: None, **how):
    c = tf.Checkpoint()
    c.tensor("a", "F32", (2, 3), ramp(6).tobytes(), 32)
    c.tensor("b", "I8", (5,), ramp(5, "i1").tobytes(), 8)
    change(c)
    c.write(name, **how)


def entry(kind, dims, offset, size, extra=b""):
    return (tf.number(1, kind) + tf.message(2, tf.tf_shape(dims)) + extra + tf.number(4, offset) + tf.number(5, size))


def checkpoints():
    good().write("good")
    good().write("half", without=(1,))
    good(3).write("none", without=(0, 1, 2))
    os.makedirs("saved/variables", exist_ok=True)
    good(1).write("saved/variables/variables")
    os.makedirs("variables_only/variables", exist_ok=True)
    single("variables_only/variables/variables")
    os.makedirs("two", exist_ok=True)
    single("two/first-1")
    single("two/first-2")
    single("crc", lambda c: c.tensor("c", "F32", (2,), ramp(2).tobytes(), 32, damage=1))
    single("short", lambda c: c.entries.update({b"c": entry(1, (2,), 26, 8)}))
    single("sizes", lambda c: c.entries.update({b"c": entry(1, (2,), 0, 12)}))
    single("shardno", lambda c: c.entries.update({b"c": entry(1, (2,), 0, 8, tf.number(3, 7))}))
    single("types", lambda c: c.entries.update({
        b"c": entry(99, (2,), 0, 8), b"d": entry(29, (8,), 0, 8), b"e": entry(20, (), 0, 8),
        b"f": tf.number(1, 1) + tf.message(2, tf.number(3, 1)), b"g": entry(1, [2] * 40, 0, 8),
        b"h": entry(1, (1 << 62, 1 << 62), 0, 8), b"i": b"\xff\xff"}))
    a = ramp(40).reshape(8, 5)
    single("gap", lambda c: c.partitioned("c", "F32", a, [[(0, 5), (0, -1)], [(6, 2), (0, -1)]]))
    single("lap", lambda c: c.partitioned("c", "F32", a, [[(0, 5), (0, -1)], [(4, 4), (0, -1)]]))
    single("outside", lambda c: (c.partitioned("c", "F32", a, [[(0, 8), (0, -1)]]), c.entries.update({
        b"c": tf.number(1, 1) + tf.message(2, tf.tf_shape((8, 5))) + tf.message(7, tf.message(1, tf.number(1, 7) + tf.number(2, 8)) +
                                                                                tf.message(1, b""))})))
    single("lost", lambda c: (c.partitioned("c", "F32", a, [[(0, 8), (0, -1)]]),
                              [c.entries.pop(k) for k in list(c.entries) if k.startswith(b"\0")]))


def indexes():
    """Tables that are wrong as such."""
    single("base")
    with open("base.index", "rb") as f:
        whole = f.read()

    def save(name, b):
        tf.save(f"./{name}.index", b)

    at = whole.index(b"\x08\x01\x1a") # the header entry's value: 1 shard
    save("blockcrc", whole[:at + 1] + b"\x02" + whole[at + 2:])
    save("v1", tf.sstable([(b"", tf.message(1, b"old"))]))
    save("leveldb", tf.sstable([(b"key", b"value"), (b"other", b"value")]))
    save("noshards", tf.sstable([(b"", tf.number(1, 0)), (b"a", b"")]))
    save("order", tf.sstable([(b"", tf.number(1, 1)), (b"b", entry(1, (), 0, 4)), (b"a", entry(1, (), 4, 4))]))
    save("empty", tf.sstable([]))
    first = len(tf.block([(b"", tf.number(1, 1))]))
    snappy = bytearray(tf.sstable([(b"", tf.number(1, 1))]))
    snappy[first] = 1
    struct.pack_into("<I", snappy, first + 1, tf.masked(tf.crc32c(bytes(snappy[:first + 1]))))
    save("snappy", bytes(snappy))
    long = bytearray(tf.sstable([(b"", tf.number(1, 1)), (b"a", entry(1, (), 0, 4))]))
    struct.pack_into("<I", long, len(tf.block([(b"", tf.number(1, 1)), (b"a", entry(1, (), 0, 4))])) - 4, 0x7FFFFFFF)
    save("restarts", bytes(long))
    far = bytearray(whole)
    far[-48:-38] = tf.varint(5) + tf.varint(8) + tf.varint(1 << 40)[:6] + b"\x08\x00"
    save("footer", bytes(far))
    # every key but the first repeats 60,000 bytes of the one before
    keys = [(b"", tf.number(1, 1))] + [(b"x" * 60000 + b"%06d" % i, b"") for i in range(400)]
    save("names", tf.sstable_of_one_block(keys))


def graphs():
    floats = ramp(6).tobytes()
    graph = tf.node("x", "Placeholder") + tf.constant("conv/kernel", "F32", (2, 3), tf.message(4, floats))
    graph += tf.constant("conv/shape", "I32", (2,), tf.message(7, tf.varint(-1) + tf.varint(300)))
    graph += tf.constant("pad", "F32", (1000,), tf.message(5, struct.pack("<2f", 1, 0.5))) + tf.constant("zero", "I64", (3,), b"")
    graph += tf.node("y", "MatMul") + tf.message(4, tf.number(1, 38))
    tf.save("./good.pb", graph)
    bad = tf.constant("content", "F32", (2, 3), tf.message(4, floats[:20])) + \
        tf.constant("toomany", "F32", (2,), tf.message(5, floats)) + tf.constant("wide", "I8", (1,), tf.message(7, tf.varint(300))) + \
        tf.constant("bomb", "F32", (1 << 40,), tf.message(5, floats[:4])) + tf.constant("half", "C64", (1,), tf.message(9, floats[:4])) + \
        tf.constant("words", "string", (1,), tf.message(8, b"text")) + tf.constant("ok", "F32", (2, 3), tf.message(4, floats)) + \
        tf.node("novalue", "Const") + tf.constant("odd", "F32", (2,), tf.message(5, floats[:7]))
    tf.save("./bad.pb", bad)
    tf.save("./cut.pb", graph[:-2])
    info = tf.message(1, tf.message(4, b"serve") + tf.message(5, b"2.15.0") + tf.message(6, b"v2.15.0-rc1"))
    tensor = tf.message(1, b"x:0") + tf.number(2, 1) + tf.message(3, tf.tf_shape((-1, 4)))
    signature = tf.message(1, tf.message(1, b"x") + tf.message(2, tensor)) + tf.message(2, tf.message(1, b"y") + tf.message(2, tensor))
    signatures = tf.message(5, tf.message(1, b"serving_default") + tf.message(2, signature))
    model = tf.number(1, 1) + tf.message(2, info + tf.message(2, graph + tf.constant("large", "F32", (20,), tf.message(4, ramp(20).tobytes()))) + signatures)
    tf.save("./saved/saved_model.pb", model)
    tf.save("./alone/saved_model.pb", model)
    # as TensorFlow Hub writes them: without a version
    tf.save("./hub/saved_model.pb", tf.message(2, info + tf.message(2, graph + tf.node("z", "PyFunc"))))


def lite():
    x = ramp(12)
    tensors = {"conv/kernel": ("I8", (3, 2, 2), ramp(12, "i1").tobytes()), "conv/bias": ("I32", (3,), ramp(3, "<i4").tobytes()),
               "scale": ("F32", (12,), x.tobytes()), "input": ("F32", (1, 4), None)}
    scales = {"conv/kernel": ([0.5, 0.25, 2.0], [0, 0, 0], 0), "conv/bias": ([0.125], [3], 0)}
    note = tf.Flat()
    note.b[4:] = b"M001"
    nested = note.end({0: note.text("a net"), 1: note.text("what it does"), 4: note.text("somebody"), 5: note.text("Apache-2.0")})
    tf.save("./good.tflite", tf.tflite(tensors, scales, metadata=(("min_runtime_version", b"1.5.0\0\0\0"), ("TFLITE_METADATA", nested),
                                                                 ("blob", b"\xff\0\1")), codes=((3, ""), (32, "MyOp"), (150, ""))))
    whole = open("good.tflite", "rb").read()
    tf.save("./stray.tflite", whole + b"behind")
    tf.save("./zeros.tflite", whole + bytes(64))
    tf.save("./bias.tflite", tf.tflite({"bias": tensors["conv/bias"]}, {"bias": ([0.5, 0.25, 2.0], [0, 0, 0], 3)}))
    odd = {"same": ("F32", (3,), x[:3].tobytes()), "words": ("string", (1,), b"\1\0\0\0\4\0\0\0abcd"), "nibbles": ("int4", (4,), b"\x21\x43"),
           "sparse": ("F32", (12,), x[:2].tobytes()), "far": ("F32", (2,), None), "short": ("F32", (5,), x[:2].tobytes()),
           "negative": ("F32", (-1, 2), x[:2].tobytes()), "lost": ("F32", (2,), None)}
    tf.save("./odd.tflite", tf.tflite(odd, extra={"sparse": {6: "table"}, "far": {10: ("I", 1)}, "lost": {2: ("I", 99)}},
                                      graphs=[[*odd, "same"]]))
    two = tf.tflite({"a": ("F32", (2,), x[:2].tobytes())})
    at = tf.root(two).place(0)
    tf.save("./version.tflite", two[:at] + b"\2" + two[at + 1:])
    whole = tf.tflite(tensors, scales)
    tf.save("./cut.tflite", whole[:len(whole) // 2])
    tf.save("./nothing.tflite", b"\xff\xff\xff\xffTFL3")


def flax():
    x = ramp(12)
    leaves = {"params/Dense_0/kernel": tf.flax_array("F32", (3, 4), x.tobytes()), "params/Dense_0/bias": tf.flax_array("BF16", (4,), bytes(8)),
              "params/big": tf.flax_chunks("F32", (3, 4), x.tobytes(), 16, [1, 0, 2]), "step": 7, "lr": 0.5, "note": "a text", "off": None,
              "opt/0/on": True, "opt/0/z": tf.Ext(2, tf.pack([1.0, -1.0]))}
    tf.save("./good.msgpack", tf.pack(tf.flax_tree(leaves)))
    tf.save("./trailing.msgpack", tf.pack(tf.flax_tree(leaves)) + b"\0\0\0")
    bad = {"ok": tf.flax_array("F32", (3, 4), x.tobytes()), "short": tf.flax_array("F32", (3, 5), x.tobytes()),
           "text": tf.flax_array("str96", (1,), bytes(12)), "none": tf.Ext(1, tf.pack([1, 2])), "minus": tf.flax_array("F32", (-3,), x.tobytes()),
           "other": tf.Ext(9, b"12345"), "more": tf.Ext(1, tf.pack([[1], "float32", x[:1].tobytes()]) + b"\0")}
    tf.save("./bad.msgpack", tf.pack(bad))
    chunks = tf.flax_chunks("F32", (3, 4), x.tobytes(), 16)
    del chunks["chunks"]["1"]
    tf.save("./hole.msgpack", tf.pack({"ok": leaves["params/Dense_0/kernel"], "big": chunks, "after": leaves["params/Dense_0/bias"]}))
    tf.save("./deep.msgpack", tf.pack({"a": leaves["params/Dense_0/kernel"]})[:1] + tf.pack("a") + b"\x91" * 5000)
    head = b"\x82" + tf.pack("ok") + tf.pack(leaves["params/Dense_0/kernel"]) + tf.pack("x")
    for name, tail in (("huge_ext", b"\xc9\xff\xff\xff\xff\x01\x93"), ("huge_map", b"\xdf\xff\xff\xff\xff"),
                       ("huge_text", b"\xdb\xff\xff\xff\xff"), ("never", b"\xc1")):
        tf.save(f"./{name}.msgpack", head + tail)
    body = b"\x81" + b"\xda" + struct.pack(">H", 60000) + b"k" * 60000 + b"\xdd" + struct.pack(">I", 200000) + b"\1" * 200000
    tf.save("./names.msgpack", body)


def mangle():
    """Small and sound, each in a directory of its own with what it needs."""
    for name, make in (("checkpoint", lambda: good().write("../mangle/checkpoint/x")),
                       ("graph", lambda: tf.save("../mangle/graph/x.pb", open("good.pb", "rb").read()[:260])),
                       ("tflite", lambda: tf.save("../mangle/tflite/x.tflite", open("good.tflite", "rb").read())),
                       ("flax", lambda: tf.save("../mangle/flax/x.msgpack", open("good.msgpack", "rb").read())),
                       ("savedmodel", lambda: tf.save("../mangle/savedmodel/saved_model.pb", open("saved/saved_model.pb", "rb").read()))):
        os.makedirs("../mangle/" + name, exist_ok=True)
        make()


if __name__ == "__main__":
    os.makedirs(sys.argv[1] + "/tf", exist_ok=True)
    os.chdir(sys.argv[1] + "/tf")
    for one in (checkpoints, indexes, graphs, lite, flax, mangle):
        one()
