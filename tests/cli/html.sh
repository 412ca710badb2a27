#!/bin/sh
# One page of html: tables, text and colours by classes.
cd "$FIXTURES/cli" || exit
"$WEIGH" diff -o html a.safetensors b.safetensors 'layers.*' | sed 's,weigh [0-9.]*",weigh VERSION",'
"$WEIGH" meta -o html a.safetensors b.safetensors | sed '1,/<body>/d'
"$WEIGH" hist --bins 4 -o html a.safetensors b.safetensors special | sed '1,/<body>/d'
