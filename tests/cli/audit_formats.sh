#!/bin/sh
# The findings in every output format.
cd "$FIXTURES/audit" || exit
for format in csv tsv jsonl markdown json; do
	echo "== $format"
	"$WEIGH" audit -o $format run.pt
	echo $?
done
"$WEIGH" audit -o html gap.npz | grep -c '<tr'
"$WEIGH" audit -n 2 -o csv numbers.safetensors
echo "== sarif"
"$WEIGH" audit -o sarif -n 3 numbers.safetensors | sed 's/,"rules":\[.*\]}},/,"rules":[...]}},/'
"$WEIGH" audit -o sarif template-a.gguf template-b.gguf | grep -o '"baselineState":"[a-z]*"' | sort | uniq -c
"$WEIGH" audit -o sarif clean.safetensors | grep -o '"id":"[a-z-]*"' | sort | uniq -d
# as many rules in it as the manual has
"$WEIGH" audit -o sarif clean.safetensors | grep -o '"id":"[a-z-]*"' | sed 's/.*:"//; s/"//' >"$TMPDIR/rules"
sh "$SRC/man/splice.sh" "$SRC" | sed -n '/^.Sh FINDINGS/,/^.El/s/^.It Cm \([a-z\\-]*\) Pq.*/\1/p' | sed 's/[\\]//g' | diff "$TMPDIR/rules" - && echo same
"$WEIGH" list -o sarif clean.safetensors
echo $?
echo "== arrays in NumPy's array of objects share its bytes, and a pickle aligns nothing"
cd ../hostile || exit
"$WEIGH" list -o tsv objects-inside.npy 2>&1 | cut -f 1-3,7-
"$WEIGH" audit -o csv objects-inside.npy 2>&1
