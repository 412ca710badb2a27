#!/bin/sh
# make bench: how fast the program reads, beside a plain sum over the same files, got at the same way, in the same run.
# Mel/s: millions of elements a second, of both files where there are two.
# Figures of two runs differ by a fifth on a shared machine; the ratios within one run are what to compare.
# BUILD: the build directory; BENCH_MB: megabytes of each file (two of them should fit the page cache); BENCH_TYPES,
# BENCH_IO, BENCH_CPU: which types, ways (mmap read) and kernel tables, where not all are wanted.

BUILD=$(cd "${BUILD:-.}" && pwd) || exit 2
MB=${BENCH_MB:-512}
bench=$BUILD/obj/tests/bench/bench weigh=$BUILD/weigh
dir=$(mktemp -d "${TMPDIR:-/tmp}/weigh-bench.XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
threads=1
[ "$cores" -eq 1 ] || threads="1 $cores"
a=$dir/a b=$dir/b

# Bits of an element, for the elements a second of both files.
bits() {
	case $1 in F32) echo 32 ;; BF16 | F16) echo 16 ;; F8) echo 8 ;; Q8_0) echo 8.5 ;; Q4_K | Q4_0) echo 4.5 ;; Q6_K) echo 6.5625 ;; *) echo 4.25 ;; esac
}

# What a job needs of the command line; --brief stops at the first difference, so it is only for equal files.
one() { "$bench" time "$MB" "$weigh" stats --io="$io" --cpu="$cpu" -j "$n" -o json "$@" "$a"; }
two() { "$bench" time $((2 * MB)) "$weigh" diff --io="$io" --cpu="$cpu" -j "$n" -o json "$@"; }

row() { # JOB GB/s SUM [CMP]
	[ -n "$2" ] || { echo "bench: $1 on $type failed" >&2; exit 1; }
	awk -v t="$type" -v b="$(bits "$type")" -v i="$io" -v k="$cpu" -v n="$n" -v j="$1" -v r="$2" -v s="$3" -v c="$4" 'BEGIN {
		printf "%-7s %-5s %-7s %7d  %-20s %7.2f %7.0f %7.2f %7s\n", t, i, k, n, j, r, 8000 * r / b, r / s, c ? sprintf("%.2f", r / c) : "-" }'
}

printf '%-7s %-5s %-7s %7s  %-20s %7s %7s %7s %7s\n' type io cpu threads job GB/s Mel/s 'of sum' 'of cmp'
for type in ${BENCH_TYPES:-F32 BF16 F16 F8 Q8_0 Q4_0 Q4_K Q6_K IQ4_XS}; do
	"$bench" make "$type" "$MB" "$a" "$b" || exit 2
	cat "$a" "$b" >/dev/null # into the page cache
	cp "$a" "$dir/same" # cmp looks at inodes first
	cmp=$("$bench" time $((2 * MB)) cmp "$a" "$dir/same")
	for io in ${BENCH_IO:-mmap read}; do
		for n in $threads; do
			sum1=$("$bench" sum "$io" "$n" "$a" 2>/dev/null) sum=$("$bench" sum "$io" "$n" "$a" "$b" 2>/dev/null)
			same=$("$bench" same "$io" "$n" "$a" "$dir/same" 2>/dev/null)
			cpu=-
			row 'plain sum' "$sum" "$sum" "$cmp"
			row 'memcmp' "$same" "$sum" "$cmp"
			for cpu in ${BENCH_CPU:-c avx2 avx512 neon}; do
				"$weigh" --cpu="$cpu" formats >/dev/null 2>&1 || continue
				row 'one: moments' "$(one -g 1)" "$sum1"
				row 'one: moments, counts' "$(one)" "$sum1"
				row 'two: differences' "$(two "$a" "$b")" "$sum" "$cmp"
				row 'two: with counts' "$(two --distribution "$a" "$b")" "$sum" "$cmp"
				row 'two: identical' "$(two "$a" "$dir/same")" "$same" "$cmp"
			done
		done
	done
done
