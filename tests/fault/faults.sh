#!/bin/sh
# Memory that is not there, reads and writes that fail, threads and mappings that cannot be made: one at a time, at
# points spread over all such calls of a command. Either the output is whole and the status that of a run without the
# fault, or there is a message and status 2; never a crash, never half of it passed off as the whole. Calls that do less
# than they were asked for, or are interrupted by a signal, make no difference at all.
# timeout: 400

skip() { echo "1..0 # SKIP $1"; exit 0; }
[ "$(uname -s)" = Linux ] || skip 'preloading as Linux does it'
[ -z "$sanitize" ] || skip 'sanitizers have an allocator of their own'
cc=$(sed -n 's/^CC = //p' "$BUILD/Makefile" | head -n 1)
top=$(cd "${SRC:-$(dirname "$0")/../..}" && pwd)
# shellcheck disable=SC2086 # CC may have arguments
${cc:-cc} -std=c11 -D_GNU_SOURCE -O1 -fPIC -shared -o fail.so "$top/tests/fault/fail.c" -ldl -pthread 2>cc.log ||
	skip 'no shared object can be made'

# setlocale that finds no memory is as good as LC_ALL=C, but the output is another one.
LC_ALL=C
export LC_ALL
a=$DEMO/prophet-conv-r1.npz b=$DEMO/prophet-conv-r2.npz n=0
gzip -c "$a" >packed.npz.gz
printf 'j @wait L @wait @save s.screen\n' >script.keys

preloaded() { ${TIMEOUT:+"$TIMEOUT" $((60 * SLOW))} env LD_PRELOAD="$PWD/fail.so" "$WEIGH" "$@"; }

# A line of our own, or of a library that ends the program itself: libarchive, ncurses.
told='^weigh: \|^Fatal Internal Error in libarchive: \|^"?", line 0, col 0: Out of memory'

# What is wrong with the run whose fault was call number $1; nothing if it is as it should be.
judge() {
	if [ "$status" -eq 2 ]; then
		[ "$(wc -l <err)" -ge 1 ] && ! grep -qv "$told" err || echo "call $1: status 2, and: $(head -n 3 err)"
	elif [ "$status" -ne "$good" ]; then
		echo "call $1: status $status, and: $(head -n 3 err)"
	elif ! cmp -s out out.good; then
		echo "call $1: status $status with other output"
	fi
}

# faults CALL POINTS ARGUMENTS...
faults() {
	call=$1 points=$2
	shift 2
	n=$((n + 1))
	FAIL_CALL=$call FAIL_COUNT=count preloaded "$@" >out.good 2>err
	good=$? calls=$(cat count) at=1 tried=0 failed=0
	: >wrong
	while [ $at -le "$calls" ]; do
		FAIL_CALL=$call FAIL_AT=$at preloaded "$@" >out 2>err
		status=$?
		judge $at >>wrong
		tried=$((tried + 1))
		[ $status -ne 2 ] || failed=$((failed + 1))
		at=$((at + calls / points + 1))
	done
	what="$call: $(echo "$*" | sed "s|$DEMO/||g"): $tried of $calls calls, $failed told"
	if [ $tried -gt 0 ] && [ $failed -gt 0 ] && [ ! -s wrong ]; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		sed 's/^/# /' wrong
	fi
}

faults malloc 30 list "$a"
faults malloc 30 stats -o json -j 2 "$a"
faults malloc 30 diff -j 2 "$a" "$b"
faults malloc 20 summary -o html "$a" "$b"
faults malloc 20 hist "$a" 4.1.weight
faults malloc 20 export "$a" 4.1.weight
faults malloc 20 show "$a" 4.1.weight
faults malloc 20 meta "$a"
faults malloc 30 audit -j 2 "$a"
faults malloc 20 audit -o sarif "$a" "$b"
faults malloc 20 audit packed.npz.gz
faults malloc 30 --keys script.keys --size 80x24 "$a"
faults malloc 20 list packed.npz.gz
faults read 20 stats --io read -j 1 "$a"
[ ! -e "$FIXTURES/hostile/beside" ] || faults read 20 audit -j 1 "$FIXTURES/hostile/beside"
[ ! -e "$FIXTURES/hostile/trained-run" ] || faults malloc 40 audit -j 1 "$FIXTURES/hostile/trained-run"
faults mmap 5 list "$a"
faults mmap 5 audit packed.npz.gz
faults thread 5 stats -j 3 "$a"
faults thread 5 audit -j 3 "$a"
faults write 5 list packed.npz.gz
faults write 5 export "$a" 4.1.weight -o f.npy

