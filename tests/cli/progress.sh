#!/bin/sh
# The bar is on standard error, when asked for, and gone at the end.
cd "$FIXTURES/cli" || exit
"$WEIGH" stats -o tsv large1.npy 2>"$TMPDIR/none" | wc -l
wc -c <"$TMPDIR/none"
"$WEIGH" stats --progress=always -o tsv large1.npy 2>"$TMPDIR/bar" | wc -l
grep -c '%' "$TMPDIR/bar"
tail -c 4 "$TMPDIR/bar" | od -An -c
