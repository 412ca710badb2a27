"""Packed tensors (format/packs.c, num/unpack.c): every convention against values worked out by NumPy, and what must stay
as it is stored. timeout: 180"""
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


def packed(label, made, config=None, config_name="config.json", others=()):
    """The model lists as its logical tensors, and each value is, to the bit, what NumPy says."""
    tensors, values, word = made
    folder = label.replace(" ", "_").replace("/", "_")
    path = save(folder, tensors, config, config_name)
    flat = save(folder + ".plain", plain(values))
    faults = check.Faults()
    doc, status, said = check.run("list", "-o", "json", path)
    if doc is None or status:
        check.ok(False, label, [f"exit status {status}: {said}"])
        return
    for t in doc["tensors"]:
        if t["name"] in others:
            continue
        want = values.get(t["name"])
        if want is None:
            faults.append(f"{t['name']} is listed")
            continue
        faults.same("type", t["type"], word)
        faults.same("shape", t["shape"], list(want.shape))
        faults.same("bytes", t["bytes"], sum(len(tensors[p["name"]][2]) for p in t["parts"]))
    faults.same("notes", doc["model"].get("notes"), None)
    faults.same("parts", sum(len(t.get("parts", [0])) for t in doc["tensors"]), len(tensors))
    doc, status, said = check.run("diff", "-o", "json", path, flat, *values)
    if doc is None:
        check.ok(False, label, faults + [f"exit status {status}: {said}"])
        return
    for t in doc["tensors"]:
        faults.same(f"{t['a']}: status", t["status"], "equal")
        faults.same(f"{t['a']}: a_shape", t["a_shape"], t["b_shape"])
    faults.same("pairs", len(doc["tensors"]), len(values))
    for name, x in values.items():
        doc, status, said = check.run("show", "-o", "json", path, name)
        if doc is None or status:
            faults.append(f"show: {said}")
            continue
        got = np.array(doc["tensors"][0]["values"], dtype=object)
        got = np.array([float(v) for v in got.reshape(-1)], np.float32).reshape(x.shape)
        faults.same(f"{name}: bits", np.array_equal(got, x, equal_nan=True) and
                    np.array_equal(np.signbit(got[got == 0]), np.signbit(x[x == 0])), True)
    doc, status, said = check.run("stats", "-o", "json", path)
    other, _, _ = check.run("stats", "-o", "json", flat)
    for t in other["tensors"]:
        mine = [m for m in doc["tensors"] if m["name"] == t["name"]][0]
        for key in ("min", "max", "nan", "zero", "count"):
            faults.same(key, mine["stats"][key], t["stats"][key])
        for key in ("mean", "std", "l1", "l2"):
            faults.close(key, mine["stats"][key], t["stats"][key], check.STATS, mine["stats"]["rms"] or 0)
    doc, status, said = check.run("diff", "-o", "json", path, path)
    for t in doc["tensors"]:
        faults.same(f"{t['a']} with itself", t["status"], "identical")
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
    packed("F8 blocks", pf.f8_blocks(256, 384))
    packed("F8 blocks, partial", pf.f8_blocks(200, 300))
    packed("F8 blocks, one row of them", pf.f8_blocks(70, 1000))
    packed("F8 blocks, E8M0, .scale", pf.f8_blocks(129, 257, scale="F8_E8M0", name=".scale"))
    packed("F8 blocks, F32, .scale", pf.f8_blocks(300, 128, name=".scale"))
    packed("F8 blocks, weight_scale, BF16", pf.f8_blocks(260, 140, scale="BF16", name="_scale"))
    packed("F8 blocks of experts", pf.f8_blocks(140, 260, lead=(3,)))
    packed("F8 blocks of 100 by config", pf.f8_blocks(250, 310, block=100),
           {"quantization_config": {"weight_block_size": [100, 100]}})
    packed("F8 a row", pf.scaled((37, 65), (37, 1), scale="BF16"))
    packed("F8 a row, flat", pf.scaled((37, 65), (37,)))
    packed("F8 a tensor", pf.scaled((37, 65), (), word="tensor"))
    packed("F8 a tensor, one dimension", pf.scaled((37, 65), (1,), word="tensor"))
    packed("F8_E5M2 convolution", pf.scaled((8, 5, 3, 3), (8,), kind="F8_E5M2", word="slice"))
    packed("F8 of experts", pf.scaled((3, 37, 65), (3, 1, 1), word="slice"))
    packed("F8 rows of experts", pf.scaled((3, 37, 65), (3, 37, 1)))
    packed("F8 groups", pf.scaled((37, 256), (37, 4), word="64"))
    packed("F8 with input_scale", pf.scaled((37, 65), (), word="tensor", extra={"a.input_scale": pf.floats(())[0]}),
           others=("a.input_scale",))
    text = pf.stored("U8", np.frombuffer(b'{"format": "float8_e4m3fn"}', np.uint8))
    packed("ComfyUI F8, scale_weight", pf.scaled((37, 65), (), key="scale_weight", word="tensor"))
    tensors, values, word = pf.scaled((37, 65), (), word="tensor", extra={"a.comfy_quant": text})
    packed("ComfyUI F8, comfy_quant", (tensors, values, word))
    packed("I8 a row", pf.scaled((37, 65), (37, 1), kind="I8", scale="BF16"))
    packed("I8 with zero points", pf.scaled((37, 65), (37, 1), kind="I8", zeros=True))
    packed("I8 in groups", pf.scaled((37, 64), (37, 4), kind="I8", word="16", zeros=True),
           {"quantization_config": {"quant_method": "compressed-tensors"}})
    packed("I8 of bitsandbytes", pf.bnb_int8(33, 70))
    packed("MXFP8", pf.mxfp8(37, 96))
    packed("MXFP8, E8M0", pf.mxfp8(37, 96, "F8_E8M0"))


