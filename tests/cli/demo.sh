#!/bin/sh
# The pair that is shipped, as a person would look at it first.
cd "$DEMO" || exit
a=prophet-conv-r1.npz b=prophet-conv-r2.npz
"$WEIGH" $a $b </dev/null; echo $?
"$WEIGH" $a $b </dev/null | awk 'END { print (NR <= 24 ? "fits" : "does not fit") " a screen" }'
"$WEIGH" summary $a
"$WEIGH" list $a
"$WEIGH" stats $a
"$WEIGH" diff $a $b --sort rel_l2
"$WEIGH" diff $a $b --group 1
"$WEIGH" diff --distribution $a $b '/^0/'
"$WEIGH" hist $a $b 0.0.0.weight
"$WEIGH" show $a 0.0.1.bias '0.0.0.weight[0,:2]'
"$WEIGH" meta $a $b
