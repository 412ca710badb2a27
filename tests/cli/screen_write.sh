#!/bin/sh
# What w writes: a table in each of its formats, and a text.
cat >keys <<'END'
@wait zR & "bias rel_l2>1" Enter
w "t.csv" Enter w ^U "t.json" Enter w ^U "t.md" Enter w ^U "t.txt" Enter
& ^U Enter zM 1 w ^U "summary.txt" Enter
END
ln -s "$DEMO/prophet-conv-r1.npz" "$DEMO/prophet-conv-r2.npz" .
"$WEIGH" --keys keys --size 120x24 prophet-conv-r1.npz prophet-conv-r2.npz
for f in t.csv t.json t.md t.txt summary.txt; do
	echo "== $f"
	cat $f
done
# What names would do in a spreadsheet, in a page made of Markdown, and on a terminal.
echo '@wait w "n.csv" Enter w ^U "n.json" Enter w ^U "n.md" Enter w ^U "n.txt" Enter' >keys
"$WEIGH" --keys keys --size 120x24 "$FIXTURES/hostile/names.safetensors"
cut -d, -f1 n.csv
grep -o '"name":[^,]*' n.json
cut -d '|' -f2 n.md | tr -d ' '
awk '{ print $1 }' n.txt