def four_bits():
    names = "model.layers.0.mlp.experts.gate_up_proj"
    packed("gpt-oss of Hugging Face", pf.mxfp4((3, 22, 96), (names + "_blocks", names + "_scales"), logical=names,
                                               turned=True))
    names = "block.0.mlp.mlp1_weight"
    packed("gpt-oss of OpenAI", pf.mxfp4((3, 22, 96), (names + ".blocks", names + ".scales"), logical=names))
    packed("MXFP4 of compressed-tensors", pf.mxfp4((37, 96), ("a.weight_packed", "a.weight_scale"), logical="a.weight"))
    packed("MXFP4 of ModelOpt", pf.mxfp4((37, 96), ("a.weight", "a.weight_scale")))
    packed("MXFP4 as F4", pf.mxfp4((37, 96), ("a.weight", "a.weight_scale"), kind="F4", scale="F8_E8M0"))
    packed("MXFP4 of DeepSeek", pf.mxfp4((37, 96), ("a.weight", "a.scale"), kind="I8", scale="F8_E8M0"))
    packed("MXFP4 of MLX", pf.mxfp4((37, 96), ("a.weight", "a.scales"), kind="U32"))
    packed("NVFP4 of ModelOpt", pf.nvfp4((37, 80), "modelopt"))
    packed("NVFP4 of ModelOpt, scalar", pf.nvfp4((37, 80), "modelopt", ()))
    packed("NVFP4 of experts", pf.nvfp4((3, 37, 80), "modelopt", (3,)))
    packed("NVFP4 of compressed-tensors", pf.nvfp4((37, 80), "ct"))
    packed("NVFP4 of MLX", pf.nvfp4((37, 80), "mlx"))
    packed("MXFP8 of MLX", pf.mlx_mxfp8(37, 96))


def integers():
    for bits in (2, 3, 4, 5, 6, 7, 8):
        packed(f"compressed-tensors {bits} bits", pf.ct(37, 96, bits, 3))
        packed(f"compressed-tensors {bits} bits, zero points", pf.ct(37, 96, bits, 3, "packed"))
    packed("compressed-tensors rows", pf.ct(37, 101, 4))
    packed("compressed-tensors rows, zero points", pf.ct(37, 101, 4, 1, "packed", scale="F32"))
    packed("compressed-tensors plain zero points", pf.ct(40, 64, 4, 2, "plain"))
    packed("compressed-tensors index", pf.ct(37, 96, 4, 3, "packed", order=True))
    packed("compressed-tensors experts", pf.ct(37, 96, 4, 3, "packed", lead=(3,)))
    tensors, values, word = pf.ct(37, 96, 4, 3)
    tensors["a.weight_g_idx"] = pf.stored("I32", np.full(96, -1, "<i4"))
    packed("compressed-tensors no index", (tensors, values, word))
    for nested in (0, 256, 3):
        packed(f"NF4, nested {nested}", pf.bnb4((50, 70), nested=nested))
    packed("NF4, odd and partial", pf.bnb4((7, 13, 3)))
    packed("FP4", pf.bnb4((50, 70), 128, kind="fp4"))
    packed("NF4 stored as BF16", pf.bnb4((51, 71), 64, 256, stored_as="BF16"))
    v1, v2 = ({"quantization_config": {"quant_method": "gptq", "checkpoint_format": f}} for f in ("gptq", "gptq_v2"))
    for bits in (2, 3, 4, 8):
        packed(f"GPTQ {bits} bits", pf.gptq(96, 64, bits, 3), v1)
        packed(f"GPTQ {bits} bits, version 2, index", pf.gptq(96, 64, bits, 3, 2, "order"), v2)
        packed(f"GPTQ {bits} bits, desc_act", pf.gptq(96, 64, bits, 3, 1, "shuffled"), v1)
    packed("GPTQ, quantize_config", pf.gptq(256, 96, 4, 2), {"bits": 4, "group_size": 128}, "quantize_config.json")
    packed("GPTQ, symmetric", pf.gptq(256, 96, 4, 2, symmetric=True))
    packed("GPTQ, symmetric, version 2", pf.gptq(256, 96, 8, 2, 2, symmetric=True))
    packed("GPTQ, odd sizes", pf.gptq(100, 40, 4, 3, 1, "shuffled"), v1)
    packed("AWQ", pf.awq(96, 72, 3))
    packed("AWQ, one group", pf.awq(64, 136, 1))
    for bits, group in ((2, 32), (3, 32), (5, 64), (8, 128), (6, 128)):
        packed(f"MLX {bits} bits of {group}", pf.mlx((37, 384), bits, group))
    for bits, group in ((2, 64), (3, 64), (4, 64), (6, 64), (8, 64), (4, 32), (8, 32), (4, 128)):
        packed(f"MLX {bits} bits of {group} by config", pf.mlx((37, 384), bits, group, "F16"),
               {"quantization": {"bits": bits, "group_size": group}})
    packed("MLX of one module", pf.mlx((3, 37, 128), 8, 64),
           {"quantization": {"bits": 4, "group_size": 64, "a": {"bits": 8, "group_size": 64}}})


def near_misses():
    without = lambda made, *names: {n: t for n, t in made[0].items() if n not in names}
    rows = pf.floats((37,))[0]
    raw("a scale of its own", {"norm.scale": rows, "norm.weight": rows}, None)
    raw("a scale beside F32", {"a.scale": rows, "a.weight": pf.floats((37, 65))[0]}, None)
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
    shards()
    check.end()
