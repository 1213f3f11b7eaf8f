#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In the lab Debian's kernel boots through the kvm engine to user space, works there and powers off.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
IN=lab APPEND="quiet TEST=boot" guest_boot --engine kvm
expect_result boot
grep -aqE 'BUG:|Oops|WARNING: CPU|Call Trace|soft lockup' "$WORK/out" &&
	fail "the kernel complained: $(grep -aE -A5 'BUG:|Oops|WARNING: CPU|lockup' "$WORK/out" | head -20)"
finish
