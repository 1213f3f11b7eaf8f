#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The exit statuses that docs/lockstep.1 promises, and that the reason is one line on stderr.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

for payload in exit halt triple wild spin; do
	build_payload $payload
done

# one_line WORD: stderr is one line, and has the word.
one_line() {
	[ "$(wc -l <"$WORK/err")" -eq 1 ] || fail "stderr is not one line: $(cat "$WORK/err")"
	grep -qi -- "$1" "$WORK/err" || fail "stderr doesn't say '$1': $(cat "$WORK/err")"
}

expect_status 43 "$LOCKSTEP" run --payload "$WORK/exit"
[ -s "$WORK/err" ] && fail "an exit through the port is no message: $(cat "$WORK/err")"

expect_status 43 "$LOCKSTEP" run --payload "$WORK/exit" --exit-port 0xf4
expect_status 124 "$LOCKSTEP" run --payload "$WORK/spin" --max-instructions 1M
one_line instruction
grep -q '^spinning' "$WORK/out" || fail "the payload's output is missing"
expect_status 124 "$LOCKSTEP" run --payload "$WORK/spin" --max-instructions 1M \
	--serial "file:$WORK/serial"
[ "$(cat "$WORK/serial")" = spinning ] || fail "the serial file holds '$(cat "$WORK/serial")'"
[ -s "$WORK/out" ] && fail "the serial port is in a file, yet standard output got something"

expect_status 123 "$LOCKSTEP" run --payload "$WORK/halt"
one_line halt
expect_status 121 "$LOCKSTEP" run --payload "$WORK/triple"
one_line triple
expect_status 121 "$LOCKSTEP" run --payload "$WORK/wild"
one_line triple

# The figures count what ran: the limit is exact.
expect_status 124 "$LOCKSTEP" run --payload "$WORK/spin" --max-instructions 123456 \
	--stats-file "$WORK/stats"
grep -q '"instructions": 123456,' "$WORK/stats" ||
	fail "the limit of 123456 instructions is not exact: $(cat "$WORK/stats")"
finish
