"""Pickles written by hand, with globals and calls that need not exist, and the containers that PyTorch puts them in."""
import io
import pickle
import struct
import tarfile
import zipfile


class G:
    """A global, by name."""
    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    """callee(*args), and the state that BUILD gives it."""
    def __init__(self, callee, *args, state=None, items=()):
        self.callee, self.args, self.state, self.items = callee, args, state, items


class Persistent:
    def __init__(self, pid):
        self.pid = pid


class Writer(pickle._Pickler):
    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, G):
            if id(obj) in self.memo:
                self.write(self.get(self.memo[id(obj)][0]))
                return
            self.write(b"c%s\n%s\n" % (obj.module.encode(), obj.name.encode()))
            self.memoize(obj)
        elif isinstance(obj, Call):
            if id(obj) in self.memo:
                self.write(self.get(self.memo[id(obj)][0]))
                return
            self.save(obj.callee)
            self.save(obj.args)
            self.write(b"R")
            self.memoize(obj)
            for key, value in obj.items:
                self.save(key)
                self.save(value)
                self.write(b"s")
            if obj.state is not None:
                self.save(obj.state)
                self.write(b"b")
        elif isinstance(obj, Persistent):
            if self.bin:
                self.save(obj.pid)
                self.write(b"Q")
            else:
                self.write(b"P%s\n" % str(obj.pid).encode())
        else:
            super().save(obj, save_persistent_id)


def dumps(obj, protocol=2):
    f = io.BytesIO()
    w = Writer(f, protocol)
    w.dump(obj)
    w.memo.clear()
    return f.getvalue()


# ---- PyTorch ----

def storage(kind, key, numel, view=()):
    return Persistent(("storage", G("torch.storage" if kind == "UntypedStorage" else "torch", kind), key, "cpu", numel) + view)


def tensor(kind, key, numel, shape, stride, offset=0, view=()):
    return Call(G("torch._utils", "_rebuild_tensor_v2"), storage(kind, key, numel, view), offset, shape, stride, False,
                Call(G("collections", "OrderedDict")))


def tensor_v3(key, size, dtype, shape, stride, offset=0):
    return Call(G("torch._utils", "_rebuild_tensor_v3"), storage("UntypedStorage", key, size), offset, shape, stride, False,
                Call(G("collections", "OrderedDict")), G("torch", dtype))


def write_zip(path, obj, storages, byteorder=None, root="archive", method=zipfile.ZIP_STORED, protocol=2, more=()):
    """storages: key -> bytes; more: further entries."""
    with zipfile.ZipFile(path, "w", method) as z:
        def put(name, data):
            z.writestr(zipfile.ZipInfo(f"{root}/{name}"), data, method)
        put("data.pkl", obj if isinstance(obj, bytes) else dumps(obj, protocol))
        if byteorder:
            put("byteorder", byteorder)
        for key, raw in storages.items():
            put(f"data/{key}", raw)
        put("version", "3\n")
        for name, raw in more:
            put(name, raw)


def write_stream(path, obj, storages, big=False, protocol=2, machine=None):
    """storages: key -> (bytes of an element, bytes)"""
    head = machine or {"protocol_version": 1001, "little_endian": not big, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    out = b"".join(dumps(x, protocol) for x in (0x1950A86A20F9469CFC6C, 1001, head, obj, list(storages)))
    for size, raw in storages.values():
        out += struct.pack(">q" if big else "<q", len(raw) // size) + raw
    with open(path, "wb") as f:
        f.write(out)


def write_tar(path, obj, storages, tensors, views=()):
    """storages: key -> (type, bytes of an element, bytes); tensors: key -> (storage, shape, stride, offset)"""
    first = dumps(len(storages))
    for key, (kind, size, raw) in storages.items():
        first += dumps((key, "cpu", G("torch", kind))) + struct.pack("<q", len(raw) // size) + raw
    first += dumps(list(views))
    second = dumps(len(tensors))
    for key, (store, shape, stride, offset) in tensors.items():
        second += dumps((key, store, G("torch", "FloatTensor"))) + struct.pack("<ii", len(shape), 0)
        second += struct.pack("<%dq%dqq" % (len(shape), len(shape)), *shape, *stride, offset)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as t:
        for name, data in (("sys_info", dumps({})), ("pickle", dumps(obj)), ("tensors", second), ("storages", first)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
