#!/bin/sh
# Programs, scripts, pickles and settings that name code, in a model's directory; beside a single file only the settings
# count.
cd "$FIXTURES/hostile" || exit
for f in beside beside/model.safetensors.index.json alone alone/model.safetensors saved-run python deep; do
	"$WEIGH" audit -o csv "$f" 2>&1 | grep -v ^note
done
cd beside && "$WEIGH" audit -o csv . | grep -c directory
"$WEIGH" audit -o csv model.safetensors.index.json | grep -c directory
cd ..
# pickles: each way to pack them, where it is and what it calls; such as only import; such as a trainer writes; such as name
# nothing; one that is the model's own
for f in trained-run trained-run/model.safetensors.index.json trained-run/model-00001-of-00001.safetensors trained-import trained \
	trained-plain trained-bin trained-half; do
	echo "== $f"
	"$WEIGH" audit -o csv "$f" 2>&1 | grep -v ^note
done
# further than a limit allows: what was found by then, and that it is not all
"$WEIGH" audit --limit graph=3M -o csv trained-half 2>&1 | grep -v ^note
# news: the file is part of what is found
"$WEIGH" audit -o csv trained-plain trained-run 2>&1 | grep -c pickle-call
"$WEIGH" audit -o csv trained-run trained-run 2>&1 | grep -c pickle-call
"$WEIGH" audit -o sarif trained-run | tr -d ' \n' | grep -o '"uri":"[^"]*old.pth"},"region":{[^}]*}'
