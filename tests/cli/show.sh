#!/bin/sh
# Slices as NumPy has them.
cd "$FIXTURES/cli" || exit
say() { echo "== $*"; "$WEIGH" show "$@"; }
say a.safetensors layers.0.attn.weight
say a.safetensors 'layers.0.attn.weight[0]' 'layers.0.attn.weight[-1,-2]' 'layers.0.attn.weight[::3,1:-1]'
say a.safetensors 'layers.0.attn.weight[..., 0]' 'layers.0.attn.weight[::-4, ::-1]' 'layers.0.attn.weight[5:1]'
say a.safetensors special big mask scalar empty
say a.safetensors 'layers.*.bias'
say large1.npy 'large1[:1500]'
say large1.npy 'large1[-20:]'
exec 2>&1
say a.safetensors 'layers.0.attn.weight[8]'
say a.safetensors 'layers.0.attn.weight[0,0,0]'
say a.safetensors 'layers.0.attn.weight[::0]'
say a.safetensors 'layers.0.attn.weight[a]'
say a.safetensors 'layers.0.attn.weight[1:2:3:4]'
say a.safetensors 'layers.0.attn.weight[99999999999999999999]'
say a.safetensors 'nothing[0]'
say undecoded.gguf packed.1
say odd.gguf 'brackets[0:2]' 'brackets[0:2][:3]'
