#!/bin/sh
# Pickles: the same names and values in every protocol, side files only from beside, and nothing in them is run.
cd "$FIXTURES/torch" || exit
exec 2>&1
"$WEIGH" list plain.4.pkl
"$WEIGH" meta plain.4.pkl
"$WEIGH" diff -q plain.0.pkl plain.2.pkl
echo $?
"$WEIGH" diff -q plain.0.pkl plain.4.pkl
echo $?
for f in run.0.pkl run.2.pkl run.4.pkl run.pt run.npy; do
	"$WEIGH" list $f
	"$WEIGH" meta $f
	echo "$? $f"
done
[ ! -e weigh-was-here ] || echo 'a program was run'
COLUMNS=160 "$WEIGH" list side.pkl
echo $?
