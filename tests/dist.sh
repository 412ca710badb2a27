#!/bin/sh
# make dist: dist.sh SRCDIR NAME writes NAME.tar.gz, the same bytes for the same sources: names sorted, no owners, one
# time. The files are those git knows; in an unpacked tarball, which has no git, those of its MANIFEST.

srcdir=$1 name=$2
stage=obj/dist

files() {
	if [ -f "$srcdir/MANIFEST" ]; then
		cat "$srcdir/MANIFEST"
	else
		(cd "$srcdir" && git ls-files --error-unmatch configure >/dev/null && git ls-files)
	fi
}
# Seconds: of the release when it is known, else of the last commit, else of the manifest.
when() {
	if [ -n "$SOURCE_DATE_EPOCH" ]; then echo "$SOURCE_DATE_EPOCH"
	elif [ -f "$srcdir/MANIFEST" ]; then date -u -r "$srcdir/MANIFEST" +%s
	else (cd "$srcdir" && git log -1 --format=%ct)
	fi
}

rm -rf "$stage" && mkdir -p "$stage/$name" || exit 1
if ! files >"$stage/list" || ! [ -s "$stage/list" ]; then
	echo 'dist: neither a git checkout nor an unpacked release: nothing says which files belong to it' >&2
	exit 1
fi
{ grep -v '^MANIFEST$' "$stage/list"; echo MANIFEST; } | LC_ALL=C sort >"$stage/$name/MANIFEST"
grep -v '^MANIFEST$' "$stage/list" >"$stage/copied"
(cd "$srcdir" && tar -cf - -T -) <"$stage/copied" | (cd "$stage/$name" && tar -xf -) || exit 1
tar -C "$stage" --sort=name --mtime="@$(when)" --owner=0 --group=0 --numeric-owner --mode=u+w,go-w,a+rX \
	--format=ustar -cf "$stage/$name.tar" "$name" || exit 1
gzip -9n <"$stage/$name.tar" >"$name.tar.gz"
