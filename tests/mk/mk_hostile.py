"""Files that mean harm, at least two for every format: $FIXTURES/hostile. What is said of each stands in
tests/fault/hostile.tsv. All are small, but for one that is a hole of 64 GiB."""
import bz2
import gzip
import io
import json
import lzma
import os
import struct
import sys
import tarfile
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "oracle"))
sys.dont_write_bytecode = True

import numpy as np

import netwriters as nw
import pickles
import tffiles as tf
from mk_proto import constant, external, initializer, onnx
from pickles import Call, G, Persistent, dumps
from wire import field, tag, varint, varints

RUN = Call(G("os", "system"), "touch weigh-was-here")
FLOATS = struct.pack("<4f", 1, -2, 3, -4)
HUGE = 1 << 62
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"
ODD = "w\x1b[2J\u202egnp.exe\u200b\x00\x07"


def put(name, data):
    if os.path.dirname(name):
        os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as f:
        f.write(data)


def squeeze(b):
    return gzip.compress(b, mtime=0)


# ---- what is no file of weights at all ----


def broken_check(b):
    """An xz file of one block, the CRC-64 of which is wrong: it stands before the index, whose size is in the footer."""
    packed = bytearray(lzma.compress(b))
    (words,) = struct.unpack_from("<I", packed, len(packed) - 8)
    packed[len(packed) - 12 - 4 * (words + 1) - 1] ^= 1
    return bytes(packed)

