#!/bin/sh
# What messages quote, of the command line, of file names and of scripts, is harmless too: control characters, the C1
# ones, bidirectional overrides and invalid UTF-8. Where the terminal has no UTF-8 they are ASCII: a byte of a letter
# would be a control character to it (U+00DB is C3 9B).
ln -s "$DEMO/prophet-conv-r1.npz" a.npz
odd=$(printf '\033]0;x\007\302\2335m\342\200\256\377\303\233')
printf '%s\n' "$odd" >"keys$odd"
printf '{"\342\200\256' >"json$odd"
messages() {
	"$WEIGH" list "none$odd"
	"$WEIGH" list "json$odd"
	"$WEIGH" list "a.npz:$odd"
	"$WEIGH" diff "--nosuch$odd"
	"$WEIGH" list -o "$odd" a.npz
	"$WEIGH" list --limit "$odd" a.npz
	"$WEIGH" list --cpu "$odd" a.npz
	"$WEIGH" list a.npz "/($odd/"
	"$WEIGH" list a.npz "$odd"
	"$WEIGH" show a.npz "${odd}[1]"
	"$WEIGH" show a.npz "0.0.weight[$odd]"
	"$WEIGH" export -o "none/$odd" a.npz 4.3.bias
	"$WEIGH" --size "$odd" a.npz
	"$WEIGH" --keys "none$odd" a.npz
	"$WEIGH" --keys "keys$odd" a.npz
} 2>&1
messages | sed 's/; there are .*//'
echo '== without UTF-8'
LC_ALL=C messages | sed 's/; there are .*//'
