#!/bin/sh
# What goes beyond a limit is refused or left out with a line that names the limit, and read once that is raised.
# timeout: 180
cd "$FIXTURES/limits" || exit
try() {
	"$WEIGH" list "$@" -o tsv >"$TMPDIR/list" 2>"$TMPDIR/said"
	echo "$? $(sed 1d "$TMPDIR/list" | wc -l | tr -d ' ') $*"
	sed 's/^/	/' "$TMPDIR/said" | cut -c 1-330
}
for word in rank=64 name=70000 metadata=128K nesting=301 names=1G; do
	for f in "${word%=*}".*; do
		try "$f"
		try --limit "$word" "$f"
	done
done
# The others are reached by small files once they are lowered.
try --limit tensors=2 three.safetensors
try --limit tensors=3 three.safetensors
try --limit metadata=1 three.safetensors
try --limit graph=1K nesting.pkl
try --limit name=1 nesting.pkl
(cd ../audit && try --limit members=1 plain.npz)
(cd ../audit && try --limit members=9 plain.npz)
gzip -nc three.safetensors >"$TMPDIR/three.gz"
(cd "$TMPDIR" && try --limit inflated=100 three.gz)
(cd "$TMPDIR" && try --limit inflated=1K three.gz)
cp three.safetensors "$TMPDIR/one.safetensors"
printf '{"metadata":{},"weight_map":{"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors"}}' \
	>"$TMPDIR/model.safetensors.index.json"
(cd "$TMPDIR" && try --limit files=1 model.safetensors.index.json)
(cd "$TMPDIR" && try --limit text=10 model.safetensors.index.json)
# In every format, those too whose tensors the program names.
for f in bg-good.weights dk-good.weights dl-good.dat ggml-good.bin kg-good.bin lz-good.txt nn-good.bin nnue-good.nnue rn-good.rnnn; do
	(cd ../nets && try --limit tensors=1 $f && try --limit name=3 $f)
done
# Of what unpacks to more than 1 GiB; this one is broken, too, which shows once it is begun.
try --limit ratio=900 ratio.pt
try --limit ratio=1000 ratio.pt
(cd ../tf && try --limit repeated=3999 good.pb)
(cd ../tf && try --limit repeated=4000 good.pb)
# What is no limit, no number, or more than can be.
for word in size=1 tensors tensors= tensors=0 tensors=-1 tensors=1Q tensors=1K2 tensors=99999999999T rank=65 ''; do
	try --limit "$word" three.safetensors
done
"$WEIGH" formats -o tsv --limit tensors=2M --limit rank=64 --unpack 1T | sed -n '/^limit/,$p'
