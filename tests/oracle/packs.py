"""Packed tensors (format/packs.c, num/unpack.c): every convention against values worked out by NumPy, and what must stay
as it is stored. timeout: 120"""
import json
import os
import sys

sys.dont_write_bytecode = True

import numpy as np

import check
import packfiles as pf
import weightfiles as wf

work = os.getcwd()


def save(name, tensors, config=None, config_name="config.json"):
    """Each model has a folder of its own, for the JSON beside it."""
    folder = os.path.join(work, name)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "model.safetensors")
    wf.write_safetensors(path, tensors)
    if config is not None:
        with open(os.path.join(folder, config_name), "w", encoding="utf-8") as f:
            json.dump(config, f)
    return path


def plain(values):
    return {name: ("F32", x.shape, np.ascontiguousarray(x, np.float32).tobytes()) for name, x in values.items()}


class Model:
    """Packed tensors of several cases in one file: each case's names get a prefix of their own."""

    def __init__(self, name, config=None, config_name="config.json"):
        self.name, self.config, self.config_name = name, config, config_name
        self.tensors, self.values, self.words, self.cases = {}, {}, {}, {}

    def add(self, label, made, others=0):
        """others: how many of the stored tensors stay beside the packed one."""
        prefix = f"{len(self.cases)}."
        tensors, values, word = made
        self.tensors.update({prefix + n: t for n, t in tensors.items()})
        self.cases[label] = [prefix + n for n in values]
        for n, x in values.items():
            self.values[prefix + n] = x
            self.words[prefix + n] = word, len(tensors) - others
        return prefix + "a"

    def one(self, name, listed, shown, pair, itself, stats, plain_stats):
        faults, x, (word, parts) = check.Faults(), self.values[name], self.words[name]
        if name not in listed or name not in stats:
            return [f"{name} is not listed"]
        faults.same("type", listed[name]["type"], word)
        faults.same("shape", listed[name]["shape"], list(x.shape))
        made_of = listed[name].get("parts", [])
        faults.same("bytes", listed[name]["bytes"], sum(len(self.tensors[p["name"]][2]) for p in made_of))
        faults.same("parts", len(made_of), parts)
        got = np.array([float(v) for v in np.array(shown[name]["values"], object).reshape(-1)], np.float32)
        got = got.reshape(x.shape)
        faults.same("bits", np.array_equal(got, x, equal_nan=True), True)
        faults.same("signs of 0", np.array_equal(np.signbit(got[got == 0]), np.signbit(x[x == 0])), True)
        faults.same("beside its values", pair[name]["status"], "equal")
        faults.same("beside itself", itself[name]["status"], "identical")
        for key in ("min", "max", "nan", "zero", "count"):
            faults.same(key, stats[name]["stats"][key], plain_stats[name]["stats"][key])
        for key in ("mean", "std", "l1", "l2"):
            faults.close(key, stats[name]["stats"][key], plain_stats[name]["stats"][key], check.STATS,
                         stats[name]["stats"]["rms"] or 0)
        return faults

    def check(self):
        """The cases list as their logical tensors, and each value is, to the bit, what NumPy says."""
        path = save(self.name, self.tensors, self.config, self.config_name)
        flat = save(self.name + ".plain", plain(self.values))
        docs, said = [], []
        for args in (("list", path), ("show", path, *self.values), ("diff", path, flat), ("diff", path, path),
                     ("stats", path), ("stats", flat)):
            doc, status, why = check.run(args[0], "-o", "json", *args[1:])
            docs.append({t.get("name") or t["a"]: t for t in doc["tensors"]} if doc else {})
            if doc is None or why:
                said.append(f"{args[0]}: exit status {status}: {why}")
            if args[0] == "list" and doc and "notes" in doc["model"]:
                said.append(str(doc["model"]["notes"]))
        check.ok(not said, f"{self.name}: nothing is wrong", said)
        for label, names in self.cases.items():
            faults = [f"{n}: {f}" for n in names for f in self.one(n, *docs)] if not said else ["see above"]
            check.ok(not faults, label, faults)


def raw(label, tensors, note, config=None, config_name="config.json"):
    """The model lists as it is stored; note: a part of what is said about that, or None for silence."""
    path = save(label.replace(" ", "_"), tensors, config, config_name)
    doc, status, said = check.run("list", "-o", "json", path)
    faults = check.Faults()
    if doc is None:
        check.ok(False, label, [said])
        return
    faults.same("status", status, 0)
    faults.same("tensors", {t["name"]: t["type"] for t in doc["tensors"]}, {n: t[0] for n, t in tensors.items()})
    notes = [n["message"] for n in doc["model"].get("notes", [])]
    if note is None:
        faults.same("notes", notes, [])
    elif not any(note in n for n in notes):
        faults.append(f"notes {notes}, want {note}")
    check.ok(not faults, label, faults)


