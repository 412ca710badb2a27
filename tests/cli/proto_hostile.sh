#!/bin/sh
# Broken and hostile files in protocol buffers: one line for each thing that is wrong, and the rest is shown.
cd "$FIXTURES/proto" || exit
exec 2>&1
for f in onnx/*.onnx lc0/*.pb caffe/*.caffemodel coreml/*.mlmodel coreml/*.mlpackage; do
	echo "$f"
	"$WEIGH" list -o tsv "$f" | cut -f 1-3,7-
	"$WEIGH" stats -o tsv "$f" >/dev/null 2>&1
	echo "$?"
done
for f in onnx lc0 caffe coreml coreml-package; do
	"$WEIGH" list --format $f ../cli/text.txt
	"$WEIGH" list --format $f caffe/layer_cut.caffemodel
done
"$WEIGH" list - <coreml/program.mlmodel
echo $?
"$WEIGH" list - <onnx/past_end.onnx
echo $?
for f in again again_other; do
	"$WEIGH" meta onnx/again.onnx onnx/$f.onnx
	echo $?
done
