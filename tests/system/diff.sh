#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lockstep diff: the suite against its own engine is equal, by exit and by step; what is in the way is
# said in one line, with status 2.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

expect_status 0 "$LOCKSTEP" diff --list
cases=$(wc -l <"$WORK/out")
expect_status 0 "$LOCKSTEP" diff --list --json --case msrs --case task_busy
jq -e '[.[].theme] | unique == ["msrs", "tasks"]' "$WORK/out" >/dev/null || fail "list of two: $(cat "$WORK/out")"
for cpu in intel amd; do
	expect_status 0 "$LOCKSTEP" diff --dut sim --cpu $cpu --suite
	grep -qE "^all +$cases +$cases +0 +0 +0 " "$WORK/out" ||
		fail "not all $cases are equal: $(tail -n 5 "$WORK/out")"
done
# What steps have of their own is in these: events, breakpoints of the guest's, TF, task switches, shadows.
expect_status 0 "$LOCKSTEP" diff --dut sim --granularity step --case faults --case gates --case debug \
	--case debug32 --case tasks --case apic --case modes
grep -qE "^all +([0-9]+) +\1 +0 +0 +0 " "$WORK/out" || fail "not equal by step: $(tail -n 5 "$WORK/out")"

# --- what was recorded is compared later, with the same result ---
for granularity in exit step; do
	folder=$WORK/by-$granularity
	expect_status 0 "$LOCKSTEP" diff --dut sim --granularity $granularity --save-trace "$folder" \
		--case gates --case tasks --case smp
	grep -E '^[a-z0-9]+ +[0-9]' "$WORK/out" | sort >"$WORK/live"
	for side in ref dut; do
		expect_status 0 "$LOCKSTEP" diff --dut "trace:$folder/$side"
		diff "$WORK/live" <(grep -E '^[a-z0-9]+ +[0-9]' "$WORK/out" | sort) ||
			fail "the traces of $side by $granularity are compared otherwise"
	done
done
one=$WORK/by-step/dut/gate_selector.trace
expect_status 0 "$LOCKSTEP" diff --dut "trace:$one" --html "$WORK/page.html"
expect_status 0 "$LOCKSTEP" diff --dut "trace:$WORK/by-step/dut" --case gate_selector
build_payload exit
expect_status 0 "$LOCKSTEP" diff --dut sim --append "a b" --save-trace "$WORK/own" "$WORK/exit"
expect_status 0 "$LOCKSTEP" diff --dut "trace:$WORK/own/dut/exit.trace"
# Under a name of another length, while the payload's own path is in its memory.
cp "$WORK/exit" "$WORK/renamed-exit"
expect_status 0 "$LOCKSTEP" diff --dut "trace:$WORK/own/dut/exit.trace" "$WORK/renamed-exit"

# --- a trace of a run: by its instructions, or by its exits ---
expect_status 43 "$LOCKSTEP" run --payload "$WORK/exit" --trace "$WORK/run.trace"
expect_status 0 "$LOCKSTEP" diff --dut "trace:$WORK/run.trace"
grep -q '^trace against sim (sim, .*compared by step' "$WORK/out" || fail "not by step: $(cat "$WORK/out")"
expect_status 0 "$LOCKSTEP" diff --dut "trace:$WORK/run.trace" --granularity exit "$WORK/exit"
grep -q '^not compared.*: registers, memory' "$WORK/out" || fail "what is left out is not said: $(cat "$WORK/out")"
# Part of one, and the end of another payload's.
expect_status 0 "$LOCKSTEP" trace cut --to 1 "$WORK/run.trace" "$WORK/part.trace"
expect_status 1 "$LOCKSTEP" diff --dut "trace:$WORK/part.trace"
grep -q 'no more events on trace' "$WORK/out" || fail "the end is not named: $(cat "$WORK/out")"
build_payload triple
expect_status 1 "$LOCKSTEP" diff --dut "trace:$WORK/run.trace" "$WORK/triple"

