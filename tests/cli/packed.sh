#!/bin/sh
# Packed tensors: listed as one, with their parts on demand, compared by value; what is not clear is left and noted.
cd "$FIXTURES/packs" || exit
say() { printf '$ weigh %s\n' "$*"; "$WEIGH" "$@" 2>&1; echo "[$?]"; echo; }
say list gptq.safetensors
say list --parts gptq.safetensors
say list --parts -o csv gptq.safetensors
say list -o json gptq.safetensors
say list --raw gptq.safetensors
say show gptq.safetensors 'proj.weight[:3,::8]'
say show gptq.safetensors proj.scales
say show --raw gptq.safetensors proj.scales
say diff gptq.safetensors plain.safetensors
say diff gptq.safetensors gptq2.safetensors
say diff -q gptq.safetensors gptq.safetensors
say diff one.safetensors two.safetensors
say diff --raw one.safetensors two.safetensors
say summary unclear.safetensors
say list -o json unclear.safetensors
say stats broken.safetensors
