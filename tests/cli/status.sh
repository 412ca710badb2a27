#!/bin/sh
# 0 no difference, 1 differences, 2 trouble: every case.
cd "$FIXTURES/cli" || exit
try() { want=$1; shift; "$WEIGH" "$@" >/dev/null 2>&1; got=$?; echo "$got weigh $*"; [ $got -eq "$want" ] || echo "wanted $want"; }
for c in summary diff; do
	try 0 $c a.safetensors twin.safetensors
	try 1 $c a.safetensors b.safetensors
	try 1 $c a.safetensors meta.safetensors
	try 1 $c a.safetensors near.safetensors
	try 0 $c --atol 0.001 a.safetensors near.safetensors
	try 1 $c --atol 0.001 a.safetensors b.safetensors
	try 2 $c undecoded.gguf undecoded2.gguf
	try 0 $c undecoded.gguf undecoded.gguf
	try 2 $c broken.gguf broken.gguf
	try 2 $c a.safetensors missing
	try 0 $c -q a.safetensors twin.safetensors
	try 1 $c -q a.safetensors b.safetensors
	try 1 $c -q a.safetensors meta.safetensors
	try 0 $c -q --rtol 0.01 a.safetensors near.safetensors
	try 2 $c -q undecoded.gguf undecoded2.gguf
done
try 0 diff a.safetensors b.safetensors embed
try 0 diff a.safetensors meta.safetensors 'layers.*'
try 1 diff a.safetensors b.safetensors layers.0
try 1 diff --status identical a.safetensors b.safetensors
try 1 diff --top 1 a.safetensors b.safetensors
try 0 diff -v '*' a.safetensors b.safetensors
try 0 a.safetensors
try 1 a.safetensors b.safetensors
for c in summary list stats hist meta; do
	try 0 $c a.safetensors
	try 2 $c broken.gguf
	try 2 $c text.txt
done
try 0 list undecoded.gguf
try 2 stats undecoded.gguf
try 0 stats undecoded.gguf ok
try 0 hist a.safetensors twin.safetensors
try 1 hist a.safetensors b.safetensors
try 0 meta a.safetensors twin.safetensors
try 1 meta a.safetensors b.safetensors
try 0 show a.safetensors special
try 2 show a.safetensors none
try 2 show a.safetensors 'special[9]'
try 2 show a.safetensors
try 2 show undecoded.gguf packed.0
try 0 export a.safetensors special
try 2 export a.safetensors none
try 2 export a.safetensors
try 2 export a.safetensors 'layers.*'
try 2 export undecoded.gguf packed.0
try 2 export broken.gguf gone
try 0 formats
