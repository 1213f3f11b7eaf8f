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
record --trace "$WORK/two" --stats-file "$WORK/stats"
record --trace "$WORK/slow" --param interp.trace=0
cmp "$WORK/one" "$WORK/two" || fail "two runs give two files"
trace diff "$WORK/one" "$WORK/slow"

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

# A part of a trace is a trace: its records are those of the whole.
trace cut --from 3000 --to 3100 "$WORK/one" "$WORK/part"
trace show "$WORK/part"
cp "$WORK/out" "$WORK/part.text"
trace show --from 3000 --to 3100 "$WORK/one"
cmp "$WORK/out" "$WORK/part.text" || fail "cut has other records"

trace cut --from 3000 --limit 3 "$WORK/one" "$WORK/part"
trace show "$WORK/part"
[ "$(wc -l <"$WORK/out")" -eq 3 ] || fail "cut --limit 3 leaves $(wc -l <"$WORK/out") records"
# Nothing is made of itself, whatever name it goes by, and what cannot be made leaves nothing behind.
cp "$WORK/one" "$WORK/itself"
ln -s itself "$WORK/link"
for how in "cut" "replay" "import" "export --format chrome"; do
	# shellcheck disable=SC2086 # words
	expect_status 1 "$LOCKSTEP" trace $how "$WORK/itself" "$WORK/link"
	grep -q 'is the file that is read' "$WORK/err" || fail "$how: $(cat "$WORK/err")"
done
cmp "$WORK/one" "$WORK/itself" || fail "a trace was written over by what was made of it"
rm "$WORK/itself" "$WORK/link"

# A trigger begins where it says.
trace show --json --events instruction --from 5 --limit 1 "$WORK/one"
cp "$WORK/out" "$WORK/at"
record --trace "$WORK/late:instruction@count=3000"
trace show --limit 100 "$WORK/late"
trace show --events instruction --from 3000 --limit 100 "$WORK/one"
cp "$WORK/out" "$WORK/late.text"
trace show --limit 100 "$WORK/late"
cmp "$WORK/out" "$WORK/late.text" || fail "@count=3000 begins elsewhere"
record --trace "$WORK/cr@event=cr_access"
trace show --limit 1 "$WORK/cr"
grep -q ' cr_access ' "$WORK/out" || fail "@event=cr_access begins elsewhere"

# What a trigger is seen by is not recorded unless it is asked for.
for spec in cr_access:instruction@event=cr_access instruction:cr_access@rip="$(jq -rn 'input.rip' "$WORK/at")"; do
	record --trace "$WORK/by:${spec#*:}"
	trace stat --json "$WORK/by"
	jq -e --arg no "${spec%%:*}" '.events[$no] // 0 | . == 0' "$WORK/out" >"$WORK/null" || fail "$spec: ${spec%%:*} was recorded"
	jq -e '[.events[]] | add > 0' "$WORK/out" >"$WORK/null" || fail "$spec: nothing was recorded"
done

# MSRs have names: EFER is C0000080H (SDM 4:2.1).
trace show --events msr_access "$WORK/one"
grep -q 'number=0xc0000080  write=yes .* <EFER>$' "$WORK/out" || fail "EFER has no name: $(cat "$WORK/out")"

# diff finds nothing in equals, and the place in others.
trace diff "$WORK/one" "$WORK/two"
expect_status 1 "$LOCKSTEP" run --payload "$1/segments.elf" --trace "$WORK/other"
expect_status 1 "$LOCKSTEP" trace diff --events instruction "$WORK/one" "$WORK/other"
grep -q 'records are equal, then' "$WORK/out" || fail "diff does not say where"

# grep prints what show prints.
trace grep 'engine_exit.*address=0xf4' "$WORK/one"
[ "$(wc -l <"$WORK/out")" -eq 1 ] || fail "grep finds $(wc -l <"$WORK/out") writes to the exit port"

expect_status 1 "$LOCKSTEP" trace grep 'no such line' "$WORK/one"
expect_status 2 "$LOCKSTEP" trace grep x "$WORK/nothing"

# stat counts what there is: each exit took the microsecond that a port costs.
trace stat --json "$WORK/one"
jq -e '.events.instruction > 1000 and .events.engine_exit == .exits[0].samples and
	.exits[0].reason == "IO" and .exits[0].max == 1000' "$WORK/out" >/dev/null ||
	fail "stat: $(cat "$WORK/out")"

