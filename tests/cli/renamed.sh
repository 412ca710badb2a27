#!/bin/sh
# Tensors under two names: which are paired, by what, and where it says so; and which are not.
cd "$FIXTURES/cli" || exit
try() { echo "\$ weigh $*"; "$WEIGH" "$@"; echo "status $?"; echo; }
try diff old_names.safetensors new_names.safetensors
try diff --ascii --status renamed new_names.safetensors old_names.safetensors
try summary --ascii old_names.safetensors new_names.safetensors
try diff bare.safetensors wrapped.safetensors
try diff bare.safetensors halves.safetensors
try diff all_renamed.safetensors all_renamed2.safetensors
try diff --no-renames all_renamed.safetensors all_renamed2.safetensors
try diff -q all_renamed.safetensors all_renamed2.safetensors
try summary -q old_names.safetensors old_names.safetensors
try hist --bins 2 all_renamed.safetensors all_renamed2.safetensors head.kernel
try diff -o markdown --status renamed old_names.safetensors new_names.safetensors
"$WEIGH" diff -o csv old_names.safetensors new_names.safetensors | cut -d, -f1-4
"$WEIGH" diff -o json all_renamed.safetensors all_renamed2.safetensors | grep -o '"\(a\|b\|via\|status\|renamed\|verdict\)":[^{,]*'
for j in 1 3; do "$WEIGH" diff -j "$j" -o csv old_names.safetensors new_names.safetensors | cksum; done | uniq | wc -l | tr -d ' '
