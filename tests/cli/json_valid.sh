#!/bin/sh
# Every JSON and JSON lines output is read by a strict parser.
# timeout: 180
[ -n "$PYTHON" ] || { echo 'no Python with NumPy'; exit 77; }
cd "$FIXTURES/cli" || exit
check() {
	"$WEIGH" "$@" 2>/dev/null | "$PYTHON" -c '
import json, sys
def strict(pairs):
    keys = [k for k, v in pairs]
    assert len(keys) == len(set(keys)), keys
    return dict(pairs)
def refuse(x):
    raise ValueError(x)
lines = sys.stdin.read().splitlines() if sys.argv[1] == "jsonl" else [sys.stdin.read()]
for line in lines:
    json.loads(line, object_pairs_hook=strict, parse_constant=refuse)
print("ok", len(lines), *sys.argv[2:])
' "$output" "$@"
}
for output in json jsonl; do
	for f in a.safetensors odd.gguf undecoded.gguf broken.gguf; do
		for c in summary list stats hist meta; do check $c -o $output $f; done
		for c in summary diff hist meta; do check $c -o $output $f b.safetensors; done
	done
	check show -o $output a.safetensors '*'
	check show -o $output odd.gguf '*'
	check formats -o $output
	check list -g 1 -o $output a.safetensors
done
