#!/bin/sh
# Pickles beside a model are unpacked into a temporary file; where there can be none, they are not passed over in silence.
cd "$FIXTURES/hostile" || exit
TMPDIR=/nowhere "$WEIGH" audit -o csv trained-plain