def oddities():
    put("empty.safetensors", b"")
    put("lfs.safetensors", POINTER)
    # what a clone without Git LFS has in place of a model: the file, its shards; a document is a zip file, too
    put("lfs/pytorch_model.bin", POINTER)
    put("lfs/vocab.spm", POINTER)
    put("lfs-docx/pytorch_model.bin", POINTER)
    put("lfs-docx/Licence.docx", zipped([("[Content_Types].xml", "<Types/>")]))
    for i in (1, 2):
        put(f"lfs-index/pytorch_model-0000{i}-of-00002.bin", POINTER)
    put("lfs-index/pytorch_model.bin.index.json",
        json.dumps({"weight_map": {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}}).encode())
    put("page.gguf", b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n")
    put("noise.bin", bytes(i * i * 7 + i >> 3 & 255 for i in range(4000)))
    put("hole.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1 << 40, 1 << 40))
    with open("hole.gguf", "r+b") as f:
        f.truncate(1 << 36)
    os.makedirs("directory", exist_ok=True)
    for name, target in (("loop.gguf", "loop.gguf"), ("gone.gguf", "nowhere")):
        if not os.path.lexists(name):
            os.symlink(target, name)
    if not os.path.exists("pipe"):
        os.mkfifo("pipe")


# ---- safetensors ----

def safetensors(head, data=FLOATS, length=None):
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(shape=(4,), at=(0, 16), kind="F32"):
    return {"dtype": kind, "shape": list(shape), "data_offsets": list(at)}


def safetensors_files():
    heads = {
        "negative": {"w": entry((-4,))}, "fraction": {"w": entry((4.5,))}, "overflow": {"w": entry((HUGE, 8))},
        "rank": {"w": entry((1,) * 1000)}, "end": {"w": entry(at=(0, 1 << 40))}, "backwards": {"w": entry(at=(16, 0))},
        "wide": {"w": entry(at=(0, (1 << 64) - 1))}, "short": {"w": entry((400,))}, "names": {ODD: entry(at=(0, 99))},
        "escape": {ODD[:-2]: entry(at=(0, 99))}, "overlap": {"a": entry(), "b": entry()}, "traversal": {"../../etc/passwd": entry((5,))},
        "twice": b'{"w":' + json.dumps(entry()).encode() + b',"w":' + json.dumps(entry()).encode() + b"}",
        "deep": b'{"w":{"x":' + b"[" * 5000 + b"]" * 5000 + b"}}", "open": b'{"w":{"dtype":"F32"', "utf8": b'{"\xff\xfe":{}}',
        "number": b'{"w":{"dtype":"F32","shape":[' + b"9" * 400 + b'],"data_offsets":[0,16]}}',
    }
    for name, head in heads.items():
        put(f"st-{name}.safetensors", safetensors(head))
    names = ["=HYPERLINK(1)", "+1+B1", "-x", "@y", "-1.5", "a=b", "\u009b31m", "\u202eb"]
    head = {name: entry(at=(16 * i, 16 * i + 16)) for i, name in enumerate(names)}
    put("names.safetensors", safetensors(json.dumps(head, ensure_ascii=False).encode(), FLOATS * len(names)))
    put("st-length.safetensors", safetensors({"w": entry()}, length=1 << 63))
    put("st-longer.safetensors", safetensors({"w": entry()}, length=5000))


def index(name, files):
    put(name, json.dumps({"metadata": {"total_size": 16}, "weight_map": files}).encode())


def indexes():
    put("ok.safetensors", safetensors({"w": entry()}))
    if not os.path.lexists("out.safetensors"):
        os.symlink("/etc/passwd", "out.safetensors")
    for kind in ("safetensors", "bin", "msgpack"):
        index(f"up.{kind}.index.json", {"w": f"../../etc/passwd.{kind}"})
        index(f"absolute.{kind}.index.json", {"w": f"/etc/passwd.{kind}"})
    index("missing.safetensors.index.json", {"w": "gone.safetensors"})
    index("self.safetensors.index.json", {"w": "self.safetensors.index.json", "v": "ok.safetensors"})
    index("link.safetensors.index.json", {"w": "out.safetensors"})
    index("name.safetensors.index.json", {"w": ODD[:-2] + ".safetensors"})
    put("cut.safetensors.index.json", b'{"weight_map": {"w": "ok.safetensors", "v": "ok.safe')
    put("deep.safetensors.index.json", b'{"weight_map":{"w":"ok.safetensors","v":' + b'{"w":' * 3000 + b"1" + b"}" * 3002)


# ---- GGUF ----

def text(s):
    b = s.encode() if isinstance(s, str) else s
    return struct.pack("<Q", len(b)) + b


def gguf(tensors=b"", n=1, keys=b"", n_keys=0, version=3):
    head = struct.pack("<4sIQQ", b"GGUF", version, n, n_keys) + keys + tensors
    return head + bytes(-len(head) % 32) + FLOATS * 2


def gguf_tensor(name="w", shape=(4,), kind=0, at=0, rank=None):
    return text(name) + struct.pack("<I", len(shape) if rank is None else rank) + \
        b"".join(struct.pack("<Q", d) for d in shape) + struct.pack("<IQ", kind, at)


def key(name, kind, raw):
    return text(name) + struct.pack("<I", kind) + raw


def beside():
    """Programs, scripts and settings that name code, in the directory of a model."""
    ok = safetensors({"w": entry()})
    settings = {"architectures": ["OwnModel"], "auto_map": {"AutoConfig": "configuration_own.OwnConfig", "AutoModel": "own/other--modeling_own.OwnModel",
                "AutoTokenizer": ["tokenization_own.OwnTokenizer", None]}, "custom_pipelines": {"own": {"impl": "pipeline_own.Own", "pt": ["AutoModel"]}}}
    pe = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"
    files = {
        "model-00001-of-00001.safetensors": ok, "config.json": json.dumps(settings).encode(), "tokenizer_config.json": b'{"auto_map": {"AutoTokenizer": "a.B"',
        "configuration_own.py": b"import os\n", "install": b"#!/bin/sh\nexit 1\n",
        "ops/own.bin": b"\x7fELF\2\1\1" + bytes(60), "ops/mac": b"\xcf\xfa\xed\xfe" + bytes(60),
        "setup.dat": pe, "README.md": b"A model.\n", ".git/hooks/commit.sample": b"#!/bin/sh\n", "old.pth": b"\x80\2K\1.",
    }
    for name, data in files.items():
        put(f"beside/{name}", data)
    index("beside/model.safetensors.index.json", {"w": "model-00001-of-00001.safetensors"})
    put("alone/model.safetensors", ok)
    put("alone/config.json", json.dumps(settings).encode())
    put("alone/run.sh", b"#!/bin/sh\nexit 1\n")
    # settings as only Python reads them, settings that nothing reads, and a directory that is not looked into to its end
    names = b', "auto_map": {"AutoModel": "own.Model"}}'
    put("python/model.safetensors", ok)
    put("python/config.json", b'{"limits": [0.0, Infinity, -Infinity, NaN], "half": "\\ud800"' + names)
    put("python/tokenizer_config.json", b'{"auto_map": ["own.Tokenizer", null]}')
    put("python/processor_config.json", b'{"deep": ' + 300 * b"[" + 300 * b"]" + names)
    put("python/preprocessor_config.json", b'{"a": 1,' + names)
    # chat templates in the files that the libraries look for
    for name, text, more in (("chat-a", "{{ messages }}", {}), ("chat-b", "{{ messages }}!", {"tool": "{{ ''.__class__ }}"})):
        put(f"{name}/model.safetensors", ok)
        put(f"{name}/chat_template.jinja", b"{{ messages }}")
        several = [{"name": "default", "template": text}] + [{"template": t, "name": n, "more": []} for n, t in more.items()]
        put(f"{name}/tokenizer_config.json", json.dumps({"a": {"chat_template": "{{ x.__y }}"}, "chat_template": several}).encode())
        put(f"{name}/processor_config.json", json.dumps({"chat_template": text}).encode())
    put("deep/model.safetensors", ok)
    put("deep/1/2/3/4/5/6/7/8/9/run.sh", b"#!/bin/sh\nexit 1\n")


def trained(folder, args, more):
    """A model with an index, and what a trainer leaves beside it. args: of TrainingArguments; more: into each dictionary."""
    ok = safetensors({"w": entry()})
    put(f"{folder}/model-00001-of-00001.safetensors", ok)
    index(f"{folder}/model.safetensors.index.json", {"w": "model-00001-of-00001.safetensors"})
    weight = pickles.tensor("FloatStorage", "0", 4, (4,), (1,))
    old = pickles.tensor("FloatStorage", "0", 4, (4,), (1,), view=(None,))
    os.makedirs(f"{folder}/global_step1", exist_ok=True)
    torch_zip(f"{folder}/training_args.bin", {"args": args} if args else {"lr": 0.5})
    torch_zip(f"{folder}/optimizer.pt", {"state": {"exp_avg": weight}, **more}, method=zipfile.ZIP_DEFLATED)
    pickles.write_stream(f"{folder}/old.pth", {"w": old, **more}, {"0": (4, FLOATS)})
    for i in (1, 2):
        torch_zip(f"{folder}/global_step1/states-0000{i}-of-00002.bin", {"w": weight, **more})
    put(f"{folder}/scheduler.pkl", dumps({"last_epoch": 3, **more}, 0))
    put(f"{folder}/rng_state.pth.gz", squeeze(dumps({"python": (3, (1, 2)), **more}, 4)))
    put(f"{folder}/scaler.pkl.xz", lzma.compress(dumps({"scale": 65536.0, **more}, 2)))
    put(f"{folder}/vectors.joblib", zlib.compress(dumps({"n": [1, 2], **more}, 2)))
    put(f"{folder}/objects.npy", npy(OBJECTS, dumps([more or 1], 2)))
    put(f"{folder}/cut.pkl", dumps({**more, "y": list(range(300))})[:-40])
    put(f"{folder}/model.safetensors.gz", squeeze(ok))
    put(f"{folder}/log.gz", squeeze(b"cat, dog\n" * 9))
    put(f"{folder}/class.txt", b"cat\ndog\n")
    put(f"{folder}/samples.zip", zipped([("a.txt", "text"), ("b.json", "{}")]))


def neighbours():
    """Pickles beside a model: such as call, such as import only, such as a trainer writes, such as name nothing."""
    trained("trained-run", None, {"x": RUN})
    trained("trained-import", None, {"x": G("os", "system")})
    trained("trained", Call(G("transformers.training_args", "TrainingArguments"), state={"lr": 0.5}), {})
    trained("trained-plain", None, {})
    # not a neighbour but the model itself: told once; and one of which a limit hides what follows the call
    os.makedirs("trained-bin", exist_ok=True)
    torch_zip("trained-bin/pytorch_model-00001-of-00001.bin", {"w": pickles.tensor("FloatStorage", "0", 4, (4,), (1,)), "x": RUN})
    index("trained-bin/pytorch_model.bin.index.json", {"w": "pytorch_model-00001-of-00001.bin"})
    put("trained-half/half.pkl", dumps(RUN, 2)[:-1] + b"0" + b"]" * 99999 + b"cos\nabort\n.")
    put("trained-half/model-00001-of-00001.safetensors", safetensors({"w": entry()}))
    index("trained-half/model.safetensors.index.json", {"w": "model-00001-of-00001.safetensors"})


def gguf_files():
    deep = struct.pack("<IQ", 9, 1) * 1000 + struct.pack("<IQ", 4, 1) + bytes(4)
    files = {
        "tensors": gguf(n=1 << 60), "keys": gguf(n_keys=1 << 60), "version": gguf(gguf_tensor(), version=99),
        "rank": gguf(gguf_tensor(shape=(1,) * 1000)), "ranks": gguf(gguf_tensor(rank=0xFFFFFFFF)),
        "overflow": gguf(gguf_tensor(shape=(HUGE, HUGE))), "far": gguf(gguf_tensor(at=1 << 40)),
        "wrap": gguf(gguf_tensor(at=(1 << 64) - 32)), "type": gguf(gguf_tensor(kind=4)), "block": gguf(gguf_tensor(kind=2)),
        "twice": gguf(gguf_tensor() + gguf_tensor(), 2), "text": gguf(text("w")[:-1], keys=struct.pack("<Q", 1 << 63), n_keys=1),
        "deep": gguf(gguf_tensor(), keys=key("a", 9, deep), n_keys=1), "kind": gguf(gguf_tensor(), keys=key("a", 77, b""), n_keys=1),
        "array": gguf(gguf_tensor(), keys=key("a", 9, struct.pack("<IQ", 10, 1 << 61)), n_keys=1),
        "align": gguf(gguf_tensor(), keys=key("general.alignment", 4, struct.pack("<I", 3)), n_keys=1),
        "name": gguf(gguf_tensor(ODD, at=1 << 40)), "cut": gguf(gguf_tensor())[:40],
    }
    for name, data in files.items():
        put(f"gguf-{name}.gguf", data)
    templates = {"attr": "{{ x|attr('\\x5f') }}", "cycler": "{{ cycler.reset }}", "init": "{{ x.__init__ }}", "include": "{%- include 'x' %}"}
    for name, template in templates.items():
        put(f"way-{name}.gguf", gguf(gguf_tensor(), keys=key("tokenizer.chat_template", 8, text(template)), n_keys=1))


# ---- NumPy and zip files ----

def npy(head="{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", data=FLOATS, length=None):
    b = head.encode() + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(b) if length is None else length) + b + data


def described(descr="'<f4'", shape="(4,)"):
    return npy(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")


def zipped(entries, method=zipfile.ZIP_STORED):
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w", method) as z:
        for name, data in entries:
            z.writestr(zipfile.ZipInfo(name), data, method)
    return f.getvalue()


def patched(data, mark, at, fmt, *values):
    """data with a field changed `at` bytes behind each occurrence of a mark."""
    b, place = bytearray(data), data.find(mark)
    while place >= 0:
        struct.pack_into(fmt, b, place + at, *values)
        place = data.find(mark, place + 1)
    return bytes(b)


OBJECTS = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"


def numpy_files():
    files = {
        "length": npy(length=60000), "negative": described(shape="(-4,)"), "overflow": described(shape=f"({HUGE}, 8)"),
        "rank": described(shape="(" + "1," * 1000 + ")"), "short": described(shape="(400,)"), "code": described(shape="(__import__('os'),)"),
        "deep": described("[('a', " * 400 + "'<f4'" + ")]" * 400), "type": described("'<f999999999999'"), "item": described("'V2147483648'"),
        "objects": npy(OBJECTS, dumps([RUN])),
    }
    for name, data in files.items():
        put(f"npy-{name}.npy", data)
    # deflated; and what is wrong with such an entry comes up behind the pickle
    run = [("a.npy", npy(OBJECTS, dumps([RUN]) + bytes(9000))), ("b.npy", npy())]
    flat, central, local = zipped(run, zipfile.ZIP_DEFLATED), b"PK\1\2", b"PK\3\4"
    put("objects-flat.npz", flat)
    put("objects-crc.npz", patched(patched(flat, central, 16, "<I", 7), local, 14, "<I", 7))
    end = flat.index(b"PK", 4)
    put("objects-broken.npz", flat[:end - 4] + b"\xff" * 4 + flat[end:])
    # each array in a pickle takes a member of its own, and their table moves; the function of NumPy before 1.0, of 1 and of 2
    data = Call(G("_codecs", "encode"), "\x01\xff" * 6, "latin1")
    state = (1, (3,), Call(G("numpy", "dtype"), "f4", False, True, state=(3, "<", None, None, None, -1, -1, 0)), False, data)
    arrays = [Call(G(module, "_reconstruct"), G("numpy", "ndarray"), (0,), b"b", state=state)
              for module in ("numpy.core._internal", "numpy.core.multiarray", "numpy._core.multiarray")]
    inside = Call(G("numpy.core.multiarray", "_reconstruct"), G("numpy", "ndarray"), (0,), b"b", state=(*state[:4], FLOATS[:12]))
    put("objects-inside.npy", npy(OBJECTS, dumps([{"con": {"w": inside}}], 4)))
    put("objects-many.npz", zipped([(f"{i}.npy", npy(OBJECTS, dumps([x], 2))) for i, x in enumerate(arrays)]))


def zip_files():
    one = zipped([("w.npy", npy())])
    flat = zipped([("w.npy", npy())], zipfile.ZIP_DEFLATED)
    central, local, end = b"PK\1\2", b"PK\3\4", b"PK\5\6"
    size = struct.unpack_from("<I", one, one.index(central) + 24)[0]
    files = {
        "crc": one.replace(FLOATS, FLOATS[::-1]), "cut": one[:-30], "encrypted": patched(one, central, 8, "<H", 1),
        "method": patched(patched(one, central, 10, "<H", 99), local, 8, "<H", 99), "directory": patched(one, end, 16, "<I", 1 << 30),
        "many": patched(one, end, 8, "<HH", 60000, 60000), "local": patched(one, central, 42, "<I", 1 << 30),
        "disks": patched(one, end, 4, "<HH", 3, 3), "size": patched(patched(flat, central, 24, "<I", 1 << 20), local, 22, "<I", 1 << 20),
        "less": patched(patched(flat, central, 24, "<I", size - 8), local, 22, "<I", size - 8),
        "bomb": patched(patched(flat, central, 24, "<I", 0xF0000000), local, 22, "<I", 0xF0000000),
        "stored": patched(patched(one, central, 24, "<I", size + 9), local, 22, "<I", size + 9),
        "zip64": patched(one, central, 24, "<I", 0xFFFFFFFF), "contradiction": patched(one, local, 26, "<H", 3),
        "broken": flat[:41] + b"\xff\xff\xff\xff" + flat[45:], "pointer": zipped([("w.npy", npy("{'descr'"))]),
        "up": zipped([("../../../w.npy", described(shape="(5,)"))]), "name": zipped([(ODD.replace("\0", "") + ".npy", described(shape="(5,)"))]),
    }
    two = zipped([("a.npy", npy()), ("b.npy", npy())])
    second = two.rindex(central)
    files["overlap"] = two[:second + 42] + bytes(4) + two[second + 46:]
    files["twice"] = two.replace(b"b.npy", b"a.npy")
    for name, data in files.items():
        put(f"zip-{name}.npz", data)


# ---- pickles ----

def torch_zip(name, obj, storages=None, **kwargs):
    pickles.write_zip(name, obj, {"0": FLOATS} if storages is None else storages, **kwargs)


def bomb():
    """Each list holds the one before it twice: 2^60 values, were it walked."""
    out = b"\x80\2]K\1a"
    for i in range(60):
        out += b"q" + bytes([i]) + b"0]h" + bytes([i]) + b"ah" + bytes([i]) + b"a"
    return out + b"."


def pickle_files():
    for protocol in (0, 2, 4):
        put(f"run.{protocol}.pkl", dumps({"x": RUN}, protocol))
    put("run.joblib", dumps({"x": RUN, "y": G("joblib.numpy_pickle", "NumpyArrayWrapper")}, 2))
    put("run.zlib.joblib", zlib.compress(dumps({"x": RUN}, 2)))
    put("run.pkl.gz", gzip.compress(dumps({"x": RUN}, 2), mtime=0))
    put("run.pdparams", dumps({"StructuredToParameterName@@": {}, "x": RUN}, 4))
    weight = pickles.tensor("FloatStorage", "0", 4, (4,), (1,))
    torch_zip("run.pt", {"w": weight, "x": RUN})
    old = pickles.tensor("FloatStorage", "0", 4, (4,), (1,), view=(None,))
    pickles.write_stream("run.legacy.pt", {"w": old, "x": RUN}, {"0": (4, FLOATS)})
    files = {
        "cut": dumps({"w": list(range(300))})[:-200], "nostop": b"\x80\2]", "opcode": b"\x80\2\xff.", "stack": b"\x80\2a.",
        "mark": b"\x80\2u.", "length": b"\x80\4\x8e" + struct.pack("<Q", 1 << 62) + b".", "memo": b"\x80\2h\7.",
        "put": b"\x80\2]r" + struct.pack("<I", 0xFFFFFFFF) + b"j" + struct.pack("<I", 0xFFFFFFFE) + b".",
        "digits": b"I" + b"9" * 100000 + b"\n.", "frame": b"\x80\4\x95" + struct.pack("<Q", 1 << 62) + b"].", "bomb": bomb(),
        "self": b"\x80\2]q\0h\0a.", "selfdict": b"\x80\2}q\0K\1h\0s.", "deep": b"\x80\2" + b"]" * 100000 + b"a" * 99999 + b".",
        "dup": b"\x80\2" + b"]2" * 100000 + b".", "global": b"cos\nsystem\n(S'id'\ntR.", "inst": b"(S'id'\nios\nsystem\n.",
        "obj": b"\x80\2(cos\nsystem\nX\2\0\0\0ido.", "newobj": b"\x80\2cos\nsystem\nX\2\0\0\0id\x85\x81.", "ext": b"\x80\2\x82\1.",
        "stackglobal": b"\x80\4\x8c\2os\x8c\6system\x93\x8c\2id\x85R.", "reduce": b"\x80\2K\1K\2R.",
        "getattr": b"\x80\2cbuiltins\ngetattr\ncos\nsystem\nX\4\0\0\0call\x86RX\2\0\0\0id\x85R.",
    }
    array = Call(G("numpy.core.multiarray", "_reconstruct"), G("numpy", "ndarray"), (0,), b"b", state=(
        1, (2,), Call(G("numpy", "dtype"), "f4", 0, 1, state=(3, "<", None, None, None, -1, -1, 0)), False, FLOATS[:8]))
    for name, x in (("wide", {f"key{i}": i for i in range(20)}), ("arrays", array)):
        two = dumps([x, x])  # the second is a reference of two bytes
        files[name] = two[:-4] + two[-4:-2] * 150000 + two[-2:]
    text = "t" * 16000  # stands in the file once
    files["texts"] = dumps([[text] * 30 for _ in range(4000)])
    files["hashed"] = dumps([text * 4] * 100000)
    for name, data in files.items():
        put(f"pk-{name}.pkl", data)


def broken_off():
    """Pickles that break off behind a call, which Python has made by then."""
    run = dumps(RUN)[:-1]
    long = {"x": RUN, "y": list(range(300))}
    wrapper = Call(G("joblib.numpy_pickle", "NumpyArrayWrapper"), state={
        "subclass": G("numpy", "ndarray"), "shape": (400,), "order": "C", "dtype": Call(G("numpy", "dtype"), "f8", False, True), "allow_mmap": True})
    files = {
        "0.pkl": dumps(long, 0)[:-40], "2.pkl": dumps(long)[:-40], "4.pkl": dumps(long, 4)[:-40], "opcode.pkl": run + b"\xff.",
        "text.pkl": b"cos\nsystem\n(S'id'\ntR\xff.", "bomb.pkl": run + b"0" + bomb()[2:], "deep.pkl": run + b"0" + b"]" * 9999 + b"a" * 9998 + b".",
        "joblib": dumps([RUN, wrapper])[:-2] + bytes(8), "zlib.joblib": zlib.compress(dumps(long))[:-40], "pkl.gz": squeeze(dumps(long))[:-40],
        "pdparams": dumps({"StructuredToParameterName@@": {}, **long}, 4)[:-40],
        "npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", dumps([long])[:-40]),
        "gguf": b"GGUF\3\0\0\0\0" + dumps(long)[2:], "cat.pkl": b"cat\ndog\n", "floats.bin": b"\x83" + FLOATS,
    }
    for name, data in files.items():
        put(f"off.{name}", data)
    torch_zip("off.pt", dumps({"w": pickles.tensor("FloatStorage", "0", 4, (4,), (1,)), **long})[:-40])
    pickles.write_stream("off.legacy.pt", {"w": pickles.tensor("FloatStorage", "0", 4, (4,), (1,), view=(None,)), **long}, {"0": (4, FLOATS)})
    with open("off.legacy.pt", "rb") as f:
        whole = f.read()
    put("off.legacy.pt", whole[:whole.index(b"touch") + 200])
    pickles.write_tar("off.old.pt", long, {"0": ("FloatStorage", 4, FLOATS)}, {"1": ("0", (4,), (1,), 0)})
    with open("off.old.pt", "rb") as f:
        whole = bytearray(f.read())
    whole[whole.index(b"touch") + 60] = 255
    put("off.old.pt", bytes(whole))
    fine = {"w": pickles.tensor("FloatStorage", "0", 4, (4,), (1,))}
    first = dumps({"x": RUN, "first": fine["w"]})
    put("pt-roots.pt", zipped([("archive/data.pkl", first), ("archive/data/0", FLOATS), ("a/data.pkl", dumps(fine)), ("a/data/0", FLOATS)]))
    torch_zip("pt-more.pt", dumps(fine), more=[("more/own.pkl", dumps(long))])
    # an opcode each: a field's tag that marks, its value that begins a line
    put("pickle.onnx", b"(V" + field(6, "\ncos\nsystem\n(S'touch weigh-was-here'\ntR.") + onnx(initializer("fine")))
    tar("off.tar", [("README", b"no weights\n"), ("run.pkl", dumps(long)[:-40])])


def word(s):
    b = s if isinstance(s, bytes) else s.encode()
    return b"\x8c" + bytes([len(b)]) + b


def named(module, name):
    """STACK_GLOBAL"""
    return word(module) + word(name) + b"\x93"


def wrapper(n):
    """joblib's, of an array of n bytes, which follow"""
    kind = named("numpy", "dtype") + word("u1") + b"\x89\x88\x87R(K\3" + word("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    return named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}(" + word("subclass") + named("numpy", "ndarray") + \
        word("shape") + b"K" + bytes([n]) + b"\x85" + word("order") + word("C") + word("dtype") + kind + word("allow_mmap") + b"\x89ub"


def framed(b):
    return b"\x95" + struct.pack("<Q", len(b)) + b


def smuggled_pickles():
    """Calls by ways on which scanners were passed by, or CPython and this program went apart."""
    run = word("touch weigh-was-here") + b"\x85R"
    system = named("os", "system")
    nested = b"".join(dumps(x, 2) for x in (0x1950a86a20f9469cfc6c, 1001, {}, [RUN], []))
    as_text = nested.decode("latin1").encode()
    stream = named("torch.storage", "_load_from_bytes")
    programs = {
        "memoize": word("os") + b"q\0q\0000" + word("OrderedDict") + b"q\0020" + word("system") + b"\x940h\0h\2\x93" + run,
        "extension": named("copyreg", "add_extension") + word("os") + word("system") + b"K\1\x87R0\x82\1" + run,
        "registry": named("copyreg", "_inverted_registry") + b"K\1" + word("os") + word("system") + b"\x86s0\x82\1" + run,
        "computed": named("builtins", "str") + b"C\2os" + word("ascii") + b"\x86R" + word("system") + b"\x93" + run,
        "arguments": system + named("builtins", "tuple") + b"]" + word("touch weigh-was-here") + b"a\x85RR",
        "class": named("argparse", "Namespace") + b"q\0N}" + word("__setstate__") + named("m", "f") + b"s\x86b0h\0)\x81}b",
        "builtins": named("builtins", "__dict__") + word("len") + system + b"s",
        "dotted": named("torch", "serialization.os.system") + run, "write": named("pathlib", "Path.write_text") + b")R",
        "relay": named("torch._tensor", "_rebuild_from_type_v2") + b"(" + system + b"N" + word("touch weigh-was-here") + b"\x85NtR",
        "numbers": b"I0x1f\nL0b1L\nI5\0zz\nF1_0.5\n0000" + system + run, "items": b"]K\1aK\0K\2s0N(e0" + system + run,
        "keywords": named("subprocess", "Popen") + b")}" + word("args") + word("touch weigh-was-here") + b"s\x92",
        "stream": stream + b"C" + bytes([len(nested)]) + nested + b"\x85R0N",
        "streamtext": stream + named("_codecs", "encode") + b"X" + struct.pack("<I", len(as_text)) + as_text + word("latin1") + b"\x86R\x85R0N",
        "streamzip": stream + b"C\4PK\3\4\x85R0N", "many": b"".join(named(f"m{i}", "f") + b"0" for i in range(11000)) + system + run,
        "plain": wrapper(len(system + run) + 1) + system + run + b"0N",
        "frame": framed(wrapper(20) + system + run) + bytes(20) + b"0N",
        "frames": framed(wrapper(20)) + bytes(20) + system + run, "framed": framed(wrapper(20) + b"N0") + bytes(20) + system + run,
    }
    for name, program in programs.items():
        put(f"way-{name}.pkl", b"\x80\4" + program + b".")
    five = [0x1950a86a20f9469cfc6c, 1001, {}, {"w": 1}, []]
    for i in range(5):
        put(f"way-legacy{i}.pt", b"".join(dumps([x, RUN] if k == i else x, 2) for k, x in enumerate(five)))
    put("way-magic.pt", dumps(Call(G("builtins", "eval"), "0x1950a86a20f9469cfc6c"), 2) + b"".join(dumps(x, 2) for x in (1001, {}, RUN, [])))


def smuggled_zips():
    good, bad, version = dumps({"w": [1, 2]}, 2), dumps({"w": RUN}, 2), ("a/version", "3\n")
    one, other = zipped([("a/data.pkl", bad), version]), zipped([("a/data.pkl", good), version])
    central, local, end = b"PK\1\2", b"PK\3\4", b"PK\5\6"
    twice = zipped([("a/data.pkl", good), version, ("a/data_pkl", bad)]).replace(b"a/data_pkl", b"a/data.pkl")
    files = {
        "root": zipped([("z/version", "3\n"), ("z/data.pkl", bad), ("a/data.pkl", good)]), "twice": twice,
        "case": zipped([("a/DATA.PKL", bad), version, ("b/data.pkl", good)]), "onlycase": zipped([("a/Data.pkl", bad), version]),
        "other": zipped([("a/data.pkl", good), version, ("a/other.pkl", bad)], zipfile.ZIP_DEFLATED),
        "debug": zipped([("a/data.pkl", good), version, ("a/code/m.py.debug_pkl", bad)]),
        "constants": zipped([("a/data.pkl", good), version, ("a/constants.pkl", bad)]),
        "code": zipped([("a/data.pkl", good), version, ("a/code/run.sh", "#!/bin/sh\n")]),
        "crc": patched(one, central, 16, "<I", 7), "encrypted": patched(one, central, 8, "<H", 1), "flag": patched(one, local, 6, "<H", 1),
        "name": one[:30] + b"a/text.txt" + one[40:], "method": patched(one, local, 8, "<H", 8), "inflate": patched(one, central, 10, "<H", 8),
        "front": b"#!/bin/sh\n" + one, "behind": other + one, "before": one + other,
        "comment": other[:-2] + struct.pack("<H", len(one)) + one, "noend": one[:one.index(end)],
        "packed": zipped([("a/data.pkl", bad), version], zipfile.ZIP_DEFLATED)[:-30],
    }
    for name, data in files.items():
        put(f"way-{name}.pt", data)
    put("way-member.npz", zipped([("w.npy", npy()), ("more", bad)]))
    # a safetensors file that pickle.load takes: U and 16 bytes, V up to the end of a line, }, and what stands in the tensor
    code = b"cos\nsystem\n(S'touch weigh-was-here'\ntR.".ljust(64)
    head = json.dumps({"weights.V": entry((64,), (0, 64), "U8")}).encode()[:-1]
    put("way-both.safetensors", safetensors(head.ljust(0x1053) + b"\n}", code))


def torch_files():
    ok = pickles.tensor("FloatStorage", "0", 4, (4,), (1,))

    def put_torch(name, *args, **kwargs):
        torch_zip(f"pt-{name}.pt", {"w": pickles.tensor("FloatStorage", *args, **kwargs)})

    put_torch("missing", "7", 4, (4,), (1,))
    put_torch("key", "../../etc/passwd", 4, (4,), (1,))
    put_torch("numel", "0", HUGE, (4,), (1,))
    put_torch("overflow", "0", 4, (HUGE, 8), (1, 1))
    put_torch("stride", "0", 4, (2, 2), (HUGE, 1))
    put_torch("offset", "0", 4, (4,), (1,), HUGE)
    put_torch("negative", "0", 4, (-4,), (1,))
    put_torch("rank", "0", 4, (1,) * 1000, (1,) * 1000)
    put_torch("ranks", "0", 4, (2, 2), (1,))
    torch_zip("pt-type.pt", {"w": pickles.tensor("GhostStorage", "0", 4, (4,), (1,))})
    torch_zip("pt-pickle.pt", dumps({"w": ok})[:-20])
    torch_zip("pt-persistent.pt", {"w": Persistent("no tuple"), "v": ok})
    # a view that repeats one element is told, not decoded: alone, and beside a tensor that is
    wide = pickles.tensor("FloatStorage", "0", 4, (1 << 40,), (0,))
    torch_zip("pt-wide.pt", {"w": wide})
    torch_zip("pt-wide-one.pt", {"w": wide, "v": pickles.tensor("FloatStorage", "0", 4, (4,), (1,))})
    put("pt-nothing.pt", zipped([("archive/version", "3\n"), ("archive/data/0", FLOATS)]))
    old = pickles.tensor("FloatStorage", "0", 4, (4,), (1,), view=(None,))
    pickles.write_stream("pt-legacy.pt", {"w": old}, {"0": (4, FLOATS)})
    legacy = open("pt-legacy.pt", "rb").read()
    put("pt-legacy.pt", legacy[:-24] + struct.pack("<q", -1) + legacy[-16:])
    put("pt-legacycut.pt", legacy[:-3])
    put("pd-cut.pdparams", dumps({"w": list(range(300)), "StructuredToParameterName@@": {}}, 2)[:-100])
    put("pd-more.pdparams", dumps({"StructuredToParameterName@@": {}}, 4) + b"more")


# ---- archives ----

def tar(name, members, compress=lambda b: b):
    f = io.BytesIO()
    with tarfile.open(fileobj=f, mode="w") as t:
        for member, data in members:
            info = tarfile.TarInfo(member)
            if isinstance(data, str):
                info.type, info.linkname = tarfile.SYMTYPE, data
                t.addfile(info)
            else:
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))
    put(name, compress(f.getvalue()))


