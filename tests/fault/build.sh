#!/bin/sh
# configure and the Makefile as packagers use them. Nothing is compiled but configure's probes.
# timeout: 120
#
# The checks are run by eval, each in its own directory:
# shellcheck disable=SC2016,SC2034,SC2317

top=$(cd "${SRC:-$(dirname "$0")/../..}" && pwd)
[ -z "$sanitize" ] || { echo '1..0 # SKIP what is compiled with is all the same to it'; exit 0; }
unset CC CFLAGS CPPFLAGS LDFLAGS LIBS PKG_CONFIG DESTDIR
n=0

# check NAME COMMAND: the command runs in an empty directory; what it prints is shown when it fails.
check() {
	n=$((n + 1))
	mkdir "dir$n"
	if (cd "dir$n" && eval "$2") >log 2>&1; then echo "ok $n - $1"; else echo "not ok $n - $1"; sed 's/^/# /' log; fi
}
# Prints where make would install: DESTDIR=/d.
targets() { make -s -n uninstall DESTDIR=/d | tr ' ' '\n' | tr -d "'" | grep '^/d\|^/'; }

check 'directories in terms of each other, as debhelper writes them' '
	$top/configure -q --build=x86_64-linux-gnu --prefix=/usr "--includedir=\${prefix}/include" \
		"--mandir=\${prefix}/share/man" --sysconfdir=/etc --disable-option-checking --disable-silent-rules \
		"--libdir=\${prefix}/lib/x86_64-linux-gnu" "--libexecdir=\${prefix}/lib/x" --disable-maintainer-mode --disable-dependency-tracking &&
	grep -qx "mandir = \${prefix}/share/man" Makefile && targets | grep -qx /usr/bin/weigh &&
	{ grep -qx "have_hdf5 = no" Makefile || targets | grep -qx /usr/lib/x/weigh/weigh-h5; }'
check 'a value with = in it, and a value as an argument of its own' '
	$top/configure -q --prefix=/opt/a=b --bindir /opt/c && targets | grep -qx /opt/c/weigh && targets | grep -q ^/opt/a=b/share/'
check 'VAR=value reaches the Makefile, unknown ones are noted' '
	$top/configure -q CFLAGS="-O1 -DX=\"a#b\"" LDFLAGS=-Wl,--as-needed CONFIG_SHELL=/bin/sh --with-x --enable-fast-install &&
	grep -qx "CFLAGS = -O1 -DX=\"a.#b\"" Makefile && grep -q "ignored:.CONFIG_SHELL" config.log && grep -q "ignored:.--with-x" config.log'
check 'the environment is remembered when make configures again' '
	CFLAGS=-O1 $top/configure -q --prefix=/y && rm Makefile && ./config.status && grep -qx "CFLAGS = -O1" Makefile &&
	grep -qx "prefix = /y" Makefile'
check 'without pkg-config the libraries are found by linking' 'PKG_CONFIG=false $top/configure -q'
check 'a missing library is one line that names the packages' '
	! $top/configure -q PKG_CONFIG=false ZLIB_LIBS=-lthere-is-none 2>err && [ ! -e Makefile ] && cat err &&
	grep -c "zlib not found; install zlib1g-dev (Debian), zlib-devel (Fedora), zlib (Arch, Guix, Homebrew)" err'
check 'an unknown option is refused' '! $top/configure --no-such-option'
check 'sanitizers replace _FORTIFY_SOURCE; the source directory stays clean' '
	$top/configure -q --enable-sanitize=undefined && grep -q "^OUR_CFLAGS.*-fsanitize=undefined" Makefile &&
	! grep -q _FORTIFY_SOURCE= Makefile && ! ls "$top"/conftest* 2>/dev/null'
echo "1..$n"