def scaled_codes():
    m = Model("scaled")
    m.add("F8 blocks", pf.f8_blocks(256, 384))
    m.add("F8 blocks, partial", pf.f8_blocks(200, 300))
    m.add("F8 blocks, one row of them", pf.f8_blocks(70, 1000))
    m.add("F8 blocks, E8M0, .scale", pf.f8_blocks(129, 257, scale="F8_E8M0", name=".scale"))
    m.add("F8 blocks, F32, .scale", pf.f8_blocks(300, 128, name=".scale"))
    m.add("F8 blocks, weight_scale, BF16", pf.f8_blocks(260, 140, scale="BF16", name="_scale"))
    m.add("F8 blocks of experts", pf.f8_blocks(140, 260, lead=(3,)))
    m.add("F8 a row", pf.scaled((37, 65), (37, 1), scale="BF16"))
    m.add("F8 a row, flat", pf.scaled((37, 65), (37,)))
    m.add("F8 a tensor", pf.scaled((37, 65), (), word="tensor"))
    m.add("F8 a tensor, one dimension", pf.scaled((37, 65), (1,), word="tensor"))
    m.add("F8_E5M2 convolution", pf.scaled((8, 5, 3, 3), (8,), kind="F8_E5M2", word="slice"))
    m.add("F8 of experts", pf.scaled((3, 37, 65), (3, 1, 1), word="slice"))
    m.add("F8 rows of experts", pf.scaled((3, 37, 65), (3, 37, 1)))
    m.add("F8 groups", pf.scaled((37, 256), (37, 4), word="64"))
    m.add("F8 with input_scale", pf.scaled((37, 65), (), word="tensor", extra={"a.input_scale": pf.floats(())[0]}), 1)
    text = pf.stored("U8", np.frombuffer(b'{"format": "float8_e4m3fn"}', np.uint8))
    m.add("ComfyUI F8, scale_weight", pf.scaled((37, 65), (), key="scale_weight", word="tensor"))
    m.add("ComfyUI F8, comfy_quant", pf.scaled((27, 65), (27,), extra={"a.comfy_quant": text}))
    m.add("I8 a row", pf.scaled((37, 65), (37, 1), kind="I8", scale="BF16"))
    m.add("I8 with zero points", pf.scaled((37, 65), (37, 1), kind="I8", zeros=True))
    m.add("I8 of bitsandbytes", pf.bnb_int8(33, 70))
    m.add("MXFP8", pf.mxfp8(37, 96))
    m.add("MXFP8, E8M0", pf.mxfp8(37, 96, "F8_E8M0"))
    m.check()
    m = Model("blocks by config", {"quantization_config": {"weight_block_size": [100, 100]}})
    m.add("F8 blocks of 100", pf.f8_blocks(250, 310, block=100))
    m.check()
    m = Model("groups by config", {"quantization_config": {"quant_method": "compressed-tensors"}})
    m.add("I8 in groups", pf.scaled((37, 64), (37, 4), kind="I8", word="16", zeros=True))
    m.check()


