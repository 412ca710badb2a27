#!/bin/sh
# A wrong command line is one line on standard error and status 2.
cd "$FIXTURES/cli" || exit
try() { "$WEIGH" "$@"; echo "$? weigh $*"; }
exec 2>&1
try
try --frobnicate a.safetensors
try -Z a.safetensors
try list
try list -o
try list --sort
try list --reverse=yes a.safetensors
try list -o yaml a.safetensors
try list --sort size a.safetensors
try list --top 0 a.safetensors
try list --top -1 a.safetensors
try list --top ' 1' a.safetensors
try list --top 1x a.safetensors
try list --top 99999999999999999999 a.safetensors
try list --group 0 a.safetensors
try list --threads many a.safetensors
try diff --atol -1 a.safetensors b.safetensors
try diff --atol nan a.safetensors b.safetensors
try diff --rtol 1e400 a.safetensors b.safetensors
try diff --status changed,gone a.safetensors b.safetensors
try diff --status '' a.safetensors b.safetensors
try diff a.safetensors
try summary a.safetensors b.safetensors twin.safetensors
try a.safetensors b.safetensors twin.safetensors
try list --format ms-word a.safetensors
try list --color sometimes a.safetensors
try list --size 80 a.safetensors
try list --unpack 1Q a.safetensors
try list --unpack 0 a.safetensors
try list --cpu none a.safetensors 2>&1 | sed 's/there are c[ a-z0-9]*$/there are c .../' # and what this processor has
try frobnicate
try ./frobnicate
try stats a.safetensors '/(/'
try stats a.safetensors no.such.name
try stats a.safetensors -m 'no*such'
try formats a.safetensors
