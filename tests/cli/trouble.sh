#!/bin/sh
# One broken or undecoded tensor does not hide the rest; it is named, and many of a kind are counted.
cd "$FIXTURES/cli" || exit
exec 2>&1
"$WEIGH" list broken.gguf; echo $?
"$WEIGH" stats broken.gguf; echo $?
"$WEIGH" summary broken.gguf; echo $?
"$WEIGH" diff broken.gguf broken.gguf; echo $?
"$WEIGH" stats undecoded.gguf; echo $?
"$WEIGH" list undecoded.gguf; echo $?
"$WEIGH" summary undecoded.gguf; echo $?
"$WEIGH" diff undecoded.gguf undecoded2.gguf; echo $?
"$WEIGH" diff -q undecoded.gguf undecoded2.gguf; echo $?
"$WEIGH" diff -o jsonl undecoded.gguf undecoded2.gguf packed.7; echo $?
# a tensor does not go into a file of its own model, by whatever name
cp a.safetensors "$TMPDIR/own.safetensors"
ln -s own.safetensors "$TMPDIR/link"
(cd "$TMPDIR" && for f in own.safetensors link; do "$WEIGH" export own.safetensors embed.weight -o $f; echo "$? $f"; done)
cmp a.safetensors "$TMPDIR/own.safetensors" && echo 'it is as it was'
