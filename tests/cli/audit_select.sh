#!/bin/sh
# -m and -v: findings of the tensors that match, and those of none; what is counted, and the status, agree in every format.
cd "$FIXTURES/audit" || exit
say() {
	echo "== $*"
	"$WEIGH" audit "$@" 2>&1
	echo "status $?"
}
say -o csv -m special numbers.safetensors
say -o csv -m 'zero' -m 'twin*' -m '/^d/' -v dead numbers.safetensors
say -o csv -v '*' numbers.safetensors
say -o csv -m gone numbers.safetensors
say -m twin.b --fail-on note numbers.safetensors
say -m twin.a numbers.safetensors
"$WEIGH" audit -o json -m special numbers.safetensors | tr -d ' \n' | grep -o '"summary":{[^}]*}'
"$WEIGH" audit -o sarif -m special numbers.safetensors | tr -d ' \n' | grep -o '"name":"[^"]*"'
# of two; and what cannot be read is trouble all the same
say -o csv -m special clean.safetensors numbers.safetensors
say -o csv -m w ../hostile/st-end.safetensors
say -o csv -v w ../hostile/st-end.safetensors
# not one could be decoded, or one could
say ../hostile/pt-wide.pt
say ../hostile/pt-wide-one.pt
say -m w ../hostile/pt-wide-one.pt
