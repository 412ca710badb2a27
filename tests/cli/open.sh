#!/bin/sh
# What cannot be opened: one line that says what it is instead.
cd "$FIXTURES/cli" || exit
exec 2>&1
for f in missing nothing.gguf text.txt hollow ./list /dev/null broken.gguf/x; do
	"$WEIGH" list "$f"
	echo "$? $f"
done
mkdir "$TMPDIR/cloned"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n' >"$TMPDIR/cloned/model.safetensors"
echo '{}' >"$TMPDIR/cloned/config.json"
(cd "$TMPDIR" && "$WEIGH" list cloned; "$WEIGH" audit cloned; echo "$? cloned without the data")
"$WEIGH" list - </dev/null
echo "$? -"
"$WEIGH" diff a.safetensors text.txt
echo "$? a text"
printf 'GGUF\003' >"$TMPDIR/short"
(cd "$TMPDIR" && "$WEIGH" list short; echo "$? short")
