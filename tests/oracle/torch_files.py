"""PyTorch's files, against PyTorch (Debian's python3-torch): real ones, and what it writes. timeout: 400"""
import collections
import os
import sys
import warnings

sys.dont_write_bytecode = True
warnings.filterwarnings("ignore")

import check
import pickles
import weightfiles as wf

try:
    import torch
except ImportError:
    print("1..0 # SKIP PyTorch is not there")
    sys.exit(0)

TYPES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
         torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
         torch.complex64: "C64", torch.complex128: "C128", torch.qint8: "I8", torch.quint8: "U8", torch.qint32: "I32"}


def of_tensor(x):
    kind = TYPES[x.dtype]
    x = x.detach().cpu()
    x = (x.int_repr() if x.is_quantized else x.resolve_conj().resolve_neg()).contiguous()
    raw = (x.view(torch.int16) if kind == "BF16" else x).numpy().tobytes()
    return kind, tuple(x.shape), raw


def flat(x, name=""):
    """What the names should be: the way to each tensor; of a module, those of its state_dict()."""
    if isinstance(x, torch.Tensor):
        if x.layout != torch.strided:
            return {}
        return {name or "tensor": of_tensor(x)}
    if isinstance(x, torch.nn.Module):
        x = x.state_dict()
    children = x.items() if isinstance(x, dict) else enumerate(x) if isinstance(x, (list, tuple)) else ()
    out = {}
    for key, value in children:
        out.update(flat(value, f"{name}.{key}" if name else str(key)))
    return out


def real_files():
    shared = os.environ.get("SHARED", "")
    folder = os.path.join(shared, "pytorch")
    if not shared or not os.path.isdir(folder):
        check.skip("real files", "the shared data are not there")
        return
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        check.same_as(path, flat(torch.load(path, map_location="cpu")), name)
    for name in sorted(os.listdir(os.path.join(shared, "torchscript"))):
        path = os.path.join(shared, "torchscript", name)
        state = torch.jit.load(path, map_location="cpu").state_dict()
        check.same_as(path, {k: of_tensor(v) for k, v in state.items() if isinstance(v, torch.Tensor)}, name, extra=True)


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = torch.nn.Linear(3, 5)
        self.norm = torch.nn.BatchNorm1d(5)
        self.stack = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 2), torch.nn.ModuleDict({"a": torch.nn.Linear(2, 2, bias=False)}))
        self.register_buffer("steps", torch.arange(4))
        self.own = torch.nn.Parameter(torch.randn(2, 2))


def models():
    torch.manual_seed(7)
    w = torch.arange(120.0).reshape(2, 3, 4, 5)
    m = torch.arange(24.0).reshape(4, 6)
    kinds = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
             torch.uint8, torch.bool, torch.complex64, torch.complex128)
    yield "types", {str(k)[6:]: torch.arange(-3, 9).reshape(3, 4).to(k) for k in kinds}
    yield "views", {"t": m.t(), "columns": m[:, 1:4], "steps": m[::2, ::3], "rows": m[1:3], "one": m[2, 3], "row": m[2],
                    "column": m[:, 2], "permuted": w.permute(3, 1, 0, 2), "channels_last": w.contiguous(memory_format=torch.channels_last),
                    "expanded": torch.arange(3.0)[:, None].expand(3, 7), "expanded2": torch.ones(1, 4).expand(6, 2, 4),
                    "scalar": torch.tensor(2.5).expand(3, 2), "diagonal": torch.diagonal(m), "unfolded": torch.arange(9.0).unfold(0, 3, 2),
                    "ones": w[:, :1, 2:3], "flipped": m.flip(0), "strided": torch.as_strided(m, (2, 3, 2), (7, 2, 1), 3)}
    yield "shared", {"a": m, "b": m, "part": m[1:], "other": torch.zeros(3), "parameter": torch.nn.Parameter(m)}
    yield "empty", {"a": torch.zeros(0), "b": torch.zeros(3, 0, 2), "c": torch.zeros(0, 4).t()}
    net = Block()
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.1)
    net.lin(torch.randn(6, 3)).sum().backward()
    optimiser.step()
    yield "checkpoint", {"epoch": 3, "model": net.state_dict(), "optimizer": optimiser.state_dict(), "loss": 0.25,
                         "args": collections.OrderedDict(lr=0.1, name="x")}
    yield "module", net
    yield "nested", {"list": [torch.zeros(2), (torch.ones(1), {"x": torch.ones(3)})], 7: torch.zeros(1), "a": {"b": {"c": torch.ones(2)}}}
    yield "tensor", torch.randn(3, 4)
    yield "transposed_64", {"w": torch.randn(300, 200).t(), "big": torch.randn(600, 700)[:, ::3]}


def generated():
    for name, model in models():
        want = flat(model)
        for form, options in (("zip", {}), ("stream", {"_use_new_zipfile_serialization": False})):
            path = f"{name}.{form}.pt"
            torch.save(model, path, **options)
            check.same_as(path, want, f"{name}, {form}")
        for protocol in (3, 4):
            path = f"{name}.{protocol}.pt"
            torch.save(model, path, pickle_protocol=protocol)
            check.same_as(path, want, f"{name}, zip with protocol {protocol}")
        repacked(f"{name}.zip.pt", f"{name}.deflated.pt")
        check.same_as(f"{name}.deflated.pt", want, f"{name}, deflated")


def repacked(path, to):
    import zipfile
    with zipfile.ZipFile(path) as a, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as b:
        for entry in a.namelist():
            b.writestr(entry, a.read(entry))


