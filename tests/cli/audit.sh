#!/bin/sh
# What audit finds: code, bytes, numbers, provenance; the exit status follows --fail-on.
cd "$FIXTURES/audit" || exit
say() {
	echo "== $*"
	"$WEIGH" audit "$@" 2>&1
	echo "status $?"
}
say clean.safetensors
for f in import.pkl layers.pkl members.pt template-b.gguf writes.pb; do say $f; done
for f in plain.npz gap.npz comment.npz damaged.npz one.npy trailing.npy two.safetensors padding.gguf shards; do say $f; done
say numbers.safetensors
say unnamed.safetensors
say ../cli/broken.gguf
# every check that these have not met
find_code() { "$WEIGH" audit -o csv "$2" 2>/dev/null | grep "^[a-z]*,$1,"; }
find_code custom-op ../tf/good.tflite
find_code external-data ../proto/onnx/link_in.onnx
find_code checksum ../tf/crc.index
find_code overlap ../tf/types.index
find_code scale ../torch/views.pt
for f in agree contradict blocks.gguf; do find_code origin-conflict $f; done
find_code origin blocks.gguf
find_code unread ../packs/broken.safetensors
find_code pickle-unknown ../torch/module.pt
find_code zip-gap twelve.npz
find_code zip-gap twenty.npz
find_code zip-gap entry.npz
for f in bare.gguf behind.gguf; do find_code rule $f; done
for f in unused.pt used.pt notes.npz; do find_code unclaimed $f; done
# what is deflated, or was inflated since, leaves no gaps; nor do data descriptors, those of folders too
find_code zip-gap pipe0.npz
find_code zip-gap pipe8.npz
find_code zip-gap ../torch/deflated.pt
say ../cli/undecoded.gguf
say ../torch/broken.pt
say pointer.safetensors
say --fail-on note clean.safetensors
say --fail-on warning plain.npz
say --fail-on danger gap.npz
say --fail-on danger import.pkl
