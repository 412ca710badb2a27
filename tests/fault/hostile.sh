#!/bin/sh
# Files that mean harm: one clear line of each, soon, in little memory. See hostile.py and its table, hostile.tsv.
# timeout: 240
[ -d "$FIXTURES/hostile" ] || { echo '1..0 # SKIP its fixtures need Python with NumPy'; exit 0; }
exec "$PYTHON" "$SRC/tests/fault/hostile.py"
