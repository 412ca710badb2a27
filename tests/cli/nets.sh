#!/bin/sh
# Small sound nets of the formats with a file layout of their own: names, types, shapes and what is told of them.
cd "$FIXTURES/nets" || exit
for f in lz-good.txt kg-good.txt nnue-good.nnue ggml-good.bin mx-good.params rn-good.rnnn bg-good.weights nn-good.param \
	dk-good.weights dl-good.dat; do
	"$WEIGH" summary -o json "$f" | sed -n 's/.*"format": *"\([^"]*\)".*/\1/p'
	"$WEIGH" list -o tsv "$f" | cut -f1-3 | sed 12q
	"$WEIGH" meta "$f" | sed 8q
done
# Either file of two opens both; a raw net is read only when told to.
"$WEIGH" diff -q nn-good.bin nn-good.param && echo same
"$WEIGH" diff -q dk-good.weights dk-lonely.weights
"$WEIGH" list -o tsv dk-lonely.weights | cut -f1-3
"$WEIGH" list --format nnue-raw -o tsv bg-good.wd | cut -f1-3
