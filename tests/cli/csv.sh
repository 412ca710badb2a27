#!/bin/sh
# CSV, TSV and Markdown.
cd "$FIXTURES/cli" || exit
for o in csv tsv markdown; do
	echo "== $o"
	"$WEIGH" list -o $o a.safetensors
	"$WEIGH" list -o $o odd.gguf
	"$WEIGH" stats -o $o a.safetensors special big
	"$WEIGH" diff -o $o a.safetensors b.safetensors special new old
	"$WEIGH" hist -o $o --bins 2 a.safetensors b.safetensors layers.0.attn.weight
	"$WEIGH" meta -o $o a.safetensors
	"$WEIGH" meta -o $o a.safetensors b.safetensors
	"$WEIGH" show -o $o a.safetensors 'layers.0.attn.weight[:2]'
	"$WEIGH" summary -o $o a.safetensors b.safetensors
	"$WEIGH" diff -q -o $o a.safetensors b.safetensors
done
"$WEIGH" diff -o csv a.safetensors b.safetensors | awk -F, '{ n[NF]++ } END { for (i in n) print i, n[i] }'
