#!/bin/sh
# The jobs view, without what is never twice the same, or is the machine's: speeds, times, other kernels, processors.
echo '@wait J @wait @save jobs.screen q @save tree.screen' >jobs.keys
"$WEIGH" --keys jobs.keys --size 80x24 --cpu c -j 2 --io mmap "$DEMO/prophet-conv-r1.npz" "$DEMO/prophet-conv-r2.npz"
sed -e '/^ speed  *[0-9.]* .*B\/s on average$/d' -e 's/^\( time  *\)[0-9.]* m*s$/\1TIME/' \
	-e 's/^\( sandbox  *\).*/\1HOLDS/' -e 's/; this processor could use .*//' -e 's/, for [0-9]* processors*$//' -e '/^$/d' jobs.screen
sed -n 2,3p tree.screen
