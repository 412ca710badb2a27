#!/bin/sh
# Options may follow operands, -- ends them, a file named like a command is ./list, and standard input is -.
cp "$FIXTURES/cli/a.safetensors" list
cp list -- --reverse
"$WEIGH" list ./list -n 2
"$WEIGH" ./list -o csv --top=1 | head -n 2
"$WEIGH" list -n1 -- --reverse
"$WEIGH" list -n 1 - <"$FIXTURES/cli/a.safetensors"
"$WEIGH" hist -n 1 ./list --bins 2 embed.weight
