#!/bin/sh
# The completions of each shell know every command and every long option, and no other.
#
# shellcheck disable=SC2016 # fish's own $
dir=$SRC/share/completions
"$WEIGH" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' | sort >"$TMPDIR/commands"
"$WEIGH" --help | sed -n 's/.* --\([a-z-]*\)[ =].*/\1/p' | sort >"$TMPDIR/options"
check() { sort -u | diff "$TMPDIR/$1" - && echo "$2 $1"; }
sed -n "s/.*local commands='\(.*\)'.*/\1/p" "$dir/weigh.bash" | tr ' ' '\n' | check commands bash
sed -n "/local options=/,/'$/p" "$dir/weigh.bash" | grep -o -e '--[a-z-]*' | sed 's/--//' | check options bash
sed -n "/commands=(/,/^	)/s/.*'\([a-z]*\):.*/\1/p" "$dir/_weigh" | check commands zsh
sed -n "s/.*'\{0,1\}--\([a-z-]*\)[=[}].*/\1/p" "$dir/_weigh" | check options zsh
sed -n 's/.*-n $first -a \([a-z]*\) .*/\1/p' "$dir/weigh.fish" | check commands fish
sed -n 's/^complete .* -l \([a-z-]*\).*/\1/p' "$dir/weigh.fish" | check options fish
