#!/bin/sh
# The layer map of two LoRA checkpoints finds every layer and part, and its strongest cell is the tensor that diff puts first.
cd "${SHARED:-/nonexistent}/safetensors" 2>/dev/null || { echo 'SHARED is not there'; exit 77; }
set -- lora-ckpt230.safetensors lora-ckpt690.safetensors
keys=$TMPDIR/keys
printf '@wait L > @save %s\n' "$TMPDIR/screen" >"$keys"
"$WEIGH" --keys "$keys" --size 200x60 "$@" || exit
"$WEIGH" diff -s rel_l2 -r -n 1 -o tsv "$@" | awk -F'\t' 'NR == 2 { print $2 }' >"$TMPDIR/first"
grep -q "^ $(cat "$TMPDIR/first") " "$TMPDIR/screen" && echo 'the strongest cell is what diff puts first'
grep -c 'finegates_\(rows\|columns\)  *[^ ]' "$TMPDIR/screen"
grep '^  base_model.model.roberta.encoder.layer' "$TMPDIR/screen" | tr -s ' '
grep -c 'base_model.model.classifier' "$TMPDIR/screen"
