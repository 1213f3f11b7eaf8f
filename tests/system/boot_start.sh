#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# boot_start.sh CPU MILLIONS: the first so many million instructions of a boot, for builds that
# are too slow for a whole one: nothing is found by the sanitizers, and Linux has started.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

images=$(guest_images) || exit 77
LIMIT=800 expect_status 124 "$LOCKSTEP" run --cpu "$1" --memory 256M \
	--kernel "$images/vmlinuz" --initrd "$images/test.initrd" \
	--append "console=ttyS0 earlyprintk=ttyS0" --max-instructions "${2}M"
grep -aq 'Linux version' "$WORK/out" || fail "Linux did not start: $(head -c 2000 "$WORK/out")"
grep -qE 'Sanitizer|runtime error' "$WORK/err" && fail "$(head -n 20 "$WORK/err")"
finish
