#!/bin/sh
# make distcheck: distcheck.sh NAME proves NAME.tar.gz: unpacked, its source read-only, it is built elsewhere, checked,
# installed under DESTDIR, uninstalled without a trace, packed to the same bytes, and cleaned to an empty directory.
# Each step is a TAP line; the last line counts them. DISTCHECK_TESTS: the kinds of tests, where not all are wanted.

name=$1 passed=0 failed=0
top=$PWD
make=${MAKE:-make}
dir=$(mktemp -d "${TMPDIR:-/tmp}/weigh-dist.XXXXXX") || exit 2
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
unset MAKEFLAGS MAKELEVEL DESTDIR BUILD

step() {
	title=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $title"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $title"
		tail -n 40 "$dir/log" | sed 's/^/    /'
	fi
}

source_state() { (cd "$dir/$name" && find . -type f -exec cksum {} + | LC_ALL=C sort); }
unpack() { tar -C "$dir" -xzf "$top/$name.tar.gz" && chmod -R a-w "$dir/$name" && source_state >"$dir/before"; }
configure() {
	# As Debian does: directories in terms of each other, and options that mean nothing here.
	# shellcheck disable=SC2016
	mkdir "$dir/build" && cd "$dir/build" && "../$name/configure" --prefix=/usr '--mandir=${prefix}/share/man' \
		--sysconfdir=/etc --disable-silent-rules --enable-werror ${CC:+"CC=$CC"}
}
build() { cd "$dir/build" && $make -j2; }
check() { cd "$dir/build" && $make -j2 check ${DISTCHECK_TESTS:+"TESTS=$DISTCHECK_TESTS"}; }
install() { cd "$dir/build" && $make install-strip DESTDIR="$dir/root" && (cd "$dir/root" && find . -type f | LC_ALL=C sort); }
installed() {
	"$dir/root/usr/bin/weigh" --version && [ -f "$dir/root/usr/share/doc/weigh/COPYING" ] &&
		[ -f "$dir/root/usr/share/weigh/demo/README" ] &&
		{ ! [ -x "$dir/build/weigh-h5" ] || [ -x "$dir/root/usr/libexec/weigh/weigh-h5" ]; } &&
		{ ! [ -f "$dir/$name/man/weigh.1.in" ] || [ -f "$dir/root/usr/share/man/man1/weigh.1" ]; }
}
uninstall() { cd "$dir/build" && $make uninstall DESTDIR="$dir/root" && rest=$(find "$dir/root" -type f) && echo "$rest" && [ -z "$rest" ]; }
again() { cd "$dir/build" && $make dist && cmp "$name.tar.gz" "$top/$name.tar.gz"; }
distclean() { cd "$dir/build" && $make distclean && rest=$(find . ! -name .) && echo "$rest" && [ -z "$rest" ]; }
untouched() { source_state | diff "$dir/before" -; }

step 'unpacks' unpack
step 'configures out of the tree' configure
step 'builds without a warning' build
step 'passes its tests' check
summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$dir/log" | tail -n 1)
step 'installs under DESTDIR' install
step 'what is installed runs' installed
step 'uninstalls without a trace' uninstall
step 'packs to the same bytes' again
step 'distclean leaves nothing' distclean
step 'the source was only read' untouched
echo "# its own tests: ${summary:-none}"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
