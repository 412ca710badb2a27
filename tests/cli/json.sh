#!/bin/sh
# JSON: one object, numbers that read back exactly.
cd "$FIXTURES/cli" || exit
say() { echo "== $*"; "$WEIGH" "$@"; }
say list -o json a.safetensors
say stats -o json a.safetensors special big empty scalar
say diff -o json a.safetensors b.safetensors special big layers.10 old new layers.1.norm
say diff -o json --distribution a.safetensors b.safetensors layers.0.attn.weight
say summary -o json a.safetensors b.safetensors
say summary -o json a.safetensors
say hist -o json --bins 2 a.safetensors b.safetensors special
say hist -o json --bins 2 a.safetensors special
say meta -o json undecoded.gguf
say meta -o json a.safetensors b.safetensors
say show -o json a.safetensors special big mask scalar empty 'embed.weight[1:3, ::-2]'
say diff -o json --brief a.safetensors b.safetensors
say diff -o json --group 1 a.safetensors b.safetensors
say stats -o json undecoded.gguf packed.0
