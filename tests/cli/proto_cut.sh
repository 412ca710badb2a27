#!/bin/sh
# Small files in protocol buffers, cut off after each of their bytes: never worse than trouble in one line.
# timeout: 120
cut_all() {
	size=$(wc -c <"$1") n=0 whole=0 odd=0
	while [ "$n" -lt "$size" ]; do
		head -c "$n" "$1" >"$TMPDIR/cut"
		"$WEIGH" list "$TMPDIR/cut" >"$TMPDIR/said" 2>&1
		case $? in
		0) whole=$((whole + 1)) ;;
		2) grep -q '^weigh: ' "$TMPDIR/said" || odd=$((odd + 1)) ;;
		*) odd=$((odd + 1)); cat "$TMPDIR/said" ;;
		esac
		n=$((n + 1))
	done
	echo "${1##*/}: $size cuts, $whole of them still a file, $odd with another status"
}
cd "$FIXTURES/proto" || exit
cut_all onnx/good.onnx
cut_all lc0/good.pb
cut_all caffe/good.caffemodel
cut_all coreml/good.mlmodel
cut_all coreml/program.mlmodel
