#!/bin/sh
# Patterns, groups, statuses, order and number of lines.
cd "$FIXTURES/cli" || exit
say() { echo "== $*"; "$WEIGH" "$@"; }
say list a.safetensors layers.1
say list a.safetensors 'layers.*weight'
say list a.safetensors '/\.[01]\.attn/'
say list a.safetensors -m '/ATTN/i' -v '*bias'
say list a.safetensors --sort bytes --reverse --top 3
say list a.safetensors --sort bytes --reverse --top 3
say list a.safetensors --sort name --top 3
say list a.safetensors --sort std --top 3
say list a.safetensors --group 1
say list a.safetensors --group 2 --sort parameters -n 3
say stats a.safetensors --group 1
say diff a.safetensors b.safetensors --group 1
say diff a.safetensors b.safetensors --group 2 --sort rel_l2
say diff a.safetensors b.safetensors --status added,removed
say diff a.safetensors b.safetensors --status changed --sort max_abs_diff
say diff a.safetensors near.safetensors --atol 0.001 --status equal