def archives():
    ok = safetensors({"w": entry()})
    with open("run.pt", "rb") as f:
        tar("run.tar.gz", [("release/README", b"no weights\n"), ("release/run.pt", f.read())], squeeze)
    tar("link.tar", [("a", "b"), ("b", "a"), ("w.safetensors", "/etc/passwd")])
    tar("absolute.tar", [("/etc/weigh-was-here.safetensors", safetensors({"w": entry((5,))}))])
    tar("up.tar", [("../../weigh-was-here.safetensors", safetensors({"w": entry((5,))}))])
    tar("two.tar", [("a.safetensors", ok), ("b.safetensors", ok)])
    tar("twice.tar", [("a.safetensors", ok), ("a.safetensors", ok)])
    tar("names.tar", [(f"{ODD[:-2]}{i}", b"no weights") for i in range(50)])
    tar("programs.tar", [("w.safetensors", ok), ("run", b"\x7fELF\2\1\1" + bytes(60)), ("setup.sh", b"#!/bin/sh\nexit 1\n")])
    up = json.dumps({"weight_map": {"w": "../etc/passwd.safetensors"}}).encode()
    tar("index.tar", [("d/model.safetensors.index.json", up), ("etc/passwd.safetensors", ok)])
    whole = squeeze(ok)
    put("garbage.safetensors.gz", whole + b"and something behind it that is no gzip")
    put("garbage.safetensors.bz2", bz2.compress(ok) + b"and something behind it that is no bzip2")
    put("two.safetensors.gz", squeeze(ok[:50]) + squeeze(ok[50:]))
    tar("garbage.tar.gz", [("w.safetensors", ok)], lambda b: squeeze(b) + b"\x7fELF and something behind it")
    tar("crc.tar.gz", [("w.safetensors", ok)], lambda b: (lambda z: z[:-8] + bytes(4) + z[-4:])(squeeze(b)))
    tar("crc.tar.xz", [("w.safetensors", ok)], broken_check)
    tar("tail.tar", [("w.safetensors", ok)], lambda b: b + b"behind the end" * 50)
    tar("tail.tar.bz2", [("w.safetensors", ok)], lambda b: bz2.compress(b + b"behind the end" * 50))
    tail = zipped([("evil.py", b"import os\n")])
    put("zip.safetensors", ok + tail)
    put("zip.gguf", gguf(gguf_tensor()) + tail)
    put("zip.npy", npy() + tail)
    put("zip.pkl", dumps({"a": 1}) + tail)
    put("zip.first.gguf", tail + gguf(gguf_tensor()))
    put("cut.safetensors.gz", whole[:-12])
    put("crc.safetensors.gz", whole[:-8] + bytes(4) + whole[-4:])
    put("cut.safetensors.bz2", bz2.compress(ok)[:-9])
    put("bomb.npy.gz", squeeze(described(shape=f"({1 << 40},)") + bytes(32 << 20)))
    put("nested.gz", squeeze(squeeze(squeeze(ok))))
    put("nothing.gz", squeeze(b""))


