#!/bin/sh
# The layers: base, bytes, model, format, num, analysis, then tui and batch. An include never points right, tui and batch
# never include each other, sources lie one level deep, and only main, batch and tui print. The program in h5 stands on
# format, and nothing includes what is in it; only there is libhdf5 used.

cd "${SRC:-$(dirname "$0")/../..}/src" || exit 1

# Prints a TAP line from what was found wrong: nothing is fine.
verdict() {
	n=$((n + 1))
	if [ -z "$2" ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; printf '%s\n' "$2" | sed 's/^/# /'; fi
}

left=
for layer in base bytes model format h5 num analysis tui batch; do
	[ $layer = batch ] && may="$left|batch" || may="$left${left:+|}$layer"
	case $layer in h5 | tui | batch) ;; *) left=$may ;; esac
	[ -d $layer ] || continue
	verdict "$layer includes only $(echo "$may" | tr '|' ' ')" \
		"$(grep -n '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' $layer/*.[ch] | grep -Ev "include[[:space:]]*\"($may)/[a-z0-9_]+\.(h|def)\"")"
done

verdict 'every included file of ours is there' "$(grep -h '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' ./*.c ./*/*.[ch] |
	sed 's/.*"\(.*\)".*/\1/' | sort -u | while read -r f; do [ -f "$f" ] || echo "$f"; done)"
verdict 'sources lie one level deep, in the layers' "$(find . -type f ! -path ./.clang-tidy | grep -Ev \
	'^\./(main\.c|(base|bytes|model|format|h5|num|analysis|tui|batch)/[a-z0-9_]+\.(c|h|def))$')"
# base/err.c has die(), for a bug or when memory for small things is out; snprintf and the like print nowhere.
words='v?printf|puts|putchar|perror|v?fprintf|fputs|fputc|putc|fwrite|stdout|stderr|initscr|printw'
verdict 'only main, batch and tui print' "$(grep -nE "(^|[^a-zA-Z_0-9])($words) *[(,;)]" \
	base/*.c bytes/*.c model/*.c format/*.c h5/*.c num/*.c analysis/*.c | grep -Ev '^(base/err|h5/main)\.c:')"
verdict 'only h5 uses libhdf5' "$(grep -nE '<hdf5\.h>|(^|[^a-zA-Z_0-9])H5[A-Z]{1,2}[a-z][a-z_0-9]+ *\(' ./*.c ./*/*.[ch] | grep -v '^\./h5/')"
verdict 'every header is guarded by its own name' "$(for f in */*.h; do
	guard=$(echo "$f" | tr 'a-z/.' 'A-Z__')
	grep -q "^#ifndef $guard\$" "$f" && grep -q "^#define $guard\$" "$f" || echo "$f: not $guard"
done)"
echo "1..$n"
