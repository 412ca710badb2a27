#!/bin/sh
# PyTorch's files: views, tied tensors, quantised and sparse ones, whole modules, TorchScript, checkpoints.
cd "$FIXTURES/torch" || exit
"$WEIGH" list views.pt
"$WEIGH" list -o csv views.pt | cut -d, -f1,8-
"$WEIGH" list -o json views.pt | grep -E '"(turned|part|expanded)"|tied_to'
"$WEIGH" meta views.pt
"$WEIGH" show views.pt turned 'part[1]' expanded codes
"$WEIGH" diff -q views.pt deflated.pt
echo $?
for f in module.pt script.pt; do
	"$WEIGH" list $f
	"$WEIGH" meta $f
done
"$WEIGH" summary -g 2 checkpoint-a.pt checkpoint-b.pt
echo $?
"$WEIGH" meta checkpoint-a.pt checkpoint-b.pt
"$WEIGH" summary views.pt | head -n 3