# Other programs' files.
trace export --format jsonl --events cr_access "$WORK/one" "$WORK/jsonl"
jq -es 'all(.event == "cr_access") and length > 0' "$WORK/jsonl" >/dev/null || fail "no JSON lines"
trace export --format chrome "$WORK/one" "$WORK/chrome"
jq -e '.traceEvents | length > 100' "$WORK/chrome" >/dev/null || fail "no JSON for Chrome"
if command -v trace-cmd >/dev/null; then
	trace export --format trace.dat "$WORK/one" "$WORK/trace.dat"
	trace-cmd report "$WORK/trace.dat" >"$WORK/report" 2>"$WORK/err" || fail "trace-cmd: $(cat "$WORK/err")"
	exits=$(jq '.traceEvents | map(select(.name == "engine_exit")) | length' "$WORK/chrome")
	[ "$(grep -c 'kvm_exit: .*reason IO_INSTRUCTION' "$WORK/report")" -eq "$exits" ] ||
		fail "trace-cmd reports other exits than the $exits there are"
	grep -q 'kvm_entry: .*rip 0x' "$WORK/report" || fail "trace-cmd reports no kvm_entry"
	grep -q 'kvm_pio: ' "$WORK/report" || fail "trace-cmd reports no kvm_pio"
	"$LOCKSTEP" trace export --format trace.dat "$WORK/one" /dev/stdout | cat >"$WORK/piped"
	cmp "$WORK/trace.dat" "$WORK/piped" || fail "a pipe gets another trace.dat"
	# And back: an exit takes the microsecond that a port costs.
	trace import "$WORK/trace.dat" "$WORK/imported"
	trace stat --json "$WORK/imported"
	jq -e --argjson exits "$exits" '.events.vm_exit == $exits and
		([.exits[] | select(.reason == "IO_INSTRUCTION" and .max == 1000)] | length == 1)' \
		"$WORK/out" >/dev/null ||
		fail "imported: $(cat "$WORK/out")"
	sed '1s/tracing6/tracing8/' "$WORK/trace.dat" >"$WORK/v8.dat"
	expect_status 1 "$LOCKSTEP" trace import "$WORK/v8.dat" "$WORK/x"
	grep -q 'file-version 6' "$WORK/err" || fail "no word of what to do with version 8"
else
	echo "SKIP: there is no trace-cmd to read trace.dat back"
fi

# What was typed is in the trace, and with it the run is made again: any part has the records of the
# run that was traced, to the byte.
build_payload echo
(sleep 0.2 && printf 'ab' && sleep 0.2 && printf 'cq') |
	timeout 60 "$LOCKSTEP" run --payload "$WORK/echo" --trace "$WORK/typed:feed,instruction" >"$WORK/out"
[ "$(cat "$WORK/out")" = abcq ] || fail "echo: $(cat "$WORK/out")"
trace show --json --events feed "$WORK/typed"
jq -es 'map(select(.source == 0)) | map(.size) | add == 4' "$WORK/out" >/dev/null ||
	fail "the four keys are not in the trace"
trace stat --json "$WORK/typed"
last=$(jq .events.instruction "$WORK/out")
from=$((last / 2)) to=$((last / 2 + 1000))
for part in "$from $to" "0 1000" "$((last - 2000)) $((last - 100))"; do
	read -r from to <<<"$part"
	trace cut --events instruction --from "$from" --to "$to" "$WORK/typed" "$WORK/part"
	trace replay --from "$from" --to "$to" "$WORK/typed" "$WORK/again"
	cmp "$WORK/part" "$WORK/again" || fail "the replay from $from to $to has other records"
done

# Made again with a stop behind each instruction, also where an access ends a turn, it is the same.
(sleep 0.05 && printf 'q') |
	timeout 60 "$LOCKSTEP" run --payload "$WORK/echo" --trace "$WORK/typed" >"$WORK/out"
for granularity in step exit; do
	expect_status 0 "$LOCKSTEP" diff --dut "trace:$WORK/typed" --granularity $granularity
done

# What an engine does not record, and a trigger that does not come, are said.
record --trace "$WORK/never@rip=0xdead0000"
grep -q "recorded nothing to '$WORK/never'" "$WORK/err" || fail "no word of the trigger: $(cat "$WORK/err")"
record --trace "$WORK/came@rip=$(jq -r .rip "$WORK/at")"
grep -q 'recorded nothing' "$WORK/err" && fail "a trigger that came is missed"

# Bad input: one line.
expect_status 2 "$LOCKSTEP" run --payload "$payload" --trace "$WORK/x:nonsense"
grep -q "unknown trace event 'nonsense'" "$WORK/err" || fail "no word of the unknown event"
expect_status 2 "$LOCKSTEP" run --payload "$payload" --trace "$WORK/x@nonsense"
expect_status 1 "$LOCKSTEP" run --payload "$payload" --trace /nowhere/x
expect_status 2 "$LOCKSTEP" trace show --from here "$WORK/one"
expect_status 2 "$LOCKSTEP" trace stat --key size "$WORK/one"
expect_status 2 "$LOCKSTEP" trace stat --events '' "$WORK/one"
grep -q "unknown trace event ''" "$WORK/err" || fail "no word of the empty list: $(cat "$WORK/err")"
expect_status 2 "$LOCKSTEP" trace diff --vcpu 1 "$WORK/one" "$WORK/one"
expect_status 1 "$LOCKSTEP" trace show --vcpu 1 "$WORK/one"
expect_status 1 "$LOCKSTEP" trace replay --from 999999999 "$WORK/one" "$WORK/x"
expect_status 2 "$LOCKSTEP" trace export --format xml "$WORK/one" "$WORK/x"
expect_status 1 "$LOCKSTEP" trace show "$payload"
grep -q "no whole trace" "$WORK/err" || fail "an ELF file is taken for a trace"
expect_status 2 "$LOCKSTEP" trace nonsense
finish
