#!/bin/sh
# PyTorch's files with faults: what is sound of them is shown, and what is not is named.
cd "$FIXTURES/torch" || exit
exec 2>&1
COLUMNS=200 "$WEIGH" list broken.pt
echo $?
"$WEIGH" stats broken.pt good expanded
echo $?
for f in nothing no_pickle cut cut_pickle longer; do
	"$WEIGH" list $f.pt
	echo "$? $f"
done
