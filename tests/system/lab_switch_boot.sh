#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lab_switch_boot.sh: Debian's kernel, moved twice between kvm_amd and sim while it boots, comes to
# user space and powers off without a complaint.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
images=$(cat "$WORK/images")
LIMIT=600 expect_status 0 "$LOCKSTEP" lab --with "$images/vmlinuz" --with "$images/test.initrd" -- run --engine kvm \
	--switch-to sim --at time:0.3 --switches 2 --memory 256M --kernel "$images/vmlinuz" \
	--initrd "$images/test.initrd" --append "console=ttyS0 TEST=boot"
expect_result boot
grep -q "switches between" "$WORK/err" && fail "the run ended before all its moves"
grep -aqE 'BUG:|Oops|WARNING: CPU|Call Trace|soft lockup' "$WORK/out" && fail "the kernel complained: $(tail -40 "$WORK/out")"
finish
