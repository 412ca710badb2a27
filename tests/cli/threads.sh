#!/bin/sh
# The same bytes from 1 thread and from 16.
cd "$FIXTURES/cli" || exit
for c in 'stats large1.npy' 'diff large1.npy large2.npy' 'diff --distribution large1.npy large2.npy' 'summary large1.npy large2.npy' \
	'hist large1.npy large2.npy' 'diff a.safetensors b.safetensors' 'diff --distribution a.safetensors b.safetensors' \
	'diff -q a.safetensors b.safetensors'; do
	# shellcheck disable=SC2086 # words are meant
	one=$("$WEIGH" $c -o json -j 1 | cksum) many=$("$WEIGH" $c -o json -j 16 | cksum)
	[ "$one" = "$many" ] && echo "same: $c"
done
