#!/bin/sh
# Completion and the prompt keep characters whole: what two names have in common ends before the letters that differ, though
# these begin with the same byte, and what is too long for the prompt is shown from a letter on.
ln -s "$DEMO/prophet-conv-r1.npz" one.npz
touch 'zé' 'zè' "wide$(printf '層%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40)"
printf '%s\n' '@wait : "diff z" Tab @save common ^U "diff w" Tab @save long Backspace @save odd' \
	'"x" @save shifted' >keys
"$WEIGH" --keys keys --size 60x16 one.npz
tail -q -n 1 common long odd shifted
