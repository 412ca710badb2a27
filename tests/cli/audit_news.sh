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
# the same bytes in another place, and others in the same; what is one under another name
say gap1.safetensors gap2.safetensors
say gap1.safetensors gap3.safetensors
say gap.npz gap2.npz
cp zip.gguf "$TMPDIR/other.gguf"
(cd "$TMPDIR" && "$WEIGH" audit "$FIXTURES/audit/zip.gguf" other.gguf)
say ../hostile/chat-a ../hostile/chat-b
say ../hostile/chat-b/model.safetensors ../hostile/chat-a
say clean.safetensors ../cli/broken.gguf
