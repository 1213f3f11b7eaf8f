#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C ends every run, whatever the guest does and whoever reads its console.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

for payload in spin chatter; do
	build_payload $payload
done

# expect_interrupt STATUS WHAT
expect_interrupt() {
	[ "$1" -eq 130 ] || fail "status $1, not 130: $2 ($(head -c 300 "$WORK/err"))"
}

# interrupted ARGUMENT...: the run starts, gets one SIGINT, and says so in its status. (A script's
# background jobs ignore SIGINT, so timeout sends it to a foreground one.)
interrupted() {
	timeout --preserve-status -k 60 -s INT 1 "$LOCKSTEP" run "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
	expect_interrupt $? "$*"
}

interrupted --payload "$WORK/spin"
interrupted --payload "$WORK/spin" --smp 2 --schedule parallel
interrupted --payload "$WORK/spin" --clock host
interrupted --payload "$WORK/chatter"
interrupted --payload "$WORK/chatter" --smp 2 --schedule parallel

# A console that nobody reads: the pipe is full.
mkfifo "$WORK/pipe"
exec 9<>"$WORK/pipe"
timeout --preserve-status -k 60 -s INT 1 "$LOCKSTEP" run --payload "$WORK/chatter" \
	>"$WORK/pipe" 2>"$WORK/err" </dev/null
expect_interrupt $? "with a reader that is stuck"
finish
