#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# boot.sh CPU VCPUS SCHEDULE: Debian's kernel boots to user space, works there and powers off.
# Round-robin twice: the same console to the byte and the same number of instructions.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

cpu=$1 vcpus=$2 schedule=$3
export APPEND="TEST=boot"

boot() {
	guest_boot --cpu "$cpu" --smp "$vcpus" --schedule "$schedule" --stats-file "$WORK/stats"
	expect_result boot
	grep -aq "^cpus: $vcpus" "$WORK/out" || fail "the guest doesn't see $vcpus CPUs"
	grep -aqE 'BUG:|Oops|WARNING: CPU|Call Trace|soft lockup' "$WORK/out" &&
		fail "the kernel complained: $(grep -aE -A5 'BUG:|Oops|WARNING: CPU|lockup' "$WORK/out" | head -20)"
	instructions=$(sed 's/.*"instructions": \([0-9]*\).*/\1/' "$WORK/stats")
	echo "$instructions instructions"
}

boot
[ "$schedule" = round-robin ] || finish
cp "$WORK/out" "$WORK/first"
first=$instructions
boot
[ "$first" = "$instructions" ] || fail "$first instructions, then $instructions"
cmp "$WORK/first" "$WORK/out" || fail "the second run's console differs"
finish
