#!/bin/sh
# The text of every command, on 80 columns.
cd "$FIXTURES/cli" || exit
say() { echo "== $*"; "$WEIGH" "$@"; }
say summary a.safetensors
say summary a.safetensors b.safetensors
say summary a.safetensors twin.safetensors
say summary a.safetensors meta.safetensors
say list a.safetensors
say stats a.safetensors
say diff a.safetensors b.safetensors
say hist a.safetensors embed.weight --bins 4
say hist a.safetensors b.safetensors special layers.0.attn.weight --bins 4
say meta a.safetensors
say meta a.safetensors b.safetensors
say meta undecoded.gguf