def four_bits():
    m = Model("four bits")
    names = "model.layers.0.mlp.experts.gate_up_proj"
    m.add("gpt-oss of Hugging Face", pf.mxfp4((3, 22, 96), (names + "_blocks", names + "_scales"), logical=names,
                                              turned=True))
    names = "block.0.mlp.mlp1_weight"
    m.add("gpt-oss of OpenAI", pf.mxfp4((3, 22, 96), (names + ".blocks", names + ".scales"), logical=names))
    m.add("MXFP4 of compressed-tensors", pf.mxfp4((37, 96), ("a.weight_packed", "a.weight_scale"), logical="a.weight"))
    m.add("MXFP4 of ModelOpt", pf.mxfp4((37, 96), ("a.weight", "a.weight_scale")))
    m.add("MXFP4 as F4", pf.mxfp4((37, 96), ("a.weight", "a.weight_scale"), kind="F4", scale="F8_E8M0"))
    m.add("MXFP4 of DeepSeek", pf.mxfp4((37, 96), ("a.weight", "a.scale"), kind="I8", scale="F8_E8M0"))
    m.add("MXFP4 of MLX", pf.mxfp4((37, 96), ("a.weight", "a.scales"), kind="U32"))
    m.add("NVFP4 of ModelOpt", pf.nvfp4((37, 80), "modelopt"))
    m.add("NVFP4 of ModelOpt, scalar", pf.nvfp4((37, 80), "modelopt", ()))
    m.add("NVFP4 of experts", pf.nvfp4((3, 37, 80), "modelopt", (3,)))
    m.add("NVFP4 of compressed-tensors", pf.nvfp4((37, 80), "ct"))
    m.add("NVFP4 of MLX", pf.nvfp4((37, 80), "mlx"))
    m.add("MXFP8 of MLX", pf.mlx_mxfp8(37, 96))
    for nested in (0, 256, 3):
        m.add(f"NF4, nested {nested}", pf.bnb4((50, 70), nested=nested))
    m.add("NF4, odd and partial", pf.bnb4((7, 13, 3)))
    m.add("FP4", pf.bnb4((50, 70), 128, kind="fp4"))
    m.add("NF4 stored as BF16", pf.bnb4((51, 71), 64, 256, stored_as="BF16"))
    m.check()


def integers():
    m = Model("integers")
    for bits in (2, 3, 4, 5, 6, 7, 8):
        m.add(f"compressed-tensors {bits} bits", pf.ct(37, 96, bits, 3))
        m.add(f"compressed-tensors {bits} bits, zero points", pf.ct(37, 96, bits, 3, "packed"))
    m.add("compressed-tensors rows", pf.ct(37, 101, 4))
    m.add("compressed-tensors rows, zero points", pf.ct(37, 101, 4, 1, "packed", scale="F32"))
    m.add("compressed-tensors plain zero points", pf.ct(40, 64, 4, 2, "plain"))
    m.add("compressed-tensors index", pf.ct(37, 96, 4, 3, "packed", order=True))
    m.add("compressed-tensors experts", pf.ct(37, 96, 4, 3, "packed", lead=(3,)))
    tensors, values, word = pf.ct(37, 96, 4, 3)
    tensors["a.weight_g_idx"] = pf.stored("I32", np.full(96, -1, "<i4"))
    m.add("compressed-tensors no index", (tensors, values, word))
    m.add("GPTQ, symmetric", pf.gptq(256, 96, 4, 2, symmetric=True))
    m.add("GPTQ, symmetric, version 2", pf.gptq(256, 96, 8, 2, 2, symmetric=True))
    m.add("AWQ", pf.awq(96, 72, 3))
    m.add("AWQ, one group", pf.awq(64, 136, 1))
    for bits, group in ((2, 32), (3, 32), (5, 64), (8, 128), (6, 128)):
        m.add(f"MLX {bits} bits of {group}", pf.mlx((37, 384), bits, group))
    m.check()
    for version, word in ((1, "gptq"), (2, "gptq_v2")):
        m = Model(word, {"quantization_config": {"quant_method": "gptq", "checkpoint_format": word}})
        for bits in (2, 3, 4, 8):
            m.add(f"{word}, {bits} bits", pf.gptq(96, 64, bits, 3, version))
            m.add(f"{word}, {bits} bits, index", pf.gptq(96, 64, bits, 3, version, "order"))
            m.add(f"{word}, {bits} bits, desc_act", pf.gptq(96, 64, bits, 3, version, "shuffled"))
        m.add(f"{word}, odd sizes", pf.gptq(100, 40, 4, 3, version, "shuffled"))
        m.check()
    m = Model("quantize_config", {"bits": 4, "group_size": 128}, "quantize_config.json")
    m.add("GPTQ, quantize_config.json", pf.gptq(256, 96, 4, 2))
    m.check()
    settings = {}
    m = Model("MLX by config", {"quantization": settings})
    for bits, group in ((4, 64), (2, 64), (3, 64), (6, 64), (8, 64), (4, 32), (8, 32), (4, 128)):
        module = m.add(f"MLX {bits} bits of {group} by config", pf.mlx((37, 384), bits, group, "F16"))
        own = {"bits": bits, "group_size": group}
        settings.update({module: own} if settings else own)
    m.add("MLX of experts", pf.mlx((3, 37, 128), 4, 64))
    m.check()


