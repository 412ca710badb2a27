#!/bin/sh
# What -o json and -o sarif give of findings is read by a strict parser, and every object of SARIF 2.1.0 holds what its
# schema requires and nothing that it does not know.
[ -n "$PYTHON" ] || { echo 'no Python with NumPy'; exit 77; }
cat >"$TMPDIR/check.py" <<'EOF'
import json
import re
import sys

# Of each object that is written the members that the schema knows, or those of them that may come, and those required.
KNOWN = {
    "log": ("$schema version runs", "version runs"),
    "runs": ("tool invocations results", "tool"),
    "tool": ("driver", "driver"),
    "driver": ("name version rules", "name"),
    "rules": ("id shortDescription defaultConfiguration properties", "id"),
    "defaultConfiguration": ("level", ""),
    "invocations": ("executionSuccessful toolExecutionNotifications", "executionSuccessful"),
    "toolExecutionNotifications": ("level message", "message"),
    "results": ("ruleId ruleIndex level message locations partialFingerprints baselineState", "message"),
    "message": ("text", "text"),
    "shortDescription": ("text", "text"),
    "locations": ("physicalLocation logicalLocations", ""),
    "physicalLocation": ("artifactLocation region", "artifactLocation"),
    "artifactLocation": ("uri", ""),
    "region": ("byteOffset byteLength", "byteOffset"),
    "logicalLocations": ("name", ""),
}
TYPES = {"byteOffset": int, "byteLength": int, "ruleIndex": int, "executionSuccessful": bool}
FREE = ("properties", "partialFingerprints")
LISTS = ("runs", "rules", "invocations", "toolExecutionNotifications", "results", "locations", "logicalLocations")


def strict(pairs):
    keys = [k for k, v in pairs]
    assert len(keys) == len(set(keys)), keys
    return dict(pairs)


def refuse(x):
    raise ValueError(x)


def look(name, x):
    if name in LISTS and isinstance(x, list):
        for item in x:
            look(name, item)
    elif name in FREE:
        assert all(isinstance(v, str) for v in x.values()), x
    elif name in KNOWN:
        may, must = (set(words.split()) for words in KNOWN[name])
        assert isinstance(x, dict) and must <= set(x) <= may, (name, x)
        for key, value in x.items():
            look(key, value)
    else:
        assert isinstance(x, TYPES.get(name, str)), (name, x)
    if name == "level":
        assert x in ("none", "note", "warning", "error"), x
    if name == "baselineState":
        assert x == "new", x
    if name == "uri":
        assert re.fullmatch(r"([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", x), x


log = json.loads(sys.stdin.read(), object_pairs_hook=strict, parse_constant=refuse)
if sys.argv[1] == "sarif":
    look("log", log)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
    assert run["results"]
    print("ok", run["invocations"][0]["executionSuccessful"], sys.argv[2])
else:
    assert log["findings"]
    print("ok", sys.argv[2])
EOF
check() {
	for output in json sarif; do
		"$WEIGH" audit -o $output "$@" 2>/dev/null | "$PYTHON" "$TMPDIR/check.py" $output "$*"
	done
}
cd "$FIXTURES/audit" || exit
for f in numbers.safetensors two.safetensors random.gguf gap.npz members.pt import.pkl trailing.npy; do check "$f"; done
check clean.safetensors numbers.safetensors
cd ../hostile || exit
for f in st-escape.safetensors zip-name.npz gguf-name.gguf onnx-name.onnx off.pt way-arguments.pkl beside trained-run; do check "$f"; done
cd "$TMPDIR" || exit
odd=$(printf 'a b#?:%%\303\274\377\033[31m"\134')
mkdir "$odd"
cp "$FIXTURES/audit/two.safetensors" "$odd/$odd.safetensors"
check "$odd/$odd.safetensors" | cut -c 1-7
# a name that is no UTF-8, of a tensor that something is found of
"$PYTHON" - <<'EOF'
import struct
name = b"a\xff\xfe\x1b"
head = b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + struct.pack("<Q", len(name)) + name + struct.pack("<IQIQ", 1, 4, 0, 0)
with open("name.gguf", "wb") as f:
    f.write(head + bytes(-len(head) % 32) + struct.pack("<4f", float("nan"), 1, 2, 3))
EOF
check name.gguf
