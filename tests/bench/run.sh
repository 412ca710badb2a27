#!/bin/sh
# make bench: how fast the program reads, beside a plain sum over the same mapped files in the same run. Figures of two
# runs differ by a fifth on a shared machine; the last column, a ratio within one run, is the one to compare.
# BUILD: the build directory; BENCH_MB: megabytes of each of the two files (they should fit the page cache).

BUILD=$(cd "${BUILD:-.}" && pwd) || exit 2
MB=${BENCH_MB:-256}
bench=$BUILD/obj/tests/bench/bench weigh=$BUILD/weigh
dir=$(mktemp -d "${TMPDIR:-/tmp}/weigh-bench.XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
threads=1
[ "$cores" -eq 1 ] || threads="1 $cores"

row() { # TYPE JOB THREADS GB/s CEILING
	[ -n "$4" ] || { echo "bench: $2 on $1 failed" >&2; exit 1; }
	awk -v t="$1" -v j="$2" -v n="$3" -v r="$4" -v c="$5" 'BEGIN { printf "%-6s %-22s %7d %8.2f %8.2f\n", t, j, n, r, r / c }'
}

printf '%-6s %-22s %7s %8s %8s\n' type job threads GB/s 'of sum'
for type in F32 BF16; do
	a=$dir/a.safetensors b=$dir/b.safetensors
	"$bench" make $type "$MB" "$a" "$b" || exit 2
	cat "$a" "$b" >/dev/null # into the page cache
	for n in $threads; do
		ceiling=$("$bench" sum "$n" "$a" "$b" 2>/dev/null) || exit 2
		row $type 'plain sum' "$n" "$ceiling" "$ceiling"
		row $type diff "$n" "$("$bench" time $((2 * MB)) "$weigh" diff -j "$n" -o json "$a" "$b")" "$ceiling"
		row $type 'diff --distribution' "$n" \
			"$("$bench" time $((2 * MB)) "$weigh" diff --distribution -j "$n" -o json "$a" "$b")" "$ceiling"
		row $type stats "$n" "$("$bench" time "$MB" "$weigh" stats -j "$n" -o json "$a")" "$ceiling"
	done
done
