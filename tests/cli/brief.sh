#!/bin/sh
# -q: one line and the status.
cd "$FIXTURES/cli" || exit
for f in twin b meta near; do
	"$WEIGH" diff -q a.safetensors $f.safetensors; echo $?
	"$WEIGH" -q a.safetensors $f.safetensors; echo $?
done
"$WEIGH" diff -q a.safetensors near.safetensors --atol 1e-3; echo $?
"$WEIGH" diff -q a.safetensors b.safetensors embed; echo $?
