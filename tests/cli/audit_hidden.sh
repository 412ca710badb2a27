#!/bin/sh
# What hides behind another format's head, in gaps, padding and packed entries, beside a model in an archive, under scales.
cd "$FIXTURES/audit" || exit
say() {
	echo "== $*"
	"$WEIGH" audit -o tsv "$@" 2>&1 | grep -v '	origin'
}
for f in gif.npz zip.pkl zip.gguf two.safetensors holes.safetensors random.gguf; do say $f; done
for f in longer.npz behind.npz extra.pt ../torch/deflated.pt; do say $f; done
say zeros.npz | sed 's/to [0-9]* times/to N times/'
# beside the model: once, however it is named
for f in bundle.tar bundle.7z bundle.7z:small.safetensors; do say $f; done
for f in codes.gguf narrow.safetensors halves.safetensors wide.safetensors clean2.safetensors; do say $f; done
for f in scales.gguf bools.safetensors; do say $f; done
