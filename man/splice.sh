#!/bin/sh
# Prints the manual: man/weigh.1.in with its @NAME@ lines replaced by lists made from the sources, which are read as text,
# so that a cross build runs nothing.   usage: splice.sh SRCDIR
set -eu
src=$1/src
# mdoc sees no request at the front of a line and no escape inside it
quote='function quote(s) { gsub(/\\/, "\\e", s); gsub(/-/, "\\-", s); sub(/^[.'"'"']/, "\\\\\\&&", s); return s }'

# The strings of one C initialiser or macro call, in order, NULL as an empty one: s[1], s[2], ...
strings='function strings(line, s,   n, m) {
	n = 0
	while (match(line, /"([^"\\]|\\.)*"|NULL/)) {
		m = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		s[++n] = m == "NULL" ? "" : substr(m, 2, length(m) - 2)
		gsub(/\\"/, "\"", s[n]); gsub(/\\\\/, "\\", s[n])
	}
	return n
}'

options() {
	awk "$quote $strings"'
	/^(OPT|LONG|WORDS)\(/ {
		call = $0
		kind = call; sub(/\(.*/, "", kind)
		split(substr(call, length(kind) + 2), word, /, */)
		n = strings(call, s)
		name = kind == "OPT" ? word[2] : kind == "WORDS" ? word[1] "-" word[2] : word[1]
		printf ".It %sFl Fl %s%s\n%s\n", (kind == "OPT" ? "Fl " word[1] " , " : ""), quote(name),
			(n > 1 && s[1] != "" ? " Ar " s[1] : ""), quote(s[n])
	}' "$src/analysis/options.def"
}

limits() {
	awk "$quote $strings"'
	/^LIMIT\(/ {
		strings($0, s)
		split(substr($0, 7), word, /, */)
		printf ".It Cm %s Pq %s\n%s\n", word[1], plain(word[2]), quote(s[1])
	}
	# a default as a number: what C works out of it
	function plain(c,   f) {
		gsub(/\(uint64_t\)/, "", c)
		if (split(c, f, / *<< */) == 2) return f[2] % 10 || f[2] < 10 ? f[1] * 2 ^ f[2] : f[1] substr("KMGT", f[2] / 10, 1)
		if (split(c, f, / *\* */) == 3) return f[1] * f[2] * f[3]
		return c
	}' "$src/base/limits.def"
}

commands() {
	awk "$quote $strings"'
	/^const struct command commands/ { inside = 1 }
	/^};/ { inside = 0 }
	inside && /^\t\{"/ {
		strings($0, s)
		printf ".It Cm %s%s\n%s\n", s[1], (s[2] == "" ? "" : " Ar " quote(s[2])), quote(s[3])
	}' "$src/batch/batch.c"
}

checks() {
	awk "$quote $strings"'
	/^const struct check checks/ { inside = 1 }
	/^};/ { inside = 0 }
	inside && /^\t\{"/ {
		all = $0
		while (strings(all, s) < 2 && (getline line) > 0) all = all line # the text may be too long for one
		split(all, word, /, */)
		printf ".It Cm %s Pq %s%s\n%s\n", quote(s[1]), tolower(word[2]), (word[3] == "SIGNAL" ? ", a signal" : ""),
			quote(s[2])
	}' "$src/analysis/audit.c"
}

statuses() {
	awk "$quote $strings"'
	/^\t\[ST_/ { strings($0, s); if (s[1] != "" && s[1] != "pending") printf ".It Em %s\n%s\n", s[1], quote(s[3]) }
	' "$src/analysis/session.c"
}

marks() {
	awk "$quote $strings"'
	/^\t\[ST_/ {
		strings($0, s)
		if (s[1] != "" && s[1] != "pending")
			list = list (list == "" ? "" : " ,\n") ".Ql \\&" s[2] "\nfor\n.Em " s[1]
	}
	END { print list "." }' "$src/analysis/session.c" | sed 's/^\(\.Em [a-z]*\)\.$/\1 ./; s/^\.Em \([a-z]*\) ,$/.Em \1 ,/'
}

# fields SECTION...: STAT, QUANTILE, DIFF, DIFF_DIST rows of the table of columns
fields() {
	awk -v want="$*" "$quote $strings"'
	function row(call,   name, n) {
		name = call; sub(/^[A-Z_]+\(/, "", name); sub(/,.*/, "", name); gsub(/"/, "", name)
		n = strings(call, s)
		printf ".It Em %s\n%s\n", name, quote(s[n])
	}
	BEGIN { split(want, w, " "); for (i in w) wanted[w[i]] }
	/^\t[A-Z_]+\(/ { call = $0; sub(/^\t/, "", call); kind = call; sub(/\(.*/, "", kind); if (kind in wanted) row(call) }
	/^\t\{"(distinct|entropy)"/ && "QUANTILE" in wanted { call = $0; sub(/^\t\{/, "X(", call); row(call) }
	' "$src/analysis/field.c"
}

keys() {
	awk "$quote $strings"'
	/^PLACE\(/ {
		strings($0, s)
		if (places++) printf ".El\n.Pp\n%s:\n.Bl -tag -compact -width \"PgUp, ^B\"\n", s[1]
	}
	/^KEY\(/ {
		n = strings($0, s)
		n_names = split(s[1], name, " ")
		names = ""
		for (i = 1; i <= n_names; i++) names = names (i > 1 ? " , " : "") "\\&" quote(name[i])
		action = $0; sub(/^KEY\(/, "", action); sub(/,.*/, "", action); gsub(/_/, "-", action)
		printf ".It Cm %s\n%s\n.Pq Em %s\n", names, quote(s[n]), quote(tolower(action))
	}' "$src/tui/keys.def"
}

verbs() {
	awk "$quote $strings"'
	/^static const struct verb {/ { inside = 1 }
	/^};/ { inside = 0 }
	inside && /^\t\{"/ {
		strings($0, s)
		printf ".It Cm %s%s\n%s\n", s[1], (s[2] == "" ? "" : " Ar " quote(s[2])), quote(s[3])
	}' "$src/tui/command.c"
}

settings() {
	awk "$quote $strings"'
	/^const struct setting settings/ { inside = 1 }
	/^};/ { inside = 0 }
	inside && /^\t\{"/ {
		strings($0, s)
		printf ".It Cm %s Ar %s\n%s\n", s[1], quote(s[2]), quote(s[3])
	}' "$src/tui/config.c"
}

formats() {
	cat "$src"/format/*.c | awk "$quote $strings"'
	/^const struct format format_/ { inside = 1; entry = "" }
	inside { line = $0; gsub(/^[ \t]+/, "", line); entry = entry line }
	/^};/ && inside {
		inside = 0
		gsub(/""/, "", entry)
		name = about = reads = ""
		if (match(entry, /\.name = "[^"]*"/)) name = substr(entry, RSTART + 9, RLENGTH - 10)
		if (match(entry, /\.about = "[^"]*"/)) about = substr(entry, RSTART + 10, RLENGTH - 11)
		if (match(entry, /\.reads = "[^"]*"/)) reads = substr(entry, RSTART + 10, RLENGTH - 11)
		printf ".It Cm %s\n%s:\n%s\n", name, quote(about), quote(reads)
	}'
}

while IFS= read -r line; do
	case $line in
	@OPTIONS@) options ;;
	@LIMITS@) limits ;;
	@COMMANDS@) commands ;;
	@CHECKS@) checks ;;
	@STATUSES@) statuses ;;
	@MARKS@) marks ;;
	@STATISTICS@) fields STAT QUANTILE ;;
	@DIFFERENCES@) fields DIFF DIFF_DIST ;;
	@KEYS@) keys ;;
	@VERBS@) verbs ;;
	@SETTINGS@) settings ;;
	@FORMATS@) formats ;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$1/man/weigh.1.in"
