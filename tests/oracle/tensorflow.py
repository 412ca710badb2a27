"""TensorFlow, TensorFlow Lite and Flax: generated files of every type, real ones read by other code. timeout: 180"""
import json
import os
import struct
import sys

sys.dont_write_bytecode = True

import numpy as np

import check
import tffiles as tf
import weightfiles as wf

rng = np.random.default_rng(20251111)
N = 60


def random(kind, n):
    x = rng.standard_normal(n)
    if kind in ("F16", "F32", "F64"):
        return x.astype(wf.PLAIN[kind]).tobytes()
    if kind in ("C64", "C128"):
        return (x + 1j * rng.standard_normal(n)).astype(wf.PLAIN[kind]).tobytes()
    if kind == "BF16":
        return (x.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    if kind == "BOOL":
        return rng.integers(0, 2, n, np.uint8).tobytes()
    return rng.integers(0, 256, wf.byte_count(kind, n), np.uint8).tobytes()


def some(kinds):
    out = {f"all/{k}": (k, (3, 4, 5), random(k, N)) for k in kinds}
    out["scalar"] = ("F32", (), random("F32", 1))
    out["none/at.all"] = ("F32", (0, 7), b"")
    return out


def checkpoints():
    kinds = [k for k in tf.TF if k != "string"]
    for shards, big in ((1, False), (3, False), (2, True)):
        tensors = some(kinds)
        c = tf.Checkpoint(shards, big)
        for i, (name, (kind, shape, raw)) in enumerate(tensors.items()):
            c.tensor(name, kind, shape, raw, wf.BITS[kind], i % shards, gap=i % 3)
        c.write("ckpt")
        check.stats_of_file("ckpt.index", tensors, f"checkpoint, {shards} shards{', big-endian' * big}")
        check.stats_of_file("ckpt", tensors, "the same by its prefix")
        c.write("packed", per_block=30, packed=True)
        check.stats_of_file("packed.index", tensors, "the same, its index compressed with Snappy")
        check.stats_of_file(f"ckpt.data-00000-of-{shards:05d}", tensors, "the same by its first shard")


def partitioned():
    a = np.arange(7 * 300 * 5, dtype="<f4").reshape(7, 300, 5)
    cuts = {"rows": [[(0, 3), (0, -1), (0, -1)], [(3, 4), (0, -1), (0, -1)]],
            "middle": [[(0, -1), (130, 170), (0, -1)], [(0, -1), (0, 130), (0, -1)]],
            "last": [[(0, -1), (0, -1), (0, 2)], [(0, -1), (0, -1), (2, 3)]],
            "both": [[(r, h), (c, w), (0, -1)] for r, h in ((0, 2), (2, 5)) for c, w in ((0, 100), (100, 70), (170, 130))],
            "one": [[(0, -1), (0, -1), (0, -1)]]}
    c, tensors = tf.Checkpoint(2), {}
    for name, parts in cuts.items():
        c.partitioned(name, "F32", a, parts, (0, 1))
        tensors[name] = wf.of_array(a)
    wide = np.arange(70000, dtype="<i8")
    c.partitioned("wide", "I64", wide, [[(0, 63)], [(63, 1)], [(64, 8128)], [(8192, 61808)]])
    tensors["wide"] = wf.of_array(wide)
    c.write("parts")
    check.stats_of_file("parts.index", tensors, "partitioned variables")
    whole = tf.Checkpoint()
    for name, (kind, shape, raw) in tensors.items():
        whole.tensor(name, kind, shape, raw, wf.BITS[kind])
    whole.write("whole")
    check.diff_of_files("whole.index", "parts.index", tensors, tensors, "partitioned or not is the same")


# The fields of a TensorProto that hold values one by one.
TYPED = {"F32": 5, "F64": 6, "I32": 7, "U8": 7, "I16": 7, "I8": 7, "C64": 9, "I64": 10, "BOOL": 11, "BF16": 13, "F16": 13,
         "C128": 12, "U16": 7, "U32": 16, "U64": 17}


def typed(kind, raw, packed):
    number = TYPED[kind]
    if number in (5, 6, 9, 12):
        size, wire = (4, 5) if number in (5, 9) else (8, 1)
        if packed:
            return tf.message(number, raw)
        return b"".join(tf.varint(number << 3 | wire) + raw[i:i + size] for i in range(0, len(raw), size))
    letter = {"BF16": "<u2", "F16": "<u2", "BOOL": "u1"}.get(kind) or wf.PLAIN[kind]
    numbers = [tf.varint(int(x)) for x in np.frombuffer(raw, letter)]
    if packed:
        return tf.message(number, b"".join(numbers))
    return b"".join(tf.varint(number << 3) + x for x in numbers)


def graphs():
    tensors, graph = {}, tf.node("x", "Placeholder")
    for kind in TYPED:
        raw, item = random(kind, N), wf.BITS[kind] // 8
        for how in ("content", "packed", "singly", "repeated", "one", "nothing"):
            body = tf.message(4, raw) if how == "content" else typed(kind, raw, how == "packed")
            out = raw
            if how in ("repeated", "one"):
                k = 7 if how == "repeated" else 1
                body, out = typed(kind, raw[:k * item], True), raw[:k * item] + raw[(k - 1) * item:k * item] * (N - k)
            elif how == "nothing":
                body, out = b"", bytes(len(raw))
            graph += tf.constant(f"{how}/{kind}", kind, (5, 12), body)
            tensors[f"{how}/{kind}"] = (kind, (5, 12), out)
    inner = tf.constant("w", "F32", (2, 2), tf.message(4, struct.pack("<4f", 1, 2, 3, 4)))[2:]
    graph += tf.message(2, tf.message(1, tf.message(1, tf.message(1, b"f")) + tf.message(3, inner)))
    tensors["f/w"] = ("F32", (2, 2), struct.pack("<4f", 1, 2, 3, 4))
    graph += tf.message(4, tf.number(1, 1087))
    tf.save("./graph.pb", graph)
    check.stats_of_file("graph.pb", tensors, "graph, every encoding")


def dequantised(kind, shape, raw, scale, zero, dimension):
    """Values as float32, in its arithmetic."""
    q = np.frombuffer(raw, wf.PLAIN[kind]).reshape(shape).astype("<f4")
    along = [1] * len(shape)
    if len(scale) > 1:
        along[dimension] = len(scale)
    a, b = (np.array(x, "<f4").reshape(along if len(x) > 1 else [1] * len(shape)) for x in (scale, zero or [0]))
    return ((q - b) * a).astype("<f4").tobytes()


def quantised(path, tensors, scales, label):
    doc, status, said = check.run("stats", "-o", "json", path)
    faults = check.Faults()
    if doc is None or status:
        check.ok(False, label, [f"exit status {status}: {said}"])
        return
    got = {t["name"]: t for t in doc["tensors"]}
    faults.same("names", sorted(got), sorted(tensors))
    for name, (kind, shape, raw) in tensors.items():
        how = scales.get(name)
        packed = how and how[0] and kind[0] in "IU"
        if packed:
            raw = dequantised(kind, shape, raw, *how)
        faults.same(name + " type", got[name]["type"], f"{kind}/{'tensor' if len(how[0]) == 1 else 'slice'}" if packed else kind)
        kind = "F32" if packed else kind
        one = check.Faults()
        check.check_stats(one, got[name]["stats"], wf.decode(kind, raw), kind, raw)
        check.check_distribution(one, got[name]["stats"], wf.decode(kind, raw), kind, raw)
        faults += [f"{name}: {f}" for f in one]
    check.ok(not faults, label, faults)


def lite_quantised():
    tensors, scales = {}, {}
    for kind in ("I8", "U8", "I16", "I32"):
        for dimension, n in ((0, 1), (0, 3), (1, 4), (2, 5)):
            name = f"{kind}.{dimension}.{n}"
            tensors[name] = (kind, (3, 4, 5), random(kind, N))
            zero = [int(z) for z in rng.integers(-100, 100, n)] if kind != "I32" else []
            scales[name] = ([float(x) for x in rng.random(n).astype("<f4") + np.float32(0.01)], zero, dimension)
    tf.save("./q.tflite", tf.tflite(tensors, scales))
    quantised("q.tflite", tensors, scales, "tflite, scales of the whole and along each dimension")


def lite():
    kinds = [k for k in tf.TFLITE if k in wf.BITS]
    tensors = some(kinds)
    del tensors["none/at.all"]
    with_runtime = dict(tensors, input=("F32", (1, 4), None))
    tf.save("./a.tflite", tf.tflite(with_runtime))
    check.stats_of_file("a.tflite", tensors, "tflite, every type")
    tf.save("./b.tflite", tf.tflite(with_runtime, outside=("all/F32", "scalar")))
    check.stats_of_file("b.tflite", tensors, "tflite, data after the flatbuffer")
    check.diff_of_files("a.tflite", "b.tflite", tensors, tensors, "the same data inside and after")
    tf.save("./c.tflite", tf.tflite(with_runtime, graphs=[["all/F32", "scalar"], ["all/I8", "input"]]))
    check.stats_of_file("c.tflite", {"0/all/F32": tensors["all/F32"], "0/scalar": tensors["scalar"],
                                     "1/all/I8": tensors["all/I8"]}, "tflite, two subgraphs")


def flax():
    tensors = some(tf.FLAX)
    leaves = {n: tf.flax_array(*t) for n, t in tensors.items()}
    leaves["scalar"] = tf.flax_array(*tensors["scalar"], ext=3)
    leaves["step"], leaves["on"], leaves["note"], leaves["z"] = 12, True, "text", tf.Ext(2, tf.pack([1.5, -2.0]))
    for name, size, order in (("two", 32, None), ("many", 8, [10, 0, 2, 1, *range(3, 10), *range(11, 30)]), ("lone", 240, None)):
        kind, shape, raw = "F32", (6, 10), random("F32", N)
        leaves["chunks/" + name] = tf.flax_chunks(kind, shape, raw, size, order)
        tensors["chunks/" + name] = (kind, shape, raw)
    tf.save("./flax_model.msgpack", tf.pack(tf.flax_tree(leaves)))
    check.stats_of_file("flax_model.msgpack", tensors, "flax, every type, chunks, scalars")
    names = sorted(leaves)
    for i in range(3):
        tf.save(f"./flax_model-{i + 1:05d}-of-00003.msgpack", tf.pack(tf.flax_tree({n: leaves[n] for n in names[i::3]})))
    check.stats_of_file("flax_model-00002-of-00003.msgpack", tensors, "flax, three shards")
    where = {n: f"flax_model-{names.index(n) % 3 + 1:05d}-of-00003.msgpack" for n in tensors}
    tf.save("./flax_model.msgpack.index.json", json.dumps({"metadata": {"total_size": 1}, "weight_map": where}).encode())
    check.stats_of_file("flax_model.msgpack.index.json", tensors, "flax, three shards by their index")
    os.mkdir("flax")
    for name in os.listdir("."):
        if name.startswith("flax_model"):
            os.rename(name, "flax/" + name)
    check.stats_of_file("flax", tensors, "the same by its directory")


def values(path, name):
    doc, _, said = check.run("show", "-o", "json", path, name)
    if not doc:
        return said
    t = doc["tensors"][0]
    return np.array(t["values"], np.float64).reshape(t["shape"])


SAME = (("layer_with_weights-3/kernel", "model_1/contours-reduced/Conv2D;model_1/contours-reduced/Conv2D", "const_fold_opt__710"),
        ("layer_with_weights-4/kernel", "model_1/conv2d_2/Conv2D;model_1/conv2d_2/Conv2D", "const_fold_opt__738"),
        ("layer_with_weights-7/kernel", "model_1/conv2d_3/Conv2D;model_1/conv2d_3/Conv2D", "const_fold_opt__702"),
        ("layer_with_weights-8/kernel", "model_1/conv2d_5/Conv2D;model_1/conv2d_5/Conv2D1", "const_fold_opt__680"))


def real(shared):
    for name in ("basic_pitch_nmp", "basic_pitch_1epoch", "basic_pitch_5epoch", "lso_two_shards"):
        prefix = f"{shared}/tensorflow/{name}/variables/variables"
        check.stats_of_file(f"{shared}/tensorflow/{name}", tf.read_checkpoint(prefix), f"stats {name}")
    a, b = (tf.read_checkpoint(f"{shared}/tensorflow/basic_pitch_{n}/variables/variables") for n in ("1epoch", "5epoch"))
    check.diff_of_files(f"{shared}/tensorflow/basic_pitch_1epoch", f"{shared}/tensorflow/basic_pitch_5epoch", a, b,
                        "diff basic_pitch 1epoch 5epoch")
    frozen = shared + "/tensorflow/frozen_3layer.pb"
    check.stats_of_file(frozen, tf.read_graph(frozen), "stats frozen_3layer.pb")
    for name in ("basic_pitch_nmp", "hello_world_float", "hello_world_int8", "micro_speech-2021", "micro_speech-2022"):
        path = f"{shared}/tflite/{name}.tflite"
        quantised(path, *tf.read_tflite(path), f"stats {name}.tflite")
    for one, two, three in SAME:
        x = values(shared + "/tensorflow/basic_pitch_nmp", one)
        y = values(shared + "/tflite/basic_pitch_nmp.tflite", two)
        z = values(shared + "/onnx/basic_pitch_nmp.onnx", three)
        good = all(isinstance(v, np.ndarray) for v in (x, y, z)) and (x.transpose(3, 0, 1, 2) == y).all() and \
            (x.transpose(3, 2, 0, 1) == z).all()
        check.ok(good, f"basic_pitch {one}: TensorFlow, TFLite and ONNX hold the same")


def main():
    for one in (checkpoints, partitioned, graphs, lite, lite_quantised, flax):
        one()
    shared = os.environ.get("SHARED", "")
    if os.path.isdir(shared + "/tensorflow"):
        real(shared)
    else:
        check.skip("real files", "the shared data are not there")
    check.end()


if __name__ == "__main__":
    main()
