#!/bin/sh
# The kernels of AArch64, built by a cross compiler and run under qemu's user emulation, give the bits that this machine's
# give. Skipped where either is missing (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user).
# timeout: 300

skip() { echo "1..0 # SKIP $*"; exit 0; }
[ -z "$sanitize" ] || skip 'it is built without them'
cross=aarch64-linux-gnu-gcc
command -v $cross >/dev/null || skip "no $cross"
command -v qemu-aarch64 >/dev/null || skip 'no qemu-aarch64'

sources="$SRC/tests/kern/digest.c $SRC/src/base/err.c $SRC/src/base/util.c $SRC/src/model/dtype.c"
for f in block floats kern kern_avx2 kern_avx512 kern_neon kern_ref moments pair; do sources="$sources $SRC/src/num/$f.c"; done
for f in "$SRC"/src/num/decode*.c "$SRC"/src/num/iq_tables.c; do [ ! -f "$f" ] || sources="$sources $f"; done
flags="-std=c11 -D_GNU_SOURCE -O3 -ffp-contract=off -I$SRC/src -pthread"

# shellcheck disable=SC2086 # lists
if ! ${CC:-cc} $flags -o here $sources -lm || ! $cross $flags -static -o there $sources -lm; then
	echo 'not ok 1 - builds'
	exit 1
fi
if ! ./here >here.out || ! qemu-aarch64 ./there >there.out; then
	echo 'not ok 1 - runs'
	exit 1
fi

# Every line of every table, whatever its name, says the same of a job. Tables' names are words.
n=0
# shellcheck disable=SC2013
for table in $(cut -d ' ' -f 1 here.out there.out | sort -u); do
	n=$((n + 1))
	grep -h "^$table " here.out there.out | cut -d ' ' -f 2- | sort -u >"$table.out"
	grep '^c ' here.out | cut -d ' ' -f 2- | sort -u >want.out
	if cmp -s want.out "$table.out"; then echo "ok $n - $table"; else
		echo "not ok $n - $table"
		diff want.out "$table.out" | sed 's/^/# /'
	fi
done
grep -q '^neon ' there.out || { n=$((n + 1)); echo "not ok $n - neon was run"; }
echo "1..$n"
