#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# triggers.sh: a guest is saved where --at says: by what its console has printed until then, what it
# still prints when it goes on, and the first instruction that is executed behind it.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need gcc gcc
build_payload spin
guest=(--memory 16M --console --payload "$WORK/spin")
loop=$(nm "$WORK/spin" | sed -n 's/^0*\([0-9a-f]*\) t spin$/\1/p')
[ "$loop" ] || die "the payload has no label spin"

# goes_on REST RIP [LIMIT]: the saved guest prints the rest and begins at this instruction. LIMIT:
# instructions of the whole run until the first is over.
goes_on() {
	expect_status 124 "$LOCKSTEP" snapshot load "$WORK/snap" --max-instructions 1000
	[ "$(cat "$WORK/out")" = "$1" ] || fail "printed behind it: $(cat "$WORK/out")"
	expect_status 124 "$LOCKSTEP" snapshot load "$WORK/snap" --max-instructions "${3:-1}" --trace "$WORK/trace"
	expect_status 0 "$LOCKSTEP" trace export --format jsonl "$WORK/trace" "$WORK/records"
	grep -q "\"rip\": *\"0x0*$2\"" "$WORK/records" || fail "not at $2: $(cat "$WORK/records")"
}

# saved AT PRINTED: by then the guest has printed this.
saved() {
	rm -f "$WORK/snap"
	expect_status 0 "$LOCKSTEP" snapshot save "$WORK/snap" --at "$1" "${guest[@]}"
	[ "$(cat "$WORK/out")" = "$2" ] || fail "$1: printed $(cat "$WORK/out")"
}

saved "address:0x$loop" spinning
goes_on "" "$loop"
saved "physical:0x$loop" spinning
goes_on "" "$loop"
saved port:0x3f8 s
goes_on pinning "[0-9a-f]*"
saved accesses:4 spin
goes_on ning "[0-9a-f]*"
saved instructions:2 ""
goes_on spinning "[0-9a-f]*" 3

# --- SIGUSR1, which comes before any other, too ---
for at in signal time:1000 port:0x80; do
	rm -f "$WORK/snap"
	"$LOCKSTEP" snapshot save "$WORK/snap" --at "$at" "${guest[@]}" >"$WORK/out" 2>"$WORK/err" </dev/null &
	for _ in $(seq 100); do
		grep -q spinning "$WORK/out" && break
		sleep 0.1
	done
	kill -USR1 $! || fail "$at: it has ended: $(cat "$WORK/err")"
	wait $! || fail "$at: status $?: $(cat "$WORK/err")"
	goes_on "" "[0-9a-f]*"
done

# --- what cannot come, or go there, is refused before the guest starts ---
# refused TEXT COMMAND...
refused() {
	expect_status 1 "$LOCKSTEP" "${@:2}" "${guest[@]}"
	{ [ ! -s "$WORK/out" ] && [ "$(wc -l <"$WORK/err")" -eq 1 ] && grep -q "$1" "$WORK/err"; } ||
		fail "${*:2}: $(cat "$WORK/out" "$WORK/err")"
}

refused "does not count the instructions" snapshot save "$WORK/snap" --schedule parallel --at instructions:5
refused "engine native has no interrupt chips" run --switch-to native --at port:0x3f8
finish
