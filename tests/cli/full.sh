#!/bin/sh
# No space left: said, and status 2.
[ -c /dev/full ] || { echo 'there is no /dev/full'; exit 77; }
cd "$FIXTURES/cli" || exit
for c in 'list a.safetensors' 'diff a.safetensors b.safetensors' 'stats -o json a.safetensors' '--help' 'a.safetensors'; do
	# shellcheck disable=SC2086 # words are meant
	"$WEIGH" $c >/dev/full
	echo "$? $c"
done