# expect_line WORD COMMAND...
expect_line() {
	expect_status 2 "${@:2}"
	[ "$(wc -l <"$WORK/err")" -eq 1 ] || fail "not one line: $(cat "$WORK/err")"
	grep -qF -- "$1" "$WORK/err" || fail "the line doesn't name '$1': $(cat "$WORK/err")"
}
expect_line nosuchcase "$LOCKSTEP" diff --dut sim --case gates --case nosuchcase
expect_status 2 "$LOCKSTEP" diff --dut "trace:$WORK/by-step/ref/gate_selector.trace" --save-trace "$WORK/by-step"
grep -q 'is the file that is read' "$WORK/out" || fail "a trace is written over: $(cat "$WORK/out")"
expect_line nosuchengine "$LOCKSTEP" diff --dut nosuchengine --suite
expect_line nothing-here "$LOCKSTEP" diff --dut sim nothing-here
expect_line "what to compare" "$LOCKSTEP" diff --dut sim
expect_line sometimes "$LOCKSTEP" diff --dut sim --suite --granularity sometimes
expect_line sometimes "$LOCKSTEP" diff --dut sim --suite --dirty sometimes
expect_line nothing-here "$LOCKSTEP" diff --dut sim --suite --junit nothing-here/file
expect_line "recorded with --cpu 'intel'" "$LOCKSTEP" diff --dut "trace:$one" --cpu amd
expect_line "recorded by step" "$LOCKSTEP" diff --dut "trace:$one" --granularity exit
expect_line "not of the case" "$LOCKSTEP" diff --dut "trace:$one" --case task_busy
expect_line "another build" "$LOCKSTEP" diff --dut "trace:$WORK/own/dut/exit.trace" "$LOCKSTEP"
expect_line nothing-here "$LOCKSTEP" diff --dut trace:nothing-here
expect_line "no trace in" "$LOCKSTEP" diff --dut "trace:$WORK/own"
expect_line "no whole trace" "$LOCKSTEP" diff --dut "trace:$LOCKSTEP" --case gate_selector
expect_line "brings its machine" "$LOCKSTEP" diff --dut "trace:$WORK/run.trace" --memory 8M
expect_line "recorded with --cpu" "$LOCKSTEP" diff --dut "trace:$WORK/run.trace" --cpu amd
expect_status 0 "$LOCKSTEP" trace export --format trace.dat "$WORK/run.trace" "$WORK/trace.dat"
expect_status 0 "$LOCKSTEP" trace import "$WORK/trace.dat" "$WORK/host.trace"
expect_line "name it" "$LOCKSTEP" diff --dut "trace:$WORK/host.trace"
expect_line "would be one" "$LOCKSTEP" diff --dut sim --save-trace "$WORK/two" "$WORK/exit" "$WORK/own/../exit"
expect_line /proc/nowhere "$LOCKSTEP" diff --dut sim --case gates --save-trace /proc/nowhere
# A byte of the head, and the file cut off within its events.
{ head -c 40 "$one" && printf '\377' && tail -c +42 "$one"; } >"$WORK/broken"
expect_line "head is damaged" "$LOCKSTEP" diff --dut "trace:$WORK/broken"
# Interrupted, it tells what it has found so far. The signal comes once there is a result: a case that hangs for ever.
build_payload spin
"$LOCKSTEP" diff --dut sim --timeout 0.1 "$WORK/spin" "$WORK/spin" "$WORK/spin" "$WORK/spin" "$WORK/spin" \
	"$WORK/spin" "$WORK/spin" "$WORK/spin" --html "$WORK/part.html" >"$WORK/out" 2>"$WORK/err" &
diff=$!
until grep -q '^spin: ' "$WORK/out"; do sleep 0.02; done
kill -TERM "$diff"
status=0
wait "$diff" || status=$?
[ "$status" -eq 143 ] || fail "interrupted, it ends with $status"
grep -q '^left out: [0-9]* cases: interrupted' "$WORK/out" || fail "no summary: $(cat "$WORK/out")"
grep -q 'cases: interrupted' "$WORK/part.html" || fail "no page"
finish