def quantised():
    """By their values, as dequantize() gives them; a view by strides as its codes."""
    # Scales that are float32: builds of PyTorch without FBGEMM multiply with the double.
    x = torch.linspace(-1, 1, 6).reshape(2, 3)
    scales, zeros = torch.tensor([.1, .2]).double(), torch.tensor([0, 1])
    scales3, zeros3 = torch.tensor([.1, .2, .3]).double(), torch.tensor([0, -1, 5])
    model = {"t": torch.quantize_per_tensor(x, scales[0].item(), 3, torch.quint8), "i": torch.quantize_per_tensor(x, 0.5, 0, torch.qint32),
             "s": torch.quantize_per_tensor(x, scales[1].item() / 8, -2, torch.qint8), "rows": torch.quantize_per_channel(x, scales, zeros, 0, torch.qint8),
             "columns": torch.quantize_per_channel(x, scales3, zeros3, 1, torch.qint8)}
    want = {k: of_tensor(v.dequantize()) for k, v in model.items()}
    for form, options in (("zip", {}), ("stream", {"_use_new_zipfile_serialization": False})):
        torch.save(model, "quantised.pt", **options)
        check.same_as("quantised.pt", want, f"quantised, {form}", types=False)
    doc, _, _ = check.run("list", "-o", "json", "quantised.pt")
    types = {t["name"]: t["type"] for t in doc["tensors"]}
    check.ok(types == {"t": "U8/tensor", "i": "I32/tensor", "s": "I8/tensor", "rows": "I8/slice", "columns": "I8/slice"},
             "types of quantised tensors", [types])
    view = {"v": torch.quantize_per_tensor(torch.linspace(-1, 1, 24).reshape(4, 6), 0.1, 3, torch.quint8)[:, 1:4]}
    torch.save(view, "view.pt")
    check.same_as("view.pt", {"v": of_tensor(view["v"])}, "a quantised view by strides")
    doc, _, _ = check.run("list", "-o", "json", "view.pt")
    check.ok(doc["tensors"][0]["note"].startswith("codes of a quantised tensor"), "a quantised view says that it is codes")


def sparse():
    x = torch.tensor([[0, 2.0, 0], [3, 0, 4]]).to_sparse()
    torch.save({"s": x}, "sparse.pt")
    doc, status, said = check.run("list", "-o", "json", "sparse.pt")
    got = {t["name"]: t for t in doc["tensors"]}
    faults = check.Faults()
    faults.same("names", sorted(got), ["s", "s.indices", "s.values"])
    faults.same("shape", got["s"]["shape"], [2, 3])
    faults.same("type", got["s"]["type"], "sparse_coo")
    faults.same("shape of indices", got["s.indices"]["shape"], [2, 3])
    faults.same("trouble", got["s"]["trouble"][:28], "not decoded: a sparse tensor")
    check.ok(not faults, "sparse tensors are listed with their parts", faults)


def script():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lin = torch.nn.Linear(3, 2)
            self.register_buffer("b", torch.arange(3))

        def forward(self, x):
            return self.lin(x) + torch.tensor([1.0, 2.0])

    # compiled from what it does, not from this source
    traced = torch.jit.trace(Net(), torch.zeros(1, 3))
    traced.save("traced.pt")
    want = {k: of_tensor(v) for k, v in traced.state_dict().items()}
    check.same_as("traced.pt", want, "TorchScript", extra=True)
    doc, _, _ = check.run("list", "-o", "json", "traced.pt")
    faults = check.Faults()
    faults.same("constants", [t["name"] for t in doc["tensors"] if t["name"] not in want], ["constants.0"])
    check.ok(not faults, "TorchScript's constants", faults)


def by_hand():
    """Files that this PyTorch reads, but no longer writes."""
    m = torch.arange(12.0).reshape(3, 4)
    raw = m.numpy().tobytes()
    def state(view=()):
        return pickles.Call(pickles.G("collections", "OrderedDict"), items=(
            ("w", pickles.tensor("FloatStorage", "7", 12, (3, 4), (4, 1), view=view)),
            ("t", pickles.tensor("FloatStorage", "7", 12, (4, 3), (1, 4), view=view))))

    big = torch.arange(12.0).reshape(3, 4).numpy().astype(">f4").tobytes()
    pickles.write_stream("hand.pt", state((None,)), {"7": (4, raw)})
    pickles.write_stream("big.pt", state((None,)), {"7": (4, big)}, big=True)
    pickles.write_tar("tar.pt", {"w": pickles.Persistent("1"), "v": pickles.Persistent("2"), "x": [pickles.Persistent("1")]},
                      {10: ("FloatStorage", 4, raw)}, {1: (10, (3, 4), (4, 1), 0), 2: (11, (2, 3), (3, 1), 0)},
                      [(11, 10, 5, 6)])
    part = pickles.Call(pickles.G("torch._utils", "_rebuild_tensor_v2"), pickles.storage("FloatStorage", "7", 12, (("8", 4, 6),)),
                        1, (2, 2), (2, 1), False, pickles.Call(pickles.G("collections", "OrderedDict")))
    pickles.write_stream("view.pt", {"v": part}, {"7": (4, raw)})
    for path in ("hand.pt", "view.pt", "tar.pt"):
        check.same_as(path, flat(torch.load(path)), f"written by hand: {path}")
    # PyTorch on a little-endian machine does not turn the elements of such a stream round; here that is done
    want = flat(torch.load("hand.pt"))
    check.same_as("big.pt", want, "a big-endian stream")
    pickles.write_zip("big.zip.pt", state(), {"7": big}, "big")
    check.same_as("big.zip.pt", want, "a big-endian zip file")


if __name__ == "__main__":
    real_files()
    generated()
    quantised()
    sparse()
    script()
    by_hand()
    check.end()
