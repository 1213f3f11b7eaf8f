#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lockstep diff: the suite against its own engine is equal, by exit and by step; what is in the way is
# said in one line, with status 2.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

expect_status 0 "$LOCKSTEP" diff --list
cases=$(wc -l <"$WORK/out")
for cpu in intel amd; do
	expect_status 0 "$LOCKSTEP" diff --dut sim --cpu $cpu --suite
	grep -qE "^all +$cases +$cases +0 +0 +0 " "$WORK/out" ||
		fail "not all $cases are equal: $(tail -n 5 "$WORK/out")"
done
# What steps have of their own is in these: events, breakpoints of the guest's, TF, task switches, shadows.
expect_status 0 "$LOCKSTEP" diff --dut sim --granularity step --case faults --case gates --case debug \
	--case debug32 --case tasks --case apic --case modes
grep -qE "^all +([0-9]+) +\1 +0 +0 +0 " "$WORK/out" || fail "not equal by step: $(tail -n 5 "$WORK/out")"

# expect_line WORD COMMAND...
expect_line() {
	expect_status 2 "${@:2}"
	[ "$(wc -l <"$WORK/err")" -eq 1 ] || fail "not one line: $(cat "$WORK/err")"
	grep -qF -- "$1" "$WORK/err" || fail "the line doesn't name '$1': $(cat "$WORK/err")"
}
expect_line nosuchcase "$LOCKSTEP" diff --dut sim --case nosuchcase
expect_line nosuchengine "$LOCKSTEP" diff --dut nosuchengine --suite
expect_line nothing-here "$LOCKSTEP" diff --dut sim nothing-here
expect_line "what to compare" "$LOCKSTEP" diff --dut sim
expect_line sometimes "$LOCKSTEP" diff --dut sim --suite --granularity sometimes
expect_line sometimes "$LOCKSTEP" diff --dut sim --suite --dirty sometimes
expect_line nothing-here "$LOCKSTEP" diff --dut sim --suite --junit nothing-here/file
finish
