#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lockstep list: every table is there, its JSON parses, and both forms have the same rows.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need jq jq
tables=$("$LOCKSTEP" list --help | grep -o 'checks|[a-z|-]*' | tr '|' ' ')
[ "$(wc -w <<<"$tables")" -ge 13 ] || fail "list --help names the tables: '$tables'"
for table in $tables; do
	grep -qw -- "$table" "$LS_ROOT/tools/completion/lockstep.bash" ||
		fail "the completion doesn't have list $table"
	grep -qF -- "\\fB${table//-/\\-}\\fR" "$LS_ROOT/docs/lockstep.1" ||
		fail "docs/lockstep.1 doesn't have list $table"
	expect_status 0 "$LOCKSTEP" list "$table"
	rows=$(($(wc -l <"$WORK/out") - 1))
	[ $rows -ge 1 ] || fail "list $table has no rows"
	expect_status 0 "$LOCKSTEP" list "$table" --json
	count=$(jq 'length' "$WORK/out") || fail "list $table --json is no JSON"
	[ "$count" = $rows ] || fail "list $table: $rows rows, $count in JSON"
	jq -e 'all(.[]; keys == ($first | keys))' --argjson first "$(jq '.[0]' "$WORK/out")" \
		"$WORK/out" >/dev/null || fail "list $table --json: rows differ in their keys"
done
# Each check has a test by the unit tests' own tables.
"$LOCKSTEP" list checks --json | jq -e 'all(.[]; .tests | test("^unit\\..*:[0-9]+$"))' >/dev/null ||
	fail "a check has no test"
# has TABLE FILTER RULE: a row that the manual has.
has()
{
	"$LOCKSTEP" list "$1" --json | jq -e "any(.[]; $2)" >/dev/null || fail "list $1: $3"
}
has vmcs-fields '.name == "EPT pointer" and .encoding == "0x201a" and .width == "64" and
	.group == "control" and .manual == "SDM 3D:B.2.1"' "EPT pointer (SDM 3D:B.2.1)"
has vmcs-fields '.name == "Host TR selector" and .encoding == "0x0c0c" and .width == "16" and
	.group == "host state" and .manual == "SDM 3D:B.1.3"' "host TR selector (SDM 3D:B.1.3)"
has vmcs-fields '.name == "Exit qualification" and .access == "read-only" and
	.manual == "SDM 3D:B.4.2"' "exit qualification (SDM 3D:B.4.2)"
has vmcb-fields '.name == "N_CR3" and .offset == "0x0b0" and .bytes == "8" and .clean == "NP" and
	.area == "control"' "N_CR3 (APM 2 table B-1)"
has vmcb-fields '.name == "RAX" and .offset == "0x5f8" and .area == "state save"' \
	"RAX (APM 2 table B-2)"
has exits '.vendor == "intel" and .number == "48" and .name == "EPT violation"' \
	"EPT violation (SDM 3D appendix C)"
has exits '.vendor == "amd" and .number == "0x400" and .name == "VMEXIT_NPF"' \
	"VMEXIT_NPF (APM 2 table C-1)"
has exits '.vendor == "amd" and .number == "0x40-0x5f" and
	.name == "VMEXIT_EXCP0 to VMEXIT_EXCP31"' "VMEXIT_EXCP0-31 (APM 2 table C-1)"
has cpuid '.leaf == "0x8000000a" and .vendors == "amd" and .needs == "svm"' "SVM's leaf"
# The page has the rows as they are printed.
"$LOCKSTEP" list not-offered --json |
	jq -r '.[] | "| \(.area) | \(.place) | \(.name) | \(.reason) |"' >"$WORK/rows"
sed '1,/^| --- /d' "$LS_ROOT/docs/coverage.md" | diff "$WORK/rows" - >"$WORK/difference" ||
	fail "docs/coverage.md is not what 'lockstep list not-offered' prints: $(head -3 "$WORK/difference")"
# The names that the other commands take are in the tables.
for name in intel amd max qemu64; do
	"$LOCKSTEP" list cpus --json | jq -e --arg name $name 'any(.[]; .name == $name)' \
		>/dev/null || fail "no CPU model $name"
done
"$LOCKSTEP" list engines --json | jq -e '.[0].name == "sim"' >/dev/null || fail "no engine sim"
finish
