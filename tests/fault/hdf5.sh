#!/bin/sh
# What a build without libhdf5 says: the file that reads with it is compiled without, and linked before the library's own.
[ -d "$FIXTURES/hdf5" ] || { echo '1..0 # SKIP its fixtures need h5py'; exit 0; }
value() { sed -n "s/^$1 = //p" "$BUILD/Makefile" | head -n 1; }
n=0
check() { # NAME COMMAND...
	n=$((n + 1)) name=$1
	shift
	if "$@"; then echo "ok $n - $name"; else echo "not ok $n - $name"; fi
}
refused() {
	said=$(./without list "$1" 2>&1)
	[ $? -eq 2 ] && [ "$said" = "weigh: $1: this build cannot read HDF5 (it was configured without libhdf5)" ]
}
says_so() { ./without --version | grep -q '^HDF5: not in this build'; }

# Words of the Makefile:
# shellcheck disable=SC2046
compile() { $(value CC) $(value OUR_CFLAGS | sed 's/-DHAVE_HDF5//') $(value CFLAGS) "$@"; }
# shellcheck disable=SC2046
link_it() {
	compile $(value OUR_LDFLAGS) $(value LDFLAGS) -o without "$BUILD/obj/main.o" h5scan.o "$BUILD/libweigh.a" \
		$(value OUR_LIBS | sed 's/[^ ]*hdf5[^ ]*//g') $(value LIBS)
}

check 'it compiles without a warning' compile -Werror -I"$SRC/src" -c -o h5scan.o "$SRC/src/format/h5scan.c"
check 'it links without libhdf5' link_it
check '--version says so' says_so
check 'an HDF5 file is refused in one line' refused "$FIXTURES/hdf5/model.h5"
check 'a Keras file is refused in one line' refused "$FIXTURES/hdf5/stored.keras"
echo "1..$n"
