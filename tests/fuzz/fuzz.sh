#!/bin/sh
# Called by make fuzz: NAME SECONDS. Builds with clang, libFuzzer and sanitizers in obj/fuzz (once; make does the rest),
# and fuzzes with one process. New inputs gather in obj/fuzz/corpus/NAME; what it died of is obj/fuzz/NAME-crash-*.
name=$1 seconds=$2
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 2
build=obj/fuzz
command -v clang >/dev/null || { echo 'make fuzz needs clang' >&2; exit 2; }
mkdir -p "$build/corpus/$name" || exit 2
cd "$build" || exit 2
# What gets printed by libhdf5's process, and its memory, are none of the fuzzer's business.
[ -e Makefile ] || CC=clang CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' "$top/configure" -q --enable-sanitize=address,undefined || exit 2
make -s -j2 all || exit 2
case $name in
names | json | pair | archive | config | h5 | libhdf5) entry=fuzz_$name ;;
*) entry=fuzz_format ;;
esac
value() { sed -n "s/^$1 = //p" Makefile | head -n 1; }
more=
[ "$name" != libhdf5 ] || more="obj/h5/scan.o $(value HDF5_CFLAGS) $(value HDF5_LIBS)"
# shellcheck disable=SC2046,SC2086 # words of the Makefile
clang $(value OUR_CFLAGS) -O1 -g -fsanitize=fuzzer,address,undefined -Wno-missing-prototypes -Wno-conversion \
	-Wno-sign-conversion -I"$top/src" -I"$top/tests" $(value OUR_LDFLAGS) -o "$entry" "$top/tests/fuzz/$entry.c" \
	$more "$top/tests/fuzz/files.c" "$top/tests/fuzz/look.c" libweigh.a $(value OUR_LIBS) || exit 2
export FORMAT="$name" UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
# A third faster: blocks that are freed are not given back to the system, and new ones not filled.
export ASAN_OPTIONS=allocator_release_to_os_interval_ms=-1:quarantine_size_mb=16:max_malloc_fill_size=0
largest=256
case $name in pair | archive) largest=5000 ;; esac # libarchive's: README
[ ! -d /dev/shm ] || export TMPDIR=/dev/shm # what is unpacked need not wait for a disk, either
longest=20000
[ "$name" != libhdf5 ] || longest=26000
set -- "corpus/$name" "$top/tests/fuzz/corpus/$name"
[ ! -e "$top/tests/fuzz/$name.dict" ] || set -- -dict="$top/tests/fuzz/$name.dict" "$@"
exec "./$entry" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb="$largest" -max_len="$longest" \
	-artifact_prefix="$name-" -print_final_stats=1 "$@"
