#!/bin/sh
# With B, only what is new in it.
cd "$FIXTURES/audit" || exit
say() {
	echo "== $*"
	"$WEIGH" audit "$@" 2>&1
	echo "status $?"
}
say template-a.gguf template-b.gguf
say template-b.gguf template-a.gguf
say clean.safetensors numbers.safetensors
say numbers.safetensors numbers.safetensors
say plain.npz gap.npz
say run.0.pkl run.4.pkl
say clean.safetensors ../cli/broken.gguf
