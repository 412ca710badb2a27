#!/bin/sh
# TensorFlow Lite: constants, quantisation, operators, metadata; odd and broken files.
cd "$FIXTURES/tf" || exit
exec 2>&1
"$WEIGH" list good.tflite
"$WEIGH" meta good.tflite
"$WEIGH" show bias.tflite bias
for f in odd version cut nothing; do
	echo "== $f"
	"$WEIGH" list "$f.tflite"; echo $?
done
