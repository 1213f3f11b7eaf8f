# SPDX-License-Identifier: Apache-2.0
# judge.awk -v PEER= -v PAYLOAD= OUTCOMES SAID: holds what a payload said against the rows of
# OUTCOMES. Prints tab-separated lines: "checks PASSED OF", "differs TEXT REASON" for each
# difference, with an empty REASON if no row is about it, "unused TEXT" for a row that no difference is
# about, and "skipped WHY".

function trim(text) {
	gsub(/^[ \t]+|[ \t]+$/, "", text)
	return text
}

function number(text, i, value) {
	for (i = 3; i <= length(text); i++)
		value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return value
}

function differs(text, row, found) {
	for (row = 1; row <= rows; row++) {
		if (index(text, texts[row]) == 1) {
			found = row
			used[row] = 1
			break
		}
	}
	print "differs", text, found ? reasons[found] : ""
}

function is_about(pattern, i, names, count) {
	count = split(pattern, names, " ")
	for (i = 1; i <= count; i++) {
		gsub(/\./, "[.]", names[i])
		gsub(/\*/, ".*", names[i])
		if (PEER ~ "^" names[i] "$")
			return 1
	}
	return 0
}

BEGIN {
	OFS = "\t"
	wanted = "done"
}

FNR == NR {
	if ($0 ~ /^[ \t]*(#|$)/)
		next
	split($0, column, "|")
	if (is_about(trim(column[1])) && trim(column[2]) == PAYLOAD) {
		texts[++rows] = trim(column[3])
		reasons[rows] = trim(column[4])
	}
	next
}

{ sub(/\r$/, "") }

sub(/^# /, "") { section = $0 }

sub(/^FAIL /, "") { differs($0) }

/^unexpected trap / {
	vector = $3
	sub(/^.* cr2 [^ ]* in /, "")
	differs("trap " vector " in " $0)
	over = 1
}

/^SKIPPED: / {
	over = 1
	print "skipped", substr($0, 10)
}

/^(PASSED|FAILED) .* checks$/ {
	over = 1
	print "checks", number($2), number($4)
}

# It has to shut the processor down.
/^PASSED if this is the last line$/ {
	over = 1
	wanted = "triple fault"
}

sub(/^END /, "") { end = $0 }

END {
	if (!over || end != wanted)
		differs("stops in " section " (" end ")")
	for (row = 1; row <= rows; row++) {
		if (!used[row])
			print "unused", texts[row]
	}
}
