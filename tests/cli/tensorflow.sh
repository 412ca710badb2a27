#!/bin/sh
# Checkpoints by their index, a shard, their prefix or a directory; SavedModels; frozen graphs. Partitioned variables come as one.
cd "$FIXTURES/tf" || exit
"$WEIGH" list good.index
"$WEIGH" list good.data-00001-of-00002 | tail -n +2 | wc -l
"$WEIGH" show good 'table[::3,1:3]'
"$WEIGH" list -o json good | grep -o '"name":"[^"]*","alias":"[^"]*"'
"$WEIGH" diff good.index saved; echo $?
"$WEIGH" list saved
"$WEIGH" meta saved
"$WEIGH" list variables_only
"$WEIGH" list good.pb
"$WEIGH" meta good.pb
"$WEIGH" show good.pb 'conv/shape'
"$WEIGH" show good.pb 'pad[:3]'
