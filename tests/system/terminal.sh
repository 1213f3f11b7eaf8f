#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A guest that spins, deaf to everything, cannot keep the terminal: Ctrl-C, SIGTERM and Ctrl-A X
# end it, the monitor works on it, and the terminal is as it was afterwards.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need script bsdutils
build_payload spin

# What a shell's Ctrl-C does: SIGINT to the process. timeout keeps its status.
for signal in INT TERM HUP; do
	timeout --preserve-status -k 10 -s $signal 1 \
		"$LOCKSTEP" run --payload "$WORK/spin" >"$WORK/out" 2>"$WORK/err" </dev/null
	status=$?
	wanted=$((128 + $(kill -l $signal)))
	[ $status -eq $wanted ] || fail "SIG$signal: status $status, not $wanted"
	grep -q '^spinning' "$WORK/out" || fail "SIG$signal: what the guest printed is lost"
done

# A reader that goes away ends the run too.
timeout -k 5 20 "$LOCKSTEP" run --payload "$WORK/spin" 2>/dev/null | head -c 0
[ "${PIPESTATUS[0]}" -ne 124 ] || fail "the run did not end with its reader"

# on_terminal KEYS COMMAND: types KEYS, a string for printf, once the guest spins; the
# transcript is $WORK/tty. stty before and after must agree. script runs its command by $SHELL:
# bash goes on after a Ctrl-C that its child took as a key, dash does not.
on_terminal() {
	rm -f "$WORK/tty" "$WORK/after" "$WORK/status"
	mkfifo "$WORK/keys"
	(
		for _ in $(seq 100); do
			grep -aq spinning "$WORK/tty" 2>/dev/null && break
			sleep 0.1
		done
		# shellcheck disable=SC2059 # the keys are the format
		printf "$1"
		for _ in $(seq 100); do
			[ -s "$WORK/after" ] && break
			sleep 0.1
		done
	) >"$WORK/keys" &
	SHELL=$BASH timeout -k 5 60 script -qefc "stty -g >$WORK/before; $2; echo \$? >$WORK/status
		stty -g >$WORK/after" "$WORK/tty" <"$WORK/keys" >/dev/null 2>&1
	wait
	rm -f "$WORK/keys"
	cmp -s "$WORK/before" "$WORK/after" || fail "the terminal was left changed by keys '$1'"
}

# expect_end STATUS WHAT
expect_end() {
	[ "$(cat "$WORK/status" 2>/dev/null)" = "$1" ] ||
		fail "$2: status $(cat "$WORK/status" 2>/dev/null), not $1"
}

run="$LOCKSTEP run --payload $WORK/spin"
on_terminal '\003' "$run"
expect_end 130 "Ctrl-C on a payload"
on_terminal '\001x' "$run"
expect_end 130 "Ctrl-A X"

on_terminal '\001cinfo registers\ndisas\nx /2xw _start\nx /1xb rip\nx /1xg r15\nnonsense\nquit\n' "$run"
expect_end 130 "quit in the monitor"
grep -aqiE '\brip\b.*[0-9a-f]{6}' "$WORK/tty" || fail "info registers shows no RIP"
grep -aq 'jmp' "$WORK/tty" || fail "disas doesn't show the loop's jmp"
# The first instruction of spin.S, mov $message,%esi, is BE (SDM 2B, MOV: B8+rd).
grep -aqE '0x[0-9a-f]{6}be ' "$WORK/tty" || fail "x doesn't show the program's first bytes"
# CLI or the JMP back to it.
grep -aqE '[0-9a-f]{16}: 0x(fa|eb)' "$WORK/tty" || fail "x rip doesn't show the loop"
grep -aq "unknown command 'nonsense'" "$WORK/tty" || fail "the monitor takes nonsense"

# After cont the guest has the keyboard again, and the escape key still works.
on_terminal '\001ccont\n\001h\001x' "$run"
expect_end 130 "Ctrl-A X after cont"
finish
