#!/bin/sh
# Text fits COLUMNS (characters are counted by their first bytes); without them nothing is cut.
cd "$FIXTURES/cli" || exit
for columns in 40 60 80 132; do
	for c in 'list a.safetensors' 'stats a.safetensors' 'diff a.safetensors b.safetensors' 'summary a.safetensors b.safetensors' \
		'summary a.safetensors' 'hist a.safetensors b.safetensors embed' 'list odd.gguf' 'meta undecoded.gguf'; do
		# shellcheck disable=SC2086 # words are meant
		COLUMNS=$columns "$WEIGH" $c | LC_ALL=C sed "s/[$(printf '\200-\277')]//g" |
			LC_ALL=C awk -v most=$columns -v c="$c" '{ if (length > most) print most, c ": " $0 }'
	done
done
COLUMNS=40 "$WEIGH" diff a.safetensors b.safetensors
COLUMNS='' "$WEIGH" stats a.safetensors special
COLUMNS=60 "$WEIGH" summary a.safetensors b.safetensors
