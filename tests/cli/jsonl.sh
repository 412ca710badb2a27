#!/bin/sh
# JSON lines: a tensor a line, and nothing else.
cd "$FIXTURES/cli" || exit
"$WEIGH" diff -o jsonl a.safetensors b.safetensors layers.0 new old
"$WEIGH" list -o jsonl a.safetensors layers.0
