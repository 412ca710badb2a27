#!/bin/sh
# A reader that has had enough ends the output quietly; the status is that of what was compared.
cd "$FIXTURES/cli" || exit
{ "$WEIGH" a.safetensors b.safetensors </dev/null; echo "status $?" >&2; } | head -n 1
{ "$WEIGH" show -o csv large1.npy large1; echo "status $?" >&2; } | head -c 20; echo
{ "$WEIGH" list -o json odd.gguf; echo "status $?" >&2; } | :
