#!/bin/sh
# What audit finds: code, bytes, numbers, provenance; the exit status follows --fail-on.
cd "$FIXTURES/audit" || exit
say() {
	echo "== $*"
	"$WEIGH" audit "$@" 2>&1
	echo "status $?"
}
say clean.safetensors
for f in import.pkl members.pt template-b.gguf ../hdf5/stored.keras; do say $f; done
for f in plain.npz gap.npz comment.npz damaged.npz one.npy trailing.npy two.safetensors padding.gguf shards; do say $f; done
say numbers.safetensors
say ../cli/broken.gguf
say ../cli/undecoded.gguf
say ../torch/broken.pt
say pointer.safetensors
say --fail-on note clean.safetensors
say --fail-on warning plain.npz
say --fail-on danger gap.npz
say --fail-on danger import.pkl
