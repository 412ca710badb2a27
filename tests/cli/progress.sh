#!/bin/sh
# The bar is on standard error, when asked for, and gone at the end.
cd "$FIXTURES/cli" || exit
"$WEIGH" stats -o tsv large1.npy 2>"$TMPDIR/none" | wc -l
wc -c <"$TMPDIR/none"
"$WEIGH" stats --progress=always -o tsv large1.npy 2>"$TMPDIR/bar" | wc -l
grep -c '%' "$TMPDIR/bar"
tail -c 4 "$TMPDIR/bar" | od -An -c
# What is unpacked has one, too, and a limit.
gzip -c large1.npy >"$TMPDIR/large.npy.gz"
cd "$TMPDIR" || exit
"$WEIGH" list --progress=always -o tsv large.npy.gz 2>bar | wc -l
grep -c ' unpacked' bar
"$WEIGH" list --unpack 1K large.npy.gz 2>&1
echo $?
"$WEIGH" list --unpack 1K - <"$FIXTURES/cli/large1.npy" 2>&1 | sed 1q
head -c 10000 "$FIXTURES/cli/large1.npy" | "$WEIGH" list --unpack 1K - 2>&1
"$WEIGH" list --unpack 1G -o tsv large.npy.gz | wc -l
