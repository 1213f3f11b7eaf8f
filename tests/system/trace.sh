#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A traced run tells what the guest did: every instruction in order with what it wrote, and the
# exits. It is the same with and without the engine's traces, and the same file each time.
# trace.sh PAYLOAD-FOLDER
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

payload=$1/stacks.elf
trace() {
	"$LOCKSTEP" trace "$@" >"$WORK/out" 2>"$WORK/err" || fail "trace $*: $(head -c 300 "$WORK/err")"
}

record() {
	expect_status 1 "$LOCKSTEP" run --payload "$payload" "$@"
}

record --trace "$WORK/one" --stats-file "$WORK/stats"
record --trace "$WORK/two"
record --trace "$WORK/slow" --param interp.trace=0
cmp "$WORK/one" "$WORK/two" || fail "two runs give two files"
cmp "$WORK/one" "$WORK/slow" || fail "interp.trace=0 gives another file"

# The start code of the payload, by its source (tests/payloads/lib/start.S).
trace show --limit 9 --symbols "$payload" "$WORK/one"
grep -q ' start fa  cli$' "$WORK/out" || fail "no CLI at start: $(cat "$WORK/out")"
grep -q 'mov esp, 0x.*  rsp=' "$WORK/out" || fail "no stack pointer set"
grep -q "$(printf '\033')" "$WORK/out" && fail "colour in a pipe"

# One record for each retired instruction.
trace show --events instruction --json "$WORK/one"
retired=$(grep -c '"retired": true' "$WORK/out")
[ "$retired" -eq "$(jq .instructions "$WORK/stats")" ] ||
	fail "$retired instructions, not $(jq .instructions "$WORK/stats")"
jq -es 'all(.instructions != null)' "$WORK/out" >/dev/null || fail "no JSON"

# The last exit is the write to the exit port.
trace show --events engine_exit "$WORK/one"
tail -n 1 "$WORK/out" | grep -q 'reason=IO  address=0xf4 .*write=yes' || fail "the exit port is not last"

# Only what is asked for.
trace show --from 100 --to 110 --events instruction "$WORK/one"
[ "$(wc -l <"$WORK/out")" -eq 10 ] || fail "--from 100 --to 110 gives $(wc -l <"$WORK/out") lines"
record --trace "$WORK/exits:engine_exit"
trace show "$WORK/exits"
grep -qv engine_exit "$WORK/out" && fail "more than engine_exit was recorded"

# Bad input: one line.
expect_status 2 "$LOCKSTEP" run --payload "$payload" --trace "$WORK/x:nonsense"
grep -q "unknown trace event 'nonsense'" "$WORK/err" || fail "no word of the unknown event"
expect_status 1 "$LOCKSTEP" run --payload "$payload" --trace /nowhere/x
expect_status 1 "$LOCKSTEP" trace show "$payload"
grep -q "no whole trace" "$WORK/err" || fail "an ELF file is taken for a trace"
expect_status 2 "$LOCKSTEP" trace nonsense
finish
