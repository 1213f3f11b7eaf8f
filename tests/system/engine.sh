#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --engine auto runs the guest whatever this host has, and says in one line which engine it took and
# why not the other; an engine that is not here is refused in one line.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need gcc gcc
build_payload exit
expect_status 43 "$LOCKSTEP" run --engine auto --payload "$WORK/exit"
[ "$(wc -l <"$WORK/err")" -eq 1 ] || fail "not one line: $(cat "$WORK/err")"
grep -qE '^lockstep: engine (kvm|sim, not kvm): .' "$WORK/err" || fail "$(cat "$WORK/err")"
# What only sim can do.
for option in "--schedule round-robin" "--max-instructions 1M" "--state-hash 1M"; do
	# shellcheck disable=SC2086 # two words
	expect_status 43 "$LOCKSTEP" run --engine auto $option --payload "$WORK/exit"
	grep -q '^lockstep: engine sim, not kvm: .' "$WORK/err" || fail "$option: $(cat "$WORK/err")"
done
if [ ! -r /dev/kvm ]; then
	expect_status 1 "$LOCKSTEP" run --engine kvm --payload "$WORK/exit"
	[ "$(grep -c /dev/kvm "$WORK/err")" -eq 1 ] || fail "$(cat "$WORK/err")"
fi
finish
