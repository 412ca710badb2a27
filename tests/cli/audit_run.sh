#!/bin/sh
# A pickle that calls os.system, in every wrapping: the audit names the call, and nothing was run.
cd "$FIXTURES/audit" || exit
rm -f weigh-was-here
for f in run.0.pkl run.4.pkl run.joblib run.z.joblib run.pt run.legacy.pt run.tar.gz ../torch/run.npy; do
	echo "== $f"
	"$WEIGH" audit -o csv --fail-on danger "$f" | grep danger
	"$WEIGH" audit --fail-on danger "$f" >"$TMPDIR/text"
	echo $?
done
"$WEIGH" audit - <run.pt | grep danger
find "$FIXTURES" . -name weigh-was-here
