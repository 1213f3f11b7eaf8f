#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lab_breakpoint.sh CPU: KVM's breakpoints stop a guest at --at address:, where it goes on on sim. The
# KVM is that of our own processor: QEMU's TCG does not arm the breakpoints of the DR7 that VMRUN loads.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need busybox busybox-static
guest_images >/dev/null || exit 77
need gcc gcc
build_payload checksum
cd "$WORK" || die "no work folder"
guest=(--memory 64M --payload checksum)
expect_status 1 "$LOCKSTEP" run --cpu "$1" "${guest[@]}"
mv out wanted
fold=$(nm checksum | sed -n 's/^0*\([0-9a-f]*\) t fold$/\1/p')
expect_status 1 "$LOCKSTEP" lab --host sim --cpu "$1" --with checksum -- run --cpu "$1,-vmx,-svm" \
	--engine kvm --switch-to sim --at "address:0x$fold" "${guest[@]}"
cmp out wanted || fail "the move was noticed: $(cat out)"
grep "switches between" err && fail "there was no move"
finish
