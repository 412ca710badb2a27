#!/bin/sh
# Colours only where they were asked for, and nowhere but in text.
cd "$FIXTURES/cli" || exit
esc=$(printf '\033')
colored() { env "$@" "$WEIGH" diff $when -o $o a.safetensors b.safetensors | grep -c "$esc"; }
o=text
for when in --color=auto --color=never --color=always; do echo "$when $(colored TERM=xterm) $(colored TERM=xterm NO_COLOR=1)"; done
when=--color=always
for o in csv tsv json jsonl markdown; do echo "$o $(colored TERM=xterm)"; done
"$WEIGH" diff --color=always a.safetensors b.safetensors layers.0 old new | sed "s/$esc/<ESC>/g"
