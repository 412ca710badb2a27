#!/bin/sh
# Random keys, sizes and clicks, by fixed seeds: whatever one strikes, the screen stays up and ends with status 0.
# SOAK_KEYS keys in all (make soak: 100,000), over several models. A run that dies leaves its script in the work folder.
# timeout: 3600
keys=${SOAK_KEYS:-4000}

# Every key but those that quit, and what may follow the two that are struck in pairs. Prompts get text to choke on; the
# commands are whole ones, as :q would be the end. The generator is that of Park and Miller: the same with every awk.
script() { # SEED KEYS
	awk -v x="$1" -v n="$2" '
	function below(m) { x = (16807 * x) % 2147483647; return x % m }
	function pick(list, m) { return list[1 + below(m)] }
	BEGIN {
		n_keys = split("j k h l g G Up Down Left Right Home End PgUp PgDn ^D ^U ^F ^B Enter Enter Enter Esc Esc Esc " \
			"Tab Space Space zM zR t t s S y | o c C X L x x v v b b m 1 ? / n N ]c [c > < ^O $ 0 + - = d . , r w Y " \
			"Ma Mb H i a ^L Backspace e p 2 3 4 5 6 7 8 9 \047a \047b & K J D E F", key, " ")
		n_texts = split("attn|weight|[|*.bias|/(/|rel_l2>0.01 nan>0|shape:4|!|std<|0,0|99999999|-1|layers.0|" \
			"type:f32|status:changed|p99>0|x|\\\"|é漢|%s%n", text, "|")
		n_commands = split("theme light|theme mono|theme terminal|theme auto|layout side|layout full|layout auto|scale log|" \
			"columns2 bar a.std b.p99 cosine:20|columns1 std entropy|columns1 default|columns2 default|swap|nothing|" \
			"mouse off|mouse on|diff none", command, "|")
		split("press double drag release up down", what, " ")
		split("60x16 80x24 200x60 20x5 61x17 100x20 1x1 80x24 120x40", size, " ")
		while (n-- > 0) {
			kind = below(100)
			if (kind == 0) print "@size " pick(size, 9)
			else if (kind < 4) print "@mouse " pick(what, 6) " " below(130) "," below(45)
			else if (kind < 6) print "Esc & ^U \"" pick(text, n_texts) "\" Enter"
			else if (kind < 7) print "Esc / \"" pick(text, n_texts) "\" Enter"
			else if (kind < 8) print "Esc Esc Esc : ^U \"" pick(command, n_commands) "\" Enter"
			else if (kind < 9 && below(8) == 0) print "@wait"
			else print pick(key, n_keys)
		}
		print "@size 80x24 @wait @save end.screen"
	}'
}

n=0 bad=0
soak() { # NAME ARGS...
	n=$((n + 1)) name=$1
	shift
	script $((1000 + n)) $((keys / runs)) >"$name.keys"
	"$WEIGH" --keys "$name.keys" --size 80x24 "$@" >"$name.log" 2>&1 </dev/null
	status=$?
	if [ $status -eq 0 ] && [ ! -s "$name.log" ] && [ -s end.screen ]; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name: status $status"
		sed 's/^/# /' "$name.log" | head -n 40
		bad=1
	fi
	rm -f end.screen
}

mkdir soak && cd soak || exit 1
for f in "$FIXTURES"/screen-* "$DEMO"/*.npz; do [ ! -e "$f" ] || ln -s "$f" .; done
runs=4
[ ! -e screen-matrix-a.safetensors ] || runs=10
soak pair prophet-conv-r1.npz prophet-conv-r2.npz
soak one prophet-conv-r1.npz
soak ascii --ascii prophet-conv-r1.npz prophet-conv-r2.npz
NO_COLOR=1 TERM=vt100 soak mono prophet-conv-r2.npz prophet-conv-r1.npz
if [ $runs -eq 10 ]; then
	soak matrix screen-matrix-a.safetensors screen-matrix-b.safetensors
	TERM=xterm soak types screen-a.safetensors screen-b.safetensors
	soak blocks screen-quant-a.gguf screen-quant-b.gguf
	soak deep screen-deep-a.safetensors screen-deep-b.safetensors
	soak deflated screen-deflated-a.npz screen-deflated-b.npz
	soak wide screen-wide.safetensors
fi
echo "1..$n"
exit $bad
