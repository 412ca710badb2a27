#!/bin/sh
# Bytes that belong to no tensor, where the tensors stand in a file of their own, a pickle among them or in a flatbuffer:
# found, and not where there are none.
cd "$FIXTURES" || exit
for file in proto/onnx/stray.onnx proto/onnx/aligned.onnx proto/coreml/stray/model.mlmodel \
	proto/coreml/unused/model.mlmodel proto/coreml/whole/model.mlmodel audit/trailing-objects.npy \
	audit/objects.npy audit/several.npy tf/good.tflite tf/stray.tflite tf/zeros.tflite; do
	echo "== $file"
	"$WEIGH" audit -o csv $file 2>&1 | grep -e unclaimed -e padding
done
"$WEIGH" list -o csv audit/several.npy
