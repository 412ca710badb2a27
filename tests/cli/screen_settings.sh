#!/bin/sh
# :save keeps comments and what it does not know, and writes what is set; the next start reads it. Directories are made,
# but not in the sandbox.
XDG_CONFIG_HOME=$PWD/dir/of/settings
export XDG_CONFIG_HOME
ln -s "$DEMO/prophet-conv-r1.npz" one.npz
cat >set.keys <<'END'
: "theme light" Enter : "layout stacked" Enter : "columns1 type:7 absmax median" Enter : "bind gz fold-all" Enter
: "scale log" Enter : "save" Enter
END
"$WEIGH" --no-sandbox --keys set.keys one.npz
cat dir/of/settings/weigh/config
printf '# mine\ncolour blue\ntheme mono\n' >dir/of/settings/weigh/config
cat >again.keys <<'END'
: "theme terminal" Enter : "save" Enter
END
"$WEIGH" --keys again.keys one.npz
cat dir/of/settings/weigh/config
if [ -n "$MEMCHECK" ] && grep -q '^cli/screen_settings:none' "$TESTS/memcheck/skip"; then
	echo 'the sandbox lets no directory be made'
	exit
fi
XDG_CONFIG_HOME=$PWD/none
cat >none.keys <<'END'
@wait : "save" Enter @save none.screen
END
"$WEIGH" --keys none.keys --size 200x24 one.npz
grep -o 'the sandbox lets no directory be made' none.screen
[ ! -e none ]
