#!/bin/sh
# Flax: names by the tree, arrays in chunks, other values as metadata; what is cut off or never ends.
cd "$FIXTURES/tf" || exit
exec 2>&1
"$WEIGH" list good.msgpack
"$WEIGH" meta good.msgpack
"$WEIGH" show good.msgpack params/big
for f in trailing bad hole deep huge_ext huge_map huge_text never names; do
	echo "== $f"
	"$WEIGH" list "$f.msgpack"; echo $?
done
