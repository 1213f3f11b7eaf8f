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

cat >"$WORK/amd" <<'DUMP'
[    2.000000] SVM: VMCB Control Area:
[    2.000000] SVM: asid:               0
[    2.000000] SVM: VMCB State Save Area:
DUMP
expect_status 0 "$LOCKSTEP" explain "$WORK/amd"
grep -q '^VM entry: VMEXIT_INVALID, by asid-not-zero' "$WORK/out" || fail "ASID 0 is not named"
expect_status 0 "$LOCKSTEP" explain --cpu amd,+svm "$WORK/amd"
expect_status 1 "$LOCKSTEP" explain --cpu intel,+vmx "$WORK/amd"
expect_status 1 "$LOCKSTEP" explain --cpu amd,-svm "$WORK/amd"
grep -q 'neither VMX nor SVM' "$WORK/err" || fail "the error does not say: neither VMX nor SVM"
printf '\0%.0s' {1..4096} >"$WORK/vmcb"
expect_status 0 "$LOCKSTEP" explain "$WORK/vmcb"
grep -q '^VM entry: VMEXIT_INVALID, by vmrun-intercepted' "$WORK/out" ||
	fail "a VMCB of zeros is not told to lack the VMRUN intercept"

echo "no dump" >"$WORK/text"
expect_status 1 "$LOCKSTEP" explain "$WORK/text"
grep -q 'no dump in it' "$WORK/err" || fail "the error does not say: no dump in it"
expect_status 1 "$LOCKSTEP" explain "$WORK/missing"
expect_status 1 "$LOCKSTEP" explain --cpu nonesuch "$WORK/dmesg"
grep -q 'unknown CPU model' "$WORK/err" || fail "the error does not say: unknown CPU model"
expect_status 2 "$LOCKSTEP" explain
finish
