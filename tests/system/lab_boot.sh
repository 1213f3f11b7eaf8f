#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lab_boot.sh IRQCHIP VCPUS: in the lab Debian's kernel boots through the kvm engine to user space, works there and powers off.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
IN=lab APPEND="quiet TEST=boot" guest_boot --engine kvm \
	--irqchip "$1" --smp "$2"
expect_result boot
grep -aq "^cpus: $2" "$WORK/out" || fail "the guest doesn't see $2 CPUs"
grep -aqE 'BUG:|Oops|WARNING: CPU|Call Trace|soft lockup' "$WORK/out" &&
	fail "the kernel complained: $(grep -aE -A5 'BUG:|Oops|WARNING: CPU|lockup' "$WORK/out" | head -20)"
finish
