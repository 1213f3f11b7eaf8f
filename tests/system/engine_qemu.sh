#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# QEMU as an engine under test: payloads end on it as on sim, and the same instructions lead to the
# same state, step by step.
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
expect_status 1 env PATH=/nothing-here "$LOCKSTEP" run --engine qemu --payload "$WORK/exit"
grep -q qemu-system-x86 "$WORK/err" || fail "QEMU isn't named: $(cat "$WORK/err")"
finish
