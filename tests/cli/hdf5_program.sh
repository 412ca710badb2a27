#!/bin/sh
# libhdf5 is in a program of its own, weigh-h5: weigh is not linked with it, looks for it in two places only, and whatever becomes of
# it is one line and status 2. What stands for it here is a script beside a copy of weigh.
"$WEIGH" -V | grep -q '^HDF5: libhdf5' || { echo 'a build without libhdf5'; exit 77; }
[ -d "$FIXTURES/hdf5" ] || { echo 'its fixtures need h5py'; exit 77; }
cp "$WEIGH" weigh && cp "$FIXTURES/hdf5/model.h5" . || exit
! ./weigh list model.h5 >/dev/null 2>&1 || { echo 'weigh-h5 is installed where a copy of weigh finds it'; exit 77; }
exec 2>&1

if readelf -d "${WEIGH%/*}/weigh-h5" 2>/dev/null | grep -q 'NEEDED.*hdf5'; then # else it is static, or there is no readelf
	readelf -d "$WEIGH" | grep 'NEEDED.*hdf5'
fi

# tried TITLE [PATH]: the places are the build's own. A script would need a shell, which the sandbox does not let it have.
tried() {
	echo "== $1"
	PATH=${2-$PATH} ./weigh list --no-sandbox model.h5 >out 2>err; echo $?
	cat out
	sed "s|$PWD/|HERE/|g; s|, /.*/weigh/weigh-h5)|, INSTALLED)|" err
}
# beside COMMANDS...: the script that stands for weigh-h5.
beside() { { echo '#!/bin/sh'; printf '%s\n' "$@"; } >weigh-h5 && chmod +x weigh-h5; }

mkdir path && cp "${WEIGH%/*}/weigh-h5" path/
tried 'not there, but in PATH' "$PWD/path:$PATH"
: >weigh-h5
tried 'not a program'
beside 'exit 0'
tried 'says nothing'
beside 'kill -SEGV $$'
tried 'crashes'
beside 'kill -XCPU $$'
tried 'takes too long'
beside 'exit 1'
tried 'gives up'
beside 'exit 3'
tried 'of another version'
beside 'exit 127'
tried 'does not start'
beside 'echo this is no record >&5'
tried 'writes what is no record'
beside 'cat /dev/zero >&5 2>/dev/null'
tried 'writes without end'
# A sanitizer's words are let through.
beside "echo to the terminal; ${sanitize:+: }echo to the terminal >&2; read -r line; exit 0"
tried 'has no terminal'
echo '== itself'
cp path/weigh-h5 weigh-h5
./weigh list model.h5 | wc -l
