"""PyTorch's files and pickles, sound and hostile: $FIXTURES/torch. Written without PyTorch."""
import os
import pickle
import struct
import sys
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
sys.dont_write_bytecode = True

import numpy as np

import pickles
from pickles import Call, G, Persistent, dumps, storage, tensor


def ramp(n, dtype="<f4"):
    return (np.arange(n) % 64 - 8).astype(dtype).tobytes()


def ordered(*items, state=None):
    return Call(G("collections", "OrderedDict"), items=items, state=state)


def float_tensor(key, numel, shape, stride=None, offset=0):
    stride = stride or tuple(int(np.prod(shape[i + 1:])) for i in range(len(shape)))
    return tensor("FloatStorage", key, numel, shape, stride, offset)


def sound(folder):
    utils = lambda name, *args: Call(G("torch._utils", name), *args)
    qparams = (G("torch", "per_tensor_affine"), 0.5, 3)
    channel = (G("torch", "per_channel_affine"), float_tensor("2", 2, (2,)), tensor("LongStorage", "3", 2, (2,), (1,)), 0)
    layout = Call(G("torch.serialization", "_get_layout"), "torch.sparse_coo")
    obj = {"w": float_tensor("0", 24, (4, 6)), "tied": float_tensor("0", 24, (4, 6)), "turned": float_tensor("0", 24, (6, 4), (1, 6)),
           "part": float_tensor("0", 24, (2, 2), (12, 3), 1), "expanded": float_tensor("1", 3, (3, 5), (1, 0)),
           "codes": utils("_rebuild_qtensor", storage("QUInt8Storage", "4", 4), 0, (2, 2), (2, 1), qparams, False, ordered()),
           "by_channel": utils("_rebuild_qtensor", storage("QInt8Storage", "5", 4), 0, (2, 2), (2, 1), channel, False, ordered()),
           "sparse": utils("_rebuild_sparse_tensor", layout, (tensor("LongStorage", "6", 4, (2, 2), (2, 1)), float_tensor("7", 2, (2,)), (9, 9))),
           "epoch": 12, "lr": 0.5, "args": Call(G("argparse", "Namespace"), state={"name": "net", "size": (2, 3), "log": None}),
           "dtype": G("torch", "float16")}
    data = {"0": ramp(24), "1": ramp(3), "2": ramp(2), "3": ramp(2, "<i8"), "4": b"\1\3\5\7", "5": b"\xff\0\1\2", "6": ramp(4, "<i8"), "7": ramp(2)}
    pickles.write_zip(folder + "/views.pt", obj, data, "little", more=[(".data/serialization_id", "42")])
    pickles.write_zip(folder + "/deflated.pt", obj, data, "little", method=zipfile.ZIP_DEFLATED)


def checkpoints(folder):
    for name, step in (("a", 0.0), ("b", 0.25)):
        data = {str(i): (np.arange(6, dtype="<f4") + step * (i % 2)).tobytes() for i in range(4)}
        state = ordered(("fc.weight", float_tensor("0", 6, (2, 3))), ("fc.bias", float_tensor("1", 6, (6,))), state={"_metadata": {}})
        optimiser = {"state": {0: {"step": 5, "exp_avg": float_tensor("2", 6, (2, 3)), "exp_avg_sq": float_tensor("3", 6, (2, 3))}},
                     "param_groups": [{"lr": 0.5, "params": [0, 1]}]}
        pickles.write_zip(f"{folder}/checkpoint-{name}.pt", {"model": state, "optimizer": optimiser, "epoch": 3 + int(4 * step)}, data)


def module(folder):
    """A whole module, as old versions saved them with the source of its class."""
    def layer(cls, params, **more):
        own = Persistent(("module", G("net", cls), f"/src/{cls}.py", f"class {cls}: pass\n"))
        return Call(G("copy_reg", "_reconstructor"), own, G("__builtin__", "object"), None,
                    state=dict({"training": True, "_parameters": ordered(*params), "_buffers": ordered(), "_modules": ordered()}, **more))

    w = tensor("FloatStorage", "5", 6, (2, 3), (3, 1), view=(None,))
    p = Call(G("torch.nn.parameter", "Parameter"), w, state=(True, False, None))
    top = layer("Net", [])
    top.state["_modules"] = ordered(("first", layer("Linear", [("weight", p), ("bias", None)], in_features=3)))
    pickles.write_stream(folder + "/module.pt", top, {"5": (4, ramp(6))})


