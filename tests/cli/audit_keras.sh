#!/bin/sh
# Lambda layers are code. A dataset under two names is no overlap, an entry that is inflated leaves no gap.
"$WEIGH" -V | grep -q '^HDF5: libhdf5' || { echo 'a build without libhdf5'; exit 77; }
[ -d "$FIXTURES/hdf5" ] || { echo 'its fixtures need h5py'; exit 77; }
cd "$FIXTURES/hdf5" || exit
for f in stored.keras deflated.keras model.h5 objects.keras; do
	echo "== $f"
	"$WEIGH" audit -o csv "$f" | grep -v origin
done
"$WEIGH" audit -o csv script.h5 | grep two-formats
"$WEIGH" audit -o csv links.h5 2>/dev/null | grep overlap
for f in first second third model; do "$WEIGH" audit -o csv $f.h5 | grep unclaimed; done
exit 0
