#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A virtio console beside the serial port: both print to standard output, and what is typed goes
# to the one that asked.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

images=$(guest_images) || exit 77
mkfifo "$WORK/keys"
exec 5<>"$WORK/keys"
timeout -k 5 120 "$LOCKSTEP" run --cpu "$1" --memory 256M --console \
	--kernel "$images/vmlinuz" --initrd "$images/test.initrd" \
	--append "console=ttyS0 TEST=console" <"$WORK/keys" >"$WORK/out" 2>"$WORK/err" &
run=$!

answer() {
	while ! grep -aq "^ASK $1" "$WORK/out"; do
		kill -0 $run 2>/dev/null || die "it ended before it asked on $1: $(tail -n 3 "$WORK/out" "$WORK/err")"
		sleep 0.1
	done
	printf 'for %s\n' "$1" >&5
}

answer hvc0
answer ttyS0
wait $run || fail "status $?"
expect_result console
finish