# ---- protocol buffers ----

def proto_files():
    ok = initializer("fine")
    deep = initializer("deepest")
    for i in range(300):
        deep = constant(f"loop{i}", deep)
    graphs = {
        "negative": initializer(dims=(2, -3)), "overflow": initializer(dims=(HUGE, 8)), "rank": initializer(dims=(1,) * 1000),
        "up": external("../../../etc/passwd"), "absolute": external("/etc/passwd"), "far": external("noise.bin", "18446744073709551615"),
        "end": external("noise.bin", "3990"), "digits": external("noise.bin", "9" * 400), "deep": deep,
        "varint": initializer(kind=7, dims=(1,), data=field(7, b"\xff" * 11)), "group": field(5, tag(20, 3) * 1000),
        "length": field(5, tag(9, 2) + varint(1 << 60)), "twice": ok, "type": initializer(kind=99), "name": initializer(ODD, dims=(5,)),
    }
    for name, graph in graphs.items():
        put(f"onnx-{name}.onnx", onnx(ok + graph))
    put("way-domain.onnx", onnx(ok + field(1, field(2, "y") + field(4, "Evil") + field(7, "ai.onnx.evil"))))
    put("onnx-custom.onnx", onnx(ok + field(1, field(2, "y") + field(4, "Evil") + field(7, "com.evil"))))


