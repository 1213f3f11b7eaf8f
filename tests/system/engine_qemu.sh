#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# QEMU as an engine under test: payloads end on it as on sim, and the same instructions lead to the
# same state, step by step and, for cases of the suite, by exit.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need qemu-system-x86_64 qemu-system-x86
need gcc gcc
for name in exit triple vendor; do
	build_payload $name
done
expect_status 43 "$LOCKSTEP" run --engine qemu --memory 4M --payload "$WORK/exit"
expect_status 121 "$LOCKSTEP" run --engine qemu --memory 4M --payload "$WORK/triple"
# CPUID is the model's, not QEMU's.
expect_status 41 "$LOCKSTEP" run --engine qemu --cpu amd --memory 4M --payload "$WORK/vendor"
expect_status 0 "$LOCKSTEP" diff --ref sim --dut qemu --granularity step "$WORK/exit" "$WORK/triple" \
	"$WORK/vendor"
cat "$WORK/out"
# The suite's cases by exit: an exception, an interrupt, HLT, CPUID by CR4, a guest of the guest's, level 3 with XCR0,
# and a difference that has a row.
expect_status 0 "$LOCKSTEP" diff --ref sim --dut qemu --case divide_by_zero --case timer_fires --case hlt_wakes \
	--case cpuid_osxsave --case svm_runs --case u_hints --case lock_undefined
cat "$WORK/out"
grep -q '^all  *7  *7  *1  *0  *0 ' "$WORK/out" || fail "not all equal but one that is declared"
# A case for more vCPUs than it has is left out aloud.
expect_status 0 "$LOCKSTEP" diff --ref sim --dut qemu --case smp --case cpuid_osxsave
grep -q '4 of 5 cases need more vCPUs' "$WORK/out" || fail "cases are left out in silence: $(cat "$WORK/out")"
expect_status 1 env PATH=/nothing-here "$LOCKSTEP" run --engine qemu --payload "$WORK/exit"
grep -q qemu-system-x86 "$WORK/err" || fail "QEMU isn't named: $(cat "$WORK/err")"
finish
