#!/bin/sh
# make lint, make analyse: each step is a TAP line, and the last line counts them. A tool that is not there fails its step:
# these are for those who change the sources, and `./configure --install-deps` brings every tool.
# SRC: the source directory; $1: lint or analyse; $2: the finished manual, when there is one.
#
# shellcheck disable=SC2046 # lists of our own files: no name has a blank
# shellcheck disable=SC2016 # awk's own $

passed=0 failed=0
what=$1
manual=${2:+$PWD/$2}
build=$PWD/obj
SRC=$(cd "${SRC:-.}" && pwd) && cd "$SRC" || exit 2
unset MAKEFLAGS MAKELEVEL BUILD
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# step NAME COMMAND...: it passes when the command succeeds and is silent.
step() {
	name=$1
	shift
	if out=$("$@" 2>&1) && [ -z "$out" ]; then # in a subshell: a step may change directory
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $name"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $name"
		printf '%s\n' "$out" | head -n 60 | sed 's/^/    /'
	fi
}
# Turns a grep that must find nothing into a command that succeeds then.
none() { ! "$@"; }
ours() { # our own text files, for the mechanical rules
	find configure Makefile.in .ci src tests man share/completions README* -type f 2>/dev/null |
		grep -Ev '/(corpus|out)/|\.(out|err|exit|screen|attrs|npz|npy|gguf|safetensors|pyc|bin)$'
}
each() { ours | grep -E "$1"; }

shells() { { echo configure; each '\.(sh|bash)$|^tests/run$|^\.ci/'; } | sort -u | xargs shellcheck -x; }

# Which checks are left out, and why, stands in cppcheck.leave; single false alarms are silenced in the sources.
cpp_check() {
	cppcheck -j "$jobs" --quiet --std=c11 --enable=warning,style,performance,portability --inline-suppr \
		--suppressions-list=tests/analyse/cppcheck.leave --library=posix --library=zlib --library=tests/analyse/cppcheck.cfg \
		--error-exitcode=1 -D_GNU_SOURCE -D__GNUC__=12 -DHAVE_HDF5 -I src src
}

# The objects of a build of its own, which stay: what did not change is not looked at again. $1: its name; $2: a
# compiler for configure; $3: its flags; $4: what make calls instead.
look() {
	mkdir -p "$build/$1" && cd "$build/$1" || return
	if ! { [ -f config.status ] || "$SRC/configure" -q --enable-werror CC="$2" CFLAGS="$3"; } >log 2>&1 ||
	   ! ${MAKE:-make} -k -j "$jobs" CC="$4" objects >>log 2>&1; then
		grep -v '^  CC ' log
		return 1
	fi
}
gcc_analyzer() { look analyzer gcc '-O1 -fanalyzer' gcc; }
clang_tidy() { look tidy clang -O1 "sh $SRC/tests/analyse/tidy.sh"; }

# A whole build of its own, tests included; clang warns no less without optimising.
clang_build() {
	rm -rf "$build/lint" && mkdir -p "$build/lint" && cd "$build/lint" || return
	{ "$SRC/configure" -q --enable-werror CC=clang CFLAGS=-O0 && ${MAKE:-make} -j2 all programs; } >log 2>&1 || { cat log; return 1; }
}

manual_lint() { mandoc -T lint -W warning "$manual"; }

indentation() { none grep -nE '^ +[^ *]' $(each '^src/.*\.[ch]$'); }
trailing() { none grep -nE '[[:blank:]]$' $(ours); }
long_lines() {
	each '\.([ch]|sh|def)$|^configure$|^Makefile.in$|^tests/run$' | while read -r f; do
		case $f in src/*) most=120 ;; *) most=160 ;; esac
		expand "$f" | awk -v f="$f" -v most=$most 'length($0) > most { print f ":" FNR ": " length($0) " columns" }'
	done
}
# From the line of the name to the closing brace in the first column.
long_functions() { each '^src/.*\.c$' | xargs awk '
	FNR == 1 { start = 0 }
	/^[a-z_].*\)$/ || /^[a-z_].*,$/ { if (!start) start = FNR }
	/^}/ { if (start && FNR - start > 100) print FILENAME ":" start ": a function of " FNR - start " lines"; start = 0 }
	/^[a-z].*;$/ { start = 0 }'; }
# The words are put together here so that this file does not hold them.
unfinished() { none grep -nwE 'T''ODO|F''IXME|X''XX' $(each '^(src|tests|man|\.ci|configure|Makefile)'); }
our_paths() { none grep -nE '(^|[^a-zA-Z0-9_.$}])/(work|home|root)/' $(ours); }

if [ "$what" = analyse ]; then
	step 'cppcheck: src' cpp_check
	step 'gcc -fanalyzer: src' gcc_analyzer
	step 'clang-tidy: src' clang_tidy
	echo "$passed passed, $failed failed"
	[ $failed -eq 0 ]
	exit
fi
step 'shellcheck: configure, tests, .ci, completions' shells
step 'cppcheck: src' cpp_check
step 'clang builds everything without a warning' clang_build
[ -z "$manual" ] || step 'mandoc: the manual' manual_lint
step 'no blanks at the ends of lines' trailing
step 'sources are indented with tabs' indentation
step 'no line over 120 columns in src, 160 elsewhere' long_lines
step 'no function over 100 lines' long_functions
step 'nothing left unfinished' unfinished
step 'no paths of one machine' our_paths
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
