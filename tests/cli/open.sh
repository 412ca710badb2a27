#!/bin/sh
# What cannot be opened: one line that says what it is instead.
cd "$FIXTURES/cli" || exit
exec 2>&1
for f in missing nothing.gguf text.txt hollow ./list /dev/null broken.gguf/x; do
	"$WEIGH" list "$f"
	echo "$? $f"
done
"$WEIGH" list - </dev/null
echo "$? -"
"$WEIGH" diff a.safetensors text.txt
echo "$? a text"
printf 'GGUF\003' >"$TMPDIR/short"
(cd "$TMPDIR" && "$WEIGH" list short; echo "$? short")
