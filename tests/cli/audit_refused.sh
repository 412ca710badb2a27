#!/bin/sh
# A pickle that breaks off behind a call: the file is refused, and the call is told all the same.
cd "$FIXTURES/hostile" || exit
for f in off.2.pkl off.pt off.legacy.pt off.zlib.joblib off.pkl.gz off.tar off.gguf; do
	"$WEIGH" audit -o csv "$f" 2>&1
	echo "status $?"
done
"$WEIGH" audit off.pt 2>&1
echo "status $?"
"$WEIGH" audit -o json off.pt 2>"$TMPDIR/said" | grep -o '"\(format\|code\|path\|danger\|message\)":[^,}]*'
"$WEIGH" audit -o sarif off.pt 2>>"$TMPDIR/said" | sed 's/,"rules":\[.*\]}},/,"rules":[...]}},/'
cat "$TMPDIR/said"
echo "== of two"
"$WEIGH" audit ok.safetensors off.2.pkl 2>&1
echo "status $?"
"$WEIGH" audit off.2.pkl ok.safetensors 2>&1
echo "status $?"
echo "== nothing in it, and other commands"
for f in off.cat.pkl off.floats.bin; do
	"$WEIGH" audit $f 2>&1
done
"$WEIGH" stats off.2.pkl 2>&1
find . -name weigh-was-here
