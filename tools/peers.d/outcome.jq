# SPDX-License-Identifier: Apache-2.0
# From the lines of judge.awk for one payload to its part of the report.

[inputs | split("\t")]
| (map(select(.[0] == "differs")) | group_by([.[1], .[2]])
   | map({text: .[0][1], reason: (.[0][2] | if . == "" then null else . end)})) as $differences
| map(select(.[0] == "unused") | .[1]) as $unused
| (map(select(.[0] == "skipped") | .[1])[0]) as $skipped
| (map(select(.[0] == "checks"))[0] // [null, null, null]) as $checks
| {
	$peer, $version, $payload,
	passed: ($checks[1] | if . then tonumber else . end),
	checks: ($checks[2] | if . then tonumber else . end),
	outcome: (if any($differences[]; .reason == null) or ($unused | length) > 0 then "unexpected"
		elif ($differences | length) > 0 then "differs"
		elif $skipped then "skips"
		else "passes" end),
	$differences, $unused, $skipped
}