def script(folder):
    cls = lambda name, **state: Call(G("__torch__", name), state=state)
    obj = cls("Net", training=False, fc=cls("Linear", weight=float_tensor("0", 6, (2, 3)), groups=1))
    constants = dumps((tensor("FloatStorage", "0", 2, (2,), (1,)),))
    pickles.write_zip(folder + "/script.pt", obj, {"0": ramp(6)}, more=[
        ("constants.pkl", constants), ("constants/0", ramp(2)), ("code/__torch__.py", "class Net: pass\n"),
        ("code/__torch__.py.debug_pkl", ""), ("extra/note.txt", "hello")])


def broken(folder):
    good = float_tensor("0", 6, (2, 3))
    far = 2**60
    obj = [("good", good), ("beyond", float_tensor("0", 6, (2, 4))), ("offset", float_tensor("0", 6, (1,), (1,), 6)),
           ("negative", float_tensor("0", 6, (2, 3), (-3, 1))), ("minus", float_tensor("0", 6, (2,), (1,), -1)),
           ("shape", float_tensor("0", 6, (-2, 3), (3, 1))), ("huge", float_tensor("0", 6, (far, far), (1, 1))),
           ("far", float_tensor("0", 6, (2, 2), (2**62, 2**62))), ("ranks", float_tensor("0", 6, (2, 3), (1,))),
           ("gone", float_tensor("9", 6, (2, 3))), ("short", float_tensor("1", far, (2, 3))), ("other", tensor("LongStorage", "0", 6, (1,), (1,))),
           ("kind", tensor("NoStorage", "0", 6, (1,), (1,))), ("expanded", float_tensor("0", 6, (2**40, 3), (0, 1))),
           ("many", float_tensor("0", 6, (1,) * 40)), ("good", good)]
    pickles.write_zip(folder + "/broken.pt", dumps(ordered(*obj)), {"0": ramp(6), "1": ramp(3)})
    pickles.write_zip(folder + "/nothing.pt", dumps([]), {})
    with zipfile.ZipFile(folder + "/no_pickle.pt", "w") as z:
        z.writestr("archive/version", "3\n")
    stream = folder + "/stream.pt"
    pickles.write_stream(stream, {"a": tensor("FloatStorage", "0", 6, (6,), (1,), view=(None,)),
                                  "b": tensor("FloatStorage", "1", 6, (6,), (1,), view=(None,))}, {"0": (4, ramp(6)), "1": (4, ramp(6))})
    with open(stream, "rb") as f:
        whole = f.read()
    for name, data in (("cut", whole[:-4]), ("cut_pickle", whole[:200]), ("longer", whole + b"more")):
        with open(f"{folder}/{name}.pt", "wb") as f:
            f.write(data)


def hostile(folder):
    """What would run a program, were it unpickled: the file it would make must not be there afterwards."""
    run = Call(G("os", "system"), "touch weigh-was-here")
    for protocol in (0, 2, 4):
        with open(f"{folder}/run.{protocol}.pkl", "wb") as f:
            f.write(dumps({"w": np.ones(2), "x": run}, protocol))
    pickles.write_zip(folder + "/run.pt", {"w": float_tensor("0", 2, (2,)), "x": run}, {"0": ramp(2)})
    np.save(folder + "/plain.npy", np.ones(2))
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    with open(folder + "/run.npy", "wb") as f:
        f.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head) + 1) + head + b"\n" + dumps([run]))
    # a side file outside the directory
    with open(folder + "/side.pkl", "wb") as f:
        names = ("../torch/plain.npy", "plain.npy", "missing.npy", "side.pkl")
        f.write(dumps({f"s{i}": Call(G("joblib.numpy_pickle", "NDArrayWrapper"), state={"filename": n, "subclass": G("numpy", "ndarray")})
                       for i, n in enumerate(names)}))


def numbers(folder):
    state = {"w": np.arange(6, dtype="<f8").reshape(2, 3), "names": np.array(["a", "b"]), "n": np.float32(0.5), "k": np.int64(-7),
             "deep": [{"x": np.ones(2, "<f4")}], "table": {f"word{i}": i for i in range(100)}, "when": {1, 2}}
    for protocol in (0, 2, 4):
        with open(f"{folder}/plain.{protocol}.pkl", "wb") as f:
            pickle.dump(state, f, protocol)


if __name__ == "__main__":
    where = sys.argv[1] + "/torch"
    os.makedirs(where, exist_ok=True)
    for make in (sound, checkpoints, module, script, broken, hostile, numbers):
        make(where)
