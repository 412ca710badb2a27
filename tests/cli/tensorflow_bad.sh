#!/bin/sh
# What is wrong with a checkpoint or a graph is told, and what is sound is shown beside it.
cd "$FIXTURES/tf" || exit
exec 2>&1
for f in half none crc short sizes shardno types gap lap outside lost blockcrc v1 leveldb noshards order empty snappy restarts \
	footer two bad.pb cut.pb; do
	echo "== $f"
	"$WEIGH" list -o tsv "$f" | cut -f 1-5,8,9
done
cp half.index "$TMPDIR/long.index"
cp half.data-00000-of-00002 "$TMPDIR/long.data-00000-of-00002"
printf 'and more' >>"$TMPDIR/long.data-00000-of-00002"
(cd "$TMPDIR" && "$WEIGH" list long.index | wc -l)
"$WEIGH" list names.index | wc -l
"$WEIGH" list names.index 2>&1 | tail -n 1 | cut -c 1-100
cp half.data-00000-of-00002 "$TMPDIR/alone.data-00000-of-00001"
(cd "$TMPDIR" && "$WEIGH" list alone.data-00000-of-00001; "$WEIGH" list --format tensorflow-shard ./alone.data-00000-of-00001)
