#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Step by step on a real kvm_amd, which steps by TF: themes in which TF is taken away, stored and merged. What was written
# is told by the dirty log here, and by rings in lab_diff.sh.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
expect_status 0 "$LOCKSTEP" diff --dut lab --granularity step --dirty log --save-trace "$WORK/lab" \
	--case tasks --case modes \
	--case divide_by_zero --case sti_shadow --case outs --case flag_transfers --case no_execute --case svm_runs
tail -n 20 "$WORK/out"
grep -qE "^all +([0-9]+) +\1 +0 +0 +0 " "$WORK/out" || fail "not equal by step"
[ "$(grep -c "^quirk of its steps" "$WORK/out")" -ge 6 ] || fail "a quirk is missing"
# What kvm_amd did is in the traces: compared again without it, with the same differences.
grep -E '^(declared:|[a-z0-9]+ +[0-9]+ +[0-9]+ )' "$WORK/out" >"$WORK/live"
expect_status 0 "$LOCKSTEP" diff --dut "trace:$WORK/lab/dut"
grep -E '^(declared:|[a-z0-9]+ +[0-9]+ +[0-9]+ )' "$WORK/out" >"$WORK/again"
diff <(sort "$WORK/live") <(sort "$WORK/again") || fail "the traces of the lab are compared otherwise than the lab"
grep -q '^trace against sim (kvm, Linux ' "$WORK/out" || fail "the recorded engine is not named"
finish
