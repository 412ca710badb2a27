"""Files that go beyond what is allowed one by default, each in one way: $FIXTURES/limits. All are small."""
import json
import os
import struct
import sys


def put(name, data):
    with open(name, "wb") as f:
        f.write(data)


def safetensors(tensors, metadata=None):
    """tensors: name -> shape, of float32 zeros."""
    head, at = {}, 0
    if metadata:
        head["__metadata__"] = metadata
    for name, shape in tensors.items():
        n = 4
        for d in shape:
            n *= d
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + n]}
        at += n
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + bytes(at)


def nested(levels):
    """Flax: {"a": [[...[array]...]]}"""
    array = b"\x93\x91\x02\xa7float32\xc4\x08" + bytes(8)
    return b"\x81\xa1a" + b"\x91" * levels + b"\xc7" + bytes([len(array)]) + b"\x01" + array


def pickled(levels, width=0, key=b"a"):
    """Dicts in dicts, or `width` of one number each below a key that stands there once."""
    if width:
        items = b"".join(b"J" + struct.pack("<I", i) + b"}X\1\0\0\0xK\1s" for i in range(width))
        inner = b"}(" + items + b"u"
    else:
        inner = b"K\1"
    out = b"\x80\2"
    for _ in range(levels):
        out += b"}X" + struct.pack("<I", len(key)) + key
    return out + inner + b"s" * levels + b"."


def squeezed(name, packed, size):
    """A zip file of one deflated entry, of so many packed bytes, which are no deflate stream, and so many unpacked, it says."""
    head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, 0, packed, size, len(name), 0)
    local = b"PK\3\4" + head + name + bytes(packed)
    central = b"PK\1\2" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    put("rank.safetensors", safetensors({"w": [1] * 33}))
    put("name.safetensors", safetensors({"w" * 70000: [2]}))
    put("metadata.safetensors", safetensors({"w": [2]}, {f"k{i}": "" for i in range(100001)}))
    put("nesting.msgpack", nested(300))
    put("nesting.pkl", pickled(300))
    put("names.pkl", pickled(1, 4000, b"k" * 60000))
    put("ratio.pt", squeezed(b"archive/data.pkl", 1700000, 3 << 29))
    put("three.safetensors", safetensors({"a": [2], "b": [2], "c": [2]}, {"one": "1", "two": "2"}))


if __name__ == "__main__":
    main(os.path.join(sys.argv[1], "limits"))
