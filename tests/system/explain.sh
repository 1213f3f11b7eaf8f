#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lockstep explain: a dump with a broken rule names it, and what is no dump is an error of one line.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

cat >"$WORK/dmesg" <<'DUMP'
[    1.000000] unrelated
[    2.000000] *** Guest State ***
[    2.000000] RFLAGS=0x00000000         DR7 = 0x0000000000000400
[    2.000000] *** Control State ***
[    2.000000]         reason=80000021 qualification=0000000000000000
DUMP
expect_status 0 "$LOCKSTEP" explain "$WORK/dmesg"
grep -q '^guest_rflags_reserved: SDM 3C:27.3.1.4, exit 33' "$WORK/out" ||
	fail "RFLAGS without bit 1 is not named"
grep -q '^VM entry: exit 33, qualification 0, by guest_rflags_reserved' "$WORK/out" ||
	fail "no verdict"
grep -q '^unknown: .*Guest CR0' "$WORK/out" || fail "missing fields are not named"

echo "no dump" >"$WORK/text"
expect_status 1 "$LOCKSTEP" explain "$WORK/text"
grep -q 'no dump in it' "$WORK/err" || fail "the error does not say: no dump in it"
expect_status 1 "$LOCKSTEP" explain "$WORK/missing"
expect_status 1 "$LOCKSTEP" explain --cpu nonesuch "$WORK/dmesg"
grep -q 'unknown CPU model' "$WORK/err" || fail "the error does not say: unknown CPU model"
expect_status 2 "$LOCKSTEP" explain
finish
