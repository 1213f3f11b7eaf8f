#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lockstep list: every table is there, its JSON parses, and both forms have the same rows.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need jq jq
for table in checks cpus features msrs opcodes params state engines events; do
	expect_status 0 "$LOCKSTEP" list $table
	rows=$(($(wc -l <"$WORK/out") - 1))
	[ $rows -ge 1 ] || fail "list $table has no rows"
	expect_status 0 "$LOCKSTEP" list $table --json
	count=$(jq 'length' "$WORK/out") || fail "list $table --json is no JSON"
	[ "$count" = $rows ] || fail "list $table: $rows rows, $count in JSON"
	jq -e 'all(.[]; keys == ($first | keys))' --argjson first "$(jq '.[0]' "$WORK/out")" \
		"$WORK/out" >/dev/null || fail "list $table --json: rows differ in their keys"
done
# Each check has a test by the unit tests' own tables.
"$LOCKSTEP" list checks --json | jq -e 'all(.[]; .tests | test("^unit\\..*:[0-9]+$"))' >/dev/null ||
	fail "a check has no test"
# The names that the other commands take are in the tables.
for name in intel amd max qemu64; do
	"$LOCKSTEP" list cpus --json | jq -e --arg name $name 'any(.[]; .name == $name)' \
		>/dev/null || fail "no CPU model $name"
done
"$LOCKSTEP" list engines --json | jq -e '.[0].name == "sim"' >/dev/null || fail "no engine sim"
finish
