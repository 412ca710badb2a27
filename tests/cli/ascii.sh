#!/bin/sh
# Nothing beyond ASCII where the locale or --ascii says so.
cd "$FIXTURES/cli" || exit
all() {
	"$WEIGH" "$@" summary a.safetensors b.safetensors
	"$WEIGH" "$@" diff a.safetensors b.safetensors
	"$WEIGH" "$@" hist a.safetensors b.safetensors layers --bins 4
	"$WEIGH" "$@" meta undecoded.gguf
	"$WEIGH" "$@" list odd.gguf
	"$WEIGH" "$@" show large1.npy large1
}
all --ascii | LC_ALL=C grep -n '[^ -~]'
LC_ALL=C all | LC_ALL=C grep -n '[^ -~]'
"$WEIGH" --ascii diff a.safetensors b.safetensors
