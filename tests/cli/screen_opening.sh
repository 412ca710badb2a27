#!/bin/sh
# A second model is opened while the screen goes on: one that has to be unpacked, which takes its time. Esc stops it,
# another one has to wait, and a file that is none leaves all as it is.
ln -s "$DEMO/prophet-conv-r1.npz" .
head='{"a":{"dtype":"F32","shape":[62500000],"data_offsets":[0,250000000]}}   '
{ printf '\110\0\0\0\0\0\0\0%s' "$head"; head -c 250000000 /dev/zero; } | gzip -1 >big.gz
cat >keys <<'END'
@wait : "diff big.gz" Enter j j @save moving
: "diff other.npz" Enter @save busy
J @save jobs q
Esc @save stopped
@wait @save one
: "diff big.gz" Enter @wait @save two
END
"$WEIGH" --keys keys --size 80x20 prophet-conv-r1.npz
for f in moving busy stopped; do
	echo "== $f"
	sed -n '1p; $p' $f | sed 's/  *[0-9]* %//; s/  */ /g'
done
sed -n 's/^ *\(opening big.gz\).*/\1/p' jobs
echo '== opened'
head -n 1 one
head -n 1 two
echo 'nothing' >text
mkfifo pipe || exit
printf '%s\n' '@wait L : "diff text" Enter @wait @save none : "diff pipe" Enter @save pipe.screen' >keys
"$WEIGH" --keys keys --size 80x20 prophet-conv-r1.npz
sed -n '1p; $p' none
tail -n 1 pipe.screen
