#!/bin/sh
# The rights are given up before a byte of a model is read: while it waits for one, the kernel is asked what it holds.
case $("$WEIGH" --version) in
*Landlock*seccomp\ \(*) ;;
*) echo 'Landlock or seccomp is not here'; exit 77 ;;
esac
grep -q 'Seccomp:.0' /proc/self/status || { echo 'a filter holds here already, or there is no /proc'; exit 77; }
cd "$FIXTURES/cli" || exit

# held OPTIONS: of the process that waits for standard input
held() {
	mkfifo "$TMPDIR/pipe"
	"$WEIGH" list "$@" - <"$TMPDIR/pipe" >"$TMPDIR/listing" &
	exec 3>"$TMPDIR/pipe"
	tries=0
	until [ $tries -ge 50 ] || grep -q 'Seccomp:.2' "/proc/$!/status"; do
		sleep 0.1
		tries=$((tries + 1))
		[ $# -eq 0 ] || break
	done
	grep -E '^(NoNewPrivs|Seccomp):' "/proc/$!/status"
	cat a.safetensors >&3
	exec 3>&-
	wait $!
	echo $?
	rm "$TMPDIR/pipe"
}
# The screen of one model may be asked for another, wherever it lies; of two nothing more is wanted.
here=$PWD
mkdir "$TMPDIR/here" "$TMPDIR/there" && cp b.safetensors "$TMPDIR/there" && cd "$TMPDIR/here" || exit
echo '@wait J @save jobs.screen' >two
echo '@wait : "diff ../there/b.safetensors" Enter @wait @save list.screen' >one
"$WEIGH" --keys two --size 80x24 "$here/a.safetensors" "$here/b.safetensors" && grep -o '(no exec.*' jobs.screen
"$WEIGH" --keys one --size 80x24 "$here/a.safetensors" && sed -n 1p list.screen
cd "$here" || exit
echo 'by default:'
held
echo 'with --no-sandbox:'
held --no-sandbox
# The fourth descriptor is the list of what may be opened, and none is left to name a file for it.
echo 'with four file descriptors:'
# shellcheck disable=SC3045 # where there is Landlock, there is dash or bash
(ulimit -n 4; exec "$WEIGH" list a.safetensors) 2>&1
echo $?