# unseen CALL POINTS ARGUMENTS...: the same output and status, wherever it happens, and when it happens again and again.
unseen() {
	call=$1 points=$2
	shift 2
	n=$((n + 1))
	rm -f f.npy
	FAIL_CALL=$call FAIL_COUNT=count preloaded "$@" >out.good 2>err.good </dev/null
	good=$? calls=$(cat count) at=1 tried=0
	[ ! -e f.npy ] || mv f.npy f.good
	: >wrong
	while [ $at = all ] || [ $at -le "$calls" ]; do
		rm -f f.npy
		FAIL_CALL=$call FAIL_AT=$at preloaded "$@" >out 2>err </dev/null
		status=$?
		[ $status -eq $good ] || echo "call $at: status $status, and: $(head -n 3 err)" >>wrong
		cmp out out.good >>wrong 2>&1
		cmp err err.good >>wrong 2>&1
		[ ! -e f.npy ] || cmp f.npy f.good >>wrong 2>&1
		tried=$((tried + 1))
		[ $at != all ] || break
		at=$((at + calls / points + 1))
		[ $at -le "$calls" ] || at=all
	done
	what="$call: $(echo "$*" | sed "s|$DEMO/||g"): $tried of $calls calls, unseen"
	if [ $tried -gt 1 ] && [ ! -s wrong ]; then echo "ok $n - $what"
	else echo "not ok $n - $what"; head -n 20 wrong | sed 's/^/# /'; fi
}

for call in short eintr; do
	unseen "$call" 20 stats --io read -j 1 "$a"
	unseen "$call" 10 diff --io read -j 2 -o json "$a" "$b"
	unseen "$call" 10 summary --io read -o html "$a" "$b"
	unseen "$call" 10 list packed.npz.gz
	unseen "$call" 5 hist --io read "$a" 4.1.weight
	unseen "$call" 5 show "$a" 4.1.weight
	unseen "$call" 5 meta "$a"
	unseen "$call" 10 audit packed.npz.gz
	unseen "$call" 10 export "$a" 4.1.weight -o f.npy
	unseen "$call" 10 --keys script.keys --size 80x24 "$a"
	[ ! -e "$FIXTURES/hdf5/model.h5" ] || unseen "$call" 10 stats "$FIXTURES/hdf5/model.h5"
done

# A file that becomes shorter once it is open: what is gone is told, tensor by tensor, and what is there is shown.
# shrunk NAME WORDS-OF-OUTPUT ARGUMENTS...
shrunk() {
	n=$((n + 1)) name=$1 words=$2
	shift 2
	cp "$a" shrinks.npz
	rm -f f.npy
	FAIL_CALL=shrink FAIL_AT=1 FAIL_FILE=shrinks.npz preloaded --no-sandbox --io mmap -j 2 "$@" >out 2>err
	status=$?
	if [ $status -eq 2 ] && { [ -z "$words" ] || grep -q "$words" out; } && ! grep -q ',checksum,' out &&
		grep -q '^weigh: shrinks.npz: ' err && [ ! -e f.npy ]; then
		echo "ok $n - a file shrinks: $name"
	else
		echo "not ok $n - a file shrinks: $name: status $status"
		head -n 20 out err | sed 's/^/# /'
	fi
}
shrunk audit 'unread .*: the file shrank while it was open' audit shrinks.npz
shrunk 'audit, the rest' 'the values of [1-9][0-9]* of 34 tensors were read' audit shrinks.npz
shrunk 'audit, what is new' ',unread,.*shrinks.npz shrank' audit -o csv "$a" shrinks.npz
shrunk stats '^0.0.0.weight .*[0-9]' stats shrinks.npz
shrunk show '^0.0.0.weight' show shrinks.npz '0.0.0.weight[0,0,0]' '4.1.weight[0,0]'
shrunk 'export, which makes nothing' '' export shrinks.npz 4.1.weight -o f.npy

# Standard output that is not there, or takes no more. The reason why not, where valgrind is used:
why=$([ -z "$MEMCHECK" ] || sed -n 's/^fault\/faults:closed	*//p' "$TESTS/memcheck/skip")
for c in list 'stats -o json' 'summary -o html' meta audit --help; do
	n=$((n + 1))
	# shellcheck disable=SC2086 # words are meant
	[ -n "$why" ] || "$WEIGH" $c "$a" >&- 2>err
	status=$?
	if [ -n "$why" ]; then echo "ok $n - closed output: $c # SKIP $why"
	elif [ $status -eq 2 ] && grep -q '^weigh: standard output: ' err; then echo "ok $n - closed output: $c"
	else echo "not ok $n - closed output: $c: status $status"; sed 's/^/# /' err; fi
	[ -c /dev/full ] || continue
	n=$((n + 1))
	# shellcheck disable=SC2086
	"$WEIGH" $c "$a" >/dev/full 2>err
	status=$?
	if [ $status -eq 2 ] && grep -q '^weigh: standard output: No space left on device' err; then echo "ok $n - full output: $c"
	else echo "not ok $n - full output: $c: status $status"; sed 's/^/# /' err; fi
done
echo "1..$n"