def near_misses():
    without = lambda made, *names: {n: t for n, t in made[0].items() if n not in names}
    rows = pf.floats((37,))[0]
    raw("a scale of its own", {"norm.scale": rows, "norm.weight": rows}, None)
    raw("a scale beside F32", {"a.scale": rows, "a.weight": pf.floats((37, 65))[0]}, None)
    f8 = pf.scaled((512, 256), ())[0]["a.weight"]
    for shape in ((1, 1), (4,), (), (4, 1)):
        raw(f"a scale of shape {shape} beside F8", {"a.scale": pf.floats(shape)[0], "a.weight": f8}, None)
    raw("F8 and scales that are not square", {"a.weight_scale_inv": pf.floats((1, 2))[0], "a.weight": f8},
        "does not tell what each is for")
    raw("a weight_scale beside F32", {"a.weight_scale": rows, "a.weight": pf.floats((37, 65))[0]}, None)
    raw("a lone weight_scale", {"a.weight_scale": rows}, None)
    raw("blocks without scales", without(pf.mxfp4((3, 22, 96), ("a_blocks", "a_scales")), "a_scales"), None)
    made = pf.mxfp4((3, 22, 96), ("a_blocks", "a_scales"))
    raw("blocks and other scales", {**made[0], "a_scales": pf.stored("U8", np.zeros((3, 22, 4), np.uint8))}, None)
    raw("F8 blocks of no size", {**pf.f8_blocks(256, 384)[0], "m.0.proj.weight_scale_inv": pf.floats((5, 3))[0]},
        "does not tell what each is for")
    raw("F8 and a scale a column", {"a.weight": pf.scaled((37, 65), ())[0]["a.weight"],
                                    "a.weight_scale": pf.floats((1, 65))[0]}, "does not tell what each is for")
    raw("F8 and groups of 13 or 16", {"a.weight": pf.scaled((37, 65), ())[0]["a.weight"],
                                      "a.weight_scale": pf.floats((37, 5))[0]}, "does not tell what each is for")
    raw("I8 in groups of nobody", pf.scaled((37, 64), (37, 4), kind="I8")[0], "does not tell what each is for")
    raw("NVFP4 without its second scale", without(pf.nvfp4((37, 80), "modelopt"), "a.weight_scale_2"), "not known")
    text = pf.stored("U8", np.frombuffer(b'{"format": "nvfp4"}', np.uint8))
    raw("NVFP4 of ComfyUI", {**pf.nvfp4((128, 64), "modelopt")[0], "a.comfy_quant": text}, "ComfyUI")
    raw("GPTQ without zero points", without(pf.gptq(96, 64, 4, 3), "a.qzeros"), "missing")
    raw("GPTQ of an unsaid version", pf.gptq(96, 64, 4, 3)[0], "is not said")
    raw("GPTQ for Marlin", pf.gptq(96, 64, 4, 3)[0], "is not said",
        {"quantization_config": {"quant_method": "gptq", "checkpoint_format": "marlin"}})
    raw("GPTQ of unclear groups", pf.gptq(100, 40, 4, 2)[0], "size of its groups",
        {"quantization_config": {"quant_method": "gptq"}})
    raw("GPTQ and the weight", {**pf.gptq(96, 64, 4, 3, symmetric=True)[0], "a.weight": rows}, "is there, too")
    raw("MLX without config", pf.mlx((37, 384), 4, 64)[0], "config.json does not say")
    raw("MLX with another config", pf.mlx((37, 384), 4, 64)[0], "config.json does not say",
        {"quantization": {"bits": 4, "group_size": 32}})
    raw("MLX with a broken config", pf.mlx((37, 384), 4, 64)[0], "config.json does not say", [1, 2])
    raw("biases of something else", {"a.biases": rows, "a.scales": rows, "a.weight": rows}, None)
    raw("NF4 without its code book", without(pf.bnb4((50, 70)), "a.weight.quant_map"), "do not fit")
    made = pf.bnb4((50, 70))[0]
    state = "a.weight.quant_state.bitsandbytes__nf4"
    for name, text in (("not JSON", b"{"), ("no shape", b'{"blocksize": 64}'),
                       ("a huge shape", b'{"blocksize": 64, "shape": [4294967296, 4294967296, 2]}'),
                       ("no block", b'{"blocksize": 0, "shape": [50, 70]}')):
        raw(f"NF4 whose state has {name}", {**made, state: pf.stored("U8", np.frombuffer(text, np.uint8))}, "do not fit")
    made = pf.ct(37, 96, 4, 3)[0]
    raw("compressed-tensors without shape", {n: t for n, t in made.items() if n != "a.weight_shape"}, "do not fit")
    for name, shape in (("negative", [-37, 96]), ("huge", [37, 1 << 62]), ("other", [37, 97])):
        raw(f"compressed-tensors of a {name} shape",
            {**made, "a.weight_shape": pf.stored("I64", np.array(shape, np.int64))}, "not f")
    made = pf.bnb_int8(33, 70)[0]
    raw("I8 of columns", {**made, "a.weight_format": pf.stored("U8", np.array(1, np.uint8))}, "row by row")


