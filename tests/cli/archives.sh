#!/bin/sh
# A model of several files in an archive: the index goes first, what stands beside it or below is found in the archive.
mkdir tree tree/deep || exit
cp -R "$FIXTURES/tf/saved" tree/saved
cp "$FIXTURES"/nets/dk-good.* "$FIXTURES"/nets/nn-good.* .
exec 2>&1
tar -cf - tree/saved | gzip >saved.tgz
"$WEIGH" diff -q saved.tgz "$FIXTURES/tf/saved" | sed 's/ and .*:/:/'
"$WEIGH" diff -q - "$FIXTURES/tf/saved" <saved.tgz | sed 's/ and .*:/:/'
"$WEIGH" summary saved.tgz | sed 2q
"$WEIGH" list -o tsv saved.tgz | cut -f 1,7 | sed 3q
"$WEIGH" list -o tsv saved.tgz:tree/saved/variables/variables.index | wc -l
"$WEIGH" list saved.tgz:tree/saved/variables/none; echo $?
# An entry in no directory, named by itself, or found by content.
tar -cf nets.tar dk-good.weights dk-good.cfg nn-good.param nn-good.bin
"$WEIGH" list nets.tar; echo $?
"$WEIGH" diff -q nets.tar:dk-good.weights dk-good.weights
"$WEIGH" diff -q nets.tar:nn-good.param nn-good.param
# A file compressed alone has its neighbours where it lies; what begins with zeros is not taken for lzma.
mkdir alone && gzip -c dk-good.weights >alone/dk-good.weights.gz && cp dk-good.cfg alone
"$WEIGH" diff -q alone/dk-good.weights.gz dk-good.weights
# Two indexes: the one in fewer directories; of two in as many none.
printf '{"metadata":{},"weight_map":{"e":"x1.safetensors","f":"x2.safetensors","g":"../x1.safetensors"}}' \
	>tree/m.safetensors.index.json
cp tree/m.safetensors.index.json tree/deep/n.safetensors.index.json
cp "$FIXTURES/cli/a.safetensors" tree/x1.safetensors
cp "$FIXTURES/cli/b.safetensors" tree/deep/x2.safetensors
tar -cf two.tar -C tree deep m.safetensors.index.json x1.safetensors
"$WEIGH" list two.tar >/dev/null; echo $?
cp tree/m.safetensors.index.json tree/o.safetensors.index.json
tar -cf three.tar -C tree m.safetensors.index.json x1.safetensors o.safetensors.index.json
"$WEIGH" list three.tar; echo $?
# Directories: packed files where there are no others; one is taken.
mkdir packed && cp "$FIXTURES/cli/a.safetensors" packed/a.safetensors && gzip -n packed/a.safetensors
echo notes >packed/README
"$WEIGH" list packed | head -n 2
cp packed/a.safetensors.gz packed/b.safetensors.gz
"$WEIGH" list packed; echo $?
cp "$FIXTURES/cli/b.safetensors" b.safetensors && cp b.safetensors packed/c.safetensors
"$WEIGH" diff -q packed b.safetensors; echo $?
