#!/bin/sh
# A tree of a forest is no layer, and no outlier among the others; a layer of the same numbers is.
cd "$FIXTURES/audit" || exit
for file in trees.npz layers.npz; do
	echo "== $file"
	"$WEIGH" audit -o csv $file | grep outlier
done
