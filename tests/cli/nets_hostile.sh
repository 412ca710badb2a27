#!/bin/sh
# Nets that are damaged or lie: what is wrong is one line each, what could be read is listed all the same, and nothing that
# a header claims is believed. Exit status and number of tensors, then what was said.
# timeout: 180
cd "$FIXTURES/nets" || exit
for f in *; do
	case $f in *.cfg) continue ;; esac
	"$WEIGH" list -o tsv "$f" >"$TMPDIR/list" 2>"$TMPDIR/said"
	echo "$? $(sed 1d "$TMPDIR/list" | wc -l | tr -d ' ') $f"
	sed 's/^weigh: [^ ]*: /	/; 5,$d' "$TMPDIR/said"
done
