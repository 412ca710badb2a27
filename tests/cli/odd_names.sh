#!/bin/sh
# Names from strangers: harmless in text, whole in JSON.
cd "$FIXTURES/cli" || exit
"$WEIGH" list odd.gguf
"$WEIGH" list -o tsv odd.gguf | cut -f1
"$WEIGH" list -o jsonl odd.gguf
"$WEIGH" meta a.safetensors
"$WEIGH" stats odd.gguf "$(printf 'not\377utf-8\303')"
for o in text csv tsv markdown json; do
	"$WEIGH" diff -o $o odd.gguf a.safetensors
done | LC_ALL=C grep -c "$(printf '[\001-\010\013-\037\177]')"
# What a spreadsheet would compute, and what would reach a terminal out of JSON.
cd "$FIXTURES/hostile" || exit
"$WEIGH" list -o csv names.safetensors
"$WEIGH" list -o jsonl names.safetensors
