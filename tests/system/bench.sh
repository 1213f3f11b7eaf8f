#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/bench runs its payload, prints its rows and writes JSON with the figures that it promises.
# No time is judged.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need jq jq
bench=$LS_ROOT/tools/bench

expect_status 0 "$bench" --lockstep "$LOCKSTEP" --engines sim --only micro --repeats 1 \
	--factor 10000 --json "$WORK/report"
grep -Eq '^micro\.alu +[0-9]+\.[0-9]{2} +[0-9]+\.[0-9]{2}$' "$WORK/out" ||
	fail "the table has no row for micro.alu: $(cat "$WORK/out")"

# has WHAT FILTER: the JSON file says so.
has() {
	jq -e "$2" "$WORK/report" >/dev/null || fail "the JSON file has not $1: $(cat "$WORK/report")"
}
has 'a revision' '.revision | length > 0'
has 'the machine' '.machine.processors > 0 and (.machine.processor | length > 0)'
has 'the engine' '.engines.sim | startswith("lockstep")'
has '15 rows and their sum' '[.rows[] | select(.part == "micro")] | length == 16'
has 'median, minimum and maximum' 'all(.rows[] | .wall_seconds, .cpu_seconds;
	.min <= .median and .median <= .max)'
has 'instructions' '.guests[0].instructions > 10000'

expect_status 2 "$bench" --only nothing
grep -q "no part 'nothing'" "$WORK/err" || fail "a part that is not there: $(cat "$WORK/err")"
expect_status 2 "$bench" --repeats 0

# A guest that doesn't come to its end fails the run.
expect_status 1 "$bench" --lockstep "$LOCKSTEP" --engines sim --only micro --repeats 1 --limit 1
grep -q "micro on sim did not reach 'MARK end'" "$WORK/err" ||
	fail "a guest that hangs: $(cat "$WORK/err")"
finish