def from_nets():
    """Each cut short, and each with the first of its numbers that count something made huge, or with a word in its place."""
    n = nw.ncnn()
    whole = {"lz.txt": nw.leela()[0], "k8.txt": nw.katago(8, False)[0], "k8.bin": nw.katago(8, True)[0],
             "sf16.nnue": nw.nnue_small()[0], "whisper.bin": nw.ggml_whisper()[0], "ggjt.bin": nw.GGML["llama ggjt 3"]()[0],
             "net.rnnn": nw.rnnoise()[0], "v3.params": nw.mxnet(3)[0], "net.weights": nw.gnubg(2)[0], "net.wd": nw.gnubg(2, text=False)[0],
             "net.dat": nw.dlib()[0], "raw.nnue": nw.nnue_raw()[0]}
    for name, data in whole.items():
        put("cut-" + name, data[:len(data) * 2 // 3])
    put("cut-n.param", n.text().encode()[:60])
    put("cut-n.bin", n.raw)
    put("d.weights", nw.darknet()[0][:-9])
    put("d.cfg", nw.DARKNET_CFG.encode())
    put("e.weights", nw.darknet()[0])
    put("e.cfg", nw.DARKNET_CFG.replace("filters=", "filters=9", 1).encode() if "filters=" in nw.DARKNET_CFG else b"[net]\n")
    put("m.param", n.text().encode().replace(b"6=135", b"6=99999999"))
    put("m.bin", n.raw)
    mx, dl, wd = bytearray(whole["v3.params"]), bytearray(whole["net.dat"]), bytearray(whole["net.wd"])
    struct.pack_into("<Q", mx, 16, 1 << 60)
    put("huge.params", bytes(mx))
    dl[3:40] = b"\xff" * 37
    put("huge.dat", bytes(dl))
    wd[-200:-100] = b"\xff" * 100
    put("huge.rnnn", whole["net.rnnn"].replace(b" 1", b" 99999999", 1))
    gg = bytearray(whole["ggjt.bin"])
    struct.pack_into("<I", gg, 8, 0xFFFFFFFF)
    put("huge.ggjt.bin", bytes(gg))
    put("huge.weights", whole["net.weights"].replace(b"\n", b"\n999999999 ", 1))
    put("word.txt", whole["lz.txt"].replace(b" ", b" nan ", 1))
    put("wide.txt", whole["k8.txt"].replace(b"\n", b"\n99999999 ", 2))
    sf = bytearray(whole["sf16.nnue"])
    struct.pack_into("<I", sf, 8, 0xFFFFFFF0)
    put("text.nnue", bytes(sf))


def tensorflow_files():
    values = {"a": FLOATS, "b": FLOATS}
    table = tf.sstable([(b"", tf.number(1, 1))] + [(k.encode(), tf.number(1, 1) + tf.message(2, tf.tf_shape((4,))) +
                       (tf.number(4, 16 * i) if i else b"") + tf.number(5, 16) + tf.fixed32(6, tf.masked(tf.crc32c(v))))
                       for i, (k, v) in enumerate(values.items())])
    data = b"".join(values.values())

    def checkpoint(name, index, shard=data):
        put(f"{name}.index", index)
        put(f"{name}.data-00000-of-00001", shard)

    checkpoint("tf-crc", table, bytes(32))
    checkpoint("tf-cut", table[:-20])
    checkpoint("tf-short", table, data[:20])
    broken = bytearray(table)
    broken[10] ^= 255
    checkpoint("tf-block", bytes(broken))
    far = bytearray(table)
    far[-48:-38] = b"\xff" * 9 + b"\1"
    checkpoint("tf-footer", bytes(far))
    c = tf.Checkpoint()
    c.partitioned("w", "F32", np.zeros((1 << 40, 2, 0), np.float32), [[(0, -1), (i, 1), (0, -1)] for i in range(2)])
    c.data[0] = data
    c.write("tf-nothing")
    put("lonely.data-00000-of-00001", data)
    put("lonely.data-99999-of-00001", data)
    value = tf.message(4, FLOATS)
    put("graph-cut.pb", tf.constant("w", "F32", (4,), value)[:-9])
    put("graph-bomb.pb", tf.constant("w", "F32", (1 << 50,), tf.message(4, FLOATS[:4])))
    put("graph-overflow.pb", tf.constant("w", "F32", (HUGE, 8), value))
    put("graph-file.pb", tf.constant("w", "F32", (4,), value) + tf.node("out", "WriteFile"))
    meta = tf.message(2, tf.message(2, tf.constant("w", "F32", (HUGE, 8), value)))
    many = b"".join(tf.node(f"n{i}.{k}", f"Op{i}") for i in range(80) for k in range(2))
    put("way-operators.pb", tf.constant("w", "F32", (4,), value) + many + tf.node("out", "ImmutableConst"))
    put("saved-overflow/saved_model.pb", tf.number(1, 1) + meta)
    plain = tf.message(2, tf.message(2, tf.constant("w", "F32", (4,), value)))
    put("saved-run/saved_model.pb", tf.number(1, 1) + plain)
    put("saved-run/assets.extra/run.py", b"import os\n")
    put("saved-cut/saved_model.pb", tf.number(1, 1) + meta + tag(2, 2) + varint(1 << 40))


def tflite_files():
    """A root table at 32 whose vtable is at 24: |size u16|size of table u16|fields u16...|"""
    def lite(root=32, vtable=8, fields=(0,) * 5, more=b""):
        head = struct.pack("<I4s", root, b"TFL3") + bytes(8)
        table = struct.pack("<HH5H", 14, 24, *fields) + bytes(2)
        return head + table + struct.pack("<i", vtable) + more + bytes(64)

    vector = struct.pack("<II", 12, 8) + struct.pack("<I", 0xFFFFFFFF)
    put("lite-root.tflite", lite(root=0xFFFFFFF0))
    put("lite-vtable.tflite", lite(vtable=0x7FFFFFFF))
    put("lite-back.tflite", lite(vtable=-1000))
    put("lite-vector.tflite", lite(vtable=16, fields=(0, 0, 4, 0, 8), more=vector))


def flax_files():
    array = tf.pack({"w": 1})[:1] + tf.pack("w")
    files = {
        "deep": array + b"\x91" * 100000, "ext": array + b"\xc9\xff\xff\xff\xff\1", "map": b"\xdf\xff\xff\xff\xff", "never": array + b"\xc1",
        "cut": array, "text": array + b"\xdb\xff\xff\xff\xff", "shape": array + b"\xc7\x13\1\x93\x91\xcf" + struct.pack(">Q", HUGE) + b"\xa2f4\xc4\0",
        "key": b"\x81\x90\x01",
    }
    for name, data in files.items():
        put(f"flax-{name}.msgpack", data)


def wrapped():
    package = {"itemInfoEntries": {"A": {"path": "../../../etc/passwd", "name": "model.mlmodel"}}, "rootModelIdentifier": "A"}
    put("up.mlpackage/Manifest.json", json.dumps(package).encode())
    put("cut.mlpackage/Manifest.json", b'{"itemInfoEntries": {')
    put("net.mlmodel", field(1, 4) + field(2, b"") + tag(500, 2) + varint(1 << 50))
    part = field(1, 1)
    for _ in range(300):
        part = field(1, 4) + field(202, field(1, part))
    put("deep.mlmodel", part)
    blob = field(7, field(1, varints((HUGE, 8)))) + field(5, FLOATS)
    layer = field(1, "c") + field(2, "Convolution")
    put("overflow.caffemodel", field(1, "n") + field(100, layer + field(7, blob)))
    put("cut.caffemodel", field(1, "n") + field(100, layer + field(7, field(7, field(1, varints((2, 2)))) + field(5, FLOATS)))[:-3])
    lc0 = tag(1, 5) + struct.pack("<I", 0x1C0)
    put("cut.pb", lc0 + tag(10, 2) + varint(1 << 40) + b"abc")
    put("cut.pb.gz", squeeze(lc0 + bytes(100))[:-10])
    put("none.pb.gz", squeeze(lc0 + field(10, b"")))
    head = b"\x89HDF\r\n\x1a\n"
    put("cut.h5", head + bytes(20))
    put("far.h5", head + b"\0\0\0\0\0\x08\x08\0\4\0\x10\0" + bytes(4) + bytes(8) + b"\xff" * 8 + struct.pack("<Q", 1 << 60) + b"\xff" * 8 + bytes(40))
    config = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda", "config": {"name": "l", "function": ["4wEA", None, None]}}]}}
    put("lambda.keras", zipped([("metadata.json", "{}"), ("config.json", json.dumps(config)), ("model.weights.h5", head + bytes(20))]))
    put("none.keras", zipped([("metadata.json", "{}"), ("config.json", "{")]))


def main(folder):
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    for make in (oddities, safetensors_files, indexes, beside, neighbours, gguf_files, numpy_files, zip_files, pickle_files, broken_off,
                 smuggled_pickles, smuggled_zips, torch_files, archives,
                 proto_files, from_nets, tensorflow_files, tflite_files, flax_files, wrapped):
        make()


if __name__ == "__main__":
    main(os.path.join(sys.argv[1], "hostile"))
