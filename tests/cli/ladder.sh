#!/bin/sh
# Pairs of two types that are rounded, quantised, or nearly so.
cd "$FIXTURES/cli" || exit
say() { echo "== $*"; "$WEIGH" "$@"; echo "exit $?"; }
say diff wide.safetensors half.safetensors
say diff half.safetensors wide.safetensors
say diff wide.safetensors off.safetensors
say diff big.safetensors mixed.safetensors
say diff wide.safetensors blocks.gguf
say diff wide.safetensors fewoff.gguf
say diff fewoff.gguf wide.safetensors --status quantised
say diff half.safetensors blocks.gguf
say diff -g 2 wide.safetensors fewoff.gguf
say diff --ascii --status cast big.safetensors mixed.safetensors
say diff --rtol 0.001 wide.safetensors half.safetensors
say diff -q wide.safetensors half.safetensors
say diff -q blocks.gguf wide.safetensors
say summary wide.safetensors half.safetensors
say summary wide.safetensors fewoff.gguf
echo '== json'
"$WEIGH" diff -o jsonl big.safetensors mixed.safetensors | sed 's/"a_type.*//'
"$WEIGH" diff -o jsonl fewoff.gguf wide.safetensors | sed 's/"a_type.*//'
"$WEIGH" diff -o json wide.safetensors fewoff.gguf | grep '"summary"'
echo '== csv'
"$WEIGH" diff -o csv wide.safetensors fewoff.gguf | awk -F, '{ print $1, $2, $(NF - 1), $NF }'
