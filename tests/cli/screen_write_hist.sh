#!/bin/sh
# What w writes in the histogram: its bins, in each format; what lies outside a range is counted in rows of its own.
cat >keys <<'END'
@wait ]c @wait H @wait w "all.csv" Enter w ^U "all.md" Enter w ^U "all.txt" Enter
j @wait : "-1,1" Enter k @wait : "0.2,0.6" Enter @wait w ^U "range.csv" Enter w ^U "range.json" Enter
END
ln -s "$DEMO/prophet-conv-r1.npz" "$DEMO/prophet-conv-r2.npz" .
"$WEIGH" --keys keys --size 60x16 prophet-conv-r1.npz prophet-conv-r2.npz
head -n 4 all.csv
for f in all range; do
	echo "$f.csv: rows, elements of A, B and B - A"
	awk -F, 'NR > 1 { n[$1]++; a += $4; b += $5; d += $6 } END { print n["values"], n["differences"], a, b, d }' $f.csv
done
awk -F, 'NR == 2 || $1 != last { print } { last = $1; line = $0 } END { print line }' range.csv
head -n 3 range.json
head -n 4 all.md
head -n 3 all.txt
ln -s "$DEMO/prophet-conv-r1.npz" one.npz
echo '@wait zR j @wait H @wait w "one.csv" Enter' >keys
"$WEIGH" --keys keys --size 60x16 one.npz
head -n 3 one.csv
