#!/bin/sh
# Programs, scripts and settings that name code, in a model's directory; beside a single file only the settings count.
cd "$FIXTURES/hostile" || exit
for f in beside beside/model.safetensors.index.json alone alone/model.safetensors saved-run python deep; do
	"$WEIGH" audit -o csv "$f" 2>&1 | grep -v ^note
done
cd beside && "$WEIGH" audit -o csv . | grep -c directory
"$WEIGH" audit -o csv model.safetensors.index.json | grep -c directory
