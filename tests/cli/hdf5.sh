#!/bin/sh
# HDF5 and Keras: names and order of Keras, all layouts, what leads out of the file, what is broken; and that no file but the one
# that was named is opened.
"$WEIGH" -V | grep -q '^HDF5: libhdf5' || { echo 'a build without libhdf5'; exit 77; }
[ -d "$FIXTURES/hdf5" ] || { echo 'its fixtures need h5py'; exit 77; }
cd "$FIXTURES/hdf5" || exit
exec 2>&1
for f in types.h5 layouts.h5 links.h5 model.h5 weights.h5 shared.h5 stored.keras; do
	echo "== $f"
	"$WEIGH" list -o tsv "$f" | cut -f 1-5,8-9
done
"$WEIGH" meta links.h5
"$WEIGH" meta weights.h5
"$WEIGH" meta stored.keras | cut -c 1-60
"$WEIGH" show layouts.h5 'partly[2:4,3:6]'
"$WEIGH" show layouts.h5 'unwritten[5,6,:3]'
"$WEIGH" diff stored.keras deflated.keras; echo $?
"$WEIGH" diff links.h5 links.h5; echo $?
if [ -n "$MEMCHECK" ] && grep -q '^cli/hdf5:deep.h5' "$TESTS/memcheck/skip"; then echo 2
else "$WEIGH" list deep.h5 | wc -l; fi
"$WEIGH" list bomb.h5; echo $?
# What libhdf5 says of a broken file differs from version to version.
for f in noweights.keras badconfig.keras cut.h5 header.h5 root.h5 zeros.h5; do
	"$WEIGH" list "$f" 2>&1 >/dev/null | sed 's/libhdf5: .*/libhdf5: .../'
done
"$WEIGH" list header.h5 >/dev/null; echo $?
