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
