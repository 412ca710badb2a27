#!/bin/sh
# The tables of formats and of types; every type has a row, whether it is decoded or not.
"$WEIGH" formats -o tsv | awk -F'\t' 'NF == 5 && $5 ~ /^(true|false)$/ { n[$5]++ } END { print (n["true"] > 0) }'
"$WEIGH" formats -o tsv | cut -f1,2
"$WEIGH" formats -o csv | grep '^Q4_K'
