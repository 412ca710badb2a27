#!/bin/sh
# The examples of the manual and of the README print what these say: lines after "$ ", run beside the demo's files.
cd "$DEMO" || exit 2
PATH=$(dirname "$WEIGH"):$PATH
work=$TMPDIR/papers
mkdir -p "$work"

# examples FILE INDENT: every command and what is said of it, as N.cmd and N.want
examples() {
	awk -v dir="$work" -v indent="$2" '
	function close_block() { if (n && open) close(want); open = 0 }
	substr($0, 1, length(indent)) == indent { text = substr($0, length(indent) + 1); inside = 1 }
	substr($0, 1, length(indent)) != indent { text = $0; inside = $0 == "" }
	/^\.Ed/ || !inside { close_block(); next }
	text ~ /^\$ / {
		close_block()
		n++; open = 1
		want = dir "/" n ".want"
		print substr(text, 3) >(dir "/" n ".cmd"); close(dir "/" n ".cmd")
		printf "" >want
		next
	}
	open { gsub(/\\e/, "\\", text); sub(/^\\&/, "", text); print text >want }
	' "$1"
}

check() {
	rm -f "$work"/*.cmd "$work"/*.want
	examples "$1" "$2"
	ran=0
	for cmd in "$work"/*.cmd; do
		[ -e "$cmd" ] || break
		sh "$cmd" >"$work/got" 2>&1
		# blank lines at the end belong to the page
		for f in "$work/got" "${cmd%.cmd}.want"; do
			awk '{ lines[NR] = $0; if ($0 != "") last = NR } END { for (i = 1; i <= last; i++) print lines[i] }' "$f" >"$f.cut"
		done
		if ! cmp -s "$work/got.cut" "${cmd%.cmd}.want.cut"; then
			echo "${1##*/}: $(cat "$cmd")"
			diff -u "${cmd%.cmd}.want.cut" "$work/got.cut"
		fi
		ran=$((ran + 1))
	done
	echo "${1##*/}: $ran examples"
}
check "$SRC/README" '    '
check "$SRC/man/weigh.1.in" ''