def bad_index():
    """A g_idx that points nowhere: the tensor is named, the rest is read."""
    for value in (3, -1, 2 ** 31 - 1):
        tensors = pf.gptq(96, 64, 4, 3, 1, "order", symmetric=True)[0]
        index = np.frombuffer(tensors["a.g_idx"][2], "<i4").copy()
        index[77] = value
        path = save("bad_index", {**tensors, "a.g_idx": pf.stored("I32", index), "b": pf.floats((5,))[0]})
        doc, status, said = check.run("stats", "-o", "json", path)
        faults = check.Faults()
        faults.same("status", status, 2)
        if f"row 77 belongs to group {value} of 3 (tensor 'a.weight')" not in said:
            faults.append(f"said {said}")
        faults.same("the other", [t["stats"]["count"] for t in doc["tensors"] if t["name"] == "b"], [5])
        check.ok(not faults, f"g_idx of {value}", faults)


def large():
    """Rows longer than what is turned round at a time, many rows, several matrices: by way of diff alone."""
    v1 = {"quantization_config": {"quant_method": "gptq"}}
    name = "experts.up_proj"
    for label, made, config in (
            ("long rows", pf.gptq(270336, 8, 4, 3, 1, "shuffled"), v1),
            ("many rows", pf.gptq(96, 8000, 4, 3, 1, "shuffled"), v1),
            ("rows of many lengths of a tile", pf.gptq(10016, 72, 8, 4, 1, "order"), v1),
            ("matrices", pf.mxfp4((5, 700, 1024), (name + "_blocks", name + "_scales"), logical=name, turned=True), {}),
            ("AWQ", pf.awq(4096, 200, 32), {})):
        tensors, values, _ = made
        path = save("large " + label, tensors, config)
        flat = save("large plain " + label, plain(values))
        for order in ((path, flat), (flat, path)):
            doc, status, said = check.run("diff", "-o", "json", *order)
            got = doc and [(t["status"], t["diff"]["changed"], t["diff"]["max_abs_diff"]) for t in doc["tensors"]]
            check.ok(got == [("equal", 0, 0)] and status == 0, f"large: {label}", [str(got), said])
        (name_, x), = values.items()
        x = x.copy()
        at = tuple(n * 2 // 3 for n in x.shape)
        x[at] += 1
        doc, status, said = check.run("diff", "-o", "json", path, save("large touched " + label, plain({name_: x})))
        got = doc and [(t["status"], t["diff"]["changed"], t["diff"]["max_abs_index"]) for t in doc["tensors"]]
        want = [("changed", 1, int(np.ravel_multi_index(at, x.shape)))]
        check.ok(got == want, f"large: one element of {label}", [str(got), str(want), said])


def shards():
    """Parts in different files of one model, and the index that names them."""
    tensors, values, _ = pf.gptq(96, 64, 4, 3, 1, "order", symmetric=True)
    folder = os.path.join(work, "shards")
    os.makedirs(folder, exist_ok=True)
    names, where = sorted(tensors), {}
    for i in range(2):
        name = f"model-{i + 1:05}-of-00002.safetensors"
        wf.write_safetensors(os.path.join(folder, name), {n: tensors[n] for n in names[i::2]})
        where.update({n: name for n in names[i::2]})
    with open(os.path.join(folder, "model.safetensors.index.json"), "w", encoding="utf-8") as f:
        json.dump({"metadata": {}, "weight_map": where}, f)
    doc, status, said = check.run("diff", "-o", "json", folder, save("shards.plain", plain(values)))
    got = doc and [(t["a"], t["status"]) for t in doc["tensors"]]
    check.ok(got == [("a.weight", "equal")] and status == 0, "parts in two shards", [str(got), said])
    doc, status, said = check.run("list", "--raw", "-o", "json", folder)
    check.ok(doc and sorted(t["name"] for t in doc["tensors"]) == names, "--raw shows them as stored", [said])


if __name__ == "__main__":
    scaled_codes()
    four_bits()
    integers()
    near_misses()
    bad_index()
    large()
    shards()
    check.end()
