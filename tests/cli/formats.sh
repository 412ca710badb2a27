#!/bin/sh
# The tables of formats and of types; every type has a row.
"$WEIGH" formats -o tsv | sed '/^$/,$d' | cut -f1,2
"$WEIGH" formats -o csv | sed -n '/^type,/,$p'
"$WEIGH" formats -o json | grep '"type":"\(IQ2_XXS\|Q4_K\)"'
"$WEIGH" formats | grep '^\(type\|IQ1_M\|Q4_K\) '
