#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The host's own processor agrees with the interpreter on all user-mode cases, by exit and by step; what it
# does not run is counted, or refused in one line.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

"$LOCKSTEP" diff --dut native --case u_adx >"$WORK/out" 2>"$WORK/err"
if grep -q ptrace "$WORK/err"; then
	[ "$(wc -l <"$WORK/err")" -eq 1 ] || die "not one line: $(cat "$WORK/err")"
	skip "$(cat "$WORK/err")"
fi

expect_status 0 "$LOCKSTEP" diff --list
all=$(wc -l <"$WORK/out")
cases=$(grep -c '^user-' "$WORK/out")
[ "$cases" -ge 60 ] || fail "only $cases user-mode cases"
expect_status 0 "$LOCKSTEP" diff --ref sim --dut native --suite
tail -n 10 "$WORK/out"
grep -qE "^all +$cases +$cases +0 +0 +0 " "$WORK/out" || fail "not all $cases are equal"
grep -q "^left out: $((all - cases)) of $all cases need CPL 0" "$WORK/out" || fail "what is left out isn't told"
# Of steps a few show memory images with host's own bits: declared, by vendor.
expect_status 0 "$LOCKSTEP" diff --ref sim --dut native --granularity step --suite
tail -n 16 "$WORK/out"
grep -qE "^all +$cases +$cases " "$WORK/out" || fail "not all $cases are equal by step"

# A payload of one's own.
need gcc gcc
gcc -c -o "$WORK/user.o" "$LS_ROOT/tests/system/payload/user.S" || die "the payload does not assemble"
ld -T "$LS_ROOT/tools/suite/user/user.ld" -z noexecstack --no-warn-rwx-segments -o "$WORK/user" "$WORK/user.o" ||
	die "the payload does not link"
expect_status 0 "$LOCKSTEP" diff --ref sim --dut native --granularity step "$WORK/user"
expect_status 0 "$LOCKSTEP" diff --ref sim --dut native --append again "$WORK/user"
# It writes 21H to the exit port: AL at its UD2.
expect_status 67 "$LOCKSTEP" run --engine native --payload "$WORK/user"
expect_status 67 "$LOCKSTEP" run --engine sim --payload "$WORK/user"

# expect_line STATUS WORD COMMAND...
expect_line() {
	expect_status "$1" "${@:3}"
	[ "$(wc -l <"$WORK/err")" -eq 1 ] || fail "not one line: $(cat "$WORK/err")"
	grep -qF -- "$2" "$WORK/err" || fail "the line doesn't name '$2': $(cat "$WORK/err")"
}
build_payload exit
expect_line 2 "no user-mode case" "$LOCKSTEP" diff --dut native "$WORK/exit"
expect_line 2 "1 of 1 cases need CPL 0" "$LOCKSTEP" diff --dut native --case mul_results
expect_line 1 "user-mode code alone" "$LOCKSTEP" run --engine native --payload "$WORK/exit"
finish
